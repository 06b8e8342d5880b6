// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { TimeAxis, idle } from "../agents/axis.js";
import { LEVELS_MAX, blocksOf, firstReaching, reaches, stack } from "../agents/blocks.js";
import { OrchestrationPair, aboveOf, nameOf } from "../agents/compare-model.js";
import { broughtBy, contextSums, modelCalls } from "../agents/context-cost.js";
import { grouped } from "../agents/groups.js";
import { Orchestration } from "../agents/orchestration.js";
import { pathHops } from "../agents/path-hops.js";
import { ToolHeat } from "../agents/tool-heat.js";
import { spentBy, toolRows } from "../agents/tool-table.js";
import { headOf, messageWords, withMessages } from "../agents/turns.js";
import { dollars, momentOf, samplingWords, standing, upright } from "../agents/words.js";

const S = 1e9;
const ORIGIN = 1_800_000_000_000_000_000n;
const at = (seconds) => String(ORIGIN + BigInt(Math.round(seconds * S)));

function session(sessionId, from, to, more = {}) {
  return {
    sessionId, parentSessionId: null, traceId: "t", spanId: sessionId, agentName: sessionId, state: "ended", outcome: "success", llmCallCount: 0, toolCallCount: 0,
    startTimeUnixNano: at(from), durationNanos: String(Math.round((to - from) * S)), usage: {}, timeClasses: {}, ...more,
  };
}

function answer(sessions, more = {}) {
  return { state: "ended", startTimeUnixNano: at(0), durationNanos: String(100 * S), sessions, edges: [], toolCalls: [], criticalPath: [], retries: [], loops: [], ...more };
}

function call(sessionId, spanId, from, to, more = {}) {
  return {
    spanId, sessionId, toolName: "grep", server: null, callId: null, outcome: "success", attempt: 1, retryOf: null, startTimeUnixNano: at(from), durationNanos: String(Math.round((to - from) * S)),
    resultBytes: null, childSessionIds: [], layers: [{ spanId }], ...more,
  };
}

test("long idle time is drawn short, and every place is a time again", () => {
  const axis = new TimeAxis(0, 1000 * S, [[0, 10 * S], [12 * S, 20 * S], [600 * S, 610 * S], [980 * S, 1000 * S]]);
  assert.deepEqual(axis.breaks.map(({ from, to }) => [from / S, to / S]), [[20, 600], [610, 980]]);
  assert.equal(axis.place(0), 0);
  assert.ok(Math.abs(axis.place(1000 * S) - 1) < 1e-12);
  assert.ok(axis.place(20 * S) > 0.3, "what is busy has the room");
  let last = -1;
  for (let time = 0; time <= 1000; time += 7) {
    const place = axis.place(time * S);
    assert.ok(place > last);
    assert.ok(Math.abs(axis.time(place) - time * S) < 1000, `${time} s`);
    last = place;
  }
  assert.deepEqual(axis.stretches(0, 1).map(([from, to]) => [Math.round(from / S), Math.round(to / S)]), [[0, 20], [600, 610], [980, 1000]]);
});

test("time is not compressed where nothing is busy, or where the break would not be shorter", () => {
  assert.deepEqual(new TimeAxis(0, 1000 * S, []).breaks, []);
  assert.deepEqual(new TimeAxis(0, 2000 * S, [[0, 1000 * S], [1031 * S, 2000 * S]]).breaks, []);
  assert.equal(new TimeAxis(0, 0, []).place(0), 0);
  assert.deepEqual(idle(0, 10, [[8, 20], [-5, 2], [3, 4], [1, 3]]), [[4, 8]]);
});

