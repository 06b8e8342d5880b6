// SPDX-License-Identifier: Apache-2.0
// What stands above a trace: its root, its measures, and what is odd about it.
import * as api from "../api-more.js";
import { absoluteTime, count, duration, exactDuration, nanos, plural, relativeTime, share, shortened, zoneLabel } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";
import { zone } from "../settings.js";

export class TraceHead {
  /** @param {any} trace the page */
  constructor(trace) {
    this.trace = trace;
    this.title = h("h1.trace-title", {}, h("span.faint", {}, "Trace ", h("code", {}, trace.id.slice(0, 16))));
    this.facts = h("dl.trace-facts", {});
    this.chips = h("div.warnings", {});
    this.arrived = h("span.warning-chip", { role: "status" });
    this.element = h("div.trace-head", {}, this.facts, this.chips);
  }

  show() {
    const { trace } = this;
    const { skeleton } = trace;
    const [rootServiceName, rootSpanName] = [skeleton.rootServiceName, skeleton.rootSpanName].map((name) => shortened(name));
    const isRooted = rootServiceName !== "" || rootSpanName !== "";
    const root = skeleton.services.find(({ name }) => name === skeleton.rootServiceName);
    document.title = isRooted ? `${rootServiceName} ${rootSpanName} · Skein` : `Trace ${trace.id.slice(0, 8)} · Skein`;
    fill(this.title, h("span.swatch", { "data-s": root?.color ?? null }), isRooted ? [h("span.title-service", {}, rootServiceName), h("span.title-operation", {}, rootSpanName)] : h("span.faint", {}, "The root has not arrived"));
    this.title.title = `${rootServiceName} ${rootSpanName}`;
    this.showFacts();
    fill(this.chips, (skeleton.warnings ?? []).map((warning) => this.chip(warning)));
  }

  showFacts() {
    const { trace } = this;
    const { skeleton, criticalPath } = trace;
    const total = Number(nanos(skeleton.durationNanos));
    const fact = (name, value, title) => h("div.fact", {}, h("dt", {}, name), h("dd", { title: title ?? null }, value));
    const most = criticalPath?.operations[0];
    fill(this.facts,
      fact("Duration", h("strong", {}, duration(total)), exactDuration(total)),
      fact("Started", h("time", { title: `${absoluteTime(trace.traceStart, zone.value, 9)} ${zoneLabel(zone.value, Date.now())}` },
        absoluteTime(trace.traceStart, zone.value, 3),
        h("span.faint", {}, h("span.fact-zone", {}, ` ${zoneLabel(zone.value, Date.now())}`), ` · ${relativeTime(trace.traceStart, Date.now())}`))),
      fact("Spans", count(skeleton.spanCount)),
      fact("Services", h("button.quiet.fact-button", { type: "button", title: `Show them in the table\n${skeleton.services.map(({ name, spanCount }) => `${name}: ${count(spanCount)}`).join("\n")}`, onclick: () => trace.push({ view: "table", by: "service" }) }, count(skeleton.services.length))),
      fact("Errors", skeleton.errorCount ? h("button.quiet.fact-button.problem", { type: "button", title: "Next error (e)", onclick: () => trace.nextError(1) }, icon("error"), count(skeleton.errorCount)) : "0"),
      fact("Depth", count(skeleton.depth)),
      most ? fact("Longest on the critical path", h("button.quiet.fact-button.path-most", { type: "button", title: `Show the longest of them\n${pathText(criticalPath)}`, onclick: () => this.showLongest(most) }, `${share(most.share)} `, h("span.faint", {}, shortened(nameOf(most), 80)))) : null,
      fact("Id", h("button.quiet.fact-button.faint", { type: "button", title: "Copy the trace id", onclick: () => trace.app.shell.copy(trace.id, "Trace id") }, h("code", {}, trace.id), icon("copy"))));
  }

  /** The span of an operation that the end of the trace waited for most. */
  showLongest({ service, operation }) {
    const { model, criticalPath } = this.trace;
    const rows = criticalPath.rows.filter((row) => model.serviceName(row) === service && model.operationName(row) === operation);
    if (rows.length) this.trace.selectAnywhere(rows.reduce((most, row) => (criticalPath.nanosOf(row) > criticalPath.nanosOf(most) ? row : most)));
  }

  /** A warning, with the way to what it speaks of. */
  chip({ code, message }) {
    const { trace } = this;
    const { model, skeleton } = trace;
    const rowsOfSpans = (spans) => model.rowsWhere((row) => spans.has(model.span[row]));
    const way = {
      "missing-parents": () => this.way("Next", () => trace.goAmong(model.rowsWhere((row) => model.isPlaceholder(row)), 1)),
      cycle: () => this.way("Next", () => trace.goAmong(rowsOfSpans(new Set(skeleton.cyclesBroken)), 1)),
      clock: () => this.way("Explain", () => this.explainClocks()),
    }[code];
    return h("span.warning-chip", {}, icon("warning"), message, way?.());
  }

  way(title, act) {
    return h("button.quiet", { type: "button", onclick: act }, title);
  }

  /** More spans than are shown. @param {number} more */
  showArrived(more) {
    if (!this.arrived.isConnected) this.chips.append(this.arrived);
    fill(this.arrived, icon("live"), `${plural(more, "new span")} `, this.way("Show", () => this.trace.load()));
  }

  async explainClocks() {
    const { trace } = this;
    const body = h("div.clocks", {}, h("p.faint", {}, "Asking the server…"));
    trace.app.shell.dialog("Clocks of this trace", body);
    try {
      fill(body, clockTable(await api.clockSkew(trace.id, trace.life.signal)));
    } catch (error) {
      fill(body, h("p.problem", {}, error.message));
    }
  }
}

/** @param {any} answer */
function clockTable({ isSkewed, clocks }) {
  const row = ({ name, services, offsetNanos, callCount }) => {
    const offset = Number(nanos(offsetNanos));
    const words = offset === 0 ? "in step" : `${duration(Math.abs(offset))} ${offset > 0 ? "behind" : "ahead"}`;
    return h("tr", {}, h("th", { scope: "row" }, name || "unnamed"), h("td", {}, services.join(", ")), h("td.number", { title: exactDuration(offset) }, words), h("td.number", {}, count(callCount)));
  };
  return [
    h("p", {}, isSkewed
      ? "Clocks of these hosts seem to differ: calls would else start before their callers, or end after them. Times are shown as they came; nothing is shifted."
      : "Calls lie within their callers: the clocks seem to agree. Spans that start before their parent, or end before their start, were recorded so."),
    h("table.clock-table", {}, h("thead", {}, h("tr", {}, ["Clock", "Services", "Against the root's", "Calls"].map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, clocks.map(row))),
  ];
}

function nameOf({ service, operation }) {
  return `${service} ${operation || "unnamed"}`.trim();
}

function pathText({ operations }) {
  return operations.slice(0, 10).map(({ service, operation, share: part }) => `${share(part)} ${shortened(nameOf({ service, operation }), 80)}`).join("\n");
}
