# SPDX-License-Identifier: Apache-2.0
"""Tail sampling before the store: what is kept, why, and what an orderly end and a bad file do."""

import json
import subprocess
import time

import otlp
import pytest
from server import Server, request

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


def test_a_key_that_stands_twice_is_told_with_its_line(binary, tmp_path):
    file = tmp_path / "sampling.yaml"
    file.write_text("policies:\n- name: a\n  type: always_sample\n- name: b\n  type: always_sample\n  name: c\n")
    run = subprocess.run(
        [binary, "serve", "--data-dir", str(tmp_path / "data"), "--sampling-config", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode != 0
    assert "line 6 of" in run.stderr and "name stands twice" in run.stderr


def explain(server, policies, query="", content_type="application/yaml"):
    return request(
        server.web,
        "POST",
        "/api/skein/v1/sampling/explain" + query,
        body=policies.encode(),
        headers={"Content-Type": content_type},
    )


@pytest.fixture
def stored(binary, tmp_path):
    """A server that keeps all, with ten traces, of which one failed and one charged."""
    server = Server(binary, tmp_path / "data")
    server.start()
    server.ids = [send(server, "browse") for _ in range(8)]
    server.bad = send(server, "browse", status={"code": 2})
    server.pay = send(server, "charge")
    yield server
    server.stop()


def test_policies_are_tried_on_what_is_stored(stored, binary, tmp_path):
    answer = explain(stored, POLICIES)
    assert answer.status == 200, answer.body
    told = json.loads(answer.body)
    assert told["stored"] == {"traceCount": 10, "spanCount": 20} and told["sampleRate"] == 1
    assert told["kept"]["traceCount"] == 2 and told["inspected"]["byteCount"] > 1000
    assert [(p["name"], p["kept"]["spanCount"], p["examples"]) for p in told["policies"]] == [
        ("errors", 2, [stored.bad]),
        ("payments", 2, [stored.pay]),
    ]
    one = json.loads(explain(stored, POLICIES, f"?trace={stored.bad}").body)
    assert one["decisions"] == [
        {"traceId": stored.bad, "decision": "keep", "reason": "errors", "matched": ["errors"]}
    ]
    assert len(kept(stored)) == 10

    file = tmp_path / "sampling.yaml"
    file.write_text(POLICIES)
    run = subprocess.run(
        [binary, "sampling", "explain", "--config", str(file), "--server", stored.web],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert "10 traces with 20 spans are stored" in run.stdout and stored.pay in run.stdout
    run = subprocess.run(
        [binary, "sampling", "explain", "--config", str(file), "--server", stored.web, "--trace", stored.ids[0]],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "would be dropped by no policy" in run.stdout and "no   errors" in run.stdout


def test_policies_that_cannot_be_tried_are_refused(stored):
    assert explain(stored, POLICIES, content_type="text/plain").status == 415
    wrong = explain(stored, "policies:\n- name: a\n  type: sometimes\n")
    assert wrong.status == 400 and b"line 3" in wrong.body and b"invalid-policies" in wrong.body
    head = explain(stored, "head_sampling:\n  rules:\n  - sampler: always_on\n")
    assert head.status == 400 and b"no tail_sampling" in head.body
    assert explain(stored, POLICIES, "?limit=0").status == 400
    assert explain(stored, POLICIES, "?trace=1234").status == 404


def test_more_than_memory_holds_waits_on_the_disk(binary, tmp_path):
    file = tmp_path / "sampling.yaml"
    file.write_text(POLICIES.replace("decision_wait: 1s", "decision_wait: 10m"))
    arguments = ("--sampling-config", str(file), "--memory", "128MiB")
    spilled = tmp_path / "data/sampling"
    bad = set()
    with Server(binary, tmp_path / "data", *arguments) as server:
        for number in range(120):
            spans = []
            for index in range(100):
                trace = otlp.trace_id()
                text = f"{number} {index} " * 500
                spans.append(otlp.span(trace, name="work", status={"code": 2 if index == 0 else 0}, attributes={"text": text}))
            bad.add(spans[0]["trace_id"].hex())
            assert server.post(otlp.export(*spans, service="shop")).status == 200
        metrics = server.get("/metrics").body.decode()
        assert 'skein_sampling_forced_traces_total{reason="memory"} 0' in metrics
        assert "skein_sampling_waiting_traces 12000" in metrics
        assert "skein_sampling_spilled_spans_total 0" not in metrics
        assert list(spilled.glob("*.spill"))
    # The end decided about all of them, and read back what is kept.
    (spilled / "0000000000000009.spill").write_text("what a process left that died")
    with Server(binary, tmp_path / "data", *arguments) as server:
        assert not list(spilled.glob("*.spill"))
        assert {trace["traceId"] for trace in server.search_all('service = "shop"')} == bad