test("sessions are lanes below those that started them, whatever their parents say", () => {
  const found = new Orchestration(answer([
    session("root", 0, 9), session("late", 5, 6, { parentSessionId: "root" }), session("early", 1, 2, { parentSessionId: "root" }), session("deep", 5, 6, { parentSessionId: "late" }),
    session("lost", 3, 4, { parentSessionId: "nobody" }), session("a", 1, 2, { parentSessionId: "b" }), session("b", 1, 2, { parentSessionId: "a" }), session("self", 1, 2, { parentSessionId: "self" }),
  ]));
  const names = found.lanes.map((index) => found.sessions[index].sessionId);
  assert.equal(new Set(names).size, 8);
  assert.deepEqual(names.slice(0, 4), ["root", "late", "deep", "early"]);
  assert.deepEqual(found.shown(new Set(["late"])).map((index) => found.sessions[index].sessionId).slice(0, 3), ["root", "late", "early"]);
  assert.equal(found.session("deep").depth, 2);
});

test("a chain of a hundred thousand sessions is no recursion", () => {
  const many = Array.from({ length: 100_000 }, (_, i) => session(`s${i}`, 0, 1, { parentSessionId: i ? `s${i - 1}` : null }));
  assert.equal(new Orchestration(answer(many)).session("s99999").depth, 99_999);
});

test("what runs grows until now", () => {
  const now = Number(ORIGIN / 1_000_000n) + 60_000;
  const found = new Orchestration(answer([session("live", 0, 5, { state: "running", outcome: null })], { state: "running", durationNanos: "0" }), now);
  assert.equal(found.session("live").to, 60 * S);
  assert.ok(found.to >= 60 * S);
});

test("blocks come from steps, a call's layers once, and what nobody tells of is unaccounted", () => {
  const calls = [call("s", "aaaaaaaaaaaaaaaa", 2, 6, { layers: [{ spanId: "aaaaaaaaaaaaaaaa" }, { spanId: "bbbbbbbbbbbbbbbb" }] }), call("s", "cccccccccccccccc", 3, 5, { outcome: "timeout", attempt: 2, callId: "c2" })];
  const found = new Orchestration(answer([session("s", 0, 100, { llmCallCount: 1, toolCallCount: 2 })], { toolCalls: calls }));
  const time = (seconds) => new Date(Number((ORIGIN + BigInt(seconds * S)) / 1_000_000n)).toISOString();
  const steps = [
    { stepId: "s1", stepKind: "llm", stepAction: "llm:x", llm: { model: "m" }, startTime: time(0), endTime: time(2), stepOutcome: "success" },
    { stepId: "aaaaaaaaaaaaaaaa", stepKind: "tool", stepAction: "tool:grep", startTime: time(2), endTime: time(6), stepOutcome: "success" },
    { stepId: "bbbbbbbbbbbbbbbb", stepKind: "tool", stepAction: "tool:grep", startTime: time(3), endTime: time(5), stepOutcome: "success" },
    { stepId: "own-id", stepKind: "tool", tool: { callId: "c2" }, stepAction: "tool:grep", startTime: time(3), endTime: time(5), stepOutcome: "timeout" },
    { stepId: "s4", stepKind: "wait", stepAction: "wait:human", waitsOn: { kind: "human" }, startTime: time(6), endTime: time(40), stepOutcome: "success" },
    { stepId: "s5", stepKind: "custom", stepAction: "no time at all", startTime: "yesterday", endTime: null },
  ];
  const known = { calls: found.callsOf.get("s"), path: [], edges: [], start: found.start, now: found.now };
  const blocks = blocksOf(found.session("s"), { ...known, steps });
  assert.deepEqual(blocks.map(({ kind, name, from, to, level }) => [kind, name, from / S, to / S, level]), [
    ["llm", "m", 0, 2, 0], ["tool", "grep", 2, 6, 0], ["tool", "grep", 3, 5, 1], ["humanWait", "waiting for human", 6, 40, 0], ["own", "unaccounted", 40, 100, 0],
  ]);
  assert.equal(blocks[2].isFailed, true);
  assert.equal(blocksOf(found.session("s"), { ...known, steps: null }).filter(({ kind }) => kind === "own").length, 0, "models are not known yet");
});

