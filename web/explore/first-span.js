// SPDX-License-Identifier: Apache-2.0
// An empty store: how to send the first span, to the very addresses this server listens on, and a look-out for it.
import * as api from "../api.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";
import { firstWay } from "../settings.js";
import { samples } from "./samples.js";

const LOOK_EVERY_MILLIS = 2000;

export class FirstSpan {
  /** @param {any} status @param {{ href: (id: string) => string, explore: () => void, copy: (text: string, what: string) => void }} actions */
  constructor(status, actions) {
    this.actions = actions;
    this.life = new AbortController();
    this.ways = samples(addressOf(status, "otlp-http"), addressOf(status, "otlp-grpc"));
    this.count = h("p.waiting-line", { role: "status" });
    this.code = h("pre.sample", { tabindex: "0", role: "group", "aria-label": "Sample" });
    this.copy = h("button.icon-button", { type: "button", "aria-label": "Copy the sample", title: "Copy", onclick: () => actions.copy(this.code.textContent, "Sample") }, icon("copy"));
    this.tabs = this.ways.map(([name], index) => h("button.tab", { type: "button", role: "tab", id: `way-${index}`, "aria-controls": "way", onclick: () => this.choose(index) }, name));
    const tablist = h("div.tabs", { role: "tablist", "aria-label": "Ways to send" }, this.tabs);
    tablist.addEventListener("keydown", (event) => this.turn(event));
    this.panel = h("div.sample-box", { role: "tabpanel", id: "way" }, this.code, this.copy);
    this.element = h("section.state.first-span", {}, h("h2", {}, "Send the first span"),
      h("p", {}, "Skein is running and its store is empty. Point any OpenTelemetry exporter here, or try one of these."),
      this.count,
      this.ways.length ? [tablist, this.panel] : h("p.problem", {}, "No OTLP listener is on. Start skein serve with --listen otlp-http=127.0.0.1:4318."),
      listeners(status, actions.copy));
    if (this.ways.length) this.pick(Math.max(0, this.ways.findIndex(([name]) => name === firstWay.value)));
    this.look(status);
  }

  choose(index) {
    firstWay.value = this.ways[index][0];
    this.pick(index);
  }

  pick(index) {
    this.index = index;
    this.tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    this.panel.setAttribute("aria-labelledby", `way-${index}`);
    this.code.textContent = this.ways[index][1];
    this.code.scrollTop = this.code.scrollLeft = 0;
  }

  turn(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.choose((this.index + step + this.tabs.length) % this.tabs.length);
    this.tabs[this.index].focus();
  }

  async look(status) {
    const received = Math.max(status.receivedSpans, status.spans);
    const trace = received > 0 ? await this.firstTrace() : null;
    if (this.life.signal.aborted) return;
    if (trace) this.arrived(received, trace);
    else if (this.shown !== received) fill(this.count, h("span.pulse", { "aria-hidden": "true" }), `Waiting for spans… received ${received}`);
    this.shown = received;
    if (trace) return;
    this.timer = setTimeout(async () => {
      const next = await api.status(this.life.signal).catch(() => status);
      if (!this.life.signal.aborted) this.look(next);
    }, LOOK_EVERY_MILLIS);
  }

  async firstTrace() {
    const found = await api.search({ limit: 1, order: "start asc" }, this.life.signal).catch(() => null);
    return found?.traces[0] ?? null;
  }

  /** The wait is over: the line is the way to what came. */
  arrived(received, trace) {
    const name = `${trace.rootServiceName} ${trace.rootSpanName}`.trim() || trace.traceId;
    fill(this.count, icon("check"), h("strong", {}, `${plural(received, "span")} received`), h("a.first-trace", { href: this.actions.href(trace.traceId) }, `Open the first trace: ${name}`),
      h("button.quiet", { type: "button", onclick: () => this.actions.explore() }, "Explore"));
    this.count.classList.add("arrived");
  }

  close() {
    this.life.abort();
    clearTimeout(this.timer);
  }
}

/** Where a program on this machine reaches a listener; a wildcard address is reached by the name in the address bar. */
function addressOf(status, name) {
  const address = status.listeners?.find((listener) => listener.name === name)?.address;
  if (!address) return null;
  const host = location.hostname || "127.0.0.1";
  return address.replace(/^(0\.0\.0\.0|\[::\]|::|\*)(?=:\d+$)/, host);
}

function listeners(status, copy) {
  const all = status.listeners ?? [];
  return h("details.listeners", {}, h("summary", {}, "All listeners"), h("dl.facts", {}, all.map(({ name, address }) => [h("dt", {}, name),
    h("dd", {}, h("code", {}, address), h("button.icon-button", { type: "button", "aria-label": `Copy the address of ${name}`, title: "Copy", onclick: () => copy(address, "Address") }, icon("copy")))])));
}
