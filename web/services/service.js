// SPDX-License-Identifier: Apache-2.0
// One service: rate, errors and durations with its deploys, then what it does, what fails, and who is around it.
import * as api from "../api.js";
import { absoluteTime, age, clock, count, duration, nanos, share, zoneLabel } from "../lib/format.js";
import { Moment, TimeChart, roundTicks } from "../lib/chart.js";
import { icon } from "../lib/icons.js";
import { fixedMoment, rangeLabel, resolveRange } from "../lib/range.js";
import { RangePicker } from "../lib/range-picker.js";
import { rateText, rateUnit } from "../lib/rate.js";
import { COUNTED, Red, arrivals, asked, before, change, rates, seriesBy, spansOf, windowOf, windowSeconds } from "../lib/red.js";
import { fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { barEnd, changeMark, failure, fixedRange, keepOpened, listView, stateOf } from "./parts.js";
import { Sections } from "./sections.js";

const SLICES = 60;
/** What is counted, in the words of the summary. */
const WHAT = { requests: "requests", roots: "traces begun (no request from outside enters this service)",
  spans: "spans (no request enters this service, and no trace begins here: all of its spans are counted)" };
/** Steps between the labels of time, and how many of them at most. */
const LABEL_SECONDS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000];
const LABELS_MAX = 8;
const FIGURE_HEADS = ["From", "Rate", "Errors", "p50", "p95", "p99", "New version"];
const VERSION = "resource.service.version";

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  return new Service(app, view);
}

class Service {
  constructor(app, { id, state }) {
    this.app = app;
    this.name = id;
    this.state = state;
    this.asked = 0;
    this.flight = null;
    this.counted = "requests";
    this.nowMillis = Date.now();
    keepOpened(this.name);
    this.moment = new Moment();
    this.range = new RangePicker((from, to) => app.push({ from, to }));
    this.summary = h("p.summary", {});
    this.facts = h("dl.service-facts", {});
    this.narrowed = h("div.narrowed", { hidden: true });
    this.problem = h("div", {});
    this.reading = h("p.reading", {});
    this.tableBox = h("details.chart-table", { ontoggle: () => this.drawTable() }, h("summary", {}, "The same as a table"),
      h("div.chart-table-body", { tabindex: "0", role: "region", "aria-label": "Figures over time" }));
    const common = { moment: this.moment, choose: (slice) => this.choose(slice), zoom: (from, to) => this.zoom(from, to),
      describe: (slice) => this.describe(slice) };
    this.charts = [
      new TimeChart({ ...common, title: "Rate", lines: [{ key: "rate", name: "rate", className: "line-service", isArea: true }], format: rateText,
        ticksOf: (most) => roundTicks(most * rateUnit(most)).map((tick) => tick / rateUnit(most)) }),
      new TimeChart({ ...common, title: "Errors", lines: [{ key: "errors", name: "errors", className: "line-error", isArea: true }], format: share }),
      new TimeChart({ ...common, title: "Duration", format: duration,
        lines: [{ key: "p99", name: "p99", className: "line-p99" }, { key: "p95", name: "p95", className: "line-service" },
          { key: "p50", name: "p50", className: "line-p50" }] }),
    ];
    this.sections = new Sections(this);
    this.main = h("div.service-main", {}, this.facts, this.narrowed, h("div.charts", {}, this.charts.map(({ element }) => element)), this.reading,
      this.tableBox, this.sections.element);
    const { shell } = app;
    document.title = `${this.name.slice(0, 80)} · Skein`;
    fill(shell.barStart, h("a.back", { href: app.href(listView(app)) }, icon("back"), "Services"),
      h("h1.service-title", { title: this.name.slice(0, 300) }, h("span.swatch", { "data-s": app.colors.of(this.name) }),
        h("span.service-name", {}, this.name.slice(0, 300))));
    fill(shell.barEnd, barEnd(app, this.range, () => this.load()));
    this.body = h("div.service-scroll.scroller", { tabindex: "0", role: "region", "aria-label": "Figures of the service" }, this.main);
    this.mapLink = h("a.quiet-link", {}, icon("map"), "On the map");
    this.exploreLink = h("a.quiet-link", {}, icon("explore"), "Traces");
    fill(shell.main, h("div.under-bar", {}, this.summary, h("span.spring"), this.mapLink, this.exploreLink), this.problem, this.body);
    this.stops = [this.moment.hovered.listen(() => this.drawReading()), this.moment.chosen.listen(() => this.drawReading())];
    app.colors.learn().then(() => {
      shell.barStart.querySelector(".swatch")?.setAttribute("data-s", app.colors.of(this.name));
      this.main.setAttribute("data-s", app.colors.of(this.name));
    });
    app.keyboard.install("Service", [
      { keys: ["t"], does: "Time range", run: () => this.range.toggle() },
      { keys: ["r"], does: "Read again", run: () => this.load() },
      { keys: ["-"], does: "A wider range", run: () => this.widen() },
      { keys: ["/", "o"], does: "The operations", run: () => this.sections.focusOperations() },
      { keys: ["Enter"], does: "Its traces in Explore", run: () => app.go(this.exploreView({})) },
      { keys: ["Escape"], does: "All operations, no moment kept", run: () => this.stepBack() },
    ]);
    this.show(state);
  }

