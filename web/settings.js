// SPDX-License-Identifier: Apache-2.0
// What this browser remembers: theme, zone, form of times, panel sizes, past queries. Nothing leaves the machine.
import { isZone } from "./lib/format.js";
import { signal } from "./lib/view.js";

/** @param {string} key @param {string} fallback */
function read(key, fallback) {
  try {
    return localStorage.getItem(`skein.${key}`) ?? fallback;
  } catch {
    return fallback;
  }
}

/** @param {string} key @param {string} value */
function write(key, value) {
  try {
    localStorage.setItem(`skein.${key}`, value);
  } catch {
    // Storage may be full or forbidden: the setting then lasts as long as the page.
  }
}

function remembered(key, fallback, allowed) {
  const kept = read(key, fallback);
  const setting = signal(allowed(kept) ? kept : fallback);
  setting.listen((value) => write(key, value));
  return setting;
}

/** A list of texts, the newest of at most `most`. @param {string} key @param {number} most */
function rememberedList(key, most) {
  let kept = [];
  try {
    const found = JSON.parse(read(key, "[]"));
    if (Array.isArray(found)) kept = found.filter((text) => typeof text === "string").slice(-most);
  } catch {
    // Somebody else's text: begin anew.
  }
  const setting = signal(kept);
  setting.listen((list) => write(key, JSON.stringify(list.slice(-most))));
  return setting;
}

const oneOf = (...values) => (value) => values.includes(value);

/** "auto", "light" or "dark" */
export const theme = remembered("theme", "auto", oneOf("auto", "light", "dark"));
/** An IANA name; "" is the browser's zone. */
export const zone = remembered("zone", "", (name) => name === "" || isZone(name));
/** How lists write times. */
export const timeForm = remembered("times", "absolute", oneOf("absolute", "relative"));
/** Whether the rail shows names beside its icons. */
export const rail = remembered("rail", "narrow", oneOf("narrow", "wide"));
/** Whether single letters act (WCAG 2.1.4). */
export const singleKeys = remembered("keys", "on", oneOf("on", "off"));
/** Whether repeated calls show as one row of the waterfall. */
export const folding = remembered("folding", "on", oneOf("on", "off"));

/** Keys of attributes that stand first in the details of a span. */
export const pinnedKeys = rememberedList("pinned-keys", 50);
/** Parts of the details that are folded away. */
export const closedSections = rememberedList("closed-sections", 50);
/** Among the spans of which time a duration is ranked. */
export const rankWindow = remembered("rank-window", "24h", oneOf("1h", "24h", "7d"));

theme.listen((value) => {
  document.documentElement.dataset.theme = value;
});

/** A size in pixels, kept within bounds. @param {string} name @param {number} fallback */
export function size(name, fallback) {
  const kept = Number(read(`size.${name}`, ""));
  return Number.isFinite(kept) && kept > 0 ? kept : fallback;
}

/** @param {string} name @param {number} pixels */
export function keepSize(name, pixels) {
  write(`size.${name}`, String(Math.round(pixels)));
}

/** Whether the column of facets of Explore shows, where there is room for it. */
export const facetColumn = remembered("facets", "open", oneOf("open", "closed"));

/** How the reader would send a first span. */
export const firstWay = remembered("way", "curl", (name) => name.length <= 40);

const PAST_QUERIES_MAX = 50;

/** Queries that ran, newest first. @returns {string[]} */
export function pastQueries() {
  try {
    const kept = JSON.parse(read("queries", "[]"));
    return Array.isArray(kept) ? kept.filter((query) => typeof query === "string") : [];
  } catch {
    return [];
  }
}

/** @param {string} query */
export function keepQuery(query) {
  if (query === "" || query.length > 4000) return;
  const others = pastQueries().filter((past) => past !== query);
  write("queries", JSON.stringify([query, ...others].slice(0, PAST_QUERIES_MAX)));
}
