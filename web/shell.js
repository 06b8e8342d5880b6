// SPDX-License-Identifier: Apache-2.0
// What is around every page: rail, top bar, messages, and the way to the small dialogs behind the rail's lower icons.
import { icon } from "./lib/icons.js";
import { attribute, debounce, fill, h } from "./lib/view.js";
import { rail, theme } from "./settings.js";

const THEMES = ["auto", "light", "dark"];
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };
const MESSAGE_MILLIS = 2500;
const RAIL = [["explore", "Explore"], ["services", "Services"], ["map", "Map"], ["agents", "Agents"], ["live", "Live"], ["compare", "Compare"]];
/** The entry of the rail that a page without one belongs to. */
const BELONGS_TO = { trace: "explore", service: "services", "agents/session": "agents", "agents/compare": "agents" };

export class Shell {
  /**
   * @param {import("./lib/keys.js").Keyboard} keyboard @param {(page: string) => string} addressOf how a page opens from the rail
   * @param {[string, string, () => void][]} more icon, name and deed of what the dialog about the server leads to
   */
  constructor(keyboard, addressOf, more) {
    this.keyboard = keyboard;
    this.addressOf = addressOf;
    this.more = more;
    this.pageLinks = RAIL.map(([page, name]) => h("a.rail-item", { "data-page": page, "aria-label": name }, icon(page), railLabel(name)));
    this.pinButton = railButton("wide", "Names beside the icons", "Names", () => { rail.value = rail.value === "wide" ? "narrow" : "wide"; });
    this.themeButton = railButton("auto", "Theme", "Theme", () => this.nextTheme());
    this.home = h("a.rail-item.logo", { "aria-label": "Skein, home" }, icon("skein"), railLabel("Skein"));
    this.rail = h("nav.rail", { "aria-label": "Pages and settings" },
      this.home,
      this.pageLinks,
      h("div.rail-gap"),
      this.pinButton,
      this.themeButton,
      railButton("globe", "Time zone", "Time zone", () => this.open("showZones")),
      railButton("help", "Keyboard shortcuts", "Keyboard", () => this.open("showShortcuts")),
      this.aboutButton = railButton("info", "About and health", "About", () => this.open("showAbout")));
    this.barStart = h("div.bar-start");
    this.barEnd = h("div.bar-end");
    this.progress = h("div.progress", { hidden: true });
    this.bar = h("header.bar", {}, this.barStart, this.barEnd, this.progress);
    this.main = h("main.page", { id: "main", tabindex: "-1" });
    this.offline = h("div.offline", { hidden: true, role: "alert" });
    this.toast = h("div.toast", { hidden: true });
    this.polite = h("div.unseen", { role: "status", "aria-live": "polite" });
    this.assertive = h("div.unseen", { role: "alert", "aria-live": "assertive" });
    const skip = h("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); this.main.focus(); } }, "Skip to the page");
    document.body.replaceChildren(skip, this.rail, h("div.column", {}, this.bar, this.offline, this.main), this.toast, this.polite, this.assertive);
    theme.listen(() => this.showTheme());
    this.showTheme();
    rail.listen(() => this.showRail());
    this.showRail();
    this.say = debounce((text) => { this.polite.textContent = text; }, 200);
    this.progressTimer = 0;
    this.toastTimer = 0;
  }

  /** Clears the bar and the page for the next one. */
  begin(pageName) {
    fill(this.barStart);
    fill(this.barEnd);
    fill(this.main);
    this.main.className = `page ${pageName}`;
    this.setOffline(null);
    this.busy(false);
    this.showPages(pageName);
  }

  /** The links of the rail, as the pages would open now. @param {string} [pageName] the page that opens */
  showPages(pageName = this.pageName) {
    this.pageName = pageName;
    this.home.href = this.addressOf("explore");
    for (const link of this.pageLinks) {
      const { page } = link.dataset;
      link.href = this.addressOf(page);
      attribute(link, "aria-current", page === (BELONGS_TO[pageName] ?? pageName) ? "page" : null);
    }
  }

  showRail() {
    const isWide = rail.value === "wide";
    this.rail.classList.toggle("wide", isWide);
    this.pinButton.setAttribute("aria-pressed", String(isWide));
  }

  /** A thin line under the bar, not before 150 ms: quick answers should not flicker. */
  busy(isBusy) {
    clearTimeout(this.progressTimer);
    if (isBusy) this.progressTimer = setTimeout(() => { this.progress.hidden = false; }, 150);
    else this.progress.hidden = true;
  }

  /** A short confirmation, seen and heard. @param {string} text */
  confirm(text) {
    clearTimeout(this.toastTimer);
    this.toast.textContent = text;
    this.toast.hidden = false;
    this.polite.textContent = text;
    this.toastTimer = setTimeout(() => { this.toast.hidden = true; }, MESSAGE_MILLIS);
  }

  /** A failure, for ears; the page shows it where it happened. @param {string} text */
  alert(text) {
    this.assertive.textContent = text;
  }

  /** @param {(() => void) | null} retry the way back when the server does not answer; null when it does */
  setOffline(retry) {
    this.offline.hidden = retry === null;
    if (retry) fill(this.offline, icon("warning"), "Skein does not answer. What you see may be old.", h("button.quiet", { type: "button", onclick: retry }, "Try again"));
  }

  /** @param {string} text @param {string} what named in the confirmation */
  async copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without a secure context there is no clipboard: the old way still works.
      const focused = document.activeElement;
      const field = h("textarea.unseen", { "aria-hidden": "true" });
      field.value = text;
      (document.querySelector("dialog[open]") ?? document.body).append(field);
      field.select();
      const isCopied = document.execCommand("copy");
      field.remove();
      focused?.focus?.();
      if (!isCopied) {
        this.confirm(`${what} not copied: this browser does not allow it`);
        return;
      }
    }
    this.confirm(`${what} copied`);
  }

  nextTheme() {
    theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length];
    this.confirm(`Theme: ${theme.value === "auto" ? "as the system" : theme.value}`);
  }

  showTheme() {
    fill(this.themeButton, icon(THEME_ICONS[theme.value]), railLabel(`Theme: ${theme.value}`));
    this.themeButton.setAttribute("aria-label", `Theme: ${theme.value}`);
  }

  /** Dialogs come when they are asked for. @param {"showShortcuts" | "showZones" | "showAbout"} name */
  async open(name) {
    const module = await import("./shell-dialogs.js").catch(() => null);
    if (module) module[name](this);
    else this.setOffline(() => this.open(name));
  }

  /** @param {string} title @param {...any} children */
  dialog(title, ...children) {
    const heading = h("h2", { id: "dialog-title" }, title);
    const dialog = h("dialog.dialog", { "aria-labelledby": "dialog-title" },
      h("div.dialog-head", {}, heading, h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
      children);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  }
}

function railLabel(text) {
  return h("span.rail-label", {}, text);
}

/** @param {string} label @param {string} short how it begins: as much as a wide rail has room for */
function railButton(picture, label, short, onclick) {
  const text = railLabel([short, h("span.rail-rest", {}, label.slice(short.length))]);
  return h("button.rail-item", { type: "button", "aria-label": label, onclick }, icon(picture), text);
}
