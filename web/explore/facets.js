// SPDX-License-Identifier: Apache-2.0
// The column of facets: what the spans of the question are, with counts, to ask for or to rule out. Each field is counted as
// if nothing were asked of it, so that another value can be chosen instead.
import * as api from "../api.js";
import { compactCount, count, duration, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, fill, h } from "../lib/view.js";
import { AttributePicker } from "./attribute-picker.js";
import { conditionsOn, joinNames, nameIn, splitNames, toggled, without, written } from "./conditions.js";
import { Grid } from "./heatmap-model.js";
import { oneSample } from "./one-sample.js";

const SHOWN = 6;
const VALUES_MAX = 50;
const OWN = [["resource.service.name", "Service"], ["name", "Operation"], ["status", "Status"], ["kind", "Kind"]];
const QUANTILES = [[0.5, "p50", "half of the spans take longer"], [0.9, "p90", "one of ten takes longer"], [0.95, "p95", "one of twenty takes longer"], [0.99, "p99", "one of a hundred takes longer"]];

/** @typedef {{ value: string, type: string, count: number }} Value */

export class Facets {
  /**
   * @param {HTMLElement} column
   * @param {{ ask: (change: Object<string, string>) => void, pinned: () => string, colorOf: (service: string) => number, close: () => void }} actions
   */
  constructor(column, actions) {
    this.column = column;
    this.actions = actions;
    this.flight = null;
    this.question = null;
    /** Facets of which all values show. @type {Set<string>} */
    this.opened = new Set();
    /** @type {Map<string, Value[]>} */
    this.values = new Map();
    this.list = h("div.facets", { role: "group", "aria-label": "Facets: arrows move, right rules out" });
    this.list.addEventListener("keydown", (event) => this.move(event));
    this.picker = new AttributePicker({ label: "Facets of an attribute", text: "attribute", picture: "plus", choose: (name) => this.pin(name), leaveOut: () => [...OWN.map(([own]) => own), "duration", ...this.pins] });
    const close = h("button.icon-button", { type: "button", "aria-label": "Hide the facets", title: "Hide the facets (f)", onclick: () => actions.close() }, icon("wide"));
    this.foot = h("div.facets-foot", { hidden: true }, this.picker.element);
    fill(column, h("div.facets-head", {}, h("h2", {}, "Facets"), close), this.list, this.foot);
  }

  get pins() {
    return splitNames(this.actions.pinned());
  }

  pin(name) {
    this.actions.ask({ facets: joinNames([...this.pins, name]) });
  }

  unpin(name) {
    this.actions.ask({ facets: joinNames(this.pins.filter((pinned) => pinned !== name)) });
  }

  /** @param {{ q: string, start: bigint | null, end: bigint | null, nowMillis: number }} question */
  async show(question) {
    const key = [question.q, question.start, question.end, question.nowMillis, this.actions.pinned()].join("\n");
    if (key === this.counted) return;
    this.flight?.abort();
    const flight = (this.flight = new AbortController());
    this.question = question;
    this.counted = null;
    // The first figures come together: a list that grows piece by piece jumps under the hand.
    if (this.values.size) this.draw();
    this.list.classList.add("waiting");
    try {
      await this.count(question, flight.signal);
      this.problem = null;
      this.counted = key;
    } catch (error) {
      if (flight.signal.aborted) return;
      // What is wrong with the query is said where the query is.
      this.problem = error.code === "invalid-query" ? null : error;
    }
    this.list.classList.remove("waiting");
    this.draw();
  }

  /** One after another: a column of figures should not keep the search waiting. */
  async count(question, signal) {
    const values = new Map();
    const names = [...OWN.map(([name]) => name), ...this.pins];
    // Fields that nothing is asked of are counted in one go.
    for (const [q, fields] of Map.groupBy(names, (name) => without(question.q, name))) {
      const { facets } = await api.facets({ q: q, start: question.start, end: question.end, keys: fields.map((name) => nameIn("{ }", name)).join(","), limit: VALUES_MAX }, signal);
      for (const name of fields) values.set(name, ranked(facets.find((facet) => facet.name === nameIn("{ }", name))?.values ?? []));
    }
    values.set("duration", await this.quantiles(question, signal));
    this.values = values;
  }

