# SPDX-License-Identifier: Apache-2.0
"""Ports: those that clients of other systems expect, two protocols on one of them, and streams of answers over them."""

import concurrent.futures
import json
import re
import socket
import subprocess
import time

import grpc
import otlp
import pytest
import requests
from server import LISTENERS, eventually

SEARCH = "/tempopb.StreamingQuerier/Search"
LINES = {"Accept": "application/x-ndjson"}
TAGS = "/tempopb.StreamingQuerier/SearchTagsV2"


def number(field, value):
    """A protobuf field of a number."""
    return otlp.varint(field << 3) + otlp.varint(value)


def search(query, limit=20):
    """A tempopb.SearchRequest."""
    return number(4, limit) + otlp.field(8, query.encode())


def trace_ids(message):
    """The trace ids in a tempopb.SearchResponse: they alone are hexadecimal."""
    return [word.decode() for word in re.findall(rb"[0-9a-f]{32}", message)]


@pytest.fixture
def tempo(server):
    """A channel of the reference gRPC client to the port where HTTP is spoken too."""
    with grpc.insecure_channel(server.tempo, options=[("grpc.enable_http_proxy", 0)]) as channel:
        yield channel


def stream(channel, path, message, **options):
    call = channel.unary_stream(path, request_serializer=None, response_deserializer=None)
    return call(message, **{"timeout": 30, **options})


@pytest.fixture(scope="module")
def stored(server):
    """Ids of sixty traces, as hexadecimal digits."""
    # Tempo writes no zeros before an id.
    ids = [b"\xa1" + otlp.trace_id()[1:] for _ in range(60)]
    assert server.post(otlp.export(*(otlp.span(i, attributes={"n": n}) for n, i in enumerate(ids)))).status == 200
    return {i.hex() for i in ids}


def test_every_listener_is_told_at_the_start(server):
    for name, kind in LISTENERS.items():
        scheme = "udp" if kind == socket.SOCK_DGRAM else "grpc" if name.endswith("-grpc") else "http"
        line = rf"^{name} +{scheme}://127\.0\.0\.1:{server.ports[name]}$"
        assert re.search(line, server.output(), re.MULTILINE), server.output()


