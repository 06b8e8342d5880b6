// SPDX-License-Identifier: Apache-2.0
// A table of any number of rows with a few elements: heads that sort, one chosen row, and the next page as it is reached.
// What a row says is its maker's.
import { icon } from "../lib/icons.js";
import { RowList } from "../lib/rows.js";
import { attribute, fill, h } from "../lib/view.js";

const ROW_HEIGHT = 32;
let made = 0;

/**
 * `first` is the direction of a column's first click; a column without `by` is no order.
 * @typedef {{ key: string, title: string, first?: 1 | -1, by?: (row: any) => any, numeric?: boolean, says?: string }} Column
 */

export class Grid {
  /**
   * @param {{ label: string, name: string, columns: Column[], order: string, actions: { open: (row: any) => void, sort: (order: string) => void,
   *   more?: (again?: boolean) => void }, create: (cell: Function) => { cells: HTMLElement[], parts: Object<string, Element> },
   *   update: (parts: Object<string, any>, row: any, index: number) => void, key: (row: any) => string, more?: string }} options
   * `name` is for the stylesheet, `order` the one that an empty order means, `more` what is on its way.
   */
  constructor({ label, name, columns, order, actions, create, update, key, more = "More are coming…" }) {
    Object.assign(this, { columns, usual: order, actions, create, update, key, coming: more });
    this.rows = [];
    this.hasMore = false;
    /** Why the next page did not come. @type {string | null} */
    this.problem = null;
    this.order = "";
    this.selected = -1;
    this.id = `rows-${++made}`;
    this.heads = new Map(columns.map((column) => [column.key, this.headOf(column)]));
    this.element = this.scroller = h(`div.scroller.result-scroller.${name}`, { role: "grid", tabindex: "0", "aria-label": label, "aria-rowcount": "0", "aria-colcount": columns.length });
    this.head = h("div.result-head", { role: "rowgroup" }, h("div.result-row.head", { role: "row", "aria-rowindex": "1" }, [...this.heads.values()]));
    this.scroller.append(this.head);
    this.list = new RowList({ scroller: this.scroller, rowHeight: ROW_HEIGHT, create: () => this.createRow(), update: (element, index) => this.updateRow(element, index) });
    const rowOf = (event) => event.target.closest(".result-row[data-index]");
    this.scroller.addEventListener("click", (event) => {
      const row = rowOf(event);
      if (row && !event.target.closest("a, .row-action")) this.open(Number(row.dataset.index));
    });
    this.scroller.addEventListener("mousedown", (event) => {
      const row = rowOf(event);
      if (row) this.select(Number(row.dataset.index));
    });
    this.scroller.addEventListener("focus", () => { if (this.selected < 0 && this.rows.length) this.select(0); });
  }

  headOf({ key, title, numeric, by, says }) {
    const text = says ? h("span", { title: says }, title) : title;
    const inside = by ? h("button.head-button", { type: "button", onclick: () => this.sortBy(key) }, text, h("span.head-arrow", { "aria-hidden": "true" })) : h("span.head-text", {}, text);
    return h(`div.cell.cell-${key}${numeric ? ".number" : ""}`, { role: "columnheader" }, inside);
  }

  /** @param {any[]} rows in the order they are shown in @param {{ hasMore?: boolean, order: string, problem?: string | null }} facts */
  show(rows, { hasMore = false, order, problem = null }) {
    const kept = this.rows[this.selected] ? this.key(this.rows[this.selected]) : null;
    Object.assign(this, { rows, hasMore, order, problem });
    this.selected = kept === null ? -1 : rows.findIndex((row) => this.key(row) === kept);
    const effective = order || this.usual;
    for (const [key, head] of this.heads) attribute(head, "aria-sort", effective === key ? "ascending" : effective === `-${key}` ? "descending" : null);
    attribute(this.scroller, "aria-rowcount", hasMore ? -1 : rows.length + 1);
    this.list.setCount(rows.length + (hasMore || problem !== null ? 1 : 0));
    this.nameActive();
  }

  /** Rows by a column, for orders that the server does not know. @param {any[]} rows @param {string} order */
  sorted(rows, order) {
    const column = this.columns.find(({ key }) => key === order.replace("-", ""));
    if (!column?.by) return rows;
    const sign = order.startsWith("-") ? -1 : 1;
    return rows.slice().sort((a, b) => compare(column.by(a), column.by(b)) * sign);
  }

  sortBy(key) {
    const { first = -1 } = this.columns.find((column) => column.key === key);
    const [down, up] = [`-${key}`, key];
    const current = this.order || this.usual;
    const next = current === down ? up : current === up ? down : first < 0 ? down : up;
    this.actions.sort(next === this.usual ? "" : next);
  }

  refresh() {
    this.list.refresh();
  }

  get chosen() {
    return this.rows[this.selected] ?? null;
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
    if (row) this.actions.open(row);
    else if (index === this.rows.length) {
      this.scroller.focus({ preventScroll: true });
      this.actions.more?.(true);
    }
  }

  createRow() {
    const cell = (name, ...children) => h(`div.cell.cell-${name}`, { role: "gridcell" }, children);
    const { cells, parts } = this.create(cell);
    const note = h("div.more-note", { role: "gridcell", hidden: true });
    const element = h("div.result-row", { role: "row", id: `${this.id}-${this.rowNumber = (this.rowNumber ?? 0) + 1}` }, cells, note);
    element.parts = parts;
    element.note = note;
    return element;
  }

  updateRow(element, index) {
    const row = this.rows[index];
    element.dataset.index = index;
    attribute(element, "aria-rowindex", index + 2);
    attribute(element, "aria-selected", index === this.selected ? "true" : "false");
    element.classList.toggle("is-note", !row);
    element.note.hidden = Boolean(row);
    if (row) this.update(element.parts, row, index);
    else this.drawNote(element.note);
  }

  /** The row below the last: the next page is asked for as soon as this shows, and by hand when that failed. */
  drawNote(note) {
    if (this.problem === null) {
      fill(note, this.coming);
      this.actions.more?.();
      return;
    }
    fill(note, icon("warning"), h("span.note-text", { title: this.problem }, this.problem), h("button", { type: "button" }, "Try again"));
  }

  close() {
    this.list.close();
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