  /** Of the same distribution that the heatmap draws: a page should not give two answers to one question. */
  async quantiles(question, signal) {
    const grid = new Grid(await api.heatmap({ q: without(question.q, "duration"), ...oneSample(question) }, signal));
    return QUANTILES.flatMap(([part, label, says]) => {
      const nanos = grid.percentile(part);
      return nanos === null ? [] : [{ label, says, nanos, value: amount(nanos) }];
    });
  }

  draw() {
    const { activeElement } = document;
    this.foot.hidden = false;
    const held = this.list.contains(activeElement) ? activeElement.dataset.at : null;
    const problem = this.problem ? h("div.facets-problem", { role: "alert" }, h("p.problem", {}, icon("error"), ` ${this.problem.message}`), this.problem.requestId ? h("p.faint", {}, "Request ", h("code", {}, this.problem.requestId)) : null,
      h("button", { type: "button", onclick: () => this.show(this.question) }, "Try again")) : null;
    fill(this.list, problem, OWN.map(([name, title]) => this.section(name, title)), this.durations(), this.pins.map((name) => this.section(name, name, true)));
    // One stop of the tab key for each facet; arrows go on from there.
    for (const button of this.list.querySelectorAll(".facet-values button")) button.tabIndex = -1;
    for (const button of this.list.querySelectorAll(".facet-row:first-child > .facet-value")) button.tabIndex = 0;
    if (held) this.list.querySelector(`[data-at="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  }

  move(event) {
    const row = event.target.closest(".facet-row");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const side = { ArrowRight: ".facet-exclude", ArrowLeft: ".facet-value" }[event.key];
    if (!row || !(step || side)) return;
    event.preventDefault();
    const rows = [...this.list.querySelectorAll(".facet-row")];
    const next = step ? rows[rows.indexOf(row) + step]?.querySelector(".facet-value") : row.querySelector(side);
    next?.focus();
  }

  section(name, title, isPinned = false) {
    const asked = conditionsOn(this.question.q, name).filter(({ operator }) => operator === "=" || operator === "!=");
    const found = this.values.get(name);
    const rows = (found ?? []).map((value) => ({ ...value, written: written(value.value, value.type) }));
    // What is asked for shows, be there no span of it.
    for (const { value } of asked) if (!rows.some((row) => row.written === value)) rows.unshift({ value: value.replace(/^["`](.*)["`]$/s, "$1"), type: "asked", written: value, count: found ? 0 : null });
    const isOpen = this.opened.has(name);
    const shown = isOpen ? rows : rows.filter((row, index) => index < SHOWN || asked.some(({ value }) => value === row.written));
    const more = rows.length - shown.length;
    const most = Math.max(1, ...rows.map((row) => row.count ?? 0));
    const id = `facet-${isPinned ? "pinned-" : ""}${name.replace(/[^\w-]/g, "_")}`;
    const toggle = more > 0 || isOpen ? h("button.quiet.facet-more", { type: "button", "aria-expanded": String(isOpen), "data-at": `${name}:more`, onclick: () => this.openAll(name) }, isOpen ? "Fewer" : `${count(more)} more`) : null;
    return h("section.facet", { "aria-labelledby": id },
      h("div.facet-title", {}, h(isPinned ? "h3.as-is" : "h3", { id, title }, title),
        isPinned ? h("button.icon-button", { type: "button", "aria-label": `Remove the facet ${name}`, title: "Remove this facet", "data-at": `${name}:unpin`, onclick: () => this.unpin(name) }, icon("close")) : null),
      found && !rows.length ? h("p.faint", {}, "No span here carries it.") : null,
      h("ul.facet-values", {}, shown.map((row) => this.row(name, row, most, asked))), toggle);
  }

  row(name, row, most, asked) {
    const operator = asked.find(({ value }) => value === row.written)?.operator;
    const shown = row.value === "" ? "(empty)" : row.value.length > 200 ? `${row.value.slice(0, 200)}…` : row.value;
    const spans = row.count === null ? "" : plural(row.count, "span");
    const at = row.written.slice(0, 200);
    // An array is no value that a query can compare with.
    const isFixed = row.type === "array";
    const include = h("button.facet-value", {
      type: "button", disabled: isFixed, "aria-pressed": String(operator === "="), "data-at": `${name}=${at}`, title: `${shown}\n${spans}${isFixed ? "" : "\nClick: only these · Alt+click: without these"}`,
      "aria-label": `${shown}, ${spans}${operator === "!=" ? ", ruled out" : ""}`, onclick: (event) => this.choose(name, event.altKey ? "!=" : "=", row.written),
    }, h("span.facet-share", { style: { width: `${((row.count ?? 0) / most) * 100}%` } }), mark(operator), name === "resource.service.name" ? h("span.swatch", { "data-s": this.actions.colorOf(row.value) }) : null,
      h("span.facet-name", {}, name === "status" && row.value === "error" ? icon("error") : null, shown), h("span.facet-count", {}, row.count === null ? "" : compactCount(row.count)));
    const exclude = h("button.icon-button.facet-exclude", {
      type: "button", disabled: isFixed, "aria-pressed": String(operator === "!="), "aria-label": `Without ${shown}`, title: "Without these", "data-at": `${name}!=${at}`, onclick: () => this.choose(name, "!=", row.written),
    }, icon("exclude"));
    return h("li.facet-row", { "data-is": operator === "=" ? "in" : operator === "!=" ? "out" : null }, include, exclude);
  }

  durations() {
    const rows = this.values.get("duration") ?? [];
    const asked = conditionsOn(this.question.q, "duration");
    const others = asked.filter(({ operator, value }) => !rows.some((row) => row.value === value && (operator === ">=" || operator === "<")));
    return h("section.facet", { "aria-labelledby": "facet-duration" }, h("div.facet-title", {}, h("h3", { id: "facet-duration" }, "Duration")),
      this.values.has("duration") && !rows.length && !others.length ? h("p.faint", {}, "No span here.") : null,
      h("ul.facet-values", {},
        others.map(({ operator, value }) => h("li.facet-row", { "data-is": "in" }, h("button.facet-value", { type: "button", "aria-pressed": "true", "data-at": `duration${operator}${value}`, title: "Take this condition away", onclick: () => this.actions.ask({ q: without(this.question.q, "duration") }) },
          mark("="), h("span.facet-name", {}, `${operator} ${value}`)))),
        rows.map((row) => {
          const operator = asked.find(({ value }) => value === row.value)?.operator;
          return h("li.facet-row", { "data-is": operator === ">=" ? "in" : operator === "<" ? "out" : null },
            h("button.facet-value", {
              type: "button", "aria-pressed": String(operator === ">="), "data-at": `duration>=${row.value}`, title: `${duration(row.nanos)}: ${row.says}\nClick: slower spans · Alt+click: faster ones`,
              "aria-label": `${row.label}, ${duration(row.nanos)}: slower spans`, onclick: (event) => this.choose("duration", event.altKey ? "<" : ">=", row.value),
            }, mark(operator === ">=" ? "=" : operator), h("span.facet-name", {}, operator === "<" ? `faster than ${row.label}` : operator === ">=" ? `slower than ${row.label}` : row.label), h("span.facet-count", {}, duration(row.nanos))),
            h("button.icon-button.facet-exclude", { type: "button", "aria-pressed": String(operator === "<"), "aria-label": `Faster than ${row.label}`, title: "Faster spans", "data-at": `duration<${row.value}`, onclick: () => this.choose("duration", "<", row.value) }, icon("exclude")));
        })));
  }

  openAll(name) {
    if (!this.opened.delete(name)) this.opened.add(name);
    this.draw();
  }

  choose(name, operator, value) {
    this.actions.ask({ q: toggled(this.question.q, name, operator, value) });
  }

  close() {
    this.flight?.abort();
    this.picker.close();
  }
}

/** A sign beside the value, so that colour does not say it alone. */
function mark(operator) {
  return operator === undefined ? null : icon(operator === "=" ? "check" : "exclude");
}

/** @param {Value[]} values */
function ranked(values) {
  return values.filter((value) => value.count > 0).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}

/** A duration as a query writes it, three digits of it. @param {number} nanos */
function amount(nanos) {
  const [unit, size] = [["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]].find(([, least]) => nanos >= least) ?? ["ns", 1];
  const digits = unit === "ns" ? 0 : Math.max(0, 2 - Math.floor(Math.log10(nanos / size)));
  return `${Number((nanos / size).toFixed(digits))}${unit}`;
}
