// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { families } from "../trace/conventions.js";
import { PathFrames, TimeFrames } from "../trace/flame-model.js";
import { graphOf } from "../trace/graph-model.js";
import { byTime, eventEntries, logEntries, severityOf } from "../trace/log-records.js";
import { TraceModel } from "../trace/model.js";
import { Paths } from "../trace/paths.js";
import { breakSql, indentJson, prettyOf } from "../trace/pretty.js";
import { bandsOf, histogramOf, percentileName, quantileOf, rankOf, sizeOf } from "../trace/ranking.js";
import { csvOf, groupsOf, selfTimes, serverGroups, sortOf, sorted } from "../trace/statistics.js";

/** A model of [parent, start, duration, service, operation, status] each. */
function model(rows, missingParents = []) {
  const column = (index, otherwise) => rows.map((row) => row[index] ?? otherwise);
  const names = (index) => [...new Set(column(index, "a"))];
  const [services, operations] = [names(3), names(4)];
  return new TraceModel({
    traceId: "1".padStart(32, "0"), durationNanos: String(Math.max(...rows.map(([, start, duration]) => start + duration))),
    services: services.map((name, color) => ({ name, color })), operations, missingParents,
    spans: {
      id: rows.map((_, index) => index.toString(16).padStart(16, "0")), parent: column(0), start: column(1), duration: column(2),
      service: column(3, "a").map((name) => services.indexOf(name)), operation: column(4, "a").map((name) => operations.indexOf(name)),
      kind: rows.map(() => 2), status: column(5, 0), events: rows.map(() => 0), links: rows.map(() => 0), weight: rows.map(() => 1),
    },
  });
}

const shop = () => model([
  [-1, 0, 100, "web", "GET /"],
  [0, 10, 40, "shop", "order"],
  [1, 15, 10, "db", "SELECT"],
  [1, 30, 10, "db", "SELECT", 2],
  [0, 60, 30, "shop", "order"],
  [4, 65, 20, "db", "SELECT"],
]);

/** A chain of `depth`, and `width` siblings below its end, two at a time. */
function large(depth, width) {
  const rows = Array.from({ length: depth }, (_, i) => [i - 1, i, 10_000_000 - i, "chain", `step ${i % 7}`]);
  for (let i = 0; i < width; i++) rows.push([depth - 1, depth + (i >> 1) * 10, 10, `service ${i % 11}`, `call ${i % 97}`]);
  return model(rows);
}

test("attributes stand in families, the ones people look for first, keys in order", () => {
  const found = families([{ key: "zebra" }, { key: "http.route" }, { key: "apple" }, { key: "error.type" }, { key: "url.path" }]);
  assert.deepEqual(found.map(({ name, list }) => [name, ...list.map(({ key }) => key)]), [["Error", "error.type"], ["HTTP", "http.route", "url.path"], ["Attributes", "apple", "zebra"]]);
  assert.deepEqual(families([{ key: "" }, { key: "__proto__" }]).map(({ list }) => list.length), [2]);
});

test("JSON is indented without changing a digit of it", () => {
  assert.equal(indentJson('{"a":[],"n":1152921504606846977,"t":"x, {y: \\"z"}'), '{\n  "a": [],\n  "n": 1152921504606846977,\n  "t": "x, {y: \\"z"\n}');
  assert.equal(indentJson("[1,[2]]"), "[\n  1,\n  [\n    2\n  ]\n]");
  assert.equal(indentJson("{not json}"), null);
  assert.equal(indentJson("12"), null);
});

test("SQL gets a line for each clause, and nothing else of it changes", () => {
  const statement = "SELECT a, count(*) FROM t LEFT JOIN u ON t.id = u.id WHERE x BETWEEN 1 AND 2 AND (y = 'from where' OR z) AND id IN (SELECT id FROM v) ORDER BY 2";
  const lines = "SELECT a, count(*)\nFROM t\nLEFT JOIN u ON t.id = u.id\nWHERE x BETWEEN 1 AND 2\n  AND (y = 'from where' OR z)\n  AND id IN (\n    SELECT id\n    FROM v\n  )\nORDER BY 2";
  assert.equal(breakSql(statement), lines);
  assert.equal(breakSql(lines).replace(/\s+/g, ""), statement.replace(/\s+/g, ""));
  assert.equal(breakSql("DELETE FROM t WHERE 'it''s"), "DELETE FROM t\nWHERE 'it''s");
  assert.equal(breakSql("))) ((select"), breakSql("))) ((select"));
  assert.equal(prettyOf("select the best of them"), null);
  assert.equal(prettyOf("GET session:1", "db.query.text"), null);
  assert.equal(prettyOf("SELECT 1 FROM t WHERE a")?.language, "SQL");
  assert.equal(prettyOf('{"a":1}')?.language, "JSON");
});

