// SPDX-License-Identifier: Apache-2.0
// What the word at the cursor could become. The server knows the language and the names; this puts the likely ones first
// and says what each is: its type, how many spans carry it, what an operator or a function does. Pure but for the asking.
import { compactCount, share } from "../lib/format.js";
import { attributeKey, faultRange, tokenize } from "./query-text.js";

export const OPTIONS_MAX = 40;
const ASKED_MAX = 100;
const PAST_MAX = 5;

/** Fields that every span has and people ask for first; `inBraces` where the other form writes them differently. */
const INTRINSICS = [
  { name: "service", inBraces: "resource.service.name", says: "the service that recorded the span" },
  { name: "name", says: "the operation" },
  { name: "duration", says: "how long it took" },
  { name: "status", says: "unset, ok or error" },
  { name: "error", says: "whether the status is error" },
  { name: "kind", says: "server, client, …" },
];
const OPERATORS = [
  ["=", "equals"], ["!=", "differs"], [">", "more than"], [">=", "at least"], ["<", "less than"], ["<=", "at most"],
  ["=~", "matches the pattern"], ["!~", "does not match"],
];

/** Functions that count over time answer figures, not traces: they are for metrics, and a search refuses them. */
const FUNCTIONS = {
  by: "groups the spans of a trace", coalesce: "makes one group of all", select: "also reads these attributes", count: "how many spans matched",
  min: "the least of the matched spans", max: "the largest", avg: "the mean", sum: "the sum", "order by": "start, duration, spans or errors", "{": "keeps the spans that satisfy this, too",
};
const WITHOUT_ARGUMENT = new Set(["count", "coalesce"]);
const SAYS = {
  ...Object.fromEntries([...INTRINSICS.map(({ name, says }) => [name, says]), ...OPERATORS]),
  and: "both hold", or: "either holds", "&&": "both hold", "||": "either holds", "|": "a further stage",
  ">>": "has below it", ">": "more than", "<<": "lies below", "~": "is a sibling of",
  operation: "what the span does", statusMessage: "why it failed", traceDuration: "how long the whole trace took", rootName: "the operation of the root",
  rootServiceName: "the service of the root", "resource.service.name": "the service that recorded the span",
};
const KEYWORDS = { error: ["true", "false"] };

/**
 * `runs`: accepting it runs it as the whole query.
 * @typedef {{ kind: "past" | "field" | "value" | "operator" | "function", text: string, detail?: string, insert: string, start: number,
 *   end: number, runs?: boolean }} Option
 */

/**
 * @param {string} text @param {number} cursor
 * @param {{ complete: Function, attributes: Function, pastQueries: () => string[] }} source
 * @param {AbortSignal} [signal] @returns {Promise<Option[]>}
 */
export async function optionsFor(text, cursor, source, signal) {
  const { want, prefix, field, start, end } = completionAt(text, cursor);
  const own = want === "value" ? ownValues(field, prefix) : null;
  if (own) return own.map((value) => ({ kind: "value", text: value, insert: `${value} `, start, end }));
  const position = new TextEncoder().encode(text.slice(0, cursor)).length;
  const asksField = want === "field";
  const [answer, known] = await Promise.all([
    source.complete(text, position, ASKED_MAX, signal),
    asksField ? source.attributes(attributeKey(prefix).key, ASKED_MAX, signal).then(({ attributes }) => attributes, () => []) : [],
  ]);
  const place = faultRange(text, answer.replace);
  const typed = want === "logic" || want === "operator" ? prefix.toLowerCase() : "";
  const choices = answer.choices.filter(({ text: sign, kind }) => kind !== "operator" || mayBecome(sign, typed));
  const options = choices.map((choice) => optionOf(choice, place, known)).filter(Boolean);
  options.sort((a, b) => a.rank - b.rank);
  const past = text.trim() === "" ? source.pastQueries().slice(0, PAST_MAX).map((query) => ({ kind: "past", text: query, detail: "ran before", insert: query, start: 0, end: text.length, runs: true })) : [];
  return [...past, ...options].slice(0, OPTIONS_MAX);
}

