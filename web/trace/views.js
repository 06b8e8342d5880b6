// SPDX-License-Identifier: Apache-2.0
// The views of a trace: a table of them, their tabs, and the one that is open. The waterfall is part of the page; the
// others are modules that are loaded when they are first opened.
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";

/**
 * What a view's module exports as `open(trace, element)`. It fills the element and answers `show`, called with what
 * changed: "model" (another trace, or more spans of it), "selection", "time", "matches", "path", "state" (the address) or
 * "theme"; it reads what it needs from the trace: `model`, `selected`, `from` and `to` (fractions of its
 * time), `matches` (rows; null when nothing is looked for), `criticalPath` (null until `wantCriticalPath()` brought it), `state`; and
 * tells it `select(row, { opens, align })`, `zoomNanos(from, to)`, `app.replace(state)`. `show("model")` is called once at the start.
 * @typedef {{ show(changed: string): void, close(): void }} OpenView
 *
 * `load` is absent for the waterfall. `hasDetails`: the details of the selected span stand beside the view; `usesTime`: it
 * follows the stretch of time chosen; `isThere`: whether a trace has what it shows.
 * @typedef {{ name: string, title: string, key: string, load?: () => Promise<{ open(trace: any, element: HTMLElement): OpenView }>,
 *   hasDetails?: boolean, usesTime?: boolean, isThere?: (model: import("./model.js").TraceModel) => boolean }} ViewEntry
 */

/** In the order of their tabs. @type {ViewEntry[]} */
export const VIEWS = [
  { name: "waterfall", title: "Waterfall", key: "1", hasDetails: true, usesTime: true },
  { name: "flame", title: "Flame", key: "2", load: () => import("./flame.js"), hasDetails: true },
  { name: "graph", title: "Graph", key: "3", load: () => import("./graph.js"), hasDetails: true },
  { name: "table", title: "Table", key: "4", load: () => import("./table.js") },
  { name: "logs", title: "Logs", key: "5", load: () => import("./logs.js"), hasDetails: true },
  { name: "conversation", title: "Conversation", key: "6", load: () => import("./conversation.js"), hasDetails: true, isThere: (model) => model.hasAgents === true },
  { name: "raw", title: "Raw", key: "7", load: () => import("./raw.js") },
];

/** The entry an address asks for; of a name that is none, the waterfall. @param {string} name */
export function viewNamed(name) {
  return VIEWS.find((entry) => entry.name === name) ?? VIEWS[0];
}

export class Views {
  /** @param {any} trace the page @param {(name: string) => void} choose */
  constructor(trace, choose) {
    this.trace = trace;
    this.entry = VIEWS[0];
    /** @type {OpenView | null} */
    this.view = null;
    this.opening = 0;
    this.element = h("div.view", {});
    this.tabs = new Map(VIEWS.map((entry) => [entry, h("button.tab", {
      type: "button", role: "tab", id: `view-${entry.name}`, "aria-controls": "trace-view", title: `${entry.title} (${entry.key})`, onclick: () => choose(entry.name),
    }, entry.title)]));
    this.tablist = h("div.tabs.view-tabs", { role: "tablist", "aria-label": "Views" }, [...this.tabs.values()]);
    this.tablist.addEventListener("keydown", (event) => {
      const there = this.there;
      const at = there.indexOf(this.entry);
      const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: there.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      const entry = there[(next + there.length) % there.length];
      choose(entry.name);
      this.tabs.get(entry).focus();
    });
  }

  /** The views that this trace has something for. */
  get there() {
    const { model } = this.trace;
    return VIEWS.filter(({ isThere }) => !isThere || (model !== null && isThere(model)));
  }

  /** Marks the tab; a view that is another one than before opens. @param {ViewEntry} entry */
  choose(entry) {
    const isOther = entry !== this.entry;
    this.entry = entry;
    const { there } = this;
    for (const [each, tab] of this.tabs) {
      tab.hidden = !there.includes(each) && each !== entry;
      tab.setAttribute("aria-selected", String(each === entry));
      tab.tabIndex = each === entry ? 0 : -1;
    }
    if (isOther) this.close();
    if (entry.load && !this.view && this.trace.model) this.load(entry);
  }

  async load(entry) {
    const opening = ++this.opening;
    const module = await entry.load().catch(() => null);
    if (opening !== this.opening) return;
    if (!module) {
      fill(this.element, h("section.state", {}, h("h2", {}, `${entry.title} could not be loaded`), h("p", {}, "A part of the page did not come from the server."),
        h("div.row-of-buttons", {}, h("button", { type: "button", onclick: () => location.reload() }, icon("run"), "Read the page anew"))));
      return;
    }
    this.element.className = `view view-${entry.name}`;
    fill(this.element);
    this.view = module.open(this.trace, this.element);
    this.view.show("model");
  }

  /** Tells the open view what changed. @param {string} changed */
  tell(changed) {
    this.view?.show(changed);
  }

  close() {
    this.opening++;
    this.view?.close();
    this.view = null;
    this.element.className = "view";
    fill(this.element);
  }
}
