// SPDX-License-Identifier: Apache-2.0
// The names from the root down to the selected span, each a way to it.
import { count, shortened } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";

/** Of a longer path the ends show. */
const STEPS_MAX = 12;
const [FIRST, LAST] = [3, 8];

export class SpanPath {
  /** @param {{ select: (row: number) => void, leave: () => void }} actions `leave`: the whole trace in place of a subtree */
  constructor(actions) {
    this.actions = actions;
    this.element = h("nav.path", { "aria-label": "Path to the selected span" });
  }

  /** @param {import("./model.js").TraceModel} model @param {number} selected row @param {number} focus the row whose subtree shows, or -1 */
  show(model, selected, focus) {
    const { element, actions } = this;
    const path = model.path(selected);
    const shown = path.length > STEPS_MAX ? [...path.slice(0, FIRST), -1, ...path.slice(-LAST)] : path;
    fill(element, focus < 0 ? null : h("button.quiet.path-step.whole", { type: "button", title: "Leave the subtree (,)", onclick: actions.leave }, icon("fit"), "Whole trace"), shown.map((row, index) => [
      index ? h("span.path-turn", { "aria-hidden": "true" }, "›") : null,
      row < 0 ? h("span.faint", {}, `… ${count(path.length - FIRST - LAST)} more`) : h("button.quiet.path-step", { type: "button", "aria-current": row === selected ? "true" : null, title: shortened(`${model.serviceName(row)} ${model.operationName(row)}`), onclick: () => actions.select(row) },
        h("span.swatch", { "data-s": model.color(row) }), h("span.path-name", {}, shortened(model.operationName(row)) || "unnamed"), row === focus ? icon("focus", "focused") : null),
    ]));
    element.scrollLeft = element.scrollWidth;
  }
}
