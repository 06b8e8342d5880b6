// SPDX-License-Identifier: Apache-2.0
// One row of the waterfall: the elements that show a span, filled anew for whatever row scrolls into their place.
import { compactCount, count, duration, shortened } from "../lib/format.js";
import { pathOf } from "../lib/icons.js";
import { attribute, fill, h, svg } from "../lib/view.js";
import { spokenRow } from "./spoken.js";
import { threadPath, turnPath } from "./thread.js";

export const ROW_HEIGHT = 24;
export const INDENT_MAX = 14;
/** Deeper rows stay at this indent and print their depth. */
export const DEPTH_MAX = 24;
/** Right of the last bar, for its duration. */
export const ROOM = 72;
const LEFT = 14;
const BADGE = 15;
const BAR_MIN = 2;
const BAR_HEIGHT = 10;
const MOMENTS_MAX = 200;
const KINDS = ["", "", "server", "client", "producer", "consumer"];

export class SpanRow {
  /**
   * Few elements and no flex boxes: a frame of fast scrolling fills three or four of these anew.
   * @param {import("./waterfall.js").Waterfall} wall what all rows share @param {string} id
   */
  constructor(wall, id) {
    this.wall = wall;
    const parts = {
      thread: svg("path", { class: "thread-line" }), hot: svg("path", { class: "thread-hot" }), arrow: svg("path", { class: "thread-arrow" }),
      chevron: h("span.chevron", {}), swatch: h("span.swatch", {}), lead: h("span", {}),
      service: h("span.wf-service", {}), operation: h("span.wf-operation", {}), hidden: h("span.wf-hidden", {}),
      events: h("span.wf-events", {}), kind: svg("path", { class: "badge badge-kind" }),
      bar: h("div.bar-fill", {}), self: svg("path", { class: "bar-self" }),
      tail: h("div.bar-tail", {}), length: h("span.bar-length", {}),
    };
    parts.label = h("div.wf-label", {}, parts.swatch, parts.lead, parts.service, parts.operation, parts.hidden);
    this.badges = svg("svg", { class: "thread", "aria-hidden": "true" }, parts.thread, parts.hot, parts.arrow, parts.kind);
    this.marks = svg("svg", { class: "bar-marks", "aria-hidden": "true" }, parts.self);
    const name = h("div.wf-name", { role: "gridcell" }, this.badges, parts.chevron, parts.label, parts.events);
    parts.time = h("div.wf-time", { role: "gridcell" }, parts.tail, parts.bar, this.marks, parts.length);
    this.element = h("div.wf-row", { role: "row", id }, name, parts.time);
    this.parts = parts;
  }

  /** @param {number} index among the rows that show */
  show(index) {
    const { element, parts, wall } = this;
    const { model, outline } = wall;
    const row = outline.visible[index];
    const fold = outline.closedAt(row);
    const isParent = outline.isParent(row);
    const isOpen = isParent && outline.isOpen(row);
    this.row = row;
    this.fold = fold;
    element.dataset.row = row;
    const classes = ["wf-row"];
    if (model.isPlaceholder(row)) classes.push("absent");
    if (fold >= 0) classes.push("folded");
    else if (model.status[row] === 2) classes.push("failed");
    else if (model.running[row]) classes.push("running");
    if (row === wall.selected) classes.push("chosen");
    if (wall.matches && !wall.isMatch(row)) classes.push("unmatched");
    const className = classes.join(" ");
    if (element.className !== className) element.className = className;
    attribute(element, "aria-rowindex", index + 1);
    attribute(element, "aria-level", model.depth[row] - outline.base + 1);
    attribute(element, "aria-posinset", model.position[row]);
    attribute(element, "aria-setsize", model.siblings(row));
    attribute(element, "aria-expanded", isParent ? String(isOpen) : null);
    attribute(element, "aria-selected", String(row === wall.selected));
    attribute(element, "aria-label", spokenRow(outline, row, wall.knownPath));
    attribute(parts.swatch, "data-s", model.color(row));
    attribute(parts.time, "data-s", model.color(row));
    this.drawName(isParent, isOpen);
    this.drawBar();
  }

