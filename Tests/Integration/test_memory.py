# SPDX-License-Identifier: Apache-2.0
"""The setting `memory` holds, whatever comes in, and nothing acknowledged is lost for it."""

import http.client
import random
import threading
import time
import uuid
from urllib.parse import urlsplit

import grpc
import otlp
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from server import eventually, request

MIB = 1 << 20
# What the server takes to be the program itself. A debug build is larger, which is not what is tested here.
PROGRAM = 48 * MIB
TRACES, SPANS = 8, 60


def memory_of(server, field):
    with open(f"/proc/{server.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(field))


class Flood(threading.Thread):
    """Sends a request of about a megabyte again and again, with new trace ids each time, and waits only when told to."""

    def __init__(self, server, marker, transport, until):
        super().__init__(daemon=True)
        self.server, self.transport, self.until = server, transport, until
        self.ids = [otlp.trace_id() for _ in range(TRACES)]
        self.body = otlp.export(
            *(
                otlp.span(trace, name=f"step-{i}", attributes={"flood": marker, "padding": random.randbytes(2000)})
                for trace in self.ids
                for i in range(SPANS)
            ),
            service="flood",
        )
        self.acknowledged, self.refused, self.wrong = [], 0, []

    def renew(self):
        for place, old in enumerate(self.ids):
            self.ids[place] = otlp.trace_id()
            self.body = self.body.replace(old, self.ids[place])

    def run(self):
        send = self.grpc if self.transport == "grpc" else self.http
        try:
            send()
        except Exception as error:
            self.wrong.append(repr(error))

    def note(self, is_accepted, is_retryable, answer):
        if is_accepted:
            self.acknowledged += [trace.hex() for trace in self.ids]
            self.renew()
        elif is_retryable:
            self.refused += 1
            time.sleep(0.02)
        else:
            self.wrong.append(answer)

    def http(self):
        connection = http.client.HTTPConnection(urlsplit(self.server.otlp_http).netloc, timeout=60)
        while time.monotonic() < self.until:
            connection.request("POST", "/v1/traces", self.body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            retryable = answer.status in (429, 503) and int(answer.getheader("retry-after", "0")) > 0
            self.note(answer.status == 200, retryable, f"{answer.status} {answer.getheaders()}")
            if answer.getheader("connection") == "close":
                connection.close()
        connection.close()

    def grpc(self):
        with otlp.Grpc(self.server.otlp_grpc) as client:
            while time.monotonic() < self.until:
                try:
                    client.export(self.body)
                    self.note(True, False, None)
                except grpc.RpcError as error:
                    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
                    infos = [RetryInfo() for d in Status.FromString(details).details if d.Is(RetryInfo.DESCRIPTOR)]
                    self.note(False, error.code() == grpc.StatusCode.UNAVAILABLE and infos, repr(error))


def test_under_overload_memory_stays_within_the_budget_and_refusals_can_be_retried(serve):
    """More connections than memory has room for, each sending as fast as it can."""
    budget = 256 * MIB
    server = serve("data", "--memory", "256MiB", "--durability", "os")
    program = memory_of(server, "VmRSS")
    marker = uuid.uuid4().hex
    until = time.monotonic() + 8
    threads = [Flood(server, marker, "grpc" if i % 8 == 7 else "http", until) for i in range(96)]
    for thread in threads:
        thread.start()
    asked = []
    while time.monotonic() < until:
        for path in ["/api/skein/v1/search?limit=200", "/api/traces?service=flood&limit=20"]:
            asked.append(request(server.web, "GET", path).status)
    for thread in threads:
        thread.join(60)
    wrong = [w for thread in threads for w in thread.wrong]
    assert not wrong, wrong[:3]
    refused = sum(thread.refused for thread in threads)
    acknowledged = {trace for thread in threads for trace in thread.acknowledged}
    assert refused > 0, "this was no overload"
    assert acknowledged, "nothing was taken in"
    assert set(asked) <= {200, 503}, set(asked)

    peak = memory_of(server, "VmHWM")
    print(f"{len(acknowledged)} traces acknowledged, {refused} requests refused, peak {peak // MIB} MiB")
    assert peak <= budget * 1.1 + max(0, program - PROGRAM), f"{peak // MIB} MiB, {program // MIB} MiB at rest"

    metrics = server.metrics()
    assert metrics['skein_memory_limit_bytes{share="requests"}'] < budget / 2
    eventually(lambda: server.metrics()['skein_memory_bytes{share="requests"}'] == 0)
    found = {t["traceId"]: t["spanCount"] for t in server.search_all(f'flood = "{marker}"')}
    missing = acknowledged - set(found)
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged traces are gone"
    assert all(found[trace] == SPANS for trace in acknowledged)


def test_little_memory_is_enough_to_start(serve, run):
    server = serve("data", "--memory", "128MiB")
    trace = otlp.trace_id()
    assert server.post(otlp.export(otlp.span(trace, name="small"))).status == 200
    assert [s["name"] for s in server.otlp_spans(trace.hex())] == ["small"]
    refusal = run("serve", "--data-dir", "other", "--memory", "128MiB", "--request-bytes-max", "64MiB")
    assert refusal.returncode != 0
    assert "request-bytes-max is 64MiB" in refusal.stderr and "memory is 128MiB" in refusal.stderr
