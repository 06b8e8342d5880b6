// SPDX-License-Identifier: Apache-2.0
// The edge between the stage and the details: dragged, or moved with the arrows; remembered.
import { attribute, h } from "../lib/view.js";
import { keepSize, size } from "../settings.js";
import { drag } from "./waterfall.js";

const USUAL = 420;
const LEAST = 200;
/** What is left to the view beside it. */
const BESIDE = 240;
const STEP = 24;

export class PanelSplitter {
  /** @param {HTMLElement} panel @param {MediaQueryList} narrow in narrow windows the panel lies below */
  constructor(panel, narrow) {
    this.panel = panel;
    this.narrow = narrow;
    this.element = h("div.details-splitter", { role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Size of the details", "aria-valuemin": LEAST, "aria-valuemax": "900", "aria-valuenow": size("details", USUAL) });
    this.element.addEventListener("pointerdown", (event) => this.follow(event));
    this.element.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: STEP, ArrowUp: STEP, ArrowRight: -STEP, ArrowDown: -STEP }[event.key];
      if (!step) return;
      event.preventDefault();
      this.resize(size("details", USUAL) + step);
    });
    panel.style.setProperty("--details", `${size("details", USUAL)}px`);
  }

  get box() {
    return this.element.parentElement.getBoundingClientRect();
  }

  follow(event) {
    event.preventDefault();
    this.element.focus();
    const { box } = this;
    drag(this.element, event, (move) => this.resize(this.narrow.matches ? box.bottom - move.clientY : box.right - move.clientX));
  }

  resize(pixels) {
    const most = Math.max(LEAST, (this.narrow.matches ? this.box.height : this.box.width) - BESIDE);
    const next = Math.round(Math.max(LEAST, Math.min(most, pixels)));
    this.panel.style.setProperty("--details", `${next}px`);
    attribute(this.element, "aria-valuenow", next);
    keepSize("details", next);
  }
}
