# SPDX-License-Identifier: Apache-2.0
"""Agents record their own work: over HTTP, by `do-trace`, in batches; and nothing accepted is lost."""

import hashlib
import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import pytest
from server import request

BASE = "/api/worktrace/v1/"


def call(server, method, path, body=None, headers=None, kind="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
    answer = request(server.web, method, BASE + path, data, {"content-type": kind, **(headers or {})})
    return answer.status, answer.json


def attributes(server, trace):
    """The spans of a stored trace, each as its attributes and its name."""
    spans = []
    for resource in server.get(f"/api/skein/v1/traces/{trace}").json["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                values = {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}
                spans.append({**span, "name": span["name"], "values": values})
    return spans


def test_ids_are_computed_alike_everywhere(serve):
    server = serve()
    status, answer = call(server, "POST", "sessions", {"sessionId": "ses_7f3", "agentName": "coder"})
    assert status == 201
    assert answer["traceId"] == hashlib.sha256(b"wt:t:ses_7f3").hexdigest()[:32]
    assert answer["spanId"] == hashlib.sha256(b"wt:s:ses_7f3/").hexdigest()[:16]
    status, step = call(server, "POST", "sessions/ses_7f3/steps", {"stepId": "st_1", "stepAction": "tool:grep"})
    assert (status, step["spanId"]) == (201, hashlib.sha256(b"wt:s:ses_7f3/st_1").hexdigest()[:16])
    assert set(answer["env"]) >= {"TRACEPARENT", "TRACESTATE", "BAGGAGE", "WORKTRACE_SESSION_ID"}


def test_what_was_answered_survives_a_kill(serve):
    """Sessions and steps are started and ended while the process is killed again and again."""
    server = serve()
    answered = {}
    for round in range(3):
        session = f"kill-{round}"
        status, started = call(server, "POST", "sessions", {"sessionId": session, "agentName": "coder"})
        assert status == 201
        stop = threading.Event()
        known = answered.setdefault(session, {"trace": started["traceId"], "open": set(), "done": set()})

        def work(worker):
            index = 0
            while not stop.is_set():
                step = f"{worker}-{index}"
                index += 1
                try:
                    body = {"stepId": step, "stepAction": "tool:grep", "stepContext": {"n": index}}
                    if call(server, "POST", f"sessions/{session}/steps", body)[0] not in (201, 202):
                        continue
                    known["open"].add(step)
                    if index % 2:
                        done = call(server, "PATCH", f"sessions/{session}/steps/{step}", {"stepOutcome": "success"})
                        if done[0] in (200, 202):
                            known["done"].add(step)
                except (OSError, http.client.HTTPException):
                    return

        workers = [threading.Thread(target=work, args=(n,)) for n in range(3)]
        for worker in workers:
            worker.start()
        time.sleep(1.0)
        server.kill()
        stop.set()
        for worker in workers:
            worker.join()
        assert known["done"], "nothing was answered in this round"
        server.start()
    for session, known in answered.items():
        status, ended = call(server, "POST", f"sessions/{session}/end", {"outcome": "success"})
        assert status == 200, ended
        stored = {s["values"].get("worktrace.step.id"): s["values"] for s in attributes(server, known["trace"])}
        missing = known["open"] - set(stored)
        assert not missing, f"{len(missing)} of {len(known['open'])} steps are lost"
        for step in known["done"]:
            assert stored[step]["worktrace.step.outcome"] == "success"
        assert call(server, "POST", f"sessions/{session}/end", {"outcome": "success"})[0] == 200
        assert call(server, "POST", f"sessions/{session}/end", {"outcome": "failure"})[0] == 409
    assert server.stop() == 0


def test_a_batch_takes_what_it_can(serve):
    server = serve()
    lines = [
        {"op": "step.end", "sessionId": "b", "stepId": "x", "stepOutcome": "success"},
        {"op": "step.start", "sessionId": "b", "stepId": "x", "stepAction": "llm:plan"},
        {"op": "dance"},
        {"op": "session.start", "sessionId": "b", "agentName": "planner"},
        {"op": "message", "messageId": "m1", "from": "agent:planner", "text": "hello"},
        {"op": "session.end", "sessionId": "b", "outcome": "success"},
    ]
    body = "\n".join(json.dumps(line) for line in lines).encode()
    status, answer = call(server, "POST", "batch", body, kind="application/x-ndjson")
    assert status == 200
    assert (answer["accepted"], answer["rejected"]) == (5, 1)
    assert answer["results"][2]["problem"]["code"] == "invalid-field"
    sent = server.get(BASE + "messages?sessionId=b").json["messages"]
    assert [(m["messageId"], m["relation"], m["bytes"], m["text"]) for m in sent] == [("m1", "sent", 5, None)]


def test_messages_are_found_after_a_kill(serve):
    server = serve()
    _, session = call(server, "POST", "sessions", {"sessionId": "a", "agentId": "coder"})
    call(server, "POST", "sessions", {"sessionId": "b", "agentId": "reviewer"})
    status, _ = call(
        server, "POST", "messages", {"messageId": "m", "threadId": "grp", "from": "agent:coder", "to": ["agent:reviewer"]}
    )
    assert status == 201
    call(server, "POST", "sessions/b/steps", {"stepId": "r", "stepAction": "plan", "messageIds": ["m"]})
    server.kill()
    server.start()
    assert server.get(BASE + f"messages?traceId={session['traceId']}").json["messages"][0]["relation"] == "sent"
    assert server.get(BASE + "messages?sessionId=b").json["messages"][0]["relation"] == "triggered"
    trace = server.get(BASE + "messages/m/trace").json
    assert trace["sessionId"] == "a" and trace["causedSteps"][0]["stepId"] == "r"
    assert server.get(BASE + "messages/none/trace").json["code"] == "unknown-message"


def test_the_stream_tells_what_goes_on(serve):
    server = serve()
    call(server, "POST", "sessions", {"sessionId": "live", "agentName": "coder"})
    connection = http.client.HTTPConnection(urlsplit(server.web).netloc, timeout=30)
    connection.request("GET", BASE + "stream?sessionId=live")
    stream = connection.getresponse()
    assert stream.status == 200 and stream.getheader("content-type").startswith("text/event-stream")
    assert stream.readline().startswith(b":")
    call(server, "POST", "sessions/live/steps", {"stepId": "x", "stepAction": "tool:grep"})
    call(server, "PATCH", "sessions/live/steps/x", {"stepContext": {"n": 1}})
    call(server, "PATCH", "sessions/live/steps/x", {"stepOutcome": "success"})
    events = []
    while len(events) < 3:
        line = stream.readline().decode().strip()
        if line.startswith("event:"):
            events.append((line[6:].strip(), json.loads(stream.readline()[5:])))
    assert [name for name, _ in events] == ["span.start", "span.update", "span.end"]
    assert events[0][1]["durationNanos"] is None and events[0][1]["name"] == "execute_tool grep"
    assert events[2][1]["outcome"] == "success" and events[2][1]["durationNanos"].isdigit()
    connection.close()


def test_each_action_of_do_trace_is_a_tool_where_that_is_asked_for(serve):
    server = serve("data", "--worktrace-tools", "each")

    def ask(method, **params):
        headers = {"content-type": "application/json", "mcp-protocol-version": "2025-11-25"}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return request(server.web, "POST", "/mcp", json.dumps(body).encode(), headers).json["result"]

    tools = {t["name"]: t for t in ask("tools/list")["tools"] if t["name"].startswith("do-trace")}
    assert len(tools) == 12 and "do-trace" not in tools
    log = tools["do-trace-log-step"]["inputSchema"]
    assert log["required"] == ["stepAction"] and {"sessionId", "stepOutcome", "startedAgoMs", "usage"} <= set(log["properties"])
    assert not {"action", "query", "taskPriority", "childAgentId"} & set(log["properties"])
    assert tools["do-trace-bottlenecks"]["annotations"]["readOnlyHint"] and not tools["do-trace-spawn"]["annotations"]["readOnlyHint"]
    session = ask("tools/call", name="do-trace-start-session", arguments={"agentId": "coder"})["structuredContent"]
    step = {"sessionId": session["sessionId"], "stepAction": "tool:grep"}
    assert not ask("tools/call", name="do-trace-log-step", arguments=step)["isError"]
    # The one tool is answered, too.
    end = {"action": "end_session", "sessionId": session["sessionId"]}
    assert ask("tools/call", name="do-trace", arguments=end)["structuredContent"]["outcome"] == "success"
    found = ask("tools/call", name="do-trace-find-sessions", arguments={"query": {"agent": "coder"}})["structuredContent"]
    assert [s["totals"]["toolCalls"] for s in found["sessions"]] == [1]


def test_do_trace_records_and_answers_in_one_call_a_step(serve):
    server = serve()

    def tool(meta=None, **arguments):
        params = {"name": "do-trace", "arguments": arguments}
        if meta:
            params["_meta"] = meta
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        answer = request(
            server.web,
            "POST",
            "/mcp",
            json.dumps(body).encode(),
            {"content-type": "application/json", "mcp-protocol-version": "2025-11-25"},
        ).json["result"]
        assert answer["content"][0]["type"] == "text"
        return answer["isError"], answer["structuredContent"]

    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    failed, session = tool({"traceparent": parent}, action="start_session", agentId="coder", taskPriority="high")
    assert not failed and session["traceId"] == parent[3:35]
    assert session["url"] == f"{server.web}/trace/{session['traceId']}"
    failed, step = tool(
        action="log_step", sessionId=session["sessionId"], stepAction="tool:grep", startedAgoMs=250, stepOutcome="failure"
    )
    assert not failed and step["spanId"] != session["spanId"]
    failed, spawned = tool(action="spawn", sessionId=session["sessionId"], childAgentId="reviewer", task="look")
    assert not failed and spawned["env"]["WORKTRACE_PARENT_STEP_ID"] == spawned["stepId"]
    failed, ended = tool(action="end_session", sessionId=session["sessionId"], outcome="success")
    assert ended == {"sessionId": session["sessionId"], "stepId": None, "outcome": "success"}
    failed, problem = tool(action="end_step", sessionId="none", stepId="x")
    assert failed and problem["code"] == "unknown-session"
    failed, problem = tool(action="sing")
    assert failed and problem["field"] == "/action"
    spans = {s["values"].get("worktrace.step.id", ""): s for s in attributes(server, session["traceId"])}
    assert spans[step["stepId"]]["values"]["error.type"] == "failure"
    assert int(spans[step["stepId"]]["endTimeUnixNano"]) - int(spans[step["stepId"]]["startTimeUnixNano"]) == 250_000_000
    assert spans[""]["parentSpanId"] == parent[36:52]


@pytest.mark.parametrize("keep", [False, True])
def test_content_stays_away_from_the_disk_unless_it_is_kept(serve, keep):
    server = serve("data", "--worktrace-content", "keep" if keep else "drop")
    call(server, "POST", "sessions", {"sessionId": "c", "agentName": "coder"})
    call(
        server,
        "POST",
        "sessions/c/steps",
        {"stepId": "x", "stepAction": "tool:sh", "tool": {"arguments": "s3cret-argument"}, "stepOutcome": "success"},
    )
    call(server, "POST", "messages", {"messageId": "m", "from": "agent:coder", "text": "s3cret-text"})
    server.kill()
    found = [p for p in server.data_dir.rglob("*") if p.is_file() and b"s3cret" in p.read_bytes()]
    assert bool(found) == keep
