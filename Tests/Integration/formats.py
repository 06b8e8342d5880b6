# SPDX-License-Identifier: Apache-2.0
"""One trace in the formats that clients send: each encoder says it as that format's exporters do.

A span is a dict: id, parent, name, service, host, kind (OpenTelemetry's number), start and end (ns), attributes, events, link,
status (code, message), state (tracestate).
"""

import base64
import json
import struct

from otlp import export, field, span, varint

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
SCOPE = ("tests", "1.0")


def services(spans):
    """The spans by service, in the order in which services come."""
    grouped = {}
    for s in spans:
        grouped.setdefault((s["service"], s["host"]), []).append(s)
    return grouped.items()


def otlp_requests(trace, spans):
    for (service, host), members in services(spans):
        yield export(
            *(
                span(
                    trace,
                    s["id"],
                    parent=s["parent"],
                    name=s["name"],
                    start=s["start"],
                    end=s["end"],
                    kind=s["kind"],
                    attributes=s["attributes"],
                    events=[
                        {"name": name, "time_unix_nano": at, "attributes": attributes}
                        for name, at, attributes in s["events"]
                    ],
                    links=[
                        {"trace_id": t, "span_id": i, "attributes": attributes} for t, i, attributes in s["links"]
                    ],
                    status={"code": s["status"][0], "message": s["status"][1]},
                    trace_state=s["state"],
                    flags=1,
                )
                for s in members
            ),
            service=service,
            resource={"host.name": host},
            scope=SCOPE,
        )


# Jaeger


def jaeger_tags(s):
    """The attributes of a span and what Jaeger has no field for (OpenTelemetry specification, "Jaeger")."""
    tags = dict(s["attributes"])
    tags |= {"span.kind": KINDS[s["kind"]], "otel.scope.name": SCOPE[0], "otel.scope.version": SCOPE[1]}
    code, message = s["status"]
    if code:
        tags["otel.status_code"] = {1: "OK", 2: "ERROR"}[code]
    if code == 2:
        tags |= {"error": True, "otel.status_description": message}
    if s["state"]:
        tags["w3c.tracestate"] = s["state"]
    return tags


def thrift_struct(*fields):
    """A struct in Thrift's binary encoding: of (id, type, bytes)."""
    return b"".join(struct.pack(">bh", type, id) + value for id, type, value in fields) + b"\0"


def thrift_text(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">i", len(data)) + data


def thrift_list(structs):
    return struct.pack(">bi", 12, len(structs)) + b"".join(structs)


def thrift_tag(key, value):
    kind, id, type, data = (
        (2, 5, 2, struct.pack(">?", value))
        if isinstance(value, bool)
        else (3, 6, 10, struct.pack(">q", value))
        if isinstance(value, int)
        else (1, 4, 4, struct.pack(">d", value))
        if isinstance(value, float)
        else (4, 7, 11, thrift_text(value))
        if isinstance(value, bytes)
        else (0, 3, 11, thrift_text(value))
    )
    return thrift_struct((1, 11, thrift_text(key)), (2, 8, struct.pack(">i", kind)), (id, type, data))


def thrift_tags(tags):
    return thrift_list([thrift_tag(key, value) for key, value in tags.items()])


