// SPDX-License-Identifier: Apache-2.0
// The spans of the question in groups: how many, how often, how many failed, how long they took; a click narrows down.
import * as api from "../api.js";
import { count, duration, plural, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { rateText } from "../lib/rate.js";
import { sparkline } from "../lib/sparkline.js";
import { attribute, fill, h } from "../lib/view.js";
import { AttributePicker } from "./attribute-picker.js";
import { counted, toggled, written } from "./conditions.js";
import { Grid } from "./grid.js";
import { oneSample } from "./one-sample.js";

export const FIRST_FIELD = "name";
const OWN = [["resource.service.name", "Service"], ["name", "Operation"], ["kind", "Kind"], ["status", "Status"], ["rootServiceName", "Service of the root"], ["rootName", "Operation of the root"]];
const TITLES = new Map(OWN);
const MOMENTS = 30;
/** Groups beyond these are counted, not listed: the largest ones are. */
const GROUPS_MAX = 100;
const SERIES_MAX = 1000;
/** A query may have 16 KiB; letters outside of ASCII take more than one, signs a backslash each. */
const NAMES_LENGTH_MAX = 8000;
const QUANTILES = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]];

const COLUMNS = [
  { key: "group", title: "Group", first: 1, by: (row) => row.value },
  { key: "count", title: "Spans", by: (row) => row.count, numeric: true },
  { key: "rate", title: "Rate", by: (row) => row.count, numeric: true },
  { key: "errors", title: "Errors", by: (row) => row.errors / row.count, numeric: true },
  { key: "p50", title: "p50", by: (row) => row.p50 ?? -1, numeric: true },
  { key: "p95", title: "p95", by: (row) => row.p95 ?? -1, numeric: true },
  { key: "p99", title: "p99", by: (row) => row.p99 ?? -1, numeric: true },
  { key: "trend", title: "Over time" },
];

export class Groups {
  /**
   * @param {{ ask: (change: Object<string, string>) => void, sort: (order: string) => void, colorOf: (service: string) => number,
   *   told: (text: string) => void, fault: (error: any) => void,
   *   nothing: (read: number) => void }} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.flight = null;
    this.rows = [];
    this.picker = new AttributePicker({ label: "Group by", text: "", own: OWN, choose: (name) => actions.ask({ by: name === FIRST_FIELD ? "" : name }) });
    this.note = h("span.faint", {});
    this.problem = h("div.groups-problem", { role: "alert", hidden: true });
    this.grid = new Grid({ label: "Groups", name: "group-grid", columns: COLUMNS, order: "-count", key: (row) => `${row.type} ${row.value}`, create: createRow, update: (parts, row) => this.draw(parts, row), actions: { open: (row) => this.open(row), sort: actions.sort } });
    this.element = h("div.groups", {}, h("div.groups-head", {}, h("span", {}, "Grouped by"), this.picker.element, this.note), this.problem, this.grid.element);
  }

  /** @param {{ q: string, start: bigint | null, end: bigint | null, nowMillis: number }} question @param {string} by @param {string} order */
  async show(question, by, order) {
    this.flight?.abort();
    const flight = (this.flight = new AbortController());
    // Groups of another field are no answer to wait with.
    if (by !== this.by && this.rows.length) {
      this.rows = [];
      this.grid.show([], { order });
    }
    Object.assign(this, { question, by, order });
    this.picker.text.textContent = TITLES.get(by) ?? by;
    this.element.classList.add("waiting");
    this.problem.hidden = true;
    try {
      const rows = await this.load(question, by, flight.signal);
      if (flight.signal.aborted) return;
      this.rows = rows;
      this.sort(order);
      // A field that every span has: there are no spans.
      if (!rows.length && TITLES.has(by)) return this.actions.nothing(this.read);
      const spans = rows.reduce((sum, row) => sum + row.count, 0);
      this.note.textContent = rows.length ? "" : "No span here has it.";
      this.actions.told(`${this.isCut ? "The largest " : ""}${plural(rows.length, "group")} · ${plural(Math.round(spans), "span")}`);
    } catch (error) {
      if (flight.signal.aborted) return;
      this.rows = [];
      this.sort(order);
      // The query's own faults are shown where it is written; a field that makes no sense is said here.
      const isInQuery = (error.problem?.position?.offset ?? 0) <= new TextEncoder().encode(question.q).length;
      if (error.code === "invalid-query" && isInQuery && question.q !== "") return this.actions.fault(error);
      this.problem.hidden = false;
      fill(this.problem, icon("error"), h("span", {}, error.message), error.requestId ? h("span.faint", {}, "Request ", h("code", {}, error.requestId)) : null, h("button", { type: "button", onclick: () => this.show(question, by, order) }, "Try again"));
    } finally {
      if (this.flight === flight) {
        this.flight = null;
        this.element.classList.remove("waiting");
      }
    }
  }

  sort(order) {
    this.order = order;
    this.grid.show(this.grid.sorted(this.rows, order || "-count"), { order });
  }

