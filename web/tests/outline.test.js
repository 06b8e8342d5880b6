// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { CriticalPath } from "../trace/critical-path.js";
import { Folds } from "../trace/folds.js";
import { flagsOf, flagsOfBitmap, isQuery, rowsOf, unquoted } from "../trace/matching.js";
import { TraceModel } from "../trace/model.js";
import { Outline, keptRows } from "../trace/outline.js";
import { spokenDuration, spokenRow } from "../trace/spoken.js";

const MS = 1e6;
const list = (array) => [...array];

/** A model from [parent, operation, start, duration, status] rows in milliseconds; all of one service. */
function model(rows, missingParents = []) {
  const operations = [...new Set(rows.map(([, operation]) => operation))];
  const zeros = rows.map(() => 0);
  return new TraceModel({
    traceId: "1".padStart(32, "0"), durationNanos: String(100 * MS), services: [{ name: "shop", color: 0 }], operations, missingParents,
    spans: {
      id: rows.map((_, i) => (i + 1).toString(16).padStart(8, "0").padEnd(16, "0")), parent: rows.map(([parent]) => parent), service: zeros,
      operation: rows.map(([, operation]) => operations.indexOf(operation)), kind: zeros, status: rows.map(([, , , , status = 0]) => status),
      start: rows.map(([, , start = 0]) => start * MS), duration: rows.map(([, , , duration = 1]) => duration * MS), events: zeros, links: zeros, weight: rows.map(() => 1),
    },
  });
}

const repeated = (count, parent = 0, from = 10) => Array.from({ length: count }, (_, i) => [parent, "SELECT", from + i, 1, i === 2 ? 2 : 0]);

test("five alike leaves in a row fold; four, or others between, do not", () => {
  assert.equal(new Folds(model([[-1, "GET"], ...repeated(4)])).count, 0);
  assert.equal(new Folds(model([[-1, "GET"], ...repeated(3), [0, "PUT"], ...repeated(3)])).count, 0);
  const folds = new Folds(model([[-1, "GET"], ...repeated(5), [0, "SELECT"], [6, "inner"]]));
  assert.deepEqual([folds.count, folds.first[0], folds.end[0], folds.errors[0], folds.total[0], folds.longest[0]], [1, 1, 6, 1, 5 * MS, MS]);
  assert.deepEqual(list(folds.of), [-1, 0, 0, 0, 0, 0, -1, -1]);
});

test("siblings of two parents never fold into one", () => {
  const folds = new Folds(model([[-1, "GET"], [0, "a"], ...repeated(4, 1), [0, "b"], ...repeated(4, 6)]));
  assert.equal(folds.count, 0);
});

test("many calls in turn look like a loop, many at once do not", () => {
  assert.equal(new Folds(model([[-1, "GET"], ...repeated(20)])).isLoop(0), true);
  assert.equal(new Folds(model([[-1, "GET"], ...repeated(19)])).isLoop(0), false);
  assert.equal(new Folds(model([[-1, "GET"], ...Array.from({ length: 20 }, () => [0, "SELECT", 10, 5])])).isLoop(0), false);
});

test("a fold is one row, opens in place, and is written by the span it begins with", () => {
  const outline = new Outline(model([[-1, "GET"], ...repeated(6), [0, "end"]]));
  assert.deepEqual(list(outline.visible), [0, 1, 7]);
  assert.equal(outline.isLastSibling(1), false);
  assert.equal(outline.standIn(4), 1);
  outline.toggle(1, false);
  assert.equal(outline.visible.length, 8);
  assert.equal(outline.foldText(true), "00000002");
  const other = new Outline(outline.model);
  other.readFolds("00000002", true);
  other.compute();
  assert.equal(other.visible.length, 8);
  other.readFolds("off", true);
  assert.deepEqual([other.isFolding, other.foldText(true), other.foldText(false)], [false, "off", ""]);
  other.readFolds("", false);
  assert.equal(other.isFolding, false);
});

test("the thread ends at a fold that holds the last sibling", () => {
  const outline = new Outline(model([[-1, "GET"], ...repeated(6)]));
  assert.equal(outline.isLastSibling(1), true);
});