test("parallel blocks stack, and those that reach into a window are found by bisection", () => {
  const blocks = Array.from({ length: 20 }, (_, i) => ({ from: i, to: 100 + i, level: 0 }));
  stack(blocks);
  assert.deepEqual(blocks.slice(0, 5).map(({ level }) => level), [0, 1, 2, 3, 4]);
  assert.equal(Math.max(...blocks.map(({ level }) => level)), LEVELS_MAX - 1);
  const ends = reaches([{ from: 0, to: 50 }, { from: 1, to: 2 }, { from: 3, to: 4 }, { from: 60, to: 61 }]);
  assert.equal(firstReaching(ends, 40), 0);
  assert.equal(firstReaching(ends, 55), 3);
  assert.equal(firstReaching(ends, 99), 4);
});

test("the path says who had the time", () => {
  const part = (agentName, kind, from, to, name = "x") => ({ sessionId: agentName, agentName, class: kind, name, from: from * S, to: to * S });
  const { hops, waits } = pathHops([part("planner", "llm", 0, 10), part("researcher", "tool", 10, 50, "execute_tool web.search"), part("researcher", "llm", 50, 60), part("planner", "own", 60, 85), part("planner", "llm", 85, 100)]);
  assert.deepEqual(hops.map(({ agentName, share, most }) => [agentName, share, most]), [["planner", 0.25, null], ["researcher", 0.5, { name: "web.search", share: 0.4 }]]);
  assert.deepEqual(waits.map((wait) => [wait.class, wait.share]), [["own", 0.25]]);
  assert.deepEqual(pathHops([]).hops, []);
  assert.equal(pathHops([{ ...part("a", "tool", 0, 5, "claude_code.tool"), spanId: "s" }], new Map([["s", "add"]])).hops[0].most.name, "add");
});

test("tools and costs are summed up", () => {
  const calls = [1, 2, 3, 10].map((length, i) => ({ ...call("s", `${i}`, 0, length), from: 0, to: length * S, outcome: i === 3 ? "failure" : "success", attempt: i === 3 ? 2 : 1 }));
  const [row] = toolRows(calls, 32 * S);
  assert.deepEqual([row.callCount, row.errorCount, row.retryCount, row.p50 / S, row.p95 / S, row.total / S, row.share, row.worst.spanId], [4, 1, 1, 2, 10, 16, 0.5, "3"]);
  const rows = spentBy([{ name: "a", calls: 1, usage: { inputTokens: 5, usd: null } }, { name: "b", calls: 1, usage: { inputTokens: 1, usd: 0.2 } }, { name: "a", calls: 2, usage: null }]);
  assert.deepEqual(rows.map(({ name, calls: n, usd, inputTokens }) => [name, n, usd, inputTokens]), [["b", 1, 0.2, 1], ["a", 3, null, 5]]);
});

test("sessions of one key stand together, where the first of them stood", () => {
  const row = (sessionId, sessionKey, more = {}) => ({ sessionId, sessionKey, start: 0n, length: 5, llmCalls: 1, toolCalls: 1, errors: 0, agents: 1, turns: null, agentName: sessionId, inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, usd: null, outcome: "success", ...more });
  const rows = [row("1", "k", { usd: 0.5, agents: 4, turns: 2 }), row("2", null), row("3", "k", { outcome: "failure", start: 3n }), row("4", "z"), row("5", "z", { length: 2 }), row("6", "alone")];
  assert.deepEqual(grouped(rows, new Set(["z"])).map((each) => (each.isGroup ? `[${each.key} ${each.size} ${each.length}]` : each.sessionId)), ["[k 2 8]", "1", "3", "2", "[z 2 5]", "6"]);
  assert.equal(grouped(rows, new Set())[0].usd, 0.5);
  assert.deepEqual([grouped(rows, new Set())[0].agents, grouped(rows, new Set())[0].turns], [4, 2]);
  assert.equal(grouped(rows, new Set())[0].failed, 1);
});

