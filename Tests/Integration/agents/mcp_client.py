# SPDX-License-Identifier: Apache-2.0
"""An agent that calls the tools of an MCP server: one that works, one that fails, one that it gives up, three at once.

    mcp_client.py stdio|http legacy|2026-07-28 [SKEIN]

`legacy` is the handshake of 2025-11-25. With the path of a `skein` the calls go through its `mcp-proxy`."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mcp import Client, StdioServerParameters
from opentelemetry import trace
from telemetry import telemetry, tell

transport, mode, skein = (*sys.argv[1:], None)[:3]
endpoint = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
server = [sys.executable, str(Path(__file__).with_name("mcp_server.py"))]
# The SDK starts a stdio server with few variables of its own environment: this one has to be named.
variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}


@contextmanager
def running(*command, **options):
    process = subprocess.Popen(command, text=True, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nothing listens on {port}")


def connected(stack):
    """What `Client` connects to, and what has to run for it."""
    if transport == "stdio":
        command = [skein, "mcp-proxy", "--", *server] if skein else server
        return StdioServerParameters(command=command[0], args=command[1:], env=variables)
    upstream = stack.enter_context(running(*server, "http", stdout=subprocess.PIPE))
    port = int(upstream.stdout.readline())
    if skein:
        front = free_port()
        words = ["--listen", f"127.0.0.1:{front}", "--upstream", f"http://127.0.0.1:{port}/mcp"]
        # What it says is not what this script says.
        stack.enter_context(running(skein, "mcp-proxy", *words, stdout=sys.stderr))
        port = front
    answers(port)
    return f"http://127.0.0.1:{port}/mcp"


def tool(name):
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
    return trace.get_tracer("agent-host").start_as_current_span(f"execute_tool {name}", attributes=attributes)


async def call(client, name, **arguments):
    with tool(name):
        return await client.call_tool(name, arguments)


async def give_up(client):
    with tool("slow"):
        task = asyncio.create_task(client.call_tool("slow", {"n": 30}))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()


async def main():
    with ExitStack() as stack:
        attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "host"}
        span = stack.enter_context(
            trace.get_tracer("agent-host").start_as_current_span("invoke_agent host", attributes=attributes)
        )
        async with Client(connected(stack), mode=mode) as client:
            sum_ = (await call(client, "add", a=2, b=3)).structured_content
            failed = (await call(client, "fail")).is_error
            cancelled = await give_up(client)
            three = await asyncio.gather(*(call(client, "slow", n=n) for n in (3, 2, 1)))
            tell(
                traceId=f"{span.get_span_context().trace_id:032x}",
                protocol=client.protocol_version,
                sum=sum_,
                failed=failed,
                cancelled=cancelled,
                three=[r.structured_content["result"] for r in three],
            )


with telemetry("agent-host"):
    asyncio.run(main())
