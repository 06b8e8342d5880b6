// SPDX-License-Identifier: Apache-2.0
// A tree of merged calls on a plane, left to right: the nodes that hold most time, the rest of each folded into one. Pure.

/**
 * `node` is the path's number, -1 of a fold, which stands for `folded` nodes.
 * @typedef {{ node: number, parent: number, folded: number, calls: number, self: number, errors: number, x: number, y: number }} Box
 */

/**
 * @param {import("./paths.js").Paths} paths
 * @param {{ most: number, column: number, line: number }} grid how many nodes at most, and the distances between their corners
 * @returns {{ boxes: Box[], width: number, height: number }} parents stand before their children
 */
export function graphOf(paths, { most, column, line }) {
  const kept = keptNodes(paths, most);
  const boxes = [];
  const boxOf = new Map();
  const folds = new Map();
  for (let node = 0; node < paths.size; node++) {
    if (kept.has(node)) {
      boxOf.set(node, boxes.length);
      boxes.push({ node, parent: paths.parent[node] < 0 ? -1 : boxOf.get(paths.parent[node]), folded: 0, calls: paths.count[node], self: paths.self[node], errors: paths.errors[node], x: paths.depth[node] * column, y: 0 });
      continue;
    }
    // What lies below a fold belongs to it.
    const above = paths.parent[node];
    const holder = folds.has(above) ? folds.get(above) : null;
    const fold = holder ?? foldBelow(boxes, above < 0 ? -1 : boxOf.get(above), paths.depth[node] * column);
    folds.set(node, fold);
    fold.folded++;
    fold.calls += paths.count[node];
    fold.self += paths.self[node];
    fold.errors += paths.errors[node];
  }
  const height = placeLines(boxes, line);
  return { boxes, width: boxes.reduce((most, { x }) => Math.max(most, x + column), 0), height };
}

/** The nodes with most time in their branch; ancestors have at least as much, and stand before them. */
function keptNodes({ whole, size }, most) {
  if (size <= most) return { has: () => true };
  const order = Array.from({ length: size }, (_, node) => node).sort((a, b) => whole[b] - whole[a] || a - b);
  return new Set(order.slice(0, most));
}

function foldBelow(boxes, parent, x) {
  const found = boxes.find((box) => box.node < 0 && box.parent === parent);
  if (found) return found;
  const fold = { node: -1, parent, folded: 0, calls: 0, self: 0, errors: 0, x, y: 0 };
  boxes.push(fold);
  return fold;
}

/** Leaves one below the other in the order of the tree, parents in the middle of their children. */
function placeLines(boxes, line) {
  const children = boxes.map(() => []);
  const roots = [];
  boxes.forEach((box, index) => (box.parent < 0 ? roots : children[box.parent]).push(index));
  let lines = 0;
  const stack = [...roots].reverse().map((index) => ({ index, isDone: false }));
  while (stack.length) {
    const top = stack.pop();
    const below = children[top.index];
    if (!below.length) boxes[top.index].y = lines++ * line;
    else if (top.isDone) boxes[top.index].y = (boxes[below[0]].y + boxes[below.at(-1)].y) / 2;
    else {
      stack.push({ index: top.index, isDone: true });
      for (const index of [...below].reverse()) stack.push({ index, isDone: false });
    }
  }
  return lines * line;
}
