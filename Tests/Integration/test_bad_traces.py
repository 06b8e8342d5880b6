# SPDX-License-Identifier: Apache-2.0
"""Well-formed requests that hold strange spans and strange traces: the bad ones are named, the good ones kept."""

import otlp
import pytest

MOST = 2**64 - 1


def rows(skeleton):
    names = [skeleton["operations"][o] for o in skeleton["spans"]["operation"]]
    return list(zip(names, skeleton["spans"]["parent"]))


@pytest.mark.parametrize(
    "bad",
    [
        dict(trace=bytes(16)),
        dict(trace=b""),
        dict(trace=b"short"),
        dict(trace=bytes(8) * 3),
        dict(span=bytes(8)),
        dict(span=b""),
        dict(span=b"tiny"),
        dict(span=bytes(15) + b"x"),
    ],
    ids=lambda bad: f"{list(bad)[0]}-{list(bad.values())[0].hex() or 'empty'}",
)
def test_a_bad_id_costs_only_its_span(server, bad):
    trace = otlp.trace_id()
    spans = [
        otlp.raw_span(trace, otlp.span_id(), b"good"),
        otlp.raw_span(bad.get("trace", trace), bad.get("span", otlp.span_id()), b"bad"),
        otlp.raw_span(trace, otlp.span_id(), b"good"),
    ]
    before = server.counted("rejected")
    answer = server.post(otlp.raw_export(*spans))
    assert answer.status == 200, answer
    count, message = otlp.partial_success(answer)
    assert count == 1 and message
    assert [s["name"] for s in server.otlp_spans(trace.hex())] == ["good", "good"]
    assert server.counted("rejected") > before


def test_a_bad_id_in_json_and_grpc(server):
    good, bad = otlp.trace_id(), {"traceId": "abc", "spanId": "00f067aa0ba902b7", "name": "bad"}
    fine = {"traceId": good.hex(), "spanId": "00f067aa0ba902b7", "name": "good", "startTimeUnixNano": otlp.now()}
    answer = server.post({"resourceSpans": [{"scopeSpans": [{"spans": [bad, fine]}]}]})
    assert answer.status == 200 and int(answer.json["partialSuccess"]["rejectedSpans"]) == 1, answer
    assert answer.json["partialSuccess"]["errorMessage"]
    assert [s["name"] for s in server.otlp_spans(good.hex())] == ["good"]
    other = otlp.trace_id()
    with otlp.Grpc(server.otlp_grpc) as client:
        body = client.export(
            otlp.raw_export(otlp.raw_span(b"short", b"tiny"), otlp.raw_span(other, otlp.span_id(), b"good"))
        )
    response = otlp.ExportTraceServiceResponse.FromString(body)
    assert response.partial_success.rejected_spans == 1 and response.partial_success.error_message
    assert [s["name"] for s in server.otlp_spans(other.hex())] == ["good"]


def test_a_span_that_ends_before_it_starts_is_drawn_as_a_point(server):
    trace = otlp.trace_id()
    span = otlp.span(trace, name="backwards", start=otlp.now(), end=otlp.now() - 10**9)
    assert server.post(otlp.export(span)).status == 200
    skeleton = server.skeleton(trace.hex())
    assert skeleton["spans"]["duration"] == [0] and skeleton["clamped"] == [0] and skeleton["durationNanos"] == "0"
    assert server.jaeger_trace(trace.hex())["spans"][0]["duration"] == 0


@pytest.mark.parametrize(
    "start,end", [(0, 0), (0, MOST), (MOST, MOST), (MOST, 0), (1, 2), (2**63, 2**63 + 5), (2**63 - 1, MOST)]
)
def test_times_at_the_ends_of_the_range(server, start, end):
    trace, marker = otlp.trace_id(), otlp.span_id().hex()
    span = otlp.span(trace, name="edge", start=start, end=end, attributes={"edge.marker": marker})
    assert server.post(otlp.export(span)).status == 200
    [stored] = server.otlp_spans(trace.hex())
    assert int(stored.get("startTimeUnixNano", 0)) == start
    assert [t["traceId"] for t in server.search(f'edge.marker = "{marker}"')["traces"]] == [trace.hex()]
    skeleton = server.skeleton(trace.hex())
    assert skeleton["spanCount"] == 1 and skeleton["spans"]["duration"] == [max(0, end - start)]
    assert len(server.jaeger_trace(trace.hex())["spans"]) == 1
    assert server.get("/api/traces", service="shop", limit=5).status == 200
    assert server.get("/api/dependencies").status == 200