  show(state) {
    const isOther = !this.loaded || ["from", "to", "op"].some((key) => state[key] !== this.loaded[key]);
    // What an operation narrows stands at the top.
    if (this.loaded && state.op && state.op !== this.loaded.op) this.body.scrollTop = 0;
    this.state = state;
    this.range.show(state.from, state.to);
    this.mapLink.setAttribute("href", this.app.href({ page: "map", state: { from: state.from, to: state.to, focus: this.name } }));
    this.exploreLink.setAttribute("href", this.app.href(this.exploreView({})));
    if (isOther) this.load();
    else this.sections.drawOperations();
  }

  /** Explore, at what this page is about. @param {{ from?: string, to?: string, sort?: string }} place and conditions as `spansOf` takes them */
  exploreView({ from = this.state.from, to = this.state.to, sort = "", ...conditions }) {
    return { page: "explore", state: { q: spansOf({ ...this.spans, ...conditions }), from, to, sort } };
  }

  /** Which spans the charts count. */
  get spans() {
    const { op } = this.state;
    return { service: this.name, operation: op || undefined, counted: this.counted };
  }

  async load() {
    const asking = ++this.asked;
    const isOver = () => asking !== this.asked;
    this.flight?.abort();
    const { signal } = (this.flight = new AbortController());
    const { shell } = this.app;
    const { from, to, op } = (this.loaded = this.state);
    this.nowMillis = Date.now();
    const range = resolveRange(from, to, this.nowMillis, zone.value);
    this.narrowed.hidden = !op;
    if (op) fill(this.narrowed, "Only ", h("strong", {}, op.slice(0, 300)),
      h("button.quiet", { type: "button", onclick: () => this.app.push({ op: "" }) }, icon("close"), "All operations"));
    if (!range) {
      shell.busy(false);
      this.main.classList.remove("waiting");
      fill(this.problem, stateOf("The time range makes no sense", `From “${from}” to “${to || "now"}”.`,
        [["Last hour", () => this.app.push({ from: "-1h", to: "" })]]));
      return;
    }
    shell.busy(true);
    this.main.classList.toggle("waiting", Boolean(this.red));
    this.moment.hovered.value = null;
    this.moment.chosen.value = null;
    try {
      const status = await api.status(signal);
      const now = BigInt(this.nowMillis) * 1_000_000n;
      const oldest = status.oldestTimeUnixNano ? nanos(status.oldestTimeUnixNano) : now;
      const window = windowOf(range.start ?? oldest, range.end ?? now, now, SLICES);
      const red = await this.read(window, signal);
      if (isOver()) return;
      const past = before(window);
      this.isComparable = oldest <= past.start + window.step;
      Object.assign(this, { window, red, versions: new Map(), previous: null });
      shell.setOffline(null);
      fill(this.problem);
      this.draw();
      this.sections.load(signal, isOver);
      const [versions, previous] = await Promise.all([
        api.metrics({ q: `${spansOf(this.spans)} | count_over_time() by(${VERSION}, status)`, ...asked(window) }, signal),
        this.isComparable ? api.heatmap({ q: spansOf(this.spans), ...asked(past) }, signal) : null,
      ]);
      if (isOver()) return;
      this.versions = seriesBy(versions, window, [VERSION, "status"]);
      const then = previous && new Red(previous, past);
      this.previous = then?.total().spans > 0 ? then : null;
      this.draw();
      this.sections.showVersions(this.versions, signal, isOver);
    } catch (error) {
      if (isOver() || signal.aborted) return;
      if (error.code === "network") shell.setOffline(() => this.load());
      shell.alert(error.message);
      fill(this.problem, failure(error, () => this.load()));
    } finally {
      if (!isOver()) {
        shell.busy(false);
        this.main.classList.remove("waiting");
      }
    }
  }

