// SPDX-License-Identifier: Apache-2.0
// A button that opens a list of the attributes in use, to search in and to choose one of.
import * as api from "../api.js";
import { share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { closedByPress } from "../lib/popover.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { fieldName } from "./query-text.js";

const ASKED_MAX = 1000;
const SHOWN_MAX = 100;
const WAIT_MILLIS = 90;
let made = 0;

export class AttributePicker {
  /**
   * @param {{ label: string, text: string, picture?: string, choose: (name: string) => void, leaveOut?: () => string[], own?: [string, string][] }} options
   * `own` are fields that every span has, with what they are called, offered first.
   */
  constructor({ label, text, picture = "down", choose, leaveOut = () => [], own = [] }) {
    this.choose = choose;
    this.leaveOut = leaveOut;
    this.own = own;
    this.found = [];
    this.active = -1;
    this.id = `attributes-${++made}`;
    this.text = h("span.picker-text", {}, text);
    this.button = h("button.quiet.picker-button", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-label": label, onclick: () => { if (!this.isClosed()) this.toggle(); } }, picture === "plus" ? icon("plus") : null, this.text, picture === "plus" ? null : icon(picture));
    this.input = h("input.field", { type: "text", role: "combobox", "aria-label": "Attribute", "aria-autocomplete": "list", "aria-expanded": "true", "aria-controls": this.id, placeholder: "Search attributes", autocomplete: "off", spellcheck: "false" });
    this.list = h("ul.picker-list", { id: this.id, role: "listbox", "aria-label": "Attributes" });
    this.note = h("p.faint.picker-note", { role: "status" });
    this.panel = h("div.picker-panel", { popover: "auto", role: "dialog", "aria-label": label }, this.input, this.note, this.list);
    this.isClosed = closedByPress(this.panel, this.button);
    this.panel.addEventListener("toggle", (event) => attribute(this.button, "aria-expanded", event.newState === "open" ? "true" : "false"));
    this.element = h("div.picker", {}, this.button, this.panel);
    this.search = debounce(() => this.load(), WAIT_MILLIS);
    this.input.addEventListener("input", () => { this.draw(); if (this.isCut) this.search(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.accept(Number(row.dataset.index));
    });
  }

  toggle() {
    if (this.panel.matches(":popover-open")) {
      this.panel.hidePopover();
      return;
    }
    this.input.value = "";
    this.isTaken = false;
    this.panel.showPopover();
    const box = this.button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.panel;
    this.panel.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
    this.panel.style.top = `${box.bottom + 4 + height <= innerHeight ? box.bottom + 4 : Math.max(8, box.top - height - 4)}px`;
    this.input.focus();
    this.draw();
    this.load();
  }

  async load() {
    this.flight?.abort();
    const flight = (this.flight = new AbortController());
    this.isLoading = true;
    this.note.textContent = this.found.length ? "" : "Asking the server…";
    try {
      const { attributes, next } = await api.attributes(this.isCut ? this.input.value.trim() : "", ASKED_MAX, flight.signal);
      if (flight.signal.aborted) return;
      // Of more keys than come at once, those that begin with what is typed are asked for.
      this.isCut ||= next !== null;
      this.found = attributes.filter(({ scope }) => scope === "span" || scope === "resource");
      this.note.textContent = "";
    } catch (error) {
      if (flight.signal.aborted) return;
      this.note.textContent = error.message;
    }
    this.isLoading = false;
    this.draw();
    if (this.isTaken && this.panel.matches(":popover-open")) this.accept(this.active);
  }

  draw() {
    const typed = this.input.value.trim().toLowerCase();
    const leftOut = new Set(this.leaveOut());
    const all = [...this.own.map(([name, says]) => ({ name, shown: says, detail: "" })),
      ...this.found.map(({ key, scope, types, share: part }) => ({ name: fieldName(key, scope, true), shown: key, detail: `${scope === "resource" ? "resource · " : ""}${types.join(", ")} · ${share(part)}` }))];
    this.options = all.filter(({ name, shown }) => !leftOut.has(name) && (name.toLowerCase().includes(typed) || shown.toLowerCase().includes(typed))).slice(0, SHOWN_MAX);
    fill(this.list, this.options.map(({ name, shown, detail }, index) => h("li.picker-option", { role: "option", id: `${this.id}-${index}`, "data-index": index, "aria-selected": "false", title: name },
      h("span.picker-name", {}, shown), h("span.option-detail", {}, detail))));
    if (!this.options.length && this.note.textContent === "") this.note.textContent = "No attribute is called so.";
    else if (this.options.length) this.note.textContent = "";
    this.note.hidden = this.note.textContent === "";
    this.active = -1;
    this.activate(this.options.length ? 0 : -1);
  }

  activate(index) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const row = this.list.children[index];
    row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({ block: "nearest" });
    attribute(this.input, "aria-activedescendant", row?.id);
  }

  key(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.options.length) {
      event.preventDefault();
      this.activate((this.active + step + this.options.length) % this.options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      // Who types ahead of the answer gets the first of it.
      if (this.active < 0 && this.isLoading) this.isTaken = true;
      else this.accept(this.active);
    } else this.isTaken = false;
  }

  accept(index) {
    const option = this.options[index];
    if (!option) return;
    this.panel.hidePopover();
    this.button.focus();
    this.choose(option.name);
  }

  close() {
    this.flight?.abort();
    this.search.cancel();
  }
}
