// SPDX-License-Identifier: Apache-2.0
// Above the list: how often tools are called, how often that fails, how long it takes; by tool and by agent.
import * as api from "../api-agents.js";
import { bytes, count, duration, exactDuration, nanos, share, shortened } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { sparkline } from "../lib/sparkline.js";
import { attribute, fill, h } from "../lib/view.js";
import { Figures } from "../services/figures.js";
import { failure } from "../services/parts.js";

const ROWS_FIRST = 5;
const ROWS_MAX = 1000;

const length = (row, key) => Number(nanos(row.durationNanos?.[key]));
const time = (key, title, className) => ({ key, title, numeric: true, className, by: (row) => length(row, key), cell: (row) => h("span", { title: exactDuration(length(row, key)) }, duration(length(row, key))) });

/** @param {string} title @param {string} name of the field that names a row @param {(name: string) => any} label */
function columns(title, name, label) {
  return [
    { key: "name", title, by: (row) => row[name] ?? "", cell: (row) => label(row[name] ?? "") },
    { key: "calls", title: "Calls", numeric: true, by: (row) => row.callCount, cell: (row) => count(row.callCount) },
    { key: "trend", title: "Over time", className: "spare", cell: (row) => sparkline(row.sparkline ?? [], { width: 72, height: 16 }) },
    { key: "errors", title: "Errors", numeric: true, by: (row) => row.errorRate, cell: (row) => (row.errorCount ? h("span.problem", { title: `${count(row.errorCount)} of ${count(row.callCount)}` }, share(row.errorRate)) : h("span.faint", {}, "–")) },
    time("p50", "p50", "spare wide-only"), time("p95", "p95"), time("p99", "p99", "spare wide-only"),
    { key: "retries", title: "Retries", className: "spare", numeric: true, by: (row) => row.retryCount, cell: (row) => (row.retryCount ? count(row.retryCount) : h("span.faint", {}, "–")) },
    { key: "bytes", title: "Bytes", says: "Of all results", className: "spare widest-only", numeric: true, by: (row) => row.resultBytes, cell: (row) => (row.resultBytes === null ? h("span.faint", {}, "–") : bytes(row.resultBytes)) },
  ];
}

export class Sums {
  /** @param {{ toggle: (isOpen: boolean) => void, chooseAgent: (name: string) => void, learn: (names: string[]) => void }} actions */
  constructor(actions) {
    this.actions = actions;
    this.tools = new Figures({ label: "Calls by tool", sort: "-calls", first: ROWS_FIRST, columns: columns("Tool", "toolName", (name) => h("code.tool-name", { title: shortened(name) }, shortened(name, 80) || "unnamed")) });
    this.agents = new Figures({ label: "Calls by agent", sort: "-calls", first: ROWS_FIRST, columns: columns("Agent", "agentName", (name) => (name
      ? h("button.as-link.agent-name", { type: "button", title: `Only sessions of ${shortened(name)}`, onclick: () => actions.chooseAgent(name) }, shortened(name, 80)) : h("span.faint", {}, "no agent named"))) });
    this.problem = h("div", {});
    this.button = h("button.quiet.sums-button", { type: "button", "aria-expanded": "true", "aria-controls": "agent-sums", onclick: () => actions.toggle(this.body.hidden) }, icon("chevron"), h("h2.sums-title", {}, "Tool calls"));
    this.facts = h("span.faint.sums-facts", {});
    this.body = h("div.sums-body", { id: "agent-sums" }, this.problem, h("div.sums-tables", {}, this.tools.element, this.agents.element));
    this.element = h("section.agent-sums", { "aria-label": "Tool calls" }, h("div.sums-head", {}, this.button, this.facts), this.body);
  }

  open(isOpen) {
    this.body.hidden = !isOpen;
    attribute(this.button, "aria-expanded", String(isOpen));
  }

  /** @param {{ agent?: string, from: bigint | null, to: bigint | null }} query @param {() => boolean} isOver */
  async load(query, signal, isOver) {
    try {
      const [tools, agents] = await Promise.all([api.tools({ ...query, limit: ROWS_MAX }, signal), api.tools({ ...query, groupBy: "agent", limit: ROWS_MAX }, signal)]);
      if (isOver()) return;
      fill(this.problem);
      this.show(tools.tools, agents.tools);
    } catch (error) {
      if (isOver() || signal.aborted) return;
      this.element.hidden = false;
      fill(this.problem, failure(error, () => this.load(query, signal, isOver)));
    }
  }

  show(tools, agents) {
    this.element.hidden = tools.length === 0;
    this.tools.show(tools, this.tools.sort);
    this.agents.show(agents, this.agents.sort);
    const [calls, errors, retries] = ["callCount", "errorCount", "retryCount"].map((key) => tools.reduce((sum, row) => sum + row[key], 0));
    this.facts.textContent = `${count(calls)} · ${share(calls ? errors / calls : 0)} failed · ${count(retries)} retried`;
    this.actions.learn(agents.map(({ agentName }) => agentName ?? ""));
  }
}
