# SPDX-License-Identifier: Apache-2.0
"""OTLP requests for the tests, encoded by the reference protobuf library, and raw bytes where that one refuses."""

import random
import time

import grpc
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def trace_id():
    return random.randbytes(16)


def span_id():
    return random.randbytes(8)


def now():
    return time.time_ns()


def any_value(value):
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, (list, tuple)):
        return AnyValue(array_value={"values": [any_value(v) for v in value]})
    if isinstance(value, dict):
        return AnyValue(kvlist_value={"values": key_values(value)})
    return AnyValue(string_value=value)


def key_values(attributes):
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(
    trace, span=None, parent=b"", name="work", start=None, end=None, attributes=None, events=(), links=(), **fields
):
    """A span as a dict that protobuf takes; times default to a millisecond that has just passed."""
    start = now() - 1_000_000 if start is None else start
    return dict(
        trace_id=trace,
        span_id=span or span_id(),
        parent_span_id=parent,
        name=name,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 1_000_000 if end is None else end,
        attributes=key_values(attributes or {}),
        events=[{**e, "attributes": key_values(e.get("attributes", {}))} for e in events],
        links=[{**link, "attributes": key_values(link.get("attributes", {}))} for link in links],
        **{"kind": 1, **fields},
    )


def export(*spans, service="shop", resource=None, scope=("tests", "1.0")):
    """One export request of one service, as bytes."""
    attributes = ({"service.name": service} if service is not None else {}) | (resource or {})
    return ExportTraceServiceRequest(
        resource_spans=[
            {
                "resource": {"attributes": key_values(attributes)},
                "scope_spans": [{"scope": {"name": scope[0], "version": scope[1]}, "spans": spans}],
            }
        ]
    ).SerializeToString()


def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, payload):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def raw_export(*spans, service=b"shop"):
    """An export request of spans that are already bytes."""
    resource = field(1, field(1, field(1, b"service.name") + field(2, field(1, service))))
    return field(1, resource + field(2, b"".join(field(2, s) for s in spans)))


def raw_span(trace, span, name=b"raw", more=b""):
    start = now().to_bytes(8, "little")
    return field(1, trace) + field(2, span) + field(5, name) + b"\x39" + start + b"\x41" + start + more


def nested_attribute(depth, key=b"deep"):
    """A span attribute whose arrays are nested this deep."""
    value = field(1, b"bottom")
    for _ in range(depth):
        value = field(5, field(1, value))
    return field(9, field(1, key) + field(2, value))


def partial_success(answer):
    """(rejected spans, message) of a protobuf answer; (0, "") where it says nothing was rejected."""
    response = ExportTraceServiceResponse.FromString(answer.body)
    return response.partial_success.rejected_spans, response.partial_success.error_message


def status_message(answer):
    """The message of the google.rpc.Status in a protobuf answer."""
    return Status.FromString(answer.body).message


class Grpc:
    """OTLP over gRPC with bytes in and bytes out, so that bad bytes can be sent too."""

    def __init__(self, target):
        options = [("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0)]
        self.channel = grpc.insecure_channel(target, options=options)
        self.call = self.channel.unary_unary(EXPORT, request_serializer=None, response_deserializer=None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def export(self, body, compression=None, timeout=60):
        return self.call(body, timeout=timeout, compression=compression)
