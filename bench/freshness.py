#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon a just-accepted trace can be read: by id, and by an attribute search.

  python3 freshness.py --ingest http://127.0.0.1:4318/v1/traces --api skein --url http://127.0.0.1:16686 [--runs 20]

Each run posts one small trace, then asks for it every --poll seconds until all its spans are there.  Times count from
the moment the server accepted it.
"""

import argparse
import json
import random
import struct
import time
import urllib.parse

from apis import APIS
from gen_corpus import SCOPE, attr1, ld, resource
from lib import Http, quantile

SPANS = 5


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ingest", required=True)
    ap.add_argument("--api", choices=tuple(APIS), required=True)
    ap.add_argument("--url", required=True)
    ap.add_argument("--runs", type=int, default=10)
    ap.add_argument("--poll", type=float, default=0.02)
    ap.add_argument("--timeout", type=float, default=60)
    ap.add_argument("--no-search", action="store_true")
    ap.add_argument("--out")
    return ap.parse_args()


def request(trace_id, marker):
    """An OTLP export request with a chain of spans, each carrying the marker."""
    now = time.time_ns()
    spans, parent = b"", b""
    for i in range(SPANS):
        span_id = random.randbytes(8)
        span = b"\x0a\x10" + trace_id + b"\x12\x08" + span_id + parent + ld(5, b"fresh-%d" % i) + b"\x30\x02"
        span += b"\x39" + struct.pack("<Q", now - 5_000_000 + i * 1000) + b"\x41" + struct.pack("<Q", now - i * 1000)
        spans += ld(2, span + attr1("fresh.marker", marker))
        parent = b"\x22\x08" + span_id
    return ld(1, resource("frontend", 0) + ld(2, SCOPE["frontend"] + spans))


def wait_for(get, path, ready, options):
    """Seconds until the answer is ready, None if it never is."""
    began = time.perf_counter()
    while time.perf_counter() - began < options.timeout:
        status, body = get(path)
        if ready(status, body):
            return time.perf_counter() - began
        time.sleep(options.poll)
    return None


def main():
    options = arguments()
    ingest = urllib.parse.urlsplit(options.ingest)
    post, get = Http(f"http://{ingest.netloc}"), Http(options.url)
    seen = {"by_id": [], "by_search": []}
    for _ in range(options.runs):
        for kind in ("by_id",) if options.no_search else ("by_id", "by_search"):
            trace_id, marker = random.randbytes(16), f"m-{random.getrandbits(64):016x}"
            headers = {"Content-Type": "application/x-protobuf"}
            status, body = post(ingest.path, "POST", request(trace_id, marker), headers)
            assert status in (200, 202, 204), (status, body[:200])
            now = int(time.time())
            api = APIS[options.api](now - 300, now + 5)
            if kind == "by_id":
                path, ready = api.trace(trace_id.hex()), lambda s, b: api.parse_trace(s, b) == SPANS
            else:
                path, ready = api.marker(marker), lambda s, b: bool(api.parse_search(s, b))
            seen[kind].append(wait_for(get, path, ready, options))
        time.sleep(random.random() * 0.5)
    results = {}
    for kind, times in seen.items():
        if times:
            hits = [t for t in times if t is not None]
            results[kind] = {"runs": len(times), "seen": len(hits)}
            if hits:
                results[kind] |= {"p50_s": round(quantile(hits, 0.5), 4), "max_s": round(max(hits), 4)}
    print(json.dumps(results))
    if options.out:
        with open(options.out, "w") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
