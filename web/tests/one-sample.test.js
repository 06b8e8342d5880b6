// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { oneSample } from "../explore/one-sample.js";

const HOUR = 3_600_000_000_000n;

test("one sample counts the range, and hardly more", () => {
  const start = 1_795_731_766_756_206_989n;
  for (const length of [1n, 1_000_000n, HOUR, 24n * HOUR, 30n * 24n * HOUR]) {
    const asked = oneSample({ start, end: start + length, nowMillis: 0 });
    const step = BigInt(asked.step.slice(0, -2));
    assert.equal(asked.start % step, 0n, "the start is a moment");
    assert.equal(asked.end, asked.start + step, "the end is the next");
    assert.ok(asked.start <= start && start - asked.start < 2_000_000_000n * length / HOUR + 2_000_000_000n);
    assert.ok(step >= length && step - length <= length / 600n + 1n, String(length));
  }
});

test("all of time begins at zero", () => {
  const asked = oneSample({ start: null, end: null, nowMillis: 1_795_731_766_756 });
  assert.equal(asked.start, 0n);
  assert.ok(BigInt(asked.step.slice(0, -2)) > asked.end);
  assert.deepEqual(oneSample({ start: null, end: 5n, nowMillis: 0 }), { start: 0n, end: 5n, step: "5ns" });
});
