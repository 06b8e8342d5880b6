// SPDX-License-Identifier: Apache-2.0
// The list of sessions: a row each, or one for each key with its sessions below.
import { Grid } from "../explore/grid.js";
import { drawMark, markButton } from "../explore/results.js";
import { absoluteTime, count, duration, exactDuration, listTime, plural, relativeTime, shortened } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { sparkline } from "../lib/sparkline.js";
import { attribute, fill, h } from "../lib/view.js";
import { timeForm, zone } from "../settings.js";
import { grouped } from "./groups.js";
import { dollars, lengthOf, momentOf, samplingWords, standing, tokens, tokenWords } from "./words.js";

const PRIORITY_ORDER = { background: 0, low: 1, normal: 2, high: 3, critical: 4 };

const COLUMNS = [
  { key: "mark", title: "" },
  { key: "start", title: "Start", by: (row) => row.start },
  { key: "session", title: "Session", first: 1, by: (row) => `${row.agentName}\u0000${row.title}` },
  { key: "standing", title: "State", first: 1, by: (row) => standing(row).text },
  { key: "priority", title: "Priority", by: (row) => PRIORITY_ORDER[row.taskPriority] ?? -1 },
  { key: "task", title: "Task", first: 1, by: (row) => row.taskId ?? "" },
  { key: "duration", title: "Duration", by: (row) => row.length },
  { key: "activity", title: "Activity", says: "When in its time steps began" },
  { key: "agents", title: "Agents", says: "Different agents, with those of the sessions that it started", by: (row) => row.agents, numeric: true },
  { key: "turns", title: "Turns", says: "How often its user spoke, where that is recorded", by: (row) => row.turns ?? -1, numeric: true },
  { key: "llm", title: "LLM", says: "Model calls", by: (row) => row.llmCalls, numeric: true },
  { key: "tools", title: "Tools", says: "Tool calls", by: (row) => row.toolCalls, numeric: true },
  { key: "errors", title: "Errors", by: (row) => row.errors, numeric: true },
  { key: "tokens", title: "Tokens", says: "In, of which cached, and out", by: (row) => row.inputTokens + row.outputTokens, numeric: true },
  { key: "cost", title: "Cost", by: (row) => row.usd ?? -1, numeric: true },
];

/** A record of the API as a row. @param {any} record @param {bigint} now Unix nanoseconds */
export function rowOf(record, now) {
  const { totals } = record;
  return {
    sessionId: record.sessionId, traceId: record.trace?.traceId ?? "", title: record.title ?? record.firstMessage ?? "", agentName: record.agentName ?? record.agentId ?? "", parentSessionId: record.parentSessionId,
    state: record.state, outcome: record.outcome, taskPriority: record.taskPriority, taskId: record.taskId, sessionKey: keyOf(record),
    start: momentOf(record.startTime) ?? 0n, length: lengthOf(record, now), llmCalls: totals?.llmCalls ?? 0, toolCalls: totals?.toolCalls ?? 0, errors: totals?.errors ?? totals?.toolErrors ?? 0,
    inputTokens: totals?.inputTokens ?? 0, outputTokens: totals?.outputTokens ?? 0, cacheReadTokens: totals?.cacheReadTokens ?? 0, usd: totals?.usd ?? null, activity: record.activity ?? [], agents: record.agents ?? 1, turns: record.turns ?? null, sampling: samplingWords(record.trace), isReduced: record.trace?.samplingDecision === "reduced", isRunning: record.endTime === null && record.state !== "abandoned",
  };
}

/** Where a session has no key but its own id, it belongs to the one that began the work. */
function keyOf({ sessionId, sessionKey, rootSessionId }) {
  return sessionKey === sessionId && rootSessionId ? rootSessionId : sessionKey;
}

