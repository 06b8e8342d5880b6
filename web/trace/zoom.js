// SPDX-License-Identifier: Apache-2.0
// The part of a trace's time that shows, as the address says it: two fractions of the whole.

/** The smallest part, as a fraction. */
export const WINDOW_MIN = 1e-6;

/** "0.12-0.31" → [0.12, 0.31]; anything else is the whole. @param {string} text @returns {[number, number]} */
export function zoomOf(text) {
  const match = /^(0|1|0?\.\d{1,12})-(0|1|0?\.\d{1,12})$/.exec(text);
  const [from, to] = match ? [Number(match[1]), Number(match[2])] : [0, 1];
  // What was rounded when it was written may be a little short.
  return to - from >= WINDOW_MIN * 0.99 ? [from, to] : [0, 1];
}

/** @param {number} fraction 0 to 1 */
export function fractionText(fraction) {
  return fraction.toFixed(10).replace(/\.?0+$/, "");
}
