// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { attributeKey, chips, faultRange, fieldName, literal, tokenize, withCondition, withoutChip } from "../explore/query-text.js";

const kinds = (text) => tokenize(text).map((token) => `${token.kind}:${token.text}`);

test("tokens keep names, strings, numbers with units and signs apart", () => {
  assert.deepEqual(kinds('service = "order-service" and duration>500ms'), [
    "name:service", "operator:=", 'string:"order-service"', "logic:and", "name:duration", "operator:>", "number:500ms",
  ]);
  assert.deepEqual(kinds("{ span.http.status_code >= 500 && !error }"), [
    "open:{", "name:span.http.status_code", "operator:>=", "number:500", "logic:&&", "logic:!", "name:error", "close:}",
  ]);
  assert.deepEqual(kinds("1m30s 2.5h 12abc"), ["number:1m30s", "number:2.5h", "name:12abc"]);
  assert.deepEqual(kinds('.foo =~ "a\\"b" || x != -3'), ["name:.foo", "operator:=~", 'string:"a\\"b"', "logic:||", "name:x", "operator:!=", "number:-3"]);
});

test("an unclosed string reaches the end, and nothing makes the tokenizer fail", () => {
  assert.deepEqual(kinds('name = "GET /'), ["name:name", "operator:=", 'string:"GET /']);
  for (const odd of ["", "   ", "\\", "%%%", "((((", "}{", '"', "\u{1F600}=1", "a".repeat(100_000)]) assert.ok(Array.isArray(tokenize(odd)));
});

test("chips are the conditions that all must hold", () => {
  const texts = (query) => chips(query).map((chip) => chip.text);
  assert.deepEqual(texts('service = "a" and duration > 5ms && error = true'), ['service = "a"', "duration > 5ms", "error = true"]);
  assert.deepEqual(texts("a = 1 or b = 2"), ["a = 1 or b = 2"]);
  assert.deepEqual(texts("(a = 1 or b = 2) and c = 3"), ["(a = 1 or b = 2)", "c = 3"]);
  assert.deepEqual(texts("{ a = 1 && b = 2 }"), ["a = 1", "b = 2"]);
  assert.deepEqual(texts("{ a = 1 } && { b = 2 }"), ["{ a = 1 }", "{ b = 2 }"]);
  assert.deepEqual(texts('name = "this and that"'), ['name = "this and that"']);
  assert.deepEqual(texts(""), []);
});

test("taking a chip away takes the joining word along", () => {
  assert.equal(withoutChip("a = 1 and b = 2 and c = 3", 1), "a = 1 and c = 3");
  assert.equal(withoutChip("a = 1 && b = 2", 0), "b = 2");
  assert.equal(withoutChip("{ a = 1 && b = 2 }", 1), "{ a = 1 }");
  assert.equal(withoutChip("a = 1", 0), "");
});

const is = (key, value, type = "string", scope = "span", operator = "=") => ({ key, scope, operator, value, type });

test("a condition is added once, and binds to the whole query", () => {
  assert.equal(withCondition("", is("a", 1, "int")), "a = 1");
  assert.equal(withCondition("a = 1", is("b", 2, "int", "span", "!=")), "a = 1 and b != 2");
  assert.equal(withCondition("a = 1 && b = 2", is("c", true, "bool")), "a = 1 && b = 2 && c = true");
  assert.equal(withCondition('a = "&&"', is("b", 2, "int")), 'a = "&&" and b = 2');
  assert.equal(withCondition("a = 1 and b = 2", is("b", 2, "int")), "a = 1 and b = 2");
  assert.equal(withCondition("a = 1 or b = 2", is("c", 3, "int")), "(a = 1 or b = 2) and c = 3");
});

test("a condition is written as braces want it where the query is in braces", () => {
  assert.equal(withCondition("{ duration > 500ms }", is("user.id", "x")), '{ duration > 500ms && span.user.id = "x" }');
  assert.equal(withCondition("{ duration > 500ms }", is("service.name", "x", "string", "resource")), '{ duration > 500ms && resource.service.name = "x" }');
  assert.equal(withCondition("{ .a = 1 || .b = 2 }", is("odd key", "x")), '{ (.a = 1 || .b = 2) && span."odd key" = "x" }');
  assert.equal(withCondition("{}", is("a", 1, "int")), "{ span.a = 1 }");
  assert.equal(withCondition("{ span.a = 1 }", is("a", 1, "int")), "{ span.a = 1 }");
  assert.equal(withCondition("{ .a = 1 } && { .b = 2 }", is("c", 3, "int")), "{ .a = 1 } && { .b = 2 } && { span.c = 3 }");
  assert.equal(withoutChip('{ .a = 1 && .b = "and" && .c = 3 }', 2), '{ .a = 1 && .b = "and" }');
});

test("values and names are written so that they read back", () => {
  assert.equal(literal('say "hi"\\', "string"), '"say \\"hi\\"\\\\"');
  assert.equal(literal(500, "int"), "500");
  assert.equal(fieldName("user.id", "span"), "user.id");
  assert.equal(fieldName("host.name", "resource"), "resource.host.name");
  assert.equal(fieldName("service.name", "resource"), "service");
  assert.equal(fieldName("odd key", "span"), 'span."odd key"');
  assert.equal(fieldName("two\nlines", "span"), 'span."two\nlines"');
  assert.equal(fieldName("user.id", "span", true), "span.user.id");
  assert.equal(fieldName("service.name", "resource", true), "resource.service.name");
  assert.deepEqual(attributeKey('span."odd key"'), { key: "odd key", scope: "span" });
  assert.deepEqual(attributeKey("resource.host.name"), { key: "host.name", scope: "resource" });
  assert.deepEqual(attributeKey(".foo"), { key: "foo", scope: "" });
});

test("an attribute with the name of something else is scoped", () => {
  for (const key of ["name", "operation", "service", "error", "True", "nil", "minInt", "maxInt", "AND", "span.x", "trace:id", "parent.x"])
    assert.match(fieldName(key, "span"), /^span\./, key);
  assert.equal(fieldName("operations", "span"), "operations");
});

test("every word that the server reads as an intrinsic or a literal is scoped", () => {
  const source = (path) => readFileSync(new URL(`../../Sources/SkeinTraceQL/${path}`, import.meta.url), "utf8");
  const words = /static let words[^[]*\[String: Intrinsic\] = \[([^\]]*)\]/.exec(source("Syntax/Query.swift"))[1];
  const literals = /init\?\(word: String\) \{([^}]*)/.exec(source("Parsing/Parser+Conditions.swift"))[1];
  const names = [...words.matchAll(/"(\w+)":/g), ...literals.matchAll(/case "(\w+)"/g)].map((match) => match[1]);
  assert.ok(names.length >= 17, names.join());
  for (const name of names) assert.equal(fieldName(name, "span"), `span.${name}`);
});

test("the fault is underlined where the server counted it, in bytes", () => {
  assert.deepEqual(faultRange("a = = b", { offset: 4, length: 1 }), { start: 4, end: 5 });
  assert.deepEqual(faultRange("\u{1F600} = = b", { offset: 7, length: 1 }), { start: 5, end: 6 });
  assert.deepEqual(faultRange("ä = ö ü", { offset: 8, length: 2 }), { start: 6, end: 7 });
  assert.deepEqual(faultRange("a =", { offset: 3, length: 0 }), { start: 3, end: 3 });
  assert.deepEqual(faultRange("a =", { offset: 99, length: 99 }), { start: 3, end: 3 });
});
