// SPDX-License-Identifier: Apache-2.0
// Two sides of a comparison as one tree: a node for each path of services and operations that any of the traces has.
// A side is one trace or several, and then their average. Pure; iterative, so that depth may be any.

/** Less of a difference is none: both parts as in the comparison of the API. */
const SHARE_OF_PATH = 0.1;
const SHARE_OF_TRACE = 0.01;

/** @typedef {"same" | "onlyA" | "onlyB" | "slower" | "faster" | "count"} Change */

/** Nodes stand parents first, siblings by when they begin. Arrays of pairs hold A's figure, then B's. */
export class Comparison {
  /**
   * @param {import("../trace/model.js").TraceModel[]} a @param {import("../trace/model.js").TraceModel[]} b
   * @param {{ between?: number, baseline?: 0 | 1 }} [how] `between`: nanoseconds from the start of A's trace to that of B's, 0
   *   unless absolute times matter; `baseline`: the side that the other is measured against, A unless B is what is typical
   */
  constructor(a, b, { between = 0, baseline = 0 } = {}) {
    const sides = [a, b];
    this.baseline = baseline;
    this.other = 1 - baseline;
    this.isAverage = sides.map((models) => models.length > 1);
    const gathered = gather(sides, between);
    const { order, depths, ends, parents } = arrange(gathered);
    this.count = order.length;
    this.parent = parents;
    this.depth = depths;
    /** One past the last node below. */
    this.end = ends;
    this.service = order.map((node) => gathered.service[node]);
    this.operation = order.map((node) => gathered.operation[node]);
    const pairs = (values) => [0, 1].map((side) => Float64Array.from(order, (node) => values[side][node]));
    const average = (values) => [0, 1].map((side) => Float64Array.from(order, (node) => values[side][node] / Math.max(1, sides[side].length)));
    this.spans = average(gathered.spans);
    this.errors = average(gathered.errors);
    this.total = average(gathered.total);
    this.self = average(gathered.self);
    /** First start and last end, averaged over the traces that have the path; NaN where none has. */
    this.start = pairs(gathered.start.map((sums, side) => sums.map((sum, node) => sum / gathered.traces[side][node])));
    this.finish = pairs(gathered.finish.map((sums, side) => sums.map((sum, node) => sum / gathered.traces[side][node])));
    /** The first span of the path, with the place of its trace in the side. */
    this.first = [0, 1].map((side) => order.map((node) => gathered.first[side][node]));
    this.duration = sides.map((models) => (models.length ? models.reduce((sum, model) => sum + model.to, 0) / models.length : 0));
    this.spanCount = sides.map((models) => (models.length ? models.reduce((sum, model) => sum + model.spanCount, 0) / models.length : 0));
    this.errorCount = sides.map((models) => (models.length ? models.reduce((sum, model) => sum + model.errorRows().length, 0) / models.length : 0));
    const longest = Math.max(...this.duration);
    /** @type {Change[]} */
    this.change = Array.from({ length: this.count }, (_, node) => this.changeOf(node, longest));
    this.isNewError = Array.from({ length: this.count }, (_, node) => this.fails(this.other, node) && !this.fails(this.baseline, node));
    const known = [...this.start, ...this.finish].flatMap((values) => [...values]).filter(Number.isFinite);
    this.from = known.reduce((least, value) => Math.min(least, value), 0);
    this.to = known.reduce((most, value) => Math.max(most, value), 1);
  }

  changeOf(node, longest) {
    const [a, b] = [this.spans[0][node], this.spans[1][node]];
    // Of several traces, what fewer than every other one has is no rule.
    if (a === 0) return b < 0.5 ? "same" : "onlyB";
    if (b === 0) return a < 0.5 ? "same" : "onlyA";
    const [before, after] = [this.total[0][node], this.total[1][node]];
    const difference = Math.abs(after - before);
    const isMore = difference > SHARE_OF_PATH * Math.max(before, after) && difference > SHARE_OF_TRACE * longest;
    if (isMore) return this.delta("total", node) > 0 ? "slower" : "faster";
    return a === b || Math.abs(a - b) < 0.5 ? "same" : "count";
  }

  has(side, node) {
    return this.spans[side][node] > 0;
  }

  /** Whether spans of the path fail; of an average, half of them. */
  fails(side, node) {
    return this.errors[side][node] > 0 && (!this.isAverage[side] || this.errors[side][node] >= this.spans[side][node] / 2);
  }

  differs(node) {
    return this.change[node] !== "same" || this.fails(0, node) !== this.fails(1, node);
  }

  /** How much more of a figure there is than in the baseline. @param {"total" | "self" | "spans" | "errors"} figure */
  delta(figure, node) {
    return this[figure][this.other][node] - this[figure][this.baseline][node];
  }

  isLeaf(node) {
    return this.end[node] === node + 1;
  }