test("a filter leaves matches and what they hang on; of a fold, those that match", () => {
  const outline = new Outline(model([[-1, "GET"], [0, "a"], [1, "b"], [0, "c"], ...repeated(6)]));
  outline.filter(Int32Array.of(2, 6));
  outline.compute();
  assert.deepEqual(list(outline.visible), [0, 1, 2, 6]);
  assert.deepEqual([outline.hasChildren(1), outline.hasChildren(2), outline.isLastSibling(1), outline.isLastSibling(6)], [true, false, false, true]);
  outline.filter(Int32Array.of(4, 5, 6, 7, 8, 9));
  outline.compute();
  assert.deepEqual(list(outline.visible), [0, 4]);
  outline.filter(new Int32Array(0));
  outline.compute();
  assert.equal(outline.visible.length, 0);
  assert.deepEqual(list(keptRows(outline.model, Int32Array.of(2))), [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
});

test("a row comes into view whatever hides it", () => {
  const outline = new Outline(model([[-1, "GET"], [0, "a"], ...repeated(6, 1), [0, "z"]]));
  outline.focus = 8;
  outline.filter(Int32Array.of(8));
  outline.collapsed[1] = 1;
  outline.compute();
  assert.deepEqual(list(outline.visible), [8]);
  assert.equal(outline.uncover(4), true);
  assert.notEqual(outline.indexOf(4), -1);
  assert.deepEqual([outline.focus, outline.kept, outline.collapsed[1]], [-1, null, 0]);
  assert.equal(outline.uncover(4), false);
});

test("a subtree is its own tree", () => {
  const outline = new Outline(model([[-1, "GET"], [0, "a"], [1, "b"], [0, "c"]]));
  outline.focus = 1;
  outline.compute();
  assert.deepEqual([list(outline.visible), outline.base, outline.standIn(3)], [[1, 2], 1, -1]);
});

test("what was open stays open when more spans come before it", () => {
  const rows = [[-1, "GET"], [0, "a"], [1, "b"], ...repeated(6)];
  const before = new Outline(model(rows));
  before.toggle(1, false);
  before.toggle(3, false);
  const grown = model([...rows, [0, "early"]]);
  const after = new Outline(grown);
  after.takeOver(before);
  assert.deepEqual([after.collapsed[1], after.opened[0], list(after.visible)], [1, 1, list(before.visible).concat(9)]);
});

test("a hundred thousand repeats of one span are one row, soon", () => {
  const outline = new Outline(model([[-1, "GET"], ...repeated(100_000)]));
  assert.equal(outline.visible.length, 2);
  outline.toggle(1, false);
  assert.equal(outline.visible.length, 100_001);
});

test("the critical path is found by row", () => {
  const traceStart = 1_000_000_000_000_000_000n;
  const at = (millis) => String(traceStart + BigInt(millis) * 1_000_000n);
  const tree = model([[-1, "GET", 0, 100], [0, "a", 10, 20], [0, "b", 40, 50]]);
  const segment = (row, from, to) => ({ spanId: tree.id(row), startTimeUnixNano: at(from), endTimeUnixNano: at(to) });
  const path = new CriticalPath(tree, { durationNanos: "100000000", operations: [], segments: [segment(0, 0, 40), segment(2, 40, 90), segment(0, 90, 100), { ...segment(0, 0, 1), spanId: "f".repeat(16) }] }, traceStart);
  assert.deepEqual(list(path.rows), [0, 2]);
  assert.deepEqual(list(path.stretches(0)), [0, 40 * MS, 90 * MS, 100 * MS]);
  assert.deepEqual([path.has(1), path.nanosOf(0), path.nanosOf(1), path.nanosOf(2)], [false, 50 * MS, 0, 50 * MS]);
});

test("a text is a query when it compares", () => {
  for (const query of ["duration > 5ms", "{ .a = 1 }", "{}", 'name =~ "x"', "http.status_code!=200"]) assert.equal(isQuery(query), true, query);
  for (const text of ["checkout", "GET /a/b", "", '"a = b"', "SELECT * FROM orders"]) assert.equal(isQuery(text), false, text);
  assert.equal(unquoted('"a = b"'), "a = b");
  assert.equal(unquoted('"'), '"');
});

test("bits are spans in the server's order, rows in ours", () => {
  const tree = model([[-1, "GET"], [-1, "lost"], [0, "a"]], [{ spanId: "e".repeat(16), rows: [1] }]);
  // Drawn: GET, a, the placeholder, lost.
  assert.deepEqual(list(flagsOfBitmap(tree, btoa(String.fromCharCode(0b110)))), [0, 1, 0, 1]);
  assert.deepEqual(list(flagsOfBitmap(tree, "")), [0, 0, 0, 0]);
  assert.deepEqual(list(rowsOf(4, [flagsOf(4, [0]), flagsOf(4, [2, 3])], [flagsOf(4, [0, 3])])), [0, 3]);
  assert.deepEqual(list(rowsOf(2, [], [])), [0, 1]);
});

test("rows are spoken in whole words", () => {
  assert.equal(spokenDuration(1.28e9), "1.28 seconds");
  assert.equal(spokenDuration(134e9).replaceAll("\u00a0", " "), "2 minutes 14 seconds");
  assert.equal(spokenDuration(842e3), "842 microseconds");
  const outline = new Outline(model([[-1, "GET", 0, 100, 2], ...repeated(20), [0, "", 1, 1]]));
  const spoken = (row, path = null) => spokenRow(outline, row, path).replaceAll("\u00a0", " ");
  assert.equal(spoken(0, { has: () => true }), "shop, GET, 100 milliseconds, 100 % of trace, error, on critical path, 21 children");
  assert.equal(spoken(1), "shop, SELECT, 20 times, 20.0 milliseconds in all, 1.00 milliseconds at most, 1 error, one after another, folded");
  outline.setAll(true);
  assert.equal(outline.errors(0), 2);
  assert.ok(spoken(0).includes("error, 1 error below, 21 children"));
  assert.equal(spoken(21), "shop, 1.00 milliseconds, 1 % of trace");
});
