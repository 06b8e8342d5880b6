// SPDX-License-Identifier: Apache-2.0
// The query bar: a text field that colours what is typed, completes it, shows the server's fault in place, mirrors the
// conditions as chips, and keeps queries for another day.
import * as api from "../api.js";
import { icon } from "../lib/icons.js";
import { isWholeTraceId, traceId } from "../lib/url.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { pastQueries } from "../settings.js";

/** What reads queries; as long as there is none, nobody needs it. @type {typeof import("./query-text.js") | null} */
let grammar = null;

const ASK_AFTER_MILLIS = 90;
/** What an option is, for eyes and ears. */
const KINDS = { past: ["history", "ran before"], field: ["tag", "field"], value: ["quote", "value"], operator: ["unequal", "operator"], function: ["function", "function"] };

export class QueryBar {
  /** @param {{ run: (text: string) => void, openTrace: (id: string) => void, confirm: (text: string) => void }} actions */
  constructor({ run, openTrace, confirm }) {
    this.run = run;
    this.openTrace = openTrace;
    this.confirm = confirm;
    /** @type {import("./completion.js").Option[]} */
    this.options = [];
    this.active = -1;
    this.fault = null;
    /** What the server said of the text that shows. @type {{ message: string, problem: any } | null} */
    this.error = null;
    this.asking = null;

    this.underlay = h("pre.query-colours", { "aria-hidden": "true" });
    this.input = h("textarea.query-text", {
      id: "query", rows: "1", spellcheck: "false", autocomplete: "off", autocapitalize: "off", role: "combobox",
      "aria-label": "Query", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "query-options",
      "aria-describedby": "query-fault", placeholder: "All traces. Narrow down: service = \"checkout\" and duration > 500ms",
    });
    this.list = h("ul.query-options", { id: "query-options", role: "listbox", "aria-label": "Completions", hidden: true });
    this.faultLine = h("p.query-fault", { id: "query-fault", role: "alert", hidden: true });
    this.clear = h("button.icon-button", { type: "button", "aria-label": "Clear the query", hidden: true, onclick: () => { this.input.focus(); this.change(""); } }, icon("close"));
    this.keep = h("button.icon-button", { type: "button", "aria-label": "Saved and past queries", title: "Saved and past queries (q)", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => this.showKept() }, icon("star"));
    this.field = h("div.query-field", {}, icon("explore"), h("div.query-stack", {}, this.underlay, this.input), this.clear, this.keep);
    this.element = h("div.query", {}, this.field, this.list);
    this.chipRow = h("div.chips", { role: "group", "aria-label": "Conditions" });

    this.complete = debounce(() => this.findOptions(), ASK_AFTER_MILLIS);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("paste", (event) => this.paste(event));
    this.input.addEventListener("blur", () => this.hideOptions());
    this.input.addEventListener("focus", () => {
      this.completion();
      this.readGrammar();
    });
    this.input.addEventListener("click", () => { if (!this.list.hidden) this.complete(); });
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const row = event.target.closest("[role=option]");
      if (row) this.accept(this.options[Number(row.dataset.index)]);
    });
  }

  get text() {
    return this.input.value;
  }

  /** Shows another text without running it. @param {string} text */
  set text(text) {
    if (this.input.value !== text) this.input.value = text;
    this.showFault(null);
    this.draw();
    this.drawChips();
    if (text !== "") this.readGrammar();
  }

  /** Colours, conditions and places of faults, once what reads them is here. */
  async readGrammar() {
    if (grammar) return;
    const module = await import("./query-text.js").catch(() => null);
    if (!module) return;
    grammar = module;
    if (this.error) this.showFault(this.error);
    else this.draw();
    this.drawChips();
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /** Sets a text and runs it. */
  change(text) {
    this.text = text;
    this.submit();
  }

  submit() {
    this.hideOptions();
    const id = isWholeTraceId(this.text) ? traceId(this.text) : null;
    if (id) this.openTrace(id);
    else this.run(this.text.trim());
  }

  /** @param {{ message: string, problem: any } | null} error what the server said about this text */
  showFault(error) {
    const position = error?.problem?.position;
    this.error = error;
    if (error) this.readGrammar();
    this.fault = grammar && Number.isInteger(position?.offset) && Number.isInteger(position.length) ? grammar.faultRange(this.text, position) : null;
    this.faultLine.hidden = error === null;
    this.faultLine.classList.remove("stale");
    attribute(this.input, "aria-invalid", error ? "true" : null);
    this.field.classList.toggle("faulty", error !== null);
    if (error) this.tellFault(error, this.text, this.fault);
    this.draw();
  }

  /** The words for a fault come with the first one. */
  async tellFault(error, text, fault) {
    const module = await import("./fault.js").catch(() => null);
    if (error !== this.error || fault !== this.fault) return;
    fill(this.faultLine, icon("error"), h("span", {}, module?.faultWords(error, text, fault, (mended) => this.change(mended)) ?? error.message));
  }

  typed() {
    this.edited();
    this.complete();
  }

  /** What the server said was of another text. */
  edited() {
    this.fault = null;
    attribute(this.input, "aria-invalid", null);
    this.field.classList.remove("faulty");
    this.faultLine.classList.add("stale");
    this.draw();
  }

  /** The coloured text behind the field, character for character the same. */
  draw() {
    const text = this.text;
    this.clear.hidden = text === "";
    const parts = [];
    let at = 0;
    for (const token of grammar?.tokenize(text) ?? []) {
      if (token.start > at) parts.push(text.slice(at, token.start));
      parts.push(h(`span.q-${token.kind}`, {}, token.text));
      at = token.end;
    }
    parts.push(text.slice(at), "\u200b");
    fill(this.underlay, parts);
    if (this.fault) this.drawFault(text);
  }

  drawFault(text) {
    const { start, end } = this.fault;
    const marked = h("span.q-fault", {}, end > start ? text.slice(start, end) : "\u00a0");
    fill(this.underlay, text.slice(0, start), marked, text.slice(end), "\u200b");
  }

  drawChips() {
    const text = this.text;
    const all = grammar?.chips(text) ?? [];
    // The ones that are here already may have the focus.
    const shape = all.map((chip) => chip.text).join("\n");
    if (shape === this.chipShape) return;
    this.chipShape = shape;
    fill(this.chipRow, all.map((chip, index) => h("span.chip", {},
      h("button.chip-text", { type: "button", title: "Edit this condition", onclick: () => this.edit(index) }, shortened(chip.text, 200)),
      h("button.chip-close", { type: "button", "aria-label": `Remove ${shortened(chip.text, 200)}`, onclick: () => this.removeChip(index) }, icon("close")))));
    this.chipRow.hidden = all.length === 0;
  }

  /** What goes away does not take the focus with it. @param {number} index */
  removeChip(index) {
    this.change(grammar.withoutChip(this.text, index));
    const others = this.chipRow.querySelectorAll(".chip-close");
    (others[Math.min(index, others.length - 1)] ?? this.input).focus();
  }

  edit(index) {
    const { start, end } = grammar.chips(this.text)[index];
    this.input.focus();
    this.input.setSelectionRange(start, end);
  }

  paste(event) {
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    const replacesAll = this.input.selectionEnd - this.input.selectionStart === this.text.length;
    if (replacesAll && isWholeTraceId(pasted)) {
      event.preventDefault();
      this.openTrace(traceId(pasted));
    }
  }

  key(event) {
    const open = !this.list.hidden;
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open) {
        if (event.key === "ArrowUp" || this.text.includes("\n")) return;
        event.preventDefault();
        this.findOptions();
        return;
      }
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const count = this.options.length;
      this.activate(this.active < 0 ? (step > 0 ? 0 : count - 1) : (this.active + step + count) % count);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (open && this.active >= 0) this.accept(this.options[this.active]);
      else this.submit();
    } else if (event.key === "Tab" && open && !event.shiftKey) {
      event.preventDefault();
      this.accept(this.options[Math.max(0, this.active)]);
    } else if (event.key === "Escape") {
      if (open) this.hideOptions();
      else this.input.blur();
      event.preventDefault();
    }
  }

  /** The module that completes, which a page that only looks does not need. */
  completion() {
    this.module ??= import("./completion.js").catch(() => (this.module = null));
    return this.module;
  }

  /** The popover of saved and past queries. */
  async showKept() {
    this.kept ??= import("./saved.js").then(({ SavedQueries }) => new SavedQueries(this.keep, {
      run: (text) => { this.change(text); this.input.focus(); }, query: () => this.text.trim(), confirm: this.confirm,
    })).catch(() => (this.kept = null));
    const kept = await this.kept;
    if (!kept) return;
    if (!kept.element.isConnected) this.element.append(kept.element);
    if (!kept.isClosed()) kept.toggle();
  }

  async findOptions() {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const text = this.text;
    const cursor = this.input.selectionStart;
    try {
      const { optionsFor } = await this.completion();
      const options = await optionsFor(text, cursor, { ...api, pastQueries }, signal);
      if (signal.aborted || document.activeElement !== this.input || this.text !== text) return;
      this.showOptions(options);
    } catch (error) {
      // A completion that does not come is no error worth a message; the next key asks again.
      if (!signal.aborted) this.hideOptions();
    }
  }

  showOptions(options) {
    this.options = options;
    this.active = -1;
    fill(this.list, options.map((option, index) =>
      h("li.query-option", { role: "option", id: `query-option-${index}`, "data-index": index, "aria-selected": "false" },
        icon(...KINDS[option.kind]), h("span.option-text", { title: shortened(option.text, 1000) }, shortened(option.text, 200)), option.detail ? h("span.option-detail", {}, option.detail) : null)));
    this.list.hidden = options.length === 0;
    attribute(this.input, "aria-expanded", options.length ? "true" : "false");
    attribute(this.input, "aria-activedescendant", null);
  }

  hideOptions() {
    this.complete.cancel();
    this.asking?.abort();
    if (!this.list.hidden) this.showOptions([]);
  }

  activate(index) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const row = this.list.children[index];
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    attribute(this.input, "aria-activedescendant", row.id);
  }

  accept(option) {
    if (option.runs) {
      this.change(option.insert);
      return;
    }
    const text = this.text;
    this.input.value = text.slice(0, option.start) + option.insert + text.slice(option.end).replace(/^ /, "");
    const cursor = option.start + option.insert.length;
    this.input.setSelectionRange(cursor, cursor);
    this.edited();
    this.findOptions();
  }
}

/** What a line can show of a value, which may be as long as a span may say. */
function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