function optionOf({ text, kind, count }, { start, end }, known) {
  if (kind === "field") return { kind, text, detail: fieldDetail(text, count, known), insert: `${text} `, start, end, rank: rankOf(text, count) };
  if (kind === "value") return { kind, text, detail: count === null ? SAYS[text] : compactCount(count), insert: `${text} `, start, end, rank: 0 };
  if (kind === "operator") return { kind, text, detail: SAYS[text], insert: `${text} `, start, end, rank: 0 };
  if (!Object.hasOwn(FUNCTIONS, text)) return null;
  const insert = text === "{" || text === "order by" ? `${text} ` : WITHOUT_ARGUMENT.has(text) ? `${text}() ` : `${text}(`;
  return { kind: "function", text, detail: FUNCTIONS[text], insert, start, end, rank: 0 };
}

/** The fields that people ask for, then attributes by how many spans carry them, then what is rarely meant. */
function rankOf(name, count) {
  const likely = INTRINSICS.findIndex((field) => field.name === name || field.inBraces === name);
  return likely >= 0 ? likely - 100 : count !== null ? 0 : 1;
}

function fieldDetail(name, count, known) {
  if (count === null) return SAYS[name];
  const { key, scope } = attributeKey(name);
  const found = known.find((attribute) => attribute.key === key && (scope === "" || attribute.scope === scope));
  if (!found) return `${compactCount(count)} spans`;
  return `${found.scope === "span" ? "" : `${found.scope} · `}${found.types.join(", ")} · ${found.estimate ? "≤ " : ""}${share(found.share)}`;
}

/** The server offers every sign that may stand here; of those, the ones that what is typed may become. */
function mayBecome(sign, typed) {
  const meant = { "&&": ["and", "&"], "||": ["or", "|"], and: ["&"], or: ["|"] }[sign] ?? [];
  return [sign, ...meant].some((spelled) => spelled.startsWith(typed));
}

/** Where the values that are stored would be of no use: every duration is different. */
function ownValues(field, prefix) {
  if (Object.hasOwn(KEYWORDS, field)) return KEYWORDS[field].filter((value) => value.startsWith(prefix.toLowerCase()));
  if (!/^(span:|trace:)?(duration|traceDuration)$/.test(field)) return null;
  if (/^\d+(\.\d+)?$/.test(prefix)) return ["ms", "s", "µs", "m"].map((unit) => prefix + unit);
  return prefix === "" ? ["10ms", "100ms", "500ms", "1s", "5s"] : [];
}

/**
 * What the word at the cursor may become.
 * `want`: a field, an operator, a value (of `field`), or a word that joins; `prefix` is what is typed of it so far,
 * `start…end` the range that a completion replaces.
 * @param {string} text @param {number} cursor
 * @returns {{ want: "field" | "operator" | "value" | "logic", prefix: string, start: number, end: number, field: string }}
 */
export function completionAt(text, cursor) {
  const tokens = tokenize(text);
  const at = tokens.find((token) => token.start < cursor && cursor <= token.end && (isWord(token) || token.kind === "operator" || isHalfJoin(token)));
  const before = tokens.filter((token) => token.end <= cursor && token !== at && token.start < cursor);
  let want = "field";
  let field = "";
  for (const token of before) {
    if (token.kind === "open" || token.kind === "logic" || token.kind === "pipe") want = "field";
    else if (token.kind === "close") want = "logic";
    else if (token.kind === "operator") want = "value";
    else if (want === "field") {
      field = token.text;
      want = "operator";
    } else if (want === "value") want = "logic";
  }
  if (at?.kind === "operator" && want === "operator") return { want: "value", prefix: "", start: cursor, end: cursor, field };
  if (!at) return { want, prefix: "", start: cursor, end: cursor, field };
  const typed = text.slice(at.start, cursor);
  const prefix = at.kind === "string" ? typed.slice(1).replace(/\\(.)/g, "$1").replace(/"$/, "") : typed;
  if (at.kind === "logic" && want !== "logic") return { want: "field", prefix, start: at.start, end: at.end, field };
  return { want, prefix, start: at.start, end: at.end, field };
}

const isWord = (token) => token.kind === "name" || token.kind === "string" || token.kind === "number" || token.kind === "logic";

/** One sign of the two that join: the other may be on its way. */
const isHalfJoin = (token) => token.text === "&" || token.text === "|";
