// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { placesOf, prefixesOf } from "../trace/prefixes.js";

const ids = ["aaaaaaaa00000000", "aaaaaaaa0000000f", "aaaaaaaab0000000", "bbbbbbbb00000000", "cccccccc00000000", "cccccccc00000000"];
const all = () => true;

test("a span is named by as many digits as tell it from the others, copies by their number", () => {
  const names = prefixesOf(ids, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(names, ["aaaaaaaa00000000", "aaaaaaaa0000000f", "aaaaaaaab", "bbbbbbbb", "cccccccc", "cccccccc00000000.1"]);
  for (const [place, name] of names.entries()) assert.deepEqual(placesOf(ids, [name], all), [place], name);
  assert.deepEqual(placesOf(ids, names, all), [0, 1, 2, 3, 4, 5]);
});

test("a name of any length stands for the one span that it fits and that may be meant", () => {
  assert.deepEqual(placesOf(ids, ["bbbbbbbb0000"], all), [3]);
  assert.deepEqual(placesOf(ids, ["aaaaaaaa"], all), []);
  assert.deepEqual(placesOf(ids, ["aaaaaaaa"], (place) => place === 2), [2]);
  for (const name of ["", "aaa", "on", "dddddddd", "cccccccc.7", "aaaaaaaa.x", "."]) assert.deepEqual(placesOf(ids, [name], all), [], name);
});
