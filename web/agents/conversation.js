// SPDX-License-Identifier: Apache-2.0
// What was said: the turns of a session in bubbles, as text and nothing else. A turn and a step of the lanes choose each other.
import * as api from "../api-agents.js";
import { bytes, duration, nanos, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { failure } from "../services/parts.js";
import { longText } from "../trace/attributes.js";
import { keepingFocus } from "./focus.js";
import { CUT_LENGTH, firstTurns, headOf, isLong, messageWords, partsOf, withMessages } from "./turns.js";

/** Turns that stand in the document at once. */
const WINDOW = 120;
const STEP = 60;
const AFTER_MILLIS = 120;
/** Pages of the server that are read to find a chosen span. */
const PAGES_MAX = 5;
const MESSAGES_MAX = 1000;

const HOW_TO = [
  ["OpenTelemetry’s GenAI instrumentations", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true"],
  ["OpenLLMetry", "TRACELOOP_TRACE_CONTENT=true"],
  ["Claude Code", "OTEL_LOG_USER_PROMPTS=1 OTEL_LOG_TOOL_DETAILS=1"],
];

export class Conversation {
  /**
   * @param {{ choose: (sessionId: string, spanId: string) => void, nameOf: (sessionId: string) => string, isReduced?: () => boolean, hasMessages?: () => boolean,
   *   isWork?: (sessionId: string) => boolean }} actions `isWork`: whether a session came by the WorkTrace API
   */
  constructor(actions) {
    this.actions = actions;
    /** By session: turns so far, the cursor, and whether content is kept. */
    this.kept = new Map();
    this.opened = new Set();
    this.chosen = "";
    this.first = 0;
    this.title = h("h2.pane-title", {}, "Conversation");
    this.facts = h("span.faint.pane-facts", { role: "status" });
    this.note = h("div.conversation-note", {});
    this.list = h("ol.turns", {});
    this.earlier = h("button.quiet.more-turns", { type: "button", hidden: true, onclick: () => this.move(this.first - STEP) }, "Earlier turns");
    this.later = h("button.quiet.more-turns", { type: "button", hidden: true, onclick: () => this.goOn() }, "Later turns");
    this.scroller = h("div.conversation-scroller", { tabindex: "0", role: "group", "aria-label": "Turns" }, this.note, this.earlier, this.list, this.later);
    this.element = h("section.pane.conversation", { "aria-label": "Conversation" }, h("div.pane-head", {}, this.title, this.facts), this.scroller);
    this.ask = debounce(() => this.load(), AFTER_MILLIS);
    this.life = new AbortController();
    this.list.addEventListener("click", (event) => this.press(event));
    this.list.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
      const turn = step && event.target.closest(".turn");
      if (!turn) return;
      event.preventDefault();
      event.stopPropagation();
      (step > 0 ? turn.nextElementSibling : turn.previousElementSibling)?.querySelector(".turn-head").focus();
    });
  }

  /** @param {string} sessionId @param {string | null} spanId the step that is chosen @param {bigint} origin when time begins @param {boolean} [moves] whether its turns are brought into view */
  show(sessionId, spanId, origin, moves = true) {
    const isOther = sessionId !== this.sessionId;
    Object.assign(this, { sessionId, origin });
    this.chosen = spanId ?? "";
    if (isOther) {
      this.first = 0;
      this.opened.clear();
      this.problem = null;
    }
    if (this.kept.has(sessionId)) {
      if (isOther || !this.list.firstChild) this.draw();
      else this.markChosen();
      if (moves) this.follow();
    } else this.ask();
  }

  /** Reads a running session anew; what is known of it shows until then. @param {string} sessionId */
  renew(sessionId) {
    if (sessionId === this.sessionId) this.ask();
    else this.kept.delete(sessionId);
  }

  async load() {
    const { sessionId } = this;
    if (this.isClosed) return;
    const before = this.kept.has(sessionId);
    if (!before) attribute(this.element, "aria-busy", "true");
    try {
      const [answer, messages] = await Promise.all([api.conversation(sessionId, null, this.life.signal), this.messagesOf(sessionId)]);
      const { turns, rest } = withMessages(answer.turns, messages, answer.next === null);
      this.kept.set(sessionId, { turns, rest, next: answer.next, contentState: answer.contentState, starts: firstTurns(turns) });
      this.problem = null;
    } catch (error) {
      if (this.life.signal.aborted) return;
      this.problem = error;
    }
    if (sessionId !== this.sessionId) return;
    attribute(this.element, "aria-busy", null);
    if (before) this.drawAgain();
    else {
      this.draw();
      this.follow();
    }
    if (this.wanted) this.showMessage(this.wanted);
  }

  /** What was sent by a session and to it. */
  async messagesOf(sessionId) {
    if (!this.actions.hasMessages?.()) return [];
    const answer = await api.messages({ sessionId, limit: MESSAGES_MAX }, this.life.signal).catch(() => null);
    return answer?.messages ?? [];
  }

  /** Brings a message into view, as soon as it is here. @param {string} messageId */
  async showMessage(messageId) {
    const { sessionId } = this;
    const kept = this.kept.get(sessionId);
    this.wanted = kept ? null : messageId;
    if (!kept) return;
    const find = () => kept.turns.findIndex(({ message }) => message?.messageId === messageId);
    for (let page = 0; page < PAGES_MAX && kept.next && find() < 0; page++) await this.readOn();
    if (sessionId === this.sessionId) this.reveal(find());
  }

  /** More is known of a session: perhaps it says otherwise why nothing can be read. @param {string} sessionId */
  explain(sessionId) {
    const kept = this.kept.get(sessionId);
    if (kept && sessionId === this.sessionId) fill(this.note, this.why(kept));
  }

  /** A session has gone on: whoever reads the end goes on reading it, whoever reads elsewhere stays there. */
  drawAgain() {
    const { scroller, later } = this;
    const { turns } = this.kept.get(this.sessionId);
    const isAtEnd = later.hidden && scroller.scrollTop > 0 && scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 4;
    if (isAtEnd || this.first >= turns.length) this.first = Math.max(0, turns.length - WINDOW);
    keepingFocus(this.list, () => this.draw());
    if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  async readOn() {
    const { sessionId } = this;
    const kept = this.kept.get(sessionId);
    if (!kept?.next || kept.isReading) return;
    kept.isReading = true;
    try {
      const answer = await api.conversation(sessionId, kept.next, this.life.signal);
      const { turns, rest } = withMessages(answer.turns, kept.rest, answer.next === null);
      for (const [spanId, index] of firstTurns(turns)) if (!kept.starts.has(spanId)) kept.starts.set(spanId, kept.turns.length + index);
      kept.turns.push(...turns);
      kept.rest = rest;
      kept.next = answer.next;
    } catch (error) {
      if (!this.life.signal.aborted) this.problem = error;
      kept.next = null;
    } finally {
      kept.isReading = false;
    }
  }

  async goOn() {
    const kept = this.kept.get(this.sessionId);
    if (this.first + WINDOW + STEP > kept.turns.length) await this.readOn();
    this.move(this.first + STEP);
  }

  /** Shows another part; what stays keeps its place. */
  move(first) {
    const kept = this.kept.get(this.sessionId);
    if (!kept) return;
    const anchor = first < this.first ? this.list.firstElementChild : this.list.lastElementChild;
    const [index, before] = [Number(anchor?.dataset.index), anchor?.getBoundingClientRect().top];
    this.first = Math.max(0, Math.min(first, kept.turns.length - Math.min(WINDOW, kept.turns.length)));
    this.draw();
    const now = this.list.querySelector(`[data-index="${index}"]`);
    if (now) this.scroller.scrollTop += now.getBoundingClientRect().top - before;
  }

  /** Brings the turns of the chosen step into view. */
  async follow() {
    const { sessionId, chosen } = this;
    const kept = this.kept.get(sessionId);
    if (!kept || !chosen) return;
    for (let page = 0; page < PAGES_MAX && kept.next && !kept.starts.has(chosen); page++) await this.readOn();
    if (sessionId !== this.sessionId || chosen !== this.chosen) return;
    this.reveal(kept.starts.get(chosen) ?? -1);
  }

  /** @param {number} index of a turn */
  reveal(index) {
    const kept = this.kept.get(this.sessionId);
    if (index < 0) return;
    if (index < this.first || index >= this.first + WINDOW) {
      this.first = Math.max(0, Math.min(index - STEP, kept.turns.length - WINDOW));
      this.draw();
    }
    const turn = this.list.querySelector(`[data-index="${index}"]`);
    if (!turn) return;
    const [box, view] = [turn.getBoundingClientRect(), this.scroller.getBoundingClientRect()];
    if (box.top < view.top || box.bottom > view.bottom) this.scroller.scrollTop += box.top - view.top - 16;
  }

  /** What is chosen, without drawing anything else. */
  markChosen() {
    const { turns } = this.kept.get(this.sessionId);
    for (const element of this.list.children) {
      const isChosen = this.chosen !== "" && turns[Number(element.dataset.index)]?.spanId === this.chosen;
      element.classList.toggle("chosen", isChosen);
      attribute(element, "aria-current", isChosen ? "true" : null);
    }
  }

  draw() {
    const kept = this.kept.get(this.sessionId);
    this.facts.textContent = "";
    if (this.problem && !kept) {
      fill(this.note, failure(this.problem, () => this.load()));
      fill(this.list);
      this.earlier.hidden = this.later.hidden = true;
      return;
    }
    if (!kept) return;
    const { turns, next } = kept;
    const messages = turns.reduce((sum, { kind }) => sum + (kind === "message" ? 1 : 0), 0);
    fill(this.facts, `${next ? "more than " : ""}${[turns.length - messages || !messages ? plural(turns.length - messages, "turn") : null, messages ? plural(messages, "message") : null].filter(Boolean).join(", ")} · `, h("bdi", {}, this.actions.nameOf(this.sessionId)));
    fill(this.note, this.why(kept));
    const last = Math.min(turns.length, this.first + WINDOW);
    fill(this.list, turns.slice(this.first, last).map((turn, place) => this.turn(turn, this.first + place)));
    this.earlier.hidden = this.first === 0;
    this.later.hidden = last >= turns.length && !next;
  }

  /** Why nothing, or not everything, can be read. */
  why({ contentState, turns }) {
    if (contentState === "kept" && turns.length) return null;
    if (contentState === "dropped") return h("div.how-to", {}, h("p", {}, "What was said was not kept: this server is set up to drop it. Times, names, tokens and cost are complete."),
      h("dl", {}, h("dt.faint", {}, "To keep what is sent from now on"), h("dd", {}, h("code", {}, "skein serve --worktrace-content keep"))));
    const hasText = turns.some(({ text }) => typeof text === "string");
    if (contentState === "kept") return h("p.faint", {}, "No turn belongs to this session.");
    if (contentState === "reduced" || this.actions.isReduced?.()) return h("p.faint", {}, "What was said went with the steps: the policy of sessions kept only the totals of this work.");
    if (this.actions.isWork?.(this.sessionId)) {
      return h("div.how-to", {}, h("p", {}, hasText ? "Of this session only messages say anything: what its models and tools were given and answered was not recorded." : "What was said was not recorded. Times, names and tokens are complete."),
        h("dl", {}, hasText ? null : [h("dt.faint", {}, "To keep texts, arguments and results that are sent from now on"), h("dd", {}, h("code", {}, "skein serve --worktrace-content keep"))],
          h("dt.faint", {}, "To send them with the WorkTrace API"), h("dd", {}, h("code", {}, "text"), " of a message; ", h("code", {}, "llm.inputMessages"), ", ", h("code", {}, "llm.outputMessages"), ", ", h("code", {}, "tool.arguments"), " and ", h("code", {}, "tool.result"), " of a step")));
    }
    return h("div.how-to", {}, h("p", {}, "What was said was not recorded: instrumentations leave content out until they are asked for it. Times, names and tokens are complete."),
      h("dl", {}, HOW_TO.map(([who, how]) => [h("dt.faint", {}, who), h("dd", {}, h("code", {}, how))])));
  }

  turn(turn, index) {
    const { who, what } = headOf(turn);
    const text = typeof turn.text === "string" ? turn.text : null;
    const isChosen = turn.spanId === this.chosen && this.chosen !== "";
    const at = Number(nanos(turn.timeUnixNano) - this.origin);
    const isOpen = this.opened.has(index);
    const isCut = text !== null && isLong(text) && !isOpen;
    return h("li.turn", { "data-index": index, "data-role": turn.kind === "toolCall" ? "call" : turn.role, class: `turn${isChosen ? " chosen" : ""}`, "aria-current": isChosen ? "true" : null },
      h("button.turn-head", { type: "button", title: "Show it on the lanes" }, h("span.turn-who", {}, who), h("span.turn-what", {}, what), h("time.turn-time", {}, `${at < 0 ? "−" : "+"}${duration(Math.abs(at))}`)),
      text === null ? h("p.turn-text.faint", {}, turn.message ? messageWords(turn.message) : "not recorded") : h("div.turn-text", { class: `turn-text${isCut ? " cut" : ""}` }, isCut ? text.slice(0, CUT_LENGTH) : partsOf(text).map((part) => (part.isCode ? longText(part.text, "pre.turn-code", `${who} ${what}`) : longText(part.text, "div.turn-words")))),
      text !== null && isLong(text) ? h("button.quiet.turn-more", { type: "button", "aria-expanded": String(!isCut) }, isCut ? `Show all (${bytes(text.length)})` : "Less") : null,
      turn.truncated ? h("p.faint.turn-cut", {}, icon("warning"), "cut when it was stored") : null);
  }

  press(event) {
    const element = event.target.closest(".turn");
    if (!element) return;
    const index = Number(element.dataset.index);
    const turn = this.kept.get(this.sessionId).turns[index];
    if (event.target.closest(".turn-more")) {
      if (!this.opened.delete(index)) this.opened.add(index);
      const fresh = this.turn(turn, index);
      element.replaceWith(fresh);
      fresh.querySelector(".turn-more").focus();
    } else if (event.target.closest(".turn-head") && turn.spanId) this.actions.choose(turn.sessionId ?? this.sessionId, turn.spanId);
  }

  close() {
    this.isClosed = true;
    this.ask.cancel();
    this.life.abort();
  }
}
