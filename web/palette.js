// SPDX-License-Identifier: Apache-2.0
// The palette: everything the page can do or go to, by a few letters of its name, without leaving the keyboard.
import * as api from "./api.js";
import { literal } from "./explore/query-text.js";
import { icon } from "./lib/icons.js";
import { ranked } from "./lib/ranking.js";
import { initialState, isWholeTraceId, traceId } from "./lib/url.js";
import { attribute, debounce, fill, h } from "./lib/view.js";
import { nodeId } from "./map/graph.js";
import { pastQueries, rail, timeForm } from "./settings.js";

/** @typedef {{ title: string, detail: string, picture: string, words?: string, run: () => void, isQuery?: boolean }} Item */

const SHOWN_MAX = 12;
const PAST_MAX = 5;
const SERVICES_DEEP_MAX = 3;
const TEXT_MAX = 300;
/** As many services the page knows of at most; of more the server finds those that begin with what is typed. */
const KNOWN_MAX = 1000;
const ASK_AFTER_MILLIS = 120;

/** @param {any} app */
export function openPalette(app) {
  if (!document.querySelector("dialog.palette")) new Palette(app);
}

class Palette {
  constructor(app) {
    this.app = app;
    this.active = 0;
    /** @type {Item[]} */
    this.items = [];
    this.saved = [];
    /** Services beyond those that are known. @type {string[]} */
    this.more = [];
    this.input = h("input.palette-input", {
      type: "text", role: "combobox", "aria-label": "Go to or do", "aria-autocomplete": "list", "aria-expanded": "true", "aria-controls": "palette-list",
      placeholder: "A page, a service, a query, a trace id", autocomplete: "off", spellcheck: "false",
    });
    this.list = h("ul.palette-list", { id: "palette-list", role: "listbox", "aria-label": "Found" });
    this.nothing = h("p.palette-nothing.faint", { hidden: true }, "Nothing has this name.");
    this.dialog = h("dialog.dialog.palette", { "aria-label": "Palette" }, h("div.palette-head", {}, icon("explore"), this.input), this.list, this.nothing);
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    this.dialog.addEventListener("close", () => {
      this.flight.abort();
      this.askServices.cancel();
      this.dialog.remove();
    });
    this.askServices = debounce((typed) => this.findServices(typed), ASK_AFTER_MILLIS);
    this.input.addEventListener("input", () => {
      this.draw();
      if (this.app.colors.known.size >= KNOWN_MAX) this.askServices(this.input.value.trim());
    });
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-index]");
      if (row) this.run(this.items[Number(row.dataset.index)]);
    });
    this.fixed = this.fixedItems();
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.flight = new AbortController();
    this.draw();
    this.learn();
  }

  /** What the server knows comes a little later. */
  async learn() {
    const { signal } = this.flight;
    const [saved] = await Promise.all([api.savedQueries(signal).catch(() => null), this.app.colors.learn()]);
    if (signal.aborted) return;
    this.saved = saved?.savedQueries ?? [];
    this.draw(true);
  }

  /** @param {string} typed */
  async findServices(typed) {
    const last = typed.split(/\s+/).at(-1);
    if (!last) return;
    const found = await api.attributeValues("service", last, SHOWN_MAX, undefined, this.flight.signal).catch(() => null);
    if (!found || this.input.value.trim() !== typed) return;
    this.more = found.values.map(({ value }) => value);
    this.draw(true);
  }

  /** @returns {Item[]} */
  fixedItems() {
    const { app } = this;
    const { shell } = app;
    const isWide = rail.value === "wide";
    const otherForm = timeForm.value === "absolute" ? "relative" : "absolute";
    const page = (name, title, words) => ({ title, detail: "page", picture: name, words, run: () => app.go(app.front(name)) });
    const action = (title, picture, run, words) => ({ title, detail: "action", picture, words, run });
    return [
      page("explore", "Explore", "search traces"), page("services", "Services"), page("map", "Map", "graph dependencies"), page("agents", "Agents", "sessions llm tools"), page("live", "Live", "tail"),
      page("compare", "Compare", "diff"),
      action("Copy a link to this view", "link", () => app.copyLink(), "share url"),
      action("Theme: system, light, dark", "auto", () => shell.nextTheme(), "color"),
      action("Time zone…", "globe", () => shell.open("showZones"), "utc"),
      action(`Times ${otherForm}`, "clock", () => { timeForm.value = otherForm; }),
      action("Import a trace file…", "upload", () => app.chooseFiles(), "upload open json otlp jaeger zipkin"),
      action("Pinned traces", "pin", () => app.showPins()),
      action(`Names beside the icons: ${isWide ? "hide" : "show"}`, "wide", () => { rail.value = isWide ? "narrow" : "wide"; }, "rail sidebar"),
      action("Keyboard shortcuts", "help", () => shell.open("showShortcuts"), "keys"),
      action("About and health", "info", () => shell.open("showAbout"), "status version"),
    ];
  }

  queryItems() {
    const explore = (q) => this.app.go({ page: "explore", state: { ...this.app.range, q } });
    const saved = this.saved.map(({ name, query, description }) => ({
      title: name, detail: "saved query", picture: "star", words: `${query} ${description ?? ""}`, shown: query, run: () => explore(query),
    }));
    const past = pastQueries().map((query) => ({ title: query, detail: "ran before", picture: "history", isQuery: true, run: () => explore(query) }));
    return { saved, past };
  }

  /** @param {string} name */
  serviceItems(name) {
    const { app } = this;
    const range = app.range;
    return [
      { title: name, detail: "service", picture: "services", run: () => app.go({ page: "service", id: name, state: { ...initialState("service"), ...range } }) },
      { title: `Explore service = ${name}`, detail: "query", picture: "explore", run: () => app.go({ page: "explore", state: { ...range, q: `service = ${literal(name, "string")}` } }) },
      { title: `Focus on the map: ${name}`, detail: "map", picture: "focus", run: () => app.go({ page: "map", state: { ...range, focus: nodeId("service", name) } }) },
    ];
  }

  /** @param {string} typed @returns {Item[]} */
  find(typed) {
    const { saved, past } = this.queryItems();
    if (typed === "") return [...this.fixed.slice(0, 6), ...past.slice(0, PAST_MAX), ...saved.slice(0, PAST_MAX), ...this.fixed.slice(6)];
    const found = [];
    const id = traceId(typed);
    if (id && (isWholeTraceId(typed) || /^[0-9a-f-]{8,}$/i.test(typed))) {
      found.push({ title: `Open trace ${isWholeTraceId(typed) ? id : typed}`, detail: "trace", picture: "explore", run: () => this.app.go({ page: "trace", id, state: {} }) });
    }
    const names = [...new Set([...this.app.colors.known.keys(), ...this.more])].map((title) => ({ title }));
    const services = ranked(typed, names, SHOWN_MAX).map(({ title }) => title);
    const deep = services.slice(0, SERVICES_DEEP_MAX).flatMap((name) => this.serviceItems(name));
    // "map checkout" names what can be done with a service, of which there may be thousands.
    const last = typed.split(/\s+/).at(-1);
    const meant = last === typed ? [] : ranked(last, names, SERVICES_DEEP_MAX).flatMap(({ title }) => this.serviceItems(title).slice(1));
    const more = services.slice(SERVICES_DEEP_MAX).map((name) => this.serviceItems(name)[0]);
    const all = [...this.fixed, ...deep, ...more, ...saved, ...past, ...meant.filter(({ title }) => !deep.some((item) => item.title === title))];
    found.push(...ranked(typed, all, SHOWN_MAX));
    if (/[=<>{!]/.test(typed)) {
      found.push({ title: typed, detail: "run this query", picture: "run", isQuery: true, run: () => this.app.go({ page: "explore", state: { ...this.app.range, q: typed } }) });
    }
    return found;
  }

  /** @param {boolean} [keeps] whether the chosen row stays chosen */
  draw(keeps = false) {
    const chosen = keeps ? this.items[this.active]?.title : null;
    this.items = this.find(this.input.value.trim());
    this.active = Math.max(0, chosen === null ? 0 : this.items.findIndex(({ title }) => title === chosen));
    fill(this.list, this.items.map((item, index) => h("li.palette-item", {
      id: `palette-${index}`, role: "option", "data-index": index, "aria-selected": String(index === this.active),
    }, icon(item.picture), h(item.isQuery ? "code.palette-title" : "span.palette-title", {}, item.title.slice(0, TEXT_MAX)),
      item.shown ? h("code.palette-shown", {}, item.shown.slice(0, TEXT_MAX)) : null, h("span.palette-detail", {}, item.detail))));
    this.nothing.hidden = this.items.length > 0;
    attribute(this.input, "aria-expanded", String(this.items.length > 0));
    this.nameActive();
  }

  nameActive() {
    const row = this.list.children[this.active];
    attribute(this.input, "aria-activedescendant", row?.id ?? null);
    row?.scrollIntoView({ block: "nearest" });
  }

  move(step) {
    const { children } = this.list;
    if (!children.length) return;
    children[this.active]?.setAttribute("aria-selected", "false");
    this.active = (this.active + step + children.length) % children.length;
    children[this.active].setAttribute("aria-selected", "true");
    this.nameActive();
  }

  key(event) {
    if (event.isComposing) return;
    const isAgain = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    if (event.key === "ArrowDown" || (event.key === "Tab" && !event.shiftKey)) this.move(1);
    else if (event.key === "ArrowUp" || event.key === "Tab") this.move(-1);
    else if (event.key === "Enter") this.run(this.items[this.active]);
    else if (isAgain) this.dialog.close();
    else return;
    event.preventDefault();
  }

  /** @param {Item | undefined} item */
  run(item) {
    if (!item) return;
    this.dialog.close();
    item.run();
  }
}
