// SPDX-License-Identifier: Apache-2.0
// The services that matter for the question: rate, errors and p95, each against the window before; a click narrows the query
// down to one.
import * as api from "../api.js";
import { count, duration, plural, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { rateText } from "../lib/rate.js";
import { sparkline } from "../lib/sparkline.js";
import { attribute, fill, h } from "../lib/view.js";
import { among, rangeOf } from "./asked.js";
import { conditionsOn, counted, toggled } from "./conditions.js";
import { literal } from "./query-text.js";
import { busiest, change, percentiles, windows } from "./red-model.js";

const FIELD = "resource.service.name";
const BY = `by (${FIELD})`;
const PART = 0.95;
/** Shares of errors from here on are in red. */
const LOUD = 0.01;
const ERROR_CHANGE_MIN = 0.005;
const NAME_MAX = 200;

export class RedStrip {
  /** @param {any} app @param {(change: { q: string }) => void} ask */
  constructor(app, ask) {
    this.app = app;
    this.ask = ask;
    this.question = null;
    this.flight = null;
    this.list = h("ul.red-list", {});
    this.element = h("section.red-strip", { "aria-label": "Services: rate, errors and p95" }, this.list);
  }

  show(question) {
    this.question = question;
    this.isHere = false;
    this.flight?.abort();
  }

  async load() {
    const { question } = this;
    if (!question || this.isHere || (this.flight && !this.flight.signal.aborted)) return;
    const flight = (this.flight = new AbortController());
    const { signal } = flight;
    this.element.classList.add("waiting");
    attribute(this.element, "aria-busy", "true");
    try {
      const range = await rangeOf(question, signal);
      if (!range) return;
      const frame = windows(range);
      const asked = { start: frame.start, end: frame.end, step: String(frame.step) };
      const series = (q, stage) => api.metrics({ q: counted(q, `${stage} ${BY}`), ...asked }, signal);
      const [spans, errors] = await Promise.all([series(question.q, "rate()"), series(among(question.q, ["status = error"]), "rate()")]);
      const rows = busiest(spans, errors, frame);
      if (signal.aborted) return;
      this.draw(rows, null);
      this.isHere = true;
      if (!rows.length) return;
      // Buckets are many series: of the services that are shown only.
      const any = rows.map(({ name }) => `${FIELD} = ${literal(name, "string")}`).join(" || ");
      const histogram = await series(among(question.q, [rows.length > 1 ? `(${any})` : any]), "histogram_over_time(duration)");
      if (!signal.aborted) this.draw(rows, percentiles(histogram, PART, frame));
    } catch (error) {
      if (signal.aborted) return;
      this.isHere = false;
      this.showProblem(error);
    } finally {
      if (this.flight === flight) {
        this.flight = null;
        this.element.classList.remove("waiting");
        attribute(this.element, "aria-busy", null);
      }
    }
  }

  /** @param {ReturnType<typeof busiest>} rows @param {ReturnType<typeof percentiles> | null} slow null while it is not here */
  draw(rows, slow) {
    if (this.element.firstChild !== this.list) fill(this.element, this.list);
    const { activeElement } = document;
    const held = this.list.contains(activeElement) ? activeElement.dataset.service : null;
    const asked = conditionsOn(this.question.q, FIELD);
    const isAsked = (name) => asked.some(({ operator, value }) => operator === "=" && value === literal(name, "string"));
    fill(this.list, rows.map((row) => {
      const p95 = slow?.get(row.name) ?? null;
      const lines = linesOf(row, p95);
      const item = h("button.red-item", { type: "button", "data-service": row.name, "aria-pressed": isAsked(row.name) ? "true" : null, "aria-label": lines.join(". "),
        title: `${lines.join("\n")}\nagainst the window before; a click asks for this service only`, onclick: () => this.narrow(row.name) },
        h("span.red-name", {}, h("span.swatch", { "data-s": this.app.colors.of(row.name) }), h("span.red-service", { dir: "auto" }, nameOf(row)),
          h("span.red-rate", {}, rateText(row.rate), mark(change(row.rate, row.rateBefore), false))),
        h("span.red-facts", {},
          p95 ? sparkline(p95.line, { width: 48, height: 14 }) : h("span.red-gap", {}),
          h("span.red-p95", {}, h("span.red-what", {}, "p95 "), p95?.now != null ? duration(p95.now) : "–", p95 ? mark(change(p95.now, p95.before), true) : null),
          h(`span.red-errors${row.errorShare >= LOUD ? ".failed" : ""}`, {}, row.errorShare >= LOUD ? icon("error") : null, share(row.errorShare),
            mark(errorChange(row), true))));
      return h("li", {}, item);
    }));
    // Who narrowed down to one finds himself on that one.
    if (held !== null) [...this.list.querySelectorAll(".red-item")].find(({ dataset }) => dataset.service === held)?.focus({ preventScroll: true });
  }

  narrow(service) {
    this.ask({ q: toggled(this.question.q, FIELD, "=", literal(service, "string")) });
  }

  showProblem(error) {
    const facts = error.requestId ? [" Request ", h("code", {}, error.requestId)] : null;
    fill(this.element, h("p.heat-problem", { role: "alert" }, icon("error"), h("span", {}, `The figures of services did not come: ${error.message}`, facts),
      h("button", { type: "button", onclick: () => this.load() }, "Try again")));
  }

  close() {
    this.flight?.abort();
  }
}

/** An arrow; the item's label has it in words. @param {ReturnType<typeof change>} changed @param {boolean} isBad when it grows */
function mark(changed, isBad) {
  if (!changed) return null;
  return h(`span.red-change${isBad && changed.way === "up" ? ".worse" : ""}`, { "aria-hidden": "true" }, changed.way === "up" ? "▲" : "▼");
}

/** Of few errors a few more are no change. */
function errorChange({ errorShare, errorShareBefore }) {
  return Math.abs(errorShare - (errorShareBefore ?? 0)) < ERROR_CHANGE_MIN ? null : change(errorShare, errorShareBefore);
}

/** ", up 35 % from 1.20/s" @param {ReturnType<typeof change>} changed @param {(value: number) => string} show */
function words(changed, before, show) {
  if (!changed) return "";
  const by = changed.by === Infinity ? "" : changed.by >= 10 ? ` ${count(Math.round(changed.by + 1))}-fold` : ` ${share(changed.by)}`;
  return `, ${changed.way}${by} from ${show(before)}`;
}

function nameOf({ name }) {
  return name.length > NAME_MAX ? `${name.slice(0, NAME_MAX)}…` : name || "no name";
}

/** All of an item in words, a line each. */
function linesOf(row, p95) {
  return [
    nameOf(row),
    `${plural(Math.round(row.count), "span")}, ${rateText(row.rate)}${words(change(row.rate, row.rateBefore), row.rateBefore, rateText)}`,
    `${plural(Math.round(row.errorCount), "error")}, ${share(row.errorShare)}${words(errorChange(row), row.errorShareBefore, share)}`,
    p95?.now != null ? `p95 ${duration(p95.now)}${words(change(p95.now, p95.before), p95.before, duration)}` : null,
  ].filter(Boolean);
}
