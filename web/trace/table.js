// SPDX-License-Identifier: Apache-2.0
// The spans of a trace as a table: grouped, sorted, and each group one step from its spans in the waterfall.
import * as api from "../api-more.js";
import { fieldName, literal } from "../explore/query-text.js";
import { count, duration, exactDuration, plural, share } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attribute, debounce, fill, h } from "../lib/view.js";
import { selfTimesOf } from "./merged.js";
import { listed } from "./section.js";
import { LOCAL, csvOf, fullName, groupsOf, serverGroups, sortOf, sorted } from "./statistics.js";

const LISTED_MAX = 300;
const KEYS_MAX = 200;
const HEADS = [
  ["name", "", ""], ["count", "Spans", ""], ["errors", "Errors", ""], ["total", "Total", "Durations added up"], ["self", "Self", "Time in which no child was running"],
  ["share", "Of trace", "Part of all the self time of the trace"], ["path", "Critical path", "How long the end of the trace waited for it"], ["average", "Average", ""], ["p50", "p50", ""], ["p95", "p95", ""], ["max", "Max", ""],
];
const TITLES = { operation: "Operation", service: "Service", kind: "Kind" };

/** @param {any} trace @param {HTMLElement} element */
export function open(trace, element) {
  return new Table(trace, element);
}

class Table {
  constructor(trace, element) {
    this.trace = trace;
    this.aborted = new AbortController();
    this.groups = [];
    this.choices = h("div.button-group", { role: "group", "aria-label": "Group by" }, LOCAL.map((by) => h("button", { type: "button", "data-by": by, onclick: () => this.keep({ by: by === "operation" ? "" : by }) }, TITLES[by])));
    this.keys = h("datalist", { id: "statistics-keys" });
    this.field = h("input.field", { type: "text", list: "statistics-keys", placeholder: "Any attribute", "aria-label": "Group by an attribute", spellcheck: "false", autocomplete: "off" });
    this.field.addEventListener("focus", () => this.learnKeys(), { once: true });
    this.field.addEventListener("input", debounce(() => this.learnKeys(), 200));
    this.field.addEventListener("change", () => this.keep({ by: this.field.value.trim() }));
    this.facts = h("span.faint", { role: "status" });
    this.headCells = HEADS.map(([column, title, why]) => {
      const button = h("button.quiet", { type: "button", title: why || null, onclick: () => this.sortBy(column) }, h("span", {}, title), icon("down"));
      return { column, button, cell: h(column === "name" ? "th" : "th.number", { scope: "col" }, button) };
    });
    this.body = h("tbody", {});
    this.table = h("table.stats", {}, h("caption.unseen", {}, "Spans of the trace in groups"), h("thead", {}, h("tr", {}, this.headCells.map(({ cell }) => cell))), this.body);
    this.place = h("div.stats-place.scroller", { tabindex: "0", role: "region", "aria-label": "Statistics" }, this.table);
    fill(element,
      h("div.view-bar", {}, h("span.faint", {}, "By"), this.choices, this.field, this.keys, this.facts, h("span.spring"), h("button", { type: "button", onclick: () => this.download() }, icon("download"), "CSV")),
      this.place);
  }

  get by() {
    return this.trace.state.by || "operation";
  }

  show(changed) {
    if (changed === "model" || (changed === "state" && this.by !== this.shownBy)) this.load();
    else if (changed === "state") this.draw();
  }

  keep(state) {
    this.trace.app.replace(state);
    this.trace.state = this.trace.app.view.state;
    this.show("state");
  }

  sortBy(column) {
    const now = sortOf(this.trace.state.sort);
    const ascends = now.column === column ? !now.isAscending : column === "name";
    this.keep({ sort: column === "self" && !ascends ? "" : `${column}${ascends ? ".asc" : ""}` });
  }

  async load() {
    const { model } = this.trace;
    const { by } = this;
    this.aborted.abort();
    this.aborted = new AbortController();
    const { signal } = this.aborted;
    this.shownBy = by;
    this.problem = null;
    for (const button of this.choices.children) button.setAttribute("aria-pressed", String(button.dataset.by === by));
    if (document.activeElement !== this.field || LOCAL.includes(by)) this.field.value = LOCAL.includes(by) ? "" : by;
    if (LOCAL.includes(by)) {
      const self = selfTimesOf(model);
      this.groups = groupsOf(model, by, self, null);
      this.draw();
      const path = await this.trace.wantCriticalPath().catch(() => null);
      if (signal.aborted || !path) return;
      this.groups = groupsOf(model, by, self, Float64Array.from(model.start, (_, row) => path.nanosOf(row)));
      this.draw();
      return;
    }
    this.place.classList.add("waiting");
    try {
      const answer = await api.traceStatistics(model.traceId, by, signal);
      this.groups = serverGroups(answer);
    } catch (error) {
      if (signal.aborted) return;
      this.groups = [];
      this.problem = error;
    }
    if (signal.aborted) return;
    this.place.classList.remove("waiting");
    this.draw();
  }

