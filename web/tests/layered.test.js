// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { labelSpots, layered, thread } from "../lib/layered.js";

const SIZES = { width: 160, height: 40, gapX: 100, gapY: 20 };

/** Numbers that look random and are the same in every run. */
function numbers(seed) {
  return () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
}

function randomGraph(nodes, edges, seed) {
  const next = numbers(seed);
  const ids = Array.from({ length: nodes }, (_, i) => `service-${i}`);
  const pick = () => Math.floor(next() * nodes);
  return { ids, edges: Array.from({ length: edges }, () => [pick(), pick()]) };
}

function assertNoOverlap(places) {
  for (let a = 0; a < places.length; a++)
    for (let b = a + 1; b < places.length; b++)
      if (places[a].x === places[b].x) assert.ok(Math.abs(places[a].y - places[b].y) >= SIZES.height, `${a} and ${b} overlap`);
}

test("a chain is a straight line from left to right", () => {
  const { places, routes } = layered(["web", "checkout", "payment"], [[0, 1], [1, 2]], SIZES);
  assert.deepEqual(places.map(({ x }) => x), [0, 260, 520]);
  assert.equal(new Set(places.map(({ y }) => y)).size, 1);
  assert.deepEqual(routes[0], [{ x: 160, y: 20 }, { x: 260, y: 20 }]);
});

test("circles, self calls and parallel edges are drawn", () => {
  const { places, routes } = layered(["a", "b", "c"], [[0, 1], [1, 2], [2, 0], [1, 1], [0, 1]], SIZES);
  assertNoOverlap(places);
  assert.deepEqual(routes[3], []);
  assert.equal(routes.filter((route) => route.length >= 2).length, 4);
  // An edge begins at its caller, also where it leads back.
  const back = routes[2];
  assert.ok(back[0].x >= places[2].x && back[0].x <= places[2].x + SIZES.width);
  assert.ok(back.at(-1).x >= places[0].x && back.at(-1).x <= places[0].x + SIZES.width);
  assert.notDeepEqual(routes[0], routes[4], "each has its port");
});

test("the drawing does not depend on the order in which things are named", () => {
  const { ids, edges } = randomGraph(40, 80, 7);
  const one = layered(ids, edges, SIZES);
  const turned = ids.slice().reverse();
  const two = layered(turned, edges.map(([from, to]) => [turned.indexOf(ids[from]), turned.indexOf(ids[to])]), SIZES);
  ids.forEach((id, at) => assert.deepEqual(two.places[turned.indexOf(id)], one.places[at], id));
});

test("two hundred nodes stand apart, every edge has a route, and lone ones are below", () => {
  const { ids, edges } = randomGraph(200, 400, 3);
  ids.push("nobody", "noone");
  const { places, routes, height } = layered(ids, edges, SIZES);
  assertNoOverlap(places);
  edges.forEach(([from, to], at) => assert.equal(routes[at].length >= 2, from !== to));
  assert.equal(places.at(-1).y, places.at(-2).y);
  assert.equal(Math.max(...places.map(({ y }) => y)) + SIZES.height / 2, height);
});

test("a tree is drawn without crossings", () => {
  const ids = ["root", "a", "b", "c", "a1", "a2", "b1", "c1", "c2"];
  const edges = [[0, 2], [0, 1], [0, 3], [3, 8], [1, 4], [2, 6], [1, 5], [3, 7]];
  const { places } = layered(ids, edges, SIZES);
  for (const [a, b] of edges)
    for (const [c, d] of edges)
      if (places[a].layer === places[c].layer && places[a].y < places[c].y) assert.ok(places[b].y < places[d].y);
});

test("kept nodes stay where they are, whatever edges come", () => {
  const { ids, edges } = randomGraph(60, 100, 11);
  const before = layered(ids, edges.slice(0, 80), SIZES);
  const kept = new Map(ids.map((id, at) => [id, before.places[at]]));
  const after = layered(ids, edges, SIZES, kept);
  assert.deepEqual(after.places, before.places);
  edges.forEach(([from, to], at) => assert.equal(after.routes[at].length >= 2, from !== to));
  for (const route of after.routes) for (const { x, y } of route) assert.ok(Number.isFinite(x) && Number.isFinite(y));
});

test("nothing and one node", () => {
  assert.deepEqual(layered([], [], SIZES), { places: [], routes: [], width: 0, height: 0 });
  assert.deepEqual(layered(["only"], [], SIZES).places, [{ x: 0, y: 20, layer: 0 }]);
});

test("a route is one line, bent between layers and straight through them", () => {
  const route = [{ x: 0, y: 0 }, { x: 100, y: 50 }, { x: 260, y: 50 }, { x: 360, y: 0 }];
  assert.equal(thread(route), "M0 0C50 0 50 50 100 50H260C310 50 310 0 360 0");
  assert.equal(thread([]), "");
  assert.deepEqual(labelSpots(route, 9)[0], { x: 180, y: 41 });
});
