// SPDX-License-Identifier: Apache-2.0
// Services: what each was asked to do, how often that failed and how long it took, beside the same time before.
import * as api from "../api-more.js";
import { count, nanos, plural, zoneLabel } from "../lib/format.js";
import { rangeLabel, resolveRange } from "../lib/range.js";
import { RangePicker } from "../lib/range-picker.js";
import { Red, asked, before, change, rates, seriesBy, spansOf, spansOfAll, windowOf, windowSeconds, withBefore } from "../lib/red.js";
import { debounce, fill, h, onNextFrame } from "../lib/view.js";
import { zone } from "../settings.js";
import { ListPage } from "./list-page.js";
import { barEnd, keepList, openedLast, pool, stateOf } from "./parts.js";
import { ServiceTable } from "./table.js";

const SLICES = 30;
const SERIES_MAX = 10_000;
const PAGES_MAX = 20;
/** Up to so many services have their own distribution read; of more all come from one query, in doublings. */
const EXACT_MAX = 100;
/** Services that are asked for the traces they begin. */
const ROOTS_MAX = 100;
const AT_ONCE = 4;
const SERVICE = "resource.service.name";

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  return new Services(app, view.state);
}

class Services extends ListPage {
  constructor(app, state) {
    super("The services could not be read");
    this.app = app;
    this.state = state;
    this.range = new RangePicker((from, to) => app.push({ from, to }));
    this.filter = h("input.field.service-filter", { type: "search", placeholder: "Filter", "aria-label": "Filter services by name",
      autocomplete: "off", spellcheck: "false" });
    const narrow = debounce(() => { app.replace({ q: this.filter.value }); this.state = app.view.state; this.draw(); }, 80);
    this.narrow = narrow;
    this.filter.addEventListener("input", () => narrow());
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); narrow.flush(); this.table.move(0); }
      if (event.key === "Escape") { this.filter.value = ""; narrow(); this.filter.blur(); }
    });
    this.summary = h("p.summary", {});
    this.body = h("div.services-body", {});
    this.problem = h("div", {});
    this.table = new ServiceTable({
      open: (name) => app.go(this.serviceView(name)),
      href: (name) => app.href(this.serviceView(name)),
      exploreHref: (name) => app.href(this.exploreView(name)),
      explore: (name) => app.go(this.exploreView(name)),
      sort: (sort) => { app.replace({ sort }); this.state = app.view.state; this.draw(); },
      colorOf: (name) => app.colors.of(name),
    });
    this.table.wanted = openedLast();
    const { shell } = app;
    document.title = "Services · Skein";
    fill(shell.barStart, h("h1", {}, "Services"), this.filter);
    fill(shell.barEnd, barEnd(app, this.range, () => this.load()));
    fill(shell.main, h("div.under-bar", {}, this.summary), this.problem, this.body);
    this.redraw = onNextFrame(() => this.draw());
    app.keyboard.install("Services", [
      { keys: ["/"], does: "Filter by name", run: () => this.filter.focus() },
      { keys: ["t"], does: "Time range", run: () => this.range.toggle() },
      { keys: ["r"], does: "Read again", run: () => this.load() },
      { keys: ["ArrowDown", "j"], does: "Next service", run: () => this.table.move(1) },
      { keys: ["ArrowUp", "k"], does: "Previous service", run: () => this.table.move(-1) },
      { keys: ["PageDown"], does: "A page down", run: () => this.table.move(this.table.list.rowsPerPage - 1) },
      { keys: ["PageUp"], does: "A page up", run: () => this.table.move(1 - this.table.list.rowsPerPage) },
      { keys: ["Home"], does: "First service", run: () => this.table.move(-Infinity) },
      { keys: ["End"], does: "Last service", run: () => this.table.move(Infinity) },
      { keys: ["Enter"], does: "Open the service", run: () => this.table.open() },
      { keys: ["Shift+Enter"], does: "Its traces in Explore", run: () => this.table.explore() },
    ]);
    this.show(state);
  }

  show(state) {
    const isOther = !this.loaded || state.from !== this.loaded.from || state.to !== this.loaded.to;
    this.state = state;
    this.range.show(state.from, state.to);
    if (this.filter.value !== state.q) this.filter.value = state.q;
    if (isOther) this.load();
    else this.draw();
  }

  serviceView(name) {
    // No address can name it.
    if (name === "") return this.exploreView(name);
    const { from, to } = this.state;
    return { page: "service", id: name, state: { from, to } };
  }

  exploreView(name) {
    const { from, to } = this.state;
    return { page: "explore", state: { q: spansOf({ service: name }), from, to } };
  }

  async load() {
    const asked = ++this.asked;
    const isOver = () => asked !== this.asked;
    this.flight?.abort();
    const { signal } = (this.flight = new AbortController());
    const { shell } = this.app;
    const { from, to } = (this.loaded = this.state);
    this.nowMillis = Date.now();
    const range = resolveRange(from, to, this.nowMillis, zone.value);
    if (!range) {
      shell.busy(false);
      this.body.classList.remove("waiting");
      fill(this.body, stateOf("The time range makes no sense", `From “${from}” to “${to || "now"}”.`,
        [["Last hour", () => this.app.push({ from: "-1h", to: "" })]]));
      return;
    }
    shell.busy(true);
    if (this.rows.length) this.body.classList.add("waiting");
    try {
      const [names, status] = await Promise.all([this.names(signal), api.status(signal)]);
      const now = BigInt(this.nowMillis) * 1_000_000n;
      const oldest = status.oldestTimeUnixNano ? nanos(status.oldestTimeUnixNano) : now;
      const window = (this.window = windowOf(range.start ?? oldest, range.end ?? now, now, SLICES));
      this.isComparable = oldest <= before(window).start + window.step;
      const rows = await this.counted(names, signal);
      if (isOver()) return;
      this.rows = rows;
      this.isEmpty = status.spans === 0;
      shell.setOffline(null);
      fill(this.problem);
      this.body.classList.remove("waiting");
      this.draw();
      shell.say(`${plural(rows.length, "service")}`);
      await this.addDurations(signal, isOver);
    } catch (error) {
      if (isOver() || signal.aborted) return;
      this.fail(error);
    } finally {
      if (!isOver()) {
        shell.busy(false);
        this.body.classList.remove("waiting");
      }
    }
  }

  /** All names, with their colours. */
  async names(signal) {
    const names = [];
    let cursor = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const answer = await api.services(signal, cursor);
      for (const { name, color } of answer.services) {
        names.push(name);
        this.app.colors.known.set(name, color);
      }
      cursor = answer.next;
      if (!cursor) break;
    }
    return names;
  }

  /** Rates and errors of this time and the time before, of all services at once. */
  async counted(names, signal) {
    const { window } = this;
    const { both, past } = withBefore(window);
    const ask = async (spans) => {
      const q = `${spans} | count_over_time() by(${SERVICE}, status)`;
      const answer = await api.metrics({ q, ...asked(both), limit: SERIES_MAX }, signal);
      if (answer.truncated) this.isCut = true;
      return seriesBy(answer, both, [SERVICE, "status"]);
    };
    this.isCut = false;
    const namesIn = (series) => new Set([...series.values()].map(({ labels }) => labels[0]));
    const requests = await ask(spansOfAll("requests"));
    const wanted = namesIn(requests);
    // Who is never asked for anything shows the traces it begins, or all its spans.
    const spans = names.every((name) => wanted.has(name)) ? new Map() : await ask(spansOfAll("spans"));
    const others = [...namesIn(spans)].filter((name) => !wanted.has(name));
    const roots = others.length ? await ask(spansOfAll("roots", others.slice(0, ROOTS_MAX))) : new Map();
    const begin = namesIn(roots);
    const countedOf = (name) => (wanted.has(name) ? "requests" : begin.has(name) ? "roots" : "spans");
    const byService = new Map(names.map((name) => [name, []]));
    for (const [counted, series] of [["requests", requests], ["roots", roots], ["spans", spans]]) {
      for (const { labels: [name, status], values } of series.values()) {
        if (countedOf(name) === counted) byService.set(name, [...(byService.get(name) ?? []), { status, values }]);
      }
    }
    return [...byService].map(([name, found]) => {
      const sumOf = (some, slice) => some.reduce((sum, { values }) => sum + (values[slice] ?? 0), 0);
      const sums = (isOf) => {
        const some = found.filter(({ status }) => isOf(status));
        return Array.from({ length: both.count }, (_, slice) => sumOf(some, slice));
      };
      const [all, failed] = [sums(() => true), sums((status) => status === "error")];
      return rowOf(name, window, { all, failed, past, counted: countedOf(name), isComparable: this.isComparable });
    });
  }

  async addDurations(signal, isOver) {
    const active = this.rows.filter((row) => row.spans > 0);
    if (active.length > EXACT_MAX) {
      await this.addRoughDurations(signal);
      if (!isOver()) this.draw();
      return;
    }
    const { both, past } = withBefore(this.window);
    await pool(active, AT_ONCE, async (row) => {
      const red = new Red(await api.heatmap({ q: spansOf({ service: row.name, counted: row.counted }), ...asked(both) }, signal), both);
      if (isOver()) return;
      for (const [key, p] of [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]]) row[key] = red.quantile(p, past);
      row.p95s = red.quantiles(0.95).slice(past);
      row.p95Change = this.isComparable ? change(row.p95, red.quantile(0.95, 0, past)) : null;
      this.redraw();
    }, isOver);
  }

  async addRoughDurations(signal) {
    const { window } = this;
    const q = `${spansOfAll("requests")} | quantile_over_time(duration, .5, .95, .99) by(${SERVICE})`;
    const ask = ({ start, end }) => api.metricsAtOnce({ q, start, end }, signal);
    const [now, then] = await Promise.all([ask(window), this.isComparable ? ask(before(window)) : []]);
    const rows = new Map(this.rows.map((row) => [row.name, row]));
    const keys = { 0.5: "p50", 0.95: "p95", 0.99: "p99" };
    for (const { labels: { [SERVICE]: name, p }, value } of now) if (rows.has(name)) Object.assign(rows.get(name), { [keys[p]]: value * 1e9, isRough: true });
    for (const { labels: { [SERVICE]: name, p }, value } of then) {
      if (Number(p) === 0.95 && rows.has(name)) rows.get(name).p95Change = change(rows.get(name).p95, value * 1e9);
    }
  }

  draw() {
    const { rows, state } = this;
    if (!this.window) return;
    if (!rows.length) {
      fill(this.summary);
      const choices = this.isEmpty ? [["How to send a first span", () => this.app.go(this.app.front("explore"))]] : [["Read again", () => this.load()]];
      fill(this.body, stateOf("No services yet", "A service is named here once a span with its service.name is stored.", choices));
      return;
    }
    const wanted = state.q.trim().toLowerCase();
    const shown = wanted ? rows.filter((row) => row.name.toLowerCase().includes(wanted)) : rows;
    const total = rows.reduce((sum, row) => sum + (row.counted === "requests" ? row.spans : 0), 0);
    const where = rangeLabel(state.from, state.to, this.nowMillis, zone.value);
    const facts = [`${count(Math.round(total))} requests`, ...(this.isCut ? ["more than can be counted at once: some show too little"] : []),
      this.isComparable ? "changes against the same time before" : "nothing older is stored to compare with", where, zoneLabel(zone.value, this.nowMillis)];
    const all = plural(rows.length, "service");
    fill(this.summary, h("strong", {}, shown.length === rows.length ? all : `${count(shown.length)} of ${all}`), ` · ${facts.join(" · ")}`);
    if (!shown.length) {
      fill(this.body, stateOf("No service has such a name", `None of ${plural(rows.length, "service")} contains “${state.q}”.`,
        [["Show all", () => { this.filter.value = ""; this.narrow(); }]]));
      return;
    }
    if (this.body.firstChild !== this.table.element) fill(this.body, this.table.element);
    this.table.show(shown, state.sort);
  }

  close() {
    super.close();
    keepList(this.state);
    this.narrow.cancel();
    this.redraw.cancel();
    this.table.close();
    this.app.keyboard.install("Services", []);
  }
}

/** A service as a row: figures of this time, changes since the time before. */
function rowOf(name, window, { all, failed, past, counted, isComparable }) {
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const [counts, errors] = [all.slice(past), failed.slice(past)];
  const [spans, failures] = [sum(counts), sum(errors)];
  const [spansBefore, failuresBefore] = [sum(all.slice(0, past)), sum(failed.slice(0, past))];
  const seconds = windowSeconds(window);
  const length = Number(window.end - window.start) / 1e9;
  const last = all.findLastIndex((value) => value > 0);
  return {
    name, counted, spans, isRough: false,
    rate: spans / seconds, rates: rates(window, counts), rateChange: isComparable ? change(spans / seconds, spansBefore / length) : null,
    errors: spans > 0 ? failures / spans : null, errorShares: counts.map((value, slice) => (value > 0 ? errors[slice] / value : null)),
    errorChange: isComparable && spans > 0 && spansBefore > 0 ? failures / spans - failuresBefore / spansBefore : null,
    p50: null, p95: null, p99: null, p95s: [], p95Change: null,
    /** The end of the last slice with a span. @type {bigint | null} */
    seen: last < 0 ? null : window.start + BigInt(last - past + 1) * window.step,
  };
}
