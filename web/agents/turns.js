// SPDX-License-Identifier: Apache-2.0
// The turns of a conversation as they are shown. Pure.
import { prettyOf } from "../trace/pretty.js";

/** A turn that is longer than this, or has more lines, is cut to three. */
const SHORT_LENGTH = 220;
const SHORT_LINES = 3;
/** A cut turn holds no more of its text. */
export const CUT_LENGTH = 400;

const ROLES = { system: "System", user: "User", assistant: "Assistant", tool: "Tool" };

/** @param {any} turn @returns {{ who: string, what: string }} "Assistant", "calls web.search" */
export function headOf(turn) {
  const tool = turn.toolName ? String(turn.toolName).slice(0, 120) : "a tool";
  if (turn.kind === "toolCall") return { who: "Assistant", what: `calls ${tool}` };
  if (turn.kind === "toolResult") return { who: "Tool", what: `${tool} answers` };
  return { who: ROLES[turn.role] ?? String(turn.role).slice(0, 40), what: turn.kind === "reasoning" ? "reasons" : "" };
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
