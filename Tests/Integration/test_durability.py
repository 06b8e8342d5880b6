# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged stays, however the process ends."""

import random
import time
import uuid

import load
import otlp
import pytest
from server import request


def join(threads):
    for thread in threads:
        thread.stop()
    acknowledged = {trace: spans for t in threads for trace, spans in t.acknowledged.items()}
    return acknowledged, [unheard for t in threads for unheard in t.unheard]


def test_kill_in_the_middle_of_load_loses_nothing(serve):
    """Several crashes of one folder, each under load; what was in flight is sent again, as an exporter would."""
    server = serve()
    everything, in_flight = {}, []
    marker = uuid.uuid4().hex
    for round in range(4):
        threads = load.senders(server, marker)
        time.sleep(random.uniform(0.4, 1.6))
        server.kill()
        acknowledged, unheard = join(threads)
        assert acknowledged, "nothing was acknowledged in this round"
        everything |= acknowledged
        in_flight += [ids for _, ids in unheard]
        server.start()
        shown = load.check_stored(server, marker, everything, in_flight, read=acknowledged)
        for body, ids in unheard:
            assert server.post(body).status == 200
            everything |= ids
        print(
            f"round {round}: {len(acknowledged)} traces acknowledged, {len(unheard)} requests in flight, {shown} shown"
        )
    load.check_stored(server, marker, everything)
    status = server.get("/api/skein/v1/status").json
    assert status["health"] == "ok", status
    assert server.stop() == 0


def test_a_polite_end_in_the_middle_of_load_loses_nothing(serve):
    server = serve()
    marker = uuid.uuid4().hex
    threads = load.senders(server, marker)
    time.sleep(1.5)
    began = time.monotonic()
    assert server.stop() == 0, server.output()
    assert time.monotonic() - began < 20, "ending took too long"
    acknowledged, unheard = join(threads)
    assert acknowledged
    server.start()
    load.check_stored(server, marker, acknowledged, [ids for _, ids in unheard])
    assert server.stop() == 0


@pytest.mark.parametrize("durability", ["interval=200ms", "os"])
def test_a_crash_of_the_process_alone_loses_nothing_in_any_mode(serve, durability):
    """The page cache outlives the process: only a power cut may take what these modes have not yet synced."""
    server = serve("data", "--durability", durability)
    marker = uuid.uuid4().hex
    threads = load.senders(server, marker)
    time.sleep(1)
    server.kill()
    acknowledged, unheard = join(threads)
    server.start()
    load.check_stored(server, marker, acknowledged, [ids for _, ids in unheard])


def test_what_was_accepted_is_readable_at_once(serve):
    server = serve()
    for _ in range(20):
        trace = otlp.trace_id()
        assert server.post(otlp.export(otlp.span(trace, name="fresh"))).status == 200
        assert [s["name"] for s in server.otlp_spans(trace.hex())] == ["fresh"]


def test_answers_are_the_same_after_a_restart(serve):
    server = serve()
    marker = uuid.uuid4().hex
    body, ids = load.trace_request(marker, 50)
    assert server.post(body).status == 200
    paths = [f"/api/skein/v1/traces/{trace}/skeleton" for trace in ids] + [
        "/api/skein/v1/services",
        "/api/services",
        "/api/services/load/operations",
        f"/api/skein/v1/attributes/load.marker/values?prefix={marker}",
    ]
    before = {path: server.get(path).json for path in paths}
    found = server.search(f'load.marker = "{marker}"', limit=100)["traces"]
    assert len(found) == 50
    assert server.stop() == 0
    server.start()
    after = {path: server.get(path).json for path in paths}
    for path in paths:
        for answer in (before[path], after[path]):
            if path.endswith("/skeleton"):
                answer.pop("lastReceivedUnixNano")
        assert after[path] == before[path], path
    assert server.search(f'load.marker = "{marker}"', limit=100)["traces"] == found


def test_health_and_readiness(serve):
    server = serve()
    assert request(server.web, "GET", "/healthz").status == 200
    assert request(server.web, "GET", "/readyz").status == 200
