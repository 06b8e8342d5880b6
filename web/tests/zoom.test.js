// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { WINDOW_MIN, fractionText, zoomOf } from "../trace/zoom.js";

test("what is zoomed into is read back, however small", () => {
  for (let i = 0; i < 2000; i++) {
    const width = WINDOW_MIN * (1 + (i % 50));
    const from = (i * 0.6180339887) % (1 - width);
    const [start, end] = zoomOf(`${fractionText(from)}-${fractionText(from + width)}`);
    assert.ok(Math.abs(start - from) < 1e-9 && Math.abs(end - from - width) < 1e-9, `${from} ${width}`);
  }
  assert.equal(fractionText(5e-7), "0.0000005");
  assert.equal(fractionText(1), "1");
  assert.equal(fractionText(0), "0");
  assert.equal(fractionText(0.25), "0.25");
});

test("anything else is the whole", () => {
  for (const text of ["", "1-0", "0.5-0.5", "a-b", "0.1-0.1000000001", "-1-2", "0.1"]) assert.deepEqual(zoomOf(text), [0, 1]);
});
