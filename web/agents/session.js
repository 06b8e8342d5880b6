// SPDX-License-Identifier: Apache-2.0
// A session and all that it led to: loads the orchestration, holds what is chosen, shown and zoomed, and keeps the address
// saying so. Lanes, conversation and details are three looks at one choice.
import * as api from "../api-agents.js";
import { count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { initialState } from "../lib/url.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { stateOf } from "../services/parts.js";
import { theme } from "../settings.js";
import { WINDOW_MIN, fractionText, zoomOf } from "../trace/zoom.js";
import { Below } from "./below.js";
import { blocksOf, reaches } from "./blocks.js";
import { agentColors } from "./colors.js";
import { Conversation } from "./conversation.js";
import { keepingFocus } from "./focus.js";
import { SessionHead } from "./head.js";
import { sessionCommands } from "./keys.js";
import { Lanes, partOf } from "./lanes.js";
import { listView } from "./left.js";
import { Orchestration } from "./orchestration.js";
import { Overview } from "./overview.js";
import { Progress } from "./progress.js";
import { SpanPanel } from "./span-panel.js";
import { STEPS_MAX, StepStore } from "./step-store.js";
import { momentOf } from "./words.js";

const NARROW = matchMedia("(max-width: 1099px)");
const COLLAPSED_MAX = 40;
const MESSAGES_MAX = 1000;
const RECORDS_MAX = 100;

/** @param {any} app @param {import("../lib/url.js").View} view @param {Promise<any>} [asked] its orchestration, already asked for @param {AbortController} [life] that of the request */
export function open(app, view, asked, life) {
  return new SessionPage(app, view, asked, life);
}

class SessionPage {
  constructor(app, view, asked, life = new AbortController()) {
    this.app = app;
    this.id = view.id;
    this.state = view.state;
    /** @type {Orchestration | null} */
    this.orchestration = null;
    /** @type {Map<number, import("./lane-drawing.js").LaneBlocks>} */
    this.kept = new Map();
    this.messages = [];
    this.selection = { index: -1, block: null };
    this.from = 0;
    this.to = 1;
    this.collapsed = new Set();
    this.isSideOpen = true;
    this.life = life;
    this.steps = new StepStore(this.life.signal, (sessionId, record) => this.stepsCame(sessionId, record));
    this.progress = new Progress({
      isOf: ({ sessionId, traceId }) => this.orchestration.byId.has(sessionId) || this.orchestration.traceIds.includes(traceId),
      refresh: (changed) => this.refresh(changed), grow: () => this.grow(), server: (isThere) => this.serverIs(isThere),
    });
    /** Sessions of WorkTrace: of the others spans tell. @type {Set<string>} */
    this.worked = new Set();
    document.title = "Session · Skein";
    this.lanes = new Lanes({
      choose: (index, block, opens) => this.choose(index, block, { opens }), toggle: (index) => this.toggle(index), zoomAt: (place, factor) => this.zoomAt(place, factor), pan: (part) => this.pan(part),
      zoomTo: (from, to) => this.zoomTime(from, to), laneOf: (index) => this.laneOf(index), colorOf: (index) => this.colorOf(index), seen: (indices) => this.wantSteps(indices),
      chooseMessage: (entry) => this.chooseMessage(entry),
    });
    this.overview = new Overview((from, to) => this.zoom(from, to), (index) => this.colorOf(index));
    this.conversation = new Conversation({
      choose: (sessionId, spanId) => this.chooseSpan(spanId, sessionId), nameOf: (sessionId) => (this.orchestration.session(sessionId)?.agentName ?? "").slice(0, 80) || "no agent named",
      isReduced: () => this.orchestration.isReduced, hasMessages: () => this.orchestration.answer.messageCount > 0, isWork: (sessionId) => this.worked.has(sessionId),
    });
    this.panel = new SpanPanel(this);
    this.head = new SessionHead(this);
    this.below = new Below(this);
    this.keepZoom = debounce(() => this.keepState(), 150);
    this.build();
    app.keyboard.install("Session", sessionCommands(this));
    this.repaint = () => { this.lanes.repaint(); this.overview.draw(); };
    this.place = () => this.below.place(NARROW.matches);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.repaint);
    NARROW.addEventListener("change", this.place);
    this.unlisten = [theme.listen(this.repaint)];
    this.load(asked);
  }

  build() {
    const { app } = this;
    const { shell } = app;
    const button = (picture, label, act) => h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(picture));
    this.pathButton = button("path", "Draw the critical path (p)", () => this.togglePath());
    this.sideButton = button("panel", "Conversation and details (Enter)", () => this.showSide(!this.isSideOpen));
    this.traceLink = h("a.button.trace-way", { title: "The spans of its trace (w)" }, "Waterfall");
    this.tools = h("div.session-tools", {}, this.head.path,
      h("div.button-group", { role: "group", "aria-label": "Lanes" }, button("expand", "Expand all (*)", () => this.setAll(false)), button("collapse", "Collapse all (_)", () => this.setAll(true)), this.pathButton),
      h("div.button-group", { role: "group", "aria-label": "Zoom" }, button("plus", "Zoom in (+)", () => this.zoomAt(0.5, 0.5)), button("minus", "Zoom out (−)", () => this.zoomAt(0.5, 2)), button("fit", "All of it (0)", () => this.zoom(0, 1))), this.sideButton);
    this.side = h("div.session-side", {});
    this.main = h("div.session-main", {}, this.lanes.element, this.below.element);
    this.element = h("div.session-page", {}, this.head.element, this.overview.element, this.tools, h("div.session-panes", {}, this.main, this.side));
    fill(shell.barStart, h("a.back", { href: app.href(listView(app)), title: "All sessions" }, icon("back"), "Agents"), this.head.title);
    fill(shell.barEnd, this.traceLink, h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() }, icon("link")));
    this.below.place(NARROW.matches);
  }

  /** @param {Promise<any>} [asked] the answer, already asked for */
  async load(asked) {
    const { shell } = this.app;
    shell.busy(true);
    attribute(this.element, "aria-busy", this.orchestration ? null : "true");
    try {
      const answer = await (asked ?? api.orchestration(this.id, this.life.signal));
      if (this.life.signal.aborted) return;
      shell.setOffline(null);
      this.take(answer);
    } catch (error) {
      if (!this.life.signal.aborted) this.fail(error);
    } finally {
      if (!this.life.signal.aborted) {
        shell.busy(false);
        attribute(this.element, "aria-busy", null);
      }
    }
  }

  /** An orchestration, or the same one later: then everything stays where it was. */
  take(answer) {
    const isFirst = this.orchestration === null;
    const { index, block } = this.selection;
    const before = isFirst ? null : { id: this.orchestration.sessions[index]?.sessionId, block, window: [this.from, this.to].map((place) => this.orchestration.axis.time(place)), isWhole: this.from <= 0 && this.to >= 1 };
    this.orchestration = new Orchestration(answer);
    this.colors = agentColors(this.orchestration.sessions.map(({ agentName }) => agentName ?? ""), (name) => this.app.colors.of(name));
    this.kept.clear();
    if (!this.element.isConnected) fill(this.app.shell.main, this.element);
    this.head.show();
    this.overview.show(this.orchestration);
    const root = this.orchestration.session(this.id) ?? this.orchestration.session(answer.rootSessionId) ?? this.orchestration.sessions[0];
    this.traceLink.href = this.app.href({ page: "trace", id: root?.traceId ?? answer.traceId, state: initialState("trace") });
    if (isFirst) this.applyState(this.state);
    else {
      const { axis } = this.orchestration;
      if (!before.isWhole) this.zoom(axis.place(before.window[0]), axis.place(before.window[1]), false);
      this.showLanes();
      this.restore(before);
    }
    this.below.show();
    if (isFirst) this.app.shell.say(`Orchestration of ${plural(this.orchestration.sessions.length, "session")}`);
    this.loadMessages();
    if (isFirst) this.loadRecord();
    this.progress.follow(this.orchestration);
  }

  restore({ id, block }) {
    const session = this.orchestration.session(id) ?? this.orchestration.sessions[0];
    if (session) this.choose(session.index, this.again(session.index, block), { keeps: false, moves: false });
  }

  /** @param {boolean} isThere whether the server answers */
  serverIs(isThere) {
    const { shell } = this.app;
    shell.setOffline(isThere ? null : () => this.load());
    if (isThere) this.refresh(this.orchestration.sessions.filter(({ isOpen }) => isOpen).map(({ sessionId }) => sessionId));
    else shell.alert("Skein does not answer");
  }

  /** The address says something else. */
  show(state) {
    this.state = state;
    if (this.orchestration) this.applyState(state);
  }

  applyState(state) {
    const { orchestration } = this;
    const wanted = new Set(state.c.split(",").filter(Boolean));
    this.collapsed = new Set(orchestration.sessions.filter(({ spanId, children }) => children.length && wanted.has(spanId.slice(0, 8))).map(({ sessionId }) => sessionId));
    const [from, to] = zoomOf(state.z);
    this.zoom(from, to, false);
    attribute(this.pathButton, "aria-pressed", String(state.cp !== "0"));
    this.showLanes();
    this.below.choose(state.view);
    const lane = orchestration.session(state.lane) ?? orchestration.session(state.span ? orchestration.sessionOfSpan(state.span) : "") ?? orchestration.session(this.id) ?? orchestration.session(orchestration.answer.rootSessionId) ?? orchestration.sessions[0];
    if (!lane) return;
    this.uncover(lane.index);
    const block = state.span ? this.blockOf(lane.index, state.span) : null;
    this.choose(lane.index, block, { keeps: false });
    // Only steps tell of most spans.
    if (state.span && !block) this.wantSteps([lane.index]).then(() => {
      if (this.state !== state || this.selection.index !== lane.index || this.selection.block) return;
      const found = this.blockOf(lane.index, state.span);
      if (found) this.choose(lane.index, found, { keeps: false });
      else if (!orchestration.sessions.some(({ spanId }) => spanId === state.span)) this.app.shell.confirm(`No step ${state.span.slice(0, 40)} is known in this session`);
    });
  }

  keepState() {
    const { orchestration, selection } = this;
    if (!orchestration) return;
    const session = orchestration.sessions[selection.index];
    const z = this.from <= 0 && this.to >= 1 ? "" : `${fractionText(this.from)}-${fractionText(this.to)}`;
    const c = [...this.collapsed].slice(0, COLLAPSED_MAX).map((id) => orchestration.session(id)?.spanId.slice(0, 8)).filter(Boolean).join(",");
    this.app.replace({ span: keyOf(selection.block), lane: session && session.sessionId !== this.id ? session.sessionId : "", z, c });
    this.state = this.app.view.state;
  }

  // Lanes

  /** @param {number} index of a session @returns {number} place in the palette */
  colorOf(index) {
    return this.colorOfAgent(this.orchestration.sessions[index]?.agentName ?? "");
  }

  colorOfAgent(name) {
    return this.colors.get(name) ?? this.app.colors.of(name);
  }

  /** @param {number} index @returns {any[] | null} */
  stepsOf(index) {
    return this.steps.of(this.orchestration.sessions[index].sessionId);
  }

  /** The blocks of a lane, worked out once. @param {number} index */
  laneOf(index) {
    if (!this.kept.has(index)) {
      const { orchestration } = this;
      const session = orchestration.sessions[index];
      const { sessionId } = session;
      const blocks = blocksOf(session, {
        calls: orchestration.callsOf.get(sessionId) ?? [], path: orchestration.pathOf.get(sessionId) ?? [], edges: orchestration.edgesFrom.get(sessionId) ?? [], steps: this.stepsOf(index), start: orchestration.start, now: orchestration.now,
      });
      this.kept.set(index, { blocks, ends: reaches(blocks), levels: blocks.reduce((most, { level }) => Math.max(most, level + 1), 1) });
    }
    return this.kept.get(index);
  }

  /** Answers when the steps of sessions are here, but for those that are too long. @param {number[]} indices */
  wantSteps(indices) {
    return this.steps.want(indices.map((index) => this.orchestration.sessions[index]).filter(({ spanCount }) => !(spanCount > STEPS_MAX)).map(({ sessionId }) => sessionId));
  }

  /** What only its record tells of a session, where that does not come with the steps. */
  async loadRecord() {
    const { root } = this.head;
    if (!(root?.spanCount > STEPS_MAX)) return;
    const answer = await api.sessions({ traceId: root.traceId, limit: RECORDS_MAX }, this.life.signal).catch(() => null);
    const record = answer?.sessions.find(({ sessionId }) => sessionId === root.sessionId);
    if (record && !this.life.signal.aborted) this.learn(record);
  }

  /** @param {any} record of a session */
  learn(record) {
    const { sessionId, source } = record;
    if (sessionId === this.head.root?.sessionId) this.head.learn(record);
    if (source !== "worktrace" || this.worked.has(sessionId)) return;
    this.worked.add(sessionId);
    this.conversation.explain(sessionId);
  }

  /** The lane is drawn anew; what was chosen on it stays chosen. */
  stepsCame(sessionId, record) {
    const { orchestration, selection } = this;
    if (record) this.learn(record);
    const index = orchestration.byId.get(sessionId);
    if (index === undefined) return;
    this.kept.delete(index);
    if (selection.index === index && selection.block) {
      this.choose(index, this.again(index, selection.block), { keeps: false, moves: false });
    }
    this.lanes.draw();
  }

  /** @param {number} index @param {string} key span or step @returns {import("./blocks.js").Block | null} */
  blockOf(index, key) {
    return key ? this.laneOf(index).blocks.find((block) => block.spanId === key || block.stepId === key) ?? null : null;
  }

  /** A block as it is now, after its lane was worked out anew. @param {number} index @param {import("./blocks.js").Block | null} block */
  again(index, block) {
    if (!block) return null;
    const key = keyOf(block);
    return key ? this.blockOf(index, key) : this.laneOf(index).blocks.find(({ kind, from }) => kind === block.kind && from === block.from) ?? null;
  }

  showLanes() {
    this.lanes.showsPath = this.pathButton.getAttribute("aria-pressed") === "true";
    this.lanes.messages = this.messages;
    this.lanes.show(this.orchestration, this.orchestration.shown(this.collapsed), this.collapsed);
  }

  toggle(index) {
    const { sessionId, children } = this.orchestration.sessions[index];
    if (!children.length) return;
    if (!this.collapsed.delete(sessionId)) this.collapsed.add(sessionId);
    this.showLanes();
    this.keepState();
  }

  setAll(isCollapsed) {
    if (!this.orchestration) return;
    this.collapsed = new Set(isCollapsed ? this.orchestration.sessions.filter(({ children }) => children.length).map(({ sessionId }) => sessionId) : []);
    this.showLanes();
    this.keepState();
  }

  uncover(index) {
    const { sessions } = this.orchestration;
    let isChanged = false;
    for (let above = sessions[index].parent; above >= 0; above = sessions[above].parent) isChanged = this.collapsed.delete(sessions[above].sessionId) || isChanged;
    if (isChanged) this.showLanes();
  }

  togglePath() {
    const isOn = this.pathButton.getAttribute("aria-pressed") !== "true";
    attribute(this.pathButton, "aria-pressed", String(isOn));
    this.app.replace({ cp: isOn ? "" : "0" });
    this.state = this.app.view.state;
    this.lanes.showsPath = isOn;
    this.lanes.draw();
  }

  // Choosing

  /**
   * @param {number} index of a session @param {import("./blocks.js").Block | null} block
   * @param {{ opens?: boolean, keeps?: boolean, moves?: boolean }} [how] without `moves` nothing is brought into view: nobody has asked
   */
  choose(index, block, { opens = false, keeps = true, moves = true } = {}) {
    const session = this.orchestration.sessions[index];
    if (!session) return;
    if (moves) this.uncover(index);
    const isSame = this.selection.index === index && this.selection.block === block;
    this.selection = { index, block };
    this.lanes.setChosen(index, block, moves);
    if (block && moves) this.reveal(block);
    if (opens) this.showSide(true, block !== null && !isSame ? "details" : undefined);
    this.conversation.show(session.sessionId, block?.spanId ?? null, this.orchestration.start, moves);
    this.panel.show(session, block);
    this.below.follow(moves);
    if (keeps) this.keepState();
  }

  /** By the id of a span, of a known session or of whichever has it. @param {string} spanId @param {string} [sessionId] */
  async chooseSpan(spanId, sessionId) {
    const { orchestration } = this;
    const session = orchestration.session(sessionId ?? orchestration.sessionOfSpan(spanId) ?? "") ?? orchestration.sessions[this.selection.index];
    if (!session) return;
    if (!this.blockOf(session.index, spanId)) await this.wantSteps([session.index]);
    if (this.orchestration.answer !== orchestration.answer) return;
    this.choose(session.index, this.blockOf(session.index, spanId));
  }

  /** Messages that a step sent or read. @param {import("./blocks.js").Block} block @returns {any[]} entries of `messages` */
  messagesOf({ spanId, stepId, step }) {
    const read = new Set(step?.messageIds ?? []);
    return this.messages.filter(({ message }) => read.has(message.messageId) || (spanId && message.trace?.spanId === spanId) || (stepId && message.trace?.stepId === stepId && message.trace?.sessionId === step?.sessionId));
  }

  /** A message: the step that sent it, and its words in the conversation. @param {{ message: any, sessionId: string }} entry */
  async chooseMessage({ message, sessionId }) {
    const asked = this.orchestration.session(sessionId);
    if (!asked) return;
    await this.wantSteps([asked.index]);
    // It may have been read anew since.
    const session = this.orchestration.session(sessionId);
    if (!session || this.life.signal.aborted) return;
    const { spanId, stepId } = message.trace ?? {};
    this.choose(session.index, this.blockOf(session.index, spanId) ?? this.blockOf(session.index, stepId), { opens: true });
    this.conversation.showMessage(message.messageId);
  }

  /** The longest stretch of a class on the path of a session: what a bottleneck speaks of. */
  async chooseClass(sessionId, kind) {
    const { orchestration } = this;
    const parts = (orchestration.pathOf.get(sessionId) ?? []).filter((part) => part.class === kind);
    const longest = parts.reduce((most, part) => (!most || part.to - part.from > most.to - most.from ? part : most), null);
    const session = orchestration.session(sessionId);
    if (!session) return;
    await this.wantSteps([session.index]);
    if (this.orchestration.answer !== orchestration.answer) return;
    const blocks = this.laneOf(session.index).blocks;
    const block = longest && (blocks.find(({ spanId, from, to }) => spanId === longest.spanId && from < longest.to && to > longest.from) ?? blocks.find((each) => each.kind === kind && each.from < longest.to && each.to > longest.from));
    this.choose(session.index, block ?? null, { opens: true });
  }

  /** Moves along a lane. @param {number} step */
  moveInLane(step) {
    const { index, block } = this.selection;
    if (index < 0) return;
    this.lanes.scroller.focus({ preventScroll: true });
    const { blocks } = this.laneOf(index);
    if (!blocks.length) return;
    const at = block ? blocks.indexOf(block) : step > 0 ? -1 : blocks.length;
    const next = blocks[Math.max(0, Math.min(blocks.length - 1, at + step))];
    this.choose(index, next);
    const session = this.orchestration.sessions[index];
    this.lanes.say(`${next.name.slice(0, 200)}, ${this.lanes.factsOf(index, next)}, ${partOf(next, session)} of the session, ${count(blocks.indexOf(next) + 1)} of ${count(blocks.length)}`);
  }

  /** Moves between lanes. @param {number} step */
  moveLane(step) {
    const { rows } = this.lanes;
    if (!rows.length) return;
    this.lanes.scroller.focus({ preventScroll: true });
    const at = rows.indexOf(this.selection.index);
    this.choose(rows[Math.max(0, Math.min(rows.length - 1, at + step))], null);
  }

  /** The next or the previous failed step, by time. @param {number} step */
  async nextError(step) {
    const { orchestration, selection } = this;
    const failed = orchestration.sessions.flatMap(({ index }) => this.laneOf(index).blocks.filter(({ isFailed }) => isFailed).map((block) => ({ index, block }))).sort((a, b) => (a.block.from - b.block.from) * step);
    if (!failed.length) {
      this.app.shell.confirm("No step failed");
      return;
    }
    const now = selection.block?.from ?? (step > 0 ? -Infinity : Infinity);
    const next = failed.find(({ block }) => (block.from - now) * step > 0) ?? failed[0];
    this.choose(next.index, next.block, { opens: true });
  }

  showSide(isOpen, part) {
    this.isSideOpen = isOpen;
    attribute(this.sideButton, "aria-pressed", String(isOpen));
    this.side.hidden = !isOpen;
    if (NARROW.matches && isOpen && part) this.below.choose(part);
  }

  // Time

  /** @param {number} from place @param {number} to place @param {boolean} [keeps] */
  zoom(from, to, keeps = true) {
    const width = Math.max(WINDOW_MIN, Math.min(1, to - from));
    this.from = Math.max(0, Math.min(1 - width, from));
    this.to = this.from + width;
    this.lanes.setWindow(this.from, this.to);
    this.overview.setWindow(this.from, this.to);
    this.below.zoomed();
    if (keeps) this.keepZoom();
  }

  zoomAt(place, factor) {
    const [at, width] = [place === 0.5 ? (this.from + this.to) / 2 : place, (this.to - this.from) * factor];
    const left = at - ((at - this.from) / (this.to - this.from)) * width;
    this.zoom(left, left + width);
  }

  pan(part) {
    const shift = part * (this.to - this.from);
    this.zoom(this.from + shift, this.to + shift);
  }

  zoomTime(from, to) {
    const { axis } = this.orchestration;
    const [left, right] = [axis.place(from), axis.place(to)];
    const margin = (right - left) * 0.05;
    this.zoom(left - margin, right + margin);
  }

  /** Brings a block into the window, without another scale. */
  reveal(block) {
    const { axis } = this.orchestration;
    const [left, right] = [axis.place(block.from), axis.place(block.to)];
    if (right >= this.from && left <= this.to && (left >= this.from || right <= this.to || right - left > this.to - this.from)) return;
    const width = this.to - this.from;
    this.zoom((left + right - width) / 2, (left + right + width) / 2);
  }

  // What is still going on

  async loadMessages() {
    const { orchestration } = this;
    if (!orchestration.answer.messageCount) return;
    const found = new Map();
    await Promise.all(orchestration.traceIds.slice(0, 20).map(async (traceId) => {
      const answer = await api.messages({ traceId, limit: MESSAGES_MAX }, this.life.signal).catch(() => null);
      for (const message of answer?.messages ?? []) found.set(message.messageId, message);
    }));
    if (this.orchestration.answer !== orchestration.answer || this.life.signal.aborted) return;
    this.messages = [...found.values()].map((message) => ({ message, sessionId: message.trace?.sessionId ?? "", at: Number((momentOf(message.time) ?? 0n) - orchestration.start) })).sort((a, b) => a.at - b.at);
    this.lanes.messages = this.messages;
    this.lanes.draw();
    this.below.show();
    const { index, block } = this.selection;
    if (block) this.panel.show(this.orchestration.sessions[index], block);
  }

  /** @param {string[]} changed sessions */
  async refresh(changed) {
    const answer = await api.orchestration(this.id, this.life.signal).catch(() => null);
    if (!answer || this.life.signal.aborted) return;
    this.app.shell.setOffline(null);
    for (const id of changed) {
      this.steps.renew(id);
      this.conversation.renew(id);
    }
    keepingFocus(this.element, () => this.take(answer));
  }

  /** What runs is a second longer. */
  grow() {
    const { answer } = this.orchestration;
    const kept = this.orchestration;
    const fresh = new Orchestration(answer);
    const isWhole = this.from <= 0 && this.to >= 1;
    const window = [this.from, this.to].map((place) => kept.axis.time(place));
    const { index, block } = this.selection;
    this.orchestration = fresh;
    for (const { index: each, isOpen } of fresh.sessions) if (isOpen) this.kept.delete(each);
    if (!isWhole) this.zoom(fresh.axis.place(window[0]), fresh.axis.place(window[1]), false);
    this.lanes.orchestration = fresh;
    this.lanes.list.refresh();
    this.overview.show(fresh);
    this.lanes.showTicks();
    if (block) {
      const again = this.again(index, block);
      if (again) {
        this.selection = { index, block: again };
        this.lanes.chosen = again;
        if (again.isOpen) this.panel.show(fresh.sessions[index], again);
      }
    }
    if (!block && fresh.sessions[index]?.isOpen) this.panel.show(fresh.sessions[index], null);
    this.lanes.draw();
    this.below.grow();
    this.head.showLength();
  }

  fail(error) {
    const { shell } = this.app;
    if (error.code === "network") shell.setOffline(() => this.load());
    shell.alert(error.message);
    if (this.orchestration) {
      shell.confirm(error.message);
      return;
    }
    const isUnknown = error.status === 404;
    const held = h("p.faint", {});
    // How long spans are kept, said as in place of a trace that is not there.
    if (isUnknown) Promise.all([import("../trace/absent.js"), api.status(this.life.signal)]).then(([{ heldText }, status]) => { held.textContent = heldText(status); }, () => {});
    fill(shell.main, stateOf(isUnknown ? "No such session is stored" : "The session could not be read", [
      h("p", {}, isUnknown ? "It may be older than what is kept, or its spans have not arrived." : error.message), h("p.faint", {}, h("code", {}, this.id.slice(0, 200))), held,
      error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null,
    ], [["All sessions", () => this.app.go(listView(this.app))], ["Try again", () => this.load()]]));
  }

  zoneChanged() {
    if (!this.orchestration) return;
    this.head.show();
    this.lanes.list.refresh();
  }

  close() {
    this.life.abort();
    this.progress.close();
    this.keepZoom.cancel();
    this.lanes.close();
    this.overview.close();
    this.conversation.close();
    this.panel.close();
    this.below.close();
    this.scheme.removeEventListener("change", this.repaint);
    NARROW.removeEventListener("change", this.place);
    for (const stop of this.unlisten) stop();
    this.app.keyboard.install("Session", []);
  }
}

/** What names a block in the address. */
function keyOf(block) {
  return block?.spanId ?? block?.stepId ?? "";
}
