// SPDX-License-Identifier: Apache-2.0
// Values over time as lines, with few labels and marks; charts that share a moment move one crosshair. Drawn as SVG with
// classes, so that a theme is a matter of the stylesheet. A drag, or Shift and arrows, selects a stretch of time.
import { attribute, fill, h, onNextFrame, signal, svg } from "./view.js";

const HEIGHT = 132;
const TOP = 18;
const BOTTOM = 18;
const DRAG_MIN = 6;
const TICK_WIDTH = 110;

/** What charts of one page have in common: the slice under the pointer, the one that was chosen, a stretch being selected. */
export class Moment {
  constructor() {
    /** @type {{ value: number | null }} */
    this.hovered = signal(null);
    /** @type {{ value: number | null }} */
    this.chosen = signal(null);
    /** From and up to, not including. @type {{ value: [number, number] | null }} */
    this.stretch = signal(null);
  }

  get shown() {
    return this.hovered.value ?? this.chosen.value;
  }
}

/**
 * @typedef {{ key: string, name: string, className?: string, isArea?: boolean }} Line
 */
export class TimeChart {
  /**
   * @param {{ title: string, lines: Line[], format: (value: number) => string, moment: Moment, choose: (slice: number) => void,
   *   zoom: (from: number, to: number) => void, describe: (slice: number) => string, ticksOf?: (top: number) => number[] }} options
   */
  constructor({ title, lines, format, moment, choose, zoom, describe, ticksOf = roundTicks }) {
    Object.assign(this, { lines, format, moment, choose, zoom, describe, ticksOf });
    this.count = 0;
    this.values = {};
    this.marks = [];
    this.times = [];
    this.plot = svg("svg", { class: "chart-plot", height: HEIGHT, "aria-hidden": "true" });
    this.stage = h("div.chart-stage", { role: "slider", tabindex: "0", "aria-label": `${title}: moment`, "aria-valuemin": "0",
      "aria-keyshortcuts": "ArrowLeft ArrowRight Enter" }, this.plot);
    this.readings = lines.map(({ name, className }) => ({ value: h("span.chart-value", {}),
      element: h("span.chart-reading", {}, lines.length > 1 ? [swatchOf(className), h("span.faint", {}, name)] : null) }));
    for (const { value, element } of this.readings) element.append(value);
    this.element = h("figure.chart", {}, h("figcaption.chart-head", {}, h("h2.chart-title", {}, title), h("span.spring"),
      this.readings.map(({ element }) => element)), this.stage);
    this.ask = onNextFrame(() => this.draw());
    this.watcher = new ResizeObserver(() => this.ask());
    this.watcher.observe(this.stage);
    this.stops = [moment.hovered.listen(() => this.drawMoment()), moment.chosen.listen(() => this.drawMoment()),
      moment.stretch.listen(() => this.drawMoment())];
    this.listen();
  }

  /**
   * @param {{ count: number, values: Object<string, (number | null)[]>, totals: Object<string, number | null>, marks?: { slice: number, label: string }[],
   *   times: { slice: number, text: string }[] }} data `totals` are told while no moment is; `times` are candidates for labels, in order
   */
  show({ count, values, totals, marks = [], times }) {
    Object.assign(this, { count, values, totals, marks, times });
    attribute(this.stage, "aria-valuemax", Math.max(0, count - 1));
    this.draw();
  }

  x(slice) {
    return ((slice + 0.5) / Math.max(1, this.count)) * this.width;
  }

  y(value) {
    return HEIGHT - BOTTOM - (value / this.top) * (HEIGHT - TOP - BOTTOM);
  }

