// SPDX-License-Identifier: Apache-2.0
// OTLP JSON's AnyValue, as plain values and as text. Pure; the nesting is bounded.

const DEPTH_MAX = 16;

/** @param {any} value @returns {"string" | "bool" | "int" | "double" | "bytes" | "array" | "map" | "empty"} */
export function typeOf(value) {
  if (value == null) return "empty";
  if ("stringValue" in value) return "string";
  if ("boolValue" in value) return "bool";
  if ("intValue" in value) return "int";
  if ("doubleValue" in value) return "double";
  if ("bytesValue" in value) return "bytes";
  if ("arrayValue" in value) return "array";
  if ("kvlistValue" in value) return "map";
  return "empty";
}

/** The value without its wrapping. Integers stay text where a JavaScript number would round them. */
export function plainValue(value, depth = 0) {
  if (depth > DEPTH_MAX) return "…";
  switch (typeOf(value)) {
    case "string": return value.stringValue;
    case "bool": return value.boolValue;
    case "int": return Number.isSafeInteger(Number(value.intValue)) ? Number(value.intValue) : String(value.intValue);
    case "double": return value.doubleValue;
    case "bytes": return value.bytesValue;
    case "array": return (value.arrayValue?.values ?? []).map((item) => plainValue(item, depth + 1));
    case "map": return Object.fromEntries((value.kvlistValue?.values ?? []).map((item) => [item.key, plainValue(item.value, depth + 1)]));
    default: return null;
  }
}

/** As it is copied and shown in one line. @param {any} value */
export function valueText(value) {
  const plain = plainValue(value);
  if (plain === null) return "";
  return typeof plain === "object" ? JSON.stringify(plain) : String(plain);
}

export function isNested(value) {
  const type = typeOf(value);
  return type === "map" || (type === "array" && (value.arrayValue?.values ?? []).some((item) => ["array", "map"].includes(typeOf(item))));
}

/** Indented JSON. @param {any} value */
export function pretty(value) {
  return JSON.stringify(plainValue(value), null, 2);
}
