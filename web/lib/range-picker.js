// SPDX-License-Identifier: Apache-2.0
// The time range: a button that says it, and opens a panel to choose another.
import { icon } from "./icons.js";
import { closedByPress } from "./popover.js";
import { rangeLabel } from "./range.js";
import { attribute, h } from "./view.js";
import { zone } from "../settings.js";

export class RangePicker {
  /** @param {(from: string, to: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.from = "-1h";
    this.to = "";
    this.label = h("span.range-text", {});
    this.button = h("button.range-button", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => { if (!this.isClosed()) this.toggle(); } }, icon("clock"), this.label, icon("down"));
    this.panel = h("div.range-panel", { popover: "auto", role: "dialog", "aria-label": "Time range" });
    this.isClosed = closedByPress(this.panel, this.button);
    this.panel.addEventListener("toggle", (event) => attribute(this.button, "aria-expanded", event.newState === "open" ? "true" : "false"));
    this.element = h("div.range", {}, this.button, this.panel);
  }

  /** @param {string} from @param {string} to */
  show(from, to) {
    this.from = from;
    this.to = to;
    this.label.textContent = rangeLabel(from, to, Date.now(), zone.value);
    this.button.setAttribute("aria-label", `Time range: ${this.label.textContent}`);
    this.button.title = this.label.textContent;
  }

  /** The panel comes when it is asked for first. */
  async toggle() {
    const module = await import("./range-panel.js").catch(() => null);
    if (!module) return;
    this.opened ??= new module.RangePanel(this);
    this.opened.toggle();
  }
}
