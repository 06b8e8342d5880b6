// SPDX-License-Identifier: Apache-2.0
// The list of services: a row each, however many there are; sorted by any column.
import { absoluteTime, duration, exactDuration, relativeTime, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { rateText } from "../lib/rate.js";
import { RowList } from "../lib/rows.js";
import { sparkline } from "../lib/sparkline.js";
import { attribute, fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { changeMark } from "./parts.js";

const ROW_HEIGHT = 32;
const SPARK = { width: 64, height: 16 };

/** Columns with the value they sort by; `first` is the direction of the first click. */
const COLUMNS = [
  { key: "name", title: "Service", first: 1, by: (row) => row.name.toLowerCase() },
  { key: "rate", title: "Rate", first: -1, numeric: true, by: (row) => row.rate },
  { key: "rate-change", title: "±", says: "Change of the rate", first: -1, numeric: true, by: (row) => row.rateChange },
  { key: "errors", title: "Errors", first: -1, numeric: true, by: (row) => row.errors },
  { key: "errors-change", title: "±", says: "Change of the error share", first: -1, numeric: true, by: (row) => row.errorChange },
  { key: "p50", title: "p50", first: -1, numeric: true, by: (row) => row.p50 },
  { key: "p95", title: "p95", first: -1, numeric: true, by: (row) => row.p95 },
  { key: "p95-change", title: "±", says: "Change of p95", first: -1, numeric: true, by: (row) => row.p95Change },
  { key: "p99", title: "p99", first: -1, numeric: true, by: (row) => row.p99 },
  { key: "seen", title: "Last seen", first: -1, numeric: true, by: (row) => row.seen },
];
const DEFAULT_SORT = "-rate";

export class ServiceTable {
  /**
   * @param {{ open: (name: string) => void, href: (name: string) => string, explore: (name: string) => void,
   *   exploreHref: (name: string) => string, sort: (sort: string) => void, colorOf: (name: string) => number }} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.rows = [];
    this.order = DEFAULT_SORT;
    this.selected = -1;
    /** The service to begin at, by name. */
    this.wanted = "";
    this.made = 0;
    this.heads = new Map(COLUMNS.map(({ key, title, says, numeric }) => {
      const button = h("button.head-button", { type: "button", "aria-label": says ?? null, title: says ?? null, onclick: () => this.sortBy(key) }, title,
        h("span.head-arrow", { "aria-hidden": "true" }));
      return [key, h(`div.cell.cell-${key}${numeric ? ".number" : ""}`, { role: "columnheader" }, button)];
    }));
    this.scroller = h("div.scroller.service-scroller", { role: "grid", tabindex: "0", "aria-label": "Services", "aria-colcount": COLUMNS.length + 1 });
    this.head = h("div.service-head", { role: "rowgroup" }, h("div.service-row.head", { role: "row", "aria-rowindex": "1" }, [...this.heads.values()],
      h("div.cell.cell-more", { role: "columnheader" }, h("span.unseen", {}, "Traces"))));
    this.scroller.append(this.head);
    this.list = new RowList({ scroller: this.scroller, rowHeight: ROW_HEIGHT, create: () => this.createRow(),
      update: (element, index) => this.updateRow(element, index) });
    this.element = this.scroller;
    const rowAt = (event) => event.target.closest(".service-row[data-index]");
    this.scroller.addEventListener("click", (event) => {
      const row = rowAt(event);
      if (row && !event.target.closest("a")) this.actions.open(this.rows[Number(row.dataset.index)].name);
    });
    this.scroller.addEventListener("mousedown", (event) => { if (rowAt(event)) this.select(Number(rowAt(event).dataset.index)); });
    this.scroller.addEventListener("focus", () => { if (this.selected < 0 && this.rows.length) this.select(0); });
  }

  /** @param {any[]} rows @param {string} sort */
  show(rows, sort) {
    const kept = this.rows[this.selected]?.name ?? (this.wanted || undefined);
    this.order = sort || DEFAULT_SORT;
    const isDescending = this.order.startsWith("-");
    const column = COLUMNS.find(({ key }) => key === this.order.replace("-", "")) ?? COLUMNS[1];
    this.rows = rows.slice().sort((a, b) => compare(column.by(a), column.by(b), isDescending) || compare(a.name, b.name, false));
    this.selected = kept === undefined ? -1 : this.rows.findIndex((row) => row.name === kept);
    for (const [key, head] of this.heads) attribute(head, "aria-sort", key === column.key ? (isDescending ? "descending" : "ascending") : null);
    attribute(this.scroller, "aria-rowcount", this.rows.length + 1);
    this.list.setCount(this.rows.length);
    this.list.draw();
    this.nameActive();
    if (this.wanted && this.selected >= 0) this.select(this.selected);
    this.wanted = "";
  }

  sortBy(key) {
    const [down, up] = [`-${key}`, key];
    const isDownFirst = COLUMNS.find((column) => column.key === key).first < 0;
    const next = this.order === down ? up : this.order === up ? down : isDownFirst ? down : up;
    this.actions.sort(next === DEFAULT_SORT ? "" : next);
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
    else if (top + ROW_HEIGHT + covered > this.scroller.scrollTop + this.scroller.clientHeight) this.scroller.scrollTop = top + ROW_HEIGHT + covered - this.scroller.clientHeight;
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

  open() {
    const row = this.rows[this.selected];
    if (row) this.actions.open(row.name);
  }

  explore() {
    const row = this.rows[this.selected];
    if (row) this.actions.explore(row.name);
  }

  createRow() {
    const parts = { swatch: h("span.swatch", {}), link: h("a.service-link", { tabindex: "-1" }),
      inner: h("span.inner-note", { title: "No request from outside enters it" }),
      explore: h("a.row-action", { tabindex: "-1", "aria-label": "Traces in Explore", title: "Traces in Explore (Shift+Enter)" }, icon("explore")) };
    for (const { key } of COLUMNS) parts[key] = h("span", {});
    for (const key of ["rate", "errors", "p95"]) parts[`${key}-spark`] = h("span.spark-cell", {});
    parts.time = h("time", {});
    const cell = (key, ...children) => h(`div.cell.cell-${key}${key === "name" || key === "more" ? "" : ".number"}`, { role: "gridcell" }, children);
    const element = h("div.service-row", { role: "row", id: `service-row-${this.made++}` }, COLUMNS.map(({ key }) =>
      key === "name" ? cell(key, parts.swatch, parts.link, parts.inner)
      : key === "seen" ? cell(key, parts.time)
      : cell(key, parts[`${key}-spark`], parts[key])), cell("more", parts.explore));
    element.parts = parts;
    return element;
  }

  updateRow(element, index) {
    const { parts } = element;
    const row = this.rows[index];
    element.dataset.index = index;
    attribute(element, "aria-rowindex", index + 2);
    attribute(element, "aria-selected", index === this.selected ? "true" : "false");
    element.classList.toggle("idle", row.spans === 0);
    attribute(parts.swatch, "data-s", this.actions.colorOf(row.name));
    parts.link.href = this.actions.href(row.name);
    parts.link.textContent = row.name.slice(0, 300) || "(no name)";
    parts.link.title = row.name.slice(0, 300);
    parts.inner.hidden = row.counted === "requests" || row.spans === 0;
    parts.inner.textContent = row.counted === "roots" ? "begins traces" : "all spans";
    parts.explore.href = this.actions.exploreHref(row.name);
    parts.rate.textContent = row.spans > 0 ? rateText(row.rate) : "–";
    parts.errors.textContent = row.errors === null ? "–" : share(row.errors);
    parts.errors.className = row.errors > 0 ? "problem" : "faint";
    for (const key of ["p50", "p95", "p99"]) {
      parts[key].textContent = row[key] === null ? "–" : `${row.isRough ? "≈" : ""}${duration(row[key])}`;
      parts[key].title = row[key] === null ? "" : row.isRough ? "Within a doubling: there are too many services to read each one's distribution" : `about ${exactDuration(row[key])}`;
    }
    fill(parts["rate-change"], row.spans > 0 ? changeMark(row.rateChange, { from: 0.2 }) : null);
    fill(parts["errors-change"], row.spans > 0 ? pointsMark(row.errorChange) : null);
    fill(parts["p95-change"], row.spans > 0 ? changeMark(row.p95Change, { isBadUp: true, from: 0.2 }) : null);
    fill(parts["rate-spark"], row.spans > 0 ? sparkline(row.rates, SPARK) : null);
    fill(parts["errors-spark"], row.errors > 0 ? sparkline(row.errorShares, { ...SPARK, isBad: true }) : null);
    fill(parts["p95-spark"], row.p95s.length ? sparkline(row.p95s, SPARK) : null);
    if (row.seen === null) {
      parts.time.textContent = "earlier";
      parts.time.removeAttribute("title");
      return;
    }
    const now = Date.now();
    const at = row.seen < BigInt(now) * 1_000_000n ? row.seen : BigInt(now) * 1_000_000n;
    parts.time.textContent = relativeTime(at, now);
    parts.time.title = `in the time before ${absoluteTime(at, zone.value, 0)}`;
  }

  close() {
    this.list.close();
  }
}

/** A change of a share, in hundredths of the whole. */
function pointsMark(part) {
  if (part === null) return h("span.change.faint", { "aria-label": "nothing to compare with" }, "–");
  const points = Math.round(part * 1000) / 10;
  const text = points === 0 ? "±0" : `${points > 0 ? "+" : "−"}${Math.abs(points)}`;
  return h(`span.change${Math.abs(part) < 0.01 ? ".faint" : part > 0 ? ".worse" : ""}`, { title: "percentage points" }, text);
}

/** What is not known stands last in either direction. */
function compare(a, b, isDescending) {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return (a < b ? -1 : a > b ? 1 : 0) * (isDescending ? -1 : 1);
}
