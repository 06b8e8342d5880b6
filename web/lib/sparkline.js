// SPDX-License-Identifier: Apache-2.0
// A line of a few dozen values beside a number: the shape only, no axes.
import { svg } from "./view.js";

/**
 * @param {(number | null)[]} values gaps are `null`
 * @param {{ width?: number, height?: number, max?: number, isBad?: boolean, label?: string }} [look] `max` is the value
 *   at the top, the largest one unless said; `label` is said aloud, without it the line is decoration
 */
export function sparkline(values, { width = 72, height = 16, max, isBad = false, label } = {}) {
  const top = max ?? Math.max(0, ...values.filter((value) => value !== null));
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = "";
  let isDown = false;
  values.forEach((value, index) => {
    if (value !== null) {
      const y = top > 0 ? height - 1 - (Math.min(value, top) / top) * (height - 2) : height - 1;
      path += `${isDown ? "L" : "M"}${round(index * step)} ${round(y)}`;
      // A lone value between two gaps is a dot: a line of no length with round ends.
      if (!isDown && (values[index + 1] ?? null) === null) path += "h.01";
    }
    isDown = value !== null;
  });
  const drawing = svg("svg", { class: isBad ? "spark bad" : "spark", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": label ? null : "true", role: label ? "img" : null, "aria-label": label });
  drawing.append(svg("path", { d: path, "stroke-linecap": "round" }));
  return drawing;
}

function round(number) {
  return Math.round(number * 10) / 10;
}
