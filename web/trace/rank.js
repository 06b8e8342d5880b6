// SPDX-License-Identifier: Apache-2.0
// How the duration of a span compares with the others of its operation: its percentile and a small histogram.
import * as api from "../api.js";
import { literal } from "../explore/query-text.js";
import { count, duration, plural } from "../lib/format.js";
import { fill, h, svg } from "../lib/view.js";
import { rankWindow } from "../settings.js";
import { bandsOf, histogramOf, percentileName, quantileOf, rankOf, sizeOf } from "./ranking.js";
import { section } from "./section.js";
import { KIND_NAMES } from "./kinds.js";

const HOUR = 3_600_000_000_000n;
const WINDOWS = { "1h": { length: HOUR, name: "hour" }, "24h": { length: 24n * HOUR, name: "24 h" }, "7d": { length: 168n * HOUR, name: "7 d" } };
/** Steps of the heatmap: its moments are not looked at, only how exactly the window is cut. */
const STEPS = 24n;
const KEPT_MAX = 60;
const WIDTH = 400;
const HEIGHT = 40;

export class Rank {
  /** @param {{ exploreHref: (q: string, from: string, to: string) => string }} actions */
  constructor(actions) {
    this.actions = actions;
    /** Bands by question, the one used last at the end. */
    this.kept = new Map();
    this.body = h("div.rank", {});
    this.choice = h("select.rank-window", { "aria-label": "Compared with the spans of" }, Object.entries(WINDOWS).map(([value, { name }]) => h("option", { value }, name)));
    this.choice.addEventListener("change", () => {
      rankWindow.value = this.choice.value;
      this.ask();
    });
    this.aborted = new AbortController();
  }

  /** @param {import("./model.js").TraceModel} model @param {number} row @param {bigint} traceStart @returns {HTMLElement} */
  show(model, row, traceStart) {
    Object.assign(this, { model, row, traceStart });
    this.choice.value = rankWindow.value;
    this.summary = h("p", { role: "status" });
    fill(this.body);
    this.ask();
    return section("Among its operation", [h("div.rank-head", {}, this.summary, this.choice), this.body]);
  }

  /** Up to now where the trace is in reach of that, else around the trace. */
  get range() {
    const { length, name } = WINDOWS[rankWindow.value];
    const step = length / STEPS;
    const now = BigInt(Date.now()) * 1_000_000n;
    const isRecent = this.traceStart > now - length;
    const end = (((isRecent ? now : this.traceStart + length / 2n) + step - 1n) / step) * step;
    return { start: end - length, end, step, words: isRecent ? `last ${name}` : `${name} around it` };
  }

  get condition() {
    const { model, row } = this;
    return `resource.service.name = ${literal(model.serviceName(row), "string")} && name = ${literal(model.operationName(row), "string")} && kind = ${KIND_NAMES[model.kind[row]] ?? "unspecified"}`;
  }

  async ask() {
    this.stop();
    this.aborted = new AbortController();
    const { signal } = this.aborted;
    const { row, range } = this;
    const q = `{ ${this.condition} }`;
    const key = `${q}\n${range.start}\n${range.step}`;
    const waiting = setTimeout(() => {
      this.body.classList.add("waiting");
      if (!this.summary.firstChild) fill(this.summary, h("span.faint", {}, "Comparing…"));
    }, 150);
    try {
      const bands = this.kept.get(key) ?? bandsOf(await api.heatmap({ q, start: range.start, end: range.end, step: `${range.step}` }, signal));
      this.kept.delete(key);
      this.kept.set(key, bands);
      if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value);
      if (this.row === row && !signal.aborted) this.draw(bands, range);
    } catch (error) {
      if (signal.aborted) return;
      fill(this.summary, h("span.problem", {}, error.message));
      fill(this.body, h("button", { type: "button", onclick: () => this.ask() }, "Try again"));
    } finally {
      clearTimeout(waiting);
      if (this.row === row) this.body.classList.remove("waiting");
    }
  }

  draw(bands, range) {
    const own = this.model.duration[this.row];
    const all = sizeOf(bands);
    if (all < 2) {
      fill(this.summary, h("span.faint", {}, `${all < 1 ? "No span" : "The only span"} of this operation, ${range.words}.`));
      fill(this.body);
      return;
    }
    const name = percentileName(rankOf(bands, own));
    const median = quantileOf(bands, 0.5);
    const failed = bands.reduce((sum, { errors }) => sum + errors, 0);
    fill(this.summary, h("strong", {}, name), ` of ${plural(Math.round(all), "span")}, ${range.words}`);
    const facts = `median ${duration(median)} · p95 ${duration(quantileOf(bands, 0.95))}${failed ? ` · ${count(Math.round(failed))} failed` : ""}`;
    const slower = `{ ${this.condition} && duration >= ${Math.round(own)}ns }`;
    const link = (q, text) => h("a", { href: this.actions.exploreHref(q, `${range.start / 1_000_000_000n}`, `${range.end / 1_000_000_000n}`) }, text);
    fill(this.body, histogram(bands, own, `${plural(Math.round(all), "span")} of this operation, ${range.words}: ${facts}. This one, ${duration(own)}, is at ${name}.`),
      h("p.rank-facts", {}, h("span.faint", {}, facts), h("span.spring"), link(`{ ${this.condition} }`, "All"), link(slower, "As slow")));
  }

  /** Gives up the question that is on its way. */
  stop() {
    this.aborted.abort();
  }
}

/** @param {string} label said aloud */
function histogram(bands, own, label) {
  const { from, to, bars, place } = histogramOf(bands, own);
  const most = Math.max(...bars.map(({ spans }) => spans));
  const step = WIDTH / bars.length;
  const box = (index, from, height) => `M${(index * step + 0.5).toFixed(1)} ${(HEIGHT - from).toFixed(1)}h${(step - 1).toFixed(1)}v${(-height).toFixed(1)}h${(1 - step).toFixed(1)}z`;
  let good = "";
  let bad = "";
  bars.forEach(({ spans, errors }, index) => {
    if (spans <= 0) return;
    const height = Math.max(1.5, (spans / most) * (HEIGHT - 2));
    const failed = Math.min(height, (errors / spans) * height);
    if (height > failed) good += box(index, failed, height - failed);
    if (failed > 0) bad += box(index, 0, failed);
  });
  const x = place(own);
  return h("figure.histogram", {},
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
      svg("path", { class: "histogram-bars", d: good }), svg("path", { class: "histogram-bad", d: bad }), svg("path", { class: "histogram-base", d: `M0 ${HEIGHT}H${WIDTH}` }),
      svg("path", { class: "histogram-own", d: `M${(x * WIDTH).toFixed(1)} 0V${HEIGHT}` })),
    h("figcaption", { "aria-hidden": "true" }, h("span", {}, duration(from)), h("span", {}, duration(to))));
}
