# SPDX-License-Identifier: Apache-2.0
"""A program of 2023 that knows nothing but Jaeger still gets its traces into Skein, whole, whichever way it sends."""

import subprocess
import uuid
from pathlib import Path

import pytest
import shop
from server import eventually

PROGRAM = Path(__file__).parent / "programs" / "jaeger_client.py"


WAYS = {"agent": "jaeger-compact", "binary": "jaeger-binary", "http": "jaeger-http", "grpc": "jaeger-grpc"}


@pytest.fixture(scope="module", params=WAYS)
def sent(request, server, jaeger_python):
    """(server, trace id, marker, service) after the program has run and what it sent has arrived."""
    marker = uuid.uuid4().hex
    done = subprocess.run(
        [jaeger_python, "-W", "ignore", PROGRAM, request.param, str(server.ports[WAYS[request.param]]), marker],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    trace_id = done.stdout.strip()
    service = f"classic-shop-{request.param}"
    eventually(lambda: server.search(f'service = "{service}"')["traces"])
    eventually(lambda: len(server.jaeger_trace(trace_id)["spans"]) == 3)
    return server, trace_id, marker, service


def test_parents_are_right(sent):
    server, trace_id, *_ = sent
    trace = server.jaeger_trace(trace_id)
    spans = {s["operationName"]: s for s in trace["spans"]}
    assert set(spans) == {"POST /checkout", "charge card", "send parcel"}
    root = spans["POST /checkout"]
    for name in ("charge card", "send parcel"):
        parents = [r["spanID"] for r in spans[name]["references"] if r["refType"] == "CHILD_OF"]
        assert parents == [root["spanID"]]
    assert [r["refType"] for r in root["references"]] == ["FOLLOWS_FROM"]
    assert root["references"][0]["spanID"] == f"{shop.LINKED_SPAN:016x}"


def test_tags_keep_their_types(sent):
    server, trace_id, marker, _ = sent
    [root] = [s for s in server.jaeger_trace(trace_id)["spans"] if s["operationName"] == "POST /checkout"]
    tags = {t["key"]: (t["type"], t["value"]) for t in root["tags"]}
    assert tags["test.marker"] == ("string", marker)
    assert tags["user.id"] == ("string", "abc123")
    assert tags["cart.items"] == ("int64", 3)
    assert tags["cart.total"] == ("float64", 99.5)
    assert tags["cart.gift"] == ("bool", True)
    assert tags["big.number"] == ("int64", str(2**60))
    assert tags["span.kind"] == ("string", "server")


def test_events_are_logs(sent):
    server, trace_id, *_ = sent
    spans = {s["operationName"]: s for s in server.jaeger_trace(trace_id)["spans"]}
    [log] = spans["POST /checkout"]["logs"]
    fields = {f["key"]: f["value"] for f in log["fields"]}
    # The exporter sends an event's name as a field of its own, "message".
    assert "cart checked" in (fields.get("event"), fields.get("message")) and fields["warehouse"] == "north"
    [log] = spans["charge card"]["logs"]
    assert {f["key"]: f["value"] for f in log["fields"]}["exception.message"] == "no funds on card"


def test_the_error_flag_is_set_where_the_exception_was(sent):
    server, trace_id, _, service = sent
    spans = {s["operationName"]: s for s in server.jaeger_trace(trace_id)["spans"]}
    errors = [name for name, s in spans.items() if {"key": "error", "type": "bool", "value": True} in s["tags"]]
    assert errors == ["charge card"]
    assert [t["traceId"] for t in server.search(f'service = "{service}" and error = true')["traces"]] == [trace_id]


def test_native_and_jaeger_search_find_it(sent):
    server, trace_id, marker, service = sent
    [found] = server.search(f'test.marker = "{marker}"')["traces"]
    assert found["traceId"] == trace_id and found["rootSpanName"] == "POST /checkout" and found["spanCount"] == 3
    [found] = server.jaeger("/api/traces", service=service, tags='{"error":"true"}')
    assert found["traceID"] == trace_id
    assert {p["serviceName"] for p in found["processes"].values()} == {service}
