// SPDX-License-Identifier: Apache-2.0
// A query's plain conditions by the field they are about: which values are asked for or ruled out, and the query with one
// more or less of them. Pure.
import { attributeKey, chips, fieldName, inBraces, literal, narrowed, tokenize, withoutChip } from "./query-text.js";

/** Names of one field, under the name that facets and groups have for it. */
const SAME = { service: "resource.service.name", "service.name": "resource.service.name", operation: "name", "span:name": "name", "span:status": "status", "span:kind": "kind", "span:duration": "duration" };
const INTRINSICS = new Set(["name", "status", "kind", "duration", "statusMessage", "rootName", "rootServiceName", "traceDuration"]);
/** What the server counts under such a type is no string. */
const BARE = new Set(["int", "double", "bool", "kind", "status", "duration"]);

/**
 * @typedef {{ index: number, name: string, operator: string, value: string }} Condition
 * `index` is the chip's, `value` as it is written.
 */

/** The chips of a query that compare one field with one value. @param {string} text @returns {Condition[]} */
export function conditions(text) {
  return chips(text).flatMap((chip, index) => {
    const [field, operator, value, ...more] = tokenize(chip.text.replace(/^\{(.*)\}$/s, "$1"));
    if (field?.kind !== "name" || operator?.kind !== "operator" || !value || more.length) return [];
    if (field.text === "error" && /^(true|false)$/.test(value.text)) {
      const isError = (value.text === "true") === (operator.text === "=");
      return [{ index, name: "status", operator: isError ? "=" : "!=", value: "error" }];
    }
    const name = SAME[field.text] ?? field.text;
    return [{ index, name, operator: operator.text, value: spelled(name, value) }];
  });
}

/** A value as `written` spells it: strings may stand in other quotes, or in none. */
function spelled(name, { kind, text }) {
  if (kind === "string") return text.startsWith("`") ? literal(text.slice(1, -1), "string") : text;
  const isWord = kind === "name" && name !== "status" && name !== "kind" && !/^(true|false|nil)$/.test(text);
  return isWord ? literal(text, "string") : text;
}

/** Whether a condition is about a facet's field: an attribute without a scope may be the span's or the resource's. */
function isAbout(condition, name) {
  if (condition.name === name) return true;
  const [asked, own] = [attributeKey(condition.name), attributeKey(name)];
  return asked.scope === "" && own.scope !== "" && asked.key === own.key;
}

/** What a query asks of a field. @param {string} text @param {string} name @returns {Condition[]} */
export function conditionsOn(text, name) {
  return conditions(text).filter((condition) => isAbout(condition, name));
}

/** The query as if nothing were asked of the field: what could be chosen instead is counted by this. @param {string} text @param {string} name */
export function without(text, name) {
  return conditionsOn(text, name).reverse().reduce((left, { index }) => withoutChip(left, index), text);
}

/** A value as a query writes it. @param {string} value @param {string} type as the server told it */
export function written(value, type) {
  return BARE.has(type) ? value : literal(value, "string");
}

/** A field's name as this query writes it. @param {string} text @param {string} name */
export function nameIn(text, name) {
  if (INTRINSICS.has(name)) return name;
  const { key, scope } = attributeKey(name);
  return fieldName(key, scope, inBraces(text));
}

/**
 * Asks for a value, or rules it out; asked a second time it takes that back. Of one field a span has one value, so another
 * one that was asked for goes; one that is ruled out does not.
 * @param {string} text @param {string} name @param {"=" | "!=" | ">=" | "<"} operator @param {string} value as it is written
 */
export function toggled(text, name, operator, value) {
  const own = conditionsOn(text, name);
  const same = own.find((condition) => condition.operator === operator && condition.value === value);
  if (same) return withoutChip(text, same.index);
  const isGone = (condition) => (operator === "!=" ? condition.operator === "=" && condition.value === value : condition.operator === operator || (operator === "=" && condition.value === value));
  // The new one comes first, so that the query is never without the braces it is written in.
  const more = narrowed(text, `${nameIn(text, name)} ${operator} ${value}`);
  return own.filter(isGone).reverse().reduce((rest, { index }) => withoutChip(rest, index), more);
}

/** The query with a stage behind it that counts. @param {string} text @param {string} stage as in `rate() by(name)` */
export function counted(text, stage) {
  const all = chips(text);
  const last = all.at(-1);
  const isOrdered = last && /^\|\s*order\s+by\b/i.test(last.text);
  const asked = (isOrdered ? text.slice(0, last.start) : text).trim();
  return `${asked || "{ }"} | ${stage}`;
}

/** Names of fields as the address keeps them. @param {string[]} names */
export function joinNames(names) {
  return names.map((name) => name.replace(/[%,]/g, encodeURIComponent)).join(",");
}

/** @param {string} text @returns {string[]} */
export function splitNames(text) {
  return text.split(",").filter(Boolean).map((name) => name.replace(/%(25|2C)/gi, decodeURIComponent));
}
