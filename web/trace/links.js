// SPDX-License-Identifier: Apache-2.0
// Links of a span, both ways: the spans it names, and the spans that name it, wherever they are stored.
import * as api from "../api.js";
import { relativeTime, nanos, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";
import { extrasOf } from "./extras.js";
import { listed, section } from "./section.js";

const LISTED_MAX = 20;
/** How many linked spans of other traces are asked for by name. */
const NAMED_MAX = 20;
const FOUND_MAX = 100;
const NAME_MAX = 200;
/** Who links to a span mostly starts with it or soon after: as far as that is looked without being asked to. */
const BEFORE_NANOS = 3_600_000_000_000n;
const AFTER_NANOS = 86_400_000_000_000n;

export class Links {
  /** @param {{ traceHref: (id: string, span: string) => string, select: (row: number) => void }} actions @param {import("./attributes.js").Attributes} attributes */
  constructor(actions, attributes) {
    this.actions = actions;
    this.attributes = attributes;
    this.aborted = new AbortController();
  }

  /** @param {import("./model.js").TraceModel} model @param {any} span OTLP JSON @param {bigint} traceStart @returns {any} sections; the one of links in comes when there are some */
  show(model, span, traceStart) {
    this.stop();
    this.aborted = new AbortController();
    this.model = model;
    const isValid = ({ traceId, spanId }) => /^[0-9a-f]{32}$/.test(traceId ?? "") && /^[0-9a-f]{16}$/.test(spanId ?? "");
    const list = (span.links ?? []).filter(isValid);
    const targets = new Map();
    const out = list.length ? section("Links to", listed(h("ul.links", {}), list, LISTED_MAX, (link) => {
      const target = h("span", {}, this.target(link.traceId, link.spanId));
      if (link.traceId !== model.traceId) targets.set(`${link.traceId}/${link.spanId}`, { link, target });
      return h("li", {}, target, (link.attributes ?? []).length ? this.attributes.table(link.attributes) : null);
    }), { size: list.length }) : null;
    if (targets.size) this.nameTargets([...targets.values()].slice(0, NAMED_MAX));
    const back = h("div.links-in", {});
    const range = { start: traceStart > BEFORE_NANOS ? traceStart - BEFORE_NANOS : 0n, end: traceStart + BigInt(Math.ceil(model.to)) + AFTER_NANOS };
    this.findBack(span, back, range);
    const further = h("button.quiet.show-all", { type: "button", title: "Links from spans that start within a day were looked for", onclick: async () => {
      further.disabled = true;
      await this.findBack(span, back, {});
      further.replaceWith(h("span.faint", { role: "status" }, back.firstChild ? "All links to it are shown." : "No stored span links to it."));
    } }, "Links to it from any time");
    return { sections: [out, back], further };
  }

  /** The way to a span: here by its row, elsewhere by its address. */
  target(traceId, spanId, name, more) {
    const row = traceId === this.model.traceId ? this.model.rowOf(spanId) : -1;
    if (row >= 0) {
      return h("button.quiet.link", { type: "button", onclick: () => this.actions.select(row) },
        h("span.swatch", { "data-s": this.model.color(row) }), h("span.link-name", {}, `${this.model.serviceName(row)} ${this.model.operationName(row)}`), h("span.faint", {}, "this trace"));
    }
    return [h("a.link", { href: this.actions.traceHref(traceId, spanId), title: `${traceId} / ${spanId}` }, icon("link"), h("span.link-name", {}, name ?? h("code", {}, `${traceId.slice(0, 16)}… / ${spanId}`))), more ? h("span.faint", {}, ` ${more}`) : null];
  }

  /** Ids say nothing: one question tells what the linked spans are. */
  async nameTargets(targets) {
    const { signal } = this.aborted;
    const q = `{ ${targets.map(({ link }) => `(trace:id = "${link.traceId}" && span:id = "${link.spanId}")`).join(" || ")} }`;
    const found = await api.search({ q, limit: NAMED_MAX, spans: NAMED_MAX }, signal).catch(() => null);
    if (!found || signal.aborted) return;
    const names = new Map(spansOf(found).map((span) => [`${span.traceId}/${span.spanId}`, span]));
    for (const { link, target } of targets) {
      const span = names.get(`${link.traceId}/${link.spanId}`);
      fill(target, this.target(link.traceId, link.spanId, span ? nameOf(span) : undefined, span ? relativeTime(nanos(span.startTimeUnixNano), Date.now()) : "not stored here"));
    }
  }

  async findBack(span, place, range) {
    const { signal } = this.aborted;
    const { model } = this;
    try {
      if (!(await extrasOf(model).isLinked(range)) || signal.aborted) return;
      const q = `{ link:traceID = "${model.traceId}" && link:spanID = "${span.spanId}" }`;
      const answer = await api.search({ q, ...range, limit: FOUND_MAX, spans: FOUND_MAX }, signal);
      const spans = spansOf(answer);
      if (signal.aborted || !spans.length) return;
      fill(place, section("Linked from", [
        listed(h("ul.links", {}), spans, LISTED_MAX, (found) => h("li", {}, this.target(found.traceId, found.spanId, nameOf(found), relativeTime(nanos(found.startTimeUnixNano), Date.now())))),
        answer.next ? h("p.faint", {}, `The newest ${plural(answer.traces.length, "trace")}; there are more.`) : null], { size: spans.length }));
    } catch (error) {
      if (!signal.aborted) fill(place, section("Linked from", [h("p.problem", {}, error.message), h("button", { type: "button", onclick: () => { fill(place); this.findBack(span, place, range); } }, "Try again")]));
    }
  }

  stop() {
    this.aborted.abort();
  }
}

function spansOf({ traces }) {
  return traces.flatMap(({ traceId, spansets }) => (spansets ?? []).flatMap(({ spans }) => spans.map((span) => ({ traceId, ...span }))));
}

function nameOf({ serviceName, name }) {
  return `${serviceName} ${name}`.trim().slice(0, NAME_MAX) || "unnamed";
}
