# SPDX-License-Identifier: Apache-2.0
"""A `skein serve` process on free ports of this machine, and the few ways the tests speak to it.

Standard library only: the bench starts its servers with this too.
"""

import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

LISTENERS = {
    "web": socket.SOCK_STREAM,
    "tempo": socket.SOCK_STREAM,
    "zipkin": socket.SOCK_STREAM,
    "jaeger-query-grpc": socket.SOCK_STREAM,
    "otlp-grpc": socket.SOCK_STREAM,
    "otlp-http": socket.SOCK_STREAM,
    "jaeger-compact": socket.SOCK_DGRAM,
    "jaeger-binary": socket.SOCK_DGRAM,
    "jaeger-http": socket.SOCK_STREAM,
    "jaeger-grpc": socket.SOCK_STREAM,
    "jaeger-sampling": socket.SOCK_STREAM,
    "jaeger-sampling-grpc": socket.SOCK_STREAM,
}


def free_ports():
    """One free port for each listener; all are held until all are known, so that no two are the same."""
    sockets = {}
    try:
        for name, kind in LISTENERS.items():
            sockets[name] = socket.socket(socket.AF_INET, kind)
            sockets[name].bind(("127.0.0.1", 0))
        return {name: s.getsockname()[1] for name, s in sockets.items()}
    finally:
        for s in sockets.values():
            s.close()


class Answer:
    """An HTTP answer: status, headers with lower-case names, body (inflated where it came as gzip)."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()
        if self.headers.get("content-encoding") == "gzip":
            self.body = gzip.decompress(self.body)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.headers.get("content-type", "").split(";")[0].strip()

    def __repr__(self):
        return f"{self.status} {self.headers.get('content-type')} {self.body[:400]!r}"


def request(base, method, path, body=None, headers=None, timeout=60):
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


class Server:
    """One data folder and the processes that serve it, one after the other."""

    def __init__(self, binary, data_dir, *arguments, log=None, environment=None):
        self.binary, self.data_dir, self.arguments = Path(binary), Path(data_dir), arguments
        self.environment = environment or {}
        self.log_path = Path(log or f"{data_dir}.log")
        self.process = None
        self.ports = {}

    def launch(self, output=None):
        """Starts the process without waiting for it to be ready. `output` says where it writes, if not to the log."""
        self.ports = free_ports()
        listen = [word for name, port in self.ports.items() for word in ("--listen", f"{name}=127.0.0.1:{port}")]
        command = [self.binary, "serve", "--data-dir", self.data_dir, *listen, *self.arguments]
        self.log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                **(output or {"stdout": log, "stderr": subprocess.STDOUT}),
                env={**os.environ, **self.environment},
            )
        return self

    def start(self, timeout=90):
        self.launch()
        deadline = time.monotonic() + timeout
        while not re.search(r"^ready\b", self.output(), re.MULTILINE):
            if self.process.poll() is not None:
                raise RuntimeError(f"skein ended with {self.process.returncode} before it was ready:\n{self.output()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"skein was not ready after {timeout} s:\n{self.output()}")
            time.sleep(0.02)
        return self

    def output(self):
        """What the present process has printed so far."""
        return self.log_path.read_bytes()[self.log_start :].decode(errors="replace")

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """The process is gone at once, as after a crash."""
        if self.running():
            self.process.send_signal(signal.SIGKILL)
        return self.process.wait()

    def stop(self, timeout=60):
        """A polite end; gives the exit status."""
        if self.running():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"skein did not end within {timeout} s of SIGTERM:\n{self.output()[-4000:]}")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.running():
            self.stop()

    @property
    def web(self):
        return f"http://127.0.0.1:{self.ports['web']}"

    @property
    def otlp_http(self):
        return f"http://127.0.0.1:{self.ports['otlp-http']}"

    @property
    def otlp_grpc(self):
        return f"127.0.0.1:{self.ports['otlp-grpc']}"

    @property
    def tempo(self):
        return f"127.0.0.1:{self.ports['tempo']}"

    def datagram(self, payload):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(payload, ("127.0.0.1", self.ports["jaeger-compact"]))

    def post(self, body, content_type="application/x-protobuf", encoding=None, path="/v1/traces", method="POST"):
        """One OTLP/HTTP request; a dict goes out as JSON."""
        if isinstance(body, dict):
            body, content_type = json.dumps(body).encode(), "application/json"
        headers = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
        return request(self.otlp_http, method, path, body, headers)

    def get(self, path, parameters=None, headers=None, **more):
        """A GET on the web listener; parameters may repeat a name by giving a list."""
        query = urlencode({**(parameters or {}), **more}, doseq=True)
        return request(self.web, "GET", path + ("?" + query if query else ""), headers=headers)

    def search(self, q, **parameters):
        answer = self.get("/api/skein/v1/search", q=q, **parameters)
        assert answer.status == 200, answer
        return answer.json

    def search_all(self, q, limit=1000, **parameters):
        """Every trace that matches, page by page."""
        traces, cursor = [], {}
        while True:
            page = self.search(q, limit=limit, **parameters, **cursor)
            traces += page["traces"]
            if page["next"] is None:
                return traces
            cursor = {"cursor": page["next"]}

    def otlp_spans(self, trace_id):
        """The spans of a trace as OTLP JSON has them, each with its resource and scope beside it."""
        answer = self.get(f"/api/skein/v1/traces/{trace_id}")
        assert answer.status == 200, answer
        return [
            {**span, "resource": group.get("resource", {}), "scope": scope.get("scope", {})}
            for group in answer.json["resourceSpans"]
            for scope in group["scopeSpans"]
            for span in scope["spans"]
        ]

    def skeleton(self, trace_id):
        answer = self.get(f"/api/skein/v1/traces/{trace_id}/skeleton")
        assert answer.status == 200, answer
        return answer.json

    def jaeger(self, path, parameters=None, **more):
        """The `data` of a Jaeger answer that has to be a success."""
        answer = self.get(path, parameters, **more)
        assert answer.status == 200, answer
        assert answer.json["errors"] is None, answer
        return answer.json["data"]

    def jaeger_trace(self, trace_id):
        [trace] = self.jaeger(f"/api/traces/{trace_id}")
        return trace

    def operations(self, service):
        return self.jaeger(f"/api/services/{quote(service, safe='')}/operations")

    def metrics(self):
        """Prometheus samples: `name{labels}` as printed -> value."""
        answer = request(self.web, "GET", "/metrics")
        assert answer.status == 200, answer
        samples = {}
        for line in answer.body.decode().splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                samples[series] = float(value)
        return samples

    def counted(self, word):
        """The sum of all counters whose series mentions the word."""
        return sum(value for series, value in self.metrics().items() if word in series)


def eventually(check, timeout=20, every=0.05):
    """The first truthy value that check gives; its last assertion or value if time runs out."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            value, error = check(), None
            if value:
                return value
        except AssertionError as failure:
            error = failure
        if time.monotonic() > deadline:
            raise error or AssertionError(f"still {value!r} after {timeout} s")
        time.sleep(every)
