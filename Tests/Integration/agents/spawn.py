# SPDX-License-Identifier: Apache-2.0
"""pydantic-ai in two processes: the lead's tool starts this program again as `worker` and leaves its context in the
environment."""

import asyncio
import json
import sys

from opentelemetry import baggage, context, trace
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel
from telemetry import environment, inherited, telemetry, tell


async def run(agent):
    result = await agent.run("Compile the branch")
    return [result.usage.input_tokens, result.usage.output_tokens]


async def be_lead():
    lead, told = Agent(TestModel(custom_output_text="shipped"), name="lead"), {}

    @lead.tool_plain
    async def spawn_worker(task: str) -> str:
        child = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "worker", env=environment(), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await child.communicate()
        told.update(json.loads(out))
        return "compiled"

    context.attach(baggage.set_baggage("hub.task.id", "task-17"))
    tokens = await run(lead)
    tell(traceId=told["traceId"], tokens={"lead": tokens, "worker": told["tokens"]}, baggage=told["baggage"])


async def be_worker():
    worker, seen = Agent(TestModel(custom_output_text="built"), name="worker"), []

    @worker.tool_plain
    async def compile(target: str) -> str:
        seen.append(f"{trace.get_current_span().get_span_context().trace_id:032x}")
        await asyncio.sleep(0.1)
        return "ok"

    context.attach(inherited())
    tell(tokens=await run(worker), traceId=seen[0], baggage=dict(baggage.get_all()))


role = sys.argv[1]
with telemetry(f"agent-{role}"):
    Agent.instrument_all()
    asyncio.run({"lead": be_lead, "worker": be_worker}[role]())
