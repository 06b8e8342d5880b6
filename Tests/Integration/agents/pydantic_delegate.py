# SPDX-License-Identifier: Apache-2.0
"""pydantic-ai: a lead asks two sub-agents at once through tools, and a third tool wants a second attempt."""

import asyncio

from opentelemetry import trace
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.models.test import TestModel
from telemetry import telemetry, tell

researcher = Agent(TestModel(custom_output_text="three sources agree"), name="researcher")
reviewer = Agent(TestModel(custom_output_text="looks right"), name="reviewer")
lead = Agent(TestModel(custom_output_text="done"), name="lead")

usage, attempts = {}, []


@researcher.tool_plain
async def web_search(query: str) -> str:
    await asyncio.sleep(0.2)
    return "a page"


async def ask(agent, question):
    result = await agent.run(question)
    usage[agent.name] = result.usage
    return result.output


@lead.tool_plain
async def ask_researcher(topic: str) -> str:
    return await ask(researcher, topic)


@lead.tool_plain
async def ask_reviewer(topic: str) -> str:
    await asyncio.sleep(0.05)
    return await ask(reviewer, topic)


@lead.tool_plain
async def lookup(key: str) -> str:
    attempts.append(key)
    if len(attempts) == 1:
        raise ModelRetry("no such key, try another")
    return "42"


async def main():
    with trace.get_tracer("task").start_as_current_span("task-17") as root:
        usage["lead"] = (await lead.run("Why does the upload test fail now and then?")).usage
    tell(
        traceId=f"{root.get_span_context().trace_id:032x}",
        attempts=len(attempts),
        tokens={name: [u.input_tokens, u.output_tokens] for name, u in usage.items()},
        requests={name: u.requests for name, u in usage.items()},
    )


with telemetry("research-desk"):
    Agent.instrument_all()
    asyncio.run(main())
