// SPDX-License-Identifier: Apache-2.0
// How an address names spans: by as many of the first digits of their ids as tell them from all others. Pure.

const DIGITS_MIN = 8;

/**
 * The names of some of `ids`: 8 to 16 digits. Of spans that share an id, as Zipkin's clients and servers do, the second has
 * ".1" behind it, and so on.
 * @param {string[]} ids @param {ArrayLike<number>} chosen places in `ids` @returns {string[]}
 */
export function prefixesOf(ids, chosen) {
  const near = placesNear(ids, Array.from(chosen, (at) => ids[at]));
  return Array.from(chosen, (at) => {
    const id = ids[at];
    let digits = DIGITS_MIN;
    let copies = 0;
    for (const place of near.get(id.slice(0, DIGITS_MIN))) {
      if (ids[place] !== id) digits = Math.max(digits, common(ids[place], id) + 1);
      else if (place < at) copies++;
    }
    return copies ? `${id}.${copies}` : id.slice(0, digits);
  });
}

/**
 * The places that names stand for. One that fits several spans that may be meant stands for none.
 * @param {string[]} ids @param {string[]} names as `prefixesOf` writes them @param {(place: number) => boolean} mayBe
 * @returns {number[]}
 */
export function placesOf(ids, names, mayBe) {
  const near = placesNear(ids, names.filter((name) => name.length >= DIGITS_MIN));
  return names.flatMap((name) => {
    const [digits, copies = "0"] = name.split(".");
    const fit = (near.get(digits.slice(0, DIGITS_MIN)) ?? []).filter((place) => ids[place].startsWith(digits));
    const places = copies === "0" ? firstOfEach(ids, fit) : fit.filter((_, nth) => String(nth) === copies);
    const meant = places.filter(mayBe);
    return meant.length === 1 ? meant : [];
  });
}

/** The places of ids that begin as one of `wanted` does, by those digits. */
function placesNear(ids, wanted) {
  const near = new Map(wanted.map((id) => [id.slice(0, DIGITS_MIN), []]));
  if (near.size === 0) return near;
  // Most of many ids end the search at their first two digits.
  const begins = (id) => (id.charCodeAt(0) << 8) | id.charCodeAt(1);
  const may = new Uint8Array(1 << 16);
  for (const id of near.keys()) may[begins(id)] = 1;
  for (let place = 0; place < ids.length; place++) if (may[begins(ids[place])]) near.get(ids[place].slice(0, DIGITS_MIN))?.push(place);
  return near;
}

function firstOfEach(ids, places) {
  const seen = new Set();
  return places.filter((place) => !seen.has(ids[place]) && seen.add(ids[place]));
}

function common(a, b) {
  let digits = 0;
  while (digits < a.length && a[digits] === b[digits]) digits++;
  return digits;
}
