// SPDX-License-Identifier: Apache-2.0
// A panel that a press elsewhere closes, and the button that opens it: a press on the button closes it, too, before the
// click comes, which must not open it again. Only that press counts: a click soon after Escape opens it.

/** @param {HTMLElement} panel @param {HTMLElement} button @returns {() => boolean} whether the press behind this click has closed it */
export function closedByPress(panel, button) {
  let wasOpen = false;
  button.addEventListener("pointerdown", () => { wasOpen = panel.matches(":popover-open"); });
  return () => {
    const isClosed = wasOpen && !panel.matches(":popover-open");
    wasOpen = false;
    return isClosed;
  };
}
