// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { keyCaps } from "../lib/key-caps.js";
import { threadPath } from "../trace/thread.js";
import { isNested, plainValue, pretty, typeOf, valueText } from "../trace/values.js";

const grid = { left: 14, indent: 14, height: 24, depthMax: 24, base: 0 };

/** Just as much of a model as the thread needs. */
function tree(parents) {
  const depth = parents.map(() => 0);
  const children = parents.map(() => 0);
  const position = parents.map((parent, row) => {
    if (parent >= 0) depth[row] = depth[parent] + 1;
    return parent < 0 ? 1 : ++children[parent];
  });
  return { parent: parents, depth, isParent: (row) => children[row] > 0, isLastSibling: (row) => parents[row] < 0 || position[row] === children[parents[row]] };
}

test("the thread starts below an open parent, turns into each child and ends at the last", () => {
  const model = tree([-1, 0, 0]);
  assert.equal(threadPath(model, 0, true, grid), "M14 18V24");
  assert.equal(threadPath(model, 0, false, grid), "");
  assert.equal(threadPath(model, 1, false, grid), "M14 0V7q0 5 5 5H36M14 7V24");
  assert.equal(threadPath(model, 2, false, grid), "M14 0V7q0 5 5 5H36");
});

test("threads of ancestors pass a row only where they go on below it", () => {
  const model = tree([-1, 0, 1, 0]);
  assert.equal(threadPath(model, 2, false, grid), "M28 0V7q0 5 5 5H50M14 0V24");
  const last = tree([-1, 0, 1]);
  assert.equal(threadPath(last, 2, false, grid), "M28 0V7q0 5 5 5H50");
});

test("beyond the deepest indent the thread runs straight, without walking up thousands of ancestors", () => {
  const chain = tree(Array.from({ length: 5000 }, (_, i) => i - 1));
  assert.equal(threadPath(chain, 4000, true, grid), "M350 0V24");
  assert.equal(threadPath(chain, 4999, false, grid), "M350 0V12");
});

test("values of every type become text, integers beyond 2^53 without loss", () => {
  assert.equal(valueText({ stringValue: "a" }), "a");
  assert.equal(valueText({ boolValue: false }), "false");
  assert.equal(valueText({ intValue: "9223372036854775807" }), "9223372036854775807");
  assert.equal(plainValue({ intValue: "42" }), 42);
  assert.equal(valueText({ doubleValue: 0.5 }), "0.5");
  assert.equal(valueText({ arrayValue: { values: [{ stringValue: "x" }, { intValue: "2" }] } }), '["x",2]');
  assert.equal(valueText({ kvlistValue: { values: [{ key: "__proto__", value: { intValue: 1 } }] } }), '{"__proto__":1}');
  assert.equal(valueText({ bytesValue: "AAE=" }), "AAE=");
  for (const nothing of [undefined, null, {}]) assert.deepEqual([typeOf(nothing), valueText(nothing)], ["empty", ""]);
});

test("nested values are told apart and indented; endless nesting is cut", () => {
  assert.equal(isNested({ arrayValue: { values: [{ stringValue: "x" }] } }), false);
  assert.equal(isNested({ arrayValue: { values: [{ arrayValue: {} }] } }), true);
  assert.equal(isNested({ kvlistValue: {} }), true);
  assert.equal(pretty({ kvlistValue: { values: [{ key: "a", value: { intValue: 1 } }] } }), '{\n  "a": 1\n}');
  let deep = { stringValue: "end" };
  for (let i = 0; i < 10_000; i++) deep = { arrayValue: { values: [deep] } };
  assert.ok(valueText(deep).includes("…"));
});

test("keys are printed as they are pressed", () => {
  assert.deepEqual(keyCaps("Shift+ArrowLeft"), ["Shift", "←"]);
  assert.deepEqual(keyCaps("T"), ["Shift", "t"]);
  assert.deepEqual(keyCaps("g e"), ["g", "e"]);
  assert.deepEqual(keyCaps("+"), ["+"]);
  assert.deepEqual(keyCaps("*"), ["*"]);
});