def test_times_far_apart_in_one_trace(server):
    trace, now = otlp.trace_id(), otlp.now()
    times = [(0, 1), (now, now + 5), (MOST - 1, MOST)]
    assert server.post(otlp.export(*[otlp.span(trace, start=s, end=e) for s, e in times])).status == 200
    skeleton = server.skeleton(trace.hex())
    assert skeleton["spanCount"] == 3 and skeleton["spans"]["start"] == [0, now, MOST - 1]


def test_duplicates_are_shown_once(server):
    trace, span, marker = otlp.trace_id(), otlp.span_id(), otlp.span_id().hex()
    body = otlp.export(otlp.span(trace, span, name="once", attributes={"dup.marker": marker}))
    for _ in range(3):
        assert server.post(body).status == 200
    # A later, longer copy replaces the first: a finished span its live form.
    start = otlp.now()
    assert (
        server.post(otlp.export(otlp.span(trace, span, name="finished", start=start, end=start + 10**9))).status == 200
    )
    [stored] = server.otlp_spans(trace.hex())
    assert stored["name"] == "finished"
    assert server.skeleton(trace.hex())["spanCount"] == 1
    assert len(server.jaeger_trace(trace.hex())["spans"]) == 1


def test_client_and_server_sharing_a_span_id_are_both_kept(server):
    trace, span = otlp.trace_id(), otlp.span_id()
    assert (
        server.post(
            otlp.export(otlp.span(trace, span, name="call", kind=3), otlp.span(trace, span, name="call", kind=2))
        ).status
        == 200
    )
    assert sorted(s["kind"] for s in server.otlp_spans(trace.hex())) == [2, 3]


def test_a_trace_in_fifty_pieces_children_first(server):
    trace, start = otlp.trace_id(), otlp.now()
    ids = [otlp.span_id() for _ in range(50)]
    for i in reversed(range(50)):
        span = otlp.span(
            trace, ids[i], ids[i - 1] if i else b"", name=f"level-{i}", start=start + i, end=start + 1000 - i
        )
        assert server.post(otlp.export(span, service=f"piece-{i % 5}")).status == 200
        if i == 25:
            [missing] = server.skeleton(trace.hex())["missingParents"]
            assert missing["spanId"] == ids[24].hex() and missing["rows"] == [0]
    skeleton = server.skeleton(trace.hex())
    assert rows(skeleton) == [(f"level-{i}", i - 1) for i in range(50)]
    assert (skeleton["depth"], skeleton["missingParents"], skeleton["rootSpanName"]) == (50, [], "level-0")
    [found] = [t for t in server.search('name = "level-49"', limit=100)["traces"] if t["traceId"] == trace.hex()]
    assert found["spanCount"] == 50 and found["rootSpanName"] == "level-0" and found["rootServiceName"] == "piece-0"
    assert sum(s["spanCount"] for s in found["services"]) == 50


def test_parent_cycles_are_broken_and_said(server):
    trace, a, b, c = otlp.trace_id(), otlp.span_id(), otlp.span_id(), otlp.span_id()
    spans = [
        otlp.span(trace, a, b, name="a"),
        otlp.span(trace, b, a, name="b"),
        otlp.span(trace, c, c, name="own parent"),
    ]
    assert server.post(otlp.export(*spans)).status == 200
    skeleton = server.skeleton(trace.hex())
    assert sorted(name for name, _ in rows(skeleton)) == ["a", "b", "own parent"]
    assert skeleton["cyclesBroken"] and "cycle" in [w["code"] for w in skeleton["warnings"]]
    for row, parent in enumerate(skeleton["spans"]["parent"]):
        assert parent < row, "a row stands before its parent"
    assert len(server.jaeger_trace(trace.hex())["spans"]) == 3
    assert len(server.otlp_spans(trace.hex())) == 3


def test_a_trace_without_a_root_hangs_under_what_is_missing(server):
    trace, gone = otlp.trace_id(), otlp.span_id()
    start = otlp.now()
    spans = [otlp.span(trace, parent=gone, name=f"orphan-{i}", start=start + i) for i in range(3)]
    assert server.post(otlp.export(*spans)).status == 200
    skeleton = server.skeleton(trace.hex())
    assert skeleton["missingParents"] == [{"spanId": gone.hex(), "rows": [0, 1, 2]}]
    assert skeleton["spans"]["parent"] == [-1, -1, -1]
    assert "missing-parents" in [w["code"] for w in skeleton["warnings"]]
    [found] = [t for t in server.search('name = "orphan-1"', limit=100)["traces"] if t["traceId"] == trace.hex()]
    assert found["rootServiceName"] == found["rootSpanName"] == ""


