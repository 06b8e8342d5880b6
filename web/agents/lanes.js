// SPDX-License-Identifier: Apache-2.0
// The swim-lanes: a lane for each session, on one time axis. Names stand in rows that assistive technology reads; what was
// done is painted beside them, chosen with the arrows, and read in the list of steps.
import { absoluteTime, axisDuration, axisTicks, count, duration, plural, share, shortened } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { RowList } from "../lib/rows.js";
import { attribute, fill, h, onNextFrame } from "../lib/view.js";
import { drag } from "../trace/waterfall.js";
import { zone } from "../settings.js";
import { firstReaching } from "./blocks.js";
import { LANE, LanePainter, spot } from "./lane-drawing.js";
import { messageWords } from "./turns.js";
import { after, standing } from "./words.js";

const TICK_ROOM = 96;
const INDENT = 12;
const INDENT_MAX = 8;
/** A press that moves less is a click. */
const CLICK_PIXELS = 4;
const REACH = 4;
/** What stays free beside the last moment. */
const RIGHT = 12;

export class Lanes {
  /**
   * @param {{ choose: (index: number, block: import("./blocks.js").Block | null, opens: boolean) => void, toggle: (index: number) => void, zoomAt: (place: number, factor: number) => void,
   *   pan: (part: number) => void, zoomTo: (from: number, to: number) => void, laneOf: (index: number) => import("./lane-drawing.js").LaneBlocks, chooseMessage: (entry: any) => void, colorOf: (index: number) => number, seen: (indices: number[]) => void }} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.rows = [];
    this.from = 0;
    this.to = 1;
    this.chosenLane = -1;
    this.chosen = this.hovered = null;
    this.messages = [];
    this.showsPath = true;
    this.canvas = h("canvas.lanes-canvas", { "aria-hidden": "true" });
    this.painter = new LanePainter(this.canvas);
    this.corner = h("div.lanes-corner.faint", {});
    this.ticks = h("div.lanes-ticks", { "aria-hidden": "true" });
    this.scroller = h("div.scroller.lanes-scroller", { role: "treegrid", tabindex: "0", "aria-label": "Sessions of the orchestration. Up and down move between sessions, left and right between their steps", "aria-colcount": "1" });
    this.tip = h("div.popover.lane-tip", { hidden: true, "aria-hidden": "true" });
    this.spoken = h("div.unseen", { role: "status" });
    this.list = new RowList({ scroller: this.scroller, rowHeight: LANE, create: () => this.createRow(), update: (element, row) => this.updateRow(element, row), onScroll: () => { this.draw(); this.look(); } });
    this.stage = h("div.lanes-stage", {}, this.canvas, this.scroller, this.tip);
    this.element = h("section.lanes", { "aria-label": "Lanes" }, h("div.lanes-head", {}, this.corner, this.ticks), this.stage, this.spoken);
    this.draw = onNextFrame(() => this.paint());
    this.look = onNextFrame(() => { if (this.orchestration) this.actions.seen(this.inView()); });
    this.watcher = new ResizeObserver(() => { this.showTicks(); this.draw(); this.look(); });
    this.watcher.observe(this.stage);
    this.listen();
  }

  /** @param {import("./orchestration.js").Orchestration} orchestration @param {number[]} rows indices of the sessions that show @param {Set<string>} collapsed */
  show(orchestration, rows, collapsed) {
    this.orchestration = orchestration;
    this.rows = rows;
    this.collapsed = collapsed;
    const { sessions, traceIds } = orchestration;
    this.corner.textContent = `${plural(sessions.length, "session")}${traceIds.length > 1 ? ` · ${plural(traceIds.length, "trace")}` : ""}`;
    attribute(this.scroller, "aria-rowcount", rows.length);
    this.element.style.setProperty("--lanes", rows.length);
    this.list.setCount(rows.length);
    this.showTicks();
    this.draw();
    this.look();
  }

  setWindow(from, to) {
    this.from = from;
    this.to = to;
    this.showTicks();
    this.draw();
  }

  /** @param {number} index of a session @param {import("./blocks.js").Block | null} block @param {boolean} moves whether its lane is brought into view */
  setChosen(index, block, moves) {
    this.chosenLane = index;
    this.chosen = block;
    const row = this.rows.indexOf(index);
    if (row >= 0 && moves) this.list.reveal(row);
    this.list.refresh();
    this.list.draw();
    attribute(this.scroller, "aria-activedescendant", this.list.elementAt(row)?.id);
    this.draw();
  }

  /** @param {string} text */
  say(text) {
    this.spoken.textContent = text;
  }

