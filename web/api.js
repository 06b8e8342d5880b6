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

export function services(signal) {
  return get("services", { limit: 1000 }, signal);
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

/** @param {"errors" | "hygiene" | "repeated-calls" | "critical-path" | "deep-dependencies"} name */
export function analysis(name, { q, start, end, limit, ...more }, signal) {
  return get(`analysis/${name}`, { q, start, end, limit, ...more }, signal);
}

/** A TraceQL metrics query. @param {{ q: string, start: bigint, end: bigint, step?: string, exemplars?: number, limit?: number }} query */
export function metrics({ q, start, end, step, exemplars, limit }, signal) {
  return get("metrics", { q, start, end, step, exemplars, limit }, signal);
}

export function heatmap({ q, start, end, step }, signal) {
  return get("heatmap", { q, start, end, step }, signal);
}

/** @param {{ fields?: number, limit?: number }} query how many attributes, and values of each */
export function facets({ q, start, end, fields, limit }, signal) {
  return get("facets", { q, start, end, fields, limit }, signal);
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

/** The traces that match from now on, as they come. @param {string} q @returns {EventSource} */
export function tail(q) {
  const url = new URL("tail", ROOT);
  if (q) url.searchParams.set("q", q);
  return new EventSource(url);
}

/** Stores the spans of a file. @param {Blob} file */
export async function importSpans(file, signal) {
  return (await send(new URL("import", ROOT), signal, { method: "POST", body: file, type: "application/octet-stream" })).json();
}

export function status(signal) {
  return get("status", {}, signal);
}

async function get(path, parameters, signal) {
  const url = new URL(path, ROOT);
  for (const [key, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one != null && one !== "") url.searchParams.append(key, String(one));
  }
  const response = await send(url, signal);
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
async function send(url, signal, { method = "GET", body, type } = {}, again = true) {
  let response;
  try {
    const headers = { Accept: "application/json", ...(type && body != null ? { "Content-Type": type } : {}) };
    response = await fetch(url, { method, body, signal, headers });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("Skein does not answer. Is the server running?");
  }
  if (response.ok) return response;
  const wait = Number(response.headers.get("Retry-After") ?? NaN);
  if (again && (response.status === 503 || response.status === 429) && wait <= RETRY_WAIT_MAX_SECONDS) {
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    return send(url, signal, { method, body, type }, false);
  }
  const problem = await response.json().catch(() => null);
  throw new ApiError(problem?.detail ?? problem?.title ?? `The server answered ${response.status} ${response.statusText}`.trim(), {
    status: response.status,
    code: problem?.code ?? "http",
    problem,
    requestId: response.headers.get("X-Request-Id"),
  });
}
