# SPDX-License-Identifier: Apache-2.0
"""pydantic-ai: a lead with two sub-agents at once and a tool that wanted a second attempt."""

import pytest
from orchestration import attributes, end_of, nanos, play, read, start_of


@pytest.fixture(scope="module")
def run(server, agents_python):
    return play(server, agents_python, "pydantic_delegate.py")


def test_every_agent_is_a_session_below_the_one_that_asked(run):
    assert run.parents() == {"lead": None, "researcher": "lead", "reviewer": "lead"}
    lead = run.sessions()["lead"]
    assert run.whole["rootSessionId"] == lead["sessionId"] == f"{run.trace_id}:{lead['spanId']}"
    assert run.whole["traceId"] == run.trace_id
    assert {(s["state"], s["outcome"], s["serviceName"]) for s in run.whole["sessions"]} == {
        ("ended", "success", "research-desk")
    }
    assert not any(s["background"] for s in run.whole["sessions"])


def test_the_conversation_of_the_lead_is_the_key_of_the_whole(run):
    lead = run.sessions()["lead"]
    assert run.whole["sessionKey"] == attributes(run.spans[lead["spanId"]])["gen_ai.conversation.id"]


def test_a_logical_tool_call_for_each_decision(run):
    assert sorted(run.calls()) == [
        ("lead", "ask_researcher", "success"),
        ("lead", "ask_reviewer", "success"),
        ("lead", "lookup", "failure"),
        ("lead", "lookup", "success"),
        ("researcher", "web_search", "success"),
    ]
    assert all([layer["layer"] for layer in call["layers"]] == ["agent"] for call in run.whole["toolCalls"])
    assert run.whole["errorCount"] == 1
    assert run.sessions()["lead"]["fanOut"] == run.in_flight("lead") >= 2


def test_tokens_are_those_of_the_model_calls_once(run):
    assert run.tokens() == run.truth["tokens"]
    assert run.model_calls() == run.truth["requests"]
    assert run.whole["usage"]["inputTokens"] == sum(i for i, _ in run.truth["tokens"].values())


def test_the_edges_are_the_tools_that_asked(run):
    assert run.edges() == [
        ("lead", "researcher", "delegate", "ask_researcher"),
        ("lead", "reviewer", "delegate", "ask_reviewer"),
    ]
    for edge in run.whole["edges"]:
        assert run.spans[edge["spanId"]]["name"] == f"execute_tool {edge['toolName']}"
        assert (edge["linkMode"], edge["processBoundary"], edge["inferredBy"]) == ("join", False, None)
        assert nanos(edge["childNanos"]) > 0
        [call] = [c for c in run.whole["toolCalls"] if c["spanId"] == edge["spanId"]]
        assert call["childSessionIds"] == [edge["toSessionId"]]


def test_the_second_attempt_is_a_retry(run):
    first, second = [c for c in run.whole["toolCalls"] if c["toolName"] == "lookup"]
    assert (first["attempt"], second["attempt"], second["retryOf"]) == (1, 2, first["spanId"])
    [retry] = run.whole["retries"]
    assert (retry["kind"], retry["name"], retry["attempts"], retry["succeeded"]) == ("tool", "lookup", 2, True)
    assert retry["spanIds"] == [first["spanId"], second["spanId"]]
    assert nanos(retry["wastedNanos"]) == start_of(second) - start_of(first)
    assert run.whole["loops"] == []


def test_the_critical_path_goes_through_the_slower_agent(run):
    assert run.path() == ["lead", "researcher", "lead"]
    assert run.on_path("researcher", **{"class": "tool"}) >= 0.19
    [search] = [s for s in run.whole["criticalPath"] if s["name"] == "execute_tool web_search"]
    assert nanos(search["savedIfHalvedNanos"]) > 0
    critical = {c["toolName"]: c["onCriticalPath"] for c in run.whole["toolCalls"] if c["toolName"] != "lookup"}
    assert critical == {"ask_researcher": True, "ask_reviewer": False, "web_search": True}


def test_time_is_where_it_was_spent(run):
    assert run.seconds("researcher", "tool") >= 0.19
    assert run.seconds("lead", "childAgent") >= 0.15
    assert run.seconds("reviewer", "tool") == run.seconds("lead", "humanWait") == 0
    assert all(run.seconds(agent, "llm") > 0 for agent in run.sessions())


def test_the_graph_draws_agents_and_tools(run):
    nodes = {n["id"]: (n["count"], n["errorCount"]) for n in run.whole["graph"]["nodes"]}
    edges = {(e["from"], e["to"], e["kind"]): e["count"] for e in run.whole["graph"]["edges"]}
    assert {"agent:lead": (1, 0), "agent:researcher": (1, 0), "tool:lookup": (2, 1)}.items() <= nodes.items()
    assert {
        ("agent:lead", "agent:researcher", "delegate"): 1,
        ("agent:lead", "tool:lookup", "calls"): 2,
        ("agent:researcher", "tool:web_search", "calls"): 1,
    }.items() <= edges.items()


def test_its_sessions_and_tools_are_listed(run):
    sessions = read(run.server, "sessions", traceId=run.trace_id)["sessions"]
    assert {s["agentName"] for s in sessions} == {"lead", "researcher", "reviewer"}
    assert {s["source"] for s in sessions} == {"spans"}
    tools = {row["toolName"]: row for row in read(run.server, "tools", traceId=run.trace_id)["tools"]}
    assert {name: row["callCount"] for name, row in tools.items()} == {
        "ask_researcher": 1,
        "ask_reviewer": 1,
        "lookup": 2,
        "web_search": 1,
    }
    assert (tools["lookup"]["errorCount"], tools["lookup"]["retryCount"]) == (1, 1)


def test_the_whole_ends_with_its_root(run):
    assert end_of(run.whole) == end_of(run.sessions()["lead"])
    assert run.whole["truncated"] is False
