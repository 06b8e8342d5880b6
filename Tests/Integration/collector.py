# SPDX-License-Identifier: Apache-2.0
"""A collector on a free port that keeps what it is sent, and answers as a test tells it."""

import gzip
import http.server
import socket
import threading
import time


class Collector:
    """Over HTTP. `statuses` are answered in order, then 200 for ever; `seconds` is how long each answer takes."""

    def __init__(self, statuses=(), seconds=0, headers=(), port=0):
        self.requests, self.statuses, self.seconds, self.headers = [], list(statuses), seconds, dict(headers)
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                if self.headers["content-encoding"] == "gzip":
                    body = gzip.decompress(body)
                collector.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                time.sleep(collector.seconds)
                self.send_response(collector.statuses.pop(0) if collector.statuses else 200)
                for name, value in collector.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class DatagramCollector:
    """Over UDP."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(20)
        self.port = self.socket.getsockname()[1]

    def receive(self):
        return self.socket.recv(65_536)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def free_port():
    """A port where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
