// SPDX-License-Identifier: Apache-2.0
// What the server told of single spans, kept for those looked at last.
import * as api from "../api.js";
import { nanos } from "../lib/format.js";
import { plainValue } from "./values.js";

const KEPT_MAX = 200;

export class SpanStore {
  /** @param {string} id of the trace @param {AbortSignal} signal */
  constructor(id, signal) {
    this.id = id;
    this.signal = signal;
    /** By row, the one used last at the end. */
    this.kept = new Map();
  }

  /** Of another model rows have other numbers. @param {import("./model.js").TraceModel} model @param {bigint} traceStart */
  begin(model, traceStart) {
    this.kept.clear();
    this.model = model;
    this.traceStart = traceStart;
  }

  /** The span of a row with its resource and scope, as OTLP JSON; null when the model is another one by now. @param {number} row */
  async of(row) {
    const { model, kept } = this;
    const found = kept.get(row) ?? spanFacts(await api.traceSpans(this.id, [model.id(row)], this.signal), this.traceStart);
    if (this.model !== model) return null;
    kept.delete(row);
    kept.set(row, found);
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value);
    const entry = model.spanOf(row, found);
    if (!entry) throw new api.ApiError("The server no longer holds this span.");
    return entry;
  }
}

/** The spans of an answer, with what tells those apart that share an id. @param {any} answer @param {bigint} traceStart */
function spanFacts({ spans, resources, scopes }, traceStart) {
  return spans.map(({ span, resource, scope }) => ({
    span, resource: resources[resource], scope: scopes[scope],
    spanId: span.spanId,
    kind: span.kind ?? 0,
    start: Number(nanos(span.startTimeUnixNano) - traceStart),
    service: plainValue(resources[resource]?.attributes?.find(({ key }) => key === "service.name")?.value) ?? "",
  }));
}
