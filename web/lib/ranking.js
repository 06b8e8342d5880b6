// SPDX-License-Identifier: Apache-2.0
// How well what is typed names something: whole, its beginning, the beginning of a word, a part, letters in order. Pure.

const WHOLE = 100;
const BEGINNING = 80;
const WORD = 60;
const PART = 40;
const LETTERS = 10;

/**
 * Every word that is typed must be found; 0 when one is not.
 * @param {string} typed @param {string} name @returns {number}
 */
export function score(typed, name) {
  const low = name.toLowerCase();
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return 1;
  if (low === words.join(" ")) return WHOLE;
  let sum = 0;
  for (const word of words) {
    const one = wordScore(word, low);
    if (!one) return 0;
    sum += one;
  }
  return sum / words.length;
}

function wordScore(word, name) {
  if (name.startsWith(word)) return BEGINNING;
  const at = name.indexOf(word);
  if (at < 0) return word.length > 1 && inOrder(word, name) ? LETTERS : 0;
  for (let start = at; start >= 0; start = name.indexOf(word, start + 1)) if (/[^\p{L}\p{N}]/u.test(name[start - 1])) return WORD;
  return PART;
}

function inOrder(letters, name) {
  let at = -1;
  for (const letter of letters) {
    at = name.indexOf(letter, at + 1);
    if (at < 0) return false;
  }
  return true;
}

/**
 * The best first; of equals the shorter, then in the order they came.
 * @template {{ title: string, words?: string }} T @param {string} typed @param {T[]} items `words` are found as well as the title, a little worse
 * @param {number} limit @returns {T[]}
 */
export function ranked(typed, items, limit) {
  const scored = items.map((item, index) => ({ item, index, score: Math.max(score(typed, item.title), score(typed, `${item.title} ${item.words ?? ""}`) - 1) }));
  return scored.filter(({ score: own }) => own > 0).sort((a, b) => b.score - a.score || a.item.title.length - b.item.title.length || a.index - b.index).slice(0, limit).map(({ item }) => item);
}
