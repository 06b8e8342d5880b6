// SPDX-License-Identifier: Apache-2.0
// Paints lanes on a canvas: what shows of each, however much there is of it.
import { duration } from "../lib/format.js";
import { firstReaching } from "./blocks.js";

export const LANE = 52;
const TOP = 9;
const AREA = 34;
/** Where the critical path runs. */
const PATH_Y = 47;
const HATCH = 6;
const BAR_MIN = 2;
/** Narrower blocks say nothing. */
const TEXT_MIN = 26;
/** Fewer letters of a name say nothing either. */
const LETTERS_MIN = 4;
const HEIGHTS = [22, 16, 10, 8, 6];
const ARROWS_MAX = 400;
const PIN_REACH = 8;
const TURNS_MAX = 40;
const COLORS = 12;
/** So many blocks in a row that are not seen are looked at one by one. */
const HIDDEN_MAX = 16;
/** Of a longer path what lies within one pixel is one part. */
const PARTS_MAX = 5000;
/** Where steps are more than pixels: so wide is a column, and these kinds are told apart in it. */
const COLUMN = 2;
const FRAME_MIN = 8;
const DENSE = ["llm", "tool", "childAgent", "handoff", "humanWait", "messageWait", "own", "other"];

/**
 * @typedef {{ rows: number[], orchestration: import("./orchestration.js").Orchestration, laneOf: (index: number) => LaneBlocks, colorOf: (index: number) => number,
 *   from: number, to: number, top: number, width: number, height: number, chosen: any, chosenRow: number, hovered: any, showsPath: boolean, messages: any[] }} Scene `from` and `to` are places, 0 to 1
 * @typedef {{ blocks: import("./blocks.js").Block[], ends: Float64Array, levels: number }} LaneBlocks
 */

/** Where in its lane a block is. @param {number} level @param {number} levels how many the lane has @returns {{ y: number, height: number }} */
export function spot(level, levels) {
  const height = HEIGHTS[Math.min(levels, HEIGHTS.length) - 1] ?? HEIGHTS[0];
  const gap = levels === 1 ? 0 : (AREA - height * levels) / (levels - 1);
  return { y: levels === 1 ? TOP + (AREA - height) / 2 : TOP + level * (height + gap), height };
}

