// SPDX-License-Identifier: Apache-2.0
// What is known of the chosen step: what an agent's step has, and below it what any span has.
import * as api from "../api-agents.js";
import { withCondition } from "../explore/query-text.js";
import { bytes, count, duration, exactDuration, nanos, plural, share, shortened } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { initialState } from "../lib/url.js";
import { debounce, fill, h } from "../lib/view.js";
import { longText } from "../trace/attributes.js";
import { CriticalPath } from "../trace/critical-path.js";
import { Details } from "../trace/details.js";
import { TraceModel } from "../trace/model.js";
import { prettyOf } from "../trace/pretty.js";
import { section } from "../trace/section.js";
import { SpanStore } from "../trace/span-store.js";
import { keepingFocus } from "./focus.js";
import { spanFacts } from "./span-facts.js";
import { classBar } from "./time-bar.js";
import { messageWords } from "./turns.js";
import { WORDS } from "./lanes.js";
import { after, dollars, INFERENCES, standing, tokens, tokenWords } from "./words.js";

const AFTER_MILLIS = 80;
/** Traces whose outline is kept. */
const TRACES_MAX = 3;
/** Of larger traces a span is shown without its place among the others. */
const PLACED_MAX = 20_000;
/** Of a step that said very much. */
const MESSAGES_MAX = 20;

export class SpanPanel {
  /** @param {any} page the session page */
  constructor(page) {
    this.page = page;
    const { app } = page;
    /** @type {Map<string, Promise<{ model: TraceModel, store: SpanStore, traceStart: bigint }>>} */
    this.traces = new Map();
    this.life = new AbortController();
    this.own = h("div.agent-facts", {});
    this.details = new Details({
      search: (condition) => app.go({ page: "explore", state: { ...app.lastExplore.state, q: withCondition(app.lastExplore.state.q, condition) } }),
      find: (condition) => this.openTrace({ f: withCondition("", condition) }),
      copy: (text, what) => app.shell.copy(text, what),
      traceHref: (id, span) => app.href({ page: "trace", id, state: { ...initialState("trace"), span } }),
      exploreHref: (q, from, to) => app.href({ page: "explore", state: { ...initialState("explore"), q, from, to } }),
      openView: (view) => this.openTrace({ view }),
      criticalPath: () => this.path(),
      close: () => page.showSide(false),
      select: (row) => page.chooseSpan(this.model.id(row)),
    });
    this.details.body.prepend(this.own);
    this.element = this.details.element;
    this.load = debounce(() => this.fetch(), AFTER_MILLIS);
  }

  openTrace(state) {
    const { session, spanId } = this;
    this.page.app.go({ page: "trace", id: session.traceId, state: { span: spanId ?? "", ...state } });
  }

  /** @param {import("./orchestration.js").Lane} session @param {import("./blocks.js").Block | null} block the session itself without one */
  show(session, block) {
    const spanId = block ? block.spanId : session.spanId;
    const isOther = spanId !== this.spanId || session.sessionId !== this.session?.sessionId;
    // Once it has ended its span is there to read.
    const hasEnded = !isOther && isOpen(this.session, this.block) && !isOpen(session, block);
    // Times that were read while it runs are old.
    if (isOpen(session, block)) this.details.facts.hidden = true;
    Object.assign(this, { session, block, spanId });
    if (isOther) this.facts = {};
    keepingFocus(this.own, () => this.drawOwn());
    const { details } = this;
    if (hasEnded) {
      this.traces.delete(session.traceId);
      this.load();
    }
    if (!isOther) return;
    details.facts.hidden = details.rest.hidden = true;
    this.drawTitle();
    if (spanId) this.load();
    else this.load.cancel();
  }

  /** Who, and what it did: named and coloured as on the lanes. */
  drawTitle() {
    const { block, session, details } = this;
    fill(details.title, h("span.details-of", {}, h("span.swatch", { "data-s": this.page.colorOf(session.index) }), shortened(session.agentName ?? "", 120) || "no agent named"), h("span.details-operation", {}, block ? shortened(block.name, 400) : "the session"));
    details.title.title = shortened(block?.name ?? session.sessionId, 400);
  }

  drawOwn() {
    const { block, session } = this;
    fill(this.own, block ? this.ofBlock(block, session) : this.ofSession(session));
  }

  fact(name, value, title) {
    return value === null || value === undefined || value === "" ? null : h("div.fact", {}, h("dt", {}, name), h("dd", { title: title ?? null }, value));
  }

