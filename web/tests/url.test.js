// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { formatView, initialState, isWholeTraceId, parseView, traceId } from "../lib/url.js";

const ID = "4bf92f3577b34da6a3ce929d0e0e4736";

test("defaults are left out, the order is always the same", () => {
  assert.equal(formatView({ page: "explore", state: initialState("explore") }), "explore");
  assert.equal(formatView({ page: "explore", state: { sort: "-duration", q: "error = true", from: "-1h" } }), "explore?q=error+=+true&sort=-duration");
  assert.equal(formatView({ page: "trace", id: ID, state: { z: "0.12-0.31", span: "00f067aa0ba902b7" } }), `trace/${ID}?span=00f067aa0ba902b7&z=0.12-0.31`);
});

test("what is written is read back, whatever is in it", () => {
  for (const q of ['name = "GET /a?b=c&d#e%20+1"', "a && b || c", "ä \u{1F600} \n\t", "{ span.x =~ \".*\" }", "100%"]) {
    const address = new URL(formatView({ page: "explore", state: { q } }), "http://host/skein/");
    assert.deepEqual(parseView(address.pathname, address.search, "/skein/").state.q, q);
  }
});

test("addresses are read below any base; unknown ones are Explore", () => {
  assert.equal(parseView("/", "", "/").page, "explore");
  assert.equal(parseView("/explore", "?q=x", "/").state.q, "x");
  assert.deepEqual(parseView(`/a/b/trace/${ID}`, "", "/a/b/"), { page: "trace", id: ID, state: initialState("trace") });
  assert.equal(parseView("/trace/nonsense", "", "/").page, "explore");
  assert.equal(parseView("/trace/%zz", "", "/").page, "explore");
  assert.equal(parseView("/trace/", "", "/").page, "explore");
  assert.equal(parseView("/explore", "?evil=1&from=", "/").state.evil, undefined);
});

test("services and comparisons have their names in the path", () => {
  for (const [path, page, facts] of [
    ["service/shop%2Feu", "service", { id: "shop/eu" }],
    [`compare/${ID}/typical`, "compare", { id: ID, other: "typical" }],
    [`compare/${ID}`, "compare", { id: ID }],
    ["compare", "compare", {}],
    ["map", "map", {}],
  ]) {
    const view = parseView(`/skein/${path}`, "", "/skein/");
    assert.deepEqual(view, { page, ...facts, state: initialState(page) });
    assert.equal(formatView(view), path);
  }
  assert.equal(formatView({ page: "service", id: "..", state: {} }), "services?q=..");
  assert.equal(parseView("/service/", "", "/").page, "explore");
  assert.equal(parseView("/compare/zz", "", "/").page, "explore");
});

test("trace ids come in every dress", () => {
  assert.equal(traceId(` ${ID.toUpperCase()}\n`), ID);
  assert.equal(traceId("4bf92f35-77b3-4da6-a3ce-929d0e0e4736"), ID);
  assert.equal(traceId("a3ce929d0e0e4736"), "0000000000000000a3ce929d0e0e4736");
  for (const none of ["", "0".repeat(32), "xyz", `${ID}0`]) assert.equal(traceId(none), null);
  assert.equal(isWholeTraceId(ID), true);
  assert.equal(isWholeTraceId("abc"), false);
  assert.equal(isWholeTraceId("cart"), false);
});

test("sessions have whatever was chosen as their id", () => {
  for (const id of ["ses_7f3", `${ID}:00f067aa0ba902b7`, "a/b c%2F:@", "…\u202e"]) {
    const address = new URL(formatView({ page: "agents/session", id, state: { lane: "x" } }), "http://host/skein/");
    assert.deepEqual(parseView(address.pathname, address.search, "/skein/"), { page: "agents/session", id, state: { ...initialState("agents/session"), lane: "x" } });
  }
  assert.equal(parseView("/agents", "?agent=planner", "/").state.agent, "planner");
  assert.equal(parseView("/agents/session", "", "/").page, "explore");
  assert.equal(formatView({ page: "agents/session", id: "..", state: {} }), "agents?q=..");
});
