// SPDX-License-Identifier: Apache-2.0
// The rows of Live, newest on top. An element stays with its trace while newer ones push it down, so that a second of
// twenty new rows costs twenty rows and no more.
import { absoluteTime, count, duration, exactDuration, listTime, nanos, plural, relativeTime } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, fill, h, onNextFrame } from "../lib/view.js";
import { timeForm, zone } from "../settings.js";
import { ROWS_MAX } from "./ring.js";

const ROW_HEIGHT = 28;
const OVERSCAN = 2;
const SWATCHES_MAX = 6;

export class LiveList {
  /** @param {import("./ring.js").Ring} ring @param {{ href: (id: string) => string, colorOf: (service: string) => number }} actions */
  constructor(ring, actions) {
    this.ring = ring;
    this.actions = actions;
    this.body = h("div.live-rows", {});
    this.element = h("div.scroller.live-scroller", { role: "log", "aria-live": "off", "aria-label": "Traces as they come, newest first", tabindex: "0" }, this.body);
    /** @type {{ element: HTMLElement, number: number, row: any, version: number, top: number }[]} */
    this.slots = [];
    this.ask = onNextFrame(() => this.draw());
    this.element.addEventListener("scroll", () => this.ask(), { passive: true });
    this.watcher = new ResizeObserver(() => this.ask());
    this.watcher.observe(this.element);
  }

  /** Times are written anew. */
  refresh() {
    for (const slot of this.slots) slot.version = -1;
    this.ask();
  }

  draw() {
    this.ask.cancel();
    const { ring, element, slots } = this;
    const size = ring.rows.length;
    const height = size * ROW_HEIGHT;
    if (height !== this.height) {
      this.height = height;
      this.body.style.height = `${height}px`;
    }
    const view = element.clientHeight;
    const wanted = Math.min(ROWS_MAX, Math.ceil(view / ROW_HEIGHT) + 2 * OVERSCAN + 1);
    while (slots.length < wanted) this.grow();
    const above = Math.max(0, Math.min(Math.floor(element.scrollTop / ROW_HEIGHT) - OVERSCAN, size - slots.length));
    const newest = ring.end - 1 - above;
    const oldest = Math.max(ring.first, newest - slots.length + 1);
    for (let number = newest; number >= oldest; number--) {
      const slot = slots[number % slots.length];
      const row = ring.at(number);
      if (slot.row !== row || slot.version !== row.version) {
        slot.number = number;
        slot.row = row;
        slot.version = row.version;
        this.update(slot.element, row.trace);
      }
      const top = (ring.end - 1 - number) * ROW_HEIGHT;
      if (slot.top !== top) slot.element.style.top = `${(slot.top = top)}px`;
    }
    for (const slot of slots) {
      const isShown = slot.row !== null && slot.number >= oldest && slot.number <= newest;
      if (slot.element.hidden === isShown) slot.element.hidden = !isShown;
    }
  }

  /** One element more: which is whose depends on how many there are. */
  grow() {
    const element = this.createRow();
    this.body.append(element);
    this.slots.push({ element, number: -1, row: null, version: 0, top: -1 });
    for (const slot of this.slots) slot.row = null;
  }

  createRow() {
    const parts = {
      clock: h("span", {}), fraction: h("span.live-fraction", {}), swatch: h("span.swatch", {}), service: h("span.live-service", {}), operation: h("span.live-operation", {}),
      length: h("span.live-duration", {}), spans: h("span.live-spans", {}), errors: h("span.live-errors", {}), services: h("span.live-services", {}),
    };
    parts.time = h("time.live-time", {}, parts.clock, parts.fraction);
    const root = h("span.live-root", {}, parts.swatch, parts.service, parts.operation);
    const element = h("a.live-row", { hidden: true }, parts.time, root, parts.length, parts.spans, parts.errors, parts.services);
    element.parts = parts;
    return element;
  }

  update(element, trace) {
    const { parts } = element;
    const start = nanos(trace.startTimeUnixNano);
    const isRooted = trace.rootServiceName !== "" || trace.rootSpanName !== "";
    element.href = this.actions.href(trace.traceId);
    const [clock, fraction] = timeForm.value === "absolute" ? listTime(start, zone.value, Date.now()).split(".") : [relativeTime(start, Date.now())];
    parts.clock.textContent = clock;
    parts.fraction.textContent = fraction ? `.${fraction}` : "";
    parts.time.title = absoluteTime(start, zone.value, 9);
    attribute(parts.swatch, "data-s", isRooted ? this.actions.colorOf(trace.rootServiceName) : null);
    parts.service.textContent = isRooted ? trace.rootServiceName.slice(0, 200) || "(no name)" : "root not yet here";
    parts.operation.textContent = isRooted ? trace.rootSpanName.slice(0, 500) : trace.traceId.slice(0, 16);
    parts.service.classList.toggle("absent", !isRooted);
    const length = Number(nanos(trace.durationNanos));
    parts.length.textContent = duration(length);
    parts.length.title = exactDuration(length);
    parts.spans.textContent = plural(trace.spanCount, "span");
    if (trace.errorCount) fill(parts.errors, icon("error"), h("span", {}, count(trace.errorCount)), h("span.unseen", {}, trace.errorCount === 1 ? " error" : " errors"));
    else if (parts.errors.firstChild) fill(parts.errors);
    const services = trace.services ?? [];
    fill(parts.services, services.slice(0, SWATCHES_MAX).map(({ name }) => h("span.swatch", { "data-s": this.actions.colorOf(name) })),
      h("span", {}, count(services.length)), h("span.unseen", {}, services.length === 1 ? " service" : " services"));
    parts.services.title = services.slice(0, 30).map(({ name, spanCount }) => `${name.slice(0, 100)}: ${plural(spanCount, "span")}`).join("\n");
  }

  /** The focus goes to the row above or below the one that has it. @param {number} step */
  move(step) {
    const { ring, element } = this;
    if (!ring.rows.length) return;
    const current = this.slots.find((slot) => slot.element === document.activeElement);
    const top = Math.ceil(element.scrollTop / ROW_HEIGHT);
    const position = current ? ring.end - 1 - current.number + step : top;
    const wanted = Math.max(0, Math.min(ring.rows.length - 1, position));
    const [from, to] = [wanted * ROW_HEIGHT, (wanted + 1) * ROW_HEIGHT];
    if (from < element.scrollTop) element.scrollTop = from;
    else if (to > element.scrollTop + element.clientHeight) element.scrollTop = to - element.clientHeight;
    this.draw();
    const number = ring.end - 1 - wanted;
    this.slots.find((slot) => slot.number === number && slot.row)?.element.focus({ preventScroll: true });
  }

  close() {
    this.ask.cancel();
    this.watcher.disconnect();
  }
}
