# SPDX-License-Identifier: Apache-2.0
"""The two services of Examples/: an order is one trace across both, as the page shows it."""

import os
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from collector import free_port


@pytest.fixture(scope="module")
def orders(binary, server):
    """The address of the order service, which sends to `server`, as the inventory service does that it asks."""
    ports = {name: free_port() for name in ("InventoryService", "OrderService")}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")} | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.otlp_http,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "INVENTORY_URL": f"http://127.0.0.1:{ports['InventoryService']}",
    }
    processes = []
    for name, port in ports.items():
        path = binary.parent / name
        assert path.exists(), f"{path} is not there: `SKEIN_EXAMPLES=1 swift build --enable-all-traits` first"
        processes.append(subprocess.Popen([path], env=environment | {"PORT": str(port)}, stdout=subprocess.DEVNULL))
    for port in ports.values():
        wait_for(lambda: post(f"http://127.0.0.1:{port}/nothing", 1)[0])
    yield f"http://127.0.0.1:{ports['OrderService']}"
    for process in processes:
        process.terminate()
    for process in processes:
        assert process.wait(timeout=30) in (0, -15)


def post(url, timeout=20):
    """(status, headers), (None, None) when nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=timeout) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers
    except OSError:
        return None, None


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found


def spans_of(server, trace_id, count):
    """The spans of a trace as {service/name: span}, once there are so many."""

    def found():
        answer = server.get(f"/api/skein/v1/traces/{trace_id}")
        if answer.status != 200:
            return None
        spans = {}
        for resource in answer.json["resourceSpans"]:
            names = {a["key"]: a["value"] for a in resource["resource"]["attributes"]}
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    spans[f"{names['service.name']['stringValue']}/{span['name']}"] = span
        return spans if len(spans) >= count else None

    return wait_for(found)


def test_an_order_is_one_trace_across_both_services(server, orders):
    status, headers = post(f"{orders}/orders/widget")
    assert status == 200
    trace_id = headers["traceresponse"].split("-")[1]
    spans = spans_of(server, trace_id, 6)
    chain = [
        "order-service/POST /orders/{item}",
        "order-service/place order",
        "order-service/GET /items/{item}",
        "inventory-service/GET /items/{item}",
        "inventory-service/SELECT items",
    ]
    assert set(chain) | {"order-service/validate"} == set(spans)
    for parent, child in zip(chain, chain[1:]):
        assert spans[child]["parentSpanId"] == spans[parent]["spanId"], (parent, child)
    # The line of the log is an event of the span that it was written in.
    [event] = spans["order-service/place order"]["events"]
    assert event["name"] == "log"


def test_an_order_that_fails_shows_where(server, orders):
    status, headers = post(f"{orders}/orders/unicorn")
    assert status == 500
    found = wait_for(lambda: server.search('service = "order-service" and order.item = "unicorn"')["traces"])
    spans = spans_of(server, found[0]["traceId"], 6)
    placed = spans["order-service/place order"]
    assert placed["status"]["code"] == 2 and {e["name"] for e in placed["events"]} == {"log", "exception"}
    assert spans["order-service/POST /orders/{item}"]["status"]["code"] == 2
    assert spans["inventory-service/GET /items/{item}"].get("status", {}).get("code", 0) == 0
