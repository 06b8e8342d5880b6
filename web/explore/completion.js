// SPDX-License-Identifier: Apache-2.0
// What the word at the cursor could become, in the form that the query is in. Asks the server for names and values; pure
// but for that.
import { compactCount } from "../lib/format.js";
import { OPERATORS, attributeKey, completionAt, fieldName, inBraces, intrinsics, literal } from "./query-text.js";

export const OPTIONS_MAX = 20;
const PAST_MAX = 5;
const WORDS = [["and", "or"], ["&&", "||"]];

/** @typedef {{ text: string, detail?: string, insert: string, start: number, end: number, runs?: boolean }} Option */

/**
 * @param {string} text @param {number} cursor
 * @param {{ attributes: Function, attributeValues: Function, pastQueries: () => string[] }} source
 * @param {AbortSignal} [signal] @returns {Promise<Option[]>}
 */
export async function optionsFor(text, cursor, source, signal) {
  const isBraced = inBraces(text);
  const context = { ...completionAt(text, cursor), isBraced };
  const { want, prefix, start, end } = context;
  const low = prefix.toLowerCase();
  const option = (shown, insert, detail) => ({ text: shown, detail, insert, start, end });
  if (want === "operator") return OPERATORS.filter(([sign]) => sign.startsWith(prefix)).map(([sign, says]) => option(sign, `${sign} `, says));
  if (want === "logic") {
    const written = WORDS[isBraced ? 1 : 0];
    return written.filter((_, index) => WORDS.some((words) => words[index].startsWith(low))).map((word, index) => option(word, `${word} `, isBraced ? WORDS[0][written.indexOf(word)] : undefined));
  }
  if (want === "value") return values(context, option, source, signal);
  const past = text.trim() === "" ? source.pastQueries().slice(0, PAST_MAX).map((query) => ({ ...option(query, query, "ran before"), runs: true })) : [];
  const own = intrinsics(isBraced).filter(({ name }) => name.startsWith(low) || (isBraced && name.endsWith(`.${low}`))).map(({ name, says }) => option(name, `${name} `, says));
  return [...past, ...own, ...(await fields(context, option, source, signal))];
}

async function fields({ prefix, isBraced }, option, source, signal) {
  const { key, scope } = attributeKey(prefix);
  const { attributes } = await source.attributes(key, OPTIONS_MAX, signal);
  const seen = new Set(intrinsics(isBraced).map(({ name }) => name));
  return attributes.filter((found) => (scope === "" || found.scope === scope) && (found.scope === "span" || found.scope === "resource")).flatMap((found) => {
    // Whoever typed a scope keeps it.
    const spelled = fieldName(found.key, found.scope, isBraced || scope !== "");
    if (seen.has(spelled)) return [];
    seen.add(spelled);
    return [option(spelled, `${spelled} `, `${found.scope === "resource" ? "resource · " : ""}${found.types.join(", ")}`)];
  });
}

async function values({ field, prefix, isBraced }, option, source, signal) {
  const name = field === "operation" && !isBraced ? "name" : field;
  const intrinsic = intrinsics(isBraced).find((found) => found.name === name);
  const low = prefix.toLowerCase();
  if (intrinsic?.values) return intrinsic.values.filter((value) => value.startsWith(low)).map((value) => option(value, `${value} `));
  if (intrinsic?.type === "duration") {
    const amounts = /^\d+(\.\d+)?$/.test(prefix) ? ["ms", "s", "µs", "m"].map((unit) => prefix + unit) : prefix ? [] : ["10ms", "100ms", "500ms", "1s", "5s"];
    return amounts.map((amount) => option(amount, `${amount} `));
  }
  const isOwn = intrinsic && intrinsic.inBraces !== name;
  const { key, scope } = isOwn ? { key: name, scope: "" } : attributeKey(name);
  const found = await source.attributeValues(key, prefix, OPTIONS_MAX, scope, signal);
  return found.values.map(({ value, type, count }) => {
    const spelled = literal(value, type);
    return option(String(value), `${spelled} `, compactCount(count));
  });
}
