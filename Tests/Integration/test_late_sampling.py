# SPDX-License-Identifier: Apache-2.0
"""Late sampling: whole traces go when they leave the hot window, the rest weighs, sums and pins stay."""

import subprocess
import time

import otlp
import pytest
from server import Server, request

POLICIES = """
tail_sampling:
  policies:
    - { name: errors, type: status_code, status_code: { status_codes: [ERROR] } }
    - { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 25 } }
"""


@pytest.fixture
def late(binary, tmp_path):
    file = tmp_path / "late.yaml"
    file.write_text(POLICIES)
    server = Server(
        binary, tmp_path / "data", "--late-sampling-config", str(file), "--late-sampling-after", "10s"
    )
    server.start()
    yield server
    server.stop()


def send(server, trace, **fields):
    """A trace of two spans in two requests."""
    root = otlp.span_id()
    for span in (
        otlp.span(trace, span=otlp.span_id(), parent=root, name="work"),
        otlp.span(trace, span=root, name="browse", **fields),
    ):
        assert server.post(otlp.export(span, service="shop")).status == 200
    return trace.hex()


def stored(server):
    return {t["traceId"] for t in server.search('service = "shop"', limit=100)["traces"]}


def calls(server):
    answer = server.get("/api/skein/v1/services/shop/statistics").json
    return sum(part["total"]["spanCount"] for part in answer["slices"])


def skein(server, *words):
    run = subprocess.run(
        [server.binary, *words, "--server", server.web],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_traces_that_left_the_hot_window_are_thinned_whole_and_weigh(late):
    low, high = bytes(9) + b"\x01" * 7, bytes(9) + b"\xff" * 7
    dropped = [send(late, bytes([1 + n]) + low[1:]) for n in range(6)]
    kept = [send(late, bytes([1 + n]) + high[1:]) for n in range(2)]
    bad = send(late, bytes([99]) + low[1:], status={"code": 2})
    pinned = dropped[0]
    assert skein(late, "pin", pinned) == f"Pinned {pinned}.\n"
    assert pinned in skein(late, "pin", "list")
    assert stored(late) == {*dropped, *kept, bad}
    before = calls(late)
    deadline = time.monotonic() + 60
    while stored(late) != {pinned, bad, *kept} and time.monotonic() < deadline:
        time.sleep(0.5)
    assert stored(late) == {pinned, bad, *kept}
    weights = {trace: late.get(f"/api/skein/v1/traces/{trace}/skeleton").json for trace in (pinned, bad, *kept)}
    assert weights[pinned]["pinned"] and not weights[bad]["pinned"]
    assert [weights[trace]["spans"]["weight"] for trace in (pinned, bad, *kept)] == [[1, 1], [1, 1], [4, 4], [4, 4]]
    assert calls(late) == before == 18
    page = late.search('span.skein.sampling.reason = "late: errors"', limit=10)
    assert [t["traceId"] for t in page["traces"]] == [bad]
    metrics = late.get("/metrics").body.decode()
    assert 'skein_late_sampling_traces_total{policy="none",decision="dropped"} 5' in metrics
    assert 'skein_late_sampling_spans_total{policy="rest",decision="kept"} 4' in metrics
    # What was decided stays decided, and what is unpinned is decided then.
    late.stop()
    late.start()
    assert stored(late) == {pinned, bad, *kept}
    assert skein(late, "pin", "--remove", pinned) == f"Unpinned {pinned}.\n"
    deadline = time.monotonic() + 30
    while pinned in stored(late) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert stored(late) == {bad, *kept}
    assert late.get(f"/api/skein/v1/traces/{kept[0]}/skeleton").json["spans"]["weight"] == [4, 4]


def test_what_is_not_stored_cannot_be_pinned(late):
    path = f"/api/skein/v1/traces/{otlp.trace_id().hex()}/pin"
    assert request(late.web, "POST", path).status == 415
    answer = request(late.web, "POST", path, headers={"Content-Type": "application/json"})
    assert answer.status == 404 and answer.json["code"] == "unknown-trace"


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("policies:\n- name: a\n  type: latency\n  latency: { threshold_ms: 9, upper_threshold_ms: 5 }\n", [], "line 4 of"),
        ("head_sampling:\n  rules:\n  - { sampler: always_on }\n", [], "head_sampling"),
        (POLICIES, ["--retention", "2m", "--late-sampling-after", "5m"], "retention is 2m"),
        (
            POLICIES,
            ["--retention", "1m", "--retention-rules", "2m: error = true", "--late-sampling-after", "5m"],
            "retention is 2m at most",
        ),
        (POLICIES, ["--late-sampling-after", "1s"], "at least 10s"),
    ],
)
def test_settings_that_contradict_themselves_stop_the_start(binary, tmp_path, text, words, said):
    file = tmp_path / "late.yaml"
    file.write_text(text)
    run = subprocess.run(
        [binary, "serve", "--data-dir", str(tmp_path / "data"), "--late-sampling-config", str(file), *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode != 0
    assert said in run.stderr
