// SPDX-License-Identifier: Apache-2.0
// What stands above the lanes: who worked, on what, how long, at what price; and the critical path in a line.
import { absoluteTime, count, duration, exactDuration, plural, relativeTime, share, shortened, zoneLabel } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { initialState } from "../lib/url.js";
import { fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { pathHops } from "./path-hops.js";
import { STEPS_MAX } from "./step-store.js";
import { CLASS_NAMES, dollars, samplingWords, standing, tokens, tokenWords, upright } from "./words.js";

const HOPS_MAX = 6;
/** Shorter waits of the path are not worth a word. */
const WAIT_MIN = 0.01;
const WAIT_WORDS = { own: "unaccounted", humanWait: "waiting for people", messageWait: "waiting", handoffGap: "handoff gaps", returnGap: "return gaps", childAgent: "sub-agents" };

export class SessionHead {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.title = h("h1.trace-title", {}, h("span.faint", {}, "Session ", h("code", {}, page.id.slice(0, 24))));
    this.facts = h("dl.trace-facts", {});
    this.chips = h("div.warnings", {});
    this.element = h("div.trace-head.session-head", {}, this.facts, this.chips);
    this.path = h("nav.hops", { "aria-label": "Orchestration path" });
    this.length = h("strong", {});
    this.ago = h("span.faint", {});
  }

  /** The session that the page is of. */
  get root() {
    const { orchestration, id } = this.page;
    return orchestration.session(id) ?? orchestration.session(orchestration.answer.rootSessionId) ?? orchestration.sessions[0];
  }

  show() {
    const { page, root } = this;
    const { orchestration } = page;
    const { answer } = orchestration;
    const name = shortened(root?.agentName ?? "", 200) || "no agent named";
    document.title = `${upright(shortened(name, 80))} · Agents · Skein`;
    fill(this.title, h("span.swatch", { "data-s": root ? page.colorOf(root.index) : null }), h("span.title-service", {}, name), h("span.title-operation", {}, shortened(this.words ?? answer.sessionKey ?? "", 200)));
    this.title.title = shortened(`${name} ${this.words ?? ""}\n${root?.sessionId ?? ""}`);
    this.showFacts(answer, root);
    this.showChips(orchestration, root);
    this.showPath(orchestration);
  }

  /** What only the session's record tells; it comes with its steps. @param {any} record */
  learn(record) {
    this.words = record.title ?? undefined;
    this.record = record;
    this.show();
  }

  showFacts(answer, root) {
    const { page } = this;
    const { orchestration, app } = page;
    const { sessions } = orchestration;
    const fact = (name, value, title) => (value === null ? null : h("div.fact", {}, h("dt", {}, name), h("dd", { title: title ?? null }, value)));
    const sum = (key) => sessions.reduce((total, session) => total + session[key], 0);
    const agents = new Set(sessions.map(({ agentName }) => agentName));
    const { usage } = answer;
    const whole = root ? standing({ state: answer.state === "ended" ? root.state : answer.state, outcome: root.outcome }) : null;
    this.showLength();
    const state = whole ? h("span.standing", { "data-standing": whole.key }, icon(whole.picture), whole.text) : null;
    const list = (change) => app.href({ page: "agents", state: { ...initialState("agents"), from: "all", ...change } });
    fill(this.facts,
      fact("State", state), fact("Duration", this.length),
      fact("Started", h("time", { title: `${absoluteTime(orchestration.start, zone.value, 9)} ${zoneLabel(zone.value, Date.now())}` }, absoluteTime(orchestration.start, zone.value, 0), this.ago)),
      fact("Sessions", `${count(sessions.length)} of ${plural(agents.size, "agent")}`), fact("LLM", count(sum("llmCallCount")), "Model calls"), fact("Tools", count(sum("toolCallCount")), "Tool calls"),
      fact("Errors", answer.errorCount ? h("button.quiet.fact-button.problem", { type: "button", "aria-label": `${plural(answer.errorCount, "error")}, to the next failed step`, title: "Next failed step (e)", onclick: () => page.nextError(1) }, icon("error"), count(answer.errorCount)) : "0"),
      fact("Tokens", tokens(usage), tokenWords(usage)), fact("Cost", dollars(usage.usd)),
      answer.taskPriority ? fact("Priority", shortened(answer.taskPriority, 40)) : null,
      answer.taskId ? fact("Task", h("a.fact-text", { href: list({ task: answer.taskId }), title: "All sessions of the task" }, shortened(answer.taskId, 60))) : null,
      answer.sessionKey && ![answer.taskId, answer.rootSessionId].includes(answer.sessionKey) ? fact("Key", h("a.fact-text", { href: list({ key: answer.sessionKey }), title: "All sessions of the key" }, shortened(answer.sessionKey, 60))) : null);
  }

  showLength() {
    const { orchestration } = this.page;
    const length = orchestration.isRunning ? orchestration.to : orchestration.duration || orchestration.to;
    this.ago.textContent = ` · ${relativeTime(orchestration.start, Date.now())}`;
    this.length.textContent = duration(length);
    this.length.title = `${exactDuration(length)}, from the first start to the end of the last session that was awaited`;
  }

  showChips({ answer, traceIds, axis, to, duration: foreground }, root) {
    const { page } = this;
    const chip = (picture, ...content) => h("span.warning-chip", {}, icon(picture), content);
    const skipped = axis.breaks.reduce((sum, gap) => sum + gap.to - gap.from, 0);
    const sampling = samplingWords(this.record?.trace);
    fill(this.chips,
      sampling ? chip("info", `Sampled: ${sampling}`) : null,
      page.orchestration.sessions.some(({ spanCount }) => spanCount > STEPS_MAX) ? chip("warning", `More than ${count(STEPS_MAX)} steps in one session: the totals count all, the lanes show the critical path and the first 10,000 calls`)
        : answer.truncated ? chip("warning", "More than 10,000 sessions or calls: the totals count all, the lanes show the first") : null,
      root && root.sessionId !== answer.rootSessionId ? chip("info", "Part of a larger orchestration ", h("button.quiet", { type: "button", onclick: () => page.choose(page.orchestration.byId.get(answer.rootSessionId) ?? 0, null) }, "Show its root")) : null,
      traceIds.length > 1 ? chip("link", `${plural(traceIds.length, "trace")}, joined by links`) : null,
      skipped > 0 ? chip("clock", `${duration(skipped)} of idle time drawn short`) : null,
      !page.orchestration.isRunning && to - foreground > 1e9 && foreground > 0 ? chip("info", `Background work goes on for ${duration(to - foreground)}`) : null);
  }

  showPath(orchestration) {
    const { page } = this;
    const { hops, waits } = pathHops(orchestration.path, orchestration.toolNames);
    const hop = ({ sessionId, agentName, share: part, most }) => {
      const session = orchestration.session(sessionId);
      return h("button.quiet.hop", { type: "button", title: `${upright(shortened(agentName ?? "", 200))}: ${share(part)} of the critical path`, onclick: () => session && page.choose(session.index, null) },
        h("span.swatch", { "data-s": session ? page.colorOf(session.index) : null }), h("span.hop-name", {}, shortened(agentName ?? "", 60) || "no agent named"), h("span.hop-share", {}, share(part)), most && most.share >= 0.05 ? h("span.hop-tool", {}, h("bdi", {}, shortened(most.name, 40)), ` ${share(most.share)}`) : null);
    };
    fill(this.path, hops.slice(0, HOPS_MAX).map((each, index) => [index ? h("span.path-turn", { "aria-hidden": "true" }, "→") : null, hop(each)]), hops.length > HOPS_MAX ? h("span.faint.hop-rest", {}, `… ${count(hops.length - HOPS_MAX)} more`) : null,
      waits.filter((wait) => wait.share >= WAIT_MIN).slice(0, 3).map((wait) => h("span.faint.hop-wait", { title: CLASS_NAMES[wait.class] ?? wait.class }, h("span.class-mark", { "data-class": wait.class }), `${wait.class === "own" && orchestration.isReduced ? "steps not kept" : WAIT_WORDS[wait.class] ?? wait.class} ${share(wait.share)}`)));
  }
}