test("a duration is ranked among bands", () => {
  const bands = bandsOf({ durationFloorsNanos: ["2048", "1024"], cells: [[0, 1, 50, 0], [3, 1, 25, 1], [2, 0, 25, 25]] });
  assert.deepEqual(bands, [{ floor: 1024, ceiling: 1280, spans: 75, errors: 1 }, { floor: 2048, ceiling: 2560, spans: 25, errors: 25 }]);
  assert.equal(sizeOf(bands), 100);
  assert.equal(rankOf(bands, 1000), 0);
  assert.equal(rankOf(bands, 1500), 0.75);
  assert.equal(rankOf(bands, 2304), 0.875);
  assert.equal(rankOf(bands, 9999), 1);
  assert.equal(quantileOf(bands, 0.75), 1280);
  assert.equal(quantileOf([], 0.5), 0);
  assert.deepEqual([0, 0.5, 0.985, 0.997, 1].map(percentileName), ["p1", "p50", "p98", "p99.7", "p99.9"]);
  const { bars, place } = histogramOf(bands, 1_000_000);
  assert.equal(bars.reduce((sum, { spans }) => sum + spans, 0), 100);
  assert.ok(bars.length <= 57 && place(1_000_000) > 0.9 && place(1024) < place(2048));
  assert.ok(histogramOf(bandsOf({ durationFloorsNanos: ["0"], cells: [[0, 0, 3, 0]] }), 0).bars[0].spans === 3);
});

test("spans group by operation, service and kind, and add up", () => {
  const trace = shop();
  const self = selfTimes(trace);
  assert.deepEqual([...self], [30, 20, 10, 10, 10, 20]);
  const path = Float64Array.from([30, 20, 0, 0, 10, 20]);
  const [select] = groupsOf(trace, "operation", self, path).filter(({ name }) => name === "SELECT");
  assert.deepEqual({ ...select, rows: [...select.rows] }, { name: "SELECT", service: "db", color: 2, count: 3, weight: 3, errors: 1, total: 40, self: 40, path: 20, average: 40 / 3, p50: 10, p95: 20, max: 20, rows: [2, 3, 5] });
  const byService = sorted(groupsOf(trace, "service", self, null), sortOf(""));
  assert.deepEqual(byService.map(({ service, self: own, path: onPath }) => [service, own, onPath]), [["db", 40, null], ["web", 30, null], ["shop", 30, null]]);
  assert.deepEqual(groupsOf(trace, "kind", self, null).map(({ name, count }) => [name, count]), [["server", 6]]);
  assert.deepEqual(sorted(byService, sortOf("name.asc")).map(({ service }) => service), ["db", "shop", "web"]);
  assert.deepEqual(sortOf("nonsense.asc"), { column: "self", isAscending: false });
});

test("children out of order, longer than their parent or of nobody do not spoil the self times", () => {
  const trace = model([[-1, 50, 50], [0, 90, 30], [0, 10, 45], [0, 60, 10]], [{ spanId: "f".repeat(16), rows: [] }]);
  assert.deepEqual([...selfTimes(trace)].slice(0, 2), [25, 30]);
});

test("a file of the table quotes what it must and holds no formulas", () => {
  const groups = serverGroups({ rows: [{ value: '=HYPERLINK("x"),', type: "string", spanCount: 1, weight: 1, errorCount: 0, totalNanos: "1500000", selfNanos: "500000", pathNanos: "0", averageNanos: "1500000", p50Nanos: "1500000", p95Nanos: "1500000", maxNanos: "1500000" }] });
  assert.equal(csvOf(groups, "user.id"), "user.id,count,weight,errors,total_ms,self_ms,self_share,critical_path_ms,average_ms,p50_ms,p95_ms,max_ms\r\n\"'=HYPERLINK(\"\"x\"\"),\",1,1,0,1.5,0.5,1,0,1.5,1.5,1.5,1.5\r\n");
});

