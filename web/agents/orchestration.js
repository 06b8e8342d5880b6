// SPDX-License-Identifier: Apache-2.0
// An orchestration as the page needs it: times as numbers after its start, sessions as a tree in drawing order. Pure.
import { nanos } from "../lib/format.js";
import { TimeAxis } from "./axis.js";

/** The last moments of what runs are never drawn short. */
const NOW_NANOS = 30e9;
/** Classes of the critical path in which something is done. */
const BUSY = new Set(["llm", "tool"]);

/**
 * A session as one lane. `depth` counts the sessions above; `awaited` are those it waited for.
 * @typedef {any & { index: number, parent: number, depth: number, children: number[], from: number, to: number, isOpen: boolean, awaited: Lane[] }} Lane
 */

export class Orchestration {
  /** @param {any} answer of `orchestrations/{id}` @param {number} [nowMillis] for what still runs */
  constructor(answer, nowMillis = Date.now()) {
    this.answer = answer;
    const starts = answer.sessions.map(({ startTimeUnixNano }) => nanos(startTimeUnixNano));
    const first = nanos(answer.startTimeUnixNano);
    /** @type {bigint} */
    this.start = starts.reduce((least, start) => (start < least ? start : least), first || starts[0] || 0n);
    this.now = Number(BigInt(nowMillis) * 1_000_000n - this.start);
    // There may be hundreds of thousands of them: they are not copied.
    const since = after(this.start);
    const timed = (each) => {
      each.from = since(each.startTimeUnixNano);
      each.to = each.from + (Number(each.durationNanos) || 0);
      return each;
    };
    this.isRunning = answer.state === "running" || answer.state === "waiting";
    this.sessions = answer.sessions.map((session) => {
      const found = timed(session);
      const isOpen = session.state === "running" || session.state === "waiting";
      return { ...found, isOpen, to: isOpen ? Math.max(found.to, this.now) : found.to, children: [], parent: -1, depth: 0, awaited: [] };
    });
    this.byId = new Map(this.sessions.map((session, index) => [session.sessionId, index]));
    this.toolCalls = answer.toolCalls.map((call) => (call.outcome === null && this.isRunning ? Object.assign(timed(call), { to: Math.max(call.to, this.now) }) : timed(call)));
    /** What tools are called, by the spans of their calls and of the layers in them. @type {Map<string, string>} */
    this.toolNames = new Map(answer.toolCalls.flatMap(({ toolName, spanId, layers = [] }) => [[spanId, toolName], ...layers.map((layer) => [layer.spanId, toolName])]));
    this.path = answer.criticalPath.map(timed);
    this.edges = answer.edges.map(timed);
    this.loops = answer.loops.map(timed);
    this.duration = Number(nanos(answer.durationNanos));
    this.to = Math.max(1, this.duration + Number(first - this.start), ...[this.sessions, this.toolCalls].map((some) => some.reduce((most, { to }) => Math.max(most, to), 0)));
    this.callsOf = bySession(this.toolCalls, (call) => call.sessionId);
    this.pathOf = bySession(this.path, (part) => part.sessionId);
    this.edgesFrom = bySession(this.edges, (edge) => edge.fromSessionId);
    /** What started a session, by its id. @type {Map<string, any>} */
    this.edgeTo = new Map(this.edges.filter(({ kind }) => kind !== "message").map((edge) => [edge.toSessionId, edge]));
    this.loopsOf = bySession(this.loops, (loop) => loop.sessionId);
    /** Attempts of one operation, by the span of each. @type {Map<string, any>} */
    this.retryOf = new Map(answer.retries.flatMap((retry) => retry.spanIds.map((spanId) => [spanId, retry])));
    this.traceIds = [...new Set(this.sessions.map(({ traceId }) => traceId))];
    this.lanes = this.inOrder();
    /** Sessions of which more is told than that they were: of the others a policy may have kept only the totals. */
    this.told = new Set([...this.toolCalls.filter(({ childSessionIds }) => !childSessionIds.length), ...this.path.filter((part) => BUSY.has(part.class))].map(({ sessionId }) => sessionId));
    this.isReduced = !this.isRunning && this.told.size === 0 && this.sessions.some(({ llmCallCount, toolCallCount }) => llmCallCount + toolCallCount > 0);
    this.axis = new TimeAxis(0, this.to, this.busy());
  }