  /** What the service was asked for; where that is nothing, the traces it begins, or all that it does. */
  async read(window, signal) {
    for (this.counted of COUNTED) {
      const red = new Red(await api.heatmap({ q: spansOf(this.spans), ...asked(window) }, signal), window);
      if (red.total().spans > 0 || this.state.op || this.counted === COUNTED.at(-1)) return red;
    }
  }

  /** Rates of versions by name, with their first slices. */
  get deploys() {
    const sums = new Map();
    for (const { labels: [version], values } of this.versions.values()) {
      const known = sums.get(version)?.values ?? new Array(values.length).fill(0);
      sums.set(version, { labels: [version], values: known.map((value, slice) => value + (values[slice] ?? 0)) });
    }
    return arrivals(sums);
  }

  /** Figures of nothing would be a page of dashes: it says so, and where there may be something. */
  drawNothing() {
    const { state, name } = this;
    const where = rangeLabel(state.from, state.to, this.nowMillis, zone.value);
    const choices = [
      state.op ? ["All operations", () => this.app.push({ op: "" })] : null,
      state.from === "-1d" || state.from === "all" ? null : ["Last 24 hours", () => this.app.push({ from: "-1d", to: "" })],
      state.from === "all" && !state.to ? null : ["All time", () => this.app.push({ from: "all", to: "" })],
      ["All services", () => this.app.go({ ...listView(this.app), state: { ...listView(this.app).state, q: "" } })],
    ].filter(Boolean);
    fill(this.problem, stateOf("No spans", `“${where}” has no span of ${(state.op || name).slice(0, 300)}.`, choices));
  }

  draw() {
    const { red, window, state } = this;
    const total = red.total();
    this.main.classList.toggle("no-spans", total.spans === 0);
    if (total.spans === 0) this.drawNothing();
    const what = state.op ? "spans" : WHAT[this.counted];
    const where = rangeLabel(state.from, state.to, this.nowMillis, zone.value);
    fill(this.summary, total.spans > 0 ? [h("strong", {}, count(Math.round(total.spans))), ` ${what}`] : h("strong", {}, "No spans"),
      ` · ${where} · a point is ${age(Number(window.step) / 1e9)} · ${zoneLabel(zone.value, this.nowMillis)}`);
    this.exploreLink.setAttribute("href", this.app.href(this.exploreView({})));
    this.figures = { rate: rates(window, red.counts), errors: red.errorShares(), p50: red.quantiles(0.5), p95: red.quantiles(0.95), p99: red.quantiles(0.99) };
    const totals = { rate: total.spans / windowSeconds(window), errors: total.errorShare, p50: red.quantile(0.5), p95: red.quantile(0.95),
      p99: red.quantile(0.99) };
    this.totals = totals;
    this.drawFacts(totals);
    const deploys = this.deploys;
    const times = this.labels();
    this.charts.forEach((chart, index) => chart.show({ count: window.count, values: this.figures, totals,
      marks: deploys.map(({ slice, label }) => ({ slice, label: index === 0 ? label : "" })), times }));
    this.app.shell.say(`${count(Math.round(total.spans))} ${state.op ? "spans" : this.counted}, ${total.errorShare === null ? "no" : share(total.errorShare)} failed`);
    this.drawReading();
    this.drawTable();
  }

