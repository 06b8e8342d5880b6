// SPDX-License-Identifier: Apache-2.0
// What the server told of single spans, kept for those looked at last.
import * as api from "../api-more.js";
import { nanos } from "../lib/format.js";
import { plainValue } from "./values.js";

const KEPT_MAX = 200;

export class SpanStore {
  /** @param {string} id of the trace @param {AbortSignal} signal */
  constructor(id, signal) {
    this.id = id;
    this.signal = signal;
    /** By row, the one asked for last at the end. */
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
    const { model } = this;
    if (!this.kept.has(row)) await this.want([row]);
    if (this.model !== model) return null;
    const entry = this.known(row);
    if (!entry) throw new api.ApiError("The server no longer holds this span.");
    return entry;
  }

  /** The same where it is here already, else null. @param {number} row */
  known(row) {
    return this.model.spanOf(row, this.kept.get(row) ?? []);
  }

  /** Asks for the spans of some rows at once. @param {number[]} rows at most 200 */
  async want(rows) {
    const { model, kept } = this;
    const found = spanFacts(await api.traceSpans(this.id, rows.map((row) => model.id(row)), this.signal), this.traceStart);
    if (this.model !== model) return;
    for (const row of rows) {
      kept.delete(row);
      kept.set(row, found.filter(({ spanId }) => spanId === model.id(row)));
    }
    for (const row of kept.keys()) {
      if (kept.size <= KEPT_MAX) break;
      kept.delete(row);
    }
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
