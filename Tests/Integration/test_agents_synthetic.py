# SPDX-License-Identifier: Apache-2.0
"""Synthetic agent work by the batch API: every token, cent, outcome and child is told as it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from orchestration import check_sums, read

BENCH = Path(__file__).resolve().parents[2] / "bench" / "agents.py"


def bench(*words):
    done = subprocess.run([sys.executable, BENCH, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sent(server, tmp_path_factory):
    """The truth of 500 sessions that the server was given."""
    path = tmp_path_factory.mktemp("agents") / "work"
    bench("write", "--sessions", 500, "--out", path)
    bench("send", "--in", path, "--url", server.web)
    return path, json.loads(path.with_suffix(".truth.json").read_text())


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