def test_several_roots(server):
    trace, start = otlp.trace_id(), otlp.now()
    assert (
        server.post(otlp.export(*[otlp.span(trace, name=f"root-{i}", start=start + i) for i in (2, 0, 1)])).status
        == 200
    )
    assert rows(server.skeleton(trace.hex())) == [("root-0", -1), ("root-1", -1), ("root-2", -1)]


def test_names_of_a_hundred_kilobytes(server):
    trace, long = otlp.trace_id(), "n" * 100_000
    answer = server.post(
        otlp.export(
            otlp.span(trace, name=long, attributes={"v" * 1000: long}), otlp.span(trace, name="short"), service=long
        )
    )
    assert answer.status == 200, answer
    kept = 2 - otlp.partial_success(answer)[0]
    stored = server.otlp_spans(trace.hex())
    assert len(stored) == kept >= 1
    for span in stored:
        assert long.startswith(span["name"]) or span["name"] == "short"
    assert server.skeleton(trace.hex())["spanCount"] == kept
    assert server.get("/api/services").status == server.get("/api/skein/v1/services", limit=1000).status == 200


def test_text_that_is_not_utf8_comes_back_as_text(server):
    trace = otlp.trace_id()
    answer = server.post(
        otlp.raw_export(
            otlp.raw_span(
                trace,
                otlp.span_id(),
                b"caf\xe9 \xff\xfe",
                otlp.field(9, otlp.field(1, b"k\xff") + otlp.field(2, otlp.field(1, b"v\xc3"))),
            ),
            otlp.raw_span(trace, otlp.span_id(), b"good"),
            service=b"serv\xffice",
        )
    )
    assert answer.status == 200, answer
    kept = 2 - otlp.partial_success(answer)[0]
    stored = server.otlp_spans(trace.hex())
    assert len(stored) == kept and "good" in [s["name"] for s in stored]
    for path in (
        f"/api/skein/v1/traces/{trace.hex()}/skeleton",
        f"/api/traces/{trace.hex()}",
        "/api/services",
        "/api/skein/v1/attributes",
    ):
        answer = server.get(path)
        assert answer.status == 200 and answer.body.decode("utf-8")


def test_text_that_would_break_a_page_or_a_log_is_only_text(server):
    trace, nasty = otlp.trace_id(), "</script><img src=x onerror=alert(1)>\u2028\u0000\r\n\x1b[31m"
    assert (
        server.post(otlp.export(otlp.span(trace, name=nasty, attributes={nasty: nasty}), service=nasty)).status == 200
    )
    [stored] = server.otlp_spans(trace.hex())
    assert stored["name"] == nasty and stored["attributes"][0]["key"] == nasty
    assert nasty in server.jaeger("/api/services")


def test_a_thousand_attributes_and_events(server):
    trace = otlp.trace_id()
    span = otlp.span(
        trace,
        attributes={f"key-{i}": i for i in range(1000)},
        events=[{"name": f"e{i}", "time_unix_nano": i} for i in range(1000)],
    )
    assert server.post(otlp.export(span)).status == 200
    [stored] = server.otlp_spans(trace.hex())
    assert len(stored["attributes"]) + stored.get("droppedAttributesCount", 0) == 1000
    assert len(stored["events"]) + stored.get("droppedEventsCount", 0) == 1000


def test_the_same_key_twice_and_empty_values(server):
    trace = otlp.trace_id()
    twice = otlp.field(9, otlp.field(1, b"k") + otlp.field(2, otlp.field(1, b"a"))) + otlp.field(
        9, otlp.field(1, b"k") + otlp.field(2, otlp.field(1, b"b"))
    )
    empty = otlp.field(9, otlp.field(1, b"none")) + otlp.field(9, b"")
    assert server.post(otlp.raw_export(otlp.raw_span(trace, otlp.span_id(), b"", twice + empty))).status == 200
    assert len(server.otlp_spans(trace.hex())) == 1
    assert server.skeleton(trace.hex())["spanCount"] == 1


def test_spans_without_a_resource_or_a_service(server):
    trace = otlp.trace_id()
    assert server.post(otlp.export(otlp.span(trace, name="nobody"), service=None)).status == 200
    skeleton = server.skeleton(trace.hex())
    assert len(skeleton["services"]) == 1
    assert server.jaeger_trace(trace.hex())["processes"]["p1"]["serviceName"] == "OTLPResourceNoServiceName"
