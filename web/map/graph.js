// SPDX-License-Identifier: Apache-2.0
// Who calls whom: nodes and calls out of the server's service graph, what of them to show, and the queries that find a
// call's spans. Pure.
import { literal } from "../explore/query-text.js";

/**
 * @typedef {"service" | "database" | "queue" | "peer"} Kind
 * @typedef {{ id: string, kind: Kind, name: string, calls: number, errors: number, rate: number | null, errorShare: number,
 *   ins: Call[], outs: Call[] }} Node `calls` are those that it answers
 * @typedef {{ id: string, from: Node, to: Node, connectionType: string, calls: number, errors: number, rate: number | null,
 *   errorShare: number, sum: number, p50: number, p95: number, p99: number, exemplar: string | null, before: { rate: number, errorShare: number, p95: number } | null }} Call
 * @typedef {{ nodes: Map<string, Node>, calls: Call[], unnamed: number }} Graph `unnamed` calls are of more names than the server tells apart
 */

/** What a kind is called; the plural is regular. */
export const KINDS = { service: "service", database: "database", queue: "queue", peer: "external peer" };
export const HOPS_MAX = 3;
/** With more nodes than this the map begins with the neighbours of one. */
export const WHOLE_MAX = 60;
/** More than this are not drawn at once: the busiest are, and the table has all. */
export const DRAWN_MAX = 400;

const PEER_KEYS = {
  database: ["peer.service", "server.address", "net.peer.name", "network.peer.address", "db.name", "db.namespace", "db.system.name", "db.system"],
  queue: ["peer.service", "messaging.destination.name", "messaging.destination", "messaging.system", "server.address", "net.peer.name"],
  peer: ["peer.service", "server.address", "net.peer.name", "network.peer.address"],
};

/**
 * @param {any[]} edges as the server tells them @param {Map<string, { calls: number, errors: number }>} services those with
 *   spans in the range, with the calls each answers @param {number | null} seconds how long the range is
 * @param {any[]} [before] the edges of the window before, as long
 * @returns {Graph}
 */
export function graphOf(edges, services, seconds, before = []) {
  const nodes = new Map();
  const isService = new Set(services.keys());
  for (const { client } of edges) if (client !== null) isService.add(client);
  const node = (kind, name) => {
    const id = nodeId(kind, name);
    let found = nodes.get(id);
    if (!found) nodes.set(id, (found = { id, kind, name, calls: 0, errors: 0, rate: null, errorShare: 0, ins: [], outs: [] }));
    return found;
  };
  const kindOf = ({ server, connectionType }) =>
    connectionType === "" || (connectionType === "messaging_system" && isService.has(server)) ? "service"
    : connectionType === "database" ? "database"
    : connectionType === "messaging_system" ? "queue"
    : "peer";
  const rateOf = (calls) => (seconds ? calls / seconds : null);
  const earlier = new Map(before.map((edge) => [edgeKey(edge), edge]));
  const calls = [];
  let unnamed = 0;
  for (const edge of edges) {
    if (edge.client === null || edge.server === null) {
      unnamed += edge.callCount;
      continue;
    }
    const [from, to] = [node("service", edge.client), node(kindOf(edge), edge.server)];
    const past = earlier.get(edgeKey(edge));
    const call = {
      id: callId(from, to, edge.connectionType), from, to, connectionType: edge.connectionType,
      calls: edge.callCount, errors: edge.errorCount, rate: rateOf(edge.callCount), errorShare: share(edge.errorCount, edge.callCount),
      sum: Number(edge.sumNanos), p50: Number(edge.p50Nanos), p95: Number(edge.p95Nanos), p99: Number(edge.p99Nanos), exemplar: edge.exemplar ?? null,
      before: past ? { rate: rateOf(past.callCount) ?? 0, errorShare: share(past.errorCount, past.callCount), p95: Number(past.p95Nanos) } : null,
    };
    calls.push(call);
    from.outs.push(call);
    to.ins.push(call);
    to.calls += call.calls;
    to.errors += call.errors;
  }
  for (const [name, own] of services) Object.assign(node("service", name), own);
  for (const one of nodes.values()) {
    one.rate = rateOf(one.calls);
    one.errorShare = share(one.errors, one.calls);
  }
  return { nodes, calls, unnamed };
}

function edgeKey({ client, server, connectionType }) {
  return JSON.stringify([client, server, connectionType]);
}

function share(part, whole) {
  return whole > 0 ? part / whole : 0;
}

/** A node in the address: a service by its name, others with their kind before it. @param {Kind} kind @param {string} name */
export function nodeId(kind, name) {
  return kind === "service" && !/^(service|database|queue|peer):/.test(name) ? name : `${kind}:${name}`;
}

