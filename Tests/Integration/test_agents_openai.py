# SPDX-License-Identifier: Apache-2.0
"""openai-agents: the same run is the same orchestration, whichever instrumentation reports it."""

import pytest
from orchestration import end_of, nanos, play, start_of


@pytest.fixture(scope="module", params=["openinference", "openllmetry", "logfire"])
def run(request, server, agents_python):
    run = play(server, agents_python, "openai_handoff.py", request.param)
    run.instrumentation = request.param
    return run


def test_three_sessions(run):
    assert run.parents() == {"triage": None, "helper": "triage", "coder": "triage"}
    assert run.agent(run.whole["rootSessionId"]) == "triage"
    assert {s["outcome"] for s in run.whole["sessions"]} == {"success"}


def test_an_agent_as_tool_delegates_and_a_handoff_passes_control(run):
    assert run.edges() == [("triage", "helper", "delegate", "ask_helper"), ("triage", "coder", "handoff", None)]
    delegate, handoff = run.whole["edges"]
    assert (delegate["inferredBy"] is None) == (run.instrumentation != "openllmetry")
    coder = run.sessions()["coder"]
    assert nanos(handoff["handoffGapNanos"]) == start_of(coder) - start_of(handoff)


def test_the_handoff_is_no_tool_call(run):
    assert run.calls() == [("triage", "ask_helper", "success"), ("coder", "run_tests", "success")]
    ask_helper, run_tests = run.whole["toolCalls"]
    assert ask_helper["childSessionIds"] == [run.sessions()["helper"]["sessionId"]]
    assert run_tests["childSessionIds"] == []
    assert run.whole["retries"] == run.whole["loops"] == []


def test_tokens_are_those_of_the_model_calls_once(run):
    assert run.tokens() == run.truth["tokens"]
    assert run.model_calls() == run.truth["requests"]
    assert run.whole["usage"]["cacheReadTokens"] == 5 * 40
    if run.instrumentation != "logfire":  # which leaves them inside the answer's text
        assert run.whole["usage"]["reasoningTokens"] == 5 * 5


def test_a_key_where_one_was_reported(run):
    assert run.whole["sessionKey"] == ("task-17" if run.instrumentation == "logfire" else None)


def test_the_critical_path_follows_control(run):
    assert run.path() == ["triage", "helper", "triage", "coder"]
    assert end_of(run.whole) == end_of(run.sessions()["coder"])
    assert run.on_path("coder", **{"class": "tool"}) >= 0.09
    assert run.on_path("helper", **{"class": "llm"}) >= 0.04


def test_time_is_where_it_was_spent(run):
    assert run.seconds("triage", "llm") >= 0.09
    assert run.seconds("triage", "childAgent") >= 0.04
    assert run.seconds("triage", "tool") == 0
    assert run.seconds("coder", "tool") >= 0.09
