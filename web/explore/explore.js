// SPDX-License-Identifier: Apache-2.0
// Explore: ask, look, narrow down. Owns the search in flight; the parts draw.
import * as api from "../api.js";
import { count, nanos, plural, relativeTime, zoneLabel } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fixedMoment, rangeLabel, relativeMillis, resolveRange } from "../lib/range.js";
import { RangePicker } from "../lib/range-picker.js";
import { fill, h } from "../lib/view.js";
import { keepQuery, timeForm, zone } from "../settings.js";
import { QueryBar } from "./query-bar.js";
import { chips, withoutChip } from "./query-text.js";
import { Results } from "./results.js";

const PAGE_SIZE = 100;
const CANCEL_AFTER_MILLIS = 2000;
const EXAMPLES = [
  ["error = true", "a span failed"],
  ["duration > 500ms", "a span took long"],
  ['service = "checkout" and kind = server', "both hold for one span"],
  ["http.response.status_code >= 500", "any attribute, by its name"],
  ['name =~ "GET /.*"', "a pattern for the whole text"],
];

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  return new Explore(app, view.state);
}

class Explore {
  constructor(app, state) {
    this.app = app;
    this.state = state;
    this.traces = [];
    this.next = null;
    this.flight = null;
    /** Why the next page did not come, while it has not. @type {Error | null} */
    this.moreProblem = null;
    /** Counts questions, and the end of the page: what waited for an answer sees that it is not asked for any more. */
    this.asked = 0;
    this.nowMillis = Date.now();

    this.query = new QueryBar({ run: (q) => this.ask({ q }), openTrace: (id) => this.openTrace(id), confirm: (text) => app.shell.confirm(text) });
    this.range = new RangePicker((from, to) => this.ask({ from, to }));
    this.summary = h("p.summary", {});
    this.cancelButton = h("button.quiet", { type: "button", hidden: true, onclick: () => this.cancel() }, "Cancel");
    this.facetColumn = h("aside.facet-column", { "aria-label": "Facets", hidden: true });
    this.heatmapPlace = h("div.heatmap-place", {});
    this.stripPlace = h("div.strip-place", {});
    this.body = h("div.explore-body", {});
    /**
     * What stands around the results: each is told every question that is asked, when the page closes, and when the zone
     * is another one. `start` and `end` are null where the range is open.
     * @type {{ show(question: { q: string, start: bigint | null, end: bigint | null, nowMillis: number }): void, close(): void, zoneChanged?(): void }[]}
     */
    this.parts = [];
    this.results = new Results({
      open: (id) => this.openTrace(id),
      href: (id) => app.href(this.traceView(id)),
      more: (again) => this.loadMore(again),
      sort: (sort) => { app.replace({ sort }); this.state = app.view.state; this.showResults(); },
      colorOf: (service) => app.colors.of(service),
    });

    const { shell } = app;
    document.title = "Explore · Skein";
    fill(shell.barStart, this.query.element);
    fill(shell.barEnd, this.range.element,
      h("button.icon-button", { type: "button", "aria-label": "Run again", title: "Run again (r)", onclick: () => this.run() }, icon("run")),
      h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() }, icon("link")));
    fill(shell.main, h("h1.unseen", {}, "Explore traces"), this.query.faultLine,
      h("div.explore-columns", {}, this.facetColumn,
        h("div.explore-main", {},
          h("div.under-bar", {}, this.query.chipRow, h("span.spring"), this.cancelButton, this.summary),
          this.heatmapPlace, this.stripPlace, this.body)));
    this.installKeys();
    this.unlisten = timeForm.listen(() => this.results.refresh());
    app.colors.learn().then(() => this.results.refresh());
    const kept = app.keptResults;
    if (kept?.href === location.pathname + location.search) this.restore(kept);
    else this.show(state);
  }

  /** Coming back from a trace: the same list at the same place, without asking again. */
  restore({ answer, top, id }) {
    this.query.text = this.state.q;
    this.range.show(this.state.from, this.state.to);
    Object.assign(this, answer);
    this.tellParts();
    this.showResults();
    this.results.scroller.scrollTop = top;
    const at = this.results.ids.indexOf(this.app.openedTrace ?? id);
    if (at >= 0) this.results.select(at);
  }

  installKeys() {
    const { results } = this;
    this.app.keyboard.install("Explore", [
      { keys: ["/"], does: "Write a query", run: () => this.query.focus() },
      { keys: ["q"], does: "Saved and past queries", run: () => this.query.showKept() },
      { keys: ["t"], does: "Time range", run: () => this.range.toggle() },
      { keys: ["r"], does: "Run again", run: () => this.run() },
      { keys: ["ArrowDown", "j"], does: "Next trace", run: () => results.move(1) },
      { keys: ["ArrowUp", "k"], does: "Previous trace", run: () => results.move(-1) },
      { keys: ["PageDown"], does: "A page down", run: () => results.move(results.list.rowsPerPage - 1) },
      { keys: ["PageUp"], does: "A page up", run: () => results.move(1 - results.list.rowsPerPage) },
      { keys: ["Home"], does: "First trace", run: () => results.move(-Infinity) },
      { keys: ["End"], does: "Last trace loaded", run: () => results.move(Infinity) },
      { keys: ["Enter"], does: "Open the trace", run: () => results.open(results.selected) },
    ]);
  }

  /** The address says something else now: show that. */
  show(state) {
    this.state = state;
    this.query.text = state.q;
    this.range.show(state.from, state.to);
    this.run();
  }

  /** A question from the user: a step in history, unless it is the same question again. */
  ask(change) {
    const state = { ...this.state, ...change };
    if (this.app.href({ page: "explore", state }) === location.pathname + location.search) this.run();
    else this.app.go({ page: "explore", state });
  }

  /** Asks the server for the first page. The old answer stays, dimmed, until the new one is here. */
  async run() {
    const asked = ++this.asked;
    this.flight?.abort();
    this.closeWaiting?.();
    this.nowMillis = Date.now();
    const { q, from, to } = this.state;
    const range = resolveRange(from, to, this.nowMillis, zone.value);
    this.query.showFault(null);
    if (!range) {
      this.body.classList.remove("waiting");
      this.showState("The time range makes no sense", `From “${from}” to “${to || "now"}”.`, [["Last hour", () => this.ask({ from: "-1h", to: "" })]]);
      return;
    }
    this.question = { q, ...range, limit: PAGE_SIZE };
    this.tellParts();
    const began = performance.now();
    if (this.traces.length) this.body.classList.add("waiting");
    const answer = await this.fetch({ ...this.question }, (error) => this.showError(error));
    if (asked !== this.asked) return;
    if (!answer) {
      this.body.classList.remove("waiting");
      return;
    }
    if (q !== "") keepQuery(q);
    this.elapsed = performance.now() - began;
    this.inspected = { spans: answer.inspected?.spans ?? 0 };
    this.traces = answer.traces;
    this.next = answer.next;
    this.moreProblem = null;
    if (this.traces.length) this.showResults();
    else await this.showNothing(asked, answer.hints ?? []);
    if (asked === this.asked) this.body.classList.remove("waiting");
  }

  tellParts() {
    const { q, start, end } = this.question;
    for (const part of this.parts) part.show({ q, start, end, nowMillis: this.nowMillis });
  }

  /** The next page below the ones that are here; they stay when it does not come. @param {boolean} [again] after a failure */
  async loadMore(again = false) {
    if (!this.next || this.flight || (this.moreProblem && !again)) return;
    const { asked } = this;
    if (this.moreProblem) {
      this.moreProblem = null;
      this.showResults();
    }
    const answer = await this.fetch({ ...this.question, cursor: this.next }, (error) => {
      this.moreProblem = error;
      if (error.code === "network") this.app.shell.setOffline(() => this.loadMore(true));
      this.app.shell.alert(error.message);
      this.showResults();
    });
    if (!answer || asked !== this.asked) return;
    this.inspected.spans += answer.inspected?.spans ?? 0;
    this.traces = [...this.traces, ...answer.traces];
    this.next = answer.next;
    this.showResults();
  }

  /** One search at a time; a newer one takes the place of the older. Null when it failed or is not wanted any more. */
  async fetch(question, failed) {
    this.flight?.abort();
    const flight = (this.flight = new AbortController());
    const { shell } = this.app;
    shell.busy(true);
    const offerCancel = setTimeout(() => { this.cancelButton.hidden = false; }, CANCEL_AFTER_MILLIS);
    let problem = null;
    try {
      const answer = await api.search(question, flight.signal);
      if (flight.signal.aborted) return null;
      shell.setOffline(null);
      return answer;
    } catch (error) {
      problem = error;
    } finally {
      clearTimeout(offerCancel);
      if (this.flight === flight) {
        this.flight = null;
        shell.busy(false);
        this.cancelButton.hidden = true;
      }
    }
    if (!flight.signal.aborted) failed(problem);
    return null;
  }

  cancel() {
    this.flight?.abort();
    if (this.traces.length) this.app.shell.confirm("Search cancelled");
    else this.showState("Search cancelled", "", [["Search again", () => this.run()]]);
  }

  showResults() {
    const { traces, next, results } = this;
    this.href = this.app.href({ page: "explore", state: this.state });
    if (this.body.firstChild !== results.element) fill(this.body, results.element);
    results.element.classList.toggle("no-match", this.state.q === "");
    results.show(traces, next !== null, this.state.sort, this.moreProblem?.message);
    this.app.resultIds = results.ids;
    const found = `${count(traces.length)}${next ? "+" : ""} ${traces.length === 1 && !next ? "trace" : "traces"}`;
    const order = this.state.sort && next ? "sorted among those loaded" : null;
    const facts = [`${plural(this.inspected.spans, "span")} read`, `${Math.max(1, Math.round(this.elapsed))} ms`, order];
    fill(this.summary, h("strong", {}, found), ` · ${facts.filter(Boolean).join(" · ")}`, h("span.summary-zone", {}, ` · ${zoneLabel(zone.value, this.nowMillis)}`));
    this.app.shell.say(`${found} found`);
  }

  /**
   * @param {number} asked the question that found nothing; another one may be on its way by the time more is known
   * @param {string[]} hints what may be wrong with it
   */
  async showNothing(asked, hints) {
    const { q, from, to } = this.state;
    fill(this.summary);
    const status = await api.status().catch(() => null);
    if (asked !== this.asked) return;
    if (status && status.spans === 0 && status.receivedSpans === 0) {
      const module = await import("./first-span.js").catch(() => null);
      if (asked !== this.asked) return;
      if (!module) {
        this.showError(new api.ApiError("Skein does not answer. Is the server running?"));
        return;
      }
      const page = new module.FirstSpan(status, () => this.run());
      this.closeWaiting = () => { page.close(); this.closeWaiting = null; };
      fill(this.body, page.element);
      this.app.shell.say("No spans yet");
      return;
    }
    const all = chips(q);
    const choices = [];
    if (from !== "all" && relativeMillis(from) !== relativeMillis("-1d")) choices.push(["Last 24 hours", () => this.ask({ from: "-1d", to: "" })]);
    if (from !== "all") choices.push(["All time", () => this.ask({ from: "all", to: "" })]);
    if (all.length > 1) all.slice(0, 4).forEach((chip, index) => choices.push([`Without ${chip.text}`, () => this.query.change(withoutChip(q, index))]));
    else if (all.length === 1) choices.push(["Without the query", () => this.query.change("")]);
    const where = rangeLabel(from, to, this.nowMillis, zone.value);
    const read = `${plural(this.inspected.spans, "span")} read in ${where === "All time" ? "all time" : `“${where}”`}${q ? ", none of them matches the query" : ""}.`;
    const newest = status?.newestTimeUnixNano ? h("p", {}, `The newest span stored is from ${relativeTime(nanos(status.newestTimeUnixNano), Date.now())}.`) : null;
    this.showState("No traces found", [h("p.faint", {}, read), ...hints.map((hint) => h("p", {}, hint)), newest], choices);
  }

  showError(error) {
    const { shell } = this.app;
    if (error.code === "invalid-query") {
      this.query.showFault(error);
      fill(this.summary, this.traces.length ? "Below: what the query before found" : null);
      if (!this.traces.length) this.showExamples();
      return;
    }
    if (error.code === "network") shell.setOffline(() => this.run());
    shell.alert(error.message);
    fill(this.summary);
    const facts = [error.message, error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null];
    this.showState("The search failed", facts, [["Try again", () => this.run()]]);
  }

  /** Below a query that was not understood, where there is nothing else to see. */
  showExamples() {
    fill(this.body, h("section.state", {}, h("h2", {}, "Queries look like this"),
      h("ul.examples", {}, EXAMPLES.map(([query, says]) => h("li", {}, h("button.quiet", { type: "button", onclick: () => this.query.change(query) }, h("code", {}, query)), h("span.faint", {}, says))))));
  }

  /** @param {string} title @param {any} text @param {[string, () => void][]} choices */
  showState(title, text, choices) {
    this.app.shell.say(title);
    fill(this.body, h("section.state", {}, h("h2", {}, title), typeof text === "string" ? h("p", {}, text) : text,
      h("div.row-of-buttons", {}, choices.map(([label, act]) => h("button", { type: "button", onclick: act }, label)))));
  }

  traceView(id) {
    return { page: "trace", id, state: {} };
  }

  openTrace(id) {
    this.app.go(this.traceView(id));
  }

  zoneChanged() {
    this.range.show(this.state.from, this.state.to);
    for (const part of this.parts) part.zoneChanged?.();
    if (this.traces.length) this.showResults();
  }

  /** Relative ends as they stood when the search ran. */
  fixedState() {
    const { from, to } = this.state;
    const range = resolveRange(from, to, this.nowMillis, zone.value);
    if (!range) return {};
    const end = range.end ?? BigInt(this.nowMillis) * 1_000_000n;
    return { from: range.start === null ? "all" : fixedMoment(range.start), to: fixedMoment(end) };
  }

  close() {
    this.asked++;
    this.flight?.abort();
    this.closeWaiting?.();
    const { traces, next, inspected, elapsed, question, nowMillis, results } = this;
    const isShown = traces.length > 0 && results.element.isConnected && !this.query.fault;
    this.app.keptResults = isShown
      ? { href: this.href, answer: { traces, next, inspected, elapsed, question, nowMillis }, top: results.scroller.scrollTop, id: results.ids[results.selected] }
      : null;
    this.unlisten();
    for (const part of this.parts) part.close();
    this.results.close();
    this.app.keyboard.install("Explore", []);
  }
}
