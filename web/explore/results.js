// SPDX-License-Identifier: Apache-2.0
// The list of traces found: any number of rows, a few elements; sorted by any column; the next page comes by itself.
import { absoluteTime, count, duration, exactDuration, listTime, nanos, plural, relativeTime } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { RowList } from "../lib/rows.js";
import { attribute, fill, h } from "../lib/view.js";
import { timeForm, zone } from "../settings.js";

const ROW_HEIGHT = 32;
const SWATCHES_MAX = 6;

/** Columns with the value they sort by; `first` is the direction of the first click. */
const COLUMNS = [
  { key: "start", title: "Start", first: -1, by: (row) => row.start },
  { key: "root", title: "Trace", first: 1, by: (row) => `${row.rootServiceName}\u0000${row.rootSpanName}` },
  { key: "duration", title: "Duration", first: -1, by: (row) => row.duration },
  { key: "spans", title: "Spans", first: -1, by: (row) => row.spanCount, numeric: true },
  { key: "errors", title: "Errors", first: -1, by: (row) => row.errorCount, numeric: true },
  { key: "services", title: "Services", first: -1, by: (row) => row.services.length },
  { key: "match", title: "Matched", first: -1, by: (row) => row.matchedSpans, numeric: true },
];

export class Results {
  /**
   * @param {{ open: (id: string) => void, href: (id: string) => string, more: (again?: boolean) => void, sort: (key: string) => void,
   *   colorOf: (service: string) => number }} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.found = [];
    this.rows = [];
    this.hasMore = false;
    /** Why the next page did not come. @type {string | null} */
    this.problem = null;
    this.order = "";
    this.selected = -1;
    this.slowest = 1;
    this.heads = new Map(COLUMNS.map(({ key, title, numeric }) => {
      const button = h("button.head-button", { type: "button", onclick: () => this.sortBy(key) }, title, h("span.head-arrow", { "aria-hidden": "true" }));
      return [key, h(`div.cell.cell-${key}${numeric ? ".number" : ""}`, { role: "columnheader" }, button)];
    }));
    this.scroller = h("div.scroller.result-scroller", {
      role: "grid", tabindex: "0", "aria-label": "Traces found", "aria-rowcount": "0", "aria-colcount": COLUMNS.length,
    });
    this.head = h("div.result-head", { role: "rowgroup" }, h("div.result-row.head", { role: "row", "aria-rowindex": "1" }, [...this.heads.values()]));
    this.scroller.append(this.head);
    this.list = new RowList({ scroller: this.scroller, rowHeight: ROW_HEIGHT, create: () => this.createRow(), update: (element, index) => this.updateRow(element, index) });
    this.element = this.scroller;
    this.scroller.addEventListener("click", (event) => {
      const row = event.target.closest(".result-row[data-index]");
      if (row && !event.target.closest("a")) this.open(Number(row.dataset.index));
    });
    this.scroller.addEventListener("mousedown", (event) => {
      const row = event.target.closest(".result-row[data-index]");
      if (row) this.select(Number(row.dataset.index));
    });
    this.scroller.addEventListener("focus", () => { if (this.selected < 0 && this.rows.length) this.select(0); });
  }

  /**
   * @param {any[]} traces all that came so far, newest first @param {boolean} hasMore whether a next page exists
   * @param {string} order @param {string | null} [problem] why that page did not come
   */
  show(traces, hasMore, order, problem = null) {
    this.problem = problem;
    this.found = traces.map((trace) => ({ ...trace, start: nanos(trace.startTimeUnixNano), duration: Number(nanos(trace.durationNanos)) }));
    this.hasMore = hasMore;
    this.order = order;
    this.sort();
  }

  sort() {
    const kept = this.rows[this.selected]?.traceId;
    const descending = this.order.startsWith("-");
    const column = COLUMNS.find(({ key }) => key === this.order.replace("-", ""));
    this.rows = column ? this.found.slice().sort((a, b) => compare(column.by(a), column.by(b)) * (descending ? -1 : 1)) : this.found;
    this.slowest = this.rows.reduce((most, row) => Math.max(most, row.duration), 1);
    this.selected = kept ? this.rows.findIndex((row) => row.traceId === kept) : -1;
    for (const [key, head] of this.heads) {
      const isSorted = column ? key === column.key : key === "start";
      const isDescending = column ? descending : true;
      attribute(head, "aria-sort", isSorted ? (isDescending ? "descending" : "ascending") : null);
    }
    attribute(this.scroller, "aria-rowcount", this.hasMore ? -1 : this.rows.length + 1);
    this.list.setCount(this.rows.length + (this.hasMore ? 1 : 0));
    this.nameActive();
  }

  sortBy(key) {
    const { first } = COLUMNS.find((column) => column.key === key);
    const [down, up] = [`-${key}`, key];
    const current = this.order || "-start";
    const next = current === down ? up : current === up ? down : first < 0 ? down : up;
    this.actions.sort(next === "-start" ? "" : next);
  }

  get ids() {
    return this.rows.map((row) => row.traceId);
  }

  refresh() {
    this.list.refresh();
  }

  select(index) {
    if (!this.rows.length) return;
    const next = Math.max(0, Math.min(this.rows.length - 1, index));
    const before = this.list.elementAt(this.selected);
    if (before) attribute(before, "aria-selected", "false");
    this.selected = next;
    // The head is stuck above the rows and covers as much of the view.
    const covered = this.head.offsetHeight;
    const top = next * ROW_HEIGHT;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top + ROW_HEIGHT + covered > this.scroller.scrollTop + this.scroller.clientHeight)
      this.scroller.scrollTop = top + ROW_HEIGHT + covered - this.scroller.clientHeight;
    this.list.draw();
    const now = this.list.elementAt(next);
    if (now) attribute(now, "aria-selected", "true");
    this.nameActive();
  }

  nameActive() {
    attribute(this.scroller, "aria-activedescendant", this.selected >= 0 ? this.list.elementAt(this.selected)?.id : null);
  }

  move(step) {
    this.scroller.focus({ preventScroll: true });
    this.select(this.selected < 0 ? 0 : this.selected + step);
  }

  open(index) {
    const row = this.rows[index];
    if (row) this.actions.open(row.traceId);
    else if (this.hasMore && index === this.rows.length) {
      this.scroller.focus({ preventScroll: true });
      this.actions.more(true);
    }
  }

  createRow() {
    const parts = {
      date: h("span.time-main", {}), ago: h("span.time-second", {}),
      swatch: h("span.swatch", {}), link: h("a.trace-link", { tabindex: "-1" }), service: h("span.row-service", {}), operation: h("span.row-operation", {}),
      bar: h("span.length-fill", {}), length: h("span.length-text", {}),
      spans: h("span", {}), errors: h("span.row-errors", {}), swatches: h("span.swatches", {}), match: h("span", {}),
    };
    parts.link.append(parts.service, parts.operation);
    parts.time = h("time", {}, parts.date, parts.ago);
    parts.note = h("div.more-note", { role: "gridcell", hidden: true });
    const cell = (name, ...children) => h(`div.cell.cell-${name}`, { role: "gridcell" }, children);
    const element = h("div.result-row", { role: "row", id: `result-${this.rowNumber = (this.rowNumber ?? 0) + 1}` },
      cell("start", parts.time),
      cell("root", parts.swatch, parts.link),
      cell("duration", h("span.length-track", {}, parts.bar), parts.length),
      cell("spans.number", parts.spans), cell("errors.number", parts.errors), cell("services", parts.swatches), cell("match.number", parts.match), parts.note);
    element.parts = parts;
    return element;
  }

  updateRow(element, index) {
    const { parts } = element;
    const row = this.rows[index];
    element.dataset.index = index;
    attribute(element, "aria-rowindex", index + 2);
    attribute(element, "aria-selected", index === this.selected ? "true" : "false");
    element.classList.toggle("is-note", !row);
    parts.note.hidden = Boolean(row);
    if (!row) {
      this.drawNote(parts.note);
      return;
    }
    const now = Date.now();
    const absolute = listTime(row.start, zone.value, now);
    parts.time.dateTime = new Date(Number(row.start / 1_000_000n)).toISOString();
    parts.time.title = absoluteTime(row.start, zone.value, 9);
    parts.date.textContent = timeForm.value === "absolute" ? absolute : relativeTime(row.start, now);
    parts.ago.textContent = timeForm.value === "absolute" ? relativeTime(row.start, now) : "";
    const isRooted = row.rootServiceName !== "" || row.rootSpanName !== "";
    attribute(parts.swatch, "data-s", isRooted ? this.actions.colorOf(row.rootServiceName) : null);
    parts.link.href = this.actions.href(row.traceId);
    parts.service.textContent = isRooted ? row.rootServiceName : "root not yet here";
    parts.operation.textContent = isRooted ? row.rootSpanName : row.traceId.slice(0, 16);
    parts.service.classList.toggle("absent", !isRooted);
    parts.link.title = isRooted ? `${row.rootServiceName} ${row.rootSpanName}` : row.traceId;
    parts.bar.style.width = `${Math.max(0.5, (row.duration / this.slowest) * 100)}%`;
    parts.bar.classList.toggle("failed", row.errorCount > 0);
    parts.length.textContent = duration(row.duration);
    parts.length.title = exactDuration(row.duration);
    parts.spans.textContent = count(row.spanCount);
    fill(parts.errors, row.errorCount ? [icon("error"), count(row.errorCount)] : h("span.faint", { "aria-label": "0" }, "–"));
    fill(parts.swatches, h("span.swatch-count", {}, count(row.services.length)), row.services.slice(0, SWATCHES_MAX).map(({ name }) => h("span.swatch", { "data-s": this.actions.colorOf(name) })));
    parts.swatches.title = row.services.map(({ name, spanCount, errorCount }) => `${name}: ${plural(spanCount, "span")}${errorCount ? `, ${plural(errorCount, "error")}` : ""}`).join("\n");
    parts.match.textContent = row.matchedSpans === row.spanCount ? "all" : `${count(row.matchedSpans)} of ${count(row.spanCount)}`;
  }

  /** The row below the last: the next page is asked for as soon as this shows, and by hand when that failed. */
  drawNote(note) {
    if (this.problem === null) {
      fill(note, "More traces are coming…");
      this.actions.more();
      return;
    }
    fill(note, icon("error"), h("span.note-text", { title: this.problem }, `No more traces came: ${this.problem}`), h("button", { type: "button" }, "Try again"));
  }

  close() {
    this.list.close();
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
