// SPDX-License-Identifier: Apache-2.0
// A layered drawing of a directed graph, left to right: circles broken, nodes in layers, crossings few, long edges
// straight. The same graph always gets the same drawing, in whatever order its parts are named. Pure.

/**
 * @typedef {{ width: number, height: number, gapX: number, gapY: number }} Sizes of a node, and between nodes
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ x: number, y: number, layer: number }} Place `x` is a node's left side, `y` its middle
 */

const SWEEPS = 10;
const SWEEPS_WITHOUT_GAIN = 3;
const COORDINATE_SWEEPS = 8;
const THREAD_GAP = 16;
const PORT_GAP = 9;
/** How strongly the middle of a long edge wants to be straight, compared with an edge between two nodes. */
const STRAIGHTNESS = 6;

/**
 * @param {string[]} ids of the nodes, each once
 * @param {[number, number][]} edges indices of the nodes that an edge leads from and to; an edge from a node to itself gets no route
 * @param {Sizes} sizes
 * @param {Map<string, { layer: number, y: number }>} [kept] where nodes stand already: when it has all of them, none moves
 * @returns {{ places: Place[], routes: Point[][], width: number, height: number }} `routes` are for `thread`
 */
export function layered(ids, edges, sizes, kept) {
  const order = ids.map((_, index) => index).sort((a, b) => (ids[a] < ids[b] ? -1 : ids[a] > ids[b] ? 1 : 0));
  const rank = new Array(ids.length);
  order.forEach((index, at) => { rank[index] = at; });
  const links = edges.map(([from, to], index) => ({ from: rank[from], to: rank[to], index })).filter(({ from, to }) => from !== to)
    .sort((a, b) => a.from - b.from || a.to - b.to || a.index - b.index);
  const isKept = kept !== undefined && ids.every((id) => kept.has(id));
  const drawing = isKept
    ? drawKept(order.map((index) => kept.get(ids[index])), links, sizes)
    : drawAnew(ids.length, links, sizes);
  const places = ids.map((_, index) => drawing.places[rank[index]]);
  const routes = edges.map(() => []);
  links.forEach(({ index }, at) => { routes[index] = drawing.routes[at]; });
  const right = places.reduce((most, { x }) => Math.max(most, x + sizes.width), 0);
  return { places, routes, width: right, height: drawing.height };
}

/**
 * The path of a route: one line with rounded turns. Between layers it bends, through a layer it runs straight.
 * @param {Point[]} route @returns {string}
 */
export function thread(route) {
  if (!route.length) return "";
  let path = `M${round(route[0].x)} ${round(route[0].y)}`;
  for (let i = 1; i < route.length; i++) {
    const [a, b] = [route[i - 1], route[i]];
    if (i % 2 === 0) path += `H${round(b.x)}`;
    else {
      const bend = a.x === b.x ? [a.x + 48, b.x + 48] : [(a.x + b.x) / 2, (a.x + b.x) / 2];
      path += `C${round(bend[0])} ${round(a.y)} ${round(bend[1])} ${round(b.y)} ${round(b.x)} ${round(b.y)}`;
    }
  }
  return path;
}

/**
 * Where the middle of a label would stand well, the best first: above what is straight, else across a bend.
 * @param {Point[]} route @param {number} lift how far above @returns {Point[]}
 */
export function labelSpots(route, lift) {
  const spots = [];
  for (let i = 2; i < route.length; i += 2) {
    const { x, y } = between(route[i - 1], route[i], 0.5);
    spots.push({ x, y: y - lift });
  }
  for (let i = 1; i < route.length; i += 2) {
    const bulge = route[i - 1].x === route[i].x ? 36 : 0;
    for (const share of [0.5, 0.62, 0.38]) {
      const spot = between(route[i - 1], route[i], share);
      const rise = route[i].y - route[i - 1].y;
      spots.push({ x: spot.x + bulge, y: route[i - 1].y + rise * eased(share) - (Math.abs(rise) < 2 * lift ? lift : 0) });
    }
  }
  return spots;
}

/** Where the bend between two layers is at a share of its way. */
function eased(share) {
  return share * share * (3 - 2 * share);
}

function between(a, b, share) {
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}