  drawName(isParent, isOpen) {
    const { parts, row, fold, wall } = this;
    const { model, outline } = wall;
    const isTree = outline.hasChildren(row);
    const depth = model.depth[row] - outline.base;
    const shown = Math.min(depth, DEPTH_MAX);
    const x = LEFT + shown * wall.indent;
    parts.chevron.hidden = !isParent;
    if (isParent) parts.chevron.style.left = `${x - 12}px`;
    parts.arrow.setAttribute("d", !isParent ? "" : isOpen ? `M${x - 3.5} 10.500l3.500 3.500 3.500-3.500` : `M${x - 2} 8.500l3.500 3.500-3.500 3.500`);
    parts.thread.setAttribute("d", threadPath(outline, row, isTree && isOpen, this.grid));
    parts.hot.setAttribute("d", this.hotPath(shown, isParent));
    const lead = fold >= 0 ? "wf-times" : depth > DEPTH_MAX ? "wf-level" : "";
    if (parts.lead.className !== lead) {
      parts.lead.className = lead;
      (fold >= 0 ? parts.service : parts.swatch).after(parts.lead);
    }
    text(parts.lead, fold >= 0 ? `×${count(outline.folds.size(fold))}` : lead ? String(model.depth[row] + 1) : "");
    const parent = depth === 0 ? -1 : model.parent[row];
    const isSame = parent >= 0 && model.service[parent] === model.service[row];
    const className = isSame ? "wf-service same" : "wf-service";
    if (parts.service.className !== className) parts.service.className = className;
    this.marked(parts.service, model.serviceName(row));
    this.marked(parts.operation, model.operationName(row) || "unnamed");
    text(parts.hidden, this.hint(isOpen));
    const errors = outline.errors(row);
    const hides = fold >= 0 || (isTree && !isOpen);
    const counted = hides ? (errors ? compactCount(errors) : "") : model.events[row] ? `•${compactCount(model.events[row])}` : "";
    text(parts.events, counted);
    const hasLink = fold < 0 && model.links[row] > 0;
    const places = hasLink ? 3 : errors ? 2 : 1;
    parts.label.style.padding = `0 ${places * BADGE + 14 + (counted ? (counted.length + 1) * wall.charWidth : 0)}px 0 ${x + 12}px`;
    parts.events.style.right = `${places * BADGE + 14}px`;
    this.rare(this.badges, "badge badge-link", hasLink ? pathOf("link") : "");
    this.rare(this.badges, "badge badge-error", errors ? pathOf("error") : "");
    const kind = KINDS[model.kind[row]] ?? "";
    if (parts.kind.dataset.shows === kind) return;
    parts.kind.dataset.shows = kind;
    parts.kind.setAttribute("d", kind ? pathOf(kind) : "");
  }

  /** Draws what few rows have: its path is made when it is first needed. */
  rare(picture, className, d) {
    const path = this.parts[className];
    if (path) attribute(path, "d", d);
    else if (d) picture.append((this.parts[className] = svg("path", { class: className, d })));
  }

  /** Behind the name: how much is collapsed here, or that calls in turn may be a loop. */
  hint(isOpen) {
    const { row, wall } = this;
    const { model, outline } = wall;
    if (outline.hasChildren(row)) return isOpen ? "" : `+${compactCount(model.end[row] - row - 1)}`;
    const fold = outline.foldAt(row);
    if (fold < 0) return "";
    if (isOpen) return `first of ${compactCount(outline.folds.size(fold))}`;
    return outline.folds.isLoop(fold) ? "N+1?" : "";
  }

  get grid() {
    return { left: LEFT, indent: this.wall.indent, height: ROW_HEIGHT, depthMax: DEPTH_MAX, base: this.wall.outline.base };
  }

  /** The thread from the root to the chosen row, or to what stands for it, in the colour of the choice. */
  hotPath(shown, isParent) {
    const { row, wall } = this;
    const { model, outline, hot: selected } = wall;
    const { base } = outline;
    if (selected < 0 || row > selected || model.depth[selected] - base > DEPTH_MAX ) return "";
    const X = (depth) => LEFT + depth * wall.indent;
    const middle = ROW_HEIGHT / 2;
    if (row === selected) return shown === 0 ? "" : turnPath(shown, isParent, this.grid);
    if (selected < model.end[row]) {
      const above = shown === 0 ? "" : turnPath(shown, true, this.grid);
      return `${above}M${X(shown)} ${middle + 6}V${ROW_HEIGHT}`;
    }
    // Beside the path: the thread passes on its way from an ancestor of the chosen row to the next row of the path.
    let ancestor = model.parent[row];
    while (ancestor >= 0 && !(selected < model.end[ancestor])) ancestor = model.parent[ancestor];
    if (ancestor < 0 || ancestor < outline.focus) return "";
    const passing = Math.min(model.depth[ancestor] - base, DEPTH_MAX);
    return `M${X(passing)} 0V${ROW_HEIGHT}`;
  }

  /** A name with what was searched for marked. */
  marked(element, name) {
    const { wanted } = this.wall;
    name = shortened(name);
    const at = wanted === "" ? -1 : name.toLowerCase().indexOf(wanted);
    if (at < 0) {
      text(element, name);
      return;
    }
    const end = at + wanted.length;
    fill(element, name.slice(0, at), h("mark", {}, name.slice(at, end)), name.slice(end));
  }

