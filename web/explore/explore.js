// SPDX-License-Identifier: Apache-2.0
// Explore: ask, look, narrow down. Owns the search in flight; the parts draw.
import * as api from "../api.js";
import { count, plural, zoneLabel } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fixedMoment, resolveRange } from "../lib/range.js";
import { RangePicker } from "../lib/range-picker.js";
import { fill, h } from "../lib/view.js";
import { facetColumn, keepQuery, timeForm, zone } from "../settings.js";
import { QueryBar } from "./query-bar.js";
import { Results, serverOrder, sortsLoaded } from "./results.js";
import { ResultTabs } from "./tabs.js";

const PAGE_SIZE = 100;
/** Spans told of each trace, where they are the rows. */
const SPANS_OF_EACH = 20;
const CANCEL_AFTER_MILLIS = 2000;

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
    /** Why there is less than was asked for. @type {string | null} */
    this.partial = null;
    /** Counts questions, and the end of the page: what waited for an answer sees that it is not asked for any more. */
    this.asked = 0;
    this.nowMillis = Date.now();

    this.query = new QueryBar({ run: (q) => this.ask({ q }), openTrace: (id) => this.openTrace(id), confirm: (text) => app.shell.confirm(text) });
    this.range = new RangePicker((from, to) => this.ask({ from, to }));
    this.summary = h("p.summary", {});
    this.cancelButton = h("button.quiet", { type: "button", hidden: true, onclick: () => this.cancel() }, "Cancel");
    this.facetColumn = h("aside.facet-column", { id: "facets", "aria-label": "Facets", tabindex: "-1", hidden: true });
    this.facetButton = h("button.icon-button.facet-button", { type: "button", "aria-label": "Facets", title: "Facets (f)", "aria-controls": "facets", "aria-expanded": "false", onclick: () => this.toggleFacets() }, icon("filter"));
    this.heatmapPlace = h(`div.heatmap-place${state.heat === "off" ? ".folded" : ""}`, {});
    this.stripPlace = h("div.strip-place", {});
    this.body = h("div.explore-body", {});
    this.tabs = new ResultTabs({
      choose: (tab) => this.ask({ tab, sort: "" }),
      compare: () => app.front("compare"),
      href: (view) => app.href(view),
      clear: () => { app.marks.value = []; },
      openMark: (id) => this.openTrace(id),
    });
    /**
     * What stands around the results: each is told every question that is asked, when the page closes, and when the zone
     * is another one. `start` and `end` are null where the range is open.
     * @type {{ show(question: { q: string, start: bigint | null, end: bigint | null, nowMillis: number }): void, close(): void, zoneChanged?(): void }[]}
     */
    this.parts = [];
    this.pictures = null;

    /** Rows of all tabs are drawn by these, one of them at a time. */
    this.actions = {
      open: (row) => this.openRow(row),
      href: (id, span = "") => app.href(this.traceView(id, span)),
      more: (again) => this.loadMore(again),
      sort: (sort) => this.sort(sort),
      colorOf: (service) => app.colors.of(service),
      mark: (id) => app.mark(id),
      marks: () => app.marks.value,
    };
    this.results = this.view = new Results(this.actions);
    this.views = { "": this.results };

    this.facetColumn.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !this.wide.matches) this.toggleFacets();
    });
    const { shell } = app;
    document.title = "Explore · Skein";
    fill(shell.barStart, this.query.element);
    fill(shell.barEnd, this.range.element,
      h("button.icon-button", { type: "button", "aria-label": "Run again", title: "Run again (r)", onclick: () => this.run() }, icon("run")),
      h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() }, icon("link")));
    fill(shell.main, h("h1.unseen", {}, "Explore traces"), this.query.faultLine,
      this.columns = h("div.explore-columns", {}, this.facetColumn,
        h("div.explore-main", {},
          h("div.under-bar", {}, this.facetButton, this.query.chipRow, h("span.spring"), this.cancelButton, this.summary),
          this.heatmapPlace, this.stripPlace, this.tabs.element, this.body)));
    this.installKeys();
    this.unlisten = [timeForm.listen(() => this.view.refresh()), app.marks.listen(() => { this.view.refresh(); this.tabs.showMarks(app.marks.value); })];
    this.tabs.showMarks(app.marks.value);
    app.colors.learn().then(() => this.view.refresh());
    this.wide = matchMedia("(min-width: 901px)");
    this.wideChanged = () => this.showFacets(this.wide.matches && facetColumn.value === "open");
    this.wide.addEventListener("change", this.wideChanged);
    this.wideChanged();
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
    this.tabs.show(this.state.tab);
    this.showResults();
    this.drawPictures();
    this.results.scroller.scrollTop = top;
    const at = this.results.ids.indexOf(this.app.openedTrace ?? id);
    if (at >= 0) this.results.select(at);
  }

  installKeys() {
    const grid = () => this.view.grid ?? this.view;
    this.app.keyboard.install("Explore", [
      { keys: ["/"], does: "Write a query", run: () => this.query.focus() },
      { keys: ["q"], does: "Saved and past queries", run: () => this.query.showKept() },
      { keys: ["t"], does: "Time range", run: () => this.range.toggle() },
      { keys: ["r"], does: "Run again", run: () => this.run() },
      { keys: ["f"], does: "Facets", run: () => this.toggleFacets() },
      { keys: ["h"], does: "Latency heatmap: arrows, Shift selects, Enter acts", run: () => this.pictures?.focus() },
      { keys: ["1"], does: "Traces", run: () => this.ask({ tab: "", sort: "" }) },
      { keys: ["2"], does: "Spans", run: () => this.ask({ tab: "spans", sort: "" }) },
      { keys: ["3"], does: "Groups", run: () => this.ask({ tab: "groups", sort: "" }) },
      { keys: ["ArrowDown", "j"], does: "Next row", run: () => grid().move(1) },
      { keys: ["ArrowUp", "k"], does: "Previous row", run: () => grid().move(-1) },
      { keys: ["PageDown"], does: "A page down", run: () => grid().move(grid().list.rowsPerPage - 1) },
      { keys: ["PageUp"], does: "A page up", run: () => grid().move(1 - grid().list.rowsPerPage) },
      { keys: ["Home"], does: "First row", run: () => grid().move(-Infinity) },
      { keys: ["End"], does: "Last row loaded", run: () => grid().move(Infinity) },
      { keys: ["Enter"], does: "Open", run: () => grid().open(grid().selected) },
      { keys: ["x"], does: "Mark to compare", run: () => this.markChosen() },
    ]);
  }

  /** The address says something else now: show that, and ask only for what it takes. */
  show(state) {
    const before = this.question ? this.state : null;
    this.state = state;
    this.query.text = state.q;
    this.range.show(state.from, state.to);
    this.tabs.show(state.tab);
    const isSame = (...keys) => before !== null && keys.every((key) => before[key] === state[key]);
    if (!isSame("q", "from", "to")) return this.run();
    if (!isSame("facets")) this.facets?.show(this.tellable());
    if (isSame("tab", "by") && isSame("sort")) return;
    if (isSame("tab", "by") && state.tab === "groups") this.view.sort(state.sort);
    else if (isSame("tab") && serverOrder(before.sort) === serverOrder(state.sort) && this.traces.length) this.showResults();
    else this.load();
  }

  /** A question from the user: a step in history, unless it is the same question again. */
  ask(change) {
    const state = { ...this.state, ...change };
    if (this.app.href({ page: "explore", state }) === location.pathname + location.search) this.run();
    else this.app.go({ page: "explore", state });
  }

  sort(sort) {
    const before = this.state;
    this.app.replace({ sort });
    this.state = this.app.view.state;
    if (this.state.tab === "groups") this.view.sort(sort);
    else if (this.state.tab === "" && serverOrder(before.sort) !== serverOrder(sort)) this.load();
    else this.showResults();
  }

  /** Asks anew: the results, and all that stands around them. */
  run() {
    this.nowMillis = Date.now();
    const { q, from, to } = this.state;
    const range = resolveRange(from, to, this.nowMillis, zone.value);
    this.query.showFault(null);
    if (!range) {
      this.asked++;
      this.flight?.abort();
      this.question = null;
      this.body.classList.remove("waiting");
      this.showState("The time range makes no sense", `From “${from}” to “${to || "now"}”.`, [["Last hour", () => this.ask({ from: "-1h", to: "" })]]);
      return;
    }
    this.columns.classList.remove("bare");
    this.question = { q, ...range };
    this.tellParts();
    return this.load();
  }

  tellable() {
    const { q, start, end } = this.question;
    return { q, start, end, nowMillis: this.nowMillis };
  }

  tellParts() {
    for (const part of this.parts) part.show(this.tellable());
  }

  /** Heatmap and strip: they and their data come after the results, which do not wait for them. */
  async drawPictures() {
    const { asked } = this;
    const module = await import("./pictures.js").catch(() => null);
    if (!module || asked !== this.asked) return;
    if (!this.pictures) {
      this.pictures = new module.Pictures(this.app, this.heatmapPlace, this.stripPlace, {
        mode: () => this.state.heat,
        setMode: (heat) => { this.app.replace({ heat }); this.state = this.app.view.state; },
        ask: (change) => this.ask(change),
      });
      this.parts.push(this.pictures);
      this.pictures.show(this.tellable());
    }
    this.pictures.draw();
  }

  /** Asks for what the chosen tab shows. The old answer stays, dimmed, until there is something of the new one. */
  async load() {
    if (!this.question) return;
    const asked = ++this.asked;
    this.flight?.abort();
    this.closeWaiting?.();
    this.query.showFault(null);
    const { tab, sort, by } = this.state;
    const view = await this.viewOf(tab);
    if (asked !== this.asked || !view) return;
    if (view !== this.view) {
      this.view = view;
      this.traces = [];
    }
    if (tab === "groups") {
      this.traces = [];
      fill(this.summary);
      this.body.classList.remove("waiting");
      this.keepQuery();
      if (this.body.firstChild !== view.element) fill(this.body, view.element);
      await view.show(this.tellable(), by || this.firstField, sort);
      if (asked === this.asked) this.drawPictures();
      return;
    }
    const { q, start, end } = this.question;
    this.request = { q: tab === "spans" ? this.counted(q, this.selected) : q, start, end, limit: PAGE_SIZE, order: serverOrder(sort), spans: tab === "spans" ? SPANS_OF_EACH : null };
    if (this.traces.length) this.body.classList.add("waiting");
    const began = performance.now();
    this.partial = this.moreProblem = null;
    let isFirst = true;
    const told = (traces, progress) => {
      if (asked !== this.asked) return;
      this.traces = isFirst ? traces : [...this.traces, ...traces];
      if (isFirst) Object.assign(this, { inspected: { spans: 0 }, next: null });
      isFirst = isFirst && traces.length === 0;
      this.elapsed = performance.now() - began;
      if (this.traces.length && traces.length) {
        this.body.classList.remove("waiting");
        this.showResults();
      }
      if (progress) this.showProgress(progress);
    };
    const answer = await this.fetch(this.request, told, (error) => {
      if (isFirst) return this.showError(error);
      this.partial = `No more came: ${error.message}`;
      this.app.shell.alert(error.message);
      this.showResults();
    });
    if (asked !== this.asked) return;
    if (answer) {
      this.keepQuery();
      this.elapsed = performance.now() - began;
      if (isFirst) this.traces = [];
      Object.assign(this, { next: answer.next ?? null, inspected: { spans: answer.inspected?.spans ?? 0 } });
      if (this.traces.length) {
        this.showResults();
        this.drawPictures();
      } else await this.showNothing(asked, answer.hints);
    }
    if (asked === this.asked) this.body.classList.remove("waiting");
  }

  keepQuery() {
    if (this.state.q !== "") keepQuery(this.state.q);
  }

  /** What draws a tab; those but the first come when they are asked for. */
  async viewOf(tab) {
    if (this.views[tab]) return this.views[tab];
    if (tab !== "spans" && tab !== "groups") return this.results;
    const [module, text] = await Promise.all([tab === "spans" ? import("./spans.js") : import("./groups.js"), import("./conditions.js")]).catch(() => []);
    if (!module) {
      this.app.shell.setOffline(() => this.load());
      return null;
    }
    this.counted = text.counted;
    if (tab === "spans") this.selected = module.SELECTED;
    else this.firstField = module.FIRST_FIELD;
    this.views[tab] ??= tab === "spans" ? new module.Spans(this.actions) : new module.Groups({
      ask: (change) => this.ask(change), sort: this.actions.sort, colorOf: this.actions.colorOf, fault: (error) => this.query.showFault(error),
      nothing: (read) => { this.inspected = { spans: read }; this.showNothing(this.asked); },
      told: (text) => { fill(this.summary, h("strong", {}, text)); this.app.shell.say(text); },
    });
    return this.views[tab];
  }

  /** The next page below the ones that are here; they stay when it does not come. @param {boolean} [again] after a failure */
  async loadMore(again = false) {
    if (again && this.partial) return this.load();
    if (!this.next || this.flight || (this.moreProblem && !again)) return;
    const { asked } = this;
    if (this.moreProblem) {
      this.moreProblem = null;
      this.showResults();
    }
    const came = [];
    const answer = await this.fetch({ ...this.request, cursor: this.next }, (traces) => { came.push(...traces); }, (error) => {
      this.moreProblem = error;
      if (error.code === "network") this.app.shell.setOffline(() => this.loadMore(true));
      this.app.shell.alert(error.message);
      this.showResults();
    });
    if (!answer || asked !== this.asked) return;
    this.inspected.spans += answer.inspected?.spans ?? 0;
    this.traces = [...this.traces, ...came];
    this.next = answer.next ?? null;
    this.showResults();
  }

  /** One search at a time; a newer one takes the place of the older. Null when it failed or is not wanted any more. */
  async fetch(question, told, failed) {
    this.flight?.abort();
    const flight = (this.flight = new AbortController());
    const { shell } = this.app;
    shell.busy(true);
    const offerCancel = setTimeout(() => { this.cancelButton.hidden = false; }, CANCEL_AFTER_MILLIS);
    let problem = null;
    try {
      const answer = await api.searchLines(question, (traces, progress) => { if (!flight.signal.aborted) told(traces, progress); }, flight.signal);
      if (flight.signal.aborted) return null;
      shell.setOffline(null);
      return answer;
    } catch (error) {
      problem = error instanceof api.ApiError ? error : new api.ApiError("The connection to Skein broke off", { code: "broken-off" });
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
    const isLoading = this.flight !== null;
    this.flight?.abort();
    this.body.classList.remove("waiting");
    if (!this.traces.length) {
      this.showState("Search cancelled", "", [["Search again", () => this.run()]]);
      return;
    }
    if (isLoading) this.partial = "The search was cancelled: there may be more";
    this.showResults();
    this.app.shell.confirm("Search cancelled");
  }

  showProgress({ blocksDone, blockCount, spans }) {
    const parts = [this.traces.length ? `${count(this.traces.length)} so far` : "Searching", Number.isInteger(blockCount) ? `searched ${count(blocksDone ?? 0)} of ${plural(blockCount, "block")}` : null, Number.isInteger(spans) ? `${plural(spans, "span")} read` : null];
    fill(this.summary, parts.filter(Boolean).join(" · "));
  }

  showResults() {
    const { traces, next, view } = this;
    const { tab, sort } = this.state;
    this.href = this.app.href({ page: "explore", state: this.state });
    if (this.body.firstChild !== view.element) fill(this.body, view.element);
    view.element.classList.toggle("no-match", this.state.q === "");
    const problem = this.moreProblem ? `No more traces came: ${this.moreProblem.message}` : this.partial;
    view.show(traces, { hasMore: next !== null, order: sort, problem });
    this.app.resultIds = view.ids;
    const isOpen = next !== null || this.partial !== null || this.flight !== null;
    const amount = (n, one) => `${count(n)}${isOpen ? "+" : ""} ${n === 1 && !isOpen ? one : `${one}s`}`;
    const found = tab === "spans" ? `${amount(view.rows.length, "span")} in ${amount(traces.length, "trace")}` : amount(traces.length, "trace");
    const isLoadedOnly = isOpen && (tab === "spans" ? sort !== "" : sortsLoaded(sort));
    const facts = [
      this.partial ? "partial" : null, this.flight && !this.flight.signal.aborted ? "more are coming" : `${plural(this.inspected.spans, "span")} read`, `${Math.max(1, Math.round(this.elapsed))} ms`,
      isLoadedOnly ? "sorted among those loaded" : null, tab === "spans" && view.untold ? `${plural(view.untold, "more match", "more matches")} in large traces` : null,
    ];
    fill(this.summary, this.partial ? icon("warning") : null, h("strong", {}, found), ` · ${facts.filter(Boolean).join(" · ")}`, h("span.summary-zone", {}, ` · ${zoneLabel(zone.value, this.nowMillis)}`));
    this.app.shell.say(`${found} found`);
  }

  /**
   * @param {number} asked the question that found nothing; another one may be on its way by the time more is known
   * @param {string[] | undefined} hints what may be wrong with it
   */
  async showNothing(asked, hints) {
    fill(this.summary);
    const module = await import("./nothing.js").catch(() => null);
    if (asked !== this.asked) return;
    const isTold = module ? await module.tellNothing(this, () => asked === this.asked, hints) : false;
    if (!isTold) this.showError(new api.ApiError("Skein does not answer. Is the server running?"));
  }

  showError(error) {
    const { shell } = this.app;
    if (error.code === "invalid-query") {
      this.query.showFault(error);
      fill(this.summary, this.traces.length ? "Below: what the query before found" : null);
      if (!this.traces.length) this.showExamples();
      return;
    }
    shell.alert(error.message);
    if (error.code === "network") {
      shell.setOffline(() => this.run());
      // What the same question found before is old, as the banner says, and better than nothing.
      if (this.traces.length && this.href === this.app.href({ page: "explore", state: this.state })) return;
    }
    this.traces = [];
    fill(this.summary);
    const facts = [error.message, error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null];
    this.showState("The search failed", facts, [["Try again", () => this.run()]]);
  }

  /** Below a query that was not understood, where there is nothing else to see. */
  async showExamples() {
    const { asked } = this;
    const module = await import("./nothing.js").catch(() => null);
    if (module && asked === this.asked) fill(this.body, module.examples((query) => this.query.change(query)));
  }

  /** @param {string} title @param {any} text @param {[string, () => void][]} choices */
  showState(title, text, choices) {
    this.app.shell.say(title);
    fill(this.body, h("section.state", {}, h("h2", {}, title), typeof text === "string" ? h("p", {}, text) : text,
      h("div.row-of-buttons", {}, choices.map(([label, act]) => h("button", { type: "button", onclick: act }, label)))));
  }

  traceView(id, span = "") {
    return { page: "trace", id, state: span ? { span } : {} };
  }

  openTrace(id) {
    this.app.go(this.traceView(id));
  }

  openRow(row) {
    this.app.go(row.trace ? this.traceView(row.trace.traceId, row.spanId) : this.traceView(row.traceId));
  }

  markChosen() {
    const row = this.view.chosen;
    if (row) this.app.mark(row.trace?.traceId ?? row.traceId);
  }

  toggleFacets() {
    const isShown = this.facetColumn.hidden;
    if (this.wide.matches) facetColumn.value = isShown ? "open" : "closed";
    const isHeld = document.activeElement === this.facetButton || this.facetColumn.contains(document.activeElement);
    this.showFacets(isShown);
    // What is hidden cannot keep the focus, and what lies over the results takes it.
    if (isHeld || !this.wide.matches) (isShown ? this.facetColumn : this.facetButton).focus();
  }

  /** Facets count only while they show. */
  async showFacets(isShown) {
    this.facetColumn.hidden = !isShown;
    this.facetButton.setAttribute("aria-expanded", String(isShown));
    if (!isShown) return;
    const module = this.facets ? null : await import("./facets.js").catch(() => null);
    if (this.isClosed) return;
    if (module && !this.facets) {
      this.facets = new module.Facets(this.facetColumn, { ask: (change) => this.ask(change), pinned: () => this.state.facets, colorOf: (service) => this.app.colors.of(service), close: () => this.toggleFacets() });
      this.parts.push({ show: (question) => { if (!this.facetColumn.hidden) this.facets.show(question); }, close: () => this.facets.close() });
    }
    if (this.question) this.facets?.show(this.tellable());
  }

  zoneChanged() {
    this.range.show(this.state.from, this.state.to);
    for (const part of this.parts) part.zoneChanged?.();
    if (this.traces.length) this.showResults();
    else this.view.refresh();
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
    // The line that says that something is loading belongs to the next page from here on.
    this.flight = null;
    this.closeWaiting?.();
    this.isClosed = true;
    const { traces, next, inspected, elapsed, question, request, nowMillis, results } = this;
    const isShown = traces.length > 0 && results.element.isConnected && !this.query.fault && !this.partial;
    this.app.keptResults = isShown
      ? { href: this.href, answer: { traces, next, inspected, elapsed, question, request, nowMillis }, top: results.scroller.scrollTop, id: results.ids[results.selected] }
      : null;
    for (const unlisten of this.unlisten) unlisten();
    this.wide.removeEventListener("change", this.wideChanged);
    for (const part of this.parts) part.close();
    for (const view of Object.values(this.views)) view.close();
    this.app.keyboard.install("Explore", []);
  }
}