test("where only totals are kept nothing is drawn as idle, and it is said", () => {
  const reduced = session("s", 0, 100, { llmCallCount: 2, toolCallCount: 1 });
  const path = { ...session("s", 0, 100), class: "own" };
  const skeleton = new Orchestration(answer([reduced], { criticalPath: [path] }));
  assert.deepEqual([skeleton.isReduced, skeleton.axis.breaks.length], [true, 0]);
  const whole = new Orchestration(answer([reduced], { criticalPath: [path], toolCalls: [call("s", "1", 1, 2)] }));
  assert.deepEqual([whole.isReduced, whole.axis.breaks.length], [false, 1]);
});

test("words for states, money and moments", () => {
  assert.equal(standing({ state: "abandoned", outcome: null }).text, "stalled");
  assert.equal(standing({ state: "ended", outcome: "timeout" }).key, "failed");
  assert.equal(standing({ state: "ended", outcome: "cancelled" }).key, "other");
  assert.deepEqual([null, 0, 0.00001, 0.0042, 0.012, 0.63, 12.5, 1284].map(dollars), ["–", "$0", "<$0.0001", "$0.0042", "$0.012", "$0.63", "$12.50", "$1.28k"]);
  assert.equal(momentOf("2026-11-22T20:00:00.123456789Z"), 1795377600123456789n);
  assert.equal(momentOf("2026-11-22T21:00:00+01:00"), 1795377600000000000n);
  assert.equal(momentOf("1795377600123456789"), 1795377600123456789n);
  assert.deepEqual([momentOf(null), momentOf("yesterday")], [null, null]);
});

test("a session says why it was kept where others were not", () => {
  assert.equal(samplingWords({ sampled: true, samplingReason: null, weight: 1 }), null);
  assert.equal(samplingWords({ sampled: true, samplingReason: "priority:background", weight: 50 }), "priority:background · 1 of 50");
  assert.equal(samplingWords({ sampled: false, samplingReason: "rate", weight: 1 }), "not sampled · rate");
  assert.equal(samplingWords({ sampled: true, samplingReason: "default rate keeps 100 %", samplingDecision: "kept", weight: 1 }), null);
  assert.equal(samplingWords({ sampled: false, samplingReason: "rule low keeps 10 %", samplingDecision: "reduced", samplingRate: 0.1, weight: 1 }), "only totals are kept · rule low keeps 10 %");
  assert.equal(samplingWords({ sampled: true, samplingReason: "rule urgent keeps 100 %", samplingDecision: "kept", samplingRate: 1, weight: 1 }), null);
  assert.equal(samplingWords({ sampled: false, samplingReason: "rule low keeps 10 %", samplingDecision: "held", samplingRate: 0.1, weight: 1 }), "not decided yet · rule low keeps 10 %");
});

test("messages stand among turns where they were sent, and wait for turns that are not read yet", () => {
  const turn = (seconds) => ({ kind: "text", role: "user", text: "t", spanId: "s", timeUnixNano: `${seconds}000000000` });
  const message = (seconds, more) => ({ messageId: `m${seconds}`, from: "agent:a", to: ["agent:b", "user:u"], time: `1970-01-01T00:00:0${seconds}Z`, trace: { spanId: `s${seconds}` }, bytes: 2048, ...more });
  const first = withMessages([turn(1), turn(3)], [message(5), message(2, { text: "hi" }), message(3)], false);
  assert.deepEqual(first.turns.map(({ kind, text, spanId }) => [kind, text, spanId]), [["text", "t", "s"], ["message", "hi", "s2"], ["text", "t", "s"]]);
  const rest = withMessages([turn(4)], first.rest, true);
  assert.deepEqual(rest.turns.map(({ message: sent }) => sent?.messageId), ["m3", undefined, "m5"]);
  assert.deepEqual(headOf(rest.turns[0]), { who: "agent:a", what: "to agent:b, user:u" });
  assert.equal(messageWords(message(1)).replace(/\s/g, " "), "2.00 KiB, the text was not kept");
  assert.equal(upright("a\u202eb\u2066c"), "abc");
});

