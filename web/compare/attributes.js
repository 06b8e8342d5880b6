// SPDX-License-Identifier: Apache-2.0
// How the roots of two sides differ in their attributes, those of their resources included.
import * as api from "../api-more.js";
import { count } from "../lib/format.js";
import { fill, h } from "../lib/view.js";
import { valueText } from "../trace/values.js";

const SHOWN = 200;
const VALUE_MAX = 200;
const AT_ONCE = 4;
const VALUES = 3;

export class RootDifferences {
  constructor(app) {
    this.app = app;
    this.summary = h("summary", {}, "Attributes of the roots");
    this.body = h("div.cmp-attributes", { tabindex: "0", role: "region", "aria-label": "Attributes that differ" });
    this.element = h("details.cmp-roots", {}, this.summary, this.body);
  }

  /** @param {{ skeleton: any, model: import("../trace/model.js").TraceModel }[][]} sides */
  async load(sides, isTypical, signal) {
    try {
      const [a, b] = await Promise.all(sides.map((side) => rootsOf(side, signal)));
      if (signal.aborted) return;
      const rows = differences(a, b);
      const [noun, verb] = rows.length === 1 ? ["attribute", "differs"] : ["attributes", "differ"];
      this.summary.textContent = rows.length ? `${count(rows.length)} ${noun} of the roots ${verb}` : "The roots have the same attributes";
      fill(this.body, rows.length ? h("table.cmp-table", {}, h("thead", {},
        h("tr", {}, ["Attribute", "A", isTypical ? "Typical" : "B"].map((title) => h("th", { scope: "col" }, title)))),
        h("tbody", {}, rows.slice(0, SHOWN).map(({ key, a: left, b: right }) => h("tr", {}, h("th", { scope: "row" }, key.slice(0, VALUE_MAX)),
          h("td", {}, textOf(left, a.length)), h("td", {}, textOf(right, b.length)))))) : null,
        rows.length > SHOWN ? h("p.faint", {}, `${count(rows.length - SHOWN)} more`) : null);
    } catch (error) {
      if (signal.aborted) return;
      this.summary.textContent = "Attributes of the roots could not be read";
      fill(this.body, h("p.problem", {}, error.message), h("button", { type: "button", onclick: () => this.load(sides, isTypical, signal) }, "Try again"));
    }
  }
}

/** The attributes of the first root of each trace. @returns {Promise<Map<string, string>[]>} */
async function rootsOf(side, signal) {
  const roots = [];
  for (let from = 0; from < side.length; from += AT_ONCE) {
    const some = await Promise.all(side.slice(from, from + AT_ONCE).map(async ({ skeleton, model }) => {
      const row = Math.max(0, model.rowsWhere((at) => !model.isPlaceholder(at))[0] ?? 0);
      if (!model.spanCount) return new Map();
      const { spans, resources } = await api.traceSpans(skeleton.traceId, [model.id(row)], signal);
      const found = spans[0];
      if (!found) return new Map();
      const entries = (attributes, prefix) => (attributes ?? []).map(({ key, value }) => [`${prefix}${key}`, valueText(value)]);
      return new Map([...entries(resources[found.resource]?.attributes, "resource."), ...entries(found.span.attributes, "")]);
    }));
    roots.push(...some);
  }
  return roots;
}

/** Attributes whose most frequent values are not the same. @param {Map<string, string>[]} a @param {Map<string, string>[]} b */
export function differences(a, b) {
  const keys = [...new Set([...a, ...b].flatMap((attributes) => [...attributes.keys()]))].sort();
  const isMixed = (values, of) => values[0][1] !== of;
  return keys
    .map((key) => ({ key, a: tally(a, key), b: tally(b, key) }))
    .filter(({ a: left, b: right }) => left[0][0] !== right[0][0] || (isMixed(left, a.length) && isMixed(right, b.length)));
}

/** Values of a key with how many have them, most first; `null` stands for none. @returns {[string | null, number][]} */
function tally(roots, key) {
  const counts = new Map();
  for (const attributes of roots) counts.set(attributes.get(key) ?? null, (counts.get(attributes.get(key) ?? null) ?? 0) + 1);
  return counts.size ? [...counts].sort((x, y) => y[1] - x[1]) : [[null, 0]];
}

function textOf(values, of) {
  const shown = values.slice(0, VALUES).map(([value, times], index) => [index ? ", " : "",
    value === null ? h("em.faint", {}, "none") : value.slice(0, VALUE_MAX), of > 1 ? h("span.faint", {}, ` ×${times}`) : null]);
  return [shown, values.length > VALUES ? h("span.faint", {}, ` and ${values.length - VALUES} more`) : null];
}
