// SPDX-License-Identifier: Apache-2.0
// When the matching spans started and how long they took: as a heatmap, a scatter of examples, or a table; and what can be
// done with a part of it. Asks for its own data, after the results are here.
import * as api from "../api.js";
import { count, plural, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, fill, h } from "../lib/view.js";
import { theme } from "../settings.js";
import { among, rangeOf } from "./asked.js";
import { conditionsOn, toggled } from "./conditions.js";
import { regionFacts } from "./heatmap-axes.js";
import { HeatField } from "./heatmap-field.js";
import { Grid, exactMoment, stepFor } from "./heatmap-model.js";

const MODES = [["", "Heatmap"], ["scatter", "Scatter"], ["table", "Table"]];

export class Heatmap {
  /**
   * @param {any} app @param {{ mode: () => string, setMode: (mode: string) => void, ask: (change: Object<string, string>) => void }} page
   *   the mode is the address's `heat`: "" is the heatmap, "off" neither asks nor draws
   */
  constructor(app, page) {
    this.app = app;
    this.page = page;
    this.question = null;
    this.grid = null;
    /** What is here of the question: "grid" and "points". */
    this.here = new Set();
    this.flight = null;
    this.field = new HeatField({
      select: (region) => this.showActions(region),
      enter: () => this.actions.querySelector("button:not(:disabled)")?.focus(),
      open: (region) => this.openExample(region),
      say: (text) => app.shell.say(text),
    });
    this.title = h("h2.heat-title", {});
    this.modes = MODES.map(([mode, name]) => h("button.heat-mode", { type: "button", onclick: () => this.choose(mode) }, name));
    this.fold = h("button.icon-button", { type: "button", onclick: () => this.choose(page.mode() === "off" ? "" : "off") }, icon("chevron"));
    this.body = h("div.heat-body", {});
    this.actions = h("div.popover.heat-actions", { role: "group", "aria-label": "Selected spans", hidden: true });
    this.actions.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this.clear();
    });
    this.more = h("div.heat-more", {});
    this.element = h("section.heat", { "aria-label": "Spans by start and duration" },
      h("div.heat-head", {}, this.fold, this.title, this.field.legend, h("span.spring"), h("div.heat-modes", { role: "group", "aria-label": "Show as" }, this.modes)),
      this.body, this.actions, this.more);
    const redraw = () => this.redraw();
    this.unlisten = theme.listen(redraw);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", redraw);
    this.unwatch = () => this.scheme.removeEventListener("change", redraw);
    this.showMode();
  }

  /** Another question: the old picture stays until its answer is here. @param {{ q: string, start: bigint | null, end: bigint | null, nowMillis: number }} question */
  show(question) {
    this.question = question;
    this.here.clear();
    this.flight?.abort();
    this.showMode();
  }

  choose(mode) {
    this.page.setMode(mode);
    this.showMode();
    this.load();
  }

  /** Into the picture, which unfolds for that. */
  focus() {
    if (this.page.mode() === "off") this.choose("");
    (this.body.querySelector("[tabindex]") ?? this.fold).focus({ preventScroll: true });
  }

  showMode() {
    const mode = this.page.mode();
    const isOff = mode === "off";
    this.modes.forEach((button, i) => attribute(button, "aria-pressed", String(MODES[i][0] === mode)));
    attribute(this.fold, "aria-expanded", String(!isOff));
    attribute(this.fold, "aria-label", isOff ? "Show the latency heatmap" : "Fold the latency heatmap");
    this.body.hidden = this.more.hidden = isOff;
    this.field.legend.hidden = mode !== "";
    if (mode !== "") this.hideActions();
    fill(this.title, isOff ? "Latency" : this.grid ? this.summary() : "Spans by start and duration");
  }

  summary() {
    const { total, failed } = this.grid;
    const errors = failed > 0 ? `${count(Math.round(failed))} failed (${share(failed / total)})` : "none failed";
    return ["Spans by start and duration", h("span.heat-total", {}, ` · ${plural(Math.round(total), "span")}, ${errors}`)];
  }

  /** Asks for what the mode shows, unless that is here already or on its way. */
  async load() {
    const mode = this.page.mode();
    const { question } = this;
    const wanted = mode === "scatter" ? "points" : "grid";
    if (mode === "off" || !question || (this.flight?.wanted === wanted && !this.flight.signal.aborted)) return;
    this.flight?.abort();
    const flight = (this.flight = Object.assign(new AbortController(), { wanted }));
    const { signal } = flight;
    this.element.classList.add("waiting");
    attribute(this.element, "aria-busy", "true");
    try {
      if (mode === "scatter") this.scatter ??= new (await import("./scatter.js")).Scatter(this.app);
      if (!this.here.has(wanted)) await this.fetch(question, wanted, signal);
      // The grid may be wanted as a table by now.
      if (this.page.mode() === "table") this.bucketTable ??= (await import("./bucket-table.js")).bucketTable;
      if (!signal.aborted) this.draw();
    } catch (error) {
      if (!signal.aborted) this.showProblem(error);
    } finally {
      if (this.flight === flight) {
        this.flight = null;
        this.element.classList.remove("waiting");
        attribute(this.element, "aria-busy", null);
      }
    }
  }

  async fetch(question, wanted, signal) {
    const range = await rangeOf(question, signal);
    if (!range) return;
    if (wanted === "points") await this.scatter.load(question.q, range, signal);
    else this.grid = new Grid(await api.heatmap({ q: question.q, ...range, step: String(stepFor(range.end - range.start)) }, signal));
    if (!signal.aborted) this.here.add(wanted);
  }

  draw() {
    const mode = this.page.mode();
    this.showMode();
    if (mode === "scatter") fill(this.body, this.scatter.element);
    else if (mode === "table" && this.grid && this.bucketTable) fill(this.body, this.bucketTable(this.grid));
    else if (mode === "" && this.grid) {
      if (this.body.firstChild !== this.field.element) fill(this.body, this.field.element);
      if (this.field.grid !== this.grid) {
        this.closeExplanation();
        this.field.show(this.grid);
      }
    }
  }

  redraw() {
    this.field.draw();
    this.scatter?.draw();
  }

  zoneChanged() {
    this.hideActions();
    if (this.page.mode() === "table" && this.bucketTable) this.draw();
    this.redraw();
  }

  showProblem(error) {
    const facts = error.requestId ? h("span.faint", {}, " Request ", h("code", {}, error.requestId)) : null;
    fill(this.body, h("p.heat-problem", { role: "alert" }, icon("error"), h("span", {}, `The picture did not come: ${error.message}`, facts), h("button", { type: "button", onclick: () => this.load() }, "Try again")));
  }

  // MARK: A selection

  /** @param {import("./heatmap-model.js").Region | null} region */
  showActions(region) {
    if (!region) {
      this.hideActions();
      return;
    }
    const { grid, field } = this;
    const facts = regionFacts(grid, region);
    const button = (label, does, act, isOn = true) => h("button.quiet", { type: "button", title: does, disabled: !isOn, onclick: act }, label);
    fill(this.actions,
      h("p.heat-facts", {}, h("strong", {}, facts.spans), `, ${facts.failed}`, h("span.faint", {}, `${facts.duration} · ${facts.time}`)),
      h("div.heat-buttons", {},
        button("Zoom", "This time only, all durations", () => this.zoom(region), !grid.isWholeTime(region)),
        button("Show these traces", "Narrow the query to these spans", () => this.narrow(region), facts.count > 0),
        button("Explain", "What sets these spans apart from the others", () => this.explain(region), facts.count > 0 && facts.count < grid.total),
        button("Open an example", "The newest trace with such a span", () => this.openExample(region), facts.count > 0),
        h("button.icon-button", { type: "button", "aria-label": "Clear the selection", title: "Clear the selection (Esc)", onclick: () => this.clear() }, icon("close"))));
    this.actions.hidden = false;
    const [box, around] = [field.regionBox.getBoundingClientRect(), this.element.getBoundingClientRect()];
    const middle = (box.left + box.right) / 2 - around.left - this.actions.offsetWidth / 2;
    this.actions.style.left = `${Math.round(Math.max(8, Math.min(around.width - this.actions.offsetWidth - 8, middle)))}px`;
    this.actions.style.top = `${Math.round(box.bottom - around.top + 6)}px`;
  }

  hideActions() {
    this.actions.hidden = true;
  }

  clear() {
    this.field.select(null);
    this.field.field.focus({ preventScroll: true });
  }

  /** The columns of a region as the address keeps a range; nothing where that is the whole range already. */
  times(region) {
    if (this.grid.isWholeTime(region)) return {};
    const { start, end } = this.grid.range(region);
    return { from: exactMoment(start), to: exactMoment(end) };
  }

  zoom(region) {
    this.page.ask(this.times(region));
  }

  /** A bound of the duration that the query has already gives way to the narrower one. */
  narrow(region) {
    let { q } = this.question;
    for (const { operator, value } of this.grid.bounds(region)) {
      const isThere = conditionsOn(q, "duration").some((known) => known.operator === operator && known.value === value);
      if (!isThere) q = toggled(q, "duration", operator, value);
    }
    this.page.ask({ q, ...this.times(region) });
  }

  /** The newest trace that has a span in the region, at that span. */
  async openExample(region) {
    const { shell } = this.app;
    shell.busy(true);
    try {
      const { traces } = await api.search({ q: among(this.question.q, this.grid.durationTerms(region)), ...this.grid.range(region), limit: 1, spans: 1 });
      if (!this.element.isConnected) return;
      const [trace] = traces;
      const span = trace?.spansets?.[0]?.spans[0]?.spanId ?? "";
      shell.busy(false);
      if (trace) this.app.go({ page: "trace", id: trace.traceId, state: { span } });
      else shell.confirm("No such trace is stored any more");
    } catch (error) {
      if (!this.element.isConnected) return;
      shell.busy(false);
      shell.alert(error.message);
      shell.confirm(`No example came: ${error.message}`);
    }
  }

  async explain(region) {
    this.hideActions();
    const module = await import("./explain.js").catch(() => null);
    if (!module) {
      this.app.shell.confirm("A part of the page did not come from the server");
      return;
    }
    this.closeExplanation();
    this.explanation = new module.Explanation({
      question: this.question, grid: this.grid, region, facts: regionFacts(this.grid, region),
      ask: (q) => this.page.ask({ q }), close: () => { this.closeExplanation(); this.field.field.focus({ preventScroll: true }); },
      say: (text) => this.app.shell.say(text),
    });
    fill(this.more, this.explanation.element);
    this.explanation.load();
  }

  closeExplanation() {
    this.explanation?.stop();
    this.explanation = null;
    fill(this.more);
  }

  close() {
    this.flight?.abort();
    this.closeExplanation();
    this.unlisten();
    this.unwatch();
    this.field.close();
    this.scatter?.close();
  }
}
