// SPDX-License-Identifier: Apache-2.0
// Attributes as people read them: by family, pinned keys first, filtered by a word, each with what can be done with it.
import { bytes, count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";
import { pinnedKeys } from "../settings.js";
import { byKey, families } from "./conventions.js";
import { mayBePretty, prettyOf } from "./pretty.js";
import { listed, section } from "./section.js";
import { isNested, plainValue, pretty, typeOf, valueText } from "./values.js";

const SHOWN_MAX = 2048;
const FILTER_FROM = 8;
const LISTED_MAX = 200;
/** Longer values are broken into lines when somebody asks for it. */
const FORMATTED_MAX = 20_000;
/** How much of a value the filter looks through. */
const SEARCHED_MAX = 20_000;
const PINNED_MAX = 50;

export class Attributes {
  /** @param {{ search: (condition: import("../explore/query-text.js").Condition) => void, copy: (text: string, what: string) => void, find?: (condition: import("../explore/query-text.js").Condition) => void }} actions `find` looks within the trace */
  constructor(actions) {
    this.actions = actions;
    /** What is filtered by stays when another span is chosen. */
    this.wanted = "";
    this.searched = new WeakMap();
    this.filter = h("input.field.attribute-filter", { type: "search", "aria-label": "Filter attributes", spellcheck: "false", autocomplete: "off" });
    this.filter.addEventListener("input", () => {
      this.wanted = this.filter.value.trim().toLowerCase();
      this.draw();
    });
    this.filter.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.filter.value === "") return;
      event.preventDefault();
      event.stopPropagation();
      this.filter.value = this.wanted = "";
      this.draw();
    });
    this.region = h("div.attribute-region", {});
  }

  /** The filter and the sections of a span. @param {any} span OTLP JSON @param {any} resource @param {any} scope */
  show(span, resource, scope) {
    const of = (list, name) => (list ?? []).map(({ key, value }) => ({ key, value, scope: name }));
    this.span = of(span.attributes, "span");
    this.resource = of(resource?.attributes, "resource");
    this.instrumentation = scope;
    this.scope = of(scope?.attributes, "scope");
    const all = this.span.length + this.resource.length + this.scope.length;
    this.filter.placeholder = `Filter ${count(all)} attributes`;
    this.filter.hidden = all < FILTER_FROM && this.wanted === "";
    this.draw();
    return [this.filter, this.region];
  }

  draw() {
    const pinned = new Set(pinnedKeys.value);
    const isShown = (attribute) => this.wanted === "" || this.textOf(attribute).includes(this.wanted);
    const span = this.span.filter(isShown);
    const resource = this.resource.filter(isShown);
    const scope = this.scope.filter(isShown);
    const first = [...span, ...resource].filter(({ key }) => pinned.has(key));
    const rest = (list) => list.filter(({ key }) => !pinned.has(key));
    fill(this.region,
      first.length ? section("Pinned", this.table(byKey(first)), { size: first.length }) : null,
      families(rest(span)).map(({ name, list }) => section(name, this.table(list), { size: list.length })),
      rest(resource).length ? section("Resource", this.table(byKey(rest(resource))), { size: rest(resource).length }) : null,
      this.scopeSection(scope),
      this.wanted !== "" && !span.length && !resource.length && !scope.length ? h("p.faint", { role: "status" }, `No attribute has “${this.wanted}”.`) : null);
  }

  scopeSection(list) {
    const { name, version } = this.instrumentation ?? {};
    if (!list.length && (!name || this.wanted !== "")) return null;
    return section("Instrumentation", [name ? h("p.scope-name", {}, name, version ? h("span.faint", {}, ` ${version}`) : null) : null, list.length ? this.table(byKey(list)) : null]);
  }

  textOf(attribute) {
    if (!this.searched.has(attribute)) this.searched.set(attribute, `${attribute.key}\n${valueText(attribute.value).slice(0, SEARCHED_MAX)}`.toLowerCase());
    return this.searched.get(attribute);
  }

  /** @param {{ key: string, value: any, scope?: string }[]} list */
  table(list) {
    return listed(h("div.attributes", {}), list, LISTED_MAX, (attribute) => this.row(attribute));
  }

  row({ key, value, scope }) {
    const type = typeOf(value);
    const plain = plainValue(value);
    const isOwn = scope === "span" || scope === "resource";
    const canFilter = isOwn && (type === "double" ? Number.isFinite(plain) : ["string", "bool", "int"].includes(type)) && valueText(value).length <= SHOWN_MAX;
    const search = (operator) => this.actions.search({ key, scope, operator, value: plain, type });
    const isPinned = isOwn && pinnedKeys.value.includes(key);
    return h("div.attribute", { "data-key": key }, h("div.attribute-key", { title: `${key} (${type})` }, breakable(key)),
      h("div.attribute-value", {}, this.value(value, key)),
      h("div.attribute-actions", {},
        canFilter ? small("filter", `Traces with this ${key}`, () => search("=")) : null,
        canFilter && this.actions.find ? small("explore", `Spans of this trace with this ${key}`, () => this.actions.find({ key, scope, operator: "=", value: plain, type })) : null,
        canFilter ? small("exclude", `Traces with another ${key}`, () => search("!=")) : null,
        isOwn ? small("pin", isPinned ? `Show ${key} in its place` : `Show ${key} first`, () => this.pin(key, !isPinned), { "aria-pressed": String(isPinned) }) : null,
        small("copy", `Copy ${key}`, () => this.actions.copy(valueText(value), key))));
  }

  pin(key, isPinned) {
    const others = pinnedKeys.value.filter((other) => other !== key);
    pinnedKeys.value = isPinned ? [...others, key].slice(-PINNED_MAX) : others;
    this.draw();
    // The row moved: the focus goes with it.
    const row = [...this.region.querySelectorAll(".attribute")].find((element) => element.dataset.key === key);
    row?.querySelector("[aria-pressed]")?.focus();
  }

  /** @param {any} value an AnyValue @param {string} [key] */
  value(value, key = "") {
    const written = valueText(value);
    const type = typeOf(value);
    if (isNested(value)) return longText(pretty(value), "pre.json");
    if (type === "empty") return h("span.faint", {}, "empty");
    if (type !== "string") return longText(written, `span.value-${type}`);
    if (written === "") return h("span.faint", {}, "empty text");
    if (/^https?:\/\/\S+$/i.test(written) && written.length <= SHOWN_MAX) return h("a", { href: written, target: "_blank", rel: "noopener noreferrer" }, written);
    const isLong = written.length > FORMATTED_MAX;
    const read = isLong ? null : prettyOf(written, key);
    return read || (isLong && mayBePretty(written, key)) ? readable(written, key, read) : longText(written, written.includes("\n") ? "pre.long" : "span");
  }
}

