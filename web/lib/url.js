// SPDX-License-Identifier: Apache-2.0
// The address is the view: every page and all its state as a path and a canonical query string, defaults left out.

/** The state a page keeps in its address, in the order it is written, with the value that is left out. */
const DEFAULTS = {
  explore: { q: "", from: "-1h", to: "", tz: "", sort: "" },
  trace: { t: "", tz: "", span: "", view: "", z: "", c: "", f: "" },
};

/** Characters that `encodeURIComponent` escapes although a query string may carry them, kept for readers. */
const READABLE = { "%3A": ":", "%2C": ",", "%2F": "/", "%3D": "=", "%40": "@", "%24": "$", "%20": "+" };

/** @typedef {{ page: "explore" | "trace", id?: string, state: Object<string, string> }} View */

/**
 * Reads an address. Unknown paths are Explore; unknown parameters are dropped.
 * @param {string} pathname @param {string} search @param {string} base path of the application, ends in "/"
 * @returns {View}
 */
export function parseView(pathname, search, base) {
  const inside = pathname.startsWith(base) ? pathname.slice(base.length) : "";
  const [first, second] = inside.split("/");
  const id = first === "trace" ? traceId(decode(second ?? "")) : null;
  const page = id ? "trace" : "explore";
  const given = new URLSearchParams(search);
  const state = {};
  for (const [key, value] of Object.entries(DEFAULTS[page])) state[key] = given.get(key) ?? value;
  return id ? { page, id, state } : { page, state };
}

/** Writes an address, relative to the base. @param {View} view */
export function formatView({ page, id, state }) {
  const path = page === "trace" ? `trace/${id}` : "explore";
  const parts = [];
  for (const [key, initial] of Object.entries(DEFAULTS[page])) {
    const value = state?.[key];
    if (value != null && value !== initial && !(key === "from" && value === "")) parts.push(`${key}=${encode(value)}`);
  }
  return parts.length ? `${path}?${parts.join("&")}` : path;
}

/** The state of a page with nothing chosen. @param {"explore" | "trace"} page */
export function initialState(page) {
  return { ...DEFAULTS[page] };
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
