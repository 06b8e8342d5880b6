// SPDX-License-Identifier: Apache-2.0
// What stands below the lanes: a tab for each look at the same orchestration. In narrow windows conversation and details
// are tabs, too.
import { attribute, fill, h } from "../lib/view.js";
import { graph } from "./agent-graph.js";
import { context } from "./context.js";
import { steps } from "./steps.js";
import { bottlenecks, cost, time, tools } from "./tables.js";

/** @type {{ name: string, title: string, key: string, make?: (page: any) => import("./tables.js").Part, isPane?: boolean }[]} */
export const PARTS = [
  { name: "tools", title: "Tools", key: "1", make: tools },
  { name: "bottlenecks", title: "Bottlenecks", key: "2", make: bottlenecks },
  { name: "time", title: "Time", key: "3", make: time },
  { name: "cost", title: "Cost", key: "4", make: cost },
  { name: "context", title: "Context", key: "5", make: context },
  { name: "graph", title: "Graph", key: "6", make: graph },
  { name: "steps", title: "Steps", key: "7", make: steps },
  { name: "conversation", title: "Conversation", key: "8", isPane: true },
  { name: "details", title: "Details", key: "9", isPane: true },
];

export class Below {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.entry = PARTS[0];
    this.isNarrow = false;
    /** @type {Map<string, import("./tables.js").Part>} */
    this.parts = new Map();
    this.tabs = new Map(PARTS.map((entry) => [entry, h("button.tab", { type: "button", role: "tab", id: `part-${entry.name}`, "aria-controls": "session-part", title: `${entry.title} (${entry.key})`, onclick: () => this.push(entry.name) }, entry.title)]));
    this.tablist = h("div.tabs.part-tabs", { role: "tablist", "aria-label": "Below the lanes" }, [...this.tabs.values()]);
    this.tablist.addEventListener("keydown", (event) => {
      const there = this.there;
      const at = there.indexOf(this.entry);
      const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: there.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      const entry = there[(next + there.length) % there.length];
      this.push(entry.name);
      this.tabs.get(entry).focus();
    });
    this.body = h("div.part-body", { id: "session-part", role: "tabpanel", tabindex: "-1" });
    this.element = h("div.session-below", {}, this.tablist, this.body);
  }

  get there() {
    return PARTS.filter(({ isPane }) => !isPane || this.isNarrow);
  }

  /** A step that the address keeps. @param {string} name */
  push(name) {
    const { page } = this;
    const isPane = PARTS.find((entry) => entry.name === name)?.isPane;
    if (isPane && !this.isNarrow) {
      page.showSide(true);
      (name === "details" ? page.panel.element.querySelector(".icon-button") : page.conversation.scroller).focus();
      return;
    }
    page.app.replace({ view: name === PARTS[0].name ? "" : name });
    page.state = page.app.view.state;
    this.choose(name);
  }

  /** @param {string} name of a part; of one that is none, the first */
  choose(name) {
    this.entry = this.there.find((entry) => entry.name === name) ?? PARTS[0];
    const { there } = this;
    for (const [entry, tab] of this.tabs) {
      tab.hidden = !there.includes(entry);
      attribute(tab, "aria-selected", String(entry === this.entry));
      tab.tabIndex = entry === this.entry ? 0 : -1;
    }
    const { offsetLeft, offsetWidth } = this.tabs.get(this.entry);
    if (offsetLeft + offsetWidth > this.tablist.clientWidth) this.tablist.scrollLeft = offsetLeft - this.tablist.offsetLeft;
    attribute(this.body, "aria-labelledby", `part-${this.entry.name}`);
    const element = this.elementOf(this.entry);
    if (this.body.firstChild !== element) {
      fill(this.body, element);
      this.body.scrollTop = 0;
    }
    this.show();
  }

  elementOf({ name, make }) {
    const { page } = this;
    if (!make) return name === "details" ? page.panel.element : page.conversation.element;
    if (!this.parts.has(name)) this.parts.set(name, make(page));
    return this.parts.get(name).element;
  }

  /** The orchestration is another one. */
  show() {
    if (this.page.orchestration) this.parts.get(this.entry.name)?.show();
  }

  /** Something else is chosen. @param {boolean} moves whether it is brought into view */
  follow(moves) {
    this.parts.get(this.entry.name)?.follow?.(moves);
  }

  /** What runs is longer now. */
  grow() {
    this.parts.get(this.entry.name)?.grow?.();
  }

  /** Another part of the time shows. */
  zoomed() {
    this.parts.get(this.entry.name)?.zoomed?.();
  }

  /** Where conversation and details stand. @param {boolean} isNarrow */
  place(isNarrow) {
    const { page } = this;
    this.isNarrow = isNarrow;
    if (!isNarrow) fill(page.side, page.conversation.element, page.panel.element);
    this.choose(this.entry.isPane && !isNarrow ? "" : this.entry.name);
  }

  close() {
    for (const part of this.parts.values()) part.close?.();
  }
}