  ofBlock(block, session) {
    const { fact, facts, page } = this;
    const { orchestration } = page;
    const usage = block.step?.usage;
    const use = (key, name) => facts[key] ?? (usage?.[name] || undefined);
    const used = [["input", "inputTokens", "in"], ["output", "outputTokens", "out"], ["cached", "cacheReadTokens", "cached"], ["reasoning", "reasoningTokens", "reasoning"]].map(([key, name, word]) => [use(key, name), word]).filter(([n]) => n);
    const retry = orchestration.retryOf.get(block.spanId);
    const loop = (orchestration.loopsOf.get(session.sessionId) ?? []).find(({ spanIds }) => spanIds.includes(block.spanId));
    const cost = facts.cost ?? usage?.usd;
    const length = block.to - block.from;
    const { call } = block;
    const llm = block.step?.llm;
    const firstChunk = facts.firstChunkNanos ?? Number(nanos(llm?.firstChunkNanos));
    return [
      block.isFailed ? h("div.details-status", {}, icon("error"), h("div", {}, longText(block.step?.error?.message || call?.errorType || block.outcome, "span"))) : null,
      h("dl.timing", {},
        fact("Kind", WORDS[block.kind] ?? block.word), fact("Duration", [duration(length), block.isOpen ? h("span.faint", {}, " so far") : null], exactDuration(length)), fact("Of session", share(length / Math.max(1, session.to - session.from))),
        fact("Starts at", after(block.from)), fact("Outcome", block.outcome ?? (block.isOpen ? "running" : null)), fact("Attempt", retry ? `${Math.max(1, retry.spanIds.indexOf(block.spanId) + 1)} of ${retry.attempts}` : block.attempt > 1 ? String(block.attempt) : null),
        fact("Model", facts.model ?? llm?.model, facts.provider ?? llm?.provider), fact("Tokens", used.length ? used.map(([n, word]) => `${count(n)} ${word}`).join(", ") : null), fact("Cost", typeof cost === "number" && cost > 0 ? dollars(cost) : null),
        fact("Finish", facts.finish ?? (llm?.finishReasons ?? []).join(", ")), fact("First chunk", firstChunk ? duration(firstChunk) : null), fact("Server", call?.server ?? block.step?.tool?.server),
        fact("Result", call?.resultBytes ? bytes(call.resultBytes) : null), loop ? fact("Loop", `one of ${loop.count} of ${loop.pattern.map((name) => shortened(name, 40)).join(", ")}`) : null),
      this.childLinks(call?.childSessionIds ?? orchestration.edges.filter((edge) => edge.spanId === block.spanId && edge.kind !== "message").map(({ toSessionId }) => toSessionId)),
      this.messages(page.messagesOf(block), block),
      call && call.layers.length > 1 ? this.layers(call) : null,
      this.content("Arguments", facts.arguments), this.content("Result", facts.result),
      facts.isDropped ? h("p.faint", {}, "What was said here was not kept: this server is set up to drop it.") : null,
    ];
  }

  childLinks(ids) {
    const { orchestration } = this.page;
    const children = [...new Set(ids)].map((id) => orchestration.session(id)).filter(Boolean);
    if (!children.length) return null;
    return h("div.child-links", {}, h("span.faint", {}, plural(children.length, "session")), children.slice(0, 12).map((child) => h("button.quiet.link", { type: "button", onclick: () => this.page.choose(child.index, null) },
      h("span.swatch", { "data-s": this.page.colorOf(child.index) }), shortened(child.agentName ?? "", 60) || "no agent named")));
  }

  /** What the step said to others, and what it read. */
  messages(entries, { spanId, stepId }) {
    if (!entries.length) return null;
    return section("Messages", h("ul.step-messages", {}, entries.slice(0, MESSAGES_MAX).map((entry) => {
      const { trace, from, to } = entry.message;
      const isSent = (spanId && trace?.spanId === spanId) || (stepId && trace?.stepId === stepId);
      return h("li", {}, h("button.as-link.step-message", { type: "button", title: "Show it in the conversation, and the step that sent it", onclick: () => this.page.chooseMessage(entry) },
        h("bdi.step-message-who", {}, isSent ? `to ${shortened((to ?? []).join(", "), 80)}` : `from ${shortened(from ?? "", 80)}`), h("bdi.faint", {}, shortened(messageWords(entry.message), 120))));
    })), { beside: entries.length > MESSAGES_MAX ? h("span.as-is", {}, `the first ${MESSAGES_MAX} of ${count(entries.length)}`) : null });
  }

