# SPDX-License-Identifier: Apache-2.0
"""Runs every scenario against a small OTLP/HTTP sink and keeps what it sent as `recorded/<scenario>.jsonl`: one OTLP/JSON
request a line, in the order of arrival. Run it with the Python of `.venv-test-agents`; names of scenarios choose some.
The last two want the packages of `requirements-agents-recorded.txt` instead."""

import base64
import gzip
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

here = Path(__file__).parent
SCENARIOS = {
    "pydantic-delegate": ["pydantic_delegate.py"],
    "spawn": ["spawn.py", "lead"],
    "openai-openinference": ["openai_handoff.py", "openinference"],
    "openai-openllmetry": ["openai_handoff.py", "openllmetry"],
    "openai-logfire": ["openai_handoff.py", "logfire"],
    "mcp-stdio-2025-11-25": ["mcp_client.py", "stdio", "legacy"],
    "mcp-stdio-2026-07-28": ["mcp_client.py", "stdio", "2026-07-28"],
    "mcp-http-2025-11-25": ["mcp_client.py", "http", "legacy"],
    "mcp-http-2026-07-28": ["mcp_client.py", "http", "2026-07-28"],
    "langfuse": ["langfuse_sdk.py"],
    "smolagents": ["smolagents_team.py"],
    "langgraph": ["langgraph_loop.py"],
}


def hex_ids(value):
    """Protobuf's JSON writes ids in Base64, OTLP's in hex (OTLP 1.9 §JSON Protobuf Encoding)."""
    if isinstance(value, dict):
        return {
            key: base64.b64decode(v).hex() if key in ("traceId", "spanId", "parentSpanId") else hex_ids(v)
            for key, v in value.items()
        }
    return [hex_ids(v) for v in value] if isinstance(value, list) else value


def without_host(request):
    """What says on which machine this ran stays here."""
    for group in request["resourceSpans"]:
        kept = [a for a in group["resource"]["attributes"] if a["key"].split(".")[0] not in ("host", "process", "os")]
        group["resource"]["attributes"] = kept
    return request


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path.endswith("/v1/traces"):
            message = MessageToDict(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True)
            self.server.requests.append(without_host(hex_ids(message)))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def record(words):
    """(what the scenario told, the requests that it sent)"""
    sink = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    sink.requests = []
    Thread(target=sink.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{sink.server_port}"
    done = subprocess.run(
        [sys.executable, here / words[0], *words[1:]],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": address, "LANGFUSE_HOST": address},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    sink.shutdown()
    return json.loads(done.stdout), sink.requests


if __name__ == "__main__":
    for name in sys.argv[1:] or SCENARIOS:
        truth, requests = record(SCENARIOS[name])
        path = here / "recorded" / f"{name}.jsonl"
        lines = "".join(json.dumps(r, separators=(",", ":"), ensure_ascii=False) + "\n" for r in requests)
        path.write_text(lines.replace(str(here.parents[2]), "/app"))
        spans = sum(len(s["spans"]) for r in requests for g in r["resourceSpans"] for s in g["scopeSpans"])
        print(f"{name}: {spans} spans, {path.stat().st_size} bytes, {json.dumps(truth)}")
