# SPDX-License-Identifier: Apache-2.0
"""Jaeger's gRPC query services on port 16685, read by the reference library of Protocol Buffers."""

import grpc
import otlp
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, message_factory, timestamp_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

TYPES = descriptor_pb2.FieldDescriptorProto
TIME, LENGTH = ".google.protobuf.Timestamp", ".google.protobuf.Duration"


def messages():
    """The messages of jaeger.api_v2 and jaeger.api_v3 that the tests speak."""
    file = descriptor_pb2.FileDescriptorProto(name="jaeger-test.proto", package="jaeger", syntax="proto3")
    file.dependency.extend(["google/protobuf/timestamp.proto", "google/protobuf/duration.proto"])

    def message(name, *fields):
        made = file.message_type.add(name=name)
        for number, field, kind in fields:
            repeated, kind = kind.startswith("*"), kind.lstrip("*")
            type_name = kind if kind.startswith(".") else f".jaeger.{kind}" if kind[0].isupper() else None
            made.field.add(
                name=field,
                number=number,
                label=TYPES.LABEL_REPEATED if repeated else TYPES.LABEL_OPTIONAL,
                **(
                    {"type": TYPES.TYPE_MESSAGE, "type_name": type_name}
                    if type_name
                    else {"type": getattr(TYPES, f"TYPE_{kind.upper()}")}
                ),
            )

    message(
        "KeyValue",
        (1, "key", "string"),
        (2, "v_type", "int32"),
        (3, "v_str", "string"),
        (4, "v_bool", "bool"),
        (5, "v_int64", "int64"),
        (6, "v_float64", "double"),
        (7, "v_binary", "bytes"),
    )
    message("Log", (1, "timestamp", TIME), (2, "fields", "*KeyValue"))
    message("SpanRef", (1, "trace_id", "bytes"), (2, "span_id", "bytes"), (3, "ref_type", "int32"))
    message("Process", (1, "service_name", "string"), (2, "tags", "*KeyValue"))
    message(
        "Span",
        (1, "trace_id", "bytes"),
        (2, "span_id", "bytes"),
        (3, "operation_name", "string"),
        (4, "references", "*SpanRef"),
        (5, "flags", "uint32"),
        (6, "start_time", TIME),
        (7, "duration", LENGTH),
        (8, "tags", "*KeyValue"),
        (9, "logs", "*Log"),
        (10, "process", "Process"),
        (12, "warnings", "*string"),
    )
    message("Chunk", (1, "spans", "*Span"))
    message("TraceOf2", (1, "trace_id", "bytes"), (4, "raw_traces", "bool"))
    message("TraceOf3", (1, "trace_id", "string"), (4, "raw_traces", "bool"))
    message("Entry", (1, "key", "string"), (2, "value", "string"))
    message(
        "Query",
        (1, "service_name", "string"),
        (2, "operation_name", "string"),
        (3, "tags", "*Entry"),
        (4, "start_time_min", TIME),
        (5, "start_time_max", TIME),
        (6, "duration_min", LENGTH),
        (8, "search_depth", "int32"),
    )
    message("Find", (1, "query", "Query"))
    message("Names", (1, "names", "*string"))
    message("Service", (1, "service", "string"), (2, "span_kind", "string"))
    message("Operation", (1, "name", "string"), (2, "span_kind", "string"))
    message("Operations", (1, "names", "*string"), (2, "operations", "*Operation"))
    message("ServiceSummary", (1, "name", "string"), (2, "span_count", "int32"), (3, "error_span_count", "int32"))
    message(
        "Summary",
        (1, "trace_id", "string"),
        (2, "root_service_name", "string"),
        (3, "root_operation_name", "string"),
        (4, "start", "fixed64"),
        (5, "end", "fixed64"),
        (6, "span_count", "int32"),
        (7, "error_span_count", "int32"),
        (8, "orphan_span_count", "int32"),
        (9, "services", "*ServiceSummary"),
    )
    message("Summaries", (1, "summaries", "*Summary"))
    pool = descriptor_pool.DescriptorPool()
    for module in (timestamp_pb2, duration_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles([file.name], pool)


MESSAGES = {name.removeprefix("jaeger."): made for name, made in messages().items()}


@pytest.fixture(scope="module")
def shop(server):
    """(server, ids, second): a trace of 25 spans, and one whose only span failed and misses its parent."""
    second = otlp.now() // 10**9 - 60
    ids = {"long": bytes(range(1, 17)), "short": bytes(15) + b"\x07"}
    start = second * 10**9
    spans = [
        otlp.span(ids["long"], bytes(7) + bytes([n]), name=f"step {n}", kind=2, start=start + n, end=start + 10**6)
        for n in range(1, 26)
    ]
    server.post(otlp.export(*spans, service="cart"))
    start += 10**9
    failed = otlp.span(
        ids["short"],
        parent=bytes(7) + b"\x63",
        name="pay",
        start=start + 5,
        end=start + 2_000_005,
        status={"code": 2, "message": "no"},
        attributes={"n": -3, "ratio": 0.5, "raw": b"\x00\xff", "user": "abc"},
        events=[{"name": "retry", "time_unix_nano": start + 7, "attributes": {"n": 1}}],
    )
    server.post(otlp.export(failed, service="check/out", resource={"host.name": "box"}))
    return server, ids, second


@pytest.fixture(scope="module")
def ask(shop):
    """Asks a method and gives the messages of its answer."""
    with grpc.insecure_channel(f"127.0.0.1:{shop[0].ports['jaeger-query-grpc']}") as channel:

        def call(method, request, answer):
            parse = MESSAGES[answer].FromString if isinstance(answer, str) else answer.FromString
            stream = channel.unary_stream(f"/jaeger.{method}", lambda m: m.SerializeToString(), parse)
            return list(stream(request, timeout=30))

        yield call


def query(second, **fields):
    find = MESSAGES["Find"]()
    find.query.start_time_min.seconds, find.query.start_time_max.seconds = second, second + 10
    for name, value in fields.items():
        setattr(find.query, name, value)
    return find


def otlp_spans(answers):
    return [s for a in answers for group in a.resource_spans for scope in group.scope_spans for s in scope.spans]


def test_a_trace_in_jaegers_model(shop, ask):
    _, ids, second = shop
    chunks = ask("api_v2.QueryService/GetTrace", MESSAGES["TraceOf2"](trace_id=ids["long"]), "Chunk")
    assert [len(c.spans) for c in chunks] == [10, 10, 5]
    assert [s.operation_name for c in chunks for s in c.spans] == [f"step {n}" for n in range(1, 26)]
    (chunk,) = ask("api_v2.QueryService/GetTrace", MESSAGES["TraceOf2"](trace_id=ids["short"][8:]), "Chunk")
    (span,) = chunk.spans
    assert span.trace_id == ids["short"] and span.process.service_name == "check/out"
    assert (span.start_time.seconds, span.start_time.nanos) == (second + 1, 5)
    assert span.duration.nanos == 2_000_000
    assert [r.span_id for r in span.references] == [bytes(7) + b"\x63"]
    tags = {t.key: t for t in span.tags}
    assert tags["error"].v_type == 1 and tags["error"].v_bool
    assert tags["n"].v_type == 2 and tags["n"].v_int64 == -3
    assert tags["ratio"].v_float64 == 0.5 and tags["raw"].v_binary == b"\x00\xff" and tags["user"].v_str == "abc"
    assert [f.key for f in span.logs[0].fields] == ["event", "n"] and len(span.warnings) == 1
    assert [t.key for t in span.process.tags] == ["host.name"]


def test_a_trace_in_otlp(shop, ask):
    _, ids, _ = shop
    spans = otlp_spans(ask("api_v3.QueryService/GetTrace", MESSAGES["TraceOf3"](trace_id="7"), TracesData))
    assert [s.trace_id for s in spans] == [ids["short"]] and spans[0].name == "pay"


def test_searches_of_both_versions(shop, ask):
    _, ids, second = shop
    found = ask("api_v2.QueryService/FindTraces", query(second, service_name="check/out"), "Chunk")
    assert [s.operation_name for c in found for s in c.spans] == ["pay"]
    tagged = query(second)
    tagged.query.tags.add(key="user", value="abc")
    assert len(ask("api_v2.QueryService/FindTraces", tagged, "Chunk")) == 1
    found = ask("api_v3.QueryService/FindTraces", query(second, search_depth=1), TracesData)
    assert {s.trace_id for s in otlp_spans(found)} == {ids["short"]}
    assert ask("api_v3.QueryService/FindTraces", query(second, service_name="nobody"), TracesData) == []
    (answer,) = ask("api_v3.QueryService/FindTraceSummaries", query(second), "Summaries")
    pay, cart = answer.summaries
    assert (pay.trace_id, pay.root_service_name, pay.root_operation_name) == (ids["short"].hex(), "check/out", "pay")
    assert (pay.span_count, pay.error_span_count, pay.orphan_span_count) == (1, 1, 1)
    assert pay.end - pay.start == 2_000_000
    assert (cart.span_count, cart.orphan_span_count) == (25, 0)
    assert [(s.name, s.span_count, s.error_span_count) for s in cart.services] == [("cart", 25, 0)]


def test_names(shop, ask):
    for version in ("api_v2", "api_v3"):
        (services,) = ask(f"{version}.QueryService/GetServices", MESSAGES["Find"](), "Names")
        assert list(services.names) == ["cart", "check/out"]
    (operations,) = ask("api_v2.QueryService/GetOperations", MESSAGES["Service"](service="check/out"), "Operations")
    assert list(operations.names) == ["pay"] and operations.operations[0].name == "pay"


def test_statuses(shop, ask):
    _, _, second = shop
    for method, request, code in [
        ("api_v2.QueryService/GetTrace", MESSAGES["TraceOf2"](trace_id=b"\x01" * 16), grpc.StatusCode.NOT_FOUND),
        ("api_v2.QueryService/GetTrace", MESSAGES["TraceOf2"](), grpc.StatusCode.INVALID_ARGUMENT),
        ("api_v3.QueryService/FindTraces", MESSAGES["Find"](), grpc.StatusCode.INVALID_ARGUMENT),
        ("api_v3.QueryService/FindTraces", query(second, search_depth=-1), grpc.StatusCode.INVALID_ARGUMENT),
        ("api_v2.QueryService/Nothing", MESSAGES["Find"](), grpc.StatusCode.UNIMPLEMENTED),
    ]:
        with pytest.raises(grpc.RpcError) as error:
            ask(method, request, "Chunk")
        assert error.value.code() == code, method