function drawAnew(count, links, sizes) {
  const layers = layering(count, links);
  const places = new Array(count);
  const routes = new Array(links.length);
  const lone = [];
  let top = 0;
  for (const members of components(count, links)) {
    if (members.length === 1) {
      lone.push(members[0]);
      continue;
    }
    const own = new Set(members);
    const ownLinks = links.map((link, at) => ({ ...link, at })).filter(({ from }) => own.has(from));
    const items = itemsOf(members, ownLinks, layers, sizes);
    orderLayers(items);
    const height = place(items, top);
    finish(items, ownLinks, sizes, places, routes);
    top += height + sizes.gapY;
  }
  // What calls nobody and is called by nobody stands below, in rows as wide as the drawing.
  const columns = Math.max(places.reduce((most, spot) => Math.max(most, spot.layer + 1), 0), Math.min(4, lone.length), 1);
  lone.forEach((node, at) => {
    const layer = at % columns;
    places[node] = { x: layer * (sizes.width + sizes.gapX), y: top + Math.floor(at / columns) * (sizes.height + sizes.gapY) + sizes.height / 2, layer };
  });
  const height = places.reduce((most, { y }) => Math.max(most, y + sizes.height / 2), 0);
  return { places, routes, height };
}

/** Nodes stand where they stood; edges find their way between them. */
function drawKept(spots, links, sizes) {
  const members = spots.map((_, node) => node);
  const layers = spots.map(({ layer }) => layer);
  const ownLinks = links.map((link, at) => ({ ...link, at, isReversed: layers[link.from] > layers[link.to] }));
  const items = itemsOf(members, ownLinks, layers, sizes);
  for (const item of items.all) if (item.node >= 0) item.y = spots[item.node].y;
  for (const { chain } of ownLinks) {
    const [first, last] = [chain[0], chain.at(-1)];
    chain.forEach((item, at) => { if (item.node < 0) item.y = first.y + (last.y - first.y) * (at / (chain.length - 1)); });
  }
  for (const layer of items.layers) {
    layer.sort((a, b) => a.y - b.y || a.number - b.number);
    const wanted = layer.map((item) => item.y);
    spread(layer, wanted, layer.map((item) => (item.node >= 0 ? 1e6 : 1)));
    for (const item of layer) if (item.node >= 0) item.y = spots[item.node].y;
  }
  const places = new Array(spots.length);
  const routes = new Array(links.length);
  finish(items, ownLinks, sizes, places, routes);
  return { places, routes, height: places.reduce((most, { y }) => Math.max(most, y + sizes.height / 2), 0) };
}

/** Nodes that hang together, the largest group first. @returns {number[][]} */
function components(count, links) {
  const leader = Array.from({ length: count }, (_, node) => node);
  const find = (node) => {
    while (leader[node] !== node) node = leader[node] = leader[leader[node]];
    return node;
  };
  for (const { from, to } of links) {
    const [a, b] = [find(from), find(to)];
    leader[Math.max(a, b)] = Math.min(a, b);
  }
  const groups = new Map();
  for (let node = 0; node < count; node++) {
    const head = find(node);
    if (!groups.has(head)) groups.set(head, []);
    groups.get(head).push(node);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length || a[0] - b[0]);
}

/** The layer of each node. Edges that close a circle are marked as reversed. */
function layering(count, links) {
  const position = withoutCircles(count, links);
  const outs = Array.from({ length: count }, () => []);
  const ins = Array.from({ length: count }, () => []);
  for (const link of links) {
    link.isReversed = position[link.from] > position[link.to];
    const [low, high] = link.isReversed ? [link.to, link.from] : [link.from, link.to];
    outs[low].push(high);
    ins[high].push(low);
  }
  const line = Array.from({ length: count }, (_, node) => node).sort((a, b) => position[a] - position[b]);
  const layers = new Array(count).fill(0);
  for (const node of line) for (const next of outs[node]) layers[next] = Math.max(layers[next], layers[node] + 1);
  // Who calls more than he is called moves towards those he calls, which shortens more edges than it lengthens.
  for (const node of line.reverse()) {
    if (outs[node].length > ins[node].length) layers[node] = Math.min(...outs[node].map((next) => layers[next])) - 1;
  }
  return layers;
}

/** The place of each node in a line in which few edges lead back (Eades, Lin and Smyth 1993). */
function withoutCircles(count, links) {
  const outs = Array.from({ length: count }, () => []);
  const ins = Array.from({ length: count }, () => []);
  for (const { from, to } of links) {
    outs[from].push(to);
    ins[to].push(from);
  }
  const out = outs.map((list) => list.length);
  const inward = ins.map((list) => list.length);
  const position = new Array(count).fill(-1);
  let [front, back, left] = [0, count - 1, count];
  const take = (node, at) => {
    position[node] = at;
    left--;
    for (const next of outs[node]) inward[next]--;
    for (const before of ins[node]) out[before]--;
  };
  while (left > 0) {
    let best = -1;
    let isSink = false;
    for (let node = 0; node < count; node++) {
      if (position[node] >= 0) continue;
      if (inward[node] === 0 || out[node] === 0) {
        best = node;
        isSink = inward[node] !== 0;
        break;
      }
      if (best < 0 || out[node] - inward[node] > out[best] - inward[best]) best = node;
    }
    take(best, isSink ? back-- : front++);
  }
  return position;
}

