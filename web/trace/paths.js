// SPDX-License-Identifier: Apache-2.0
// A trace's spans merged by path: spans of one service and operation below one node are one node. Pure, iterative: a
// trace may be a chain of thousands. Nodes are numbered as they first appear, so parents stand before their children.

export class Paths {
  /** @param {import("./model.js").TraceModel} model @param {Float64Array} self time of each row */
  constructor(model, self) {
    const { count } = model;
    const node = new Int32Array(count);
    const pairs = new Map();
    const pair = new Int32Array(count);
    for (let row = 0; row < count; row++) {
      // Every missing parent is a node of its own kind.
      const key = model.isPlaceholder(row) ? -1 : model.service[row] * model.operations.length + model.operation[row];
      let number = pairs.get(key);
      if (number === undefined) pairs.set(key, (number = pairs.size));
      pair[row] = number;
    }
    const nodes = new Map();
    const firstRow = [];
    const parent = [];
    for (let row = 0; row < count; row++) {
      const above = model.parent[row] < 0 ? -1 : node[model.parent[row]];
      const key = (above + 1) * pairs.size + pair[row];
      let number = nodes.get(key);
      if (number === undefined) {
        nodes.set(key, (number = nodes.size));
        firstRow.push(row);
        parent.push(above);
      }
      node[row] = number;
    }
    const size = nodes.size;
    this.model = model;
    this.size = size;
    /** The node of each row. */
    this.node = node;
    this.firstRow = Int32Array.from(firstRow);
    this.parent = Int32Array.from(parent);
    this.depth = new Int32Array(size);
    this.count = new Int32Array(size);
    this.errors = new Int32Array(size);
    this.total = new Float64Array(size);
    this.self = new Float64Array(size);
    /** Own time of a node and of all below it: what lies in the branch, however much of it ran side by side. */
    this.whole = new Float64Array(size);
    /** The longest span of each node. */
    this.longest = Int32Array.from(firstRow);
    for (let row = 0; row < count; row++) {
      const at = node[row];
      if (!model.isPlaceholder(row)) {
        this.count[at]++;
        this.total[at] += model.duration[row];
        this.self[at] += self[row];
        if (model.status[row] === 2) this.errors[at]++;
      } else this.total[at] += model.duration[row];
      if (model.duration[row] > model.duration[this.longest[at]]) this.longest[at] = row;
    }
    this.first = new Int32Array(size).fill(-1);
    this.next = new Int32Array(size).fill(-1);
    this.children = new Int32Array(size);
    for (let at = size - 1; at >= 0; at--) {
      const above = this.parent[at];
      this.whole[at] += this.self[at];
      if (above < 0) continue;
      this.whole[above] += this.whole[at];
      this.next[at] = this.first[above];
      this.first[above] = at;
      this.children[above]++;
    }
    for (let at = 0; at < size; at++) if (this.parent[at] >= 0) this.depth[at] = this.depth[this.parent[at]] + 1;
    this.roots = [];
    for (let at = 0; at < size; at++) if (this.parent[at] < 0) this.roots.push(at);
    this.wholeAll = this.roots.reduce((sum, at) => sum + this.whole[at], 0);
  }

  /** The children of a node, or the roots of -1, as they first appear. @param {number} at */
  *below(at) {
    if (at < 0) yield* this.roots;
    else for (let child = this.first[at]; child >= 0; child = this.next[child]) yield child;
  }
}
