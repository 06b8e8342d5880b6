// SPDX-License-Identifier: Apache-2.0
// Focus survives what is drawn anew: it goes to whatever now says the same.

/** @param {HTMLElement} root what is drawn anew @param {() => void} draw */
export function keepingFocus(root, draw) {
  const before = document.activeElement;
  const isInside = before !== null && root.contains(before);
  draw();
  if (!isInside || before.isConnected) return;
  const name = nameOf(before);
  [...root.querySelectorAll(before.tagName)].find((each) => nameOf(each) === name)?.focus({ preventScroll: true });
}

function nameOf(element) {
  return element.getAttribute("aria-label") ?? element.textContent;
}
