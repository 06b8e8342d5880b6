// SPDX-License-Identifier: Apache-2.0
// A trace that is still arriving: asks now and then how many spans it has by now, until it has been quiet for a while. One in
// which spans are still running is read anew as long.
import * as api from "../api-more.js";

const EVERY_MILLIS = 5000;
/** Looks without a new span after which the trace counts as complete. */
const QUIET_LOOKS = 3;
/** Of larger traces it is only told how many spans they have by now. */
const RELOADED_MAX = 20_000;

export class Arrivals {
  /**
   * @param {string} id @param {AbortSignal} signal @param {(count: number) => void} tell how many spans there are now, when they are more
   * @param {(skeleton: any) => void} show what was read anew, and begins anew
   */
  constructor(id, signal, tell, show) {
    this.id = id;
    this.signal = signal;
    this.tell = tell;
    this.show = show;
    this.timer = 0;
  }

  /** @param {any} skeleton that is shown */
  begin({ spanCount, warnings = [] }) {
    const has = (wanted) => warnings.some(({ code }) => code === wanted);
    this.stop();
    this.last = spanCount;
    this.quiet = 0;
    this.isOpen = has("open");
    if (this.isOpen || has("still-arriving")) this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), EVERY_MILLIS);
  }

  /** Only what was answered while somebody could see it says that a trace is quiet. */
  async look() {
    if (this.isOpen && this.last <= RELOADED_MAX) return this.readAnew();
    const spanCount = document.hidden ? null : await api.traceSpanCount(this.id, this.signal).catch(() => null);
    if (this.signal.aborted) return;
    if (spanCount === null) return this.wait();
    this.quiet = spanCount > this.last ? 0 : this.quiet + 1;
    if (spanCount > this.last) this.tell(spanCount);
    this.last = Math.max(this.last, spanCount);
    if (this.isOpen || this.quiet < QUIET_LOOKS) this.wait();
  }

  async readAnew() {
    const skeleton = document.hidden ? null : await api.traceSkeleton(this.id, this.signal).catch(() => null);
    if (this.signal.aborted) return;
    if (skeleton) this.show(skeleton);
    else this.wait();
  }

  stop() {
    clearTimeout(this.timer);
  }
}
