// SPDX-License-Identifier: Apache-2.0
// Looking for spans within a trace. Names are found here, through the dictionary; attributes, events and whole queries
// on the server, which answers with a bit for each span. Pills leave what they name.
import * as api from "../api-more.js";
import { count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { flagsOf, flagsOfBitmap, isQuery, rowsOf, unquoted } from "./matching.js";
import { firstFrom } from "./outline.js";
import { SERVICES_MAX, slowRows } from "./slow.js";

const ASK_AFTER_MILLIS = 150;
/** Shorter texts are looked for in names alone: nearly every value has them. */
const ASK_FROM_LENGTH = 2;
const LONG_SHARE = 0.01;

const PILLS = [
  { name: "errors", title: "Errors", says: "Spans that failed" },
  { name: "path", title: "Critical path", says: "Spans that the end of the trace waited for" },
  { name: "long", title: "> 1 % of trace", says: "Spans longer than a hundredth of the trace" },
  { name: "slow", title: "Slow for its kind", says: `Spans above the 95th percentile of their operation in the day up to this trace; of traces with more services, the ${SERVICES_MAX} with the most spans` },
];

export class FindBar {
  /** @param {any} trace the page; `found()` is called whenever there is something else to mark */
  constructor(trace) {
    this.trace = trace;
    /** What was found, ascending; null when nothing is looked for. @type {Int32Array | null} */
    this.rows = null;
    /** Text to mark in names. */
    this.wanted = "";
    /** Whether rows that were not found are hidden instead of greyed. */
    this.isFilter = false;
    /** @type {Set<string>} */
    this.pills = new Set();
    /** What the pills leave: the rows, and a flag for each. @type {Map<string, { size: number, flags: Uint8Array }>} */
    this.flags = new Map();
    /** What the text was found in, by text: the last answer of the server is kept. */
    this.answer = { text: "", flags: null };
    /** @type {AbortController | null} */
    this.asking = null;
    /** Where Enter wants to go once the answer is here. */
    this.step = 0;
    this.ask = debounce((text) => this.askServer(text), ASK_AFTER_MILLIS);
    this.build();
  }

  build() {
    const button = (picture, label, act) => h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(picture));
    this.field = h("input.field.trace-search", {
      type: "search", placeholder: "Find text, or a query", "aria-label": "Find spans by text in names, attributes and events, or by a query", "aria-describedby": "find-problem",
      spellcheck: "false", autocomplete: "off",
    });
    this.field.addEventListener("input", () => this.run());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.go(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") this.leave();
      else return;
      event.preventDefault();
    });
    this.count = h("span.found", {});
    this.problem = h("p.find-problem.problem", { id: "find-problem", role: "alert", hidden: true });
    this.box = h("div.find-box", {}, this.field, this.count, button("up", "Previous match (N)", () => this.trace.nextMatch(-1)), button("down", "Next match (n)", () => this.trace.nextMatch(1)), this.problem);
    this.pillButtons = new Map(PILLS.map(({ name, title, says }) => {
      const number = h("span.pill-count", {});
      return [name, { number, button: h("button.pill", { type: "button", title: says, "aria-pressed": "false", onclick: () => this.togglePill(name) }, title, number) }];
    }));
    const mode = (isFilter, title, says) => h("button", { type: "button", title: says, onclick: () => this.setFilter(isFilter) }, title);
    this.modes = [mode(false, "Highlight", "Other rows are greyed"), mode(true, "Filter", "Other rows are hidden; what matches hang on stays, greyed")];
    this.strip = h("div.find-strip", {}, h("div.pills", { role: "group", "aria-label": "Only" }, PILLS.map(({ name }) => this.pillButtons.get(name).button)),
      h("div.segments", { role: "group", "aria-label": "What is done with matches" }, this.modes));
    this.showModes();
  }

  get text() {
    return this.field.value.trim();
  }

  get isActive() {
    return this.text !== "" || this.pills.size > 0;
  }

  /** A model to look in; what was known of another is forgotten. @param {import("./model.js").TraceModel} model */
  begin(model) {
    this.model = model;
    this.rows = null;
    this.wanted = "";
    this.flags.clear();
    this.answer = { text: "", flags: null };
    this.keepFlags("errors", model.errorRows());
    const least = LONG_SHARE * (model.to - model.from);
    this.keepFlags("long", model.rowsWhere((row) => model.span[row] >= 0 && model.duration[row] > least));
    this.showPills();
  }

  keepFlags(pill, rows) {
    this.flags.set(pill, { size: rows.length, flags: flagsOf(this.model.count, rows) });
  }

  /** As the address says. @param {string} text @param {string} pills @param {boolean} isFilter */
  set(text, pills, isFilter) {
    const wanted = new Set(pills.split(",").filter((name) => this.pillButtons.has(name)));
    const isSame = text === this.text && isFilter === this.isFilter && wanted.size === this.pills.size && [...wanted].every((name) => this.pills.has(name));
    if (isSame && this.rows !== null === this.isActive && this.ranOn === this.model) return;
    this.field.value = text;
    this.pills = wanted;
    this.isFilter = isFilter;
    this.run();
  }

  /** Looks for what the field and the pills say: at once for what is known, later for what the server knows. */
  run() {
    const { text, model } = this;
    if (!model) return;
    this.ranOn = model;
    this.step = 0;
    this.ask.cancel();
    this.asking?.abort();
    this.asking = null;
    this.showProblem(null);
    this.showModes();
    for (const name of this.pills) if (!this.flags.has(name)) this.loadPill(name);
    const asks = this.answer.text !== text && (text.length >= ASK_FROM_LENGTH || isQuery(text));
    attribute(this.box, "aria-busy", asks ? "true" : null);
    if (asks) this.ask(text);
    // The rows of an earlier query stay until the answer is here.
    if (!(asks && isQuery(text))) this.combine();
  }

  /** To the next match; where the answer is not here yet, when it is. */
  go(step) {
    this.step = 0;
    if (this.asking === null && !this.box.hasAttribute("aria-busy")) this.trace.nextMatch(step);
    else {
      this.step = step;
      this.ask.flush();
    }
  }

  combine() {
    const { text, model, pills } = this;
    const any = [];
    if (text !== "" && !isQuery(text)) any.push(flagsOf(model.count, model.find(unquoted(text))));
    if (text !== "" && this.answer.text === text && this.answer.flags) any.push(this.answer.flags);
    if (text !== "" && !any.length) any.push(new Uint8Array(model.count));
    const all = [...pills].map((name) => this.flags.get(name)?.flags).filter(Boolean);
    this.wanted = text === "" || isQuery(text) ? "" : unquoted(text);
    this.rows = this.isActive ? rowsOf(model.count, any, all) : null;
    this.showCount();
    this.showPills();
    this.trace.found();
    if (this.rows) this.trace.app.shell.say(`${count(this.rows.length)} of ${plural(model.spanCount, "span")} found`);
  }

  async askServer(text) {
    const { model, trace } = this;
    const asking = (this.asking = new AbortController());
    try {
      const wanted = isQuery(text) ? { q: text } : { text: unquoted(text) };
      const answer = await api.traceMatches(trace.id, wanted, asking.signal);
      if (asking.signal.aborted || this.model !== model) return;
      const hasGrown = answer.spanCount !== model.spanCount;
      this.answer = { text, flags: hasGrown ? null : flagsOfBitmap(model, answer.rows) };
      if (hasGrown) {
        this.showProblem("More spans of this trace came. Show them to look in all.");
        trace.arrivals.look();
      }
    } catch (error) {
      if (asking.signal.aborted || trace.life.signal.aborted) return;
      this.answer = { text, flags: null };
      this.showProblem(error.message);
    } finally {
      if (this.asking === asking) {
        this.asking = null;
        attribute(this.box, "aria-busy", null);
      }
    }
    this.combine();
    if (this.step) this.trace.nextMatch(this.step);
    this.step = 0;
  }

  async loadPill(name) {
    const { model, trace } = this;
    const { button } = this.pillButtons.get(name);
    attribute(button, "aria-busy", "true");
    try {
      const rows = name === "path" ? (await trace.wantCriticalPath()).rows : await slowRows(model, trace.traceStart + BigInt(Math.ceil(model.to)), trace.life.signal);
      if (this.model !== model) return;
      this.keepFlags(name, rows);
      this.combine();
    } catch (error) {
      if (trace.life.signal.aborted || this.model !== model) return;
      this.pills.delete(name);
      this.run();
      this.showProblem(error.message);
    } finally {
      attribute(button, "aria-busy", null);
    }
  }

  togglePill(name) {
    if (!this.pills.delete(name)) this.pills.add(name);
    this.run();
    this.trace.keepState();
  }

  /** Only the critical path, or everything again. */
  togglePath() {
    const isOn = this.isFilter && this.pills.has("path");
    if (isOn) this.pills.delete("path");
    else this.pills.add("path");
    this.isFilter = !isOn;
    this.run();
    this.trace.keepState();
  }

  setFilter(isFilter) {
    if (this.isFilter === isFilter) return;
    this.isFilter = isFilter;
    this.showModes();
    if (this.model) this.trace.found();
    this.trace.keepState();
  }

  showModes() {
    const [highlight, filter] = this.modes;
    attribute(highlight, "aria-pressed", String(!this.isFilter));
    attribute(filter, "aria-pressed", String(this.isFilter));
  }

  showPills() {
    for (const [name, { button, number }] of this.pillButtons) {
      const size = this.flags.get(name)?.size ?? null;
      const isOn = this.pills.has(name);
      attribute(button, "aria-pressed", String(isOn));
      button.disabled = size === 0 && !isOn;
      number.textContent = size === null ? "" : count(size);
    }
  }

  /** "3 / 17 of 98,412", the first when the selected span is a match. */
  showCount() {
    const { rows, trace } = this;
    if (!rows) {
      this.count.textContent = "";
      return;
    }
    const at = firstFrom(rows, trace.selected);
    const place = rows[at] === trace.selected ? `${count(at + 1)} / ` : "";
    this.count.textContent = `${place}${count(rows.length)} of ${count(trace.model.spanCount)}`;
  }

  /** @param {string | null} message */
  showProblem(message) {
    this.problem.hidden = message === null;
    fill(this.problem, message);
    attribute(this.field, "aria-invalid", message === null ? null : "true");
  }

  focus() {
    this.field.focus();
    this.field.select();
  }

  leave() {
    this.clear();
    this.trace.waterfall.scroller.focus({ preventScroll: true });
  }

  clear() {
    this.field.value = "";
    this.pills.clear();
    this.run();
  }

  close() {
    this.ask.cancel();
    this.asking?.abort();
  }
}
