# SPDX-License-Identifier: Apache-2.0
"""`skein mcp-proxy` on pipes, between clients and servers that look at every byte."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from collector import Collector
from mcp_messages import CLIENT, ERROR, PARENT, SPAN, TRACE, UNSET, answer, call, line, spans_of, traceparent

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


class Stdio:
    """A proxy in front of SERVER."""

    def __init__(self, binary, tmp_path, collector=None, environment=(), options=(), server=SERVER):
        self.seen_path = tmp_path / "seen"
        self.collector = collector or Collector()
        environment = {"PATH": os.environ["PATH"], **dict(environment)}
        self.process = subprocess.Popen(
            [binary, "mcp-proxy", "--otlp", self.collector.url, *options, "--"]
            + [sys.executable, "-c", server, str(self.seen_path)],
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
    found = {s.span.name.split()[-1]: (s.attributes.get("error.type"), s.span.status.code) for s in spans}
    assert found == {"sampling/createMessage": (None, UNSET), "one": (None, UNSET), "text": ("-32602", ERROR), "two": ("tool_error", ERROR)}
    (one,) = [s.span for s in spans if s.attributes.get("gen_ai.tool.name") == "one"]
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
    _, seen, spans, _, _ = proxy.finish()
    found = {s.attributes["gen_ai.tool.name"]: (s.attributes.get("error.type"), s.span.status.code) for s in spans}
    assert found == {"cancelled": ("cancelled", UNSET), "closed": ("connection_closed", ERROR)}
    # The server's span of the notification would be a trace by itself.
    (note,) = [json.loads(text) for text in seen.splitlines() if b"notifications/cancelled" in text]
    assert note["params"]["_meta"]["traceparent"].startswith(traceparent(spans, "cancelled"))
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
    # The arguments of a call are those of each of its rounds; what answers nothing that waits is passed on.
    do = [{"write": ask}, {"write": answer(2, {"resultType": "complete"})}]
    proxy.send(call(1, do=do))
    assert proxy.process.stdout.readline() == ask.encode()
    proxy.send(call(2, do=do, inputResponses={"a": {}}, requestState="abc"))
    _, _, spans, _, _ = proxy.finish()
    first, second = sorted(spans, key=lambda s: s.attributes["worktrace.mcp.round"])
    assert [s.attributes["worktrace.mcp.round"] for s in (first, second)] == [1, 2]
    (link,) = second.span.links
    assert link.span_id == first.span.span_id
    assert [(a.key, a.value.string_value) for a in link.attributes] == [("worktrace.link.relation", "continues")]


def test_a_task_ends_its_call_and_questions_about_it_are_its_children(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    created = answer(1, {"resultType": "task", "taskId": "t1", "status": "working"})
    proxy.send(call(1, do=[{"write": created}]))
    assert proxy.process.stdout.readline() == created.encode()
    time.sleep(0.3)

    def poll(id, result, method="tasks/get", task="t1"):
        does = {"taskId": task, "arguments": {"do": [{"write": answer(id, result)}]}, "_meta": {"traceparent": PARENT}}
        proxy.send({"jsonrpc": "2.0", "id": id, "method": method, "params": does})
        assert proxy.process.stdout.readline() == answer(id, result).encode()

    poll(2, {"status": "working"})
    poll(3, {"status": "working"}, task="another's")
    poll(4, {"status": "completed", "result": {"isError": True}})
    poll(5, {"status": "completed"})
    _, seen, spans, _, _ = proxy.finish()
    ((span, attributes, _, _),) = [s for s in spans if s.span.name == "tools/call t"]
    assert attributes["worktrace.mcp.task.id"] == "t1" and attributes["error.type"] == "tool_error"
    assert span.end_time_unix_nano - span.start_time_unix_nano >= 300_000_000
    polls = sorted((s for s in spans if s.span.name == "tasks/get"), key=lambda s: s.attributes["jsonrpc.request.id"])
    assert [(s.attributes["jsonrpc.request.id"], s.span.parent_span_id, s.attributes["worktrace.mcp.task.id"]) for s in polls] == [
        ("2", span.span_id, "t1"), ("4", span.span_id, "t1"),
    ]
    assert all(s.span.trace_id == span.trace_id and "error.type" not in s.attributes for s in polls)
    # The server's spans stand below the question, and what the client said itself is linked.
    sent = {m["id"]: m["params"]["_meta"]["traceparent"] for m in map(json.loads, seen.removesuffix(b"<end>").splitlines()) if m["id"] > 1}
    of = lambda s: f"00-{s.span.trace_id.hex()}-{s.span.span_id.hex()}-"
    assert sent[2].startswith(of(polls[0])) and sent[4].startswith(of(polls[1])) and sent[3] == sent[5] == PARENT
    assert [(k.trace_id.hex(), k.span_id.hex()) for k in polls[0].span.links] == [(TRACE, SPAN)]


def test_what_a_server_asks_is_a_child_of_the_call_that_waits(binary, tmp_path):
    """One call that waits is the parent; of more each is linked, since nothing says which one is meant."""
    proxy = Stdio(binary, tmp_path)

    def ask(id):
        return json.dumps({"jsonrpc": "2.0", "id": id, "method": "sampling/createMessage", "params": {}}) + "\n"

    proxy.send(call(1, "one", [{"write": ask(1)}], {"traceparent": PARENT}))
    assert proxy.process.stdout.readline() == ask(1).encode()
    time.sleep(0.1)
    proxy.send({"jsonrpc": "2.0", "id": 1, "result": {"content": "secret"}})
    proxy.send(call(2, "two", [{"write": ask(2)}], {"traceparent": PARENT}))
    assert proxy.process.stdout.readline() == ask(2).encode()
    proxy.send({"jsonrpc": "2.0", "id": 2, "error": {"code": -1, "message": "rejected"}})
    proxy.send(call(3, "end", [{"write": answer(1) + answer(2) + answer(3)}]))
    _, seen, spans, _, _ = proxy.finish()
    one, two = (next(s.span for s in spans if s.span.name == f"tools/call {name}") for name in ("one", "two"))
    asked = sorted((s for s in spans if s.span.name == "sampling/createMessage"), key=lambda s: s.attributes["jsonrpc.request.id"])
    first, second = asked
    assert first.span.parent_span_id == one.span_id and not first.span.links and "error.type" not in first.attributes
    assert 100_000_000 <= first.span.end_time_unix_nano - first.span.start_time_unix_nano
    assert second.attributes["error.type"] == "-1" and (second.span.trace_id.hex(), second.span.parent_span_id.hex()) == (TRACE, SPAN)
    assert {k.span_id for k in second.span.links} == {one.span_id, two.span_id}
    assert not any("secret" in str(s) for s in spans)
    # What the client answers passes as it is.
    assert b'{"jsonrpc": "2.0", "id": 1, "result": {"content": "secret"}}\n' in seen


OTHER = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"


@pytest.mark.parametrize("order, trace, linked", [
    (None, "1" * 32, []), ("environment,meta", TRACE, ["1" * 32]), ("header,environment", TRACE, ["1" * 32]),
    ("header", None, ["1" * 32]), ("none", None, ["1" * 32]),
])
def test_whose_trace_a_call_belongs_to_is_a_choice(binary, tmp_path, order, trace, linked):
    proxy = Stdio(binary, tmp_path, environment={"TRACEPARENT": PARENT}, options=["--parent", order] if order else [])
    proxy.send(call(1, meta={"traceparent": OTHER}, do=[{"write": answer(1)}]))
    _, seen, (span,), _, _ = proxy.finish()
    found = span.span.trace_id.hex()
    assert found == trace if trace else found not in (TRACE, "1" * 32) and not span.span.parent_span_id
    assert [k.trace_id.hex() for k in span.span.links] == linked
    sent = json.loads(seen.removesuffix(b"<end>"))
    assert sent["params"]["_meta"]["traceparent"].startswith(f"00-{found}-{span.span.span_id.hex()}-")


@pytest.mark.parametrize("allowed, passed, inherited", [
    (None, "team=a, secret = b;p", "run=1,key=2"), ("team,run", "team=a", "run=1"), ("none", "", ""),
])
def test_only_baggage_that_is_allowed_reaches_a_server(binary, tmp_path, allowed, passed, inherited):
    """In a call, in any other message, in what a call gets of the environment, and in the environment."""
    options, environment = ["--baggage", allowed] if allowed else [], {"TRACEPARENT": PARENT, "BAGGAGE": "run=1,key=2"}
    proxy = Stdio(binary, tmp_path, environment=environment, options=options, server="""