  draw() {
    const sort = sortOf(this.trace.state.sort);
    for (const { column, cell, button } of this.headCells) {
      attribute(cell, "aria-sort", column === sort.column ? (sort.isAscending ? "ascending" : "descending") : null);
      if (column === "name") button.firstChild.textContent = TITLES[this.by] ?? this.by;
    }
    const all = this.groups.reduce((sum, { self }) => sum + self, 0);
    this.facts.textContent = this.problem ? "" : plural(this.groups.length, "group");
    if (this.problem) {
      const { message, requestId } = this.problem;
      fill(this.body, h("tr", {}, h("td", { colspan: HEADS.length }, h("p.problem", {}, message), requestId ? h("p.faint", {}, "Request ", h("code", {}, requestId)) : null, h("button", { type: "button", onclick: () => this.load() }, "Try again"))));
      return;
    }
    fill(this.body);
    listed(this.body, sorted(this.groups, sort), LISTED_MAX, (group) => this.row(group, all));
  }

  row(group, all) {
    const time = (nanos) => h("td.number", { title: nanos == null ? null : exactDuration(nanos) }, nanos == null ? "…" : duration(nanos));
    const part = all ? group.self / all : 0;
    const name = group.service || group.name
      ? [group.color !== null || group.service ? h("span.swatch", { "data-s": group.color }) : null, group.service ? h("span.stats-service", {}, group.service) : null, group.name ? h("span", {}, group.name) : null]
      : h("span.faint", {}, group.value === null ? "without it" : "empty text");
    return h("tr", { onclick: () => getSelection().isCollapsed && this.showSpans(group) },
      h("th.stats-name", { scope: "row" }, h("button.quiet", { type: "button", title: `Show the spans of ${fullName(group) || "this group"} in the waterfall` }, name)),
      h("td.number", { title: group.weight > group.count ? `They stand for ${count(Math.round(group.weight))}` : null }, count(group.count)),
      h("td.number", {}, group.errors ? h("span.problem", {}, count(group.errors)) : h("span.faint", {}, "0")),
      time(group.total), time(group.self),
      h("td.number.stats-share", { style: { "--part": part.toFixed(4) } }, share(part)),
      time(group.path), time(group.average), time(group.p50), time(group.p95), time(group.max));
  }

  /** The spans of a group, found in the waterfall. */
  showSpans(group) {
    this.trace.push({ view: "", f: queryOf(group, this.by) });
  }

  async learnKeys() {
    const prefix = this.field.value.trim().replace(/^(span|resource)\./, "");
    const found = await api.attributes(prefix, KEYS_MAX, this.aborted.signal).catch(() => null);
    if (found) fill(this.keys, [...new Set(found.attributes.filter(({ scope }) => scope === "span" || scope === "resource").map(({ key }) => key))].map((key) => h("option", { value: key })));
  }

  download() {
    const url = URL.createObjectURL(new Blob([csvOf(sorted(this.groups, sortOf(this.trace.state.sort)), this.by)], { type: "text/csv" }));
    h("a", { href: url, download: `trace-${this.trace.id}-${this.by.replace(/[^\w.-]+/g, "-")}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  close() {
    this.aborted.abort();
  }
}

/** @param {import("./statistics.js").Group} group @param {string} by */
function queryOf(group, by) {
  const text = (value) => literal(value, "string");
  if (by === "operation") return `service = ${text(group.service)} and name = ${text(group.name)}`;
  if (by === "service") return `service = ${text(group.service)}`;
  if (by === "kind") return `kind = ${group.name}`;
  const [, scope, key] = /^(span|resource)\.(.+)$/.exec(by) ?? [null, null, by];
  const field = scope ? by : fieldName(key, "span");
  return `${field} = ${group.value === null ? "nil" : literal(group.value, group.type ?? "string")}`;
}
