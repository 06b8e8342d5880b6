// SPDX-License-Identifier: Apache-2.0
// Which rows of a trace show: what is collapsed, folded, focused on, and kept by a filter. Pure.
import { Folds } from "./folds.js";
import { placesOf, prefixesOf } from "./prefixes.js";

const LIST_MAX = 40;

export class Outline {
  /** @param {import("./model.js").TraceModel} model */
  constructor(model) {
    this.model = model;
    this.folds = new Folds(model);
    /** A flag a row. */
    this.collapsed = new Uint8Array(model.count);
    this.isFolding = true;
    /** Folds that were opened, a flag each. */
    this.opened = new Uint8Array(this.folds.count);
    /** The row whose subtree alone shows, or -1. */
    this.focus = -1;
    /** Rows that a filter leaves, their ancestors with them; null without one. @type {Uint8Array | null} */
    this.kept = null;
    /** Rows with children that a filter leaves. @type {Uint8Array | null} */
    this.keptParents = null;
    /** Folds that show as one row now. */
    this.closed = new Uint8Array(this.folds.count);
    this.visible = new Int32Array(0);
    /** Failed spans above each row, and one more element for all. */
    this.errorsBefore = new Int32Array(model.count + 1);
    for (let row = 0; row < model.count; row++) this.errorsBefore[row + 1] = this.errorsBefore[row] + (model.status[row] === 2 ? 1 : 0);
    this.compute();
  }

  /** Works out the rows again, after something of the above was changed. */
  compute() {
    const { model, folds, collapsed, kept, closed } = this;
    const visible = new Int32Array(model.count);
    const stop = this.focus < 0 ? model.count : model.end[this.focus];
    let filled = 0;
    for (let fold = 0; fold < folds.count; fold++) closed[fold] = this.isFolding && !this.opened[fold] && (!kept || this.keepsAll(fold)) ? 1 : 0;
    for (let row = Math.max(0, this.focus); row < stop; ) {
      if (kept && !kept[row]) {
        row = model.end[row];
        continue;
      }
      visible[filled++] = row;
      const fold = folds.of[row];
      if (fold >= 0 && closed[fold] && row !== this.focus) row = folds.end[fold];
      else row = collapsed[row] ? model.end[row] : row + 1;
    }
    this.visible = visible.subarray(0, filled);
    this.lastShown = kept ? this.lastOfKept() : null;
  }

  /** A filter that leaves only some of the repeats shows them one by one. */
  keepsAll(fold) {
    for (let row = this.folds.first[fold]; row < this.folds.end[fold]; row++) if (!this.kept[row]) return false;
    return true;
  }

  lastOfKept() {
    const { model, visible } = this;
    const last = new Uint8Array(model.count);
    const seen = new Uint8Array(model.count + 1);
    for (let index = visible.length - 1; index >= 0; index--) {
      const parent = model.parent[visible[index]] + 1;
      if (!seen[parent]) last[visible[index]] = 1;
      seen[parent] = 1;
    }
    return last;
  }

  /** @param {Int32Array | null} rows to keep, with what they hang on; null for all */
  filter(rows) {
    this.kept = rows && keptRows(this.model, rows);
    this.keptParents = this.kept && parentsOfKept(this.model, this.kept);
  }

  /** The fold that begins at a row and can be opened or closed there, or -1. */
  foldAt(row) {
    const fold = this.folds.of[row];
    if (fold < 0 || !this.isFolding || this.folds.first[fold] !== row || row === this.focus) return -1;
    return this.closed[fold] || this.opened[fold] ? fold : -1;
  }

  /** The fold that a row shows in place of its spans, or -1. */
  closedAt(row) {
    const fold = this.foldAt(row);
    return fold >= 0 && this.closed[fold] ? fold : -1;
  }

  /** Whether something below a row can show. */
  hasChildren(row) {
    return this.kept ? this.keptParents[row] === 1 : this.model.children[row] > 0;
  }

  /** Whether a row has a chevron. */
  isParent(row) {
    return this.hasChildren(row) || this.foldAt(row) >= 0;
  }

  /** Whether what hangs on a row shows. */
  isOpen(row) {
    if (this.model.children[row] > 0) return this.collapsed[row] === 0;
    return this.closedAt(row) < 0;
  }

  /** How many spans failed among those that a row stands for: itself, and what it hides. */
  errors(row) {
    const fold = this.closedAt(row);
    if (fold >= 0) return this.folds.errors[fold];
    const end = this.hasChildren(row) && this.collapsed[row] ? this.model.end[row] : row + 1;
    return this.errorsBefore[end] - this.errorsBefore[row];
  }

  get depth() {
    return this.model.depth;
  }

  get parent() {
    return this.model.parent;
  }

  /** The depth of the row that stands for the root. */
  get base() {
    return this.focus < 0 ? 0 : this.model.depth[this.focus];
  }

  /** Whether no sibling shows below. */
  isLastSibling(row) {
    if (this.lastShown) return this.lastShown[row] === 1;
    const fold = this.closedAt(row);
    return this.model.isLastSibling(fold < 0 ? row : this.folds.end[fold] - 1);
  }

