# SPDX-License-Identifier: Apache-2.0
"""`skein mcp-proxy` over HTTP, between clients and servers that are sockets and look at every byte."""

import base64
import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time

import pytest
from collector import Collector, free_port
from mcp_messages import PARENT, SPAN, TRACE, UNSET, answer, call, spans_of

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
def http(request, binary):
    """A proxy in front of an Upstream: connect() gives a socket to it, spans() ends it and says what it reported."""
    host, *options = getattr(request, "param", ["127.0.0.1"])
    with contextlib.ExitStack() as stack:
        collector, upstream, port = stack.enter_context(Collector()), Upstream(), free_port()
        process = subprocess.Popen(
            [binary, "mcp-proxy", "--otlp", collector.url, "--listen", f"127.0.0.1:{port}"]
            + ["--upstream", f"http://{host}:{upstream.port}/api/mcp", *options],
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


DIGESTS = {"Content-Digest": "sha-256=:x=:", "Repr-Digest": "sha-256=:x=:", "Digest": "sha-256=x", "Content-MD5": "x"}


def test_digests_of_a_body_that_changes_are_left_out(http):
    http.post(call(1, "a"), DIGESTS)
    _, _, headers, body = http.server.next()
    assert not {"content-digest", "repr-digest", "digest", "content-md5"} & {k.lower() for k, _ in headers}
    assert b"traceparent" in body and [v for k, v in headers if k.lower() == "content-length"] == [str(len(body))]
    plain = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    http.post(plain, DIGESTS)
    _, _, headers, body = http.server.next()
    assert DIGESTS.items() <= dict(headers).items() and json.loads(body) == plain


@pytest.mark.parametrize("header", [
    {"Signature-Input": 'sig=("content-digest")', "Signature": "sig=:x:"}, {"X-Amz-Content-Sha256": "x"},
    {"Authorization": "AWS4-HMAC-SHA256 Credential=x"},
])
def test_a_signed_body_stays_as_it_is_and_is_reported(http, header):
    client = http.post(call(1, "signed"), header | DIGESTS)
    connection, _, headers, body = http.server.next()
    assert json.loads(body) == call(1, "signed") and (header | DIGESTS).items() <= dict(headers).items()
    reply(connection, answer(1))
    read_until(client, b"result")
    (seen,) = http.spans()
    assert seen.span.name == "tools/call signed" and "error.type" not in seen.attributes


def test_rounds_of_two_clients_do_not_mix(http):
    """Without sessions, with the same state of the server for both (MCP 2026-07-28)."""
    def ask(id, client, **members):
        connection = http.post(call(id, **members), {"Authorization": f"Bearer {client}"})
        return connection, http.server.next()[0]

    for client in ("a", "b"):
        connection, server = ask(1, client)
        reply(server, answer(1, {"resultType": "input_required", "requestState": "round 1"}))
        read_until(connection, b"input_required")
    for client in ("a", "b"):
        connection, server = ask(2, client, inputResponses={}, requestState="round 1")
        reply(server, answer(2))
        read_until(connection, b"result")
    first_a, first_b, next_a, next_b = [s.span for s in sorted(http.spans(), key=lambda s: s.span.start_time_unix_nano)]
    assert [[k.span_id for k in s.links] for s in (next_a, next_b)] == [[first_a.span_id], [first_b.span_id]]


def test_an_answer_of_more_than_is_kept_says_last_how_it_went(http):
    client = http.post(call("last", "huge"))
    client.settimeout(120)
    connection, *_ = http.server.next()
    body = b'{"result":{"content":"' + b"x" * (70 << 20) + b'","isError":true},"id":"last"}'
    sender = threading.Thread(target=reply, args=(connection, body))
    sender.start()
    got = b""
    while not got.endswith(body[-40:]):
        got = got[-100:] + client.recv(1 << 20)
    sender.join()
    (seen,) = http.spans()
    assert (seen.attributes["error.type"], seen.attributes["worktrace.mcp.response.bytes"]) == ("tool_error", len(body))


def test_a_client_that_reads_slowly_is_waited_for_and_stops_the_server(http):
    """Backpressure: what nobody reads is not kept, and nothing of it is lost."""
    client = http.post(call(1))
    connection, *_ = http.server.next()
    body = answer(1, {"content": "x" * (24 << 20)}).encode()
    sender = threading.Thread(target=reply, args=(connection, body))
    sender.start()
    time.sleep(1.5)
    assert sender.is_alive(), "the proxy took 24 MiB that nobody read"
    got = read_until(client, b"\r\n\r\n")
    count = len(got) - got.index(b"\r\n\r\n") - 4
    while count < len(body):
        count += len(client.recv(1 << 20))
    sender.join()
    assert [s.attributes.get("error.type") for s in http.spans()] == [None]


def test_hundred_calls_at_once(http):
    clients = [http.post(call(number, f"t{number}")) for number in range(100)]
    asked = [http.server.next() for _ in clients]
    for connection, _, _, body in reversed(asked):
        message = json.loads(body)
        reply(connection, answer(message["id"], {"isError": message["id"] % 2 == 1}))
    for client in clients:
        read_until(client, b"isError")
    found = {s.span.name: s.attributes.get("error.type") for s in http.spans()}
    assert found == {f"tools/call t{n}": "tool_error" if n % 2 else None for n in range(100)}


@pytest.mark.parametrize("answer_bytes", [
    b"data: \xff\xfe{{{\r\rdata\r\n:\x00\n\n", b"\x00" * 5_000, b"data: [[[[" * 20_000 + b"\n\n", b"\r" * 200_000,
])
def test_hostile_bytes_of_a_server_pass(http, answer_bytes):
    client = http.post(call(1))
    connection, *_ = http.server.next()
    event = answer_bytes + b"\n\ndata: " + answer(1, {"isError": True}).encode() + b"\n"
    reply(connection, event, "Content-Type: text/event-stream\r\n")
    got = b""
    while event not in got:
        got += client.recv(1 << 20)
    (seen,) = http.spans()
    assert seen.attributes["error.type"] == "tool_error"


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
    assert b"X-Accel-Buffering: no\r\n" in read_until(client, b"\r\n\r\n")
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


def test_a_refusal_of_which_the_client_reads_only_the_status(http):
    """Also of one that is read last before the proxy is asked to end."""
    for number in range(8):
        client = http.post(call(number, "large"))
        connection, *_ = http.server.next()
        connection.sendall(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 100\r\n\r\nno")
        read_until(client, b"no")
        client.close()
    assert [s.attributes["error.type"] for s in http.spans()] == ["413"] * 8


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


@pytest.mark.parametrize("http", [["127.0.0.1", "--max-body", "1MiB", "--max-memory", "2MiB"]], indirect=True)
def test_what_is_too_large_or_finds_no_memory_is_refused_and_the_rest_goes_on(http):
    large = call(1, "large", x="y" * (900 << 10))
    first = http.post(large)
    connection, *_ = http.server.next()
    assert b" 429 " in (got := read_until(http.post(large), b"\r\n\r\n")) and b"\r\n\r\n" in got
    assert b" 413 " in read_until(http.post(call(2, "larger", x="y" * (1 << 20))), b"1048576 bytes")
    small = http.post(call(3, "small"))
    server, *_ = http.server.next()
    reply(server, answer(3))
    read_until(small, b"result")
    reply(connection, answer(1))
    read_until(first, b"result")
    again = http.post(large)
    server, *_ = http.server.next()
    reply(server, answer(1))
    read_until(again, b"result")
    found = sorted((s.attributes["gen_ai.tool.name"], s.attributes.get("error.type")) for s in http.spans())
    assert found == [("large", None), ("large", None), ("small", None)]


# 0.0.0.0 leads to this machine and does not say so.
@pytest.mark.parametrize("http, passed", [
    (["127.0.0.1"], "user=u,team=t"), (["0.0.0.0"], None), (["0.0.0.0", "--baggage", "team"], "team=t"),
    (["127.0.0.1", "--baggage", "none"], None),
], indirect=["http"])
def test_baggage_leaves_the_machine_only_where_it_may(http, passed):
    """That of the header in the header and in a call that has none of its own; that of a message in the message."""
    http.post(call(1), {"traceparent": PARENT, "baggage": "user=u,team=t"})
    _, _, headers, body = http.server.next()
    assert (dict(headers).get("baggage"), json.loads(body)["params"]["_meta"].get("baggage")) == (passed, passed)
    http.post({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {"_meta": {"baggage": "user=u,team=t"}}})
    _, _, headers, body = http.server.next()
    assert json.loads(body)["params"]["_meta"]["baggage"] == (passed or "")
    assert dict(headers)["Content-Length"] == str(len(body)) if "Content-Length" in dict(headers) else True
