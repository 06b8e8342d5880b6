// SPDX-License-Identifier: Apache-2.0
// What stands in place of a trace that cannot be shown: it is not stored, or the server failed.
import * as api from "../api.js";
import { age, bytes, nanos, relativeTime } from "../lib/format.js";
import { h } from "../lib/view.js";

/**
 * @param {string} id @param {api.ApiError} error @param {string} back address of the results @param {() => void} retry
 * @returns {Promise<HTMLElement>}
 */
export async function absentTrace(id, error, back, retry) {
  const buttons = h("div.row-of-buttons", {}, h("button", { type: "button", onclick: retry }, "Look again"), h("a", { href: back }, "Back to Explore"));
  if (error.code !== "unknown-trace") {
    return h("section.state", {}, h("h2", {}, "The trace could not be loaded"), h("p", {}, error.message),
      error.requestId ? h("p.faint", {}, "Request ", h("code", {}, error.requestId)) : null, buttons);
  }
  const status = await api.status().catch(() => null);
  return h("section.state", {}, h("h2", {}, "Trace not found"),
    h("p", {}, "No span of ", h("code", {}, id), " is stored: it has not arrived yet, was not sampled, or is older than what is kept."),
    status ? h("p.faint", {}, heldText(status)) : null, buttons);
}

/** How long spans are kept, and from when those stored are. @param {any} status of the server */
export function heldText({ retention, oldestTimeUnixNano, newestTimeUnixNano }) {
  if (!oldestTimeUnixNano) return "The store holds no spans yet.";
  const { ageSeconds, bytes: limit, rules = [] } = retention ?? {};
  const kept = [ageSeconds ? `for ${age(ageSeconds)}` : null, limit ? `up to ${bytes(limit)}` : null].filter(Boolean).join(", ") || "without limit";
  const but = rules.length ? "; some, by rule, for another time" : "";
  const now = Date.now();
  return `Spans are kept ${kept}${but}. The oldest stored is from ${relativeTime(nanos(oldestTimeUnixNano), now)}, the newest from ${relativeTime(nanos(newestTimeUnixNano), now)}.`;
}
