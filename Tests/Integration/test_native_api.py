# SPDX-License-Identifier: Apache-2.0
"""The native API: order, pages, ranges, errors that point at the mistake."""

import datetime

import otlp
import pytest
from server import LISTENERS, request

COUNT = 57


@pytest.fixture(scope="module")
def traces(server):
    """Ids of traces, newest first; two of them start in the same nanosecond."""
    start = otlp.now() - 3600 * 10**9
    made = []
    for i in range(COUNT):
        trace = otlp.trace_id()
        at = start + (i - (i == COUNT - 1)) * 10**9
        made.append((at, trace.hex()))
        answer = server.post(
            otlp.export(
                otlp.span(trace, name="tick", start=at, end=at + i * 1000, attributes={"page.i": i}), service="pages"
            )
        )
        assert answer.status == 200
    return made


def ids(page):
    return [t["traceId"] for t in page["traces"]]


def test_newest_first_and_pages_join_without_gap_or_repeat(server, traces):
    whole = server.search('service = "pages"', limit=1000)
    assert whole["next"] is None and len(whole["traces"]) == COUNT
    times = [int(t["startTimeUnixNano"]) for t in whole["traces"]]
    assert times == sorted((at for at, _ in traces), reverse=True)
    for limit in (1, 7, 20, COUNT, COUNT + 1):
        paged, cursor, pages = [], {}, 0
        while True:
            page = server.search('service = "pages"', limit=limit, **cursor)
            assert len(page["traces"]) <= limit
            paged += ids(page)
            pages += 1
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
            assert pages <= COUNT + 1
        assert paged == ids(whole), f"limit {limit}"


def test_twenty_by_default(server, traces):
    assert len(server.search('service = "pages"')["traces"]) == 20
    assert server.search('service = "pages"')["inspected"]["spans"] > 0


def test_an_empty_question_asks_for_everything(server, traces):
    assert len(server.search("", limit=1000)["traces"]) >= COUNT
    assert len(server.search("{ }", limit=1000)["traces"]) >= COUNT


def test_ranges_are_half_open_and_speak_both_languages(server, traces):
    at, id = traces[10]
    inside = lambda start, end: id in ids(server.search('service = "pages"', limit=1000, start=start, end=end))
    assert inside(at, at + 10**9) and not inside(at + 10**9, at + 5 * 10**9) and not inside(at - 10**9, at)
    seconds, nanos = divmod(at, 10**9)
    text = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{nanos:09d}Z"
    assert inside(text, at + 10**9)
    [trace] = server.search('service = "pages"', limit=1000, start=text, end=at + 1)["traces"]
    assert trace["traceId"] == id


@pytest.mark.parametrize(
    "q,count",
    [
        ("page.i = 5", 1),
        ("page.i >= 50", 7),
        ('page.i != 5 and service = "pages"', COUNT - 1),
        ("page.i < 3 or page.i > 54", 5),
        ('not (page.i > 2) and service = "pages"', 3),
        ('service = "pages" and duration >= 50us', 7),
        ('service =~ "pa.*" and page.i = 1', 1),
        ('service !~ "pa.*" and page.i = 1', 0),
        ("span.page.i = 4", 1),
        ("resource.page.i = 4", 0),
        (".page.i = 4", 1),
        ('{ span.page.i = 4 && name = "tick" }', 1),
        ('operation = "tick" AND page.i = 4', 1),
        ("error = false and page.i = 4", 1),
        ("status = unset and page.i = 4", 1),
        ("kind = internal && page.i = 4", 1),
        ("{ .page.i = 4 || .page.i = 5 }", 2),
        ('page.i = "4"', 0),
        ("page.i = 4.0", 1),
        ('duration = 0s and service = "pages"', 1),
    ],
)
def test_plain_questions(server, traces, q, count):
    assert len(server.search(q, limit=1000)["traces"]) == count


