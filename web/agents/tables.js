// SPDX-License-Identifier: Apache-2.0
// What stands below the lanes in tables: tools, what took long, where the time went, what was spent.
import * as api from "../api-agents.js";
import { bytes, compactCount, count, duration, exactDuration, nanos, plural, share, shortened } from "../lib/format.js";
import { fill, h } from "../lib/view.js";
import { Figures } from "../services/figures.js";
import { failure } from "../services/parts.js";
import { Latency } from "./latency.js";
import { bar, legend } from "./time-bar.js";
import { spentBy, toolRows } from "./tool-table.js";
import { CLASS_NAMES, TIME_CLASSES, dollars } from "./words.js";

const ROWS_FIRST = 20;
/** Sessions whose steps are read to know the models. */
const MODELS_FROM_MAX = 60;

const dash = () => h("span.faint", {}, "–");
const lengthCell = (value) => h("span", { title: exactDuration(value) }, duration(value));

/** Why there are no calls. */
function absent({ sessions }) {
  const made = sessions.reduce((sum, { toolCallCount }) => sum + toolCallCount, 0);
  return made ? `${plural(made, "tool call")} ${made === 1 ? "was" : "were"} made; only the number is kept.` : "No tool was called.";
}

/**
 * A part below the lanes: `show` is called when it opens and when the orchestration is another one, `follow` when something else
 * is chosen, `zoomed` when another part of the time shows, `grow` when what runs is longer.
 * @typedef {{ element: HTMLElement, show(): void, follow?(moves: boolean): void, zoomed?(): void, grow?(): void, close?(): void }} Part
 * @param {any} page @returns {Part}
 */
export function tools(page) {
  const figures = new Figures({
    label: "Tools", sort: "-total", first: ROWS_FIRST, columns: [
      { key: "name", title: "Tool", by: (row) => row.toolName, cell: (row) => h("span.tool-cell", {}, h("code.tool-name", { title: shortened(row.toolName) }, shortened(row.toolName, 120) || "unnamed"), row.server ? h("span.faint", {}, ` ${shortened(row.server, 60)}`) : null) },
      { key: "calls", title: "Calls", numeric: true, by: (row) => row.callCount, cell: (row) => count(row.callCount) },
      { key: "errors", title: "Errors", numeric: true, by: (row) => row.errorCount / row.callCount, cell: (row) => (row.errorCount ? h("span.problem", { title: `${count(row.errorCount)} of ${count(row.callCount)}` }, share(row.errorCount / row.callCount)) : dash()) },
      { key: "retries", title: "Retries", numeric: true, className: "spare", by: (row) => row.retryCount, cell: (row) => (row.retryCount ? count(row.retryCount) : dash()) },
      ...["p50", "p95", "max"].map((key) => ({ key, title: key === "max" ? "Max" : key, numeric: true, className: key === "p95" ? "phone-spare" : "spare", by: (row) => row[key], cell: (row) => lengthCell(row[key]) })),
      { key: "total", title: "Total", numeric: true, by: (row) => row.total, cell: (row) => lengthCell(row.total) },
      { key: "share", title: "Share", says: "Of the time from the first start to the last end; calls at once count each", numeric: true, className: "spare", by: (row) => row.share, cell: (row) => share(row.share) },
      { key: "bytes", title: "Bytes", says: "Of all results", numeric: true, className: "spare", by: (row) => row.resultBytes, cell: (row) => (row.resultBytes === null ? dash() : bytes(row.resultBytes)) },
      { key: "worst", title: "Longest", cell: (row) => h("button.as-link", { type: "button", title: "Show the longest call", "aria-label": `The longest call of ${shortened(row.toolName, 60)}`, onclick: () => page.chooseSpan(row.worst.spanId, row.worst.sessionId) }, "show") },
    ],
  });
  const note = h("p.faint.part-note", {});
  const latency = new Latency(page);
  return {
    element: h("div.part", {}, note, figures.element, latency.element),
    zoomed: () => latency.draw(),
    close: () => latency.close(),
    show() {
      const { orchestration } = page;
      const calls = orchestration.toolCalls.filter(({ childSessionIds }) => !childSessionIds.length);
      const others = orchestration.toolCalls.length - calls.length;
      const asked = others ? `${plural(others, `${calls.length ? "more " : ""}tool call`)} started sessions: their time is that of the sessions, on the lanes and in the graph.` : "";
      note.textContent = orchestration.answer.truncated ? "Only the first 10,000 calls are summed up here." : calls.length || others ? asked : absent(orchestration);
      const rows = toolRows(calls, orchestration.duration || orchestration.to);
      figures.show(rows, figures.sort);
      figures.element.hidden = !calls.length;
      latency.show(calls, rows);
    },
  };
}

