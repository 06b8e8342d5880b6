// SPDX-License-Identifier: Apache-2.0
// Spans by start and duration as a grid of at most 150 × 40 cells: its scales, sums, percentiles, and what a selection of
// it asks of a query. Pure.
import { absoluteTime, clock } from "../lib/format.js";

const SECOND = 1_000_000_000n;
const STEP_SECONDS = [1n, 2n, 5n, 10n, 15n, 30n, 60n, 120n, 300n, 600n, 900n, 1800n, 3600n, 7200n, 10_800n, 21_600n, 43_200n, 86_400n, 172_800n, 604_800n];
const COLUMNS_MAX = 150n;
const ROWS_MAX = 40;
const ROWS_MIN = 8;
const BANDS_PER_DOUBLING = 4;
export const SHADES = 6;

/**
 * The step in nanoseconds, one that people count in, of which `length` has at most `most` or so.
 * @param {bigint} length @param {bigint} [most]
 */
export function stepFor(length, most = COLUMNS_MAX) {
  for (let step = 1n; step < SECOND; step *= 10n) for (const by of [1n, 2n, 5n]) if (length <= most * step * by) return step * by;
  for (const seconds of STEP_SECONDS) if (length <= most * seconds * SECOND) return seconds * SECOND;
  let step = STEP_SECONDS.at(-1) * SECOND;
  while (length > most * step) step *= 2n;
  return step;
}

/**
 * A question's range with both ends: those that are open are the store's, and now.
 * @param {{ start: bigint | null, end: bigint | null, nowMillis: number }} question
 * @param {{ oldest: bigint, newest: bigint } | null} stored needed where the range has no start
 * @returns {{ start: bigint, end: bigint } | null} null when nothing is stored
 */
export function closedRange({ start, end, nowMillis }, stored) {
  const now = BigInt(nowMillis) * 1_000_000n;
  if (start !== null) return { start, end: end ?? (now > start ? now : start + 1n) };
  if (!stored || stored.newest === 0n) return null;
  const last = end ?? stored.newest + 1n;
  return { start: stored.oldest < last ? stored.oldest : last - 1n, end: last };
}

/** The number of the band, a quarter of a doubling wide, that a duration lies in, with how far it is into that. @param {number} nanos */
export function bandAt(nanos) {
  if (nanos < BANDS_PER_DOUBLING) return Math.max(0, nanos);
  const exponent = Math.floor(Math.log2(nanos) + 1e-12);
  return (exponent - 1) * BANDS_PER_DOUBLING + (nanos / 2 ** exponent - 1) * BANDS_PER_DOUBLING;
}

/** The other way: the duration at a place among the bands. @param {number} band */
export function durationAt(band) {
  if (band < BANDS_PER_DOUBLING) return Math.max(0, band);
  const exponent = Math.floor(band / BANDS_PER_DOUBLING) + 1;
  return 2 ** exponent * (1 + (band % BANDS_PER_DOUBLING) / BANDS_PER_DOUBLING);
}

/** Time across, the logarithm of the duration up: where they lie in a picture, as parts of it. */
export class Scale {
  /** @param {bigint} start @param {bigint} end @param {number} lowest band @param {number} bands how many */
  constructor(start, end, lowest, bands) {
    this.start = start;
    this.end = end;
    this.lowest = lowest;
    this.bands = bands;
  }

  /** One that has room for some durations. @param {number[]} durations */
  static of(start, end, durations) {
    const [low, high] = durations.reduce(([low, high], nanos) => [Math.min(low, nanos), Math.max(high, nanos)], [Infinity, 1]);
    const lowest = Math.max(0, Math.floor(bandAt(Math.min(low, high))) - 1);
    return new Scale(start, end, lowest, Math.max(ROWS_MIN, Math.floor(bandAt(high)) + 2 - lowest));
  }

  across(unixNanos) {
    return Number(unixNanos - this.start) / Number(this.end - this.start);
  }

  up(nanos) {
    return (bandAt(nanos) - this.lowest) / this.bands;
  }
}

/** @typedef {{ left: number, right: number, low: number, high: number }} Region columns and rows, both ends belong to it */

