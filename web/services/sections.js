// SPDX-License-Identifier: Apache-2.0
// Below the charts of a service: operations, errors, callers and callees, traces to look at, versions and instances.
// Each part is read on its own and fails on its own.
import * as api from "../api-more.js";
import { absoluteTime, count, duration, exactDuration, nanos, plural, relativeTime, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { rateText } from "../lib/rate.js";
import { Red, asked, spansOf, windowSeconds } from "../lib/red.js";
import { literal } from "../explore/query-text.js";
import { sparkline } from "../lib/sparkline.js";
import { fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { Figures } from "./figures.js";
import { failure, pool } from "./parts.js";

const MINUTE = 60_000_000_000n;
const TRENDS = 24n;
const TRACES = 6;
const ERROR_TRACES = 500;
const EXAMPLES = 3;
const CODES_MAX = 6;
const EXACT_MAX = 12;
const AT_ONCE = 3;
const TEXT_MAX = 300;
const INSTANCE = "resource.service.instance.id";
const HOST = "resource.host.name";
const HTTP_CODE = "span.http.response.status_code";
const GRPC_CODE = "span.rpc.grpc.status_code";
const GRPC = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"];

export class Sections {
  /** @param {any} page the service's */
  constructor(page) {
    this.page = page;
    this.app = page.app;
    const section = (title, className = "") => {
      const body = h("div.section-body", {});
      return { body, element: h(`section.service-section${className}`, {}, h("h2", {}, title), body), title };
    };
    this.parts = {
      operations: section("Operations", ".wide"), errors: section("Errors"), failing: section("Latest failing traces"), callers: section("Callers"),
      callees: section("Callees"), versions: section("Versions"), instances: section("Instances"), slow: section("Slowest traces", ".wide"),
    };
    this.element = h("div.service-sections", {}, Object.values(this.parts).map(({ element }) => element));
    this.makeTables();
  }

  makeTables() {
    const { app, page } = this;
    const number = (key, title, value, text, more = {}) => ({ key, title, numeric: true, by: value,
      cell: (row) => (value(row) === null ? "–" : text(value(row))), ...more });
    const failed = (value) => ({ cell: (row) => (value(row) === null ? "–" : h("span", { class: value(row) > 0 ? "problem" : "faint" }, share(value(row)))) });
    const nanosOf = (key) => (row) => Number(row[key]);
    const lengths = ["p50", "p95", "p99"].map((key) => number(key, key, nanosOf(`${key}Nanos`), duration, { className: key === "p95" ? "" : "spare" }));
    this.operations = new Figures({
      label: "Operations", sort: "-rate", onSort: (sort) => app.replace({ sort }),
      columns: [
        { key: "name", title: "Operation", by: (row) => row.name ?? "",
          cell: (row) => (row.name === null ? h("span.faint", {}, "others") : h("button.quiet.operation",
          { type: "button", title: `${row.name.slice(0, TEXT_MAX)}\nShow its charts`, onclick: () => app.push({ op: row.name }) },
          row.name.slice(0, TEXT_MAX) || "(no name)")) },
        { key: "kind", title: "Kind", by: (row) => row.kind, cell: (row) => row.kind, className: "spare faint" },
        number("rate", "Rate", (row) => row.rate, rateText),
        number("errors", "Errors", (row) => row.errors, share, failed((row) => row.errors)),
        ...lengths,
        { key: "time", title: "Time", says: "Part of the time of all operations of the service", numeric: true, by: (row) => row.time,
          cell: (row) => share(row.time), className: "spare" },
        { key: "trend", title: "p95 over time", cell: (row) => (row.trend?.length ? sparkline(row.trend) : null), className: "spare" },
        { key: "links", title: "Traces", cell: (row) => h("span.row-links", {},
          row.name === null ? null : h("a.row-action",
            { href: app.href({ page: "explore", state: { q: spansOf({ service: page.name, operation: row.name }), from: page.state.from,
            to: page.state.to } }), "aria-label": `Traces of ${row.name.slice(0, 80)} in Explore`, title: "Traces in Explore" }, icon("explore")),
          row.exemplar ? h("a.row-action", { href: app.href({ page: "trace", id: row.exemplar, state: {} }), "aria-label": `The trace with its longest span`,
            title: "The trace with its longest span" }, icon("clock")) : null) },
      ],
    });
    this.operationFilter = h("input.field.operation-filter", { type: "search", placeholder: "Filter operations", "aria-label": "Filter operations by name",
      autocomplete: "off", spellcheck: "false" });
    this.operationFilter.addEventListener("input", () => this.drawOperations());
    this.errors = new Figures({
      label: "Errors by type and message", sort: "-count", first: 8,
      columns: [
        { key: "type", title: "Error", by: (row) => `${row.type ?? ""}\0${row.shape ?? ""}`, cell: (row) => h("div.error-name", {},
          h("strong", {}, row.type === null ? "others" : row.type.slice(0, TEXT_MAX) || "error"),
            h("div.error-shape", { title: (row.message ?? "").slice(0, 1000) }, (row.shape ?? "").slice(0, TEXT_MAX)),
            row.frame ? h("code.error-frame", {}, row.frame.slice(0, TEXT_MAX)) : null) },
        { key: "count", title: "Count", numeric: true, by: (row) => row.here,
          cell: (row) => [count(row.here), row.originCount === 0 ? h("div.faint.small", { title: "Each of these spans has a failed one below it" },
          "passed on") : null] },
        { key: "last", title: "Last", numeric: true, by: (row) => Number(row.lastTimeUnixNano),
          cell: (row) => h("time", { title: absoluteTime(nanos(row.lastTimeUnixNano), zone.value) }, relativeTime(nanos(row.lastTimeUnixNano), Date.now())),
          className: "spare" },
        { key: "traces", title: "Traces", cell: (row) => h("span.row-links", {},
          row.traceIds.slice(0, EXAMPLES).map((id, index) => h("a.example",
          { href: app.href({ page: "trace", id, state: {} }), "aria-label": `Example ${index + 1} of ${(row.type || "error").slice(0, 60)}` }, index + 1))) },
      ],
    });
    const peerColumns = (title, says) => [
      { key: "name", title, by: (row) => row.name, cell: (row) => row.isService
        ? h("a.peer", { href: app.href({ page: "service", id: row.name, state: { from: page.state.from, to: page.state.to } }) },
          h("span.swatch", { "data-s": app.colors.of(row.name) }), h("span.peer-name", {}, row.name.slice(0, TEXT_MAX)))
        : h("span.peer", {}, h("span.swatch.hollow", {}), h("span.peer-name", {}, row.name.slice(0, TEXT_MAX) || "(no name)"),
          h("span.faint.small", {}, row.sort)) },
      { key: "share", title: "Share", says, numeric: true, by: (row) => row.share,
        cell: (row) => (row.share === null ? "–" : h("span.share-cell", {},
        h("span.share-track", {}, h("span.share-fill", { style: { width: `${Math.min(100, row.share * 100)}%` } })), share(row.share))) },
      number("rate", "Calls", (row) => row.rate, rateText),
      number("errors", "Errors", (row) => row.errors, share, failed((row) => row.errors)),
      number("p95", "p95", (row) => row.p95, duration),
    ];
    this.callers = new Figures({ label: "Callers", sort: "-share", columns: peerColumns("Caller", "Part of the time that this service spends on all callers"),
      first: 8 });
    this.callees = new Figures({ label: "Callees", sort: "-share", columns: peerColumns("Callee",
      "Part of this service's time that it takes; calls at once add up to more than all of it"), first: 8 });
    const sides = (title, of) => [
      { key: "name", title, by: (row) => row.name, cell: (row) => [h("span.peer-name", {}, row.name.slice(0, TEXT_MAX) || h("em.faint", {}, "not said")),
        row.more ? h("span.faint.small", {}, ` ${row.more.slice(0, 100)}`) : null] },
      number("rate", "Rate", (row) => row.rate, rateText),
      number("errors", "Errors", (row) => row.errors, share, failed((row) => row.errors)),
      number("p95", "p95", (row) => row.p95, duration),
      { key: "links", title: "Traces", cell: (row) => h("a.row-action",
        { href: app.href(page.exploreView({ more: row.condition })), "aria-label": `Traces of ${of} ${row.name.slice(0, 80)} in Explore`,
        title: "Traces in Explore" }, icon("explore")) },
    ];
    this.versions = new Figures({ label: "Versions", sort: "-rate", columns: [...sides("Version", "version").slice(0, 4),
      { key: "since", title: "First seen", numeric: true, by: (row) => row.since, cell: (row) => row.sinceText, className: "spare" }, sides("", "version")[4]],
      first: 8 });
    this.instances = new Figures({ label: "Instances", sort: "-rate", columns: sides("Instance", "instance"), first: 8 });
    fill(this.parts.operations.body, this.operationFilter, this.operations.element);
  }

  /** Reads a part; what was there stays until the new is here. */
  async part(name, work, { signal, isOver }) {
    const { body, element, title } = this.parts[name];
    element.setAttribute("aria-busy", "true");
    try {
      await work();
      body.querySelector(".failure")?.remove();
    } catch (error) {
      if (isOver() || signal.aborted) return;
      body.querySelector(".failure")?.remove();
      body.prepend(failure(new api.ApiError(`${title} could not be read. ${error.message}`, error), () => this.part(name, work, { signal, isOver })));
    } finally {
      if (!isOver()) element.removeAttribute("aria-busy");
    }
  }

  load(signal, isOver) {
    const flight = { signal, isOver };
    this.flight = flight;
    const { page } = this;
    const { window } = page;
    this.part("operations", () => this.readOperations(flight), flight);
    const peers = async () => {
      const answer = await api.serviceGraph({ start: window.start, end: window.end }, signal);
      if (!isOver()) this.showPeers(answer);
    };
    this.part("callers", peers, flight);
    this.parts.callees.element.hidden = false;
    this.part("slow", () => this.readTraces("slow", flight), flight);
    this.part("failing", () => this.readTraces("failing", flight), flight);
    this.part("errors", () => this.readErrors(flight), flight);
    this.part("instances", () => this.readInstances(flight), flight);
  }

  async readOperations({ signal, isOver }) {
    const { page } = this;
    const { start, end } = page.window;
    const wanted = (end - start) / TRENDS;
    const step = wanted <= MINUTE ? MINUTE : ((wanted + MINUTE - 1n) / MINUTE) * MINUTE;
    const [whole, cut] = await Promise.all([api.serviceStatistics(page.name, { start, end }, signal),
      api.serviceStatistics(page.name, { start, end, step: String(step) }, signal)]);
    if (isOver()) return;
    const slice = whole.slices[0];
    const now = page.window.now;
    const [from, to] = [nanos(whole.startTimeUnixNano), nanos(whole.endTimeUnixNano)];
    const seconds = Math.max(1, Number((to < now ? to : now) - from) / 1e9);
    const first = start - (start % step);
    const length = Number((end - first + step - 1n) / step);
    const trends = new Map();
    for (const { startTimeUnixNano, operations } of cut.slices) {
      const at = Math.max(0, Number((nanos(startTimeUnixNano) - first) / step));
      for (const { name, kind, p95Nanos } of operations) {
        const key = `${kind}\0${name}`;
        if (!trends.has(key)) trends.set(key, new Array(length).fill(null));
        trends.get(key)[at] = Number(p95Nanos);
      }
    }
    const operations = slice?.operations ?? [];
    const sum = operations.reduce((all, { sumNanos }) => all + Number(sumNanos), 0) || 1;
    this.entryNanos = operations.reduce((all, { kind, sumNanos }) => all + (kind === "server" || kind === "consumer" ? Number(sumNanos) : 0), 0);
    this.operationRows = operations.map((row) => ({ ...row, rate: row.spanCount / seconds, errors: row.spanCount > 0 ? row.errorCount / row.spanCount : null,
      time: Number(row.sumNanos) / sum, trend: trends.get(`${row.kind}\0${row.name}`) ?? [] }));
    this.drawOperations();
    if (this.graph) this.showPeers(this.graph);
  }

  drawOperations() {
    if (!this.operationRows) return;
    const wanted = this.operationFilter.value.trim().toLowerCase();
    const rows = wanted ? this.operationRows.filter(({ name }) => (name ?? "").toLowerCase().includes(wanted)) : this.operationRows;
    this.operationFilter.hidden = this.operationRows.length < 8;
    this.operations.show(rows, this.page.state.sort);
    this.note("operations", rows.length ? null : wanted ? "No operation has such a name." : "No span of the service in this time.");
  }

  focusOperations() {
    const { element } = this.parts.operations;
    element.scrollIntoView({ block: "start" });
    (this.operationFilter.hidden ? element.querySelector("button") : this.operationFilter)?.focus();
  }

  /** A sentence in the place of a table that has no rows. */
  note(name, text) {
    const { body } = this.parts[name];
    body.querySelector(".nothing")?.remove();
    if (text) body.append(h("p.nothing.faint", {}, text));
    for (const table of body.querySelectorAll(".figures-box")) table.hidden = text !== null;
  }

  /** Puts a part's table into its place. */
  place(name, figures, rows, nothing) {
    const { body } = this.parts[name];
    if (figures.element.parentNode !== body) body.append(figures.element);
    figures.show(rows, figures.sort);
    this.note(name, rows.length ? null : nothing);
  }

  showPeers(graph) {
    this.graph = graph;
    const { name, window } = this.page;
    const seconds = windowSeconds(window);
    const row = (edge, peer, all) => ({ name: peer ?? "others",
      isService: edge.connectionType === "" || edge.connectionType === "messaging_system" && peer === edge.client,
      sort: { database: "database", messaging_system: "messages", virtual_node: "outside" }[edge.connectionType] ?? "",
      rate: edge.callCount / seconds, errors: edge.callCount > 0 ? edge.errorCount / edge.callCount : null, p95: Number(edge.p95Nanos),
        share: all > 0 ? Number(edge.sumNanos) / all : null });
    const isOutside = (edge) => edge.connectionType === "database" || edge.connectionType === "virtual_node";
    const callers = graph.edges.filter((edge) => edge.server === name && !isOutside(edge));
    const callees = graph.edges.filter((edge) => edge.client === name);
    const spent = callers.reduce((sum, { sumNanos }) => sum + Number(sumNanos), 0);
    this.place("callers", this.callers, callers.map((edge) => row(edge, edge.client, spent)), "No other service called it in this time.");
    this.place("callees", this.callees, callees.map((edge) => row(edge, edge.server, this.entryNanos ?? 0)), "It called nothing in this time.");
  }

  async readTraces(name, { signal, isOver }) {
    const { page, app } = this;
    const { start, end } = page.window;
    const slow = name === "slow";
    const least = page.red.quantileFloor(0.95);
    const q = slow ? spansOf({ ...page.spans, more: least ? `duration >= ${least}ns` : undefined }) : this.failedSpans;
    const { traces } = await api.search({ q, start, end, order: slow ? "duration" : "start", limit: TRACES, spans: 1 }, signal);
    if (isOver()) return;
    const { body } = this.parts[name];
    const now = Date.now();
    fill(body, traces.length ? h("ul.trace-list", {}, traces.map((trace) => {
      const span = trace.spansets?.[0]?.spans?.[0];
      const at = nanos(trace.startTimeUnixNano);
      return h("li", {}, h("a.trace-row", { href: app.href({ page: "trace", id: trace.traceId, state: { span: span?.spanId ?? "" } }) },
        h("span.trace-length", { title: exactDuration(nanos(trace.durationNanos)) }, duration(Number(trace.durationNanos))),
        h("span.trace-what", {}, (span?.name || trace.rootSpanName || trace.traceId.slice(0, 16)).slice(0, TEXT_MAX),
          span ? h("span.faint", {}, ` ${duration(Number(span.durationNanos))} here`) : null),
        h("span.trace-root.faint", {}, `${trace.rootServiceName} ${trace.rootSpanName}`.slice(0, TEXT_MAX)),
        trace.errorCount ? h("span.trace-errors", {}, icon("error"), count(trace.errorCount)) : h("span"),
        h("time.faint", { title: absoluteTime(at, zone.value) }, relativeTime(at, now))));
    })) : h("p.nothing.faint", {}, slow ? "No traces in this time." : "Nothing failed in this time."));
  }

  get failedSpans() {
    const { name, state } = this.page;
    return spansOf({ service: name, operation: state.op || undefined, failed: true });
  }

  async readErrors({ signal, isOver }) {
    const { page } = this;
    const { start, end } = page.window;
    const q = this.failedSpans;
    const [answer, codes] = await Promise.all([
      api.analysis("errors", { q, start, end, limit: ERROR_TRACES }, signal),
      api.metricsAtOnce({ q: `${q} | count_over_time() by(${HTTP_CODE}, ${GRPC_CODE})`, start, end }, signal),
    ]);
    if (isOver()) return;
    const countHere = ({ services }) => services.find(({ name }) => name === page.name)?.count ?? 0;
    const rows = answer.errors.map((error) => ({ ...error, here: countHere(error) })).filter(({ here }) => here > 0);
    this.place("errors", this.errors, rows, "Nothing failed in this time.");
    const { body } = this.parts.errors;
    body.querySelector(".codes")?.remove();
    const codeText = ({ [HTTP_CODE]: http, [GRPC_CODE]: grpc }) => [http && `HTTP ${http}`, grpc && `gRPC ${GRPC[grpc] ?? grpc}`].filter(Boolean).join(" ");
    const told = codes.map(({ labels, value }) => ({ value, text: codeText(labels) })).filter(({ text }) => text).sort((a, b) => b.value - a.value);
    if (told.length || answer.traces.isCut) {
      body.prepend(h("p.codes", {},
        told.slice(0, CODES_MAX).map(({ text, value }) => h("span.code-count", {}, text, " ", h("strong", {}, `×${count(Math.round(value))}`))),
        answer.traces.isCut ? h("span.faint", {}, `Messages are of the latest ${plural(answer.traces.inspected, "trace")} that failed.`) : null));
    }
  }

  /** @param {Map<string, { labels: string[], values: (number | null)[] }>} series by version and status */
  showVersions(series, signal, isOver) {
    const { page } = this;
    const byVersion = new Map();
    for (const { labels: [version, status], values } of series.values()) {
      const known = byVersion.get(version) ?? { spans: 0, failed: 0, first: Infinity };
      const spans = values.reduce((sum, value) => sum + (value ?? 0), 0);
      if (spans === 0) continue;
      byVersion.set(version, { spans: known.spans + spans, failed: known.failed + (status === "error" ? spans : 0),
        first: Math.min(known.first, values.findIndex((value) => value > 0)) });
    }
    const seconds = windowSeconds(page.window);
    const began = Math.min(...[...byVersion.values()].map(({ first }) => first));
    this.versionRows = [...byVersion].map(([name, { spans, failed, first }]) => ({ name, rate: spans / seconds, errors: failed / spans, p95: null,
      since: first, condition: is("resource.service.version", name),
      sinceText: first === began ? "before" : relativeTime(page.moments(first).from, Date.now()) }));
    this.place("versions", this.versions, this.versionRows, "No span in this time.");
    this.part("versions", () => this.addDurations("versions", this.versions, this.versionRows, { signal, isOver }), { signal, isOver });
  }

  async readInstances(flight) {
    const { page } = this;
    const { start, end } = page.window;
    const found = await api.metricsAtOnce({ q: `${spansOf(page.spans)} | count_over_time() by(${INSTANCE}, ${HOST}, status)`, start, end }, flight.signal);
    if (flight.isOver()) return;
    const seconds = windowSeconds(page.window);
    const rows = new Map();
    for (const { labels: { [INSTANCE]: id = "", [HOST]: place = "", status }, value } of found) {
      const key = `${id}\0${place}`;
      const known = rows.get(key) ?? { name: id || place, more: id ? place : "", spans: 0, failed: 0, p95: null,
        condition: `${is(INSTANCE, id)} && ${is(HOST, place)}` };
      rows.set(key, { ...known, spans: known.spans + value, failed: known.failed + (status === "error" ? value : 0) });
    }
    this.instanceRows = [...rows.values()].filter(({ spans }) => spans > 0).map((row) => ({ ...row, rate: row.spans / seconds,
      errors: row.failed / row.spans }));
    this.place("instances", this.instances, this.instanceRows, "No span in this time.");
    await this.addDurations("instances", this.instances, this.instanceRows, flight);
  }

  /** p95 of those with most spans, each from its own distribution. */
  async addDurations(name, figures, rows, { signal, isOver }) {
    const { page } = this;
    const most = rows.slice().sort((a, b) => b.rate - a.rate).slice(0, EXACT_MAX);
    await pool(most, AT_ONCE, async (row) => {
      const red = new Red(await api.heatmap({ q: spansOf({ ...page.spans, more: row.condition }), ...asked(page.window) }, signal), page.window);
      row.p95 = red.quantile(0.95);
      if (!isOver()) figures.draw();
    }, isOver);
  }

  redraw() {
    for (const figures of [this.operations, this.errors, this.callers, this.callees, this.versions, this.instances]) figures.draw();
  }
}

function is(field, value) {
  return value === "" ? `${field} = nil` : `${field} = ${literal(value, "string")}`;
}
