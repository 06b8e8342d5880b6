// SPDX-License-Identifier: Apache-2.0
// The trace, or one span of it, as the API gives it: OTLP JSON to read, copy and keep.
import * as api from "../api-more.js";
import { bytes, count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";
import { indentJson } from "./pretty.js";

/** How much of a document is put on the page at once. */
const PART = 200_000;
/** Larger traces are read when somebody asks for them. */
const SPANS_MAX = 5000;

/** @param {any} trace @param {HTMLElement} element */
export function open(trace, element) {
  return new Raw(trace, element);
}

class Raw {
  constructor(trace, element) {
    this.trace = trace;
    this.aborted = new AbortController();
    this.whole = "";
    const { id } = trace;
    this.text = h("pre.raw-text", { tabindex: "0", role: "group", "aria-label": "OTLP JSON" });
    this.size = h("span.faint", { role: "status" });
    this.note = h("div.view-note", {});
    this.choices = h("div.button-group", { role: "group", "aria-label": "What is shown" }, [["trace", "Trace"], ["span", "Selected span"]].map(([part, name]) => h("button", { type: "button", "data-part": part, onclick: () => this.choose(part) }, name)));
    this.copyButton = h("button", { type: "button", disabled: true, onclick: () => this.copy(this.whole, "OTLP JSON") }, icon("copy"), "Copy");
    const download = (url, name, words) => h("a.button", { href: url.href, download: name }, icon("download"), words);
    fill(element, h("section.raw", { "aria-label": "Raw" },
      h("div.view-bar", {}, this.choices, this.size, h("span.spring"), this.copyButton, h("button", { type: "button", onclick: () => this.copy(`curl ${quoted(this.url.href)}`, "curl command") }, icon("copy"), "Copy as curl"),
        download(api.traceDocumentURL(id), `trace-${id}.json`, "OTLP JSON"), download(api.jaegerDocumentURL(id), `trace-${id}-jaeger.json`, "Jaeger JSON")),
      this.note, this.text));
  }

  get url() {
    const { id, model, selected } = this.trace;
    return this.part === "span" ? api.traceSpansURL(id, [model.id(selected)]) : api.traceDocumentURL(id);
  }

  show(changed) {
    if (changed !== "model" && !(changed === "selection" && this.part === "span")) return;
    this.choose(this.part ?? "trace");
  }

  copy(text, what) {
    this.trace.app.shell.copy(text, what);
  }

  choose(part, isAsked = false) {
    this.part = part;
    for (const button of this.choices.children) button.setAttribute("aria-pressed", String(button.dataset.part === part));
    this.aborted.abort();
    this.aborted = new AbortController();
    this.copyButton.disabled = true;
    fill(this.note);
    fill(this.text);
    this.size.textContent = "";
    const { model, selected } = this.trace;
    if (part === "trace" && model.spanCount > SPANS_MAX && !isAsked) {
      fill(this.note, h("p.faint", {}, `All ${plural(model.spanCount, "span")} are a large document. Downloads hold it whole.`), h("button", { type: "button", onclick: () => this.choose("trace", true) }, `Read the ${count(model.spanCount)} spans here`));
    } else if (part === "span" && (selected < 0 || model.isPlaceholder(selected))) {
      fill(this.note, h("p.faint", {}, "The selected span has not arrived."));
    } else this.load(this.aborted.signal);
  }

  async load(signal) {
    const waiting = setTimeout(() => { this.size.textContent = "Loading…"; }, 150);
    try {
      const text = this.part === "span" ? await this.spanText() : await api.traceDocument(this.trace.id, signal);
      if (signal.aborted) return;
      this.whole = indentJson(text) ?? text;
      this.copyButton.disabled = false;
      this.size.textContent = bytes(new Blob([this.whole]).size);
      this.add(0);
    } catch (error) {
      if (signal.aborted) return;
      this.size.textContent = "";
      fill(this.note, h("p.problem", {}, error.message), error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null, h("button", { type: "button", onclick: () => this.choose(this.part, true) }, "Try again"));
    } finally {
      clearTimeout(waiting);
    }
  }

  async spanText() {
    const { trace } = this;
    const entry = await trace.spans.of(trace.selected);
    return JSON.stringify(entry ? { resource: entry.resource, scope: entry.scope, span: entry.span } : {});
  }

  /** Puts the next part on the page, up to the end of a line if one is near. */
  add(from) {
    const { whole } = this;
    const line = whole.indexOf("\n", from + PART);
    const to = line >= 0 && line < from + 2 * PART ? line : Math.min(whole.length, from + PART);
    this.text.append(whole.slice(from, to));
    if (to >= whole.length) return;
    const more = h("button.quiet.show-all", { type: "button", onclick: () => { more.remove(); this.add(to); } }, `Show ${bytes(Math.min(PART, whole.length - to))} more of ${bytes(whole.length - to)}`);
    this.text.append("\n", more);
  }

  close() {
    this.aborted.abort();
  }
}

/** As a shell reads it. @param {string} text */
function quoted(text) {
  return `'${text.replace(/'/g, "'\\''")}'`;
}
