# SPDX-License-Identifier: Apache-2.0
"""`skein mcp-proxy` between the official client and server: both generations of the protocol, over pipes and HTTP."""

import json
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from collector import Collector, free_port
from mcp_messages import spans_of

SCRIPTS = Path(__file__).with_name("agents")


@pytest.mark.parametrize("mode, protocol", [("legacy", "2025-11-25"), ("2026-07-28", "2026-07-28")])
@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_all_that_a_server_does_comes_through(binary, agents_python, transport, mode, protocol):
    server = [agents_python, str(SCRIPTS / "mcp_lively_server.py")]
    client = [agents_python, str(SCRIPTS / "mcp_lively_client.py"), mode]
    environment = {"PATH": os.environ["PATH"]}
    with Collector() as collector:
        proxy = [binary, "mcp-proxy", "--otlp", collector.url]
        if transport == "stdio":
            said = subprocess.run([*client, "--", *proxy, "--", *server], capture_output=True, timeout=120, env=environment)
        else:
            upstream = subprocess.Popen([*server, "http"], stdout=subprocess.PIPE, env=environment)
            words = ["--listen", f"127.0.0.1:{free_port()}", "--upstream", f"http://127.0.0.1:{int(upstream.stdout.readline())}/mcp"]
            front = subprocess.Popen([*proxy, *words], stdout=subprocess.PIPE, env=environment)
            url = front.stdout.readline().decode().split()[-1]
            said = subprocess.run([*client, f"{url}/mcp"], capture_output=True, timeout=120, env=environment)
            assert upstream.wait(timeout=30) == 3
            front.send_signal(signal.SIGTERM)
            assert front.wait(timeout=30) == 0
        assert said.returncode == 0, said.stderr.decode()
        spans = spans_of(collector)
    asked = [s for s in spans if s.span.name == "elicitation/create"]
    spans = [s for s in spans if s not in asked]
    truth = json.loads(said.stdout)
    assert truth.pop("died")
    truth.pop("closed", None)
    resumes = transport == "http" and mode == "legacy"
    assert truth == {
        "protocol": protocol, "asked": "accept" if mode == "legacy" else "got 1", "count": ["20", 20], "many": True,
        **({"resumed": "resumed"} if resumes else {}),
    }
    found = Counter((s.attributes["gen_ai.tool.name"], s.attributes.get("error.type")) for s in spans)
    died = found.pop(("die", "connection_closed"), 0) + found.pop(("die", "502"), 0)
    assert died == 1
    assert found == {
        ("ask" if mode == "legacy" else "rounds", None): 1 if mode == "legacy" else 2,
        ("count", None): 1, ("echo", None): 100, **({("resume", None): 1} if resumes else {}),
    }
    events = Counter(e.name for s in spans for e in s.span.events)
    assert events == {"mcp.progress": 20, **({"mcp.server_request": 1} if mode == "legacy" else {})}
    assert {s.attributes["mcp.protocol.version"] for s in spans} == {protocol}
    assert [s.span.parent_span_id for s in asked] == [s.span.span_id for s in spans if s.attributes["gen_ai.tool.name"] == "ask"]
    if mode != "legacy":
        first, second = sorted((s for s in spans if s.attributes["gen_ai.tool.name"] == "rounds"), key=lambda s: s.span.start_time_unix_nano)
        assert [s.attributes["worktrace.mcp.round"] for s in (first, second)] == [1, 2]
        assert [link.span_id for link in second.span.links] == [first.span.span_id]