export class Grid {
  /** @param {{ startTimeUnixNano: string, stepNanos: string, moments: number, durationFloorsNanos: string[], cells: number[][] }} answer */
  constructor(answer) {
    this.step = BigInt(answer.stepNanos);
    // A moment counts what starts after the moment before it: the first one counts what lies before the range.
    this.first = BigInt(answer.startTimeUnixNano);
    this.columns = Math.max(1, answer.moments - 1);
    const bands = answer.durationFloorsNanos.map((floor) => Math.round(bandAt(Number(floor))));
    const [lowest, highest] = bands.length ? [bands[0], bands.at(-1)] : [0, 0];
    /** Bands in a row: a power of two. */
    this.fold = 1;
    while (Math.floor(highest / this.fold) - Math.floor(lowest / this.fold) >= ROWS_MAX) this.fold *= 2;
    let [low, high] = [Math.floor(lowest / this.fold), Math.floor(highest / this.fold)];
    while (high - low + 1 < ROWS_MIN) {
      high++;
      if (low > 0 && high - low + 1 < ROWS_MIN) low--;
    }
    this.lowest = low * this.fold;
    this.rows = high - low + 1;
    /** By column, from the shortest row up. */
    this.counts = new Float64Array(this.columns * this.rows);
    this.errors = new Float64Array(this.columns * this.rows);
    this.bandCounts = new Float64Array(this.rows * this.fold);
    this.total = 0;
    this.failed = 0;
    this.most = 0;
    this.scale = new Scale(this.edge(0), this.edge(this.columns), this.lowest, this.rows * this.fold);
    for (const [moment, place, count, errors] of answer.cells) {
      if (moment === 0) continue;
      const band = bands[place] - this.lowest;
      const cell = (moment - 1) * this.rows + Math.floor(band / this.fold);
      this.counts[cell] += count;
      this.errors[cell] += errors;
      this.bandCounts[band] += count;
      this.total += count;
      this.failed += errors;
      this.most = Math.max(this.most, this.counts[cell]);
    }
  }

  /** When a column begins: it counts what starts after that. @param {number} column @returns {bigint} */
  edge(column) {
    return this.first + BigInt(column) * this.step;
  }

  /** The least duration of a row. @param {number} row */
  floor(row) {
    return durationAt(this.lowest + row * this.fold);
  }

  /** Where a duration lies, in rows from the bottom. @param {number} nanos */
  rowOf(nanos) {
    return (bandAt(nanos) - this.lowest) / this.fold;
  }

  /** @returns {{ count: number, errors: number }} @param {Region} region */
  sum({ left, right, low, high }) {
    let [count, errors] = [0, 0];
    for (let column = left; column <= right; column++) {
      for (let row = low; row <= high; row++) {
        count += this.counts[column * this.rows + row];
        errors += this.errors[column * this.rows + row];
      }
    }
    return { count, errors };
  }

  /** Spans by row, all columns together. */
  rowSums() {
    return Array.from({ length: this.rows }, (_, row) => this.sum({ left: 0, right: this.columns - 1, low: row, high: row }).count);
  }

  /** The duration that the share 0…1 of all spans does not exceed, or null; exponential within its band. @param {number} part */
  percentile(part) {
    if (this.total <= 0) return null;
    const wanted = part * this.total;
    let seen = 0;
    for (const [index, count] of this.bandCounts.entries()) {
      if (count > 0 && seen + count >= wanted) {
        const [floor, ceiling] = [durationAt(this.lowest + index), durationAt(this.lowest + index + 1)];
        const inside = (wanted - seen) / count;
        return floor > 0 ? floor * (ceiling / floor) ** inside : ceiling * inside;
      }
      seen += count;
    }
    return durationAt(this.lowest + this.bandCounts.length);
  }

  /** The half-open range of some columns, to the nanosecond. @param {Region} region */
  range({ left, right }) {
    return { start: this.edge(left) + 1n, end: this.edge(right + 1) + 1n };
  }

  isWholeTime({ left, right }) {
    return left === 0 && right === this.columns - 1;
  }

  /**
   * What the rows of a region ask of a span's duration: nothing where they reach the edge of the picture.
   * @param {Region} region @returns {{ operator: ">=" | "<", value: string }[]}
   */
  bounds({ low, high }) {
    const bounds = [];
    if (low > 0) bounds.push({ operator: ">=", value: exactly(this.floor(low)) });
    if (high < this.rows - 1) bounds.push({ operator: "<", value: exactly(this.floor(high + 1)) });
    return bounds;
  }

  /** The same as conditions. @param {Region} region @returns {string[]} */
  durationTerms(region) {
    return this.bounds(region).map(({ operator, value }) => `duration ${operator} ${value}`);
  }

