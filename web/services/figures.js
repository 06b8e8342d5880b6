// SPDX-License-Identifier: Apache-2.0
// A table of figures with heads that sort: a few rows at first, all of them when asked for.
import { attribute, fill, h } from "../lib/view.js";

const SHOWN_FIRST = 12;
const SHOWN_MORE = 200;

/**
 * @template Row
 * @typedef {{ key: string, title: string, says?: string, numeric?: boolean, by?: (row: Row) => any, cell: (row: Row) => any, className?: string }} Column
 * `by` is the value it sorts by, `null` last; without it the column does not sort. `says` explains the head.
 */

/** @template Row */
export class Figures {
  /**
   * @param {{ label: string, columns: Column<Row>[], sort: string, onSort?: (sort: string) => void, first?: number }} options
   * `sort` is a column's key, with "-" before it downward
   */
  constructor({ label, columns, sort, onSort, first = SHOWN_FIRST }) {
    Object.assign(this, { columns, sort, onSort, limit: first, initial: sort });
    this.rows = [];
    this.heads = columns.map(({ key, title, says, numeric, by, className = "" }) => {
      const button = by ? h("button.head-button", { type: "button", title: says ?? null, onclick: () => this.sortBy(key) }, title,
        h("span.head-arrow", { "aria-hidden": "true" })) : h("span", { title: says ?? null }, title);
      return h(`th${numeric ? ".number" : ""}`, { scope: "col", class: [numeric ? "number" : "", className].filter(Boolean).join(" ") || null }, button);
    });
    this.body = h("tbody", {});
    this.more = h("button.quiet.more", { type: "button", hidden: true, onclick: () => { this.limit += SHOWN_MORE; this.draw(); } });
    this.element = h("div.figures-box", {}, h("table.figures", { "aria-label": label }, h("thead", {}, h("tr", {}, this.heads)), this.body), this.more);
  }

  /** @param {Row[]} rows @param {string} [sort] */
  show(rows, sort) {
    this.rows = rows;
    this.sort = sort || this.initial;
    this.draw();
  }

  sortBy(key) {
    const [down, up] = [`-${key}`, key];
    const { numeric } = this.columns.find((column) => column.key === key);
    this.sort = this.sort === down ? up : this.sort === up ? down : numeric ? down : up;
    this.onSort?.(this.sort === this.initial ? "" : this.sort);
    this.draw();
  }

  draw() {
    const isDescending = this.sort.startsWith("-");
    const key = this.sort.replace("-", "");
    const column = this.columns.find((one) => one.key === key && one.by);
    const sorted = column ? this.rows.slice().sort((a, b) => compare(column.by(a), column.by(b), isDescending)) : this.rows;
    this.columns.forEach((one, index) => attribute(this.heads[index], "aria-sort", one === column ? (isDescending ? "descending" : "ascending") : null));
    fill(this.body, sorted.slice(0, this.limit).map((row) => h("tr", {}, this.columns.map(({ numeric, cell, className = "" }, index) =>
      h(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: [numeric ? "number" : "", className].filter(Boolean).join(" ") || null },
        cell(row))))));
    const left = sorted.length - this.limit;
    this.more.hidden = left <= 0;
    if (left > 0) this.more.textContent = `${Math.min(left, SHOWN_MORE)} more${left > SHOWN_MORE ? ` of ${left}` : ""}`;
  }
}

/** What is not known stands last in either direction. */
function compare(a, b, isDescending) {
  if (a == null || b == null) return a == b ? 0 : a == null ? 1 : -1;
  return (a < b ? -1 : a > b ? 1 : 0) * (isDescending ? -1 : 1);
}
