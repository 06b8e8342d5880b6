// SPDX-License-Identifier: Apache-2.0
// What the map knows of one call or one node: its numbers, how they went over the range, and traces to look at.
import * as api from "../api-more.js";
import { absoluteTime, count, duration, exactDuration, listTime, nanos, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { rateText } from "../lib/rate.js";
import { fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { KINDS, callConditions, changeText, nodeConditions } from "./graph.js";
import { trend } from "./trend.js";

const MOMENTS = 60;
const EXAMPLES_MAX = 5;
const CALLS_SHOWN_MAX = 50;
const SCROLLING = /^(Arrow|Page|Home$|End$| $)/;
const MINUTE = 60_000_000_000n;

export class Panel {
  /** @param {any} app @param {{ close: () => void, chooseNode: (id: string) => void, chooseCall: (id: string) => void, focus: (id: string) => void }} actions */
  constructor(app, actions) {
    this.app = app;
    this.actions = actions;
    this.element = h("aside.map-panel.scroller", { hidden: true, tabindex: "-1", "aria-label": "Details" });
    this.element.addEventListener("keydown", (event) => {
      // Arrows scroll here, and do not walk the map.
      if (SCROLLING.test(event.key)) event.stopPropagation();
      if (event.key !== "Escape") return;
      event.preventDefault();
      actions.close();
    });
  }

  hide() {
    this.flight?.abort();
    this.element.hidden = true;
    fill(this.element);
  }

  /** @param {any} title @param {string} kind @param {...any} parts */
  begin(title, kind, ...parts) {
    this.flight?.abort();
    this.flight = new AbortController();
    this.element.hidden = false;
    this.element.scrollTop = 0;
    fill(this.element,
      h("div.panel-head", {}, h("div", {}, h("h2", {}, title), h("p.faint", {}, kind)),
        h("button.icon-button", { type: "button", "aria-label": "Close", title: "Close (Esc)", onclick: () => this.actions.close() }, icon("close"))),
      parts);
  }

  /** @param {import("./graph.js").Call} call @param {{ start: bigint, end: bigint }} range */
  showCall(call, range) {
    const conditions = callConditions(call);
    const { before } = call;
    const charts = h("section.panel-part", {});
    const slow = h("section.panel-part", {});
    const failed = h("section.panel-part", {});
    const way = call.to.kind !== "service" ? `to a ${KINDS[call.to.kind]}` : call.connectionType === "messaging_system" ? "by messages" : "between services";
    this.begin([this.nodeButton(call.from), h("span.faint", { "aria-label": "calls" }, " → "), this.nodeButton(call.to)], `Calls ${way}`,
      numbers([
        ["Rate", rateText(call.rate), changeText(call.rate ?? 0, before?.rate), `${count(Math.round(call.calls))} calls`],
        ["Errors", share(call.errorShare), changeText(call.errorShare, before?.errorShare), `${count(Math.round(call.errors))} failed`, call.errors > 0],
        ["p50", duration(call.p50), "", exactDuration(call.p50)],
        ["p95", duration(call.p95), changeText(call.p95, before?.p95), exactDuration(call.p95)],
        ["p99", duration(call.p99), "", exactDuration(call.p99)],
      ]),
      h("p.panel-links", {},
        h("a", { href: this.explore(`{ ${conditions} }`) }, "Show in Explore"),
        call.exemplar ? h("a", { href: this.app.href({ page: "trace", id: call.exemplar, state: {} }) }, "Slowest call") : null),
      charts, call.errors > 0 ? failed : null, slow);
    this.fillPart(charts, "Over time", (signal) => callCharts(conditions, range, signal));
    if (call.errors > 0) this.fillPart(failed, "Failed calls", (signal) => this.examples(`{ ${conditions} && status = error }`, range, signal));
    // Quantiles of sums are within some percent of the durations they stand for.
    const isSlow = `{ ${conditions} && duration >= ${Math.floor(call.p95 * 0.95)}ns }`;
    this.fillPart(slow, ["Slow calls", h("span.as-is", {}, ` about ${duration(call.p95)} and more`)], (signal) => this.examples(isSlow, range, signal));
  }

  /** @param {import("./graph.js").Node} node @param {{ start: bigint, end: bigint }} range @param {boolean} isFocus */
  showNode(node, range, isFocus) {
    const isService = node.kind === "service";
    const charts = h("section.panel-part", {});
    const p95 = node.ins.reduce((most, call) => Math.max(most, call.p95), 0);
    this.begin([isService ? h("span.swatch", { "data-s": this.app.colors.of(node.name) }) : null, " ", node.name || "no name"], capital(KINDS[node.kind]),
      numbers([
        ["Rate", rateText(node.rate), "", `${count(Math.round(node.calls))} calls`],
        ["Errors", share(node.errorShare), "", `${count(Math.round(node.errors))} failed`, node.errors > 0],
        node.ins.length ? ["p95 at most", duration(p95), "", "The largest p95 of all who call it"] : null,
      ].filter(Boolean)),
      h("p.panel-links", {},
        isService ? h("a", { href: this.app.href({ page: "service", id: node.name, state: this.rangeState() }) }, "Service page") : null,
        h("a", { href: this.explore(`{ ${nodeConditions(node)} }`) }, "Show in Explore"),
        isFocus ? null : h("button.as-link", { type: "button", onclick: () => this.actions.focus(node.id) }, "Only its neighbours")),
      isService ? charts : null,
      this.callList("Called by", node.ins, "from"), this.callList("Calls", node.outs, "to"));
    if (isService) this.fillPart(charts, "Over time", (signal) => serviceCharts(node.name, range, signal));
  }

  nodeButton(node) {
    return h("button.as-link", { type: "button", onclick: () => this.actions.chooseNode(node.id) }, node.name || "no name");
  }

  callList(title, calls, end) {
    if (!calls.length) return null;
    const sorted = calls.slice().sort((a, b) => b.calls - a.calls);
    return h("section.panel-part", {}, h("h3", {}, title),
      h("ul.panel-calls", {}, sorted.slice(0, CALLS_SHOWN_MAX).map((call) => h("li", {},
        h("button.panel-call", { type: "button", onclick: () => this.actions.chooseCall(call.id) },
          h("span.swatch", { "data-s": call[end].kind === "service" ? this.app.colors.of(call[end].name) : null }),
          h("span.panel-name", {}, call[end].name || "no name"),
          h("span", {}, rateText(call.rate)), h("span", {}, duration(call.p95)),
          call.errors > 0 ? h("span.problem", {}, `${share(call.errorShare)} err`) : h("span", {}))))),
      calls.length > CALLS_SHOWN_MAX ? h("p.faint", {}, `${count(calls.length - CALLS_SHOWN_MAX)} more in the table`) : null);
  }

  /** A part that asks the server: while it waits, when it comes, when it does not. */
  async fillPart(part, title, ask) {
    const { signal } = this.flight;
    const heading = title instanceof Element ? title : h("h3", {}, title);
    const waiting = setTimeout(() => fill(part, heading, h("p.faint", {}, "Asking the server…")), 150);
    fill(part, heading);
    part.setAttribute("aria-busy", "true");
    try {
      const parts = await ask(signal);
      if (!signal.aborted) fill(part, heading, parts);
    } catch (error) {
      if (signal.aborted) return;
      fill(part, heading, h("p.problem", {}, error.message, error.requestId ? [" Request ", h("code", {}, error.requestId)] : null),
        h("button", { type: "button", onclick: () => this.fillPart(part, heading, ask) }, icon("run"), "Try again"));
    } finally {
      clearTimeout(waiting);
      part.removeAttribute("aria-busy");
    }
  }

  /** Traces with such a call, each with the span that it is. */
  async examples(q, { start, end }, signal) {
    const { traces } = await api.search({ q, start, end, limit: EXAMPLES_MAX, spans: 1 }, signal);
    if (!traces.length) return h("p.faint", {}, "None is stored any more, or they are being written.");
    return h("ul.panel-examples", {}, traces.map((trace) => {
      const span = trace.spansets?.[0]?.spans?.[0];
      const start = nanos(span?.startTimeUnixNano ?? trace.startTimeUnixNano);
      return h("li", {}, h("a.panel-example", { href: this.app.href({ page: "trace", id: trace.traceId, state: span ? { span: span.spanId } : {} }) },
        h("time", { title: absoluteTime(start, zone.value, 9) }, listTime(start, zone.value, Date.now()).replace(/\.\d+$/, "")),
        h("span.panel-name", {}, span?.name ?? trace.rootSpanName),
        h("span", {}, duration(Number(span?.durationNanos ?? trace.durationNanos)))));
    }));
  }

  rangeState() {
    const { from, to } = this.app.view.state;
    return { from, to };
  }

  explore(q) {
    return this.app.href({ page: "explore", state: { q, ...this.rangeState() } });
  }
}

/** @param {[string, string, string, string, boolean?][]} facts name, value, change, what the pointer says, whether it is bad */
function numbers(facts) {
  return h("dl.panel-numbers", {}, facts.map(([name, value, change, title, isBad]) => h("div", { title }, h("dt", {}, name),
    h("dd", {}, h(isBad ? "span.problem" : "span", {}, value), change ? h("span.panel-change", { title: "against the window before" }, change) : null))));
}

async function callCharts(conditions, { start, end }, signal) {
  const step = `${stepFor(start, end, 1_000_000_000n)}ns`;
  const [rates, latencies] = await Promise.all([
    api.metrics({ q: `{ ${conditions} } | rate() by(status)`, start, end, step }, signal),
    api.metrics({ q: `{ ${conditions} } | quantile_over_time(duration, .5, .95)`, start, end, step }, signal),
  ]);
  const length = rates.moments;
  const all = new Array(length).fill(0);
  const failed = new Array(length).fill(0);
  for (const { labels, values } of rates.series) {
    const isError = labels.some(({ value }) => value === "error");
    values.forEach((value, at) => {
      all[at] += value ?? 0;
      if (isError) failed[at] += value ?? 0;
    });
  }
  const quantile = (wanted) => {
    const found = latencies.series.find(({ labels }) => labels.some(({ value }) => Number(value) === wanted));
    return found?.values.map((value) => (value === null ? null : value * 1e9)) ?? [];
  };
  const time = { startNanos: nanos(rates.startTimeUnixNano), stepNanos: nanos(rates.stepNanos) };
  return charts(all, failed, quantile(0.95), quantile(0.5), time);
}

async function serviceCharts(name, { start, end }, signal) {
  const step = stepFor(start, end, MINUTE);
  const { slices } = await api.serviceStatistics(name, { start, end, step: String(step) }, signal);
  const first = (start / step) * step;
  const length = Number((end - first + step - 1n) / step);
  const column = (initial) => new Array(length).fill(initial);
  const [all, failed, p95, p50] = [column(0), column(0), column(null), column(null)];
  for (const { startTimeUnixNano, total } of slices) {
    const at = Number((nanos(startTimeUnixNano) - first) / step);
    if (at < 0 || at >= length) continue;
    const rate = total.spansPerSecond ?? 0;
    all[at] = rate;
    failed[at] = total.spanCount > 0 ? (rate * total.errorCount) / total.spanCount : 0;
    p95[at] = Number(total.p95Nanos);
    p50[at] = Number(total.p50Nanos);
  }
  return charts(all, failed, p95, p50, { startNanos: first, stepNanos: step }, "Spans");
}

function charts(all, failed, p95, p50, time, what = "Calls") {
  return [
    trend({ title: what, lines: [{ name: "all", values: all }], text: rateText, ...time }),
    trend({ title: "Failed", lines: [{ name: "failed", values: failed, look: "bad" }], text: rateText, ...time }),
    trend({ title: "Duration, p95 over p50", lines: [{ name: "p95", values: p95 }, { name: "p50", values: p50, look: "faint" }], text: duration, ...time }),
  ];
}

/** A step of which the range has about sixty, a multiple of `unit`. */
function stepFor(start, end, unit) {
  const step = (end - start) / BigInt(MOMENTS);
  return step <= unit ? unit : ((step + unit - 1n) / unit) * unit;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
