// SPDX-License-Identifier: Apache-2.0
// What the keys do on the page of a session; the sheet behind `?` prints this table.
import { PARTS } from "./below.js";

/** @param {any} page @returns {import("../lib/keys.js").Command[]} */
export function sessionCommands(page) {
  const rows = () => page.lanes.list.rowsPerPage - 1;
  const ready = (run) => () => { if (page.orchestration) run(); };
  return [
    { keys: ["ArrowDown", "j"], does: "Next session", run: ready(() => page.moveLane(1)) },
    { keys: ["ArrowUp", "k"], does: "Previous session", run: ready(() => page.moveLane(-1)) },
    { keys: ["ArrowRight", "l"], does: "Next step of the session", run: ready(() => page.moveInLane(1)) },
    { keys: ["ArrowLeft", "h"], does: "Previous step of the session", run: ready(() => page.moveInLane(-1)) },
    { keys: ["PageDown"], does: "A page of sessions down", run: ready(() => page.moveLane(rows())) },
    { keys: ["PageUp"], does: "A page of sessions up", run: ready(() => page.moveLane(-rows())) },
    { keys: ["Home"], does: "First session", run: ready(() => page.moveLane(-Infinity)) },
    { keys: ["End"], does: "Last session", run: ready(() => page.moveLane(Infinity)) },
    { keys: ["Enter"], does: "Details of what is chosen", run: ready(() => page.showSide(true, "details")) },
    { keys: ["Escape"], does: "The session instead of the step; then close the panes", run: ready(() => (page.selection.block ? page.choose(page.selection.index, null) : page.showSide(false))) },
    { keys: ["c", " "], does: "Collapse or expand the session", run: ready(() => page.toggle(page.selection.index)) },
    { keys: ["*"], does: "Expand all", run: ready(() => page.setAll(false)) },
    { keys: ["_"], does: "Collapse all", run: ready(() => page.setAll(true)) },
    { keys: ["e"], does: "Next failed step", run: ready(() => page.nextError(1)) },
    { keys: ["E"], does: "Previous failed step", run: ready(() => page.nextError(-1)) },
    { keys: ["+", "="], does: "Zoom in", run: ready(() => page.zoomAt(0.5, 0.5)) },
    { keys: ["-"], does: "Zoom out", run: ready(() => page.zoomAt(0.5, 2)) },
    { keys: ["0"], does: "All of it", run: ready(() => page.zoom(0, 1)) },
    { keys: ["Shift+ArrowLeft"], does: "Earlier", run: ready(() => page.pan(-0.2)) },
    { keys: ["Shift+ArrowRight"], does: "Later", run: ready(() => page.pan(0.2)) },
    { keys: ["p"], does: "Critical path", run: ready(() => page.togglePath()) },
    { keys: ["w"], does: "Open the trace", run: () => page.traceLink.click() },
    ...PARTS.map(({ key, title, name }) => ({ keys: [key], does: title, run: () => page.below.push(name) })),
    { keys: ["r"], does: "Load again", run: () => page.load() },
  ];
}