/**
 * What stands in layers: nodes, and a knot of each long edge in every layer that it passes.
 * @typedef {{ node: number, number: number, layer: number, half: number, y: number, ins: Item[], outs: Item[] }} Item
 */
function itemsOf(members, links, layers, sizes) {
  const all = [];
  const byNode = new Map();
  const rows = [];
  const add = (node, layer) => {
    const half = node >= 0 ? (sizes.height + sizes.gapY) / 2 : THREAD_GAP / 2;
    const item = { node, number: all.length, layer, half, y: 0, at: 0, ins: [], outs: [], height: node >= 0 ? sizes.height : 0 };
    all.push(item);
    (rows[layer] ??= []).push(item);
    return item;
  };
  for (const node of members) byNode.set(node, add(node, layers[node]));
  for (const link of links) {
    const [low, high] = link.isReversed ? [link.to, link.from] : [link.from, link.to];
    const chain = [byNode.get(low)];
    for (let layer = layers[low] + 1; layer < layers[high]; layer++) chain.push(add(-1, layer));
    chain.push(byNode.get(high));
    link.chain = chain;
    if (layers[low] === layers[high]) continue;
    for (let i = 1; i < chain.length; i++) {
      chain[i - 1].outs.push(chain[i]);
      chain[i].ins.push(chain[i - 1]);
    }
  }
  return { all, layers: Array.from(rows, (row) => row ?? []) };
}

/** Sorts each layer so that few edges cross: every item beside the middle of its neighbours, as long as that helps. */
function orderLayers(items) {
  const { layers } = items;
  walk(items);
  const number = (layer) => layer.forEach((item, at) => { item.at = at; });
  layers.forEach(number);
  let best = layers.map((layer) => layer.slice());
  let least = crossings(layers);
  let idle = 0;
  for (let sweep = 0; sweep < SWEEPS && least > 0 && idle < SWEEPS_WITHOUT_GAIN; sweep++) {
    const isDown = sweep % 2 === 0;
    for (let i = 1; i < layers.length; i++) {
      const layer = layers[isDown ? i : layers.length - 1 - i];
      for (const item of layer) {
        const beside = isDown ? item.ins : item.outs;
        item.middle = beside.length ? beside.reduce((sum, { at }) => sum + at, 0) / beside.length : item.at;
      }
      layer.sort((a, b) => a.middle - b.middle || a.at - b.at);
      number(layer);
    }
    exchange(layers);
    const now = crossings(layers);
    idle = now < least ? 0 : idle + 1;
    if (now < least) {
      least = now;
      best = layers.map((layer) => layer.slice());
    }
  }
  best.forEach((layer, at) => {
    layers[at] = layer;
    number(layer);
  });
}

/** The first order: as a walk from the left meets them. */
function walk({ all, layers }) {
  const seen = new Set();
  const rows = layers.map(() => []);
  const roots = all.slice().sort((a, b) => a.layer - b.layer || a.number - b.number);
  for (const root of roots) {
    const stack = [root];
    while (stack.length) {
      const item = stack.pop();
      if (seen.has(item)) continue;
      seen.add(item);
      rows[item.layer].push(item);
      for (let i = item.outs.length - 1; i >= 0; i--) stack.push(item.outs[i]);
    }
  }
  rows.forEach((row, at) => { layers[at] = row; });
}

/** Swaps neighbours of a layer where that takes crossings away. */
function exchange(layers) {
  for (const layer of layers) {
    for (let at = 1; at < layer.length; at++) {
      const [a, b] = [layer[at - 1], layer[at]];
      if (crossed(a.ins, b.ins) + crossed(a.outs, b.outs) <= crossed(b.ins, a.ins) + crossed(b.outs, a.outs)) continue;
      layer[at - 1] = b;
      layer[at] = a;
      b.at = at - 1;
      a.at = at;
    }
  }
}

/** How many edges to `above`'s neighbours cross those to `below`'s. */
function crossed(above, below) {
  let sum = 0;
  for (const a of above) for (const b of below) if (a.at > b.at) sum++;
  return sum;
}

