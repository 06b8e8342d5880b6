// SPDX-License-Identifier: Apache-2.0
// The only place that fetches. Answers are the native API's shapes, untouched; failures are one kind of error.

/** Where the application is mounted, ends in "/". A proxy may put it below any prefix. */
export const BASE = new URL("../", import.meta.url);
const ROOT = new URL("api/skein/v1/", BASE);
const RETRY_WAIT_MAX_SECONDS = 3;

/** What went wrong, in the server's words where it had any. */
export class ApiError extends Error {
  /** @param {string} message @param {{ status?: number, code?: string, problem?: any, requestId?: string | null }} [facts] */
  constructor(message, { status = 0, code = "network", problem = null, requestId = null } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.problem = problem;
    this.requestId = requestId;
  }
}

/**
 * @param {{ q?: string, start?: bigint | null, end?: bigint | null, limit?: number, cursor?: string | null, order?: string | null, spans?: number }} query
 * @param {AbortSignal} [signal]
 */
export function search({ q, start, end, limit, cursor, order, spans }, signal) {
  return get("search", { q, start, end, limit, cursor, order, spans }, signal);
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

/** @param {string[]} a @param {string[]} b at most 50 traces each */
export function compare(a, b, signal) {
  return get("compare", { a, b }, signal);
}

/** @param {string | null} [cursor] of the page before */
export function services(signal, cursor) {
  return get("services", { limit: 1000, cursor }, signal);
}

export function operations(service, limit, signal) {
  return get(`services/${encodeURIComponent(service)}/operations`, { limit }, signal);
}

/** @param {{ start?: bigint | null, end?: bigint | null, step?: string }} range */
export function serviceStatistics(service, { start, end, step }, signal) {
  return get(`services/${encodeURIComponent(service)}/statistics`, { start, end, step }, signal);
}

export function serviceGraph({ start, end }, signal) {
  return get("service-graph", { start, end }, signal);
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

/** @param {"errors" | "hygiene" | "repeated-calls" | "critical-path" | "deep-dependencies"} name */
export function analysis(name, { q, start, end, limit, ...more }, signal) {
  return get(`analysis/${name}`, { q, start, end, limit, ...more }, signal);
}

/** A TraceQL metrics query. @param {{ q: string, start: bigint, end: bigint, step?: string, exemplars?: number, limit?: number }} query */
export function metrics({ q, start, end, step, exemplars, limit }, signal) {
  return get("metrics", { q, start, end, step, exemplars, limit }, signal);
}

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

export function heatmap({ q, start, end, step }, signal) {
  return get("heatmap", { q, start, end, step }, signal);
}

/** @param {{ keys?: string, fields?: number, limit?: number }} query which attributes or how many, and values of each */
export function facets({ q, start, end, keys, fields, limit }, signal) {
  return get("facets", { q, start, end, keys, fields, limit }, signal);
}

/**
 * A search that is told while it goes on: `told` gets the traces that came since, and how far the server is where it says so.
 * The answer is what the last line says; without one the search broke off.
 * @param {(traces: any[], progress: any | null) => void} told
 */
export async function searchLines({ q, start, end, limit, cursor, order, spans }, told, signal) {
  const response = await send(address("search", { q, start, end, limit, cursor, order, spans }), signal, { accept: "application/x-ndjson" });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let last = null;
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : lines.pop();
    const traces = [];
    let progress = null;
    let failure = null;
    for (const text of lines) {
      if (text.trim() === "") continue;
      const line = parsed(text, response);
      if (line.error) failure = new ApiError(line.error.detail ?? "The search broke off", { status: response.status, code: line.error.code ?? "http", requestId: response.headers.get("X-Request-Id") });
      else if (line.progress) progress = line.progress;
      else if (line.traceId) traces.push(line);
      else {
        // An answer in one piece has the traces in its only line.
        traces.push(...(line.traces ?? []));
        last = line;
      }
    }
    if (traces.length || progress) told(traces, progress);
    if (failure) throw failure;
    if (done) break;
  }
  if (!last) throw new ApiError("The search broke off before its end", { code: "broken-off" });
  return last;
}

function parsed(text, response) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("The server's answer is not JSON. Is something else listening at this address?", { status: response.status, code: "not-json" });
  }
}

/** How the spans of `selection` differ from the others that match `q`. */
export function differences({ q, selection, start, end, fields, limit }, signal) {
  return get("differences", { q, selection, start, end, fields, limit }, signal);
}

/** What may stand at a place of a query. @param {number} position a place in UTF-8 bytes, as `docs/api.md` says */
export function complete(q, position, limit, signal) {
  return get("complete", { q, position, limit }, signal);
}

export function attributes(prefix, limit, signal) {
  return get("attributes", { prefix, limit }, signal);
}

export function attributeValues(key, prefix, limit, scope, signal) {
  return get(`attributes/${encodeURIComponent(key)}/values`, { prefix, limit, scope }, signal);
}

export function savedQueries(signal) {
  return get("saved-queries", {}, signal);
}

export function saveQuery(name, query, description) {
  return change("PUT", `saved-queries/${encodeURIComponent(name)}`, JSON.stringify({ query, description }));
}

export function removeQuery(name) {
  return change("DELETE", `saved-queries/${encodeURIComponent(name)}`);
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

export function status(signal) {
  return get("status", {}, signal);
}

function address(path, parameters) {
  const url = new URL(path, ROOT);
  for (const [key, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one != null && one !== "") url.searchParams.append(key, String(one));
  }
  return url;
}

async function get(path, parameters, signal) {
  const response = await send(address(path, parameters), signal);
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("The server's answer is not JSON. Is something else listening at this address?", {
      status: response.status,
      code: "not-json",
    });
  }
}

async function change(method, path, body) {
  const response = await send(new URL(path, ROOT), undefined, { method, body, type: "application/json" });
  return response.status === 204 ? null : response.json().catch(() => null);
}

/** One request, and a second one when the server was busy and said when to come back. */
async function send(url, signal, { method = "GET", body, type, accept = "application/json" } = {}, again = true) {
  let response;
  try {
    const headers = { Accept: accept, ...(type && body != null ? { "Content-Type": type } : {}) };
    response = await fetch(url, { method, body, signal, headers });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("Skein does not answer. Is the server running?");
  }
  if (response.ok) return response;
  const wait = Number(response.headers.get("Retry-After") ?? NaN);
  if (again && (response.status === 503 || response.status === 429) && wait <= RETRY_WAIT_MAX_SECONDS) {
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    return send(url, signal, { method, body, type, accept }, false);
  }
  const problem = await response.json().catch(() => null);
  throw refusal(problem, response.status, response.statusText, response.headers.get("X-Request-Id"));
}

function refusal(problem, status, statusText, requestId) {
  return new ApiError(problem?.detail ?? problem?.title ?? `The server answered ${status} ${statusText}`.trim(), { status, code: problem?.code ?? "http", problem, requestId });
}
