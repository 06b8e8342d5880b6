// SPDX-License-Identifier: Apache-2.0
// How the pages of agents say what they know: states, kinds of time, money, moments. Pure.
import { compactCount, count, duration, nanos } from "../lib/format.js";

/** What a session's time went into, in the order in which the first that applies counts. */
export const TIME_CLASSES = [
  { key: "llm", name: "Model", says: "A model answers" },
  { key: "tool", name: "Tools", says: "A tool works, and no sub-agent in it" },
  { key: "childAgent", name: "Sub-agents", says: "Waiting for an agent that was asked" },
  { key: "humanWait", name: "People", says: "Waiting for a person" },
  { key: "messageWait", name: "Messages", says: "Waiting for a message, a lock or a rate limit" },
  { key: "handoffGap", name: "Handoff gap", says: "From asking an agent to its start" },
  { key: "returnGap", name: "Return gap", says: "From an agent's end to its answer" },
  { key: "retry", name: "Backoff", says: "Idle between a failed attempt and the next" },
  { key: "own", name: "Unaccounted", says: "No span says what happened" },
];

export const CLASS_NAMES = Object.fromEntries(TIME_CLASSES.map(({ key, name }) => [key, name]));

/** How a session was joined to its parent where no span says so (`inferredBy` of an edge). */
export const INFERENCES = { 1: "by the id of the tool call", 2: "by the id of the request", 3: "by the agent's name", 4: "by time: its step was not kept" };
export const OUTCOMES = ["success", "failure", "partial", "timeout", "cancelled", "skipped", "blocked", "rejected"];
/** States that can be asked for like an outcome, and what they are called. */
export const STATES = [["running", "running"], ["waiting", "waiting"], ["abandoned", "stalled"]];
export const PRIORITIES = ["critical", "high", "normal", "low", "background"];

const FAILURES = new Set(["failure", "timeout", "rejected", "blocked"]);

/** Whether an outcome counts as an error. @param {string | null} outcome */
export function isFailure(outcome) {
  return FAILURES.has(outcome);
}

/**
 * How a session stands: a key for the stylesheet, a word, an icon.
 * @param {{ state: string, outcome: string | null }} session @returns {{ key: "running" | "waiting" | "ok" | "failed" | "stalled" | "other", text: string, picture: string }}
 */
export function standing({ state, outcome }) {
  if (state === "running") return { key: "running", text: "running", picture: "run" };
  if (state === "waiting") return { key: "waiting", text: "waiting", picture: "pause" };
  if (state === "abandoned") return { key: "stalled", text: "stalled", picture: "warning" };
  if (isFailure(outcome)) return { key: "failed", text: outcome === "failure" ? "failed" : outcome, picture: "error" };
  if (outcome === "success" || outcome === null || outcome === undefined) return { key: "ok", text: "ok", picture: "check" };
  return { key: "other", text: String(outcome).slice(0, 40), picture: "minus" };
}

/** What became of a session's steps, and why: "only totals are kept · rule low keeps 10 %". @param {any} trace of a session's record @returns {string | null} null where nothing is left out */
export function samplingWords(trace) {
  if (!trace) return null;
  const { sampled, samplingReason, samplingDecision, samplingRate, weight } = trace;
  if (samplingDecision === "kept" && !(samplingRate < 1) && !(weight > 1)) return null;
  const became = samplingDecision === "held" ? "not decided yet" : samplingDecision === "reduced" ? "only totals are kept" : sampled === false ? "not sampled" : null;
  const words = [became, samplingReason ? String(samplingReason).slice(0, 120) : null, weight > 1 ? `1 of ${compactCount(weight)}` : null].filter(Boolean);
  return words.length ? words.join(" · ") : null;
}

/** A name where nothing isolates it: what turns the direction of writing is left out. @param {string} text */
export function upright(text) {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}

/** Money as far as it is known: "$0.63", "$0.0042", "–". @param {number | null | undefined} amount US dollars */
export function dollars(amount) {
  if (amount === null || amount === undefined) return "–";
  if (amount === 0) return "$0";
  if (amount < 0.00005) return "<$0.0001";
  if (amount < 0.1) return `$${amount.toFixed(4).replace(/0{1,2}$/, "")}`;
  return `$${amount < 1000 ? amount.toFixed(2) : compactCount(amount)}`;
}

/** Tokens in and out: "8.20k → 420", "–" for none. @param {{ inputTokens?: number, outputTokens?: number } | null | undefined} usage */
export function tokens(usage) {
  const [given, back] = [usage?.inputTokens ?? 0, usage?.outputTokens ?? 0];
  return given + back > 0 ? `${compactCount(given)} → ${compactCount(back)}` : "–";
}

/** The same exactly. @param {{ inputTokens?: number, outputTokens?: number, cacheReadTokens?: number } | null | undefined} usage @returns {string | null} */
export function tokenWords(usage) {
  const [given, back, cached] = [usage?.inputTokens ?? 0, usage?.outputTokens ?? 0, usage?.cacheReadTokens ?? 0];
  return given + back > 0 ? `${count(given)} in, of which ${count(cached)} from the cache; ${count(back)} out` : null;
}

/** RFC 3339 with up to nine digits of a second, or decimal nanoseconds. @param {string | null | undefined} text @returns {bigint | null} Unix nanoseconds */
export function momentOf(text) {
  if (text === null || text === undefined) return null;
  if (/^\d{1,20}$/.test(text)) return nanos(text);
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const millis = parts ? Date.parse(`${parts[1]}${parts[3]}`) : NaN;
  return Number.isNaN(millis) ? null : BigInt(millis) * 1_000_000n + BigInt((parts[2] ?? "").padEnd(9, "0"));
}

/** A time after the start: "+1.20 s", "0". @param {number} length nanoseconds */
export function after(length) {
  return length < 1 ? "0" : `+${duration(length)}`;
}

/** How long a session of a list took, or has been running. @param {{ startTime: string, endTime: string | null }} record @param {bigint} now */
export function lengthOf({ startTime, endTime }, now) {
  const start = momentOf(startTime) ?? 0n;
  const length = Number((momentOf(endTime) ?? now) - start);
  return Math.max(0, length);
}