  drawBar() {
    const { parts, row, fold, wall } = this;
    const { model, timeWidth, from, to } = wall;
    const scale = timeWidth / (to - from);
    const ends = fold >= 0 ? wall.outline.folds.latest[fold] : model.start[row] + model.duration[row];
    const start = (model.start[row] - from) * scale;
    const stop = (ends - from) * scale;
    const isLeft = stop < 0;
    const isRight = start > timeWidth;
    const isOut = isLeft || isRight;
    parts.bar.hidden = isOut;
    const latest = fold >= 0 ? stop : (model.latest[row] - from) * scale;
    parts.tail.hidden = latest - stop < 2 || isRight || latest < 0;
    if (!parts.tail.hidden) place(parts.tail, Math.max(-2, stop), Math.min(timeWidth + 2, latest));
    this.rare(this.marks, "bar-path", isOut || !wall.path ? "" : this.pathPath(scale));
    if (isOut) {
      // Where to look for it.
      text(parts.length, isLeft ? "‹" : "›");
      parts.length.classList.remove("on-bar");
      parts.length.style.left = isLeft ? "2px" : `${timeWidth - 10}px`;
      parts.self.setAttribute("d", "");
      this.rare(this.marks, "bar-events", "");
      return;
    }
    const left = Math.max(-2, start);
    const right = Math.min(timeWidth + 2, Math.max(stop, start + BAR_MIN));
    place(parts.bar, left, right);
    parts.self.setAttribute("d", fold >= 0 ? this.foldPath(scale) : model.isPlaceholder(row) ? "" : this.boxes(model.selfStretches(row, 0.5 / scale), scale));
    const moments = fold >= 0 ? undefined : wall.moments.get(row);
    this.rare(this.marks, "bar-events", moments ? this.eventPath(moments, scale) : "");
    this.placeLength(left, right);
  }

  /** Stretches of time as filled boxes; those under half a pixel are not worth drawing. */
  boxes(stretches, scale, top = (ROW_HEIGHT - BAR_HEIGHT) / 2, height = BAR_HEIGHT) {
    const { from: begin, timeWidth } = this.wall;
    let path = "";
    let drawn = -Infinity;
    for (let i = 0; i < stretches.length; i += 2) {
      const from = Math.max(-2, (stretches[i] - begin) * scale);
      const to = Math.min(timeWidth + 2, (stretches[i + 1] - begin) * scale);
      if (to < from || to - drawn < 0.5) continue;
      path += `M${from.toFixed(1)} ${top}H${Math.max(to, from + BAR_MIN).toFixed(1)}v${height}H${from.toFixed(1)}z`;
      drawn = to;
    }
    return path;
  }

  /** The spans of a fold, each at its time; kept, since there may be thousands. */
  foldPath(scale) {
    const { fold, wall } = this;
    const { model, outline } = wall;
    const key = `${fold} ${scale} ${wall.from}`;
    const kept = wall.foldPaths.get(key);
    if (kept !== undefined) return kept;
    const stretches = [];
    let until = -Infinity;
    for (let row = outline.folds.first[fold]; row < outline.folds.end[fold]; row++) {
      const ends = model.start[row] + model.duration[row];
      // What ends within the pixel drawn last adds nothing.
      if ((ends - until) * scale < 1) continue;
      stretches.push(model.start[row], ends);
      until = ends;
    }
    const path = this.boxes(stretches, scale);
    wall.foldPaths.set(key, path);
    return path;
  }

  /** The critical path's stretches as a line below the bar. */
  pathPath(scale) {
    const { row, fold, wall } = this;
    const { path, outline } = wall;
    const stretches = fold < 0 ? path.stretches(row) : path.times.subarray(path.offset[row], path.offset[outline.folds.end[fold]]);
    return stretches.length ? this.boxes(stretches, scale, ROW_HEIGHT - 5, 2) : "";
  }

  eventPath(moments, scale) {
    const { from, timeWidth } = this.wall;
    const places = moments.slice(0, MOMENTS_MAX).map((moment) => (moment - from) * scale);
    return places.filter((x) => x >= 0 && x <= timeWidth).map((x) => `M${x.toFixed(1)} 3V${ROW_HEIGHT - 3}`).join("");
  }

  /** The duration right of the bar; left of it, or on it, where there is no room. */
  placeLength(left, right) {
    const { row, fold, wall } = this;
    const { folds } = wall.outline;
    const element = this.parts.length;
    const words = fold < 0 ? `${duration(wall.model.duration[row])}${wall.model.running[row] ? ", still running" : ""}` : `total ${duration(folds.total[fold])} · max ${duration(folds.longest[fold])}`;
    text(element, words);
    const width = words.length * wall.charWidth;
    const fitsRight = right + 6 + width < wall.timeWidth + ROOM - 6;
    const fitsLeft = left - 6 - width > 0;
    const x = fitsRight ? right + 6 : fitsLeft ? left - 6 - width : Math.max(4, Math.min(right, wall.timeWidth) - width - 12);
    element.classList.toggle("on-bar", !fitsRight && !fitsLeft);
    element.style.left = `${x.toFixed(1)}px`;
  }
}

function place(element, left, right) {
  element.style.left = `${left.toFixed(1)}px`;
  element.style.width = `${(right - left).toFixed(1)}px`;
}

function text(element, value) {
  const only = element.firstChild;
  if (only && only === element.lastChild && only.nodeType === Node.TEXT_NODE) {
    if (only.data !== value) only.data = value;
  } else if (value !== "" || only) element.textContent = value;
}
