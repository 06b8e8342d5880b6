// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { formatCollapsed, parseCollapsed } from "../trace/collapsed.js";
import { TraceModel } from "../trace/model.js";

/** A skeleton from [parent, start, duration] rows. */
function skeleton(rows, extra = {}) {
  const zeros = rows.map(() => 0);
  return {
    traceId: "1".padStart(32, "0"),
    durationNanos: String(Math.max(0, ...rows.map(([, start, duration]) => start + duration))),
    services: [{ name: "gateway", color: 0 }, { name: "payment", color: 3 }],
    operations: ["GET /", "POST /pay"],
    spans: {
      id: rows.map((_, i) => ((i + 1) * 0x1000001).toString(16).padStart(16, "0").split("").reverse().join("")),
      parent: rows.map(([parent]) => parent), service: rows.map((_, i) => i % 2), operation: rows.map((_, i) => i % 2),
      kind: zeros, status: rows.map(([, , , status = 0]) => status), start: rows.map(([, start]) => start),
      duration: rows.map(([, , duration]) => duration), events: zeros, links: zeros, weight: zeros,
    },
    missingParents: [],
    ...extra,
  };
}
const list = (array) => [...array];

test("spans that have not ended are said to be running, by the row that shows them", () => {
  const model = new TraceModel(skeleton([[1, 20, 10], [-1, 0, 100], [1, 10, 40]], { agents: true, open: [0, 1, 7] }));
  assert.deepEqual(list(model.running), [1, 1, 0]);
  assert.equal(model.holdsAgents, true);
  assert.equal(new TraceModel(skeleton([[-1, 0, 1]])).holdsAgents, false);
});

test("rows keep the server's depth-first order, with depth, ends and places", () => {
  const model = new TraceModel(skeleton([[-1, 0, 100], [0, 10, 40], [1, 20, 10], [0, 60, 20]]));
  assert.deepEqual(list(model.span), [0, 1, 2, 3]);
  assert.deepEqual(list(model.depth), [0, 1, 2, 1]);
  assert.deepEqual(list(model.end), [4, 3, 3, 4]);
  assert.deepEqual(list(model.position), [1, 1, 1, 2]);
  assert.deepEqual(list(model.children), [2, 1, 0, 0]);
  assert.deepEqual(model.path(2), [0, 1, 2]);
  assert.equal(model.isLastSibling(1), false);
  assert.equal(model.isLastSibling(3), true);
});

test("of spans that share an id, a row is the one of its own kind, start and service", () => {
  const shared = skeleton([[-1, 0, 100], [0, 10, 40]]);
  shared.spans.id = ["a", "a"];
  shared.spans.kind = [3, 2];
  const model = new TraceModel(shared);
  const client = { spanId: "a", kind: 3, start: 0, service: "gateway" };
  const server = { spanId: "a", kind: 2, start: 10, service: "payment" };
  assert.equal(model.spanOf(0, [server, client]), client);
  assert.equal(model.spanOf(1, [server, client]), server);
  assert.equal(model.spanOf(1, [client]), client, "the best there is");
  assert.equal(model.spanOf(1, [{ ...server, spanId: "b" }]), null);
});

test("self time is what no child covers, children overlapping, outliving or out of order", () => {
  const model = new TraceModel(skeleton([[-1, 0, 100], [0, 50, 30], [0, 10, 20], [0, 20, 20], [0, 90, 50]]));
  assert.deepEqual(model.selfStretches(0), [0, 10, 40, 50, 80, 90]);
  assert.equal(model.selfTime(0), 30);
  assert.equal(model.selfTime(1), 30);
  assert.equal(model.latest[0], 140);
  assert.deepEqual(model.selfStretches(0, 11), []);
});