@pytest.mark.parametrize("name", ["tempo", "zipkin", "jaeger-query-grpc"])
def test_a_listener_that_is_off_or_whose_port_is_taken(serve, binary, folder, name):
    first = serve("first", "--listen", f"{name}=off")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", first.ports[name]), timeout=5)
    port = first.ports["web"]
    words = [word for other in LISTENERS if other != name for word in ("--listen", f"{other}=off")]
    command = [binary, "serve", "--data-dir", folder / "other", *words, "--listen", f"{name}=127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"cannot listen for {name} on 127.0.0.1:{port}: port {port} is in use" in done.stderr, done
    assert f"--listen {name}=off" in done.stderr, done


@pytest.mark.parametrize("family", ["tempo", "zipkin"])
def test_a_family_on_its_port_and_below_its_name(server, family):
    for base in (f"http://127.0.0.1:{server.ports[family]}", f"{server.web}/{family}"):
        answer = requests.get(f"{base}/api/nothing", timeout=30)
        assert answer.status_code == 404 and "no page" not in answer.text, answer.text


def test_http_and_grpc_on_one_port(server, tempo, stored):
    with requests.Session() as session, concurrent.futures.ThreadPoolExecutor(8) as pool:

        def both(_):
            answer = session.get(f"http://{server.tempo}/api/search", params={"q": "{}", "limit": 60}, timeout=30)
            streamed = [i for message in stream(tempo, SEARCH, search("{}", 60)) for i in trace_ids(message)]
            return {t["traceID"] for t in answer.json()["traces"]}, streamed

        for asked, streamed in pool.map(both, range(20)):
            assert asked == stored
            assert len(streamed) == len(stored) and set(streamed) == stored


def test_a_search_comes_in_several_messages(tempo, stored):
    messages = list(stream(tempo, SEARCH, search("{}", 60)))
    assert len(messages) > 1
    few = [i for message in stream(tempo, SEARCH, search("{ span.n < 3 }")) for i in trace_ids(message)]
    assert len(few) == 3 and set(few) <= stored


def test_a_compressed_question(tempo, stored):
    answers = stream(tempo, SEARCH, search("{}", 60), compression=grpc.Compression.Gzip)
    assert {i for message in answers for i in trace_ids(message)} == stored


def test_a_call_that_fails(server, tempo):
    for path, message, code in (
        ("/tempopb.StreamingQuerier/Nothing", b"", grpc.StatusCode.UNIMPLEMENTED),
        ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", b"", grpc.StatusCode.UNIMPLEMENTED),
        (SEARCH, search("{ nonsense"), grpc.StatusCode.INVALID_ARGUMENT),
        (SEARCH, b"\xff\xff", grpc.StatusCode.INVALID_ARGUMENT),
    ):
        with pytest.raises(grpc.RpcError) as failure:
            list(stream(tempo, path, message))
        assert failure.value.code() == code and failure.value.details(), failure.value
    # A path that is not served is refused before a message comes, as tools expect that ask what there is.
    call = tempo.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    with pytest.raises(grpc.RpcError) as failure:
        next(call(iter(lambda: eventually(lambda: False, timeout=30), None), timeout=20))
    assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_calls_that_are_given_up_leave_nothing_behind(server, tempo, stored):
    for _ in range(50):
        call = stream(tempo, SEARCH, search("{}", 60))
        next(call)
        call.cancel()
    eventually(lambda: server.metrics()["skein_running_queries"] == 0)
    assert list(stream(tempo, TAGS, b""))


def test_a_deadline(server, tempo, stored):
    for _ in range(20):
        try:
            list(stream(tempo, SEARCH, search("{} | count() > 0", 60), timeout=0.002))
        except grpc.RpcError as failure:
            assert failure.code() == grpc.StatusCode.DEADLINE_EXCEEDED, failure
    eventually(lambda: server.metrics()["skein_running_queries"] == 0)


def test_the_end_of_the_server_waits_for_no_idle_connection(serve):
    server = serve()
    with grpc.insecure_channel(server.tempo) as channel, socket.create_connection(
        ("127.0.0.1", server.ports["tempo"])
    ):
        list(stream(channel, TAGS, b""))
        assert server.stop(timeout=6) == 0


def events(answer):
    """The Server-Sent Events of an answer, as they come: name and data."""
    name = None
    for line in answer.iter_lines(chunk_size=1):
        if line.startswith(b"event: "):
            name = line[7:].decode()
        elif line.startswith(b"data: "):
            yield name, json.loads(line[6:])


def test_a_search_comes_line_by_line_and_the_connection_is_used_again(server, stored):
    with requests.Session() as session:
        for _ in range(3):
            answer = session.get(f"{server.web}/api/skein/v1/search", params={"limit": 1000}, headers=LINES, timeout=30)
            assert answer.headers["transfer-encoding"] == "chunked" and "content-encoding" not in answer.headers
            *traces, last = [json.loads(line) for line in answer.text.splitlines()]
            assert {t["traceId"] for t in traces} == stored and last["next"] is None
            assert answer.raw.version == 11
        assert session.head(f"{server.web}/api/skein/v1/search", headers=LINES, timeout=30).text == ""
        assert session.get(f"{server.web}/healthz", timeout=30).text == "ok\n"


def test_a_tail_tells_traces_as_they_come_for_as_long_as_somebody_listens(serve):
    server = serve("data", "--tails-max", "2", "--query-timeout", "1s")
    path = f"{server.web}/api/skein/v1/tail"
    first, second = (requests.get(path, params={"q": "span.n > 1"}, stream=True, timeout=30) for _ in range(2))
    tails = [events(first), events(second)]
    assert [next(tail)[0] for tail in tails] == ["start", "start"]
    third = requests.get(path, timeout=30)
    assert third.status_code == 503 and "--tails-max" in third.json()["detail"], third.text
    # Longer than a query may take.
    time.sleep(1.5)
    for n in range(3):
        trace = otlp.trace_id()
        assert server.post(otlp.export(otlp.span(trace, attributes={"n": n}))).status == 200
    for tail in tails:
        name, data = next(tail)
        assert name == "trace" and data["traceId"] == trace.hex(), data
    assert server.metrics()["skein_open_tails"] == 2 and server.metrics()["skein_running_queries"] == 0
    second.close()
    eventually(lambda: server.metrics()["skein_open_tails"] == 1)
    # The end of the server is a good end of the tail, and need not wait for it.
    assert server.stop(timeout=6) == 0
    assert list(tails[0]) == []
