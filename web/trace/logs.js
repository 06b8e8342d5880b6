// SPDX-License-Identifier: Apache-2.0
// Log records of a trace and the events of its spans, in one order of time.
import * as api from "../api-more.js";
import { absoluteTime, count, duration, plural } from "../lib/format.js";
import { RowList } from "../lib/rows.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { Attributes, small } from "./attributes.js";
import { extrasOf } from "./extras.js";
import { SEVERITIES, byTime, eventEntries, logEntries, serviceOf } from "./log-records.js";

const LINE = 24;
/** Spans whose events are asked for at once, and before somebody has to ask for more. */
const BATCH = 200;
const SPANS_MAX = 2000;
const TEXT_MAX = 500;
const LEVELS = [["", "All levels"], ["info", "Info and worse"], ["warn", "Warnings and worse"], ["error", "Errors"]];

/** @param {any} trace @param {HTMLElement} element */
export function open(trace, element) {
  return new Logs(trace, element);
}

class Logs {
  constructor(trace, element) {
    this.trace = trace;
    this.aborted = new AbortController();
    this.entries = [];
    this.shown = [];
    this.chosen = -1;
    this.level = h("select.field", { "aria-label": "Severity" }, LEVELS.map(([value, name]) => h("option", { value }, name)));
    this.level.addEventListener("change", () => this.keep({ level: this.level.value }));
    this.words = h("input.field", { type: "search", placeholder: "Filter texts", "aria-label": "Filter texts", spellcheck: "false", autocomplete: "off" });
    this.keepWords = debounce(() => this.keep({ words: this.words.value.trim() }), 150);
    this.words.addEventListener("input", this.keepWords);
    this.words.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "ArrowDown") return;
      event.preventDefault();
      this.keepWords.flush();
      this.scroller.focus();
    });
    this.facts = h("span.faint", { role: "status" });
    this.more = h("span", {});
    this.note = h("div.view-note", {});
    this.scroller = h("div.scroller.log-scroller", { role: "grid", tabindex: "0", "aria-label": "Events and log records", "aria-readonly": "true" });
    this.list = new RowList({ scroller: this.scroller, rowHeight: LINE, create: () => this.createRow(), update: (row, index) => this.updateRow(row, index), onScroll: () => this.nameActive() });
    this.scroller.addEventListener("click", (event) => {
      const row = event.target.closest("[data-index]");
      if (row) this.choose(Number(row.dataset.index));
    });
    const page = () => this.list.rowsPerPage - 1;
    const key = (keys, does, step) => ({ keys, does, run: () => {
      this.scroller.focus({ preventScroll: true });
      if (this.shown.length) this.choose(Math.max(0, Math.min(this.shown.length - 1, this.chosen + step())));
    } });
    trace.app.keyboard.install("Logs", [
      key(["ArrowDown", "j"], "Next entry", () => 1), key(["ArrowUp", "k"], "Previous entry", () => -1), key(["PageDown"], "A page down", page), key(["PageUp"], "A page up", () => -page()),
      key(["Home"], "First entry", () => -Infinity), key(["End"], "Last entry", () => Infinity),
    ]);
    const copy = (text, what) => trace.app.shell.copy(text, what);
    this.attributes = new Attributes({ copy, search: (condition) => trace.searchTraces(condition) });
    this.entry = h("section.log-entry", { "aria-label": "The chosen entry", tabindex: "0", hidden: true });
    fill(element, h("div.view-bar", {}, this.level, this.words, this.facts, this.more), this.note, this.scroller, this.entry);
    this.numbers = 0;
  }

  show(changed) {
    if (changed === "model") this.load();
    else if (changed === "state") this.filter();
    else if (changed === "selection") this.list.refresh();
  }

  keep(state) {
    this.trace.app.replace(state);
    this.trace.state = this.trace.app.view.state;
    this.filter();
  }

  async load() {
    const { model, traceStart } = this.trace;
    this.aborted.abort();
    this.aborted = new AbortController();
    const { signal } = this.aborted;
    this.entries = [];
    this.left = Array.from(model.rowsWhere((row) => model.events[row] > 0 && !model.isPlaceholder(row)));
    this.problem = null;
    this.isLoading = true;
    this.filter();
    // Both are waited for, whichever fails: who reads on later is then the only reader.
    const [logs, events] = await Promise.allSettled([extrasOf(model).logs(), this.loadEvents(SPANS_MAX, signal)]);
    if (signal.aborted) return;
    this.problem = logs.reason ?? events.reason ?? null;
    if (logs.value) {
      this.isCut = logs.value.truncated;
      this.entries.push(...logEntries(logs.value, traceStart));
    }
    this.isLoading = false;
    this.filter();
  }

  /** The events of the next spans that have some. */
  async loadEvents(most, signal) {
    const { model, traceStart } = this.trace;
    for (let read = 0; read < most && this.left.length; read += BATCH) {
      const rows = this.left.slice(0, BATCH);
      const { spans, resources } = await api.traceSpans(model.traceId, [...new Set(rows.map((row) => model.id(row)))], signal);
      if (signal.aborted) return;
      this.left = this.left.slice(BATCH);
      for (const { span, resource } of spans) this.entries.push(...eventEntries(span, serviceOf(resources[resource]), traceStart));
      this.filter();
    }
  }

  filter() {
    const { words } = this.trace.state;
    const level = LEVELS.some(([value]) => value === this.trace.state.level) ? this.trace.state.level : "";
    const least = SEVERITIES.indexOf(level);
    const wanted = words.toLowerCase();
    this.level.value = level;
    if (document.activeElement !== this.words) this.words.value = words;
    const chosen = this.shown[this.chosen];
    this.shown = byTime(this.entries).filter((entry) => entry.severity >= least && (wanted === "" || entry.text.toLowerCase().includes(wanted) || entry.service.toLowerCase().includes(wanted)));
    this.chosen = this.shown.indexOf(chosen);
    if (this.chosen < 0) this.entry.hidden = true;
    attribute(this.scroller, "aria-rowcount", this.shown.length);
    this.list.setCount(this.shown.length);
    this.say();
  }

  say() {
    const { entries, shown, left } = this;
    const isAll = shown.length === entries.length;
    this.facts.textContent = this.isLoading && !entries.length ? "Loading…" : `${isAll ? "" : `${count(shown.length)} of `}${plural(entries.length, "entry", "entries")}${this.isCut ? ", the first of more log records" : ""}`;
    fill(this.more, left.length && !this.isLoading ? h("button.quiet", { type: "button", onclick: () => this.readOn() }, `Read the events of ${plural(Math.min(left.length, SPANS_MAX), "more span", "more spans")}`) : null);
    const { problem } = this;
    fill(this.note, problem ? [h("p.problem", {}, problem.message), problem.requestId ? h("p.faint", {}, "Request ", h("code", {}, problem.requestId)) : null, h("button", { type: "button", onclick: () => this.load() }, "Try again")]
      : this.isLoading || shown.length ? null
      : entries.length ? h("p.faint", {}, "No event or log record is like that.")
      : h("p.faint", {}, "No span of this trace has events, and no log record names the trace. Log records are kept when they carry the trace's id: send them to the same OTLP endpoint."));
  }

  async readOn() {
    this.isLoading = true;
    this.say();
    const { signal } = this.aborted;
    await this.loadEvents(SPANS_MAX, signal).catch((error) => { if (!signal.aborted) this.problem = error; });
    if (signal.aborted) return;
    this.isLoading = false;
    this.filter();
  }

  choose(index) {
    this.chosen = index;
    this.list.reveal(index);
    this.list.refresh();
    this.list.draw();
    this.nameActive();
    this.showEntry(this.shown[index]);
    const row = this.trace.model.rowOf(this.shown[index].spanId);
    if (row >= 0) this.trace.select(row, { opens: true });
  }

  /** All of an entry, below the list. @param {import("./log-records.js").Entry} entry */
  showEntry({ kind, text, body, time, attributes }) {
    const head = h("div.log-entry-head", {}, h("h3", {}, kind === "log" ? "Log record" : "Event"), h("time.faint", {}, absoluteTime(time, zone.value, 9)), h("span.spring"),
      small("copy", "Copy the text", () => this.trace.app.shell.copy(text, "Text")),
      small("close", "Close the entry", () => { this.entry.hidden = true; this.scroller.focus(); }));
    fill(this.entry, head, h("div.log-entry-text.attribute-value", {}, this.attributes.value(body ?? { stringValue: text })), attributes.length ? this.attributes.table(attributes) : null);
    this.entry.hidden = false;
    this.entry.scrollTop = 0;
    this.list.reveal(this.chosen);
  }

  nameActive() {
    attribute(this.scroller, "aria-activedescendant", this.chosen < 0 ? null : this.list.elementAt(this.chosen)?.id);
  }

  createRow() {
    const parts = { time: h("span.log-time", { role: "gridcell" }), level: h("span.severity", { role: "gridcell" }), swatch: h("span.swatch", {}), service: h("span", {}), text: h("span.log-line", { role: "gridcell" }) };
    const row = h("div.log-row", { role: "row", id: `log-row-${++this.numbers}` }, parts.time, parts.level, h("span.log-service", { role: "gridcell" }, parts.swatch, parts.service), parts.text);
    row.parts = parts;
    return row;
  }

  updateRow(element, index) {
    const entry = this.shown[index];
    if (!entry) return;
    const { parts } = element;
    const { model, selected } = this.trace;
    const row = model.rowOf(entry.spanId);
    element.dataset.index = index;
    attribute(element, "aria-rowindex", index + 1);
    attribute(element, "aria-selected", String(index === this.chosen));
    element.classList.toggle("of-chosen", row >= 0 && row === selected);
    parts.time.textContent = `${entry.at < 0 ? "−" : "+"}${duration(Math.abs(entry.at))}`;
    parts.time.title = absoluteTime(entry.time, zone.value, 9);
    parts.level.textContent = entry.severity >= 0 ? SEVERITIES[entry.severity] : entry.kind;
    parts.level.className = `severity ${SEVERITIES[entry.severity] ?? ""}`;
    attribute(parts.swatch, "data-s", row >= 0 ? model.color(row) : null);
    parts.service.textContent = entry.service;
    parts.text.textContent = entry.text.slice(0, TEXT_MAX);
    parts.text.title = row >= 0 ? model.operationName(row) : "";
  }

  close() {
    this.keepWords.cancel();
    this.trace.app.keyboard.install("Logs", []);
    this.aborted.abort();
    this.list.close();
  }
}
