// SPDX-License-Identifier: Apache-2.0
// What sets the spans of a selection apart from the others: attributes that differ most, their values as paired bars, each
// of which narrows the query.
import * as api from "../api-more.js";
import { count, plural, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, fill, h } from "../lib/view.js";
import { toggled, written } from "./conditions.js";
import { apart, apartInTime, isAskable } from "./explain-model.js";

const ATTRIBUTES_FIRST = 8;
const FIELDS = 40;
const VALUES = 5;
const FACET_VALUES = 100;
const TEXT_MAX = 200;

export class Explanation {
  /**
   * @param {{ question: any, grid: import("./heatmap-model.js").Grid, region: import("./heatmap-model.js").Region,
   *   facts: { time: string, duration: string, spans: string }, ask: (q: string) => void, close: () => void, say: (text: string) => void }} about
   */
  constructor(about) {
    this.about = about;
    this.flight = new AbortController();
    this.isTimed = about.grid.durationTerms(about.region).length === 0;
    this.shown = ATTRIBUTES_FIRST;
    const { facts } = about;
    const others = this.isTimed ? "the others of the picture" : about.grid.isWholeTime(about.region) ? "the others of the picture" : "the others of the same time";
    this.note = h("p.faint", {}, "Comparing…");
    this.body = h("div.explain-body", {});
    this.element = h("section.explain", { "aria-label": "What sets the selection apart", tabindex: "-1", onkeydown: (event) => this.key(event) },
      h("div.explain-head", {},
        h("h3.as-is", {}, h("strong", {}, `${facts.spans} of ${facts.duration}, ${facts.time}`), ` against ${others}`),
        h("span.spring"),
        h("span.explain-legend", { "aria-hidden": "true" }, h("span.pair-key.selected"), "selected", h("span.pair-key"), "others"),
        h("button.icon-button", { type: "button", "aria-label": "Close the explanation", title: "Close (Esc)", onclick: () => about.close() }, icon("close"))),
      this.note, this.body);
  }

  key(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.about.close();
  }

  async load() {
    const { question: { q }, grid, region, say } = this.about;
    const { signal } = this.flight;
    attribute(this.element, "aria-busy", "true");
    fill(this.body);
    this.element.focus({ preventScroll: true });
    const all = { start: grid.edge(0) + 1n, end: grid.edge(grid.columns) + 1n };
    try {
      if (this.isTimed) {
        const wanted = { q, fields: FIELDS * 2, limit: FACET_VALUES };
        this.found = apartInTime(...(await Promise.all([api.facets({ ...wanted, ...grid.range(region) }, signal), api.facets({ ...wanted, ...all }, signal)])));
      } else {
        const selection = `{ ${grid.durationTerms(region).join(" && ")} }`;
        this.found = apart(await api.differences({ q, selection, ...grid.range(region), fields: FIELDS, limit: VALUES + 1 }, signal));
      }
      if (signal.aborted) return;
      this.draw();
      say(this.found.attributes.length ? `${plural(this.found.attributes.length, "attribute")} differ, most of all ${this.found.attributes[0].name}` : "Nothing sets these spans apart");
    } catch (error) {
      if (!signal.aborted) this.showProblem(error);
    } finally {
      attribute(this.element, "aria-busy", null);
    }
  }

  draw() {
    const { selected, rest, attributes } = this.found;
    const few = attributes.slice(0, this.shown);
    const against = `${plural(Math.round(selected), "span")} against ${count(Math.round(rest))}`;
    if (rest <= 0) fill(this.note, "There are no other spans to compare with.");
    else if (!few.length) fill(this.note, `${against}: no attribute differs.`);
    else fill(this.note, `${against}: shares of the values that differ most. A value narrows the query.`);
    const left = attributes.length - few.length;
    fill(this.body, few.map((one) => this.attribute(one)),
      left > 0 ? h("button.quiet.explain-more", { type: "button", onclick: () => { this.shown = Infinity; this.draw(); } }, `${plural(left, "more attribute")}`) : null);
  }

  /** @param {import("./explain-model.js").Apart} one */
  attribute({ name, difference, pairs }) {
    const most = Math.max(0.001, ...pairs.map((pair) => Math.max(pair.share, pair.restShare)));
    const title = h("h4.explain-name", { title: name }, h("code", { dir: "auto" }, cut(name)), h("span.faint", { title: "How well the value alone tells the two apart" }, share(difference)));
    return h("section.explain-attribute", { "aria-label": cut(name) }, title, h("ul.pairs", {}, pairs.slice(0, VALUES).map((pair) => this.pair(name, pair, most))));
  }

  pair(name, { value, type, share: inside, restShare }, most) {
    const { question, ask } = this.about;
    const text = value === "" ? "(empty)" : cut(value);
    const bar = (part, kind) => h(`span.pair-bar${kind}`, { style: { width: `${(part / most) * 100}%` } });
    const says = `${text}: ${share(inside)} of the selected, ${share(restShare)} of the others`;
    const value_ = isAskable(type)
      ? h("button.pair-value", { type: "button", dir: "auto", title: `Only ${text}\n${says}`, "aria-label": `Only ${says}`, onclick: () => ask(toggled(question.q, name, "=", written(value, type))) }, h("bdi", {}, text))
      : h("span.pair-value", { dir: "auto", title: says }, text);
    return h("li.pair", {}, value_,
      h("span.pair-bars", { "aria-hidden": "true" }, bar(inside, ".selected"), bar(restShare, "")),
      h("span.pair-shares", { "aria-hidden": isAskable(type) ? "true" : null }, h("span", {}, share(inside)), h("span.faint", {}, share(restShare))),
      isAskable(type)
        ? h("button.icon-button.pair-exclude", { type: "button", "aria-label": `Exclude ${text}`, title: "Exclude", onclick: () => ask(toggled(question.q, name, "!=", written(value, type))) }, icon("exclude"))
        : h("span"));
  }

  showProblem(error) {
    fill(this.note);
    fill(this.body, h("p.heat-problem", { role: "alert" }, icon("error"), h("span", {}, `The comparison failed: ${error.message}`, error.requestId ? [" Request ", h("code", {}, error.requestId)] : null),
      h("button", { type: "button", onclick: () => this.load() }, "Try again")));
  }

  stop() {
    this.flight.abort();
  }
}

function cut(text) {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
