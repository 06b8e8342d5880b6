# SPDX-License-Identifier: Apache-2.0
"""Requests that no client should send: each has a clear answer, a counter moves, and the server goes on."""

import gzip
import json
import zlib
from urllib.parse import quote

import grpc
import otlp
import pytest
import zstandard
from server import eventually, request

MIB = 1 << 20
LIMIT = 64 * MIB
COMPRESS = {
    "gzip": lambda b: gzip.compress(b, 1),
    "deflate": lambda b: zlib.compress(b, 1),
    "zstd": lambda b: zstandard.ZstdCompressor(level=1).compress(b),
}


@pytest.fixture(autouse=True)
def still_serving(server):
    """After each bad request a good one is accepted and readable."""
    yield
    trace = otlp.trace_id()
    assert server.post(otlp.export(otlp.span(trace, name="after"))).status == 200
    assert [s["name"] for s in server.otlp_spans(trace.hex())] == ["after"]


def peak_memory(server):
    with open(f"/proc/{server.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def rejected(server):
    return server.counted("rejected")


def good():
    return otlp.export(otlp.span(otlp.trace_id()))


def assert_bad_request(answer, type):
    assert answer.status == 400, answer
    assert answer.type == type
    message = answer.json["message"] if type == "application/json" else otlp.status_message(answer)
    assert message, "the answer does not say what is wrong"


def test_a_whole_request_is_accepted_without_partial_success(server):
    answer = server.post(good())
    assert (answer.status, answer.type, answer.body) == (200, "application/x-protobuf", b"")
    answer = server.post({"resourceSpans": []})
    assert (answer.status, answer.type) == (200, "application/json")
    assert answer.json in ({}, {"partialSuccess": {}})
    assert server.post(b"").status == 200


@pytest.mark.parametrize("encoding", [None, "identity", "gzip", "deflate", "zstd"])
@pytest.mark.parametrize("kind", ["protobuf", "json"])
def test_every_encoding_is_taken(server, encoding, kind):
    trace = otlp.trace_id()
    body = otlp.export(otlp.span(trace, name="packed"))
    type = "application/x-protobuf"
    if kind == "json":
        span = {
            "traceId": trace.hex().upper(),
            "spanId": "00f067aa0ba902b7",
            "name": "packed",
            "kind": 1,
            "startTimeUnixNano": str(otlp.now()),
            "endTimeUnixNano": otlp.now(),
        }
        body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
        type = "application/json"
    answer = server.post(COMPRESS.get(encoding, bytes)(body), type, encoding)
    assert (answer.status, answer.type) == (200, type), answer
    assert [s["name"] for s in server.otlp_spans(trace.hex())] == ["packed"]


def test_json_numbers_may_be_numbers_or_strings(server):
    trace = otlp.trace_id().hex()
    attributes = [
        {"key": "as.string", "value": {"intValue": "42"}},
        {"key": "as.number", "value": {"intValue": 42}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "raw", "value": {"bytesValue": "AAEC"}},
    ]
    span = {
        "traceId": trace,
        "spanId": "00f067aa0ba902b7",
        "name": "lenient",
        "kind": "SPAN_KIND_SERVER",
        "unknown": {},
        "startTimeUnixNano": otlp.now(),
        "endTimeUnixNano": str(otlp.now()),
        "attributes": attributes,
    }
    assert server.post({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).status == 200
    [stored] = server.otlp_spans(trace)
    values = {a["key"]: a["value"] for a in stored["attributes"]}
    assert values == {
        "as.string": {"intValue": "42"},
        "as.number": {"intValue": "42"},
        "nan": {"doubleValue": "NaN"},
        "raw": {"bytesValue": "AAEC"},
    }
    assert stored["kind"] == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_wrong_method(server, method):
    answer = server.post(None, method=method)
    assert (answer.status, answer.type) == (405, "text/plain"), answer
    assert answer.body == b"405 method not allowed, supported: [POST]"


@pytest.mark.parametrize("type", ["text/plain", "application/x-thrift", "", "application/x-protobuf-but-not"])
def test_wrong_content_type(server, type):
    answer = server.post(good(), type)
    assert (answer.status, answer.type) == (415, "text/plain"), answer
    assert answer.body == b"415 unsupported media type, supported: [application/json, application/x-protobuf]"


def test_content_type_may_carry_parameters(server):
    assert server.post(good(), "application/x-protobuf; charset=utf-8").status == 200


def test_unknown_content_encoding(server):
    answer = server.post(good(), encoding="br")
    assert answer.status in (400, 415), answer
    assert b"br" in answer.body


def test_unknown_path(server):
    assert server.post(good(), path="/v1/nothing").status == 404


@pytest.mark.parametrize("cut", [1, 2, 7, 20, 60])
def test_truncated_protobuf(server, cut):
    before = rejected(server)
    assert_bad_request(server.post(good()[:-cut]), "application/x-protobuf")
    assert rejected(server) > before


@pytest.mark.parametrize(
    "body",
    [
        b"\xff" * 100,
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x0a\x05hello",
        b"\x00",
        b"\x0a",
        b"\x07\x00",
        b"\x0a\xff\xff\xff\xff\x0f" + b"x" * 20,
        bytes(range(256)),
    ],
    ids=lambda b: b[:8].hex(),
)
def test_garbage_protobuf(server, body):
    assert_bad_request(server.post(body), "application/x-protobuf")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b"[]",
        b'"text"',
        b'{"resourceSpans":{}}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7}]}]}]}',
        b'{"resourceSpans":[' + b"[" * 100_000,
        b'{"a":' * 100_000,
        b'\xff\xfe{"resourceSpans":[]}',
        b'{"resourceSpans":[]} trailing',
    ],
    ids=lambda b: b[:12].decode(errors="replace") + f"-{len(b)}",
)
def test_garbage_json(server, body):
    answer = server.post(body, "application/json")
    if body == b"":
        assert answer.status in (200, 400)
    else:
        assert_bad_request(answer, "application/json")


