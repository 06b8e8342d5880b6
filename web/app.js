// SPDX-License-Identifier: Apache-2.0
// The entry: reads the address, opens its page, and keeps address, history and page in step.
import { BASE, get, status } from "./api.js";
import { ServiceColors } from "./lib/colors.js";
import { icon } from "./lib/icons.js";
import { Keyboard } from "./lib/keys.js";
import { formatView, initialState, isPagePath, parseView } from "./lib/url.js";
import { fill, h, signal } from "./lib/view.js";
import { isZone } from "./lib/format.js";
import { singleKeys, timeForm, zone } from "./settings.js";
import { Shell } from "./shell.js";

/** Pages whose module is not called like their folder. */
const MODULES = { service: "services/service", "agents/session": "agents/session", "agents/compare": "agents/compare" };

/** Stylesheets of pages that share one. */
const STYLESHEETS = { service: ["services"], live: ["explore", "live"], agents: ["explore", "services", "agents"], "agents/session": ["services", "trace", "agents", "conversation"], "agents/compare": ["services", "trace", "agents"] };
/** What a page asks for first. */
const AHEAD = { trace: (id) => `traces/${id}/skeleton`, "agents/session": (id) => `../../worktrace/v1/orchestrations/${id}` };
const MARKS_MAX = 2;

const styles = new Map();

/** What a page may ask of the application around it. */
class App {
  constructor() {
    this.keyboard = new Keyboard(() => singleKeys.value === "on");
    this.shell = new Shell(this.keyboard, (page) => this.href(this.front(page)), [
      ["pin", "Pinned traces", () => this.showPins()],
      ["upload", "Import a trace file…", () => this.chooseFiles()],
    ]);
    this.page = null;
    this.view = null;
    /** Counts openings: one that has been overtaken gives up. */
    this.opening = 0;
    this.isOpening = false;
    /** The last Explore view, for the way back, and its traces, for `[` and `]`. */
    this.lastExplore = { page: "explore", state: initialState("explore") };
    /** @type {string[]} */
    this.resultIds = [];
    /** What Explore showed when it was left. */
    this.keptResults = null;
    this.colors = new ServiceColors();
    /** The trace looked at last. @type {string | null} */
    this.openedTrace = null;
    /** The time range that was chosen last, for the next page that has one. */
    this.range = { from: "-1h", to: "" };
    /** Traces marked to be compared, at most two. @type {{ readonly value: string[] }} */
    this.marks = signal([]);
  }

  start() {
    // Relative to where the page was opened; a browser asks for it again when the address has changed.
    for (const icon of document.querySelectorAll("link[rel=icon]")) icon.setAttribute("href", icon.href);
    this.keyboard.listen(document);
    this.keyboard.install("Everywhere", [
      { keys: ["?"], does: "This sheet", run: () => this.shell.open("showShortcuts") },
      { keys: ["Control+k"], does: "Palette: pages, services, saved queries, traces", inFields: true, run: () => this.openPalette() },
      { keys: ["g e"], does: "Go to Explore", run: () => this.go(this.lastExplore) },
      { keys: ["g s"], does: "Go to Services", run: () => this.go(this.front("services")) },
      { keys: ["g m"], does: "Go to the map", run: () => this.go(this.front("map")) },
      { keys: ["g a"], does: "Go to Agents", run: () => this.go(this.front("agents")) },
      { keys: ["g l"], does: "Go to Live", run: () => this.go(this.front("live")) },
      { keys: ["g c"], does: "Compare the marked traces", run: () => this.go(this.front("compare")) },
      { keys: ["d"], does: "Theme: system, light, dark", run: () => this.shell.nextTheme() },
      { keys: ["T"], does: "Times relative or absolute", run: () => { timeForm.value = timeForm.value === "absolute" ? "relative" : "absolute"; } },
      { keys: ["y"], does: "Copy a link to exactly this view", run: () => this.copyLink() },
    ]);
    this.marks.listen(() => this.shell.showPages());
    this.listenToDrops();
    addEventListener("popstate", () => {
      const view = this.addressed();
      // The zone is the reader's, whatever it was then.
      history.replaceState(null, "", this.href(view));
      this.open(view);
    });
    document.addEventListener("click", (event) => this.followLink(event));
    zone.listen(() => {
      if (!this.view) return;
      this.replace({});
      this.page?.zoneChanged?.();
    });
    const view = this.addressed();
    if (isZone(view.state.tz)) zone.value = view.state.tz;
    history.replaceState(null, "", this.href(view));
    this.open(view);
  }

