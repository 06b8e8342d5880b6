# SPDX-License-Identifier: Apache-2.0
"""An MCP server that asks back, reports progress, lets its client come again, and dies; over stdio or, given `http`, on a port that it
prints first. It reports no spans."""

import asyncio
import os
import socket
import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http import EventMessage, EventStore
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult
from pydantic import BaseModel

server = MCPServer("lively", log_level="CRITICAL")


class Yes(BaseModel):
    yes: bool


@server.tool()
async def ask(ctx: Context) -> str:
    """Asks on the same connection, as of 2025-11-25."""
    return (await ctx.elicit("sure?", Yes)).action


@server.tool()
async def rounds(ctx: Context) -> str | InputRequiredResult:
    """Asks by its answer, as of 2026-07-28."""
    if ctx.input_responses is None:
        schema = {"type": "object", "properties": {"yes": {"type": "boolean"}}}
        request = ElicitRequest(params=ElicitRequestFormParams(message="sure?", requested_schema=schema))
        return InputRequiredResult(input_requests={"a": request}, request_state="\u00e4/1")
    return f"got {len(ctx.input_responses)}"


@server.tool()
async def count(ctx: Context, n: int) -> str:
    for i in range(n):
        await ctx.report_progress(i, n)
    return str(n)


@server.tool()
async def echo(text: str) -> str:
    await asyncio.sleep(0.05)
    return text


@server.tool()
async def resume(ctx: Context) -> str:
    """Ends the stream of its answer: the client comes again with Last-Event-ID."""
    await ctx.close_sse_stream()
    await asyncio.sleep(0.3)
    return "resumed"


@server.tool()
async def die() -> str:
    os._exit(3)


class Events(EventStore):
    def __init__(self):
        self.events = []

    async def store_event(self, stream_id, message):
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(self, last_event_id, send_callback):
        last = int(last_event_id)
        stream = self.events[last - 1][0]
        for number, (id, message) in enumerate(self.events[last:], last + 1):
            if id == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


if sys.argv[1:] == ["http"]:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    app = server.streamable_http_app(event_store=Events(), retry_interval=100)
    uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)).run(sockets=[listener])
else:
    server.run("stdio")
