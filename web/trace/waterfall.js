// SPDX-License-Identifier: Apache-2.0
// The waterfall: a tree of spans on the left, their bars on the right, one row a span, forty rows of elements.
// It draws a model, a set of collapsed rows and a stretch of time; what they are is the page's business.
import { axisDuration, axisTicks, compactCount, duration, plural, share } from "../lib/format.js";
import { pathOf } from "../lib/icons.js";
import { RowList } from "../lib/rows.js";
import { attribute, fill, h, onNextFrame, svg } from "../lib/view.js";
import { keepSize, size } from "../settings.js";
import { threadPath, turnPath } from "./thread.js";

export const ROW_HEIGHT = 24;
const LEFT = 14;
const INDENT_MAX = 14;
const INDENT_MIN = 7;
/** Deeper rows stay at this indent and print their depth. */
const DEPTH_MAX = 24;
const BADGE = 15;
const BAR_MIN = 2;
const BAR_HEIGHT = 10;
const NAME_MIN = 160;
const TIME_MIN = 160;
/** Right of the last bar, for its duration. */
const ROOM = 72;
const NARROW = 560;
const TICK_EVERY = 110;
const KINDS = ["", "", "server", "client", "producer", "consumer"];
export const KIND_NAMES = ["unspecified", "internal", "server", "client", "producer", "consumer"];

export class Waterfall {
  /**
   * @param {{ select: (row: number, opens: boolean) => void, toggle: (row: number, deep: boolean) => void,
   *   zoomAt: (fraction: number, factor: number) => void, pan: (fraction: number) => void,
   *   zoomTo: (from: number, to: number) => void }} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.model = null;
    this.visible = new Int32Array(0);
    this.collapsed = new Uint8Array(0);
    this.selected = -1;
    this.from = 0;
    this.to = 1;
    this.timeWidth = 1;
    this.indent = INDENT_MAX;
    /** Text to mark in names, lower case, and the rows that have it. */
    this.wanted = "";
    this.matches = new Int32Array(0);
    this.errors = new Int32Array(0);
    /** When the events of the chosen row happened, once its details are here. */
    this.moments = { row: -1, at: [] };

