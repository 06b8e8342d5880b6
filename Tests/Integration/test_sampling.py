# SPDX-License-Identifier: Apache-2.0
"""Tail sampling before the store: what is kept, why, and what an orderly end and a bad file do."""

import subprocess
import time

import otlp
import pytest
from server import Server

POLICIES = """
tail_sampling:
  decision_wait: 1s
  policies:
    - { name: errors, type: status_code, status_code: { status_codes: [ERROR] } }
    - name: payments
      type: traceql
      traceql: { query: '{ name = "charge" }' }
"""


@pytest.fixture
def sampling(binary, tmp_path):
    file = tmp_path / "sampling.yaml"
    file.write_text(POLICIES)
    server = Server(binary, tmp_path / "data", "--sampling-config", str(file))
    server.start()
    yield server
    server.stop()


def send(server, name, **fields):
    """A trace of two spans in two requests."""
    trace, root = otlp.trace_id(), otlp.span_id()
    for span in (
        otlp.span(trace, span=otlp.span_id(), parent=root, name="work"),
        otlp.span(trace, span=root, name=name, **fields),
    ):
        assert server.post(otlp.export(span, service="shop")).status == 200
    return trace.hex()


def kept(server, seconds=0):
    """The traces that are stored, at last."""
    deadline = time.monotonic() + seconds
    while True:
        found = {t["traceId"] for t in server.search('service = "shop"', limit=100)["traces"]}
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def test_traces_are_stored_once_they_are_decided_and_say_why(sampling):
    good = send(sampling, "browse")
    bad = send(sampling, "browse", status={"code": 2})
    pay = send(sampling, "charge")
    assert not kept(sampling)
    assert kept(sampling, 10) == {bad, pay}
    page = sampling.search('span.skein.sampling.reason = "payments"', limit=10)
    assert [t["traceId"] for t in page["traces"]] == [pay]
    metrics = sampling.get("/metrics").body.decode()
    assert 'skein_sampling_spans_total{policy="errors",decision="kept"} 2' in metrics
    assert 'skein_sampling_traces_total{policy="none",decision="dropped"} 1' in metrics
    assert good not in kept(sampling)


def test_an_orderly_end_decides_what_waits(sampling):
    bad = send(sampling, "browse", status={"code": 2})
    sampling.stop()
    sampling.start()
    assert kept(sampling) == {bad}


def test_a_file_that_contradicts_itself_stops_the_start_with_its_line(binary, tmp_path):
    file = tmp_path / "sampling.yaml"
    file.write_text("policies:\n- name: a\n  type: latency\n  latency: { threshold_ms: 9, upper_threshold_ms: 5 }\n")
    run = subprocess.run(
        [binary, "serve", "--data-dir", str(tmp_path / "data"), "--sampling-config", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode != 0
    assert "line 4 of" in run.stderr and "upper_threshold_ms is 5" in run.stderr
