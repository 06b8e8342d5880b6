// SPDX-License-Identifier: Apache-2.0
// The map as a drawing: nodes in layers, calls as threads between them; it pans, zooms, and is walked with the arrow keys.
import { count, duration, plural, share as percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { labelSpots, layered, thread } from "../lib/layered.js";
import { attribute, h, svg } from "../lib/view.js";
import { rateText } from "../lib/rate.js";
import { KINDS } from "./graph.js";

const SIZES = { width: 168, height: 44, gapX: 160, gapY: 20 };
const MARGIN = 32;
const SCALE_MIN = 0.08;
const SCALE_MAX = 4;
/** Above this the labels of all calls are shown that find room. */
const LABEL_SCALE = 0.7;
const LABEL_HEIGHT = 15;
const LABEL_LIFT = 10;
const LETTER_WIDTH = 6.1;
const DRAG_PIXELS = 4;
const PAN_STEP = 80;
const THIN = 1.5;
const THICK = 5.5;
/** From this share of errors on a call is dashed, besides being red. */
const DASHED_FROM = 0.01;
const RING = 2 * Math.PI * 10;

export class Drawing {
  /** @param {{ chooseNode: (id: string) => void, chooseCall: (id: string) => void, focus: (id: string) => void, colorOf: (service: string) => number }} actions */
  constructor(actions) {
    this.actions = actions;
    this.threads = svg("g", {});
    this.labels = svg("g", { class: "map-labels", "aria-hidden": "true" });
    this.boxes = svg("g", {});
    this.world = svg("g", {}, this.threads, this.boxes, this.labels);
    this.canvas = svg("svg", { class: "map-canvas", role: "group" }, this.world);
    const button = (label, picture, act) => h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(picture));
    this.element = h("div.map-drawing", {}, this.canvas, h("div.map-zoom", { role: "group", "aria-label": "Zoom" },
      button("Zoom in (+)", "plus", () => this.zoom(1.3)), button("Zoom out (-)", "minus", () => this.zoom(1 / 1.3)), button("Show all (0)", "fit", () => this.fit())));
    /** @type {Map<string, { node: any, element: SVGElement, place: import("../lib/layered.js").Place }>} */
    this.nodes = new Map();
    /** @type {Map<string, { call: any, element: SVGElement, label: SVGElement, route: any[] }>} */
    this.calls = new Map();
    this.kept = new Map();
    this.view = { x: 0, y: 0, scale: 1 };
    this.size = { width: 0, height: 0 };
    /** @type {Map<number, { x: number, y: number }>} */
    this.pointers = new Map();
    this.active = null;
    /** The node whose calls the arrow keys go through, and which of them. */
    this.pivot = null;
    this.isFitted = false;
    this.listen();
    this.watcher = new ResizeObserver(() => { if (this.isFitted) this.fit(); });
    this.watcher.observe(this.canvas);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("click", (event) => {
      const part = event.target.closest("[data-id]");
      if (!part || this.wasDragged) return;
      this.activate(part, false);
      this.open(part);
    });
    canvas.addEventListener("dblclick", (event) => {
      const part = event.target.closest(".map-node");
      if (part) this.actions.focus(part.dataset.id);
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focusin", (event) => {
      const part = event.target.closest("[data-id]");
      if (part) this.activate(part, false);
      this.near(part);
    });
    canvas.addEventListener("focusout", () => this.near(null));
    canvas.addEventListener("pointerover", (event) => this.near(event.target.closest("[data-id]")));
    canvas.addEventListener("pointerleave", () => this.near(null));
  }

  /**
   * Draws. Nodes that are all there already stay where they are.
   * @param {import("./graph.js").Node[]} nodes @param {import("./graph.js").Call[]} calls @param {Map<string, number>} hidden
   * @param {string} about said of the drawing as a whole
   */
  show(nodes, calls, hidden, about) {
    const held = this.canvas.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const ids = nodes.map(({ id }) => id);
    const isSame = ids.length === this.kept.size && ids.every((id) => this.kept.has(id));
    const index = new Map(ids.map((id, at) => [id, at]));
    const { places, routes, width, height } = layered(ids, calls.map(({ from, to }) => [index.get(from.id), index.get(to.id)]), SIZES, isSame ? this.kept : undefined);
    this.kept = new Map(ids.map((id, at) => [id, places[at]]));
    this.size = { width, height };
    attribute(this.canvas, "aria-label", about);
    this.nodes = new Map(nodes.map((node, at) => [node.id, { node, place: places[at], element: this.drawNode(node, places[at], hidden.get(node.id) ?? 0) }]));
    const logs = calls.map(({ calls: n }) => Math.log(Math.max(1, n)));
    const [least, most] = [Math.min(...logs), Math.max(...logs)];
    this.calls = new Map(calls.map((call, at) => {
      const share = most > least ? (logs[at] - least) / (most - least) : 0.3;
      return [call.id, { call, route: routes[at], ...this.drawCall(call, routes[at], THIN + (THICK - THIN) * share) }];
    }));
    this.threads.replaceChildren(...[...this.calls.values()].sort((a, b) => a.call.errorShare - b.call.errorShare).map(({ element }) => element));
    this.boxes.replaceChildren(...[...this.nodes.values()].sort((a, b) => a.place.layer - b.place.layer || a.place.y - b.place.y).map(({ element }) => element));
    this.placeLabels();
    this.active = null;
    const first = this.partOf(held) ?? this.boxes.firstElementChild;
    if (first) this.activate(first, held !== null && this.partOf(held) !== null);
    if (isSame && this.isPlaced) this.move();
    else this.fit();
  }

  partOf(id) {
    return this.nodes.get(id)?.element ?? this.calls.get(id)?.element ?? null;
  }

  drawNode(node, { x, y }, hidden) {
    const { width, height } = SIZES;
    const isService = node.kind === "service";
    // Below the rim of a cylinder there is a little less room.
    const drop = node.kind === "database" ? 2 : 0;
    const middle = height / 2 + drop;
    const more = hidden ? `+${count(hidden)}` : "";
    const room = width - 48 - (more ? 8 + more.length * 7 : 0);
    const ring = { cx: 22, cy: middle, r: 10 };
    return svg("g", { class: `map-node ${node.kind}`, role: "button", tabindex: "-1", "data-id": node.id, "aria-label": said(node, hidden), transform: `translate(${x} ${y - height / 2})` },
      svg("title", {}, node.name),
      svg("path", { class: "map-shape", d: SHAPES[node.kind](width, height) }),
      node.kind === "database" ? svg("path", { class: "map-rim", d: `M0 5a${width / 2} 5 0 0 0 ${width} 0` }) : null,
      node.kind === "queue" ? svg("path", { class: "map-rim", d: `M${width - 6} 0a6 ${height / 2} 0 0 0 0 ${height}` }) : null,
      svg("circle", { class: "map-ring", ...ring }),
      node.errors > 0 ? svg("circle", { class: "map-ring failed", ...ring, transform: `rotate(-90 22 ${middle})`, "stroke-dasharray": `${Math.max(2, RING * node.errorShare)} ${RING}` }) : null,
      svg("rect", { class: "map-swatch", x: 18, y: middle - 4, width: 8, height: 8, rx: isService ? 2 : 4, "data-s": isService ? this.actions.colorOf(node.name) : null }),
      svg("text", { class: "map-name", x: 40, y: 19 + drop }, fitted(node.name || "no name", room, "600 13px")),
      more ? svg("text", { class: "map-more", x: width - 10, y: 19 + drop, "text-anchor": "end" }, more) : null,
      svg("text", { class: "map-sub", x: 40, y: 34 + drop }, figures(node)));
  }

  drawCall(call, route, width) {
    const label = svg("text", { class: "map-label", "text-anchor": "middle" }, labelText(call));
    const way = call.connectionType === "messaging_system" && call.to.kind === "service" ? " by messages" : "";
    const says = `${call.from.name} calls ${call.to.name || "no name"}${way}: ${rateText(call.rate)}, p95 ${duration(call.p95)}, ${percent(call.errorShare)} errors`;
    const look = `map-call${call.errorShare >= DASHED_FROM ? " failing" : ""}`;
    const element = svg("g", { class: look, role: "button", tabindex: "-1", "data-id": call.id, "aria-label": says });
    if (!route.length) return { element, label };
    const end = route.at(-1);
    const isLeftward = route.at(-2).x >= end.x;
    const head = 5 + width * 0.8;
    const base = isLeftward ? end.x + head : end.x - head;
    const path = thread([...route.slice(0, -1), { x: base, y: end.y }]);
    const half = 2.5 + width * 0.55;
    element.style.setProperty("--heat", `${Math.round(100 * Math.min(1, Math.sqrt(call.errorShare / 0.2)))}%`);
    element.append(svg("title", {}, says), svg("path", { class: "map-hit", d: path }),
      svg("path", { class: "map-line", d: path, "stroke-width": Math.round(width * 10) / 10 }),
      svg("path", { class: "map-head", d: `M${end.x} ${end.y}L${base} ${end.y - half}V${end.y + half}Z` }));
    return { element, label };
  }

  /** Each label stands where it covers neither a node nor another label; those without such a place wait to be asked for. */
  placeLabels() {
    const taken = [...this.nodes.values()].map(({ place: { x, y } }) => ({ left: x, right: x + SIZES.width, top: y - SIZES.height / 2, bottom: y + SIZES.height / 2 }));
    const inTurn = [...this.calls.values()].filter(({ route }) => route.length).sort((a, b) => b.call.errorShare - a.call.errorShare || b.call.calls - a.call.calls);
    for (const { call, label, route } of inTurn) {
      const half = (labelText(call).length * LETTER_WIDTH) / 2 + 4;
      const spots = labelSpots(route, LABEL_LIFT);
      const boxOf = ({ x, y }) => ({ left: x - half, right: x + half, top: y - LABEL_HEIGHT / 2, bottom: y + LABEL_HEIGHT / 2 });
      const free = spots.find((spot) => {
        const box = boxOf(spot);
        return !taken.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);
      });
      const { x, y } = free ?? spots[0];
      attribute(label, "x", x);
      attribute(label, "y", y + 4);
      label.classList.toggle("crowded", !free);
      if (free) taken.push(boxOf(free));
    }
    this.labels.replaceChildren(...inTurn.map(({ label }) => label));
  }

  /** Which node or call the panel shows. @param {string} id */
  select(id) {
    this.selectedId = id;
    for (const [own, { element }] of [...this.nodes, ...this.calls]) attribute(element, "aria-pressed", own === id ? "true" : null);
    this.showLabels();
  }

  /** What the search found: the rest steps back. @param {Set<string> | null} ids of nodes */
  mark(ids) {
    this.canvas.classList.toggle("searched", ids !== null);
    for (const [id, { element }] of this.nodes) element.classList.toggle("found", ids?.has(id) ?? false);
  }

  /** Brings out what belongs to a node or a call. @param {Element | null} part */
  near(part) {
    if (part === this.nearPart) return;
    this.nearPart = part;
    this.canvas.classList.toggle("has-near", part !== null);
    this.showLabels();
  }

  showLabels() {
    const id = this.nearPart?.dataset.id;
    for (const [own, { call, element, label }] of this.calls) {
      const isNear = own === id || call.from.id === id || call.to.id === id;
      const isChosen = own === this.selectedId || call.from.id === this.selectedId || call.to.id === this.selectedId;
      element.classList.toggle("near", isNear);
      label.classList.toggle("shown", isNear || isChosen);
      label.classList.toggle("near", isNear);
    }
  }

  activate(part, takesFocus) {
    if (this.active) attribute(this.active, "tabindex", "-1");
    this.active = part;
    attribute(part, "tabindex", "0");
    if (takesFocus) {
      part.focus({ preventScroll: true });
      this.reveal(part);
    }
  }

  open(part) {
    if (part.classList.contains("map-node")) this.actions.chooseNode(part.dataset.id);
    else this.actions.chooseCall(part.dataset.id);
  }

  key(event) {
    const part = event.target.closest("[data-id]");
    if (!part || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey && PANS[event.key]) {
      event.preventDefault();
      this.pan(...PANS[event.key]);
      return;
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.open(part);
      return;
    }
    const next = event.shiftKey ? null : this.neighbour(part, event.key);
    if (!PANS[event.key] && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    if (next) this.activate(next, true);
  }

  /** Where an arrow leads: from a node into its calls, among them, and on to the other end. */
  neighbour(part, key) {
    const call = this.calls.get(part.dataset.id)?.call;
    if (key === "Home") return this.boxes.firstElementChild;
    if (key === "End") return this.boxes.lastElementChild;
    if (call) {
      if (key === "ArrowRight") return this.partOf(call.to.id);
      if (key === "ArrowLeft") return this.partOf(call.from.id);
      const siblings = this.callsOf(this.pivot === call.to.id ? call.to.id : call.from.id, this.pivot === call.to.id ? "from" : "to");
      return siblings[siblings.indexOf(part) + (key === "ArrowDown" ? 1 : -1)] ?? null;
    }
    const id = part.dataset.id;
    if (key === "ArrowRight" || key === "ArrowLeft") {
      this.pivot = id;
      return this.callsOf(id, key === "ArrowRight" ? "to" : "from")[0] ?? null;
    }
    const here = this.nodes.get(id).place;
    const direction = key === "ArrowDown" ? 1 : -1;
    const beyond = [...this.nodes.values()].filter(({ place }) => (place.y - here.y) * direction > 1);
    const far = ({ place }) => Math.abs(place.x - here.x) * 4 + Math.abs(place.y - here.y);
    return beyond.sort((a, b) => far(a) - far(b))[0]?.element ?? null;
  }

  /** The calls of a node towards one side, from above. @param {"to" | "from"} end the other end */
  callsOf(id, end) {
    const own = [...this.calls.values()].filter(({ call }) => (end === "to" ? call.from.id : call.to.id) === id);
    return own.sort((a, b) => (end === "to" ? a.route[0]?.y - b.route[0]?.y : a.route.at(-1)?.y - b.route.at(-1)?.y) || 0).map(({ element }) => element);
  }

  /** One finger or the mouse moves the map, a second finger zooms. */
  press(event) {
    if (event.button !== 0) return;
    const { canvas, pointers } = this;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 1) this.wasDragged = false;
    if (pointers.size > 1) return;
    const from = { x: event.clientX, y: event.clientY };
    const move = (now) => {
      const before = pointers.get(now.pointerId);
      if (!before) return;
      const [x, y] = [now.clientX, now.clientY];
      if (!this.wasDragged && Math.hypot(x - from.x, y - from.y) < DRAG_PIXELS) return;
      if (!this.wasDragged) for (const id of pointers.keys()) canvas.setPointerCapture(id);
      this.wasDragged = true;
      canvas.classList.add("dragged");
      const other = [...pointers].find(([id]) => id !== now.pointerId)?.[1];
      pointers.set(now.pointerId, { x, y });
      if (other) {
        const { left, top } = canvas.getBoundingClientRect();
        const was = Math.hypot(before.x - other.x, before.y - other.y);
        if (was > 0) this.zoom(Math.hypot(x - other.x, y - other.y) / was, (x + other.x) / 2 - left, (y + other.y) / 2 - top);
        return;
      }
      this.isFitted = false;
      this.view.x += x - before.x;
      this.view.y += y - before.y;
      this.move();
    };
    const release = ({ pointerId }) => {
      pointers.delete(pointerId);
      if (pointers.size) return;
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerup", release);
      canvas.removeEventListener("pointercancel", release);
      canvas.classList.remove("dragged");
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
  }

  /** @param {number} factor @param {number} [x] the point that stays, the middle unless said @param {number} [y] */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const { view } = this;
    const scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, view.scale * factor));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    this.isFitted = false;
    this.move();
  }

  pan(dx, dy) {
    this.view.x -= dx * PAN_STEP;
    this.view.y -= dy * PAN_STEP;
    this.isFitted = false;
    this.move();
  }

  /** The whole drawing, not larger than it is. */
  fit() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    const { width, height } = this.size;
    const scale = Math.max(SCALE_MIN, Math.min(1, clientWidth / (width + 2 * MARGIN), clientHeight / (height + 2 * MARGIN)));
    this.view = { scale, x: (clientWidth - width * scale) / 2, y: (clientHeight - height * scale) / 2 };
    this.isFitted = true;
    this.isPlaced = true;
    this.move();
  }

  /** Brings a part into view, and to a size at which it can be read. */
  reveal(part) {
    const { view } = this;
    const { clientWidth, clientHeight } = this.canvas;
    const id = part.dataset.id;
    const place = this.nodes.get(id)?.place;
    const route = this.calls.get(id)?.route;
    const at = place ? { x: place.x + SIZES.width / 2, y: place.y } : route?.length ? labelSpots(route, 0)[0] : null;
    if (!at) return;
    const [x, y] = [at.x * view.scale + view.x, at.y * view.scale + view.y];
    const [marginX, marginY] = [Math.min(110 * view.scale, clientWidth / 3), Math.min(50, clientHeight / 3)];
    const dx = x < marginX ? marginX - x : x > clientWidth - marginX ? clientWidth - marginX - x : 0;
    const dy = y < marginY ? marginY - y : y > clientHeight - marginY ? clientHeight - marginY - y : 0;
    if (!dx && !dy) return;
    view.x += dx;
    view.y += dy;
    this.isFitted = false;
    this.move();
  }

  /** The view stays as it is when the room for it changes. */
  holdStill() {
    this.isFitted = false;
  }

  revealSelected() {
    const part = this.partOf(this.selectedId);
    if (part && this.canvas.clientWidth) this.reveal(part);
  }

  /** Goes to a node, as the search does. @param {string} id */
  goTo(id) {
    const found = this.nodes.get(id);
    if (!found) return;
    const { clientWidth, clientHeight } = this.canvas;
    const scale = Math.max(this.view.scale, LABEL_SCALE);
    this.view = { scale, x: clientWidth / 2 - (found.place.x + SIZES.width / 2) * scale, y: clientHeight / 2 - found.place.y * scale };
    this.isFitted = false;
    this.move();
    this.activate(found.element, false);
  }

  move() {
    const { x, y, scale } = this.view;
    attribute(this.world, "transform", `translate(${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}) scale(${Math.round(scale * 1000) / 1000})`);
    this.canvas.classList.toggle("far", scale < LABEL_SCALE);
  }

  close() {
    this.watcher.disconnect();
  }
}

