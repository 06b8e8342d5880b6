// SPDX-License-Identifier: Apache-2.0
// Repeats: runs of leaf siblings of one service and operation, which the waterfall shows as one row. Pure.

const FOLD_MIN = 5;
/** From here on, calls that came one after another may be a query in a loop. */
const HINT_MIN = 20;
/** How much of each other's time calls in turn may share. */
const OVERLAP_MAX = 0.1;

/** Found once for a model. A fold is a range of rows, `first` to before `end`. */
export class Folds {
  /** @param {import("./model.js").TraceModel} model */
  constructor(model) {
    const { count, children, parent, service, operation, span } = model;
    /** The fold of each row, or -1. */
    this.of = new Int32Array(count).fill(-1);
    this.first = [];
    this.end = [];
    for (let row = 0; row < count; ) {
      let end = row + 1;
      if (children[row] === 0 && span[row] >= 0) {
        // A leaf's next sibling is the next row.
        while (end < count && children[end] === 0 && span[end] >= 0 && parent[end] === parent[row] && service[end] === service[row] && operation[end] === operation[row]) end++;
      }
      if (end - row >= FOLD_MIN) {
        this.of.fill(this.first.length, row, end);
        this.first.push(row);
        this.end.push(end);
      }
      row = end;
    }
    this.count = this.first.length;
    this.measure(model);
  }

  measure(model) {
    /** Of each fold: the sum of durations, the longest, when its last span ends, how many failed, nanoseconds that spans share with others. */
    this.total = new Float64Array(this.count);
    this.longest = new Float64Array(this.count);
    this.latest = new Float64Array(this.count);
    this.errors = new Int32Array(this.count);
    this.shared = new Float64Array(this.count);
    for (let fold = 0; fold < this.count; fold++) {
      let until = -Infinity;
      for (let row = this.first[fold]; row < this.end[fold]; row++) {
        const start = model.start[row];
        const duration = model.duration[row];
        this.total[fold] += duration;
        if (duration > this.longest[fold]) this.longest[fold] = duration;
        if (model.status[row] === 2) this.errors[fold]++;
        if (start < until) this.shared[fold] += Math.min(until - start, duration);
        if (start + duration > until) until = start + duration;
      }
      this.latest[fold] = until;
    }
  }

  /** How many spans a fold stands for. */
  size(fold) {
    return this.end[fold] - this.first[fold];
  }

  /** Many calls in turn: one for each of a list, where one for all might do. */
  isLoop(fold) {
    return this.size(fold) >= HINT_MIN && this.shared[fold] <= OVERLAP_MAX * this.total[fold];
  }
}