  /** Whether each node or anything below it differs. @returns {Uint8Array} */
  differing() {
    const found = new Uint8Array(this.count);
    for (let node = this.count - 1; node >= 0; node--) {
      if (this.differs(node)) found[node] = 1;
      if (found[node] && this.parent[node] >= 0) found[this.parent[node]] = 1;
    }
    return found;
  }

  /**
   * Nodes that show, in order.
   * @param {Set<number>} collapsed nodes that hide what is below them @param {{ onlyDiffering?: boolean, sort?: string }} [how]
   * `sort` by a figure makes a flat list, the largest differences first
   */
  visible(collapsed, { onlyDiffering = false, sort = "" } = {}) {
    const wanted = onlyDiffering ? this.differing() : null;
    const nodes = [];
    if (sort) {
      for (let node = 0; node < this.count; node++) if (!onlyDiffering || this.differs(node)) nodes.push(node);
      const size = (node) => Math.abs(this.delta(sort, node));
      return nodes.sort((a, b) => size(b) - size(a) || a - b);
    }
    for (let node = 0; node < this.count; node = collapsed.has(node) ? this.end[node] : node + 1) {
      if (!wanted || wanted[node]) nodes.push(node);
    }
    return nodes;
  }
}

/** Sums over all spans of both sides, by path; paths in the order in which they were met. */
function gather(sides, between) {
  const gathered = { parent: [], service: [], operation: [] };
  for (const figure of ["spans", "errors", "total", "self", "start", "finish", "traces", "first"]) gathered[figure] = [[], []];
  const byKey = new Map();
  const nodeOf = (parent, service, operation) => {
    const key = `${parent}\0${service}\0${operation}`;
    let node = byKey.get(key);
    if (node === undefined) {
      node = gathered.parent.length;
      byKey.set(key, node);
      gathered.parent.push(parent);
      gathered.service.push(service);
      gathered.operation.push(operation);
      for (const side of [0, 1]) {
        for (const figure of ["spans", "errors", "total", "self", "start", "finish", "traces"]) gathered[figure][side].push(0);
        gathered.first[side].push(null);
      }
    }
    return node;
  };
  sides.forEach((models, side) => models.forEach((model, trace) => {
    // Each trace begins where its first root does; clocks and dates do not matter, unless asked for.
    const zero = (model.count ? model.start[0] : 0) - (side === 1 ? between : 0);
    const nodes = new Int32Array(model.count);
    const extent = new Map();
    for (let row = 0; row < model.count; row++) {
      const isHeld = model.isPlaceholder(row);
      const parent = model.parent[row] < 0 ? -1 : nodes[model.parent[row]];
      const node = nodeOf(parent, model.serviceName(row), isHeld ? "missing parent" : model.operationName(row));
      nodes[row] = node;
      const [start, finish] = [model.start[row] - zero, model.start[row] + model.duration[row] - zero];
      const known = extent.get(node);
      if (!known) extent.set(node, [start, finish]);
      else {
        known[0] = Math.min(known[0], start);
        known[1] = Math.max(known[1], finish);
      }
      gathered.spans[side][node]++;
      if (model.status[row] === 2) gathered.errors[side][node]++;
      gathered.total[side][node] += model.duration[row];
      if (!isHeld) gathered.self[side][node] += model.selfTime(row);
      gathered.first[side][node] ??= { trace, spanId: isHeld ? "" : model.id(row) };
    }
    for (const [node, [start, finish]] of extent) {
      gathered.start[side][node] += start;
      gathered.finish[side][node] += finish;
      gathered.traces[side][node]++;
    }
  }));
  return gathered;
}

/** Depth first, siblings by their first start on either side. */
function arrange({ parent, start, traces }) {
  const count = parent.length;
  const beginsOn = (side, node) => (traces[side][node] ? start[side][node] / traces[side][node] : Infinity);
  const begins = Float64Array.from({ length: count }, (_, node) => Math.min(beginsOn(0, node), beginsOn(1, node)));
  const children = Array.from({ length: count }, () => []);
  const roots = [];
  for (let node = 0; node < count; node++) (parent[node] < 0 ? roots : children[parent[node]]).push(node);
  const byStart = (a, b) => begins[a] - begins[b] || a - b;
  const order = [];
  const place = new Int32Array(count);
  const stack = roots.sort(byStart).reverse();
  while (stack.length) {
    const node = stack.pop();
    place[node] = order.length;
    order.push(node);
    for (const child of children[node].sort(byStart).reverse()) stack.push(child);
  }
  const parents = Int32Array.from(order, (node) => (parent[node] < 0 ? -1 : place[parent[node]]));
  const depths = new Int32Array(count);
  const ends = Int32Array.from({ length: count }, (_, index) => index + 1);
  for (let index = 0; index < count; index++) depths[index] = parents[index] < 0 ? 0 : depths[parents[index]] + 1;
  for (let index = count - 1; index >= 0; index--) if (parents[index] >= 0) ends[parents[index]] = Math.max(ends[parents[index]], ends[index]);
  return { order, parents, depths, ends };
}
