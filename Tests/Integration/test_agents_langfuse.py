# SPDX-License-Identifier: Apache-2.0
"""The Langfuse SDK, told nothing but where: it appends its own path and brings Basic credentials."""

import base64

import otlp
import pytest
from orchestration import play
from server import request


@pytest.fixture(scope="module")
def run(server, agents_python):
    return play(server, agents_python, "langfuse_sdk.py")


def test_its_spans_arrive(run):
    names = sorted(span["name"] for span in run.spans.values())
    assert names == ["answer", "answer", "librarian", "search", "search"]


def test_its_path_answers_as_that_of_otlp(server):
    path, credentials = "/api/public/otel/v1/traces", base64.b64encode(b"pk-lf-1:sk-lf-2").decode()
    headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Basic {credentials}"}
    trace = otlp.trace_id()
    answer = request(server.otlp_http, "POST", path, otlp.export(otlp.span(trace)), headers)
    assert (answer.status, answer.body, answer.type) == (200, b"", "application/x-protobuf")
    assert len(server.otlp_spans(trace.hex())) == 1
    for bad in ({"method": "GET"}, {"content_type": "text/plain"}, {"encoding": "br"}, {"body": b"\xff"}):
        known, other = (server.post(**{"body": b"", **bad}, path=p) for p in ("/v1/traces", path))
        assert (other.status, other.body) == (known.status, known.body)
        assert other.status >= 400


def test_one_session_with_its_key_tokens_and_cost(run):
    assert run.parents() == {"librarian": None}
    assert run.whole["sessionKey"] == "task-17"
    assert run.tokens() == run.truth["tokens"]
    assert run.model_calls() == {"librarian": 2}
    assert run.whole["usage"]["usd"] == pytest.approx(run.truth["usd"])


def test_the_second_search_is_a_retry(run):
    assert run.calls() == [("librarian", "search", "failure"), ("librarian", "search", "success")]
    [retry] = run.whole["retries"]
    assert (retry["name"], retry["attempts"], retry["succeeded"]) == ("search", 2, True)
    assert run.path() == ["librarian"]
