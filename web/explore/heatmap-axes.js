// SPDX-License-Identifier: Apache-2.0
// The heatmap and the scatter in words: durations up and times across their axes, and what a region holds.
import { absoluteTime, axisDuration, duration, plural, share, zoneOffsetMinutes } from "../lib/format.js";
import { fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { durationTicks, timeTicks } from "./heatmap-model.js";

export const LABEL_HEIGHT = 13;
const TIME_LABEL_WIDTH = 88;
const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;
/** Labels so near to an end of the axis stand inside of it. */
const END = 0.02;

/** @param {Element} place @param {import("./heatmap-model.js").Scale} scale @param {number} height of the picture in pixels */
export function drawDurations(place, scale, height) {
  fill(place, durationTicks(scale, LABEL_HEIGHT / height).map((nanos) => h("span.heat-tick", { style: { bottom: `${scale.up(nanos) * 100}%` } }, written(nanos))));
}

/** @param {Element} place @param {import("./heatmap-model.js").Scale} scale @param {number} width of the picture in pixels */
export function drawTimes(place, scale, width) {
  const offset = zoneOffsetMinutes(Number(scale.start / 1_000_000n), zone.value);
  const most = Math.max(1, Math.floor(width / TIME_LABEL_WIDTH));
  fill(place, timeTicks(scale.start, scale.end, most, zone.value, offset).map(({ at, text }) => {
    const part = scale.across(at);
    return h(`span.heat-tick${part < END ? ".first" : part > 1 - END ? ".last" : ""}`, { style: { left: `${part * 100}%` } }, text);
  }));
}

/** "10 ms", without the digits that round numbers need not have. */
function written(nanos) {
  return nanos >= 60e9 ? duration(nanos) : axisDuration(nanos, 10 ** Math.floor(Math.log10(nanos)));
}

/** @param {import("./heatmap-model.js").Grid} grid @param {import("./heatmap-model.js").Region} region */
export function regionFacts(grid, region) {
  const sum = grid.sum(region);
  const fraction = grid.step % SECOND;
  const digits = fraction === 0n ? 0 : Math.max(1, 10 - String(fraction).length);
  const isLong = grid.edge(grid.columns) - grid.edge(0) > DAY;
  const show = (at) => absoluteTime(at, zone.value, digits).slice(isLong ? 5 : 11);
  const [floor, ceiling] = [grid.floor(region.low), grid.floor(region.high + 1)];
  return {
    ...sum,
    time: `${show(grid.edge(region.left))} – ${show(grid.edge(region.right + 1))}`,
    duration: `${floor < 1 ? "0" : duration(floor)} – ${duration(ceiling)}`,
    spans: plural(Math.round(sum.count), "span"),
    failed: sum.errors > 0 ? `${plural(Math.round(sum.errors), "error")} (${share(sum.errors / sum.count)})` : "no errors",
  };
}
