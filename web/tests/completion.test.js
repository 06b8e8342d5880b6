// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { optionsFor } from "../explore/completion.js";

const ATTRIBUTES = [
  { key: "user.id", scope: "span", types: ["string"] },
  { key: "operation", scope: "span", types: ["string"] },
  { key: "host.name", scope: "resource", types: ["string"] },
  { key: "service.name", scope: "resource", types: ["string"] },
  { key: "message.id", scope: "event", types: ["int"] },
];

/** What is offered where `|` stands, and what the server was asked for. */
async function offered(marked) {
  const asked = [];
  const source = {
    attributes: async (prefix) => ({ attributes: ATTRIBUTES.filter(({ key }) => key.startsWith(prefix)) }),
    attributeValues: async (key, prefix, limit, scope) => {
      asked.push(`${scope}:${key}`);
      return { values: [{ value: "checkout", type: "string", count: 3 }] };
    },
    pastQueries: () => ["error = true"],
  };
  const options = await optionsFor(marked.replace("|", ""), marked.indexOf("|"), source);
  return { options: options.map(({ insert }) => insert.trimEnd()), asked };
}

test("a plain query is completed with plain names and words", async () => {
  const { options } = await offered("|");
  assert.deepEqual(options, ["error = true", "service", "name", "duration", "status", "error", "kind", "user.id", "span.operation", "resource.host.name"]);
  assert.deepEqual((await offered("a = 1 |")).options, ["and", "or"]);
  assert.deepEqual((await offered("a = 1 o|")).options, ["or"]);
  assert.deepEqual((await offered("operation = |")).asked, [":name"]);
});

test("a query in braces is completed with scoped names and signs", async () => {
  const { options } = await offered("{ |");
  assert.deepEqual(options, ["resource.service.name", "name", "duration", "status", "kind", "span.user.id", "span.operation", "resource.host.name"]);
  assert.deepEqual((await offered("{ us| }")).options, ["span.user.id"]);
  assert.deepEqual((await offered("{ span.us| }")).options, ["span.user.id"]);
  assert.deepEqual((await offered("{ .us| }")).options, ["span.user.id"]);
  assert.deepEqual((await offered("{ .a = 1 | }")).options, ["&&", "||"]);
  assert.deepEqual((await offered("{ .a = 1 an| }")).options, ["&&"]);
  assert.deepEqual((await offered("{ .a = 1 &| }")).options, ["&&"]);
  assert.deepEqual((await offered("{ status = | }")).options, ["error", "ok", "unset"]);
  const values = await offered("{ resource.service.name = | }");
  assert.deepEqual(values, { options: ['"checkout"'], asked: ["resource:service.name"] });
});
