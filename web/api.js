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
 * @param {{ q?: string, start?: bigint | null, end?: bigint | null, limit?: number, cursor?: string | null }} query
 * @param {AbortSignal} [signal]
 */
export function search({ q, start, end, limit, cursor }, signal) {
  return get("search", { q, start, end, limit, cursor }, signal);
}

export function traceSkeleton(id, signal) {
  return get(`traces/${id}/skeleton`, {}, signal);
}

/** @param {string} id @param {string[]} spanIds at most 200 */
export function traceSpans(id, spanIds, signal) {
  return get(`traces/${id}/spans`, { ids: spanIds.join(",") }, signal);
}

/** The whole trace as OTLP JSON text. */
export async function traceDocument(id, signal) {
  return (await send(traceDocumentURL(id), signal)).text();
}

export function traceDocumentURL(id) {
  return new URL(`traces/${id}`, ROOT);
}

export function services(signal) {
  return get("services", { limit: 1000 }, signal);
}

export function attributes(prefix, limit, signal) {
  return get("attributes", { prefix, limit }, signal);
}

export function attributeValues(key, prefix, limit, scope, signal) {
  return get(`attributes/${encodeURIComponent(key)}/values`, { prefix, limit, scope }, signal);
}

export function status(signal) {
  return get("status", {}, signal);
}

async function get(path, parameters, signal) {
  const url = new URL(path, ROOT);
  for (const [key, value] of Object.entries(parameters)) {
    if (value != null && value !== "") url.searchParams.set(key, String(value));
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

/** One request, and a second one when the server was busy and said when to come back. */
async function send(url, signal, again = true) {
  let response;
  try {
    response = await fetch(url, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("Skein does not answer. Is the server running?");
  }
  if (response.ok) return response;
  const wait = Number(response.headers.get("Retry-After") ?? NaN);
  if (again && (response.status === 503 || response.status === 429) && wait <= RETRY_WAIT_MAX_SECONDS) {
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    return send(url, signal, false);
  }
  const problem = await response.json().catch(() => null);
  throw new ApiError(problem?.detail ?? problem?.title ?? `The server answered ${response.status} ${response.statusText}`.trim(), {
    status: response.status,
    code: problem?.code ?? "http",
    problem,
    requestId: response.headers.get("X-Request-Id"),
  });
}
