// SPDX-License-Identifier: Apache-2.0
// Time as it is drawn: stretches in which nothing happens take little room, and say how long they were. Pure.

/** Idle time from here on is drawn short. */
export const GAP_MIN_NANOS = 30e9;
/** What a break takes of the rest, and what all of them may. */
const BREAK_PART = 0.075;
const BREAKS_PART = 0.4;

/** @typedef {{ from: number, to: number, at: number, width: number }} Break `from` and `to` are times, `at` and `width` places */

export class TimeAxis {
  /**
   * @param {number} from @param {number} to nanoseconds @param {[number, number][]} busy stretches in any order, overlapping as they like
   * @param {{ gapMin?: number }} [how]
   */
  constructor(from, to, busy, { gapMin = GAP_MIN_NANOS } = {}) {
    this.from = from;
    this.to = Math.max(to, from + 1);
    const gaps = idle(this.from, this.to, busy).filter(([start, end]) => end - start > gapMin);
    const whole = this.to - this.from;
    const kept = gaps.reduce((sum, [start, end]) => sum - (end - start), whole);
    const width = kept > 0 ? Math.min(BREAK_PART * kept, (BREAKS_PART * kept) / Math.max(1, gaps.length)) : 0;
    // A break that would not be shorter than what it stands for is none.
    this.breaks = width > 0 ? breaksOf(gaps.filter(([start, end]) => end - start > width), this.from, width) : [];
    this.length = this.breaks.reduce((sum, gap) => sum - (gap.to - gap.from) + gap.width, whole);
  }

  /** Where a time is drawn: 0 at the start, 1 at the end. @param {number} time */
  place(time) {
    const { breaks } = this;
    const index = before(breaks, time, "from");
    if (index < 0) return (time - this.from) / this.length;
    const gap = breaks[index];
    const inside = time < gap.to ? ((time - gap.from) / (gap.to - gap.from)) * gap.width : gap.width + time - gap.to;
    return (gap.at + inside) / this.length;
  }

  /** The time that is drawn at a place. @param {number} place 0 to 1 */
  time(place) {
    const at = place * this.length;
    const { breaks } = this;
    const index = before(breaks, at, "at");
    if (index < 0) return this.from + at;
    const gap = breaks[index];
    const inside = at - gap.at;
    return inside < gap.width ? gap.from + (inside / gap.width) * (gap.to - gap.from) : gap.to + inside - gap.width;
  }

  /** Stretches between breaks that show in a window, as times. @param {number} from place @param {number} to place @returns {[number, number][]} */
  stretches(from, to) {
    const edges = [this.from, ...this.breaks.flatMap((gap) => [gap.from, gap.to]), this.to];
    const [start, end] = [this.time(from), this.time(to)];
    const found = [];
    for (let i = 0; i < edges.length; i += 2) {
      const [left, right] = [Math.max(edges[i], start), Math.min(edges[i + 1], end)];
      if (right > left) found.push([left, right]);
    }
    return found;
  }
}

/** Where nothing is busy. @param {number} from @param {number} to @param {[number, number][]} busy @returns {[number, number][]} */
export function idle(from, to, busy) {
  const found = [];
  let cursor = from;
  for (const [start, end] of busy.slice().sort((a, b) => a[0] - b[0])) {
    if (start > cursor) found.push([cursor, Math.min(start, to)]);
    cursor = Math.max(cursor, end);
    if (cursor >= to) break;
  }
  if (cursor < to) found.push([cursor, to]);
  return found.filter(([start, end]) => end > start);
}

/** @returns {Break[]} */
function breaksOf(gaps, origin, width) {
  let cut = 0;
  return gaps.map(([from, to]) => {
    const gap = { from, to, at: from - origin - cut, width };
    cut += to - from - width;
    return gap;
  });
}

/** The last break that begins at or before. */
function before(breaks, value, key) {
  let [low, high] = [0, breaks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (breaks[middle][key] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
