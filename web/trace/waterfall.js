// SPDX-License-Identifier: Apache-2.0
// The waterfall: a tree of spans on the left, their bars on the right, one row a span, forty rows of elements.
// It draws an outline of a model and a stretch of time; what they are is the page's business.
import { axisDuration, axisTicks, duration } from "../lib/format.js";
import { RowList } from "../lib/rows.js";
import { attribute, fill, h, onNextFrame } from "../lib/view.js";
import { keepSize, size } from "../settings.js";
import { firstFrom } from "./outline.js";
import { DEPTH_MAX, INDENT_MAX, ROOM, ROW_HEIGHT, SpanRow } from "./row.js";

const INDENT_MIN = 7;
const NAME_MIN = 160;
const TIME_MIN = 160;
const NARROW = 560;
const TICK_EVERY = 110;

export class Waterfall {
  /**
   * @param {{ select: (row: number, opens: boolean) => void, toggle: (row: number, deep: boolean) => void,
   *   zoomAt: (fraction: number, factor: number) => void, pan: (fraction: number) => void,
   *   zoomTo: (from: number, to: number) => void, showAll: () => void, rowsMoved: () => void }} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.model = null;
    /** @type {import("./outline.js").Outline | null} */
    this.outline = null;
    this.selected = -1;
    /** The row that shows in place of the selected one. */
    this.hot = -1;
    this.from = 0;
    this.to = 1;
    this.timeWidth = 1;
    this.indent = INDENT_MAX;
    /** Text to mark in names, lower case, and the rows that were found; null when nothing is looked for. */
    this.wanted = "";
    /** @type {Int32Array | null} */
    this.matches = null;
    /** Shown as a line below the bars, or null. @type {import("./critical-path.js").CriticalPath | null} */
    this.path = null;
    /** Said of rows on it, whether it shows or not. @type {import("./critical-path.js").CriticalPath | null} */
    this.knownPath = null;
    this.errors = new Int32Array(0);
    /** When the events of rows happened, on the trace's clock, as far as it is known. @type {Map<number, number[]>} */
    this.moments = new Map();
    /** How folds are drawn in this stretch of time. @type {Map<string, string>} */
    this.foldPaths = new Map();

