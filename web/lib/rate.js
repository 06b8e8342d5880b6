// SPDX-License-Identifier: Apache-2.0
// How often something happens, in the unit that people would say it in: the same on every page. Pure.
import { compactCount } from "./format.js";

const UNITS = [[1, "s"], [60, "min"], [3600, "h"]];

function unitOf(perSecond) {
  return UNITS.find(([seconds]) => perSecond * seconds >= 0.0995) ?? UNITS.at(-1);
}

/** How many of the unit that a rate is told in make one a second. @param {number} perSecond */
export function rateUnit(perSecond) {
  return unitOf(perSecond)[0];
}

/** "412/s", "0.35/s", "2.10/min"; "–" where the range has no length. @param {number | null} perSecond */
export function rateText(perSecond) {
  if (perSecond === null) return "–";
  if (!(perSecond > 0)) return "0/s";
  const [seconds, unit] = unitOf(perSecond);
  const amount = perSecond * seconds;
  const text = amount >= 999.5 ? compactCount(Math.round(amount)) : amount >= 99.95 ? amount.toFixed(0) : amount >= 9.995 ? amount.toFixed(1) : amount >= 0.005 ? amount.toFixed(2) : "<0.01";
  return `${text}/${unit}`;
}