import os, sys
open(sys.argv[1], "wb").write(os.environ["BAGGAGE"].encode() + b"\\n" + sys.stdin.buffer.read())
""")
    given = {"baggage": "team=a, secret = b;p"}
    proxy.send(call(1, "own", meta=given), call(2, "none"), {"jsonrpc": "2.0", "method": "notifications/x", "params": {"_meta": given}})
    _, seen, *_ = proxy.finish()
    variable, *lines = seen.decode().splitlines()
    own, without, note = (json.loads(text)["params"]["_meta"].get("baggage") for text in lines)
    assert (variable, own, note) == (inherited, passed, passed)
    assert (without or "") == inherited


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


# Counts the signals that it gets, and ends when it hears "end", or by SIGUSR1.
COUNTER = r"""
import os, signal, sys, time
counts = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), 0)
def count(number, frame): counts[number] += 1
for number in counts: signal.signal(number, count)
print("ready", flush=True)
while sys.stdin.readline() != "end\n": pass
print(" ".join(str(counts[n]) for n in sorted(counts)), flush=True)
"""


@pytest.mark.parametrize("to_group", [True, False])
def test_a_signal_reaches_the_server_once(binary, to_group):
    """Clients end a server by a signal to its process group, which the proxy is in too."""
    with Collector() as collector:
        process = subprocess.Popen(
            [binary, "mcp-proxy", "--otlp", collector.url, "--", sys.executable, "-c", COUNTER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )
        assert process.stdout.readline() == b"ready\n"
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            (os.killpg if to_group else os.kill)(process.pid, number)
        time.sleep(0.5)
        output, _ = process.communicate(b"end\n", timeout=30)
        assert (output, process.returncode) == (b"1 1 1\n", 0)


@pytest.mark.parametrize("in_front, expected", [(True, b"0 1 1"), (False, b"0 1 1")])
def test_what_a_terminal_sends_reaches_the_server_once(binary, in_front, expected):
    """A terminal sends SIGINT to each process of the group in front; somebody else sends to one."""
    leader = r"""
