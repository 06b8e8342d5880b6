// SPDX-License-Identifier: Apache-2.0
// What the page understands of a query: enough to colour it, mirror it as chips and know what could come next.
// The server's parser is the judge; nothing here refuses a query. Pure.

/** @typedef {{ kind: "name" | "string" | "number" | "operator" | "logic" | "open" | "close" | "pipe" | "other", start: number, end: number, text: string }} Token */

/** Words that stand for something else than an attribute when they have no scope; those of the server and two of ours. */
const TAKEN = new Set([
  "duration", "name", "status", "statusMessage", "kind", "traceDuration", "rootName", "rootServiceName",
  "nestedSetLeft", "nestedSetRight", "nestedSetParent", "parent", "service", "operation", "error",
]);
/** The same, however they are spelled. */
const TAKEN_IN_ANY_CASE = new Set(["and", "or", "not", "true", "false", "nil", "minint", "maxint"]);
const SCOPES = /^(span|resource|event|link|parent|trace|instrumentation)([.:]|$)/;

const LOGIC = new Set(["and", "or", "not"]);
const PATTERN =
  /(?<string>"(?:[^"\\]|\\[^])*(?:"|$)|`[^`]*(?:`|$))|(?<number>-?\d+(?:\.\d+)?(?:(?:ns|us|µs|ms|s|m|h|d)(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))*)?(?![\p{L}\p{N}_.]))|(?<logic>&&|\|\|)|(?<operator>!=|!~|=~|>=|<=|[=<>])|(?<open>[({])|(?<close>[)}])|(?<pipe>\|)|(?<name>\.?(?:[\p{L}\p{N}_][\p{L}\p{N}_\-./:$@]*)(?:"(?:[^"\\]|\\[^])*(?:"|$))?)|(?<other>\S)/gu;

/** @param {string} text @returns {Token[]} */
export function tokenize(text) {
  const tokens = [];
  for (const match of text.matchAll(PATTERN)) {
    let kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    if (kind === "name" && LOGIC.has(match[0].toLowerCase())) kind = "logic";
    if (match[0] === "!") kind = "logic";
    tokens.push({ kind, start: match.index, end: match.index + match[0].length, text: match[0] });
  }
  return tokens;
}

const isJoin = (token, word, sign) => token.kind === "logic" && (token.text === sign || token.text.toLowerCase() === word);

/**
 * The conditions that all have to hold, as ranges of the text: one chip each, and one for each further stage of a
 * pipeline, with its sign. A query whose outermost word is `or` is one chip; so is what stands in parentheses.
 * @param {string} text @returns {{ start: number, end: number, text: string }[]}
 */
export function chips(text) {
  const [first, ...further] = stages(tokenize(text));
  return [...conditions(text, unwrapped(first)), ...further.map((stage) => chipOf(text, stage))];
}

/** Tokens from one outer pipe to the next, which begins its stage. */
function stages(tokens) {
  const all = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "open") depth++;
    if (token.kind === "close") depth--;
    if (depth === 0 && token.kind === "pipe") all.push([token]);
    else all.at(-1).push(token);
  }
  return all;
}

function conditions(text, tokens) {
  if (!tokens.length) return [];
  const groups = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "open") depth++;
    if (token.kind === "close") depth--;
    if (depth === 0 && isJoin(token, "or", "||")) return [chipOf(text, tokens)];
    if (depth === 0 && isJoin(token, "and", "&&")) groups.push([]);
    else groups.at(-1).push(token);
  }
  return groups.filter((group) => group.length).map((group) => chipOf(text, group));
}

function chipOf(text, tokens) {
  const start = tokens[0].start;
  const end = tokens.at(-1).end;
  return { start, end, text: text.slice(start, end) };
}

/** Without the one pair of braces around everything. */
function unwrapped(tokens) {
  if (tokens[0]?.text !== "{" || tokens.at(-1)?.text !== "}") return tokens;
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.kind === "open") depth++;
    if (token.kind === "close") depth--;
    if (depth === 0 && index < tokens.length - 1) return tokens;
  }
  return tokens.slice(1, -1);
}

/** Whether a query is in TraceQL's braces: by what it begins with, be it in parentheses, as the server decides. */
export function inBraces(text) {
  return tokenize(text).find((token) => token.text !== "(")?.text === "{";
}

/** What joins conditions that all must hold: the query's own way. */
function joint(text) {
  const isSign = inBraces(text) || tokenize(text).some((token) => token.kind === "logic" && token.text === "&&");
  return isSign ? " && " : " and ";
}

/** The text without one of its chips, and without the word that joined it. @param {string} text @param {number} index */
export function withoutChip(text, index) {
  return composed(text, chips(text).filter((_, i) => i !== index).map((chip) => chip.text));
}

