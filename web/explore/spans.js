// SPDX-License-Identifier: Apache-2.0
// The spans that matched, one a row, in the order of their traces; any column sorts what is loaded.
import { absoluteTime, count, duration, exactDuration, listTime, nanos, plural, relativeTime } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, fill, h } from "../lib/view.js";
import { timeForm, zone } from "../settings.js";
import { Grid } from "./grid.js";
import { drawMark, markButton } from "./results.js";

const COLUMNS = [
  { key: "mark", title: "" },
  { key: "start", title: "Start", by: (row) => row.start },
  { key: "span", title: "Span", first: 1, by: (row) => `${row.serviceName}\u0000${row.name}` },
  { key: "kind", title: "Kind", first: 1, by: (row) => row.kind },
  { key: "status", title: "Status", first: 1, by: (row) => row.status },
  { key: "duration", title: "Duration", by: (row) => row.duration },
  { key: "trace", title: "In trace", first: 1, by: (row) => `${row.trace.rootServiceName}\u0000${row.trace.rootSpanName}` },
];

/** What a search must ask for so that its spans fill these columns. */
export const SELECTED = "select(status, kind)";

export class Spans extends Grid {
  /**
   * @param {{ open: (row: any) => void, href: (id: string, span: string) => string, more: (again?: boolean) => void, sort: (order: string) => void,
   *   colorOf: (service: string) => number, mark: (id: string) => void, marks: () => string[] }} actions
   */
  constructor(actions) {
    super({ label: "Spans found", name: "span-grid", columns: COLUMNS, order: "", actions, key: (row) => `${row.trace.traceId}${row.spanId}`, more: "More spans are coming…", create: (cell) => createRow(cell, actions), update: (parts, row) => this.draw(parts, row) });
    this.slowest = 1;
  }

  /** @param {any[]} traces with their spansets @param {{ hasMore: boolean, order: string, problem?: string | null }} facts */
  show(traces, facts) {
    const rows = traces.flatMap(rowsOf);
    this.slowest = rows.reduce((most, row) => Math.max(most, row.duration), 1);
    /** Matched spans of traces that have more of them than an answer tells. */
    this.untold = traces.reduce((sum, trace) => sum + Math.max(0, trace.matchedSpans - new Set((trace.spansets ?? []).flatMap(({ spans }) => spans.map(({ spanId }) => spanId))).size), 0);
    super.show(facts.order ? this.sorted(rows, facts.order) : rows, facts);
  }

  get ids() {
    return [...new Set(this.rows.map(({ trace }) => trace.traceId))];
  }

  draw(parts, row) {
    const now = Date.now();
    const absolute = listTime(row.start, zone.value, now);
    drawMark(parts.mark, row.trace.traceId, this.actions.marks());
    parts.time.dateTime = new Date(Number(row.start / 1_000_000n)).toISOString();
    parts.time.title = absoluteTime(row.start, zone.value, 9);
    parts.date.textContent = timeForm.value === "absolute" ? absolute : relativeTime(row.start, now);
    parts.ago.textContent = timeForm.value === "absolute" ? relativeTime(row.start, now) : "";
    attribute(parts.swatch, "data-s", this.actions.colorOf(row.serviceName));
    parts.link.href = this.actions.href(row.trace.traceId, row.spanId);
    parts.link.title = `${row.serviceName} ${row.name}`;
    parts.service.textContent = row.serviceName || "(no name)";
    parts.operation.textContent = row.name;
    parts.kind.textContent = row.kind;
    fill(parts.status, row.status === "error" ? h("span.row-errors", {}, icon("error"), "error") : h("span.faint", {}, row.status));
    parts.bar.style.width = `${Math.max(0.5, (row.duration / this.slowest) * 100)}%`;
    parts.length.textContent = duration(row.duration);
    parts.length.title = exactDuration(row.duration);
    const isRooted = row.trace.rootServiceName !== "" || row.trace.rootSpanName !== "";
    parts.trace.textContent = isRooted ? `${row.trace.rootServiceName} ${row.trace.rootSpanName}` : row.trace.traceId.slice(0, 16);
    parts.trace.title = `${row.trace.traceId}\n${plural(row.trace.spanCount, "span")}, ${count(row.trace.matchedSpans)} of them matched`;
  }
}

/** A span may be in several spansets, of groups; it is one row. */
function rowsOf(trace) {
  const seen = new Set();
  return (trace.spansets ?? []).flatMap(({ spans }) => spans).filter(({ spanId }) => !seen.has(spanId) && seen.add(spanId)).map((span) => {
    const told = (name) => span.attributes.find((found) => found.name === name)?.value ?? "";
    return { ...span, trace, start: nanos(span.startTimeUnixNano), duration: Number(nanos(span.durationNanos)), kind: told("kind"), status: told("status") };
  });
}

function createRow(cell, actions) {
  const parts = {
    mark: markButton(actions.mark), date: h("span.time-main", {}), ago: h("span.time-second", {}),
    swatch: h("span.swatch", {}), link: h("a.trace-link", { tabindex: "-1" }), service: h("span.row-service", {}), operation: h("span.row-operation", {}),
    kind: h("span", {}), status: h("span", {}), bar: h("span.length-fill", {}), length: h("span.length-text", {}), trace: h("span.faint", {}),
  };
  parts.link.append(parts.service, parts.operation);
  parts.time = h("time", {}, parts.date, parts.ago);
  return {
    parts,
    cells: [
      cell("mark", parts.mark), cell("start", parts.time), cell("span", parts.swatch, parts.link), cell("kind", parts.kind), cell("status", parts.status),
      cell("duration", h("span.length-track", {}, parts.bar), parts.length), cell("trace", parts.trace),
    ],
  };
}
