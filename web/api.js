// SPDX-License-Identifier: Apache-2.0
// With `api-more.js` the only place that fetches. Answers are the native API's shapes, untouched; failures are one kind of error.

/** Where the application is mounted, ends in "/". A proxy may put it below any prefix. */
export const BASE = new URL("../", import.meta.url);
export const ROOT = new URL("api/skein/v1/", BASE);
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

/** @param {string | null} [cursor] of the page before */
export function services(signal, cursor) {
  return get("services", { limit: 1000, cursor }, signal);
}

/** A TraceQL metrics query. @param {{ q: string, start: bigint, end: bigint, step?: string, exemplars?: number, limit?: number }} query */
export function metrics({ q, start, end, step, exemplars, limit }, signal) {
  return get("metrics", { q, start, end, step, exemplars, limit }, signal);
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
    throw notJson(response);
  }
}

function notJson({ status }) {
  return new ApiError("The server's answer is not JSON. Is something else listening at this address?", { status, code: "not-json" });
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

export async function get(path, parameters, signal) {
  const response = await send(address(path, parameters), signal);
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw notJson(response);
  }
}

export async function change(method, path, body) {
  const response = await send(new URL(path, ROOT), undefined, { method, body, type: "application/json" });
  return response.status === 204 ? null : response.json().catch(() => null);
}

/** One request, and a second one when the server was busy and said when to come back. */
export async function send(url, signal, { method = "GET", body, type, accept = "application/json" } = {}, again = true) {
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

export function refusal(problem, status, statusText, requestId) {
  return new ApiError(problem?.detail ?? problem?.title ?? `The server answered ${status} ${statusText}`.trim(), { status, code: problem?.code ?? "http", problem, requestId });
}
