// SPDX-License-Identifier: Apache-2.0
// Compare: two traces, or one and what is typical for its root, as one tree; what differs first in a sentence.
import * as api from "../api-more.js";
import { absoluteTime, count, duration, exactDuration, nanos, plural, zoneLabel } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fixedMoment } from "../lib/range.js";
import { spansOf } from "../lib/red.js";
import { fill, h } from "../lib/view.js";
import { TraceModel } from "../trace/model.js";
import { placesOf, prefixesOf } from "../trace/prefixes.js";
import { zone } from "../settings.js";
import { RootDifferences } from "./attributes.js";
import { askForTraces } from "./ask.js";
import { Comparison } from "./model.js";
import { sentence, signedDuration, typical } from "./sentence.js";
import { CompareTree, MARKS } from "./tree.js";

const TYPICAL_TRACES = 20;
const CANDIDATES = 200;
const AT_ONCE = 4;
/** Spans that are read to know what is typical; of large traces fewer are taken. */
const TYPICAL_SPANS = 200_000;
const NEAR_NANOS = 6n * 3_600_000_000_000n;
const COLLAPSED_MAX = 40;
const FLAT = { total: "total", self: "self", spans: "spans" };

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  document.title = "Compare · Skein";
  fill(app.shell.barStart, h("h1.cmp-title", {}, "Compare"));
  if (!view.id || !view.other) return askForTraces(app, view.id ?? null);
  return new Compare(app, view);
}

