// SPDX-License-Identifier: Apache-2.0
// The comparison in a sentence: how much, and where it went. Pure.
import { count, duration } from "../lib/format.js";

const REASONS_MAX = 3;
/** A smaller part of the difference is no reason. */
const PART_MIN = 0.05;
/** What went the other way is told from this part of the difference on. */
const AGAINST_MIN = 0.2;
/** Durations that differ by less are the same. */
const SAME_SHARE = 0.005;
/** Between traces as long as each other, what differs by less of them is no reason. */
const MOVED_MIN = 0.02;
/** Numbers of spans that differ by less are much the same. */
const SPANS_MIN = 0.1;
const NAME_MAX = 80;

/**
 * Where the difference went: own time by service and operation, most first.
 * @param {import("./model.js").Comparison} comparison
 * @returns {{ service: string, operation: string, nanos: number, spans: [number, number] }[]} `nanos` more than in the
 *   baseline; `spans` of it and of the other
 */
export function reasons(comparison) {
  const groups = new Map();
  for (let node = 0; node < comparison.count; node++) {
    const [service, operation] = [comparison.service[node], comparison.operation[node]];
    const key = `${service}\0${operation}`;
    if (!groups.has(key)) groups.set(key, { service, operation, nanos: 0, spans: [0, 0] });
    const group = groups.get(key);
    group.nanos += comparison.delta("self", node);
    group.spans[0] += comparison.spans[comparison.baseline][node];
    group.spans[1] += comparison.spans[comparison.other][node];
  }
  return [...groups.values()].sort((a, b) => Math.abs(b.nanos) - Math.abs(a.nanos));
}

/**
 * "B is 820 ms slower: 640 ms in payment POST /charge, 120 ms in 14 new postgres SELECT."
 * @param {import("./model.js").Comparison} comparison its baseline is A, or B where that is what is typical
 */
export function sentence(comparison) {
  const { baseline, other } = comparison;
  const difference = comparison.duration[other] - comparison.duration[baseline];
  const isTypical = baseline === 1;
  const isSame = Math.abs(difference) <= SAME_SHARE * Math.max(...comparison.duration);
  const all = reasons(comparison);
  const errors = comparison.isNewError.filter(Boolean).length;
  const failing = errors ? ` ${errors === 1 ? "One path fails" : `${count(errors)} paths fail`} that ${errors === 1 ? "does" : "do"} not ${isTypical ? "usually" : "in A"}.` : "";
  if (isSame) {
    const moved = all.filter(({ nanos }) => Math.abs(nanos) >= MOVED_MIN * Math.max(...comparison.duration)).slice(0, REASONS_MAX);
    const parts = moved.map((reason) => told(reason, reason.nanos > 0 ? "more " : "less "));
    const head = `${isTypical ? "A takes as long as is typical" : "B takes as long as A"}${otherSpans(comparison)}`;
    return `${[head, parts.join(", ")].filter(Boolean).join(": ")}.${failing}`;
  }
  const found = all.filter(({ nanos }) => nanos * difference > 0 && Math.abs(nanos) >= Math.abs(difference) * PART_MIN).slice(0, REASONS_MAX);
  const against = all.find(({ nanos }) => nanos * difference < 0 && Math.abs(nanos) >= Math.abs(difference) * AGAINST_MIN);
  const head = `${isTypical ? "A" : "B"} is ${duration(Math.abs(difference))} ${difference > 0 ? "slower" : "faster"}${isTypical ? " than is typical" : ""}`;
  const but = against ? `; against that, ${told(against, against.nanos > 0 ? "more " : "less ")}` : "";
  return `${found.length ? `${head}: ${found.map((reason) => told(reason)).join(", ")}` : head}${but}.${failing}`;
}

/** "120 ms in 14 new postgres SELECT" */
function told({ service, operation, nanos, spans }, direction = "") {
  return `${duration(Math.abs(nanos))} ${direction}in ${whatOf(spans, nanos)}${nameOf(service, operation)}`;
}

/** " with 12 fewer spans" */
function otherSpans({ spanCount, baseline, other }) {
  const difference = Math.round(spanCount[other] - spanCount[baseline]);
  if (difference === 0 || Math.abs(difference) < SPANS_MIN * Math.max(...spanCount)) return "";
  return ` with ${count(Math.abs(difference))} ${difference > 0 ? "more" : "fewer"} ${Math.abs(difference) === 1 ? "span" : "spans"}`;
}

/**
 * "14 new ", "12 more ", "3 fewer "; more of them that take less, or fewer that take more, explain nothing.
 * @param {[number, number]} spans before and after @param {number} nanos
 */
function whatOf([before, after], nanos) {
  const difference = Math.round(after - before);
  if (difference * nanos <= 0) return "";
  if (before === 0) return after > 1 ? `${count(difference)} new ` : "a new ";
  if (after === 0) return before > 1 ? `${count(-difference)} left out: ` : "what is left out: ";
  return difference > 0 ? `${count(difference)} more ` : `${count(-difference)} fewer `;
}

function nameOf(service, operation) {
  const name = `${service} ${operation}`.trim() || "spans without a name";
  return name.length > NAME_MAX ? `${name.slice(0, NAME_MAX - 1)}…` : name;
}

/** "+820 ms", "−12 µs", "" for nothing @param {number} nanos */
export function signedDuration(nanos) {
  if (Math.round(nanos) === 0) return "";
  return `${nanos > 0 ? "+" : "−"}${duration(Math.abs(nanos))}`;
}

/** "+14", "−2.5" @param {number} n */
export function signedCount(n) {
  const rounded = Math.round(n * 10) / 10;
  if (rounded === 0) return "";
  return `${rounded > 0 ? "+" : "−"}${count(Math.abs(rounded))}`;
}

/**
 * The traces whose durations are nearest to the middle one.
 * @template {{ traceId: string, durationNanos: string }} Trace @param {Trace[]} traces @param {number} most
 * @returns {{ traces: Trace[], median: number }}
 */
export function typical(traces, most) {
  const lengths = traces.map((trace) => Number(trace.durationNanos)).sort((a, b) => a - b);
  const median = lengths.length ? lengths[Math.floor((lengths.length - 1) / 2)] : 0;
  const distance = (trace) => Math.abs(Number(trace.durationNanos) - median);
  return { median, traces: traces.slice().sort((a, b) => distance(a) - distance(b)).slice(0, most) };
}
