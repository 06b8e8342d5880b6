# SPDX-License-Identifier: Apache-2.0
"""Tempo's query API, as Grafana asks it: HTTP on the Tempo port and below /tempo, and gRPC on the same port."""

from urllib.parse import quote, urlencode

import grpc
import otlp
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from server import request

TYPES = descriptor_pb2.FieldDescriptorProto


def messages():
    """The few messages of tempopb that the tests speak, as the reference library reads and writes them."""
    file = descriptor_pb2.FileDescriptorProto(name="tempo-test.proto", package="tempopb", syntax="proto3")

    def message(name, *fields):
        made = file.message_type.add(name=name)
        for number, field, kind in fields:
            repeated, kind = kind.startswith("*"), kind.lstrip("*")
            made.field.add(
                name=field,
                number=number,
                label=TYPES.LABEL_REPEATED if repeated else TYPES.LABEL_OPTIONAL,
                **(
                    {"type": TYPES.TYPE_MESSAGE, "type_name": f".tempopb.{kind}"}
                    if kind[0].isupper()
                    else {"type": getattr(TYPES, f"TYPE_{kind.upper()}")}
                ),
            )

    message("SearchRequest", (4, "limit", "uint32"), (5, "start", "uint32"), (6, "end", "uint32"), (8, "query", "string"))
    message("SearchResponse", (1, "traces", "*Trace"), (2, "metrics", "Metrics"))
    message("Metrics", (4, "completed_jobs", "uint32"), (5, "total_jobs", "uint32"))
    message("Trace", (1, "trace_id", "string"), (2, "root_service_name", "string"), (5, "duration_ms", "uint32"))
    message("TagsRequest", (1, "scope", "string"))
    message("TagsResponse", (1, "scopes", "*Scope"))
    message("Scope", (1, "name", "string"), (2, "tags", "*string"))
    message("RangeRequest", (1, "query", "string"), (2, "start", "uint64"), (3, "end", "uint64"), (4, "step", "uint64"))
    message("RangeResponse", (1, "series", "*Series"), (2, "metrics", "Metrics"))
    message("Series", (2, "samples", "*Sample"))
    message("Sample", (1, "value", "double"), (2, "timestamp_ms", "int64"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles([file.name], pool)


MESSAGES = {name.removeprefix("tempopb."): made for name, made in messages().items()}


@pytest.fixture(scope="module")
def shop(server):
    """(server, ids, second): thirty traces of one failing and one quiet span, in one second."""
    second = otlp.now() // 10**9 - 60
    ids = [bytes(14) + number.to_bytes(2, "big") for number in range(1, 31)]
    for number, trace in enumerate(ids):
        start = second * 10**9 + number * 10**6
        root = otlp.span_id()
        server.post(otlp.export(otlp.span(trace, root, name="GET /", kind=2, start=start, end=start + 5_000_000)))
        child = otlp.span(
            trace,
            parent=root,
            name="query",
            kind=3,
            start=start + 1_000_000,
            end=start + 3_000_000,
            status={"code": 2, "message": "no"},
            attributes={"db.rows": number, "a b/c": "x"},
        )
        server.post(otlp.export(child, service="db/main"))
    return server, ids, second


def get(server, path, accept=None, **parameters):
    """The answers on the port of its own and below /tempo, which are the same but for what it took."""
    target = path + ("?" + urlencode(parameters) if parameters else "")
    headers = {"Accept": accept} if accept else {}
    own = request(f"http://127.0.0.1:{server.ports['tempo']}", "GET", target, headers=headers)
    below = request(server.web, "GET", "/tempo" + target, headers=headers)
    assert (own.status, own.type) == (below.status, below.type)
    return own


def test_what_grafana_asks_before_all_else(server):
    assert get(server, "/api/echo").body == b"echo"
    assert get(server, "/ready").status == 200
    assert tuple(map(int, get(server, "/api/status/buildinfo").json["version"].split("."))) >= (2, 7, 0)


@pytest.mark.parametrize("tenant", ["team-a", "a|b", "team ü", "x" * 500])
def test_a_tenant_is_taken_and_changes_nothing(shop, tenant):
    server = shop[0]
    headers = {"X-Scope-OrgID": tenant.encode(), "x-tenant": "other"}
    answer = request(f"http://{server.tempo}", "GET", "/api/search?q=" + quote("{ }") + "&limit=1", headers=headers)
    assert answer.status == 200 and len(answer.json["traces"]) == 1


def test_traces_by_id_in_every_form(shop):
    server, ids, _ = shop
    trace = ids[16]
    plain = get(server, "/api/traces/11", accept="application/protobuf")
    assert plain.type == "application/protobuf"
    data = TracesData.FromString(plain.body)
    spans = [s for group in data.resource_spans for scope in group.scope_spans for s in scope.spans]
    assert {s.trace_id for s in spans} == {trace} and len(spans) == 2
    wrapped = get(server, "/api/v2/traces/" + trace.hex(), accept="application/protobuf").body
    assert wrapped.endswith(plain.body) and wrapped[0] == 0x0A
    batches = get(server, "/api/traces/" + trace.hex()).json["batches"]
    assert batches == get(server, "/api/v2/traces/11").json["trace"]["resourceSpans"]
    assert get(server, "/api/v2/traces/ffff").status == get(server, "/api/traces/ffff").status == 404


def test_searches_and_their_errors(shop):
    server, _, second = shop
    found = get(server, "/api/search", q="{ status = error && span.db.rows > 20 }", limit=5, start=second, end=second + 1)
    assert [t["traceID"] for t in found.json["traces"]] == ["1e", "1d", "1c", "1b", "1a"]
    assert found.json["traces"][0]["spanSets"][0]["matched"] == 1
    assert get(server, "/api/search", tags='service.name=db "no').status == 400
    assert len(get(server, "/api/search", tags="service.name=db/ma", limit=100).json["traces"]) == 30
    bad = get(server, "/api/search", q="{ .a = }")
    assert bad.status == 400 and bad.type == "text/plain" and b"parse error at line 1, col 8" in bad.body


def test_tags_and_values(shop):
    server, _, _ = shop
    scopes = {s["name"]: s["tags"] for s in get(server, "/api/v2/search/tags").json["scopes"]}
    assert "db.rows" in scopes["span"] and "service.name" in scopes["resource"] and "duration" in scopes["intrinsic"]
    name = quote(quote('span."a b/c"', safe=""), safe="")
    values = get(server, f"/api/v2/search/tag/{name}/values", q="{ status = error && ")
    assert values.json["tagValues"] == [{"type": "string", "value": "x"}]
    assert get(server, "/api/search/tag/service.name/values").json["tagValues"] == ["db/main", "shop"]


def test_metrics(shop):
    server, _, second = shop
    q = "{ } | count_over_time() by (resource.service.name)"
    answer = get(server, "/api/metrics/query_range", q=q, start=second - 60, end=second + 60, step="1m").json
    counts = {s["labels"][0]["value"]["stringValue"]: sum(x.get("value", 0) for x in s["samples"]) for s in answer["series"]}
    assert counts == {"db/main": 30, "shop": 30}
    instant = get(server, "/api/metrics/query", q=q, start=second - 60, end=second + 60).json
    assert [s["value"] for s in instant["series"]] == [30, 30]


def test_streams_over_grpc_on_the_same_port(shop):
    server, ids, second = shop
    with grpc.insecure_channel(f"127.0.0.1:{server.ports['tempo']}") as channel:

        def call(method, kind, answer, **fields):
            stream = channel.unary_stream(
                f"/tempopb.StreamingQuerier/{method}",
                request_serializer=lambda m: m.SerializeToString(),
                response_deserializer=MESSAGES[answer].FromString,
            )
            return list(stream(MESSAGES[kind](**fields), timeout=60))

        found = call("Search", "SearchRequest", "SearchResponse", query="{ status = error }", limit=28)
        assert len(found) > 1
        assert [t.trace_id for m in found for t in m.traces] == [f"{number:x}" for number in range(30, 2, -1)]
        assert [m.metrics.completed_jobs for m in found] == [0] * (len(found) - 1) + [1]
        (tags,) = call("SearchTagsV2", "TagsRequest", "TagsResponse", scope="span")
        assert tags.scopes[0].name == "span" and "db.rows" in tags.scopes[0].tags
        start = (second - 60) * 10**9
        (series,) = call(
            "MetricsQueryRange",
            "RangeRequest",
            "RangeResponse",
            query="{ } | count_over_time()",
            start=start,
            end=start + 120 * 10**9,
            step=60 * 10**9,
        )
        assert sum(s.value for s in series.series[0].samples) == 60
        with pytest.raises(grpc.RpcError) as error:
            call("Search", "SearchRequest", "SearchResponse", query="{ .a = }")
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "parse error at line 1, col 8" in error.value.details()
        with pytest.raises(grpc.RpcError) as error:
            call("Nothing", "SearchRequest", "SearchResponse")
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
