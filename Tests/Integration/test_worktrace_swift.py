# SPDX-License-Identifier: Apache-2.0
"""Sessions that the Swift SDK records read back as those that agents post themselves do."""

import hashlib
import subprocess

import pytest
from server import eventually
from test_sdk import emit, emitter  # noqa: F401
from test_worktrace import call

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


def test_ids_are_those_that_the_server_itself_computes(swift):
    lead = swift.get(BASE + "sessions/ses_lead").json
    assert lead["trace"]["traceId"] == hashlib.sha256(b"wt:t:ses_lead").hexdigest()[:32]
    assert lead["trace"]["spanId"] == hashlib.sha256(b"wt:s:ses_lead/").hexdigest()[:16]
    assert lead["title"] == "Fix it" and lead["budget"] == {"usd": 2.5}
    [step] = [step for step in lead["steps"] if step["stepId"] == "st_ask"]
    assert step["spanId"] == hashlib.sha256(b"wt:s:ses_lead/st_ask").hexdigest()[:16]
    # A session that starts with nothing but these ids hangs below the span that Swift recorded.
    above = {"parentSessionId": "ses_lead", "parentStepId": "st_ask"}
    _, late = call(swift, "POST", "sessions", {"sessionId": "late", "agentName": "late"} | above)
    assert late["traceId"] == lead["trace"]["traceId"]


def test_the_exporter_of_the_hub_shows_a_session_while_it_goes_on(serve, emitter):  # noqa: F811
    server = serve()
    program = subprocess.Popen(
        [emitter, "agent-live", server.web], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def session():
        return server.get(BASE + "sessions/ses_live").json

    try:
        eventually(lambda: {step["stepId"] for step in session().get("steps", [])} == {"st_ask", "st_wait"})
        live = session()
        assert (live["state"], live["outcome"], live["taskId"]) == ("waiting", None, "task_9")
        assert (live["title"], live["labels"]) == ("Wait", {"team": "infra"})
        states = {step["stepId"]: step["stepOutcome"] for step in live["steps"]}
        assert states == {"st_ask": "success", "st_wait": "running"}
        output, _ = program.communicate("go on\n", timeout=30)
        assert program.returncode == 0 and "rejected" not in output, output
    finally:
        program.kill()
    # All was told before the program ended.
    ended = session()
    assert (ended["state"], ended["outcome"]) == ("ended", "partial")
    assert (ended["totals"]["inputTokens"], ended["totals"]["steps"]) == (9, 2)
    steps = {step["stepId"]: step for step in ended["steps"]}
    assert steps["st_wait"]["stepContext"] == {"question": "go on?"}
    spans = server.otlp_spans(ended["trace"]["traceId"])
    waited = next(span for span in spans if span["name"] == "wait:human")
    assert sorted(event["name"] for event in waited["events"]) == ["answered", "worktrace.message"]
    assert "secret" not in str(spans)
    [message] = server.get(BASE + "messages", sessionId="ses_live").json["messages"]
    assert (message["messageId"], message["trace"]["stepId"]) == ("msg_1", "st_wait")