@pytest.mark.parametrize(
    "q,column,expected",
    [
        ("duration >", 11, "value"),
        ("duration > 500mz", 12, ""),
        ("service = ", 11, ""),
        ('user.id = "abc', 11, '"'),
        ("(error = true", 1, ")"),
        ("error = true and", 17, ""),
        ("= 5", 1, ""),
        ("{ duration > 500ms", 1, "}"),
        ("duration > 500ms }", 18, ""),
        ("a = 1 b = 2", 7, ""),
        ("status = broken", 10, "error"),
        ("kind = nothing", 8, "server"),
        ('name =~ "("', 10, ""),
    ],
)
def test_a_query_error_points_at_the_mistake(server, q, column, expected):
    answer = server.get("/api/skein/v1/search", q=q)
    assert (answer.status, answer.type) == (400, "application/problem+json"), answer
    problem = answer.json
    assert problem["code"] == "invalid-query" and problem["status"] == 400
    assert problem["type"] == "urn:skein:problem:invalid-query" and problem["title"] and problem["detail"]
    position = problem["position"]
    assert (position["line"], position["column"]) == (1, column), problem
    assert isinstance(problem["expected"], list)
    assert expected == "" or any(expected in e for e in problem["expected"]), problem


def test_a_misspelt_name_gets_a_suggestion(server):
    problem = server.get("/api/skein/v1/search", q="status = eror").json
    assert problem["suggestion"] and "error" in problem["suggestion"]


@pytest.mark.parametrize(
    "q",
    [
        "(" * 5000 + "a = 1" + ")" * 5000,
        "not " * 5000 + "a = 1",
        "a = 1 and " * 5000 + "a = 1",
        'name = "' + "x" * 100_000 + '"',
        'name =~ "' + "(a*)*" * 20 + 'b"',
    ],
    ids=["parentheses", "not", "and", "text", "regex"],
)
def test_enormous_questions_end_quickly(server, q):
    answer = server.get("/api/skein/v1/search", q=q)
    assert answer.status in (200, 400, 413, 414, 431), answer
    assert server.get("/healthz").status == 200


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "10001"},
        {"limit": "ten"},
        {"limit": str(2**70)},
        {"start": "yesterday"},
        {"end": "2026-13-45T00:00:00Z"},
        {"start": "20", "end": "10"},
        {"cursor": "nonsense"},
        {"start": "-5"},
    ],
    ids=str,
)
def test_parameters_out_of_their_grammar(server, parameters):
    answer = server.get("/api/skein/v1/search", {"q": "", **parameters})
    assert (answer.status, answer.type) == (400, "application/problem+json"), answer
    assert answer.json["code"] == "invalid-field" and answer.json["detail"] and "field" in answer.json


def test_unknown_traces_and_ids_that_are_none(server):
    for path in ("", "/skeleton", "/spans?ids=00000000000000aa"):
        answer = server.get(f"/api/skein/v1/traces/{'ab' * 16}{path}")
        assert (answer.status, answer.type, answer.json["code"]) == (
            404,
            "application/problem+json",
            "unknown-trace",
        ), answer
        answer = server.get(f"/api/skein/v1/traces/xyz{path}")
        assert (answer.status, answer.json["code"]) == (400, "invalid-field"), answer


def test_short_ids_are_padded(server):
    trace = bytes(12) + otlp.trace_id()[:4]
    server.post(otlp.export(otlp.span(trace, name="short")))
    assert server.skeleton(trace.hex().lstrip("0"))["traceId"] == trace.hex()


def test_too_many_spans_asked_for(server, traces):
    answer = server.get(f"/api/skein/v1/traces/{traces[0][1]}/spans", ids=",".join(["00000000000000aa"] * 201))
    assert answer.status == 400 and "200" in answer.json["detail"]
    for ids in ("", "zz", "00aa,,00bb"):
        assert server.get(f"/api/skein/v1/traces/{traces[0][1]}/spans", ids=ids).status == 400


