// SPDX-License-Identifier: Apache-2.0
// What the list of services and the page of one share: the bar's right end, a failure with its way back, a change, a pool.
import { icon } from "../lib/icons.js";
import { changeText } from "../lib/red.js";
import { fixedMoment, resolveRange } from "../lib/range.js";
import { h } from "../lib/view.js";
import { zone } from "../settings.js";

/** @param {any} app @param {import("../lib/range-picker.js").RangePicker} range @param {() => void} run */
export function barEnd(app, range, run) {
  return [range.element,
    h("button.icon-button", { type: "button", "aria-label": "Read again", title: "Read again (r)", onclick: run }, icon("run")),
    h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() }, icon("link"))];
}

/** How the list of services was left: its order and its filter. @type {Object<string, string>} */
let left = {};

/** The service that was opened last. */
let opened = "";

export function keepList({ q, sort }) {
  left = { q, sort };
}

export function keepOpened(name) {
  opened = name;
}

export function openedLast() {
  return opened;
}

/** The list as it was left, in the range looked at last. */
export function listView(app) {
  const view = app.front("services");
  return { ...view, state: { ...view.state, ...left } };
}

/** A part that failed says so in its place. @param {any} error @param {() => void} retry */
export function failure(error, retry) {
  return h("div.failure", { role: "alert" }, icon("error"), h("span.failure-text", {}, error.message,
    error.requestId ? [" Request ", h("code", {}, error.requestId)] : null),
    h("button", { type: "button", onclick: retry }, "Try again"));
}

/** The same for a whole page. @param {string} title @param {any} text @param {[string, () => void][]} choices */
export function stateOf(title, text, choices) {
  return h("section.state", {}, h("h2", {}, title), typeof text === "string" ? h("p", {}, text) : text,
    h("div.row-of-buttons", {}, choices.map(([label, act]) => h("button", { type: "button", onclick: act }, label))));
}

/**
 * How much more or less than before; what matters is marked. @param {number | null} part
 * @param {{ isBadUp?: boolean, from?: number }} [how] `from`: changes below are faint
 */
export function changeMark(part, { isBadUp = false, from = 0.1 } = {}) {
  if (part === null) return h("span.change.faint", { "aria-label": "nothing to compare with" }, "–");
  const isLoud = Math.abs(part) >= from;
  return h(`span.change${isLoud ? (isBadUp && part > 0 ? ".worse" : "") : ".faint"}`, {}, changeText(part));
}

/** The range as it stood, for a link that shows the same tomorrow. */
export function fixedRange({ from, to }, nowMillis) {
  const range = resolveRange(from, to, nowMillis, zone.value);
  if (!range) return {};
  return { from: range.start === null ? "all" : fixedMoment(range.start), to: fixedMoment(range.end ?? BigInt(nowMillis) * 1_000_000n) };
}

/** Does `work` for each item, a few at a time; ends early once `isOver`. @template T @param {T[]} items @param {number} atOnce */
export async function pool(items, atOnce, work, isOver) {
  let next = 0;
  const worker = async () => {
    while (next < items.length && !isOver()) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
