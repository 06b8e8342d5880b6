// SPDX-License-Identifier: Apache-2.0
// What the server said of a query, in words, with what it would have written.
import { h } from "../lib/view.js";

/**
 * @param {{ message: string, problem: any }} error @param {string} text the query @param {{ start: number, end: number } | null} fault where it is
 * @param {(mended: string) => void} change
 */
export function faultWords(error, text, fault, change) {
  const { position, suggestion, expected } = error.problem ?? {};
  // The API calls the query by the name of its parameter.
  const message = error.message.replace(/^q (?=counts )/, "the query ");
  // A message may begin with a word of the query, which keeps its letters.
  const isQuoted = text.includes(message.split(" ", 1)[0]);
  const sentence = isQuoted ? message : message.charAt(0).toUpperCase() + message.slice(1);
  const words = [/[.!?]$/.test(sentence) ? sentence : `${sentence}.`];
  if (position) words.push(h("span.faint", {}, ` Column ${position.column}${position.line > 1 ? `, line ${position.line}` : ""}.`));
  if (suggestion && fault) {
    const mended = text.slice(0, fault.start) + suggestion + text.slice(fault.end);
    words.push(" Did you mean ", h("button.suggestion", { type: "button", onclick: () => change(mended) }, suggestion), "?");
  } else if (expected?.length) words.push(h("span.faint", {}, ` Expected ${expected.slice(0, 8).join(", ")}.`));
  return words;
}