const modelBlock = (from, input, output, cached = 0) => ({ kind: "llm", from, to: from + 1, call: null, step: { usage: { inputTokens: input, outputTokens: output, cacheReadTokens: cached } } });
const toolBlock = (from, toolName, resultBytes) => ({ kind: "tool", from, to: from + 1, call: { toolName, resultBytes }, step: null });

test("what tools bring into the context is paid for with each call that follows, until the context begins anew", () => {
  const calls = modelCalls([modelBlock(0, 100, 10), toolBlock(2, "grep", 300), toolBlock(3, "read", 100), modelBlock(5, 510, 20, 100), toolBlock(7, "late", 5), modelBlock(7.5, 530, 5, 500), modelBlock(9, 50, 5)]);
  assert.deepEqual(calls.map(({ number, added, times, isFresh }) => [number, added, times, isFresh]), [[1, 100, 3, true], [2, 400, 2, false], [3, 0, 1, false], [4, 50, 1, true]]);
  assert.deepEqual(broughtBy(calls), [{ toolName: "grep", results: 1, tokens: 300, sent: 600 }, { toolName: "read", results: 1, tokens: 100, sent: 200 }]);
  assert.deepEqual(contextSums(calls), { input: 1190, cached: 600, again: 640, most: 530 });
});

test("a heat map counts calls where they lie on the axis, and knows the longest of each cell", () => {
  const axis = { place: (time) => time / 100 };
  const call = (from, length, outcome = "success") => ({ from, to: from + length, outcome });
  const heat = new ToolHeat([call(0, 1000), call(4, 1010, "failure"), call(50, 2e6), call(90, 10)], axis, { from: 0, to: 0.8, columns: 8 });
  assert.equal(heat.count, 3);
  const [row] = [...heat.cells.values()].filter(({ column }) => column === 0);
  assert.deepEqual([row.count, row.failed, row.longest.to - row.longest.from], [2, 1, 1010]);
  assert.equal(heat.at(5, heat.rows - 1).count, 1);
  assert.ok(heat.rows <= 16);
  assert.deepEqual(heat.table().map(({ count }) => count), [1, 2]);
  assert.deepEqual(new ToolHeat([], axis, { from: 0, to: 1, columns: 8 }).table(), []);
});

const pairStep = (signature, durationNanos, outcome = "success") => ({ signature, durationNanos: String(durationNanos), outcome, spanId: `${signature}${durationNanos}`, traceId: "t", sessionId: "s" });
test("two orchestrations: what differs, where they part, and the same in words", () => {
  const [root, late] = [pairStep("lead", 10e9), pairStep("lead", 30e9)];
  const [grep, other] = [pairStep("lead › `grep`", 1e9, "failure"), pairStep("lead › `grep`", 1e9)];
  const read = pairStep("lead › read › `open`", 2e9);
  const pair = new OrchestrationPair({
    durationNanos: { a: "10000000000", b: "30000000000" }, errorCount: { a: 1, b: 0 }, usage: { a: null, b: null }, firstDivergence: { index: 2, a: null, b: read },
    steps: [{ a: root, b: late }, { a: grep, b: other }, { a: null, b: read }], sessions: [], tools: [], timeClasses: [{ name: "llm", durationNanos: { a: "0", b: "19000000000" } }],
  });
  assert.deepEqual(pair.steps.map(({ mark, isFirst }) => [mark, isFirst]), [["~", false], ["≠", false], ["B", true]]);
  assert.equal(pair.sentence().replace(/\s/g, " ").replace(/[\u2068\u2069]/g, ""), "B takes 20.0 s longer: 30.0 s in place of 10.0 s. Most of it: model, +19.0 s. After 2 common steps only B goes on, with open. 0 errors in place of 1.");
  assert.deepEqual([nameOf(root), nameOf(read), aboveOf(read), aboveOf(root)], ["lead", "open", "lead › read", ""]);
});
