// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { rateText } from "../lib/rate.js";
import { Red, arrivals, asked, before, change, changeText, rates, seriesBy, spansOf, spansOfAll, windowOf, withBefore } from "../lib/red.js";

const S = 1_000_000_000n;

test("a window holds whole slices and is asked for by the ends of them", () => {
  const window = windowOf(1003n * S, 1058n * S, 1058n * S);
  assert.deepEqual([window.start, window.end, window.step, window.count], [1003n * S, 1058n * S, S, 55]);
  const hour = windowOf(10_005n * S, 13_605n * S, 13_605n * S);
  assert.deepEqual([hour.step, hour.start, hour.end, hour.count], [60n * S, 9960n * S, 13_620n * S, 61]);
  assert.deepEqual(asked(hour), { start: 10_020n * S, end: 13_620n * S, step: "60000000000" });
  assert.equal(before(hour).end, hour.start);
  assert.deepEqual([withBefore(hour).both.start, withBefore(hour).both.count, withBefore(hour).past], [before(hour).start, 122, 61]);
});

test("a slice that is not over has the rate of the time that has passed, or none", () => {
  const window = windowOf(0n, 600n * S, 575n * S, 10);
  assert.equal(window.step, 60n * S);
  assert.deepEqual(rates(window, [60, 0, 0, 0, 0, 0, 0, 0, 0, 35]).slice(-2), [0, 1]);
  assert.equal(rates({ ...window, now: 550n * S }, new Array(10).fill(1)).at(-1), null);
  assert.equal(rates(window, [60, 0])[0], 1);
});

test("a heatmap becomes counts, errors and quantiles", () => {
  const window = windowOf(0n, 3n * S, 10n * S);
  const answer = { startTimeUnixNano: String(S), stepNanos: String(S), moments: 3, durationFloorsNanos: ["1048576", "2097152"], cells: [[0, 0, 90, 0], [0, 1, 10, 5], [2, 1, 2, 2]] };
  const red = new Red(answer, window);
  assert.deepEqual(red.counts, [100, 0, 2]);
  assert.deepEqual(red.errors, [5, 0, 2]);
  assert.deepEqual(red.errorShares(), [0.05, null, 1]);
  assert.deepEqual(red.total(), { spans: 102, errors: 7, errorShare: 7 / 102 });
  const median = red.quantile(0.5, 0, 1);
  assert.ok(median > 1048576 && median < 1048576 * 1.25);
  assert.ok(red.quantile(0.99, 0, 1) > 2097152);
  assert.equal(red.quantile(0.5, 1, 2), null);
  assert.equal(red.quantileFloor(0.95), 2097152);
});

test("series are found by their labels; a missing attribute is empty", () => {
  const window = windowOf(0n, 2n * S, 9n * S);
  const answer = { startTimeUnixNano: String(S), series: [{ labels: [{ name: "v", value: "nil", type: "string" }], values: [1, null] }] };
  assert.deepEqual([...seriesBy(answer, window, ["v"])], [["", { labels: [""], values: [1, null] }]]);
});

test("a version that comes after another is an arrival", () => {
  const series = new Map([["a", { labels: ["1"], values: [2, 2, 0] }], ["b", { labels: ["2"], values: [0, 1, 3] }], ["c", { labels: ["3"], values: [0, 0, 0] }]]);
  assert.deepEqual(arrivals(series), [{ slice: 1, label: "2" }]);
  assert.deepEqual(arrivals(new Map()), []);
  const back = new Map([["1", { labels: ["1"], values: [9, 9, 0, 0, 9, 9] }], ["2", { labels: ["2"], values: [0, 1, 9, 9, 1, 0] }]]);
  assert.deepEqual(arrivals(back), [{ slice: 1, label: "2" }, { slice: 4, label: "1 again" }]);
});

test("names are quoted, whatever they hold", () => {
  assert.equal(spansOf({ service: 'a"b\\', operation: "x", failed: true }), '{ resource.service.name = "a\\"b\\\\" && name = "x" && status = error }');
  assert.equal(spansOf({ service: "a", counted: "requests" }), '{ resource.service.name = "a" && (kind = server || kind = consumer) }');
  assert.equal(spansOfAll("spans"), "{  }");
  assert.equal(spansOfAll("roots", ["a", "b"]), '{ (resource.service.name = "a" || resource.service.name = "b") && span:parentID = "" }');
});

test("figures are short", () => {
  assert.deepEqual([412.4, 12.34, 0.5, 0.01, 0.0001, 0].map(rateText), ["412/s", "12.3/s", "0.50/s", "0.60/min", "0.36/h", "0/s"]);
  assert.deepEqual([0.25, -0.08, 0, 11].map(changeText), ["+25\u00a0%", "−8\u00a0%", "±0\u00a0%", "×12"]);
  assert.equal(change(2, 0), null);
});
