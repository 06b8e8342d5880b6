// SPDX-License-Identifier: Apache-2.0
// An orchestration that is still going on: news of the stream are read after a while, and bars grow each second.
import { Follower } from "./follow.js";

const REFRESH_MILLIS = 2000;
const GROW_MILLIS = 1000;
/** Bars that take long to draw grow less often: at most this part of the time goes into it. */
const GROW_PART = 0.02;

export class Progress {
  /**
   * @param {{ isOf: (event: any) => boolean, refresh: (changed: string[]) => void, grow: () => void, server: (isThere: boolean) => void }} actions
   * `changed`: sessions that told of something; `server`: whether it answers
   */
  constructor(actions) {
    this.actions = actions;
    this.changed = new Set();
    this.restUntil = 0;
    this.isThere = true;
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
    }, (isThere) => {
      this.isThere = isThere;
      this.actions.server(isThere);
    });
    this.growing = setInterval(() => this.grow(), GROW_MILLIS);
  }

  grow() {
    const start = performance.now();
    // Nobody knows whether what ran still runs.
    if (!this.isThere || document.hidden || this.due || start < this.restUntil) return;
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
    this.isThere = true;
  }
}
