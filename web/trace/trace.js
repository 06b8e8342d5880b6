// SPDX-License-Identifier: Apache-2.0
// A trace: loads it, holds what is selected, shown, zoomed and looked for, and keeps the address saying so.
import * as api from "../api-more.js";
import { withCondition } from "../explore/query-text.js";
import { count, nanos, plural, shortened } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { initialState } from "../lib/url.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { folding, theme } from "../settings.js";
import { absentTrace } from "./absent.js";
import { Arrivals } from "./arrivals.js";
import { formatCollapsed, parseCollapsed } from "./collapsed.js";
import { CriticalPath } from "./critical-path.js";
import { Details } from "./details.js";
import { FindBar } from "./find.js";
import { TraceHead } from "./head.js";
import { traceCommands } from "./keys.js";
import { Minimap } from "./minimap.js";
import { TraceModel } from "./model.js";
import { Moments } from "./moments.js";
import { Outline } from "./outline.js";
import { PanelSplitter } from "./panel-splitter.js";
import { SpanPath } from "./span-path.js";
import { SpanStore } from "./span-store.js";
import { TraceMenu } from "./trace-menu.js";
import { Views, viewNamed } from "./views.js";
import { Waterfall } from "./waterfall.js";
import { WINDOW_MIN, fractionText, zoomOf } from "./zoom.js";

const DETAILS_AFTER_MILLIS = 60;
const NARROW = matchMedia("(max-width: 1099px)");
/** Of larger traces the critical path is asked for when somebody wants it. */
const PATH_AT_ONCE_MAX = 20_000;

/** @param {any} app @param {import("../lib/url.js").View} view @param {Promise<any>} skeleton of the trace, already asked for */
export function open(app, view, skeleton) {
  return new TracePage(app, view, skeleton);
}

class TracePage {
  constructor(app, view, skeleton) {
    this.app = app;
    this.id = view.id;
    /** What the address says of rows, as the page wrote or read it last. */
    this.written = {};
    app.openedTrace = view.id;
    this.state = view.state;
    this.model = null;
    /** Which rows show. @type {Outline | null} */
    this.outline = null;
    /** Where `,` leads back to. @type {number[]} */
    this.focusTrail = [];
    this.selected = -1;
    this.from = 0;
    this.to = 1;
    /** Rows that were found; null when nothing is looked for. @type {Int32Array | null} */
    this.matches = null;
    /** Once it was asked for. @type {CriticalPath | null} */
    this.criticalPath = null;
    this.showsPath = view.state.cp !== "";
    this.life = new AbortController();
    this.spans = new SpanStore(view.id, this.life.signal);
    this.views = new Views(this, (name) => this.setView(name));
    this.detailsOpen = !NARROW.matches || view.state.span !== "";
    document.title = "Trace · Skein";

    this.waterfall = new Waterfall({
      select: (row, opens) => this.select(row, { opens }),
      toggle: (row, deep) => this.toggle(row, deep),
      zoomAt: (fraction, factor) => this.zoomAt(fraction, factor),
      pan: (fraction) => this.pan(fraction),
      zoomTo: (from, to) => this.zoomNanos(from, to),
      showAll: () => this.find.clear(),
      rowsMoved: () => this.moments.look(),
    });
    this.moments = new Moments(this.spans, this.waterfall);
    this.minimap = new Minimap((from, to) => this.zoom(from, to));
    this.details = new Details({
      search: (condition) => this.searchTraces(condition),
      copy: (text, what) => app.shell.copy(text, what),
      find: (condition) => this.push({ view: ["flame", "graph"].includes(this.state.view) ? this.state.view : "", f: withCondition("", condition) }),
      traceHref: (id, span) => app.href({ page: "trace", id, state: { ...initialState("trace"), span } }),
      exploreHref: (q, from, to) => app.href({ page: "explore", state: { ...initialState("explore"), q, from, to } }),
      openView: (name) => this.setView(name),
      criticalPath: () => this.wantCriticalPath(),
      close: () => this.showDetails(false),
      select: (row) => this.select(row, { opens: true }),
    });
    this.find = new FindBar(this);
    this.head = new TraceHead(this);
    this.menu = new TraceMenu(app, view.id);
    this.arrivals = new Arrivals(view.id, this.life.signal, (spanCount) => this.head.showArrived(spanCount - this.model.spanCount), (skeleton) => this.showTrace(skeleton));
    this.loadDetails = debounce(() => this.fetchDetails(), DETAILS_AFTER_MILLIS);
    this.keepZoom = debounce(() => this.keepState(), 150);
    this.build();
    app.keyboard.install("Trace", traceCommands(this));
    this.unlisten = [theme.listen(() => this.repaint()), folding.listen(() => this.setFolding(folding.value === "on"))];
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.repaint = this.repaint.bind(this);
    this.scheme.addEventListener("change", this.repaint);
    this.load(skeleton);
  }