export class LanePainter {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.palette = null;
  }

  /** The theme has changed. */
  forget() {
    this.palette = null;
  }

  /** @param {Scene} scene */
  paint(scene) {
    const { canvas, context } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(scene.width * ratio), Math.round(scene.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.palette ??= this.read();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, scene.width, scene.height);
    context.font = `11px ${this.palette.sans}`;
    context.textBaseline = "middle";
    this.scene = scene;
    const scale = scene.width / (scene.to - scene.from);
    const { axis } = scene.orchestration;
    this.x = (time) => (axis.place(time) - scene.from) * scale;
    this.time = (x) => axis.time(x / scale + scene.from);
    const first = Math.max(0, Math.floor(scene.top / LANE));
    const last = Math.min(scene.rows.length, Math.ceil((scene.top + scene.height) / LANE));
    this.y = (row) => row * LANE - scene.top;
    if (this.mapped !== scene.rows) {
      this.mapped = scene.rows;
      this.rowOf = new Map(scene.rows.map((index, row) => [index, row]));
    }
    this.breaks();
    for (let row = first; row < last; row++) this.lane(scene.rows[row], this.y(row));
    this.arrows(first, last);
    if (scene.showsPath) this.path(first, last);
    this.pins(first, last);
  }

  read() {
    const style = getComputedStyle(this.canvas);
    const token = (name) => style.getPropertyValue(name).trim();
    const names = { paper: "--paper", raised: "--raised", line: "--line", edge: "--edge", ink: "--ink", ink2: "--ink-2", accent: "--accent", error: "--error", warning: "--warning", sans: "--sans" };
    const found = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, token(name)]));
    const { context } = this;
    const hatch = (color) => {
      const tile = document.createElement("canvas");
      tile.width = tile.height = HATCH;
      const pen = tile.getContext("2d");
      pen.strokeStyle = color;
      pen.lineWidth = 1;
      pen.beginPath();
      for (const at of [-HATCH, 0, HATCH]) { pen.moveTo(at, HATCH); pen.lineTo(at + HATCH, 0); }
      pen.stroke();
      return context.createPattern(tile, "repeat");
    };
    const colors = Array.from({ length: COLORS }, (_, i) => token(`--s${i}`));
    return { ...found, colors, soft: colors.map((color) => mix(color, found.paper, 0.34)), faint: colors.map((color) => mix(color, found.paper, 0.09)), hatch: hatch(found.edge), badHatch: hatch(found.error) };
  }

  /** Where time is left out, through all lanes. */
  breaks() {
    const { context, palette, scene } = this;
    for (const { from, to } of scene.orchestration.axis.breaks) {
      const [left, right] = [this.x(from), this.x(to)];
      if (right < 0 || left > scene.width) continue;
      context.fillStyle = palette.raised;
      context.fillRect(left, 0, right - left, scene.height);
      context.strokeStyle = palette.edge;
      context.setLineDash([3, 3]);
      context.beginPath();
      for (const x of [left, right]) { context.moveTo(Math.round(x) + 0.5, 0); context.lineTo(Math.round(x) + 0.5, scene.height); }
      context.stroke();
      context.setLineDash([]);
    }
  }

  lane(index, y) {
    const { context, palette, scene } = this;
    const session = scene.orchestration.sessions[index];
    const color = scene.colorOf(index);
    const { blocks, ends, levels } = scene.laneOf(index);
    context.fillStyle = palette.line;
    context.fillRect(0, y + LANE - 1, scene.width, 1);
    const [left, right] = [this.x(session.from), Math.max(this.x(session.to), this.x(session.from) + BAR_MIN)];
    if (right >= 0 && left <= scene.width) this.band(session, left, right, y, color);
    const { axis } = scene.orchestration;
    const [start, stop] = [axis.time(Math.max(0, scene.from)), axis.time(Math.min(1, scene.to))];
    const isDense = this.dense(blocks, firstReaching(ends, start), start, stop, y, levels, color);
    // Blocks closer together than a pixel are one: where a line has been painted nothing more is seen.
    const painted = new Float64Array(levels).fill(-Infinity);
    let hidden = 0;
    for (let i = firstReaching(ends, start); i < blocks.length && blocks[i].from <= stop; i++) {
      const block = blocks[i];
      if (block.to < start || (isDense && block.to - block.from < this.narrow)) continue;
      const x = this.x(block.from);
      const end = Math.max(this.x(block.to), x + BAR_MIN);
      if (end > painted[block.level] + 0.5) {
        painted[block.level] = end;
        hidden = 0;
        this.block(block, x, end, y, levels, color);
      } else if (++hidden === HIDDEN_MAX) {
        // Those that are seen again are found, not searched one by one.
        i = Math.max(i, firstReaching(ends, this.time(Math.min(...painted))) - 1);
        hidden = 0;
      }
    }
    if (scene.chosen && scene.rows[scene.chosenRow] === index) this.block(scene.chosen, this.x(scene.chosen.from), Math.max(this.x(scene.chosen.to), this.x(scene.chosen.from) + BAR_MIN), y, levels, color);
    for (const loop of scene.orchestration.loopsOf.get(session.sessionId) ?? []) this.loop(loop, y);
  }

  /**
   * Where steps are far more than pixels, each column of a line shows what took most of its time.
   * @returns {boolean} whether blocks shorter than `narrow` are painted so
   */
  dense(blocks, first, start, stop, y, levels, color) {
    const { context, palette, scene } = this;
    const columns = Math.ceil(scene.width / COLUMN);
    let last = first;
    while (last < blocks.length && blocks[last].from <= stop) last++;
    this.narrow = 2 * COLUMN * (scene.to - scene.from) * (scene.orchestration.axis.length / scene.width);
    if (last - first < columns) return false;
    const bounds = Float64Array.from({ length: columns + 1 }, (_, column) => this.time(column * COLUMN));
    const kinds = DENSE.length;
    const sums = new Float64Array(levels * columns * kinds);
    const failed = new Uint8Array(levels * columns);
    let column = 0;
    for (let i = first; i < last; i++) {
      const { from, to, level, kind, isFailed } = blocks[i];
      if (to < start || to - from >= this.narrow) continue;
      while (column < columns - 1 && bounds[column + 1] <= from) column++;
      const place = DENSE.indexOf(kind);
      for (let at = column; at < columns && (at === column || bounds[at] < to); at++) {
        const cell = level * columns + at;
        sums[cell * kinds + (place < 0 ? kinds - 1 : place)] += Math.max(1, Math.min(to, bounds[at + 1]) - Math.max(from, bounds[at]));
        if (isFailed) failed[cell] = 1;
      }
    }
    for (let level = 0; level < levels; level++) {
      const { y: top, height } = spot(level, levels);
      let [run, begin] = [-1, 0];
      for (let at = 0; at <= columns; at++) {
        const most = at < columns ? greatest(sums, (level * columns + at) * kinds, kinds) : -1;
        if (most === run) continue;
        if (run >= 0) this.run(DENSE[run], begin * COLUMN, at * COLUMN, y + top, height, color);
        [run, begin] = [most, at];
      }
      context.fillStyle = palette.error;
      for (let at = 0; at < columns; at++) if (failed[level * columns + at]) context.fillRect(at * COLUMN, y + top + height - 4, COLUMN, 4);
    }
    return true;
  }

  /** Neighbouring columns of one kind, in its look. */
  run(kind, left, right, y, height, color) {
    const { context, palette } = this;
    // A frame that is all edge would be blacker than what it stands for.
    const isFramed = right - left >= FRAME_MIN;
    context.fillStyle = kind === "tool" ? palette.soft[color] : kind === "llm" && !isFramed ? palette.edge : kind === "llm" || kind === "handoff" || kind === "childAgent" ? palette.paper : palette.hatch;
    context.fillRect(left, y, right - left, height);
    context.fillStyle = kind === "tool" ? palette.colors[color] : kind === "llm" ? palette.ink : kind === "handoff" ? palette.accent : palette.edge;
    context.fillRect(left, y, right - left, 1);
    context.fillRect(left, y + height - 1, right - left, 1);
    if (!isFramed) return;
    context.fillRect(left, y, 1, height);
    context.fillRect(right - 1, y, 1, height);
  }

  /** How long the session lasted, below what it did. */
  band(session, left, right, y, color) {
    const { context, palette, scene } = this;
    const isOther = session.parent >= 0 && scene.orchestration.sessions[session.parent].traceId !== session.traceId;
    context.fillStyle = palette.faint[color];
    rounded(context, left, y + 5, right - left, LANE - 12);
    context.fill();
    context.strokeStyle = palette.colors[color];
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(left) + 0.5, y + 5);
    context.lineTo(Math.round(left) + 0.5, y + LANE - 7);
    if (!session.isOpen) {
      context.moveTo(Math.round(right) - 0.5, y + 5);
      context.lineTo(Math.round(right) - 0.5, y + LANE - 7);
    }
    context.stroke();
    const isBegun = isOther || (session.parent < 0 && session.traceId !== scene.orchestration.answer.traceId);
    if (!isBegun) return;
    // Another trace begins here.
    context.strokeStyle = palette.ink;
    context.setLineDash([2, 2]);
    context.beginPath();
    context.moveTo(Math.round(left) - 2.5, y + 1);
    context.lineTo(Math.round(left) - 2.5, y + LANE - 3);
    context.stroke();
    context.setLineDash([]);
  }

  block(block, left, right, laneY, levels, color) {
    const { context, palette, scene } = this;
    const place = spot(block.level, levels);
    const [x, y, width, height] = [left, laneY + place.y, Math.max(BAR_MIN, right - left), place.height];
    const { kind } = block;
    context.lineWidth = 1;
    context.setLineDash(kind === "childAgent" || kind === "other" ? [3, 2] : []);
    rounded(context, x + 0.5, y + 0.5, Math.max(1, width - 1), height - 1);
    if (kind === "tool") context.fillStyle = palette.soft[color];
    else if (kind === "own" || kind === "humanWait" || kind === "messageWait") context.fillStyle = palette.hatch;
    else context.fillStyle = palette.paper;
    context.fill();
    context.strokeStyle = block.isFailed ? palette.error : kind === "llm" ? palette.ink : kind === "tool" ? palette.colors[color] : kind === "handoff" ? palette.accent : palette.edge;
    if (kind === "llm" || block.isFailed) context.lineWidth = 1.25;
    context.stroke();
    context.setLineDash([]);
    if (block.isFailed && width > 6) {
      context.fillStyle = palette.badHatch;
      context.fillRect(Math.max(x, right - 6), y + 1, Math.min(5, width - 2), height - 2);
    }
    if (block === scene.chosen || block === scene.hovered) {
      context.strokeStyle = palette.accent;
      context.lineWidth = block === scene.chosen ? 2 : 1.5;
      rounded(context, x - 1, y - 1, width + 2, height + 2);
      context.stroke();
    }
    if (height >= 10) this.text(block, Math.max(x, 0), Math.min(right, scene.width), y + height / 2 + 0.5);
  }

  text(block, left, right, y) {
    const room = right - left - 8;
    if (room < 10) return;
    const { context, palette } = this;
    const signs = (block.isFailed ? "✕ " : "") + (block.attempt > 1 || this.scene.orchestration.retryOf.get(block.spanId)?.spanIds[0] === block.spanId ? "↻ " : "");
    const isWait = block.kind === "own" || block.kind === "humanWait" || block.kind === "messageWait";
    const words = isWait ? `${block.name} ${duration(block.to - block.from)}` : block.kind === "childAgent" ? `→ ${block.name}` : block.name;
    const whole = `${signs}${words.slice(0, 80)}`;
    let text = right - left < TEXT_MIN ? "" : clipped(context, whole, room);
    if (text !== whole && text.length <= signs.length + LETTERS_MIN) text = clipped(context, signs.trim(), room);
    if (text === "") return;
    if (isWait) {
      context.fillStyle = palette.paper;
      context.fillRect(left + 2, y - 7, context.measureText(text).width + 5, 14);
    }
    context.fillStyle = block.isFailed ? palette.error : isWait || block.kind === "childAgent" ? palette.ink2 : palette.ink;
    context.fillText(text, left + 4, y);
  }

  loop(loop, laneY) {
    const { context, palette, scene } = this;
    const [left, right] = [this.x(loop.from), this.x(loop.to)];
    if (right < 0 || left > scene.width) return;
    context.strokeStyle = context.fillStyle = palette.warning;
    context.lineWidth = 1;
    context.beginPath();
    const y = laneY + 6.5;
    context.moveTo(left, y + 5);
    context.lineTo(left, y);
    context.lineTo(right, y);
    context.lineTo(right, y + 5);
    context.stroke();
    const text = `loop ×${loop.count}`;
    const width = context.measureText(text).width;
    if (right - left < width + 12) return;
    const x = Math.max(left, 0) + 6;
    context.fillStyle = palette.paper;
    context.fillRect(x - 2, y - 5, width + 4, 10);
    context.fillStyle = palette.warning;
    context.fillText(text, x, y + 0.5);
  }

  /** The row of a session, or of the nearest one above it that shows. */
  rowFor(id) {
    const { orchestration } = this.scene;
    let index = orchestration.byId.get(id) ?? -1;
    while (index >= 0 && !this.rowOf.has(index)) index = orchestration.sessions[index].parent;
    return index < 0 ? -1 : this.rowOf.get(index);
  }

  /** From whoever asks to whoever is asked, and back: only to lanes that are in view. */
  arrows(first, last) {
    const { context, palette, scene } = this;
    const { orchestration } = scene;
    let count = 0;
    for (const edge of orchestration.edges) {
      const to = this.rowFor(edge.toSessionId);
      const from = this.rowFor(edge.fromSessionId);
      const isSeen = (row) => row >= first && row < last;
      if (from < 0 || to < 0 || from === to || !(isSeen(to) || (isSeen(from) && edge.kind !== "delegate"))) continue;
      const child = orchestration.session(edge.toSessionId);
      const [leaves, start] = edge.kind === "message" ? this.flight(edge) : [edge.from, child.from];
      const end = edge.kind === "delegate" ? child.to : start;
      if (this.x(Math.min(leaves, start)) > scene.width || this.x(Math.max(edge.kind === "message" ? leaves : edge.to, end)) < 0) continue;
      if (++count > ARROWS_MAX) break;
      context.lineWidth = edge.kind === "handoff" ? 1.75 : 1.25;
      context.strokeStyle = context.fillStyle = edge.kind === "handoff" ? palette.accent : edge.kind === "message" ? palette.ink2 : palette.edge;
      context.setLineDash(edge.kind === "background" ? [5, 3] : edge.kind === "message" ? [1.5, 3] : []);
      this.thread(this.x(leaves), from, this.x(start), to);
      if (edge.kind === "delegate" && !child.isOpen) this.thread(this.x(child.to), to, this.x(edge.to), from);
    }
    context.setLineDash([]);
  }

  /** When a message left the step that sent it, and when it was read. @returns {[number, number]} */
  flight(edge) {
    if (this.sentOf !== this.scene.messages) {
      this.sentOf = this.scene.messages;
      this.sent = new Map();
      for (const { at, sessionId, message } of this.sentOf) {
        const key = `${sessionId} ${message.trace?.spanId}`;
        this.sent.set(key, [...(this.sent.get(key) ?? []), at]);
      }
    }
    const reads = edge.from + (Number(edge.handoffGapNanos) || 0);
    const sent = this.sent.get(`${edge.fromSessionId} ${edge.spanId}`) ?? [];
    const leaves = sent.find((at) => at >= edge.from && at <= reads) ?? edge.from;
    return [leaves, Math.max(leaves, reads)];
  }

  /** One line with rounded turns and a head. */
  thread(x1, fromRow, x2, toRow) {
    const { context } = this;
    const isDown = toRow > fromRow;
    const y1 = this.y(fromRow) + (isDown ? LANE - 7 : 5);
    const y2 = this.y(toRow) + (isDown ? 5 : LANE - 7);
    const bend = Math.min(8, Math.abs(y2 - y1) / 2, Math.max(1, Math.abs(x2 - x1) / 2));
    const down = isDown ? 1 : -1;
    const side = Math.sign(x2 - x1) || 1;
    context.beginPath();
    context.moveTo(x1, y1);
    if (Math.abs(x2 - x1) < 1.5) context.lineTo(x2, y2 - 4 * down);
    else {
      const middle = y2 - 10 * down;
      context.lineTo(x1, middle - bend * down);
      context.quadraticCurveTo(x1, middle, x1 + bend * side, middle);
      context.lineTo(x2 - bend * side, middle);
      context.quadraticCurveTo(x2, middle, x2, middle + bend * down);
      context.lineTo(x2, y2 - 4 * down);
    }
    context.stroke();
    context.beginPath();
    context.moveTo(x2, y2);
    context.lineTo(x2 - 3, y2 - 5 * down);
    context.lineTo(x2 + 3, y2 - 5 * down);
    context.fill();
  }

  /** What the end waited for, as one thread through the lanes. */
  path(first, last) {
    const { context, scene, palette } = this;
    const { path, axis } = scene.orchestration;
    const [start, stop] = [axis.time(Math.max(0, scene.from)), axis.time(Math.min(1, scene.to))];
    const lines = [];
    const turns = [];
    const isSeen = (row) => row >= first && row < last;
    const isLong = path.length > PARTS_MAX;
    let before = null;
    let line = null;
    for (let i = firstReaching(this.pathEnds(path), start); i < path.length && path[i].from <= stop; i++) {
      const part = path[i];
      const row = this.rowFor(part.sessionId);
      if (row < 0) continue;
      const y = this.y(row) + PATH_Y;
      const [left, right] = [this.x(part.from), this.x(part.to)];
      if (before && before.row !== row) turns.push({ line: [left, before.y, left, y], isWhole: isSeen(row) && isSeen(before.row) });
      // Parts of one lane are one line.
      if (before?.row === row && line) line[2] = Math.max(line[2], right);
      else if (isSeen(row)) lines.push((line = [left, y, Math.max(right, left + 1), y]));
      else line = null;
      before = { row, y };
      if (isLong) i = Math.max(i, firstReaching(this.ends, this.time(right + 0.5)) - 1);
    }
    // Of very many turns those that lead out of view say nothing more.
    for (const { line, isWhole } of turns) if (isWhole || turns.length <= TURNS_MAX) lines.push(line);
    for (const [color, width] of [[palette.paper, 4.5], [palette.ink, 2]]) {
      context.strokeStyle = color;
      context.lineWidth = width;
      context.beginPath();
      for (const [x1, y1, x2, y2] of lines) { context.moveTo(x1, y1); context.lineTo(x2, y2); }
      context.stroke();
    }
  }

  /** The path is chronological: its ends ascend. */
  pathEnds(path) {
    if (this.endsOf !== path) {
      this.endsOf = path;
      this.ends = Float64Array.from(path, ({ to }) => to);
    }
    return this.ends;
  }

  /** The message whose pin is at a place of the canvas, as it was painted last. @returns {any} an entry of the scene's messages, or null */
  pinAt(x, y) {
    const pin = (this.pinned ?? []).findLast((each) => Math.abs(each.x - x) <= PIN_REACH && Math.abs(each.y + 1 - y) <= PIN_REACH);
    return pin?.entry ?? null;
  }

  /** Chat messages on the lanes of who sent them. */
  pins(first, last) {
    const { context, palette, scene } = this;
    this.pinned = [];
    for (const entry of scene.messages) {
      const { at, sessionId } = entry;
      const row = this.rowFor(sessionId);
      const x = this.x(at);
      if (row < first || row >= last || x < -6 || x > scene.width + 6) continue;
      const y = this.y(row) + 6;
      this.pinned.push({ x, y, entry });
      context.fillStyle = palette.accent;
      context.strokeStyle = palette.paper;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x, y, 4, 0, 2 * Math.PI);
      context.moveTo(x - 2, y + 3);
      context.lineTo(x, y + 8);
      context.lineTo(x + 2, y + 3);
      context.stroke();
      context.fill();
    }
  }
}

/** The place of the greatest of some sums, -1 where all are 0. */
function greatest(sums, first, count) {
  let [found, most] = [-1, 0];
  for (let i = 0; i < count; i++) if (sums[first + i] > most) [found, most] = [i, sums[first + i]];
  return found;
}

function rounded(context, x, y, width, height) {
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(3, width / 2, height / 2));
}

function clipped(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low > 1 ? `${text.slice(0, low)}…` : "";
}

/** Two colours of the theme, mixed. @param {string} color as #rrggbb @param {string} paper the same @param {number} part of the first */
function mix(color, paper, part) {
  const read = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const [a, b] = [read(color), read(paper)];
  return `rgb(${a.map((value, i) => Math.round(value * part + b[i] * (1 - part))).join(" ")})`;
}