/** Chips put together again in the form of the text that they come from. @param {string[]} kept */
function composed(text, kept) {
  const own = kept.filter((chip) => !chip.startsWith("|"));
  const further = kept.filter((chip) => chip.startsWith("|"));
  const joined = own.join(joint(text));
  const isWhole = own.length === 0 && further.length > 0;
  return [isWhole ? "{ }" : isWrapped(text) && own.length ? `{ ${joined} }` : joined, ...further].filter(Boolean).join(" ");
}

/** Whether the first stage is one pair of braces. */
function isWrapped(text) {
  const [first] = stages(tokenize(text));
  return unwrapped(first).length < first.length;
}

/**
 * What a span's attribute has to be.
 * @typedef {{ key: string, scope: string, operator: string, value: string | number | boolean, type: string }} Condition
 */

/**
 * The text with one condition more, written in the form that the text is in; nothing changes when it is there already.
 * @param {string} text @param {Condition} condition
 */
export function withCondition(text, { key, scope, operator, value, type }) {
  return narrowed(text, `${fieldName(key, scope, inBraces(text))} ${operator} ${literal(value, type)}`);
}

/** The text with one condition more, which is written in the text's form. @param {string} text @param {string} condition */
export function narrowed(text, condition) {
  const all = chips(text).map((chip) => chip.text);
  if (all.includes(condition)) return text;
  const own = all.filter((chip) => !chip.startsWith("|"));
  const further = all.slice(own.length);
  if (inBraces(text) && !isWrapped(text)) {
    // What one spanset has below another, or beside it: the condition is for the spans that this comes to.
    const isOne = own.length === 1;
    return isOne ? composed(text, [...own, `| { ${condition} }`, ...further]) : composed(text, [...own, `{ ${condition} }`, ...further]);
  }
  const before = own.length === 1 && hasOuterOr(own[0]) ? [`(${own[0]})`] : own;
  return composed(text, [...before, condition, ...further]);
}

function hasOuterOr(text) {
  let depth = 0;
  return tokenize(text).some((token) => {
    if (token.kind === "open") depth++;
    if (token.kind === "close") depth--;
    return depth === 0 && isJoin(token, "or", "||");
  });
}

/** A value as the language writes it. @param {string | number | boolean | bigint} value @param {string} type */
export function literal(value, type) {
  if (type === "int" || type === "double" || type === "bool" || type === "keyword" || type === "duration") return String(value);
  return `"${String(value).replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\t/g, "\\t").replace(/\r/g, "\\r")}"`;
}

/**
 * An attribute's name as the language writes it: with its scope in braces and where a bare name would mean something else.
 * @param {string} key @param {string} scope @param {boolean} [isBraced]
 */
export function fieldName(key, scope, isBraced = false) {
  if (!isBraced && key === "service.name" && scope === "resource") return "service";
  const isPlain = /^[\p{L}_][\p{L}\p{N}_\-./]*$/u.test(key);
  const isTaken = TAKEN.has(key) || TAKEN_IN_ANY_CASE.has(key.toLowerCase()) || SCOPES.test(key);
  if (isPlain && !isTaken && !isBraced && scope !== "resource") return key;
  // Names know two escapes only, and may hold line ends as they are.
  const name = isPlain ? key : `"${key.replace(/[\\"]/g, "\\$&")}"`;
  return `${scope === "resource" ? "resource" : "span"}.${name}`;
}

/** The bare key and scope of a field: `resource.host.name` → host.name, resource. @param {string} field */
export function attributeKey(field) {
  const match = /^(?:(span|resource|event|link|scope)\.|\.)?(.*)$/s.exec(field);
  const quoted = /^"((?:[^"\\]|\\.)*)"?$/s.exec(match[2]);
  return { key: quoted ? quoted[1].replace(/\\(.)/g, "$1") : match[2], scope: match[1] ?? "" };
}

/**
 * Where the server found the fault, as a range of the text; empty where something is missing.
 * The server counts UTF-8 bytes, JavaScript UTF-16 units.
 * @param {string} text @param {{ offset: number, length: number }} position
 */
export function faultRange(text, { offset, length }) {
  const start = unitsOf(text, 0, offset);
  return { start, end: unitsOf(text, start, length) };
}

/** Where `bytes` bytes of UTF-8 after `from` end. */
function unitsOf(text, from, bytes) {
  let at = from;
  for (let left = bytes; left > 0 && at < text.length; ) {
    const scalar = text.codePointAt(at);
    left -= scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
    at += scalar < 0x10000 ? 1 : 2;
  }
  return at;
}
