// SPDX-License-Identifier: Apache-2.0
// The buttons at the end of the bar: the way to the traces beside this one, and what can be done with a whole trace: keep
// it, compare it, take it elsewhere.
import * as api from "../api-more.js";
import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { initialState } from "../lib/url.js";
import { attribute, fill, h } from "../lib/view.js";
import { folding } from "../settings.js";
import { extrasOf } from "./extras.js";

export class TraceMenu {
  /** @param {any} app @param {string} id of the trace */
  constructor(app, id) {
    this.app = app;
    this.id = id;
    this.isPinned = false;
    const button = (picture, label, act) => h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(picture));
    this.markButton = button("compare", "Mark for compare (x)", () => app.mark(id));
    this.pinButton = button("pin", "Keep this trace", () => this.togglePin());
    this.moreButton = h("button.icon-button", { type: "button", "aria-label": "More", title: "Compare, export, settings", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => this.toggle() }, icon("more"));
    this.panel = h("div.menu-panel", { popover: "auto", role: "dialog", "aria-label": "Compare, export, settings" });
    // Escape closes this, and nothing of the page.
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.panel.hidePopover();
      this.moreButton.focus();
    });
    this.panel.addEventListener("toggle", (event) => attribute(this.moreButton, "aria-expanded", String(event.newState === "open")));
    this.agentsLink = h("a.button.agents-way", { hidden: true, title: "The agents of this trace on lanes" }, icon("agents"), h("span", {}, "Agents"));
    this.element = h("div.trace-menu", {}, this.agentsLink, this.neighbours(), this.markButton, this.pinButton, button("link", "Copy link (y)", () => app.copyLink()), this.moreButton, this.panel);
    this.pinButton.disabled = true;
    this.unlisten = app.marks.listen(() => this.showMark());
    this.showMark();
  }

  /** The way to the trace before and after this one among the results. */
  neighbours() {
    const { resultIds } = this.app;
    const at = resultIds.indexOf(this.id);
    if (at < 0) return null;
    const button = (picture, label, step) => {
      const element = h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: () => this.goNeighbour(step) }, icon(picture));
      element.disabled = !resultIds[at + step];
      return element;
    };
    return [h("span.faint.place", {}, `${count(at + 1)} of ${count(resultIds.length)}`), button("up", "Previous trace ([)", -1), button("down", "Next trace (])", 1)];
  }

  goNeighbour(step) {
    const { resultIds } = this.app;
    const at = resultIds.indexOf(this.id);
    const id = at < 0 ? null : resultIds[at + step];
    if (id) this.app.go({ page: "trace", id, state: initialState("trace") });
  }

  entries() {
    const { app, id } = this;
    const whole = api.traceDocumentURL(id).href;
    const act = (picture, label, run) => h("button.quiet", { type: "button", onclick: () => { this.panel.hidePopover(); run(); } }, icon(picture), label);
    const link = (label, href, name) => h("a.menu-link", { href, download: name, onclick: () => this.panel.hidePopover() }, icon("download"), label);
    const folds = h("input", { type: "checkbox" });
    folds.checked = folding.value === "on";
    folds.addEventListener("change", () => { folding.value = folds.checked ? "on" : "off"; });
    const compare = (label, other) => h("a.menu-link", { href: app.href({ page: "compare", id, other, state: {} }), onclick: () => this.panel.hidePopover() }, icon("compare"), label);
    return [
      compare("Compare with what is typical", "typical"), compare("Compare with another trace…"),
      act("link", "Copy link", () => app.copyLink()),
      act("copy", "Copy as curl", () => app.shell.copy(`curl '${whole}'`, "curl command")),
      link("Download OTLP JSON", whole, `trace-${id}.json`),
      link("Download Jaeger JSON", api.jaegerDocumentURL(id).href, `trace-${id}.jaeger.json`),
      h("label.choice", {}, folds, " Fold repeats in every trace"),
    ];
  }

  toggle() {
    if (this.panel.matches(":popover-open")) {
      this.panel.hidePopover();
      return;
    }
    fill(this.panel, this.entries());
    this.panel.showPopover();
    const below = this.moreButton.getBoundingClientRect();
    this.panel.style.top = `${below.bottom + 4}px`;
    this.panel.style.left = `${Math.max(8, below.right - this.panel.offsetWidth)}px`;
    this.panel.querySelector("a, button").focus();
  }

  /** @param {boolean} isPinned */
  showPin(isPinned) {
    this.isPinned = isPinned;
    this.pinButton.disabled = false;
    attribute(this.pinButton, "aria-pressed", String(isPinned));
    this.pinButton.title = isPinned ? "Kept: retention and sampling leave this trace. Let it go" : "Keep this trace from retention and sampling";
  }

  /** The way to the agents of the trace, and the tab of what they said; most traces have none. @param {any} trace the page */
  async showAgents({ model, views }) {
    const sessions = await extrasOf(model).agentSessions().catch(() => []);
    model.hasAgents = sessions.length > 0;
    this.agentsLink.hidden = !model.hasAgents;
    if (!model.hasAgents) return;
    const root = sessions.find(({ parentSessionId }) => !parentSessionId) ?? sessions.at(-1);
    this.agentsLink.href = this.app.href({ page: "agents/session", id: root.sessionId, state: initialState("agents/session") });
    views.choose(views.entry);
  }

  showMark() {
    attribute(this.markButton, "aria-pressed", String(this.app.marks.value.includes(this.id)));
  }

  async togglePin() {
    const { app, id, isPinned } = this;
    this.pinButton.disabled = true;
    try {
      await (isPinned ? api.unpin(id) : api.pin(id));
      this.showPin(!isPinned);
      app.shell.confirm(isPinned ? "Let go: retention decides again" : "Kept from retention and sampling");
    } catch (error) {
      this.showPin(isPinned);
      app.shell.confirm(error.message);
    }
  }

  close() {
    this.unlisten();
  }
}