@pytest.mark.parametrize("encoding", COMPRESS)
def test_garbage_in_a_compressed_body(server, encoding):
    whole = COMPRESS[encoding](good() * 3)
    for body in (b"not compressed", whole[:-5], whole[: len(whole) // 2], b""):
        answer = server.post(body, encoding=encoding)
        if body or answer.status != 200:
            assert_bad_request(answer, "application/x-protobuf")


def test_oversized_body(server):
    answer = server.post(bytes(LIMIT + 1))
    assert answer.status == 413, answer


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_bomb_is_refused_before_it_fills_the_memory(server, encoding):
    bomb = COMPRESS[encoding](bytes(512 * MIB))
    before, refused = peak_memory(server), rejected(server)
    answer = server.post(bomb, encoding=encoding)
    assert answer.status == 413, answer
    assert rejected(server) > refused
    assert peak_memory(server) - before < 160 * MIB


@pytest.mark.parametrize("spans, status, peak", [(1, 200, 160), (2400, 413, 400)])
def test_events_of_no_bytes_do_not_fill_the_memory(server, spans, status, peak):
    """An empty event takes two bytes unpacked, next to none packed, and sixteen in memory."""
    events = b"\x5a\x00" * (24_000_000 // spans)
    whole = b"".join(otlp.field(2, otlp.raw_span(otlp.trace_id(), otlp.span_id(), more=events)) for _ in range(spans))
    bomb = COMPRESS["gzip"](otlp.field(1, otlp.field(2, whole)))
    before = peak_memory(server)
    answer = server.post(bomb, encoding="gzip")
    assert answer.status == status, answer
    assert peak_memory(server) - before < peak * MIB


@pytest.mark.parametrize("encoding", COMPRESS)
def test_just_above_the_limit_after_inflation(server, encoding):
    assert server.post(COMPRESS[encoding](bytes(LIMIT + 1)), encoding=encoding).status == 413


def test_the_longest_query_fits_into_a_request_and_a_longer_head_is_refused_with_the_limit(server):
    def search(query):
        return request(server.web, "GET", "/api/skein/v1/search?q=" + quote(query))

    name = "é" * ((16_384 - len('name = ""')) // 2)
    assert search(f'name = "{name}"').status == 200
    assert "16384" in search(f'name = "{name}éé"').json["detail"]
    refusal = search("a" * 70_000)
    assert refusal.status == 413 and "65536 bytes" in refusal.json["detail"], refusal


def test_deeply_nested_attribute_costs_only_its_span(server):
    trace = otlp.trace_id()
    deep = otlp.raw_span(trace, otlp.span_id(), b"deep", otlp.nested_attribute(10_000))
    answer = server.post(
        otlp.raw_export(deep, otlp.raw_span(trace, otlp.span_id(), b"shallow", otlp.nested_attribute(4)))
    )
    assert answer.status == 200, answer
    assert otlp.partial_success(answer)[0] == 1 and otlp.partial_success(answer)[1]
    assert [s["name"] for s in server.otlp_spans(trace.hex())] == ["shallow"]


@pytest.mark.parametrize(
    "body,code",
    [
        (b"\xff" * 100, grpc.StatusCode.INVALID_ARGUMENT),
        (b"\x0a\x05hello", grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(LIMIT + 1), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
    ids=["garbage", "text", "oversized"],
)
def test_bad_grpc_messages(server, body, code):
    with otlp.Grpc(server.otlp_grpc) as client:
        with pytest.raises(grpc.RpcError) as failure:
            client.export(body)
        assert failure.value.code() == code, failure.value
        assert failure.value.details()
        assert client.export(good()) == b"", "the connection does not go on"


def test_a_grpc_bomb(server):
    before = peak_memory(server)
    with otlp.Grpc(server.otlp_grpc) as client:
        with pytest.raises(grpc.RpcError) as failure:
            client.export(bytes(512 * MIB), compression=grpc.Compression.Gzip)
    assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert peak_memory(server) - before < 160 * MIB


def test_unknown_grpc_method(server):
    channel = grpc.insecure_channel(server.otlp_grpc)
    call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Nothing")
    with pytest.raises(grpc.RpcError) as failure:
        call(b"", timeout=20)
    assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED
    channel.close()


def test_http_spoken_to_the_grpc_port(server):
    try:
        answer = request(
            f"http://{server.otlp_grpc}", "POST", "/v1/traces", good(), {"Content-Type": "application/x-protobuf"}
        )
        assert answer.status >= 400
    except Exception as error:
        assert isinstance(error, (OSError, ValueError)) or "http.client" in type(error).__module__


def test_garbage_datagrams_are_counted_and_dropped(server):
    before = server.metrics()
    thrift = b"\x82\x81\x00\x09emitBatch\x1c"
    for payload in (
        b"",
        b"\x00",
        b"garbage",
        b"\xff" * 1400,
        thrift,
        thrift + b"\x1c\x18\xff\xff\xff\xff\x0f",
        b"\x82\x21\x00\x0bsomethingElse",
        b"\x80\x01\x00\x04\x00\x00\x00\x09emitBatch",
        thrift + b"\x19\xfc" * 400,
    ):
        server.datagram(payload)

    def counted():
        after = server.metrics()
        return (
            sum(v - before.get(k, 0) for k, v in after.items() if "jaeger" in k and ("rejected" in k or "dropped" in k))
            >= 6
        )

    eventually(counted)
