// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { completionAt, optionsFor } from "../explore/completion.js";

const ATTRIBUTES = [{ key: "user.id", scope: "span", types: ["string"], share: 0.4, estimate: false }, { key: "host.name", scope: "resource", types: ["string"], share: 1, estimate: false }];

/** What is offered where `|` stands when the server answers with `choices` for `replace`, and what it was asked. */
async function offered(marked, choices = [], replace = { offset: 0, length: 0 }) {
  const asked = [];
  const source = {
    complete: async (q, position) => {
      asked.push(position);
      return { replace, choices: choices.map(([text, kind, count = null]) => ({ text, kind, count })) };
    },
    attributes: async (prefix) => ({ attributes: ATTRIBUTES.filter(({ key }) => key.startsWith(prefix)) }),
    pastQueries: () => ["error = true"],
  };
  const options = await optionsFor(marked.replace("|", ""), marked.indexOf("|"), source);
  return { options, inserts: options.map(({ insert }) => insert.trimEnd()), asked };
}

test("what people ask for comes first, then attributes, each with its types and share", async () => {
  const { options, inserts } = await offered("|", [["nestedSetLeft", "field"], ["user.id", "field", 8], ["duration", "field"], ["service", "field"]]);
  assert.deepEqual(inserts, ["error = true", "service", "duration", "user.id", "nestedSetLeft"]);
  assert.equal(options[0].runs, true);
  assert.equal(options[3].detail, "string · 40\u00a0%");
  assert.equal((await offered("host|", [["host.name", "field", 20]])).options[0].detail, "resource · string · 100\u00a0%");
});

test("places are bytes for the server, and characters here", async () => {
  const { options, asked } = await offered('name = "é" and us|', [["user.id", "field", 1]], { offset: 16, length: 2 });
  assert.deepEqual(asked, [18]);
  assert.deepEqual([options[0].start, options[0].end], [15, 17]);
});

test("what is typed narrows the words that join, in either spelling", async () => {
  const words = [["and", "operator"], ["or", "operator"], ["|", "operator"]];
  assert.deepEqual((await offered("a = 1 a|", words)).inserts, ["and"]);
  const signs = [["&&", "operator"], ["||", "operator"], ["}", "operator"]];
  assert.deepEqual((await offered("{ .a = 1 | }", signs)).inserts, ["&&", "||", "}"]);
  assert.deepEqual((await offered("{ .a = 1 an| }", signs)).inserts, ["&&"]);
});

test("durations are round amounts, and functions that a search refuses are not offered", async () => {
  assert.deepEqual((await offered("duration > |")).inserts, ["10ms", "100ms", "500ms", "1s", "5s"]);
  assert.deepEqual((await offered("{ duration > 20| }")).inserts, ["20ms", "20s", "20µs", "20m"]);
  assert.deepEqual((await offered("error = |")).inserts, ["true", "false"]);
  const after = await offered("{ } |", [["by", "function"], ["rate", "function"], ["count", "function"]]);
  assert.deepEqual(after.inserts, ["by(", "count()"]);
});

test("completion knows what could come next", () => {
  const at = (text) => {
    const cursor = text.indexOf("|");
    const { want, prefix, field } = completionAt(text.replace("|", ""), cursor);
    return `${want}:${prefix}:${field}`;
  };
  assert.equal(at("|"), "field::");
  assert.equal(at("us|"), "field:us:");
  assert.equal(at("user.id |"), "operator::user.id");
  assert.equal(at("user.id =|"), "value::user.id");
  assert.equal(at("user.id = |"), "value::user.id");
  assert.equal(at('user.id = "ab|'), "value:ab:user.id");
  assert.equal(at('user.id = "ab"|'), "value:ab:user.id");
  assert.equal(at('user.id = "ab" |'), "logic::user.id");
  assert.equal(at('user.id = "ab" an|'), "logic:an:user.id");
  assert.equal(at('user.id = "ab" and dur|'), "field:dur:user.id");
  assert.equal(at("{ sta|"), "field:sta:");
  assert.equal(at("(a = 1) |"), "logic::a");
  assert.equal(at("{ .a = 1 &|"), "logic:&:.a");
});

test("a completion replaces the whole word under the cursor", () => {
  const { start, end } = completionAt("durat > 5ms", 3);
  assert.deepEqual([start, end], [0, 5]);
});
