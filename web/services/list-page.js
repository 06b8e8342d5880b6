// SPDX-License-Identifier: Apache-2.0
// What the pages have in common that list what there is in a time range.
import { fill, h } from "../lib/view.js";
import { failure, fixedRange, stateOf } from "./parts.js";

/** Whoever extends it has `app`, `state`, `range`, `rows`, the places `body` and `problem`, and the methods `load` and `draw`. */
export class ListPage {
  /** @param {string} unread says that nothing could be read */
  constructor(unread) {
    this.unread = unread;
    /** Counts questions: the answer to one that has been overtaken is not shown. */
    this.asked = 0;
    this.rows = [];
    this.nowMillis = Date.now();
  }

  /** What is shown stays where there is something. */
  fail(error) {
    const { shell } = this.app;
    if (error.code === "network") shell.setOffline(() => this.load());
    shell.alert(error.message);
    if (this.rows.length) fill(this.problem, failure(error, () => this.load()));
    else fill(this.body, stateOf(this.unread, [h("p", {}, error.message), error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null], [["Try again", () => this.load()]]));
  }

  zoneChanged() {
    this.range.show(this.state.from, this.state.to);
    this.draw();
  }

  /** The range as it stood, for a link. */
  fixedState() {
    return fixedRange(this.state, this.nowMillis);
  }

  close() {
    this.asked++;
    this.flight?.abort();
  }
}
