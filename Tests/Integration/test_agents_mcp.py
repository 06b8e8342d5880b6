# SPDX-License-Identifier: Apache-2.0
"""An agent and an MCP server, over both transports, in both generations of the protocol, bare and through the proxy."""

import itertools

import pytest
from orchestration import attributes, nanos, play, read

WAYS = list(itertools.product(["stdio", "http"], ["2025-11-25", "2026-07-28"], ["bare", "proxied"]))


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def run(request, server, agents_python, binary):
    transport, protocol, through = request.param
    mode = "legacy" if protocol == "2025-11-25" else protocol
    run = play(server, agents_python, "mcp_client.py", transport, mode, *[binary] * (through == "proxied"))
    run.transport, run.protocol, run.proxied = transport, protocol, through == "proxied"
    return run


def test_the_client_got_what_it_asked_for(run):
    assert run.truth == {
        "traceId": run.trace_id,
        "protocol": run.protocol,
        "sum": {"result": 5},
        "failed": True,
        "cancelled": True,
        "three": [3, 2, 1],
    }


def test_one_session_with_six_logical_calls(run):
    assert run.parents() == {"host": None}
    given_up = "cancelled" if run.proxied else "success"
    assert [(tool, outcome) for _, tool, outcome in run.calls()] == [
        ("add", "success"),
        ("fail", "failure"),
        ("slow", given_up),
        *[("slow", "success")] * 3,
    ]
    assert {c["server"] for c in run.whole["toolCalls"]} == {"skein-demo"}
    assert {c["toolName"]: c["errorType"] for c in run.whole["toolCalls"]}["fail"] == "tool_error"
    assert run.sessions()["host"]["fanOut"] == run.in_flight("host") == 3
    assert run.whole["edges"] == run.whole["retries"] == run.whole["loops"] == []
    assert run.tokens() == {"host": [0, 0]}


def test_the_layers_of_a_call(run):
    layers = ["agent", "transport", *["proxy"] * run.proxied, "server"]
    for call in run.whole["toolCalls"]:
        assert [layer["layer"] for layer in call["layers"]] == layers, call
        assert call["layers"][-1]["serviceName"] == "skein-demo"
    slowest = max(run.whole["toolCalls"][3:], key=lambda c: nanos(c["durationNanos"]))
    assert nanos(slowest["layers"][-1]["selfNanos"]) >= 290_000_000


def test_the_proxy_reports_each_call(run):
    spans = [s for s in run.spans.values() if s["scope"].get("name") == "skein-mcp-proxy"]
    if not run.proxied:
        assert spans == []
        return
    reported = sorted((s["name"], attributes(s).get("error.type", "")) for s in spans)
    assert reported == [
        ("tools/call add", ""),
        ("tools/call fail", "tool_error"),
        *[("tools/call slow", "")] * 3,
        ("tools/call slow", "cancelled"),
    ]
    for span in spans:
        told = attributes(span)
        assert span["kind"] == 3
        assert told["network.transport"] == {"stdio": "pipe", "http": "tcp"}[run.transport]
        assert told["mcp.protocol.version"] == run.protocol
        assert (told["mcp.method.name"], told["gen_ai.operation.name"]) == ("tools/call", "execute_tool")
        assert run.spans[span["parentSpanId"]]["name"] == f"MCP send {span['name']}"
        assert any(s.get("parentSpanId") == span["spanId"] and s["kind"] == 2 for s in run.spans.values())


def test_the_critical_path_holds_the_slowest_of_three(run):
    assert run.path() == ["host"]
    critical = [c["onCriticalPath"] for c in run.whole["toolCalls"]]
    assert critical[:3] == [True] * 3 and sum(critical[3:]) == 1
    assert run.on_path("host", **{"class": "tool"}) >= 0.49
    assert run.seconds("host", "tool") >= 0.49


def test_tables_count_logical_calls(run):
    rows = read(run.server, "tools", traceId=run.trace_id)["tools"]
    counted = {r["toolName"]: (r["callCount"], r["errorCount"], r["cancelledCount"], r["retryCount"]) for r in rows}
    assert counted == {"slow": (4, 0, int(run.proxied), 0), "add": (1, 0, 0, 0), "fail": (1, 1, 0, 0)}
    by_layer = read(run.server, "tools", traceId=run.trace_id, groupBy="layer")["tools"]
    assert {r["layer"]: r["callCount"] for r in by_layer} == dict.fromkeys(
        ["agent", "transport", "server", *["proxy"] * run.proxied], 6
    )


def test_notifications_are_nobodys_sessions(run):
    sessions = read(run.server, "sessions", limit=1000)["sessions"]
    assert {s["agentName"] for s in sessions} == {"host"}
    listed = run.server.get("/api/skein/v1/search", limit=1000).json["traces"]
    assert not [t for t in listed if t["rootSpanName"].startswith("notifications/")]
