# SPDX-License-Identifier: Apache-2.0
"""`skein mcp-proxy` between clients and servers that look at every byte."""

import base64
import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import namedtuple

import pytest
from collector import Collector, free_port
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-03"
UNSET, ERROR, CLIENT = 0, 2, 3

# Copies what it reads to the file that it is told, then does what a line of a test's own says.
SERVER = r"""
import json, os, signal, sys, time
seen = open(sys.argv[1], "wb", buffering=0)
out = sys.stdout.buffer
for line in sys.stdin.buffer:
    seen.write(line)
    try:
        message = json.loads(line)
    except ValueError:
        continue
    for m in message if isinstance(message, list) else [message]:
        p = m.get("params") or {}
        for step in (p.get("arguments") or {}).get("do", []) if isinstance(p, dict) else []:
            if "write" in step: out.write(step["write"].encode()); out.flush()
            if "sleep" in step: time.sleep(step["sleep"])
            if "fill" in step: out.write(b'{"jsonrpc":"2.0","id":%d,"result":{"content":"%s"}}\n' % (m["id"], b"x" * step["fill"])); out.flush()
            if "kill" in step: os.kill(os.getpid(), step["kill"])
            if "exit" in step: os._exit(step["exit"])
            if "error" in step: sys.stderr.write(step["error"]); sys.stderr.flush()
seen.write(b"<end>")
"""


def spans_of(collector):
    """Every span that came, with its attributes as a dictionary."""
    spans = []
    for _, _, body in collector.requests:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    span_attributes = {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}
                    spans.append(Seen(span, span_attributes, scope.scope.name, service))
    return spans


Seen = namedtuple("Seen", "span attributes scope service")


def wait_for(what, seconds=20):
    end = time.time() + seconds
    while not (found := what()):
        assert time.time() < end, "it did not happen"
        time.sleep(0.02)
    return found


def call(id, tool="t", do=(), meta=None, **members):
    params = {"name": tool, "arguments": {"do": list(do)}, **members}
    if meta is not None:
        params["_meta"] = meta
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}


def line(message):
    return (json.dumps(message) + "\n").encode()


def answer(id, result=None, **members):
    return json.dumps({"jsonrpc": "2.0", "id": id, **({"result": result or {}} if not members else members)}) + "\n"


def traceparent(spans, tool):
    (seen,) = [s for s in spans if s.attributes.get("gen_ai.tool.name") == tool]
    return f"00-{seen.span.trace_id.hex()}-{seen.span.span_id.hex()}-"