/** A call in the address. */
function callId(from, to, connectionType) {
  const escaped = ({ id }) => id.replace(/[%>]/g, encodeURIComponent);
  return `${escaped(from)}>${escaped(to)}${connectionType === "messaging_system" && to.kind === "service" ? ">messages" : ""}`;
}

/**
 * @typedef {{ focus: string, hops: number, rate: number, errors: number | null }} Choice `rate` and `errors` (a share, or
 *   null) are the least that a call must have; without `focus` the whole graph is meant
 * @param {Graph} graph @param {Choice} choice
 * @returns {{ nodes: Node[], calls: Call[], hidden: Map<string, number> }} `hidden` counts the neighbours of a node that are not shown
 */
export function chosen(graph, { focus, hops, rate, errors }) {
  const passes = (call) => (call.rate ?? Infinity) >= rate && (errors === null || (call.errors > 0 && call.errorShare >= errors));
  const isFiltered = rate > 0 || errors !== null;
  const calls = isFiltered ? graph.calls.filter(passes) : graph.calls;
  const centre = graph.nodes.get(focus);
  let kept;
  if (centre) kept = around(centre, hops, new Set(calls));
  else if (isFiltered) kept = new Set(calls.flatMap(({ from, to }) => [from, to]));
  else kept = new Set(graph.nodes.values());
  const hidden = new Map();
  for (const node of kept) {
    const others = new Set([...node.ins.map(({ from }) => from), ...node.outs.map(({ to }) => to)].filter((other) => !kept.has(other)));
    if (others.size) hidden.set(node.id, others.size);
  }
  return { nodes: [...kept], calls: calls.filter(({ from, to }) => kept.has(from) && kept.has(to)), hidden };
}

/** Callers of callers and called of called, `hops` far: not those who merely call the same database. */
function around(centre, hops, calls) {
  const kept = new Set([centre]);
  for (const [side, end] of [["outs", "to"], ["ins", "from"]]) {
    let edge = [centre];
    const seen = new Set(edge);
    for (let hop = 0; hop < hops; hop++) {
      edge = edge.flatMap((node) => node[side].filter((call) => calls.has(call)).map((call) => call[end])).filter((node) => !seen.has(node) && seen.add(node));
    }
    for (const node of seen) kept.add(node);
  }
  return kept;
}

/** The node that most goes through: where a large map begins. @param {Graph} graph @returns {Node | null} */
export function busiest(graph) {
  const through = (node) => [...node.ins, ...node.outs].reduce((sum, { calls }) => sum + calls, 0);
  let best = null;
  let most = -1;
  for (const node of graph.nodes.values()) {
    const sum = node.kind === "service" ? through(node) : -1;
    if (sum > most || (sum === most && best && node.id < best.id)) [best, most] = [node, sum];
  }
  return best;
}

/** The conditions that hold for the spans of a call, to stand in braces. @param {Call} call */
export function callConditions({ from, to }) {
  if (to.kind === "service") return `parent.resource.service.name = ${literal(from.name, "string")} && resource.service.name = ${literal(to.name, "string")}`;
  return `resource.service.name = ${literal(from.name, "string")} && ${peerConditions(to)}`;
}

/** Those of everything that a node does, or that is done to it. @param {Node} node */
export function nodeConditions(node) {
  return node.kind === "service" ? `resource.service.name = ${literal(node.name, "string")}` : peerConditions(node);
}

function peerConditions({ kind, name }) {
  const text = literal(name, "string");
  return `(kind = client || kind = producer) && (${PEER_KEYS[kind].map((key) => `span.${key} = ${text}`).join(" || ")})`;
}

/** What a number became: "+12 %", "−40 %", "×3.2", "new". @param {number} now @param {number | undefined} before */
export function changeText(now, before) {
  if (before === undefined || before === null) return "";
  if (before === 0) return now > 0 ? "new" : "";
  const factor = now / before;
  if (factor >= 2.995) return `×${short(factor)}`;
  const percent = Math.round((factor - 1) * 100);
  return percent === 0 ? "±0\u00a0%" : `${percent > 0 ? "+" : "−"}${Math.abs(percent)}\u00a0%`;
}

function short(value) {
  if (value >= 999_500) return `${digits(value / 1e6)}M`;
  if (value >= 999.5) return `${digits(value / 1e3)}k`;
  return digits(value);
}

function digits(value) {
  return value >= 99.5 ? value.toFixed(0) : value >= 9.95 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(2).replace(/0$/, "").replace(/\.0$/, "");
}
