// SPDX-License-Identifier: Apache-2.0
// The spans of a trace in groups, with what each group adds up to. Pure.
import { KIND_NAMES } from "./kinds.js";

/**
 * `rows` are the group's, unless the server made it. Durations are nanoseconds; `path` is null until it is known.
 * @typedef {{ name: string, service: string, color: number | null, count: number, weight: number, errors: number, total: number, self: number,
 *   path: number | null, average: number, p50: number, p95: number, max: number, rows: number[] | null, value?: string | null, type?: string | null }} Group
 */

export const COLUMNS = ["name", "count", "errors", "total", "self", "share", "path", "average", "p50", "p95", "max"];
/** What the page can group by on its own; anything else is the key of an attribute. */
export const LOCAL = ["operation", "service", "kind"];

/** Time in each row itself: while none of its children runs. @param {import("./model.js").TraceModel} model @returns {Float64Array} */
export function selfTimes(model) {
  const { start, duration, end, children } = model;
  const times = new Float64Array(model.count);
  for (let row = 0; row < model.count; row++) {
    if (model.isPlaceholder(row)) continue;
    if (!children[row]) {
      times[row] = duration[row];
      continue;
    }
    const stop = start[row] + duration[row];
    let at = start[row];
    let sum = 0;
    let before = -Infinity;
    let isSorted = true;
    for (let child = row + 1; child < end[row]; child = end[child]) {
      const from = Math.min(start[child], stop);
      if (start[child] < before) {
        isSorted = false;
        break;
      }
      before = start[child];
      if (from > at) sum += from - at;
      at = Math.max(at, start[child] + duration[child]);
    }
    times[row] = isSorted ? sum + Math.max(0, stop - at) : model.selfTime(row);
  }
  return times;
}

/**
 * @param {import("./model.js").TraceModel} model @param {string} by one of `LOCAL`
 * @param {Float64Array} self of each row @param {Float64Array | null} path of each row, once known @returns {Group[]}
 */
export function groupsOf(model, by, self, path) {
  const keyOf = by === "service" ? (row) => model.service[row] : by === "kind" ? (row) => model.kind[row] : (row) => model.service[row] * model.operations.length + model.operation[row];
  const members = new Map();
  for (let row = 0; row < model.count; row++) {
    if (model.isPlaceholder(row)) continue;
    const key = keyOf(row);
    const rows = members.get(key);
    if (rows) rows.push(row);
    else members.set(key, [row]);
  }
  return [...members.values()].map((rows) => groupOf(model, by, rows, self, path));
}

function groupOf(model, by, rows, self, path) {
  const [first] = rows;
  const durations = Float64Array.from(rows, (row) => model.duration[row]).sort();
  const sum = (values) => rows.reduce((total, row) => total + values[row], 0);
  const total = sum(model.duration);
  return {
    name: by === "kind" ? KIND_NAMES[model.kind[first]] ?? "unspecified" : by === "service" ? "" : model.operationName(first),
    service: by === "kind" ? "" : model.serviceName(first),
    color: by === "kind" ? null : model.color(first),
    count: rows.length, weight: sum(model.weight), errors: rows.filter((row) => model.status[row] === 2).length,
    total, self: sum(self), path: path && sum(path), average: total / rows.length,
    p50: ranked(durations, 0.5), p95: ranked(durations, 0.95), max: durations.at(-1) ?? 0, rows,
  };
}

/** The value at a part of a sorted list: of one that at least that part does not exceed. */
function ranked(sorted, part) {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

/** Groups by an attribute, as the server told them. @param {any} answer @returns {Group[]} */
export function serverGroups({ rows }) {
  return rows.map((row) => ({
    name: row.value ?? "", value: row.value ?? null, type: row.type ?? null, service: "", color: null, count: row.spanCount, weight: row.weight, errors: row.errorCount,
    total: Number(row.totalNanos), self: Number(row.selfNanos), path: Number(row.pathNanos), average: Number(row.averageNanos),
    p50: Number(row.p50Nanos), p95: Number(row.p95Nanos), max: Number(row.maxNanos), rows: null,
  }));
}

/** "count" is the most first, "count.asc" the least; names begin at A. @param {string} text @returns {{ column: string, isAscending: boolean }} */
export function sortOf(text) {
  const [column, direction] = text.split(".");
  return COLUMNS.includes(column) ? { column, isAscending: direction === "asc" } : { column: "self", isAscending: false };
}

/** @param {Group[]} groups @param {{ column: string, isAscending: boolean }} sort @returns {Group[]} */
export function sorted(groups, { column, isAscending }) {
  const key = column === "share" ? "self" : column;
  const sign = isAscending ? 1 : -1;
  const compare = column === "name" ? (a, b) => fullName(a).localeCompare(fullName(b), "en") : (a, b) => (a[key] ?? 0) - (b[key] ?? 0);
  return [...groups].sort((a, b) => sign * compare(a, b) || b.self - a.self);
}

export function fullName({ service, name }) {
  return [service, name].filter(Boolean).join(" ");
}

/** The table as a file, durations in milliseconds. @param {Group[]} groups @param {string} by */
export function csvOf(groups, by) {
  const all = groups.reduce((sum, { self }) => sum + self, 0);
  const millis = (nanos) => (nanos == null ? "" : String(nanos / 1e6));
  const names = by === "operation" ? ["service", "operation"] : [by];
  const head = [...names, "count", "weight", "errors", "total_ms", "self_ms", "self_share", "critical_path_ms", "average_ms", "p50_ms", "p95_ms", "max_ms"];
  const lines = groups.map((group) => [
    ...(by === "operation" ? [text(group.service), text(group.name)] : [text(fullName(group))]),
    group.count, group.weight, group.errors, millis(group.total), millis(group.self), all ? group.self / all : 0, millis(group.path), millis(group.average), millis(group.p50), millis(group.p95), millis(group.max),
  ].join(","));
  return `${[head.map(text).join(","), ...lines].join("\r\n")}\r\n`;
}

/** A cell: quoted where it must be, and never a formula of a spreadsheet. */
function text(value) {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}
