// SPDX-License-Identifier: Apache-2.0
// What is known about one span, in the panel beside the views. Every value is a text node; links are made of http and
// https addresses only.
import * as api from "../api-more.js";
import { absoluteTime, count, duration, exactDuration, nanos, plural, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { Attributes, longText, small } from "./attributes.js";
import { extrasOf } from "./extras.js";
import { Links } from "./links.js";
import { SEVERITIES, logEntries } from "./log-records.js";
import { Rank } from "./rank.js";
import { listed, section } from "./section.js";
import { plainValue } from "./values.js";
import { KIND_NAMES } from "./kinds.js";

const LISTED_MAX = 50;
const LOGS_MAX = 500;
/** More of them stand among the events alone. */
const EXCEPTIONS_MAX = 5;
/** Longer names are cut in the title. */
const TITLE_MAX = 120;

/**
 * @typedef {{ search: (condition: import("../explore/query-text.js").Condition) => void, copy: (text: string, what: string) => void,
 *   find: (condition: import("../explore/query-text.js").Condition) => void, traceHref: (id: string, span: string) => string, exploreHref: (q: string, from: string, to: string) => string,
 *   openView: (name: string) => void, criticalPath: () => Promise<import("./critical-path.js").CriticalPath>, close: () => void, select: (row: number) => void }} Actions
 */

export class Details {
  /** @param {Actions} actions */
  constructor(actions) {
    this.actions = actions;
    this.attributes = new Attributes(actions);
    this.links = new Links(actions, this.attributes);
    this.rank = new Rank(actions);
    this.facts = h("div.details-facts", {});
    this.rest = h("div.details-rest", {});
    this.body = h("div.details-body", {}, this.facts, this.rest);
    this.title = h("h2.details-title", {});
    this.element = h("aside.details", { "aria-label": "Span" },
      h("div.details-head", {}, this.title, h("button.icon-button", { type: "button", "aria-label": "Close the details", title: "Close (Esc)", onclick: () => actions.close() }, icon("close"))), this.body);
  }

  /** What the skeleton knows already; the rest of the span before stays, dimmed, until its own is here. @param {import("./model.js").TraceModel} model @param {number} row */
  showRow(model, row) {
    const before = this.operation;
    this.operation = `${model.serviceName(row)} ${model.operationName(row)}`;
    fill(this.title, h("span.details-of", {}, h("span.swatch", { "data-s": model.color(row) }), model.serviceName(row).slice(0, TITLE_MAX)), h("span.details-operation", {}, model.operationName(row).slice(0, 4 * TITLE_MAX) || h("span.faint", {}, "unnamed")));
    this.title.title = this.operation.slice(0, 4 * TITLE_MAX);
    this.model = model;
    this.row = row;
    this.stop();
    // Whoever walks through spans of one operation looks at the same place of each.
    if (before !== this.operation) this.body.scrollTop = 0;
    if (model.isPlaceholder(row)) {
      const { spanId } = model.missing[-1 - model.span[row]];
      fill(this.facts, h("p.faint", {}, `${plural(model.children[row], "span")} name ${spanId} as the parent, but it has not arrived. It may be late, lost, not sampled, or sent to another collector.`), this.factList([this.copyRow("Span id", spanId)]));
      this.setRest();
      return;
    }
    fill(this.facts, this.timing());
    this.rest.inert = true;
    this.rest.classList.add("waiting");
  }

  showError(error, retry) {
    this.setRest(h("p.problem", {}, error.message), error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null, h("button", { type: "button", onclick: retry }, "Try again"));
  }

  /** @param {any} span OTLP JSON @param {any} resource @param {any} scope @param {bigint} traceStart */
  showSpan(span, resource, scope, traceStart) {
    const start = nanos(span.startTimeUnixNano);
    const { scrollTop } = this.body;
    const links = this.links.show(this.model, span, traceStart);
    fill(this.facts, this.status(span), this.timing(start));
    this.setRest(
      this.rank.show(this.model, this.row, traceStart),
      this.exceptions(span, start),
      this.attributes.show(span, resource, scope),
      this.events(span, start),
      this.logs(span, start, traceStart),
      links.sections,
      this.ids(span, links.further));
    this.body.scrollTop = scrollTop;
  }

  /** A span of a trace that is not looked at as a whole: what it says itself. @param {any} span OTLP JSON @param {any} resource @param {any} scope */
  showAlone(span, resource, scope) {
    const start = nanos(span.startTimeUnixNano);
    this.stop();
    fill(this.facts, this.status(span));
    this.setRest(this.exceptions(span, start), this.attributes.show(span, resource, scope), this.events(span, start), this.ids(span));
  }

  ids(span, further = null) {
    return section("Span", [this.factList([
      this.copyRow("Span id", span.spanId), this.copyRow("Parent id", span.parentSpanId || "none", !span.parentSpanId), this.copyRow("Trace id", span.traceId),
      span.traceState ? this.copyRow("Trace state", span.traceState) : null,
      (span.name ?? "").length > TITLE_MAX ? [h("dt", {}, "Name"), h("dd.long-name", {}, h("div", {}, longText(span.name, "span")))] : null,
      this.dropped(span)]),
      h("div.row-of-buttons", {}, h("button.quiet", { type: "button", onclick: () => this.actions.copy(JSON.stringify(span, null, 2), "Span as OTLP JSON") }, icon("copy"), "Copy as JSON"),
        h("button.quiet", { type: "button", onclick: () => this.actions.openView("raw") }, "Raw view"), further)]);
  }

  setRest(...content) {
    this.rest.inert = false;
    this.rest.classList.remove("waiting");
    fill(this.rest, ...content);
  }

  timing(start) {
    const { model, row } = this;
    const own = model.selfTime(row);
    const fact = (name, value, exact) => h("div.fact", {}, h("dt", {}, name), h("dd", { title: exact ?? null }, value));
    const onPath = h("dd", {}, h("span.faint", {}, "…"));
    this.showPathTime(onPath);
    return h("dl.timing", {},
      fact("Duration", [duration(model.duration[row]), model.running[row] ? h("span.faint", {}, " so far, still running") : null], exactDuration(model.duration[row])),
      fact("Self time", [duration(own), h("span.faint", {}, ` ${share(own / Math.max(1, model.duration[row]))}`)], exactDuration(own)),
      fact("Of trace", share(model.duration[row] / (model.to - model.from))),
      fact("Starts at", `+${duration(model.start[row])}`, start ? absoluteTime(start, zone.value, 9) : exactDuration(model.start[row])),
      h("div.fact", {}, h("dt", { title: "How long the end of the trace waited for this span itself" }, "Critical path"), onPath),
      fact("Kind", KIND_NAMES[model.kind[row]] ?? "unspecified"),
      model.weight[row] > 1 ? fact("Sampled", `×${Math.round(model.weight[row] * 100) / 100}`, "How many spans this one stands for") : null,
      model.children[row] ? fact("Children", count(model.children[row])) : null);
  }

  async showPathTime(place) {
    const { model, row } = this;
    try {
      // A span that still runs has gone on since.
      const time = Math.min((await this.actions.criticalPath()).nanosOf(row), model.duration[row]);
      if (time > 0) fill(place, duration(time), h("span.faint", {}, ` ${share(time / (model.to - model.from))}`));
      else fill(place, "not on it");
      attribute(place, "title", exactDuration(time));
    } catch (error) {
      fill(place, "unknown");
      attribute(place, "title", error.message);
    }
  }

  status(span) {
    const code = span.status?.code ?? 0;
    const message = span.status?.message ?? "";
    if (code === 2 || code === "STATUS_CODE_ERROR") return h("div.details-status", {}, icon("error"), h("div", {}, longText(message || "Error, with no message", "span")));
    return message ? h("p.faint", {}, message) : null;
  }

  /** Exceptions first: they are what people come for. */
  exceptions(span, start) {
    const found = (span.events ?? []).filter((event) => event.name === "exception");
    return found.slice(0, EXCEPTIONS_MAX).map((event) => {
      const value = (key) => plainValue((event.attributes ?? []).find((attribute) => attribute.key === key)?.value);
      const stack = value("exception.stacktrace");
      return section("Exception", h("div.exception", {},
        h("p.exception-title", {}, h("strong", {}, String(value("exception.type") ?? "Exception")), " ", longText(String(value("exception.message") ?? ""), "span")),
        stack ? [longText(String(stack), "pre.stack", "Stack trace"), small("copy", "Copy the stack trace", () => this.actions.copy(String(stack), "Stack trace"))] : null),
        { beside: h("span.as-is", {}, offset(Number(nanos(event.timeUnixNano) - start))) });
    });
  }

  events(span, start) {
    const list = (span.events ?? []).map((event) => ({ event, at: Number(nanos(event.timeUnixNano) - start) })).sort((a, b) => a.at - b.at);
    if (!list.length) return null;
    return section("Events", listed(h("ol.events", {}), list, LISTED_MAX, ({ event, at }) => {
      const attributes = (event.attributes ?? []).filter(({ key }) => key !== "exception.stacktrace");
      return h("li.event", {}, h("div.event-head", {}, h("span.event-name", {}, event.name || "event"), h("time.number", { title: absoluteTime(nanos(event.timeUnixNano), zone.value, 9) }, offset(at))),
        attributes.length ? this.attributes.table(attributes) : null);
    }), { size: list.length });
  }

  /** Log records of the span; they come after the rest, and only a trace that has some shows the section. */
  logs(span, start, traceStart) {
    const place = h("div.span-logs", {});
    const { model } = this;
    const { signal } = (this.aborted = new AbortController());
    const load = async () => {
      if (!(await extrasOf(model).hasLogs()) || signal.aborted) return;
      const answer = await api.traceLogs(model.traceId, span.spanId, LOGS_MAX, signal);
      const entries = logEntries(answer, traceStart);
      if (!entries.length || signal.aborted) return;
      const beforeSpan = Number(start - traceStart);
      fill(place, section("Logs", [listed(h("ol.events", {}), entries, LISTED_MAX, (entry) => h("li.event", {},
        h("div.event-head", {}, h("span.log-text", {}, entry.severity >= 0 ? h(`span.severity.${SEVERITIES[entry.severity]}`, {}, SEVERITIES[entry.severity]) : null, longText(entry.text, "span")), h("time.number", { title: absoluteTime(entry.time, zone.value, 9) }, offset(entry.at - beforeSpan))),
        entry.attributes.length ? h("details.log-attributes", {}, h("summary", {}, plural(entry.attributes.length, "attribute")), this.attributes.table(entry.attributes)) : null)),
        answer.truncated ? h("p.faint", {}, `The first ${count(LOGS_MAX)}; there are more.`) : null,
        h("button.quiet.show-all", { type: "button", onclick: () => this.actions.openView("logs") }, "All logs of the trace")], { size: entries.length }));
    };
    const begin = () => load().catch((error) => {
      if (!signal.aborted) fill(place, section("Logs", [h("p.problem", {}, error.message), h("button", { type: "button", onclick: begin }, "Try again")]));
    });
    begin();
    return place;
  }

  dropped(span) {
    const parts = [["droppedAttributesCount", "attribute"], ["droppedEventsCount", "event"], ["droppedLinksCount", "link"]].filter(([key]) => span[key] > 0).map(([key, name]) => plural(span[key], name));
    return parts.length ? [h("dt", {}, "Dropped"), h("dd", {}, `${parts.join(", ")}, by the sender`)] : null;
  }

  factList(rows) {
    return h("dl.facts.ids", {}, rows);
  }

  copyRow(name, value, isPlain = false) {
    return [h("dt", {}, name), h("dd", {}, h(isPlain ? "span.faint" : "code", {}, value), isPlain ? null : small("copy", `Copy ${name.toLowerCase()}`, () => this.actions.copy(value, name)))];
  }

  /** Gives up what is on its way for a span that is no longer shown. */
  stop() {
    this.rank.stop();
    this.links.stop();
    this.aborted?.abort();
  }

  close() {
    this.stop();
  }
}

/** When something happened, seen from the start of the span. @param {number} nanos */
function offset(nanos) {
  return `${nanos < 0 ? "−" : "+"}${duration(Math.abs(nanos))}`;
}
