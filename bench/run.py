#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole bench against one binary: ingest over HTTP, HTTP with gzip and gRPC, freshness, queries of two APIs.

  python3 bench/run.py --binary .build/release/skein --spans 1000000

Every transport meets a fresh server on an empty folder with `--durability always`.  The corpus is made once and kept;
everything else under --work is thrown away.  Prints a summary and leaves all numbers in WORK/results.json.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "Tests" / "Integration"))
from server import Server  # noqa: E402


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", required=True)
    ap.add_argument("--work", type=Path, default=here.parent / "bench-data")
    ap.add_argument("--spans", type=int, default=1_000_000)
    ap.add_argument("--passes", type=int, default=1)
    ap.add_argument("--seed", type=int, default=7)
    ap.add_argument("--conns", type=int, default=4)
    ap.add_argument("--runs", type=int, default=50, help="times each query is asked")
    ap.add_argument("--quiet", type=float, default=5, help="seconds of idleness that end the settling")
    ap.add_argument("--serve", action="append", default=[], metavar="ARG", help="further argument for skein serve")
    return ap.parse_args()


def say(text):
    print(f"\033[1m==>\033[0m {text}", file=sys.stderr, flush=True)


def tool(name, *words, check=True):
    """Runs a program of the bench; its chatter goes to standard error."""
    done = subprocess.run([sys.executable, here / name, *map(str, words)], stdout=sys.stderr, check=False)
    if check and done.returncode != 0:
        sys.exit(f"bench: {name} ended with {done.returncode}")
    return done.returncode


def prepare(options):
    """The replayer and the corpus; both are kept."""
    options.work.mkdir(exist_ok=True)
    replay = options.work / "replay"
    source = here / "replay.c"
    if not replay.exists() or replay.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-pthread", "-o", replay, source, "-lz"], check=True)
    corpus = options.work / f"shop-{options.spans}-{options.seed}"
    if not Path(f"{corpus}.truth.jsonl").exists():
        say(f"making a corpus of {options.spans:,} spans")
        tool("gen_corpus.py", "--spans", options.spans, "--seed", options.seed, "--out", corpus)
    return replay, corpus


def ingest(options, replay, corpus, name, url, server, *replay_options):
    out = options.work / f"ingest-{name}.json"
    tool(
        "ingest.py",
        "--pid",
        server.pid,
        "--data-dir",
        server.data_dir,
        "--corpus",
        f"{corpus}.corpus",
        "--url",
        url,
        "--replay",
        replay,
        "--out",
        out,
        "--label",
        name,
        "--quiet",
        options.quiet,
        "--baseline",
        2,
        "--",
        "--conns",
        options.conns,
        "--passes",
        options.passes,
        *replay_options,
    )
    return json.loads(out.read_text()), out


def ask(options, corpus, run, api, server):
    out = options.work / f"query-{api}.json"
    status = tool(
        "query.py",
        "--api",
        api,
        "--url",
        server.web,
        "--truth",
        f"{corpus}.truth.jsonl",
        "--run",
        run,
        "--pid",
        server.pid,
        "--runs",
        options.runs,
        "--out",
        out,
        check=False,
    )
    return json.loads(out.read_text()), status == 0


def started(server):
    began = time.monotonic()
    server.start()
    return round(time.monotonic() - began, 3)


def bench(options):
    replay, corpus = prepare(options)
    results = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "spans": options.spans * options.passes,
        "ingest": {},
        "query": {},
    }
    exact = True
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=options.work))
    serve = ["--durability", "always", *options.serve]
    transports = [
        ("http", lambda s: s.otlp_http + "/v1/traces", []),
        ("http-gzip", lambda s: s.otlp_http + "/v1/traces", ["--gzip"]),
        ("grpc", lambda s: "grpc://" + s.otlp_grpc, []),
    ]
    try:
        for name, url, more in transports:
            say(f"ingest over {name}")
            server = Server(options.binary, folder / name, *serve, log=options.work / f"server-{name}.log")
            start = started(server)
            try:
                run, run_path = ingest(options, replay, corpus, name, url(server), server, *more)
                results["ingest"][name] = {"start_s": start, "rejected": run["rejected_spans"], **run["server"]}
                exact &= run["rejected_spans"] == 0
                if name == "http":
                    for api in ("skein", "jaeger"):
                        say(f"queries over the {api} API")
                        results["query"][api], held = ask(options, corpus, run_path, api, server)
                        exact &= held
                    say("freshness")
                    out = options.work / "freshness.json"
                    tool(
                        "freshness.py",
                        "--ingest",
                        url(server),
                        "--api",
                        "skein",
                        "--url",
                        server.web,
                        "--runs",
                        20,
                        "--poll",
                        0.001,
                        "--out",
                        out,
                    )
                    results["freshness"] = json.loads(out.read_text())
            finally:
                server.stop()
            if name == "http":
                results["restart_s"] = started(server)
                server.stop()
            shutil.rmtree(server.data_dir, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    (options.work / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    return results, exact


def table(header, rows):
    rows = [header, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def report(results):
    mb = lambda n: f"{n / 1e6:.0f}"
    print(f"\n{results['spans']:,} spans, {results['machine']}, {results['when']}\n")
    print(
        table(
            [
                "ingest",
                "CPU-s per M spans",
                "spans/s",
                "bytes/span",
                "written/span",
                "peak MB",
                "idle MB",
                "rejected",
                "calibration",
            ],
            [
                [
                    name,
                    r["cpu_s_per_m"],
                    f"{r['spans_per_s']:,.0f}",
                    r["disk_bytes_per_span"],
                    r["written_bytes_per_span"],
                    mb(r["rss_peak"]),
                    mb(r["rss_before"]),
                    r["rejected"],
                    "/".join(map(str, r["calibration_cpu_s"])),
                ]
                for name, r in results["ingest"].items()
            ],
        )
    )
    rows = []
    for api, queries in results["query"].items():
        for name, r in queries.items():
            if "p50_ms" in r:
                rows.append(
                    [api, name, r["p50_ms"], r["p99_ms"], r["first_ms"], r["server_cpu_ms"], f"{r['bytes']:,}", r["ok"]]
                )
            elif "want" in r:
                rows.append(
                    [
                        api,
                        name,
                        r["s"] * 1000,
                        "",
                        "",
                        r["server_cpu_ms"],
                        f"{r['bytes']:,}",
                        f"{r['found']}/{r['want']}",
                    ]
                )
            elif "error" in r:
                rows.append([api, name, "", "", "", "", "", r["error"][:60]])
    print("\n" + table(["API", "query", "p50 ms", "p99 ms", "first ms", "CPU ms", "bytes", "exact"], rows))
    for kind, r in results["freshness"].items():
        middle, most = (r.get(key, 0) * 1e3 for key in ("p50_s", "max_s"))
        print(f"fresh {kind}: seen {r['seen']} of {r['runs']}, p50 {middle:.1f} ms, most {most:.1f} ms")
    first = results["ingest"]["http"]["start_s"]
    print(f"start: {first * 1e3:.0f} ms on an empty folder, {results['restart_s'] * 1e3:.0f} ms on the full one")


def main():
    options = arguments()
    results, exact = bench(options)
    report(results)
    if not exact:
        print("\nnot every answer was exact: see 'bad' in " + str(options.work / "results.json"), file=sys.stderr)
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
