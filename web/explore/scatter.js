// SPDX-License-Identifier: Apache-2.0
// Single spans by start and duration: an even sample of those that match, failed ones as crosses; each opens its trace.
import * as api from "../api.js";
import { absoluteTime, duration, nanos, plural } from "../lib/format.js";
import { attribute, fill, h, onNextFrame } from "../lib/view.js";
import { zone } from "../settings.js";
import { among } from "./asked.js";
import { counted } from "./conditions.js";
import { drawDurations, drawTimes } from "./heatmap-axes.js";
import { Scale, stepFor } from "./heatmap-model.js";

/** Of those that failed as of those that did not. */
const POINTS_MAX = 1000;
/** The server keeps two examples of each moment: many moments make an even sample. */
const MOMENTS = 8000n;
const REACH = 12;
const TIP_GAP = 14;

export class Scatter {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.points = [];
    this.chosen = -1;
    this.canvas = h("canvas.heat-canvas", { "aria-hidden": "true" });
    this.ring = h("div.scatter-ring", { hidden: true });
    this.tip = h("div.heat-tip", { hidden: true, "aria-hidden": "true" });
    this.field = h("div.heat-field", { tabindex: "0", role: "application", "aria-roledescription": "scatter plot" }, this.canvas, this.ring, this.tip);
    this.durations = h("div.heat-durations", { "aria-hidden": "true" });
    this.times = h("div.heat-times", { "aria-hidden": "true" });
    this.note = h("div.scatter-note", {});
    this.element = h("div.heat-plot.scatter", {}, this.durations, this.field, this.note, this.times);
    this.draw = onNextFrame(() => this.paint());
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.field);
    this.field.addEventListener("pointermove", (event) => this.choose(this.nearest(event)));
    this.field.addEventListener("pointerleave", () => this.choose(-1));
    this.field.addEventListener("blur", () => this.choose(-1));
    this.field.addEventListener("click", (event) => this.open(this.nearest(event)));
    this.field.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {string} q @param {{ start: bigint, end: bigint } | null} range */
  async load(q, range, signal) {
    if (!range) return;
    const asked = { ...range, step: String(stepFor(range.end - range.start, MOMENTS)) };
    const examples = (condition) =>
      api.metrics({ q: counted(among(q, [condition]), "max_over_time(duration)"), ...asked, exemplars: POINTS_MAX }, signal);
    const [others, failed] = await Promise.all([examples("status != error"), examples("status = error")]);
    const read = (answer, isFailed) => answer.series.flatMap(({ exemplars }) => exemplars.map(({ traceId, spanId, startTimeUnixNano, value }) =>
      ({ traceId, spanId, start: nanos(startTimeUnixNano), nanos: Math.round(value * 1e9), isFailed })));
    this.points = [...read(others, false), ...read(failed, true)].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
    this.failed = this.points.filter(({ isFailed }) => isFailed).length;
    this.scale = Scale.of(range.start, range.end, this.points.map((point) => point.nanos));
    this.choose(-1);
    const sample = `${plural(this.points.length - this.failed, "example")}, ${plural(this.failed, "error")}`;
    fill(this.note, h("span", {}, "A sample:"), h("span", {}, `○ ${plural(this.points.length - this.failed, "span")}`), h("span.failed", {}, `✕ ${plural(this.failed, "error")}`));
    attribute(this.field, "aria-label", `Examples of matching spans by start and duration: ${sample}. Left and right move from one to the next, Enter opens its trace.`);
    this.draw();
  }

  paint() {
    const { canvas, scale, points } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!scale || width === 0 || height === 0) return;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    const context = canvas.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(this.element);
    const [accent, error] = ["--accent", "--error"].map((name) => style.getPropertyValue(name).trim());
    context.globalAlpha = points.length > 300 ? 0.55 : 0.8;
    context.strokeStyle = accent;
    context.lineWidth = 1;
    context.beginPath();
    for (const point of points) {
      if (point.isFailed) continue;
      const [x, y] = this.placeOf(point, width, height);
      context.moveTo(x + 2, y);
      context.arc(x, y, 2, 0, 2 * Math.PI);
    }
    context.stroke();
    context.globalAlpha = 1;
    context.strokeStyle = error;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const point of points) {
      if (!point.isFailed) continue;
      const [x, y] = this.placeOf(point, width, height);
      context.moveTo(x - 3, y - 3);
      context.lineTo(x + 3, y + 3);
      context.moveTo(x + 3, y - 3);
      context.lineTo(x - 3, y + 3);
    }
    context.stroke();
    drawDurations(this.durations, scale, height);
    drawTimes(this.times, scale, width);
  }

  placeOf({ start, nanos }, width, height) {
    return [this.scale.across(start) * width, (1 - this.scale.up(nanos)) * height];
  }

  /** The point within reach of the pointer that is nearest to it, or -1. */
  nearest(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [found, distance] = [-1, REACH];
    for (const [i, point] of this.points.entries()) {
      const [px, py] = this.placeOf(point, box.width, box.height);
      const away = Math.hypot(px - x, py - y);
      if (away < distance) [found, distance] = [i, away];
    }
    return found;
  }

  choose(index) {
    this.chosen = index;
    const point = this.points[index];
    this.ring.hidden = this.tip.hidden = !point;
    this.field.classList.toggle("over-point", Boolean(point));
    if (!point) return;
    const [width, height] = [this.field.clientWidth, this.field.clientHeight];
    const [x, y] = this.placeOf(point, width, height);
    this.ring.style.left = `${x}px`;
    this.ring.style.top = `${y}px`;
    fill(this.tip, h("strong", {}, duration(point.nanos), point.isFailed ? ", failed" : ""), h("span", {}, absoluteTime(point.start, zone.value)), h("span", {}, "Open the trace"));
    this.tip.style.left = `${Math.round(x > width / 2 ? x - TIP_GAP - this.tip.offsetWidth : x + TIP_GAP)}px`;
    this.tip.style.top = `${Math.round(Math.max(-TIP_GAP, Math.min(height - this.tip.offsetHeight, y - this.tip.offsetHeight / 2)))}px`;
  }

  key(event) {
    const last = this.points.length - 1;
    const at = { ArrowRight: this.chosen + 1, ArrowLeft: this.chosen < 0 ? last : this.chosen - 1, Home: 0, End: last }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || last < 0) return;
    if (at !== undefined) {
      this.choose(Math.max(0, Math.min(last, at)));
      const point = this.points[this.chosen];
      this.app.shell.say(`${duration(point.nanos)}${point.isFailed ? ", failed" : ""}, ${absoluteTime(point.start, zone.value)}, ${this.chosen + 1} of ${last + 1}`);
    } else if (event.key === "Enter" && this.chosen >= 0) this.open(this.chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  open(index) {
    const point = this.points[index];
    if (point) this.app.go({ page: "trace", id: point.traceId, state: { span: point.spanId } });
  }

  close() {
    this.watcher.disconnect();
    this.draw.cancel();
  }
}
