# SPDX-License-Identifier: Apache-2.0
"""The newest OpenTelemetry SDK for Python sends; every way of reading gives back what it sent."""

import uuid

import grpc
import pytest
import shop
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

TRANSPORTS = {
    "grpc": lambda s: GrpcExporter(endpoint=s.otlp_grpc, insecure=True),
    "grpc-gzip": lambda s: GrpcExporter(endpoint=s.otlp_grpc, insecure=True, compression=grpc.Compression.Gzip),
    "http": lambda s: HttpExporter(endpoint=s.otlp_http + "/v1/traces", compression=Compression.NoCompression),
    "http-gzip": lambda s: HttpExporter(endpoint=s.otlp_http + "/v1/traces", compression=Compression.Gzip),
    "http-deflate": lambda s: HttpExporter(endpoint=s.otlp_http + "/v1/traces", compression=Compression.Deflate),
}


@pytest.fixture(scope="module", params=TRANSPORTS)
def sent(request, server):
    """(server, trace id, marker, service) after the shop has run over this transport."""
    service, marker = f"shop over {request.param}", uuid.uuid4().hex
    provider = TracerProvider(resource=Resource.create({"service.name": service, "host.name": "box-1"}))
    provider.add_span_processor(BatchSpanProcessor(TRANSPORTS[request.param](server)))
    trace_id = shop.check_out(provider.get_tracer("shop.tracer", "2.1"), marker)
    assert provider.force_flush(20_000)
    provider.shutdown()
    return server, trace_id, marker, service


def by_name(spans, name_key):
    return {span[name_key]: span for span in spans}


def values(attributes):
    return {a["key"]: a["value"] for a in attributes}


def test_search_finds_the_trace_by_its_attribute(sent):
    server, trace_id, marker, service = sent
    [trace] = server.search(f'test.marker = "{marker}"')["traces"]
    assert trace["traceId"] == trace_id
    assert (trace["rootServiceName"], trace["rootSpanName"]) == (service, "POST /checkout")
    assert (trace["spanCount"], trace["errorCount"], trace["matchedSpans"]) == (3, 1, 1)
    assert trace["services"] == [{"name": service, "spanCount": 3, "errorCount": 1}]


@pytest.mark.parametrize(
    "q",
    [
        'service = "{service}" and error = true',
        '{{ resource.service.name = "{service}" && status = error }}',
        'service = "{service}" and name = "charge card" and card.scheme = "visa"',
        'service = "{service}" and cart.items = 3',
        'service = "{service}" and cart.items > 2.5',
        'service = "{service}" and cart.total >= 99.5 and cart.gift = true',
        'service = "{service}" and kind = server and user.id =~ "abc.*"',
        'service = "{service}" AND duration > 0ns',
        'service = "{service}" and resource.host.name = "box-1" and not name = "nothing"',
        '(name = "send parcel" or name = "nothing") && service = "{service}"',
    ],
)
def test_every_plain_question_finds_it(sent, q):
    server, trace_id, _, service = sent
    assert [t["traceId"] for t in server.search(q.format(service=service))["traces"]] == [trace_id]


def test_otlp_json_gives_back_what_was_sent(sent):
    server, trace_id, marker, service = sent
    spans = by_name(server.otlp_spans(trace_id), "name")
    root, charge, parcel = spans["POST /checkout"], spans["charge card"], spans["send parcel"]
    assert root["traceId"] == trace_id and not root.get("parentSpanId")
    assert charge["parentSpanId"] == parcel["parentSpanId"] == root["spanId"]
    assert (root["kind"], charge["kind"], parcel["kind"]) == (2, 3, 1)
    attributes = values(root["attributes"])
    assert attributes["test.marker"] == {"stringValue": marker}
    assert attributes["cart.items"] == {"intValue": "3"}
    assert attributes["cart.total"] == {"doubleValue": 99.5}
    assert attributes["cart.gift"] == {"boolValue": True}
    assert attributes["cart.skus"] == {"arrayValue": {"values": [{"stringValue": "sku-1"}, {"stringValue": "sku-2"}]}}
    assert attributes["big.number"] == {"intValue": str(2**60)}
    [event] = root["events"]
    assert event["name"] == "cart checked"
    assert values(event["attributes"]) == {"items.missing": {"intValue": "0"}, "warehouse": {"stringValue": "north"}}
    [link] = root["links"]
    assert (link["traceId"], link["spanId"]) == (f"{shop.LINKED_TRACE:032x}", f"{shop.LINKED_SPAN:016x}")
    assert values(link["attributes"]) == {"link.why": {"stringValue": "retry"}}
    assert charge["status"]["code"] == 2 and "CardDeclined: no funds on card" in charge["status"]["message"]
    assert parcel["status"]["code"] == 1
    [exception] = charge["events"]
    assert exception["name"] == "exception"
    assert values(exception["attributes"])["exception.message"] == {"stringValue": "no funds on card"}
    assert values(root["resource"]["attributes"])["service.name"] == {"stringValue": service}
    assert values(root["resource"]["attributes"])["telemetry.sdk.language"] == {"stringValue": "python"}
    assert (root["scope"]["name"], root["scope"]["version"]) == ("shop.tracer", "2.1")
    for span in spans.values():
        assert 0 < int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert int(root["startTimeUnixNano"]) <= int(span["startTimeUnixNano"])


