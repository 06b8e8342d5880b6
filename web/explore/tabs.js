// SPDX-License-Identifier: Apache-2.0
// Above the results: which of their three forms is shown, and the traces that are marked to be compared.
import { icon } from "../lib/icons.js";
import { attribute, fill, h } from "../lib/view.js";

const TABS = [["", "Traces"], ["spans", "Spans"], ["groups", "Group by"]];

export class ResultTabs {
  /** @param {{ choose: (tab: string) => void, compare: () => any, href: (view: any) => string, clear: () => void }} actions */
  constructor(actions) {
    this.actions = actions;
    this.tabs = TABS.map(([key, title]) => h("button.tab", { type: "button", role: "tab", "data-tab": key, onclick: () => actions.choose(key) }, title));
    const list = h("div.tabs", { role: "tablist", "aria-label": "Results as" }, this.tabs);
    list.addEventListener("keydown", (event) => this.turn(event));
    this.marks = h("div.marks", { role: "group", "aria-label": "Marked to be compared" });
    this.element = h("div.result-tabs", {}, list, h("span.spring"), this.marks);
  }

  /** @param {string} chosen */
  show(chosen) {
    const key = TABS.some(([own]) => own === chosen) ? chosen : "";
    for (const tab of this.tabs) {
      const isChosen = tab.dataset.tab === key;
      attribute(tab, "aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    }
  }

  /** @param {string[]} marked at most two ids */
  showMarks(marked) {
    this.marks.hidden = marked.length === 0;
    const isPair = marked.length === 2;
    const compare = isPair ? h("a.button.primary.compare-link", { href: this.actions.href(this.actions.compare()) }, icon("compare"), "Compare")
      : h("button", { type: "button", disabled: true, title: "Mark a second trace" }, icon("compare"), "Compare");
    fill(this.marks, marked.map((id, place) => h("span.marked", { title: id }, h("b", {}, "AB"[place]), h("code", {}, id.slice(0, 8)))), compare,
      h("button.icon-button", { type: "button", "aria-label": "Take the marks away", title: "Take the marks away", onclick: () => this.actions.clear() }, icon("close")));
  }

  turn(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = this.tabs.indexOf(document.activeElement);
    const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
    next.focus();
    this.actions.choose(next.dataset.tab);
  }
}
