# SPDX-License-Identifier: Apache-2.0
"""Jaeger's classic query API, as older Jaeger pages and Grafana ask it."""

import json
import time
from urllib.parse import quote

import otlp
import pytest

SERVICES = ["cart", "check/out", "Überweisung 支払い", "a b+c%d?e#f", "db"]


@pytest.fixture(scope="module")
def shop(server):
    """(server, ids): a few traces whose every value is known; ids by short names."""
    now = otlp.now()
    ids = {
        "plain": bytes(range(1, 17)),
        "short": bytes(8) + bytes(range(1, 9)),
        "failed": bytes.fromhex("00" + "ab" * 15),
        "old": otlp.trace_id(),
    }
    root = bytes.fromhex("00000000000000a1")
    numbers = {
        "small": 2**53 - 1,
        "large": 2**53,
        "negative": -(2**53),
        "least": -(2**63),
        "half": 0.5,
        "yes": True,
        "bytes": b"\x00\x01\xff",
        "list": ["a", 1],
        "map": {"k": {"n": 1}},
    }
    server.post(
        otlp.export(
            otlp.span(
                ids["plain"],
                root,
                name="GET /cart",
                kind=2,
                start=now - 10**9,
                end=now - 10**9 + 1_500_000,
                attributes=numbers,
                events=[{"name": "looked up", "time_unix_nano": now - 10**9 + 500_000, "attributes": {"rows": 3}}],
                trace_state="vendor=1",
            ),
            service="cart",
            resource={"host.name": "box", "pod.index": 7},
            scope=("http.lib", "9"),
        )
    )
    server.post(
        otlp.export(
            otlp.span(
                ids["plain"],
                parent=root,
                name="SELECT",
                kind=3,
                start=now - 10**9 + 100_000,
                end=now - 10**9 + 900_000,
                links=[dict(trace_id=ids["short"], span_id=root)],
            ),
            service="db",
        )
    )
    server.post(
        otlp.export(
            otlp.span(
                ids["failed"],
                name="POST /pay",
                kind=2,
                start=now - 5 * 10**9,
                end=now - 3 * 10**9,
                attributes={"error.kind": "card", "error": "true"},
                status={"code": 2, "message": "declined"},
            ),
            otlp.span(
                ids["failed"],
                name="quick",
                start=now - 5 * 10**9,
                end=now - 5 * 10**9 + 1_000_000,
                attributes={"error": "true", "http.code": 200},
            ),
            service="check/out",
        )
    )
    for service in SERVICES[2:4]:
        server.post(
            otlp.export(
                otlp.span(ids["short"], name=f"op of {service}", start=now - 2 * 10**9, end=now - 2 * 10**9 + 10),
                service=service,
            )
        )
    server.post(
        otlp.export(
            otlp.span(
                ids["old"], name="long ago", start=now - 30 * 86400 * 10**9, end=now - 30 * 86400 * 10**9 + 10**6
            ),
            service="cart",
        )
    )
    return server, ids


def tags(span):
    return {t["key"]: (t["type"], t["value"]) for t in span["tags"]}


def test_the_envelope_of_a_success(shop):
    answer = shop[0].get("/api/services")
    assert answer.type == "application/json"
    assert answer.json == {"data": sorted(SERVICES), "total": len(SERVICES), "limit": 0, "offset": 0, "errors": None}
    assert sorted(SERVICES) == sorted(SERVICES, key=lambda s: s.encode())


@pytest.mark.parametrize("service", SERVICES)
def test_operations_of_services_with_any_name(shop, service):
    """P22: slashes, blanks and letters of the world in a path segment."""
    expected = {"cart": ["GET /cart", "long ago"], "check/out": ["POST /pay", "quick"], "db": ["SELECT"]}
    operations = shop[0].operations(service)
    assert sorted(operations) == expected.get(service, [f"op of {service}"])
    listed = shop[0].jaeger("/api/operations", service=service)
    assert sorted(o["name"] for o in listed) == sorted(operations)
    assert len(shop[0].jaeger("/api/traces", service=service)) == 1


def test_operations_by_kind(shop):
    operations = shop[0].jaeger("/api/operations", service="cart")
    assert {"name": "GET /cart", "spanKind": "server"} in operations
    assert shop[0].jaeger("/api/operations", service="cart", spanKind="client") == []
    assert [o["name"] for o in shop[0].jaeger("/api/operations", service="cart", spanKind="server")] == ["GET /cart"]