/** @param {any} page @returns {Part} */
export function bottlenecks(page) {
  const element = h("div.part.bottlenecks", {});
  let asked = null;
  const load = async () => {
    const { orchestration } = page;
    if (asked === orchestration.answer) return;
    asked = orchestration.answer;
    if (!element.firstChild) fill(element, h("p.faint", {}, "Asking the server…"));
    try {
      const answer = await api.bottlenecks(page.id, page.life.signal);
      if (asked !== orchestration.answer) return;
      draw(answer.bottlenecks);
    } catch (error) {
      if (page.life.signal.aborted) return;
      asked = null;
      fill(element, failure(error, load));
    }
  };
  const draw = (found) => {
    if (!found.length) {
      fill(element, h("p.faint", {}, "Nothing stands out: no step holds a noticeable part of the time."));
      return;
    }
    fill(element, h("ol.bottleneck-list", {}, found.map(({ text, sessionId, class: kind, durationNanos, share: part }) => h("li.bottleneck", {},
      h("span.bottleneck-share", { title: exactDuration(Number(nanos(durationNanos))) }, share(part)), h("span.share-track", {}, h("span.class-fill", { "data-class": kind, style: { width: `${Math.max(1, Math.min(1, part) * 100)}%` } })),
      h("button.as-link.bottleneck-text", { type: "button", onclick: () => page.chooseClass(sessionId, kind) }, h("span", {}, withCode(shortened(text, 400)))), h("span.faint.bottleneck-class", {}, CLASS_NAMES[kind] ?? shortened(String(kind), 40))))));
  };
  return { element, show: load };
}

/** A sentence whose names stand between backticks. @param {string} text */
function withCode(text) {
  const parts = text.split("`");
  return parts.length % 2 ? parts.map((part, place) => (place % 2 ? h("code", {}, part) : part)) : text;
}

/** @param {any} page @returns {Part} */
export function time(page) {
  const place = h("div", {});
  let shown = "";
  let figures = null;
  return {
    element: h("div.part.time-part", {}, legend(), place),
    show() {
      const sessions = page.orchestration.lanes.map((index) => page.orchestration.sessions[index]);
      // A column in which nobody has anything is left out.
      const classes = TIME_CLASSES.filter(({ key }) => sessions.some(({ timeClasses }) => Number(nanos(timeClasses?.[key])) > 0));
      const keys = classes.map(({ key }) => key).join();
      if (keys !== shown || !figures) {
        shown = keys;
        figures = timeFigures(page, classes);
        fill(place, figures.element);
      }
      figures.show(sessions, figures.sort);
    },
  };
}

function timeFigures(page, classes) {
  const length = (row, key) => Number(nanos(row.timeClasses?.[key]));
  return new Figures({
    label: "Time of each session", sort: "", first: ROWS_FIRST, columns: [
      { key: "name", title: "Session", by: (row) => row.agentName ?? "", cell: (row) => h("button.as-link.session-cell", { type: "button", title: shortened(row.sessionId), onclick: () => page.choose(row.index, null) }, h("span.swatch", { "data-s": page.colorOf(row.index) }), h("span.session-of", {}, shortened(row.agentName ?? "", 80) || "no agent named")) },
      { key: "bar", title: "Where it went", className: "bar-column", cell: (row) => bar(row, `${shortened(row.agentName ?? "", 60)}, time by class`) },
      { key: "wall", title: "Wall time", says: "The sum of the parts", numeric: true, by: (row) => row.to - row.from, cell: (row) => h("strong", {}, lengthCell(row.to - row.from)) },
      ...classes.map(({ key, name, says }) => ({ key, title: name, says, numeric: true, className: "spare", by: (row) => length(row, key), cell: (row) => (length(row, key) ? lengthCell(length(row, key)) : dash()) })),
    ],
  });
}

