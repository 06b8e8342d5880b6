// SPDX-License-Identifier: Apache-2.0
// Sessions that are marked to be compared: at most two, until the page is loaded anew.
import { signal } from "../lib/view.js";

const MARKS_MAX = 2;

/** @type {{ value: string[], listen(listener: (ids: string[]) => void): () => void }} */
export const marks = signal(/** @type {string[]} */ ([]));

/** Marks a session, or takes the mark away; of three the oldest goes. @param {string} id @returns {boolean} whether it is marked now */
export function toggleMark(id) {
  const others = marks.value.filter((marked) => marked !== id);
  const isMarked = others.length === marks.value.length;
  marks.value = isMarked ? [...others, id].slice(-MARKS_MAX) : others;
  return isMarked;
}
