// SPDX-License-Identifier: Apache-2.0
// Spans slow for their kind: above the 95th percentile of their operation in the day up to the trace.
import * as api from "../api-more.js";
import { KIND_NAMES } from "./kinds.js";

export const SERVICES_MAX = 12;
const DAY_NANOS = 86_400_000_000_000n;
/** Below, a percentile says little: the slowest of twenty is above the 95th by being the slowest. */
const SPANS_MIN = 20;
/** Percentiles of the server are this far off at most. */
const INACCURACY = 0.045;

/**
 * @param {import("./model.js").TraceModel} model @param {bigint} traceEnd @param {AbortSignal} signal
 * @returns {Promise<Int32Array>}
 */
export async function slowRows(model, traceEnd, signal) {
  const asked = model.services.map((service, index) => ({ ...service, index })).sort((a, b) => b.spanCount - a.spanCount).slice(0, SERVICES_MAX);
  const limits = new Map();
  await Promise.all(asked.map(async ({ name, index }) => {
    const { slices } = await api.serviceStatistics(name, { start: traceEnd - DAY_NANOS, end: traceEnd }, signal);
    for (const operation of slices[0]?.operations ?? []) {
      if (operation.name !== null && operation.spanCount >= SPANS_MIN) limits.set(keyOf(index, operation.name, operation.kind), Number(operation.p95Nanos) * (1 + INACCURACY));
    }
  }));
  return model.rowsWhere((row) => {
    if (model.span[row] < 0) return false;
    const limit = limits.get(keyOf(model.service[row], model.operationName(row), KIND_NAMES[model.kind[row]]));
    return limit !== undefined && model.duration[row] > limit;
  });
}

function keyOf(service, operation, kind) {
  return `${service}\0${kind}\0${operation}`;
}