def test_attribute_values(server, traces):
    values = server.get("/api/skein/v1/attributes/service/values", limit=1000).json["values"]
    assert {"value": "pages", "type": "string", "count": COUNT} in values
    assert [v["count"] for v in values] == sorted((v["count"] for v in values), reverse=True)
    values = server.get("/api/skein/v1/attributes/name/values", prefix="ti").json["values"]
    assert values == [{"value": "tick", "type": "string", "count": COUNT}]
    assert {v["value"] for v in server.get("/api/skein/v1/attributes/kind/values").json["values"]} >= {"internal"}
    assert {v["value"] for v in server.get("/api/skein/v1/attributes/status/values").json["values"]} >= {"unset"}


def test_names_without_end(server):
    """Thousands of services, names and keys: pages go through all of them, and each is found."""
    count = 3000
    for first in range(0, count, 500):
        exports = [
            otlp.export(
                otlp.span(otlp.trace_id(), name=f"endless {i}", attributes={f"endless.{i}": i}), service=f"endless-{i:05}"
            )
            for i in range(first, first + 500)
        ]
        # Messages one behind the other are one message with all their resources.
        assert server.post(b"".join(exports)).status == 200

    def pages(path, plural, **query):
        names, cursor = [], {}
        while True:
            page = server.get(path, limit=1000, **query, **cursor).json
            names += [element.get("name", element.get("key")) for element in page[plural]]
            if page["next"] is None:
                assert page["truncated"] is False
                return names
            cursor = {"cursor": page["next"]}

    services = pages("/api/skein/v1/services", "services", prefix="endless-")
    assert services == [f"endless-{i:05}" for i in range(count)]
    keys = pages("/api/skein/v1/attributes", "attributes", prefix="endless.")
    assert keys == sorted(f"endless.{i}" for i in range(count))
    assert pages("/api/skein/v1/services/endless-00007/operations", "operations") == ["endless 7"]
    for query in ('service = "endless-02999"', 'name = "endless 2999"', "endless.2999 = 2999"):
        assert len(server.search(query)["traces"]) == 1, query
    key = server.get("/api/skein/v1/attributes", prefix="endless.2999").json["attributes"][0]
    assert key["spanCount"] == 1 and 0 < key["share"] < 0.001 and key["estimate"] is False


def test_operations_and_services(server, traces):
    assert server.get("/api/skein/v1/services/pages/operations").json == {
        "operations": [{"name": "tick", "kind": "internal"}],
        "next": None,
        "truncated": False,
    }
    services = server.get("/api/skein/v1/services", limit=1000).json["services"]
    assert [s["name"] for s in services] == sorted(s["name"] for s in services) and all(
        0 <= s["color"] <= 11 for s in services
    )


def test_status(server, traces):
    status = server.get("/api/skein/v1/status").json
    assert status["health"] == "ok" and status["problems"] == [] and status["version"]
    assert status["spans"] >= COUNT and status["receivedSpans"] >= COUNT
    assert {listener["name"] for listener in status["listeners"]} == set(LISTENERS)
    assert int(status["oldestTimeUnixNano"]) <= min(at for at, _ in traces) <= int(status["newestTimeUnixNano"])


def test_wrong_method_and_unknown_path(server):
    answer = request(server.web, "POST", "/api/skein/v1/search", b"{}", {"Content-Type": "application/json"})
    assert answer.status == 405 and answer.json["code"] == "method-not-allowed" and "GET" in answer.headers["allow"]
    answer = server.get("/api/skein/v1/nothing")
    assert answer.status == 404 and answer.type == "application/problem+json"


def test_metrics_are_prometheus_text(server, traces):
    answer = server.get("/metrics")
    assert answer.type == "text/plain"
    samples = server.metrics()
    assert samples and all("{" not in name or name.endswith("}") for name in samples)
    for word in ("received", "accepted", "rejected", "bytes", "sync", "block", "query"):
        assert any(word in name for name in samples), f"no metric about {word}"


def test_answers_are_not_kept_by_pages_of_others(server):
    answer = server.get("/api/skein/v1/services", headers={"Origin": "http://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers
