// SPDX-License-Identifier: Apache-2.0
// Rate, errors and durations of services from series over two windows of equal length, the one asked for and the one before.
// Pure.
import { stepFor } from "./heatmap-model.js";

const STEPS = 32n;
export const SERVICES_MAX = 8;
/** Changes below this share are not worth a mark. */
const CHANGE_MIN = 0.1;

/**
 * Two windows of whole steps, the later of which holds the range.
 * @param {{ start: bigint, end: bigint }} range
 */
export function windows({ start, end }) {
  const step = stepFor(end - start, STEPS);
  const last = ((end + step - 1n) / step) * step;
  const steps = Number((last - (start / step) * step) / step);
  const first = last - BigInt(steps) * step;
  const before = first - BigInt(steps) * step;
  return { step, steps, start: before > 0n ? before : first % step, end: last, first, elapsed: end > last - step ? Number(end - (last - step)) / Number(step) : 1 };
}

/**
 * Steps of a series as two windows. The answer's first moment lies before both.
 * @param {{ startTimeUnixNano: string }} answer @param {(number | null)[]} values @param {ReturnType<typeof windows>} frame
 */
function split(answer, values, frame) {
  const at = Number((frame.first - BigInt(answer.startTimeUnixNano)) / frame.step) + 1;
  return { now: values.slice(at, at + frame.steps), before: values.slice(Math.max(1, at - frame.steps), at) };
}

const nameOf = (series) => series.labels.find(({ name }) => name === "resource.service.name")?.value ?? "";
const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

/**
 * The services with most errors, then most spans.
 * @param {any} spans answer to `rate() by (resource.service.name)` @param {any} errors the same for failed spans
 * @param {ReturnType<typeof windows>} frame
 */
export function busiest(spans, errors, frame) {
  const seconds = Number(frame.step) / 1e9;
  const failures = new Map(errors.series.map((series) => [nameOf(series), split(errors, series.values, frame)]));
  const rows = spans.series.map((series) => {
    const name = nameOf(series);
    const rates = split(spans, series.values, frame);
    const failed = failures.get(name) ?? { now: [], before: [] };
    const whole = (frame.steps - 1 + frame.elapsed) * seconds;
    const [count, countBefore] = [sum(rates.now) * seconds, sum(rates.before) * seconds];
    const [errorCount, errorsBefore] = [sum(failed.now) * seconds, sum(failed.before) * seconds];
    // A step that is not over counts as long as it lasted, so that the line does not fall at its end.
    const line = rates.now.map((rate, i) => (i === frame.steps - 1 ? rate / Math.max(frame.elapsed, 0.2) : rate));
    return {
      name, count, errorCount, rate: count / whole, errorShare: count > 0 ? errorCount / count : 0, line,
      rateBefore: countBefore > 0 ? countBefore / (frame.steps * seconds) : null,
      errorShareBefore: countBefore > 0 ? errorsBefore / countBefore : null,
    };
  });
  return rows.filter(({ count }) => count > 0.5).sort((a, b) => b.errorCount - a.errorCount || b.count - a.count || (a.name < b.name ? -1 : 1)).slice(0, SERVICES_MAX);
}

/**
 * A percentile of each service in both windows and by step, in nanoseconds, from buckets of powers of two.
 * @param {any} histogram answer to `histogram_over_time(duration) by (resource.service.name)` @param {number} part
 * @param {ReturnType<typeof windows>} frame
 * @returns {Map<string, { now: number | null, before: number | null, line: (number | null)[] }>}
 */
export function percentiles(histogram, part, frame) {
  const services = new Map();
  for (const series of histogram.series) {
    const limit = Number(series.labels.find(({ name }) => name === "__bucket")?.value) * 1e9;
    const name = nameOf(series);
    if (!services.has(name)) services.set(name, []);
    services.get(name).push({ limit, ...split(histogram, series.values, frame) });
  }
  return new Map([...services].map(([name, buckets]) => {
    buckets.sort((a, b) => a.limit - b.limit);
    const of = (counts) => quantile(part, buckets.map(({ limit }) => limit), counts);
    return [name, {
      now: of(buckets.map(({ now }) => sum(now))), before: of(buckets.map(({ before }) => sum(before))),
      line: Array.from({ length: frame.steps }, (_, i) => of(buckets.map(({ now }) => now[i] ?? 0))),
    }];
  }));
}

/** As the server takes it: exponential between the edges of the bucket. */
function quantile(part, limits, counts) {
  const wanted = Math.ceil(part * sum(counts));
  if (wanted === 0) return null;
  let seen = 0;
  for (const [i, count] of counts.entries()) {
    if (count > 0 && seen + count >= wanted) return (limits[i] / 2) * 2 ** ((wanted - seen) / count);
    seen += count;
  }
  return limits.at(-1);
}

/**
 * How a number changed, when that is worth a mark: "up" or "down", and by which share.
 * @param {number | null | undefined} now @param {number | null | undefined} before
 * @returns {{ way: "up" | "down", by: number } | null} `by` is Infinity where there was nothing before
 */
export function change(now, before) {
  if (now == null || before == null || now === before) return null;
  const by = before > 0 ? Math.abs(now / before - 1) : Infinity;
  return by < CHANGE_MIN ? null : { way: now > before ? "up" : "down", by };
}
