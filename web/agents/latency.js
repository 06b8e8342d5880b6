// SPDX-License-Identifier: Apache-2.0
// How long tools take and when: a heat map below the table of tools, on the axis and in the window of the lanes.
import { count, duration, plural, shortened } from "../lib/format.js";
import { fill, h, onNextFrame } from "../lib/view.js";
import { theme } from "../settings.js";
import { ToolHeat } from "./tool-heat.js";
import { after } from "./words.js";

const CELL = 14;
const ROW = 12;
const GUTTER = 56;
const COLUMNS_MAX = 120;
const TOOLS_MAX = 200;

export class Latency {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.tool = "";
    this.calls = [];
    this.chooser = h("select.field", { "aria-label": "Tool", onchange: () => { this.tool = this.chooser.value; this.draw(); } });
    this.facts = h("span.faint", { role: "status" });
    this.canvas = h("canvas.heat-canvas", { "aria-hidden": "true" });
    this.marks = h("div.heat-marks", { "aria-hidden": "true" });
    this.tip = h("div.popover.lane-tip", { hidden: true, "aria-hidden": "true" });
    this.stage = h("div.heat-stage", {}, this.canvas, this.marks, this.tip);
    this.body = h("tbody", {});
    this.table = h("details.heat-table", {}, h("summary", {}, "As a table"), h("table.figures", { "aria-label": "Calls by duration" }, h("thead", {}, h("tr", {}, ["Duration", "Calls", "Failed", "Longest"].map((title, place) => h(`th${place === 1 || place === 2 ? ".number" : ""}`, { scope: "col" }, title)))), this.body));
    this.element = h("section.heat", { "aria-label": "Latency by time" }, h("div.part-bar", {}, h("h3.heat-title", {}, "Latency by time"), this.chooser, this.facts), this.stage, this.table);
    this.draw = onNextFrame(() => this.paint());
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.stage);
    this.unlisten = theme.listen(() => this.draw());
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.canvas.addEventListener("click", (event) => {
      const cell = this.at(event);
      if (cell) this.choose(cell.longest);
    });
  }

  /** @param {any[]} calls @param {any[]} rows of the table of tools, the greatest first */
  show(calls, rows) {
    this.calls = calls;
    const names = rows.slice(0, TOOLS_MAX).map(({ toolName }) => toolName);
    if (!names.includes(this.tool)) this.tool = "";
    fill(this.chooser, h("option", { value: "" }, "All tools"), [...new Set(names)].map((name) => h("option", { value: name }, shortened(name, 80) || "unnamed")));
    this.chooser.value = this.tool;
    this.element.hidden = !calls.length;
    this.draw();
  }

  choose(call) {
    this.page.chooseSpan(call.spanId, call.sessionId);
  }

  paint() {
    const { page, canvas, stage } = this;
    const width = stage.clientWidth - GUTTER;
    if (width <= 0 || this.element.hidden) return;
    const columns = Math.max(8, Math.min(COLUMNS_MAX, Math.floor(width / CELL)));
    const calls = this.tool ? this.calls.filter(({ toolName }) => toolName === this.tool) : this.calls;
    const { axis } = page.orchestration;
    this.heat = new ToolHeat(calls, axis, { from: page.from, to: page.to, columns });
    const { heat } = this;
    const height = heat.rows * ROW;
    const ratio = devicePixelRatio || 1;
    Object.assign(canvas.style, { left: `${GUTTER}px`, width: `${width}px`, height: `${height}px` });
    stage.style.height = `${height + 20}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.element);
    const token = (name) => style.getPropertyValue(name).trim();
    const across = width / columns;
    context.fillStyle = token("--raised");
    for (let row = 0; row < heat.rows; row++) context.fillRect(0, row * ROW + ROW - 1, width, 1);
    const [accent, error] = [token("--accent"), token("--error")];
    for (const { column, row, count: calls, failed } of heat.cells.values()) {
      const [x, y] = [column * across, (heat.rows - 1 - row) * ROW];
      context.globalAlpha = heat.shade(calls);
      context.fillStyle = accent;
      context.fillRect(x + 0.5, y + 0.5, across - 1, ROW - 2);
      context.globalAlpha = 1;
      // However few: each cell can be told from the paper.
      context.strokeStyle = accent;
      context.strokeRect(x + 1, y + 1, across - 2, ROW - 3);
      if (failed) {
        context.fillStyle = error;
        context.fillRect(x + 0.5, y + ROW - 4, Math.max(2, (across - 1) * (failed / calls)), 3);
      }
    }
    fill(this.marks, Array.from({ length: heat.rows }, (_, row) => row).filter((row) => row % 2 === 0).map((row) => h("span.heat-floor", { style: { top: `${(heat.rows - row) * ROW - 8}px` } }, duration(heat.floor(row)))),
      [0, 0.25, 0.5, 0.75].map((part) => h("span.heat-time", { style: { left: `${GUTTER + part * width}px`, top: `${height + 2}px` } }, after(axis.time(page.from + part * (page.to - page.from))))));
    this.facts.textContent = `${plural(heat.count, "call")}${page.from > 0 || page.to < 1 ? " in the window" : ""}; darker is more, red is failed`;
    fill(this.body, heat.table().map(({ from, to, count: all, failed, longest }) => h("tr", {}, h("th", { scope: "row" }, `${duration(from)} – ${duration(to)}`), h("td.number", {}, count(all)), h("td.number", {}, failed ? h("span.problem", {}, count(failed)) : "–"),
      h("td", {}, h("button.as-link", { type: "button", onclick: () => this.choose(longest) }, `${shortened(longest.toolName, 40) || "unnamed"}, ${duration(longest.to - longest.from)}`)))));
  }

  at({ offsetX, offsetY }) {
    const { heat, canvas } = this;
    if (!heat) return null;
    return heat.at(Math.floor((offsetX / canvas.clientWidth) * heat.columns), heat.rows - 1 - Math.floor(offsetY / ROW));
  }

  hover(event) {
    const cell = this.at(event);
    this.canvas.classList.toggle("on-block", cell !== null);
    this.tip.hidden = cell === null;
    if (!cell) return;
    const { heat } = this;
    fill(this.tip, h("strong", {}, `${plural(cell.count, "call")}${cell.failed ? `, ${count(cell.failed)} failed` : ""}`), h("div", {}, `${duration(heat.floor(cell.row))} – ${duration(heat.floor(cell.row + 1))} · the longest: \u2068${shortened(cell.longest.toolName, 60) || "unnamed"}\u2069, ${duration(cell.longest.to - cell.longest.from)}`));
    const [x, width] = [event.offsetX + GUTTER, this.stage.clientWidth];
    this.tip.style.left = `${Math.max(0, Math.min(x + 12, width - this.tip.offsetWidth - 8))}px`;
    this.tip.style.top = `${event.offsetY + 16}px`;
  }

  close() {
    this.draw.cancel();
    this.watcher.disconnect();
    this.unlisten();
  }
}
