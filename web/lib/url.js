// SPDX-License-Identifier: Apache-2.0
// The address is the view: every page and all its state as a path and a canonical query string, defaults left out.

const RANGE = { from: "-1h", to: "", tz: "" };

/** The state a page keeps in its address, in the order it is written, with the value that is left out. */
const DEFAULTS = {
  explore: { q: "", ...RANGE, sort: "", tab: "", by: "", facets: "", heat: "" },
  trace: { t: "", tz: "", span: "", view: "", z: "", c: "", f: "", pills: "", only: "", focus: "", cp: "", fold: "", by: "", sort: "", flame: "", at: "", level: "", words: "" },
  compare: { t: "", tz: "", span: "", align: "", c: "", f: "", sort: "" },
  services: { q: "", ...RANGE, sort: "" },
  service: { ...RANGE, op: "", sort: "" },
  map: { q: "", ...RANGE, focus: "", hops: "", view: "", node: "", edge: "", rate: "", errors: "", sort: "" },
  live: { q: "", tz: "" },
  agents: { q: "", ...RANGE, agent: "", outcome: "", priority: "", task: "", key: "", cost: "", roots: "", group: "", sums: "", sort: "" },
  "agents/session": { tz: "", span: "", lane: "", z: "", c: "", cp: "", view: "", by: "" },
  "agents/compare": { tz: "", view: "", only: "" },
};

/** Pages whose path goes on with a name or with ids. */
const MORE = {
  trace: ([id]) => idOf(id),
  service: ([name]) => (name ? { id: name } : null),
  compare: ([a, b]) => (a ? comparison(a, b) : {}),
  "agents/session": ([, id]) => (id ? { id } : null),
  "agents/compare": ([, id, other]) => (other ? { id, other } : {}),
};

/** Characters that `encodeURIComponent` escapes although a query string may carry them, kept for readers. */
const READABLE = { "%3A": ":", "%2C": ",", "%2F": "/", "%3D": "=", "%40": "@", "%24": "$", "%20": "+" };

/**
 * `id` is the trace's of `trace`, the name of `service`, the session's of `agents/session`, the first one's of `agents/compare`, the first trace's of `compare`, whose `other` is the second
 * trace's or "typical".
 * @typedef {{ page: "explore" | "trace" | "compare" | "services" | "service" | "map" | "live" | "agents" | "agents/session" | "agents/compare", id?: string, other?: string,
 *   state: Object<string, string> }} View
 */

/**
 * Reads an address. Unknown paths are Explore; unknown parameters are dropped.
 * @param {string} pathname @param {string} search @param {string} base path of the application, ends in "/"
 * @returns {View}
 */
export function parseView(pathname, search, base) {
  const inside = pathname.startsWith(base) ? pathname.slice(base.length) : "";
  const [first, ...rest] = inside.split("/").map(decode);
  const known = [`${first}/${rest[0]}`, first].find((path) => Object.hasOwn(DEFAULTS, path)) ?? "explore";
  const more = MORE[known] ? MORE[known](rest) : {};
  const page = more ? known : "explore";
  const given = new URLSearchParams(search);
  const state = {};
  for (const [key, value] of Object.entries(DEFAULTS[page])) state[key] = given.get(key) ?? value;
  return { page, ...more, state };
}

/** Writes an address, relative to the base. @param {View} view */
export function formatView({ page, id, other, state }) {
  // Browsers resolve these away in a path, however they are written.
  const list = { service: "services", "agents/session": "agents" }[page];
  if (list && (id === "." || id === "..")) return formatView({ page: list, state: { ...state, q: id, sort: "" } });
  const path = [page, ...[id, other].filter(Boolean).map(encodeURIComponent)].join("/");
  const parts = [];
  for (const [key, initial] of Object.entries(DEFAULTS[page])) {
    const value = state?.[key];
    if (value != null && value !== initial && !(key === "from" && value === "")) parts.push(`${key}=${encode(value)}`);
  }
  return parts.length ? `${path}?${parts.join("&")}` : path;
}

/** The state of a page with nothing chosen. @param {View["page"]} page */
export function initialState(page) {
  return { ...DEFAULTS[page] };
}

/** Whether a path inside of the application is one of its pages. @param {string} inside without the leading slash */
export function isPagePath(inside) {
  const [first] = inside.split("/");
  return first === "" || Object.hasOwn(DEFAULTS, first);
}

/**
 * A trace id in any form people paste: 1 to 32 hex digits, in capitals, with dashes or spaces around.
 * @param {string} text @returns {string | null} 32 lower-case digits
 */
export function traceId(text) {
  const hex = text.trim().toLowerCase().replace(/-/g, "");
  return /^[0-9a-f]{1,32}$/.test(hex) && !/^0+$/.test(hex) ? hex.padStart(32, "0") : null;
}

/** Whether pasted text can only mean a trace: 32 digits, or the same written as a UUID. @param {string} text */
export function isWholeTraceId(text) {
  return text.trim().replace(/-/g, "").length === 32 && traceId(text) !== null;
}

function idOf(text) {
  const id = traceId(text ?? "");
  return id ? { id } : null;
}

function comparison(a, b) {
  const [id, other] = [traceId(a), b === "typical" ? b : traceId(b ?? "")];
  if (!id) return null;
  return other ? { id, other } : { id };
}

function encode(value) {
  return encodeURIComponent(value).replace(/%(?:3A|2C|2F|3D|40|24|20)/g, (escape) => READABLE[escape]);
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
