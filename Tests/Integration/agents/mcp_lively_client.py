# SPDX-License-Identifier: Apache-2.0
"""Calls every tool of mcp_lively_server.py and says, as JSON, what came back.

    mcp_lively_client.py legacy|2026-07-28 URL | -- COMMAND …"""

import asyncio
import json
import sys

from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult

mode, target, *command = sys.argv[1:]


async def elicited(context, params):
    return ElicitResult(action="accept", content={"yes": True})


async def main():
    progress = []

    async def progressed(value, total, message):
        progress.append(value)

    where = StdioServerParameters(command=command[0], args=command[1:]) if command else target
    said = {}
    try:
        async with Client(where, mode=mode, elicitation_callback=elicited) as client:

            async def call(tool, options={}, **arguments):
                result = await asyncio.wait_for(client.call_tool(tool, arguments, **options), 30)
                return result.content[0].text

            said["protocol"] = client.protocol_version
            said["asked"] = await call("ask" if mode == "legacy" else "rounds")
            said["count"] = [await call("count", {"progress_callback": progressed}, n=20), len(progress)]
            many = [f"t{number}" for number in range(100)]
            said["many"] = await asyncio.gather(*(call("echo", text=text) for text in many)) == many
            if mode == "legacy" and not command:
                said["resumed"] = await call("resume")
            try:
                await call("die")
            except Exception as error:
                said["died"] = type(error).__name__
    except Exception as error:  # what closing says to a server that is gone is the client's own
        said["closed"] = type(error).__name__
    print(json.dumps(said))


asyncio.run(main())
