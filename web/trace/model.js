// SPDX-License-Identifier: Apache-2.0
// A trace as typed arrays, in the order it is drawn. Built once from the server's skeleton; pure; safe against anything
// the skeleton may hold: parents that come later, circles, several roots, parents that never arrived.

/** Row numbers of the drawing order are "rows"; the server's are "spans". A placeholder row stands for a missing parent. */
export class TraceModel {
  /** @param {any} skeleton */
  constructor(skeleton) {
    const { spans, services, operations, missingParents = [] } = skeleton;
    const spanCount = spans.id.length;
    const count = spanCount + missingParents.length;
    const raw = rawParents(spans.parent, spanCount, missingParents);
    const { order, parents } = depthFirst(raw, spanCount, missingParents);

    this.traceId = skeleton.traceId;
    this.services = services;
    this.operations = operations;
    this.spanCount = spanCount;
    /** Whether agents, models or tools are at work in it. */
    this.holdsAgents = skeleton.agents === true;
    /** Rows, placeholders included. */
    this.count = count;
    /** The span of each row; of a placeholder -1 - its index in `missing`. */
    this.span = new Int32Array(count);
    this.parent = new Int32Array(count);
    this.depth = new Int32Array(count);
    /** One past the last row below this one. */
    this.end = new Int32Array(count);
    this.service = new Int32Array(count);
    this.operation = new Int32Array(count);
    this.kind = new Uint8Array(count);
    this.status = new Uint8Array(count);
    this.start = new Float64Array(count);
    this.duration = new Float64Array(count);
    this.events = new Int32Array(count);
    this.links = new Int32Array(count);
    /** How many spans each stands for after sampling. */
    this.weight = new Float64Array(count);
    /** Whether a span has not ended: its duration is up to when it was asked for. */
    this.running = new Uint8Array(count);
    /** Children, and where this row stands among its siblings (from one). */
    this.children = new Int32Array(count);
    this.position = new Int32Array(count);
    /** When the last of everything below ends. */
    this.latest = new Float64Array(count);
    this.ids = spans.id;
    this.missing = missingParents;

    const rowOf = new Int32Array(count);
    for (let row = 0; row < count; row++) rowOf[order[row]] = row;
    let roots = 0;
    for (let row = 0; row < count; row++) {
      const node = order[row];
      const isSpan = node < spanCount;
      const parent = parents[node] < 0 ? -1 : rowOf[parents[node]];
      this.span[row] = isSpan ? node : spanCount - 1 - node;
      this.parent[row] = parent;
      this.depth[row] = parent < 0 ? 0 : this.depth[parent] + 1;
      this.position[row] = parent < 0 ? ++roots : ++this.children[parent];
      this.service[row] = isSpan ? spans.service[node] : -1;
      this.operation[row] = isSpan ? spans.operation[node] : -1;
      this.kind[row] = isSpan ? spans.kind[node] : 0;
      this.status[row] = isSpan ? spans.status[node] : 0;
      this.start[row] = isSpan ? spans.start[node] : Infinity;
      this.duration[row] = isSpan ? Math.max(0, spans.duration[node]) : 0;
      this.events[row] = isSpan ? spans.events[node] : 0;
      this.links[row] = isSpan ? spans.links[node] : 0;
      this.weight[row] = isSpan ? spans.weight[node] : 1;
    }
    for (const span of skeleton.open ?? []) if (span >= 0 && span < spanCount) this.running[rowOf[span]] = 1;
    this.rootCount = roots;
    this.depthMax = this.depth.reduce((most, depth) => Math.max(most, depth), 0);
    this.measure();
    /** The whole trace on its own clock; a start can lie before the trace's own by a skewed clock. */
    this.from = 0;
    this.to = Math.max(1, Number(skeleton.durationNanos) || 0, this.to);
    /** @type {Map<string, number> | null} */
    this.rows = null;
    /** @type {string[] | null} */
    this.idsByRow = null;
  }

