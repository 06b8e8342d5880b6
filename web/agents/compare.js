// SPDX-License-Identifier: Apache-2.0
// Two orchestrations compared: a sentence, the figures, and their steps side by side as far as they are the same.
import * as api from "../api-agents.js";
import { count, duration, exactDuration, plural, shortened } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { RowList } from "../lib/rows.js";
import { initialState } from "../lib/url.js";
import { attribute, fill, h } from "../lib/view.js";
import { Figures } from "../services/figures.js";
import { stateOf } from "../services/parts.js";
import { OrchestrationPair, aboveOf, isTool, nameOf, signed } from "./compare-model.js";
import { listView } from "./left.js";
import { CLASS_NAMES, dollars, isFailure } from "./words.js";

const LINE = 32;
const MARK_WORDS = { A: "only in A", B: "only in B", "≠": "another outcome", "~": "another duration", "": "the same" };
const VIEWS = [["", "Steps"], ["sessions", "Agents"], ["tools", "Tools"], ["time", "Time"]];
const KINDS = { sessions: "sessions", tools: "tools", time: "timeClasses" };

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  return new Compare(app, view);
}

class Compare {
  constructor(app, { id, other, state }) {
    Object.assign(this, { app, a: id ?? "", b: other ?? "", state });
    this.life = new AbortController();
    this.rows = [];
    this.selected = -1;
    document.title = "Compare · Agents · Skein";
    const { shell } = app;
    fill(shell.barStart, h("a.back", { href: app.href(listView(app)), title: "All sessions" }, icon("back"), "Agents"), h("h1.trace-title", {}, "Two orchestrations"));
    fill(shell.barEnd, h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() }, icon("link")));
    this.said = h("p.pair-sentence", { role: "status" });
    this.kept = h("p.faint.pair-kept", {});
    this.heads = h("div.pair-heads", {});
    this.totals = new Figures({
      label: "Totals", sort: "", columns: [
        { key: "name", title: "", cell: (row) => row.name }, ...["a", "b"].map((side) => ({ key: side, title: side.toUpperCase(), numeric: true, cell: (row) => row[side] })),
        { key: "change", title: "B − A", numeric: true, cell: (row) => h(row.isWorse ? "span.worse" : "span.faint", {}, row.change || "–") },
      ],
    });
    this.tabs = VIEWS.map(([name, title]) => h("button", { type: "button", onclick: () => this.setView(name) }, title));
    this.onlyButton = h("button", { type: "button", title: "Only what differs (f)", onclick: () => this.toggleOnly() }, "Only what differs");
    this.facts = h("span.faint", { role: "status" });
    this.scroller = h("div.scroller.pair-scroller", { role: "grid", tabindex: "0", "aria-label": "Steps of both, side by side", "aria-colcount": "3" });
    this.scroller.append(h("div.step-head", { role: "rowgroup" }, h("div.pair-row.head", { role: "row", "aria-rowindex": "1" }, ["A", "", "B"].map((title) => h("div", { role: "columnheader", "aria-label": title || "How they differ" }, title)))));
    this.list = new RowList({ scroller: this.scroller, rowHeight: LINE, create: () => this.createRow(), update: (element, row) => this.updateRow(element, row) });
    this.scroller.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row]");
      if (row && !event.target.closest("a")) this.select(Number(row.dataset.row));
    });
    this.place = h("div.pair-place", {});
    this.element = h("div.pair-page", {}, this.heads, h("div.pair-sums", {}, h("div.pair-said", {}, this.said, this.kept), this.totals.element), h("div.part-bar.pair-bar", {}, h("div.segments", { role: "group", "aria-label": "Compare" }, this.tabs), this.onlyButton, this.facts), this.place);
    this.installKeys();
    if (this.b) this.load();
    else fill(shell.main, stateOf("One session is not enough", "Mark two sessions on the list, with x, and compare them.", [["All sessions", () => app.go(listView(app))]]));
  }

  installKeys() {
    const { app } = this;
    const page = () => this.list.rowsPerPage - 1;
    app.keyboard.install("Compare agents", [
      { keys: ["ArrowDown", "j"], does: "Next step", run: () => this.move(1) },
      { keys: ["ArrowUp", "k"], does: "Previous step", run: () => this.move(-1) },
      { keys: ["PageDown"], does: "A page down", run: () => this.move(page()) },
      { keys: ["PageUp"], does: "A page up", run: () => this.move(-page()) },
      { keys: ["Home"], does: "First step", run: () => this.move(-Infinity) },
      { keys: ["End"], does: "Last step", run: () => this.move(Infinity) },
      { keys: ["n"], does: "Next step that differs", run: () => this.nextDifference(1) },
      { keys: ["N"], does: "Previous step that differs", run: () => this.nextDifference(-1) },
      { keys: ["f"], does: "Only what differs", run: () => this.toggleOnly() },
      { keys: ["s"], does: "Swap A and B", run: () => this.swap() },
      { keys: ["a"], does: "Open the step in A", run: () => this.openStep("a") },
      { keys: ["b", "Enter"], does: "Open the step in B, or in A", run: () => this.openStep("b") },
      ...VIEWS.map(([name, title], index) => ({ keys: [String(index + 1)], does: title, run: () => this.setView(name) })),
    ]);
  }

  async load() {
    const { shell } = this.app;
    shell.busy(true);
    try {
      const [answer, a, b] = await Promise.all([api.compareOrchestrations(this.a, this.b, this.life.signal), ...[this.a, this.b].map((id) => api.session(id, this.life.signal))]);
      this.sides = [a, b];
      this.pair = new OrchestrationPair(answer);
      shell.setOffline(null);
      fill(shell.main, this.element);
      this.draw();
    } catch (error) {
      if (!this.life.signal.aborted) this.fail(error);
    } finally {
      if (!this.life.signal.aborted) shell.busy(false);
    }
  }

  fail(error) {
    const { app } = this;
    const { shell } = app;
    shell.alert(error.message);
    if (error.code === "network") shell.setOffline(() => this.load());
    fill(shell.main, stateOf(error.status === 404 ? "One of the two is not stored" : "The two could not be compared", [h("p", {}, error.message), error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null],
      [["All sessions", () => app.go(listView(app))], ["Try again", () => this.load()]]));
  }

  draw() {
    const { app, pair } = this;
    const head = (side, index) => {
      const { agentName, title, sessionId } = this.sides[index];
      return h("div.pair-head", {}, h("span.pair-letter", {}, side), h("span.swatch", { "data-s": app.colors.of(agentName ?? "") }),
        h("a", { href: app.href(this.sessionView(sessionId)), title: shortened(sessionId) }, h("strong", {}, shortened(agentName ?? "", 120) || "no agent named"), title ? ` ${shortened(title, 160)}` : null));
    };
    fill(this.heads, head("A", 0), h("button.icon-button", { type: "button", "aria-label": "Swap A and B", title: "Swap A and B (s)", onclick: () => this.swap() }, icon("compare")), head("B", 1));
    this.said.textContent = pair.sentence();
    const reduced = ["A", "B"].filter((_, index) => this.sides[index].trace?.samplingDecision === "reduced");
    this.kept.textContent = reduced.length ? `Of ${reduced.join(" and ")} the policy of sessions kept only totals: ${reduced.length === 2 ? "their" : "its"} steps cannot be compared, and what seems to be missing was not kept.` : "";
    this.totals.show(pair.totals());
    this.showView();
    app.shell.say("Two orchestrations compared");
  }

  setView(view) {
    this.app.replace({ view });
    this.show(this.app.view.state);
  }

  /** The address says something else. */
  show(state) {
    this.state = state;
    if (this.pair) this.showView();
  }

  showView() {
    const { state, pair } = this;
    const view = KINDS[state.view] ? state.view : "";
    this.tabs.forEach((tab, index) => attribute(tab, "aria-pressed", String(VIEWS[index][0] === view)));
    attribute(this.onlyButton, "aria-pressed", String(state.only !== ""));
    this.onlyButton.hidden = view !== "";
    if (view) {
      const rows = pair.differences(KINDS[view]);
      this.facts.textContent = plural(rows.length, { sessions: "agent", tools: "tool", time: "class" }[view], view === "time" ? "classes" : undefined);
      const figures = differenceFigures(view);
      figures.show(rows);
      fill(this.place, figures.element);
      return;
    }
    const chosen = this.rows[this.selected];
    this.rows = pair.shown(state.only !== "");
    this.selected = this.rows.indexOf(chosen);
    this.facts.textContent = `${plural(pair.steps.length, "session and tool call", "sessions and tool calls")}, ${count(pair.differing.length)} ${pair.differing.length === 1 ? "differs" : "differ"}${pair.cut ? `; of ${pair.cut} only the first are compared` : ""}`;
    if (this.place.firstChild !== this.scroller) fill(this.place, this.scroller);
    attribute(this.scroller, "aria-rowcount", this.rows.length + 1);
    this.list.setCount(this.rows.length);
  }

  toggleOnly() {
    this.app.replace({ only: this.state.only ? "" : "1" });
    this.show(this.app.view.state);
  }

  swap() {
    this.app.go({ page: "agents/compare", id: this.b, other: this.a, state: this.state });
  }

  sessionView(id, span = "") {
    return { page: "agents/session", id, state: { ...initialState("agents/session"), span } };
  }

  move(step) {
    if (!this.pair || !this.rows.length) return;
    this.scroller.focus({ preventScroll: true });
    this.select(Math.max(0, Math.min(this.rows.length - 1, this.selected < 0 ? (step > 0 ? 0 : this.rows.length - 1) : this.selected + step)));
  }

  nextDifference(step) {
    for (let row = this.selected + step; row >= 0 && row < this.rows.length; row += step) {
      if (this.rows[row].mark === "") continue;
      this.scroller.focus({ preventScroll: true });
      this.select(row);
      return;
    }
    this.app.shell.confirm("No other step differs");
  }

  select(row) {
    this.selected = row;
    this.list.reveal(row);
    // The head is stuck above the rows.
    if ((row + 2) * LINE > this.scroller.scrollTop + this.scroller.clientHeight) this.scroller.scrollTop += LINE;
    this.list.refresh();
    this.list.draw();
    attribute(this.scroller, "aria-activedescendant", this.list.elementAt(row)?.id);
  }

  openStep(side) {
    const pair = this.rows[this.selected];
    const step = pair?.[side] ?? (side === "b" ? pair?.a : null);
    if (step) this.app.go(this.sessionView(step.sessionId, isTool(step) ? step.spanId : ""));
  }

  createRow() {
    const side = () => ({ link: h("a.pair-name", { tabindex: "-1" }), above: h("span.pair-above.faint", {}), standing: h("span.standing", {}), length: h("span.number", {}) });
    const parts = { a: side(), b: side(), mark: h("span.pair-mark", {}), change: h("span.pair-change.number", {}) };
    const cell = (key) => h("div.pair-side", { role: "gridcell" }, parts[key].link, parts[key].above, parts[key].standing, parts[key].length);
    const element = h("div.pair-row", { role: "row", id: `pair-${this.made = (this.made ?? 0) + 1}` }, cell("a"), h("div.pair-middle", { role: "gridcell" }, parts.mark, parts.change), cell("b"));
    element.parts = parts;
    return element;
  }

  updateRow(element, row) {
    const pair = this.rows[row];
    if (!pair) return;
    const { parts } = element;
    element.dataset.row = row;
    attribute(element, "aria-rowindex", row + 2);
    attribute(element, "aria-selected", String(row === this.selected));
    attribute(element, "data-mark", pair.mark || null);
    element.classList.toggle("first-apart", pair.isFirst);
    for (const side of ["a", "b"]) this.updateSide(parts[side], pair[side]);
    parts.mark.textContent = pair.mark;
    attribute(parts.mark, "title", `${pair.isFirst ? "Where they part: " : ""}${MARK_WORDS[pair.mark]}`);
    parts.change.textContent = pair.a && pair.b && pair.a.length !== pair.b.length ? signed(pair.b.length - pair.a.length, duration) : "";
    attribute(element, "aria-label", `${nameOf(pair.a ?? pair.b)}, ${MARK_WORDS[pair.mark]}${pair.isFirst ? ", where they part" : ""}${["a", "b"].map((side) => (pair[side] ? `, ${side.toUpperCase()} ${duration(pair[side].length)} ${pair[side].outcome ?? "running"}` : "")).join("")}`);
  }

  updateSide(parts, step) {
    parts.link.hidden = !step;
    parts.link.textContent = step ? nameOf(step) : "";
    parts.link.classList.toggle("is-tool", Boolean(step && isTool(step)));
    parts.above.textContent = step ? aboveOf(step) : "";
    parts.length.textContent = step ? duration(step.length) : "";
    parts.length.title = step ? exactDuration(step.length) : "";
    if (step) parts.link.href = this.app.href(this.sessionView(step.sessionId, isTool(step) ? step.spanId : ""));
    const isBad = step && isFailure(step.outcome);
    attribute(parts.standing, "data-standing", isBad ? "failed" : null);
    fill(parts.standing, isBad ? [icon("error"), shortened(step.outcome, 40)] : null);
  }

  close() {
    this.life.abort();
    this.list.close();
    this.app.keyboard.install("Compare agents", []);
  }
}