test("a missing parent gets a row that holds its orphans and spans them", () => {
  const rows = [[-1, 0, 100], [-1, 30, 10], [1, 32, 2], [-1, 50, 20]];
  const model = new TraceModel(skeleton(rows, { missingParents: [{ spanId: "00f067aa0ba902b7", rows: [1, 3] }] }));
  assert.deepEqual(list(model.span), [0, -1, 1, 2, 3]);
  assert.deepEqual(list(model.depth), [0, 0, 1, 2, 1]);
  assert.equal(model.isPlaceholder(1), true);
  assert.equal(model.id(1), "00f067aa0ba902b7");
  assert.equal(model.operationName(1), "missing parent 00f067aa0ba902b7");
  assert.equal(model.start[1], 30);
  assert.equal(model.duration[1], 40);
  assert.equal(model.rootCount, 2);
});

test("circles, parents out of range and children before parents all get a row, once", () => {
  const model = new TraceModel(skeleton([[1, 0, 1], [0, 0, 1], [2, 0, 1], [99, 0, 1], [-7, 0, 1], [6, 0, 1], [-1, 0, 1]]));
  assert.deepEqual(list(model.span).sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(model.rowOf(model.id(0)), 0);
  for (let row = 0; row < model.count; row++) assert.ok(model.parent[row] < row);
});

test("a chain of 50,000 spans and a parent of 50,000 children are built without recursion", () => {
  const size = 50_000;
  const chain = new TraceModel(skeleton(Array.from({ length: size }, (_, i) => [i - 1, i, size - i])));
  assert.equal(chain.depth[size - 1], size - 1);
  assert.equal(chain.end[0], size);
  const fan = new TraceModel(skeleton(Array.from({ length: size }, (_, i) => [i ? 0 : -1, i, 1])));
  assert.equal(fan.children[0], size - 1);
  assert.equal(fan.position[size - 1], size - 1);
});

test("collapsed rows hide what is below them", () => {
  const model = new TraceModel(skeleton([[-1, 0, 9], [0, 0, 9], [1, 0, 9], [0, 0, 9], [3, 0, 9]]));
  const collapsed = new Uint8Array(5);
  assert.deepEqual(list(model.visibleRows(collapsed)), [0, 1, 2, 3, 4]);
  collapsed[1] = 1;
  assert.deepEqual(list(model.visibleRows(collapsed)), [0, 1, 3, 4]);
  collapsed[0] = 1;
  assert.deepEqual(list(model.visibleRows(collapsed)), [0]);
});

test("names are found in any case, by operation or service; errors by status", () => {
  const model = new TraceModel(skeleton([[-1, 0, 9], [0, 0, 9, 2], [0, 0, 9]]));
  assert.deepEqual(list(model.find("PAY")), [1]);
  assert.deepEqual(list(model.find("gate")), [0, 2]);
  assert.deepEqual(list(model.find("  ")), []);
  assert.deepEqual(list(model.find(model.id(2))), [2]);
  assert.deepEqual(list(model.errorRows()), [1]);
});

test("the collapsed state survives the address in each of its forms", () => {
  const model = new TraceModel(skeleton(Array.from({ length: 400 }, (_, i) => [i ? (i - 1) >> 1 : -1, i, 1])));
  for (const pick of [() => 0, () => 1, (row) => row === 3, (row) => row % 3 === 0]) {
    const collapsed = Uint8Array.from({ length: model.count }, (_, row) => (model.children[row] && pick(row) ? 1 : 0));
    const text = formatCollapsed(model, collapsed);
    assert.deepEqual(list(parseCollapsed(model, text)), list(collapsed));
  }
  assert.equal(formatCollapsed(model, new Uint8Array(model.count).fill(1)), "*");
  assert.ok(list(parseCollapsed(model, "~%%%")).every((flag) => flag === 0));
});

test("an empty trace is a model of no rows", () => {
  const model = new TraceModel(skeleton([]));
  assert.equal(model.count, 0);
  assert.deepEqual(list(model.visibleRows(new Uint8Array(0))), []);
});
