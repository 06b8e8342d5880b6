# SPDX-License-Identifier: Apache-2.0
"""Synthetic agent work by the batch API: every token, cent, outcome and child is told as it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from orchestration import check_sums, read

BENCH = Path(__file__).resolve().parents[2] / "bench" / "agents.py"
sys.path.append(str(BENCH.parent))
import agents  # noqa: E402


def bench(*words):
    done = subprocess.run([sys.executable, BENCH, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """(prefix of the files, truth) of 500 sessions."""
    path = tmp_path_factory.mktemp("agents") / "work"
    bench("write", "--sessions", 500, "--out", path)
    return path, json.loads(path.with_suffix(".truth.json").read_text())


@pytest.fixture(scope="module")
def sent(server, written):
    """The same once the server has them."""
    bench("send", "--in", written[0], "--url", server.web)
    return written


def told(lines):
    """What a reader of the lines would say about each session, in the terms of `GET sessions`."""
    sessions = {}
    for line in map(json.loads, lines):
        if line["op"] == "session.start":
            fields = dict(taskPriority=line["taskPriority"], parentSessionId=line.get("parentSessionId"))
            sessions[line["sessionId"]] = {**fields, "totals": dict.fromkeys(agents.COUNTS, 0) | {"usd": 0}}
            continue
        session = sessions[line["sessionId"]]
        if line["op"] == "session.end":
            session["outcome"] = line["outcome"]
        elif line["op"] == "step.start":
            totals, kind, usage = session["totals"], line["stepAction"].split(":")[0], line.get("usage", {})
            totals["steps"] += 1
            totals["llmCalls"] += kind == "llm"
            totals["toolCalls"] += kind == "tool"
            totals["toolErrors"] += kind == "tool" and line["stepOutcome"] == "failure"
            for key, n in usage.items():
                totals[key] += n
    return sessions


def test_the_truth_is_what_the_lines_say(written):
    path, truth = written
    records = told(path.with_suffix(".ndjson").read_text().splitlines())
    assert records.keys() == truth.keys() and len(truth) == 500
    assert list(agents.differences(truth, records)) == []
    records.pop("ses_17_0")
    records["ses_17_1"]["totals"]["usd"] += 1e-6
    found = list(agents.differences(truth, records))
    assert found[0] == "ses_17_0 is missing" and found[1].startswith("ses_17_1: microUsd is ") and len(found) == 2


def test_bounds_hold_nearly_all_of_a_binomial_variable():
    assert agents.binomial_bounds(1000, 1.0) == (1000, 1000)
    assert agents.binomial_bounds(1000, 0.0) == (0, 0)
    assert agents.binomial_bounds(1000, 0.5) == (448, 552)


def test_every_session_is_kept_and_told_as_it_was(server, sent):
    path, _ = sent
    assert "500 of 500 sessions read, 0 differences" in bench("check", "--in", path, "--url", server.web)


def test_sending_it_again_changes_nothing(server, sent):
    path, _ = sent
    bench("send", "--in", path, "--url", server.web)
    bench("check", "--in", path, "--url", server.web)


def test_the_orchestration_holds_the_whole_forest(server, sent):
    _, truth = sent
    root = max(truth, key=lambda sid: sum(t["root"] == sid for t in truth.values()))
    forest = {sid: t for sid, t in truth.items() if t["root"] == root}
    whole = read(server, f"orchestrations/{root}")
    check_sums(whole)
    assert whole["rootSessionId"] == root
    assert {s["sessionId"]: s["parentSessionId"] for s in whole["sessions"]} == {
        sid: t["parent"] for sid, t in forest.items()
    }
    assert {e["kind"] for e in whole["edges"]} == {"delegate"}
    assert len(whole["toolCalls"]) == sum(t["toolCalls"] for t in forest.values())
    assert len(whole["retries"]) == sum(t["toolErrors"] for t in forest.values())
    assert round(whole["usage"]["usd"] * 1e6) == sum(t["microUsd"] for t in forest.values())
    assert whole["usage"]["inputTokens"] == sum(t["inputTokens"] for t in forest.values())


def test_a_session_of_many_steps(server, tmp_path):
    bench("write", "--steps", 5000, "--seed", 5, "--out", tmp_path / "long")
    bench("send", "--in", tmp_path / "long", "--url", server.web)
    bench("check", "--in", tmp_path / "long", "--url", server.web)
    session = read(server, "sessions/ses_long_5")
    assert len(session["steps"]) == 5000
    check_sums(read(server, "orchestrations/ses_long_5"))
