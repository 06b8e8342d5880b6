// SPDX-License-Identifier: Apache-2.0
// The map: who calls whom in a time range. Owns the question to the server and what of the answer is shown; the drawing,
// the table and the panel draw.
import * as api from "../api-more.js";
import { count, nanos, plural, zoneLabel } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fixedMoment, rangeLabel, resolveRange } from "../lib/range.js";
import { RangePicker } from "../lib/range-picker.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { Drawing } from "./drawing.js";
import { DRAWN_MAX, HOPS_MAX, WHOLE_MAX, busiest, chosen, graphOf } from "./graph.js";
import { Panel } from "./panel.js";
import { CallTable } from "./table.js";

const RATES = [["", "any rate"], ["0.01", "0.6/min and more"], ["0.1", "0.1/s and more"], ["1", "1/s and more"], ["10", "10/s and more"], ["100", "100/s and more"]];
const ERRORS = [["", "all calls"], ["0", "that failed"], ["1", "1 % failed and more"], ["5", "5 % failed and more"], ["20", "20 % failed and more"]];
/** The whole graph, however large, said in the address. */
const WHOLE = "*";
const SECOND = 1_000_000_000n;

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  return new MapPage(app, view.state);
}

class MapPage {
  constructor(app, state) {
    this.app = app;
    this.state = state;
    /** @type {import("./graph.js").Graph | null} */
    this.graph = null;
    this.found = [];
    this.foundAt = -1;
    this.nowMillis = Date.now();
    const { shell } = app;
    document.title = "Map · Skein";

    this.range = new RangePicker((from, to) => this.push({ from, to }));
    this.search = h("input.field.map-search", {
      type: "search", placeholder: "Find a service", "aria-label": "Find a service or peer", autocomplete: "off", spellcheck: "false",
    });
    this.foundCount = h("span.faint.map-found", { role: "status" });
    this.keep = debounce((q) => app.replace({ q }), 300);
    this.search.addEventListener("input", () => {
      this.state = { ...this.state, q: this.search.value };
      this.keep(this.search.value);
      this.find();
    });
    this.search.addEventListener("keydown", (event) => this.searchKey(event));
    fill(shell.barStart, h("h1", {}, "Map"), this.search, this.foundCount);
    fill(shell.barEnd, this.range.element,
      h("button.icon-button", { type: "button", "aria-label": "Ask again", title: "Ask again (r)", onclick: () => this.load() }, icon("run")),
      h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() }, icon("link")));

    this.tabs = [["", "Map"], ["table", "Table"]].map(([view, title]) =>
      h("button.tab", { type: "button", role: "tab", "data-view": view, "aria-controls": "map-body", onclick: () => this.push({ view }) }, title));
    const tabs = h("div.tabs", { role: "tablist", "aria-label": "Views" }, this.tabs);
    tabs.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      const other = this.tabs.find((tab) => tab.tabIndex !== 0);
      this.push({ view: other.dataset.view });
      other.focus();
    });
    this.focusPart = h("div.map-focus", { role: "group", "aria-label": "Focus", hidden: true });
    this.rates = choice("Rate", RATES, (rate) => this.push({ rate }));
    this.errors = choice("Errors", ERRORS, (errors) => this.push({ errors }));
    this.summary = h("p.map-summary", {});
    this.notice = h("p.map-notice", { role: "status", hidden: true });
    const actions = {
      chooseNode: (node) => this.choose({ node, edge: "" }), chooseCall: (edge) => this.choose({ node: "", edge }),
      focus: (id) => this.focus(id), colorOf: (service) => app.colors.of(service),
    };
    this.drawing = new Drawing(actions);
    this.table = new CallTable({ open: actions.chooseCall, sort: (sort) => { app.replace({ sort }); this.state = app.view.state; this.draw(); }, colorOf: actions.colorOf });
    this.panel = new Panel(app, { ...actions, close: () => this.closePanel() });
    this.body = h("div.map-body", { id: "map-body", role: "tabpanel", "aria-label": "Calls" });
    this.split = h("div.map-split", {}, this.body, this.panel.element);
    const filters = h("span.map-filters", {}, this.rates, this.errors);
    fill(shell.main, h("div.map-tools", {}, tabs, this.focusPart, filters, h("span.spring"), this.summary), this.notice, this.split);
    this.installKeys();
    this.learned = app.colors.learn();
    this.show(state);
  }

  installKeys() {
    const isMap = () => this.state.view !== "table";
    this.app.keyboard.install("Map", [
      { keys: ["/"], does: "Find a service", run: () => { this.search.focus(); this.search.select(); } },
      { keys: ["t"], does: "Time range", run: () => this.range.toggle() },
      { keys: ["r"], does: "Ask again", run: () => this.load() },
      { keys: ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"], does: "Along calls and among nodes", run: () => (isMap() ? this.drawing.active : this.table.element)?.focus() },
      { keys: ["Enter"], does: "Open the node or call", run: () => {} },
      { keys: ["f"], does: "Only the neighbours of a node; again: all", run: () => this.toggleFocus() },
      { keys: ["1", "2", "3"], does: "So many hops around the focus", run: (event) => { if (this.centre) this.push({ hops: hopsState(Number(event.key)) }); } },
      { keys: ["+", "="], does: "Zoom in", run: () => this.drawing.zoom(1.3) },
      { keys: ["-"], does: "Zoom out", run: () => this.drawing.zoom(1 / 1.3) },
      { keys: ["0"], does: "Show all", run: () => this.drawing.fit() },
      { keys: ["Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"], does: "Move the map", run: (event) => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        this.drawing.pan(...step);
      } },
      { keys: ["v"], does: "Map or table", run: () => this.push({ view: isMap() ? "table" : "" }) },
      { keys: ["Escape"], does: "Close the panel, then leave the focus", run: () => {
        if (!this.panel.element.hidden) this.closePanel();
        else if (this.state.focus) this.focus("");
      } },
    ]);
  }

  /** A step in history, from what the field of the search says now. @param {Object<string, string>} state */
  push(state) {
    this.keep.flush();
    this.app.push(state);
  }

  /** The address says something else now: show that, and ask the server only for another range. */
  show(state) {
    const before = this.state;
    this.state = state;
    this.range.show(state.from, state.to);
    if (this.search.value !== state.q) this.search.value = state.q;
    for (const tab of this.tabs) {
      const isOpen = tab.dataset.view === state.view;
      attribute(tab, "aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
    }
    this.rates.querySelector("select").value = state.rate;
    this.errors.querySelector("select").value = state.errors;
    if (!this.graph || before.from !== state.from || before.to !== state.to) this.load();
    else this.draw();
  }

  async load() {
    this.flight?.abort();
    const flight = (this.flight = new AbortController());
    const { signal } = flight;
    const { shell } = this.app;
    this.nowMillis = Date.now();
    const { from, to } = this.state;
    const range = resolveRange(from, to, this.nowMillis, zone.value);
    if (!range) {
      this.flight = null;
      shell.busy(false);
      this.body.classList.remove("waiting");
      this.showState("The time range makes no sense", `From “${from}” to “${to || "now"}”.`, [["Last hour", () => this.push({ from: "-1h", to: "" })]]);
      return;
    }
    shell.busy(true);
    if (this.graph) this.body.classList.add("waiting");
    try {
      const now = BigInt(this.nowMillis) * 1_000_000n;
      const end = range.end ?? now;
      const oldest = range.start === null ? (await api.status(signal)).oldestTimeUnixNano : null;
      const start = range.start ?? (oldest ? nanos(oldest) : end - 1n);
      const length = end - start;
      const [answer, services, before] = await Promise.all([
        api.serviceGraph({ start, end }, signal),
        this.callsOfServices(end, length, signal),
        // What was before is beside the point: without it nothing is compared.
        range.start === null || length > start ? null : api.serviceGraph({ start: start - length, end: start }, signal).catch(() => null),
        this.learned,
      ]);
      if (signal.aborted) return;
      // Whole minutes are counted, of which the last may not be over.
      const seconds = Number((min(nanos(answer.endTimeUnixNano), now) - max(nanos(answer.startTimeUnixNano), range.start === null ? start : 0n)) / 1_000_000n) / 1000;
      this.asked = { start, end };
      this.graph = graphOf(answer.edges, services, seconds > 0 ? seconds : null, before?.edges);
      this.drawnRange = `${from} ${to}`;
      shell.setOffline(null);
      this.draw();
    } catch (error) {
      if (signal.aborted) return;
      shell.alert(error.message);
      if (error.code === "network") {
        shell.setOffline(() => this.load());
        // The map of the same range is old, as the banner says, and better than none.
        if (this.graph && this.drawnRange === `${from} ${to}`) return;
      }
      this.graph = null;
      const facts = [h("p", {}, error.message), error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null];
      this.showState("The map could not be drawn", facts, [["Try again", () => this.load()]]);
    } finally {
      if (this.flight === flight) {
        this.flight = null;
        shell.busy(false);
        this.body.classList.remove("waiting");
      }
    }
  }

  /** The calls that each service answers, also those of callers that send no spans: out of the sums, in one question. */
  async callsOfServices(end, length, signal) {
    const found = new Map();
    try {
      const seconds = max(length / SECOND, 60n);
      for (const { metric, value } of await api.sums(`sum by (service, span_kind, status_code) (increase(traces_spanmetrics_calls_total[${seconds}s]))`, end, signal)) {
        if (!metric.service) continue;
        const own = found.get(metric.service) ?? { calls: 0, errors: 0 };
        found.set(metric.service, own);
        if (metric.span_kind !== "SPAN_KIND_SERVER" && metric.span_kind !== "SPAN_KIND_CONSUMER") continue;
        own.calls += Number(value[1]);
        if (metric.status_code === "STATUS_CODE_ERROR") own.errors += Number(value[1]);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      // Then only calls between services are known; the map is drawn with these.
    }
    return new Map([...found].filter(([, { calls, errors }]) => calls >= 0 && errors >= 0));
  }

  draw() {
    const { graph, state } = this;
    if (!graph) return;
    if (!graph.nodes.size) {
      this.showEmpty();
      return;
    }
    const hops = Math.min(HOPS_MAX, Math.max(1, Number(state.hops) || 1));
    const isLarge = graph.nodes.size > WHOLE_MAX;
    const asked = state.focus && state.focus !== WHOLE ? graph.nodes.get(state.focus) ?? null : null;
    this.centre = asked ?? (state.focus === "" && isLarge ? busiest(graph) : null);
    const shown = chosen(graph, { focus: this.centre?.id ?? "", hops, rate: Number(state.rate) || 0, errors: state.errors === "" ? null : Number(state.errors) / 100 });
    this.drawFocus(hops);
    this.drawNotice(shown, asked);
    const isTable = state.view === "table";
    const all = nodeCount(graph.nodes.size);
    const whole = shown.nodes.length === graph.nodes.size ? all : `${count(shown.nodes.length)} of ${all}`;
    fill(this.summary, h("strong", {}, plural(shown.calls.length, "call")), ` · ${whole}`, h("span.summary-zone", {}, ` · ${zoneLabel(zone.value, this.nowMillis)}`));
    this.shown = shown;
    const wanted = isTable ? this.table.element : this.drawing.element;
    if (!shown.nodes.length) this.showNothing();
    else {
      if (this.body.firstChild !== wanted) fill(this.body, wanted);
      if (isTable) this.table.show(this.tableRows(), state.sort, state.edge);
      else this.drawMap(shown);
    }
    this.drawPanel();
    this.find();
    this.app.shell.say(`${plural(shown.calls.length, "call")} between ${whole}`);
  }

  drawMap({ nodes, calls, hidden }) {
    const drawn = nodes.length <= DRAWN_MAX ? nodes : nodes.slice().sort((a, b) => b.calls - a.calls).slice(0, DRAWN_MAX);
    const ids = new Set(drawn.map(({ id }) => id));
    const between = calls.filter(({ from, to }) => ids.has(from.id) && ids.has(to.id));
    const about = `Map of ${nodeCount(drawn.length)} with ${plural(between.length, "call")}. Arrow keys follow the calls, Enter opens. The table has the same rows.`;
    this.drawing.show(drawn, between, hidden, about);
  }

  drawFocus(hops) {
    const { centre } = this;
    this.focusPart.hidden = !centre;
    if (!centre) return;
    const buttons = Array.from({ length: HOPS_MAX }, (_, at) => at + 1).map((n) => h("button.map-hop", {
      type: "button", "aria-pressed": String(n === hops), "aria-label": plural(n, "hop"), onclick: () => this.push({ focus: centre.id, hops: hopsState(n) }),
    }, n));
    const swatch = h("span.swatch", { "data-s": centre.kind === "service" ? this.app.colors.of(centre.name) : null });
    const leave = h("button.map-leave", { type: "button", "aria-label": "Show all, not only around this", title: "Show all (f)", onclick: () => this.leaveFocus() }, icon("close"));
    fill(this.focusPart, h("span.faint", {}, "Around"),
      h("span.map-centre", {}, swatch, h("span.map-centre-name", {}, centre.name || "no name"), leave), buttons, h("span.faint", {}, hops === 1 ? "hop" : "hops"));
  }

  drawNotice(shown, asked) {
    const { graph, state } = this;
    const parts = [];
    if (state.focus && state.focus !== WHOLE && !asked) parts.push(`“${state.focus}” has no spans in this range.`);
    else if (this.centre && !asked) {
      parts.push(`${nodeCount(graph.nodes.size)}: shown is what is around the busiest. `, h("button.as-link", { type: "button", onclick: () => this.focus(WHOLE) }, "Show all"));
    }
    if (state.view !== "table" && shown.nodes.length > DRAWN_MAX) parts.push(`Drawn are the ${count(DRAWN_MAX)} most called; the table has all.`);
    if (graph.unnamed > 0) parts.push(` ${plural(Math.round(graph.unnamed), "call")} of more names than the server tells apart are not shown.`);
    this.notice.hidden = parts.length === 0;
    fill(this.notice, parts);
  }

  drawPanel() {
    const { node, edge } = this.state;
    const call = edge ? this.graph.calls.find(({ id }) => id === edge) : null;
    const one = node ? this.graph.nodes.get(node) : null;
    this.drawing.select(call?.id ?? one?.id ?? "");
    if (call) this.panel.showCall(call, this.asked);
    else if (one) this.panel.showNode(one, this.asked, one === this.centre);
    else this.panel.hide();
  }

  /** Selecting is no step in history. */
  choose(selection) {
    this.app.replace(selection);
    this.state = this.app.view.state;
    // The panel takes room; what was clicked stays under the pointer all the same.
    this.drawing.holdStill();
    this.drawPanel();
    this.drawing.revealSelected();
    if (this.state.view === "table") this.table.show(this.tableRows(), this.state.sort, this.state.edge);
    this.app.shell.say("Details are shown");
  }

  closePanel() {
    const { node, edge } = this.state;
    const wasInside = this.panel.element.contains(document.activeElement);
    this.choose({ node: "", edge: "" });
    if (!wasInside) return;
    const part = this.state.view === "table" ? this.table.element : this.drawing.partOf(edge || node) ?? this.drawing.active;
    part?.focus();
  }

  /** @param {string} id of a node, "" for the usual view, "*" for all */
  focus(id) {
    this.push({ focus: id });
  }

  toggleFocus() {
    const call = this.graph?.calls.find(({ id }) => id === this.state.edge);
    const active = document.activeElement?.closest?.(".map-node")?.dataset.id ?? (this.state.node || call?.to.id);
    if (active && active !== this.centre?.id) this.focus(active);
    else if (this.centre) this.leaveFocus();
  }

  /** A large graph would begin with a focus again. */
  leaveFocus() {
    this.focus(this.graph.nodes.size > WHOLE_MAX ? WHOLE : "");
  }

  /** Marks what the search finds: in the drawing, and as the rows of the table. */
  find() {
    const q = this.search.value.trim().toLowerCase();
    const nodes = q && this.graph ? [...this.graph.nodes.values()].filter(({ name }) => name.toLowerCase().includes(q)) : [];
    this.found = nodes.sort((a, b) => a.name.length - b.name.length || (a.id < b.id ? -1 : 1));
    this.foundAt = -1;
    this.drawing.mark(q ? new Set(nodes.map(({ id }) => id)) : null);
    this.foundCount.textContent = q ? (nodes.length ? `${count(nodes.length)} found` : "none") : "";
    if (this.state.view === "table" && this.shown) this.table.show(this.tableRows(), this.state.sort, this.state.edge);
  }

  tableRows() {
    const q = this.search.value.trim().toLowerCase();
    return q ? this.shown.calls.filter(({ from, to }) => from.name.toLowerCase().includes(q) || to.name.toLowerCase().includes(q)) : this.shown.calls;
  }

  searchKey(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      if (this.search.value) {
        this.search.value = "";
        this.search.dispatchEvent(new Event("input"));
      } else this.search.blur();
      return;
    }
    if (event.key !== "Enter" || !this.found.length) return;
    event.preventDefault();
    this.foundAt = (this.foundAt + (event.shiftKey ? -1 : 1) + this.found.length) % this.found.length;
    const { id, name } = this.found[this.foundAt];
    this.foundCount.textContent = `${this.foundAt + 1} of ${count(this.found.length)}: ${name.slice(0, 60)}`;
    if (this.state.view === "table") return;
    if (this.drawing.nodes.has(id)) {
      this.drawing.goTo(id);
      this.choose({ node: id, edge: "" });
    } else this.focus(id);
  }

  showEmpty() {
    const where = rangeLabel(this.state.from, this.state.to, this.nowMillis, zone.value);
    const choices = this.state.from === "all" ? [] : [["Last 24 hours", () => this.push({ from: "-1d", to: "" })], ["All time", () => this.push({ from: "all", to: "" })]];
    if (where === "All time") choices.push(["How to send a first span", () => this.app.go(this.app.front("explore"))]);
    this.showState("No calls", where === "All time" ? "No spans are stored yet." : `No spans in “${where}”.`, choices);
  }

  showNothing() {
    this.showState("No call passes the filters", `${plural(this.graph.calls.length, "call")} in this range.`, [["Without filters", () => this.push({ rate: "", errors: "" })]], true);
  }

  showState(title, text, choices, hasGraph = false) {
    if (!hasGraph) {
      this.panel.hide();
      this.focusPart.hidden = true;
      this.notice.hidden = true;
      fill(this.summary);
    }
    this.body.classList.remove("waiting");
    this.app.shell.say(title);
    fill(this.body, h("section.state", {}, h("h2", {}, title), typeof text === "string" ? h("p.faint", {}, text) : text,
      h("div.row-of-buttons", {}, choices.map(([label, act]) => h("button", { type: "button", onclick: act }, label)))));
  }

  zoneChanged() {
    this.range.show(this.state.from, this.state.to);
    this.draw();
  }

  fixedState() {
    return this.asked ? { from: fixedMoment(this.asked.start), to: fixedMoment(this.asked.end) } : {};
  }

  close() {
    this.keep.cancel();
    this.flight?.abort();
    // The line that says that something is loading belongs to the next page from here on.
    this.flight = null;
    this.panel.hide();
    this.drawing.close();
    this.table.close();
    this.app.keyboard.install("Map", []);
  }
}

const nodeCount = (n) => plural(n, "service and peer", "services and peers");
const hopsState = (hops) => (hops === 1 ? "" : String(hops));
const min = (a, b) => (a < b ? a : b);
const max = (a, b) => (a > b ? a : b);

function choice(name, options, choose) {
  const select = h("select.field", {}, options.map(([value, text]) => h("option", { value }, text)));
  select.addEventListener("change", () => choose(select.value));
  return h("label.map-filter", {}, h("span.faint", {}, name), select);
}
