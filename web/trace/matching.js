// SPDX-License-Identifier: Apache-2.0
// What is looked for within a trace: which texts are queries, and sets of rows as one flag each. Pure.
import { tokenize } from "../explore/query-text.js";

/** Whether a text is in the query language: it compares something, or is in braces. Quoted, it is only text. @param {string} text */
export function isQuery(text) {
  const tokens = tokenize(text);
  return tokens[0]?.text === "{" || tokens.some(({ kind }) => kind === "operator");
}

/** A quoted text without its quotes. @param {string} text */
export function unquoted(text) {
  return /^"[^"]+"$/.test(text) ? text.slice(1, -1) : text;
}

/**
 * The rows of a bitmap over the spans in the server's order: bit r % 8, least first, of byte r / 8 is span r.
 * @param {import("./model.js").TraceModel} model @param {string} base64 @returns {Uint8Array} a flag a row
 */
export function flagsOfBitmap(model, base64) {
  const bits = atob(base64);
  const flags = new Uint8Array(model.count);
  for (let row = 0; row < model.count; row++) {
    const span = model.span[row];
    if (span >= 0 && span >> 3 < bits.length) flags[row] = (bits.charCodeAt(span >> 3) >> (span & 7)) & 1;
  }
  return flags;
}

/** @param {number} count @param {Iterable<number>} rows */
export function flagsOf(count, rows) {
  const flags = new Uint8Array(count);
  for (const row of rows) flags[row] = 1;
  return flags;
}

/** The rows that some of `any` (all rows when it is empty) and all of `all` flag. @param {number} count @param {Uint8Array[]} any @param {Uint8Array[]} all */
export function rowsOf(count, any, all) {
  const wanted = new Uint8Array(count);
  if (!any.length) wanted.fill(1);
  for (const flags of any) for (let row = 0; row < count; row++) wanted[row] |= flags[row];
  for (const flags of all) for (let row = 0; row < count; row++) wanted[row] &= flags[row];
  const rows = new Int32Array(count);
  let filled = 0;
  for (let row = 0; row < count; row++) if (wanted[row]) rows[filled++] = row;
  return rows.subarray(0, filled);
}
