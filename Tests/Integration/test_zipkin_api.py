# SPDX-License-Identifier: Apache-2.0
"""Zipkin's query API on its own port and below /zipkin, and Jaeger's version 3 beside it."""

from urllib.parse import urlencode

import otlp
import pytest
from server import request


@pytest.fixture(scope="module")
def shop(server):
    """(server, ids, millis): a failing order of two services that asks a database, and an older trace."""
    now = otlp.now()
    ids = {"order": bytes(range(1, 17)), "old": bytes(15) + b"\x2a"}
    start = now - 10**9
    root, serve = bytes(7) + b"\x01", bytes(7) + b"\x02"
    front = otlp.export(
        otlp.span(ids["order"], root, name="POST /Order", kind=3, start=start, end=start + 9_000_000), service="Front"
    )
    shop = otlp.export(
        otlp.span(
            ids["order"],
            serve,
            parent=root,
            name="place",
            kind=2,
            start=start + 1_000_000,
            end=start + 8_000_000,
            status={"code": 2, "message": "sold out"},
            attributes={"http.status_code": 500},
            events=[{"name": "retry", "time_unix_nano": start + 2_000_000}],
        ),
        otlp.span(
            ids["order"],
            parent=serve,
            name="SELECT",
            kind=3,
            start=start + 3_000_000,
            end=start + 4_000_000,
            attributes={"db.name": "Orders", "db.system": "postgresql"},
        ),
        service="Shop",
    )
    # One request, so that the call between the two is seen at once.
    server.post(front + shop)
    long_ago = now - 7200 * 10**9
    server.post(otlp.export(otlp.span(ids["old"], name="idle", start=long_ago, end=long_ago + 100), service="Front"))
    return server, ids, now // 10**6


def get(server, path, **parameters):
    """The answer: the same on the port of its own, below /zipkin there and below /zipkin of the web listener."""
    target = path + ("?" + urlencode(parameters) if parameters else "")
    zipkin = f"http://127.0.0.1:{server.ports['zipkin']}"
    own = request(zipkin, "GET", target)
    for base in (zipkin, server.web):
        other = request(base, "GET", "/zipkin" + target)
        assert (other.status, other.type, other.body) == (own.status, own.type, own.body)
    return own


def test_names_are_in_lower_case(shop):
    server, _, _ = shop
    assert get(server, "/api/v2/services").json == ["front", "shop"]
    assert get(server, "/api/v2/spans", serviceName="FRONT").json == ["idle", "post /order"]
    assert get(server, "/api/v2/remoteServices", serviceName="front").json == ["shop"]
    assert get(server, "/api/v2/remoteServices", serviceName="shop").json == ["orders"]


def test_searches(shop):
    server, ids, _ = shop
    order, old = ids["order"].hex(), ids["old"].hex()[16:]
    for parameters, found in [
        ({}, [order, old]),
        ({"serviceName": "front", "limit": 1}, [order]),
        ({"serviceName": "shop", "annotationQuery": "error and http.status_code=500 and retry"}, [order]),
        ({"serviceName": "front", "annotationQuery": "error"}, []),
        ({"remoteServiceName": "shop", "minDuration": 9000, "maxDuration": 9000}, [order]),
        ({"lookback": 3_600_000}, [order]),
    ]:
        traces = get(server, "/api/v2/traces", **parameters).json
        assert [t[0]["traceId"] for t in traces] == found, parameters


def test_a_trace(shop):
    server, ids, _ = shop
    spans = get(server, "/api/v2/trace/" + ids["order"].hex()).json
    assert [s.get("kind") for s in spans] == ["CLIENT", "SERVER", "CLIENT"]
    assert [s["localEndpoint"]["serviceName"] for s in spans] == ["front", "shop", "shop"]
    tags = {"error": "sold out", "http.status_code": "500", "otel.status_code": "ERROR", "otel.library.name": "tests"}
    assert tags.items() <= spans[1]["tags"].items()
    assert [a["value"] for a in spans[1]["annotations"]] == ["retry"]
    assert spans[2]["remoteEndpoint"] == {"serviceName": "orders"} and spans[2]["duration"] == 1000
    missing = get(server, "/api/v2/trace/beef")
    assert missing.status == 404 and missing.body == b"000000000000beef not found"
    many = get(server, "/api/v2/traceMany", traceIds=f"2a,{ids['order'].hex()}").json
    assert [len(t) for t in many] == [1, 3]


def test_dependencies_and_errors(shop):
    server, _, millis = shop
    links = get(server, "/api/v2/dependencies", endTs=millis + 60_000).json
    assert {"parent": "shop", "child": "orders", "callCount": 1} in links
    assert get(server, "/api/v2/dependencies").status == 400
    assert get(server, "/api/v2/traces", limit=0).body == b"limit <= 0"


def test_health(shop):
    server, _, _ = shop
    assert get(server, "/health").json["status"] == "UP"
    assert get(server, "/config.json").json["queryLimit"] == 10


def test_jaegers_version_3_and_its_figures(shop):
    server, ids, millis = shop
    window = "query.start_time_min=2000-01-01T00:00:00+01:00&query.start_time_max=2100-01-01T00:00:00Z"
    summaries = server.get(f"/api/v3/trace-summaries?query.service_name=Shop&{window}").json["summaries"]
    assert [(s["traceId"], s["spanCount"], s["errorSpanCount"]) for s in summaries] == [(ids["order"].hex(), 3, 1)]
    result = server.get(f"/api/v3/traces/{ids['order'].hex()}").json["result"]
    assert sum(len(s["spans"]) for r in result["resourceSpans"] for s in r["scopeSpans"]) == 3
    nothing = server.get(f"/api/v3/traces?query.service_name=nobody&{window}")
    assert nothing.status == 404 and nothing.json["error"]["httpStatus"] == "Not Found"
    window = f"endTs={millis + 60_000}&lookback=0&step=60000&ratePer=600000"
    calls = server.get(f"/api/metrics/calls?service=Shop&{window}").json
    assert [p["gaugeValue"]["doubleValue"] > 0 for p in calls["metrics"][0]["metricPoints"]] == [True]


def test_ids_that_a_client_cut_may_be_one_trace(serve):
    server = serve("data", "--zipkin-strict-trace-id", "false", "--zipkin-autocomplete-keys", "env,user")
    whole, cut = bytes(range(1, 17)), bytes(8) + bytes(range(9, 17))
    server.post(otlp.export(otlp.span(whole, name="whole"), service="front"))
    server.post(otlp.export(otlp.span(cut, name="cut"), service="old"))
    for text in (whole.hex(), cut.hex()[16:]):
        names = sorted(s["name"] for s in get(server, "/api/v2/trace/" + text).json)
        assert names == ["cut", "whole"], text
    assert [len(t) for t in get(server, "/api/v2/traces").json] == [2]
    assert get(server, "/api/v2/autocompleteKeys").json == ["env", "user"]