/** Crossings between all neighbouring layers, counted with a tree of sums (Barth, Jünger and Mutzel 2002). */
function crossings(layers) {
  let sum = 0;
  for (let i = 1; i < layers.length; i++) {
    const size = layers[i].length;
    const tree = new Int32Array(size + 1);
    let seen = 0;
    for (const item of layers[i - 1]) {
      const ends = item.outs.map(({ at }) => at).sort((a, b) => a - b);
      for (const end of ends) {
        let notAfter = 0;
        for (let k = end + 1; k > 0; k -= k & -k) notAfter += tree[k];
        sum += seen - notAfter;
      }
      for (const end of ends) for (let k = end + 1; k <= size; k += k & -k) tree[k]++;
      seen += ends.length;
    }
  }
  return sum;
}

/** Gives every item its height, neighbours beside one another; answers how high the group is. */
function place({ all, layers }, top) {
  for (const layer of layers) {
    let y = 0;
    for (const item of layer) {
      item.y = y + item.half;
      y += 2 * item.half;
    }
  }
  const pull = (item, other) => (item.node < 0 && other.node < 0 ? STRAIGHTNESS : item.node < 0 || other.node < 0 ? 2 : 1);
  for (let sweep = 0; sweep < COORDINATE_SWEEPS; sweep++) {
    const isLast = sweep >= COORDINATE_SWEEPS - 2;
    const isDown = sweep % 2 === 0;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[isDown ? i : layers.length - 1 - i];
      const weights = [];
      const wanted = layer.map((item) => {
        const beside = isLast ? [...item.ins, ...item.outs] : isDown ? item.ins : item.outs;
        let [sum, weight] = [0, 0];
        for (const other of beside) {
          sum += pull(item, other) * other.y;
          weight += pull(item, other);
        }
        weights.push(weight || 0.01);
        return weight ? sum / weight : item.y;
      });
      spread(layer, wanted, weights);
    }
  }
  const [first, last] = all.reduce(([low, high], { y, height }) => [Math.min(low, y - height / 2), Math.max(high, y + height / 2)], [Infinity, -Infinity]);
  for (const item of all) item.y += top - first;
  return last - first;
}

/**
 * Puts the items of a layer as near to where they want to be as their distances allow, in the sense of least squares:
 * isotonic regression by pooling neighbours that would overlap.
 */
function spread(layer, wanted, weights) {
  const blocks = [];
  let offset = 0;
  const offsets = layer.map((item, at) => (offset += at ? layer[at - 1].half + item.half : 0));
  layer.forEach((_, at) => {
    let block = { mean: wanted[at] - offsets[at], weight: weights[at], count: 1 };
    while (blocks.length && blocks.at(-1).mean > block.mean) {
      const before = blocks.pop();
      const weight = before.weight + block.weight;
      block = { mean: (before.mean * before.weight + block.mean * block.weight) / weight, weight, count: before.count + block.count };
    }
    blocks.push(block);
  });
  let at = 0;
  for (const { mean, count } of blocks) for (let i = 0; i < count; i++, at++) layer[at].y = mean + offsets[at];
}

/** Places of nodes and routes of edges. Edges meet a node at ports of their own, in the order of their other ends. */
function finish(items, links, { width, height, gapX }, places, routes) {
  const left = (layer) => layer * (width + gapX);
  for (const { node, layer, y } of items.all) if (node >= 0) places[node] = { x: left(layer), y, layer };
  const ports = new Map();
  const attach = (item, side, link, other) => {
    const key = `${item.number} ${side}`;
    if (!ports.has(key)) ports.set(key, []);
    ports.get(key).push({ item, link, y: other.y, side });
  };
  for (const link of links) {
    const { chain } = link;
    const isBeside = chain.length === 2 && chain[0].layer === chain[1].layer;
    attach(chain[0], "right", link, chain[1]);
    attach(chain.at(-1), isBeside ? "right" : "left", link, chain.at(-2));
  }
  for (const list of ports.values()) {
    list.sort((a, b) => a.y - b.y || a.link.at - b.link.at);
    const gap = Math.min(PORT_GAP, (height - 12) / Math.max(1, list.length - 1));
    list.forEach(({ item, link, side }, at) => {
      const point = { x: left(item.layer) + (side === "right" ? width : 0), y: item.y + (at - (list.length - 1) / 2) * gap };
      if (item === link.chain[0]) link.start = point;
      else link.end = point;
    });
  }
  for (const { at, chain, start, end, isReversed } of links) {
    const inner = chain.slice(1, -1).flatMap(({ layer, y }) => [{ x: left(layer), y }, { x: left(layer) + width, y }]);
    const route = [start, ...inner, end];
    routes[at] = isReversed ? route.reverse() : route;
  }
}

function round(number) {
  return Math.round(number * 10) / 10;
}
