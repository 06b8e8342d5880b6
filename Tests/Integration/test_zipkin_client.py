# SPDX-License-Identifier: Apache-2.0
"""Programs that know nothing but Zipkin get their traces into Skein, whole, whichever of its formats they send."""

import subprocess
import uuid
from pathlib import Path

import pytest
from server import eventually, request

PROGRAM = Path(__file__).parent / "programs" / "zipkin_client.py"
OPENTELEMETRY = ["otel-v1-json", "otel-v2-json", "otel-v2-proto3"]
PY_ZIPKIN = ["py-v1-thrift", "py-v1-json", "py-v2-json", "py-v2-proto3"]


@pytest.fixture(scope="module", params=OPENTELEMETRY + PY_ZIPKIN)
def sent(request, server, zipkin_python):
    """(server, way, trace id, marker) after the program has run and what it sent has arrived."""
    marker = uuid.uuid4().hex
    done = subprocess.run(
        [zipkin_python, "-W", "ignore", PROGRAM, request.param, str(server.ports["zipkin"]), marker],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    trace_id = done.stdout.strip()
    eventually(lambda: len(zipkin_trace(server, trace_id)) == 3)
    return server, request.param, trace_id, marker


def zipkin(server, path):
    return request(f"http://127.0.0.1:{server.ports['zipkin']}", "GET", path)


def zipkin_trace(server, trace_id):
    answer = zipkin(server, f"/api/v2/trace/{trace_id}")
    return answer.json if answer.status == 200 else []


def attributes(owner):
    return {a["key"]: next(iter(a["value"].values())) for a in owner.get("attributes", [])}


def test_the_trace_is_whole(sent):
    server, way, trace_id, marker = sent
    spans = {s["name"]: s for s in server.otlp_spans(trace_id)}
    assert set(spans) == {"POST /checkout", "charge card", "send parcel"}
    root, charge = spans["POST /checkout"], spans["charge card"]
    assert not root.get("parentSpanId")
    assert {spans[n]["parentSpanId"] for n in ("charge card", "send parcel")} == {root["spanId"]}
    assert attributes(root["resource"])["service.name"] == f"Zipkin-Shop-{way}"
    assert attributes(root)["test.marker"] == marker
    assert charge["status"]["code"] == 2 and "no funds on card" in charge["status"]["message"]
    assert [e["name"] for e in root["events"]] == ["cart checked"]
    assert int(root["endTimeUnixNano"]) >= int(charge["endTimeUnixNano"]) > int(charge["startTimeUnixNano"]) > 1.7e18
    if way != "otel-v1-json":  # It writes no kinds.
        assert (root["kind"], charge["kind"]) == (2, 3)


def test_what_opentelemetry_tells_is_told_back(sent):
    server, way, trace_id, _ = sent
    if way not in OPENTELEMETRY:
        pytest.skip("another library's program")
    spans = {s["name"]: s for s in server.otlp_spans(trace_id)}
    root = spans["POST /checkout"]
    assert (root["scope"]["name"], root["scope"]["version"]) == ("shop", "1.2")
    resource = attributes(root["resource"])
    assert resource["host.name"] == "box-3" and resource["telemetry.sdk.language"] == "python"
    assert attributes(root)["cart.items"] == "3" and attributes(root)["net.host.ip"] == "10.1.2.3"
    assert not {"otel.scope.name", "otel.status_code", "service.name", "host.name"} & set(attributes(root))
    assert attributes(root["events"][0]) == {"items.missing": "0", "warehouse": "north"}
    [exception] = spans["charge card"]["events"]
    assert exception["name"] == "exception" and attributes(exception)["exception.message"] == "no funds on card"
    assert spans["send parcel"]["status"]["code"] == 1


def test_the_other_end_is_kept(sent):
    server, way, trace_id, _ = sent
    if way not in PY_ZIPKIN:
        pytest.skip("its program names no other end")
    spans = {s["name"]: s for s in zipkin_trace(server, trace_id)}
    assert spans["charge card"]["remoteEndpoint"] == {"serviceName": "bank", "ipv4": "10.9.9.9", "port": 443}
    charge = {s["name"]: attributes(s) for s in server.otlp_spans(trace_id)}["charge card"]
    assert charge["peer.service"] == "Bank"


def test_zipkin_answers_with_what_it_was_sent(sent):
    server, way, trace_id, marker = sent
    spans = {s["name"]: s for s in zipkin_trace(server, trace_id)}
    assert set(spans) == {"post /checkout", "charge card", "send parcel"}
    root = spans["post /checkout"]
    assert root["localEndpoint"] == {"serviceName": f"zipkin-shop-{way}", "ipv4": "10.1.2.3", "port": 8080}
    assert root["tags"]["test.marker"] == marker and root["traceId"] == trace_id
    assert "no funds on card" in spans["charge card"]["tags"]["error"]
    assert root.get("debug", False) == (way in OPENTELEMETRY)
    found = zipkin(server, f"/api/v2/traces?serviceName=zipkin-shop-{way}&annotationQuery=error").json
    assert [spans[0]["traceId"] for spans in found] == [trace_id]


def test_searches_of_other_apis_find_it(sent):
    server, way, trace_id, marker = sent
    [found] = server.search(f'test.marker = "{marker}"')["traces"]
    assert found["traceId"] == trace_id and found["rootSpanName"] == "POST /checkout" and found["spanCount"] == 3
    [found] = server.jaeger("/api/traces", service=f"Zipkin-Shop-{way}", tags='{"error":"true"}')
    assert found["traceID"] == trace_id
