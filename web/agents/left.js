// SPDX-License-Identifier: Apache-2.0
// How the list of sessions was left, for the way back to it.

/** Rows are shown again for so long; after that they are read anew. */
const KEPT_MAX_MILLIS = 600_000;

/** @type {Object<string, string>} */
let left = {};

/** @type {{ question: string, at: number, place: any } | null} */
let kept = null;

/** @param {Object<string, string>} state */
export function keepList({ from, to, tz, ...rest }) {
  left = rest;
}

/** What was shown, chosen and scrolled to. @param {Object<string, string>} state @param {any} place */
export function keepPlace(state, place) {
  kept = { question: questionOf(state), at: Date.now(), place };
}

/** The same again, where the same is asked for soon after. @param {Object<string, string>} state @returns {any} */
export function placeOf(state) {
  return kept && kept.question === questionOf(state) && Date.now() - kept.at < KEPT_MAX_MILLIS ? kept.place : null;
}

function questionOf({ tz, ...rest }) {
  return JSON.stringify(Object.entries(rest).sort());
}

/** The list as it was left, in the range looked at last. */
export function listView(app) {
  const view = app.front("agents");
  return { ...view, state: { ...view.state, ...left } };
}
