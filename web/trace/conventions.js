// SPDX-License-Identifier: Apache-2.0
// Families of the semantic conventions, by the first part of an attribute's key, in the order people look for them. Pure.

/** A key that is of no family. */
export const OTHER = "Attributes";

const FAMILIES = [
  ["Error", ["error", "exception"]],
  ["HTTP", ["http", "url", "user_agent"]],
  ["RPC", ["rpc", "grpc"]],
  ["GraphQL", ["graphql"]],
  ["Database", ["db"]],
  ["Messaging", ["messaging"]],
  ["GenAI", ["gen_ai", "mcp", "llm", "openinference"]],
  [OTHER, []],
  ["Feature flag", ["feature_flag"]],
  ["Client and server", ["server", "client", "source", "destination", "network", "net", "peer", "tls", "dns"]],
  ["FaaS and cloud", ["faas", "cloud", "aws", "azure", "gcp", "k8s", "container"]],
  ["Code", ["code", "thread"]],
];
const BY_PREFIX = new Map(FAMILIES.flatMap(([name, prefixes]) => prefixes.map((prefix) => [prefix, name])));

/** @param {string} key */
export function familyOf(key) {
  return BY_PREFIX.get(key.split(".", 1)[0]) ?? OTHER;
}

/**
 * Attributes by family, families in their order, keys in theirs.
 * @template {{ key: string }} Attribute @param {Attribute[]} list @returns {{ name: string, list: Attribute[] }[]}
 */
export function families(list) {
  const found = new Map(FAMILIES.map(([name]) => [name, []]));
  for (const attribute of list) found.get(familyOf(attribute.key)).push(attribute);
  return [...found].filter(([, members]) => members.length).map(([name, members]) => ({ name, list: byKey(members) }));
}

/** @template {{ key: string }} Attribute @param {Attribute[]} list @returns {Attribute[]} */
export function byKey(list) {
  return [...list].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
