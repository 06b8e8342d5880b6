// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream } from "../lib/event-stream.js";
import { ROWS_MAX, Ring, backoffMillis } from "../live/ring.js";

const trace = (n, spanCount = 1) => ({ traceId: String(n), spanCount });

test("events come out of a stream wherever it is cut", () => {
  const text = 'event: start\ndata: {}\n\n:\n\nevent: trace\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: plain\n\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const events = [];
    const stream = new EventStream((name, data) => events.push([name, data]));
    stream.push(text.slice(0, cut));
    stream.push(text.slice(cut));
    assert.deepEqual(events, [["start", "{}"], ["trace", '{"a":\n1}'], ["message", "plain"]], `cut at ${cut}`);
  }
});

test("twenty rows a second are shown, the others counted", () => {
  const ring = new Ring(0);
  for (let second = 0; second < 10; second++) {
    for (let tick = 0; tick < 4; tick++) {
      for (let i = 0; i < 25; i++) ring.add(trace(`${second}-${tick}-${i}`), second * 1000 + tick * 250);
      ring.release(second * 1000 + tick * 250 + 249);
    }
  }
  ring.tick(10_000);
  assert.ok(ring.end >= 200 && ring.end <= 225, `${ring.end}`);
  assert.equal(ring.rates().arrived, 100);
  assert.ok(Math.abs(ring.rates().skipped - 80) < 2);
  assert.equal(ring.byTrace.size, ring.rows.length, "what is not shown is forgotten");
});

test("a trace that grows changes its row, shown or waiting, and comes no second time", () => {
  const ring = new Ring(0);
  ring.add(trace("a"), 0);
  assert.equal(ring.add(trace("a", 2), 0).trace.spanCount, 2);
  ring.release(0);
  assert.equal(ring.end, 1);
  assert.equal(ring.add(trace("a", 3), 10).version, 2);
  assert.equal(ring.at(0).trace.spanCount, 3);
  assert.equal(ring.arrived.at(-1), 1);
});

test("a pause holds everything back, as much as the ring takes", () => {
  const ring = new Ring(0);
  ring.pause();
  for (let i = 0; i < ROWS_MAX + 184; i++) ring.add(trace(i), i);
  assert.equal(ring.release(2000), 0);
  assert.equal(ring.heldCount, ROWS_MAX + 184);
  ring.resume();
  assert.equal(ring.rows.length, ROWS_MAX);
  assert.equal(ring.rows.at(-1).trace.traceId, String(ROWS_MAX + 183));
  ring.add(trace("one more"), 3000);
  ring.release(3000);
  assert.equal(ring.rows.length, ROWS_MAX);
  assert.equal(ring.first, 1);
  assert.equal(ring.byTrace.size, ROWS_MAX);
});

test("who is refused waits longer each time", () => {
  assert.equal(backoffMillis(1, 0.5), 1000);
  assert.equal(backoffMillis(3, 0.5), 4000);
  assert.equal(backoffMillis(50, 1), 37_500);
});
