// SPDX-License-Identifier: Apache-2.0
// The flame graph: frames on a canvas, and beside it, for those who do not see it, a tree around the chosen frame.
import { count, duration, plural, share } from "../lib/format.js";
import { attribute, fill, h, onNextFrame } from "../lib/view.js";
import { PathFrames, TimeFrames } from "./flame-model.js";
import { pathsOf, selfTimesOf } from "./merged.js";

const LINE = 20;
const TEXT_FROM = 34;
const TEXT_MAX = 160;
const COLORS = 12;
/** How many brothers and children of the chosen frame the tree names. */
const SAID_MAX = 40;
const CRUMBS_MAX = 8;
const FORMS = [["", "Total", "Spans of one path together, as wide as they took"], ["self", "Self", "Spans of one path together, as wide as their own time and that of all below"], ["time", "By time", "Each span where it ran, beside what ran at once"]];

/** @param {any} trace @param {HTMLElement} element */
export function open(trace, element) {
  return new Flame(trace, element);
}

class Flame {
  constructor(trace, element) {
    this.trace = trace;
    this.frames = null;
    /** The frame that takes the whole width, and the one that is chosen; -1 for none. */
    this.focus = -1;
    this.selected = -1;
    this.hovered = -1;
    this.forms = h("div.button-group", { role: "group", "aria-label": "Width of frames" }, FORMS.map(([form, name, why]) => h("button", { type: "button", "data-form": form, title: why, onclick: () => this.setForm(form) }, name)));
    this.crumbs = h("nav.crumbs", { "aria-label": "Zoomed into" });
    this.facts = h("p.flame-facts", { role: "status" });
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.tree = h("div.flame-height", { role: "none" });
    this.scroller = h("div.scroller.flame-scroller", { role: "tree", tabindex: "0", "aria-label": "Flame graph: arrows move between frames, Enter zooms in, Backspace out" }, this.tree);
    this.tip = h("div.flame-tip.popover", { hidden: true, "aria-hidden": "true" });
    this.stage = h("div.flame-stage", {}, this.canvas, this.scroller, this.tip);
    fill(element, h("div.view-bar", {}, this.forms, this.crumbs), this.stage, this.facts);
    this.draw = onNextFrame(() => this.paint());
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.stage);
    this.listen();
  }

  show(changed) {
    if (changed === "model") this.load();
    else if (changed === "state" && (this.trace.state.flame !== this.form || this.trace.state.at !== this.zoomed)) this.load();
    else if (changed === "selection") this.follow();
    else if (changed === "matches" || changed === "theme" || changed === "path") this.draw();
  }

  load() {
    const { model, state } = this.trace;
    this.form = state.flame;
    this.zoomed = state.at;
    this.frames = this.form === "time" ? new TimeFrames(model, selfTimesOf(model)) : new PathFrames(pathsOf(model), this.form === "self" ? "self" : "total");
    for (const button of this.forms.children) button.setAttribute("aria-pressed", String(button.dataset.form === (this.form === "time" || this.form === "self" ? this.form : "")));
    this.lines = byLine(this.frames);
    this.tree.style.height = `${this.frames.lines * LINE}px`;
    const row = this.zoomed ? model.rowOf(this.zoomed) : -1;
    this.setFocus(row >= 0 ? this.frames.frameOf(row) : -1);
    this.selected = -1;
    this.follow();
  }

  setForm(form) {
    this.keep({ flame: form, at: "" });
    this.load();
  }

  keep(state) {
    this.trace.app.replace(state);
    this.trace.state = this.trace.app.view.state;
  }

  /** The frame of the span that the page has chosen. */
  follow() {
    const { frames, trace } = this;
    if (!frames || trace.selected < 0) return;
    const frame = frames.frameOf(trace.selected);
    if (frame === this.selected) return;
    this.selected = frame;
    this.reveal(frame);
    this.tell();
    this.draw();
  }

  select(frame) {
    this.selected = frame;
    this.reveal(frame);
    this.tell();
    this.draw();
    const row = this.frames.row[frame];
    if (this.frames.frameOf(this.trace.selected) !== frame || this.trace.selected !== row) this.trace.select(row, { opens: true });
  }

  /** @param {number} frame -1 for the whole trace */
  zoom(frame) {
    this.setFocus(frame);
    this.zoomed = frame < 0 ? "" : this.trace.model.id(this.frames.row[frame]);
    this.keep({ at: this.zoomed });
    this.draw();
  }

  /** The frames from the outermost one to `frame`, which is the last. @param {number} frame below 0 for none */
  pathTo(frame) {
    const path = [];
    for (let at = frame; at >= 0; at = this.frames.parent[at]) path.push(at);
    return path.reverse();
  }

  setFocus(frame) {
    this.focus = frame;
    this.edges = this.frames.place(frame);
    const path = this.pathTo(frame);
    const shown = path.length > CRUMBS_MAX ? [path[0], null, ...path.slice(2 - CRUMBS_MAX)] : path;
    const step = (at, name) => h("button.quiet.path-step", { type: "button", "aria-current": at === frame ? "true" : null, onclick: () => this.zoom(at) }, name);
    fill(this.crumbs, step(-1, "Whole trace"), shown.map((at) => [h("span.path-turn", { "aria-hidden": "true" }, "›"), at === null ? h("span.faint", {}, "…") : step(at, h("span.path-name", {}, this.nameOf(at)))]));
    this.crumbs.hidden = frame < 0;
  }

  nameOf(frame) {
    const { model } = this.trace;
    const row = this.frames.row[frame];
    return `${model.serviceName(row).slice(0, TEXT_MAX)} ${model.operationName(row).slice(0, TEXT_MAX)}`.trim() || "unnamed";
  }

  factsOf(frame) {
    const { frames } = this;
    const times = frames.count(frame);
    const errors = frames.errors(frame);
    return [times > 1 ? `×${count(times)}` : null, `total ${duration(frames.total(frame))}`, `self ${duration(frames.self(frame))}`, `${share(frames.part(frame))} of ${this.form === "time" ? "the trace" : "all self time"}`, errors ? plural(errors, "error") : null].filter(Boolean).join(" · ");
  }

  /** Says the chosen frame, below the graph and as a tree: its ancestors, those beside it, and what is below. */
  tell() {
    const { frames, selected } = this;
    if (selected < 0) return;
    fill(this.facts, h("strong", {}, this.nameOf(selected)), " ", h("span.faint", {}, this.factsOf(selected)));
    const ancestors = this.pathTo(frames.parent[selected]);
    const brothers = around([...frames.below(frames.parent[selected])], selected);
    const children = around([...frames.below(selected)], -1);
    const items = [];
    const say = (frame, level, position, size) => items.push(h("div.unseen", { role: "treeitem", id: `flame-${frame}`, "aria-level": level, "aria-posinset": position, "aria-setsize": size, "aria-selected": String(frame === selected) }, `${this.nameOf(frame)}, ${this.factsOf(frame)}`));
    ancestors.slice(-SAID_MAX).forEach((frame, index) => say(frame, Math.max(0, ancestors.length - SAID_MAX) + index + 1, 1, 1));
    for (const { frame, position, size } of brothers) {
      say(frame, ancestors.length + 1, position, size);
      if (frame === selected) for (const child of children) say(child.frame, ancestors.length + 2, child.position, child.size);
    }
    fill(this.tree, items);
    attribute(this.scroller, "aria-activedescendant", `flame-${selected}`);
  }

  reveal(frame) {
    const top = this.frames.depth[frame] * LINE;
    const { scroller } = this;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + LINE > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + LINE - scroller.clientHeight;
  }

  listen() {
    const { scroller } = this;
    scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    scroller.addEventListener("pointermove", (event) => this.hover(event));
    scroller.addEventListener("pointerleave", () => this.hover(null));
    scroller.addEventListener("click", (event) => {
      const frame = this.frameAt(event);
      if (frame < 0) return;
      this.select(frame);
      const isLeaf = this.frames.below(frame).next().done;
      if (frame !== this.focus && !isLeaf) this.zoom(frame);
    });
    const key = (keys, does, act) => ({ keys, does, run: () => {
      scroller.focus({ preventScroll: true });
      if (this.frames?.size) act();
    } });
    this.trace.app.keyboard.install("Flame graph", [
      key(["ArrowUp", "k"], "The frame above", () => this.go(this.frames.parent[this.selected])),
      key(["ArrowDown", "j"], "The longest frame below", () => this.go(this.longestBelow())),
      key(["ArrowLeft", "h"], "The frame before", () => this.beside(-1)),
      key(["ArrowRight", "l"], "The frame behind", () => this.beside(1)),
      key(["Home"], "The first frame", () => this.go(0)),
      key(["Enter"], "Zoom into the frame", () => this.zoom(this.selected)),
      key(["Backspace"], "Zoom out one step", () => this.focus >= 0 && this.zoom(this.frames.parent[this.focus])),
      key(["Escape"], "The whole trace, then back out", () => (this.focus >= 0 ? this.zoom(-1) : this.trace.backOut())),
    ]);
  }

  go(frame) {
    if (frame === undefined || frame < 0) return;
    this.select(frame);
    // Out of what is zoomed into: show the whole again.
    if (this.edges.right[frame] <= this.edges.left[frame] && this.focus >= 0 && this.frames.total(frame) > 0) this.zoom(-1);
  }

  longestBelow() {
    let best = -1;
    for (const child of this.frames.below(this.selected)) if (best < 0 || this.frames.total(child) > this.frames.total(best)) best = child;
    return best;
  }

  beside(step) {
    const all = [...this.frames.below(this.frames.parent[this.selected])];
    this.go(all[all.indexOf(this.selected) + step]);
  }

  hover(event) {
    const frame = event ? this.frameAt(event) : -1;
    this.scroller.classList.toggle("on-frame", frame >= 0);
    this.tip.hidden = frame < 0;
    if (frame >= 0) {
      const box = this.stage.getBoundingClientRect();
      if (frame !== this.hovered) fill(this.tip, h("strong", {}, this.nameOf(frame)), h("br"), this.factsOf(frame));
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      this.tip.style.left = `${Math.max(4, Math.min(x + 12, box.width - this.tip.offsetWidth - 8))}px`;
      this.tip.style.top = `${y + 16 + this.tip.offsetHeight > box.height ? Math.max(4, y - this.tip.offsetHeight - 8) : y + 16}px`;
    }
    if (frame !== this.hovered) {
      this.hovered = frame;
      this.draw();
    }
  }

  frameAt(event) {
    if (!this.frames) return -1;
    const box = this.canvas.getBoundingClientRect();
    const line = this.lines[Math.floor((event.clientY - box.top + this.scroller.scrollTop) / LINE)] ?? [];
    const x = (event.clientX - box.left) / box.width;
    const slack = 1 / box.width;
    const { left, right } = this.edges;
    let near = -1;
    for (const frame of line) {
      if (right[frame] <= left[frame] && this.frames.total(frame) > 0) continue;
      if (x >= left[frame] && x < right[frame]) return frame;
      if (x >= left[frame] - slack && x < Math.max(right[frame], left[frame]) + slack) near = frame;
    }
    return near;
  }

  paint() {
    const { canvas, frames, scroller, trace } = this;
    const width = scroller.clientWidth;
    const height = scroller.clientHeight;
    if (!frames || width === 0 || height === 0) return;
    const ratio = devicePixelRatio;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const look = lookOf(context, this.stage);
    const { left, right } = this.edges;
    const { model } = trace;
    const wanted = this.wantedFrames();
    const top = scroller.scrollTop;
    context.font = look.font;
    context.textBaseline = "middle";
    for (let line = Math.floor(top / LINE); line <= Math.min(frames.lines - 1, Math.floor((top + height) / LINE)); line++) {
      const y = line * LINE - top;
      let drawn = -1;
      for (const frame of this.lines[line]) {
        const x = left[frame] * width;
        const wide = (right[frame] - left[frame]) * width;
        if ((wide <= 0 && frames.total(frame) > 0) || x > width || x + wide < 0) continue;
        // Frames too narrow to see share a pixel.
        if (wide < 1 && Math.floor(x) === drawn && frame !== this.selected) continue;
        drawn = Math.floor(x);
        const row = frames.row[frame];
        const isAbove = this.focus >= 0 && frame !== this.focus && left[frame] === 0 && right[frame] === 1 && frames.depth[frame] < frames.depth[this.focus];
        const isPale = isAbove || (wanted && !wanted[frame]);
        const color = model.color(row) ?? -1;
        context.fillStyle = (isPale ? look.pale : look.fills)[color] ?? look.none;
        if (frame === this.hovered) context.fillStyle = look.strong[color] ?? look.none;
        context.fillRect(x, y + 0.5, Math.max(1, wide - 1), LINE - 1.5);
        const isBad = frames.errors(frame) > 0;
        if (isBad) {
          context.fillStyle = look.error;
          context.fillRect(x, y + LINE - 3.5, Math.max(1, wide - 1), 2.5);
        }
        if (frame === this.selected || (wanted && wanted[frame] && wide > 2)) {
          context.strokeStyle = frame === this.selected ? look.accent : look.ink;
          context.lineWidth = frame === this.selected ? 2 : 1;
          context.strokeRect(x + 0.5, y + 1, Math.max(1, wide - 2), LINE - 2.5);
        }
        if (wide < TEXT_FROM) continue;
        context.save();
        context.beginPath();
        context.rect(Math.max(0, x), y, Math.min(wide, width - x, wide + x) - 4, LINE);
        context.clip();
        context.fillStyle = isPale ? look.faint : look.ink;
        const times = frames.count(frame);
        context.fillText(`${isBad ? "✕ " : ""}${this.nameOf(frame)}${times > 1 ? `  ×${times}` : ""}`, Math.max(0, x) + 5, y + LINE / 2);
        context.restore();
      }
    }
  }

  /** A flag for each frame that holds something searched for; null when nothing is. */
  wantedFrames() {
    const { trace, frames } = this;
    if (!trace.matches) return null;
    const flags = new Uint8Array(frames.size);
    for (const row of trace.matches) flags[frames.frameOf(row)] = 1;
    return flags;
  }

  close() {
    this.trace.app.keyboard.install("Flame graph", []);
    this.draw.cancel();
    this.watcher.disconnect();
  }
}