    this.ticks = h("div.axis-ticks", {});
    this.cursorLabel = h("span.axis-cursor", { hidden: true });
    this.axis = h("div.axis", {}, this.ticks, this.cursorLabel, this.brush = h("div.axis-brush", { hidden: true }));
    this.splitter = h("div.splitter", {
      role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Width of the names", "aria-controls": "waterfall",
    });
    this.scroller = h("div.scroller.wf-scroller", { id: "waterfall", role: "treegrid", tabindex: "0", "aria-label": "Spans of the trace", "aria-colcount": "2", "aria-readonly": "true" });
    this.lines = h("div.wf-lines", { "aria-hidden": "true" });
    this.cursor = h("div.wf-cursor", { hidden: true, "aria-hidden": "true" });
    this.gutter = h("canvas.wf-gutter", { "aria-hidden": "true" });
    this.element = h("div.waterfall", {},
      h("div.wf-head", {}, h("div.wf-head-name", {}, this.headText = h("span", {}, "Span")), this.axis),
      h("div.wf-body", {}, this.lines, this.scroller, this.cursor, this.gutter), this.splitter);
    this.list = new RowList({ scroller: this.scroller, rowHeight: ROW_HEIGHT, create: () => this.createRow(), update: (element, index) => this.updateRow(element, index), onScroll: () => this.nameActive() });
    this.nameWidth = size("name", 0);
    this.layout = onNextFrame(() => this.measure());
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(this.element);
    this.listen();
  }

  /** @param {import("./model.js").TraceModel} model */
  show(model, collapsed) {
    this.model = model;
    this.errors = model.errorRows();
    const digits = String(model.spanCount).length;
    this.element.style.setProperty("--count-width", `${digits}ch`);
    this.setCollapsed(collapsed);
  }

  setCollapsed(collapsed) {
    this.collapsed = collapsed;
    this.visible = this.model.visibleRows(collapsed);
    attribute(this.scroller, "aria-rowcount", this.visible.length);
    this.list.setCount(this.visible.length);
    this.drawGutter();
    this.list.draw();
    this.nameActive();
  }

  /** Shows a stretch of the trace's time. */
  setTime(from, to) {
    this.from = from;
    this.to = to;
    this.drawAxis();
    this.list.refresh();
  }

  setMatches(wanted, matches) {
    this.wanted = wanted;
    this.matches = matches;
    this.list.refresh();
    this.drawGutter();
  }

  /** @param {number} row @param {"nearest" | "center"} [align] */
  setSelected(row, align = "nearest") {
    this.selected = row;
    const index = this.indexOf(row);
    if (index >= 0) this.list.reveal(index, align);
    this.list.refresh();
    this.list.draw();
    this.nameActive();
  }

  /** @param {number} row @param {number[]} at on the trace's clock */
  setMoments(row, at) {
    this.moments = { row, at };
    this.list.refresh();
  }

  /** Where a row stands among those that show, or -1. Rows ascend, so by bisection. */
  indexOf(row) {
    let low = 0;
    let high = this.visible.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.visible[middle] < row) low = middle + 1;
      else high = middle;
    }
    return this.visible[low] === row ? low : -1;
  }

  nameActive() {
    const index = this.selected < 0 ? -1 : this.indexOf(this.selected);
    attribute(this.scroller, "aria-activedescendant", index < 0 ? null : this.list.elementAt(index)?.id);
  }

  listen() {
    const { scroller, splitter, element } = this;
    scroller.addEventListener("click", (event) => {
      const row = this.rowUnder(event);
      if (row < 0) return;
      if (event.target.closest(".chevron")) this.actions.toggle(row, event.altKey);
      else this.actions.select(row, true);
    });
    scroller.addEventListener("dblclick", (event) => {
      const row = this.rowUnder(event);
      if (row >= 0 && this.model.children[row] && event.target.closest(".wf-name") && !event.target.closest(".chevron")) this.actions.toggle(row, event.altKey);
    });
    scroller.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("pointermove", (event) => this.point(event));
    element.addEventListener("pointerleave", () => this.point(null));
    splitter.addEventListener("pointerdown", (event) => this.dragSplitter(event));
    splitter.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -16, ArrowRight: 16, Home: -1e6, End: 1e6 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.setNameWidth(this.nameWidth + step * (event.shiftKey ? 4 : 1));
    });
    splitter.addEventListener("dblclick", () => this.setNameWidth(this.element.clientWidth * 0.4));
    this.axis.addEventListener("pointerdown", (event) => this.dragBrush(event));
  }

  rowUnder(event) {
    const element = event.target.closest(".wf-row");
    return element ? Number(element.dataset.row) : -1;
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      const box = this.axis.getBoundingClientRect();
      event.preventDefault();
      this.actions.zoomAt(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)), Math.exp(event.deltaY * 0.004));
    } else if (event.shiftKey ? event.deltaY : Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.actions.pan((event.deltaX || event.deltaY) / this.timeWidth);
    }
  }

  /** The line under the pointer, and its time on the axis. */
  point(event) {
    const box = this.axis.getBoundingClientRect();
    const x = event ? event.clientX - box.left : -1;
    const isInside = x >= 0 && x <= this.timeWidth && this.model;
    this.cursor.hidden = this.cursorLabel.hidden = !isInside;
    if (!isInside) return;
    this.cursor.style.transform = `translateX(${this.nameWidth + x}px)`;
    this.cursorLabel.textContent = duration(this.from + (x / this.timeWidth) * (this.to - this.from));
    this.cursorLabel.style.transform = `translateX(${x}px)`;
    this.cursorLabel.classList.toggle("flipped", x > this.timeWidth + ROOM - 86);
  }

  dragSplitter(event) {
    event.preventDefault();
    this.splitter.focus();
    const left = this.element.getBoundingClientRect().left;
    drag(this.splitter, event, (move) => this.setNameWidth(move.clientX - left));
  }

  dragBrush(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const box = this.axis.getBoundingClientRect();
    const at = (move) => Math.max(0, Math.min(1, (move.clientX - box.left) / box.width));
    const start = at(event);
    let stop = start;
    drag(this.axis, event, (move) => {
      stop = at(move);
      this.brush.hidden = false;
      this.brush.style.left = `${Math.min(start, stop) * 100}%`;
      this.brush.style.width = `${Math.abs(stop - start) * 100}%`;
    }, () => {
      this.brush.hidden = true;
      if (Math.abs(stop - start) * box.width < 4) return;
      const span = this.to - this.from;
      this.actions.zoomTo(this.from + Math.min(start, stop) * span, this.from + Math.max(start, stop) * span);
    });
  }

  setNameWidth(pixels) {
    this.nameWidth = pixels;
    this.measure();
    keepSize("name", this.nameWidth);
  }

  measure() {
    const whole = this.scroller.clientWidth;
    if (whole === 0) return;
    const wanted = this.nameWidth || whole * (whole < NARROW ? 0.5 : 0.4);
    this.nameWidth = Math.round(Math.max(NAME_MIN, Math.min(wanted, whole - TIME_MIN)));
    this.timeWidth = Math.max(1, whole - this.nameWidth - ROOM);
    this.element.style.setProperty("--name", `${this.nameWidth}px`);
    this.element.style.setProperty("--time", `${this.timeWidth}px`);
    attribute(this.splitter, "aria-valuemin", NAME_MIN);
    attribute(this.splitter, "aria-valuemax", Math.max(NAME_MIN, whole - TIME_MIN));
    attribute(this.splitter, "aria-valuenow", this.nameWidth);
    if (!this.charWidth) this.charWidth = charWidth(this.element);
    if (!this.model) return;
    // Half of the column is for the tree at most: deep traces are indented less.
    const levels = Math.max(1, Math.min(this.model.depthMax, DEPTH_MAX));
    this.indent = Math.max(INDENT_MIN, Math.min(INDENT_MAX, Math.floor(this.nameWidth / 2 / levels)));
    this.drawAxis();
    this.drawGutter();
    this.list.refresh();
  }

  drawAxis() {
    const { step, at } = axisTicks(this.from, this.to, this.timeWidth / TICK_EVERY);
    const scale = this.timeWidth / (this.to - this.from);
    const places = at.map((tick) => [tick, (tick - this.from) * scale]);
    fill(this.ticks, places.map(([tick, x]) => h(`span.axis-tick${x > this.timeWidth + ROOM - 76 ? ".flipped" : ""}`, { style: { transform: `translateX(${x}px)` } }, h("span", {}, axisDuration(tick, step)))));
    fill(this.lines, places.map(([, x]) => h("span.wf-line", { style: { transform: `translateX(${this.nameWidth + x}px)` } })));
  }

  /** Where errors and matches are in the whole list, beside the scroll bar. */
  drawGutter() {
    const height = this.gutter.clientHeight;
    if (!this.model || height === 0) return;
    const ratio = devicePixelRatio;
    this.gutter.width = 6 * ratio;
    this.gutter.height = height * ratio;
    const context = this.gutter.getContext("2d");
    const style = getComputedStyle(this.element);
    const whole = this.visible.length * ROW_HEIGHT;
    const scale = Math.min(1, height / Math.max(1, whole));
    if (scale === 1 && this.matches.length === 0) return;
    const draw = (rows, color) => {
      context.fillStyle = color;
      let last = -2;
      for (const row of rows) {
        const index = this.indexOf(row);
        if (index < 0) continue;
        const y = Math.round((index + 0.5) * ROW_HEIGHT * scale * ratio);
        if (y - last < 2) continue;
        last = y;
        context.fillRect(0, y - 1, 6 * ratio, 2 * ratio);
      }
    };
    draw(this.errors, style.getPropertyValue("--error"));
    draw(this.matches, style.getPropertyValue("--accent"));
  }

  /** Few elements and no flex boxes: a frame of fast scrolling fills three or four of these anew. */
  createRow() {
    const number = (this.rowNumber = (this.rowNumber ?? 0) + 1);
    const badge = (name, place) => svg("path", { class: `badge-${name}`, transform: `translate(${place * BADGE} 6) scale(.75)` });
    const parts = {
      thread: svg("path", { class: "thread-line" }), hot: svg("path", { class: "thread-hot" }), arrow: svg("path", { class: "thread-arrow" }),
      chevron: h("span.chevron", {}), swatch: h("span.swatch", {}), level: h("span.wf-level", {}),
      service: h("span.wf-service", {}), operation: h("span.wf-operation", {}), hidden: h("span.wf-hidden", {}),
      events: h("span.wf-events", {}), link: badge("link", 0), error: badge("error", 1), kind: badge("kind", 2),
      bar: h("div.bar-fill", {}), self: svg("path", { class: "bar-self" }), moments: svg("path", { class: "bar-events" }),
      tail: h("div.bar-tail", {}), length: h("span.bar-length", {}), beyond: h("span.bar-beyond", {}),
    };
    parts.label = h("div.wf-label", {}, parts.level, parts.swatch, parts.service, parts.operation, parts.hidden);
    const name = h("div.wf-name", { role: "gridcell" }, svg("svg", { class: "thread", "aria-hidden": "true" }, parts.thread, parts.hot, parts.arrow), parts.chevron, parts.label,
      parts.events, svg("svg", { class: "wf-badges", "aria-hidden": "true" }, parts.link, parts.error, parts.kind));
    parts.time = h("div.wf-time", { role: "gridcell" }, parts.tail, parts.bar, svg("svg", { class: "bar-marks", "aria-hidden": "true" }, parts.self, parts.moments), parts.length, parts.beyond);
    const element = h("div.wf-row", { role: "row", id: `span-row-${number}` }, name, parts.time);
    element.parts = parts;
    return element;
  }

  updateRow(element, index) {
    const { model } = this;
    const row = this.visible[index];
    const isParent = model.children[row] > 0;
    const isCollapsed = this.collapsed[row] === 1;
    element.dataset.row = row;
    const classes = ["wf-row"];
    if (model.isPlaceholder(row)) classes.push("absent");
    if (model.status[row] === 2) classes.push("failed");
    if (row === this.selected) classes.push("chosen");
    if (this.wanted !== "" && !this.isMatch(row)) classes.push("unmatched");
    const className = classes.join(" ");
    if (element.className !== className) element.className = className;
    attribute(element, "aria-rowindex", index + 1);
    attribute(element, "aria-level", model.depth[row] + 1);
    attribute(element, "aria-posinset", model.position[row]);
    attribute(element, "aria-setsize", model.siblings(row));
    attribute(element, "aria-expanded", isParent ? String(!isCollapsed) : null);
    attribute(element, "aria-selected", String(row === this.selected));
    attribute(element, "aria-label", this.spoken(row));
    attribute(element.parts.swatch, "data-s", model.color(row));
    attribute(element.parts.time, "data-s", model.color(row));
    this.drawName(element.parts, row, isParent, isCollapsed);
    this.drawBar(element.parts, row);
  }

  isMatch(row) {
    let low = 0;
    let high = this.matches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.matches[middle] < row) low = middle + 1;
      else high = middle;
    }
    return this.matches[low] === row;
  }

  spoken(row) {
    const { model } = this;
    const words = model.isPlaceholder(row) ? [model.operationName(row)] : [model.serviceName(row), model.operationName(row)];
    words.push(duration(model.duration[row]), `${share(model.duration[row] / (model.to - model.from))} of trace`);
    if (model.status[row] === 2) words.push("error");
    if (model.children[row]) words.push(plural(model.children[row], "child", "children"));
    return words.join(", ");
  }

  drawName(parts, row, isParent, isCollapsed) {
    const { model } = this;
    const depth = model.depth[row];
    const shown = Math.min(depth, DEPTH_MAX);
    const x = LEFT + shown * this.indent;
    parts.chevron.hidden = !isParent;
    if (isParent) parts.chevron.style.left = `${x - 12}px`;
    parts.arrow.setAttribute("d", !isParent ? "" : isCollapsed ? `M${x - 2} 8.500l3.500 3.500-3.500 3.500` : `M${x - 3.5} 10.500l3.500 3.500 3.500-3.500`);
    parts.thread.setAttribute("d", threadPath(model, row, isParent && !isCollapsed, this.grid));
    parts.hot.setAttribute("d", this.hotPath(row, shown, isParent));
    text(parts.level, depth > DEPTH_MAX ? String(depth + 1) : "");
    const parent = model.parent[row];
    const isSame = parent >= 0 && model.service[parent] === model.service[row];
    const className = isSame ? "wf-service same" : "wf-service";
    if (parts.service.className !== className) parts.service.className = className;
    this.marked(parts.service, model.serviceName(row));
    this.marked(parts.operation, model.operationName(row));
    text(parts.hidden, isParent && isCollapsed ? `+${compactCount(model.end[row] - row - 1)}` : "");
    const events = model.events[row] ? `•${compactCount(model.events[row])}` : "";
    text(parts.events, events);
    const places = model.links[row] ? 3 : model.status[row] === 2 ? 2 : 1;
    parts.label.style.padding = `0 ${places * BADGE + 14 + (events ? (events.length + 1) * this.charWidth : 0)}px 0 ${x + 12}px`;
    parts.events.style.right = `${places * BADGE + 14}px`;
    draw(parts.link, model.links[row] ? "link" : "");
    draw(parts.error, model.status[row] === 2 ? "error" : "");
    draw(parts.kind, KINDS[model.kind[row]] ?? "");
  }

  get grid() {
    return { left: LEFT, indent: this.indent, height: ROW_HEIGHT, depthMax: DEPTH_MAX };
  }

  /** The thread from the root to the chosen row, in the colour of the choice. */
  hotPath(row, shown, isParent) {
    const { model, selected } = this;
    if (selected < 0 || row > selected || model.depth[selected] > DEPTH_MAX) return "";
    const X = (depth) => LEFT + depth * this.indent;
    const middle = ROW_HEIGHT / 2;
    if (row === selected) {
      return shown === 0 ? "" : turnPath(shown, isParent, this.grid);
    }
    if (selected < model.end[row]) {
      const above = shown === 0 ? "" : turnPath(shown, true, this.grid);
      return `${above}M${X(shown)} ${middle + 6}V${ROW_HEIGHT}`;
    }
    // Beside the path: the thread passes on its way from an ancestor of the chosen row to the next row of the path.
    let ancestor = model.parent[row];
    while (ancestor >= 0 && !(selected < model.end[ancestor])) ancestor = model.parent[ancestor];
    if (ancestor < 0) return "";
    const passing = Math.min(model.depth[ancestor], DEPTH_MAX);
    return `M${X(passing)} 0V${ROW_HEIGHT}`;
  }

  /** A name with what was searched for marked. */
  marked(element, name) {
    const at = this.wanted === "" ? -1 : name.toLowerCase().indexOf(this.wanted);
    if (at < 0) {
      text(element, name);
      return;
    }
    const end = at + this.wanted.length;
    fill(element, name.slice(0, at), h("mark", {}, name.slice(at, end)), name.slice(end));
  }

  drawBar(parts, row) {
    const { model, timeWidth } = this;
    const scale = timeWidth / (this.to - this.from);
    const start = (model.start[row] - this.from) * scale;
    const stop = (model.start[row] + model.duration[row] - this.from) * scale;
    const isLeft = stop < 0;
    const isRight = start > timeWidth;
    const isOut = isLeft || isRight;
    parts.bar.hidden = parts.length.hidden = isOut;
    text(parts.beyond, isLeft ? "‹" : isRight ? "›" : "");
    parts.beyond.classList.toggle("right", isRight);
    const latest = (model.latest[row] - this.from) * scale;
    parts.tail.hidden = latest - stop < 2 || isRight || latest < 0;
    if (!parts.tail.hidden) place(parts.tail, Math.max(-2, stop), Math.min(timeWidth + 2, latest));
    if (isOut) {
      parts.self.setAttribute("d", "");
      parts.moments.setAttribute("d", "");
      return;
    }
    const left = Math.max(-2, start);
    const right = Math.min(timeWidth + 2, Math.max(stop, start + BAR_MIN));
    place(parts.bar, left, right);
    parts.self.setAttribute("d", model.isPlaceholder(row) ? "" : this.selfPath(row, scale));
    parts.moments.setAttribute("d", this.moments.row === row ? this.eventPath(scale) : "");
    this.placeLength(parts.length, row, left, right);
  }

  /** Stretches of self time as filled boxes; those under half a pixel are not worth drawing. */
  selfPath(row, scale) {
    const stretches = this.model.selfStretches(row, 0.5 / scale);
    const top = (ROW_HEIGHT - BAR_HEIGHT) / 2;
    let path = "";
    let drawn = -Infinity;
    for (let i = 0; i < stretches.length; i += 2) {
      const from = Math.max(-2, (stretches[i] - this.from) * scale);
      const to = Math.min(this.timeWidth + 2, (stretches[i + 1] - this.from) * scale);
      if (to <= from || to - drawn < 0.5) continue;
      path += `M${from.toFixed(1)} ${top}H${Math.max(to, from + BAR_MIN).toFixed(1)}v${BAR_HEIGHT}H${from.toFixed(1)}z`;
      drawn = to;
    }
    return path;
  }

  eventPath(scale) {
    const places = this.moments.at.slice(0, 200).map((moment) => (moment - this.from) * scale);
    return places.filter((x) => x >= 0 && x <= this.timeWidth).map((x) => `M${x.toFixed(1)} 3V${ROW_HEIGHT - 3}`).join("");
  }

  /** The duration right of the bar; left of it, or on it, where there is no room. */
  placeLength(element, row, left, right) {
    const words = duration(this.model.duration[row]);
    text(element, words);
    const width = words.length * this.charWidth;
    const fitsRight = right + 6 + width < this.timeWidth + ROOM - 6;
    const fitsLeft = left - 6 - width > 0;
    const x = fitsRight ? right + 6 : fitsLeft ? left - 6 - width : Math.max(4, Math.min(right, this.timeWidth) - width - 12);
    element.classList.toggle("on-bar", !fitsRight && !fitsLeft);
    element.style.left = `${x.toFixed(1)}px`;
  }

  close() {
    this.watcher.disconnect();
    this.layout.cancel();
    this.list.close();
  }
}

/** Follows a pointer until it is let go. */
export function drag(element, event, move, done = () => {}) {
  element.setPointerCapture(event.pointerId);
  const stop = () => {
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", stop);
    element.removeEventListener("pointercancel", stop);
    done();
  };
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", stop);
  element.addEventListener("pointercancel", stop);
}

function place(element, left, right) {
  element.style.left = `${left.toFixed(1)}px`;
  element.style.width = `${(right - left).toFixed(1)}px`;
}

/** Shows an icon of ours in a path. */
function draw(path, name) {
  if (path.dataset.shows === name) return;
  path.dataset.shows = name;
  path.setAttribute("d", name ? pathOf(name) : "");
}

function text(element, value) {
  const only = element.firstChild;
  if (only && only === element.lastChild && only.nodeType === Node.TEXT_NODE) {
    if (only.data !== value) only.data = value;
  } else if (value !== "" || only) element.textContent = value;
}

/** The width of a digit in the small size, for placing durations without asking the layout. */
function charWidth(element) {
  const context = document.createElement("canvas").getContext("2d");
  const { fontFamily } = getComputedStyle(element);
  context.font = `11px ${fontFamily}`;
  return context.measureText("0123456789").width / 10;
}
