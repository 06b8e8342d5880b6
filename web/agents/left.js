// SPDX-License-Identifier: Apache-2.0
// How the list of sessions was left, for the way back to it.

/** @type {Object<string, string>} */
let left = {};

/** @param {Object<string, string>} state */
export function keepList({ from, to, tz, ...rest }) {
  left = rest;
}

/** The list as it was left, in the range looked at last. */
export function listView(app) {
  const view = app.front("agents");
  return { ...view, state: { ...view.state, ...left } };
}
