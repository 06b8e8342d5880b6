// SPDX-License-Identifier: Apache-2.0
// Rate, errors and durations over time, read off heatmaps and counts: a window cut into slices, and what spans add up to
// in each. Pure.
import { literal } from "../explore/query-text.js";

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800].map((s) => BigInt(s) * 1_000_000_000n);
/**
 * Which spans of a service count: those it was asked for from outside; where there are none, those that begin traces; else all.
 * The first needs one column to be read and the second a large one, so that it is asked of few services only.
 */
export const COUNTED = ["requests", "roots", "spans"];
const CONDITIONS = { requests: "(kind = server || kind = consumer)", roots: 'span:parentID = ""', spans: null };
/** A slice that began just now says too little about a rate. */
const ELAPSED_MIN = 0.25;

/**
 * A window of whole slices, at multiples of the step since 1970, as samples of the API are.
 * @typedef {{ start: bigint, end: bigint, step: bigint, count: number, now: bigint }} Window
 */

/** @param {bigint} start @param {bigint} end @param {bigint} now @param {number} [slicesMax] @returns {Window} */
export function windowOf(start, end, now, slicesMax = 60) {
  const length = end > start ? end - start : 1n;
  const step = STEPS.find((size) => length / size <= BigInt(slicesMax)) ?? length / BigInt(slicesMax);
  const from = start - (start % step);
  const to = end % step === 0n ? end : end - (end % step) + step;
  return { start: from, end: to, step, count: Number((to - from) / step), now };
}

/** The window of the same length before. @param {Window} window @returns {Window} */
export function before({ start, end, step, count, now }) {
  const length = end - start;
  return { start: start > length ? start - length : 0n, end: start, step, count, now };
}

/** The window together with the one before, and how many slices are of that. @param {Window} window */
export function withBefore(window) {
  const { start } = before(window);
  const count = Number((window.end - start) / window.step);
  return { both: { ...window, start, count }, past: count - window.count };
}

/** How a window is asked for: samples count what starts after the moment before them. @param {Window} window */
export function asked({ start, end, step }) {
  return { start: start + step, end, step: String(step) };
}

/** Seconds of a slice that have passed: the last one may not be over. @param {Window} window @param {number} slice */
export function elapsedSeconds(window, slice) {
  const from = window.start + BigInt(slice) * window.step;
  const to = from + window.step < window.now ? from + window.step : window.now;
  return Math.max(0, Number(to - from) / 1e9);
}

/** Seconds of the window that have passed. @param {Window} window */
export function windowSeconds(window) {
  const to = window.end < window.now ? window.end : window.now;
  return Math.max(1, Number(to - window.start) / 1e9);
}

/** Per second, by slice; null where too little of the slice has passed. @param {Window} window @param {number[]} counts */
export function rates(window, counts) {
  const whole = Number(window.step) / 1e9;
  return counts.map((count, slice) => {
    const seconds = elapsedSeconds(window, slice);
    return seconds < whole * ELAPSED_MIN ? null : count / seconds;
  });
}

/**
 * Which spans are looked at: an operation's, or those that count.
 * @param {{ service: string, operation?: string, counted?: "requests" | "roots" | "spans", failed?: boolean, more?: string }} facts
 */
export function spansOf({ service, operation, counted = "spans", failed = false, more }) {
  const conditions = [`resource.service.name = ${literal(service, "string")}`];
  if (operation) conditions.push(`name = ${literal(operation, "string")}`);
  else if (CONDITIONS[counted]) conditions.push(CONDITIONS[counted]);
  if (failed) conditions.push("status = error");
  if (more) conditions.push(more);
  return `{ ${conditions.join(" && ")} }`;
}

/** The same of many services. @param {"requests" | "roots" | "spans"} counted @param {string[]} [services] all unless said */
export function spansOfAll(counted, services) {
  const among = services && `(${services.map((service) => `resource.service.name = ${literal(service, "string")}`).join(" || ")})`;
  return `{ ${[among, CONDITIONS[counted]].filter(Boolean).join(" && ")} }`;
}

/** What spans add up to in a window, with the distribution of their durations. */
export class Red {
  /** @param {any} answer a heatmap @param {Window} window that was asked for with `asked` */
  constructor(answer, window) {
    const slices = window.count;
    this.window = window;
    this.counts = new Array(slices).fill(0);
    this.errors = new Array(slices).fill(0);
    this.floors = answer.durationFloorsNanos.map(Number);
    /** By slice, by band. @type {Map<number, Map<number, number>>} */
    this.bands = new Map();
    const first = BigInt(answer.startTimeUnixNano);
    const shift = Number((first - window.start) / window.step) - 1;
    for (const [moment, band, spans, errors] of answer.cells) {
      const slice = moment + shift;
      if (slice < 0 || slice >= slices) continue;
      this.counts[slice] += spans;
      this.errors[slice] += errors;
      if (!this.bands.has(slice)) this.bands.set(slice, new Map());
      const cells = this.bands.get(slice);
      cells.set(band, (cells.get(band) ?? 0) + spans);
    }
  }

