// SPDX-License-Identifier: Apache-2.0
// The thread that holds the tree together: one row's piece of it, as an SVG path. Pure.

/**
 * Lines of the ancestors that go on below, the turn into this row, and the start towards its own children.
 * @param {{ depth: ArrayLike<number>, parent: ArrayLike<number>, isParent(row: number): boolean, isLastSibling(row: number): boolean }} tree
 * @param {number} row @param {boolean} isOpen has children that show
 * @param {{ left: number, indent: number, height: number, depthMax: number, base: number }} grid `base` is the depth that stands leftmost
 */
export function threadPath(tree, row, isOpen, { left, indent, height, depthMax, base }) {
  const depth = tree.depth[row] - base;
  const x = (level) => left + level * indent;
  const middle = height / 2;
  // Beyond the deepest indent the thread runs straight down.
  if (depth > depthMax) return `M${x(depthMax)} 0V${isOpen || !tree.isLastSibling(row) ? height : middle}`;
  let path = "";
  if (depth > 0) {
    path += turnPath(depth, tree.isParent(row), { left, indent, height });
    if (!tree.isLastSibling(row)) path += `M${x(depth - 1)} ${middle - 5}V${height}`;
    let ancestor = tree.parent[row];
    for (let level = depth - 1; level > 0; level--) {
      if (!tree.isLastSibling(ancestor)) path += `M${x(level - 1)} 0V${height}`;
      ancestor = tree.parent[ancestor];
    }
  }
  if (isOpen) path += `M${x(depth)} ${middle + 6}V${height}`;
  return path;
}

/**
 * From the parent's thread, above, into a row: up to its chevron when it is a parent, else to its swatch.
 * @param {number} depth of the row, from 1
 */
export function turnPath(depth, isParent, { left, indent, height }) {
  const start = left + (depth - 1) * indent;
  const round = Math.min(5, indent - 3);
  const stop = Math.max(start + round, start + indent - (isParent ? 7 : -8));
  return `M${start} 0V${height / 2 - round}q0 ${round} ${round} ${round}H${stop}`;
}
