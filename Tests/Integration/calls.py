# SPDX-License-Identifier: Apache-2.0
"""A `trace-context-service` process, and somebody whom it calls and who keeps the headers of these calls."""

import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from server import Answer

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Call:
    """A request that the service made."""

    def __init__(self, pairs, body):
        self.pairs, self.body = pairs, body

    def __getitem__(self, name):
        """The value of a header; None if it is not there. There must not be two."""
        values = [value for other, value in self.pairs if other.lower() == name]
        assert len(values) <= 1, self.pairs
        return values[0] if values else None

    def part(self, number):
        match = TRACEPARENT.fullmatch(self["traceparent"] or "")
        assert match, self.pairs
        return match[number]

    @property
    def trace_id(self):
        return self.part(1)

    @property
    def parent_id(self):
        return self.part(2)

    @property
    def flags(self):
        return self.part(3)


class Catcher:
    """Answers whatever is posted, and keeps it under its path."""

    def __init__(self):
        caught = self.caught = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                caught[self.path] = Call(self.headers.items(), body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.paths = map("/{}".format, itertools.count())
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class CallService:
    """The process; of the variables OTEL_* it has only those given."""

    def __init__(self, binary, catcher, environment):
        self.catcher = catcher
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        self.process = subprocess.Popen(
            [binary, "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**inherited, **environment},
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        self.port = int(line.rsplit(":", 1)[1])

    def post(self, body, headers=(), method="POST", path="/test"):
        """One request with these pairs of headers in their order, repeated or not; text goes out as Latin-1."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path)
            connection.putheader("content-length", str(len(body)))
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def calls(self, *headers, count=1, arguments=()):
        """What the service sends out, in so many calls, when a request with these headers comes in."""
        paths = [next(self.catcher.paths) for _ in range(count)]
        entries = [{"url": self.catcher.url + path, "arguments": arguments} for path in paths]
        answer = self.post(json.dumps(entries).encode(), headers)
        assert answer.status == 200 and answer.json == {"statuses": [200] * count}, answer
        return [self.catcher.caught.pop(path) for path in paths]

    def call(self, *headers):
        [call] = self.calls(*headers)
        return call

    def stop(self, timeout=30):
        """A polite end; gives the exit status, or the negative signal that ended the process before."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
