// SPDX-License-Identifier: Apache-2.0
// Agents: the sessions that are stored, newest first, and how their tools do.
import { BASE } from "../api.js";
import * as api from "../api-agents.js";
import { plural, zoneLabel } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { rangeLabel, resolveRange } from "../lib/range.js";
import { RangePicker } from "../lib/range-picker.js";
import { initialState } from "../lib/url.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { ListPage } from "../services/list-page.js";
import { barEnd, stateOf } from "../services/parts.js";
import { timeForm, zone } from "../settings.js";
import { Filters } from "./filters.js";
import { Follower } from "./follow.js";
import { keepList, keepPlace, placeOf } from "./left.js";
import { marks, toggleMark } from "./marks.js";
import { SessionList, rowOf } from "./session-list.js";
import { Sums } from "./sums.js";

const PAGE = 100;
/** Sorted by anything but the start, all sessions of the range are read first, so many at once, and no more than so many unasked. */
const SORT_PAGE = 1000;
const SORTED_MAX = 5000;
const CANCEL_AFTER_MILLIS = 2000;
const WAIT_MILLIS = 250;
/** News are read at most so often. */
const REFRESH_MILLIS = 2000;
const GROW_MILLIS = 1000;
/** Where there is room for it, the sums above the list show at first. */
const NARROW = matchMedia("(max-width: 720px)");
/** What asks the server anew. */
const ASKED = ["q", "from", "to", "agent", "outcome", "priority", "task", "key", "cost", "roots"];

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  return new Agents(app, view.state);
}

