// SPDX-License-Identifier: Apache-2.0
// What several views make of one trace, made once: self times, and its spans merged by path. Pure.
import { Paths } from "./paths.js";
import { selfTimes } from "./statistics.js";

const selves = new WeakMap();
const merged = new WeakMap();

/** Time of each row while none of its children runs. @param {import("./model.js").TraceModel} model @returns {Float64Array} */
export function selfTimesOf(model) {
  if (!selves.has(model)) selves.set(model, selfTimes(model));
  return selves.get(model);
}

/** @param {import("./model.js").TraceModel} model @returns {Paths} */
export function pathsOf(model) {
  if (!merged.has(model)) merged.set(model, new Paths(model, selfTimesOf(model)));
  return merged.get(model);
}
