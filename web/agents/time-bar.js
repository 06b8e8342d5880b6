// SPDX-License-Identifier: Apache-2.0
// A session's time by what it went into: a bar whose parts sum to the wall time, and the same in words.
import { duration, exactDuration, nanos, share } from "../lib/format.js";
import { h } from "../lib/view.js";
import { TIME_CLASSES } from "./words.js";

/** @param {any} session @returns {{ key: string, name: string, says: string, nanos: number, share: number }[]} those that had any, in the order of the bar */
export function classParts(session) {
  const found = TIME_CLASSES.map((one) => ({ ...one, nanos: Number(nanos(session.timeClasses?.[one.key])) }));
  const whole = found.reduce((sum, one) => sum + one.nanos, 0) || 1;
  return found.filter((one) => one.nanos > 0).map((one) => ({ ...one, share: one.nanos / whole }));
}

/** Only the bar. @param {any} session @param {string} [label] */
export function bar(session, label = "Time by class") {
  const parts = classParts(session);
  return h("div.class-bar", { role: "img", "aria-label": `${label}: ${parts.map(({ name, share: part }) => `${name} ${share(part)}`).join(", ") || "nothing yet"}` },
    parts.map(({ key, name, nanos: length, share: part }) => h("span.class-part", { "data-class": key, title: `${name}: ${duration(length)}, ${share(part)}`, style: { "flex-grow": String(part) } })));
}

/** The bar, and a line for each part. @param {any} session */
export function classBar(session) {
  const parts = classParts(session);
  return h("div.class-block", {}, bar(session), h("dl.class-list", {}, parts.map(({ key, name, says, nanos: length, share: part }) => [
    h("dt", { title: says }, h("span.class-mark", { "data-class": key }), name), h("dd.number", { title: exactDuration(length) }, duration(length)), h("dd.number.faint", {}, share(part))])));
}

/** What the colours mean. */
export function legend() {
  return h("ul.class-legend", {}, TIME_CLASSES.map(({ key, name, says }) => h("li", { title: says }, h("span.class-mark", { "data-class": key }), name)));
}
