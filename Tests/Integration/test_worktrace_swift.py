# SPDX-License-Identifier: Apache-2.0
"""Sessions that the Swift SDK records read back as those that agents post themselves do."""

import pytest
from server import eventually
from test_sdk import emit, emitter  # noqa: F401

BASE = "/api/worktrace/v1/"


@pytest.fixture
def swift(serve, emit):  # noqa: F811
    """A server with the orchestration of `SpanEmitter agents`."""
    server = serve()
    code, output, _ = emit("agents", OTEL_EXPORTER_OTLP_ENDPOINT=server.otlp_http)
    assert code == 0, output
    eventually(lambda: len(whole(server).get("sessions", [])) == 2)
    return server


def whole(server):
    return server.get(BASE + "orchestrations/ses_lead").json


def test_a_spawned_process_joins_the_session_that_started_it(swift):
    lead = swift.get(BASE + "sessions/ses_lead").json
    assert (lead["agentName"], lead["taskId"], lead["taskPriority"]) == ("lead", "task-17", "normal")
    assert (lead["state"], lead["outcome"]) == ("ended", "success")
    steps = {step["stepAction"]: step for step in lead["steps"]}
    assert steps["tool:grep"]["parentStepId"] == steps["tool:read"]["parentStepId"] == steps["plan"]["stepId"]
    assert steps["tool:grep"]["stepContext"] == {"query": "timeout"}
    assert steps["tool:flaky"]["stepOutcome"] == "failure" and "Flaky" in steps["tool:flaky"]["error"]["type"]
    assert steps["llm:gpt-5"]["usage"]["inputTokens"] in (100, "100")
    [child] = lead["childSessionIds"]
    reviewer = swift.get(BASE + f"sessions/{child}").json
    assert (reviewer["agentName"], reviewer["parentSessionId"]) == ("reviewer", "ses_lead")
    assert reviewer["rootSessionId"] == "ses_lead"
    # It asked for `low`, and never lowers what it came with.
    assert reviewer["taskPriority"] == "normal"
    assert reviewer["parentStepId"] == steps["agent:reviewer"]["stepId"]


def test_the_orchestration_has_edges_tokens_and_a_critical_path(swift):
    orchestration = whole(swift)
    assert [session["agentName"] for session in orchestration["sessions"]] == ["lead", "reviewer"]
    assert len(orchestration["edges"]) >= 1
    assert {step["agentName"] for step in orchestration["criticalPath"]} == {"lead", "reviewer"}