class Stdio:
    """A proxy in front of SERVER."""

    def __init__(self, binary, tmp_path, collector=None, environment=(), options=()):
        self.seen_path = tmp_path / "seen"
        self.collector = collector or Collector()
        environment = {"PATH": os.environ["PATH"], **dict(environment)}
        self.process = subprocess.Popen(
            [binary, "mcp-proxy", "--otlp", self.collector.url, *options, "--"]
            + [sys.executable, "-c", SERVER, str(self.seen_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        )

    def send(self, *messages):
        for message in messages:
            self.process.stdin.write(message if isinstance(message, bytes) else line(message))
        self.process.stdin.flush()

    def finish(self):
        """What came out, what the server saw, the spans, the exit code and standard error."""
        output, errors = self.process.communicate(timeout=60)
        seen = self.seen_path.read_bytes()
        self.collector.server.shutdown()
        self.collector.server.server_close()
        return output, seen, spans_of(self.collector), self.process.returncode, errors


def test_bytes_pass_as_they_are(binary, tmp_path):
    # What of a call belongs to the proxy stands in `_meta` alone.
    written = [
        b'{ "jsonrpc" : "2.0",  "id": 1.0e0, "method": "ping", "x": 12345678901234567890.10, "z": "\\u00e4/\\/" }\n',
        b"not json at all \xff\xfe\n", b"\n", b'  {"a":1}\r\n', b'{"id":1,"id":2,"method":"notifications/x"}\n',
        b'[{"id":1},\n', b'{"jsonrpc":"2.0","id":"s","method":"tools/list","params":{"_meta":{"traceparent":"x"}}}\n',
        b'{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"a","n":1.50,"_meta":[]}}\n',
    ]
    spliced = b'{"n" : 1.50, "method":"tools/call","id":5,"params": { "name" : "b", "_meta": { "k" : 1 } },"z":"\\u00e4"}\n'
    last = b'{"jsonrpc":"2.0","id":10,"method":"ping"}'
    proxy = Stdio(binary, tmp_path)
    proxy.send(*written, spliced, last)
    _, seen, spans, code, errors = proxy.finish()
    parent = traceparent(spans, "b").encode() + b"03"
    expected = spliced.replace(b'{ "k"', b'{"traceparent":"' + parent + b'", "k"')
    assert seen == b"".join(written) + expected + last + b"<end>"
    assert (code, errors) == (0, b"")
    assert sorted(s.span.name for s in spans) == ["tools/call a", "tools/call b"]


def test_answers_pass_as_they_are(binary, tmp_path):
    text = 'no json \u00e4\n{ "id" : 1, "result" : { "x" : 1.0e2 } }\r\n\n[1, 2]\nlast without newline'
    proxy = Stdio(binary, tmp_path)
    proxy.send(call(1, do=[{"write": text}]))
    output, _, spans, _, _ = proxy.finish()
    assert output == text.encode()
    assert [s.attributes.get("error.type") for s in spans] == [None]


def test_a_span_says_what_the_contract_names(binary, tmp_path):
    proxy = Stdio(binary, tmp_path, options=["--service", "agent-tools"])
    hello = {"protocolVersion": "2025-11-25", "serverInfo": {"name": "fs-mcp", "version": "1"}}
    proxy.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"arguments": {"do": [{"write": answer(0, hello)}]}}})
    assert proxy.process.stdout.readline() == answer(0, hello).encode()
    reply = answer(3, {"content": []})
    request = call(
        3, "add", [{"write": reply}],
        {"traceparent": PARENT, "tracestate": "v=1", "baggage": "k=v", "claudecode/toolUseId": "toolu_1"},
    )
    proxy.send(request)
    _, seen, spans, _, _ = proxy.finish()
    ((span, attributes, scope, service),) = spans
    assert (span.name, span.kind, scope, service) == ("tools/call add", CLIENT, "skein-mcp-proxy", "agent-tools")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN)
    assert span.status.code == UNSET and not span.links
    assert attributes == {
        "mcp.method.name": "tools/call", "jsonrpc.request.id": "3", "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "add", "network.transport": "pipe", "mcp.protocol.version": "2025-11-25",
        "gen_ai.tool.call.id": "toolu_1", "worktrace.mcp.server.name": "fs-mcp",
        "worktrace.mcp.request.bytes": len(line(request)) - 1, "worktrace.mcp.response.bytes": len(reply) - 1,
    }
    meta = json.loads(seen.splitlines()[1])["params"]["_meta"]
    assert meta["traceparent"] == f"00-{TRACE}-{span.span_id.hex()}-03"
    assert (meta["tracestate"], meta["baggage"], meta["claudecode/toolUseId"]) == ("v=1", "k=v", "toolu_1")


def test_the_environment_is_the_parent_where_nothing_else_is(binary, tmp_path):
    environment = {"TRACEPARENT": PARENT, "TRACESTATE": "e=1", "BAGGAGE": "team=a"}
    proxy = Stdio(binary, tmp_path, environment=environment)
    other = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    proxy.send(call(1, "bare"), call(2, "own", meta={"traceparent": other}), call(3, "bad", meta={"traceparent": "x", "tracestate": "z=9"}))
    _, seen, spans, _, _ = proxy.finish()
    by_tool = {s.attributes["gen_ai.tool.name"]: s.span for s in spans}
    assert by_tool["bare"].trace_id.hex() == TRACE and by_tool["bare"].parent_span_id.hex() == SPAN
    assert by_tool["own"].trace_id.hex() == "1" * 32
    assert by_tool["bad"].trace_id.hex() == TRACE
    metas = [json.loads(text)["params"]["_meta"] for text in seen.splitlines()[:3]]
    assert metas[0]["tracestate"] == "e=1" and metas[0]["baggage"] == "team=a"
    assert "tracestate" not in metas[1] and metas[2]["tracestate"] == "e=1"


