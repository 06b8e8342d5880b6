// SPDX-License-Identifier: Apache-2.0
// What the keys do on the trace page; the sheet behind `?` prints this table.
import { VIEWS } from "./views.js";

/** @param {any} page @returns {import("../lib/keys.js").Command[]} */
export function traceCommands(page) {
  const left = () => {
    const { model, selected, outline } = page;
    if (!model || selected < 0) return;
    const fold = outline.folds.of[selected];
    if (outline.isParent(selected) && outline.isOpen(selected)) page.toggle(selected, false);
    // From within an opened fold: close it.
    else if (fold >= 0 && outline.foldAt(outline.folds.first[fold]) === fold && !outline.closed[fold]) page.toggle(outline.folds.first[fold], false);
    else if (model.parent[selected] >= 0 && selected !== outline.focus) page.select(model.parent[selected]);
  };
  const right = () => {
    const { model, selected, outline } = page;
    if (!model || selected < 0 || !outline.isParent(selected)) return;
    if (!outline.isOpen(selected)) page.toggle(selected, false);
    else page.move(1);
  };
  const sameService = () => {
    const { model, selected } = page;
    if (model) page.goAmong(model.rowsWhere((row) => model.service[row] === model.service[selected]), 1);
  };
  const pageSize = () => page.waterfall.list.rowsPerPage - 1;
  return [
    { keys: ["ArrowDown", "j"], does: "Next row", run: () => page.move(1) },
    { keys: ["ArrowUp", "k"], does: "Previous row", run: () => page.move(-1) },
    { keys: ["ArrowLeft", "h"], does: "Collapse, or go to the parent", run: left },
    { keys: ["ArrowRight", "l"], does: "Expand, or go to the first child", run: right },
    { keys: ["PageDown"], does: "A page down", run: () => page.move(pageSize()) },
    { keys: ["PageUp"], does: "A page up", run: () => page.move(-pageSize()) },
    { keys: ["Home"], does: "First row", run: () => page.move(-Infinity) },
    { keys: ["End"], does: "Last row", run: () => page.move(Infinity) },
    { keys: ["Enter"], does: "Span details", run: () => page.showDetails(true) },
    { keys: ["Escape"], does: "Back out one step", run: () => page.backOut() },
    { keys: ["/"], does: "Find in this trace", run: () => page.find.focus() },
    { keys: ["n"], does: "Next match", run: () => page.nextMatch(1) },
    { keys: ["N"], does: "Previous match", run: () => page.nextMatch(-1) },
    { keys: ["e"], does: "Next error", run: () => page.nextError(1) },
    { keys: ["E"], does: "Previous error", run: () => page.nextError(-1) },
    { keys: ["s"], does: "Next span of the same service", run: sameService },
    { keys: ["p"], does: "Draw the critical path", run: () => page.togglePath() },
    { keys: ["P"], does: "Only the critical path", run: () => page.onlyPath() },
    { keys: ["f"], does: "Fold repeats", run: () => page.setFolding(!page.outline?.isFolding) },
    { keys: ["."], does: "Only this subtree", run: () => page.focusOn(page.selected) },
    { keys: [","], does: "Back out of the subtree", run: () => page.focusBack() },
    { keys: ["+", "="], does: "Zoom in", run: () => page.zoomAt(0.5, 0.5) },
    { keys: ["-"], does: "Zoom out", run: () => page.zoomAt(0.5, 2) },
    { keys: ["0"], does: "The whole trace", run: () => page.zoom(0, 1) },
    { keys: ["Shift+ArrowLeft"], does: "Earlier", run: () => page.pan(-0.2) },
    { keys: ["Shift+ArrowRight"], does: "Later", run: () => page.pan(0.2) },
    { keys: ["*"], does: "Expand all", run: () => page.setAll(false) },
    { keys: ["_"], does: "Collapse all", run: () => page.setAll(true) },
    { keys: ["x"], does: "Mark for compare", run: () => page.app.mark(page.id) },
    { keys: ["["], does: "Previous trace of the results", run: () => page.menu.goNeighbour(-1) },
    { keys: ["]"], does: "Next trace of the results", run: () => page.menu.goNeighbour(1) },
    ...VIEWS.map(({ key, title, name }) => ({ keys: [key], does: title, run: () => page.setView(name) })),
    { keys: ["r"], does: "Load again", run: () => page.load() },
  ];
}
