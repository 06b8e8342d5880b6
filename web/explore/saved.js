// SPDX-License-Identifier: Apache-2.0
// The popover behind the star: queries the server keeps under a name, for everybody, and those that ran in this browser.
import * as api from "../api.js";
import { icon } from "../lib/icons.js";
import { closedByPress } from "../lib/popover.js";
import { attribute, fill, h } from "../lib/view.js";
import { pastQueries } from "../settings.js";

export class SavedQueries {
  /** @param {HTMLElement} button it opens below this @param {{ run: (text: string) => void, query: () => string, confirm: (text: string) => void }} actions */
  constructor(button, { run, query, confirm }) {
    this.button = button;
    this.run = run;
    this.query = query;
    this.confirm = confirm;
    this.saved = [];
    this.element = h("div.saved-panel", { popover: "auto", role: "dialog", "aria-label": "Saved and past queries" });
    this.isClosed = closedByPress(this.element, button);
    this.element.addEventListener("toggle", (event) => attribute(button, "aria-expanded", event.newState === "open" ? "true" : "false"));
    this.element.addEventListener("keydown", (event) => this.move(event));
    this.list = h("ul.saved-list", {});
    this.note = h("p.faint", {});
    this.problem = h("p.problem", { role: "alert" });
  }

  toggle() {
    if (this.element.matches(":popover-open")) {
      this.element.hidePopover();
      return;
    }
    this.draw();
    this.element.showPopover();
    const below = this.button.getBoundingClientRect();
    this.element.style.top = `${below.bottom + 4}px`;
    this.element.style.left = `${Math.max(8, Math.min(below.right, innerWidth - 8) - this.element.offsetWidth)}px`;
    this.element.querySelector("input, .saved-run")?.focus();
    this.load();
  }

  draw() {
    const query = this.query();
    this.problem.textContent = "";
    this.name = h("input.field", { type: "text", placeholder: "Name", "aria-label": "Name", autocomplete: "off", spellcheck: "false", maxlength: "200", oninput: () => this.nameTyped() });
    this.about = h("input.field", { type: "text", placeholder: "What it is for (optional)", "aria-label": "What it is for", autocomplete: "off" });
    this.saveButton = h("button.primary", { type: "submit", disabled: true }, "Save");
    const form = query === "" ? null : h("form.saved-form", { onsubmit: (event) => this.save(event) }, h("p", {}, "Keep ", h("code", {}, short(query)), " on this server"), this.name, this.about, this.saveButton, this.problem);
    const past = pastQueries();
    fill(this.element, form, h("h3", {}, "Saved on this server"), this.note, this.list,
      h("h3", {}, "Ran in this browser"), past.length ? null : h("p.faint", {}, "Nothing yet."),
      h("ul.saved-list.saved-past", {}, past.map((text) => h("li.saved-row", {}, h("button.saved-run", { type: "button", title: text, onclick: () => this.choose(text) }, h("code", {}, short(text)))))));
  }

  async load() {
    if (!this.saved.length) this.note.textContent = "Asking the server…";
    try {
      this.saved = (await api.savedQueries()).savedQueries;
      this.note.textContent = this.saved.length ? "" : "None yet. A saved query is there for everybody who opens this page.";
    } catch (error) {
      fill(this.note, h("span.problem", {}, error.message), " ", h("button.quiet", { type: "button", onclick: () => this.load() }, "Try again"));
    }
    this.note.hidden = !this.note.firstChild;
    this.drawSaved();
  }

  drawSaved() {
    const now = this.query();
    const isHeld = this.list.contains(document.activeElement);
    fill(this.list, this.saved.map((kept) => h("li.saved-row", {},
      h("button.saved-run", { type: "button", title: kept.query, onclick: () => this.choose(kept.query) },
        h("span.saved-name", {}, kept.name, kept.description ? h("span.faint", {}, kept.description) : null), h("code", {}, short(kept.query))),
      kept.query === now ? icon("check", "This query") : null,
      h("button.icon-button", { type: "button", "aria-label": `Remove ${kept.name}`, title: "Remove", onclick: () => this.remove(kept) }, icon("remove")))));
    if (isHeld) this.list.querySelector(".saved-run")?.focus();
    this.nameTyped();
  }

  nameTyped() {
    const name = this.name.value.trim();
    this.saveButton.disabled = name === "";
    this.saveButton.textContent = this.saved.some((kept) => kept.name === name) ? "Replace" : "Save";
  }

  async save(event) {
    event.preventDefault();
    const name = this.name.value.trim();
    if (name === "") return;
    this.problem.textContent = "";
    try {
      await api.saveQuery(name, this.query(), this.about.value.trim());
    } catch (error) {
      this.problem.textContent = error.message;
      return;
    }
    this.confirm(`Saved as ${name}`);
    this.name.value = "";
    this.about.value = "";
    await this.load();
    this.list.querySelector(".saved-run")?.focus();
  }

  /** Gone at once; the row stays for as long as the popover is open, with the way back. */
  async remove(kept) {
    const row = this.list.children[this.saved.indexOf(kept)];
    try {
      await api.removeQuery(kept.name);
    } catch (error) {
      fill(this.note, h("span.problem", {}, error.message));
      this.note.hidden = false;
      return;
    }
    const back = async () => {
      try {
        await api.saveQuery(kept.name, kept.query, kept.description ?? "");
      } catch (error) {
        fill(this.note, h("span.problem", {}, error.message));
        this.note.hidden = false;
        return;
      }
      await this.load();
      this.list.querySelector(".saved-run")?.focus();
    };
    const undo = h("button.quiet", { type: "button", onclick: back }, "Undo");
    fill(row, h("span.saved-run.faint", {}, `${kept.name} is removed`), undo);
    undo.focus();
    this.confirm(`${kept.name} removed`);
  }

  choose(text) {
    this.element.hidePopover();
    this.run(text);
  }

  /** Arrows go from query to query; tabs reach the rest. */
  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing) return;
    const rows = [...this.element.querySelectorAll("button.saved-run")];
    if (!rows.length) return;
    event.preventDefault();
    const at = rows.indexOf(document.activeElement);
    rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))].focus();
  }
}

function short(text) {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
