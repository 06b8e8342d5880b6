// SPDX-License-Identifier: Apache-2.0
// What a session did, as blocks on its lane: out of its steps where they are known, else out of what the orchestration tells. Pure.
import { idle } from "./axis.js";
import { isFailure, momentOf } from "./words.js";

/** Blocks side by side in one lane; what would be further down shares the last line. */
export const LEVELS_MAX = 5;
/** Time without any span is drawn from here on, and from this share of the session. */
const GAP_MIN_NANOS = 1e9;
const GAP_MIN_SHARE = 0.01;

/**
 * `kind` is a time class or "handoff" or "other"; `from` and `to` are nanoseconds after the orchestration's start.
 * @typedef {{ kind: "llm" | "tool" | "childAgent" | "humanWait" | "messageWait" | "handoff" | "own" | "other", word: string, name: string, from: number, to: number, level: number,
 *   spanId: string | null, stepId: string | null, isFailed: boolean, outcome: string | null, attempt: number, isOpen: boolean, call: any | null, step: any | null }} Block
 */

const KINDS = { llm: "llm", plan: "llm", embedding: "llm", tool: "tool", retrieval: "tool", memory: "tool", guardrail: "tool", eval: "tool", agent: "childAgent", handoff: "handoff", human: "humanWait" };
const WORDS = { llm: "llm", tool: "tool" };
const SPAN_ID = /^[0-9a-f]{16}$/;

/**
 * @param {import("./orchestration.js").Lane} session @param {{ calls: any[], path: any[], edges: any[], steps: any[] | null, start: bigint, now: number }} known
 * @returns {Block[]} by start
 */
export function blocksOf(session, { calls, path, edges, steps, start, now }) {
  const blocks = steps ? fromSteps(steps, { calls, edges, start, now }) : fromSummary(calls, path, edges);
  blocks.sort((a, b) => a.from - b.from || b.to - a.to);
  if (steps || session.llmCallCount === 0) blocks.push(...unaccounted(session, blocks));
  blocks.sort((a, b) => a.from - b.from || b.to - a.to);
  stack(blocks);
  return blocks;
}

function block(kind, name, from, to, more) {
  return { kind, word: kind, name, from, to, level: 0, spanId: null, stepId: null, isFailed: false, outcome: null, attempt: 1, isOpen: false, call: null, step: null, ...more };
}

function ofCall(call, step = null) {
  const kind = call.childSessionIds.length ? "childAgent" : "tool";
  return block(kind, call.toolName, call.from, call.to, { word: "tool", spanId: call.spanId, stepId: step?.stepId ?? null, isFailed: isFailure(call.outcome), outcome: call.outcome, attempt: call.attempt, isOpen: call.outcome === null, call, step });
}

/** Without steps: tool calls, and what the critical path says of models and of waiting. */
function fromSummary(calls, path, edges) {
  const blocks = calls.map((call) => ofCall(call));
  const known = new Set(calls.map(({ spanId }) => spanId));
  for (const { kind, spanId, from, to } of edges) {
    if (kind !== "message" && !known.has(spanId)) blocks.push(block(kind === "handoff" ? "handoff" : "childAgent", kind, from, to, { word: kind, spanId }));
  }
  for (const part of path) {
    // Of very many calls only the first are told; the path still tells of those that mattered.
    const isCall = part.class === "tool" && !known.has(part.spanId);
    if (isCall || part.class === "llm" || part.class === "humanWait" || part.class === "messageWait") blocks.push(block(part.class, isCall ? part.name.replace(/^execute_tool /, "") : part.name, part.from, part.to, { word: WORDS[part.class] ?? "wait", spanId: part.spanId }));
  }
  return blocks;
}

function fromSteps(steps, { calls, edges, start, now }) {
  const bySpan = new Map(calls.map((call) => [call.spanId, call]));
  const byCall = new Map(calls.filter(({ callId }) => callId).map((call) => [call.callId, call]));
  // Spans of a call's inner layers are the same call once more.
  const inner = new Set(calls.flatMap(({ layers, spanId }) => layers.map((layer) => layer.spanId).filter((id) => id !== spanId)));
  const bringing = new Map(edges.filter(({ kind }) => kind !== "message").map((edge) => [edge.spanId, edge]));
  const used = new Set();
  const blocks = [];
  for (const step of steps) {
    const spanId = step.spanId ?? (SPAN_ID.test(step.stepId) ? step.stepId : null);
    if (inner.has(spanId)) continue;
    const call = bySpan.get(spanId) ?? byCall.get(step.tool?.callId);
    if (call) {
      if (!used.has(call)) blocks.push(ofCall(call, step));
      used.add(call);
      continue;
    }
    const from = momentOf(step.startTime);
    if (from === null) continue;
    const end = momentOf(step.endTime);
    const since = Number(from - start);
    const word = step.stepKind ?? "custom";
    const edge = bringing.get(spanId);
    const kind = edge ? (edge.kind === "handoff" ? "handoff" : "childAgent") : word === "wait" ? (step.waitsOn?.kind === "human" ? "humanWait" : "messageWait") : KINDS[word] ?? "other";
    blocks.push(block(kind, nameOf(step), since, end === null ? Math.max(since, now) : Number(end - start), {
      word, spanId, stepId: step.stepId, isFailed: isFailure(step.stepOutcome), outcome: step.stepOutcome, attempt: step.attempt ?? 1, isOpen: end === null, step,
    }));
  }
  for (const call of calls) if (!used.has(call)) blocks.push(ofCall(call));
  return blocks;
}

function nameOf(step) {
  if (step.stepKind === "llm" && step.llm?.model) return step.llm.model;
  if (step.tool?.name) return step.tool.name;
  const action = step.stepAction ?? "";
  return step.stepKind === "wait" && step.waitsOn?.kind ? `waiting for ${step.waitsOn.kind}` : action.slice(action.indexOf(":") + 1) || action;
}

/** Time in which no span tells what the session did; where calls were counted and none is there, they were not kept. */
function unaccounted(session, blocks) {
  const isReduced = session.llmCallCount + session.toolCallCount > 0 && blocks.every(({ kind }) => kind === "childAgent" || kind === "handoff");
  const busy = blocks.map(({ from, to }) => /** @type {[number, number]} */ ([from, to]));
  for (const child of session.awaited) busy.push([child.from, child.to]);
  const least = Math.max(GAP_MIN_NANOS, GAP_MIN_SHARE * (session.to - session.from));
  return idle(session.from, session.to, busy).filter(([from, to]) => to - from >= least).map(([from, to]) => block("own", isReduced ? "steps not kept" : "unaccounted", from, to, { word: "gap" }));
}

/** Gives each block the first line that is free when it starts. Blocks are sorted by start. @param {Block[]} blocks */
export function stack(blocks) {
  const ends = [];
  for (const each of blocks) {
    let level = ends.findIndex((end) => end <= each.from);
    if (level < 0) level = Math.min(ends.length, LEVELS_MAX - 1);
    ends[level] = Math.max(ends[level] ?? 0, each.to);
    each.level = level;
  }
}

/** For each block the latest end so far, so that those that reach into a window are found by bisection. @param {Block[]} blocks */
export function reaches(blocks) {
  const found = new Float64Array(blocks.length);
  let most = -Infinity;
  for (let i = 0; i < blocks.length; i++) {
    most = Math.max(most, blocks[i].to);
    found[i] = most;
  }
  return found;
}

/** The first block that may reach beyond a time. @param {Float64Array} ends from `reaches` */
export function firstReaching(ends, time) {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
