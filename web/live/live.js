// SPDX-License-Identifier: Apache-2.0
// Live: traces as they come. Owns the stream and the pauses; the ring holds rows back, the list draws them.
import * as api from "../api-more.js";
import { QueryBar } from "../explore/query-bar.js";
import { EventStream } from "../lib/event-stream.js";
import { count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { sparkline } from "../lib/sparkline.js";
import { attribute, fill, h } from "../lib/view.js";
import { keepQuery, timeForm } from "../settings.js";
import { LiveList } from "./list.js";
import { Ring, backoffMillis } from "./ring.js";

const TICK_MILLIS = 250;
const SAY_MILLIS = 5000;
const LEAVE_MILLIS = 700;
/** The server gives a sign of life every fifteen seconds. */
const SILENCE_MAX_MILLIS = 40_000;

/** What the page showed when it was left, for who comes back from a trace. @type {{ q: string, ring: Ring, top: number } | null} */
let left = null;

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  return new Live(app, view.state);
}

class Live {
  constructor(app, state) {
    this.app = app;
    this.state = state;
    /** Why nothing moves: "asked", "scrolled", "hovered", "focused". @type {Set<string>} */
    this.holds = new Set();
    this.failures = 0;
    this.sayAt = 0;
    this.newCount = 0;
    const { shell } = app;
    document.title = "Live · Skein";
    this.query = new QueryBar({ run: (q) => this.ask(q), openTrace: (id) => app.go({ page: "trace", id, state: {} }), confirm: (text) => shell.confirm(text) });
    this.query.input.placeholder = "All traces. Narrow down: error = true";
    this.pauseButton = h("button", { type: "button", title: "Pause, or go on (p)", onclick: () => this.togglePause() }, icon("pause"), "Pause");
    fill(shell.barStart, this.query.element);
    fill(shell.barEnd, this.pauseButton,
      h("button.icon-button", { type: "button", "aria-label": "Copy link", title: "Copy link (y)", onclick: () => app.copyLink() }, icon("link")));

    this.stateLine = h("p.live-state", { role: "status" });
    this.spark = h("span.live-spark", {});
    this.rate = h("span.live-rate", {});
    this.skipped = h("span.live-skipped", {});
    this.resumeButton = h("button.primary.live-resume", { type: "button", hidden: true, onclick: () => this.resume() });
    this.nothing = h("p.live-nothing.faint", {});
    this.ring = new Ring(Date.now());
    this.list = new LiveList(this.ring, { href: (id) => app.href({ page: "trace", id, state: {} }), colorOf: (service) => app.colors.of(service) });
    fill(shell.main, h("h1.unseen", {}, "Live traces"), this.query.faultLine,
      h("div.live-line", {}, this.stateLine, this.spark, this.rate, this.skipped, h("span.spring"), this.resumeButton),
      h("div.live-chips", {}, this.query.chipRow), h("div.live-body", {}, this.list.element, this.nothing));
    this.listenToReader();
    this.installKeys();
    this.unlisten = timeForm.listen(() => this.list.refresh());
    app.colors.learn().then(() => this.list.refresh());
    this.ticker = setInterval(() => this.tick(), TICK_MILLIS);
    this.show(state);
  }

  installKeys() {
    this.app.keyboard.install("Live", [
      { keys: ["p", " "], does: "Pause, or go on", run: () => this.togglePause() },
      { keys: ["/"], does: "Write a query", run: () => this.query.focus() },
      { keys: ["ArrowDown", "j"], does: "Next trace", run: () => this.list.move(1) },
      { keys: ["ArrowUp", "k"], does: "Previous trace", run: () => this.list.move(-1) },
      { keys: ["r"], does: "Begin anew", run: () => this.restart() },
    ]);
  }

