// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { rateText } from "../lib/rate.js";
import { busiest, callConditions, changeText, chosen, graphOf, nodeConditions } from "../map/graph.js";

const edge = (client, server, connectionType = "", callCount = 10, errorCount = 0) =>
  ({ client, server, connectionType, callCount, errorCount, sumNanos: "1", p50Nanos: "1000", p95Nanos: "2000", p99Nanos: "3000", exemplar: "ab" });
const EDGES = [
  edge("gateway", "checkout", "", 100, 5), edge("checkout", "payment", "", 50, 10), edge("checkout", "db", "database", 200),
  edge("payment", "db", "database"), edge("payment", "psp.example", "virtual_node", 1), edge("checkout", "orders", "messaging_system"),
  edge("checkout", "mail", "messaging_system"), edge("db", "db", "database"), edge(null, null, "", 7),
];
const SERVICES = new Map([["gateway", { calls: 300, errors: 3 }], ["mail", { calls: 10, errors: 0 }], ["alone", { calls: 1, errors: 0 }]]);

test("what is called is told apart by how it is called", () => {
  const { nodes, calls, unnamed } = graphOf(EDGES, SERVICES, 60);
  const kinds = Object.fromEntries([...nodes.values()].map(({ id, kind }) => [id, kind]));
  assert.deepEqual(kinds, {
    gateway: "service", checkout: "service", payment: "service", "database:db": "database", "peer:psp.example": "peer",
    "queue:orders": "queue", mail: "service", db: "service", alone: "service",
  });
  assert.equal(unnamed, 7);
  assert.equal(nodes.get("gateway").rate, 5, "by its own spans: nobody that is traced calls it");
  assert.equal(nodes.get("payment").errorShare, 0.2);
  assert.equal(new Set(calls.map(({ id }) => id)).size, calls.length);
});

test("a focus shows callers and called, not whoever shares a database", () => {
  const graph = graphOf(EDGES, SERVICES, 60);
  const ids = (choice) => chosen(graph, { focus: "", hops: 1, rate: 0, errors: null, ...choice }).nodes.map(({ id }) => id).sort();
  assert.deepEqual(ids({ focus: "payment" }), ["checkout", "database:db", "payment", "peer:psp.example"]);
  assert.deepEqual(ids({ focus: "payment", hops: 2 }), ["checkout", "database:db", "gateway", "payment", "peer:psp.example"]);
  assert.deepEqual(ids({ focus: "gone" }), [...graph.nodes.keys()].sort());
  assert.deepEqual(ids({ errors: 0.1 }), ["checkout", "payment"]);
  assert.deepEqual(ids({ rate: 1 }), ["checkout", "database:db", "gateway"]);
  assert.equal(chosen(graph, { focus: "payment", hops: 1, rate: 0, errors: null }).hidden.get("checkout"), 3);
  assert.equal(busiest(graph).id, "checkout");
});

test("the window before tells what changed", () => {
  const { calls } = graphOf([edge("a", "b", "", 20)], new Map(), 10, [edge("a", "b", "", 10)]);
  assert.deepEqual(calls[0].before, { rate: 1, errorShare: 0, p95: 2000 });
  assert.equal(changeText(2, 1), "+100\u00a0%");
  assert.equal(changeText(32, 10), "×3.2");
  assert.equal(changeText(1, 2), "−50\u00a0%");
  assert.equal(changeText(1, 0), "new");
  assert.equal(changeText(1, undefined), "");
});

test("queries of calls quote whatever names hold", () => {
  const { calls, nodes } = graphOf([edge('a"b', "c\\d"), edge("a", "redis", "database")], new Map(), 1);
  assert.equal(callConditions(calls[0]), 'parent.resource.service.name = "a\\"b" && resource.service.name = "c\\\\d"');
  assert.match(callConditions(calls[1]), /^resource\.service\.name = "a" && \(kind = client \|\| kind = producer\) && \(span\.peer\.service = "redis" \|\| /);
  assert.equal(nodeConditions(nodes.get("a")), 'resource.service.name = "a"');
});

test("ids stay apart whatever names hold", () => {
  const { calls } = graphOf([edge("a>b", "c"), edge("a", "b>c"), edge("database:x", "y"), edge("q", "x", "database")], new Map(), 1);
  assert.equal(new Set(calls.map(({ id }) => id)).size, 4);
  assert.equal(calls[2].from.id, "service:database:x");
});

test("rates take the unit that suits them", () => {
  assert.equal(rateText(12.44), "12.4/s");
  assert.equal(rateText(0.02), "1.20/min");
  assert.equal(rateText(0.0005), "1.80/h");
  assert.equal(rateText(1234), "1.23k/s");
  assert.equal(rateText(null), "–");
});
