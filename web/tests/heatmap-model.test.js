// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { Grid, bandAt, closedRange, durationAt, durationTicks, exactMoment, exactly, stepFor, timeTicks } from "../explore/heatmap-model.js";
import { among } from "../explore/asked.js";

const SECOND = 1_000_000_000n;

/** Two minutes of 10 s: bands are those of 1 ms, 8 ms and 2 s. */
const answer = {
  startTimeUnixNano: "1795341000000000000", stepNanos: "10000000000", moments: 13,
  durationFloorsNanos: ["917504", "7340032", "1610612736"],
  cells: [[0, 0, 100, 0], [1, 0, 6, 0], [1, 1, 2, 1], [12, 1, 1, 0], [12, 2, 1, 1]],
};

test("steps are ones that people count in, and cut any range into at most 150", () => {
  assert.equal(stepFor(3600n * SECOND), 30n * SECOND);
  assert.equal(stepFor(86_400n * SECOND), 600n * SECOND);
  for (let length = 1n; length < 10n ** 19n; length = length * 3n + 1n) assert.ok((length + stepFor(length) - 1n) / stepFor(length) <= 150n, String(length));
});

test("open ends are the store's, or now", () => {
  const nowMillis = 1_795_341_000_000;
  const now = BigInt(nowMillis) * 1_000_000n;
  assert.deepEqual(closedRange({ start: 5n, end: null, nowMillis }, null), { start: 5n, end: now });
  assert.deepEqual(closedRange({ start: null, end: null, nowMillis }, { oldest: 7n, newest: 9n }), { start: 7n, end: 10n });
  assert.deepEqual(closedRange({ start: null, end: 5n, nowMillis }, { oldest: 7n, newest: 9n }), { start: 4n, end: 5n });
  assert.equal(closedRange({ start: null, end: null, nowMillis }, { oldest: 0n, newest: 0n }), null);
  assert.deepEqual(closedRange({ start: now + 9n, end: null, nowMillis }, null), { start: now + 9n, end: now + 10n });
});

test("bands are the server's: a quarter of a doubling wide, the first ones a nanosecond", () => {
  for (let band = 0; band < 250; band++) assert.equal(Math.round(bandAt(durationAt(band))), band);
  for (const floor of [0, 3, 4, 49_152, 57_344, 65_536, 81_920, 2 ** 62]) assert.equal(durationAt(Math.round(bandAt(floor))), floor);
});

test("cells make a grid without what lies before the range", () => {
  const grid = new Grid(answer);
  assert.equal(grid.columns, 12);
  assert.equal([grid.total, grid.failed, grid.most].join(), "10,2,6");
  assert.ok(grid.rows >= 8 && grid.rows <= 40);
  assert.deepEqual(grid.sum({ left: 0, right: 0, low: 0, high: grid.rows - 1 }), { count: 8, errors: 1 });
  assert.equal(grid.rowSums().reduce((a, b) => a + b), 10);
  assert.equal(Math.floor(grid.rowOf(917_504)), 0);
  assert.equal(Math.floor(grid.rowOf(1_610_612_736)), grid.rows - 1);
});

test("however far the durations lie apart there are at most forty rows, and never fewer than eight", () => {
  const far = new Grid({ ...answer, durationFloorsNanos: ["0", String(2n ** 62n)], cells: [[1, 0, 1, 0], [1, 1, 1, 0]] });
  assert.ok(far.rows <= 40);
  assert.equal(far.total, 2);
  const one = new Grid({ ...answer, durationFloorsNanos: ["0"], cells: [[1, 0, 1, 0]] });
  assert.equal(one.rows, 8);
  const none = new Grid({ ...answer, moments: 1, durationFloorsNanos: [], cells: [] });
  assert.equal([none.total, none.columns, none.percentile(0.5)].join(), "0,1,");
});

test("percentiles lie in the band that they fall into", () => {
  const grid = new Grid(answer);
  assert.ok(grid.percentile(0.5) >= 917_504 && grid.percentile(0.5) < 1_048_576);
  assert.ok(grid.percentile(0.8) >= 7_340_032 && grid.percentile(0.8) < 8_388_608);
  assert.ok(grid.percentile(0.99) >= 1_610_612_736 && grid.percentile(0.99) <= 1_879_048_192);
  assert.ok(grid.percentile(0) >= 917_504);
});