import os, pty, signal, subprocess, sys, time
command, in_front = sys.argv[2:], sys.argv[1] == "True"
terminal, side = pty.openpty()
if os.fork():
    os.close(side)
    time.sleep(0.2)
    while True:
        try:
            text = sys.stdin.buffer.readline()
        except OSError:
            break
        if text == b"interrupt\n": os.write(terminal, b"\x03"); continue
        break
    os.wait()
else:
    os.setsid()
    import fcntl, termios
    fcntl.ioctl(side, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
    os.tcsetpgrp(side, server.pid if in_front else os.getpgrp())
    assert server.stdout.readline() == b"ready\n"
    if in_front: print("ready", flush=True); time.sleep(1)
    else: os.kill(server.pid, signal.SIGINT); print("ready", flush=True); time.sleep(1)
    os.kill(server.pid, signal.SIGTERM)
    time.sleep(0.5)
    print(server.communicate(b"end\n")[0].decode(), end="", flush=True)
"""
    with Collector() as collector:
        process = subprocess.Popen(
            [sys.executable, "-c", leader, str(in_front), binary, "mcp-proxy", "--otlp", collector.url, "--"]
            + [sys.executable, "-c", COUNTER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        assert process.stdout.readline() == b"ready\n"
        output, _ = process.communicate(b"interrupt\nend\n" if in_front else b"end\n", timeout=60)
        assert output.strip() == expected


def test_a_signal_after_the_servers_end_does_not_change_its_exit_code(binary, tmp_path):
    proxy = Stdio(binary, tmp_path)
    # Nobody reads what it wrote, so that the proxy cannot end yet.
    proxy.send(call(1, do=[{"fill": 150_000}, {"exit": 7}]))
    time.sleep(1)
    assert proxy.process.poll() is None
    for number in (signal.SIGINT, signal.SIGTERM):
        proxy.process.send_signal(number)
    assert proxy.process.wait(timeout=30) == 7


@pytest.mark.parametrize("command, code, word", [
    (["--", "/nonesuch"], 127, "No such file"), (["--", "/"], 126, "cannot be started"), ([], 64, "behind --"),
    (["--listen", "127.0.0.1:0"], 64, "--upstream"), (["--upstream", "http://x"], 64, "--listen"),
    (["--listen", "127.0.0.1:0", "--upstream", "x"], 64, "127.0.0.1:8000/mcp"), (["--listen", "x", "--upstream", "http://x"], 64, "HOST:PORT"),
    (["--listen", "127.0.0.1:0", "--upstream", "http://x", "--", "cat"], 64, "not both"), (["--otlp", "", "--", "cat"], 64, "--otlp"),
    (["--parent", "meta,meta", "--", "cat"], 64, "each once"), (["--baggage", "a b", "--", "cat"], 64, '"a b"'),
    (["--max-body", "1XB", "--", "cat"], 64, "64MiB"), (["--max-body", "1GiB", "--", "cat"], 64, "at least twice as much"),
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


def test_a_very_long_message_says_last_whose_it_is(binary, tmp_path):
    """70 MiB, and then the id, the method, and whether the tool failed."""
    proxy = Stdio(binary, tmp_path)
    server = r"""
import sys
for text in sys.stdin.buffer:
    sys.stdout.buffer.write(b'{"jsonrpc":"2.0","result":{"content":"' + (b'x' * 1022 + b'\\"') * (70 << 10) + b'","isError":true},"id":"last"}\n')
    sys.stdout.flush()
"""
    proxy.process.kill()
    proxy.process.communicate()
    process = subprocess.Popen(
        [binary, "mcp-proxy", "--otlp", proxy.collector.url, "--", sys.executable, "-c", server],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )
    text = b'{"params":{"arguments":"' + b"y" * (70 << 20) + b'","name":"huge"},"method":"tools/call","id":"last"}\n'
    output, _ = process.communicate(text, timeout=60)
    assert len(output) > 50 << 20 and process.returncode == 0
    ((span, attributes, _, _),) = spans_of(proxy.collector)
    assert span.name == "tools/call huge"
    expected = {
        "jsonrpc.request.id": "last", "error.type": "tool_error", "worktrace.mcp.request.bytes": len(text),
        "worktrace.mcp.response.bytes": len(output),
    }
    assert expected.items() <= attributes.items()


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
