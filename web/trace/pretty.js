// SPDX-License-Identifier: Apache-2.0
// JSON and SQL broken into lines for reading: only white space changes, every other character stays as it was sent. Pure.

const LENGTH_MAX = 200_000;
const DEPTH_MAX = 200;

/**
 * The text in lines, and what it is; null where it is neither, or too long to be worth it.
 * @param {string} text @param {string} [key] of the attribute @returns {{ text: string, language: "JSON" | "SQL" } | null}
 */
export function prettyOf(text, key = "") {
  if (!mayBePretty(text, key)) return null;
  const json = indentJson(text);
  if (json !== null) return { text: json, language: "JSON" };
  if (!looksLikeSql(text, key)) return null;
  const sql = breakSql(text);
  return sql !== text.trim() ? { text: sql, language: "SQL" } : null;
}

/** Whether it is worth trying, by the beginning alone. @param {string} text @param {string} [key] of the attribute */
export function mayBePretty(text, key = "") {
  return text.length <= LENGTH_MAX && (/^\s*[[{]/.test(text) || looksLikeSql(text, key));
}

function looksLikeSql(text, key) {
  return /^db\.(query\.text|statement)$|(^|\.)sql$/.test(key) || /^\s*(select\s.+\sfrom|insert\s+into|update\s.+\sset|delete\s+from|with\s.+\sas)\s/is.test(text.slice(0, 400));
}

/** A JSON object or array, indented; digits of long numbers stay. Null for anything else. @param {string} text */
export function indentJson(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const parts = [];
  let depth = 0;
  let last = "";
  const line = () => `\n${"  ".repeat(Math.min(depth, DEPTH_MAX))}`;
  // Valid JSON is made of these alone; white space between them is left out.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g)) {
    const closes = token === "}" || token === "]";
    if (closes) depth--;
    if (last === "," || (last === "[" || last === "{") !== closes && (closes || last === "[" || last === "{")) parts.push(line());
    parts.push(token === ":" ? ": " : token);
    if (token === "{" || token === "[") depth++;
    last = token;
  }
  return parts.join("");
}

/** Words that begin a line. */
const CLAUSE = /^(with|select|from|where|group|having|order|limit|offset|union|intersect|except|insert|values|update|set|delete|returning|left|right|inner|full|cross|natural|join)$/;
const JOIN_WORD = /^(left|right|inner|full|cross|natural|outer|join)$/;
/** Two words of which the second begins no line. */
const PAIRS = new Set(["delete from", "for update", "character set", "distinct from", "key update", "do update", "then update", "then delete", "then insert"]);
const TOKEN = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|[\p{L}_][\p{L}\p{N}_$.]*|\s+|[(),;]|[^\s\p{L}_(),;'"`-]+|[^]/gu;

/** A statement with a line for each clause and condition. Strings, quoted names and comments are not looked into. @param {string} text */
export function breakSql(text) {
  const lines = [];
  let line = "";
  let depth = 0;
  /** For each open bracket: null, or, when a query stands in it, the depth around it and that of the bracket's line. */
  const brackets = [];
  let last = "";
  let isBetween = false;
  const newLine = (more = 0) => {
    if (line.trim() !== "") lines.push(line.trimEnd());
    line = "  ".repeat(Math.min(depth, DEPTH_MAX) + more);
  };
  const tokens = Array.from(text.trim().matchAll(TOKEN), ([token]) => token);
  const after = (at) => tokens[/^\s/.test(tokens[at + 1] ?? "") ? at + 2 : at + 1]?.toLowerCase();
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (/^\s+$/.test(token)) {
      if (line.trim() !== "" && !line.endsWith(" ")) line += " ";
      continue;
    }
    const word = token.toLowerCase();
    const isInCall = brackets.length > 0 && !brackets[brackets.length - 1];
    const isFunction = after(at) === "(" && (word === "left" || word === "right");
    const isClause = CLAUSE.test(word) && !(JOIN_WORD.test(word) && JOIN_WORD.test(last)) && !PAIRS.has(`${last} ${word}`);
    const query = token === ")" ? brackets.pop() : null;
    if (query) {
      depth = query.depth;
      newLine(query.line - depth);
    } else if (!isInCall && !isFunction && isClause) newLine();
    else if (!isInCall && (word === "or" || (word === "and" && !isBetween))) newLine(1);
    line += token;
    if (token === "(") {
      const isQuery = after(at) === "select" || after(at) === "with";
      const lineDepth = (line.length - line.trimStart().length) / 2;
      brackets.push(isQuery ? { depth, line: lineDepth } : null);
      if (isQuery) depth = Math.min(DEPTH_MAX, lineDepth + 1);
    } else if (token === ";" || token.startsWith("--")) newLine();
    if (word === "between") isBetween = true;
    else if (word === "and") isBetween = false;
    last = word;
  }
  newLine();
  return lines.join("\n");
}
