// SPDX-License-Identifier: Apache-2.0
// The merged waterfall: a row for each path, A's bar above B's, what differs in figures and in a letter.
import { axisDuration, axisTicks, count, duration, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { RowList } from "../lib/rows.js";
import { attribute, fill, h, svg } from "../lib/view.js";
import { threadPath } from "../trace/thread.js";
import { signedCount, signedDuration } from "./sentence.js";

const ROW_HEIGHT = 28;
const INDENT = 14;
const INDENT_MIN = 5;
/** Deeper paths stay at this one's indent and print their depth. */
const DEPTH_MAX = 16;
/** Where the thread of the roots runs: the middle of their chevrons. */
const LEFT = 50;
const NAME_MAX = 300;
/** What the time of a tick takes on the axis. */
const TICK_ROOM = 48;

/** A letter for each change, so that colour is never alone. */
export const MARKS = {
  error: ["E", "new error"], slower: ["S", "slower"], faster: ["F", "faster"], onlyA: ["A", "only in A"], onlyB: ["B", "only in B"],
  count: ["N", "another number of spans"],
};
const FIGURES = [["total", "Δ Duration"], ["self", "Δ Self"], ["spans", "Δ Count"]];

export class CompareTree {
  /**
   * @param {{ select: (node: number) => void, collapse: () => void, href: (side: number, node: number) => string | null, sort: (figure: string) => void,
   *   colorOf: (service: string) => number }} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.model = null;
    this.nodes = [];
    /** @type {Set<number>} */
    this.collapsed = new Set();
    this.how = {};
    this.selected = -1;
    this.made = 0;
    this.thread = { left: LEFT, indent: INDENT, height: ROW_HEIGHT, depthMax: DEPTH_MAX, base: 0 };
    this.axis = h("div.cmp-axis", { "aria-hidden": "true" });
    this.heads = new Map(FIGURES.map(([figure, title]) => [figure, h("div.cmp-cell.number", { role: "columnheader" },
      h("button.head-button", { type: "button", onclick: () => actions.sort(figure) }, title, h("span.head-arrow", { "aria-hidden": "true" })))]));
    this.head = h("div.cmp-head", { role: "rowgroup" }, h("div.cmp-row.head", { role: "row", "aria-rowindex": "1" },
      h("div.cmp-cell", { role: "columnheader" }, "Path"), h("div.cmp-cell.cmp-time", { role: "columnheader" }, h("span.unseen", {}, "A above B, over time"),
        this.axis),
      [...this.heads.values()], h("div.cmp-cell.number", { role: "columnheader" }, "Spans")));
    this.scroller = h("div.scroller.cmp-scroller", { role: "treegrid", tabindex: "0", "aria-label": "Paths of both traces", "aria-colcount": "6" }, this.head);
    this.list = new RowList({ scroller: this.scroller, rowHeight: ROW_HEIGHT, create: () => this.createRow(),
      update: (element, index) => this.updateRow(element, index) });
    this.watcher = new ResizeObserver(() => {
      this.setIndent();
      this.drawAxis();
    });
    this.watcher.observe(this.axis);
    const rowAt = (event) => event.target.closest(".cmp-row[data-index]");
    this.scroller.addEventListener("mousedown", (event) => {
      const row = rowAt(event);
      if (!row) return;
      const index = Number(row.dataset.index);
      this.select(index);
      if (event.target.closest(".cmp-chevron")) this.toggle(this.nodes[index]);
    });
    this.scroller.addEventListener("dblclick",
      (event) => { if (rowAt(event) && !event.target.closest("a, .cmp-chevron")) this.toggle(this.nodes[this.selected]); });
    this.scroller.addEventListener("focus", () => { if (this.selected < 0 && this.nodes.length) this.select(0); });
  }

  /**
   * @param {import("./model.js").Comparison} model @param {{ onlyDiffering: boolean, sort: string }} how
   * @param {Set<number> | null} collapsed null for what is collapsed already
   */
  show(model, how, collapsed) {
    if (collapsed) this.collapsed = collapsed;
    if (model !== this.model) this.node = -1;
    this.model = model;
    this.how = how;
    this.differing = model.differing();
    for (const [figure, head] of this.heads) attribute(head, "aria-sort", how.sort === figure ? "descending" : null);
    this.setIndent();
    this.arrange();
    this.drawAxis();
  }

  /** Half of the column is for the tree at most: deep trees are indented less. */
  setIndent() {
    const levels = this.model ? this.model.depth.reduce((most, depth) => Math.max(most, Math.min(depth, DEPTH_MAX)), 1) : 1;
    const column = this.head.querySelector(".cmp-cell").clientWidth - LEFT;
    const indent = Math.max(INDENT_MIN, Math.min(INDENT, Math.floor(column / 2 / levels)));
    if (column <= 0 || indent === this.thread.indent) return;
    this.thread.indent = indent;
    this.list.refresh();
  }

  arrange() {
    this.nodes = this.model.visible(this.collapsed, this.how);
    this.selected = this.nodes.indexOf(this.node);
    this.shape = shapeOf(this.model, this.nodes);
    attribute(this.scroller, "aria-rowcount", this.nodes.length + 1);
    this.list.setCount(this.nodes.length);
    this.list.draw();
    this.nameActive();
  }

  get isFlat() {
    return Boolean(this.how.sort);
  }

  select(index) {
    if (!this.nodes.length) return;
    const next = Math.max(0, Math.min(this.nodes.length - 1, index));
    const before = this.list.elementAt(this.selected);
    if (before) attribute(before, "aria-selected", "false");
    this.selected = next;
    this.node = this.nodes[next];
    const covered = this.head.offsetHeight;
    const top = next * ROW_HEIGHT;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (top + ROW_HEIGHT + covered > this.scroller.scrollTop + this.scroller.clientHeight) this.scroller.scrollTop = top + ROW_HEIGHT + covered - this.scroller.clientHeight;
    this.list.draw();
    const now = this.list.elementAt(next);
    if (now) attribute(now, "aria-selected", "true");
    this.nameActive();
    this.actions.select(this.node);
  }

  /** Shows and selects a node, opening what hides it. */
  reveal(node) {
    if (node < 0 || node >= this.model.count) return;
    for (let at = this.model.parent[node]; at >= 0; at = this.model.parent[at]) this.collapsed.delete(at);
    this.arrange();
    this.actions.collapse();
    const index = this.nodes.indexOf(node);
    if (index >= 0) this.select(index);
  }

  nameActive() {
    attribute(this.scroller, "aria-activedescendant", this.selected >= 0 ? this.list.elementAt(this.selected)?.id : null);
  }

  move(step) {
    this.scroller.focus({ preventScroll: true });
    this.select(this.selected < 0 ? 0 : this.selected + step);
  }

  toggle(node) {
    if (node === undefined || node < 0 || this.isFlat || this.model.isLeaf(node)) return;
    if (!this.collapsed.delete(node)) this.collapsed.add(node);
    this.arrange();
    this.actions.collapse();
  }

  /** Left: collapse, or to the parent. Right: expand, or to the first child. */
  inward() {
    const { node, model } = this;
    if (this.selected < 0 || this.isFlat) return;
    if (!model.isLeaf(node) && !this.collapsed.has(node)) this.toggle(node);
    else if (model.parent[node] >= 0) this.select(this.nodes.indexOf(model.parent[node]));
  }

  outward() {
    const { node, model } = this;
    if (this.selected < 0 || this.isFlat || model.isLeaf(node)) return;
    if (this.collapsed.has(node)) this.toggle(node);
    else this.move(1);
  }

  collapseAll(isCollapsed) {
    if (!this.model) return;
    this.collapsed = new Set();
    if (isCollapsed) for (let node = 0; node < this.model.count; node++) if (!this.model.isLeaf(node)) this.collapsed.add(node);
    this.node = isCollapsed && this.node >= 0 ? this.rootOf(this.node) : this.node;
    this.arrange();
    this.actions.collapse();
  }

  rootOf(node) {
    while (this.model.parent[node] >= 0) node = this.model.parent[node];
    return node;
  }

  /** The next path, or the one before, that differs; it may be hidden. @param {1 | -1} step */
  nextDifference(step) {
    const { model } = this;
    if (!model) return;
    this.scroller.focus({ preventScroll: true });
    if (this.isFlat) return this.move(step);
    for (let passed = 1, node = this.selected < 0 ? (step > 0 ? -1 : model.count) : this.node; passed <= model.count; passed++) {
      node = (node + step + model.count) % model.count;
      if (model.differs(node)) return this.reveal(node);
    }
  }

  createRow() {
    const parts = {
      mark: h("span.cmp-mark", {}), fails: h("span.cmp-mark.mark-error", { title: MARKS.error[1] }), thread: svg("path", {}),
        chevron: h("span.cmp-chevron", {}, icon("chevron")), level: h("span.cmp-level", {}), swatch: h("span.swatch", {}), service: h("span.cmp-service", {}),
        operation: h("span.cmp-operation", {}), times: h("span.cmp-times", {}),
      bars: [0, 1].map((side) => ({ extent: h(`span.cmp-extent.side-${"ab"[side]}`, {}), fill: h(`span.cmp-fill.side-${"ab"[side]}`, {}),
        length: h(`span.cmp-length.side-${"ab"[side]}`, {}) })),
      total: h("span", {}), self: h("span", {}), spans: h("span", {}),
      links: [0, 1].map((side) => h("a.cmp-link", { tabindex: "-1", title: `The span in ${"AB"[side]} (${"ab"[side]})` }, "AB"[side])),
    };
    const cell = (name, ...children) => h(`div.cmp-cell.${name}`, { role: "gridcell" }, children);
    const element = h("div.cmp-row", { role: "row", id: `cmp-row-${this.made++}` },
      cell("cmp-name", svg("svg", { class: "cmp-thread", "aria-hidden": "true" }, parts.thread), parts.mark, parts.fails, parts.chevron, parts.level,
        parts.swatch, parts.service, parts.operation, parts.times),
      cell("cmp-time", parts.bars.map(({ extent, fill: solid, length }) => [extent, solid, length])),
      cell("number", parts.total), cell("number", parts.self), cell("number", parts.spans), cell("cmp-links", parts.links));
    element.parts = parts;
    return element;
  }

  updateRow(element, index) {
    const { parts } = element;
    const { model } = this;
    const node = this.nodes[index];
    element.dataset.index = index;
    attribute(element, "aria-rowindex", index + 2);
    attribute(element, "aria-selected", index === this.selected ? "true" : "false");
    attribute(element, "aria-level", this.isFlat ? 1 : model.depth[node] + 1);
    const isParent = !this.isFlat && !model.isLeaf(node);
    attribute(element, "aria-expanded", isParent ? String(!this.collapsed.has(node)) : null);
    const change = model.change[node];
    const [letter, says] = MARKS[change] ?? ["", "no difference"];
    parts.mark.textContent = letter;
    parts.mark.className = `cmp-mark mark-${change}`;
    parts.mark.title = says;
    parts.fails.textContent = model.isNewError[node] ? MARKS.error[0] : "";
    const differs = model.differs(node);
    element.classList.toggle("same", !differs);
    element.style.setProperty("--indent", `${this.isFlat ? 0 : Math.min(model.depth[node], DEPTH_MAX) * this.thread.indent}px`);
    attribute(parts.thread, "d", this.isFlat ? "" : threadPath(this.shape, node, isParent && !this.collapsed.has(node), this.thread));
    parts.chevron.classList.toggle("absent", !isParent);
    parts.chevron.classList.toggle("open", isParent && !this.collapsed.has(node));
    parts.level.textContent = !this.isFlat && model.depth[node] > DEPTH_MAX ? String(model.depth[node]) : "";
    const color = this.actions.colorOf(model.service[node]);
    attribute(element, "data-s", color);
    parts.service.textContent = model.service[node].slice(0, NAME_MAX);
    parts.operation.textContent = model.operation[node].slice(0, NAME_MAX) || "unnamed";
    parts.operation.title = `${model.service[node]} ${model.operation[node]}`.slice(0, NAME_MAX);
    const [a, b] = [0, 1].map((side) => Math.round(model.spans[side][node]));
    parts.times.textContent = Math.max(a, b) < 2 ? "" : a === b || a === 0 || b === 0 ? `×${count(Math.max(a, b))}` : `×${count(a)} → ×${count(b)}`;
    this.drawBars(parts, node);
    const signed = (target, text, isWorse) => {
      target.textContent = text || "–";
      target.className = text ? (differs ? (isWorse ? "worse" : "better") : "") : "faint";
    };
    const [total, self, spans] = ["total", "self", "spans"].map((figure) => model.delta(figure, node));
    signed(parts.total, signedDuration(total), total > 0);
    signed(parts.self, signedDuration(self), self > 0);
    signed(parts.spans, signedCount(spans), spans > 0);
    for (const side of [0, 1]) {
      const href = this.actions.href(side, node);
      attribute(parts.links[side], "href", href);
      parts.links[side].classList.toggle("absent", href === null);
      attribute(parts.links[side], "aria-label", href === null ? null : `The span in ${"AB"[side]}`);
    }
    attribute(element, "aria-label", this.describe(node, model.isNewError[node] ? `${says}, ${MARKS.error[1]}` : says));
  }

  describe(node, says) {
    const { model } = this;
    const spans = (at) => plural(Math.round(model.spans[at][node] * 10) / 10, "span");
    const side = (at) => (model.has(at, node) ? `${"AB"[at]} ${spans(at)}, ${duration(model.total[at][node])}` : `not in ${"AB"[at]}`);
    return [`${model.service[node]}, ${model.operation[node] || "unnamed"}`.slice(0, NAME_MAX), says, side(0), side(1)].join(", ");
  }

  /** The bar reaches from the first start to the last end; of several spans its solid part is as long as they add up to. */
  drawBars(parts, node) {
    const { model } = this;
    const scale = 100 / (model.to - model.from);
    for (const side of [0, 1]) {
      const { extent, fill: solid, length } = parts.bars[side];
      const isThere = model.has(side, node);
      extent.hidden = solid.hidden = length.hidden = !isThere;
      if (!isThere) continue;
      const left = (model.start[side][node] - model.from) * scale;
      const width = Math.max(0, model.finish[side][node] - model.start[side][node]) * scale;
      const busy = Math.min(width, model.total[side][node] * scale);
      for (const [bar, size] of [[extent, width], [solid, busy]]) {
        bar.style.left = `min(${left}%, 100% - 2px)`;
        bar.style.width = `max(${size}%, 2px)`;
      }
      solid.classList.toggle("failed", model.fails(side, node));
      const isRoomy = left + width < 84;
      length.textContent = duration(model.total[side][node]);
      length.style.left = isRoomy ? `calc(${left + width}% + 6px)` : "";
      length.style.right = isRoomy ? "" : `calc(${100 - left}% + 6px)`;
      length.hidden = !isRoomy && left < 16;
    }
  }

  drawAxis() {
    const { model, axis } = this;
    if (!model) return;
    const width = axis.clientWidth || 1;
    const { step, at } = axisTicks(model.from, model.to, Math.max(2, width / 110));
    fill(axis, at.filter((tick) => (1 - (tick - model.from) / (model.to - model.from)) * width > TICK_ROOM).map((tick) =>
      h("span.cmp-tick", { style: { left: `${((tick - model.from) / (model.to - model.from)) * 100}%` } },
        tick < 0 ? `−${axisDuration(-tick, step)}` : axisDuration(tick, step))));
  }

  close() {
    this.watcher.disconnect();
    this.list.close();
  }
}

/** What the thread is drawn from: the tree of those nodes that show. */
function shapeOf({ parent, depth, count }, nodes) {
  const children = new Int32Array(count);
  const isLast = new Uint8Array(count);
  for (let at = nodes.length - 1; at >= 0; at--) {
    const above = parent[nodes[at]];
    if (above >= 0 && children[above]++ === 0) isLast[nodes[at]] = 1;
  }
  return { parent, depth, children, isParent: (node) => children[node] > 0, isLastSibling: (node) => isLast[node] === 1 };
}