  /** Where a tool call's time went on its way. */
  layers({ layers, from, to }) {
    const whole = Math.max(1, to - from);
    return section("Layers", h("ol.layers", {}, layers.map(({ layer, serviceName, selfNanos, durationNanos }) => {
      const self = Number(nanos(selfNanos));
      return h("li.layer", {}, h("span.layer-name", {}, layer), h("span.layer-service.faint", {}, shortened(serviceName ?? "", 80)), h("span.layer-track", {}, h("span.layer-fill", { style: { width: `${(self / whole) * 100}%` } })),
        h("span.number", { title: `${exactDuration(self)} of its own, ${exactDuration(Number(nanos(durationNanos)))} with what is inside` }, duration(self)), h("span.number.faint", {}, share(self / whole)));
    })), { beside: h("span.as-is", {}, "own time of each") });
  }

  content(name, text) {
    if (text === undefined) return null;
    const lines = prettyOf(text);
    return section(name, longText(lines?.text ?? text, "pre.json", name), { beside: lines ? h("span.as-is", {}, lines.language) : null });
  }

  ofSession(session) {
    const { fact, page } = this;
    const { usage } = session;
    const { key, text, picture } = standing(session);
    return [
      h("dl.timing", {},
        fact("State", h("span.standing", { "data-standing": key }, icon(picture), text)), fact("Duration", duration(session.to - session.from), exactDuration(session.to - session.from)), fact("Starts at", after(session.from)),
        fact("Model calls", count(session.llmCallCount)), fact("Tool calls", count(session.toolCallCount)), fact("Errors", session.errorCount ? count(session.errorCount) : null),
        fact("Tokens", tokens(usage), tokenWords(usage)), fact("Cost", typeof usage?.usd === "number" ? dollars(usage.usd) : null), fact("At once", session.fanOut > 1 ? `up to ${session.fanOut}` : null),
        fact("Version", session.agentVersion), fact("Service", shortened(session.serviceName ?? "", 80)), fact("Link", session.background ? "in the background" : session.linkMode === "link" ? "linked" : null), fact("Joined", INFERENCES[page.orchestration.edgeTo.get(session.sessionId)?.inferredBy], "Inferred: no span says so")),
      section("Time", classBar(session)),
      this.childLinks(session.children.map((index) => page.orchestration.sessions[index].sessionId)),
    ];
  }

  /** The outline of a trace, asked for once. */
  trace(id) {
    if (!this.traces.has(id)) {
      const ask = async () => {
        const skeleton = await api.traceSkeleton(id, this.life.signal);
        const [model, store, traceStart] = [new TraceModel(skeleton), new SpanStore(id, this.life.signal), nanos(skeleton.traceStartUnixNano)];
        store.begin(model, traceStart);
        return { model, store, traceStart };
      };
      const answer = ask();
      answer.catch(() => this.traces.delete(id));
      this.traces.set(id, answer);
      if (this.traces.size > TRACES_MAX) this.traces.delete(this.traces.keys().next().value);
    }
    return this.traces.get(id);
  }

  async path() {
    const { session } = this;
    const { model, traceStart } = await this.trace(session.traceId);
    return new CriticalPath(model, await api.criticalPath(session.traceId, this.life.signal), traceStart);
  }

  async fetch() {
    const { session, spanId, details } = this;
    const isOver = () => this.life.signal.aborted || this.spanId !== spanId || this.session.sessionId !== session.sessionId;
    try {
      if (this.page.orchestration.answer.spanCount > PLACED_MAX) {
        await this.fetchAlone(isOver);
        return;
      }
      const { model, store, traceStart } = await this.trace(session.traceId);
      const row = model.rowOf(spanId);
      if (isOver() || row < 0) return;
      this.model = model;
      const entry = await store.of(row);
      if (isOver() || !entry) return;
      details.facts.hidden = isOpen(this.session, this.block);
      details.rest.hidden = false;
      details.showRow(model, row);
      this.drawTitle();
      details.showSpan(entry.span, entry.resource, entry.scope, traceStart);
      this.facts = spanFacts(entry.span);
      this.drawOwn();
    } catch (error) {
      if (isOver()) return;
      details.rest.hidden = false;
      // What runs has no spans yet; a session may also have been kept without them.
      if (error.status === 404) details.setRest(h("p.faint", {}, "The spans of this trace are not stored, or not yet."));
      else details.showError(error, () => this.fetch());
    }
  }

  async fetchAlone(isOver) {
    const { session, spanId, details } = this;
    const { spans: [found], resources, scopes } = await api.traceSpans(session.traceId, [spanId], this.life.signal);
    if (isOver() || !found) return;
    details.facts.hidden = isOpen(this.session, this.block);
    details.rest.hidden = false;
    details.showAlone(found.span, resources[found.resource], scopes[found.scope]);
    this.facts = spanFacts(found.span);
    this.drawOwn();
  }

  close() {
    this.load.cancel();
    this.life.abort();
  }
}

/** Whether what is shown still goes on. */
function isOpen(session, block) {
  return block ? block.isOpen : session.isOpen;
}