  draw() {
    this.ask.cancel();
    this.width = Math.max(60, this.stage.clientWidth);
    attribute(this.plot, "width", this.width);
    const all = this.lines.flatMap(({ key }) => this.values[key] ?? []).filter((value) => value !== null);
    const most = Math.max(0, ...all);
    const ticks = this.ticksOf(most);
    this.top = Math.max(most * 1.04, ticks.at(-1) ?? 0) || 1;
    const [parts, labels] = [[], []];
    for (const tick of ticks) {
      const y = round(this.y(tick));
      parts.push(svg("line", { class: "chart-grid", x1: 0, x2: this.width, y1: y, y2: y }));
      if (tick > 0) labels.push(svg("text", { class: "chart-label", x: 2, y: y - 3 }, this.format(tick)));
    }
    let free = 0;
    for (const { slice, text } of this.times) {
      const x = (slice / Math.max(1, this.count)) * this.width;
      if (x < free || x + TICK_WIDTH / 2 > this.width) continue;
      parts.push(svg("line", { class: "chart-grid", x1: round(x), x2: round(x), y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4 }),
        svg("text", { class: "chart-label", x: round(x) + 3, y: HEIGHT - 5 }, text));
      free = x + TICK_WIDTH;
    }
    let named = 0;
    for (const { slice, label } of this.marks) {
      const x = round((slice / Math.max(1, this.count)) * this.width);
      const isRight = x > this.width - 80;
      parts.push(svg("line", { class: "chart-mark", x1: x, x2: x, y1: 4, y2: HEIGHT - BOTTOM }));
      if (!label) continue;
      // Names that would meet stand below each other.
      const y = x < named ? 26 : 12;
      named = x + 8 + label.length * 7;
      labels.push(svg("text", { class: "chart-label chart-mark-label", x: isRight ? x - 4 : x + 4, y, "text-anchor": isRight ? "end" : null },
        label.slice(0, 24)));
    }
    for (const { key, className = "", isArea } of this.lines) {
      const { line, area } = this.paths(this.values[key] ?? []);
      if (isArea) parts.push(svg("path", { class: `chart-area ${className}`, d: area }));
      parts.push(svg("path", { class: `chart-line ${className}`, d: line }));
    }
    this.band = svg("rect", { class: "chart-band", y: 0, height: HEIGHT - BOTTOM, width: 0 });
    this.kept = svg("line", { class: "chart-kept", y1: 0, y2: HEIGHT - BOTTOM });
    this.cross = svg("line", { class: "chart-cross", y1: 0, y2: HEIGHT - BOTTOM });
    this.dots = this.lines.map(({ className = "" }) => svg("circle", { class: `chart-dot ${className}`, r: 3 }));
    fill(this.plot, this.band, parts, labels, this.kept, this.cross, this.dots);
    this.drawMoment();
  }

  /** A line through the values that are there, broken where one is missing, and the area below it. */
  paths(values) {
    let line = "";
    let area = "";
    let from = -1;
    const floor = HEIGHT - BOTTOM;
    values.forEach((value, slice) => {
      if (value === null) return;
      const [x, y] = [round(this.x(slice)), round(this.y(value))];
      const isFirst = from < 0;
      if (isFirst) from = x;
      line += `${isFirst ? "M" : "L"}${x} ${y}`;
      area += isFirst ? `M${x} ${floor}L${x} ${y}` : `L${x} ${y}`;
      if ((values[slice + 1] ?? null) === null) {
        // A lone value is a short dash.
        if (isFirst) line += "m-2 0h4";
        area += `L${x} ${floor}Z`;
        from = -1;
      }
    });
    return { line, area };
  }

  drawMoment() {
    if (!this.cross) return;
    const { hovered, chosen, stretch, shown } = this.moment;
    const place = (line, slice) => {
      line.toggleAttribute("hidden", slice === null);
      line.style.display = slice === null ? "none" : "";
      if (slice === null) return;
      attribute(line, "x1", round(this.x(slice)));
      attribute(line, "x2", round(this.x(slice)));
    };
    place(this.cross, hovered.value);
    place(this.kept, chosen.value);
    const wide = stretch.value;
    attribute(this.band, "x", wide ? round((wide[0] / this.count) * this.width) : 0);
    attribute(this.band, "width", wide ? round(((wide[1] - wide[0]) / this.count) * this.width) : 0);
    this.lines.forEach(({ key }, index) => {
      const value = shown === null ? null : this.values[key]?.[shown] ?? null;
      const dot = this.dots[index];
      dot.style.display = value === null ? "none" : "";
      if (value !== null) {
        attribute(dot, "cx", round(this.x(shown)));
        attribute(dot, "cy", round(this.y(value)));
      }
      const told = shown === null ? this.totals?.[key] ?? null : value;
      this.readings[index].value.textContent = told === null ? "–" : this.format(told);
    });
    const at = shown ?? this.count - 1;
    attribute(this.stage, "aria-valuenow", Math.max(0, at));
    attribute(this.stage, "aria-valuetext", this.count ? this.describe(Math.max(0, at)) : "no data");
  }

