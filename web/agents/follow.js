// SPDX-License-Identifier: Apache-2.0
// What agents do right now: the stream, and patience when it breaks.
import * as api from "../api-agents.js";
import { EventStream } from "../lib/event-stream.js";
import { backoffMillis } from "../live/ring.js";

export class Follower {
  /** @param {{ sessionId?: string, agent?: string }} query @param {(name: string, value: any) => void} onEvent hears of `span.start`, `span.update`, `span.end` */
  constructor(query, onEvent) {
    this.query = query;
    this.onEvent = onEvent;
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
      await api.follow(this.query, (text) => events.push(text), flight.signal);
    } catch (error) {
      // A server that refuses, or does not know the stream, is not asked again.
      if (flight.signal.aborted || (error.status >= 400 && error.status < 500)) return;
    }
    if (flight.signal.aborted) return;
    this.failures++;
    this.retry = setTimeout(() => this.connect(), backoffMillis(this.failures, Math.random()));
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