  addressed() {
    return parseView(location.pathname, location.search, BASE.pathname);
  }

  /** A page as it opens from the rail, in the time range looked at last. @param {import("./lib/url.js").View["page"]} page */
  front(page) {
    if (page === "explore") return this.lastExplore;
    const state = initialState(page);
    if ("from" in state) Object.assign(state, this.range);
    const [id, other] = page === "compare" ? this.marks.value : [];
    return { page, id, other, state };
  }

  /** Marks a trace to be compared, or takes the mark away; of three the oldest goes. @param {string} id */
  mark(id) {
    const others = this.marks.value.filter((marked) => marked !== id);
    const isMarked = others.length === this.marks.value.length;
    this.marks.value = isMarked ? [...others, id].slice(-MARKS_MAX) : others;
    this.shell.confirm(isMarked ? (this.marks.value.length === MARKS_MAX ? "Marked: two traces can be compared (g c)" : "Marked to be compared with another trace") : "Mark taken away");
  }

  openPalette() {
    return this.openDialog(() => import("./palette.js"), (module) => module.openPalette(this));
  }

  /** @param {Iterable<File>} files */
  importFiles(files) {
    // The list that a drop brings is empty once its event is over.
    const kept = [...files];
    return this.openDialog(() => import("./import.js"), (module) => module.importFiles(this, kept));
  }

  /** The stylesheet of a part that comes late. @param {string} name */
  style(name) {
    return style(name);
  }

  chooseFiles() {
    return this.openDialog(() => import("./import.js"), (module) => module.chooseFiles(this));
  }

  showPins() {
    return this.openDialog(() => import("./pins.js"), (module) => module.showPins(this));
  }

  /** Dialogs that few visits need come when they are asked for. */
  async openDialog(load, show) {
    // What is typed on is meant for the dialog, not for the page.
    this.keyboard.isHeld = true;
    const [module] = await Promise.all([load(), style("dialogs")]).catch(() => []);
    this.keyboard.isHeld = false;
    if (module) show(module);
    else this.shell.setOffline(() => this.openDialog(load, show));
  }

