// SPDX-License-Identifier: Apache-2.0
// A list of any length in a scroller: as many elements as fit on the screen, moved and refilled as it scrolls.
// Rows move by `top`: forty transforms would be forty layers to sort in each frame, at 1.5 ms.
import { h, onNextFrame } from "./view.js";

const OVERSCAN = 3;
/** Browsers give up a little above this (Firefox at 17.9 M); taller lists scroll through a scaled position. */
const HEIGHT_MAX = 16_000_000;

export class RowList {
  /**
   * @param {{ scroller: HTMLElement, rowHeight: number, create: () => HTMLElement,
   *   update: (element: HTMLElement, index: number) => void, onScroll?: () => void }} options
   * `update` fills an element for a row; it is called when the row comes into view and on `refresh`.
   */
  constructor({ scroller, rowHeight, create, update, onScroll }) {
    this.scroller = scroller;
    this.rowHeight = rowHeight;
    this.create = create;
    this.update = update;
    this.count = 0;
    /** @type {{ element: HTMLElement, index: number }[]} */
    this.slots = [];
    this.stale = false;
    this.body = h("div.rows", { role: "rowgroup" });
    scroller.append(this.body);
    this.ask = onNextFrame(() => this.draw());
    this.onScroll = () => {
      onScroll?.();
      this.ask();
    };
    scroller.addEventListener("scroll", this.onScroll, { passive: true });
    this.watcher = new ResizeObserver(() => this.refresh());
    this.watcher.observe(scroller);
  }

  /** Says how many rows there are now, and that all of them may have changed. */
  setCount(count) {
    this.count = count;
    this.body.style.height = `${Math.min(count * this.rowHeight, HEIGHT_MAX)}px`;
    this.refresh();
  }

  refresh() {
    this.stale = true;
    this.ask();
  }

  /** The index of the first row that shows, with its fraction hidden above. */
  get first() {
    return this.top / this.rowHeight;
  }

  get rowsPerPage() {
    return Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight));
  }

  /** Where the view stands in a list of full height. */
  get top() {
    const whole = this.count * this.rowHeight;
    if (whole <= HEIGHT_MAX) return this.scroller.scrollTop;
    const view = this.scroller.clientHeight;
    return (this.scroller.scrollTop / (HEIGHT_MAX - view)) * (whole - view);
  }

  set top(pixels) {
    const whole = this.count * this.rowHeight;
    const view = this.scroller.clientHeight;
    this.scroller.scrollTop = whole <= HEIGHT_MAX ? pixels : (pixels / (whole - view)) * (HEIGHT_MAX - view);
  }

  /** Scrolls as little as shows the row; `"center"` puts it in the middle when it was out of view. */
  reveal(index, align = "nearest") {
    const top = index * this.rowHeight;
    const view = this.scroller.clientHeight;
    const now = this.top;
    const hidden = top < now || top + this.rowHeight > now + view;
    if (!hidden) return;
    if (align === "center") this.top = Math.max(0, top - (view - this.rowHeight) / 2);
    else this.top = top < now ? top : top + this.rowHeight - view;
    this.draw();
  }

  /** The element that shows this row now, if it is in view. */
  elementAt(index) {
    const slot = this.slots.length ? this.slots[index % this.slots.length] : undefined;
    return slot?.index === index ? slot.element : null;
  }

  draw() {
    this.ask.cancel();
    const view = this.scroller.clientHeight;
    const wanted = Math.ceil(view / this.rowHeight) + 2 * OVERSCAN + 1;
    if (this.slots.length < wanted) this.grow(wanted);
    const top = this.top;
    // In a scaled list rows keep their distance from the top of the view, not from the top of the body.
    const shift = this.scroller.scrollTop - top;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - OVERSCAN);
    const last = Math.min(this.count, first + this.slots.length);
    for (let index = first; index < last; index++) {
      const slot = this.slots[index % this.slots.length];
      if (slot.index !== index) {
        if (slot.index < 0) slot.element.hidden = false;
        slot.index = index;
        this.update(slot.element, index);
        slot.element.style.top = `${index * this.rowHeight + shift}px`;
      } else if (this.stale || shift !== 0) {
        if (this.stale) this.update(slot.element, index);
        slot.element.style.top = `${index * this.rowHeight + shift}px`;
      }
    }
    for (const slot of this.slots) {
      if (slot.index >= 0 && (slot.index < first || slot.index >= last)) {
        slot.index = -1;
        slot.element.hidden = true;
      }
    }
    this.stale = false;
  }

  grow(wanted) {
    for (const slot of this.slots) slot.index = -1;
    while (this.slots.length < wanted) {
      const element = this.create();
      element.hidden = true;
      this.body.append(element);
      this.slots.push({ element, index: -1 });
    }
    for (const slot of this.slots) slot.element.hidden = true;
  }

  close() {
    this.ask.cancel();
    this.watcher.disconnect();
    this.scroller.removeEventListener("scroll", this.onScroll);
    this.body.remove();
  }
}