test("spans of one path are one frame, and children share the width of their parent", () => {
  const trace = shop();
  const frames = new PathFrames(new Paths(trace, selfTimes(trace)), "total");
  assert.equal(frames.size, 3);
  assert.deepEqual([0, 1, 2].map((frame) => [frames.count(frame), frames.total(frame), frames.self(frame), frames.errors(frame), frames.depth[frame]]), [[1, 100, 30, 0, 0], [2, 70, 30, 0, 1], [3, 40, 40, 1, 2]]);
  assert.deepEqual([...frames.place(-1).right].map((edge) => Math.round(edge * 100)), [100, 70, 40]);
  assert.deepEqual([...frames.place(2).right], [1, 1, 1]);
  const own = new PathFrames(new Paths(trace, selfTimes(trace)), "self");
  assert.deepEqual([...own.place(-1).right].map((edge) => Math.round(edge * 100)), [100, 70, 40]);
  // Two children at once are longer than their parent.
  const parallel = new PathFrames(new Paths(model([[-1, 0, 10], [0, 0, 10, "a", "x"], [0, 0, 10, "a", "y"]]), new Float64Array([0, 10, 10])), "total").place(-1);
  assert.deepEqual([[...parallel.left], [...parallel.right]], [[0, 0, 0.5], [1, 0.5, 1]]);
});

test("by time, what runs at once lies in lines of its own", () => {
  const trace = model([[-1, 0, 100], [0, 10, 50], [1, 20, 10], [0, 15, 50], [0, 70, 10]]);
  const frames = new TimeFrames(trace, selfTimes(trace));
  assert.deepEqual([...frames.depth], [0, 1, 3, 2, 1]);
  assert.deepEqual([...frames.below(0)], [1, 3, 4]);
  assert.deepEqual([frames.place(1).left[2], frames.place(1).right[2]], [0.2, 0.4]);
});

test("a hundred thousand spans and a depth of five thousand merge quickly enough, without recursion", () => {
  const trace = large(5000, 95_000);
  const self = selfTimes(trace);
  const frames = new PathFrames(new Paths(trace, self), "total");
  assert.ok(frames.size > 5000 && frames.lines === 5001);
  const { left, right } = frames.place(4000);
  assert.ok(right[4000] === 1 && left.every((edge, frame) => edge <= right[frame]));
  assert.equal(new TimeFrames(trace, self).depth.length, 100_000);
  const { boxes } = graphOf(new Paths(trace, self), { most: 200, column: 240, line: 60 });
  assert.ok(boxes.length <= 401 && boxes.every(({ parent }, index) => parent < index));
  assert.equal(boxes.reduce((sum, { calls }) => sum + calls, 0), 100_000);
});

test("a graph folds what holds least, and sets parents in the middle of their children", () => {
  const trace = model([[-1, 0, 100, "a", "r"], [0, 0, 50, "a", "x"], [0, 50, 30, "a", "y"], [0, 80, 1, "a", "z"], [3, 80, 1, "a", "zz"], [0, 90, 1, "a", "w"]]);
  const { boxes, width, height } = graphOf(new Paths(trace, selfTimes(trace)), { most: 3, column: 100, line: 10 });
  assert.deepEqual(boxes.map(({ node, parent, folded, y }) => [node, parent, folded, y]), [[0, -1, 0, 10], [1, 0, 0, 0], [2, 0, 0, 10], [-1, 0, 3, 20]]);
  assert.deepEqual([width, height], [200, 30]);
});

test("log records and events are one list in time", () => {
  const span = { spanId: "a".repeat(16), events: [{ name: "exception", timeUnixNano: "1300", attributes: [{ key: "exception.message", value: { stringValue: "no" } }] }, { name: "", timeUnixNano: "1100" }] };
  const answer = { resources: [{ attributes: [{ key: "service.name", value: { stringValue: "pay" } }] }], logs: [{ resource: 0, logRecord: { timeUnixNano: "0", observedTimeUnixNano: "1200", severityNumber: 17, body: { stringValue: "no funds" } } }] };
  const entries = byTime([...eventEntries(span, "shop", 1000n), ...logEntries(answer, 1000n)]);
  assert.deepEqual(entries.map(({ kind, at, severity, text, service }) => [kind, at, severity, text, service]), [["event", 100, -1, "event", "shop"], ["log", 200, 4, "no funds", "pay"], ["event", 300, 4, "exception · no", "shop"]]);
  assert.deepEqual([severityOf(0, "WARNING"), severityOf(24), severityOf(9), severityOf(0, "odd")], [3, 5, 2, -1]);
});