export class SessionList extends Grid {
  /**
   * @param {{ open: (row: any) => void, href: (id: string) => string, more: (again?: boolean) => void, sort: (order: string) => void,
   *   colorOf: (service: string) => number, mark: (id: string) => void, marks: () => string[], toggle: (key: string) => void }} actions
   */
  constructor(actions) {
    super({ label: "Sessions", name: "session-grid", columns: COLUMNS, order: "-start", actions, more: "More sessions are coming…",
      key: (row) => (row.isGroup ? `group ${row.key}` : row.sessionId), create: (cell) => createRow(cell, actions), update: (parts, row) => this.draw(parts, row) });
    this.longest = 1;
    /** Agents of the sessions that are here, by session. */
    this.names = new Map();
    /** Keys whose sessions do not show. */
    this.closed = new Set();
  }

  /** Shows a row where it stood. @param {{ chosen: string | null, top: number }} place */
  restore({ chosen, top }) {
    const index = chosen === null ? -1 : this.rows.findIndex((row) => this.key(row) === chosen);
    if (index >= 0) this.select(index);
    this.scroller.scrollTop = top;
    this.list.draw();
    this.nameActive();
  }

  /** @param {any[]} sessions rows, newest first @param {{ hasMore: boolean, order: string, isGrouped: boolean, problem?: string | null }} facts */
  showSessions(sessions, facts) {
    this.names = new Map(sessions.map(({ sessionId, agentName }) => [sessionId, agentName]));
    this.longest = sessions.reduce((most, { length }) => Math.max(most, length), 1);
    attribute(this.scroller, "role", facts.isGrouped ? "treegrid" : "grid");
    const ordered = facts.order === "" ? sessions : this.sorted(sessions, facts.order);
    this.show(facts.isGrouped ? grouped(ordered, this.closed) : ordered, facts);
  }

  /** Says anew how long what runs has been running, and touches nothing else. @param {bigint} now Unix nanoseconds */
  grow(now) {
    this.rows.forEach((row, index) => {
      if (!row.isRunning) return;
      row.length = Math.max(0, Number(now - row.start));
      const text = this.list.elementAt(index)?.querySelector(".length-text");
      if (text) text.textContent = duration(row.length);
    });
    this.age(Number(now / 1_000_000n));
  }

  /** How long ago the rows in view began. @param {number} nowMillis */
  age(nowMillis) {
    const which = timeForm.value === "absolute" ? "ago" : "date";
    for (const { element, index } of this.list.slots) {
      const row = this.rows[index];
      const text = row && relativeTime(row.start, nowMillis);
      if (text && element.parts[which].textContent !== text) element.parts[which].textContent = text;
    }
  }

  draw(parts, row) {
    const now = Date.now();
    const { isGroup } = row;
    const element = parts.link.closest(".result-row");
    element.classList.toggle("is-group", Boolean(isGroup));
    element.classList.toggle("is-asked", Boolean(row.parentSessionId));
    attribute(element, "aria-expanded", isGroup ? String(row.isOpen) : null);
    drawMark(parts.mark, isGroup ? "" : row.sessionId, this.actions.marks());
    parts.mark.hidden = Boolean(isGroup);
    parts.turn.hidden = !isGroup;
    // Sessions last long enough that nobody asks for milliseconds.
    const absolute = listTime(row.start, zone.value, now).slice(0, -4);
    parts.time.dateTime = new Date(Number(row.start / 1_000_000n)).toISOString();
    parts.time.title = absoluteTime(row.start, zone.value, 9);
    parts.date.textContent = timeForm.value === "absolute" ? absolute : relativeTime(row.start, now);
    parts.ago.textContent = timeForm.value === "absolute" ? relativeTime(row.start, now) : "";
    parts.swatch.hidden = Boolean(isGroup);
    if (isGroup) this.drawGroup(parts, row);
    else this.drawSession(parts, row);
    parts.bar.style.width = `${Math.min(100, Math.max(0.5, (row.length / this.longest) * 100))}%`;
    parts.length.textContent = duration(row.length);
    parts.length.title = exactDuration(row.length);
    fill(parts.activity, row.activity?.length ? sparkline(row.activity, { width: 64, height: 14 }) : null);
    parts.agents.textContent = count(row.agents);
    parts.agents.classList.toggle("faint", row.agents === 1);
    parts.turns.textContent = row.turns === null ? "–" : count(row.turns);
    parts.llm.textContent = row.llmCalls ? count(row.llmCalls) : "–";
    parts.tools.textContent = row.toolCalls ? count(row.toolCalls) : "–";
    fill(parts.errors, row.errors ? [icon("error"), count(row.errors)] : h("span.faint", { "aria-label": "0" }, "–"));
    parts.tokens.textContent = tokens(row);
    parts.tokens.title = tokenWords(row) ?? "";
    parts.cost.textContent = dollars(row.usd);
  }

