// SPDX-License-Identifier: Apache-2.0
// What narrows the list of sessions: fields that the address keeps.
import { attribute, debounce, fill, h } from "../lib/view.js";
import { OUTCOMES, PRIORITIES, STATES } from "./words.js";

const WAIT_MILLIS = 300;
const AGENTS_MAX = 200;

export class Filters {
  /** @param {(state: Object<string, string>) => void} change */
  constructor(change) {
    this.change = change;
    this.agents = h("datalist", { id: "agent-names" });
    const select = (name, label, values) => h("select.field", { name, "aria-label": label }, h("option", { value: "" }, label), values.map(([value, text = value]) => h("option", { value }, text)));
    const field = (name, label, more = {}) => h(`input.field.filter-${name}`, { name, "aria-label": label, placeholder: label, autocomplete: "off", spellcheck: "false", ...more });
    this.fields = {
      agent: field("agent", "Agent", { type: "search", list: "agent-names" }),
      outcome: select("outcome", "Any outcome", [...STATES, ...OUTCOMES.map((word) => [word])]), priority: select("priority", "Any priority", PRIORITIES.map((word) => [word])),
      task: field("task", "Task", { type: "search" }), cost: field("cost", "Least cost in $", { type: "number", min: "0", step: "any" }),
    };
    this.keyChip = h("button.key-chip", { type: "button", hidden: true, onclick: () => this.change({ key: "" }) });
    this.clearButton = h("button.quiet", { type: "button", hidden: true, onclick: () => this.clear() }, "Clear");
    this.write = debounce(() => this.change(this.values()), WAIT_MILLIS);
    for (const input of Object.values(this.fields)) {
      const isText = input.tagName === "INPUT";
      input.addEventListener(isText ? "input" : "change", () => { this.write(); if (!isText) this.write.flush(); });
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter") this.write.flush();
        if (event.key === "Escape") input.blur();
      });
    }
    this.element = h("div.agent-filters", { role: "group", "aria-label": "Narrow down" }, Object.values(this.fields), this.agents, this.keyChip, this.clearButton);
  }

  values() {
    return Object.fromEntries(Object.entries(this.fields).map(([key, input]) => [key, input.value.trim()]));
  }

  clear() {
    this.change({ ...Object.fromEntries(Object.keys(this.fields).map((key) => [key, ""])), key: "", roots: "" });
  }

  /** @param {Object<string, string>} state */
  show(state) {
    this.write.cancel();
    for (const [key, input] of Object.entries(this.fields)) {
      // Outcomes are open: one that the page does not know is offered like the others.
      if (input.tagName === "SELECT" && state[key] && ![...input.options].some(({ value }) => value === state[key])) input.append(h("option", { value: state[key] }, state[key].slice(0, 60)));
      if (document.activeElement !== input || input.value.trim() !== state[key]) input.value = state[key];
      attribute(input, "data-set", state[key] ? "true" : null);
    }
    this.keyChip.hidden = !state.key;
    if (state.key) fill(this.keyChip, h("span.key-name", {}, `Key ${state.key.slice(0, 80)}`), " ×");
    attribute(this.keyChip, "aria-label", `All keys, not only ${state.key.slice(0, 80)}`);
    this.clearButton.hidden = !state.roots && !Object.keys(this.fields).some((key) => state[key]);
  }

  /** Names to choose from. @param {Iterable<string>} names */
  offer(names) {
    fill(this.agents, [...new Set(names)].filter(Boolean).slice(0, AGENTS_MAX).map((name) => h("option", { value: name })));
  }

  close() {
    this.write.cancel();
  }
}
