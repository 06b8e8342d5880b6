# SPDX-License-Identifier: Apache-2.0
"""A sender that remembers every span whose acceptance it was told of, and what it never heard about."""

import http.client
import random
import threading
from urllib.parse import urlsplit

import grpc
import otlp

SPANS = 5
# Seconds between two requests of a sender: enough load to be in the middle of, few enough traces to read back.
PAUSE = 0.005


def trace_request(marker, traces, padding=0, text=0, more=None):
    """One request with this many traces of SPANS spans each: (body, {trace id: its span ids}).

    Padding is bytes that do not compress and text is bytes that do, on every span; more is further attributes.
    """
    ids, spans = {}, []
    for _ in range(traces):
        trace, parent = otlp.trace_id(), b""
        chain = [otlp.span_id() for _ in range(SPANS)]
        for i, span in enumerate(chain):
            attributes = {"load.marker": marker, "step": i, "padding": random.randbytes(padding), **(more or {})}
            if text:
                attributes["text"] = span.hex() + "x" * text
            spans.append(otlp.span(trace, span, parent, name=f"step-{i}", attributes=attributes))
            parent = span
        ids[trace.hex()] = {span.hex() for span in chain}
    return otlp.export(*spans, service="load"), ids


class Sender(threading.Thread):
    """Posts requests one after the other until told to stop or until the server is gone."""

    def __init__(self, server, marker, transport="http", traces=4, **request):
        super().__init__(daemon=True)
        self.server, self.marker, self.transport, self.traces = server, marker, transport, traces
        self.request = request  # further arguments of trace_request
        self.acknowledged = {}  # trace id -> span ids
        self.unheard = []  # bodies and ids of requests without an answer
        self.refused = []  # statuses other than success
        self.stopping = threading.Event()

    def run(self):
        address = urlsplit(self.server.otlp_http).netloc
        connection = http.client.HTTPConnection(address, timeout=30)
        channel = otlp.Grpc(self.server.otlp_grpc)
        try:
            while not self.stopping.is_set():
                body, ids = trace_request(self.marker, self.traces, **self.request)
                try:
                    if self.transport == "grpc":
                        channel.export(body, timeout=30)
                    else:
                        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                        answer = connection.getresponse()
                        answer.read()
                        if answer.status != 200:
                            self.refused.append(answer.status)
                            self.stopping.wait(PAUSE * 10)
                            continue
                except (OSError, http.client.HTTPException, grpc.RpcError):
                    self.unheard.append((body, ids))
                    return
                self.acknowledged.update(ids)
                self.stopping.wait(PAUSE)
        finally:
            connection.close()
            channel.channel.close()

    def stop(self):
        self.stopping.set()
        self.join(60)


def senders(server, marker, count=4, **request):
    """Some over HTTP and some over gRPC, already running."""
    threads = [Sender(server, marker, "grpc" if i % 2 else "http", **request) for i in range(count)]
    for thread in threads:
        thread.start()
    return threads


def check_stored(server, marker, acknowledged, maybe=(), read=None):
    """Every acknowledged span is shown once; what was never answered is wholly there or not at all, and once too.

    Summaries are checked of all; span by span only the traces in `read` are, by default all of them too.
    """
    found = {t["traceId"]: t for t in server.search_all(f'load.marker = "{marker}"')}
    maybe = {trace: spans for ids in maybe for trace, spans in ids.items()}
    missing = set(acknowledged) - set(found)
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged traces are gone"
    strange = set(found) - set(acknowledged) - set(maybe)
    assert not strange, f"{len(strange)} traces that nobody sent"
    for trace, summary in found.items():
        wanted = acknowledged.get(trace) or maybe[trace]
        assert summary["spanCount"] == summary["matchedSpans"] == SPANS, summary
        assert [s["name"] for s in summary["services"]] == ["load"] and summary["rootSpanName"] == "step-0"
        if read is not None and trace not in read:
            continue
        ids = [s["spanId"] for s in server.otlp_spans(trace)]
        assert sorted(ids) == sorted(wanted), f"{trace}: {ids} instead of {wanted}"
    return len(found)
