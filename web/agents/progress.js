// SPDX-License-Identifier: Apache-2.0
// An orchestration that is still going on: news of the stream are read after a while, and bars grow each second.
import { Follower } from "./follow.js";

const REFRESH_MILLIS = 2000;
const GROW_MILLIS = 1000;
/** Bars that take long to draw grow less often: at most this part of the time goes into it. */
const GROW_PART = 0.02;

export class Progress {
  /** @param {{ isOf: (event: any) => boolean, refresh: (changed: string[]) => void, grow: () => void }} actions `changed`: sessions that told of something */
  constructor(actions) {
    this.actions = actions;
    this.changed = new Set();
    this.restUntil = 0;
  }

  /** @param {import("./orchestration.js").Orchestration} orchestration as it is now */
  follow({ isRunning }) {
    if (!isRunning) {
      this.close();
      return;
    }
    if (this.follower) return;
    this.follower = new Follower({}, (_, event) => {
      if (!this.actions.isOf(event)) return;
      if (event.sessionId) this.changed.add(event.sessionId);
      this.due ||= setTimeout(() => this.refresh(), REFRESH_MILLIS);
    });
    this.growing = setInterval(() => this.grow(), GROW_MILLIS);
  }

  grow() {
    const start = performance.now();
    if (document.hidden || this.due || start < this.restUntil) return;
    this.actions.grow();
    const end = performance.now();
    this.restUntil = end + (end - start) / GROW_PART - GROW_MILLIS;
  }

  refresh() {
    this.due = 0;
    const changed = [...this.changed];
    this.changed.clear();
    this.actions.refresh(changed);
  }

  close() {
    this.follower?.close();
    this.follower = null;
    clearInterval(this.growing);
    clearTimeout(this.due);
    this.due = 0;
  }
}
