// SPDX-License-Identifier: Apache-2.0
// A small chart of values over time: lines from zero to the largest, a reading under the pointer, and the same in words.
import { absoluteTime } from "../lib/format.js";
import { h, svg } from "../lib/view.js";
import { zone } from "../settings.js";

const WIDTH = 320;
const HEIGHT = 56;

/**
 * @param {{ title: string, lines: { name: string, values: (number | null)[], look?: "bad" | "faint" }[], startNanos: bigint, stepNanos: bigint,
 *   text: (value: number) => string }} chart the first line is the one that is read aloud
 */
export function trend({ title, lines, startNanos, stepNanos, text }) {
  const known = lines.flatMap(({ values }) => values.filter((value) => value !== null));
  const most = Math.max(0, ...known);
  const length = Math.max(1, ...lines.map(({ values }) => values.length));
  const step = length > 1 ? WIDTH / (length - 1) : 0;
  const y = (value) => (most > 0 ? HEIGHT - 1 - (value / most) * (HEIGHT - 3) : HEIGHT - 1);
  const main = lines[0]?.values.filter((value) => value !== null) ?? [];
  const says = main.length ? `${title}: ${text(main.at(-1))} at the end, ${text(Math.max(...main))} at most` : `${title}: nothing in this range`;
  const mark = svg("path", { class: "trend-mark", d: "" });
  const drawing = svg("svg", { class: "trend-lines", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": says },
    svg("path", { class: "trend-base", d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }),
    lines.slice().reverse().map(({ values, look }) => svg("path", { class: `trend-line ${look ?? ""}`, d: pathOf(values, step, y) })), mark);
  const summary = main.length ? `max ${text(Math.max(...known))}` : "nothing in this range";
  const reading = h("span.trend-reading", {}, summary);
  drawing.addEventListener("pointermove", (event) => {
    const { left, width } = drawing.getBoundingClientRect();
    const at = Math.max(0, Math.min(length - 1, Math.round(((event.clientX - left) / width) * (length - 1))));
    mark.setAttribute("d", `M${at * step} 0V${HEIGHT}`);
    const time = absoluteTime(startNanos + stepNanos * BigInt(at), zone.value, 0).slice(5, 16);
    const values = lines.filter(({ values: own }) => (own[at] ?? null) !== null).map(({ name, values: own }) => `${lines.length > 1 ? `${name} ` : ""}${text(own[at])}`);
    reading.textContent = `${time} · ${values.join(" · ") || "nothing"}`;
  });
  drawing.addEventListener("pointerleave", () => {
    mark.setAttribute("d", "");
    reading.textContent = summary;
  });
  return h("figure.trend", {}, h("figcaption", {}, h("span", {}, title), reading), drawing);
}

function pathOf(values, step, y) {
  let path = "";
  let isDown = false;
  values.forEach((value, index) => {
    if (value !== null) {
      path += `${isDown ? "L" : "M"}${Math.round(index * step * 10) / 10} ${Math.round(y(value) * 10) / 10}`;
      if (!isDown && (values[index + 1] ?? null) === null) path += "m-1.5 0h3";
    }
    isDown = value !== null;
  });
  return path;
}
