// SPDX-License-Identifier: Apache-2.0
// Keys as the sheet of shortcuts prints them.

const SYMBOLS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", Control: "Ctrl", PageUp: "PgUp", PageDown: "PgDn", " ": "Space" };

/** How the sheet prints a key: ["Shift", "←"]. @param {string} key @returns {string[]} */
export function keyCaps(key) {
  if (key === "+" || key === " ") return [SYMBOLS[key] ?? key];
  const split = key.includes(" ") ? key.split(" ") : key.split("+");
  const caps = split.map((part) => SYMBOLS[part] ?? part);
  return caps.length === 1 && /^[A-Z]$/.test(caps[0]) ? ["Shift", caps[0].toLowerCase()] : caps;
}
