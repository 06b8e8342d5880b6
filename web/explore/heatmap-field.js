// SPDX-License-Identifier: Apache-2.0
// The picture of a grid: one pixel buffer, axes as text, a cell cursor and a rectangle of selected cells, by pointer and keyboard.
import { count, duration, plural } from "../lib/format.js";
import { attribute, fill, h, onNextFrame, svg } from "../lib/view.js";
import { LABEL_HEIGHT, drawDurations, drawTimes, regionFacts } from "./heatmap-axes.js";
import { SHADES } from "./heatmap-model.js";

const DRAG_MIN = 4;
const TIP_GAP = 14;
const PARTS = [0.5, 0.9, 0.95, 0.99];

export class HeatField {
  /**
   * @param {{ select: (region: import("./heatmap-model.js").Region | null) => void, enter: () => void,
   *   open: (region: import("./heatmap-model.js").Region) => void, say: (text: string) => void }} actions
   *   `select` when the selection is another one, `enter` when the keyboard wants to act on it, `open` when one cell was clicked
   */
  constructor(actions) {
    this.actions = actions;
    /** @type {import("./heatmap-model.js").Grid | null} */
    this.grid = null;
    /** @type {import("./heatmap-model.js").Region | null} */
    this.region = null;
    this.cursor = null;
    this.anchor = null;
    this.canvas = h("canvas.heat-canvas", { "aria-hidden": "true" });
    this.cursorBox = h("div.heat-cursor", { hidden: true });
    this.regionBox = h("div.heat-region", { hidden: true });
    this.tip = h("div.heat-tip", { hidden: true, "aria-hidden": "true" });
    this.field = h("div.heat-field", { tabindex: "0", role: "application", "aria-roledescription": "heatmap" }, this.canvas, this.cursorBox, this.regionBox, this.tip);
    this.durations = h("div.heat-durations", { "aria-hidden": "true" });
    this.times = h("div.heat-times", { "aria-hidden": "true" });
    this.margin = h("div.heat-margin", { "aria-hidden": "true" });
    this.shades = Array.from({ length: SHADES }, (_, i) => h("span.shade", { "data-shade": i + 1 }));
    this.errorShade = h("span.shade.failed", {});
    this.legend = h("span.heat-legend", { "aria-hidden": "true" });
    this.element = h("div.heat-plot", {}, this.durations, this.field, this.margin, this.times);
    this.draw = onNextFrame(() => this.paint());
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.field);
    this.density = null;
    this.field.addEventListener("pointerdown", (event) => this.press(event));
    this.field.addEventListener("pointermove", (event) => { if (!event.buttons) this.hover(event); });
    this.field.addEventListener("pointerleave", () => this.placeCursor(null));
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => this.placeCursor(null));
  }

  /** @param {import("./heatmap-model.js").Grid} grid */
  show(grid) {
    this.grid = grid;
    this.cursor = null;
    this.select(null);
    this.placeCursor(null);
    const marks = PARTS.map((part) => `p${part * 100} ${duration(grid.percentile(part))}`).join(", ");
    const says = `Spans by start and duration. ${plural(Math.round(grid.total), "span")}, ${plural(Math.round(grid.failed), "error")}. ${marks}.`;
    attribute(this.field, "aria-label", `${says} Arrows move over the cells, with Shift they select, Enter acts on the selection, Escape clears it.`);
    this.draw();
  }

  // MARK: Drawing

  paint() {
    const { grid, canvas } = this;
    const [width, height] = [Math.round(canvas.clientWidth * devicePixelRatio), Math.round(canvas.clientHeight * devicePixelRatio)];
    if (!grid || width === 0 || height === 0) return;
    this.watchDensity();
    const floors = grid.shadeFloors();
    const { colors, error } = this.palette(floors.length);
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const across = Int32Array.from({ length: grid.columns + 1 }, (_, i) => Math.round((i * width) / grid.columns));
    const up = Int32Array.from({ length: grid.rows + 1 }, (_, i) => height - Math.round((i * height) / grid.rows));
    // A line of paper between cells that are large enough to spare one.
    const gap = Math.round(devicePixelRatio);
    const [gapRight, gapAbove] = [width / grid.columns >= 5 * gap ? gap : 0, height / grid.rows >= 6 * gap ? gap : 0];
    const capHeight = Math.max(1, Math.min(2 * gap, Math.floor(height / grid.rows / 2)));
    for (let column = 0; column < grid.columns; column++) {
      const left = across[column];
      const right = Math.max(left + 1, across[column + 1] - gapRight);
      for (let row = 0; row < grid.rows; row++) {
        const cell = column * grid.rows + row;
        const spans = grid.counts[cell];
        if (spans <= 0) continue;
        let shade = floors.length - 1;
        while (shade > 0 && spans < floors[shade]) shade--;
        const bottom = up[row];
        const top = Math.min(bottom - 1, up[row + 1] + gapAbove);
        for (let y = top; y < bottom; y++) pixels.fill(colors[shade], y * width + left, y * width + right);
        const failed = grid.errors[cell] / spans;
        if (failed <= 0) continue;
        const end = Math.min(right, left + Math.max(2 * gap, Math.round((right - left) * failed)));
        for (let y = top; y < Math.min(bottom, top + capHeight); y++) pixels.fill(error, y * width + left, y * width + end);
      }
    }
    context.putImageData(image, 0, 0);
    drawDurations(this.durations, grid.scale, this.field.clientHeight);
    drawTimes(this.times, grid.scale, this.field.clientWidth);
    this.drawMargin();
    this.drawLegend(floors);
  }

  /** The colours of the theme as pixels, from the legend's swatches: as many shades as there are, the darkest always among them. */
  palette(length) {
    const probe = (this.probe ??= h("canvas", { width: SHADES + 1, height: 1 }).getContext("2d", { willReadFrequently: true }));
    [...this.shades, this.errorShade].forEach((swatch, x) => {
      probe.fillStyle = getComputedStyle(swatch).backgroundColor;
      probe.fillRect(x, 0, 1, 1);
    });
    const read = new Uint32Array(probe.getImageData(0, 0, SHADES + 1, 1).data.buffer);
    return { colors: Array.from({ length }, (_, i) => read[shadeOf(i, length)]), error: read[SHADES] };
  }

  /** Spans by duration, with the percentiles beside them; their labels give way to each other. */
  drawMargin() {
    const { grid } = this;
    const height = this.field.clientHeight;
    const sums = grid.rowSums();
    const most = Math.max(1, ...sums);
    const bars = sums.map((sum, row) => (sum > 0 ? `M0 ${grid.rows - row - 0.9}h${Math.max(0.01, sum / most).toFixed(3)}v.8H0z` : "")).join("");
    const drawing = svg("svg", { class: "heat-bars", viewBox: `0 0 1 ${grid.rows}`, preserveAspectRatio: "none" }, svg("path", { d: bars }));
    let last = -Infinity;
    const marks = PARTS.map((part) => {
      const nanos = grid.percentile(part) ?? 0;
      const at = (grid.rowOf(nanos) / grid.rows) * height;
      last = Math.max(at, last + LABEL_HEIGHT);
      return { part, nanos, at, label: last };
    });
    let top = height - LABEL_HEIGHT / 2;
    for (const mark of marks.toReversed()) {
      mark.label = Math.min(mark.label, top);
      top = mark.label - LABEL_HEIGHT;
    }
    fill(this.margin, drawing, marks.map(({ part, nanos, at, label }) => [
      h("span.heat-mark", { style: { bottom: `${at}px` } }),
      h("span.heat-percentile", { style: { bottom: `${label}px` } }, h("b", {}, `p${part * 100}`), duration(nanos)),
    ]));
  }

  drawLegend(floors) {
    const swatches = floors.map((_, i) => this.shades[shadeOf(i, floors.length)]);
    fill(this.legend, h("span", {}, "1"), swatches, h("span", {}, `${count(Math.round(this.grid.most))} spans`), this.errorShade, h("span", {}, "errors"));
  }

  /** Redraws when the window comes to a screen of another density. */
  watchDensity() {
    if (this.density?.matches) return;
    this.density?.removeEventListener("change", this.draw);
    this.density = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    this.density.addEventListener("change", this.draw);
  }

  // MARK: Cells

  /** @returns {{ column: number, row: number }} the cell under the pointer, or the nearest one */
  cellAt(event) {
    const { grid } = this;
    const box = this.canvas.getBoundingClientRect();
    const within = (value, length) => Math.max(0, Math.min(length - 1, Math.floor(value * length)));
    return { column: within((event.clientX - box.left) / box.width, grid.columns), row: within((box.bottom - event.clientY) / box.height, grid.rows) };
  }

  hover(event) {
    if (!this.grid) return;
    this.placeCursor(this.cellAt(event), event);
  }

  /** @param {{ column: number, row: number } | null} cell @param {PointerEvent} [event] the tip stands beside it, else beside the cell */
  placeCursor(cell, event) {
    this.cursorBox.hidden = this.tip.hidden = cell === null;
    if (!cell) return;
    const { grid } = this;
    this.place(this.cursorBox, { left: cell.column, right: cell.column, low: cell.row, high: cell.row });
    const box = this.field.getBoundingClientRect();
    const x = event ? event.clientX - box.left : ((cell.column + 0.5) / grid.columns) * box.width;
    const y = event ? event.clientY - box.top : (1 - (cell.row + 0.5) / grid.rows) * box.height;
    const { time, duration, spans, failed } = regionFacts(grid, { left: cell.column, right: cell.column, low: cell.row, high: cell.row });
    fill(this.tip, h("strong", {}, `${spans}, ${failed}`), h("span", {}, duration), h("span", {}, time));
    const isRight = x > box.width / 2;
    this.tip.style.left = `${Math.round(isRight ? x - TIP_GAP - this.tip.offsetWidth : x + TIP_GAP)}px`;
    this.tip.style.top = `${Math.round(Math.max(-TIP_GAP, Math.min(box.height - this.tip.offsetHeight, y - this.tip.offsetHeight / 2)))}px`;
  }

  place(box, { left, right, low, high }) {
    const { columns, rows } = this.grid;
    box.style.left = `${(left / columns) * 100}%`;
    box.style.width = `${((right - left + 1) / columns) * 100}%`;
    box.style.bottom = `${(low / rows) * 100}%`;
    box.style.height = `${((high - low + 1) / rows) * 100}%`;
  }

  /** @param {import("./heatmap-model.js").Region | null} region */
  select(region) {
    if (region === null && this.region === null) return;
    this.mark(region);
    if (region === null) this.anchor = null;
    this.actions.select(region);
  }

  mark(region) {
    this.region = region;
    this.regionBox.hidden = region === null;
    if (region) this.place(this.regionBox, region);
  }

  // MARK: Pointer and keyboard

  /** A drag selects; a click opens what is there, or takes a selection back. */
  press(event) {
    if (event.button !== 0 || !this.grid) return;
    const had = this.region !== null;
    const from = this.cellAt(event);
    let isDrag = false;
    this.field.setPointerCapture(event.pointerId);
    const move = (to) => {
      isDrag ||= Math.hypot(to.clientX - event.clientX, to.clientY - event.clientY) >= DRAG_MIN;
      if (!isDrag) return;
      this.placeCursor(null);
      this.mark(between(from, this.cellAt(to)));
    };
    const stop = (end) => {
      for (const [type, listener] of listeners) this.field.removeEventListener(type, listener);
      if (end.type === "pointercancel") this.mark(null);
      if (isDrag) {
        this.anchor = from;
        this.cursor = this.cellAt(end);
        this.actions.select(this.region);
      } else if (had) this.select(null);
      else if (end.type === "pointerup") this.openCell(from);
    };
    const listeners = [["pointermove", move], ["pointerup", stop], ["pointercancel", stop]];
    for (const [type, listener] of listeners) this.field.addEventListener(type, listener);
  }

  openCell({ column, row }) {
    const region = { left: column, right: column, low: row, high: row };
    if (this.grid.sum(region).count > 0) this.actions.open(region);
  }

  key(event) {
    if (!this.grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const { grid } = this;
    const step = STEPS[event.key];
    if (step) {
      const at = this.cursor ?? this.densest();
      const [across, up] = this.cursor ? step : [0, 0];
      this.cursor = {
        column: Math.max(0, Math.min(grid.columns - 1, at.column + across)),
        row: Math.max(0, Math.min(grid.rows - 1, at.row + up)),
      };
      if (event.shiftKey) {
        this.anchor ??= at;
        this.select(between(this.anchor, this.cursor));
      } else this.anchor = null;
      this.placeCursor(this.cursor);
      // The actions say what the selection holds.
      this.tip.hidden ||= event.shiftKey;
      this.sayRegion(event.shiftKey ? this.region : between(this.cursor, this.cursor));
    } else if (event.key === "Enter" || event.key === " ") {
      const at = this.cursor ?? this.densest();
      if (!this.region) this.select(between(at, at));
      this.placeCursor(null);
      this.actions.enter();
    } else if (event.key === "Escape" && this.region) this.select(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  sayRegion(region) {
    const { time, duration, spans, failed } = regionFacts(this.grid, region);
    this.actions.say(`${spans}, ${failed}, ${duration}, ${time}`);
  }

  /** Where the cursor begins: at the cell with most spans. */
  densest() {
    const cell = this.grid.counts.indexOf(this.grid.most);
    return cell < 0 ? { column: 0, row: 0 } : { column: Math.floor(cell / this.grid.rows), row: cell % this.grid.rows };
  }

  close() {
    this.watcher.disconnect();
    this.density?.removeEventListener("change", this.draw);
    this.draw.cancel();
  }
}

/** Columns and rows that a key moves the cursor by. */
const STEPS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
  PageUp: [0, 5], PageDown: [0, -5], Home: [-Infinity, 0], End: [Infinity, 0],
};

/** @returns {import("./heatmap-model.js").Region} */
function between(a, b) {
  return { left: Math.min(a.column, b.column), right: Math.max(a.column, b.column), low: Math.min(a.row, b.row), high: Math.max(a.row, b.row) };
}

/** Which of all shades the place among a few has: spread out, the darkest last. */
function shadeOf(place, length) {
  return length === 1 ? SHADES >> 1 : Math.round((place * (SHADES - 1)) / (length - 1));
}
