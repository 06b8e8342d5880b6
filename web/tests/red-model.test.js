// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { apart, apartInTime } from "../explore/explain-model.js";
import { busiest, change, percentiles, windows } from "../explore/red-model.js";

const SECOND = 1_000_000_000n;
const T = 1_795_341_600n * SECOND;

/** Series of one value a step over both windows and the moment before them. */
const answer = (frame, series) => ({
  startTimeUnixNano: String(frame.start),
  series: series.map(([service, before, now, bucket]) => ({
    labels: [{ name: "resource.service.name", value: service, type: "string" }, ...(bucket ? [{ name: "__bucket", value: bucket, type: "double" }] : [])],
    values: [99, ...Array(frame.steps).fill(before), ...Array(frame.steps).fill(now)],
  })),
});

test("two windows of the same length, of whole steps, hold the range and what was before it", () => {
  const frame = windows({ start: T - 3600n * SECOND, end: T });
  assert.deepEqual([frame.step, frame.steps, frame.elapsed], [120n * SECOND, 30, 1]);
  assert.equal(frame.start, T - 7200n * SECOND);
  const open = windows({ start: T - 3600n * SECOND + SECOND, end: T + 30n * SECOND });
  assert.equal(open.elapsed, 0.25);
  assert.equal(open.end, T + 120n * SECOND);
});

test("the services with most errors come first, then those with most spans, each against the window before", () => {
  const frame = windows({ start: T - 3600n * SECOND, end: T });
  const rows = busiest(answer(frame, [["quiet", 1, 0], ["web", 2, 4], ["db", 8, 8], ["pay", 1, 1]]), answer(frame, [["pay", 0, 0.5]]), frame);
  assert.deepEqual(rows.map(({ name }) => name), ["pay", "db", "web"]);
  const [pay, db, web] = rows;
  assert.deepEqual([pay.errorShare, pay.errorShareBefore, pay.count], [0.5, 0, 3600]);
  assert.deepEqual([web.rate, web.rateBefore], [4, 2]);
  assert.equal(change(web.rate, web.rateBefore).by, 1);
  assert.equal(change(db.rate, db.rateBefore), null);
  assert.deepEqual(change(pay.errorShare, pay.errorShareBefore), { way: "up", by: Infinity });
  assert.equal(change(1, null), null);
});

test("percentiles come out of buckets of powers of two", () => {
  const frame = windows({ start: T - 3600n * SECOND, end: T });
  const bucket = String(2 ** 20 / 1e9);
  const slow = String(2 ** 30 / 1e9);
  const found = percentiles(answer(frame, [["web", 0, 10, bucket], ["web", 0, 10, slow]]), 0.95, frame).get("web");
  assert.ok(found.now > 2 ** 29 && found.now <= 2 ** 30);
  assert.equal(found.before, null);
  assert.equal(found.line.length, frame.steps);
});

test("what differs is told from what does not", () => {
  const found = apart({ selectionCount: 4, restCount: 8, attributes: [
    { name: "span.region", difference: 0.9, truncated: false, values: [{ value: "eu", type: "string", selectionCount: 4, restCount: 0 }] },
    { name: "kind", difference: 0, truncated: false, values: [] },
  ] });
  assert.deepEqual(found.attributes.map(({ name }) => name), ["span.region"]);
  assert.deepEqual([found.attributes[0].pairs[0].share, found.attributes[0].pairs[0].restShare], [1, 0]);
});

test("two counts of values make a comparison, without values that one of them had no room for", () => {
  const value = (value, count) => ({ value, type: "string", count });
  const inside = { spanCount: 10, facets: [{ name: "host", share: 1, truncated: true, values: [value("a", 9)] }, { name: "new", share: 1, truncated: false, values: [value("x", 10)] }] };
  const all = { spanCount: 100, facets: [{ name: "host", share: 1, truncated: false, values: [value("b", 90), value("a", 10)] }, { name: "same", share: 0, truncated: false, values: [] }, { name: "new", share: 0.1, truncated: false, values: [value("x", 10)] }] };
  const { selected, rest, attributes } = apartInTime(inside, all);
  assert.deepEqual([selected, rest], [10, 90]);
  assert.deepEqual(attributes.map(({ name }) => name), ["new", "host"]);
  assert.equal(attributes[0].difference, 1);
  assert.deepEqual(attributes[1].pairs.map(({ value }) => value), ["a"]);
  assert.equal(attributes[1].pairs[0].restCount, 1);
});