def test_skeleton_draws_the_tree(sent):
    server, trace_id, _, service = sent
    skeleton = server.skeleton(trace_id)
    assert (skeleton["spanCount"], skeleton["errorCount"], skeleton["depth"]) == (3, 1, 2)
    assert (skeleton["rootServiceName"], skeleton["rootSpanName"]) == (service, "POST /checkout")
    rows = skeleton["spans"]
    assert [skeleton["operations"][o] for o in rows["operation"]] == ["POST /checkout", "charge card", "send parcel"]
    assert rows["parent"] == [-1, 0, 0]
    assert rows["kind"] == [2, 3, 1] and rows["status"] == [0, 2, 1]
    assert rows["events"] == [1, 1, 0] and rows["links"] == [1, 0, 0] and rows["weight"] == [1, 1, 1]
    assert skeleton["missingParents"] == skeleton["cyclesBroken"] == skeleton["clamped"] == []


def test_details_of_chosen_spans(sent):
    server, trace_id, _, _ = sent
    ids = server.skeleton(trace_id)["spans"]["id"]
    absent = "00000000000000aa"
    details = server.get(f"/api/skein/v1/traces/{trace_id}/spans", ids=",".join([ids[1], absent])).json
    [span] = details["spans"]
    assert span["span"]["name"] == "charge card" and span["span"]["spanId"] == ids[1]
    assert details["missing"] == [absent]
    assert values(details["resources"][span["resource"]]["attributes"])["host.name"] == {"stringValue": "box-1"}
    assert details["scopes"][span["scope"]]["name"] == "shop.tracer"


def test_jaeger_api_shows_parents_tags_logs_and_error(sent):
    server, trace_id, marker, service = sent
    trace = server.jaeger_trace(trace_id)
    spans = by_name(trace["spans"], "operationName")
    root, charge, parcel = spans["POST /checkout"], spans["charge card"], spans["send parcel"]
    for child in (charge, parcel):
        parents = [r for r in child["references"] if r["refType"] == "CHILD_OF"]
        assert parents == [
            {"refType": "CHILD_OF", "traceID": trace_id.lstrip("0").rjust(32, "0"), "spanID": root["spanID"]}
        ]
    [follows] = root["references"]
    assert (follows["refType"], follows["spanID"]) == ("FOLLOWS_FROM", f"{shop.LINKED_SPAN:016x}")
    tags = {t["key"]: (t["type"], t["value"]) for t in root["tags"]}
    assert tags["test.marker"] == ("string", marker)
    assert tags["cart.items"] == ("int64", 3)
    assert tags["cart.total"] == ("float64", 99.5)
    assert tags["cart.gift"] == ("bool", True)
    assert tags["big.number"] == ("int64", str(2**60))
    assert tags["span.kind"] == ("string", "server")
    assert "error" not in tags
    tags = {t["key"]: (t["type"], t["value"]) for t in charge["tags"]}
    assert tags["error"] == ("bool", True)
    assert tags["otel.status_code"] == ("string", "ERROR")
    assert "no funds on card" in tags["otel.status_description"][1]
    [log] = charge["logs"]
    fields = {f["key"]: f["value"] for f in log["fields"]}
    assert fields["event"] == "exception" and fields["exception.message"] == "no funds on card"
    assert charge["startTime"] <= log["timestamp"] <= charge["startTime"] + charge["duration"] + 1
    process = trace["processes"][root["processID"]]
    assert process["serviceName"] == service
    assert {"key": "host.name", "type": "string", "value": "box-1"} in process["tags"]


def test_names_are_listed(sent):
    server, _, marker, service = sent
    assert service in server.jaeger("/api/services")
    assert sorted(server.operations(service)) == ["POST /checkout", "charge card", "send parcel"]
    assert service in [s["name"] for s in server.get("/api/skein/v1/services", limit=1000).json["services"]]
    keys = server.get("/api/skein/v1/attributes", prefix="cart.", limit=100).json["attributes"]
    assert {(k["key"], k["scope"], *k["types"]) for k in keys} >= {
        ("cart.items", "span", "int"),
        ("cart.total", "span", "double"),
        ("cart.gift", "span", "bool"),
    }
    found = server.get("/api/skein/v1/attributes/test.marker/values", prefix=marker[:20]).json["values"]
    assert found == [{"value": marker, "type": "string", "count": 1}]