  inView() {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / LANE));
    return this.rows.slice(first, first + this.list.rowsPerPage + 2);
  }

  get plot() {
    const gutter = this.canvas.offsetLeft;
    return { gutter, width: Math.max(1, this.scroller.clientWidth - gutter - RIGHT), height: this.scroller.clientHeight };
  }

  paint() {
    if (!this.orchestration) return;
    const { width, height } = this.plot;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const { rows, orchestration, from, to, chosen, hovered, showsPath, messages } = this;
    this.painter.paint({ rows, orchestration, from, to, chosen, chosenRow: rows.indexOf(this.chosenLane), hovered, showsPath, messages, laneOf: this.actions.laneOf, colorOf: this.actions.colorOf, top: this.list.top, width, height });
  }

  repaint() {
    this.painter.forget();
    this.draw();
  }

  /** Ticks between the breaks, and how long each break is. */
  showTicks() {
    if (!this.orchestration) return;
    const { axis } = this.orchestration;
    const { width } = this.plot;
    const { from, to } = this;
    const x = (time) => ((axis.place(time) - from) / (to - from)) * width;
    const marks = [];
    for (const [start, end] of axis.stretches(from, to)) {
      const room = x(end) - x(start);
      const { step, at } = axisTicks(start, end, Math.max(1, Math.floor(room / TICK_ROOM)));
      for (const time of at) if (room > 40 && x(end) - x(time) > 56) marks.push(h("span.lane-tick", { style: { left: `${x(time)}px` } }, axisDuration(time, step)));
    }
    for (const gap of axis.breaks) {
      const [left, right] = [x(gap.from), x(gap.to)];
      if (right < 0 || left > width) continue;
      marks.push(h("span.lane-break", { title: `${duration(gap.to - gap.from)} in which nothing was done, drawn short`, style: { left: `${left}px`, width: `${right - left}px` } }, right - left > 44 ? duration(gap.to - gap.from) : "⋯"));
    }
    fill(this.ticks, marks);
  }

  /** @returns {{ index: number, block: import("./blocks.js").Block | null, place: number, pin?: any } | null} */
  at(event) {
    const box = this.scroller.getBoundingClientRect();
    const { gutter, width } = this.plot;
    const x = event.clientX - box.left - gutter;
    const y = event.clientY - box.top + this.list.top;
    const index = this.rows[Math.floor(y / LANE)];
    if (index === undefined) return null;
    const place = this.from + (x / width) * (this.to - this.from);
    if (x < 0) return { index, block: null, place };
    const pin = this.painter.pinAt(x, event.clientY - box.top);
    if (pin) return { index, block: null, place, pin };
    const { axis } = this.orchestration;
    const reach = (REACH / width) * (this.to - this.from);
    const [start, end] = [axis.time(place - reach), axis.time(place + reach)];
    const { blocks, ends, levels } = this.actions.laneOf(index);
    let found = null;
    for (let i = firstReaching(ends, start); i < blocks.length && blocks[i].from <= end; i++) {
      const each = blocks[i];
      if (each.to < start) continue;
      const { y: top, height } = spot(each.level, levels);
      const inLane = y % LANE;
      if (inLane < top - 2 || inLane > top + height + 2) continue;
      const isExact = axis.place(each.from) <= place && axis.place(each.to) >= place;
      if (!found || isExact) found = each;
    }
    return { index, block: found, place };
  }

  listen() {
    const { scroller } = this;
    scroller.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" && !event.buttons) this.hover(event); });
    scroller.addEventListener("pointerleave", () => this.hover(null));
    scroller.addEventListener("focus", () => { if (this.chosenLane < 0 && this.rows.length) this.actions.choose(this.rows[0], null, false); });
    scroller.addEventListener("pointerdown", (event) => this.press(event));
    scroller.addEventListener("click", (event) => {
      if (this.isDragged || event.target.closest("button")) return;
      const found = this.at(event);
      if (found?.pin) this.actions.chooseMessage(found.pin);
      else if (found) this.actions.choose(found.index, found.block, true);
    });
    scroller.addEventListener("dblclick", (event) => {
      const found = this.at(event);
      if (found?.block) this.actions.zoomTo(found.block.from, found.block.to);
    });
    this.stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
      event.preventDefault();
      const found = this.at(event);
      if (event.ctrlKey || event.metaKey) this.actions.zoomAt(found?.place ?? (this.from + this.to) / 2, Math.exp(event.deltaY * 0.003));
      else this.actions.pan((event.deltaX || event.deltaY) / this.plot.width);
    }, { passive: false });
  }

  /** A mouse that is held drags time along; a click chooses, whatever pointed. */
  press(event) {
    this.isDragged = false;
    if (event.button !== 0 || event.pointerType === "touch" || event.target.closest("button")) return;
    const { gutter, width } = this.plot;
    const start = event.clientX;
    if (start - this.scroller.getBoundingClientRect().left < gutter) return;
    let last = start;
    drag(this.scroller, event, (move) => {
      if (!this.isDragged && Math.abs(move.clientX - start) < CLICK_PIXELS) return;
      this.isDragged = true;
      this.actions.pan(-(move.clientX - last) / width);
      last = move.clientX;
    });
  }

  hover(event) {
    const found = event ? this.at(event) : null;
    const block = found?.block ?? null;
    if (block !== this.hovered) {
      this.hovered = block;
      this.draw();
    }
    const pin = found?.pin ?? null;
    this.scroller.classList.toggle("on-block", block !== null || pin !== null);
    this.tip.hidden = block === null && pin === null;
    if (this.tip.hidden) return;
    if (pin) {
      const { from, to } = pin.message;
      fill(this.tip, h("strong", {}, h("bdi", {}, shortened(from ?? "", 80)), " → ", h("bdi", {}, shortened((to ?? []).join(", "), 120))), h("div", {}, shortened(messageWords(pin.message), 200)), h("div.faint", {}, `message · ${after(pin.at)}`));
    } else fill(this.tip, h("strong", {}, shortened(block.name, 160)), h("div", {}, this.factsOf(found.index, block)));
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    this.tip.style.left = `${Math.min(x + 12, box.width - this.tip.offsetWidth - 8)}px`;
    this.tip.style.top = `${y + 20 + this.tip.offsetHeight > box.height ? y - this.tip.offsetHeight - 8 : y + 16}px`;
  }

  /** A block in words. */
  factsOf(index, block) {
    const { orchestration } = this;
    const retry = orchestration.retryOf.get(block.spanId);
    return [WORDS[block.kind] ?? block.word, `+${duration(block.from)}`, duration(block.to - block.from), block.outcome && block.outcome !== "success" ? block.outcome : null, block.isOpen ? "still running" : null,
      retry ? `attempt ${Math.max(1, retry.spanIds.indexOf(block.spanId) + 1)} of ${retry.attempts}` : null].filter(Boolean).join(" · ");
  }

  createRow() {
    const parts = {
      turn: h("button.lane-turn", { type: "button", tabindex: "-1", "aria-hidden": "true", onclick: (event) => this.actions.toggle(this.rows[Number(event.currentTarget.closest("[data-row]").dataset.row)]) }, icon("chevron")),
      swatch: h("span.swatch", {}), name: h("span.lane-name", {}), standing: h("span.standing", {}), facts: h("span.lane-facts", {}),
    };
    const element = h("div.lane", { role: "row", id: `lane-${this.made = (this.made ?? 0) + 1}` },
      h("div.lane-cell", { role: "gridcell" }, parts.turn, h("div.lane-text", {}, h("div.lane-first", {}, parts.swatch, parts.name, parts.standing), parts.facts)));
    element.parts = parts;
    return element;
  }

  updateRow(element, row) {
    const { orchestration } = this;
    const index = this.rows[row];
    const session = orchestration.sessions[index];
    const { parts } = element;
    const isParent = session.children.length > 0;
    const isOpen = isParent && !this.collapsed.has(session.sessionId);
    element.dataset.row = row;
    attribute(element, "aria-rowindex", row + 1);
    attribute(element, "aria-level", session.depth + 1);
    attribute(element, "aria-expanded", isParent ? String(isOpen) : null);
    attribute(element, "aria-selected", String(index === this.chosenLane));
    const { key, text, picture } = standing(session);
    const length = duration(session.to - session.from);
    const name = shortened(session.agentName ?? "", 120) || "no agent named";
    attribute(element, "aria-label", [name, text, length, `from ${duration(session.from)}`, plural(session.llmCallCount, "model call"), plural(session.toolCallCount, "tool call"), session.errorCount ? plural(session.errorCount, "error") : null, session.background ? "in the background" : null].filter(Boolean).join(", "));
    element.style.setProperty("--indent", `${Math.min(session.depth, INDENT_MAX) * INDENT}px`);
    parts.turn.classList.toggle("gone", !isParent);
    attribute(parts.swatch, "data-s", this.actions.colorOf(index));
    parts.name.textContent = name;
    element.title = `${name}\n${shortened(session.sessionId)}\nstarted ${absoluteTime(orchestration.start + BigInt(Math.round(session.from)), zone.value, 3)}`;
    attribute(parts.standing, "data-standing", key);
    fill(parts.standing, key === "ok" ? null : [icon(picture), h("span.unseen", {}, text)]);
    const facts = [length, session.llmCallCount ? `${count(session.llmCallCount)} LLM` : null, session.toolCallCount ? plural(session.toolCallCount, "tool") : null, session.background ? "background" : null, session.depth > INDENT_MAX ? `depth ${session.depth}` : null];
    fill(parts.facts, h("span.lane-did", {}, facts.filter(Boolean).join(" · ")), session.errorCount ? h("span.lane-errors", {}, icon("error"), count(session.errorCount)) : null);
  }

  close() {
    this.draw.cancel();
    this.look.cancel();
    this.watcher.disconnect();
    this.list.close();
  }
}

/** What a kind of block is called. */
export const WORDS = { llm: "model call", tool: "tool call", childAgent: "waits for an agent", humanWait: "waits for a person", messageWait: "waits", handoff: "handoff", own: "no span says what happened", message: "message", other: "step" };

/** A block's share of its session, in words. @param {import("./blocks.js").Block} block */
export function partOf(block, session) {
  return share((block.to - block.from) / Math.max(1, session.to - session.from));
}
