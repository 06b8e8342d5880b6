// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { conditions, conditionsOn, counted, joinNames, nameIn, splitNames, toggled, without } from "../explore/conditions.js";
import { chips, narrowed, withoutChip } from "../explore/query-text.js";

test("plain conditions are known by their field, however it is written", () => {
  const told = (text) => conditions(text).map(({ name, operator, value }) => `${name}${operator}${value}`);
  assert.deepEqual(told('service = "a" and operation != "b" and error = true'), ['resource.service.name="a"', 'name!="b"', "status=error"]);
  assert.deepEqual(told("{ resource.service.name = `a` && span.x > 5 }"), ['resource.service.name="a"', "span.x>5"]);
  assert.deepEqual(told("service = api and kind = server and a = true"), ['resource.service.name="api"', "kind=server", "a=true"]);
  assert.deepEqual(told("error != true and (a = 1 or b = 2)"), ["status!=error"]);
  assert.deepEqual(conditionsOn("http.route = 1 and b = 2", "span.http.route").map(({ index }) => index), [0]);
  assert.deepEqual(conditionsOn("resource.x = 1", "span.x"), []);
});

test("a value is asked for, asked for instead of another, ruled out, and let go", () => {
  const service = "resource.service.name";
  assert.equal(toggled("", service, "=", '"a"'), 'service = "a"');
  assert.equal(toggled('service = "a"', service, "=", '"b"'), 'service = "b"');
  assert.equal(toggled('service = "a" and error = true', service, "=", '"a"'), "error = true");
  assert.equal(toggled('service = "a"', service, "!=", '"a"'), 'service != "a"');
  assert.equal(toggled('service != "a"', service, "!=", '"b"'), 'service != "a" and service != "b"');
  assert.equal(toggled('{ resource.service.name != "a" }', service, "=", '"a"'), '{ resource.service.name = "a" }');
  assert.equal(toggled("error = true", "status", "=", "error"), "");
  assert.equal(toggled("duration >= 5ms", "duration", ">=", "10ms"), "duration >= 10ms");
  assert.equal(without('service = "a" and service != "b" and x = 1', service), "x = 1");
  assert.equal(nameIn("", "span.http.route"), "http.route");
  assert.equal(nameIn("{ }", "span.http.route"), "span.http.route");
});

test("what stands behind a pipe stays behind what is added", () => {
  assert.deepEqual(chips("{ .a = 1 && .b = 2 } | by(name) | count() > 2").map(({ text }) => text), [".a = 1", ".b = 2", "| by(name)", "| count() > 2"]);
  assert.equal(withoutChip("a = 1 | count() > 2", 1), "a = 1");
  assert.equal(withoutChip("a = 1 | count() > 2", 0), "{ } | count() > 2");
  assert.equal(narrowed("{ } | count() > 2", "status = error"), "{ status = error } | count() > 2");
  assert.equal(narrowed("{ .a = 1 } >> { .b = 2 } | count() > 2", "kind = server"), "{ .a = 1 } >> { .b = 2 } | { kind = server } | count() > 2");
  assert.equal(narrowed("a = 1 or b = 2 | count() > 2", "c = 3"), "(a = 1 or b = 2) and c = 3 | count() > 2");
});

test("a counting stage takes the place of an order", () => {
  assert.equal(counted("", "rate()"), "{ } | rate()");
  assert.equal(counted("a = 1 | order by duration", "rate()"), "a = 1 | rate()");
  assert.equal(counted("{ } | count() > 2", "rate()"), "{ } | count() > 2 | rate()");
});

test("names of fields survive the address", () => {
  const names = ["span.a,b", "span.100%", "resource.host.name"];
  assert.deepEqual(splitNames(joinNames(names)), names);
});