function differenceFigures(view) {
  const name = (row) => (view === "time" ? CLASS_NAMES[row.name] ?? row.name : row.name.replaceAll("`", ""));
  const both = (key, title, format) => ["a", "b"].map((side) => ({ key: `${key}-${side}`, title: `${title} ${side.toUpperCase()}`, numeric: true, className: "spare", by: (row) => row[key][side], cell: (row) => (row[key][side] ? format(row[key][side]) : h("span.faint", {}, "–")) }));
  return new Figures({
    label: VIEWS.find(([key]) => key === view)[1], sort: "-change", columns: [
      { key: "name", title: { sessions: "Agent", tools: "Tool", time: "Class" }[view], by: name, cell: (row) => h(view === "tools" ? "code.tool-name" : "span.tool-name", { title: shortened(name(row)) }, shortened(name(row), 160) || "unnamed") },
      ...(view === "time" ? [] : [...both("count", view === "tools" ? "Calls" : "Runs", count), ...both("errorCount", "Errors", count)]), ...(view === "sessions" ? both("usd", "Cost", dollars) : []),
      ...["a", "b"].map((side) => ({ key: side, title: `Time ${side.toUpperCase()}`, numeric: true, by: (row) => row[side], cell: (row) => (row[side] ? h("span", { title: exactDuration(row[side]) }, duration(row[side])) : h("span.faint", {}, "–")) })),
      { key: "change", title: "B − A", numeric: true, by: (row) => row.change, cell: (row) => (row.change ? h(row.change > 0 ? "span.worse" : "span", {}, signed(row.change, duration)) : h("span.faint", {}, "–")) },
    ],
  });
}
