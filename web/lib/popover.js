// SPDX-License-Identifier: Apache-2.0
// A panel that a press elsewhere closes, and the button that opens it: a press on the button closes it, too, before the
// click comes, which must not open it again.

const SAME_PRESS_MILLIS = 150;

/** @param {HTMLElement} panel @returns {() => boolean} whether the press that is being handled has closed it */
export function closedByPress(panel) {
  let closedAt = -Infinity;
  panel.addEventListener("beforetoggle", (event) => { if (event.newState === "closed") closedAt = performance.now(); });
  return () => performance.now() - closedAt < SAME_PRESS_MILLIS;
}