  /** Whoever reads is not to have the rows moved under him. */
  listenToReader() {
    const { element } = this.list;
    element.addEventListener("pointerenter", (event) => {
      clearTimeout(this.leaving);
      if (event.pointerType === "mouse") this.hold("hovered");
    });
    // Who crosses the edge on the way to a button, or by mistake, finds everything as it was.
    element.addEventListener("pointerleave", () => { this.leaving = setTimeout(() => this.release("hovered"), LEAVE_MILLIS); });
    element.addEventListener("focusin", () => this.hold("focused"));
    element.addEventListener("focusout", (event) => { if (!element.contains(event.relatedTarget)) this.release("focused"); });
    element.addEventListener("scroll", () => (element.scrollTop > 0 ? this.hold("scrolled") : this.release("scrolled")), { passive: true });
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      document.activeElement.blur();
      this.resume();
    });
  }

  ask(q) {
    if (q === this.state.q) this.restart();
    else this.app.push({ q });
  }

  show(state) {
    // Who turns back before the next page is here has not been away.
    if (this.flight && state.q === this.state.q) return;
    this.state = state;
    this.query.text = state.q;
    const kept = left?.q === state.q ? left : null;
    left = null;
    this.restart(kept?.ring);
    // Further down, the list waits until it is read.
    if (!kept) return;
    this.list.draw();
    this.list.element.scrollTop = kept.top;
  }

  /** A new question begins with an empty list. @param {Ring} [ring] of the same question */
  restart(ring = new Ring(Date.now())) {
    this.ring = this.list.ring = ring;
    this.holds.clear();
    this.ring.resume();
    this.list.element.scrollTop = 0;
    this.list.refresh();
    this.query.showFault(null);
    this.failures = 0;
    this.showHolds();
    this.connect();
  }

  async connect() {
    clearTimeout(this.retry);
    this.flight?.abort();
    const flight = (this.flight = new AbortController());
    const { q } = this.state;
    this.setState("connecting", this.failures ? "Connecting again…" : "Connecting…");
    let ended = null;
    this.aliveAt = Date.now();
    const events = new EventStream((name, data) => {
      const value = JSON.parse(data);
      if (name === "start") this.began(q);
      else if (name === "trace") this.came(value);
      else if (name === "dropped") this.ring.drop(Number(value.traces) || 0, Date.now());
      else if (name === "end") ended = value;
    });
    try {
      await api.tail(q, (text) => { this.aliveAt = Date.now(); events.push(text); }, flight.signal);
      if (flight === this.flight) this.lost(ended?.detail || "The server ended the stream.");
    } catch (error) {
      if (flight !== this.flight || this.isClosed) return;
      if (error.code === "invalid-query" || error.status === 400) {
        this.query.showFault(error);
        this.setState("refused", "The query is not understood");
      } else this.lost(error instanceof api.ApiError ? error.message : "The connection broke.");
    }
  }

  began(q) {
    this.failures = 0;
    this.app.shell.setOffline(null);
    this.setState("live", "Live");
    if (q !== "") keepQuery(q);
  }

  came(trace) {
    if (typeof trace.traceId !== "string") return;
    const changed = this.ring.add(trace, Date.now());
    if (changed) this.list.ask();
    else this.newCount++;
  }

  /** Asks again, later each time. @param {string} why */
  lost(why) {
    this.failures++;
    const wait = backoffMillis(this.failures, Math.random());
    this.retryAt = Date.now() + wait;
    this.why = /[.!?]$/.test(why) ? why : `${why}.`;
    this.setState("lost", "");
    this.retry = setTimeout(() => this.connect(), wait);
  }

  /** @param {"connecting" | "live" | "lost" | "refused"} state @param {string} text */
  setState(state, text) {
    this.connection = state;
    this.stateText = text;
    this.showState();
  }

  showState() {
    const { connection, holds } = this;
    const isPaused = connection === "live" && holds.size > 0;
    attribute(this.stateLine, "data-state", isPaused ? "paused" : connection);
    if (connection === "lost") {
      const again = this.failures === 1 ? "Asking again soon." : `Asking again soon, attempt ${this.failures + 1}.`;
      fill(this.stateLine, icon("warning"), h("span", {}, `${this.why} ${again}`), h("button.as-link", { type: "button", onclick: () => this.connect() }, "Now"));
      return;
    }
    fill(this.stateLine, h("span.live-dot", {}), isPaused ? pauseText(holds) : this.stateText);
  }

  hold(why) {
    if (this.holds.has(why) || !this.ring.rows.length) return;
    this.holds.add(why);
    if (!this.ring.isPaused) this.ring.pause();
    this.showHolds();
  }

  release(why) {
    if (!this.holds.delete(why)) return;
    if (!this.holds.size) this.resume();
    else this.showHolds();
  }

  togglePause() {
    if (this.holds.size) this.resume();
    else {
      this.holds.add("asked");
      this.ring.pause();
      this.showHolds();
    }
  }

  /** On from here: what came meanwhile, and the top of the list. */
  resume() {
    this.holds.clear();
    this.ring.resume();
    this.list.element.scrollTop = 0;
    this.list.draw();
    this.showHolds();
  }

  showHolds() {
    const isPaused = this.holds.size > 0;
    attribute(this.pauseButton, "aria-pressed", String(isPaused));
    this.showState();
    this.showHeld();
  }

  showHeld() {
    const { heldCount, isPaused } = this.ring;
    // A button that has the focus does not go away under it.
    const isHidden = !isPaused || (heldCount === 0 && document.activeElement !== this.resumeButton);
    if (this.resumeButton.hidden !== isHidden) this.resumeButton.hidden = isHidden;
    const text = `Resume (${count(heldCount)} new)`;
    if (!isHidden && this.resumeButton.textContent !== text) this.resumeButton.textContent = text;
  }

  tick() {
    const now = Date.now();
    if (this.ring.release(now)) this.list.ask();
    if (this.ring.isPaused) this.showHeld();
    if (Math.floor(now / 1000) !== this.drawnSecond) {
      this.drawnSecond = Math.floor(now / 1000);
      this.showRates();
    }
    if (this.newCount && !this.ring.isPaused && now - this.sayAt >= SAY_MILLIS && !document.hidden) {
      this.app.shell.say(`${plural(this.newCount, "new trace")}`);
      this.newCount = 0;
      this.sayAt = now;
    }
    if (/^(?:live|connecting)$/.test(this.connection) && now - this.aliveAt > SILENCE_MAX_MILLIS) {
      this.flight.abort();
      this.flight = null;
      this.lost("Nothing was heard of the server for a while.");
    }
  }

  showRates() {
    const { arrived, skipped } = this.ring.rates();
    const text = `${rounded(arrived)}/s`;
    if (this.rate.textContent !== text) this.rate.textContent = text;
    const past = this.ring.arrived.slice(0, -1);
    const shape = past.join();
    if (shape !== this.sparkShape) {
      this.sparkShape = shape;
      fill(this.spark, sparkline(past, { width: 120, height: 16, label: `Traces a second over the last minute, ${count(Math.max(...past))} at most` }));
    }
    const not = skipped > 0 ? `+${rounded(skipped)}/s not shown` : "";
    if (this.skipped.textContent !== not) this.skipped.textContent = not;
    const isEmpty = this.ring.rows.length === 0;
    const waiting = `${this.state.q ? "Nothing matched yet" : "Waiting for traces"}: they come up here within a second of their spans.`;
    const says = isEmpty && this.connection === "live" ? waiting : "";
    if (this.nothing.textContent !== says) this.nothing.textContent = says;
  }

  zoneChanged() {
    this.list.refresh();
  }

  close() {
    this.isClosed = true;
    left = { q: this.state.q, ring: this.ring, top: this.list.element.scrollTop };
    this.flight?.abort();
    clearTimeout(this.retry);
    clearTimeout(this.leaving);
    clearInterval(this.ticker);
    this.unlisten();
    this.list.close();
    this.app.keyboard.install("Live", []);
  }
}

function pauseText(holds) {
  if (holds.has("asked")) return "Paused";
  if (holds.has("scrolled")) return "Paused while you read";
  return "Paused while you look";
}

function rounded(rate) {
  return rate > 0 && rate < 9.95 ? rate.toFixed(1).replace(/\.0$/, "") : count(Math.round(rate));
}