    this.ticks = h("div.axis-ticks", {});
    this.cursorLabel = h("span.axis-cursor", { hidden: true });
    this.axis = h("div.axis", {}, this.ticks, this.cursorLabel, this.brush = h("div.axis-brush", { hidden: true }));
    this.splitter = h("div.splitter", {
      role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Width of the names", "aria-controls": "waterfall",
    });
    this.scroller = h("div.scroller.wf-scroller", { id: "waterfall", role: "treegrid", tabindex: "0", "aria-label": "Spans of the trace", "aria-colcount": "2", "aria-readonly": "true" });
    this.lines = h("div.wf-lines", { "aria-hidden": "true" });
    this.cursor = h("div.wf-cursor", { hidden: true, "aria-hidden": "true" });
    this.empty = h("p.wf-empty", { hidden: true }, "No span matches. ", h("button", { type: "button", onclick: () => actions.showAll() }, "Show all rows"));
    this.gutter = h("canvas.wf-gutter", { "aria-hidden": "true" });
    this.element = h("div.waterfall", {},
      h("div.wf-head", {}, h("div.wf-head-name", {}, this.headText = h("span", {}, "Span")), this.axis),
      h("div.wf-body", {}, this.lines, this.scroller, this.cursor, this.gutter, this.empty), this.splitter);
    this.list = new RowList({ scroller: this.scroller, rowHeight: ROW_HEIGHT, create: () => this.createRow(), update: (element, index) => element.spanRow.show(index), onScroll: () => {
      this.nameActive();
      actions.rowsMoved();
    } });
    this.nameWidth = size("name", 0);
    this.layout = onNextFrame(() => this.measure());
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(this.element);
    this.listen();
  }

  /** @param {import("./outline.js").Outline} outline */
  show(outline) {
    this.outline = outline;
    this.model = outline.model;
    this.errors = this.model.errorRows();
    this.path = this.knownPath = null;
    this.moments.clear();
    this.foldPaths.clear();
    this.showRows();
  }

  /** The outline has other rows than before. */
  showRows() {
    const { visible } = this.outline;
    this.hot = this.selected < 0 ? -1 : this.outline.standIn(this.selected);
    this.empty.hidden = visible.length > 0;
    attribute(this.scroller, "aria-rowcount", visible.length);
    this.setIndent();
    this.list.setCount(visible.length);
    this.drawGutter();
    this.list.draw();
    this.nameActive();
    this.actions.rowsMoved();
  }

  /** Shows a stretch of the trace's time. */
  setTime(from, to) {
    this.from = from;
    this.to = to;
    this.foldPaths.clear();
    this.drawAxis();
    this.list.refresh();
  }

  /** @param {string} wanted text to mark in names @param {Int32Array | null} matches */
  setMatches(wanted, matches) {
    this.wanted = wanted.toLowerCase();
    this.matches = matches;
    this.list.refresh();
    this.drawGutter();
  }

  /** @param {import("./critical-path.js").CriticalPath | null} path @param {boolean} isShown */
  setPath(path, isShown) {
    this.knownPath = path;
    this.path = isShown ? path : null;
    this.list.refresh();
  }

  /** @param {number} row @param {"nearest" | "center"} [align] */
  setSelected(row, align = "nearest") {
    this.selected = row;
    this.hot = this.outline.standIn(row);
    const index = this.outline.indexOf(row);
    if (index >= 0) this.list.reveal(index, align);
    this.list.refresh();
    this.list.draw();
    this.nameActive();
  }

  /** @param {number} row @param {number[]} at on the trace's clock */
  setMoments(row, at) {
    this.moments.set(row, at);
    this.list.refresh();
  }

  /** The rows in view, for who wants to know more of them. @returns {Int32Array} */
  get rowsInView() {
    const first = Math.floor(this.list.first);
    return this.outline.visible.subarray(first, first + this.list.rowsPerPage + 2);
  }

  nameActive() {
    const index = this.selected < 0 || !this.outline ? -1 : this.outline.indexOf(this.selected);
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
      if (row >= 0 && this.outline.isParent(row) && event.target.closest(".wf-name") && !event.target.closest(".chevron")) this.actions.toggle(row, event.altKey);
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
    this.setIndent();
    this.drawAxis();
    this.drawGutter();
    this.list.refresh();
  }

  /** Half of the column is for the tree at most: deep traces are indented less. */
  setIndent() {
    const levels = Math.max(1, Math.min(this.model.depthMax - this.outline.base, DEPTH_MAX));
    this.indent = Math.max(INDENT_MIN, Math.min(INDENT_MAX, Math.floor(this.nameWidth / 2 / levels)));
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
    const { outline, matches } = this;
    const whole = outline.visible.length * ROW_HEIGHT;
    const scale = Math.min(1, height / Math.max(1, whole));
    if (scale === 1 && !matches?.length) return;
    const draw = (rows, color) => {
      context.fillStyle = color;
      let last = -2;
      let at = 0;
      // Both ascend: a row that does not show is marked at the one that hides it.
      for (const row of rows) {
        while (at + 1 < outline.visible.length && outline.visible[at + 1] <= row) at++;
        const y = Math.round((at + 0.5) * ROW_HEIGHT * scale * ratio);
        if (y - last < 2) continue;
        last = y;
        context.fillRect(0, y - 1, 6 * ratio, 2 * ratio);
      }
    };
    draw(this.errors, style.getPropertyValue("--error"));
    if (matches) draw(matches, style.getPropertyValue("--accent"));
  }

  createRow() {
    const number = (this.rowNumber = (this.rowNumber ?? 0) + 1);
    const row = new SpanRow(this, `span-row-${number}`);
    row.element.spanRow = row;
    return row.element;
  }

  /** Whether a row, or one of those it stands for, was found. */
  isMatch(row) {
    const fold = this.outline.closedAt(row);
    const end = fold < 0 ? row + 1 : this.outline.folds.end[fold];
    return this.matches[firstFrom(this.matches, row)] < end;
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

/** The width of a digit in the small size, for placing durations without asking the layout. */
function charWidth(element) {
  const context = document.createElement("canvas").getContext("2d");
  const { fontFamily } = getComputedStyle(element);
  context.font = `11px ${fontFamily}`;
  return context.measureText("0123456789").width / 10;
}
