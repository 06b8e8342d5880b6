// SPDX-License-Identifier: Apache-2.0
// The traces of Live: the newest thousand, let through at a pace that eyes can follow, held back while somebody reads. Pure.

export const ROWS_MAX = 1000;
export const ROWS_PER_SECOND = 20;
const RATE_SECONDS = 60;

export class Ring {
  /** @param {number} nowMillis */
  constructor(nowMillis) {
    /** Oldest first; the row at `first + i` came as number `first + i`. @type {any[]} */
    this.rows = [];
    this.first = 0;
    /** What came and is not among the rows yet, oldest first. @type {any[]} */
    this.waiting = [];
    /** Traces that came during a pause. */
    this.heldCount = 0;
    /** @type {Map<string, any>} rows and waiting ones by trace, so that a trace that grows changes its row */
    this.byTrace = new Map();
    this.isPaused = false;
    this.tokens = ROWS_PER_SECOND;
    this.releasedAt = nowMillis;
    /** Traces a second: those that came, and those that were not shown. The last one is not over. */
    this.arrived = new Array(RATE_SECONDS).fill(0);
    this.skipped = new Array(RATE_SECONDS).fill(0);
    this.second = Math.floor(nowMillis / 1000);
  }

  /** The number after that of the newest row. */
  get end() {
    return this.first + this.rows.length;
  }

  /** @param {number} number */
  at(number) {
    return this.rows[number - this.first];
  }

  /** A trace came, or grew. @param {any} trace @param {number} nowMillis @returns {any} its row when one changed */
  add(trace, nowMillis) {
    this.tick(nowMillis);
    const known = this.byTrace.get(trace.traceId);
    if (known) {
      known.trace = trace;
      known.version++;
      return known;
    }
    this.arrived[RATE_SECONDS - 1]++;
    const row = { trace, version: 0 };
    this.byTrace.set(trace.traceId, row);
    this.waiting.push(row);
    if (this.isPaused) this.heldCount++;
    if (this.waiting.length > ROWS_MAX) this.byTrace.delete(this.waiting.shift().trace.traceId);
    return null;
  }

  /** The server did not look at as many, since they came too fast. */
  drop(count, nowMillis) {
    this.tick(nowMillis);
    this.arrived[RATE_SECONDS - 1] += count;
    this.skipped[RATE_SECONDS - 1] += count;
  }

  /** Lets rows through, as many as the pace allows; the others that wait are counted, not shown. @returns {number} how many are new */
  release(nowMillis) {
    this.tick(nowMillis);
    const elapsed = Math.max(0, nowMillis - this.releasedAt) / 1000;
    this.releasedAt = nowMillis;
    this.tokens = Math.min(ROWS_PER_SECOND, this.tokens + elapsed * ROWS_PER_SECOND);
    if (this.isPaused) return 0;
    const shown = Math.min(this.waiting.length, Math.floor(this.tokens));
    const tooMany = this.waiting.length - shown;
    for (const row of this.waiting.splice(0, tooMany)) this.byTrace.delete(row.trace.traceId);
    this.skipped[RATE_SECONDS - 1] += tooMany;
    this.tokens -= shown;
    return this.show(shown);
  }

  pause() {
    this.isPaused = true;
    this.heldCount = this.waiting.length;
  }

  /** All that waited is shown at once. @returns {number} how many are new */
  resume() {
    this.isPaused = false;
    this.heldCount = 0;
    return this.show(this.waiting.length);
  }

  show(count) {
    this.rows.push(...this.waiting.splice(0, count));
    const surplus = this.rows.length - ROWS_MAX;
    if (surplus > 0) {
      for (const row of this.rows.splice(0, surplus)) this.byTrace.delete(row.trace.traceId);
      this.first += surplus;
    }
    return count;
  }

  /** Moves on to the second of now. */
  tick(nowMillis) {
    const second = Math.floor(nowMillis / 1000);
    const passed = Math.min(RATE_SECONDS, second - this.second);
    if (passed <= 0) return;
    this.second = second;
    for (const counts of [this.arrived, this.skipped]) {
      counts.splice(0, passed);
      for (let i = 0; i < passed; i++) counts.push(0);
    }
  }

  /** Traces a second that came, and that were not shown, over the last whole seconds. */
  rates(seconds = 5) {
    const mean = (counts) => counts.slice(-1 - seconds, -1).reduce((sum, n) => sum + n, 0) / seconds;
    return { arrived: mean(this.arrived), skipped: mean(this.skipped) };
  }
}

const WAIT_FIRST_MILLIS = 1000;
const WAIT_MAX_MILLIS = 30_000;

/** How long to wait before asking again: twice as long each time, and not all pages at once. @param {number} failures @param {number} chance 0 to 1 */
export function backoffMillis(failures, chance) {
  return Math.min(WAIT_MAX_MILLIS, WAIT_FIRST_MILLIS * 2 ** Math.min(failures - 1, 10)) * (0.75 + chance / 2);
}
