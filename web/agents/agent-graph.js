// SPDX-License-Identifier: Apache-2.0
// Who worked with whom: agents, tools and workflow nodes in layers, and the same in a table.
import { compactCount, count, duration, nanos, plural, share, shortened } from "../lib/format.js";
import { labelSpots, layered, thread } from "../lib/layered.js";
import { fill, h, svg } from "../lib/view.js";
import { Figures } from "../services/figures.js";

const SIZES = { width: 176, height: 44, gapX: 72, gapY: 14 };
const MARGIN = 16;
const NODES_MAX = 120;
const LETTER_SHIFT = 10;
const EDGE_WORDS = { delegate: "asks", handoff: "hands over to", background: "starts", message: "writes to", calls: "calls", next: "then" };
const KIND_WORDS = { agent: "agent", node: "workflow node", tool: "tool" };

/** @param {any} page @returns {import("./tables.js").Part} */
export function graph(page) {
  const stage = h("div.agent-graph", { tabindex: "0", role: "group", "aria-label": "Graph of agents and tools; the table below says the same" });
  const figures = new Figures({
    label: "Who works with whom", sort: "-count", columns: [
      { key: "from", title: "From", by: (row) => row.from, cell: (row) => h("span.tool-name", {}, shortened(row.from, 120)) },
      { key: "kind", title: "", cell: (row) => h("span.faint", {}, EDGE_WORDS[row.kind] ?? shortened(String(row.kind), 40)) },
      { key: "to", title: "To", by: (row) => row.to, cell: (row) => h("span.tool-name", {}, shortened(row.to, 120)) },
      { key: "count", title: "Times", numeric: true, by: (row) => row.count, cell: (row) => count(row.count) },
      { key: "errors", title: "Errors", numeric: true, by: (row) => row.errorCount, cell: (row) => (row.errorCount ? h("span.problem", {}, count(row.errorCount)) : h("span.faint", {}, "–")) },
    ],
  });
  const note = h("p.faint.part-note", {});
  return {
    element: h("div.part.graph-part", {}, note, stage, figures.element),
    show() {
      const { graph: answer } = page.orchestration.answer;
      const nodes = answer.nodes.slice().sort((a, b) => b.count - a.count).slice(0, NODES_MAX);
      note.textContent = nodes.length < answer.nodes.length ? `The ${NODES_MAX} that worked most often, of ${plural(answer.nodes.length, "node")}.` : "";
      fill(stage, drawing(nodes, answer.edges, page));
      const names = new Map(answer.nodes.map(({ id, name }) => [id, name]));
      figures.show(answer.edges.map((edge) => ({ ...edge, from: names.get(edge.from) ?? edge.from, to: names.get(edge.to) ?? edge.to })), figures.sort);
    },
  };
}

function drawing(nodes, allEdges, page) {
  const places = new Map(nodes.map(({ id }, index) => [id, index]));
  const there = allEdges.filter(({ from, to }) => places.has(from) && places.has(to));
  // Who writes to whom says nothing of who stands where: an answer would put whoever asked behind those who were asked.
  const edges = there.filter(({ kind }) => kind !== "message");
  const messages = there.filter(({ kind }) => kind === "message");
  const found = layered(nodes.map(({ id }) => id), edges.map(({ from, to }) => [places.get(from), places.get(to)]), SIZES);
  const [width, height] = [found.width + 2 * MARGIN, found.height + 2 * MARGIN];
  const whole = page.orchestration.duration || 1;
  const line = (edge, index) => {
    const route = found.routes[index];
    if (!route.length) return null;
    const end = route[route.length - 1];
    // A count stands nearer to where its edge begins: many end at one node.
    const [spot] = labelSpots(route.slice(0, 2), 8);
    return [svg("path", { class: "agent-edge", "data-kind": edge.kind, d: thread(route), "stroke-width": (1 + Math.min(3, Math.log10(edge.count + 1))).toFixed(2) }), head(edge.kind, end, end.x > found.places[places.get(edge.to)].x ? -1 : 1), times(edge, spot)];
  };
  const letter = (edge) => {
    const [a, b] = [found.places[places.get(edge.from)], found.places[places.get(edge.to)]];
    // Between the sides that look at each other, below the thread of whoever asked; of one column both look to the right.
    const side = b.x < a.x ? -1 : 1;
    const into = b.x === a.x ? -1 : side;
    const from = { x: side > 0 ? a.x + SIZES.width : a.x, y: a.y + LETTER_SHIFT };
    const to = { x: into > 0 ? b.x : b.x + SIZES.width, y: b.y + (edge.from === edge.to ? -LETTER_SHIFT : LETTER_SHIFT) };
    const reach = Math.max(24, Math.abs(to.x - from.x) / 2);
    const spot = { x: (from.x + to.x) / 2 + (into === side ? 0 : reach), y: (from.y + to.y) / 2 };
    return [svg("path", { class: "agent-edge", "data-kind": "message", d: `M${from.x} ${from.y}C${from.x + side * reach} ${from.y} ${to.x - into * reach} ${to.y} ${to.x} ${to.y}` }), head("message", to, into), times(edge, spot)];
  };
  const box = (node, index) => {
    const { x, y } = found.places[index];
    const length = Number(nanos(node.durationNanos));
    const never = node.count === 0;
    const facts = never ? "never ran" : `×${compactCount(node.count)} · ${duration(length)}${node.errorCount ? ` · ✕ ${compactCount(node.errorCount)}` : ""}`;
    return svg("g", { class: `agent-node ${node.kind}${node.errorCount ? " failed" : ""}${never ? " never" : ""}`, transform: `translate(${x} ${y - SIZES.height / 2})`, "data-s": node.kind === "agent" ? page.colorOfAgent(node.name) : null },
      svg("title", {}, `${KIND_WORDS[node.kind] ?? node.kind} ${shortened(node.name, 200)}\n${facts}${never ? "" : `, ${share(length / whole)} of the orchestration`}`),
      svg("rect", { class: "agent-box", width: SIZES.width, height: SIZES.height, rx: node.kind === "tool" ? 3 : 12 }), node.kind === "agent" ? svg("rect", { class: "agent-swatch", x: 12, y: 11, width: 8, height: 8, rx: 2 }) : null,
      clipped(node.kind === "agent" ? 26 : 12, 18, SIZES.width - (node.kind === "agent" ? 38 : 24), "agent-title", node.name), clipped(12, 34, SIZES.width - 24, "agent-facts-line", facts));
  };
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, svg("g", { transform: `translate(${MARGIN} ${MARGIN})` }, [...edges.map(line), ...messages.map(letter)].flat(2).filter(Boolean), nodes.map(box)));
}

/** @param {string} kind @param {{ x: number, y: number }} end @param {number} side where it looks: 1 to the right, -1 to the left */
function head(kind, { x, y }, side) {
  return svg("path", { class: "agent-head", "data-kind": kind, d: `M${x} ${y}l${-7 * side} -3.5v7z` });
}

function times({ count: n }, spot) {
  return n > 1 && spot ? svg("text", { class: "agent-count", x: spot.x, y: spot.y + 4, "text-anchor": "middle" }, `×${compactCount(n)}`) : null;
}

/** A line of text that ends at the width of its box. */
function clipped(x, y, width, name, text) {
  return svg("svg", { x, y: y - 13, width, height: 18 }, svg("text", { class: name, x: 0, y: 13 }, shortened(text, 120)));
}
