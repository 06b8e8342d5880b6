// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { ranked, score } from "../lib/ranking.js";

const titles = (typed, names, limit = 10) => ranked(typed, names.map((title) => ({ title })), limit).map(({ title }) => title);

test("the whole name, then beginnings, words, parts, letters in order", () => {
  assert.deepEqual(titles("cart", ["recarting", "c-a-r-t", "shop cart", "cart", "cartography"]), ["cart", "cartography", "shop cart", "recarting", "c-a-r-t"]);
});

test("all words must be there", () => {
  assert.deepEqual(titles("map check", ["Focus on the map: checkout", "checkout", "Map"]), ["Focus on the map: checkout"]);
  assert.equal(score("check zzz", "checkout"), 0);
});

test("of equals the shorter, and no more than wanted", () => {
  assert.deepEqual(titles("pay", ["payment-api", "payment", "payroll"], 2), ["payment", "payroll"]);
  assert.deepEqual(titles("", ["b", "a"]), ["b", "a"]);
});

test("a single letter is no pattern", () => assert.equal(score("x", "fix"), 40));
