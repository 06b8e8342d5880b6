// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { momentNanos, rangeLabel, relativeMillis, resolveRange, spelled } from "../lib/range.js";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const at = (iso) => BigInt(Date.parse(iso)) * 1_000_000n;

test("moments are read in every form people have at hand", () => {
  const cases = [
    ["-1h", at("2026-11-22T11:00:00Z")], ["- 2d", at("2026-11-20T12:00:00Z")], ["now", at("2026-11-22T12:00:00Z")], ["", at("2026-11-22T12:00:00Z")],
    ["2026-11-22T10:00:00Z", at("2026-11-22T10:00:00Z")], ["2026-11-22T10:00:00.123456789Z", at("2026-11-22T10:00:00Z") + 123_456_789n],
    ["2026-11-22T10:00+02:00", at("2026-11-22T08:00:00Z")], ["2026-11-22 10:00", at("2026-11-22T09:00:00Z")], ["2026-07-01", at("2026-06-30T22:00:00Z")],
    ["1795386802", 1_795_386_802_000_000_000n], ["1795386802895", 1_795_386_802_895_000_000n], ["1795386802895123", 1_795_386_802_895_123_000n],
    ["1795386802895123456", 1_795_386_802_895_123_456n],
  ];
  for (const [text, wanted] of cases) assert.equal(momentNanos(text, NOW, "Europe/Oslo"), wanted, text);
});

test("what is no moment is null, never a guess", () => {
  for (const text of ["yesterday", "-1", "1h", "2026-13-40", "2026-11-22T99:00Z", "12:00", "--1h", "-99999999h", "1969-12-31"]) assert.equal(momentNanos(text, NOW, "UTC"), null, text);
});

test("a moment in the hour that summer time repeats or skips is still one", () => {
  assert.equal(momentNanos("2026-03-29 02:30", NOW, "Europe/Oslo") !== null, true);
  assert.equal(momentNanos("2026-10-25 12:00", NOW, "Europe/Oslo"), at("2026-10-25T11:00:00Z"));
});

test("ranges are half open, and refuse to end before they start", () => {
  assert.deepEqual(resolveRange("-1h", "", NOW, "UTC"), { start: at("2026-11-22T11:00:00Z"), end: null });
  assert.deepEqual(resolveRange("all", "", NOW, "UTC"), { start: null, end: null });
  assert.deepEqual(resolveRange("all", "-1h", NOW, "UTC"), { start: null, end: at("2026-11-22T11:00:00Z") });
  assert.equal(resolveRange("-1h", "-2h", NOW, "UTC"), null);
  assert.equal(resolveRange("nonsense", "", NOW, "UTC"), null);
  assert.equal(resolveRange("-1h", "nonsense", NOW, "UTC"), null);
  assert.equal(resolveRange("2999-01-01", "", NOW, "UTC"), null);
});

test("labels say the range shortly", () => {
  const label = (from, to) => rangeLabel(from, to, NOW, "UTC");
  assert.equal(label("-1h", ""), "Last hour");
  assert.equal(label("-15m", "now"), "Last 15 minutes");
  assert.equal(label("all", ""), "All time");
  assert.equal(label("2026-11-22T10:00:00Z", "2026-11-22T11:30:00Z"), "2026-11-22 10:00 – 11:30");
  assert.equal(label("2026-11-21T10:00:00Z", "2026-11-22T11:30:00Z"), "2026-11-21 10:00 – 2026-11-22 11:30");
  assert.equal(label("-2h", "-1h"), "2 hours ago – 1 hour ago");
  assert.equal(spelled("-7d"), "7 days");
  assert.equal(relativeMillis("-1w"), 604_800_000);
});
