// SPDX-License-Identifier: Apache-2.0
// Which rows are collapsed, as the address writes it: a list of span id prefixes, or, when that grows long, one bit for
// each row that has children, in drawing order. "*" is all of them. Pure.
import { placesOf, prefixesOf } from "./prefixes.js";

const LIST_MAX = 40;
/** Beyond this a link would not survive chat programs; the state then stays in the page only. */
const TEXT_MAX = 6000;

/** @param {import("./model.js").TraceModel} model @param {Uint8Array} collapsed @returns {string} */
export function formatCollapsed(model, collapsed) {
  const rows = [];
  let parents = 0;
  for (let row = 0; row < model.count; row++) {
    if (model.children[row] === 0) continue;
    parents++;
    if (collapsed[row]) rows.push(row);
  }
  if (rows.length === 0) return "";
  if (rows.length === parents) return "*";
  if (rows.length <= LIST_MAX) return prefixesOf(model.rowIds, rows).join(",");
  const text = `~${bitmap(model, collapsed, parents)}`;
  return text.length <= TEXT_MAX ? text : "";
}

/** @param {import("./model.js").TraceModel} model @param {string} text @returns {Uint8Array} a flag a row */
export function parseCollapsed(model, text) {
  const collapsed = new Uint8Array(model.count);
  if (text === "") return collapsed;
  if (text !== "*" && !text.startsWith("~")) {
    for (const row of placesOf(model.rowIds, text.split(","), (row) => model.children[row] > 0)) collapsed[row] = 1;
    return collapsed;
  }
  const bits = text === "*" ? null : bytesOf(text.slice(1));
  let nth = 0;
  for (let row = 0; row < model.count; row++) {
    if (model.children[row] === 0) continue;
    collapsed[row] = bits ? ((bits[nth >> 3] ?? 0) >> (nth & 7)) & 1 : 1;
    nth++;
  }
  return collapsed;
}

function bitmap(model, collapsed, parents) {
  const bytes = new Uint8Array((parents + 7) >> 3);
  let nth = 0;
  let used = 0;
  for (let row = 0; row < model.count; row++) {
    if (model.children[row] === 0) continue;
    if (collapsed[row]) {
      bytes[nth >> 3] |= 1 << (nth & 7);
      used = (nth >> 3) + 1;
    }
    nth++;
  }
  let text = "";
  for (const byte of bytes.subarray(0, used)) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function bytesOf(text) {
  try {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}
