// SPDX-License-Identifier: Apache-2.0
// A trace that is still arriving: asks now and then how many spans it has by now, until it has been quiet for a while.
import * as api from "../api-more.js";

const EVERY_MILLIS = 5000;
/** Looks without a new span after which the trace counts as complete. */
const QUIET_LOOKS = 3;

export class Arrivals {
  /** @param {string} id @param {AbortSignal} signal @param {(count: number) => void} tell how many spans there are now, when they are more */
  constructor(id, signal, tell) {
    this.id = id;
    this.signal = signal;
    this.tell = tell;
    this.timer = 0;
  }

  /** @param {number} spanCount that are shown @param {boolean} isArriving */
  begin(spanCount, isArriving) {
    this.stop();
    this.last = spanCount;
    this.quiet = 0;
    if (isArriving) this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), EVERY_MILLIS);
  }

  /** Only what was answered while somebody could see it says that a trace is quiet. */
  async look() {
    const spanCount = document.hidden ? null : await api.traceSpanCount(this.id, this.signal).catch(() => null);
    if (this.signal.aborted) return;
    if (spanCount === null) return this.wait();
    this.quiet = spanCount > this.last ? 0 : this.quiet + 1;
    if (spanCount > this.last) this.tell(spanCount);
    this.last = Math.max(this.last, spanCount);
    if (this.quiet < QUIET_LOOKS) this.wait();
  }

  stop() {
    clearTimeout(this.timer);
  }
}
