// SPDX-License-Identifier: Apache-2.0
// The dialogs behind the rail's lower icons: the keys, the time zone, the server.
import * as api from "./api.js";
import { absoluteTime, age, bytes, count, isZone, nanos, relativeTime, zoneLabel } from "./lib/format.js";
import { icon } from "./lib/icons.js";
import { keyCaps } from "./lib/key-caps.js";
import { fill, h } from "./lib/view.js";
import { singleKeys, zone } from "./settings.js";

/** The sheet of keys. @param {any} shell */
export function showShortcuts(shell) {
  const sections = [...shell.keyboard.tables].map(([name, commands]) =>
    h("section", {}, h("h3", {}, name), h("dl.keys", {}, commands.map(({ keys, does }) => [
      h("dt", {}, keys.map((key, i) => [i ? " or " : "", ...keyCaps(key).map((cap) => h("kbd", {}, cap))])),
      h("dd", {}, does),
    ]))));
  const toggle = h("input", { type: "checkbox" });
  toggle.checked = singleKeys.value === "on";
  toggle.addEventListener("change", () => { singleKeys.value = toggle.checked ? "on" : "off"; });
  shell.dialog("Keyboard", h("div.sheet", {}, sections), h("label.choice", {}, toggle, " Single letters act as shortcuts"));
}

/** @param {any} shell */
export function showZones(shell) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const now = Date.now();
  const field = h("input.field", { type: "text", list: "zone-names", placeholder: "Europe/Oslo", "aria-label": "Zone by name", autocomplete: "off", spellcheck: "false" });
  const names = h("datalist", { id: "zone-names" }, (Intl.supportedValuesOf?.("timeZone") ?? []).map((name) => h("option", { value: name })));
  const problem = h("p.problem", { role: "alert" });
  const dialog = shell.dialog("Time zone", h("div.choices", {},
    choice("", `This browser's: ${zoneLabel("", now)}`),
    choice("UTC", "UTC"),
    zone.value && zone.value !== "UTC" ? choice(zone.value, zoneLabel(zone.value, now)) : null),
    h("form.inline", { onsubmit: byName }, field, names, h("button", { type: "submit" }, "Use")), problem);
  function choice(value, text) {
    const radio = h("input", { type: "radio", name: "zone", value });
    radio.checked = zone.value === value;
    radio.addEventListener("change", () => choose(value));
    return h("label.choice", {}, radio, " ", text);
  }
  const choose = (name) => {
    zone.value = name === own ? "" : name;
    dialog.close();
  };
  function byName(event) {
    event.preventDefault();
    if (isZone(field.value.trim())) choose(field.value.trim());
    else problem.textContent = `“${field.value.trim()}” is no time zone. Names look like Europe/Oslo or America/New_York.`;
  }
}

/** What the server says of itself. @param {any} shell */
export async function showAbout(shell) {
  const facts = h("div", {}, h("p.faint", {}, "Asking the server…"));
  const dialog = shell.dialog("Skein", facts, h("div.row-of-buttons", {}, shell.more.map(([picture, name, act]) =>
    h("button", { type: "button", onclick: () => { dialog.close(); act(); } }, icon(picture), name))), h("p.faint", {}, "Distributed tracing for services and agents. Apache-2.0."));
  try {
    fill(facts, statusFacts(await api.status()));
  } catch (error) {
    fill(facts, h("p.problem", {}, error.message));
  }
}

/** @param {any} status */
function statusFacts(status) {
  const now = Date.now();
  const time = (text) => h("time", { title: absoluteTime(nanos(text), zone.value, 9) }, relativeTime(nanos(text), now));
  const { ageSeconds, bytes: byteLimit } = status.retention ?? {};
  const retention = [ageSeconds ? age(ageSeconds) : null, byteLimit ? bytes(byteLimit) : null].filter(Boolean).join(", ") || "unlimited";
  const row = (name, ...value) => [h("dt", {}, name), h("dd", {}, ...value)];
  return [
    h(`p.health.${status.health === "ok" ? "good" : "bad"}`, {}, icon(status.health === "ok" ? "check" : "warning"), status.health === "ok" ? "Healthy" : "Degraded"),
    (status.problems ?? []).map((problem) => h("p.problem", {}, problem)),
    h("dl.facts", {},
      row("Version", status.version),
      row("Running since", h("time", { title: status.startedAt }, status.startedAt.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC"))),
      row("Spans stored", count(status.spans)),
      row("Received since start", count(status.receivedSpans)),
      status.oldestTimeUnixNano ? row("Oldest span", time(status.oldestTimeUnixNano)) : null,
      status.newestTimeUnixNano ? row("Newest span", time(status.newestTimeUnixNano)) : null,
      row("Retention", retention),
      (status.listeners ?? []).map(({ name, address }) => row(name, h("code", {}, address)))),
  ];
}