def thrift_batches(trace, spans):
    """`jaeger.Batch` structs in the binary encoding."""
    high, low = struct.unpack(">qq", trace)
    whole = lambda data: struct.pack(">q", int.from_bytes(data, "big", signed=True) if data else 0)
    for (service, host), members in services(spans):
        structs = []
        for s in members:
            references = [
                thrift_struct(
                    (1, 8, struct.pack(">i", 1)), (2, 10, whole(t[8:])), (3, 10, whole(t[:8])), (4, 10, whole(i))
                )
                for t, i, _ in s["links"]
            ]
            logs = [
                thrift_struct((1, 10, struct.pack(">q", at // 1000)), (2, 15, thrift_tags({"event": name} | attributes)))
                for name, at, attributes in s["events"]
            ]
            structs.append(
                thrift_struct(
                    (1, 10, struct.pack(">q", low)),
                    (2, 10, struct.pack(">q", high)),
                    (3, 10, whole(s["id"])),
                    (4, 10, whole(s["parent"])),
                    (5, 11, thrift_text(s["name"])),
                    (6, 15, thrift_list(references)),
                    (7, 8, struct.pack(">i", 1)),
                    (8, 10, struct.pack(">q", s["start"] // 1000)),
                    (9, 10, struct.pack(">q", s["end"] // 1000 - s["start"] // 1000)),
                    (10, 15, thrift_tags(jaeger_tags(s))),
                    (11, 15, thrift_list(logs)),
                )
            )
        process = thrift_struct((1, 11, thrift_text(service)), (2, 15, thrift_tags({"hostname": host})))
        yield thrift_struct((1, 12, process), (2, 15, thrift_list(structs)))


def thrift_datagrams(trace, spans):
    """Messages `emitBatch` as agents take them on port 6832."""
    for batch in thrift_batches(trace, spans):
        head = struct.pack(">I", 0x80010004) + thrift_text("emitBatch") + struct.pack(">i", 0)
        yield head + thrift_struct((1, 12, batch))


def number(id, value):
    return varint(id << 3) + varint(value & (1 << 64) - 1)


def moment(nanos):
    return number(1, nanos // 10**9) + number(2, nanos % 10**9)


def jaeger_pair(key, value):
    data = (
        number(2, 1) + number(4, value)
        if isinstance(value, bool)
        else number(2, 2) + number(5, value)
        if isinstance(value, int)
        else number(2, 3) + b"\x31" + struct.pack("<d", value)
        if isinstance(value, float)
        else number(2, 4) + field(7, value)
        if isinstance(value, bytes)
        else field(3, value.encode())
    )
    return field(1, key.encode()) + data


def jaeger_requests(trace, spans):
    """`jaeger.api_v2.PostSpansRequest` messages."""
    for (service, host), members in services(spans):
        batch = b""
        for s in members:
            parent = [(trace, s["parent"], 0)] if s["parent"] else []
            data = field(1, trace) + field(2, s["id"]) + field(3, s["name"].encode())
            for t, i, type in parent + [(t, i, 1) for t, i, _ in s["links"]]:
                data += field(4, field(1, t) + field(2, i) + number(3, type))
            data += number(5, 1) + field(6, moment(s["start"])) + field(7, moment(s["end"] - s["start"]))
            data += b"".join(field(8, jaeger_pair(*tag)) for tag in jaeger_tags(s).items())
            for name, at, attributes in s["events"]:
                fields = b"".join(field(2, jaeger_pair(*tag)) for tag in ({"event": name} | attributes).items())
                data += field(9, field(1, moment(at)) + fields)
            batch += field(1, data)
        process = field(1, service.encode()) + field(2, jaeger_pair("hostname", host))
        yield field(1, batch + field(2, process))


# Zipkin


def zipkin_text(value):
    """What a tag says of a typed value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def zipkin_tags(s):
    tags = {key: zipkin_text(value) for key, value in s["attributes"].items()}
    tags |= {"host.name": s["host"], "otel.scope.name": SCOPE[0], "otel.scope.version": SCOPE[1]}
    code, message = s["status"]
    if code:
        tags["otel.status_code"] = {1: "OK", 2: "ERROR"}[code]
    if code == 2:
        tags["error"] = message
    if s["kind"] == 1:
        tags["span.kind"] = "internal"
    if s["state"]:
        tags["w3c.tracestate"] = s["state"]
    for index, (t, i, attributes) in enumerate(s["links"]):
        tags[f"otlp.link.{index}"] = f"{t.hex()}|{i.hex()}||{json.dumps(attributes)}|0"
    return tags


def zipkin_annotation(name, attributes):
    return f"{json.dumps(name)}:{json.dumps(attributes)}" if attributes else name


def zipkin_json(trace, spans):
    """A list of spans of version 2."""
    made = []
    for s in spans:
        made.append(
            {
                "traceId": trace.hex(),
                "id": s["id"].hex(),
                "name": s["name"],
                "timestamp": s["start"] // 1000,
                "duration": s["end"] // 1000 - s["start"] // 1000,
                "localEndpoint": {"serviceName": s["service"]},
                "annotations": [
                    {"timestamp": at // 1000, "value": zipkin_annotation(name, attributes)}
                    for name, at, attributes in s["events"]
                ],
                "tags": zipkin_tags(s),
                **({"parentId": s["parent"].hex()} if s["parent"] else {}),
                **({"kind": KINDS[s["kind"]].upper()} if s["kind"] > 1 else {}),
            }
        )
    return json.dumps(made).encode()


def zipkin_proto(trace, spans):
    """A `zipkin.proto3.ListOfSpans`."""
    out = b""
    for s in spans:
        data = field(1, trace) + field(2, s["parent"]) + field(3, s["id"])
        # CLIENT is 1 and SERVER 2.
        data += number(4, {1: 0, 2: 2, 3: 1, 4: 3, 5: 4}[s["kind"]]) + field(5, s["name"].encode())
        data += b"\x31" + struct.pack("<Q", s["start"] // 1000) + number(7, s["end"] // 1000 - s["start"] // 1000)
        data += field(8, field(1, s["service"].encode()))
        for name, at, attributes in s["events"]:
            value = zipkin_annotation(name, attributes).encode()
            data += field(10, b"\x09" + struct.pack("<Q", at // 1000) + field(2, value))
        for key, value in zipkin_tags(s).items():
            data += field(11, field(1, key.encode()) + field(2, value.encode()))
        out += field(1, data)
    return out
