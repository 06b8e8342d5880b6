// SPDX-License-Identifier: Apache-2.0
// What the button of the time range opens: the usual ranges, and two fields for any other.
import { absoluteTime, zoneLabel } from "./format.js";
import { PRESETS, momentNanos, resolveRange, spelled } from "./range.js";
import { attribute, fill, h } from "./view.js";
import { zone } from "../settings.js";

export class RangePanel {
  /** @param {import("./range-picker.js").RangePicker} picker */
  constructor(picker) {
    this.picker = picker;
    this.panel = picker.panel;
  }

  toggle() {
    if (this.panel.matches(":popover-open")) {
      this.panel.hidePopover();
      return;
    }
    this.draw();
    this.panel.showPopover();
    const below = this.picker.button.getBoundingClientRect();
    this.panel.style.top = `${below.bottom + 4}px`;
    this.panel.style.left = `${Math.max(8, below.right - this.panel.offsetWidth)}px`;
    (this.panel.querySelector("[aria-pressed=true]") ?? this.fromField).focus();
  }

  draw() {
    const isOpenEnded = this.picker.to === "" || this.picker.to === "now";
    const presets = PRESETS.map((preset) => h("button.quiet", {
      type: "button", "aria-pressed": preset === this.picker.from && isOpenEnded ? "true" : "false", onclick: () => this.pick(preset, ""),
    }, preset === "all" ? "All time" : spelled(preset)));
    const written = (text) => {
      const moment = text === "" || text === "all" || /^-|^now$/.test(text) ? null : momentNanos(text, Date.now(), zone.value);
      return moment === null ? text : absoluteTime(moment, zone.value, 3).replace(/\.000$/, "");
    };
    this.fromField = field("From", written(this.picker.from), "2026-11-22 14:00 or -2h");
    this.toField = field("To", written(this.picker.to), "now");
    this.problem = h("p.problem", { role: "alert" });
    const form = h("form.range-form", { onsubmit: (event) => this.apply(event) },
      h("label", {}, h("span", {}, "From"), this.fromField),
      h("label", {}, h("span", {}, "To"), this.toField),
      h("p.faint", {}, zoneLabel(zone.value, Date.now())), this.problem,
      h("button.primary", { type: "submit" }, "Apply"));
    fill(this.panel, h("div.range-presets", { role: "group", "aria-label": "Last" }, presets), form);
  }

  apply(event) {
    event.preventDefault();
    const from = this.fromField.value.trim();
    const to = this.toField.value.trim();
    const now = Date.now();
    if (resolveRange(from, to, now, zone.value)) {
      this.pick(fixed(from), fixed(to));
      return;
    }
    const [start, end] = [from === "all" ? 0n : momentNanos(from || "-1h", now, zone.value), momentNanos(to, now, zone.value)];
    attribute(this.fromField, "aria-invalid", start === null ? "true" : null);
    attribute(this.toField, "aria-invalid", end === null ? "true" : null);
    this.problem.textContent =
      start === null || end === null ? "Write a time like 2026-11-22 14:00, or how far back, like -2h." : "The range ends before it starts.";
    (start === null ? this.fromField : this.toField).focus();
  }

  pick(from, to) {
    this.panel.hidePopover();
    this.picker.button.focus();
    this.picker.choose(from || "-1h", to === "now" ? "" : to);
  }
}

function field(label, value, placeholder) {
  const input = h("input.field", { type: "text", "aria-label": label, placeholder, spellcheck: "false", autocomplete: "off" });
  input.value = value;
  return input;
}

/** Wall-clock times are fixed to UTC at once, so that the address means the same in every zone. */
function fixed(text) {
  if (text === "" || text === "all" || text === "now" || text.startsWith("-")) return text;
  const moment = momentNanos(text, Date.now(), zone.value);
  return new Date(Number(moment / 1_000_000n)).toISOString().replace(/\.000Z$/, "Z");
}
