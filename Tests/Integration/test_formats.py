# SPDX-License-Identifier: Apache-2.0
"""The same trace by every way in reads back the same, up to what each format can carry."""

import base64
import copy
import socket

import formats
import grpc
import otlp
import pytest
from server import eventually, request

START = otlp.now() // 10**9 * 10**9 - 60 * 10**9
OTHER = (bytes(range(16, 32)), bytes(range(32, 40)))


def made(id, parent, name, service, kind, offset, length, **more):
    """A span whose times are no whole microseconds."""
    start = START + offset * 1000 + 123
    return {
        "id": bytes(7) + bytes([id]),
        "parent": bytes(7) + bytes([parent]) if parent else b"",
        "name": name,
        "service": service,
        "host": f"{service}-1",
        "kind": kind,
        "start": start,
        "end": start + length * 1000 + 456,
        "attributes": {},
        "events": [],
        "links": [],
        "status": (0, ""),
        "state": "",
        **more,
    }


SPANS = [
    made(
        1,
        0,
        "GET /checkout",
        "Front",
        2,
        0,
        9000,
        attributes={"url.path": "/checkout", "n": -7, "ratio": 0.5, "cached": True, "raw": b"\x00\xff"},
        events=[("retry", START + 5_000_789, {"attempt": 2, "why": "timeout"}), ("done", START + 6_000_000, {})],
        state="vendor=x",
    ),
    made(2, 1, "POST /stock", "Front", 3, 1000, 7000, status=(2, "sold out"), attributes={"peer.service": "Stock"}),
    made(3, 2, "POST /stock", "Stock", 2, 2000, 5000, status=(1, ""), links=[(*OTHER, {"reason": "batch"})]),
    made(4, 3, "reserve", "Stock", 1, 3000, 1000),
    made(5, 3, "stock changed", "Stock", 4, 4500, 10),
    made(6, 5, "stock changed", "Mail", 5, 8000, 10),
]


# What is read back


def value(any):
    [(kind, said)] = any.items()
    return {"intValue": int, "bytesValue": base64.b64decode}.get(kind, lambda same: same)(said)


def attributes(owner):
    return {pair["key"]: value(pair["value"]) for pair in owner.get("attributes", [])}


def read(server, trace):
    """The spans of a trace by id, in the form of `SPANS` and what else there is to them."""
    found = {}
    for s in server.otlp_spans(trace.hex()):
        resource = attributes(s["resource"])
        found[s["spanId"]] = {
            "id": bytes.fromhex(s["spanId"]),
            "parent": bytes.fromhex(s.get("parentSpanId", "")),
            "name": s["name"],
            "service": resource.pop("service.name"),
            "host": resource.pop("host.name"),
            "kind": s["kind"],
            "start": int(s["startTimeUnixNano"]),
            "end": int(s["endTimeUnixNano"]),
            "attributes": attributes(s),
            "events": [(e.get("name", ""), int(e["timeUnixNano"]), attributes(e)) for e in s.get("events", [])],
            "links": [
                (bytes.fromhex(i["traceId"]), bytes.fromhex(i["spanId"]), attributes(i)) for i in s.get("links", [])
            ],
            "status": (s.get("status", {}).get("code", 0), s.get("status", {}).get("message", "")),
            "state": s.get("traceState", ""),
            "scope": (s["scope"].get("name"), s["scope"].get("version")),
            "sampled": s.get("flags", 0) & 1,
            "more": resource,
        }
    return found


# What each format makes of it


def as_sent(s):
    s |= {"scope": formats.SCOPE, "sampled": 1, "more": {}}


def in_micros(s):
    """Times are whole microseconds, and so is the length."""
    s["start"], s["end"] = s["start"] // 1000 * 1000, s["end"] // 1000 * 1000
    s["events"] = [(name, at // 1000 * 1000, more) for name, at, more in s["events"]]


def jaeger(s):
    """A link is a reference, which has a type and no attributes."""
    s["links"] = [(trace, span, {"opentracing.ref_type": "follows_from"}) for trace, span, _ in s["links"]]


def thrift(s):
    """Microseconds; scope and trace state stay tags."""
    in_micros(s)
    jaeger(s)
    s["attributes"] |= {"otel.scope.name": s["scope"][0], "otel.scope.version": s["scope"][1]}
    if s["state"]:
        s["attributes"]["w3c.tracestate"] = s["state"]
    s |= {"scope": (None, None), "state": ""}


def zipkin(s):
    """Microseconds; values are texts, of which `error` says the message too; nothing says that a span was sampled."""
    in_micros(s)
    s["attributes"] = {key: formats.zipkin_text(value) for key, value in s["attributes"].items()}
    if s["status"][0] == 2:
        s["attributes"]["error"] = s["status"][1]
    s["sampled"] = 0


def post(server, listener, path, type, *bodies, status):
    for body in bodies:
        answer = request(
            f"http://127.0.0.1:{server.ports[listener]}", "POST", path, body=body, headers={"content-type": type}
        )
        assert answer.status == status, answer


def send_otlp(server, trace):
    post(server, "otlp-http", "/v1/traces", "application/x-protobuf", *formats.otlp_requests(trace, SPANS), status=200)


def send_thrift(server, trace):
    batches = formats.thrift_batches(trace, SPANS)
    post(server, "jaeger-http", "/api/traces", "application/x-thrift", *batches, status=202)


def send_datagrams(server, trace):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for datagram in formats.thrift_datagrams(trace, SPANS):
            udp.sendto(datagram, ("127.0.0.1", server.ports["jaeger-binary"]))


def send_jaeger(server, trace):
    with grpc.insecure_channel(f"127.0.0.1:{server.ports['jaeger-grpc']}") as channel:
        call = channel.unary_unary("/jaeger.api_v2.CollectorService/PostSpans")
        for message in formats.jaeger_requests(trace, SPANS):
            call(message, timeout=30)


def send_zipkin_json(server, trace):
    post(server, "zipkin", "/api/v2/spans", "application/json", formats.zipkin_json(trace, SPANS), status=202)


def send_zipkin_proto(server, trace):
    post(server, "zipkin", "/api/v2/spans", "application/x-protobuf", formats.zipkin_proto(trace, SPANS), status=202)


@pytest.mark.parametrize(
    "send,difference",
    [
        (send_otlp, None),
        (send_thrift, thrift),
        (send_datagrams, thrift),
        (send_jaeger, jaeger),
        (send_zipkin_json, zipkin),
        (send_zipkin_proto, zipkin),
    ],
    ids=["otlp", "thrift", "udp", "jaeger-grpc", "zipkin-json", "zipkin-proto"],
)
def test_a_trace_reads_back_as_it_was_sent(server, send, difference):
    trace = otlp.trace_id()
    send(server, trace)
    eventually(lambda: server.get(f"/api/skein/v1/traces/{trace.hex()}").status == 200)
    eventually(lambda: len(server.otlp_spans(trace.hex())) == len(SPANS))
    found = read(server, trace)
    for sent in SPANS:
        expected = copy.deepcopy(sent)
        as_sent(expected)
        if difference:
            difference(expected)
        assert found[sent["id"].hex()] == expected
