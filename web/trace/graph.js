// SPDX-License-Identifier: Apache-2.0
// The calls of a trace as a graph: spans of one path are one node, edges say how often it was called.
import { compactCount, count, duration, plural, share } from "../lib/format.js";
import { attribute, fill, h, svg } from "../lib/view.js";
import { graphOf } from "./graph-model.js";
import { pathsOf } from "./merged.js";

const NODES_MAX = 200;
const WIDE = 200;
const HIGH = 44;
const GAP = 44;
const GRID = { most: NODES_MAX, column: WIDE + GAP, line: HIGH + 12 };
/** Smaller than this nobody can read it. */
const READABLE = 0.85;
const NAME_MAX = 200;
const SCALE_MIN = 0.1;
const SCALE_MAX = 2;

/** @param {any} trace @param {HTMLElement} element */
export function open(trace, element) {
  return new Graph(trace, element);
}

class Graph {
  constructor(trace, element) {
    this.trace = trace;
    this.scale = 1;
    this.x = this.y = 0;
    this.chosen = -1;
    this.pen = document.createElement("canvas").getContext("2d");
    this.family = getComputedStyle(element).fontFamily;
    const button = (name, label, act) => h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: act }, name);
    this.facts = h("span.faint", { role: "status" });
    this.plane = svg("g", {});
    this.drawing = svg("svg", { class: "graph", role: "tree", tabindex: "0", "aria-label": "Calls of the trace: arrows move between them" }, this.plane);
    this.stage = h("div.graph-stage", {}, this.drawing);
    fill(element, h("div.view-bar", {}, this.facts, h("span.spring"), h("div.button-group", { role: "group", "aria-label": "Size" },
      button("+", "Larger (+)", () => this.zoom(1.25)), button("−", "Smaller (−)", () => this.zoom(0.8)), h("button.quiet", { type: "button", onclick: () => this.fit() }, "Fit"))), this.stage);
    this.listen();
    this.watcher = new ResizeObserver(() => this.fitted && this.fit(this.fitted.readable));
    this.watcher.observe(this.stage);
  }

  show(changed) {
    if (changed === "model") this.load();
    else if (changed === "selection") this.follow();
    else if (changed === "matches") this.markMatches();
  }

  load() {
    const { model } = this.trace;
    this.paths = pathsOf(model);
    const { boxes, width, height } = graphOf(this.paths, GRID);
    Object.assign(this, { boxes, width, height });
    this.boxOf = new Map(boxes.map(({ node }, index) => [node, index]));
    const folded = boxes.reduce((sum, box) => sum + box.folded, 0);
    this.facts.textContent = `${plural(this.paths.size, "path")} of ${plural(model.spanCount, "span")}${folded ? `; ${count(folded)} with the least time are folded` : ""}`;
    const most = Math.max(1, ...boxes.map(({ calls }) => calls));
    const edges = boxes.map((box) => this.edge(box, most));
    this.nodes = boxes.map((box, index) => this.node(box, index));
    fill(this.plane, svg("g", { role: "none", "aria-hidden": "true" }, edges.flat().filter(Boolean)), this.nodes);
    this.fit(true);
    this.follow();
    this.markMatches();
  }

  edge(box, most) {
    if (box.parent < 0) return null;
    const from = this.boxes[box.parent];
    const [x1, y1, x2, y2] = [from.x + WIDE, from.y + HIGH / 2, box.x, box.y + HIGH / 2];
    const middle = (x1 + x2) / 2;
    const width = 1 + (4 * Math.log1p(box.calls)) / Math.log1p(most);
    return [svg("path", { class: "graph-edge", d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, "stroke-width": width.toFixed(2) }),
      box.calls > 1 ? svg("text", { class: "graph-calls", x: x2 - 6, y: y2 - 6, "text-anchor": "end" }, `×${compactCount(box.calls)}`) : null];
  }

  node(box, index) {
    const { model } = this.trace;
    const row = box.node < 0 ? -1 : this.paths.firstRow[box.node];
    const part = this.paths.wholeAll > 0 ? box.self / this.paths.wholeAll : 0;
    const service = row < 0 ? "" : model.serviceName(row).slice(0, NAME_MAX);
    const operation = row < 0 ? plural(box.folded, "more path", "more paths") : model.operationName(row).slice(0, NAME_MAX);
    const time = `${duration(box.self)}  ${share(part)}`;
    const facts = [box.calls > 1 || row < 0 ? `×${count(box.calls)}` : null, `self ${duration(box.self)}`, share(part), box.errors ? plural(box.errors, "error") : null].filter(Boolean).join(" · ");
    const group = svg("g", { class: `graph-node${box.errors ? " failed" : ""}${row < 0 ? " fold" : ""}`, role: "treeitem", id: `graph-${index}`, "data-index": index, "data-s": row < 0 ? null : model.color(row), transform: `translate(${box.x} ${box.y})`,
      "aria-level": box.node < 0 ? this.levelOf(box) : this.paths.depth[box.node] + 1, "aria-selected": "false", "aria-label": `${service} ${operation}, ${facts}` },
      svg("title", {}, `${service} ${operation}\n${facts}`),
      svg("rect", { class: "graph-box", width: WIDE, height: HIGH, rx: 3 }),
      svg("rect", { class: "graph-part", y: HIGH - 4, width: Math.max(part > 0 ? 2 : 0, part * WIDE).toFixed(1), height: 4 }),
      svg("rect", { class: "graph-swatch", x: 10, y: 9, width: 8, height: 8, rx: 2 }),
      this.clipped(24, 17, WIDE - 32, "graph-name", `${box.errors ? "✕ " : ""}${operation || "unnamed"}`),
      this.clipped(24, 33, WIDE - 118, "graph-facts", service),
      svg("text", { class: "graph-facts", x: WIDE - 8, y: 33, "text-anchor": "end" }, time));
    return group;
  }

  /** A text that ends with "…" where it does not fit. */
  clipped(x, y, width, name, text) {
    const { pen } = this;
    pen.font = `${name === "graph-name" ? 12 : 11}px ${this.family}`;
    const whole = pen.measureText(text).width;
    let shown = text;
    for (let length = Math.floor((text.length * width) / whole); length > 0 && pen.measureText(shown).width > width; length--) shown = `${text.slice(0, length)}…`;
    return svg("svg", { x, y: y - 13, width, height: 18, class: "graph-text" }, svg("text", { class: name, x: 0, y: 13 }, shown));
  }

  levelOf(box) {
    return box.parent < 0 ? 1 : this.paths.depth[this.boxes[box.parent].node] + 2;
  }

  follow() {
    const { selected } = this.trace;
    if (!this.boxes || selected < 0) return;
    // What is folded is shown by the nearest of its callers that is not.
    let node = this.paths.node[selected];
    while (node >= 0 && !this.boxOf.has(node)) node = this.paths.parent[node];
    const index = this.boxOf.get(node) ?? -1;
    if (index !== this.chosen) this.mark(index);
  }

  mark(index) {
    this.nodes[this.chosen]?.setAttribute("aria-selected", "false");
    this.chosen = index;
    this.nodes[index]?.setAttribute("aria-selected", "true");
    attribute(this.drawing, "aria-activedescendant", index < 0 ? null : `graph-${index}`);
  }

  choose(index) {
    if (index === undefined || index < 0) return;
    this.mark(index);
    this.reveal(this.boxes[index]);
    const { node } = this.boxes[index];
    if (node >= 0) this.trace.select(this.paths.longest[node], { opens: true });
  }

  markMatches() {
    if (!this.boxes) return;
    const { matches } = this.trace;
    const found = new Set();
    for (const row of matches ?? []) found.add(this.paths.node[row]);
    this.nodes.forEach((element, index) => element.classList.toggle("unmatched", matches !== null && !found.has(this.boxes[index].node)));
  }

  listen() {
    const { stage, drawing } = this;
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY / 300), event);
      else this.pan(-event.deltaX, -event.deltaY);
    }, { passive: false });
    let grip = null;
    drawing.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      grip = { x: event.clientX, y: event.clientY, isMoved: false };
    });
    drawing.addEventListener("pointermove", (event) => {
      if (!grip) return;
      const [dx, dy] = [event.clientX - grip.x, event.clientY - grip.y];
      if (!grip.isMoved && Math.hypot(dx, dy) < 4) return;
      if (!grip.isMoved) drawing.setPointerCapture(event.pointerId);
      grip = { x: event.clientX, y: event.clientY, isMoved: true };
      this.pan(dx, dy);
    });
    drawing.addEventListener("pointerup", (event) => {
      const node = grip && !grip.isMoved ? event.target.closest("[data-index]") : null;
      grip = null;
      if (node) this.choose(Number(node.dataset.index));
    });
    drawing.addEventListener("pointercancel", () => { grip = null; });
    const key = (keys, does, act) => ({ keys, does, run: () => {
      drawing.focus({ preventScroll: true });
      if (this.boxes?.length) act();
    } });
    this.trace.app.keyboard.install("Graph", [
      key(["ArrowLeft", "h"], "The caller", () => this.choose(this.boxes[this.chosen]?.parent)),
      key(["ArrowRight", "l"], "The first that is called", () => this.choose(this.boxes.findIndex(({ parent }) => parent === this.chosen))),
      key(["ArrowDown", "j"], "The next in the column", () => this.beside(1)),
      key(["ArrowUp", "k"], "The one before in the column", () => this.beside(-1)),
      key(["Home"], "The root", () => this.choose(0)),
      key(["+", "="], "Larger", () => this.zoom(1.25)),
      key(["-"], "Smaller", () => this.zoom(0.8)),
      key(["0"], "All of it", () => this.fit()),
    ]);
  }

  /** The next node of the same depth, up or down. */
  beside(step) {
    const { boxes, chosen } = this;
    if (chosen < 0) return this.choose(0);
    const column = boxes.map((box, index) => ({ ...box, index })).filter(({ x }) => x === boxes[chosen].x).sort((a, b) => a.y - b.y);
    return this.choose(column[column.findIndex(({ index }) => index === chosen) + step]?.index);
  }

  get size() {
    return { width: this.stage.clientWidth || 1, height: this.stage.clientHeight || 1 };
  }

  /** As large as it is readable, whole if that is possible. @param {boolean} [readable] not smaller than can be read */
  fit(readable = false) {
    const { width, height } = this.size;
    const whole = Math.min((width - 32) / Math.max(1, this.width - GAP), (height - 32) / Math.max(1, this.height));
    this.scale = Math.max(readable ? READABLE : SCALE_MIN, Math.min(1, whole));
    this.x = 16;
    this.y = Math.max(16, (height - this.height * this.scale) / 2);
    const root = this.boxes?.[0];
    if (root && this.height * this.scale > height) this.y = readable ? height / 2 - (root.y + HIGH / 2) * this.scale : 16;
    this.fitted = { readable };
    this.place();
  }

  zoom(factor, event) {
    const next = Math.max(SCALE_MIN, Math.min(SCALE_MAX, this.scale * factor));
    const box = this.stage.getBoundingClientRect();
    const [px, py] = event ? [event.clientX - box.left, event.clientY - box.top] : [box.width / 2, box.height / 2];
    this.x = px - ((px - this.x) * next) / this.scale;
    this.y = py - ((py - this.y) * next) / this.scale;
    this.scale = next;
    this.fitted = null;
    this.place();
  }

  pan(dx, dy) {
    const { width, height } = this.size;
    this.x = Math.max(60 - this.width * this.scale, Math.min(width - 60, this.x + dx));
    this.y = Math.max(60 - this.height * this.scale, Math.min(height - 60, this.y + dy));
    this.fitted = null;
    this.place();
  }

  reveal({ x, y }) {
    const { width, height } = this.size;
    const [left, top] = [this.x + x * this.scale, this.y + y * this.scale];
    const dx = left < 16 ? 16 - left : Math.min(0, width - 16 - (left + WIDE * this.scale));
    const dy = top < 16 ? 16 - top : Math.min(0, height - 16 - (top + HIGH * this.scale));
    if (dx || dy) this.pan(dx, dy);
  }

  place() {
    this.plane.setAttribute("transform", `translate(${this.x.toFixed(1)} ${this.y.toFixed(1)}) scale(${this.scale.toFixed(4)})`);
  }

  close() {
    this.trace.app.keyboard.install("Graph", []);
    this.watcher.disconnect();
  }
}
