// SPDX-License-Identifier: Apache-2.0
// The whole trace in a strip: one pixel buffer for the spans, and a window over it that can be dragged, wheeled and
// typed at.
import { duration } from "../lib/format.js";
import { attribute, h, onNextFrame } from "../lib/view.js";
import { drag } from "./waterfall.js";

const COLORS = 12;
const BAR_MAX = 4;
const WINDOW_MIN = 1e-6;
const STEP = 0.01;

export class Minimap {
  /** @param {(from: number, to: number) => void} zoom fractions of the trace */
  constructor(zoom) {
    this.zoom = zoom;
    this.model = null;
    this.from = 0;
    this.to = 1;
    this.wanted = null;
    this.errors = new Int32Array(0);
    this.canvas = h("canvas.map-canvas", { "aria-hidden": "true" });
    this.before = h("div.map-shade", {});
    this.after = h("div.map-shade.after", {});
    this.start = this.handle("Start of the time shown", "from");
    this.stop = this.handle("End of the time shown", "to");
    this.element = h("div.minimap", { role: "group", "aria-label": "Overview of the trace" }, this.canvas, this.before, this.after, this.start, this.stop);
    this.draw = onNextFrame(() => this.paint());
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.element);
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.canvas.addEventListener("dblclick", () => this.zoom(0, 1));
    this.element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** @param {import("./model.js").TraceModel} model */
  show(model) {
    this.model = model;
    this.errors = model.errorRows();
    this.draw();
  }

  setWindow(from, to) {
    this.from = from;
    this.to = to;
    this.placeWindow();
  }

  /** Rows to keep in colour while the others pale, or null for all. @param {Int32Array | null} rows */
  setMatches(rows) {
    this.wanted = rows;
    this.draw();
  }

  handle(label, end) {
    const handle = h("div.map-handle", { role: "slider", tabindex: "0", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" });
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      event.stopPropagation();
      handle.focus();
      drag(handle, event, (move) => this.set(end, this.fraction(move)));
    });
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -10 * STEP, PageUp: 10 * STEP, Home: -2, End: 2 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.set(end, this[end] + step * (event.shiftKey ? 10 : 1));
    });
    return handle;
  }

  set(end, value) {
    const clamped = Math.max(0, Math.min(1, value));
    if (end === "from") this.zoom(Math.min(clamped, this.to - WINDOW_MIN), this.to);
    else this.zoom(this.from, Math.max(clamped, this.from + WINDOW_MIN));
  }

  fraction(event) {
    const box = this.canvas.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  }

  /** Inside a window that is not everything: move it. Elsewhere: draw a new one. */
  press(event) {
    if (event.button !== 0) return;
    const at = this.fraction(event);
    const isWhole = this.from <= 0 && this.to >= 1;
    const { from, to } = this;
    event.preventDefault();
    if (!isWhole && at > from && at < to) {
      drag(this.canvas, event, (move) => {
        const width = to - from;
        const left = Math.max(0, Math.min(1 - width, from + this.fraction(move) - at));
        this.zoom(left, left + width);
      });
    } else {
      const width = this.canvas.clientWidth;
      drag(this.canvas, event, (move) => {
        const other = this.fraction(move);
        if (Math.abs(other - at) * width >= 4) this.zoom(Math.min(at, other), Math.max(at, other));
      });
    }
  }

  wheel(event) {
    event.preventDefault();
    const at = this.fraction(event);
    const { from, to } = this;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const shift = ((event.deltaX || event.deltaY) / this.canvas.clientWidth) * (to - from);
      const left = Math.max(0, Math.min(1 - (to - from), from + shift));
      this.zoom(left, left + to - from);
      return;
    }
    const factor = Math.exp(event.deltaY * 0.003);
    const width = Math.max(WINDOW_MIN, Math.min(1, (to - from) * factor));
    const left = Math.max(0, Math.min(1 - width, at - ((at - from) / (to - from)) * width));
    this.zoom(left, left + width);
  }

  placeWindow() {
    this.before.style.width = `${this.from * 100}%`;
    this.after.style.width = `${(1 - this.to) * 100}%`;
    this.start.style.left = `${this.from * 100}%`;
    this.stop.style.left = `${this.to * 100}%`;
    this.canvas.classList.toggle("zoomed", this.from > 0 || this.to < 1);
    const whole = this.model ? this.model.to - this.model.from : 0;
    for (const [handle, value] of [[this.start, this.from], [this.stop, this.to]]) {
      attribute(handle, "aria-valuenow", Math.round(value * 1000) / 10);
      attribute(handle, "aria-valuetext", duration(value * whole));
    }
  }

  /** A line of pixels a row, thicker when there are few; errors last, so that none is hidden. */
  paint() {
    const { model, canvas } = this;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    const height = Math.round(canvas.clientHeight * devicePixelRatio);
    if (!model || width === 0 || height === 0) return;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const { colors, pale, error, none } = this.palette(context);
    const scale = width / (model.to - model.from);
    const pitch = height / Math.max(model.count, 1);
    const thick = Math.max(1, Math.min(BAR_MAX * devicePixelRatio, Math.floor(pitch * 0.8)));
    const left = (row) => Math.max(0, Math.min(width - 1, Math.floor((model.start[row] - model.from) * scale)));
    const fillRow = (row, color) => {
      const from = left(row);
      const to = Math.max(from + 1, Math.min(width, Math.ceil((model.start[row] + model.duration[row] - model.from) * scale)));
      const top = Math.min(height - 1, Math.floor(row * pitch));
      const bottom = Math.min(height, top + thick);
      for (let y = top; y < bottom; y++) pixels.fill(color, y * width + from, y * width + to);
    };
    const { wanted } = this;
    const plain = wanted ? pale : colors;
    for (let row = 0, next = 0; row < model.count; row++) {
      if (wanted && wanted[next] === row) next++;
      else if (model.span[row] >= 0) fillRow(row, plain[model.color(row)] ?? none);
    }
    if (wanted) for (const row of wanted) fillRow(row, colors[model.color(row)] ?? none);
    for (const row of wanted ?? this.errors) if (model.status[row] === 2) fillRow(row, error);
    context.putImageData(image, 0, 0);
    this.placeWindow();
  }

  /** The theme's colours as pixels. Pale ones are mixed with the paper. */
  palette(context) {
    const style = getComputedStyle(this.element);
    const read = (name) => {
      context.fillStyle = style.getPropertyValue(name).trim();
      const hex = context.fillStyle;
      return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    };
    const paper = read("--paper");
    const pixel = ([red, green, blue]) => (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
    const mixed = (color, part) => color.map((value, i) => Math.round(value * part + paper[i] * (1 - part)));
    const services = Array.from({ length: COLORS }, (_, i) => read(`--s${i}`));
    return {
      colors: services.map((color) => pixel(mixed(color, 0.85))),
      pale: services.map((color) => pixel(mixed(color, 0.22))),
      error: pixel(read("--error")),
      none: pixel(read("--ink-2")),
    };
  }

  close() {
    this.watcher.disconnect();
    this.draw.cancel();
  }
}