  /** Sessions below the one that started them, siblings by start; whatever the parents say, each exactly once. @returns {number[]} */
  inOrder() {
    const { sessions, byId } = this;
    sessions.forEach((session, index) => {
      session.index = index;
      const parent = byId.get(session.parentSessionId) ?? -1;
      session.parent = parent === index ? -1 : parent;
    });
    for (const session of sessions) if (session.parent >= 0) sessions[session.parent].children.push(session.index);
    for (const edge of this.edges) {
      const [from, to] = [sessions[byId.get(edge.fromSessionId)], sessions[byId.get(edge.toSessionId)]];
      if (from && to && edge.kind === "delegate") from.awaited.push(to);
    }
    const order = [];
    const isPlaced = new Uint8Array(sessions.length);
    const place = (root) => {
      const stack = [root];
      while (stack.length) {
        const index = stack.pop();
        if (isPlaced[index]) continue;
        isPlaced[index] = 1;
        order.push(index);
        const { children, depth } = sessions[index];
        for (let i = children.length - 1; i >= 0; i--) {
          if (isPlaced[children[i]]) continue;
          sessions[children[i]].depth = depth + 1;
          stack.push(children[i]);
        }
      }
    };
    for (const { index, parent } of sessions) if (parent < 0) place(index);
    // What is left are circles: the first of each becomes a root.
    for (const session of sessions) {
      if (isPlaced[session.index]) continue;
      session.parent = -1;
      place(session.index);
    }
    return order;
  }

  /** When something is done that somebody waits for: the rest may be drawn short. @returns {[number, number][]} */
  busy() {
    const edge = this.to * 0.002;
    // Nobody waits for what is done in the background.
    const isAwaited = (id) => !this.session(id)?.background;
    const found = this.toolCalls.filter(({ childSessionIds, sessionId }) => !childSessionIds.length && isAwaited(sessionId)).map(({ from, to }) => [from, to]);
    for (const part of this.path) if (BUSY.has(part.class)) found.push([part.from, part.to]);
    for (const { sessionId, background, from, to, isOpen, llmCallCount, toolCallCount, children } of this.sessions) {
      found.push([from, Math.min(to, from + edge)], [Math.max(from, to - edge), to + edge]);
      // Of a session that tells of no step everything may be work; of one that runs what it does now is not known yet.
      if (!this.told.has(sessionId) && (llmCallCount + toolCallCount > 0 ? !background : !children.length)) found.push([from, to]);
      if (isOpen) found.push([Math.max(from, to - NOW_NANOS), to]);
    }
    for (const { from } of this.edges) found.push([from, from + edge]);
    return found;
  }

  /** @param {string} id @returns {Lane | null} */
  session(id) {
    return this.sessions[this.byId.get(id)] ?? null;
  }

  /** The session that has a span, by what the orchestration tells of spans. @param {string} spanId @returns {string | null} */
  sessionOfSpan(spanId) {
    this.spanSessions ??= new Map([...this.path, ...this.toolCalls, ...this.sessions].map((each) => [each.spanId, each.sessionId]));
    return this.spanSessions.get(spanId) ?? null;
  }

  /** Lanes that show when those below some sessions do not. @param {Set<string>} collapsed session ids @returns {number[]} */
  shown(collapsed) {
    if (!collapsed.size) return this.lanes;
    const found = [];
    let hiddenBelow = Infinity;
    for (const index of this.lanes) {
      const { depth, sessionId, children } = this.sessions[index];
      if (depth > hiddenBelow) continue;
      hiddenBelow = collapsed.has(sessionId) && children.length ? depth : Infinity;
      found.push(index);
    }
    return found;
  }
}

/** How long after the start moments were: exact, and without a BigInt for each of very many. @param {bigint} start @returns {(text: string) => number} of decimal Unix nanoseconds */
function after(start) {
  const [seconds, rest] = [Number(start / 1_000_000_000n), Number(start % 1_000_000_000n)];
  return (text) => {
    const found = (Number(text?.slice(0, -9)) - seconds) * 1e9 + Number(text?.slice(-9)) - rest;
    return Number.isFinite(found) ? found : 0;
  };
}

function bySession(items, keyOf) {
  const found = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (found.has(key)) found.get(key).push(item);
    else found.set(key, [item]);
  }
  return found;
}
