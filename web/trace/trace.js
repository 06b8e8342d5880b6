// SPDX-License-Identifier: Apache-2.0
// A trace: loads it, holds what is selected, collapsed, zoomed and searched for, and keeps the address saying so.
import * as api from "../api.js";
import { withCondition } from "../explore/query-text.js";
import { absoluteTime, count, duration, exactDuration, nanos, plural, relativeTime, zoneLabel } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { initialState } from "../lib/url.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { keepSize, size, theme, zone } from "../settings.js";
import { absentTrace } from "./absent.js";
import { formatCollapsed, parseCollapsed } from "./collapsed.js";
import { Details } from "./details.js";
import { traceCommands } from "./keys.js";
import { Minimap } from "./minimap.js";
import { TraceModel } from "./model.js";
import { SpanStore } from "./span-store.js";
import { Views, viewNamed } from "./views.js";
import { Waterfall, drag } from "./waterfall.js";

const DETAILS_AFTER_MILLIS = 60;
const NARROW = matchMedia("(max-width: 1099px)");
const WINDOW_MIN = 1e-6;

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  return new TracePage(app, view);
}

class TracePage {
  constructor(app, view) {
    this.app = app;
    this.id = view.id;
    app.openedTrace = view.id;
    this.state = view.state;
    this.model = null;
    this.collapsed = new Uint8Array(0);
    this.selected = -1;
    this.from = 0;
    this.to = 1;
    this.matches = new Int32Array(0);
    /** Segments of the critical path, once asked for. */
    this.criticalPath = null;
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
    });
    this.minimap = new Minimap((from, to) => this.zoom(from, to));
    this.details = new Details({
      search: (condition) => this.searchTraces(condition),
      copy: (text, what) => app.shell.copy(text, what),
      traceHref: (id, span) => app.href({ page: "trace", id, state: { ...initialState("trace"), span } }),
      close: () => this.showDetails(false),
      select: (row) => this.select(row, { opens: true }),
    });
    this.details.element.style.setProperty("--details", `${size("details", 420)}px`);
    this.loadDetails = debounce(() => this.fetchDetails(), DETAILS_AFTER_MILLIS);
    this.keepZoom = debounce(() => this.keepState(), 150);
    this.build();
    app.keyboard.install("Trace", traceCommands(this));
    this.unlisten = [theme.listen(() => this.repaint())];
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.repaint = this.repaint.bind(this);
    this.scheme.addEventListener("change", this.repaint);
    this.load();
  }

  build() {
    const { app } = this;
    const { shell } = app;
    this.title = h("h1.trace-title", {}, h("span.faint", {}, "Trace ", h("code", {}, this.id.slice(0, 16))));
    this.facts = h("dl.trace-facts", {});
    this.chips = h("div.warnings", {});
    this.search = h("input.field.trace-search", { type: "search", placeholder: "Find in names", "aria-label": "Find spans by service, operation or span id", spellcheck: "false", autocomplete: "off" });
    this.search.addEventListener("input", () => this.find(this.search.value, true));
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.nextMatch(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") this.leaveSearch();
      else return;
      event.preventDefault();
    });
    this.found = h("span.found", {});
    const button = (picture, label, act) => h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(picture));
    this.errorButton = h("button.quiet.error-jump", { type: "button", hidden: true, title: "Next error (e)", onclick: () => this.nextError(1) });
    this.tools = h("div.trace-tools", {}, this.views.tablist, h("span.spring"), this.errorButton,
      h("div.find-box", {}, this.search, this.found, button("up", "Previous match (N)", () => this.nextMatch(-1)), button("down", "Next match (n)", () => this.nextMatch(1))),
      h("div.button-group.tree-tools", { role: "group", "aria-label": "Tree" }, button("expand", "Expand all (*)", () => this.setAll(false)), button("collapse", "Collapse all (_)", () => this.setAll(true))),
      h("div.button-group.zoom-tools", { role: "group", "aria-label": "Zoom" }, button("plus", "Zoom in (+)", () => this.zoomAt(0.5, 0.5)), button("minus", "Zoom out (−)", () => this.zoomAt(0.5, 2)), button("fit", "Whole trace (0)", () => this.zoom(0, 1))),
      this.detailsButton = button("panel", "Span details (Enter)", () => this.showDetails(!this.detailsOpen)));
    this.path = h("nav.path", { "aria-label": "Path to the selected span" });
    this.detailsSplitter = h("div.details-splitter", { role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Size of the details", "aria-valuemin": "260", "aria-valuemax": "900", "aria-valuenow": size("details", 420) });
    this.detailsSplitter.addEventListener("pointerdown", (event) => this.dragDetails(event));
    this.detailsSplitter.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: 24, ArrowUp: 24, ArrowRight: -24, ArrowDown: -24 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.resizeDetails(size("details", 420) + step);
    });
    this.stage = h("div.trace-stage", { id: "trace-view", role: "tabpanel" }, this.waterfall.element, this.detailsSplitter, this.details.element);
    this.page = h("div.trace-page", { "aria-busy": "true" }, h("div.trace-head", {}, this.facts, this.chips), this.minimap.element, this.tools, this.path, this.stage);
    fill(shell.barStart, h("a.back", { href: app.href(app.lastExplore), title: "Back to the results" }, icon("back"), "Explore"), this.title);
    fill(shell.barEnd, this.neighbours(), h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() }, icon("link")));
    fill(shell.main, this.page);
    this.showDetails(this.detailsOpen);
    this.showView();
  }

  /** The way to the trace before and after this one among the results. */
  neighbours() {
    const { resultIds } = this.app;
    const at = resultIds.indexOf(this.id);
    if (at < 0) return null;
    const button = (picture, label, step) => {
      const element = h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: () => this.goNeighbour(step) }, icon(picture));
      element.disabled = !resultIds[at + step];
      return element;
    };
    return [h("span.faint.place", {}, `${count(at + 1)} of ${count(resultIds.length)}`), button("up", "Previous trace ([)", -1), button("down", "Next trace (])", 1)];
  }

  goNeighbour(step) {
    const { resultIds } = this.app;
    const at = resultIds.indexOf(this.id);
    const id = at < 0 ? null : resultIds[at + step];
    if (id) this.app.go({ page: "trace", id, state: initialState("trace") });
  }

  async load() {
    const { shell } = this.app;
    shell.busy(true);
    this.page.setAttribute("aria-busy", "true");
    const skeleton = await api.traceSkeleton(this.id, this.life.signal).catch((error) => this.life.signal.aborted || this.showError(error));
    if (this.life.signal.aborted) return;
    shell.busy(false);
    this.page.removeAttribute("aria-busy");
    if (!skeleton) return;
    shell.setOffline(null);
    this.showTrace(skeleton);
  }

  showTrace(skeleton) {
    if (!this.page.isConnected) fill(this.app.shell.main, this.page);
    this.skeleton = skeleton;
    this.model = new TraceModel(skeleton);
    this.traceStart = nanos(skeleton.traceStartUnixNano);
    this.spans.begin(this.model, this.traceStart);
    this.showHead();
    this.minimap.show(this.model);
    this.applyState(this.state, true);
  }

  showHead() {
    const { skeleton, model } = this;
    const { rootServiceName, rootSpanName } = skeleton;
    const isRooted = rootServiceName !== "" || rootSpanName !== "";
    const root = skeleton.services.find(({ name }) => name === rootServiceName);
    document.title = isRooted ? `${rootServiceName} ${rootSpanName} · Skein` : `Trace ${this.id.slice(0, 8)} · Skein`;
    fill(this.title, h("span.swatch", { "data-s": root?.color ?? null }), isRooted ? [h("span.title-service", {}, rootServiceName), h("span.title-operation", {}, rootSpanName)] : h("span.faint", {}, "The root has not arrived"));
    this.title.title = `${rootServiceName} ${rootSpanName}`;
    const fact = (name, value, title) => h("div.fact", {}, h("dt", {}, name), h("dd", { title: title ?? null }, value));
    const total = Number(nanos(skeleton.durationNanos));
    fill(this.facts,
      fact("Duration", h("strong", {}, duration(total)), exactDuration(total)),
      fact("Started", h("time", { title: `${absoluteTime(this.traceStart, zone.value, 9)} ${zoneLabel(zone.value, Date.now())}` },
        absoluteTime(this.traceStart, zone.value, 3),
        h("span.faint", {}, h("span.fact-zone", {}, ` ${zoneLabel(zone.value, Date.now())}`), ` · ${relativeTime(this.traceStart, Date.now())}`))),
      fact("Spans", count(skeleton.spanCount)),
      fact("Services", count(skeleton.services.length), skeleton.services.map(({ name, spanCount }) => `${name}: ${count(spanCount)}`).join("\n")),
      fact("Errors", skeleton.errorCount ? h("span.problem", {}, count(skeleton.errorCount)) : "0"),
      fact("Depth", count(skeleton.depth)),
      fact("Id", h("button.quiet.id-button", { type: "button", title: "Copy the trace id", onclick: () => this.app.shell.copy(this.id, "Trace id") }, h("code", {}, this.id), icon("copy"))));
    fill(this.chips, (skeleton.warnings ?? []).map(({ code, message }) =>
      h("span.warning-chip", {}, icon("warning"), message, code === "still-arriving" ? h("button.quiet", { type: "button", onclick: () => this.load() }, "Look again") : null)));
    this.errors = model.errorRows();
    this.errorButton.hidden = this.errors.length === 0;
    fill(this.errorButton, icon("error"), plural(this.errors.length, "error"));
  }

  /** The address says something else: another span, zoom, view. */
  show(state) {
    this.state = state;
    this.showView();
    if (this.model) this.applyState(state, false);
  }

  applyState(state, isFirst) {
    const { model, waterfall } = this;
    this.state = state;
    this.collapsed = parseCollapsed(model, state.c);
    const [from, to] = zoomOf(state.z);
    this.from = from;
    this.to = to;
    waterfall.show(model, this.collapsed);
    waterfall.measure();
    this.showTime();
    this.search.value = state.f;
    this.find(state.f, false);
    const wanted = state.span ? model.rowOf(state.span) : -1;
    if (wanted >= 0) {
      this.uncover(wanted);
      this.select(wanted, { opens: isFirst && this.detailsOpen, align: "center", keeps: false });
    } else if (model.count) this.select(0, { keeps: false });
    if (isFirst) {
      this.showView();
      this.views.tell("model");
    } else this.views.tell("state");
    this.app.shell.say(`Trace with ${plural(model.spanCount, "span")}`);
  }

  /** Writes the state into the address; the root, nothing collapsed and the whole time are left out. */
  keepState() {
    const { model, selected } = this;
    if (!model) return;
    const span = selected > 0 && !model.isPlaceholder(selected) ? model.id(selected) : "";
    const z = this.from <= 0 && this.to >= 1 ? "" : `${fractionText(this.from)}-${fractionText(this.to)}`;
    this.app.replace({ span, z, c: formatCollapsed(model, this.collapsed), f: this.search.value.trim() });
    this.state = this.app.view.state;
  }

  // Selecting

  /** @param {number} row @param {{ opens?: boolean, align?: "nearest" | "center", keeps?: boolean }} [how] */
  select(row, { opens = false, align = "nearest", keeps = true } = {}) {
    if (!this.model?.count) return;
    const isOther = row !== this.selected;
    this.selected = row;
    if (isOther) this.waterfall.setMoments(-1, []);
    this.waterfall.setSelected(row, align);
    this.showPath();
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
    const { visible } = this.waterfall;
    if (!visible.length) return;
    const index = Math.max(0, this.waterfall.indexOf(this.selected));
    const next = Math.max(0, Math.min(visible.length - 1, index + step));
    this.waterfall.scroller.focus({ preventScroll: true });
    this.select(visible[next]);
  }

  showPath() {
    const { model, selected } = this;
    const path = model.path(selected);
    const shown = path.length > 12 ? [...path.slice(0, 3), -1, ...path.slice(-8)] : path;
    fill(this.path, shown.map((row, index) => [
      index ? h("span.path-turn", { "aria-hidden": "true" }, "›") : null,
      row < 0 ? h("span.faint", {}, `… ${path.length - 11} more`) : h("button.quiet.path-step", { type: "button", "aria-current": row === selected ? "true" : null, title: `${model.serviceName(row)} ${model.operationName(row)}`, onclick: () => this.select(row, { align: "center" }) },
        h("span.swatch", { "data-s": model.color(row) }), h("span.path-name", {}, model.operationName(row))),
    ]));
    this.path.scrollLeft = this.path.scrollWidth;
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
      const moments = (entry.span.events ?? []).map((event) => Number(nanos(event.timeUnixNano) - this.traceStart));
      if (moments.length) this.waterfall.setMoments(selected, moments);
    } catch (error) {
      if (this.life.signal.aborted || this.selected !== selected) return;
      this.details.showError(error, () => this.fetchDetails());
    }
  }

  dragDetails(event) {
    event.preventDefault();
    this.detailsSplitter.focus();
    const box = this.stage.getBoundingClientRect();
    drag(this.detailsSplitter, event, (move) => this.resizeDetails(NARROW.matches ? box.bottom - move.clientY : box.right - move.clientX));
  }

  resizeDetails(pixels) {
    const box = this.stage.getBoundingClientRect();
    const most = Math.max(200, (NARROW.matches ? box.height : box.width) - 240);
    const next = Math.round(Math.max(200, Math.min(most, pixels)));
    this.details.element.style.setProperty("--details", `${next}px`);
    attribute(this.detailsSplitter, "aria-valuenow", next);
    keepSize("details", next);
  }

  // Collapsing

  toggle(row, deep) {
    const { model, collapsed } = this;
    if (!model.children[row]) return;
    const next = collapsed[row] ? 0 : 1;
    collapsed[row] = next;
    if (deep) for (let below = row + 1; below < model.end[row]; below++) if (model.children[below]) collapsed[below] = next;
    this.collapseChanged(row);
  }

  setAll(isCollapsed) {
    const { model, collapsed } = this;
    if (!model) return;
    for (let row = 0; row < model.count; row++) collapsed[row] = isCollapsed && model.children[row] ? 1 : 0;
    this.collapseChanged(this.selected);
  }

  /** A selection that got hidden moves up to the row that hides it. */
  collapseChanged(row) {
    const { model, collapsed } = this;
    this.waterfall.setCollapsed(collapsed);
    const hiding = model.path(this.selected).find((ancestor) => ancestor !== this.selected && collapsed[ancestor]);
    if (hiding !== undefined) this.select(hiding, { keeps: false });
    else if (row >= 0 && this.waterfall.indexOf(row) >= 0) this.waterfall.list.reveal(this.waterfall.indexOf(row));
    this.keepState();
  }

  /** Opens whatever hides a row. */
  uncover(row) {
    let isHidden = false;
    for (let at = this.model.parent[row]; at >= 0; at = this.model.parent[at]) {
      if (this.collapsed[at]) {
        this.collapsed[at] = 0;
        isHidden = true;
      }
    }
    if (isHidden) this.waterfall.setCollapsed(this.collapsed);
  }

  // Time

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

  // Finding

  find(text, keeps) {
    const { model } = this;
    if (!model) return;
    const wanted = text.trim();
    this.matches = model.find(wanted);
    this.waterfall.setMatches(wanted.toLowerCase(), this.matches);
    this.minimap.setMatches(wanted === "" ? null : this.matches);
    this.showFound();
    this.views.tell("matches");
    if (keeps) this.keepZoom();
    if (wanted !== "") this.app.shell.say(`${count(this.matches.length)} of ${plural(model.spanCount, "span")} found`);
  }

  showFound() {
    const wanted = this.search.value.trim();
    const at = this.matches.indexOf(this.selected);
    this.found.textContent = wanted === "" ? "" : `${at >= 0 ? `${count(at + 1)} / ` : ""}${count(this.matches.length)}`;
    this.found.title = wanted === "" ? "" : `${count(this.matches.length)} of ${count(this.model.spanCount)} spans`;
  }

  nextMatch(step) {
    this.goAmong(this.matches, step);
    this.showFound();
  }

  nextError(step) {
    this.goAmong(this.errors ?? [], step);
  }

  /** The next of some rows after the selected one, round and round; what hides it opens. */
  goAmong(rows, step) {
    if (!rows.length) return;
    const after = rows.findIndex((row) => (step > 0 ? row > this.selected : row >= this.selected));
    const index = step > 0 ? (after < 0 ? 0 : after) : after < 0 ? rows.length - 1 : (after - 1 + rows.length) % rows.length;
    this.uncover(rows[index]);
    this.select(rows[index], { align: "center" });
    this.waterfall.scroller.focus({ preventScroll: true });
  }

  leaveSearch() {
    this.search.value = "";
    this.find("", true);
    this.waterfall.scroller.focus({ preventScroll: true });
  }

  /** One step back: search, details, then the results. */
  backOut() {
    if (this.search.value) this.leaveSearch();
    else if (this.detailsOpen) this.showDetails(false);
    else this.app.go(this.app.lastExplore);
  }

  searchTraces(condition) {
    const { state } = this.app.lastExplore;
    this.app.go({ page: "explore", state: { ...state, q: withCondition(state.q, condition) } });
  }

  // Views and states

  setView(name) {
    if (viewNamed(name) !== this.views.entry) this.app.push({ view: name === "waterfall" ? "" : name });
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
    stage.dataset.view = this.page.dataset.view = entry.name;
    stage.setAttribute("aria-labelledby", `view-${entry.name}`);
    this.page.classList.toggle("without-time", !entry.usesTime);
    fill(stage, entry.load ? views.element : waterfall.element, entry.hasDetails ? [this.detailsSplitter, this.details.element] : null);
    if (entry.load || !this.model) return;
    waterfall.measure();
    waterfall.list.top = this.keptTop ?? 0;
    waterfall.setSelected(this.selected, "center");
  }

  async showError(error) {
    const { shell } = this.app;
    shell.alert(error.message);
    if (error.code === "network") shell.setOffline(() => this.load());
    const instead = await absentTrace(this.id, error, this.app.href(this.app.lastExplore), () => this.load());
    if (!this.life.signal.aborted) fill(shell.main, instead);
  }

  repaint() {
    this.minimap.draw();
    this.waterfall.drawGutter();
    this.views.tell("theme");
  }

  /** A hint where to look, for links that are followed when the trace is old. */
  fixedState() {
    return this.model ? { t: String(this.traceStart / 1_000_000_000n) } : {};
  }

  zoneChanged() {
    if (this.model) this.showHead();
  }

  close() {
    this.life.abort();
    this.loadDetails.cancel();
    this.keepZoom.cancel();
    this.views.close();
    this.waterfall.close();
    this.minimap.close();
    this.unlisten.forEach((stop) => stop());
    this.scheme.removeEventListener("change", this.repaint);
    this.app.keyboard.install("Trace", []);
  }
}

/** "0.12-0.31" → [0.12, 0.31]; anything else is the whole. */
function zoomOf(text) {
  const match = /^(0|1|0?\.\d{1,12})-(0|1|0?\.\d{1,12})$/.exec(text);
  const [from, to] = match ? [Number(match[1]), Number(match[2])] : [0, 1];
  return to - from >= WINDOW_MIN ? [from, to] : [0, 1];
}

function fractionText(fraction) {
  return String(Number(fraction.toFixed(7)));
}
