// SPDX-License-Identifier: Apache-2.0
// The keyboard: one listener, a table of commands per page, and the sheet that `?` shows is drawn from the same table.

/**
 * @typedef {{ keys: string[], does: string, run: (event: KeyboardEvent) => void, group?: string, inFields?: boolean }} Command
 * `inFields` acts also while somebody writes; `keys` as in "j", "Shift+T", "Control+k", "ArrowDown", or a sequence "g e".
 */

const SEQUENCE_MILLIS = 1000;

export class Keyboard {
  /** @param {() => boolean} singleKeysAllowed whether letters act at all */
  constructor(singleKeysAllowed) {
    this.singleKeysAllowed = singleKeysAllowed;
    /** @type {Map<string, Command[]>} */
    this.tables = new Map();
    this.prefix = "";
    this.prefixAt = 0;
    /** While a dialog is on its way. */
    this.isHeld = false;
  }

  /** Puts a table in place of the one with this name; an empty one takes it away. @param {string} name @param {Command[]} commands */
  install(name, commands) {
    if (commands.length) this.tables.set(name, commands);
    else this.tables.delete(name);
  }

  listen(target) {
    target.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (this.isHeld || document.querySelector("dialog[open]") !== null) return;
    const key = nameOf(event);
    if (takesText(event.target)) {
      const command = this.find(key);
      if (!command?.inFields) return;
      event.preventDefault();
      command.run(event);
      return;
    }
    if (isSingle(event) && !this.singleKeysAllowed()) return;
    const sequence = event.timeStamp - this.prefixAt < SEQUENCE_MILLIS && this.prefix ? `${this.prefix} ${key}` : null;
    this.prefix = "";
    const command = (sequence && this.find(sequence)) ?? this.find(key);
    if (command) {
      if (belongsToControl(event)) return;
      event.preventDefault();
      command.run(event);
    } else if (this.startsSequence(key)) {
      this.prefix = key;
      this.prefixAt = event.timeStamp;
    }
  }

  /** The latest installed table wins: a page may give a key of everywhere its own meaning. */
  find(key) {
    for (const commands of [...this.tables.values()].reverse()) {
      const found = commands.find((command) => command.keys.includes(key));
      if (found) return found;
    }
    return null;
  }

  startsSequence(key) {
    return [...this.tables.values()].some((commands) =>
      commands.some((command) => command.keys.some((keys) => keys.startsWith(`${key} `))));
  }
}

/** "j", "J", "Shift+ArrowLeft", "Control+k": Shift is named only where the key does not already say it. */
function nameOf(event) {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Control");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && event.key.length > 1) parts.push("Shift");
  parts.push(event.key);
  return parts.join("+");
}

function isSingle(event) {
  return event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
}

function takesText(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

/** Enter and space belong to a focused button or link, arrows to a focused slider, separator or tab. */
function belongsToControl(event) {
  if (!(event.target instanceof Element)) return false;
  if (event.key === "Enter" || event.key === " ") return event.target.closest("button, a[href], summary") !== null;
  if (event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End" || event.key.startsWith("Page"))
    return event.target.closest("[role=slider], [role=separator], [role=tab], [role=listbox]") !== null;
  return false;
}
