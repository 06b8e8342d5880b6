# SPDX-License-Identifier: Apache-2.0
"""What real agents once sent, sent again: the orchestration is what `agents/recorded/README.md` says happened.

The frameworks that are installed for the tests have files of their own, which run them; here are all, without any."""

import json

import pytest
from orchestration import SCENARIOS, Run

OPENAI = dict(
    parents={"triage": None, "helper": "triage", "coder": "triage"},
    calls=[("triage", "ask_helper", "success"), ("coder", "run_tests", "success")],
    tokens={"triage": [210, 41], "helper": [100, 20], "coder": [210, 41]},
    edges=[("triage", "helper", "delegate", "ask_helper"), ("triage", "coder", "handoff", None)],
)
MCP = dict(
    parents={"host": None},
    calls=[("host", "add", "success"), ("host", "fail", "failure"), *[("host", "slow", "success")] * 4],
    tokens={"host": [0, 0]},
    edges=[],
)
TRUTH = {
    "pydantic-delegate": dict(
        parents={"lead": None, "researcher": "lead", "reviewer": "lead"},
        calls=[
            ("lead", "ask_researcher", "success"),
            ("lead", "ask_reviewer", "success"),
            ("lead", "lookup", "failure"),
            ("researcher", "web_search", "success"),
            ("lead", "lookup", "success"),
        ],
        tokens={"lead": [204, 56], "researcher": [104, 13], "reviewer": [51, 2]},
        edges=[
            ("lead", "researcher", "delegate", "ask_researcher"),
            ("lead", "reviewer", "delegate", "ask_reviewer"),
        ],
        retries=[("lookup", 2)],
    ),
    "spawn": dict(
        parents={"lead": None, "worker": "lead"},
        calls=[("lead", "spawn_worker", "success"), ("worker", "compile", "success")],
        tokens={"lead": [107, 11], "worker": [107, 11]},
        edges=[("lead", "worker", "delegate", "spawn_worker")],
    ),
    "openai-openinference": OPENAI,
    "openai-openllmetry": OPENAI,
    "openai-logfire": OPENAI,
    "mcp-stdio-2025-11-25": MCP,
    "mcp-stdio-2026-07-28": MCP,
    "mcp-http-2025-11-25": MCP,
    "mcp-http-2026-07-28": MCP,
    "langfuse": dict(
        parents={"librarian": None},
        calls=[("librarian", "search", "failure"), ("librarian", "search", "success")],
        tokens={"librarian": [270, 70]},
        edges=[],
        retries=[("search", 2)],
    ),
    "smolagents": dict(
        parents={"manager": None, "researcher": "manager"},
        calls=[
            ("researcher", "lookup", "success"),
            ("researcher", "final_answer", "success"),
            ("manager", "final_answer", "success"),
        ],
        tokens={"manager": [20, 4], "researcher": [20, 4]},
        edges=[("manager", "researcher", "delegate", None)],
    ),
    "langgraph": dict(
        parents={"improver": None},
        calls=[("improver", "measure", "success")] * 3,
        tokens={"improver": [90, 21]},
        edges=[],
        loops=[("graph", ["plan", "act", "check"], 3)],
    ),
}


@pytest.fixture(scope="module", params=TRUTH)
def run(request, server):
    lines = (SCENARIOS / "recorded" / f"{request.param}.jsonl").read_text().splitlines()
    for line in lines:
        assert server.post(json.loads(line)).status == 200
    roots = [
        (span["traceId"], span["name"])
        for line in lines
        for group in json.loads(line)["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
        if "parentSpanId" not in span
    ]
    [trace_id] = {trace_id for trace_id, name in roots if not name.startswith("notifications/")}
    run = Run(server, trace_id)
    run.expected = {"retries": [], "loops": [], **TRUTH[request.param]}
    return run


def test_sessions(run):
    assert run.parents() == run.expected["parents"]


def test_logical_tool_calls(run):
    assert run.calls() == run.expected["calls"]


def test_tokens(run):
    assert run.tokens() == run.expected["tokens"]


def test_edges(run):
    assert run.edges() == run.expected["edges"]


def test_retries_and_loops(run):
    assert [(r["name"], r["attempts"]) for r in run.whole["retries"]] == run.expected["retries"]
    assert [(x["kind"], x["pattern"], x["count"]) for x in run.whole["loops"]] == run.expected["loops"]
