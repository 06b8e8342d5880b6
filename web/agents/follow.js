// SPDX-License-Identifier: Apache-2.0
// What agents do right now: the stream, and patience when it breaks.
import * as api from "../api-agents.js";
import { EventStream } from "../lib/event-stream.js";
import { backoffMillis } from "../live/ring.js";

/** Whoever waits for a server to come back should not wait much longer than it does. */
const WAIT_MAX_MILLIS = 3000;

export class Follower {
  /**
   * @param {{ sessionId?: string, agent?: string }} query @param {(name: string, value: any) => void} onEvent hears of `span.start`, `span.update`, `span.end`
   * @param {(isThere: boolean) => void} [onServer] hears when the server does not answer, and when it does again
   */
  constructor(query, onEvent, onServer = () => {}) {
    this.query = query;
    this.onEvent = onEvent;
    this.onServer = onServer;
    this.isThere = true;
    this.failures = 0;
    this.connect();
  }

  async connect() {
    const flight = (this.flight = new AbortController());
    const events = new EventStream((name, data) => {
      this.failures = 0;
      const value = parsed(data);
      if (value) this.onEvent(name, value);
    });
    try {
      await api.follow(this.query, (text) => events.push(text), flight.signal, () => this.tell(true));
    } catch (error) {
      // A server that refuses, or does not know the stream, is not asked again.
      if (flight.signal.aborted || (error.status >= 400 && error.status < 500)) return;
      if (error.code === "network") this.tell(false);
    }
    if (flight.signal.aborted) return;
    this.failures++;
    this.retry = setTimeout(() => this.connect(), Math.min(WAIT_MAX_MILLIS, backoffMillis(this.failures, Math.random())));
  }

  /** @param {boolean} isThere */
  tell(isThere) {
    if (isThere === this.isThere) return;
    this.isThere = isThere;
    this.onServer(isThere);
  }

  close() {
    this.flight.abort();
    clearTimeout(this.retry);
  }
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
