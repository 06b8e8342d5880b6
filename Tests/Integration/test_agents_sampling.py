# SPDX-License-Identifier: Apache-2.0
"""Sessions under a policy: shares as the rates say, orchestrations whole, failures kept, totals as they were."""

import json
import subprocess
import sys
from pathlib import Path

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
