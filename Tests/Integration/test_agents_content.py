# SPDX-License-Identifier: Apache-2.0
"""What agents say comes over OTLP, too: kept only where the server is told to, never in the clear where a rule masks it.
And what Claude Code says of its calls in log records alone is part of its sessions; what calls cost of which nobody says it,
prices of models tell."""

import otlp
import pytest
from server import eventually

BASE = "/api/worktrace/v1/"


def conversation(server):
    [session] = server.get(BASE + "sessions").json["sessions"]
    return session, server.get(BASE + f"sessions/{session['sessionId']}/conversation").json


def send(server, service, *spans):
    assert server.post(otlp.export(*spans, service=service)).status == 200


@pytest.mark.parametrize("keep", [False, True])
def test_content_of_spans_and_logs_stays_away_from_the_disk_unless_it_is_kept(serve, keep):
    arguments = ["--worktrace-content", "keep"] if keep else []
    server = serve("data", "--scrub-rules", "detect: tokens", *arguments)
    trace, agent = otlp.trace_id(), otlp.span_id()
    token = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    said = [{"role": "user", "content": "s3cret words"}, {"role": "user", "content": f"use {token}"}]
    message = {"name": "gen_ai.user.message", "attributes": {"content": "s3cret event"}}
    send(
        server,
        "agents",
        otlp.span(
            trace, agent, name="run", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "coder"}
        ),
        otlp.span(
            trace,
            parent=agent,
            name="chat",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": said,
                "gen_ai.usage.input_tokens": 7,
                "gen_ai.usage.output_tokens": 2,
            },
            events=[message],
        ),
        otlp.span(
            trace,
            parent=agent,
            name="sh",
            attributes={"openinference.span.kind": "TOOL", "tool.name": "sh", "input.value": "s3cret argument"},
        ),
    )
    send(server, "shop", otlp.span(otlp.trace_id(), attributes={"input.value": "plain words of a service"}))
    record = {"traceId": trace.hex(), "eventName": "gen_ai.choice", "body": {"stringValue": "s3cret log"}}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert server.post(logs, path="/v1/logs").status == 200

    session, told = conversation(server)
    assert session["totals"]["inputTokens"] == 7 and session["totals"]["toolCalls"] == 1, session
    assert told["contentState"] == ("kept" if keep else "dropped")
    texts = [turn["text"] for turn in told["turns"]]
    assert ("s3cret words" in texts) == keep
    assert any("[redacted token]" in text for text in texts) == keep
    assert server.search('{ span.input.value = "plain words of a service" }')["traces"]
    counted = server.metrics().get('skein_content_values_total{signal="spans",change="dropped"}', 0)
    assert counted == (0 if keep else 3)
    server.kill()
    files = [path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file()]
    assert any(b"s3cret" in data for data in files) == keep
    assert not any(token.encode() in data for data in files)


def test_the_cost_of_claude_code_is_taken_from_its_log_records(serve):
    server = serve()
    trace, interaction, call = otlp.trace_id(), otlp.span_id(), otlp.span_id()
    tokens = {"model": "claude-5", "input_tokens": 12, "output_tokens": 3, "cache_read_tokens": 100}
    send(
        server,
        "claude-code",
        otlp.span(
            trace, interaction, name="claude_code.interaction", attributes={"gen_ai.operation.name": "invoke_agent"}
        ),
        otlp.span(
            trace, call, interaction, "claude_code.llm_request", attributes=tokens | {"gen_ai.response.id": "req_1"}
        ),
    )
    facts = {"event.name": "api_request", "request_id": "req_1", "cost_usd": "0.0421"}
    record = {
        "traceId": trace.hex(),
        "spanId": interaction.hex(),
        "timeUnixNano": str(otlp.now()),
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in facts.items()],
    }
    scope = {"name": "com.anthropic.claude_code.events"}
    logs = {"resourceLogs": [{"scopeLogs": [{"scope": scope, "logRecords": [record]}]}]}
    assert server.post(logs, path="/v1/logs").status == 200
    session, told = conversation(server)
    assert session["totals"]["usd"] == 0.0421 and session["totals"]["inputTokens"] == 112, session
    assert told["contentState"] == "absent"


def test_prices_of_models_stand_in_a_file_that_is_followed(serve, run, folder):
    prices = folder / "prices.yaml"
    prices.write_text("model_prices:\n  - {model: big-5*, input: 2, output: 10}\n")
    server = serve("data", "--model-prices", prices)
    trace = otlp.trace_id()
    facts = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "Big-5-mini"}
    facts |= {"gen_ai.usage.input_tokens": 500_000, "gen_ai.usage.output_tokens": 100_000}
    send(
        server,
        "agents",
        otlp.span(trace, name="chat", attributes=facts),
        otlp.span(trace, name="chat", attributes=facts | {"worktrace.cost.usd": 0.25}),
    )
    cost = lambda: server.get(BASE + f"orchestrations/{trace.hex()}").json["usage"]["usd"]
    assert cost() == 2.25
    prices.write_text("model_prices:\n  - {model: big-5*, input: 20, output: 100}\n")
    eventually(lambda: cost() == 20.25)
    prices.write_text("model_prices:\n  - {model: big-5*, input: cheap, output: 100}\n")
    eventually(lambda: server.metrics()["skein_model_prices_failed"] == 1)
    assert cost() == 20.25
    for text, says in (
        ("prices: []", "prices"),
        ("model_prices:\n  - {model: a, input: 1}", "line 2"),
        ("model_prices:\n  - {model: a*, input: 1, output: 1}\n  - {model: ab, input: 1, output: 1}", "never asked for"),
        ("model_prices:\n  - {model: a, input: -1, output: 1}", "-1"),
    ):
        prices.write_text(text)
        done = run("serve", "--data-dir", folder / "other", "--model-prices", prices)
        assert done.returncode != 0 and says in done.stderr and str(prices) in done.stderr, done