  /** Ends of subtrees and of time, from the leaves up. */
  measure() {
    let last = 0;
    for (let row = this.count - 1; row >= 0; row--) {
      if (this.end[row] === 0) this.end[row] = row + 1;
      if (this.span[row] < 0) {
        // A placeholder spans what it holds.
        if (this.start[row] === Infinity) this.start[row] = 0;
        this.duration[row] = Math.max(0, this.latest[row] - this.start[row]);
      }
      const ends = Math.max(this.latest[row], this.start[row] + this.duration[row]);
      this.latest[row] = ends;
      last = Math.max(last, ends);
      const parent = this.parent[row];
      if (parent < 0) continue;
      if (this.end[parent] < this.end[row]) this.end[parent] = this.end[row];
      if (this.latest[parent] < ends) this.latest[parent] = ends;
      if (this.span[parent] < 0 && this.start[row] < this.start[parent]) this.start[parent] = this.start[row];
    }
    this.to = last;
  }

  isPlaceholder(row) {
    return this.span[row] < 0;
  }

  /** The span id of a row; a placeholder has the id that its children name. */
  id(row) {
    const span = this.span[row];
    return span >= 0 ? this.ids[span] : this.missing[-1 - span].spanId;
  }

  /** The ids of all rows. */
  get rowIds() {
    this.idsByRow ??= Array.from({ length: this.count }, (_, row) => this.id(row));
    return this.idsByRow;
  }

  serviceName(row) {
    return this.services[this.service[row]]?.name ?? "";
  }

  color(row) {
    return this.services[this.service[row]]?.color ?? null;
  }

  operationName(row) {
    return this.span[row] < 0 ? `missing parent ${this.id(row)}` : this.operations[this.operation[row]] ?? "";
  }

  siblings(row) {
    const parent = this.parent[row];
    return parent < 0 ? this.rootCount : this.children[parent];
  }

  isLastSibling(row) {
    return this.position[row] === this.siblings(row);
  }

  /** The row of a span id, or -1. Of copies the first counts. @param {string} id */
  rowOf(id) {
    if (!this.rows) {
      this.rows = new Map();
      for (let row = this.count - 1; row >= 0; row--) if (this.span[row] >= 0) this.rows.set(this.ids[this.span[row]], row);
    }
    return this.rows.get(id) ?? -1;
  }

  /**
   * The one of `spans` that a row shows: of spans that share an id, as Zipkin's clients and servers do, the one that
   * agrees with the row in most of kind, start and service. Null where the row is none of them.
   * @template {{ spanId: string, kind: number, start: number, service: string }} Facts
   * @param {number} row @param {Facts[]} spans their starts on the trace's clock @returns {Facts | null}
   */
  spanOf(row, spans) {
    const agreement = (span) => (span.kind === this.kind[row]) + (span.start === this.start[row]) + (span.service === this.serviceName(row));
    return spans.filter(({ spanId }) => spanId === this.id(row)).reduce((best, span) => (best && agreement(best) >= agreement(span) ? best : span), null);
  }

  /** From the root to the row. @returns {number[]} */
  path(row) {
    const path = [];
    for (let at = row; at >= 0; at = this.parent[at]) path.push(at);
    return path.reverse();
  }

  /**
   * The stretches of a row in which none of its children runs, as [start, end, start, end, …] on the trace's clock,
   * leaving out gaps shorter than `resolution`.
   */
  selfStretches(row, resolution = 0) {
    const stop = this.start[row] + this.duration[row];
    const intervals = [];
    let isSorted = true;
    for (let child = row + 1; child < this.end[row]; child = this.end[child]) {
      if (intervals.length && this.start[child] < intervals[intervals.length - 2]) isSorted = false;
      intervals.push(this.start[child], this.start[child] + this.duration[child]);
    }
    const sorted = isSorted ? intervals : sortPairs(intervals);
    const stretches = [];
    let at = this.start[row];
    for (let i = 0; i < sorted.length; i += 2) {
      const from = Math.min(sorted[i], stop);
      if (from - at > resolution) stretches.push(at, from);
      if (sorted[i + 1] > at) at = sorted[i + 1];
      if (at >= stop) break;
    }
    if (stop - at > resolution) stretches.push(at, stop);
    return stretches;
  }