/** A value in lines, and the way to what was sent; a long one as it was sent, and the way to its lines. @param {string} written @param {string} key @param {{ text: string, language: string } | null} read */
function readable(written, key, read) {
  const box = h("div", {});
  const toggle = h("button.quiet.show-all", { type: "button", onclick: () => {
    const isRaw = box.dataset.form === "raw";
    if (isRaw && !read) read = prettyOf(written, key);
    if (isRaw && !read) toggle.remove();
    show(isRaw && read !== null);
  } });
  const show = (isPretty) => {
    box.dataset.form = isPretty ? "pretty" : "raw";
    toggle.textContent = isPretty ? "As sent" : "In lines";
    fill(box, longText(isPretty ? read.text : written, "pre.json", read?.language));
  };
  show(read !== null);
  return [box, toggle];
}

/** Large texts: the beginning, and the rest on request. @param {string} written @param {string} tag @param {string} [name] said of a box that scrolls */
export function longText(written, tag, name = "Value") {
  const isBlock = tag.startsWith("pre");
  const box = h(tag, isBlock ? { tabindex: "0", role: "group", "aria-label": name } : {}, written.slice(0, SHOWN_MAX));
  if (written.length <= SHOWN_MAX) return box;
  const more = h("button.quiet.show-all", { type: "button", onclick: () => {
    box.textContent = written;
    box.classList.add("whole");
    for (const [key, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", name]]) box.setAttribute(key, value);
    more.remove();
    box.focus();
  } }, `Show all (${bytes(new Blob([written]).size)})`);
  return [box, more];
}

/** @param {string} picture @param {string} label @param {() => void} onclick @param {Object<string, any>} [more] */
export function small(picture, label, onclick, more = {}) {
  return h("button.icon-button.small", { type: "button", "aria-label": label, title: label, onclick, ...more }, icon(picture));
}

/** A name that breaks after its full stops before it breaks within its words. @param {string} key */
function breakable(key) {
  return key.split(".").flatMap((part, index) => (index ? [".", h("wbr"), part] : part));
}
