// SPDX-License-Identifier: Apache-2.0
// What a session's model calls were given to read: how the context grew, and what each tool's results cost by being sent
// again with every call that followed. Pure.

/**
 * `added`: tokens that were not in the call before, nor its answer. `isFresh`: the context began anew, or was cut.
 * @typedef {{ block: import("./blocks.js").Block, number: number, input: number, cached: number, output: number, added: number, isFresh: boolean, tools: any[], times: number }} ModelCall
 * `times`: how often what was added was sent, this call included.
 */

/** @param {import("./blocks.js").Block[]} blocks of a session, by start @returns {ModelCall[]} those that say what they read, by start */
export function modelCalls(blocks) {
  const found = [];
  let tools = [];
  for (const block of blocks) {
    if (block.call) tools.push(block);
    const input = block.kind === "llm" ? block.step?.usage?.inputTokens ?? 0 : 0;
    if (!input) continue;
    const { cacheReadTokens, outputTokens } = block.step.usage;
    const before = found[found.length - 1];
    const added = before ? input - before.input - before.output : input;
    // Fewer tokens than the call before had: another conversation, or one that was cut.
    const isFresh = !before || input < before.input;
    const heard = tools.filter(({ to }) => to <= block.from);
    found.push({ block, number: found.length + 1, input, cached: cacheReadTokens ?? 0, output: outputTokens ?? 0, added: isFresh ? input : Math.max(0, added), isFresh, tools: isFresh ? [] : heard, times: 1 });
    tools = tools.filter(({ to }) => to > block.from);
  }
  let times = 0;
  for (let i = found.length - 1; i >= 0; i--) {
    found[i].times = ++times;
    if (found[i].isFresh) times = 0;
  }
  return found;
}

/**
 * What the results of each tool brought into the context: what a call added, shared among the tools that answered before it by the
 * size of their results, or evenly where one is not known.
 * @param {ModelCall[]} calls @returns {{ toolName: string, results: number, tokens: number, sent: number }[]} the dearest first
 */
export function broughtBy(calls) {
  const rows = new Map();
  for (const { tools, added, times } of calls) {
    if (!tools.length) continue;
    const isKnown = tools.every(({ call }) => call.resultBytes !== null);
    const sizes = tools.map(({ call }) => (isKnown ? call.resultBytes : 1));
    const whole = sizes.reduce((sum, size) => sum + size, 0) || 1;
    tools.forEach(({ call }, place) => {
      const row = rows.get(call.toolName) ?? { toolName: call.toolName, results: 0, tokens: 0, sent: 0 };
      const tokens = (added * sizes[place]) / whole;
      row.results++;
      row.tokens += tokens;
      row.sent += tokens * times;
      rows.set(call.toolName, row);
    });
  }
  return [...rows.values()].map((row) => ({ ...row, tokens: Math.round(row.tokens), sent: Math.round(row.sent) })).sort((a, b) => b.sent - a.sent);
}

/** @param {ModelCall[]} calls @returns {{ input: number, cached: number, again: number, most: number }} `again`: tokens that an earlier call had sent already */
export function contextSums(calls) {
  const sum = (key) => calls.reduce((total, call) => total + call[key], 0);
  return { input: sum("input"), cached: sum("cached"), again: sum("input") - sum("added"), most: calls.reduce((most, { input }) => Math.max(most, input), 0) };
}
