// SPDX-License-Identifier: Apache-2.0
// The turns of a conversation as they are shown. Pure.
import { bytes, nanos } from "../lib/format.js";
import { prettyOf } from "../trace/pretty.js";
import { momentOf } from "./words.js";

/** A turn that is longer than this, or has more lines, is cut to three. */
const SHORT_LENGTH = 220;
const SHORT_LINES = 3;
/** A cut turn holds no more of its text. */
export const CUT_LENGTH = 400;

const ROLES = { system: "System", user: "User", assistant: "Assistant", tool: "Tool" };

/** @param {any} turn @returns {{ who: string, what: string }} "Assistant", "calls web.search" */
export function headOf(turn) {
  const tool = turn.toolName ? String(turn.toolName).slice(0, 120) : "a tool";
  if (turn.kind === "message") return { who: turn.from.slice(0, 80) || "Somebody", what: turn.to.length ? `to ${turn.to.join(", ").slice(0, 120)}` : "" };
  if (turn.kind === "toolCall") return { who: "Assistant", what: `calls ${tool}` };
  if (turn.kind === "toolResult") return { who: "Tool", what: `${tool} answers` };
  return { who: ROLES[turn.role] ?? String(turn.role).slice(0, 40), what: turn.kind === "reasoning" ? "reasons" : "" };
}

/** A message's text, or what is known where it was not kept. @param {any} message @returns {string} */
export function messageWords({ text, bytes: size }) {
  return typeof text === "string" ? text : size ? `${bytes(size)}, the text was not kept` : "the text was not kept";
}

/**
 * Messages between agents as turns, each where it stands in time among others. Turns keep their order.
 * @param {any[]} turns one after the other @param {any[]} messages of the API, in any order
 * @param {boolean} isLast whether no turns follow: else messages after the last one wait for those @returns {{ turns: any[], rest: any[] }} `rest`: messages that wait
 */
export function withMessages(turns, messages, isLast) {
  const said = messages.map((message) => ({ message, at: momentOf(message.time) ?? 0n })).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const found = [];
  let next = 0;
  const takeUntil = (moment) => {
    for (; next < said.length && (moment === null || said[next].at < moment); next++) found.push(turnOf(said[next]));
  };
  for (const turn of turns) {
    takeUntil(nanos(turn.timeUnixNano));
    found.push(turn);
  }
  if (isLast) takeUntil(null);
  return { turns: found, rest: said.slice(next).map(({ message }) => message) };
}

function turnOf({ message, at }) {
  const { trace, from, to, text } = message;
  return {
    kind: "message", role: "message", message, timeUnixNano: String(at), from: String(from ?? ""), to: to ?? [], text: typeof text === "string" ? text : null, spanId: trace?.spanId ?? null, sessionId: trace?.sessionId ?? null, truncated: false,
  };
}

/** Whether a turn is shown cut at first. @param {string} text */
export function isLong(text) {
  return text.length > SHORT_LENGTH || text.split("\n", SHORT_LINES + 1).length > SHORT_LINES;
}

/**
 * A text as paragraphs and preformatted parts: fences of Markdown, or all of it where it is JSON.
 * @param {string} text @returns {{ isCode: boolean, text: string }[]}
 */
export function partsOf(text) {
  const lines = prettyOf(text);
  if (lines?.language === "JSON") return [{ isCode: true, text: lines.text }];
  return text.split(/^```[^\n]*$/m).map((part, index) => ({ isCode: index % 2 === 1, text: part.replace(/^\n|\n$/g, "") })).filter((part) => part.text !== "");
}

/** The first turn of each span. @param {any[]} turns @returns {Map<string, number>} */
export function firstTurns(turns) {
  const found = new Map();
  turns.forEach(({ spanId }, index) => { if (spanId && !found.has(spanId)) found.set(spanId, index); });
  return found;
}