def test_operations_need_a_service(shop):
    answer = shop[0].get("/api/operations")
    assert answer.status == 400 and answer.json["data"] is None
    assert answer.json["errors"][0]["code"] == 400


def test_unknown_service_is_no_error(shop):
    assert shop[0].operations("nobody") == []
    assert shop[0].jaeger("/api/traces", service="nobody") == []


def test_a_trace_in_full(shop):
    server, ids = shop
    trace = server.jaeger_trace(ids["plain"].hex())
    assert set(trace) == {"traceID", "spans", "processes", "warnings"} and trace["warnings"] is None
    assert trace["traceID"] == ids["plain"].hex()
    root, child = sorted(trace["spans"], key=lambda s: s["startTime"])
    assert root["operationName"] == "GET /cart" and root["spanID"] == "00000000000000a1"
    assert root["references"] == [] and root["duration"] == 1500 and root["traceID"] == trace["traceID"]
    assert root["warnings"] is None
    assert tags(root) == {
        "small": ("int64", 2**53 - 1),
        "large": ("int64", str(2**53)),
        "negative": ("int64", str(-(2**53))),
        "least": ("int64", str(-(2**63))),
        "half": ("float64", 0.5),
        "yes": ("bool", True),
        "bytes": ("binary", "AAH/"),
        "list": ("string", '["a",1]'),
        "map": ("string", '{"k":{"n":1}}'),
        "span.kind": ("string", "server"),
        "otel.scope.name": ("string", "http.lib"),
        "otel.scope.version": ("string", "9"),
        "w3c.tracestate": ("string", "vendor=1"),
    }
    [log] = root["logs"]
    assert log["timestamp"] == root["startTime"] + 500
    assert {f["key"]: (f["type"], f["value"]) for f in log["fields"]} == {
        "event": ("string", "looked up"),
        "rows": ("int64", 3),
    }
    assert child["logs"] == []
    assert [(r["refType"], r["traceID"], r["spanID"]) for r in child["references"]] == [
        ("CHILD_OF", trace["traceID"], root["spanID"]),
        ("FOLLOWS_FROM", ids["short"].hex()[16:], root["spanID"]),
    ]
    cart, db = trace["processes"][root["processID"]], trace["processes"][child["processID"]]
    assert (cart["serviceName"], db["serviceName"]) == ("cart", "db")
    assert sorted(cart["tags"], key=lambda t: t["key"]) == [
        {"key": "host.name", "type": "string", "value": "box"},
        {"key": "pod.index", "type": "int64", "value": 7},
    ]
    assert db["tags"] == []


def test_ids_with_leading_zeros(shop):
    """P14: 16 digits where the upper half is zero, else 32; a lookup takes every form."""
    server, ids = shop
    short = ids["short"].hex()
    for form in (short, short[16:], short.lstrip("0"), short.upper()):
        assert server.jaeger_trace(form)["traceID"] == short[16:]
    failed = ids["failed"].hex()
    for form in (failed, failed.lstrip("0")):
        assert server.jaeger_trace(form)["traceID"] == failed
    assert [t["traceID"] for t in server.jaeger("/api/traces", {"traceID": [short[16:], failed]})] in (
        [short[16:], failed],
        [failed, short[16:]],
    )


def test_the_error_tag_is_true_for_an_error_status_only(shop):
    """P15: status ERROR becomes the boolean tag; an attribute that merely says so stays text."""
    server, ids = shop
    pay, quick = sorted(server.jaeger_trace(ids["failed"].hex())["spans"], key=lambda s: s["operationName"])
    assert {"key": "error", "type": "bool", "value": True} in pay["tags"]
    assert tags(pay)["otel.status_code"] == ("string", "ERROR")
    assert tags(pay)["otel.status_description"] == ("string", "declined")
    assert tags(quick)["error"] == ("string", "true")
    assert "otel.status_code" not in tags(quick)