  /** The whole numbers from which on a cell has the next darker shade, lightest first: steps of equal ratio. */
  shadeFloors() {
    const floors = [1];
    for (let shade = 1; shade < SHADES; shade++) {
      const floor = Math.ceil(this.most ** (shade / SHADES) + 1e-9);
      if (floor > floors.at(-1) && floor <= this.most) floors.push(floor);
    }
    return floors;
  }

  /**
   * The same in few rows and columns, for reading: each a range of the picture, of which the first is the longest.
   * @param {number} columns @param {number} rows at most
   */
  table(columns, rows) {
    const times = ranges(this.columns, columns);
    const durations = ranges(this.rows, rows).reverse();
    return {
      times, durations,
      cells: durations.map(([low, high]) => times.map(([left, right]) => this.sum({ left, right, low, high }))),
    };
  }
}

/** 0…length - 1 in at most `most` ranges of the same length. @returns {[number, number][]} */
function ranges(length, most) {
  const size = Math.ceil(length / most);
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => [i * size, Math.min(length, (i + 1) * size) - 1]);
}

const UNITS = [["s", 9], ["ms", 6], ["us", 3], ["ns", 0]];

/** A duration to the nanosecond as the query language writes it: "6.291456ms" @param {number} nanos */
export function exactly(nanos) {
  const [unit, digits] = UNITS.find(([, digits]) => nanos >= 10 ** digits) ?? UNITS.at(-1);
  const text = String(BigInt(Math.round(nanos))).padStart(digits + 1, "0");
  const fraction = digits ? text.slice(-digits).replace(/0+$/, "") : "";
  return `${digits ? text.slice(0, -digits) : text}${fraction ? `.${fraction}` : ""}${unit}`;
}

/** A moment as the address keeps it, to the nanosecond. @param {bigint} unixNanos */
export function exactMoment(unixNanos) {
  const seconds = new Date(Number(unixNanos / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = String(unixNanos % SECOND).padStart(9, "0").replace(/0+$/, "");
  return `${seconds}${fraction ? `.${fraction}` : ""}Z`;
}

/** Durations to write at the axis: powers of ten, with twice and five times them where those are few. @param {Scale} scale @param {number} gap between two at least, as a part of the axis */
export function durationTicks(scale, gap) {
  const powers = (of) => {
    const found = [];
    for (let power = 1; scale.up(power) <= 1; power *= 10) {
      for (const nanos of of.map((times) => times * power)) {
        const at = scale.up(nanos);
        if (at >= 0 && at <= 1 && (!found.length || at - scale.up(found.at(-1)) >= gap)) found.push(nanos);
      }
    }
    return found;
  };
  const decades = powers([1]);
  return decades.length >= 3 ? decades : powers([1, 2, 5]);
}

const TICK_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 31_536_000];

/**
 * Moments to write at the axis, at round times of the zone.
 * @param {bigint} start @param {bigint} end @param {number} most @param {string} zone @param {number} offsetMinutes of the zone
 * @returns {{ at: bigint, text: string }[]}
 */
export function timeTicks(start, end, most, zone, offsetMinutes) {
  const seconds = Number(end - start) / 1e9;
  const wanted = seconds / Math.max(1, most);
  if (wanted < 1) {
    const step = stepFor(end - start, BigInt(Math.max(1, most)));
    const digits = Math.max(1, 9 - (String(step).length - 1));
    const ticks = [];
    for (let at = (start / step + 1n) * step; at < end && ticks.length < 50; at += step) ticks.push({ at, text: absoluteTime(at, zone, digits).slice(11) });
    return ticks;
  }
  const step = TICK_SECONDS.find((size) => size >= wanted) ?? Math.ceil(wanted / 31_536_000) * 31_536_000;
  const shift = offsetMinutes * 60;
  const ticks = [];
  for (let second = Math.ceil((Number(start) / 1e9 + shift) / step) * step - shift; second * 1e9 < Number(end) && ticks.length < 50; second += step) {
    const { date, time } = clock(second * 1000, zone);
    const text = step >= 86_400 ? date.slice(step >= 31_536_000 ? 0 : 5) : time === "00:00:00" ? date.slice(5) : step < 60 ? time : time.slice(0, 5);
    ticks.push({ at: BigInt(Math.round(second * 1000)) * 1_000_000n, text });
  }
  return ticks;
}
