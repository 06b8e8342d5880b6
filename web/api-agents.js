// SPDX-License-Identifier: Apache-2.0
// The part of the API that speaks of agents: sessions, orchestrations, tools, messages, and what they do right now.
import { BASE, get, send } from "./api.js";

export * from "./api-more.js";

const ROOT = new URL("api/worktrace/v1/", BASE);
/** The same as the native API's addresses spell it. */
const HERE = "../../worktrace/v1/";

/**
 * @param {{ agent?: string, outcome?: string, priority?: string, task?: string, sessionKey?: string, parent?: string, traceId?: string, minCost?: string,
 *   from?: bigint | null, to?: bigint | null, q?: string, text?: string, limit?: number, cursor?: string | null }} query
 * `parent` is who started them, "none" for nobody, `q` is TraceQL, `text` a part of a title, a name or an id
 * @returns {Promise<{ sessions: any[], next: string | null }>}
 */
export function sessions(query, signal) {
  return get(`${HERE}sessions`, query, signal);
}

/** A session with all its steps. @param {string} id */
export function session(id, signal) {
  return get(`${HERE}sessions/${encodeURIComponent(id)}`, {}, signal);
}

/** @param {string} id of a session @param {string | null} [cursor] */
export function conversation(id, cursor, signal) {
  return get(`${HERE}sessions/${encodeURIComponent(id)}/conversation`, { cursor }, signal);
}

/** @param {string} id of a session or a trace */
export function orchestration(id, signal) {
  return get(`${HERE}orchestrations/${encodeURIComponent(id)}`, {}, signal);
}

/** @param {string} id of a session or a trace */
export function bottlenecks(id, signal) {
  return get(`${HERE}orchestrations/${encodeURIComponent(id)}/bottlenecks`, {}, signal);
}

/** Two orchestrations, aligned by what their steps are. @param {string} a a session or a trace @param {string} b */
export function compareOrchestrations(a, b, signal) {
  return get(`${HERE}sessions/${encodeURIComponent(a)}/compare/${encodeURIComponent(b)}`, {}, signal);
}

/** @param {{ agent?: string, from?: bigint | null, to?: bigint | null, groupBy?: string, limit?: number }} query */
export function tools(query, signal) {
  return get(`${HERE}tools`, query, signal);
}

/** @param {{ traceId?: string, sessionId?: string, threadId?: string, limit?: number, cursor?: string | null }} query */
export function messages(query, signal) {
  return get(`${HERE}messages`, query, signal);
}

/**
 * What agents do from now on, as the text of Server-Sent Events; answers when the stream ends.
 * @param {{ sessionId?: string, agent?: string }} query @param {(text: string) => void} onText @param {AbortSignal} signal @param {() => void} onOpen the server has answered
 */
export async function follow(query, onText, signal, onOpen) {
  const url = new URL("stream", ROOT);
  for (const [key, value] of Object.entries(query)) if (value) url.searchParams.set(key, value);
  const { body } = await send(url, signal, { accept: "text/event-stream" }, false);
  onOpen();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onText(value);
  }
}