const BY = [["agent", "By agent"], ["session", "By session"], ["model", "By model"]];

/** @param {any} page @returns {Part} */
export function cost(page) {
  /** The address says it. */
  const by = () => BY.find(([key]) => key === page.state.by)?.[0] ?? BY[0][0];
  const figures = new Figures({
    label: "Tokens and cost", sort: "-usd", first: ROWS_FIRST, columns: [
      { key: "name", title: "Name", by: (row) => row.name, cell: (row) => h("span.tool-name", { title: shortened(row.name) }, shortened(row.name, 120) || "not named") },
      { key: "calls", title: "Model calls", numeric: true, by: (row) => row.calls, cell: (row) => count(row.calls) },
      ...[["inputTokens", "In", ""], ["cacheReadTokens", "Cached", "spare"], ["outputTokens", "Out", ""], ["reasoningTokens", "Reasoning", "spare"]].map(([key, title, className]) => ({ key, title, className, numeric: true, by: (row) => row[key], cell: (row) => (row[key] ? h("span", { title: count(row[key]) }, compactCount(row[key])) : dash()) })),
      { key: "usd", title: "Cost", numeric: true, by: (row) => row.usd, cell: (row) => dollars(row.usd) },
      { key: "share", title: "Share", numeric: true, className: "spare", by: (row) => row.usd, cell: (row) => (row.usd && whole() ? share(row.usd / whole()) : dash()) },
    ],
  });
  const whole = () => page.orchestration.answer.usage?.usd ?? 0;
  const note = h("p.faint.part-note", {});
  const buttons = BY.map(([key, name]) => h("button", { type: "button", "aria-pressed": "false", onclick: () => choose(key) }, name));
  const choose = (key) => {
    page.app.replace({ by: key === BY[0][0] ? "" : key });
    page.state = page.app.view.state;
    show();
  };
  const show = async () => {
    buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(BY[place][0] === by())));
    const { orchestration } = page;
    const sessions = orchestration.lanes.map((index) => orchestration.sessions[index]);
    if (by() !== "model") {
      note.textContent = typeof whole() === "number" && orchestration.answer.usage?.usd !== null ? "" : "No price is known for these models, and the client told of none.";
      figures.show(spentBy(sessions.map((session) => ({ name: by() === "agent" ? session.agentName ?? "" : `${session.agentName ?? ""} ${session.sessionId}`, calls: session.llmCallCount, usage: session.usage }))), figures.sort);
      return;
    }
    const busy = sessions.filter(({ llmCallCount }) => llmCallCount > 0);
    note.textContent = "Reading steps…";
    await page.wantSteps(busy.slice(0, MODELS_FROM_MAX).map(({ index }) => index));
    if (by() !== "model" || page.life.signal.aborted) return;
    note.textContent = busy.length > MODELS_FROM_MAX ? `Of the first ${plural(MODELS_FROM_MAX, "session")} with model calls.` : "";
    const calls = busy.slice(0, MODELS_FROM_MAX).flatMap(({ index }) => page.stepsOf(index) ?? []).filter(({ stepKind, llm }) => stepKind === "llm" || llm);
    figures.show(spentBy(calls.map(({ llm, usage }) => ({ name: llm?.model ?? "", calls: 1, usage }))), figures.sort);
  };
  return { element: h("div.part", {}, h("div.part-bar", {}, h("div.segments", { role: "group", "aria-label": "Sum up" }, buttons), note), figures.element), show };
}