def test_a_parent_that_is_not_sampled_is_followed(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    proxy.send(call(1, meta={"traceparent": f"00-{TRACE}-{SPAN}-00"}, do=[{"write": answer(1)}]))
    _, seen, spans, _, _ = proxy.finish()
    assert spans == []
    assert json.loads(seen.splitlines()[0])["params"]["_meta"]["traceparent"].startswith(f"00-{TRACE}-")
    assert seen.splitlines()[0].endswith(b'-00"}}}')


def test_answers_find_their_calls(binary, tmp_path):
    """Out of order, of either type of id, while the server asks the client with the same ids."""
    proxy = Stdio(binary, tmp_path)
    sampling = {"jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage", "params": {}}
    proxy.send(call(1, "one", [{"write": json.dumps(sampling) + "\n"}]))
    assert json.loads(proxy.process.stdout.readline()) == sampling
    proxy.send(
        {"jsonrpc": "2.0", "id": 1, "result": {"role": "assistant"}},
        call("1", "text"),
        call(2, "two", [
            {"write": answer(2, {"isError": True})}, {"write": answer("1", error={"code": -32602, "message": "no"})},
            {"write": answer(1)},
        ]),
    )
    _, _, spans, _, _ = proxy.finish()
    found = {s.attributes["gen_ai.tool.name"]: (s.attributes.get("error.type"), s.span.status.code) for s in spans}
    assert found == {"one": (None, UNSET), "text": ("-32602", ERROR), "two": ("tool_error", ERROR)}
    (one,) = [s.span for s in spans if s.attributes["gen_ai.tool.name"] == "one"]
    assert [e.name for e in one.events] == ["mcp.server_request"]


def test_progress_cancelling_and_closing(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p", "progress": 1, "total": 2}}
    proxy.send(call(1, "cancelled", [{"write": json.dumps(progress) + "\n"}], {"progressToken": "p"}))
    assert json.loads(proxy.process.stdout.readline()) == progress
    proxy.send(
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
        call(2, "closed", [{"write": answer(1)}]),
    )
    _, _, spans, _, _ = proxy.finish()
    found = {s.attributes["gen_ai.tool.name"]: (s.attributes.get("error.type"), s.span.status.code) for s in spans}
    assert found == {"cancelled": ("cancelled", UNSET), "closed": ("connection_closed", ERROR)}
    (cancelled,) = [s.span for s in spans if s.attributes["gen_ai.tool.name"] == "cancelled"]
    assert [e.name for e in cancelled.events] == ["mcp.progress"]


def test_arrays_of_messages(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    replies = "[" + answer(2).strip() + ",  " + answer(1, {"isError": True}).strip() + "]\n"
    proxy.send([call(1, "one"), {"jsonrpc": "2.0", "method": "notifications/x"}, call(2, "two", [{"write": replies}])])
    output, seen, spans, _, _ = proxy.finish()
    assert output == replies.encode()
    sent = json.loads(seen.removesuffix(b"<end>"))
    assert [m.get("params", {}).get("_meta", {}).get("traceparent", "")[:53] for m in sent] == [
        traceparent(spans, "one"), "", traceparent(spans, "two"),
    ]
    assert {s.attributes["gen_ai.tool.name"]: s.attributes.get("error.type") for s in spans} == {"one": "tool_error", "two": None}


def test_rounds_of_a_call_are_linked(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    ask = answer(1, {"resultType": "input_required", "requestState": "abc", "inputRequests": {}})
    proxy.send(
        call(1, do=[{"write": ask}]),
    )
    assert proxy.process.stdout.readline() == ask.encode()
    proxy.send(call(2, do=[{"write": answer(2, {"resultType": "complete"})}], inputResponses={"a": {}}, requestState="abc"))
    _, _, spans, _, _ = proxy.finish()
    first, second = sorted(spans, key=lambda s: s.attributes["worktrace.mcp.round"])
    assert [s.attributes["worktrace.mcp.round"] for s in (first, second)] == [1, 2]
    (link,) = second.span.links
    assert link.span_id == first.span.span_id
    assert [(a.key, a.value.string_value) for a in link.attributes] == [("worktrace.link.relation", "continues")]


def test_a_task_ends_its_call(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    created = answer(1, {"resultType": "task", "taskId": "t1", "status": "working"})
    proxy.send(call(1, do=[{"write": created}]))
    assert proxy.process.stdout.readline() == created.encode()
    time.sleep(0.3)
    done = answer(2, {"status": "completed", "result": {"isError": True}})
    proxy.send({"jsonrpc": "2.0", "id": 2, "method": "tasks/get", "params": {"taskId": "t1", "arguments": {"do": [{"write": done}]}}})
    _, _, spans, _, _ = proxy.finish()
    ((span, attributes, _, _),) = spans
    assert attributes["worktrace.mcp.task.id"] == "t1" and attributes["error.type"] == "tool_error"
    assert span.end_time_unix_nano - span.start_time_unix_nano >= 300_000_000


@pytest.mark.parametrize("step, code", [({"exit": 7}, 7), ({"kill": signal.SIGKILL}, 137), ({"kill": signal.SIGSEGV}, 139)])
def test_the_exit_code_is_the_servers(binary, tmp_path, step, code):
    proxy = Stdio(binary, tmp_path)
    proxy.send(call(1, do=[{"error": "oh no"}, step]))
    proxy.process.wait(timeout=30)
    errors = proxy.process.stderr.read()
    assert (proxy.process.returncode, errors) == (code, b"oh no")
    (seen,) = spans_of(proxy.collector)
    assert seen.attributes["error.type"] == "connection_closed"


def test_signals_are_the_servers(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    proxy.send(call(1, do=[{"write": "ready\n"}, {"sleep": 60}]))
    assert proxy.process.stdout.readline() == b"ready\n"
    proxy.process.send_signal(signal.SIGTERM)
    assert proxy.process.wait(timeout=30) == 128 + signal.SIGTERM


@pytest.mark.parametrize("command, code, word", [
    (["--", "/nonesuch"], 127, "No such file"), (["--", "/"], 126, "cannot be started"), ([], 64, "behind --"),
    (["--listen", "127.0.0.1:0"], 64, "--upstream"), (["--upstream", "http://x"], 64, "--listen"),
    (["--listen", "127.0.0.1:0", "--upstream", "x"], 64, "127.0.0.1:8000/mcp"), (["--listen", "x", "--upstream", "http://x"], 64, "HOST:PORT"),
    (["--listen", "127.0.0.1:0", "--upstream", "http://x", "--", "cat"], 64, "not both"), (["--otlp", "", "--", "cat"], 64, "--otlp"),
])
def test_mistakes_are_told(binary, command, code, word):
    result = subprocess.run([binary, "mcp-proxy", *command], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert result.returncode == code and word in result.stderr and not result.stdout


def test_large_lines_pass_and_very_large_ones_too(binary, tmp_path):
    """4 MiB with a context, and 70 MiB, which is more than is looked at, as they are."""
    proxy = Stdio(binary, tmp_path)
    large = call(1, "large", x="y" * (4 << 20))
    very = call(2, "very", [{"fill": 70 << 20}], x="y" * (70 << 20))
    writer = threading.Thread(target=lambda: (proxy.send(large, very), proxy.process.stdin.close()))
    writer.start()
    output = proxy.process.stdout.read()
    writer.join()
    assert proxy.process.wait(timeout=60) == 0
    seen = proxy.seen_path.read_bytes().splitlines()
    assert len(output) > 70 << 20 and json.loads(output)["id"] == 2
    sent = json.loads(seen[0])
    assert sent["params"].pop("_meta")["traceparent"] and sent == large
    assert seen[1] + b"\n" == line(very)
    found = {s.attributes["gen_ai.tool.name"]: s.attributes for s in spans_of(proxy.collector)}
    assert found["very"]["worktrace.mcp.response.bytes"] == len(output) and "error.type" not in found["very"]


def test_traffic_goes_on_without_a_collector(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    proxy.collector.server.shutdown()
    proxy.collector.server.server_close()
    start = time.time()
    for id in range(200):
        proxy.send(call(id, do=[{"write": answer(id)}]))
        assert json.loads(proxy.process.stdout.readline())["id"] == id
    output, errors = proxy.process.communicate(timeout=30)
    assert time.time() - start < 20
    assert proxy.process.returncode == 0 and output == b""
    assert len(errors.splitlines()) == 1 and errors.startswith(b"skein mcp-proxy: ")


class Upstream:
    """A server of HTTP made by hand: hands every request to a test, which answers on the socket."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.requests = self.socket.getsockname()[1], queue.Queue()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self.read, args=(connection,), daemon=True).start()

    def read(self, connection):
        with contextlib.suppress(OSError):
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    if not (more := connection.recv(65536)):
                        return
                    data += more
                head, data = data.split(b"\r\n\r\n", 1)
                start, *lines = head.decode().split("\r\n")
                headers = [tuple(text.split(": ", 1)) for text in lines]
                length = int({k.lower(): v for k, v in headers}.get("content-length", 0))
                while len(data) < length:
                    data += connection.recv(1 << 20)
                self.requests.put((connection, start, headers, data[:length]))
                data = data[length:]

    def next(self):
        return self.requests.get(timeout=20)


@pytest.fixture
def http(binary):
    """A proxy in front of an Upstream: connect() gives a socket to it, spans() ends it and says what it reported."""
    with contextlib.ExitStack() as stack:
        collector, upstream, port = stack.enter_context(Collector()), Upstream(), free_port()
        process = subprocess.Popen(
            [binary, "mcp-proxy", "--otlp", collector.url, "--listen", f"127.0.0.1:{port}"]
            + ["--upstream", f"http://127.0.0.1:{upstream.port}/api/mcp"],
            stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"]},
        )
        stack.callback(process.kill)
        assert process.stdout.readline() == f"skein mcp-proxy listens on http://127.0.0.1:{port}\n".encode()

        class Proxy:
            server, address = upstream, f"127.0.0.1:{port}"

            def connect(self):
                connection = socket.create_connection(("127.0.0.1", port), timeout=20)
                stack.callback(connection.close)
                return connection

            def post(self, body, headers=(), path="/mcp", method="POST"):
                connection, body = self.connect(), body if isinstance(body, bytes) else json.dumps(body).encode()
                fields = {"Host": self.address, "Content-Type": "application/json", "Content-Length": len(body), **dict(headers)}
                head = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
                connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
                return connection

            def spans(self):
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=30) == 0
                return spans_of(collector)

        yield Proxy()
        upstream.socket.close()


def reply(connection, body, headers="Content-Type: application/json\r\n", status="200 OK"):
    body = body if isinstance(body, bytes) else body.encode()
    connection.sendall(f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def read_until(connection, word):
    data = b""
    while word not in data:
        more = connection.recv(65536)
        assert more, data
        data += more
    return data


def test_a_request_and_its_answer_over_http(http):
    body = b'{ "method":"tools/call", "id":"7" ,"params":{"name":"slow","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}'
    client = http.post(body, {
        "Authorization": "Bearer x", "Mcp-Name": "slow", "mcp-METHOD": "tools/call", "MCP-Protocol-Version": "2026-07-28",
        "Origin": "http://a.example", "X-Own": "1", "Connection": "keep-alive, X-Hop", "X-Hop": "2", "Last-Event-ID": "5",
        "traceparent": PARENT, "baggage": "k=v",
    }, path="/mcp?x=1")
    connection, start, headers, received = http.server.next()
    assert start == "POST /api/mcp?x=1 HTTP/1.1"
    fields = dict(headers)
    assert fields["host"] == f"127.0.0.1:{http.server.port}"
    for name, value in [("Authorization", "Bearer x"), ("Mcp-Name", "slow"), ("mcp-METHOD", "tools/call"), ("Origin", "http://a.example"), ("X-Own", "1"), ("Last-Event-ID", "5"), ("traceparent", PARENT)]:
        assert fields[name] == value
    assert "X-Hop" not in fields
    text = '{"jsonrpc":"2.0", "id":"7","result":{"isError":true}}'
    reply(connection, text, "Content-Type: application/json; charset=utf-8\r\nX-Answer: 1\r\nDate: yesterday\r\nMcp-Session-Id: s\r\n")
    got = read_until(client, text.encode())
    for field in [b"X-Answer: 1", b"Date: yesterday", b"Mcp-Session-Id: s", b"Content-Length: %d" % len(text)]:
        assert field in got and b"chunked" not in got
    (seen,) = http.spans()
    context = f"00-{TRACE}-{seen.span.span_id.hex()}-03"
    added = f'"traceparent":"{context}","baggage":"k=v",'.encode()
    assert received == body.replace(b'"io.', added + b'"io.')
    assert seen.span.parent_span_id.hex() == SPAN
    expected = {"network.transport": "tcp", "mcp.protocol.version": "2026-07-28", "error.type": "tool_error", "jsonrpc.request.id": "7"}
    assert expected.items() <= seen.attributes.items()


def test_the_header_is_a_link_where_meta_won(http):
    other = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    client = http.post(call(1, meta={"traceparent": other}), {"traceparent": PARENT})
    connection, _, _, _ = http.server.next()
    reply(connection, answer(1))
    read_until(client, b"result")
    (seen,) = http.spans()
    assert seen.span.trace_id.hex() == "1" * 32
    assert [(link.trace_id.hex(), link.span_id.hex()) for link in seen.span.links] == [(TRACE, SPAN)]


def test_a_server_that_names_itself_with_each_answer(http):
    """As of 2026-07-28, which has no handshake."""
    client = http.post(call(1))
    connection, *_ = http.server.next()
    reply(connection, answer(1, {"_meta": {"io.modelcontextprotocol/serverInfo": {"name": "fs-mcp", "version": "1"}}}))
    read_until(client, b"fs-mcp")
    (seen,) = http.spans()
    assert seen.attributes["worktrace.mcp.server.name"] == "fs-mcp"


def test_a_call_under_way_is_waited_for_when_the_proxy_ends(http):
    client = http.post(call(1))
    connection, *_ = http.server.next()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n")
    read_until(client, b":\n\n")
    done = []
    ending = threading.Thread(target=lambda: done.extend(http.spans()))
    ending.start()
    time.sleep(0.5)
    event = b"data: " + answer(1).encode() + b"\n"
    connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(event), event))
    read_until(client, b"0\r\n\r\n")
    ending.join(30)
    assert [s.attributes.get("error.type") for s in done] == [None]


def test_the_same_id_of_two_clients_is_two_calls(http):
    clients = [http.post(call(1, tool)) for tool in ("a", "b")]
    asked = {json.loads(r[3])["params"]["name"]: r for r in (http.server.next(), http.server.next())}
    reply(asked["b"][0], answer(1, {"isError": True}))
    reply(asked["a"][0], answer(1))
    for client in clients:
        read_until(client, b"result")
    assert {s.attributes["gen_ai.tool.name"]: s.attributes.get("error.type") for s in http.spans()} == {"a": None, "b": "tool_error"}


def test_events_come_while_they_are_made(http):
    client = http.post(call(1, meta={"progressToken": 1}))
    connection, _, _, _ = http.server.next()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    progress = b'data: {"method":"notifications/progress","params":{"progressToken":1,"progress":0.5}}\n\n'
    for piece in [b": hello\n\n", progress[:20], progress[20:], b"id: 3\r\ndata: " + answer(1).encode() + b"\r\n"]:
        connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        read_until(client, piece)
    connection.sendall(b"0\r\n\r\n")
    read_until(client, b"0\r\n\r\n")
    (seen,) = http.spans()
    assert [e.name for e in seen.span.events] == ["mcp.progress"] and "error.type" not in seen.attributes


@pytest.mark.parametrize("begun", [False, True])
def test_a_client_that_hangs_up_cancels_its_call(http, begun):
    client = http.post(call(1))
    connection, *_ = http.server.next()
    if begun:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n")
        read_until(client, b":\n\n")
    client.close()
    connection.settimeout(10)
    with contextlib.suppress(ConnectionResetError):
        assert connection.recv(1) == b"", "the connection to the server closes"
    (seen,) = http.spans()
    assert (seen.attributes["error.type"], seen.span.status.code) == ("cancelled", UNSET)


def test_a_server_that_breaks_off(http):
    client = http.post(call(1))
    connection, *_ = http.server.next()
    connection.shutdown(socket.SHUT_RDWR)
    assert b"502 Bad Gateway" in read_until(client, b"mcp-proxy")
    client = http.post(call(2))
    connection, *_ = http.server.next()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:\n\n\r\n")
    read_until(client, b":\n\n")
    connection.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(ConnectionResetError):
        assert client.recv(100) == b"", "the answer is not whole, and the client sees that"
    assert [s.attributes["error.type"] for s in http.spans()] == ["connection_closed"] * 2


def test_statuses_and_bodies_that_cannot_be_read(http):
    sentinel = "=?base64?" + base64.b64encode("wetter-\u00e4".encode()).decode() + "?="
    client = http.post(b"\x1f\x8b opaque", {"Content-Encoding": "gzip", "Mcp-Method": "tools/call", "Mcp-Name": sentinel})
    connection, _, _, received = http.server.next()
    assert received == b"\x1f\x8b opaque"
    reply(connection, answer(1, error={"code": -32020}), status="400 Bad Request")
    read_until(client, b"-32020")
    client = http.post(call(1, "lost"))
    connection, *_ = http.server.next()
    reply(connection, "no", "WWW-Authenticate: Bearer\r\n", status="401 Unauthorized")
    assert b"401 Unauthorized" in read_until(client, b"no")
    client = http.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
    connection, *_ = http.server.next()
    reply(connection, "", "", status="202 Accepted")
    assert b"202 Accepted" in read_until(client, b"\r\n\r\n")
    assert {s.span.name: s.attributes["error.type"] for s in http.spans()} == {"tools/call wetter-\u00e4": "-32020", "tools/call lost": "401"}


def test_sessions_of_2025(http):
    """A cancellation that comes by itself, an answer that comes along another stream, and streams that are no calls."""
    session = {"Mcp-Session-Id": "s1"}
    stream = http.post(b"", session, method="GET")
    get, start, _, _ = http.server.next()
    assert start.startswith("GET /api/mcp")
    get.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    waiting = http.post(call(1, "cancelled"), session)
    http.server.next()
    note = http.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}, session)
    connection, *_ = http.server.next()
    reply(connection, "", "", status="202 Accepted")
    read_until(note, b"202")
    resumed = http.post(call(2, "resumed"), session)
    connection, *_ = http.server.next()
    reply(connection, "id: 9\ndata: \n\n", "Content-Type: text/event-stream\r\n")
    read_until(resumed, b"id: 9")
    get.sendall(b"data: " + answer(2).encode() + b"\n")
    read_until(stream, b"data: ")
    ended = http.post(b"", session, method="DELETE")
    connection, start, *_ = http.server.next()
    assert start.startswith("DELETE ")
    reply(connection, "", "")
    read_until(ended, b"200")
    waiting.close()
    found = {s.attributes["gen_ai.tool.name"]: s.attributes.get("error.type") for s in http.spans()}
    assert found == {"cancelled": "cancelled", "resumed": None}


def test_a_session_that_the_server_knows_no_more(http):
    session = {"Mcp-Session-Id": "s1"}
    resumed = http.post(call(1, "left"), session)
    connection, *_ = http.server.next()
    reply(connection, "id: 9\ndata: \n\n", "Content-Type: text/event-stream\r\n")
    read_until(resumed, b"id: 9")
    client = http.post(call(2, "lost"), session)
    connection, *_ = http.server.next()
    reply(connection, "no", "", status="404 Not Found")
    read_until(client, b"no")
    found = {s.attributes["gen_ai.tool.name"]: s.attributes["error.type"] for s in http.spans()}
    assert found == {"left": "connection_closed", "lost": "404"}


def test_the_older_transport_of_two_endpoints(http):
    stream = http.post(b"", method="GET", path="/sse")
    get, start, _, _ = http.server.next()
    assert start.startswith("GET /sse")
    get.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: endpoint\ndata: /messages/?session_id=1\n\n")
    read_until(stream, b"session_id")
    client = http.post(call(1), path="/messages/?session_id=1")
    connection, start, *_ = http.server.next()
    assert start.startswith("POST /messages/?session_id=1 ")
    reply(connection, "Accepted", "", status="202 Accepted")
    read_until(client, b"Accepted")
    get.sendall(b"data: " + answer(1, {"isError": True}).encode() + b"\n")
    read_until(stream, b"isError")
    (seen,) = http.spans()
    assert seen.attributes["error.type"] == "tool_error"


def test_another_host_stays_as_it_came(http):
    """A page that was led here by a name of its own must not look as if it was allowed."""
    http.post(b"{}", {"Host": f"evil.example:{http.address.split(':')[1]}"})
    _, _, headers, _ = http.server.next()
    assert dict(headers)["Host"].startswith("evil.example")
