// SPDX-License-Identifier: Apache-2.0
// Tool calls of an orchestration summed up by tool, and what was spent by agent, session and model. Pure.
import { isFailure } from "./words.js";

/** @param {any[]} calls with `from` and `to` @param {number} whole nanoseconds that a share is of */
export function toolRows(calls, whole) {
  const groups = new Map();
  for (const call of calls) {
    const key = `${call.toolName}\u0000${call.server ?? ""}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(call);
  }
  return [...groups.values()].map((some) => {
    const lengths = some.map(({ from, to }) => to - from).sort((a, b) => a - b);
    const at = (p) => lengths[Math.max(0, Math.ceil(lengths.length * p) - 1)];
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const known = some.filter(({ resultBytes }) => resultBytes !== null);
    return {
      toolName: some[0].toolName, server: some[0].server, callCount: some.length, errorCount: some.filter(({ outcome }) => isFailure(outcome)).length,
      retryCount: some.filter(({ attempt, retryOf }) => attempt > 1 || retryOf).length, p50: at(0.5), p95: at(0.95), max: lengths[lengths.length - 1], total, share: total / Math.max(1, whole),
      resultBytes: known.length ? known.reduce((sum, { resultBytes }) => sum + resultBytes, 0) : null,
      worst: some.reduce((most, call) => (call.to - call.from > most.to - most.from ? call : most)),
    };
  }).sort((a, b) => b.total - a.total);
}

const TOKENS = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens"];

/** @param {{ name: string, calls: number, usage: any }[]} items @returns what each name used, the dearest first */
export function spentBy(items) {
  const rows = new Map();
  for (const { name, calls, usage } of items) {
    if (!rows.has(name)) rows.set(name, { name, calls: 0, usd: null, ...Object.fromEntries(TOKENS.map((key) => [key, 0])) });
    const row = rows.get(name);
    row.calls += calls;
    for (const key of TOKENS) row[key] += usage?.[key] ?? 0;
    if (typeof usage?.usd === "number") row.usd = (row.usd ?? 0) + usage.usd;
  }
  return [...rows.values()].sort((a, b) => (b.usd ?? -1) - (a.usd ?? -1) || b.inputTokens + b.outputTokens - a.inputTokens - a.outputTokens);
}