  drawFacts({ rate, errors, p50, p95, p99 }) {
    const then = this.previous?.total();
    const fact = (name, value, mark) => h("div.fact", {}, h("dt", {}, name), h("dd", {}, h("span.fact-value", {}, value), mark));
    const length = Number(this.window.end - this.window.start) / 1e9;
    const versions = [...new Set([...this.versions.values()].filter(({ values }) => values.some((value) => value > 0)).map(({ labels }) => labels[0]))].filter(Boolean);
    const points = then && then.errorShare !== null && errors !== null ? Math.round((errors - then.errorShare) * 1000) / 10 : null;
    fill(this.facts,
      fact("Rate", rateText(rate), then && changeMark(change(rate, then.spans / length), { from: 0.2 })),
      fact("Errors", errors === null ? "–" : h("span", { class: errors > 0 ? "problem" : null }, share(errors)),
        points === null ? null : h(`span.change${points >= 1 ? ".worse" : ".faint"}`, { title: "percentage points" },
        `${points > 0 ? "+" : points < 0 ? "−" : "±"}${Math.abs(points)}`)),
      fact("p50", p50 === null ? "–" : duration(p50), this.previous && changeMark(change(p50, this.previous.quantile(0.5)), { isBadUp: true, from: 0.2 })),
      fact("p95", p95 === null ? "–" : duration(p95), this.previous && changeMark(change(p95, this.previous.quantile(0.95)), { isBadUp: true, from: 0.2 })),
      fact("p99", p99 === null ? "–" : duration(p99), this.previous && changeMark(change(p99, this.previous.quantile(0.99)), { isBadUp: true, from: 0.2 })),
      versions.length ? fact(versions.length === 1 ? "Version" : "Versions",
        versions.slice(0, 3).map((version) => version.slice(0, 40)).join(", ") + (versions.length > 3 ? ` and ${versions.length - 3} more` : ""), null) : null,
      this.previous ? h("div.fact.fact-note", {}, h("dt", {}, "Changes"), h("dd.faint", {}, "against the same time before")) : null);
  }

  /** Moments worth a label below the charts, at round times of the clock. */
  labels() {
    const { window } = this;
    const span = Number(window.end - window.start) / 1e9;
    const everySeconds = LABEL_SECONDS.find((size) => span / size <= LABELS_MAX) ?? LABEL_SECONDS.at(-1);
    const every = BigInt(everySeconds) * 1_000_000_000n;
    const times = [];
    for (let slice = 0; slice < window.count; slice++) {
      const at = window.start + BigInt(slice) * window.step;
      if (at % every >= window.step) continue;
      const { date, time } = clock(Number(at / 1_000_000n), zone.value);
      times.push({ slice, text: everySeconds >= 86_400 ? date.slice(5) : everySeconds < 60 ? time : time.slice(0, 5) });
    }
    return times;
  }

  moments(slice) {
    const from = this.window.start + BigInt(slice) * this.window.step;
    return { from, to: from + this.window.step };
  }

  describe(slice) {
    const { from } = this.moments(slice);
    const { figures } = this;
    const figure = (key, text) => (figures[key][slice] === null ? null : text(figures[key][slice]));
    return [absoluteTime(from, zone.value, 0), figure("rate", rateText) ?? "no rate", figure("errors", (part) => `${share(part)} failed`),
      figure("p50", (n) => `p50 ${duration(n)}`), figure("p95", (n) => `p95 ${duration(n)}`),
      figure("p99", (n) => `p99 ${duration(n)}`)].filter(Boolean).join(", ");
  }

