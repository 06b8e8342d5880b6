// SPDX-License-Identifier: Apache-2.0
// The critical path by rows: when the end of the trace waited for each. Pure.
import { nanos } from "../lib/format.js";

export class CriticalPath {
  /** @param {import("./model.js").TraceModel} model @param {any} answer of the server @param {bigint} traceStart */
  constructor(model, { segments, operations, durationNanos }, traceStart) {
    const found = [];
    for (const segment of segments) {
      const row = model.rowOf(segment.spanId);
      if (row >= 0) found.push([row, Number(nanos(segment.startTimeUnixNano) - traceStart), Number(nanos(segment.endTimeUnixNano) - traceStart)]);
    }
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    /** Starts and ends of the stretches, in the order of their rows; those of a row begin at its `offset`. */
    this.times = new Float64Array(2 * found.length);
    this.offset = new Int32Array(model.count + 1);
    found.forEach(([row, from, to], index) => {
      this.times[2 * index] = from;
      this.times[2 * index + 1] = to;
      this.offset[row + 1] = 2 * (index + 1);
    });
    for (let row = 0; row < model.count; row++) if (this.offset[row + 1] === 0) this.offset[row + 1] = this.offset[row];
    /** The rows on the path, ascending. */
    this.rows = Int32Array.from(new Set(found.map(([row]) => row)));
    /** Each operation's own part, most first. @type {{ service: string, operation: string, pathNanos: string, share: number }[]} */
    this.operations = operations;
    this.durationNanos = Number(nanos(durationNanos));
  }

  has(row) {
    return this.offset[row + 1] > this.offset[row];
  }

  /** [start, end, start, end, …] on the trace's clock. */
  stretches(row) {
    return this.times.subarray(this.offset[row], this.offset[row + 1]);
  }

  /** How long the trace waited for a row. @returns {number} nanoseconds */
  nanosOf(row) {
    const stretches = this.stretches(row);
    let sum = 0;
    for (let i = 0; i < stretches.length; i += 2) sum += stretches[i + 1] - stretches[i];
    return sum;
  }
}