/** The frames of each line. */
function byLine({ depth, lines, size }) {
  const all = Array.from({ length: lines }, () => []);
  for (let frame = 0; frame < size; frame++) all[depth[frame]].push(frame);
  return all;
}

/** Some of many frames around one of them, with their places. */
function around(all, frame) {
  const at = Math.max(0, all.indexOf(frame));
  const from = Math.max(0, Math.min(at - SAID_MAX / 2, all.length - SAID_MAX));
  return all.slice(from, from + SAID_MAX).map((each, index) => ({ frame: each, position: from + index + 1, size: all.length }));
}

/** The theme's colours and letters for the canvas. */
function lookOf(context, element) {
  const style = getComputedStyle(element);
  const read = (name) => {
    context.fillStyle = style.getPropertyValue(name).trim();
    const hex = context.fillStyle;
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  };
  const paper = read("--paper");
  const mixed = (color, part) => `rgb(${color.map((value, i) => Math.round(value * part + paper[i] * (1 - part))).join(" ")})`;
  const services = Array.from({ length: COLORS }, (_, i) => read(`--s${i}`));
  return {
    fills: services.map((color) => mixed(color, 0.34)), strong: services.map((color) => mixed(color, 0.5)), pale: services.map((color) => mixed(color, 0.14)),
    none: mixed(read("--ink-2"), 0.2), error: mixed(read("--error"), 1), accent: mixed(read("--accent"), 1), ink: mixed(read("--ink"), 1), faint: mixed(read("--ink-2"), 1),
    font: `11px ${style.fontFamily}`,
  };
}
