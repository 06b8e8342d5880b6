// SPDX-License-Identifier: Apache-2.0
// The steps of sessions: each session is asked for once, a few at a time, those that were wanted last first.
import * as api from "../api-agents.js";

const AT_ONCE = 3;
/** Of sessions with more spans the steps are not read: the answer has all of them at once, hundreds of bytes each. */
export const STEPS_MAX = 20_000;

export class StepStore {
  /** @param {AbortSignal} signal @param {(sessionId: string, record: any | null) => void} came */
  constructor(signal, came) {
    this.signal = signal;
    this.came = came;
    /** Steps once they are here; null where they could not be had. @type {Map<string, any[] | null>} */
    this.steps = new Map();
    /** @type {Map<string, Promise<void>>} */
    this.asking = new Map();
    /** Sessions that have gone on since: what is known of them shows until they are read again. */
    this.stale = new Set();
    this.waiting = [];
    this.atWork = 0;
  }

  /** @param {string} sessionId @returns {any[] | null} */
  of(sessionId) {
    return this.steps.get(sessionId) ?? null;
  }

  /** Answers when the steps of all are here. @param {string[]} sessionIds */
  want(sessionIds) {
    return Promise.all(sessionIds.map((sessionId) => {
      if (this.steps.has(sessionId) && !this.stale.has(sessionId)) return null;
      if (!this.asking.has(sessionId)) this.asking.set(sessionId, new Promise((done) => { this.waiting.push({ sessionId, done }); }));
      this.work();
      return this.asking.get(sessionId);
    }));
  }

  async work() {
    if (this.atWork >= AT_ONCE || !this.waiting.length || this.signal.aborted) return;
    // Whoever scrolls on wants what is in view first.
    const { sessionId, done } = this.waiting.pop();
    this.atWork++;
    this.stale.delete(sessionId);
    const record = await api.session(sessionId, this.signal).catch(() => null);
    this.atWork--;
    this.asking.delete(sessionId);
    if (this.signal.aborted) return;
    if (record || !this.steps.has(sessionId)) this.steps.set(sessionId, record?.steps ?? null);
    this.came(sessionId, record);
    done();
    if (this.stale.has(sessionId)) this.want([sessionId]);
    this.work();
  }

  /** What was read of a session that goes on is old. @param {string} sessionId */
  renew(sessionId) {
    if (this.steps.has(sessionId) || this.asking.has(sessionId)) this.stale.add(sessionId);
  }
}
