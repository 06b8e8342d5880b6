// SPDX-License-Identifier: Apache-2.0
// A part of the details that folds away and stays so, and lists that show their beginning first.
import { count } from "../lib/format.js";
import { h } from "../lib/view.js";
import { closedSections } from "../settings.js";

/**
 * @param {string} name also what is remembered when it is closed @param {any} content
 * @param {{ size?: number, beside?: any }} [head] how many things it holds; more to say beside the name
 */
export function section(name, content, { size = 0, beside = null } = {}) {
  const element = h("details.details-section", { open: !closedSections.value.includes(name) },
    h("summary", {}, h("h3", {}, name, size > 1 ? h("span.section-count", {}, count(size)) : null, beside)), content);
  element.addEventListener("toggle", () => {
    // The event also comes for sections that begin open.
    if (element.open !== closedSections.value.includes(name)) return;
    const others = closedSections.value.filter((closed) => closed !== name);
    closedSections.value = element.open ? others : [...others, name];
  });
  return element;
}

/**
 * The first of many things, and a button for more of them.
 * @template T @param {HTMLElement} list @param {T[]} items @param {number} most at a time @param {(item: T) => Node} element
 * @returns {HTMLElement} the list
 */
export function listed(list, items, most, element) {
  const add = (from) => {
    list.append(...items.slice(from, from + most).map(element));
    const left = items.length - from - most;
    if (left <= 0) return;
    const button = h("button.quiet.show-all", { type: "button", onclick: () => { more.remove(); add(from + most); } }, `Show ${count(Math.min(left, most))} more of ${count(left)}`);
    const more = list.tagName === "TBODY" ? h("tr", {}, h("td", { colspan: "99" }, button)) : h(list.tagName === "DIV" ? "div" : "li", {}, button);
    list.append(more);
  };
  add(0);
  return list;
}
