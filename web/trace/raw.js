// SPDX-License-Identifier: Apache-2.0
// The trace as the API gives it: OTLP JSON to read, copy and keep.
import * as api from "../api.js";
import { bytes } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";

const SHOWN_MAX = 200_000;

/** @param {any} trace @param {HTMLElement} element */
export function open(trace, element) {
  const { id } = trace;
  const copy = (text, what) => trace.app.shell.copy(text, what);
  const aborted = new AbortController();
  const url = api.traceDocumentURL(id);
  const text = h("pre.raw-text", { tabindex: "0", role: "group", "aria-label": "OTLP JSON" });
  const size = h("span.faint", {}, "Loading…");
  let whole = "";
  const copyAll = h("button", { type: "button", disabled: true, onclick: () => copy(whole, "OTLP JSON") }, icon("copy"), "Copy");
  fill(element, h("section.raw", { "aria-label": "Raw" },
    h("div.raw-bar", {}, h("a.button", { href: url.href, download: `trace-${id}.json` }, icon("download"), "Download OTLP JSON"), copyAll,
      h("button", { type: "button", onclick: () => copy(`curl ${url.href}`, "curl command") }, icon("copy"), "Copy as curl"), size), text));
  const load = async () => {
    try {
      whole = JSON.stringify(JSON.parse(await api.traceDocument(id, aborted.signal)), null, 2);
      text.textContent = whole.slice(0, SHOWN_MAX);
      const isCut = whole.length > SHOWN_MAX;
      size.textContent = isCut ? `The first ${bytes(SHOWN_MAX)} of ${bytes(whole.length)}; copy and download have all of it.` : bytes(whole.length);
      copyAll.disabled = false;
    } catch (error) {
      if (!aborted.signal.aborted) fill(size, h("span.problem", {}, error.message));
    }
  };
  return { show: (changed) => changed === "model" && load(), close: () => aborted.abort() };
}