  /** Of slices from `from` up to, not including, `to`. */
  total(from = 0, to = this.window.count) {
    const sum = (values) => values.slice(from, to).reduce((a, b) => a + b, 0);
    const [spans, errors] = [sum(this.counts), sum(this.errors)];
    return { spans, errors, errorShare: spans > 0 ? errors / spans : null };
  }

  /**
   * The duration below which the part `p` of the spans lies, within the tenth or so that a band is wide.
   * @returns {number | null} nanoseconds
   */
  quantile(p, from = 0, to = this.window.count) {
    const place = this.place(p, from, to);
    return place && this.floors[place.band] + bandWidth(this.floors[place.band]) * place.part;
  }

  /** No more than that duration, and one that spans reach. @returns {number | null} nanoseconds */
  quantileFloor(p) {
    const place = this.place(p, 0, this.window.count);
    return place && this.floors[place.band];
  }

  /** The band that a quantile lies in, and how far into its spans. */
  place(p, from, to) {
    const sums = new Array(this.floors.length).fill(0);
    let spans = 0;
    for (let slice = from; slice < to; slice++) {
      for (const [band, count] of this.bands.get(slice) ?? []) {
        sums[band] += count;
        spans += count;
      }
    }
    if (!(spans > 0)) return null;
    let rank = p * spans;
    for (let band = 0; band < sums.length; band++) {
      if (sums[band] >= rank && sums[band] > 0) return { band, part: Math.max(0, rank / sums[band]) };
      rank -= sums[band];
    }
    return { band: sums.findLastIndex((count) => count > 0), part: 1 };
  }

  /** @returns {(number | null)[]} by slice */
  quantiles(p) {
    return this.counts.map((count, slice) => (count > 0 ? this.quantile(p, slice, slice + 1) : null));
  }

  /** Failed parts of the spans, by slice. @returns {(number | null)[]} */
  errorShares() {
    return this.counts.map((count, slice) => (count > 0 ? this.errors[slice] / count : null));
  }
}

/** A quarter of the doubling that the floor lies in. */
function bandWidth(floor) {
  return floor < 4 ? 1 : 2 ** Math.floor(Math.log2(floor)) / 4;
}

/**
 * The series of a metrics answer by the text of labels, each with a value for every slice of the window.
 * @param {any} answer @param {Window} window @param {string[]} labels
 * @returns {Map<string, { labels: string[], values: (number | null)[] }>} by the labels' values, joined with U+0000
 */
export function seriesBy(answer, window, labels) {
  const shift = Number((BigInt(answer.startTimeUnixNano) - window.start) / window.step) - 1;
  const found = new Map();
  for (const series of answer.series) {
    const texts = labels.map((name) => labelText(series.labels.find((label) => label.name === name)));
    const values = Array.from({ length: window.count }, (_, slice) => series.values[slice - shift] ?? null);
    found.set(texts.join("\0"), { labels: texts, values });
  }
  return found;
}

/** A missing attribute is "". */
function labelText(label) {
  return !label || (label.value === "nil" && label.type === "string") ? "" : label.value;
}

/** How much more or less: 0.25 is a quarter more. Null without anything before. */
export function change(now, previous) {
  return now === null || !(previous > 0) ? null : now / previous - 1;
}

/** "+25 %", "−8 %", "×12" @param {number} part */
export function changeText(part) {
  const percent = Math.round(part * 100);
  if (percent === 0) return "±0\u00a0%";
  if (part >= 9) return `×${part + 1 >= 99.5 ? Math.round(part + 1) : (part + 1).toFixed(0)}`;
  return `${percent > 0 ? "+" : "−"}${Math.abs(percent)}\u00a0%`;
}

/** A version with so much of the spans is the one that runs. */
const RUNS_FROM = 0.8;

/**
 * Slices in which another version comes: one that is seen first after others were there, or one that runs again, as after
 * a deploy was taken back.
 * @param {Map<string, { labels: string[], values: (number | null)[] }>} series by version
 * @returns {{ slice: number, label: string }[]} in order of time
 */
export function arrivals(series) {
  const versions = [...series.values()]
    .map(({ labels, values }) => ({ label: labels[0], values, first: values.findIndex((value) => value > 0) }))
    .filter(({ first, label }) => first >= 0 && label !== "");
  const began = Math.min(...versions.map(({ first }) => first));
  const found = versions.filter(({ first }) => first > began).map(({ first, label }) => ({ slice: first, label }));
  const ran = new Set();
  let running = null;
  let next = { version: null, slice: 0 };
  for (let slice = 0; slice < (versions[0]?.values.length ?? 0); slice++) {
    const all = versions.reduce((sum, { values }) => sum + (values[slice] ?? 0), 0);
    const version = all > 0 ? versions.find(({ values }) => values[slice] >= all * RUNS_FROM) : undefined;
    if (!version || version === running) continue;
    // Twice in a row: a slice of few spans is no deploy.
    if (next.version !== version) next = { version, slice };
    else {
      if (ran.has(version)) found.push({ slice: next.slice, label: `${version.label} again` });
      ran.add(version);
      running = version;
    }
  }
  return found.sort((a, b) => a.slice - b.slice);
}