@pytest.mark.parametrize(
    "parameters,found",
    [
        ({}, ["failed"]),
        ({"operation": "POST /pay"}, ["failed"]),
        ({"operation": "nothing"}, []),
        ({"minDuration": "1.9s"}, ["failed"]),
        ({"minDuration": "2001ms"}, []),
        ({"maxDuration": "1500us"}, ["failed"]),
        ({"minDuration": "2ms", "maxDuration": "1.5s"}, []),
        ({"tags": '{"error":"true"}'}, ["failed"]),
        ({"tag": "error:true"}, ["failed"]),
        ({"tags": '{"error.kind":"card"}'}, ["failed"]),
        ({"tag": ["error:true", "error.kind:card"]}, ["failed"]),
        ({"tag": ["error.kind:card", "http.code:200"]}, []),
        ({"tags": '{"http.code":"200"}'}, ["failed"]),
        ({"tags": "{}"}, ["failed"]),
        ({"limit": "1"}, ["failed"]),
        ({"lookback": "1h"}, ["failed"]),
        ({"raw": "true"}, ["failed"]),
        ({"prettyPrint": "true"}, ["failed"]),
    ],
    ids=str,
)
def test_search(shop, parameters, found):
    server, ids = shop
    traces = server.jaeger("/api/traces", {"service": "check/out", **parameters})
    assert [t["traceID"] for t in traces] == [ids[name].hex() for name in found]


def test_search_by_process_tags_and_log_fields(shop):
    server, ids = shop
    for tag in ("host.name:box", "pod.index:7", "rows:3"):
        assert [t["traceID"] for t in server.jaeger("/api/traces", service="cart", tag=tag)] == [ids["plain"].hex()], (
            tag
        )


def test_search_without_a_range_means_the_last_two_days(shop):
    """P24: the defaults do not overflow, and what is older appears only when asked for."""
    server, ids = shop
    assert [t["traceID"] for t in server.jaeger("/api/traces", service="cart")] == [ids["plain"].hex()]
    both = server.jaeger("/api/traces", service="cart", start=0, end=int(time.time() * 1e6))
    assert [t["traceID"] for t in both] == [ids["plain"].hex(), ids["old"].hex()]
    for start, end in ((0, 2**63 - 1), (0, 2**53), (1, 2)):
        assert server.get("/api/traces", service="cart", start=start, end=end).status == 200
    assert len(server.jaeger("/api/traces", service="cart", start=0, limit=1)) == 1


@pytest.mark.parametrize(
    "parameters,message",
    [
        ({}, "parameter 'service' is required"),
        ({"service": ""}, "parameter 'service' is required"),
        ({"service": "cart", "start": "soon"}, "unable to parse param 'start': "),
        ({"service": "cart", "end": "1.5"}, "unable to parse param 'end': "),
        ({"service": "cart", "limit": "many"}, "unable to parse param 'limit': "),
        ({"service": "cart", "minDuration": "5 parsecs"}, "unable to parse param 'minDuration': "),
        (
            {"service": "cart", "minDuration": "2s", "maxDuration": "1s"},
            "'maxDuration' should be greater than 'minDuration'",
        ),
        ({"service": "cart", "tag": "novalue"}, "malformed 'tag' parameter, expecting key:value, received: novalue"),
        ({"service": "cart", "tags": "{not json"}, "malformed 'tags' parameter"),
    ],
    ids=lambda p: json.dumps(p)[:60],
)
def test_errors_of_search(shop, parameters, message):
    """P13: 400 in the envelope, with Jaeger's words."""
    answer = shop[0].get("/api/traces", parameters)
    assert answer.status == 400 and answer.type == "application/json", answer
    assert answer.json["data"] is None
    [error] = answer.json["errors"]
    assert error["code"] == 400 and message in error["msg"], error


def test_unknown_trace(shop):
    answer = shop[0].get("/api/traces/" + "ab" * 16)
    assert answer.status == 404 and answer.json["data"] is None
    assert answer.json["errors"][0]["code"] == 404 and "trace not found" in answer.json["errors"][0]["msg"]


@pytest.mark.parametrize("id", ["zz", "0x12", "ab" * 17, "-1", quote("ä")])
def test_ids_that_are_none(shop, id):
    answer = shop[0].get("/api/traces/" + id)
    assert answer.status in (400, 404) and answer.json["errors"][0]["code"] == answer.status


def test_unknown_api_path_is_not_the_page(shop):
    answer = shop[0].get("/api/nothing")
    assert answer.status == 404 and answer.type != "text/html"


def test_dependencies(shop):
    links = shop[0].jaeger("/api/dependencies", endTs=int(time.time() * 1000) + 1000, lookback=60_000)
    assert links == [{"parent": "cart", "child": "db", "callCount": 1}]
    assert shop[0].jaeger("/api/dependencies") == links
    assert shop[0].jaeger("/api/dependencies", endTs=1000, lookback=1000) == []


def test_answers_are_compressed_when_asked_for(shop):
    answer = shop[0].get(f"/api/traces/{shop[1]['plain'].hex()}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers.get("content-encoding") == "gzip" and answer.json["errors"] is None
