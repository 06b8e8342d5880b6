// SPDX-License-Identifier: Apache-2.0
// What was said in a trace of agents: the conversation of each of its sessions, as on their own page.
import { shortened } from "../lib/format.js";
import { initialState } from "../lib/url.js";
import { fill, h } from "../lib/view.js";
import { Conversation } from "../agents/conversation.js";
import { extrasOf } from "./extras.js";

/** @param {any} trace @param {HTMLElement} element */
export function open(trace, element) {
  return new TraceConversation(trace, element);
}

class TraceConversation {
  constructor(trace, element) {
    this.trace = trace;
    this.element = element;
    this.sessions = [];
    this.chooser = h("select.field", { "aria-label": "Session" });
    this.chooser.addEventListener("change", () => this.choose(this.chooser.value));
    this.link = h("a.quiet-link", {}, "On the lanes");
    this.note = h("div.view-note", {});
    this.conversation = new Conversation({
      choose: (_, spanId) => {
        const row = trace.model.rowOf(spanId);
        if (row >= 0) trace.select(row, { opens: true });
      },
      nameOf: (id) => shortened(this.sessions.find(({ sessionId }) => sessionId === id)?.agentName ?? "", 80) || "no agent named",
    });
    this.isOver = false;
    trace.app.style("conversation").then(() => {
      if (!this.isOver) fill(element, h("div.view-bar", {}, this.chooser, this.link), this.note, this.conversation.element);
    }, () => trace.app.shell.confirm("A part of the page did not come from the server"));
  }

  show(changed) {
    if (changed === "model") this.load();
    else if (changed === "selection") this.follow();
  }

  async load() {
    const { model } = this.trace;
    try {
      this.sessions = await extrasOf(model).agentSessions();
    } catch (error) {
      fill(this.note, h("p.problem", {}, error.message), h("button", { type: "button", onclick: () => this.load() }, "Try again"));
      return;
    }
    if (this.isOver || this.trace.model !== model) return;
    fill(this.note, this.sessions.length ? null : h("p.faint", {}, "No agent worked in this trace."));
    this.conversation.element.hidden = this.chooser.hidden = this.link.hidden = !this.sessions.length;
    fill(this.chooser, this.sessions.map(({ sessionId, agentName, title }) => h("option", { value: sessionId }, shortened([agentName, title].filter(Boolean).join(" · ") || sessionId, 100))));
    if (!this.sessions.length) return;
    if (!this.follow()) this.choose(this.sessions[0].sessionId);
  }

  choose(sessionId) {
    const { trace } = this;
    this.chosen = this.chooser.value = sessionId;
    this.link.href = trace.app.href({ page: "agents/session", id: sessionId, state: initialState("agents/session") });
    this.conversation.show(sessionId, this.spanId(), trace.traceStart);
  }

  spanId() {
    const { model, selected } = this.trace;
    return selected < 0 || model.isPlaceholder(selected) ? null : model.id(selected);
  }

  /** The session of the selected span, or of the nearest span above that opens one. @returns {boolean} whether there is one */
  follow() {
    const { model, selected } = this.trace;
    const bySpan = new Map(this.sessions.map(({ trace, sessionId }) => [trace?.spanId, sessionId]));
    for (let row = selected; row >= 0; row = model.parent[row]) {
      const sessionId = model.isPlaceholder(row) ? undefined : bySpan.get(model.id(row));
      if (!sessionId) continue;
      this.choose(sessionId);
      return true;
    }
    if (this.chosen) this.choose(this.chosen);
    return Boolean(this.chosen);
  }

  close() {
    this.isOver = true;
    this.conversation.close();
  }
}
