// SPDX-License-Identifier: Apache-2.0
// The list of traces found. The server sorts by what it can; the columns that are left sort what is loaded.
import { absoluteTime, count, duration, exactDuration, listTime, nanos, plural, relativeTime } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, fill, h } from "../lib/view.js";
import { timeForm, zone } from "../settings.js";
import { Grid } from "./grid.js";

const SWATCHES_MAX = 6;

const COLUMNS = [
  { key: "mark", title: "" },
  { key: "start", title: "Start", by: (row) => row.start },
  { key: "root", title: "Trace", first: 1, by: (row) => `${row.rootServiceName}\u0000${row.rootSpanName}` },
  { key: "duration", title: "Duration", by: (row) => row.duration },
  { key: "spans", title: "Spans", by: (row) => row.spanCount, numeric: true },
  { key: "errors", title: "Errors", by: (row) => row.errorCount, numeric: true },
  { key: "services", title: "Services", by: (row) => row.services.length },
  { key: "match", title: "Matched", by: (row) => row.matchedSpans, numeric: true },
];
const ORDERS = new Set(["start", "duration", "spans", "errors"]);

/** An order of the address as the server writes it; null for those it does not know. @param {string} order */
export function serverOrder(order) {
  const key = order.replace("-", "");
  if (order === "" || order === "-start" || !ORDERS.has(key)) return null;
  return `${key} ${order.startsWith("-") ? "desc" : "asc"}`;
}

/** Whether only what is loaded is in this order. @param {string} order */
export function sortsLoaded(order) {
  return order !== "" && !ORDERS.has(order.replace("-", ""));
}

export class Results extends Grid {
  /**
   * @param {{ open: (row: any) => void, href: (id: string) => string, more: (again?: boolean) => void, sort: (order: string) => void,
   *   colorOf: (service: string) => number, mark: (id: string) => void, marks: () => string[] }} actions
   */
  constructor(actions) {
    super({ label: "Traces found", name: "trace-grid", columns: COLUMNS, order: "-start", actions, key: (row) => row.traceId, more: "More traces are coming…", create: (cell) => createRow(cell, actions), update: (parts, row) => this.draw(parts, row) });
    this.slowest = 1;
  }

  /** @param {any[]} traces all that came so far, in the server's order @param {{ hasMore: boolean, order: string, problem?: string | null }} facts */
  show(traces, facts) {
    const rows = traces.map((trace) => ({ ...trace, start: nanos(trace.startTimeUnixNano), duration: Number(nanos(trace.durationNanos)) }));
    this.slowest = rows.reduce((most, row) => Math.max(most, row.duration), 1);
    super.show(sortsLoaded(facts.order) ? this.sorted(rows, facts.order) : rows, facts);
  }

  get ids() {
    return this.rows.map((row) => row.traceId);
  }

  draw(parts, row) {
    const now = Date.now();
    const absolute = listTime(row.start, zone.value, now);
    drawMark(parts.mark, row.traceId, this.actions.marks());
    parts.time.dateTime = new Date(Number(row.start / 1_000_000n)).toISOString();
    parts.time.title = absoluteTime(row.start, zone.value, 9);
    parts.date.textContent = timeForm.value === "absolute" ? absolute : relativeTime(row.start, now);
    parts.ago.textContent = timeForm.value === "absolute" ? relativeTime(row.start, now) : "";
    const isRooted = row.rootServiceName !== "" || row.rootSpanName !== "";
    attribute(parts.swatch, "data-s", isRooted ? this.actions.colorOf(row.rootServiceName) : null);
    parts.link.href = this.actions.href(row.traceId);
    parts.service.textContent = isRooted ? row.rootServiceName || "(no name)" : "root not yet here";
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
}

function createRow(cell, actions) {
  const parts = {
    mark: markButton(actions.mark), date: h("span.time-main", {}), ago: h("span.time-second", {}),
    swatch: h("span.swatch", {}), link: h("a.trace-link", { tabindex: "-1" }), service: h("span.row-service", {}), operation: h("span.row-operation", {}),
    bar: h("span.length-fill", {}), length: h("span.length-text", {}),
    spans: h("span", {}), errors: h("span.row-errors", {}), swatches: h("span.swatches", {}), match: h("span", {}),
  };
  parts.link.append(parts.service, parts.operation);
  parts.time = h("time", {}, parts.date, parts.ago);
  return {
    parts,
    cells: [
      cell("mark", parts.mark), cell("start", parts.time), cell("root", parts.swatch, parts.link),
      cell("duration", h("span.length-track", {}, parts.bar), parts.length),
      cell("spans.number", parts.spans), cell("errors.number", parts.errors), cell("services", parts.swatches), cell("match.number", parts.match),
    ],
  };
}

/** The place of a row that says, and changes, whether its trace is marked to be compared. @param {(id: string) => void} mark */
export function markButton(mark) {
  return h("button.row-action.row-mark", { type: "button", tabindex: "-1", onclick: (event) => mark(event.currentTarget.dataset.id) });
}

/** @param {HTMLElement} button @param {string} id @param {string[]} marks */
export function drawMark(button, id, marks) {
  const place = marks.indexOf(id);
  button.dataset.id = id;
  button.textContent = place < 0 ? "" : "AB"[place];
  attribute(button, "aria-pressed", String(place >= 0));
  attribute(button, "aria-label", place < 0 ? "Mark to compare" : `Marked ${"AB"[place]}`);
  attribute(button, "title", place < 0 ? "Mark to compare (x)" : "Take the mark away (x)");
}
