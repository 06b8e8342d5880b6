// SPDX-License-Identifier: Apache-2.0
// Sessions of one key together below a row that sums them up. Pure.
import { isFailure } from "./words.js";

/**
 * @typedef {{ isGroup: true, key: string | null, size: number, isOpen: boolean, start: bigint, length: number, llmCalls: number, toolCalls: number, errors: number, agents: number, turns: number | null,
 *   failed: number, inputTokens: number, outputTokens: number, cacheReadTokens: number, usd: number | null, sessions: any[] }} Group
 */

/**
 * Groups stand where their first row stood; rows without a key, or alone with theirs, are by themselves.
 * @param {any[]} rows of the list, in order @param {Set<string>} closed keys whose sessions do not show
 * @returns {any[]} groups, each followed by its rows
 */
export function grouped(rows, closed) {
  const groups = new Map();
  const order = [];
  for (const row of rows) {
    const key = row.sessionKey ?? null;
    if (key === null) order.push({ row });
    else if (groups.has(key)) groups.get(key).push(row);
    else {
      const members = [row];
      groups.set(key, members);
      order.push({ key, members });
    }
  }
  return order.flatMap(({ key, members, row }) => {
    if (row) return [row];
    if (members.length === 1) return members;
    const group = groupOf(key, members, !closed.has(key));
    return group.isOpen ? [group, ...members] : [group];
  });
}

/** @returns {Group} */
function groupOf(key, sessions, isOpen) {
  const sum = (value) => sessions.reduce((total, session) => total + value(session), 0);
  const spoken = sessions.filter(({ turns, parentSessionId }) => turns !== null && !parentSessionId);
  const paid = sessions.filter(({ usd }) => usd !== null);
  const start = sessions.reduce((first, session) => (session.start < first ? session.start : first), sessions[0].start);
  const end = sessions.reduce((last, session) => Math.max(last, Number(session.start - start) + session.length), 0);
  return {
    isGroup: true, key, sessions, size: sessions.length, isOpen, start, length: end,
    llmCalls: sum(({ llmCalls }) => llmCalls), toolCalls: sum(({ toolCalls }) => toolCalls), errors: sum(({ errors }) => errors),
    // What is not on the list yet is among those whom a session started.
    agents: sessions.reduce((most, { agents }) => Math.max(most, agents), new Set(sessions.map(({ agentName }) => agentName)).size),
    turns: spoken.length ? spoken.reduce((total, { turns }) => total + turns, 0) : null,
    failed: sessions.filter(({ outcome }) => isFailure(outcome)).length,
    inputTokens: sum(({ inputTokens }) => inputTokens), outputTokens: sum(({ outputTokens }) => outputTokens), cacheReadTokens: sum(({ cacheReadTokens }) => cacheReadTokens),
    usd: paid.length ? paid.reduce((total, { usd }) => total + usd, 0) : null,
  };
}
