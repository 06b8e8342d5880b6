// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { Comparison } from "../compare/model.js";
import { sentence, signedCount, signedDuration, typical } from "../compare/sentence.js";
import { TraceModel } from "../trace/model.js";

const MS = 1e6;

/** Spans as [parent, service, operation, start ms, duration ms, isFailed]. */
function trace(...spans) {
  const names = (at) => [...new Set(spans.map((span) => span[at]))];
  const [services, operations] = [names(1), names(2)];
  return new TraceModel({
    traceId: "1".repeat(32), durationNanos: String(Math.max(...spans.map(([, , , start, length]) => start + length)) * MS), services: services.map((name, color) => ({ name, color })), operations,
    spans: {
      id: spans.map((_, index) => String(index).padStart(16, "0")), parent: spans.map(([parent]) => parent), service: spans.map((span) => services.indexOf(span[1])), operation: spans.map((span) => operations.indexOf(span[2])),
      kind: spans.map(() => 1), status: spans.map((span) => (span[5] ? 2 : 0)), start: spans.map((span) => span[3] * MS), duration: spans.map((span) => span[4] * MS), events: spans.map(() => 0), links: spans.map(() => 0), weight: spans.map(() => 1),
    },
  });
}

const A = trace([-1, "gateway", "POST /pay", 0, 100], [0, "payment", "POST /charge", 10, 50], [0, "mail", "send", 70, 20]);
const B = trace([-1, "gateway", "POST /pay", 5, 240], [0, "payment", "POST /charge", 15, 150, true], [0, "orders", "SELECT", 170, 20], [0, "orders", "SELECT", 195, 20]);

test("paths of both traces stand in one tree, siblings by when they begin", () => {
  const both = new Comparison([A], [B]);
  assert.deepEqual(both.operation, ["POST /pay", "POST /charge", "send", "SELECT"]);
  assert.deepEqual([...both.parent], [-1, 0, 0, 0]);
  assert.deepEqual([...both.end], [4, 2, 3, 4]);
  assert.deepEqual(both.change, ["slower", "slower", "onlyA", "onlyB"]);
  assert.deepEqual(both.isNewError, [false, true, false, false]);
  assert.deepEqual([both.delta("total", 1), both.delta("self", 0), both.delta("spans", 3)], [100 * MS, (50 - 30) * MS, 2]);
  assert.deepEqual([both.start[1][3], both.finish[1][3]], [165 * MS, 210 * MS]);
  assert.ok(Number.isNaN(both.start[0][3]));
  assert.equal(both.first[1][3].spanId, "0000000000000002");
});

test("absolute times move B by what lies between the traces", () => {
  const apart = new Comparison([A], [B], { between: 1000 * MS });
  assert.equal(apart.start[1][0], 1000 * MS);
  assert.equal(apart.to, 1240 * MS);
});

test("what differs can be looked at alone, with what it stands below; or as a flat list, most first", () => {
  const both = new Comparison([A], [trace([-1, "gateway", "POST /pay", 0, 100], [0, "payment", "POST /charge", 10, 50], [1, "bank", "debit", 11, 1])]);
  assert.deepEqual(both.change, ["same", "same", "onlyB", "onlyA"]);
  assert.deepEqual(both.visible(new Set(), { onlyDiffering: true }), [0, 1, 2, 3]);
  assert.deepEqual(both.visible(new Set([1])), [0, 1, 3]);
  assert.deepEqual(both.visible(new Set(), { onlyDiffering: true, sort: "total" }), [3, 2]);
  const same = new Comparison([A], [A]);
  assert.deepEqual(same.visible(new Set(), { onlyDiffering: true }), []);
});

test("a side of several traces is their average", () => {
  const both = new Comparison([A], [A, B]);
  assert.equal(both.spans[1][both.operation.indexOf("SELECT")], 1);
  assert.equal(both.duration[1], (100 + 245) / 2 * MS);
  const usual = new Comparison([B], [A, A, B], { baseline: 1 });
  assert.deepEqual([usual.change[0], usual.isNewError[1], usual.fails(1, 1)], ["slower", true, false]);
});

test("the sentence says how much and where", () => {
  assert.equal(sentence(new Comparison([A], [B])).replaceAll("\u00a0", " "),
    "B is 145 ms slower: 100 ms in payment POST /charge, 40.0 ms in 2 new orders SELECT, 20.0 ms in gateway POST /pay. One path fails that does not in A.");
  assert.equal(sentence(new Comparison([B], [A])).replaceAll("\u00a0", " "), "B is 145 ms faster: 100 ms in payment POST /charge, 40.0 ms in 2 left out: orders SELECT, 20.0 ms in gateway POST /pay.");
  assert.equal(sentence(new Comparison([B], [A], { baseline: 1 })).replaceAll("\u00a0", " "), "A is 145 ms slower than is typical: 100 ms in payment POST /charge, 40.0 ms in 2 new orders SELECT, 20.0 ms in gateway POST /pay. One path fails that does not usually.");
  assert.equal(sentence(new Comparison([A], [A])), "B takes as long as A.");
  // More calls that take less explain nothing; and what went the other way is not left out.
  const slow = trace([-1, "web", "GET", 0, 100], [0, "db", "SELECT", 0, 60], [0, "cache", "get", 60, 10]);
  const quick = trace([-1, "web", "GET", 0, 70], [0, "db", "SELECT", 0, 5], [0, "db", "SELECT", 5, 5], [0, "cache", "get", 10, 40]);
  assert.equal(sentence(new Comparison([slow], [quick])).replaceAll("\u00a0", " "),
    "B is 30.0 ms faster: 50.0 ms in db SELECT, 10.0 ms in web GET; against that, 30.0 ms more in cache get.");
  const moved = trace([-1, "web", "GET", 0, 100], [0, "db", "SELECT", 0, 30], [0, "cache", "get", 60, 40]);
  assert.equal(sentence(new Comparison([slow], [moved])).replaceAll("\u00a0", " "),
    "B takes as long as A: 30.0 ms less in db SELECT, 30.0 ms more in cache get.");
  const many = trace([-1, "web", "GET", 0, 100], [0, "db", "SELECT", 0, 60], [0, "cache", "get", 60, 5], [0, "cache", "get", 65, 5]);
  assert.equal(sentence(new Comparison([slow], [many])), "B takes as long as A with 1 more span.");
});

test("depth, circles and size are no problem", () => {
  const deep = trace(...Array.from({ length: 5000 }, (_, i) => [i - 1, "s", `o${i}`, i / 100, 1]));
  const both = new Comparison([deep], [deep]);
  assert.equal(both.count, 5000);
  assert.equal(both.depth[4999], 4999);
  const wide = trace([-1, "s", "root", 0, 100], ...Array.from({ length: 20_000 }, (_, i) => [0, "s", `o${i}`, 1, 1]));
  assert.equal(new Comparison([wide], [A]).count, 20_001 + A.count);
  assert.equal(new Comparison([trace([1, "s", "a", 0, 1], [0, "s", "b", 0, 1])], [A]).count, 2 + A.count);
});

test("figures have signs; what is typical is near the middle", () => {
  assert.deepEqual([820 * MS, -12_000, 0].map(signedDuration), ["+820\u00a0ms", "−12.0\u00a0µs", ""]);
  assert.deepEqual([14, -2.5, 0.01].map(signedCount), ["+14", "−2.5", ""]);
  const traces = [1, 2, 3, 100, 5].map((n) => ({ traceId: String(n), durationNanos: String(n) }));
  assert.deepEqual(typical(traces, 3).traces.map(({ traceId }) => traceId), ["3", "2", "1"]);
});
