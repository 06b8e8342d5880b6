# SPDX-License-Identifier: Apache-2.0
"""openai-agents on a scripted model: triage asks a helper (agent as tool), then hands over to a coder, which runs a tool.

The word says which instrumentation reports it: `openinference`, `openllmetry` or `logfire`."""

import asyncio
import json
import sys
from contextlib import closing
from types import SimpleNamespace

import agents
import httpx2
from agents import Agent, OpenAIResponsesModel, RunConfig, Runner, function_tool, handoff
from openai import AsyncOpenAI
from telemetry import telemetry, tell

tokens = {}


def call(name, call_id, **arguments):
    return dict(type="function_call", id=f"fc_{call_id}", call_id=call_id, name=name, arguments=json.dumps(arguments))


def say(text):
    content = [dict(type="output_text", text=text, annotations=[])]
    return dict(type="message", id="msg_1", role="assistant", status="completed", content=content)


SCRIPT = {
    "triage": [call("ask_helper", "call_1", input="Which file?"), call("transfer_to_coder", "call_2")],
    "helper": [say("UploadTests.swift")],
    "coder": [call("run_tests", "call_3", target="uploads"), say("fixed")],
}


async def respond(request):
    """OpenAI's Responses API, as far as the script needs it: each agent's model says its next line."""
    asked = json.loads(request.content)
    name = asked["model"].removeprefix("scripted-")
    turn = len(tokens.setdefault(name, []))
    await asyncio.sleep(0.05)
    used = (100 + 10 * turn, 20 + turn)
    tokens[name].append(used)
    usage = dict(
        input_tokens=used[0],
        output_tokens=used[1],
        total_tokens=sum(used),
        input_tokens_details=dict(cached_tokens=40, cache_write_tokens=0),
        output_tokens_details=dict(reasoning_tokens=5),
    )
    answer = dict(
        id=f"resp_{name}_{turn}",
        object="response",
        created_at=1,
        status="completed",
        model=asked["model"],
        output=[SCRIPT[name][turn]],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        usage=usage,
    )
    return httpx2.Response(200, json=answer)


def reported(which):
    """The block in which this instrumentation reports what the SDK does."""
    agents.set_trace_processors([])  # the SDK's own one would send to OpenAI
    if which == "logfire":
        import logfire

        logfire.configure(send_to_logfire=False, console=False, service_name="openai-desk", inspect_arguments=False)
        logfire.instrument_openai_agents()
        return closing(SimpleNamespace(close=logfire.shutdown))
    if which == "openinference":
        from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
    else:
        from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor
    OpenAIAgentsInstrumentor().instrument()
    return telemetry("openai-desk")


@function_tool
async def run_tests(target: str) -> str:
    await asyncio.sleep(0.1)
    return "42 passed"


def desk():
    client = AsyncOpenAI(api_key="none", http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(respond)))

    def agent(name, **more):
        model = OpenAIResponsesModel(f"scripted-{name}", client)
        return Agent(name=name, instructions=f"You are {name}.", model=model, **more)

    helper = agent("helper").as_tool("ask_helper", "Asks the helper.")
    coder = agent("coder", tools=[run_tests])
    return agent("triage", tools=[helper], handoffs=[handoff(coder)])


async def main():
    config = RunConfig(workflow_name="fix-upload", group_id="task-17")
    result = await Runner.run(desk(), "Fix the upload test", run_config=config)
    sums = {name: [sum(n[i] for n in used) for i in (0, 1)] for name, used in tokens.items()}
    tell(output=result.final_output, tokens=sums, requests={name: len(used) for name, used in tokens.items()})


with reported(sys.argv[1]):
    asyncio.run(main())
