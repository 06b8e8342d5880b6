// SPDX-License-Identifier: Apache-2.0
// The map as a table: one row a call, sorted by any column. The same rows, for eyes that want numbers and for ears.
import { count, duration, share } from "../lib/format.js";
import { rateText } from "../lib/rate.js";
import { RowList } from "../lib/rows.js";
import { attribute, fill, h } from "../lib/view.js";
import { KINDS, changeText } from "./graph.js";

const ROW_HEIGHT = 28;

/** Columns with the value they sort by; names sort upward first, numbers downward. */
const COLUMNS = [
  { key: "from", title: "Caller", first: 1, by: ({ from }) => from.name },
  { key: "to", title: "Called", first: 1, by: ({ to }) => to.name },
  { key: "kind", title: "Kind", first: 1, by: kindOf },
  { key: "rate", title: "Rate", first: -1, by: ({ calls }) => calls },
  { key: "change", title: "Change", first: -1, by: ({ rate, before }) => (before ? (before.rate > 0 ? rate / before.rate : Infinity) : -1) },
  { key: "errors", title: "Errors", first: -1, by: ({ errorShare }) => errorShare },
  { key: "p50", title: "p50", first: -1, by: ({ p50 }) => p50 },
  { key: "p95", title: "p95", first: -1, by: ({ p95 }) => p95 },
  { key: "p99", title: "p99", first: -1, by: ({ p99 }) => p99 },
  { key: "total", title: "Time in all", first: -1, by: ({ sum }) => sum },
];
const USUAL = "-rate";

function kindOf({ to, connectionType }) {
  return to.kind === "service" ? (connectionType === "messaging_system" ? "messages" : "call") : KINDS[to.kind];
}

export class CallTable {
  /** @param {{ open: (id: string) => void, sort: (order: string) => void, colorOf: (service: string) => number }} actions */
  constructor(actions) {
    this.actions = actions;
    this.rows = [];
    this.selected = -1;
    this.heads = new Map(COLUMNS.map(({ key, title }) => [key, h(`div.cell.cell-${key}`, { role: "columnheader" },
      h("button.head-button", { type: "button", onclick: () => this.sortBy(key) }, title, h("span.head-arrow", { "aria-hidden": "true" })))]));
    this.head = h("div.call-head", { role: "rowgroup" }, h("div.call-row.head", { role: "row", "aria-rowindex": "1" }, [...this.heads.values()]));
    this.element = h("div.scroller.call-table", { role: "grid", tabindex: "0", "aria-label": "Calls", "aria-colcount": COLUMNS.length });
    this.element.append(this.head);
    this.list = new RowList({ scroller: this.element, rowHeight: ROW_HEIGHT, create: () => this.createRow(), update: (element, index) => this.updateRow(element, index) });
    this.element.addEventListener("click", (event) => {
      const row = event.target.closest(".call-row[data-index]");
      if (!row) return;
      this.select(Number(row.dataset.index));
      this.open();
    });
    this.element.addEventListener("focus", () => { if (this.selected < 0 && this.rows.length) this.select(0); });
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {import("./graph.js").Call[]} calls @param {string} order @param {string} chosen the id of the call that the panel shows */
  show(calls, order, chosen) {
    this.order = order || USUAL;
    const isDescending = this.order.startsWith("-");
    const column = COLUMNS.find(({ key }) => key === this.order.replace("-", "")) ?? COLUMNS[3];
    const kept = chosen || this.rows[this.selected]?.id;
    const of = new Map(calls.map((call) => [call, column.by(call)]));
    this.rows = calls.slice().sort((a, b) => compare(of.get(a), of.get(b)) * (isDescending ? -1 : 1) || compare(a.id, b.id));
    this.selected = this.rows.findIndex(({ id }) => id === kept);
    for (const [key, head] of this.heads) attribute(head, "aria-sort", key === column.key ? (isDescending ? "descending" : "ascending") : null);
    attribute(this.element, "aria-rowcount", this.rows.length + 1);
    this.list.setCount(this.rows.length);
    this.nameActive();
  }

  sortBy(key) {
    const { first } = COLUMNS.find((column) => column.key === key);
    const [down, up] = [`-${key}`, key];
    const next = this.order === down ? up : this.order === up ? down : first < 0 ? down : up;
    this.actions.sort(next === USUAL ? "" : next);
  }

  key(event) {
    if (event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = this.list.rowsPerPage - 1;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (step !== undefined) this.select(this.selected + step);
    else if (event.key === "Enter" || event.key === " ") this.open();
    else return;
    event.preventDefault();
  }

  select(index) {
    if (!this.rows.length) return;
    const before = this.list.elementAt(this.selected);
    if (before) attribute(before, "aria-selected", "false");
    this.selected = Math.max(0, Math.min(this.rows.length - 1, index));
    const covered = this.head.offsetHeight;
    const top = this.selected * ROW_HEIGHT;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + ROW_HEIGHT + covered > scrollTop + clientHeight) this.element.scrollTop = top + ROW_HEIGHT + covered - clientHeight;
    this.list.draw();
    const now = this.list.elementAt(this.selected);
    if (now) attribute(now, "aria-selected", "true");
    this.nameActive();
  }

  nameActive() {
    attribute(this.element, "aria-activedescendant", this.selected >= 0 ? this.list.elementAt(this.selected)?.id : null);
  }

  open() {
    const call = this.rows[this.selected];
    if (call) this.actions.open(call.id);
  }

  createRow() {
    const parts = Object.fromEntries(COLUMNS.map(({ key }) => [key, h(`div.cell.cell-${key}`, { role: "gridcell" })]));
    this.rowNumber = (this.rowNumber ?? 0) + 1;
    const element = h("div.call-row", { role: "row", id: `call-${this.rowNumber}` }, Object.values(parts));
    element.parts = parts;
    return element;
  }

  updateRow(element, index) {
    const { parts } = element;
    const call = this.rows[index];
    element.dataset.index = index;
    attribute(element, "aria-rowindex", index + 2);
    attribute(element, "aria-selected", index === this.selected ? "true" : "false");
    const named = ({ kind, name }) => [
      h("span.swatch", { "data-s": kind === "service" ? this.actions.colorOf(name) : null }),
      h("span.cell-name", { title: name.slice(0, 500) }, name.slice(0, 200) || "no name"),
    ];
    fill(parts.from, named(call.from));
    fill(parts.to, named(call.to));
    parts.kind.textContent = kindOf(call);
    parts.rate.textContent = rateText(call.rate);
    parts.rate.title = `${count(Math.round(call.calls))} calls`;
    parts.change.textContent = changeText(call.rate ?? 0, call.before?.rate) || "–";
    parts.errors.textContent = call.errors > 0 ? share(call.errorShare) : "–";
    parts.errors.title = `${count(Math.round(call.errors))} failed`;
    parts.errors.classList.toggle("problem", call.errors > 0);
    parts.p50.textContent = duration(call.p50);
    parts.p95.textContent = duration(call.p95);
    parts.p99.textContent = duration(call.p99);
    parts.total.textContent = duration(call.sum);
  }

  close() {
    this.list.close();
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
