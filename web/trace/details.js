// SPDX-License-Identifier: Apache-2.0
// What is known about one span. Every value is a text node; links are made of http and https addresses only.
import { absoluteTime, bytes, count, duration, exactDuration, nanos, plural, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";
import { zone } from "../settings.js";
import { KIND_NAMES } from "./waterfall.js";
import { isNested, plainValue, pretty, typeOf, valueText } from "./values.js";

const SHOWN_MAX = 2048;
const FILTER_FROM = 8;
/** Families of the semantic conventions, by the first part of the key; the others stand under "Attributes". */
const GROUPS = new Map(Object.entries({
  http: "HTTP", url: "HTTP", user_agent: "HTTP", db: "Database", rpc: "RPC", messaging: "Messaging", gen_ai: "GenAI", mcp: "GenAI",
  exception: "Exception", error: "Error", server: "Network", client: "Network", network: "Network", net: "Network", peer: "Network",
  code: "Code", thread: "Code", faas: "FaaS", aws: "Cloud", cloud: "Cloud", feature_flag: "Feature flag", graphql: "GraphQL",
}));

export class Details {
  /** @param {{ search: (condition: import("../explore/query-text.js").Condition) => void, copy: (text: string, what: string) => void, traceHref: (id: string, span: string) => string, close: () => void, select: (row: number) => void }} actions */
  constructor(actions) {
    this.actions = actions;
    this.body = h("div.details-body", {});
    this.title = h("h2.details-title", {});
    this.element = h("aside.details", { "aria-label": "Span" },
      h("div.details-head", {}, this.title, h("button.icon-button", { type: "button", "aria-label": "Close the details", title: "Close (Esc)", onclick: () => actions.close() }, icon("close"))), this.body);
  }

  /** What the skeleton knows already; the rest follows. @param {import("./model.js").TraceModel} model @param {number} row */
  showRow(model, row) {
    fill(this.title, h("span.details-of", {}, h("span.swatch", { "data-s": model.color(row) }), model.serviceName(row)), h("span.details-operation", {}, model.operationName(row)));
    this.title.title = `${model.serviceName(row)} ${model.operationName(row)}`;
    this.model = model;
    this.row = row;
    this.body.scrollTop = 0;
    if (model.isPlaceholder(row)) {
      const { spanId } = model.missing[-1 - model.span[row]];
      fill(this.body, h("p.faint", {}, `${plural(model.children[row], "span")} name ${spanId} as the parent, but it has not arrived. It may be late, lost, not sampled, or sent to another collector.`), this.factList([this.copyRow("Span id", spanId)]));
      return;
    }
    fill(this.body, this.timing());
  }

  showError(error, retry) {
    fill(this.body, this.timing(), h("p.problem", {}, error.message), h("button", { type: "button", onclick: retry }, "Try again"));
  }

  /** @param {any} span OTLP JSON @param {any} resource @param {any} scope @param {bigint} traceStart */
  showSpan(span, resource, scope, traceStart) {
    const start = nanos(span.startTimeUnixNano);
    fill(this.body,
      this.status(span),
      this.timing(start),
      this.exceptions(span, start),
      this.attributes(span.attributes ?? [], "span"),
      this.events(span, start),
      this.links(span),
      this.section("Resource", this.table(resource?.attributes ?? [], "resource"), (resource?.attributes ?? []).length),
      this.scope(scope),
      this.section("Span", this.factList([
        this.copyRow("Span id", span.spanId), this.copyRow("Parent id", span.parentSpanId || "none", !span.parentSpanId), this.copyRow("Trace id", span.traceId),
        span.traceState ? this.copyRow("Trace state", span.traceState) : null,
        this.dropped(span),
      ])));
  }

  timing(start) {
    const { model, row } = this;
    const own = model.selfTime(row);
    const fact = (name, value, exact) => h("div.fact", {}, h("dt", {}, name), h("dd", { title: exact ?? null }, value));
    return h("dl.timing", {},
      fact("Duration", duration(model.duration[row]), exactDuration(model.duration[row])),
      fact("Self time", [duration(own), h("span.faint", {}, ` ${share(own / Math.max(1, model.duration[row]))}`)], exactDuration(own)),
      fact("Of trace", share(model.duration[row] / (model.to - model.from))),
      model.weight[row] > 1 ? fact("Sampled", `×${Math.round(model.weight[row] * 100) / 100}`, "How many spans this one stands for") : null,
      fact("Starts at", `+${duration(model.start[row])}`, start ? absoluteTime(start, zone.value, 9) : exactDuration(model.start[row])),
      fact("Kind", KIND_NAMES[model.kind[row]] ?? "unspecified"),
      model.children[row] ? fact("Children", count(model.children[row])) : null);
  }

  status(span) {
    const code = span.status?.code ?? 0;
    if (code !== 2 && code !== "STATUS_CODE_ERROR") return null;
    return h("p.details-status", {}, icon("error"), h("span", {}, span.status?.message || "Error, with no message"));
  }

  /** Exceptions first: they are what people come for. */
  exceptions(span, start) {
    const found = (span.events ?? []).filter((event) => event.name === "exception");
    return found.map((event) => {
      const value = (key) => plainValue((event.attributes ?? []).find((attribute) => attribute.key === key)?.value);
      const stack = value("exception.stacktrace");
      return this.section(["Exception ", h("span.as-is", {}, `+${duration(Number(nanos(event.timeUnixNano) - start))}`)], h("div.exception", {},
        h("p.exception-title", {}, h("strong", {}, String(value("exception.type") ?? "Exception")), " ", String(value("exception.message") ?? "")),
        stack ? this.longText(String(stack), "pre.stack") : null));
    });
  }

  attributes(list, scope) {
    const groups = new Map();
    for (const attribute of list) {
      const name = GROUPS.get(attribute.key.split(".", 1)[0]) ?? "Attributes";
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(attribute);
    }
    const names = [...groups.keys()].sort((a, b) => (a === "Attributes") - (b === "Attributes") || a.localeCompare(b));
    const sections = names.map((name) => this.section(name, this.table(groups.get(name), scope), groups.get(name).length));
    if (list.length < FILTER_FROM) return sections;
    const field = h("input.field.attribute-filter", { type: "search", placeholder: `Filter ${list.length} attributes`, "aria-label": "Filter attributes", spellcheck: "false" });
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      for (const section of sections) {
        let shown = 0;
        for (const row of section.querySelectorAll(".attribute")) {
          row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
          if (!row.hidden) shown++;
        }
        section.hidden = shown === 0;
      }
    });
    return [field, ...sections];
  }

  table(list, scope) {
    if (!list.length) return h("p.faint", {}, "None.");
    return h("div.attributes", {}, list.map(({ key, value }) => {
      const type = typeOf(value);
      const plain = plainValue(value);
      const canFilter = (scope === "span" || scope === "resource") && (type === "double" ? Number.isFinite(plain) : ["string", "bool", "int"].includes(type));
      const condition = (operator) => ({ key, scope, operator, value: plain, type });
      const written = valueText(value);
      return h("div.attribute", {}, h("div.attribute-key", { title: `${key} (${type})` }, breakable(key)),
        h("div.attribute-value", {}, this.value(value, type)),
        h("div.attribute-actions", {},
          canFilter ? this.small("filter", `Traces with this ${key}`, () => this.actions.search(condition("="))) : null,
          canFilter ? this.small("exclude", `Traces with another ${key}`, () => this.actions.search(condition("!="))) : null,
          this.small("copy", `Copy ${key}`, () => this.actions.copy(written, key))));
    }));
  }

  value(value, type) {
    const written = valueText(value);
    if (isNested(value)) return this.longText(pretty(value), "pre.json");
    if (type !== "string") return h(`span.value-${type}`, {}, written);
    const json = jsonOf(written);
    if (json) return this.longText(json, "pre.json");
    if (/^https?:\/\/\S+$/i.test(written) && written.length <= SHOWN_MAX) return h("a", { href: written, target: "_blank", rel: "noopener noreferrer" }, written);
    return this.longText(written, written.includes("\n") ? "pre.long" : "span");
  }

  /** Large values: the beginning, and the rest on request. */
  longText(written, tag) {
    const isBlock = tag.startsWith("pre");
    const box = h(tag, { tabindex: isBlock ? "0" : null, role: isBlock ? "group" : null, "aria-label": isBlock ? "Value" : null }, written.slice(0, SHOWN_MAX));
    if (written.length <= SHOWN_MAX) return box;
    const more = h("button.quiet.show-all", { type: "button", onclick: () => { box.textContent = written; more.remove(); } }, `… show all (${bytes(new Blob([written]).size)})`);
    return [box, more];
  }

  events(span, start) {
    const list = span.events ?? [];
    if (!list.length) return null;
    return this.section("Events", h("ol.events", {}, list.map((event) => {
      const offset = Number(nanos(event.timeUnixNano) - start);
      const attributes = (event.attributes ?? []).filter(({ key }) => key !== "exception.stacktrace");
      return h("li.event", {}, h("div.event-head", {}, h("span.event-name", {}, event.name || "event"), h("time.number", { title: absoluteTime(nanos(event.timeUnixNano), zone.value, 9) }, `${offset < 0 ? "−" : "+"}${duration(Math.abs(offset))}`)),
        attributes.length ? this.table(attributes, "event") : null);
    })), list.length);
  }

  links(span) {
    const list = span.links ?? [];
    if (!list.length) return null;
    return this.section("Links", h("ul.links", {}, list.map((link) => {
      const isHere = link.traceId === this.model.traceId;
      const row = isHere ? this.model.rowOf(link.spanId) : -1;
      const target = row >= 0
        ? h("button.quiet", { type: "button", onclick: () => this.actions.select(row) }, icon("link"), `${this.model.serviceName(row)} ${this.model.operationName(row)}`)
        : h("a", { href: this.actions.traceHref(link.traceId, link.spanId) }, h("code", {}, `${link.traceId.slice(0, 16)}… / ${link.spanId}`));
      return h("li", {}, target, (link.attributes ?? []).length ? this.table(link.attributes, "link") : null);
    })), list.length);
  }

  scope(scope) {
    if (!scope?.name && !(scope?.attributes ?? []).length) return null;
    return this.section("Instrumentation", [
      h("p", {}, scope.name || "unnamed", scope.version ? h("span.faint", {}, ` ${scope.version}`) : null),
      (scope.attributes ?? []).length ? this.table(scope.attributes, "scope") : null]);
  }

  dropped(span) {
    const parts = [["droppedAttributesCount", "attribute"], ["droppedEventsCount", "event"], ["droppedLinksCount", "link"]].filter(([key]) => span[key] > 0).map(([key, name]) => plural(span[key], name));
    return parts.length ? [h("dt", {}, "Dropped"), h("dd", {}, `${parts.join(", ")}, by the sender`)] : null;
  }

  section(title, content, size) {
    return h("section.details-section", {}, h("h3", {}, h("span", {}, title), size > 1 ? h("span.section-count", {}, count(size)) : null), content);
  }

  factList(rows) {
    return h("dl.facts.ids", {}, rows);
  }

  copyRow(name, value, isPlain = false) {
    return [h("dt", {}, name), h("dd", {}, h(isPlain ? "span.faint" : "code", {}, value), isPlain ? null : this.small("copy", `Copy ${name.toLowerCase()}`, () => this.actions.copy(value, name)))];
  }

  small(picture, label, onclick) {
    return h("button.icon-button.small", { type: "button", "aria-label": label, title: label, onclick }, icon(picture));
  }
}

/** A name that breaks after its full stops before it breaks within its words. @param {string} key */
function breakable(key) {
  return key.split(".").flatMap((part, index) => (index ? [".", h("wbr"), part] : part));
}

/** A string that holds a JSON object or array, indented; null for any other. */
function jsonOf(text) {
  if (text.length > 200_000 || !/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}
