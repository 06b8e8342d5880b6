// SPDX-License-Identifier: Apache-2.0
// A range as the metrics API takes it so that one sample counts all of it. Pure.
//
// Moments are multiples of the step, and a sample counts what starts after the moment before it. So the step is the length of
// the range, made longer by no more than that the start is a multiple of it: two in a million for an hour, a thousandth for
// a month. The sample before the last one counts the time before, as long as the range.

const DAY_NANOS = 86_400_000_000_000n;
/** Longer than any range. */
const ALL_OF_TIME_NANOS = 876_000n * 3_600_000_000_000n;

/**
 * @param {{ start: bigint | null, end: bigint | null, nowMillis: number }} question
 * @returns {{ start: bigint, end: bigint, step: string }}
 */
export function oneSample({ start, end, nowMillis }) {
  // Clocks of services may be ahead of this one.
  const last = end ?? BigInt(nowMillis) * 1_000_000n + (start === null ? DAY_NANOS : 0n);
  if (start === null || start === 0n) return { start: 0n, end: last, step: `${end === null ? ALL_OF_TIME_NANOS : last}ns` };
  const length = last > start ? last - start : 1n;
  const times = start / length || 1n;
  const step = start / times;
  const first = step * times;
  return { start: first, end: first + step, step: `${step}ns` };
}
