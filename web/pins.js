// SPDX-License-Identifier: Apache-2.0
// The pinned traces: those that are kept from sampling and retention until somebody lets them go.
import * as api from "./api-more.js";
import { absoluteTime, count, nanos, plural, relativeTime } from "./lib/format.js";
import { icon } from "./lib/icons.js";
import { fill, h } from "./lib/view.js";
import { zone } from "./settings.js";

const NAMED_MAX = 50;

/** @param {any} app */
export async function showPins(app) {
  const body = h("div", {}, h("p.faint", {}, "Asking the server…"));
  const dialog = app.shell.dialog("Pinned traces", body);
  try {
    const { pins, next } = await api.pins();
    const names = new Map();
    if (pins.length) {
      const q = `{ ${pins.slice(0, NAMED_MAX).map(({ traceId }) => `trace:id = "${traceId}"`).join(" || ")} }`;
      const found = await api.search({ q, limit: NAMED_MAX }).catch(() => ({ traces: [] }));
      for (const trace of found.traces) names.set(trace.traceId, trace);
    }
    draw(app, dialog, body, pins, names, next !== null);
  } catch (error) {
    fill(body, h("p.problem", {}, error.message), h("button", { type: "button", onclick: () => { dialog.close(); showPins(app); } }, icon("run"), "Try again"));
  }
}

function draw(app, dialog, body, pins, names, hasMore) {
  if (!pins.length) {
    fill(body, h("p", {}, "No trace is pinned. A pinned trace is kept however old it gets; pin one on its page."));
    return;
  }
  const rows = pins.map(({ traceId, pinnedTimeUnixNano }) => {
    const trace = names.get(traceId);
    const pinned = nanos(pinnedTimeUnixNano);
    const name = trace?.rootSpanName ? `${trace.rootServiceName} ${trace.rootSpanName}`.slice(0, 300) : traceId;
    const row = h("li.pin", {},
      h("a.pin-name", { href: app.href({ page: "trace", id: traceId, state: {} }), onclick: () => dialog.close() }, name),
      h("span.faint", {}, trace ? plural(trace.spanCount, "span") : ""),
      h("time.faint", { title: absoluteTime(pinned, zone.value, 9) }, `pinned ${relativeTime(pinned, Date.now())}`),
      h("button.icon-button", { type: "button", "aria-label": `Let ${traceId.slice(0, 8)} go`, title: "Let it go", onclick: () => release() }, icon("close")));
    const release = async () => {
      try {
        await api.unpin(traceId);
        row.remove();
        app.shell.confirm("The trace is no longer pinned");
        if (!list.children.length) draw(app, dialog, body, [], names, hasMore);
        else list.querySelector("button").focus();
      } catch (error) {
        app.shell.confirm(error.message);
      }
    };
    return row;
  });
  const list = h("ul.pins", {}, rows);
  fill(body, list, hasMore ? h("p.faint", {}, `The ${count(pins.length)} pinned last are shown.`) : null);
}
