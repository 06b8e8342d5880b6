// SPDX-License-Identifier: Apache-2.0
// The part of the API that Explore does without: what is asked of single traces and of services, what streams, and what is uploaded.
import { ApiError, BASE, ROOT, change, get, refusal, send } from "./api.js";

export * from "./api.js";

/**
 * One value for each series of a metrics query over exactly this range, as Tempo's API answers it.
 * @returns {Promise<{ labels: Object<string, string>, value: number }[]>} a missing attribute has no label
 */
export async function metricsAtOnce({ q, start, end }, signal) {
  const { series } = await get("../../../tempo/api/metrics/query", { q, start, end, maxSeries: 10_000 }, signal);
  return series.map(({ labels = [], value }) => ({
    labels: Object.fromEntries(labels.map((label) => [label.key, Object.values(label.value ?? {})[0] ?? ""]).filter(([, text]) => text !== "nil")), value: Number(value ?? 0),
  }));
}

/**
 * A query of the sums in PromQL, as it stands at a moment.
 * @param {string} query @param {bigint} at @returns {Promise<{ metric: Object<string, string>, value: [number, string] }[]>}
 */
export async function sums(query, at, signal) {
  const url = new URL("prometheus/api/v1/query", BASE);
  url.searchParams.set("query", query);
  url.searchParams.set("time", String(Number(at / 1_000_000n) / 1000));
  return (await (await send(url, signal)).json()).data.result;
}

export function traceSkeleton(id, signal) {
  return get(`traces/${id}/skeleton`, {}, signal);
}

/** @param {string} id @param {string[]} spanIds at most 200 */
export function traceSpans(id, spanIds, signal) {
  return get(`traces/${id}/spans`, { ids: spanIds.join(",") }, signal);
}

/** How many spans of a trace are stored by now. @returns {Promise<number>} */
export async function traceSpanCount(id, signal) {
  return (await get(`traces/${id}/spans`, { limit: 1 }, signal)).spanCount;
}

/** The spans of a trace that match, as a bit for each row of its skeleton. @param {{ q?: string, text?: string }} wanted a query, or text in any value */
export function traceMatches(id, { q, text }, signal) {
  return get(`traces/${id}/matches`, { q, text }, signal);
}

export function traceSpansURL(id, spanIds) {
  const url = new URL(`traces/${id}/spans`, ROOT);
  url.searchParams.set("ids", spanIds.join(","));
  return url;
}

/** The whole trace as OTLP JSON text. */
export async function traceDocument(id, signal) {
  return (await send(traceDocumentURL(id), signal)).text();
}

export function traceDocumentURL(id) {
  return new URL(`traces/${id}`, ROOT);
}

/** @param {string} [span] only those of this span */
export function traceLogs(id, span, limit, signal) {
  return get(`traces/${id}/logs`, { span, limit }, signal);
}

export function criticalPath(id, signal) {
  return get(`traces/${id}/critical-path`, {}, signal);
}

/** @param {string} by "service", "operation" or the key of an attribute */
export function traceStatistics(id, by, signal) {
  return get(`traces/${id}/statistics`, { by }, signal);
}

export function clockSkew(id, signal) {
  return get(`traces/${id}/clock-skew`, {}, signal);
}

/** A trace as Jaeger's pages read it. */
export function jaegerDocumentURL(id) {
  return new URL(`api/traces/${id}`, BASE);
}

/** How the spans of `selection` differ from the others that match `q`. */
export function differences({ q, selection, start, end, fields, limit }, signal) {
  return get("differences", { q, selection, start, end, fields, limit }, signal);
}

export function pin(id) {
  return change("POST", `traces/${id}/pin`, "{}");
}

export function unpin(id) {
  return change("DELETE", `traces/${id}/pin`);
}

/**
 * The traces that match from now on, as the text of Server-Sent Events; answers when the stream ends. A refusal is an
 * error like any other.
 * @param {string} q @param {(text: string) => void} onText hears of every sign of life, the first with nothing in it
 */
export async function tail(q, onText, signal) {
  const url = new URL("tail", ROOT);
  if (q) url.searchParams.set("q", q);
  const { body } = await send(url, signal, { accept: "text/event-stream" }, false);
  onText("");
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onText(value);
  }
}

/**
 * Stores the spans of a file: JSON, or a value a line. @param {Blob} file
 * @param {{ signal?: AbortSignal, onProgress?: (share: number) => void }} [options] `onProgress` hears what share is sent
 */
export function importSpans(file, { signal, onProgress } = {}) {
  // A request of the old kind: it alone tells how much has been sent.
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", new URL("import", ROOT));
    request.setRequestHeader("Content-Type", "application/json");
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress?.(total > 0 ? loaded / total : 1));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300 && request.response) resolve(request.response);
      else reject(refusal(request.response, request.status, request.statusText, request.getResponseHeader("X-Request-Id")));
    });
    request.addEventListener("error", () => reject(new ApiError("Skein does not answer, or it ended the connection. Is the file very large?")));
    request.addEventListener("abort", () => reject(new ApiError("Cancelled", { code: "cancelled" })));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

export function pins(signal) {
  return get("pins", { limit: 100 }, signal);
}

/** @param {{ start?: bigint | null, end?: bigint | null, step?: string }} range */
export function serviceStatistics(service, { start, end, step }, signal) {
  return get(`services/${encodeURIComponent(service)}/statistics`, { start, end, step }, signal);
}

export function serviceGraph({ start, end }, signal) {
  return get("service-graph", { start, end }, signal);
}

/** @param {"errors" | "hygiene" | "repeated-calls" | "critical-path" | "deep-dependencies"} name */
export function analysis(name, { q, start, end, limit, ...more }, signal) {
  return get(`analysis/${name}`, { q, start, end, limit, ...more }, signal);
}
