# SPDX-License-Identifier: Apache-2.0
"""An MCP server with three tools, over stdio or, given `http`, on a port of its own that it prints first.
The official SDK speaks both generations of the protocol and reports its spans by itself."""

import asyncio
import socket
import sys
from contextlib import suppress

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from telemetry import telemetry

server = MCPServer("skein-demo", log_level="ERROR")


@server.tool()
async def add(a: int, b: int) -> int:
    return a + b


@server.tool()
async def slow(n: int) -> int:
    await asyncio.sleep(0.1 * n)
    return n


@server.tool()
async def fail() -> int:
    raise ToolError("no such row")


def serve_http():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(server.streamable_http_app(), log_level="warning", timeout_graceful_shutdown=1)
    with suppress(KeyboardInterrupt):  # how uvicorn ends on SIGINT; on SIGTERM it would take the last spans with it
        uvicorn.Server(config).run(sockets=[listener])


with telemetry("skein-demo"):
    serve_http() if sys.argv[1:] == ["http"] else server.run("stdio")
