// SPDX-License-Identifier: Apache-2.0
// What a span's attributes say of a model's or a tool's call, in whatever vocabulary. Pure.
import { plainValue } from "../trace/values.js";

/** The names of one fact, those of today first. */
const NAMES = {
  model: ["gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "ai.model.id", "model"],
  provider: ["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"],
  finish: ["gen_ai.response.finish_reasons", "llm.response.finish_reason", "gen_ai.response.finish_reason", "stop_reason"],
  firstChunk: ["gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"],
  firstChunkMillis: ["ttft_ms", "llm.latency.time_to_first_token_ms"],
  input: ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens", "input_tokens"],
  output: ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion", "llm.usage.completion_tokens", "output_tokens"],
  cached: ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens", "llm.token_count.prompt_details.cache_read", "cache_read_tokens"],
  reasoning: ["gen_ai.usage.reasoning.output_tokens", "llm.token_count.completion_details.reasoning"],
  cost: ["worktrace.cost.usd", "operation.cost", "llm.cost.total", "gen_ai.usage.cost"],
  arguments: ["gen_ai.tool.call.arguments", "tool_arguments", "tool.parameters", "traceloop.entity.input", "input.value", "langfuse.observation.input"],
  result: ["gen_ai.tool.call.result", "tool_response", "traceloop.entity.output", "output.value", "langfuse.observation.output"],
  callId: ["gen_ai.tool.call.id", "tool_call.id"],
  isDropped: ["worktrace.content.dropped"],
};

/**
 * @param {any} span OTLP JSON @returns {{ model?: string, provider?: string, finish?: string, firstChunkNanos?: number, input?: number, output?: number, cached?: number, reasoning?: number,
 *   cost?: number, arguments?: string, result?: string, callId?: string, isDropped?: boolean }}
 */
export function spanFacts(span) {
  const values = new Map((span?.attributes ?? []).map(({ key, value }) => [key, value]));
  const found = {};
  for (const [fact, names] of Object.entries(NAMES)) {
    const name = names.find((each) => values.has(each));
    const plain = name === undefined ? null : plainValue(values.get(name));
    if (plain !== null && plain !== "") found[fact] = plain;
  }
  const { firstChunk, firstChunkMillis, finish, ...facts } = found;
  const nanos = Number.isFinite(Number(firstChunk)) && firstChunk !== undefined ? Number(firstChunk) * 1e9 : Number.isFinite(Number(firstChunkMillis)) && firstChunkMillis !== undefined ? Number(firstChunkMillis) * 1e6 : undefined;
  if (nanos !== undefined) facts.firstChunkNanos = nanos;
  if (finish !== undefined) facts.finish = [finish].flat().map(String).join(", ");
  for (const key of ["input", "output", "cached", "reasoning", "cost"]) {
    if (key in facts && !Number.isFinite((facts[key] = Number(facts[key])))) delete facts[key];
  }
  for (const key of ["arguments", "result"]) if (key in facts) facts[key] = typeof facts[key] === "string" ? facts[key] : JSON.stringify(facts[key]);
  if ("isDropped" in facts) facts.isDropped = facts.isDropped === true;
  for (const key of ["model", "provider", "callId"]) if (key in facts) facts[key] = String(facts[key]);
  return facts;
}