  drawSession(parts, row) {
    const { key, text, picture } = standing(row);
    parts.link.href = this.actions.href(row.sessionId);
    parts.agent.textContent = shortened(row.agentName, 120) || "no agent named";
    parts.agent.classList.toggle("absent", !row.agentName);
    parts.title.textContent = shortened(row.title, 200) || this.askedBy(row);
    parts.title.classList.toggle("faint", !row.title);
    parts.link.title = shortened([row.agentName, row.title, row.sessionId].filter(Boolean).join("\n"), 600);
    attribute(parts.swatch, "data-s", this.actions.colorOf(row.agentName));
    attribute(parts.standing, "data-standing", key);
    fill(parts.standing, icon(picture), text, row.isReduced ? h("span.faint", {}, "· totals") : null);
    attribute(parts.standing, "title", row.sampling && `Sampled: ${row.sampling}`);
    parts.priority.textContent = row.taskPriority ?? "–";
    attribute(parts.priority, "data-priority", row.taskPriority);
    parts.task.textContent = row.taskId ? shortened(row.taskId, 120) : "–";
    parts.task.title = row.taskId ? shortened(row.taskId, 300) : "";
  }

  /** Who started a session that has no title of its own. */
  askedBy({ parentSessionId }) {
    if (!parentSessionId) return "";
    return `asked by ${shortened(this.names.get(parentSessionId) ?? "", 80) || "another agent"}`;
  }

  drawGroup(parts, row) {
    parts.title.classList.remove("faint");
    parts.link.removeAttribute("href");
    parts.agent.classList.remove("absent");
    const title = row.sessions.find(({ parentSessionId }) => !parentSessionId)?.title;
    parts.agent.textContent = shortened(title || row.key, 120);
    parts.title.textContent = plural(row.size, "session");
    parts.link.title = shortened(row.key, 600);
    attribute(parts.standing, "data-standing", row.failed ? "failed" : "other");
    fill(parts.standing, row.failed ? [icon("error"), `${count(row.failed)} failed`] : "");
    parts.priority.textContent = parts.task.textContent = parts.task.title = "";
    attribute(parts.priority, "data-priority", null);
  }
}

function createRow(cell, actions) {
  const parts = {
    mark: markButton(actions.mark), turn: h("span.group-turn", { hidden: true }, icon("chevron")), date: h("span.time-main", {}), ago: h("span.time-second", {}),
    swatch: h("span.swatch", {}), link: h("a.trace-link", { tabindex: "-1" }), agent: h("span.row-service", {}), title: h("span.row-operation", {}),
    standing: h("span.standing", {}), priority: h("span.priority", {}), task: h("span.task", {}), bar: h("span.length-fill", {}), length: h("span.length-text", {}),
    activity: h("span.spark-cell", {}), agents: h("span", {}), turns: h("span", {}), llm: h("span", {}), tools: h("span", {}), errors: h("span.row-errors", {}), tokens: h("span", {}), cost: h("span", {}),
  };
  parts.link.append(parts.agent, parts.title);
  parts.time = h("time", {}, parts.date, parts.ago);
  return {
    parts,
    cells: [
      cell("mark", parts.mark, parts.turn), cell("start", parts.time), cell("session", parts.swatch, parts.link), cell("standing", parts.standing), cell("priority", parts.priority), cell("task", parts.task),
      cell("duration", h("span.length-track", {}, parts.bar), parts.length), cell("activity", parts.activity), cell("agents.number", parts.agents), cell("turns.number", parts.turns), cell("llm.number", parts.llm), cell("tools.number", parts.tools), cell("errors.number", parts.errors),
      cell("tokens.number", parts.tokens), cell("cost.number", parts.cost),
    ],
  };
}