  /** The largest groups first, exactly; their figures and their course over time after that. */
  async load(question, by, signal) {
    const { q, start, end } = question;
    const now = BigInt(question.nowMillis) * 1_000_000n;
    const whole = { ...oneSample(question), limit: SERIES_MAX };
    const present = TITLES.has(by) ? q : counted(q, `{ ${by} != nil }`);
    const largest = await api.metrics({ q: counted(present, `count_over_time() by(${by}) | topk(${GROUPS_MAX})`), ...whole }, signal);
    this.read = largest.inspected?.spans ?? 0;
    const rows = new Map();
    for (const { labels: [{ value, type }], values } of largest.series) {
      const sum = values.at(-1) ?? 0;
      if (sum > 0) rows.set(`${type} ${value}`, { value, type, count: sum, errors: 0, trend: [] });
    }
    this.isCut = rows.size >= GROUPS_MAX;
    if (this.isCut) keepNameable(rows);
    if (!rows.size) return [];
    const seconds = await this.secondsOf({ start, end: end ?? now }, signal);
    // Only the groups that are listed, however many there are besides.
    const listed = this.isCut ? counted(present, `{ ${anyOf(by, [...rows.values()])} }`) : present;
    const [failed, lengths, course] = await Promise.all([
      api.metrics({ q: counted(counted(listed, "{ status = error }"), `count_over_time() by(${by})`), ...whole }, signal),
      api.metrics({ q: counted(listed, `quantile_over_time(duration, ${QUANTILES.map(([, part]) => part).join(", ")}) by(${by})`), ...whole }, signal),
      api.metrics({ q: counted(listed, `count_over_time() by(${by})`), start: seconds.start, end: end ?? now, step: `${Math.max(1, Math.ceil(seconds.length / MOMENTS))}s`, limit: SERIES_MAX }, signal),
    ]);
    const rowOf = ({ labels: [{ value, type }] }) => rows.get(`${type} ${value}`);
    for (const series of failed.series) { const row = rowOf(series); if (row) row.errors = series.values.at(-1) ?? 0; }
    for (const series of lengths.series) {
      const row = rowOf(series);
      const found = QUANTILES.find(([, part]) => Number(series.labels.at(-1).value) === part);
      const value = series.values.at(-1);
      if (row && found && value !== null) row[found[0]] = value * 1e9;
    }
    for (const series of course.series) { const row = rowOf(series); if (row) row.trend = series.values.map((value) => value ?? 0); }
    for (const row of rows.values()) row.rate = row.count / seconds.length;
    return [...rows.values()];
  }

  /** How long the range is, where it is open since when there are spans. */
  async secondsOf({ start, end }, signal) {
    let from = start;
    if (from === null) {
      const oldest = (await api.status(signal)).oldestTimeUnixNano;
      from = oldest ? BigInt(oldest) : end - 1_000_000_000n;
    }
    return { start: from, length: Math.max(1, Number((end - from) / 1_000_000n) / 1000) };
  }

  open(row) {
    if (row.type !== "array") this.actions.ask({ q: toggled(this.question.q, this.by, "=", written(row.value, row.type)), tab: "" });
  }

  draw(parts, row) {
    const isService = this.by === "resource.service.name" || this.by === "rootServiceName";
    parts.swatch.hidden = !isService;
    attribute(parts.swatch, "data-s", isService ? this.actions.colorOf(row.value) : null);
    parts.name.textContent = row.value === "" ? "(empty)" : row.value.slice(0, 500);
    parts.name.title = row.value.slice(0, 2000);
    parts.count.textContent = count(Math.round(row.count));
    parts.rate.textContent = rateText(row.rate);
    fill(parts.errors, row.errors ? [icon("error"), share(row.errors / row.count)] : h("span.faint", { "aria-label": "none" }, "–"));
    for (const [key] of QUANTILES) parts[key].textContent = row[key] === undefined ? "–" : duration(row[key]);
    fill(parts.trend, sparkline(row.trend, { width: 96, isBad: false }));
  }

  get ids() {
    return [];
  }

  refresh() {
    this.grid.refresh();
  }

  close() {
    this.flight?.abort();
    this.picker.close();
    this.grid.close();
  }
}

/** One pattern costs less to compare with than many values do. @param {string} by @param {{ value: string, type: string }[]} values */
/** As many of the largest groups as one query can name. @param {Map<string, { value: string }>} rows largest first */
function keepNameable(rows) {
  let room = NAMES_LENGTH_MAX;
  for (const [key, { value }] of rows) {
    room -= 2 * value.length;
    if (room < 0) rows.delete(key);
  }
}

function anyOf(by, values) {
  const texts = values.filter(({ type }) => type === "string").map(({ value }) => value.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&"));
  const others = values.filter(({ type }) => type !== "string" && type !== "array").map(({ value, type }) => `${by} = ${written(value, type)}`);
  return [...(texts.length ? [`${by} =~ ${written(texts.join("|"), "string")}`] : []), ...others].join(" || ");
}

function createRow(cell) {
  const parts = { swatch: h("span.swatch", {}), name: h("span.group-name", {}), count: h("span", {}), rate: h("span", {}), errors: h("span.row-errors", {}), p50: h("span", {}), p95: h("span", {}), p99: h("span", {}), trend: h("span", {}) };
  return {
    parts,
    cells: [cell("group", parts.swatch, parts.name), cell("count.number", parts.count), cell("rate.number", parts.rate), cell("errors.number", parts.errors),
      cell("p50.number", parts.p50), cell("p95.number", parts.p95), cell("p99.number", parts.p99), cell("trend", parts.trend)],
  };
}
