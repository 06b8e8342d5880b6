// SPDX-License-Identifier: Apache-2.0
// Everything that is painted on the lanes, to read: a row for each step, by time. Of sessions whose steps are not here yet
// the rows are what the orchestration tells.
import { duration, plural, shortened } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { RowList } from "../lib/rows.js";
import { attribute, fill, h } from "../lib/view.js";
import { WORDS } from "./lanes.js";
import { messageWords } from "./turns.js";
import { after } from "./words.js";

const LINE = 28;
/** Sessions whose steps are asked for when the list opens. */
const ASKED_MAX = 60;

/** @param {any} page @returns {import("./tables.js").Part} */
export function steps(page) {
  return new Steps(page);
}

class Steps {
  constructor(page) {
    this.page = page;
    this.rows = [];
    this.facts = h("span.faint", { role: "status" });
    this.scroller = h("div.scroller.step-scroller", { role: "grid", tabindex: "0", "aria-label": "Steps by time", "aria-colcount": "6" });
    this.scroller.append(h("div.step-head", { role: "rowgroup" }, h("div.step-row.head", { role: "row", "aria-rowindex": "1" },
      ["Start", "Session", "Kind", "What", "Outcome", "Duration"].map((title, place) => h(`div${place === 0 || place === 5 ? ".number" : ""}`, { role: "columnheader" }, title)))));
    this.list = new RowList({ scroller: this.scroller, rowHeight: LINE, create: () => this.createRow(), update: (element, row) => this.updateRow(element, row) });
    this.scroller.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row]");
      if (row) this.choose(Number(row.dataset.row));
    });
    this.scroller.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: this.list.rowsPerPage - 1, PageUp: 1 - this.list.rowsPerPage, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined || !this.rows.length) return;
      event.preventDefault();
      event.stopPropagation();
      this.choose(Math.max(0, Math.min(this.rows.length - 1, Math.max(0, this.place()) + step)));
    });
    this.element = h("div.part.steps", {}, h("div.part-bar", {}, this.facts), this.scroller);
  }

  show() {
    const { page } = this;
    const { orchestration } = page;
    this.take();
    const wanted = orchestration.lanes.slice(0, ASKED_MAX).filter((index) => page.stepsOf(index) === null);
    if (wanted.length) page.wantSteps(wanted).then(() => { if (page.orchestration === orchestration) this.take(); });
  }

  take() {
    const { page } = this;
    const { lanes } = page.orchestration;
    const steps = lanes.flatMap((index) => page.laneOf(index).blocks.map((block) => ({ index, block })));
    this.rows = [...steps, ...this.messages()].sort((a, b) => a.block.from - b.block.from);
    const open = lanes.filter((index) => page.stepsOf(index) === null).length;
    const [gaps, messages] = [steps.filter(({ block }) => block.kind === "own").length, this.rows.length - steps.length];
    this.facts.textContent = `${[plural(steps.length - gaps, "step"), messages ? plural(messages, "message") : null, gaps ? `${plural(gaps, "stretch", "stretches")} without a span` : null].filter(Boolean).join(", ")}${open ? `; of ${plural(open, "session")} only what the orchestration tells` : ""}`;
    attribute(this.scroller, "aria-rowcount", this.rows.length + 1);
    this.list.setCount(this.rows.length);
  }

  /** What runs is longer now. */
  grow() {
    if (this.rows.some(({ block }) => block.isOpen)) this.take();
  }

  /** What the pins on the lanes stand for, as blocks of no length. */
  messages() {
    const { orchestration, messages } = this.page;
    return messages.filter(({ sessionId }) => orchestration.byId.has(sessionId)).map((entry) => ({
      index: orchestration.byId.get(entry.sessionId), entry,
      block: { kind: "message", name: `\u2068${entry.message.from ?? ""}\u2069 → \u2068${(entry.message.to ?? []).join(", ")}\u2069: ${messageWords(entry.message)}`, from: entry.at, to: entry.at, outcome: null, isFailed: false, isOpen: false, spanId: null },
    }));
  }

  /** What is chosen elsewhere is chosen here. */
  follow(moves) {
    const place = moves ? this.place() : -1;
    if (place >= 0) this.reveal(place);
    this.list.refresh();
  }

  place() {
    const { block } = this.page.selection;
    return block ? this.rows.findIndex((row) => row.block === block) : -1;
  }

  reveal(place) {
    this.list.reveal(place);
    // The head is stuck above the rows.
    if ((place + 1) * LINE + LINE > this.scroller.scrollTop + this.scroller.clientHeight) this.scroller.scrollTop += LINE;
  }

  choose(place) {
    const { index, block, entry } = this.rows[place];
    if (entry) this.page.chooseMessage(entry);
    else this.page.choose(index, block, { opens: true });
    this.reveal(place);
    this.list.refresh();
    this.list.draw();
    attribute(this.scroller, "aria-activedescendant", this.list.elementAt(place)?.id);
  }

  createRow() {
    const cell = (name, ...children) => h(`div.step-${name}`, { role: "gridcell" }, children);
    const parts = { start: h("span", {}), swatch: h("span.swatch", {}), agent: h("span.step-agent", {}), kind: h("span", {}), what: h("span", {}), outcome: h("span.standing", {}), length: h("span", {}) };
    const element = h("div.step-row", { role: "row", id: `step-${this.made = (this.made ?? 0) + 1}` }, cell("start.number", parts.start), cell("session", parts.swatch, parts.agent), cell("kind", parts.kind), cell("what", parts.what), cell("outcome", parts.outcome), cell("length.number", parts.length));
    element.parts = parts;
    return element;
  }

  updateRow(element, row) {
    const found = this.rows[row];
    if (!found) return;
    const { page } = this;
    const { block, index } = found;
    const { parts } = element;
    element.dataset.row = row;
    attribute(element, "aria-rowindex", row + 2);
    attribute(element, "aria-selected", String(block === page.selection.block));
    parts.start.textContent = after(block.from);
    attribute(parts.swatch, "data-s", page.colorOf(index));
    parts.agent.textContent = shortened(page.orchestration.sessions[index].agentName ?? "", 80) || "no agent named";
    parts.kind.textContent = block.kind === "own" ? "no span" : block.kind === "other" ? block.word : WORDS[block.kind];
    parts.what.textContent = shortened(block.name, 200);
    const retry = page.orchestration.retryOf.get(block.spanId);
    attribute(parts.outcome, "data-standing", block.isFailed ? "failed" : block.isOpen ? "running" : "ok");
    fill(parts.outcome, block.isFailed ? [icon("error"), block.outcome] : block.isOpen ? "running" : block.outcome ?? "–", retry ? ` ↻ ${Math.max(1, retry.spanIds.indexOf(block.spanId) + 1)}/${retry.attempts}` : null);
    parts.length.textContent = block.kind === "message" ? "–" : duration(block.to - block.from);
  }

  close() {
    this.list.close();
  }
}
