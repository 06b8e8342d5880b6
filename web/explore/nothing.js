// SPDX-License-Identifier: Apache-2.0
// What stands where no trace was found: what was looked through, where the nearest ones are, and ways to ask for less.
import * as api from "../api.js";
import { absoluteTime, nanos, plural, relativeTime } from "../lib/format.js";
import { fixedMoment, rangeLabel, relativeMillis } from "../lib/range.js";
import { fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { chips, withoutChip } from "./query-text.js";

const AROUND_NANOS = 1_800_000_000_000n;
const CHIPS_MAX = 4;

/**
 * Fills the body of Explore: how to send a first span where nothing is stored, else what was looked for and what is near.
 * @param {any} page @param {() => boolean} isAsked still @param {string[] | undefined} hints
 * @returns {Promise<boolean>} false when a part did not come
 */
export async function tellNothing(page, isAsked, hints) {
  const { shell } = page.app;
  const status = await api.status().catch(() => null);
  const isEmpty = status && status.spans === 0 && status.receivedSpans === 0;
  const first = isEmpty && isAsked() ? await import("./first-span.js").catch(() => null) : null;
  if (!isAsked()) return true;
  if (isEmpty && !first) return false;
  shell.say(isEmpty ? "No spans yet" : "No traces found");
  const { href } = page.actions;
  if (first) {
    const waiting = new first.FirstSpan(status, { href, explore: () => page.run(), copy: (text, what) => shell.copy(text, what) });
    page.closeWaiting = () => { waiting.close(); page.closeWaiting = null; };
    page.columns.classList.add("bare");
    fill(page.body, waiting.element);
    return true;
  }
  const life = new AbortController();
  page.closeWaiting = () => { life.abort(); page.closeWaiting = null; };
  const { q, from, to } = page.state;
  const { start, end } = page.question;
  fill(page.body, nothingFound({ q, from, to, start, end, nowMillis: page.nowMillis, read: page.inspected.spans, status, hints },
    { ask: (change) => page.ask(change), change: (text) => page.query.change(text), href }, life.signal));
  return true;
}

/**
 * @param {{ q: string, from: string, to: string, start: bigint | null, end: bigint | null, nowMillis: number, read: number, status: any,
 *   hints: string[] | undefined }} question `hints` where the search told of any
 * @param {{ ask: (change: Object<string, string>) => void, change: (q: string) => void, href: (id: string) => string }} actions
 * @param {AbortSignal} signal
 */
export function nothingFound(question, actions, signal) {
  const { q, from, to, nowMillis, read, status } = question;
  const where = rangeLabel(from, to, nowMillis, zone.value);
  const looked = `${plural(read, "span")} read in ${where === "All time" ? "all time" : `“${where}”`}${q ? ", none of them matches the query" : ""}.`;
  const hints = h("div.nothing-hints", {}, (question.hints ?? []).map((hint) => h("p", {}, hint)));
  const near = h("div.nothing-near", { role: "status" });
  const newest = status?.newestTimeUnixNano ? h("p.faint", {}, `The newest span stored is from ${relativeTime(nanos(status.newestTimeUnixNano), Date.now())}.`) : null;
  look(question, actions, hints, near, signal);
  return h("section.state", {}, h("h2", {}, "No traces found"), h("p.faint", {}, looked), hints, near, newest,
    h("div.row-of-buttons", {}, loosenings(question, actions).map(([label, act]) => h("button", { type: "button", onclick: act }, label))));
}

/** Questions that ask for less, one click each. */
function loosenings({ q, from, to }, { ask, change }) {
  const all = chips(q);
  const choices = [];
  const isOpenEnded = to === "" || to === "now";
  if (from !== "all" && !(isOpenEnded && (relativeMillis(from) ?? 0) >= relativeMillis("-1d"))) choices.push(["Last 24 hours", () => ask({ from: "-1d", to: "" })]);
  if (from !== "all" || !isOpenEnded) choices.push(["All time", () => ask({ from: "all", to: "" })]);
  if (all.length > 1) all.slice(0, CHIPS_MAX).forEach((chip, index) => choices.push([`Without ${chip.text.length > 60 ? `${chip.text.slice(0, 60)}…` : chip.text}`, () => change(withoutChip(q, index))]));
  if (all.length) choices.push(["Without the query", () => change("")]);
  return choices;
}

/** The nearest traces on either side of the range that would satisfy the query, and what may be wrong with its names. */
async function look({ q, start, end, nowMillis }, { ask, href }, hints, near, signal) {
  const sides = [start !== null ? ["before", { q, end: start, limit: 1 }] : null, end !== null ? ["after", { q, start: end, limit: 1, order: "start asc" }] : null].filter(Boolean);
  const questions = sides.length ? sides : [["", { q, limit: 1 }]];
  if (sides.length) near.textContent = "Looking for the nearest…";
  const answers = await Promise.all(questions.map(([side, question]) => api.search(question, signal).then((answer) => ({ side, ...answer }), () => null)));
  if (signal.aborted) return;
  const told = answers.flatMap((answer) => answer?.hints ?? []);
  if (told.length && !hints.firstChild) fill(hints, [...new Set(told)].map((hint) => h("p", {}, hint)));
  const found = answers.flatMap((answer) => (answer?.traces.length ? [{ side: answer.side, trace: answer.traces[0] }] : []));
  fill(near, found.filter(({ side }) => side !== "").map(({ side, trace }) => {
    const moment = nanos(trace.startTimeUnixNano);
    const around = () => ask({ from: fixedMoment(moment - AROUND_NANOS), to: fixedMoment(moment + AROUND_NANOS) });
    return h("p", {}, `Nearest ${side}: `, h("a", { href: href(trace.traceId) }, `${trace.rootServiceName} ${trace.rootSpanName}`.trim() || trace.traceId),
      h("time.faint", { title: absoluteTime(moment, zone.value, 9) }, ` ${relativeTime(moment, nowMillis)} `), h("button.quiet.nothing-there", { type: "button", onclick: around }, "Show that hour"));
  }), sides.length && answers.every(Boolean) && !found.length ? h("p", {}, q ? "Nor does any trace outside of that time." : "Nothing is stored outside of that time either.") : null);
}

const EXAMPLES = [
  ["error = true", "a span failed"],
  ["duration > 500ms", "a span took long"],
  ['service = "checkout" and kind = server', "both hold for one span"],
  ["http.response.status_code >= 500", "any attribute, by its name"],
  ['name =~ "GET /.*"', "a pattern for the whole text"],
];

/** What queries look like. @param {(query: string) => void} run */
export function examples(run) {
  return h("section.state", {}, h("h2", {}, "Queries look like this"),
    h("ul.examples", {}, EXAMPLES.map(([query, says]) => h("li", {}, h("button.quiet", { type: "button", onclick: () => run(query) }, h("code", {}, query)), h("span.faint", {}, says)))));
}