test("a selection asks for exactly what its cells count", () => {
  const grid = new Grid(answer);
  const high = grid.rows - 1;
  assert.deepEqual(grid.range({ left: 0, right: 0, low: 0, high }), { start: 1795341000000000001n, end: 1795341010000000001n });
  assert.deepEqual(grid.durationTerms({ left: 0, right: 3, low: 0, high }), []);
  const row = Math.floor(grid.rowOf(7_340_032));
  const [least, below] = [`duration >= ${exactly(grid.floor(row))}`, `duration < ${exactly(grid.floor(row + 1))}`];
  assert.deepEqual(grid.durationTerms({ left: 0, right: 0, low: row, high: row }), [least, below]);
  assert.deepEqual(grid.durationTerms({ left: 0, right: 0, low: row, high }), [least]);
  assert.equal(exactMoment(1795341000000000001n), "2026-11-22T09:50:00.000000001Z");
  assert.equal(exactMoment(1795341000000000000n), "2026-11-22T09:50:00Z");
});

test("durations are written to the nanosecond", () => {
  assert.deepEqual([0, 3, 1000, 49_152, 6_291_456, 1_610_612_736, 3_600_000_000_000].map(exactly), ["0ns", "3ns", "1us", "49.152us", "6.291456ms", "1.610612736s", "3600s"]);
});

test("shades are steps of equal ratio, and as many as the counts can fill", () => {
  const of = (most) => Object.assign(new Grid(answer), { most }).shadeFloors();
  assert.deepEqual(of(1), [1]);
  assert.deepEqual(of(3), [1, 2, 3]);
  const many = of(1_000_000);
  assert.equal(many.length, 6);
  assert.ok(many.every((floor, i) => i === 0 || floor > many[i - 1]));
});

test("the table for reading has every span once", () => {
  const { times, durations, cells } = new Grid(answer).table(6, 5);
  assert.ok(times.length <= 6 && durations.length <= 5);
  assert.equal(cells.flat().reduce((sum, cell) => sum + cell.count, 0), 10);
  assert.ok(durations[0][0] > durations.at(-1)[0], "the longest first");
});

test("the axes have ticks at round places", () => {
  const grid = new Grid(answer);
  assert.deepEqual(durationTicks(grid.scale, 0.05), [1e6, 1e7, 1e8, 1e9]);
  const [start, end] = [1795341000n * SECOND, 1795344600n * SECOND];
  assert.deepEqual(timeTicks(start, end, 4, "UTC", 0).map(({ text }) => text), ["10:00", "10:15", "10:30", "10:45"]);
  assert.deepEqual(timeTicks(start, start + SECOND / 10n, 2, "UTC", 0).map(({ text }) => text), ["09:50:00.05"]);
  assert.deepEqual(timeTicks(start, start + 259_200n * SECOND, 3, "Asia/Kolkata", 330).map(({ text }) => text), ["11-23", "11-24", "11-25"]);
});

test("more conditions are asked of what a query finds, behind pipelines and relations", () => {
  const both = ["duration >= 1ms", "duration < 2ms"];
  assert.equal(among("", both), "duration >= 1ms and duration < 2ms");
  assert.equal(among("a = 1 or b = 2", both), "(a = 1 or b = 2) and duration >= 1ms and duration < 2ms");
  assert.equal(among("{ a = 1 }", both), "{ a = 1 && duration >= 1ms && duration < 2ms }");
  assert.equal(among("{ a = 1 } >> { b = 2 }", both), "{ a = 1 } >> { b = 2 } | { duration >= 1ms && duration < 2ms }");
  assert.equal(among("{ a = 1 } && { b = 2 }", both), "{ a = 1 } && { b = 2 } | { duration >= 1ms && duration < 2ms }");
  assert.equal(among("a = 1 | count() > 2", both), "a = 1 | count() > 2 | { duration >= 1ms && duration < 2ms }");
  assert.equal(among("a = 1 | order by duration desc", both), "a = 1 | { duration >= 1ms && duration < 2ms }");
  assert.equal(among("a = 1", []), "a = 1");
});