  sliceAt(event) {
    const { left, width } = this.stage.getBoundingClientRect();
    return Math.max(0, Math.min(this.count - 1, Math.floor(((event.clientX - left) / width) * this.count)));
  }

  listen() {
    const { stage, moment } = this;
    let began = null;
    stage.addEventListener("pointermove", (event) => {
      if (!this.count) return;
      const slice = this.sliceAt(event);
      moment.hovered.value = slice;
      if (began && Math.abs(event.clientX - began.x) >= DRAG_MIN) moment.stretch.value = [Math.min(began.slice, slice), Math.max(began.slice, slice) + 1];
    });
    stage.addEventListener("pointerleave", () => { if (!began) moment.hovered.value = null; });
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.count) return;
      began = { x: event.clientX, slice: this.sliceAt(event) };
      stage.setPointerCapture(event.pointerId);
    });
    const end = (isDone) => {
      const was = began;
      began = null;
      const wide = moment.stretch.value;
      moment.stretch.value = null;
      if (!isDone || !was) return;
      if (wide) this.zoom(...wide);
      else this.choose(was.slice);
    };
    stage.addEventListener("pointerup", () => end(true));
    stage.addEventListener("pointercancel", () => end(false));
    stage.addEventListener("blur", () => { moment.hovered.value = null; moment.stretch.value = null; });
    stage.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    const { moment, count } = this;
    if (!count || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = moment.shown ?? count - 1;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -count, End: count }[event.key];
    if (step !== undefined) {
      const next = Math.max(0, Math.min(count - 1, moment.shown === null ? at : at + step));
      if (event.shiftKey) {
        this.anchor ??= at;
        moment.stretch.value = [Math.min(this.anchor, next), Math.max(this.anchor, next) + 1];
      } else {
        this.anchor = null;
        moment.stretch.value = null;
      }
      moment.hovered.value = next;
    } else if (event.key === "Enter" || event.key === " ") {
      const wide = moment.stretch.value;
      this.anchor = null;
      moment.stretch.value = null;
      if (wide) this.zoom(...wide);
      else this.choose(at);
    } else if (event.key === "Escape" && (moment.stretch.value || (moment.hovered.value !== null && moment.hovered.value !== moment.chosen.value))) {
      this.anchor = null;
      moment.stretch.value = null;
      moment.hovered.value = null;
    } else {
      return;
    }
    event.preventDefault();
  }

  close() {
    this.ask.cancel();
    this.watcher.disconnect();
    for (const stop of this.stops) stop();
  }
}

/** The beginning of a line, beside its name. */
function swatchOf(className = "") {
  return svg("svg", { class: "chart-swatch", width: 14, height: 8, "aria-hidden": "true" }, svg("path", { class: `chart-line ${className}`, d: "M0 4H14" }));
}

/** 0, a half and the whole of a round number that most values stay below. @param {number} most @returns {number[]} */
export function roundTicks(most) {
  if (!(most > 0)) return [0];
  const magnitude = 10 ** Math.floor(Math.log10(most));
  const step = [0.5, 1, 2, 5].map((factor) => factor * magnitude).find((size) => most / size < 4) ?? magnitude;
  const ticks = [];
  for (let i = 0; i * step <= most * 1.001; i++) ticks.push(i * step);
  return ticks;
}

function round(number) {
  return Math.round(number * 10) / 10;
}
