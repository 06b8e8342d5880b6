// SPDX-License-Identifier: Apache-2.0
// The context of the chosen session: a bar for each model call, what its tools brought in, and the calls to read.
import { compactCount, count, plural, share, shortened } from "../lib/format.js";
import { fill, h, svg } from "../lib/view.js";
import { Figures } from "../services/figures.js";
import { broughtBy, contextSums, modelCalls } from "./context-cost.js";
import { after } from "./words.js";

const HEIGHT = 96;
/** More calls than this share bars, each as high as the highest of its calls. */
const BARS_MAX = 240;
const ROWS_FIRST = 10;

const tokens = (value) => h("span", { title: count(value) }, compactCount(value));
const dash = () => h("span.faint", {}, "–");

/** @param {any} page @returns {import("./tables.js").Part} */
export function context(page) {
  const note = h("p.part-note", {});
  const chart = h("div.context-chart", {});
  const tools = new Figures({
    label: "What tools brought into the context", sort: "-sent", first: ROWS_FIRST, columns: [
      { key: "name", title: "Tool", by: (row) => row.toolName, cell: (row) => h("code.tool-name", { title: shortened(row.toolName) }, shortened(row.toolName, 120) || "unnamed") },
      { key: "results", title: "Results", numeric: true, by: (row) => row.results, cell: (row) => count(row.results) },
      { key: "tokens", title: "Tokens", says: "What the context grew by after results of this tool, about", numeric: true, by: (row) => row.tokens, cell: (row) => tokens(row.tokens) },
      { key: "sent", title: "Sent", says: "The same, as often as it was sent with later calls", numeric: true, by: (row) => row.sent, cell: (row) => tokens(row.sent) },
      { key: "share", title: "Share", says: "Of all tokens that the session's models were given", numeric: true, className: "spare", by: (row) => row.sent, cell: (row) => share(row.sent / Math.max(1, whole)) },
    ],
  });
  const calls = new Figures({
    label: "Model calls and their context", sort: "", first: ROWS_FIRST, columns: [
      { key: "number", title: "Call", by: (row) => row.number, cell: (row) => h("button.as-link", { type: "button", onclick: () => page.choose(index, row.block) }, `${row.number}. ${shortened(row.block.name, 60)}`) },
      { key: "start", title: "Start", numeric: true, className: "spare", by: (row) => row.block.from, cell: (row) => after(row.block.from) },
      { key: "input", title: "Context", numeric: true, by: (row) => row.input, cell: (row) => tokens(row.input) },
      { key: "cached", title: "Cached", numeric: true, by: (row) => row.cached, cell: (row) => (row.cached ? share(row.cached / row.input) : dash()) },
      { key: "added", title: "New", numeric: true, by: (row) => row.added, cell: (row) => (row.added ? tokens(row.added) : dash()) },
      { key: "output", title: "Out", numeric: true, className: "spare", by: (row) => row.output, cell: (row) => (row.output ? tokens(row.output) : dash()) },
    ],
  });
  const element = h("div.part.context-part", {}, note, chart, tools.element, calls.element);
  let index = -1;
  let shown = null;
  let whole = 0;
  let bars = [];

  const mark = () => {
    const { block } = page.selection;
    for (const { element: bar, some } of bars) bar.classList.toggle("chosen", some.some((call) => call.block === block));
  };
  const draw = () => {
    const { blocks } = page.laneOf(index);
    if (shown === blocks) {
      mark();
      return;
    }
    shown = blocks;
    const found = modelCalls(blocks);
    const sums = contextSums(found);
    whole = sums.input;
    chart.hidden = tools.element.hidden = calls.element.hidden = !found.length;
    const name = shortened(page.orchestration.sessions[index].agentName ?? "", 80) || "no agent named";
    if (!found.length) {
      fill(note, h("span.faint", {}, `No model call of ${name} says how many tokens it was given.`));
      return;
    }
    fill(note, h("strong", {}, name), ` · ${plural(found.length, "model call")} read ${compactCount(sums.input)} tokens, at most ${compactCount(sums.most)} at once`,
      sums.again > 0 ? ` · ${share(sums.again / sums.input)} had been sent before` : null, sums.cached > 0 ? ` · ${share(sums.cached / sums.input)} came from the cache` : null);
    const brought = broughtBy(found);
    tools.element.hidden = !brought.length;
    tools.show(brought, tools.sort);
    calls.show(found, calls.sort);
    fill(chart, drawing(found, sums.most));
    mark();
  };
  const drawing = (found, most) => {
    const size = Math.ceil(found.length / BARS_MAX);
    const groups = Array.from({ length: Math.ceil(found.length / size) }, (_, place) => found.slice(place * size, (place + 1) * size));
    const high = (value) => (value / Math.max(1, most)) * (HEIGHT - 4);
    bars = groups.map((some, place) => {
      const call = some.reduce((top, each) => (each.input > top.input ? each : top));
      const [all, cached] = [high(call.input), high(Math.min(call.cached, call.input))];
      const fresh = Math.min(all - cached, high(call.added));
      return {
        some, element: svg("g", { class: "context-bar", transform: `translate(${place} 0)`, "data-place": place },
          svg("title", {}, `${some.length > 1 ? `Calls ${some[0].number} to ${some.at(-1).number}, at most ` : `Call ${call.number}: `}${count(call.input)} tokens, ${count(call.cached)} from the cache, ${count(call.added)} new`),
          svg("rect", { class: "context-room", x: 0, y: 0, width: 1, height: HEIGHT }), svg("rect", { class: "context-again", x: 0.1, y: HEIGHT - all, width: 0.8, height: all }),
          svg("rect", { class: "context-cached", x: 0.1, y: HEIGHT - cached, width: 0.8, height: cached }), svg("rect", { class: "context-new", x: 0.1, y: HEIGHT - all, width: 0.8, height: fresh })),
      };
    });
    const picture = svg("svg", { viewBox: `0 0 ${Math.max(groups.length, 24)} ${HEIGHT}`, preserveAspectRatio: "none", width: "100%", height: HEIGHT, role: "img", "aria-label": `Tokens of context by model call, at most ${count(most)}; the table below says the same` }, bars.map(({ element: bar }) => bar));
    picture.addEventListener("click", (event) => {
      const bar = event.target.closest(".context-bar");
      if (bar) page.choose(index, bars[Number(bar.getAttribute("data-place"))].some[0].block, { opens: true });
    });
    const legend = [["context-new", "new"], ["context-again", "sent again"], ["context-cached", "from the cache"]].map(([key, word]) => h("li", {}, h(`span.context-mark.${key}`, {}), word));
    return [picture, h("ul.class-legend", {}, legend, h("li", {}, `highest bar ${compactCount(most)} tokens`))];
  };
  const show = () => {
    index = Math.max(0, page.selection.index);
    if (!page.orchestration.sessions[index]) return;
    draw();
    if (page.stepsOf(index) === null) page.wantSteps([index]).then(() => { if (page.orchestration?.sessions[index]) draw(); });
  };
  return { element, show, follow: show };
}