  /** Where a row stands among those that show, or -1. */
  indexOf(row) {
    const index = this.place(row);
    return this.visible[index] === row ? index : -1;
  }

  /** Where a row stands or would stand. Rows ascend, so by bisection. */
  place(row) {
    return firstFrom(this.visible, row);
  }

  /** The row that shows in place of one that may not: its fold, else the nearest ancestor; -1 when none does. */
  standIn(row) {
    if (this.indexOf(row) >= 0) return row;
    const fold = this.folds.of[row];
    if (fold >= 0 && this.indexOf(this.folds.first[fold]) >= 0) return this.folds.first[fold];
    for (let at = this.model.parent[row]; at >= 0; at = this.model.parent[at]) if (this.indexOf(at) >= 0) return at;
    return -1;
  }

  /** Opens whatever hides a row. @returns {boolean} whether anything did */
  uncover(row) {
    const { model, folds } = this;
    let isHidden = false;
    if (this.focus >= 0 && (row < this.focus || row >= model.end[this.focus])) {
      this.focus = -1;
      isHidden = true;
    }
    if (this.kept && !this.kept[row]) {
      this.kept = null;
      isHidden = true;
    }
    for (let at = model.parent[row]; at >= 0 && at >= this.focus; at = model.parent[at]) {
      if (!this.collapsed[at]) continue;
      this.collapsed[at] = 0;
      isHidden = true;
    }
    const fold = folds.of[row];
    // A filter that just went may have shown the repeats one by one.
    const isClosed = fold >= 0 && this.isFolding && !this.opened[fold] && (!this.kept || this.closed[fold]);
    if (isClosed && folds.first[fold] !== row) {
      this.opened[fold] = 1;
      isHidden = true;
    }
    if (isHidden) this.compute();
    return isHidden;
  }

  /** Opens or closes a row; `deep`: and everything below it. */
  toggle(row, deep) {
    const { model, collapsed } = this;
    const fold = this.foldAt(row);
    if (fold >= 0) this.opened[fold] = this.closed[fold];
    else {
      const next = collapsed[row] ? 0 : 1;
      collapsed[row] = next;
      if (deep) for (let below = row + 1; below < model.end[row]; below++) if (model.children[below]) collapsed[below] = next;
    }
    this.compute();
  }

  setAll(isCollapsed) {
    for (let row = 0; row < this.model.count; row++) this.collapsed[row] = isCollapsed && this.model.children[row] ? 1 : 0;
    this.compute();
  }

  /** What was open, collapsed and folded in the same trace before more of it came. @param {Outline} before */
  takeOver(before) {
    const rowNow = (row) => this.model.rowOf(before.model.id(row));
    before.collapsed.forEach((flag, row) => {
      const now = flag ? rowNow(row) : -1;
      if (now >= 0) this.collapsed[now] = 1;
    });
    before.opened.forEach((flag, fold) => {
      const now = flag ? rowNow(before.folds.first[fold]) : -1;
      if (now >= 0 && this.folds.of[now] >= 0) this.opened[this.folds.of[now]] = 1;
    });
    if (before.focus >= 0) this.focus = rowNow(before.focus);
    this.isFolding = before.isFolding;
    this.compute();
  }

  /** As the address writes the folds: "off", or the spans at which opened ones begin. @param {boolean} byDefault whether repeats are folded unless asked */
  foldText(byDefault) {
    if (!this.isFolding) return byDefault ? "off" : "";
    const opened = this.folds.first.filter((_, fold) => this.opened[fold]);
    const list = opened.length <= LIST_MAX ? prefixesOf(this.model.rowIds, opened).join(",") : "";
    return list || (byDefault ? "" : "on");
  }

  /** @param {string} text @param {boolean} byDefault */
  readFolds(text, byDefault) {
    this.isFolding = text === "" ? byDefault : text !== "off";
    const { folds } = this;
    this.opened.fill(0);
    const first = (row) => folds.of[row] >= 0 && folds.first[folds.of[row]] === row;
    for (const row of placesOf(this.model.rowIds, text.split(","), first)) this.opened[folds.of[row]] = 1;
  }
}

/** A flag for each of some rows and all their ancestors. @param {import("./model.js").TraceModel} model @param {Int32Array} rows */
export function keptRows(model, rows) {
  const kept = new Uint8Array(model.count);
  for (const row of rows) for (let at = row; at >= 0 && !kept[at]; at = model.parent[at]) kept[at] = 1;
  return kept;
}

function parentsOfKept(model, kept) {
  const parents = new Uint8Array(model.count);
  for (let row = 0; row < model.count; row++) if (kept[row] && model.parent[row] >= 0) parents[model.parent[row]] = 1;
  return parents;
}

/** The first place in ascending rows whose row is not before this one. @param {Int32Array} rows @param {number} row */
export function firstFrom(rows, row) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle] < row) low = middle + 1;
    else high = middle;
  }
  return low;
}
