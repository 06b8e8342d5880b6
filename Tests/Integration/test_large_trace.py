# SPDX-License-Identifier: Apache-2.0
"""A trace of half a million spans: stored, found, read in windows, drawn, within the memory that the server plans with."""

import random
import re
import struct
import time

import otlp
import pytest

COUNT = 500_000
BATCH = 10_000
SERVICES = 8
MEMORY = 320 << 20
STEP = 1_000  # nanoseconds from the start of a span to that of the next
LASTING = 500_000


def span_id(i):
    """Ids that look random, and never meet: the factor is odd."""
    return (i + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF


class Trace:
    """Spans by number: each starts a step after the one before, and every fourth has the next four below it."""

    def __init__(self):
        self.id = otlp.trace_id()
        self.start = otlp.now() - 3600 * 10**9
        text = lambda key, value: otlp.field(9, otlp.field(1, key) + otlp.field(2, otlp.field(1, value)))
        name = otlp.field(5, b"operation 00")
        route = text(b"http.route", b"/items/000")
        number = text(b"number", b"0000000")
        # All spans are of one length, so that hundreds of thousands of them are packed in seconds.
        parts = [
            (otlp.field(1, self.id), None),
            (b"\x12\x08", "Q"),
            (b"\x22\x08", "Q"),
            (name[:-2], "2s"),
            (b"\x30\x02\x39", "Q"),
            (b"\x41", "Q"),
            (route[:-3], "3s"),
            (number[:-7], "7s"),
        ]
        self.literals, layout = [], ">"
        for literal, form in parts:
            self.literals.append(literal)
            layout += f"{len(literal)}s" + (form or "")
        self.layout = struct.Struct(layout)
        self.little = struct.Struct("<Q")

    def span(self, i, lasting=LASTING):
        start = self.start + i * STEP
        end = start + (COUNT * STEP if i == 0 else lasting)
        swapped = lambda n: int.from_bytes(self.little.pack(n), "big")
        trace, span, parent, name, times, until, route, number = self.literals
        packed = self.layout.pack(
            trace,
            span,
            span_id(i),
            parent,
            span_id(i // 4) if i else 0,
            name,
            b"%02d" % (i % 40),
            times,
            swapped(start),
            until,
            swapped(end),
            route,
            b"%03d" % (i % 500),
            number,
            b"%07d" % i,
        )
        if i % 1_000 == 999:
            packed += otlp.field(15, b"\x18\x02")
        return otlp.field(2, packed)

    def export(self, numbers, **fields):
        """One request with these spans, of one service after the other."""
        body = b""
        for service in range(SERVICES):
            spans = b"".join(self.span(i, **fields) for i in numbers if i % SERVICES == service)
            name = otlp.field(1, b"service.name") + otlp.field(2, otlp.field(1, b"service-%d" % service))
            body += otlp.field(1, otlp.field(1, otlp.field(1, name)) + otlp.field(2, spans))
        return body


def peak_bytes(server):
    """The most memory that the process had at once."""
    status = open(f"/proc/{server.pid}/status").read()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10


@pytest.fixture(scope="module")
def sent(binary, tmp_path_factory):
    """A server that was sent the trace, in no order, and part of it more than once."""
    from server import Server

    folder = tmp_path_factory.mktemp("large")
    server = Server(binary, folder / "data", f"--memory={MEMORY}B", "--query-timeout=10m", log=folder / "log").start()
    trace = Trace()
    # One half comes in runs, the other one in combs whose teeth interlock.
    half, combs = COUNT // 2, COUNT // 2 // BATCH
    batches = [range(first, first + BATCH) for first in range(0, half, BATCH)]
    batches += [range(first, COUNT, combs) for first in range(half, half + combs)]
    random.Random(7).shuffle(batches)

    def send(body):
        while (answer := server.post(body)).status != 200:
            assert answer.status in (429, 503), answer
            time.sleep(1)

    try:
        for place, numbers in enumerate(batches):
            if place % 20 == 3:
                send(trace.export(numbers, lasting=10))
            send(trace.export(numbers))
            if place % 20 == 7:
                send(trace.export(numbers))
        yield server, trace
        assert server.stop() == 0, server.output()[-4000:]
    finally:
        if server.running():
            server.kill()


def path(trace, rest=""):
    return f"/api/skein/v1/traces/{trace.id.hex()}{rest}"


def test_it_is_listed_and_found_by_one_of_its_spans(sent):
    server, trace = sent
    for query, matched in (
        ('service = "service-3"', COUNT // SERVICES),
        ('number = "0454321"', 1),
        ("error = true", COUNT // 1_000),
    ):
        [found] = server.search(query)["traces"]
        assert found["traceId"] == trace.id.hex()
        assert found["spanCount"] == COUNT and found["matchedSpans"] == matched, query
        assert found["errorCount"] == COUNT // 1_000
        assert found["rootServiceName"] == "service-0" and found["rootSpanName"] == "operation 00"
        assert int(found["startTimeUnixNano"]) == trace.start
        assert int(found["durationNanos"]) == max(COUNT * STEP, (COUNT - 1) * STEP + LASTING)
        assert [s["spanCount"] for s in found["services"]] == [COUNT // SERVICES] * SERVICES


def test_it_is_read_in_windows_each_span_once_and_in_order(sent):
    server, trace = sent
    number, cursor = 0, {}
    while True:
        answer = server.get(path(trace, "/spans"), limit=10_000, **cursor)
        assert answer.status == 200, answer
        ids = re.findall(rb'"spanId":"([0-9a-f]{16})"', answer.body)
        assert ids == [b"%016x" % span_id(i) for i in range(number, number + len(ids))]
        ends = re.findall(rb'"endTimeUnixNano":"(\d+)"', answer.body)
        assert int(ends[-1]) == trace.start + (number + len(ids) - 1) * STEP + LASTING
        number += len(ids)
        head, tail = answer.body[:200], answer.body[-80:]
        assert b'"spanCount":%d,' % COUNT in head
        following = re.search(rb'"next":"([0-9a-f]+)"}$', tail)
        if not following:
            assert tail.endswith(b'"next":null}')
            break
        cursor = {"cursor": following[1].decode()}
    assert number == COUNT


def test_some_of_its_spans_come_at_once(sent):
    server, trace = sent
    wanted = [0, 454_321, COUNT - 1]
    began = time.monotonic()
    answer = server.get(path(trace, "/spans"), ids=",".join(f"{span_id(i):016x}" for i in wanted) + ",1")
    assert answer.status == 200, answer
    assert time.monotonic() - began < 10
    spans = [entry["span"] for entry in answer.json["spans"]]
    assert [span["attributes"][1]["value"]["stringValue"] for span in spans] == [f"{i:07d}" for i in wanted]
    assert answer.json["missing"] == ["0000000000000001"]


def test_its_skeleton_is_drawn(sent):
    server, trace = sent
    skeleton = server.skeleton(trace.id.hex())
    assert skeleton["spanCount"] == COUNT and skeleton["errorCount"] == COUNT // 1_000
    assert skeleton["missingParents"] == [] and skeleton["depth"] == 11
    spans = skeleton["spans"]
    assert all(len(column) == COUNT for column in spans.values())
    rows = {id: row for row, id in enumerate(spans["id"])}
    assert len(rows) == COUNT
    for i in (1, 4, 454_321, COUNT - 1):
        row = rows[f"{span_id(i):016x}"]
        assert spans["parent"][row] == rows[f"{span_id(i // 4):016x}"]
        assert spans["start"][row] == i * STEP and spans["duration"][row] == LASTING


def test_what_needs_it_whole_says_how_else_to_read_it(sent):
    server, trace = sent
    for answer, detail in (
        (a := server.get(path(trace)), a.json["detail"]),
        (a := server.get(f"/api/traces/{trace.id.hex()}"), a.json["errors"][0]["msg"]),
    ):
        assert answer.status == 422
        assert "at most 200000 are answered at once" in detail and path(trace, "/spans") in detail


def test_it_takes_no_more_memory_than_the_server_plans_with(sent):
    """The last test of this file: what all the others took at most."""
    server, _ = sent
    peak = peak_bytes(server)
    print(f"at most {peak >> 20} MiB were in memory")
    assert peak <= MEMORY * 1.1


def test_it_is_there_after_a_crash(sent):
    server, trace = sent
    server.kill()
    server.start()
    [found] = server.search('number = "0454321"')["traces"]
    assert found["spanCount"] == COUNT
