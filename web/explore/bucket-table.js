// SPDX-License-Identifier: Apache-2.0
// The heatmap as a table to read: some dozen ranges of time across, as many of durations down, spans and errors in each.
import { count, duration, plural } from "../lib/format.js";
import { h } from "../lib/view.js";
import { regionFacts } from "./heatmap-axes.js";

const COLUMNS_MAX = 12;
const ROWS_MAX = 12;

/** @param {import("./heatmap-model.js").Grid} grid */
export function bucketTable(grid) {
  const { times, durations, cells } = grid.table(COLUMNS_MAX, ROWS_MAX);
  const all = { left: 0, right: grid.columns - 1, low: 0, high: grid.rows - 1 };
  const cell = ({ count: spans, errors }) => h("td", { class: spans > 0 ? null : "faint" }, spans > 0 ? count(Math.round(spans)) : "–",
    errors > 0 ? h("span.bucket-errors", {}, ` ${plural(Math.round(errors), "error")}`) : null);
  const marks = [0.5, 0.9, 0.95, 0.99].map((part) => `p${part * 100} ${duration(grid.percentile(part) ?? 0)}`).join(", ");
  return h("div.bucket-scroller", { tabindex: "0", role: "region", "aria-label": "Spans by start and duration, as a table" },
    h("table.buckets", {},
      h("caption", {}, `Spans by start (across) and duration (down). ${marks}.`),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Duration"), times.map(([left, right]) => h("th", { scope: "col" }, regionFacts(grid, { ...all, left, right }).time.split(" – ")[0])), h("th", { scope: "col" }, "All"))),
      h("tbody", {}, durations.map(([low, high], row) => h("tr", {},
        h("th", { scope: "row" }, regionFacts(grid, { ...all, low, high }).duration), cells[row].map(cell), cell(grid.sum({ ...all, low, high }))))),
      h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "All"), times.map(([left, right]) => cell(grid.sum({ ...all, left, right }))), cell(grid.sum(all))))));
}