class Compare {
  constructor(app, { id, other, state }) {
    this.app = app;
    this.a = id;
    this.isTypical = other === "typical";
    this.b = this.isTypical ? null : other;
    this.state = state;
    /** What the address says of collapsed paths, as the page wrote or read it last. @type {string | null} */
    this.written = null;
    this.flight = new AbortController();
    this.sides = null;
    const { shell } = app;
    this.said = h("p.cmp-sentence", {});
    this.facts = [h("div.cmp-side", {}), h("div.cmp-side", {})];
    this.tools = h("div.cmp-tools", {});
    this.roots = new RootDifferences(app);
    this.chosen = h("div.cmp-chosen", {});
    this.tree = new CompareTree({
      select: (node) => this.select(node), collapse: () => this.keepCollapsed(), href: (side, node) => this.spanHref(side, node),
        colorOf: (service) => this.colors.get(service) ?? app.colors.of(service),
      sort: (figure) => { app.replace({ sort: this.state.sort === figure ? "" : figure }); this.state = app.view.state; this.arrange(); },
    });
    this.body = h("div.cmp-body", {}, h("div.cmp-sides", {}, this.facts), this.said, this.roots.element, this.tools, this.tree.scroller, this.chosen);
    fill(shell.barEnd, h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() },
      icon("link")));
    fill(shell.main, h("p.cmp-waiting.faint", {}, "Reading the traces…"));
    this.installKeys();
    this.load();
  }

  installKeys() {
    const { tree, app } = this;
    app.keyboard.install("Compare", [
      { keys: ["ArrowDown", "j"], does: "Next path", run: () => tree.move(1) },
      { keys: ["ArrowUp", "k"], does: "Previous path", run: () => tree.move(-1) },
      { keys: ["ArrowLeft", "h"], does: "Collapse, or to the parent", run: () => tree.inward() },
      { keys: ["ArrowRight", "l"], does: "Expand, or to the first child", run: () => tree.outward() },
      { keys: ["PageDown"], does: "A page down", run: () => tree.move(tree.list.rowsPerPage - 1) },
      { keys: ["PageUp"], does: "A page up", run: () => tree.move(1 - tree.list.rowsPerPage) },
      { keys: ["Home"], does: "First path", run: () => tree.move(-Infinity) },
      { keys: ["End"], does: "Last path", run: () => tree.move(Infinity) },
      { keys: ["n"], does: "Next path that differs", run: () => tree.nextDifference(1) },
      { keys: ["N"], does: "Previous path that differs", run: () => tree.nextDifference(-1) },
      { keys: ["f"], does: "Only what differs", run: () => this.toggle("f", "diff") },
      { keys: ["s"], does: "Swap A and B", run: () => this.swap() },
      { keys: ["a"], does: "Open the span in A", run: () => this.openSpan(0) },
      { keys: ["b", "Enter"], does: "Open the span in B, or in A", run: () => this.openSpan(1) },
      { keys: ["*"], does: "Expand all", run: () => tree.collapseAll(false) },
      { keys: ["_"], does: "Collapse all", run: () => tree.collapseAll(true) },
    ]);
  }

  async load() {
    const { signal } = this.flight;
    const { shell } = this.app;
    shell.busy(true);
    try {
      const [a, b] = await Promise.all([this.skeleton(this.a, "A"), this.b ? this.skeleton(this.b, "B") : null]);
      const others = b ? [b] : await this.typicalOf(a);
      if (signal.aborted) return;
      this.colors = new Map([...others, a].flatMap(({ services }) => services.map(({ name, color }) => [name, color])));
      this.sides = [[a], others].map((skeletons) => skeletons.map((skeleton) => ({ skeleton, model: new TraceModel(skeleton) })));
      shell.setOffline(null);
      fill(shell.main, h("h1.unseen", {}, "Two traces compared"), this.body);
      this.draw();
      this.roots.load(this.sides, this.isTypical, signal);
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    } finally {
      if (!signal.aborted) shell.busy(false);
    }
  }

  async skeleton(id, name) {
    try {
      return await api.traceSkeleton(id, this.flight.signal);
    } catch (error) {
      if (error.code === "unknown-trace") error.missing = { id, name };
      throw error;
    }
  }

  /** Traces of the same root whose durations are near the middle of what there is. */
  async typicalOf(a) {
    const { signal } = this.flight;
    const q = spansOf({ service: a.rootServiceName, operation: a.rootSpanName, more: 'span:parentID = ""' });
    const at = nanos(a.traceStartUnixNano);
    const near = { start: at > NEAR_NANOS ? at - NEAR_NANOS : 0n, end: at + NEAR_NANOS };
    const isAlike = (trace) => trace.traceId !== a.traceId && trace.rootSpanName === a.rootSpanName && trace.rootServiceName === a.rootServiceName;
    const find = async (range) => (await api.search({ q, ...range, limit: CANDIDATES }, signal)).traces.filter(isAlike);
    let found = await find(near);
    if (found.length < TYPICAL_TRACES) found = await find({});
    if (!found.length) throw Object.assign(new api.ApiError("No other trace has this root."), { isAlone: true });
    const chosen = typical(found, TYPICAL_TRACES);
    let spans = 0;
    const traces = chosen.traces.filter(({ spanCount }, index) => (spans += spanCount) <= TYPICAL_SPANS || index === 0);
    this.typicalFacts = { median: chosen.median, of: found.length, taken: traces.length, ids: traces.map((trace) => trace.traceId) };
    const skeletons = [];
    for (let from = 0; from < traces.length; from += AT_ONCE) {
      // One that retention has taken meanwhile is left out.
      const ifStored = (error) => { if (error.code !== "unknown-trace") throw error; };
      const some = await Promise.all(traces.slice(from, from + AT_ONCE).map((trace) => api.traceSkeleton(trace.traceId, signal).catch(ifStored)));
      skeletons.push(...some.filter(Boolean));
    }
    if (!skeletons.length) throw Object.assign(new api.ApiError("No other trace has this root any more."), { isAlone: true });
    return skeletons;
  }

  show(state) {
    const isOther = state.align !== this.state.align;
    this.state = state;
    if (!this.sides) return;
    if (isOther) this.draw();
    else this.arrange();
  }

  draw() {
    const models = this.sides.map((side) => side.map(({ model }) => model));
    const [start, other] = this.sides.map(([{ skeleton, model }]) => nanos(skeleton.traceStartUnixNano) + BigInt(Math.round(model.count ? model.start[0] : 0)));
    this.isAbsolute = this.state.align === "absolute" && !this.isTypical;
    this.model = new Comparison(models[0], models[1], { between: this.isAbsolute ? Number(other - start) : 0, baseline: this.isTypical ? 1 : 0 });
    const text = sentence(this.model);
    this.said.textContent = text;
    this.app.shell.say(text);
    this.sides.forEach((_, side) => this.drawFacts(side));
    document.title = `${this.sides[0][0].skeleton.rootServiceName} ${this.sides[0][0].skeleton.rootSpanName}`.slice(0, 80) + " · Compare · Skein";
    this.arrange();
    const wanted = this.state.span;
    if (!wanted) return;
    const node = [0, 1].map((side) => this.model.first[side].findIndex((first) => first?.spanId === wanted)).find((found) => found >= 0);
    if (node !== undefined) this.tree.reveal(node);
  }

  drawFacts(side) {
    const { model, app } = this;
    const { skeleton } = this.sides[side][0];
    const letter = h(`strong.cmp-letter.side-${"ab"[side]}`, {}, "AB"[side]);
    const figures = [h("strong", { title: exactDuration(Math.round(model.duration[side])) }, duration(model.duration[side])),
      plural(Math.round(model.spanCount[side]), "span"), model.errorCount[side] >= 0.5 ? h("span.problem", {},
      plural(Math.round(model.errorCount[side]), "error")) : null];
    const spread = figures.filter(Boolean).flatMap((figure, index) => [index ? " · " : "", figure]);
    if (side === 1 && this.isTypical) {
      const { taken, of, median } = this.typicalFacts;
      fill(this.facts[side], letter, h("span.cmp-what", {},
        `Typical: the average of ${plural(taken, "trace")} near the median, ${duration(median)}, of the latest ${count(of)} with this root`),
        h("span.cmp-figures", {}, spread));
      return;
    }
    const name = `${skeleton.rootServiceName} ${skeleton.rootSpanName}`.trim() || skeleton.traceId.slice(0, 16);
    const at = nanos(skeleton.traceStartUnixNano);
    fill(this.facts[side], letter, h("a.cmp-what", { href: app.href({ page: "trace", id: skeleton.traceId, state: {} }), title: skeleton.traceId },
      name.slice(0, 300)),
      h("span.cmp-figures", {}, spread, h("span.faint", {}, ` · ${absoluteTime(at, zone.value, 3)} ${zoneLabel(zone.value, Number(at / 1_000_000n))}`)));
  }

  /** Which rows show, and the tools above them. */
  arrange() {
    const { model, state, app } = this;
    const onlyDiffering = state.f === "diff";
    // An address does not hold all there may be: what it says is read when the page did not write it.
    const collapsed = state.c !== this.written ? collapsedIn(model, state.c) : model === this.tree.model ? null : carried(this.tree, model);
    this.written = state.c;
    this.tree.show(model, { onlyDiffering, sort: FLAT[state.sort] ?? "" }, collapsed);
    const counts = {};
    for (let node = 0; node < model.count; node++) {
      counts[model.change[node]] = (counts[model.change[node]] ?? 0) + 1;
      if (model.isNewError[node]) counts.error = (counts.error ?? 0) + 1;
    }
    const press = (isPressed, picture, text, title, run) => h("button",
      { type: "button", "aria-pressed": isPressed === null ? null : String(isPressed), title, onclick: run }, picture ? icon(picture) : null, text);
    const other = this.isTypical ? { page: "compare", id: this.a, state: {} } : { page: "compare", id: this.a, other: "typical", state: {} };
    fill(this.tools,
      press(onlyDiffering, "filter", "Only what differs", "f", () => this.toggle("f", "diff")),
      this.isTypical ? null : press(this.isAbsolute, "clock", "Absolute times", "Where both lie in time, instead of both from their roots",
        () => this.toggle("align", "absolute")),
      this.isTypical ? null : press(null, "compare", "Swap", "Swap A and B (s)", () => this.swap()),
      h("a.button", { href: app.href(other) }, this.isTypical ? "Another trace" : "A with typical"),
      h("span.button-group", {}, press(null, "down", "", "Next path that differs (n)", () => this.tree.nextDifference(1)),
        press(null, "up", "", "Previous path that differs (N)", () => this.tree.nextDifference(-1))),
      h("span.spring"),
      h("span.cmp-legend", {},
        Object.entries(MARKS).filter(([change]) => counts[change]).map(([change, [letter, says]]) => h("span.cmp-legend-item", {},
        h(`span.cmp-mark.mark-${change}`, {}, letter), ` ${says} ${count(counts[change])}`)),
        counts.same ? h("span.cmp-legend-item.faint", {}, `same ${count(counts.same)}`) : null));
    const [next, previous] = this.tools.querySelectorAll(".button-group button");
    next.setAttribute("aria-label", "Next path that differs");
    previous.setAttribute("aria-label", "Previous path that differs");
    const isEmpty = this.tree.nodes.length === 0;
    this.tree.scroller.classList.toggle("empty", isEmpty);
    this.drawChosen();
  }

  toggle(key, value) {
    if (!this.sides) return;
    this.app.replace({ [key]: this.state[key] === value ? "" : value });
    this.show(this.app.view.state);
  }

  select(node) {
    const { model } = this;
    this.app.replace({ span: (model.first[1][node] ?? model.first[0][node])?.spanId ?? "" });
    this.state = this.app.view.state;
    this.drawChosen();
  }

  /** What is collapsed, in the address: the beginnings of span ids, as many as an address carries. */
  keepCollapsed() {
    const { model, tree } = this;
    const nodes = [...tree.collapsed];
    const isAll = nodes.length > 0 && nodes.length === parentsOf(model).length;
    this.written = isAll ? "all" : prefixesOf(idsOf(model), nodes.slice(0, COLLAPSED_MAX)).join(",");
    this.app.replace({ c: this.written });
    this.state = this.app.view.state;
  }

  drawChosen() {
    const { model, tree } = this;
    const node = tree.selected >= 0 ? tree.node : -1;
    if (node < 0) {
      const says = tree.nodes.length ? "Choose a path to read both sides; n goes to the next that differs." : "No path differs.";
      fill(this.chosen, h("span.faint", {}, says));
      return;
    }
    const figure = (value) => Math.round(value * 10) / 10;
    const side = (at) => h("span.cmp-chosen-side", {}, h("strong", {}, "AB"[at]), " ", model.has(at, node)
      ? [`${plural(figure(model.spans[at][node]), "span")}, ${duration(model.total[at][node])}, self ${duration(model.self[at][node])}`,
        model.errors[at][node] > 0 ? h("span.problem", {}, `, ${plural(figure(model.errors[at][node]), "error")}`) : null,
        this.spanHref(at, node) ? [" ", h("a", { href: this.spanHref(at, node) }, this.sides[at].length > 1 ? "an example" : "the span")] : null]
      : h("span.faint", {}, "does not have it"));
    fill(this.chosen, h("span.cmp-chosen-name", {}, `${model.service[node]} ${model.operation[node] || "unnamed"}`.trim().slice(0, 200)), side(0), side(1),
      h("span.faint", {}, signedDuration(model.delta("total", node)) || "no longer or shorter"));
  }

  spanHref(side, node) {
    const view = this.spanView(side, node);
    return view && this.app.href(view);
  }

  spanView(side, node) {
    const first = this.model.first[side][node];
    return first ? { page: "trace", id: this.sides[side][first.trace].skeleton.traceId, state: { span: first.spanId } } : null;
  }

  openSpan(side) {
    if (this.tree.selected < 0) return;
    const view = this.spanView(side, this.tree.node) ?? this.spanView(1 - side, this.tree.node);
    if (view) this.app.go(view);
  }

  swap() {
    if (this.isTypical) return;
    const { f, align, sort } = this.state;
    this.app.go({ page: "compare", id: this.b, other: this.a, state: { f, align, sort } });
  }

  fail(error) {
    const { shell } = this.app;
    if (error.code === "network") shell.setOffline(() => this.load());
    shell.alert(error.message);
    const again = h("button", { type: "button", onclick: () => this.load() }, "Try again");
    const another = h("a.button", { href: this.app.href({ page: "compare", id: error.missing?.name === "A" ? undefined : this.a, state: {} }) },
      "Choose another trace");
    const [title, text] = error.missing ? [`Trace ${error.missing.name} is not stored`,
      [h("p", {}, "No span of ", h("code", {}, error.missing.id), " is here. It may be older than what is kept, or still on its way.")]]
      : error.isAlone ? ["Nothing to compare with", [h("p", {}, error.message)]]
      : ["The traces could not be compared", [h("p", {}, error.message),
        error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null]];
    fill(shell.main, h("section.state", {}, h("h2", {}, title), text, h("div.row-of-buttons", {}, error.isAlone ? null : again, another)));
  }

  zoneChanged() {
    if (this.sides) this.sides.forEach((_, side) => this.drawFacts(side));
  }

  fixedState() {
    if (!this.sides) return {};
    return { t: fixedMoment(nanos(this.sides[0][0].skeleton.traceStartUnixNano)) };
  }

  close() {
    this.flight.abort();
    this.tree.close();
    this.app.keyboard.install("Compare", []);
  }
}

function parentsOf(model) {
  return Array.from({ length: model.count }, (_, node) => node).filter((node) => !model.isLeaf(node));
}

/** The span that stands for each path in the address. @param {Comparison} model @returns {string[]} */
function idsOf({ first, count }) {
  return Array.from({ length: count }, (_, node) => (first[0][node] ?? first[1][node]).spanId);
}

/** @param {Comparison} model @param {string} text as `keepCollapsed` writes it @returns {Set<number>} */
function collapsedIn(model, text) {
  if (text === "all") return new Set(parentsOf(model));
  return new Set(placesOf(idsOf(model), text.split(","), (node) => !model.isLeaf(node)));
}

/** The paths that are collapsed, in a model that has them in another order. @param {CompareTree} tree @param {Comparison} model @returns {Set<number>} */
function carried(tree, model) {
  const before = idsOf(tree.model);
  const ids = new Set([...tree.collapsed].map((node) => before[node]));
  return new Set(idsOf(model).flatMap((id, node) => (ids.has(id) ? [node] : [])));
}
