// SPDX-License-Identifier: Apache-2.0
// What sets some spans apart from others, out of the values that each have. Pure.
const DIFFERENCE_MIN = 0.02;

/**
 * Values of the selection and of the rest with their shares.
 * @typedef {{ value: string, type: string, share: number, restShare: number, count: number, restCount: number }} Pair
 * @typedef {{ name: string, difference: number, isCut: boolean, pairs: Pair[] }} Apart attributes, those that differ most first
 */

/** Of an answer of `differences`. @returns {{ selected: number, rest: number, attributes: Apart[] }} */
export function apart({ selectionCount, restCount, attributes }) {
  const found = attributes.map(({ name, difference, truncated, values }) => ({
    name, difference, isCut: truncated,
    pairs: values.map(({ value, type, ...counts }) => pair(value, type, counts.selectionCount, counts.restCount, selectionCount, restCount)),
  }));
  return { selected: selectionCount, rest: restCount, attributes: found.filter(({ difference }) => difference >= DIFFERENCE_MIN) };
}

/**
 * The same out of two answers of `facets`, of the selected spans and of all of them: where the two are told apart by time,
 * which no condition of a query can say. A value that one of the lists had no room for is left out.
 */
export function apartInTime(inside, all) {
  const [selected, rest] = [inside.spanCount, all.spanCount - inside.spanCount];
  const within = new Map(inside.facets.map((facet) => [facet.name, facet]));
  const names = new Set([...within.keys(), ...all.facets.map(({ name }) => name)]);
  const whole = new Map(all.facets.map((facet) => [facet.name, facet]));
  const attributes = [];
  for (const name of names) {
    const [one, both] = [within.get(name), whole.get(name)];
    if (!both) continue;
    const key = ({ value, type }) => `${type}\u0000${value}`;
    const counts = new Map((one?.values ?? []).map((value) => [key(value), value.count]));
    const pairs = [];
    for (const value of both.values) {
      const count = counts.get(key(value)) ?? (one?.truncated ? null : 0);
      if (count !== null) pairs.push(pair(value.value, value.type, count, Math.max(0, value.count - count), selected, rest));
    }
    // Spans without the attribute differ as those with another value do.
    const lacking = Math.abs((one?.share ?? 0) - (rest > 0 ? (both.share * all.spanCount - (one?.share ?? 0) * selected) / rest : 0));
    const difference = (pairs.reduce((sum, { share, restShare }) => sum + Math.abs(share - restShare), 0) + lacking) / 2;
    pairs.sort((a, b) => Math.abs(b.share - b.restShare) - Math.abs(a.share - a.restShare));
    if (difference >= DIFFERENCE_MIN) attributes.push({ name, difference, isCut: both.truncated, pairs });
  }
  attributes.sort((a, b) => b.difference - a.difference || (a.name < b.name ? -1 : 1));
  return { selected, rest, attributes };
}

function pair(value, type, count, restCount, selected, rest) {
  return { value, type, count, restCount, share: selected > 0 ? count / selected : 0, restShare: rest > 0 ? restCount / rest : 0 };
}

const WRITTEN = new Set(["string", "int", "double", "bool", "kind", "status", "duration"]);

/** Whether a query can ask for a value of the type. @param {string} type */
export function isAskable(type) {
  return WRITTEN.has(type);
}
