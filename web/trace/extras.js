// SPDX-License-Identifier: Apache-2.0
// What several views of a trace ask the server beside its skeleton: asked once, when the first of them wants it.
import * as api from "../api-agents.js";

const LOGS_MAX = 10_000;
const SESSIONS_MAX = 1000;
const kept = new WeakMap();

/** @param {import("./model.js").TraceModel} model @returns {Extras} */
export function extrasOf(model) {
  if (!kept.has(model)) kept.set(model, new Extras(model));
  return kept.get(model);
}

class Extras {
  constructor(model) {
    this.model = model;
    this.answers = new Map();
  }

  /** The answer, asked for once; a failure is forgotten, so that it may be tried again. */
  once(name, ask) {
    if (!this.answers.has(name)) {
      const answer = ask();
      answer.catch(() => this.answers.delete(name));
      this.answers.set(name, answer);
    }
    return this.answers.get(name);
  }

  /** Whether any log record names the trace: most traces have none, and their spans need not be asked for. @returns {Promise<boolean>} */
  hasLogs() {
    return this.once("has logs", async () => (await api.traceLogs(this.model.traceId, undefined, 1)).logs.length > 0);
  }

  /** Log records of the trace, by time. */
  logs() {
    return this.once("logs", () => api.traceLogs(this.model.traceId, undefined, LOGS_MAX));
  }

  /** The sessions of agents in this trace. @returns {Promise<any[]>} */
  agentSessions() {
    const { model } = this;
    return this.once("agents", async () => (model.holdsAgents ? (await api.sessions({ traceId: model.traceId, limit: SESSIONS_MAX })).sessions : []));
  }

  /** Whether any stored span of a range links to this trace. @param {{ start?: bigint, end?: bigint }} range @returns {Promise<boolean>} */
  isLinked({ start, end }) {
    return this.once(`linked ${start} ${end}`, async () => (await api.search({ q: `{ link:traceID = "${this.model.traceId}" }`, start, end, limit: 1 })).traces.length > 0);
  }
}
