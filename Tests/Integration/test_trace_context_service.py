# SPDX-License-Identifier: Apache-2.0
"""The service that the suite of W3C Trace Context drives: what it is told, its spans, what it refuses."""

import json
import random
import socket

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from server import eventually

TRACE = "5b8aa5a2d2c872e8321cf37308d69df2"
SPAN = "5fb397be34d26b51"
PARENT = ("traceparent", f"00-{TRACE}-{SPAN}-01")
STATE = ("tracestate", "foo=1")


@pytest.fixture(scope="module")
def service(calling):
    return calling()


@pytest.mark.parametrize(
    "arguments", [[], [{"url": "http://a", "arguments": [1, 2.5, None, True]}], {"a": "ä"}, "x", 0]
)
def test_arguments_are_posted_as_json(service, arguments):
    [call] = service.calls(arguments=arguments)
    assert json.loads(call.body) == arguments
    assert call["content-type"] == "application/json"


def test_a_service_that_calls_itself_is_one_trace(service):
    path = next(service.catcher.paths)
    entry = [{"url": service.catcher.url + path, "arguments": []}]
    for _ in range(3):
        entry = [{"url": f"http://127.0.0.1:{service.port}/test", "arguments": entry}]
    assert service.post(json.dumps(entry).encode(), [PARENT, STATE]).status == 200
    call = service.catcher.caught.pop(path)
    assert (call.trace_id, call["tracestate"]) == (TRACE, "foo=1")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "no JSON"),
        (b"[", 400, "no JSON"),
        (b"\xff\xfe[]", 400, "expected"),
        (b"{}", 400, "no array"),
        (b"[1]", 400, "entry 0"),
        (b'[{"url": "http://127.0.0.1:1/"}]', 400, "entry 0"),
        (b'[{"url": 7, "arguments": []}]', 400, "entry 0"),
        (b'[{"url": "ftp://127.0.0.1/", "arguments": []}]', 400, "http or https"),
        (b'[{"url": "http://", "arguments": []}]', 400, "http or https"),
        (b'[{"url": "", "arguments": []}]', 400, "http or https"),
        (b'[{"url": "http://127.0.0.1:1/", "arguments": []}]', 502, "call 1 of 1"),
        (b'[{"url": "http://127.0.0.1:1/", "arguments": [1e999]}]', 400, "expected"),
        (b"[" * 100_000, 400, "expected"),
        (b" " * (1 << 20) + b"[]", 413, "1048576 bytes"),
        (b" " * ((1 << 20) - 2) + b"[]", 200, "[]"),
    ],
)
def test_what_is_no_list_of_calls_is_refused(service, body, status, words):
    answer = service.post(body)
    assert answer.status == status and words in answer.body.decode(), answer


def test_a_request_is_a_server_span_and_each_call_a_client_span_below_it(calling):
    caught = calling().catcher
    service = calling(
        OTEL_TRACES_EXPORTER="otlp",
        OTEL_EXPORTER_OTLP_ENDPOINT=caught.url,
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_BSP_SCHEDULE_DELAY="600000",
    )
    calls = service.calls(PARENT, STATE, count=2)
    assert service.stop() == 0
    exported = eventually(lambda: caught.caught.pop("/v1/traces", None))
    [resource] = ExportTraceServiceRequest.FromString(exported.body).resource_spans
    spans = [span for scope in resource.scope_spans for span in scope.spans]
    [server] = [span for span in spans if span.kind == 2]
    assert (server.name, server.trace_id.hex(), server.parent_span_id.hex()) == ("POST /test", TRACE, SPAN)
    clients = [span for span in spans if span.kind == 3]
    assert [span.span_id.hex() for span in clients] == [call.parent_id for call in calls]
    assert {span.parent_span_id for span in clients} == {server.span_id}
    assert {span.trace_id.hex() for span in spans} == {TRACE} and {span.trace_state for span in spans} == {"foo=1"}


@pytest.mark.parametrize("seed", range(4))
def test_bytes_that_are_no_http_end_their_connection_alone(service, seed):
    chance = random.Random(seed)
    head = f"POST /test HTTP/1.1\r\ntraceparent: {PARENT[1]}\r\ncontent-length: 2\r\n\r\n[]".encode()
    for _ in range(40):
        sent = bytearray(head) if chance.random() < 0.8 else bytearray(chance.randbytes(200))
        for _ in range(chance.randint(1, 4)):
            sent[chance.randrange(len(sent))] = chance.randrange(256)
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            try:
                while connection.recv(65_536):
                    pass
            except ConnectionResetError:
                pass
    assert service.call(PARENT).trace_id == TRACE


def test_headers_without_end_are_refused(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        try:
            connection.sendall(b"POST /test HTTP/1.1\r\nbaggage: " + b"a=1," * 1_000_000)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 400")
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert service.call(PARENT).trace_id == TRACE


def test_elsewhere_is_nothing(service):
    assert service.post(b"[]", path="/").status == service.post(b"", method="GET").status == 404