const PANS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const box = (w, h) => `M3 0H${w - 3}a3 3 0 0 1 3 3V${h - 3}a3 3 0 0 1-3 3H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3Z`;
/** A service is a box, a database a cylinder, a queue a pipe; what sends no spans is dashed. */
const SHAPES = {
  service: box,
  peer: box,
  database: (w, h) => `M0 5a${w / 2} 5 0 0 1 ${w} 0V${h - 5}a${w / 2} 5 0 0 1-${w} 0Z`,
  queue: (w, h) => `M6 0H${w - 6}a6 ${h / 2} 0 0 1 0 ${h}H6a6 ${h / 2} 0 0 1 0-${h}Z`,
};

/** What a node's second line says; who answers no calls, but makes some, is told by these. */
function figures({ calls, rate, errors, errorShare, outs }) {
  const made = outs.reduce((sum, call) => sum + (call.rate ?? 0), 0);
  if (calls === 0 && made > 0) return `calls ${rateText(made)}`;
  return errors > 0 ? `${rateText(rate)} · ${percent(errorShare)} err` : rateText(rate);
}

function said(node, hidden) {
  const callers = new Set(node.ins.map(({ from }) => from)).size;
  const called = new Set(node.outs.map(({ to }) => to)).size;
  const facts = [node.name || "no name", KINDS[node.kind], rateText(node.rate), `${percent(node.errorShare)} errors`, `called by ${callers}`, `calls ${called}`];
  if (hidden) facts.push(`${plural(hidden, "neighbour")} not shown`);
  return facts.join(", ");
}

function labelText({ rate, p95, errors, errorShare }) {
  return [rateText(rate), duration(p95), errors > 0 ? `${percent(errorShare)} err` : null].filter(Boolean).join(" · ");
}

const NAME_LETTERS_MAX = 80;
let ruler = null;

/** As much of a text as fits. @param {string} text @param {number} room in pixels @param {string} font weight and size */
function fitted(text, room, font) {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
  const shown = text.length > NAME_LETTERS_MAX ? `${text.slice(0, NAME_LETTERS_MAX)}…` : text;
  if (ruler.measureText(shown).width <= room) return shown;
  const letters = [...shown];
  let [low, high] = [1, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (ruler.measureText(`${letters.slice(0, middle).join("")}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("")}…`;
}
