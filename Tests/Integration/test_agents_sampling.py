# SPDX-License-Identifier: Apache-2.0
"""Sessions under a policy: shares as the rates say, orchestrations whole, failures kept, totals as they were."""

import json
import subprocess
import sys
from pathlib import Path

import otlp
from server import eventually, request

BENCH = Path(__file__).resolve().parents[2] / "bench" / "agents.py"
RATES = {"critical": 1, "high": 1, "normal": 0.5, "low": 0.1, "background": 0.02}
OTHERS = "{cost_quantile: off, duration_quantile: off, rare_path: off, loops: off, retries: off}"


def bench(*words):
    done = subprocess.run([sys.executable, BENCH, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def policy(path, **rates):
    rules = "".join(f"    - {{match: {{priority: {name}}}, rate: {rate}}}\n" for name, rate in rates.items())
    path.write_text(f"session_sampling:\n  hold: 0s\n  rules:\n{rules}  rescue: {OTHERS}\n")


def decided(server):
    counts = {k: v for k, v in server.metrics().items() if k.startswith("skein_session_sampling_decisions_total")}
    return sum(counts.values())


def test_sessions_are_kept_by_their_priority(serve, tmp_path):
    policy(tmp_path / "policy.yaml", **RATES)
    server = serve("data", "--session-sampling-config", str(tmp_path / "policy.yaml"))
    bench("write", "--sessions", 600, "--out", tmp_path / "work")
    truth = json.loads((tmp_path / "work.truth.json").read_text())
    bench("send", "--in", tmp_path / "work", "--url", server.web)
    roots = [t for t in truth.values() if t["parent"] is None and RATES[t["priority"]] < 1]
    eventually(lambda: decided(server) == len(roots), timeout=60)
    rates = [word for name, rate in RATES.items() for word in ("--rate", f"{name}={rate}")]
    told = bench("check", "--in", tmp_path / "work", "--url", server.web, *rates)
    assert "600 of 600 sessions read, 0 differences" in told
    left_out = server.metrics()["skein_session_sampling_left_out_steps_total"]
    assert left_out > 100

    # A policy that cannot be read changes nothing; one that can is followed without a start.
    (tmp_path / "policy.yaml").write_text("session_sampling: {rules: [{rate: 7}]}")
    eventually(lambda: server.metrics()["skein_session_sampling_config_failed"] == 1)
    policy(tmp_path / "policy.yaml", low=1)
    eventually(lambda: server.metrics()["skein_session_sampling_config_failed"] == 0)
    body = json.dumps({"sessionId": "later", "taskPriority": "low"}).encode()
    started = request(server.web, "POST", "/api/worktrace/v1/sessions", body, {"content-type": "application/json"})
    assert started.json["sampled"] is True and "keeps 100 %" in started.json["samplingReason"]


def agent_trace(now, number, priority):
    """A run of `lead` that calls its model twice and asks `helper` by a tool."""
    trace = number.to_bytes(16, "big")

    def span(id, parent, name, attributes, first, nanos):
        return otlp.span(
            trace,
            span=id.to_bytes(8, "big"),
            parent=parent.to_bytes(8, "big") if parent else b"",
            name=name,
            start=now + first,
            end=now + first + nanos,
            attributes=attributes,
        )

    run = {"gen_ai.operation.name": "invoke_agent", "worktrace.task.priority": priority}
    chat = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 40}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ask"}
    return [
        span(1, 0, "invoke_agent lead", {**run, "gen_ai.agent.name": "lead"}, 0, 9_000_000),
        span(2, 1, "chat m", chat, 1_000_000, 1_000_000),
        span(3, 1, "execute_tool ask", tool, 3_000_000, 4_000_000),
        span(4, 3, "invoke_agent helper", {**run, "gen_ai.agent.name": "helper"}, 4_000_000, 2_000_000),
        span(5, 4, "chat m", chat, 4_500_000, 1_000_000),
        span(6, 1, "chat m", chat, 8_000_000, 500_000),
    ]


def test_sessions_that_come_as_spans_are_reduced_too(serve, tmp_path):
    (tmp_path / "policy.yaml").write_text(
        "session_sampling:\n  spans_after: 1s\n  rules: [{match: {source: spans, priority: low}, rate: 0}]\n"
        f"  rescue: {OTHERS}\n"
    )
    server = serve("data", "--session-sampling-config", str(tmp_path / "policy.yaml"))
    now = otlp.now() - 60 * 10**9
    traces = {"low": agent_trace(now, 1, "low"), "high": agent_trace(now, 2, "high")}
    for spans in traces.values():
        assert server.post(otlp.export(*spans, service="agents")).status == 200
    sessions = "/api/worktrace/v1/sessions?priority="
    before = {name: server.get(sessions + name).json["sessions"] for name in traces}
    # What is in memory is sealed by a stop; what is old then is decided about.
    server.stop()
    server.start()

    def look():
        found = {name: server.get(sessions + name).json["sessions"] for name in traces}
        return found["low"][0]["trace"]["samplingDecision"] and found

    after = eventually(look, timeout=60)
    assert server.metrics()["skein_session_sampling_left_out_steps_total"] == 3
    for name in traces:
        assert [s["totals"] for s in after[name]] == [s["totals"] for s in before[name]], name
    assert [s["trace"]["samplingDecision"] for s in after["low"]] == ["reduced", "reduced"]
    assert [s["trace"]["sampled"] for s in after["low"] + after["high"]] == [False, False, True, True]
    assert "keeps 0 %" in after["low"][0]["trace"]["samplingReason"]
    names = {name: sorted(s["name"] for s in server.otlp_spans(spans[0]["trace_id"].hex())) for name, spans in traces.items()}
    assert names["low"] == ["execute_tool ask", "invoke_agent helper", "invoke_agent lead"]
    assert len(names["high"]) == 6