  /** Keeps a moment, with the ways on from it: a click always leads to traces. */
  choose(slice) {
    this.moment.chosen.value = this.moment.chosen.value === slice ? null : slice;
    if (this.moment.chosen.value === null) return;
    const asking = this.asked;
    const { from, to } = this.moments(slice);
    const spans = this.spans;
    const find = (more, order) => api.search({ q: spansOf({ ...spans, ...more }), start: from, end: to, order, limit: 1, spans: 1 }, this.flight?.signal);
    const isStill = () => asking === this.asked && this.moment.chosen.value === slice;
    Promise.all([find({}, "duration"), this.red.errors[slice] > 0 ? find({ failed: true }, "start") : null]).then(([slow, failed]) => {
      if (!isStill()) return;
      this.examples = { slice, slow: slow.traces[0], failed: failed?.traces[0] };
      this.drawReading();
    }, (error) => { if (isStill()) this.app.shell.alert(error.message); });
  }

  drawReading() {
    const { moment, window } = this;
    if (!window) return;
    const slice = moment.chosen.value;
    if (slice === null) {
      fill(this.reading, h("span.faint", {},
        moment.hovered.value === null ? "Point at a chart to read a moment, click to keep it, drag to zoom in." : this.describe(moment.hovered.value)));
      return;
    }
    const { from, to } = this.moments(slice);
    const place = { from: fixedMoment(from), to: fixedMoment(to) };
    const link = (view, ...text) => h("a.reading-link", { href: this.app.href(view) }, text);
    const example = this.examples?.slice === slice ? this.examples : null;
    const shown = (trace) => ({ page: "trace", id: trace.traceId, state: { span: trace.spansets?.[0]?.spans?.[0]?.spanId ?? "" } });
    fill(this.reading, h("strong", {}, this.describe(slice)),
      link(this.exploreView({ ...place }), icon("explore"), "Traces then"),
      this.red.errors[slice] > 0 ? link(this.exploreView({ ...place, failed: true }), icon("error"), "Failing then") : null,
      example?.slow ? link(shown(example.slow), "Slowest: ", duration(Number(example.slow.durationNanos))) : null,
      example?.failed ? link(shown(example.failed), "A failing trace") : null,
      h("button.quiet", { type: "button", onclick: () => { moment.chosen.value = null; } }, icon("close"), "Let go"));
  }

  drawTable() {
    if (!this.tableBox.open || !this.window) return;
    const { window, figures } = this;
    const deploys = new Map(this.deploys.map(({ slice, label }) => [slice, label]));
    const figure = (value, text) => h("td.number", {}, value === null ? "–" : text(value));
    fill(this.tableBox.querySelector(".chart-table-body"), h("table.figures", { "aria-label": "Rate, errors and durations over time" },
      h("thead", {}, h("tr", {}, FIGURE_HEADS.map((title, index) => h("th", { scope: "col", class: index > 0 && index < 6 ? "number" : null }, title)))),
      h("tbody", {}, Array.from({ length: window.count }, (_, slice) => h("tr", {},
        h("th", { scope: "row" }, absoluteTime(this.moments(slice).from, zone.value, 0)),
        figure(figures.rate[slice], rateText), figure(figures.errors[slice], share), figure(figures.p50[slice], duration),
          figure(figures.p95[slice], duration), figure(figures.p99[slice], duration),
        h("td", {}, deploys.get(slice) ?? ""))))));
  }

  zoom(from, to) {
    this.app.push({ from: fixedMoment(this.moments(from).from), to: fixedMoment(this.moments(to).from) });
  }

  /** Three times as long, around the same middle. */
  widen() {
    if (!this.window) return;
    const { start, end } = this.window;
    const now = BigInt(Date.now()) * 1_000_000n;
    const [from, to] = [start > end - start ? start - (end - start) : 0n, end + (end - start)];
    this.app.push({ from: fixedMoment(from), to: to >= now ? "" : fixedMoment(to) });
  }

  stepBack() {
    if (this.moment.chosen.value !== null) this.moment.chosen.value = null;
    else if (this.state.op) this.app.push({ op: "" });
  }

  zoneChanged() {
    this.range.show(this.state.from, this.state.to);
    if (this.red) this.draw();
    this.sections.redraw();
  }

  fixedState() {
    return fixedRange(this.state, this.nowMillis);
  }

  close() {
    this.asked++;
    this.flight?.abort();
    for (const chart of this.charts) chart.close();
    for (const stop of this.stops) stop();
    this.app.keyboard.install("Service", []);
  }
}
