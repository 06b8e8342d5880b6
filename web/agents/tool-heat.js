// SPDX-License-Identifier: Apache-2.0
// Tool calls by when they began and how long they took, as a grid of counts on the lanes' axis. Pure.
import { bandAt, durationAt } from "../explore/heatmap-model.js";
import { isFailure } from "./words.js";

/** Bands of `bandAt` in a doubling: a row is one doubling. */
const BANDS = 4;
const ROWS_MIN = 4;
const ROWS_MAX = 16;

/** @typedef {{ column: number, row: number, count: number, failed: number, longest: any }} Cell */

export class ToolHeat {
  /** @param {any[]} calls with `from` and `to` @param {{ place(time: number): number }} axis @param {{ from: number, to: number, columns: number }} window places that show */
  constructor(calls, axis, { from, to, columns }) {
    this.columns = columns;
    const shown = calls.map((call) => ({ call, place: (axis.place(call.from) - from) / (to - from), band: bandAt(Math.max(1, call.to - call.from)) / BANDS })).filter(({ place }) => place >= 0 && place <= 1);
    let [low, high] = shown.reduce(([least, most], { band }) => [Math.min(least, Math.floor(band)), Math.max(most, Math.floor(band))], [Infinity, 0]);
    low = Math.min(low, high);
    /** Doublings in a row. */
    this.fold = Math.max(1, Math.ceil((high - low + 1) / ROWS_MAX));
    this.low = Math.max(0, low - Math.max(0, Math.floor((ROWS_MIN - (high - low + 1)) / 2)));
    this.rows = Math.max(ROWS_MIN, Math.ceil((high - this.low + 1) / this.fold));
    /** @type {Map<number, Cell>} */
    this.cells = new Map();
    this.most = 0;
    this.count = shown.length;
    for (const { call, place, band } of shown) {
      const [column, row] = [Math.min(columns - 1, Math.floor(place * columns)), Math.min(this.rows - 1, Math.floor((Math.floor(band) - this.low) / this.fold))];
      const key = column * this.rows + row;
      const cell = this.cells.get(key) ?? { column, row, count: 0, failed: 0, longest: call };
      cell.count++;
      if (isFailure(call.outcome)) cell.failed++;
      if (call.to - call.from > cell.longest.to - cell.longest.from) cell.longest = call;
      this.cells.set(key, cell);
      this.most = Math.max(this.most, cell.count);
    }
  }

  /** @returns {Cell | null} */
  at(column, row) {
    return this.cells.get(column * this.rows + row) ?? null;
  }

  /** The least duration of a row. @param {number} row */
  floor(row) {
    return durationAt((this.low + row * this.fold) * BANDS);
  }

  /** How strongly a cell is filled, steps of equal ratio: its edge says that it is there. @param {number} count */
  shade(count) {
    return this.most <= 1 ? 1 : 0.15 + 0.85 * (Math.log(count) / Math.log(this.most));
  }

  /** Counts by row, the longest first: the same to read. @returns {{ from: number, to: number, count: number, failed: number, longest: any }[]} */
  table() {
    const rows = Array.from({ length: this.rows }, (_, row) => ({ from: this.floor(row), to: this.floor(row + 1), count: 0, failed: 0, longest: null }));
    for (const { row, count, failed, longest } of this.cells.values()) {
      const into = rows[row];
      into.count += count;
      into.failed += failed;
      if (!into.longest || longest.to - longest.from > into.longest.to - into.longest.from) into.longest = longest;
    }
    return rows.filter(({ count }) => count > 0).reverse();
  }
}