  build() {
    const { app } = this;
    const { shell } = app;
    const button = (picture, label, act) => h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(picture));
    this.foldButton = button("fold", "Fold repeats (f)", () => this.setFolding(!this.outline?.isFolding));
    this.pathButton = button("path", "Draw the critical path (p)", () => this.togglePath());
    this.tools = h("div.trace-tools", {}, this.views.tablist, h("span.spring"), this.find.box,
      h("div.button-group.tree-tools", { role: "group", "aria-label": "Tree" }, button("expand", "Expand all (*)", () => this.setAll(false)), button("collapse", "Collapse all (_)", () => this.setAll(true)), this.foldButton, this.pathButton),
      h("div.button-group.zoom-tools", { role: "group", "aria-label": "Zoom" }, button("plus", "Zoom in (+)", () => this.zoomAt(0.5, 0.5)), button("minus", "Zoom out (−)", () => this.zoomAt(0.5, 2)), button("fit", "Whole trace (0)", () => this.zoom(0, 1))),
      this.detailsButton = button("panel", "Span details (Enter)", () => this.showDetails(!this.detailsOpen)));
    this.path = new SpanPath({ select: (row) => this.selectAnywhere(row), leave: () => this.focusOn(-1) });
    this.detailsSplitter = new PanelSplitter(this.details.element, NARROW).element;
    this.stage = h("div.trace-stage", { id: "trace-view", role: "tabpanel", tabindex: "-1" });
    this.page = h("div.trace-page", {}, this.head.element, this.minimap.element, this.tools, h("div.trace-strip", {}, this.find.strip, this.path.element), this.stage);
    fill(shell.barStart, h("a.back", { href: app.href(app.lastExplore), title: "Back to the results" }, icon("back"), "Explore"), this.head.title);
    fill(shell.barEnd, this.menu.element);
    fill(shell.main, this.page);
    this.showToggles();
    this.showDetails(this.detailsOpen);
    this.showView();
  }

  async load(asked = api.traceSkeleton(this.id, this.life.signal)) {
    const { shell } = this.app;
    this.setBusy(true);
    const skeleton = await asked.catch((error) => this.life.signal.aborted || this.showError(error));
    if (this.life.signal.aborted) return;
    this.setBusy(false);
    if (!skeleton) return;
    shell.setOffline(null);
    this.showTrace(skeleton);
  }

  setBusy(isBusy) {
    this.app.shell.busy(isBusy);
    for (const element of [this.page, this.waterfall.scroller]) attribute(element, "aria-busy", isBusy ? "true" : null);
  }

  /** Shows a trace, or more of the one that shows: then everything stays where it was. */
  showTrace(skeleton) {
    if (!this.page.isConnected) fill(this.app.shell.main, this.page);
    const before = this.model && this.place();
    const hadAgents = this.model?.hasAgents;
    this.skeleton = skeleton;
    this.model = new TraceModel(skeleton);
    this.model.hasAgents = hadAgents;
    this.outline = new Outline(this.model);
    this.traceStart = nanos(skeleton.traceStartUnixNano);
    this.criticalPath = this.pathAsked = null;
    this.focusTrail = [];
    this.spans.begin(this.model, this.traceStart);
    this.head.show();
    this.menu.showPin(skeleton.pinned);
    if (!hadAgents) this.menu.showAgents(this);
    this.arrivals.begin(skeleton);
    this.minimap.show(this.model);
    this.find.begin(this.model);
    this.mark();
    if (before) this.restore(before);
    else this.applyState(this.state, true);
    if (this.showsPath || this.model.spanCount <= PATH_AT_ONCE_MAX) this.wantCriticalPath().catch(() => {});
  }

  /** Where the reader is, in terms that outlast the model. */
  place() {
    const { model, outline, waterfall, selected } = this;
    const top = outline.visible[Math.floor(waterfall.list.first)] ?? -1;
    const whole = model.to - model.from;
    const isZoomed = this.from > 0 || this.to < 1;
    return {
      outline, selected: selected < 0 ? "" : model.id(selected), top: top < 0 ? "" : model.id(top), offset: waterfall.list.top % waterfall.list.rowHeight,
      spanCount: model.spanCount, wasRunning: selected >= 0 && model.running[selected] === 1, start: this.traceStart, time: isZoomed ? [this.from, this.to].map((part) => model.from + part * whole) : null,
    };
  }

  restore({ outline, selected, top, offset, spanCount, wasRunning, start, time }) {
    const { model, waterfall } = this;
    const { list } = waterfall;
    this.outline.takeOver(outline);
    waterfall.show(this.outline);
    this.selected = model.rowOf(selected);
    const earlier = Number(start - this.traceStart);
    if (time) this.zoomNanos(time[0] + earlier, time[1] + earlier);
    else this.zoom(0, 1);
    this.find.run();
    this.select(Math.max(0, this.selected), { keeps: false, opens: wasRunning && this.detailsOpen });
    const index = this.outline.indexOf(model.rowOf(top));
    if (index >= 0) list.top = index * list.rowHeight + offset;
    this.views.tell("model");
    if (model.spanCount !== spanCount) this.app.shell.say(`Trace with ${plural(model.spanCount, "span")}`);
  }

  /** The address says something else: another span, zoom, view. */
  show(state) {
    this.state = state;
    this.showView();
    if (this.model) this.applyState(state, false);
  }

  applyState(state, isFirst) {
    const { model, outline, waterfall } = this;
    this.state = state;
    // An address does not hold all there may be of these: what it says is read when the page did not write it.
    if (state.c !== this.written.c) outline.collapsed = parseCollapsed(model, state.c);
    if (state.fold !== this.written.fold) outline.readFolds(state.fold, folding.value === "on");
    this.written = { c: state.c, fold: state.fold };
    outline.focus = state.focus ? model.rowOf(state.focus) : -1;
    outline.compute();
    this.showsPath = state.cp !== "";
    [this.from, this.to] = zoomOf(state.z);
    waterfall.show(outline);
    waterfall.setPath(this.criticalPath, this.showsPath);
    waterfall.measure();
    this.showTime();
    this.find.set(state.f, state.pills, state.only !== "");
    const wanted = state.span ? model.rowOf(state.span) : -1;
    // What a filter hides stays hidden; the server may yet say that it was found.
    if (wanted >= 0 && (!outline.kept || outline.kept[wanted])) this.uncover(wanted);
    if (model.count) this.select(Math.max(wanted, outline.focus, 0), { opens: isFirst && wanted >= 0 && this.detailsOpen, align: "center", keeps: false });
    this.showToggles();
    if (isFirst) {
      this.showView();
      this.views.tell("model");
    } else this.views.tell("state");
    this.app.shell.say(`Trace with ${plural(model.spanCount, "span")}`);
  }

  /** Writes the state into the address; the root, nothing collapsed and the whole time are left out. */
  keepState() {
    const { model, selected, outline, find } = this;
    if (!model) return;
    const span = selected > 0 && !model.isPlaceholder(selected) ? model.id(selected) : "";
    const z = this.from <= 0 && this.to >= 1 ? "" : `${fractionText(this.from)}-${fractionText(this.to)}`;
    this.written = { c: formatCollapsed(model, outline.collapsed), fold: outline.foldText(folding.value === "on") };
    this.app.replace({
      span, z, ...this.written, f: find.text, pills: [...find.pills].join(","), only: find.isFilter ? "1" : "",
      focus: outline.focus < 0 ? "" : model.id(outline.focus), cp: this.showsPath ? "1" : "",
    });
    this.state = this.app.view.state;
  }

  /** @param {number} row @param {{ opens?: boolean, align?: "nearest" | "center", keeps?: boolean }} [how] */
  select(row, { opens = false, align = "nearest", keeps = true } = {}) {
    if (!this.model?.count) return;
    const isOther = row !== this.selected;
    this.selected = row;
    this.waterfall.setSelected(row, align);
    this.showPath();
    this.find.showCount();
    if (isOther) this.views.tell("selection");
    if (opens && !this.detailsOpen) this.showDetails(true);
    if (this.detailsOpen && (isOther || opens)) {
      this.details.showRow(this.model, row);
      this.loadDetails();
    }
    if (keeps && isOther) this.keepState();
  }

  /** Moves the selection among the rows that show. */
  move(step) {
    const visible = this.outline?.visible ?? [];
    if (!visible.length) return;
    const index = this.outline.place(this.selected);
    // From a row that a filter hides, the next one down is the one that stands in its place.
    const shift = step > 0 && visible[index] !== this.selected ? step - 1 : step;
    const next = Math.max(0, Math.min(visible.length - 1, index + shift));
    this.waterfall.scroller.focus({ preventScroll: true });
    this.select(visible[next]);
  }

  showPath() {
    this.path.show(this.model, this.selected, this.outline.focus);
  }

  /** Selects a row; whatever hides it opens. */
  selectAnywhere(row) {
    this.uncover(row);
    this.select(row, { align: "center" });
  }

  showDetails(isOpen) {
    this.detailsOpen = isOpen;
    this.details.element.hidden = this.detailsSplitter.hidden = !isOpen;
    attribute(this.detailsButton, "aria-pressed", String(isOpen));
    if (isOpen && this.model && this.selected >= 0) {
      this.details.showRow(this.model, this.selected);
      this.loadDetails();
    }
  }

  async fetchDetails() {
    const { model, selected } = this;
    if (!model || selected < 0 || model.isPlaceholder(selected) || !this.detailsOpen) return;
    try {
      const entry = await this.spans.of(selected);
      if (!entry || this.selected !== selected) return;
      this.details.showSpan(entry.span, entry.resource, entry.scope, this.traceStart);
      this.moments.keep(selected, entry.span);
    } catch (error) {
      if (this.life.signal.aborted || this.selected !== selected) return;
      this.details.showError(error, () => this.fetchDetails());
    }
  }

  // What shows

  toggle(row, deep) {
    if (!this.outline.isParent(row)) return;
    this.outline.toggle(row, deep);
    this.rowsChanged(row);
  }

  setAll(isCollapsed) {
    if (!this.outline) return;
    this.outline.setAll(isCollapsed);
    this.rowsChanged(this.selected);
  }

  setFolding(isFolding) {
    if (!this.outline) return;
    this.outline.isFolding = isFolding;
    this.outline.compute();
    this.rowsChanged(this.selected);
    this.app.shell.say(isFolding ? "Repeats are folded" : "Every span has its row");
  }

  /** Only what is below a row, over its time; -1 is the whole trace again. @param {number} row */
  focusOn(row) {
    const { model, outline } = this;
    if (!model || row === outline.focus) return;
    if (row >= 0 && outline.focus >= 0) this.focusTrail.push(outline.focus);
    if (row < 0) this.focusTrail = [];
    this.setFocus(row);
  }

  focusBack() {
    if (this.outline?.focus >= 0) this.setFocus(this.focusTrail.pop() ?? -1);
  }

  setFocus(row) {
    const { model, outline } = this;
    outline.focus = row;
    outline.compute();
    this.rowsChanged(this.selected);
    if (row < 0) this.zoom(0, 1);
    else this.zoomNanos(model.start[row], Math.max(model.latest[row], model.start[row] + 1));
    this.showPath();
    this.app.shell.say(row < 0 ? "The whole trace" : `Only ${shortened(`${model.serviceName(row)} ${model.operationName(row)}`)}, ${plural(model.end[row] - row, "span")}`);
  }

  /** A selection that got hidden moves to the row that hides it. */
  rowsChanged(row) {
    const { outline, waterfall } = this;
    waterfall.showRows();
    const shown = outline.standIn(this.selected);
    if (shown >= 0 && shown !== this.selected) this.select(shown, { keeps: false });
    else if (outline.indexOf(row) >= 0) waterfall.list.reveal(outline.indexOf(row));
    this.showToggles();
    this.keepState();
  }

  /** Opens whatever hides a row: collapsed ancestors, a fold, a focus elsewhere, a filter. */
  uncover(row) {
    const { outline, find } = this;
    const { focus } = outline;
    if (!outline.uncover(row)) return;
    if (find.isFilter && !outline.kept) find.isFilter = false;
    find.showModes();
    if (focus >= 0 && outline.focus < 0) {
      this.focusTrail = [];
      this.zoom(0, 1);
    }
    this.waterfall.showRows();
  }

  showToggles() {
    attribute(this.foldButton, "aria-pressed", String(this.outline?.isFolding ?? false));
    this.foldButton.disabled = !this.outline?.folds.count;
    attribute(this.pathButton, "aria-pressed", String(this.showsPath));
  }

  // The critical path

  togglePath() {
    this.showsPath = !this.showsPath;
    this.showToggles();
    this.waterfall.setPath(this.criticalPath, this.showsPath);
    this.keepState();
    if (this.showsPath) this.wantCriticalPath().catch((error) => this.life.signal.aborted || this.app.shell.confirm(error.message));
  }

  /** Only the critical path, drawn. */
  onlyPath() {
    if (!this.model) return;
    if (!this.showsPath) this.togglePath();
    this.find.togglePath();
  }

  /** @returns {Promise<CriticalPath>} asked for once */
  wantCriticalPath() {
    const { model } = this;
    const ask = async () => {
      const path = new CriticalPath(model, await api.criticalPath(this.id, this.life.signal), this.traceStart);
      if (this.model !== model) return path;
      this.criticalPath = path;
      this.waterfall.setPath(path, this.showsPath);
      this.head.showFacts();
      this.views.tell("path");
      return path;
    };
    this.pathAsked ??= ask().catch((error) => {
      if (this.model === model) this.pathAsked = null;
      throw error;
    });
    return this.pathAsked;
  }

  zoom(from, to) {
    const width = Math.max(WINDOW_MIN, Math.min(1, to - from));
    this.from = Math.max(0, Math.min(1 - width, from));
    this.to = Math.min(1, this.from + width);
    this.showTime();
    this.keepZoom();
  }

  zoomAt(fraction, factor) {
    const width = this.to - this.from;
    const next = Math.max(WINDOW_MIN, Math.min(1, width * factor));
    const pivot = this.from + fraction * width;
    this.zoom(pivot - fraction * next, pivot + (1 - fraction) * next);
  }

  zoomNanos(from, to) {
    const whole = this.model.to - this.model.from;
    this.zoom((from - this.model.from) / whole, (to - this.model.from) / whole);
  }

  pan(fraction) {
    const shift = fraction * (this.to - this.from);
    this.zoom(this.from + shift, this.to + shift);
  }

  showTime() {
    const { model } = this;
    if (!model) return;
    const whole = model.to - model.from;
    this.waterfall.setTime(model.from + this.from * whole, model.from + this.to * whole);
    this.minimap.setWindow(this.from, this.to);
    this.views.tell("time");
  }

  /** There is something else to mark. */
  found() {
    const { find, outline, waterfall } = this;
    const keeps = find.isFilter ? find.rows : null;
    if (keeps || outline.kept) {
      outline.filter(keeps);
      outline.compute();
      waterfall.showRows();
      const index = outline.indexOf(this.selected);
      if (index >= 0) waterfall.list.reveal(index, "center");
    }
    this.mark();
    this.views.tell("matches");
    this.keepZoom();
  }

  mark() {
    const { find } = this;
    this.matches = find.rows;
    this.waterfall.setMatches(find.wanted, find.rows);
    this.minimap.setMatches(find.rows);
  }

  nextMatch(step) {
    const { matches } = this;
    if (!matches?.length) return;
    this.goAmong(matches, step);
    this.app.shell.say(`Match ${count(matches.indexOf(this.selected) + 1)} of ${count(matches.length)}`);
  }

  nextError(step) {
    if (this.model) this.goAmong(this.model.errorRows(), step);
  }

  /** The next of some rows after the selected one, round and round; what hides it opens. */
  goAmong(rows, step) {
    if (!rows.length) return;
    const after = rows.findIndex((row) => (step > 0 ? row > this.selected : row >= this.selected));
    const index = step > 0 ? (after < 0 ? 0 : after) : after < 0 ? rows.length - 1 : (after - 1 + rows.length) % rows.length;
    this.selectAnywhere(rows[index]);
    // Enter in the field goes on from match to match.
    if (document.activeElement !== this.find.field) this.waterfall.scroller.focus({ preventScroll: true });
  }

  /** One step back: search, subtree, details, then the results. */
  backOut() {
    if (this.find.isActive) this.find.leave();
    else if (this.outline?.focus >= 0) this.focusBack();
    else if (this.detailsOpen) this.showDetails(false);
    else this.app.go(this.app.lastExplore);
  }

  searchTraces(condition) {
    const { state } = this.app.lastExplore;
    this.app.go({ page: "explore", state: { ...state, q: withCondition(state.q, condition) } });
  }

  // Views and states

  setView(name) {
    if (viewNamed(name) !== this.views.entry) this.push({ view: name === "waterfall" ? "" : name });
  }

  /** A step in history, from all that shows: zooms and searches are written into the address a little later. */
  push(state) {
    this.keepZoom.cancel();
    this.keepState();
    this.app.push(state);
  }

  /** Puts the view that the address names on the stage, with the details where it has some. */
  showView() {
    const { views, stage, waterfall } = this;
    const entry = viewNamed(this.state.view);
    const isShown = stage.dataset.view === entry.name;
    views.choose(entry);
    if (isShown) return;
    // A scroller that leaves the document forgets where it stood.
    if (waterfall.element.isConnected) this.keptTop = waterfall.list.top;
    const hadFocus = stage.contains(document.activeElement);
    stage.dataset.view = this.page.dataset.view = entry.name;
    stage.setAttribute("aria-labelledby", `view-${entry.name}`);
    this.page.classList.toggle("without-time", !entry.usesTime);
    fill(stage, entry.load ? views.element : waterfall.element, entry.hasDetails ? [this.detailsSplitter, this.details.element] : null);
    // Whoever was in the view before is in this one.
    if (hadFocus) (entry.load ? stage : waterfall.scroller).focus({ preventScroll: true });
    if (entry.load || !this.model) return;
    waterfall.measure();
    waterfall.list.top = this.keptTop ?? 0;
    waterfall.setSelected(this.selected, "center");
  }

  async showError(error) {
    const { shell } = this.app;
    shell.alert(error.message);
    if (error.code === "network") shell.setOffline(() => this.load());
    // What is shown stays: it may be old, but it is there.
    if (this.model && this.page.isConnected) {
      shell.confirm(error.message);
      return;
    }
    const instead = await absentTrace(this.id, error, this.app.href(this.app.lastExplore), () => this.load());
    if (!this.life.signal.aborted) fill(shell.main, instead);
  }

  repaint() {
    this.minimap.draw();
    this.waterfall.drawGutter();
    this.views.tell("theme");
  }

  /** A hint where to look, for links that are followed when the trace is old; and the folds, whatever the reader's setting. */
  fixedState() {
    const { model, outline } = this;
    if (!model) return {};
    const fold = outline.folds.count === 0 ? "" : outline.isFolding ? outline.foldText(false) : "off";
    return { t: String(this.traceStart / 1_000_000_000n), fold };
  }

  zoneChanged() {
    if (this.model) this.head.showFacts();
  }

  close() {
    this.life.abort();
    this.loadDetails.cancel();
    this.keepZoom.cancel();
    this.arrivals.stop();
    this.moments.close();
    this.find.close();
    this.menu.close();
    this.views.close();
    this.details.close();
    this.waterfall.close();
    this.minimap.close();
    this.unlisten.forEach((stop) => stop());
    this.scheme.removeEventListener("change", this.repaint);
    this.app.keyboard.install("Trace", []);
  }
}
