// SPDX-License-Identifier: Apache-2.0
// The critical path in a line: who had the time, in the order in which they came in. Pure.

/** Classes in which an agent itself does something. */
const ACTIVE = new Set(["llm", "tool", "retry"]);

/**
 * @typedef {{ sessionId: string, agentName: string, nanos: number, share: number, most: { name: string, share: number } | null }} Hop `most` is the tool with the most of it
 * @param {{ sessionId: string, agentName: string, name: string, spanId?: string, class: string, from: number, to: number }[]} path
 * @param {Map<string, string>} [tools] what the tool of a call is named, by its span
 * @returns {{ hops: Hop[], waits: { class: string, nanos: number, share: number }[], whole: number }}
 */
export function pathHops(path, tools = new Map()) {
  const whole = path.reduce((sum, { from, to }) => sum + to - from, 0) || 1;
  const hops = new Map();
  const waits = new Map();
  for (const part of path) {
    const length = part.to - part.from;
    if (!ACTIVE.has(part.class)) {
      waits.set(part.class, (waits.get(part.class) ?? 0) + length);
      continue;
    }
    const key = part.agentName || part.sessionId;
    if (!hops.has(key)) hops.set(key, { sessionId: part.sessionId, agentName: part.agentName, nanos: 0, tools: new Map() });
    const hop = hops.get(key);
    hop.nanos += length;
    if (part.class === "tool") {
      const name = tools.get(part.spanId) ?? part.name.replace(/^execute_tool /, "");
      hop.tools.set(name, (hop.tools.get(name) ?? 0) + length);
    }
  }
  return {
    whole,
    hops: [...hops.values()].map(({ tools, ...hop }) => {
      const [name, nanos] = [...tools].reduce((most, each) => (each[1] > most[1] ? each : most), ["", 0]);
      return { ...hop, share: hop.nanos / whole, most: nanos > 0 ? { name, share: nanos / whole } : null };
    }),
    waits: [...waits].filter(([, nanos]) => nanos > 0).map(([name, nanos]) => ({ class: name, nanos, share: nanos / whole })).sort((a, b) => b.nanos - a.nanos),
  };
}