  /** Time in the row itself. @returns {number} nanoseconds */
  selfTime(row) {
    let sum = 0;
    const stretches = this.selfStretches(row);
    for (let i = 0; i < stretches.length; i += 2) sum += stretches[i + 1] - stretches[i];
    return sum;
  }

  /**
   * The rows that show when `collapsed` rows hide what is below them.
   * @param {Uint8Array} collapsed @returns {Int32Array}
   */
  visibleRows(collapsed) {
    const visible = new Int32Array(this.count);
    let filled = 0;
    for (let row = 0; row < this.count; row = collapsed[row] ? this.end[row] : row + 1) visible[filled++] = row;
    return visible.subarray(0, filled);
  }

  /**
   * Rows whose operation or service contains the text, in drawing order. Goes through the dictionaries, then the rows.
   * @param {string} text @returns {Int32Array}
   */
  find(text) {
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return new Int32Array(0);
    const operations = this.operations.map((name) => name.toLowerCase().includes(wanted));
    const services = this.services.map(({ name }) => name.toLowerCase().includes(wanted));
    const idRow = /^[0-9a-f]{16}$/.test(wanted) ? this.rowOf(wanted) : -1;
    return this.rowsWhere((row) => row === idRow || (this.span[row] >= 0 && (operations[this.operation[row]] || services[this.service[row]])));
  }

  /** @returns {Int32Array} */
  errorRows() {
    return this.rowsWhere((row) => this.status[row] === 2);
  }

  /** @param {(row: number) => boolean} test @returns {Int32Array} */
  rowsWhere(test) {
    const found = new Int32Array(this.count);
    let filled = 0;
    for (let row = 0; row < this.count; row++) if (test(row)) found[filled++] = row;
    return found.subarray(0, filled);
  }
}

function sortPairs(pairs) {
  const indexes = Array.from({ length: pairs.length / 2 }, (_, i) => i).sort((a, b) => pairs[2 * a] - pairs[2 * b]);
  return indexes.flatMap((i) => [pairs[2 * i], pairs[2 * i + 1]]);
}

/** Parents of nodes; nodes from `spanCount` on are placeholders. */
function rawParents(given, spanCount, missingParents) {
  const parents = new Int32Array(spanCount + missingParents.length).fill(-1);
  for (let node = 0; node < spanCount; node++) {
    const parent = given[node];
    if (Number.isInteger(parent) && parent >= 0 && parent < spanCount && parent !== node) parents[node] = parent;
  }
  missingParents.forEach(({ rows }, index) => {
    for (const row of rows) if (row >= 0 && row < spanCount && parents[row] < 0) parents[row] = spanCount + index;
  });
  return parents;
}

/**
 * All nodes, parents before children, siblings in the order given; a circle is cut at its first node.
 * A placeholder stands where its first span stood. Iterative: depth may be any.
 */
function depthFirst(parents, spanCount, missingParents) {
  const count = parents.length;
  const first = new Int32Array(count).fill(-1);
  const next = new Int32Array(count).fill(-1);
  for (let node = count - 1; node >= 0; node--) {
    const parent = parents[node];
    if (parent >= 0) {
      next[node] = first[parent];
      first[parent] = node;
    }
  }
  const order = new Int32Array(count);
  const seen = new Uint8Array(count);
  const stack = new Int32Array(count + 1);
  let filled = 0;
  const walk = (root) => {
    let height = 0;
    stack[height++] = root;
    while (height > 0) {
      const node = stack[--height];
      if (seen[node]) continue;
      seen[node] = 1;
      order[filled++] = node;
      if (node !== root && next[node] >= 0) stack[height++] = next[node];
      if (first[node] >= 0) {
        // The sibling was pushed first, so the child comes off the stack before it.
        stack[height++] = first[node];
      }
    }
  };
  for (let node = 0; node < spanCount; node++) {
    if (seen[node]) continue;
    const parent = parents[node];
    if (parent >= spanCount) walk(parent);
    else if (parent < 0) walk(node);
  }
  for (let node = 0; node < count; node++) {
    if (seen[node]) continue;
    // Only circles are left (and placeholders that hold nothing): cut here.
    if (node < spanCount) parents[node] = -1;
    walk(node);
  }
  return { order, parents };
}
