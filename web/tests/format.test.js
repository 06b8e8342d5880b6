// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import {
  absoluteTime, age, axisDuration, axisTicks, bytes, compactCount, count, duration, exactDuration, isZone, listTime, nanos, plural, relativeTime, share,
  zoneLabel, zoneOffsetMinutes,
} from "../lib/format.js";

const plain = (text) => text.replaceAll("\u00a0", " ");

test("durations have three significant digits and a unit, across every border", () => {
  const cases = [
    [0, "0 ns"], [-5, "0 ns"], [NaN, "0 ns"], [1, "1 ns"], [999, "999 ns"], [1000, "1.00 µs"], [842_000, "842 µs"], [999_600, "1.00 ms"],
    [1_280_000, "1.28 ms"], [12_800_000, "12.8 ms"], [842_000_000, "842 ms"], [999_700_000, "1.00 s"], [1_280_000_000, "1.28 s"], [59_900_000_000, "59.9 s"],
    [59_990_000_000, "1 m 00 s"], [134_000_000_000, "2 m 14 s"], [11_100_000_000_000, "3 h 05 m"], [187_200_000_000_000, "2 d 04 h"],
  ];
  for (const [value, wanted] of cases) assert.equal(plain(duration(value)), wanted, String(value));
});

test("exact durations and counts are grouped", () => {
  assert.equal(plain(exactDuration(1_284_000_001)), "1,284,000,001 ns");
  assert.equal(plain(exactDuration(12345678901234567n)), "12,345,678,901,234,567 ns");
  assert.equal(count(98412), "98,412");
  assert.equal(plain(plural(1, "span")), "1 span");
  assert.equal(plain(plural(2, "child", "children")), "2 children");
});

test("short counts keep three digits", () => {
  for (const [value, wanted] of [[0, "0"], [999, "999"], [1000, "1.00k"], [98_412, "98.4k"], [999_999, "1.00M"], [12_000_000, "12.0M"], [3e9, "3.00G"]])
    assert.equal(compactCount(value), wanted);
});

test("shares are percent, small ones are not called nothing", () => {
  for (const [value, wanted] of [[0, "0 %"], [0.0001, "<0.1 %"], [0.0041, "0.4 %"], [0.05, "5 %"], [0.314, "31 %"], [1, "100 %"], [NaN, "0 %"]])
    assert.equal(plain(share(value)), wanted);
});

test("bytes are in powers of 1024", () => {
  for (const [value, wanted] of [[12, "12 B"], [1536, "1.50 KiB"], [188_416, "184 KiB"], [2 ** 31, "2.00 GiB"]]) assert.equal(plain(bytes(value)), wanted);
});

test("what spans are kept for is said without empty units", () => {
  assert.equal(plain(age(30 * 86400)), "30 d");
  assert.equal(plain(age(36 * 3600)), "1 d 12 h");
  assert.equal(plain(age(90)), "1 m 30 s");
});

test("axis ticks stand at round numbers and their labels tell them apart", () => {
  const labels = (from, to, wanted) => {
    const { step, at } = axisTicks(from, to, wanted);
    return at.map((tick) => plain(axisDuration(tick, step)));
  };
  assert.deepEqual(labels(0, 4_120_000_000, 5), ["0", "1 s", "2 s", "3 s", "4 s"]);
  assert.deepEqual(labels(0, 2_990_000_000, 6), ["0", "500 ms", "1.0 s", "1.5 s", "2.0 s", "2.5 s"]);
  assert.deepEqual(labels(1_000_000, 1_000_400, 4), ["1.0000 ms", "1.0001 ms", "1.0002 ms", "1.0003 ms", "1.0004 ms"]);
  assert.deepEqual(labels(0, 300e9, 5), ["0", "1 m 00 s", "2 m 00 s", "3 m 00 s", "4 m 00 s", "5 m 00 s"]);
  assert.deepEqual(axisTicks(5, 5, 4).at, [5]);
  for (const span of [1, 7, 1e3, 1e9, 36e12, 1e18]) {
    const { at } = axisTicks(0, span, 6);
    assert.ok(at.length >= 1 && at.length <= 15, `${span}: ${at.length}`);
  }
});

test("times keep their nanoseconds, at the ends of the clock too", () => {
  assert.equal(absoluteTime(1795386802_895_123_456n, "UTC", 9), "2026-11-22 22:33:22.895123456");
  assert.equal(absoluteTime(0n, "UTC", 0), "1970-01-01 00:00:00");
  assert.equal(absoluteTime(18446744073709551615n, "UTC", 3), "2554-07-21 23:34:33.709");
  assert.equal(nanos("18446744073709551615"), 18446744073709551615n);
  assert.equal(nanos("12e3"), 0n);
  assert.equal(nanos(null), 0n);
});

test("a list shows the date of another day only", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  assert.equal(listTime(BigInt(now) * 1_000_000n, "UTC", now), "12:00:00.000");
  assert.equal(listTime(BigInt(now - 86_400_000) * 1_000_000n, "UTC", now), "2026-11-21 12:00:00.000");
});

test("relative times go both ways", () => {
  const at = (seconds) => plain(relativeTime(BigInt(1_000_000 - seconds) * 1_000_000_000n, 1_000_000_000));
  assert.deepEqual([0, 12, 200, 7300, 200_000, -4].map(at), ["now", "12 s ago", "3 m ago", "2 h ago", "2 d ago", "in 4 s"]);
});

test("zones have names and offsets, with summer time", () => {
  assert.equal(zoneOffsetMinutes(Date.parse("2026-07-01T00:00:00Z"), "Europe/Oslo"), 120);
  assert.equal(zoneOffsetMinutes(Date.parse("2026-12-01T00:00:00Z"), "Europe/Oslo"), 60);
  assert.equal(zoneOffsetMinutes(0, "Asia/Kolkata"), 330);
  assert.equal(zoneLabel("UTC", 0), "UTC");
  assert.equal(zoneLabel("America/St_Johns", Date.parse("2026-12-01T00:00:00Z")), "America/St_Johns (UTC−3:30)");
  assert.equal(isZone("Europe/Oslo"), true);
  assert.equal(isZone("Mars/Olympus"), false);
  assert.equal(isZone(""), false);
});
