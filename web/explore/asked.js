// SPDX-License-Identifier: Apache-2.0
// What the pictures of a question ask the server for: its range with both ends, and those of its spans that satisfy more.
import { status } from "../api.js";
import { nanos } from "../lib/format.js";
import { counted } from "./conditions.js";
import { closedRange } from "./heatmap-model.js";
import { chips, inBraces, narrowed } from "./query-text.js";

/**
 * Open ends are the store's.
 * @param {{ start: bigint | null, end: bigint | null, nowMillis: number }} question @param {AbortSignal} signal
 * @returns {Promise<{ start: bigint, end: bigint } | null>} null when nothing is stored
 */
export async function rangeOf(question, signal) {
  if (question.start !== null) return closedRange(question, null);
  const { oldestTimeUnixNano, newestTimeUnixNano } = await status(signal);
  return closedRange(question, { oldest: nanos(oldestTimeUnixNano), newest: nanos(newestTimeUnixNano) });
}

/**
 * Of the spans that a query finds those that satisfy more conditions, each of which means the same in both forms. What
 * pipelines and relations between spans find has to satisfy them in a stage of its own: further up they would change what
 * is counted and related. Plain conditions stay one, which the server answers from an index.
 * @param {string} q @param {string[]} terms
 */
export function among(q, terms) {
  if (!terms.length) return q;
  const isPlain = chips(q).every(({ text }) => !text.startsWith("|")) && (!inBraces(q) || /^\{[^{}]*\}$/.test(q.trim()));
  return isPlain ? terms.reduce(narrowed, q) : counted(q, `{ ${terms.join(" && ")} }`);
}
