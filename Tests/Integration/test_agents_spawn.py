# SPDX-License-Identifier: Apache-2.0
"""An agent process that starts another one and hands its context over in the environment."""

import pytest
from orchestration import end_of, nanos, play, start_of


@pytest.fixture(scope="module")
def run(server, agents_python):
    return play(server, agents_python, "spawn.py", "lead")


def test_two_sessions_of_two_services_in_one_trace(run):
    assert run.parents() == {"lead": None, "worker": "lead"}
    services = {agent: s["serviceName"] for agent, s in run.sessions().items()}
    assert services == {"lead": "agent-lead", "worker": "agent-worker"}
    assert {s["traceId"] for s in run.whole["sessions"]} == {run.trace_id}


def test_baggage_came_along(run):
    assert run.truth["baggage"]["hub.task.id"] == "task-17"
    assert run.truth["baggage"]["gen_ai.agent.name"] == "lead"


def test_the_edge_crosses_a_process_boundary(run):
    assert run.edges() == [("lead", "worker", "delegate", "spawn_worker")]
    [edge] = run.whole["edges"]
    assert (edge["processBoundary"], edge["inferredBy"], edge["linkMode"]) == (True, None, "join")
    worker = run.sessions()["worker"]
    assert int(run.spans[worker["spanId"]]["flags"]) & 0x200


def test_the_start_of_the_process_is_the_handoff_gap(run):
    [edge] = run.whole["edges"]
    worker = run.sessions()["worker"]
    assert nanos(edge["handoffGapNanos"]) == start_of(worker) - start_of(edge)
    assert nanos(edge["childNanos"]) == nanos(worker["durationNanos"])
    assert nanos(edge["returnGapNanos"]) == end_of(edge) - end_of(worker)
    for name, part in (("handoffGap", "handoffGapNanos"), ("returnGap", "returnGapNanos")):
        assert run.sessions()["lead"]["timeClasses"][name] == edge[part]
    assert run.sessions()["lead"]["timeClasses"]["childAgent"] == edge["childNanos"]
    assert run.on_path("lead", **{"class": "handoffGap"}) == nanos(edge["handoffGapNanos"]) / 1e9


def test_tool_calls_and_tokens(run):
    assert run.calls() == [("lead", "spawn_worker", "success"), ("worker", "compile", "success")]
    assert run.tokens() == run.truth["tokens"]
    assert run.path() == ["lead", "worker", "lead"]
    assert run.whole["retries"] == []