  /** Files may be dropped anywhere; nothing that is dropped leads away from the page. */
  listenToDrops() {
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    const isForField = (event) => !hasFiles(event) && event.target instanceof Element && event.target.closest("input, textarea") !== null;
    const show = (isOver) => document.body.classList.toggle("dropping", isOver);
    document.addEventListener("dragover", (event) => {
      if (isForField(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = hasFiles(event) ? "copy" : "none";
      show(hasFiles(event));
    });
    document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) show(false); });
    document.addEventListener("drop", (event) => {
      if (isForField(event)) return;
      event.preventDefault();
      show(false);
      if (hasFiles(event)) this.importFiles(event.dataTransfer.files);
    });
  }

  /** @param {import("./lib/url.js").View} view */
  href(view) {
    return BASE.pathname + formatView({ ...view, state: { ...view.state, tz: zone.value } });
  }

  /** Goes to a view, a step that "back" undoes. @param {import("./lib/url.js").View} view */
  go(view) {
    const href = this.href(view);
    if (href !== location.pathname + location.search) history.pushState(null, "", href);
    return this.open(view);
  }

  /** Changes state of this page without a step in history. @param {Object<string, string>} state */
  replace(state) {
    // The address belongs to the page that is about to open.
    if (this.isOpening) return;
    this.view = { ...this.view, state: { ...this.view.state, ...state } };
    if (this.view.page === "explore") this.lastExplore = this.view;
    history.replaceState(null, "", this.href(this.view));
  }

  /** Changes state of this page, with a step in history; the page is told. @param {Object<string, string>} state */
  push(state) {
    return this.go({ ...this.view, state: { ...this.view.state, ...state } });
  }

  /** @param {import("./lib/url.js").View} asked its state may name only what is not as at the start */
  async open(asked) {
    const view = { ...asked, state: { ...initialState(asked.page), ...asked.state } };
    const opening = ++this.opening;
    if (view.page === "explore") this.lastExplore = view;
    if ("from" in view.state) this.range = { from: view.state.from, to: view.state.to };
    const same = this.page && this.view.page === view.page && this.view.id === view.id && this.view.other === view.other;
    if (same) {
      this.view = view;
      if (this.isOpening) this.shell.busy(false);
      this.isOpening = false;
      return this.page.show(view.state);
    }
    // The page before stays until the next one is here: its module may not come.
    this.isOpening = true;
    this.shell.busy(true);
    // Comes with the modules.
    const life = new AbortController();
    const ahead = AHEAD[view.page] && get(AHEAD[view.page](encodeURIComponent(view.id)), {}, life.signal);
    if (ahead) ahead.catch(() => {});
    const sheets = STYLESHEETS[view.page] ?? [view.page];
    const [module] = await Promise.all([import(`./${MODULES[view.page] ?? `${view.page}/${view.page}`}.js`), ...sheets.map(style)]).catch(() => []);
    if (opening !== this.opening) return life.abort();
    this.isOpening = false;
    if (!module) return this.cannotOpen(view);
    this.page?.close();
    this.view = view;
    dress(sheets);
    this.shell.begin(view.page);
    this.page = module.open(this, view, ahead, life);
  }

  /** @param {import("./lib/url.js").View} view whose module or stylesheet did not come */
  cannotOpen(view) {
    const { shell } = this;
    shell.busy(false);
    shell.alert("The page could not be loaded");
    const again = async () => {
      // A browser may remember that a module failed; reading the page anew makes it ask again.
      const answers = await status().then(() => true, () => false);
      if (answers) location.assign(this.href(view));
      else this.cannotOpen(view);
    };
    shell.setOffline(again);
    if (this.page) return;
    fill(shell.main, h("section.state", {}, h("h2", {}, "The page could not be loaded"), h("p", {}, "A part of it did not come from the server. Is Skein running?"),
      h("div.row-of-buttons", {}, h("button", { type: "button", onclick: again }, icon("run"), "Try again"))));
  }

  /** Links inside the application open without a reload, unless a new tab was meant. */
  followLink(event) {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
    const path = link.pathname;
    if (!path.startsWith(BASE.pathname) || !isPagePath(path.slice(BASE.pathname.length))) return;
    event.preventDefault();
    this.go(parseView(path, link.search, BASE.pathname));
  }

  /** A link that shows the same thing tomorrow: relative times become fixed ones. */
  copyLink() {
    if (!this.view) return;
    const state = { ...this.view.state, ...this.page?.fixedState?.() };
    this.shell.copy(new URL(this.href({ ...this.view, state }), location.origin).href, "Link");
  }
}

/** Puts the rules of pages that are left out of force: the same name may mean something else here. @param {string[]} sheets of the page */
function dress(sheets) {
  for (const link of document.head.querySelectorAll("link[data-page]")) {
    const { page } = link.dataset;
    if (link.sheet && isPagePath(page)) link.sheet.disabled = !sheets.includes(page);
  }
}

/** A page's own stylesheet, once; the page opens when it is in force. */
function style(page) {
  if (!styles.has(page)) {
    styles.set(page, new Promise((resolve, reject) => {
      const failed = () => {
        styles.delete(page);
        link.remove();
        reject(new Error(`${link.href} did not come`));
      };
      const link = h("link", { rel: "stylesheet", "data-page": page, href: new URL(`assets/${page}.css`, BASE).pathname, onload: resolve, onerror: failed });
      document.head.append(link);
    }));
  }
  return styles.get(page);
}

new App().start();