class Agents extends ListPage {
  constructor(app, state) {
    super("The sessions could not be read");
    this.app = app;
    this.state = state;
    this.next = null;
    this.range = new RangePicker((from, to) => app.push({ from, to }));
    this.filters = new Filters((change) => app.push(change));
    this.search = h("input.field.agent-search", { type: "search", placeholder: "Title, agent, id or { TraceQL }", "aria-label": "Search sessions by title, agent or id, or by TraceQL in braces", autocomplete: "off", spellcheck: "false" });
    this.write = debounce(() => app.push({ q: this.search.value.trim() }), WAIT_MILLIS);
    this.search.addEventListener("input", () => this.write());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); this.write.flush(); this.list.move(0); }
      if (event.key === "Escape") { this.search.value = ""; this.write(); this.search.blur(); }
    });
    this.groupButton = h("button", { type: "button", title: "Sessions of one key together (g k)", onclick: () => this.keep({ group: this.state.group ? "" : "1" }) }, icon("fold"), "Group");
    this.rootsButton = h("button", { type: "button", title: "Only sessions that no other started (g r)", onclick: () => app.push({ roots: this.state.roots ? "" : "1" }) }, icon("path"), "Roots");
    this.compareLink = h("a.button", { title: "Compare the marked sessions (c)" }, icon("compare"), "Compare A with B");
    this.summary = h("p.summary", {});
    this.sorting = h("p.sorting", { role: "status" });
    this.cancelButton = h("button.quiet", { type: "button", hidden: true, onclick: () => this.cancel() }, "Cancel");
    this.sortedMax = SORTED_MAX;
    /** The reading of all sessions that is going on. @type {{} | null} */
    this.gathering = null;
    this.isThere = true;
    this.news = h("button.primary.news", { type: "button", hidden: true, onclick: () => this.load() });
    this.problem = h("div", {});
    this.sums = new Sums({
      toggle: (isOpen) => this.keep({ sums: isOpen === !NARROW.matches ? "" : isOpen ? "on" : "off" }),
      chooseAgent: (agent) => app.push({ agent }),
      learn: (names) => {
        this.names = names;
        this.offer();
        if (this.isEmpty) this.draw();
      },
    });
    this.list = new SessionList({
      open: (row) => (row.isGroup ? this.toggle(row.key) : app.go(this.sessionView(row.sessionId))),
      href: (id) => app.href(this.sessionView(id)),
      more: (again) => this.more(again), sort: (sort) => this.keep({ sort }),
      colorOf: (name) => app.colors.of(name), mark: (id) => this.mark(id), marks: () => marks.value,
    });
    this.body = h("div.agents-body", {});
    const { shell } = app;
    document.title = "Agents · Skein";
    fill(shell.barStart, h("h1", {}, "Agents"), this.search);
    fill(shell.barEnd, barEnd(app, this.range, () => this.load()));
    fill(shell.main, h("div.under-bar.agents-bar", {}, this.filters.element, h("span.spring"), this.cancelButton, this.news, this.compareLink, this.rootsButton, this.groupButton), this.sums.element, h("div.agents-facts", {}, this.summary, this.sorting), this.problem, this.body);
    this.unlisten = [timeForm.listen(() => this.list.refresh()), marks.listen(() => { this.list.refresh(); this.showMarks(); })];
    this.installKeys();
    this.showMarks();
    app.colors.learn().then(() => this.list.refresh());
    this.follower = new Follower({}, () => this.heard(), (isThere) => this.serverIs(isThere));
    this.growing = setInterval(() => this.grow(), GROW_MILLIS);
    this.show(state);
  }

  installKeys() {
    const { app, list } = this;
    const page = () => list.list.rowsPerPage - 1;
    app.keyboard.install("Agents", [
      { keys: ["/"], does: "Search sessions", run: () => this.search.focus() },
      { keys: ["f"], does: "Filter by agent", run: () => this.filters.fields.agent.focus() },
      { keys: ["t"], does: "Time range", run: () => this.range.toggle() },
      { keys: ["r"], does: "Read again", run: () => this.load() },
      { keys: ["g k"], does: "Group by session key", run: () => this.groupButton.click() },
      { keys: ["g r"], does: "Only sessions that no other started", run: () => this.rootsButton.click() },
      { keys: ["ArrowDown", "j"], does: "Next session", run: () => list.move(1) },
      { keys: ["ArrowUp", "k"], does: "Previous session", run: () => list.move(-1) },
      { keys: ["PageDown"], does: "A page down", run: () => list.move(page()) },
      { keys: ["PageUp"], does: "A page up", run: () => list.move(-page()) },
      { keys: ["Home"], does: "First session", run: () => list.move(-Infinity) },
      { keys: ["End"], does: "Last session", run: () => list.move(Infinity) },
      { keys: ["Enter"], does: "Open the session; open or close a group", run: () => list.open(list.selected) },
      { keys: ["x"], does: "Mark the session to be compared", run: () => { if (list.chosen && !list.chosen.isGroup) this.mark(list.chosen.sessionId); } },
      { keys: ["c"], does: "Compare the marked sessions", run: () => { if (!this.compareLink.hidden) this.compareLink.click(); } },
    ]);
  }

  mark(id) {
    const isMarked = toggleMark(id);
    this.app.shell.confirm(isMarked ? (marks.value.length === 2 ? "Marked: two sessions can be compared (c)" : "Marked to be compared with another session") : "Mark taken away");
  }

  showMarks() {
    const [id, other] = marks.value;
    this.compareLink.hidden = !other;
    if (other) this.compareLink.href = this.app.href({ page: "agents/compare", id, other, state: initialState("agents/compare") });
  }

  /** State that asks for nothing new. @param {Object<string, string>} change */
  keep(change) {
    this.app.replace(change);
    this.show(this.app.view.state);
  }

  sessionView(id) {
    return { page: "agents/session", id, state: initialState("agents/session") };
  }

  show(state) {
    const isOther = !this.loaded || ASKED.some((key) => state[key] !== this.loaded[key]);
    this.state = state;
    this.range.show(state.from, state.to);
    this.filters.show(state);
    if (document.activeElement !== this.search) this.search.value = state.q;
    attribute(this.groupButton, "aria-pressed", String(state.group !== ""));
    attribute(this.rootsButton, "aria-pressed", String(state.roots !== ""));
    this.sums.open(state.sums === "" ? !NARROW.matches : state.sums === "on");
    if (!isOther) {
      this.draw();
      this.gather();
    } else if (this.loaded || !this.restore()) this.load();
  }

  /** The list as it was left a moment ago. @returns {boolean} whether there is one */
  restore() {
    const kept = placeOf(this.state);
    if (!kept) return false;
    const { rows, next, nowMillis, bounds, sortedMax, closed } = kept;
    Object.assign(this, { rows, next, nowMillis, bounds, sortedMax, loaded: this.state });
    this.flight = new AbortController();
    this.list.closed = closed;
    const asked = ++this.asked;
    this.sums.load({ agent: this.state.agent, from: bounds.start, to: bounds.end }, this.flight.signal, () => asked !== this.asked);
    this.draw();
    this.list.restore(kept);
    this.gather();
    this.isDue = this.loaded.to === "";
    this.update(false);
    return true;
  }

  query(range) {
    const { q, agent, outcome, priority, task, key, cost, roots } = this.loaded;
    // A query has braces; anything else is a part of what a session is called.
    return { ...(q.startsWith("{") ? { q } : { text: q }), agent, outcome, priority, task, sessionKey: key, parent: roots ? "none" : "", minCost: Number(cost) > 0 ? cost : "", from: range.start, to: range.end };
  }

  async load() {
    const asked = ++this.asked;
    const isOver = () => asked !== this.asked;
    this.flight?.abort();
    const { signal } = (this.flight = new AbortController());
    const { shell } = this.app;
    this.loaded = this.state;
    this.nowMillis = Date.now();
    this.news.hidden = true;
    this.isEmpty = false;
    this.gathering = null;
    this.sortedMax = SORTED_MAX;
    const { from, to } = this.state;
    this.bounds = resolveRange(from, to, this.nowMillis, zone.value);
    if (!this.bounds) {
      this.rows = [];
      shell.busy(false);
      fill(this.body, stateOf("The time range makes no sense", `From “${from}” to “${to || "now"}”.`, [["Last hour", () => this.app.push({ from: "-1h", to: "" })]]));
      return;
    }
    shell.busy(true);
    attribute(this.body, "aria-busy", "true");
    if (this.rows.length) this.body.classList.add("waiting");
    const offerCancel = setTimeout(() => { this.cancelButton.hidden = false; }, CANCEL_AFTER_MILLIS);
    signal.addEventListener("abort", () => clearTimeout(offerCancel));
    this.sums.load({ agent: this.state.agent, from: this.bounds.start, to: this.bounds.end }, signal, isOver);
    try {
      const answer = await api.sessions({ ...this.query(this.bounds), limit: PAGE }, signal);
      if (isOver()) return;
      this.take(answer, true);
      this.isThere = true;
      shell.setOffline(null);
      fill(this.problem);
      this.draw();
      this.gather();
      shell.say(this.next ? `More than ${plural(this.rows.length, "session")}` : plural(this.rows.length, "session"));
    } catch (error) {
      if (isOver() || signal.aborted) return;
      this.fail(error);
    } finally {
      clearTimeout(offerCancel);
      if (!isOver()) this.rest();
    }
  }

  /** Nothing is asked any more. */
  rest() {
    this.app.shell.busy(false);
    this.cancelButton.hidden = true;
    attribute(this.body, "aria-busy", null);
    this.body.classList.remove("waiting");
  }

  /** What was shown stays. */
  cancel() {
    this.asked++;
    this.flight.abort();
    this.flight = new AbortController();
    this.rest();
    if (this.rows.length) this.app.shell.confirm("Cancelled: what you see is of the question before");
    else fill(this.body, stateOf("Cancelled", "The sessions were not read.", [["Read them", () => this.load()], ["Last 15 minutes", () => this.app.push({ from: "-15m", to: "" })]]));
  }

  /** Among some of the sessions the greatest is not the greatest: all of the range are read, and how far that is shows. */
  async gather() {
    if (this.state.sort === "" || !this.next || this.gathering || this.rows.length >= this.sortedMax) return;
    const { asked } = this;
    const run = (this.gathering = {});
    const goesOn = () => this.gathering === run && asked === this.asked && this.state.sort !== "";
    this.showSorting();
    try {
      while (goesOn() && this.next && this.rows.length < this.sortedMax) {
        const answer = await api.sessions({ ...this.query(this.bounds), limit: SORT_PAGE, cursor: this.next }, this.flight.signal);
        if (asked !== this.asked) return;
        this.take(answer, false);
        this.showSorting();
      }
    } catch (error) {
      if (asked !== this.asked) return;
      this.sortedMax = 0;
      this.app.shell.confirm(error.message);
    } finally {
      if (this.gathering === run) this.gathering = null;
      if (asked === this.asked) this.draw();
    }
  }

  /** How much is sorted, where that is not all. */
  showSorting() {
    const { rows, next, state } = this;
    if (state.sort === "" || !next) fill(this.sorting);
    else if (this.gathering) {
      fill(this.sorting, `Reading all sessions to sort them: ${plural(rows.length, "session")} so far`, h("button.quiet", { type: "button", onclick: () => { this.gathering = null; this.sortedMax = 0; this.draw(); } }, "Cancel"));
    } else {
      fill(this.sorting, h("strong", {}, `Sorted among the newest ${plural(rows.length, "session")}`), h("button.quiet", { type: "button", onclick: () => { this.sortedMax = this.rows.length + SORTED_MAX; this.gather(); } }, "Read on"));
    }
  }

  take({ sessions, next }, isFirst) {
    const now = BigInt(this.nowMillis) * 1_000_000n;
    const known = new Set(isFirst ? [] : this.rows.map(({ sessionId }) => sessionId));
    const rows = sessions.filter(({ sessionId }) => !known.has(sessionId)).map((record) => rowOf(record, now));
    this.rows = isFirst ? rows : [...this.rows, ...rows];
    this.next = next;
    this.moreProblem = null;
    this.offer();
  }

  async more(again = false) {
    if (!this.next || this.isReading || this.state.sort !== "" || (this.moreProblem && !again)) return;
    const { asked } = this;
    this.isReading = true;
    try {
      const answer = await api.sessions({ ...this.query(this.bounds), limit: PAGE, cursor: this.next }, this.flight.signal);
      if (asked !== this.asked) return;
      this.take(answer, false);
    } catch (error) {
      if (asked !== this.asked) return;
      this.moreProblem = error.message;
    } finally {
      this.isReading = false;
    }
    this.draw();
  }

  /** An agent did something: whoever looks at the newest sessions sees it soon; whoever reads below is told. */
  heard() {
    if (this.loaded?.to) return;
    this.isDue = true;
    if (!this.refreshing) {
      this.refreshing = setTimeout(() => { this.refreshing = 0; this.update(); }, REFRESH_MILLIS);
    }
  }

  get isAtNewest() {
    return this.list.scroller.scrollTop === 0 && this.state.sort === "" && !document.hidden;
  }

  /** @param {boolean} isThere whether the server answers */
  serverIs(isThere) {
    const { shell } = this.app;
    this.isThere = isThere;
    shell.setOffline(isThere ? null : () => this.load());
    if (!isThere) shell.alert("Skein does not answer");
    else if (this.rows.length) {
      fill(this.problem);
      this.heard();
    } else this.load();
  }

  /**
   * The first page anew: rows that were there keep their place in the choice, and focus stays where it is.
   * @param {boolean} [isNews] whether something has surely happened
   */
  async update(isNews = true) {
    if (!this.isDue || !this.bounds) return;
    const { isAtNewest } = this;
    if (!isAtNewest && isNews) {
      this.news.hidden = false;
      this.news.textContent = "Show new work";
      return;
    }
    this.isDue = false;
    const { asked } = this;
    this.nowMillis = Date.now();
    const range = resolveRange(this.loaded.from, this.loaded.to, this.nowMillis, zone.value);
    const answer = await api.sessions({ ...this.query(range), limit: PAGE }, this.flight.signal).catch(() => null);
    if (!answer || asked !== this.asked) return;
    const now = BigInt(this.nowMillis) * 1_000_000n;
    const fresh = answer.sessions.map((record) => rowOf(record, now));
    if (!isAtNewest) {
      // Whoever reads below, or sorted, sees the same rows as they are now.
      const byId = new Map(fresh.map((row) => [row.sessionId, row]));
      this.rows = this.rows.map((row) => byId.get(row.sessionId) ?? row);
      this.draw();
      return;
    }
    const ids = new Set(fresh.map(({ sessionId }) => sessionId));
    const isWhole = this.rows.length <= PAGE;
    this.rows = [...fresh, ...(isWhole ? [] : this.rows.filter(({ sessionId }) => !ids.has(sessionId)))];
    if (isWhole) this.next = answer.next;
    this.draw();
  }

  /** What runs is a second longer. */
  grow() {
    if (!document.hidden && this.isThere) this.list.grow(BigInt(Date.now()) * 1_000_000n);
  }

  offer() {
    this.filters.offer([...(this.names ?? []), ...this.rows.map(({ agentName }) => agentName)]);
  }

  toggle(key) {
    const { closed } = this.list;
    if (!closed.delete(key)) closed.add(key);
    this.draw();
  }

  draw() {
    const { state, rows } = this;
    if (!this.bounds || !this.loaded) return;
    const where = rangeLabel(state.from, state.to, this.nowMillis, zone.value);
    fill(this.summary, rows.length ? [h("strong", {}, `${plural(rows.length, "session")}${this.next ? ", more to come" : ""}`), ` · ${plural(new Set(rows.map(({ agentName }) => agentName)).size, "agent")}`] : "", ` · ${where} · ${zoneLabel(zone.value, this.nowMillis)}`);
    this.showSorting();
    if (!rows.length) {
      this.showNothing();
      return;
    }
    if (this.body.firstChild !== this.list.element) fill(this.body, this.list.element);
    this.list.showSessions(rows, { hasMore: this.next !== null && state.sort === "", order: state.sort, isGrouped: state.group !== "", problem: this.moreProblem });
  }

  showNothing() {
    const { app, state } = this;
    this.isEmpty = true;
    const isNarrow = ["q", "agent", "outcome", "priority", "task", "key", "cost", "roots"].filter((key) => state[key]);
    fill(this.summary);
    if (isNarrow.length) {
      const without = Object.fromEntries(isNarrow.map((key) => [key, ""]));
      fill(this.body, stateOf("No session is like that", `Nothing in ${rangeLabel(state.from, state.to, this.nowMillis, zone.value).toLowerCase()} fits all conditions.${this.names?.includes(state.agent) && state.agent ? ` Tools were called in the name of \u2068${state.agent.slice(0, 80)}\u2069, but what only skein mcp-proxy reports is no session.` : ""}`, [["Without conditions", () => app.push(without)], ["All time", () => app.push({ from: "all", to: "" })]]));
      return;
    }
    const ways = h("div", {});
    this.showWays(ways);
    fill(this.body, stateOf("No agent has worked here yet", [
      h("p", {}, "A session shows here as soon as a span tells of an agent, a model or a tool: OpenTelemetry's GenAI conventions, OpenInference, OpenLLMetry, Langfuse, Logfire, the Model Context Protocol, Claude Code and Codex are understood."),
      h("p.faint", {}, "Send OTLP to this server, write with the WorkTrace API, or put skein mcp-proxy before an MCP server."),
      ways,
    ], [["All time", () => app.push({ from: "all", to: "" })], ["Read again", () => this.load()]]));
  }

  /** How a first session is told of, to the address of this very server; it shows here as soon as it comes. */
  async showWays(place) {
    const status = await api.status().catch(() => null);
    const otlp = status?.listeners.find(({ name }) => name === "otlp-http");
    const sample = (title, text) => [h("dt.faint", {}, title), h("dd", {}, h("code", {}, text))];
    fill(place, h("dl.first-session", {},
      sample("With curl", `curl ${new URL("api/worktrace/v1/sessions", BASE)} -H 'Content-Type: application/json' -d '{"agentName": "hello", "title": "My first session"}'`),
      otlp ? sample("With any SDK of OpenTelemetry", `OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT=http://${reachable(otlp.address)}`) : null),
      status ? h("p.faint", {}, `Waiting for agents… ${plural(status.spans, "span")} stored`) : null);
  }

  close() {
    super.close();
    keepList(this.state);
    const { list, rows, next, nowMillis, bounds, sortedMax } = this;
    if (rows.length && this.loaded) keepPlace(this.state, { rows, next, nowMillis, bounds, sortedMax, closed: list.closed, chosen: list.chosen && list.key(list.chosen), top: list.scroller.scrollTop });
    this.follower.close();
    clearTimeout(this.refreshing);
    clearInterval(this.growing);
    this.write.cancel();
    this.filters.close();
    this.list.close();
    for (const stop of this.unlisten) stop();
    this.app.keyboard.install("Agents", []);
  }
}

/** An address of all interfaces is reached by the name that the page came by. @param {string} address */
function reachable(address) {
  return address.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, location.hostname);
}
