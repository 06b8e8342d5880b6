// SPDX-License-Identifier: Apache-2.0
// Building the page: elements, and values that tell who asked when they change.
// Whatever comes from telemetry enters the document as a text node or an attribute value, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element: `h("button.quiet", { type: "button", onclick }, "Copy")`.
 * Props: `on…` is a listener, `style` an object of CSS properties (set through the CSSOM, as the content security
 * policy wants), `true` an empty attribute, `null` and `false` none; anything else is an attribute.
 * Children: nodes, strings, numbers, nested lists; `null` and `false` are skipped.
 * @param {string} tag @param {Object<string, any>} [props] @param {...any} children @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  assign(element, props);
  append(element, children);
  return element;
}

/** The same for SVG. @param {string} name @param {Object<string, any>} [props] @param {...any} children */
export function svg(name, props, ...children) {
  const element = document.createElementNS(SVG, name);
  assign(element, props);
  append(element, children);
  return element;
}

function assign(element, props) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value == null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") for (const [name, setting] of Object.entries(value)) element.style.setProperty(name, setting);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
}

function append(element, children) {
  for (const child of children) {
    if (child == null || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

/** Replaces all children. @param {Element} element @param {...any} children */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/** Sets or removes an attribute, touching the document only when it changes. */
export function attribute(element, name, value) {
  if (value == null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, String(value));
  }
}

/**
 * A value that tells its listeners when it is set to something else.
 * @template T @param {T} value
 * @returns {{ value: T, listen(listener: (value: T) => void): () => void }} `listen` answers the way to stop.
 */
export function signal(value) {
  const listeners = new Set();
  return {
    get value() {
      return value;
    },
    set value(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Calls `work` at the next frame, once however often it was asked for. @param {() => void} work */
export function onNextFrame(work) {
  let asked = 0;
  const ask = () => {
    if (!asked)
      asked = requestAnimationFrame(() => {
        asked = 0;
        work();
      });
  };
  ask.cancel = () => {
    cancelAnimationFrame(asked);
    asked = 0;
  };
  return ask;
}

/** Calls `work` when `wait` ms have passed without another call; `flush` runs what is due at once. */
export function debounce(work, wait) {
  let timer = 0;
  let due = null;
  const run = () => {
    timer = 0;
    const args = due;
    due = null;
    if (args) work(...args);
  };
  const call = (...args) => {
    clearTimeout(timer);
    due = args;
    timer = setTimeout(run, wait);
  };
  call.cancel = () => {
    clearTimeout(timer);
    due = null;
  };
  call.flush = () => {
    clearTimeout(timer);
    run();
  };
  return call;
}
