#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An hour of steady load with retention at work: does anything grow?

  python3 bench/soak.py --binary .build/release/skein --minutes 60

Sends a corpus over OTLP/HTTP at a fixed rate, with present times, to a server whose retention works all the time: one
service's traces are taken out of blocks at --rule-age, all go at --retention, and the oldest go earlier when the folder
would take more than --retention-bytes. Asks a mix of questions meanwhile. Every --every seconds it prints what the server
takes: memory, threads, descriptors, files, bytes, and how long questions took.

The verdict compares the medians of the second quarter of the time with those of the last. It is "flat" when nothing grew by
more than the table at the end allows, no request and no question failed, the folder kept to its bound and the server says
that all is well. Ends with 0 then, else with 1. Give it at least four times the minutes in which retention fills the folder.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from apis import Skein
from lib import Http, disk_bytes, proc_cpu, proc_mem
from run import prepare, say, table

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "Tests" / "Integration"))
from server import Server  # noqa: E402

# What the folder may take above its bound: one request, and pages of the folders themselves.
FOLDER_MARGIN = 4 << 20
# How far the last quarter may lie above the second: a factor, and an amount on top that is noise.
ALLOWED = {
    "RSS MB": (1.10, 16),
    "threads": (1.0, 4),
    "open files": (1.10, 8),
    "files": (1.10, 8),
    "folder MB": (1.05, 4),
    "trace ms": (1.5, 3),
    "search ms": (1.5, 3),
    "absent ms": (1.5, 5),
    "statistics ms": (1.5, 5),
    "structure ms": (1.5, 5),
    "series ms": (1.5, 10),
    "whole ms": (1.5, 20),
}


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", required=True)
    ap.add_argument("--minutes", type=float, default=60)
    ap.add_argument("--rate", type=int, default=20_000, help="spans a second")
    ap.add_argument("--retention", default="10m")
    ap.add_argument("--retention-bytes", type=int, default=160_000_000)
    ap.add_argument("--rule-age", default="2m", help="age at which traces with the recommendation service go")
    ap.add_argument("--every", type=float, default=30, help="seconds between two samples")
    ap.add_argument("--pause", type=float, default=2, help="seconds between two rounds of questions")
    ap.add_argument("--conns", type=int, default=4)
    ap.add_argument("--spans", type=int, default=200_000, help="spans in the corpus, sent over and over with new ids")
    ap.add_argument("--seed", type=int, default=7)
    ap.add_argument("--work", type=Path, default=here.parent / "bench-data")
    ap.add_argument("--data-dir", type=Path, help="where to make the data folder; a new one below --work by default")
    ap.add_argument("--serve", action="append", default=[], metavar="ARG", help="further argument for skein serve")
    ap.add_argument("--out", type=Path, help="all samples as JSON")
    return ap.parse_args()


class Load:
    """The replayer at work."""

    def __init__(self, options, server):
        replay, corpus = prepare(options)
        passes = int(options.minutes * 60 * options.rate / options.spans) + 10
        command = [replay, "--corpus", f"{corpus}.corpus", "--url", server.otlp_http + "/v1/traces"]
        command += ["--rate", options.rate, "--passes", passes, "--conns", options.conns]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)

    def running(self):
        return self.process.poll() is None

    def stop(self):
        if self.running():
            self.process.terminate()
        self.process.wait()


class Questions(threading.Thread):
    """Asks every kind of question in turn until told to stop. Keeps the latencies since they were last taken."""

    def __init__(self, server, pause):
        super().__init__(daemon=True)
        self.api, self.http, self.pause = Skein(), Http(server.web), pause
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.taken, self.failures, self.asked = {}, [], 0
        self.trace_id = None

    def run(self):
        round = 0
        while not self.stopping.wait(self.pause):
            round += 1
            end = time.time_ns()
            start = end - 120 * 10**9
            self.ask("search", self.api.search('service = "checkout"', 20))
            self.ask("search", self.api.search("error = true", 20))
            self.ask("search", self.api.search("duration > 500ms", 20))
            if self.trace_id:
                self.ask("trace", self.api.trace(self.trace_id), or_gone=True)
            self.ask("absent", self.api.search(f'user.id = "nobody-{round}"', 20))
            self.ask("statistics", f"{self.api.base}/services/checkout/statistics?start={start}&end={end}")
            self.ask("structure", self.api.structural(20))
            series = {"start": start, "end": end, "step": "10s"}
            self.ask("series", self.metrics("{} | count_over_time() by (resource.service.name)", series))
            self.ask("whole", self.metrics('{ resource.service.name = "frontend" } >> { status = error } | rate()', series))
            self.ask("services", self.api.services())
            self.ask("values", self.api.value_counts())

    def metrics(self, q, range):
        return f"{self.api.base}/metrics?" + urlencode({"q": q, **range})

    def ask(self, kind, path, or_gone=False):
        began = time.perf_counter()
        try:
            status, body = self.http(path)
        except OSError as error:
            status, body = 0, str(error).encode()
        millis = (time.perf_counter() - began) * 1e3
        with self.lock:
            self.asked += 1
            self.taken.setdefault(kind, []).append(millis)
            if status != 200 and not (or_gone and status == 404):
                self.failures.append(f"{kind}: {status} {body[:200]!r}")
        if kind == "search" and status == 200:
            found = json.loads(body)["traces"]
            if found:
                self.trace_id = found[-1]["traceId"]

    def take(self):
        with self.lock:
            taken, self.taken = self.taken, {}
        return {kind: statistics.median(times) for kind, times in taken.items()}

    def stop(self):
        self.stopping.set()
        self.join(60)


class FolderWatch(threading.Thread):
    """The most bytes that the folder took at any look, several a second."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.most, self.stopping = folder, 0, threading.Event()

    def run(self):
        while not self.stopping.wait(0.2):
            self.most = max(self.most, disk_bytes([self.folder]))

    def stop(self):
        self.stopping.set()
        self.join(60)


def threads_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Threads:"))


def sample(server, questions, began):
    asked = questions.take()
    figures = server.get("/api/skein/v1/status").json
    counters = server.metrics()
    return {
        "minute": (time.monotonic() - began) / 60,
        "spans": sum(v for k, v in counters.items() if k.startswith("skein_accepted_spans_total")),
        "refused": sum(v for k, v in counters.items() if k.startswith("skein_rejected_requests_total")),
        "CPU s": proc_cpu(server.pid),
        "RSS MB": proc_mem(server.pid)["VmRSS"] / 1e6,
        "threads": threads_of(server.pid),
        "open files": len(os.listdir(f"/proc/{server.pid}/fd")),
        "files": sum(len(names) for _, _, names in os.walk(server.data_dir)),
        "folder MB": disk_bytes([server.data_dir]) / 1e6,
        "removed": counters.get("skein_store_blocks_removed_total", 0),
        "merges": counters.get("skein_store_merges_total", 0),
        "thinned": counters.get("skein_store_blocks_thinned_total", 0),
        **{f"{kind} ms": asked.get(kind, 0) for kind in KINDS},
        "problems": figures["problems"],
    }


#: Questions whose times are shown: a series of spans, and one of spans chosen by what is above them.
KINDS = ("trace", "search", "absent", "statistics", "structure", "series", "whole")
COLUMNS = (
    ["minute", "spans/s", "CPU %", "RSS MB", "threads", "open files", "files", "folder MB", "stored M"]
    + ["removed", "merges", "thinned"]
    + [f"{kind} ms" for kind in KINDS]
)


def row(now, before, stored):
    seconds = max(1e-9, (now["minute"] - before["minute"]) * 60)
    rates = {
        "spans/s": (now["spans"] - before["spans"]) / seconds,
        "CPU %": (now["CPU s"] - before["CPU s"]) / seconds * 100,
        "stored M": stored / 1e6,
    }
    figures = {**now, **rates}
    fine = ("minute", "stored M")
    return [f"{figures[c]:.1f}" if c.endswith(" ms") or c in fine else f"{figures[c]:,.0f}" for c in COLUMNS]


def header():
    return "| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS)


def soak(options, server):
    """Samples of a run."""
    samples = []
    print(header(), flush=True)
    questions = Questions(server, options.pause)
    watch = FolderWatch(server.data_dir)
    load = Load(options, server)
    began = time.monotonic()
    before = sample(server, questions, began)
    questions.start()
    watch.start()
    try:
        while time.monotonic() - began < options.minutes * 60:
            time.sleep(max(0.0, options.every * (len(samples) + 1) - (time.monotonic() - began)))
            if not load.running() or not server.running():
                break
            now = sample(server, questions, began)
            stored = server.metrics()["skein_stored_spans"]
            print("| " + " | ".join(row(now, before, stored)) + " |", flush=True)
            samples.append(now)
            before = now
    finally:
        whole = load.running() and server.running()
        load.stop()
        questions.stop()
        watch.stop()
    return samples, questions, watch.most, whole


def verdict(options, samples, questions, most, whole):
    """Prints what grew and whether that is too much; returns whether nothing did."""
    count = len(samples)
    second, last = samples[count // 4 : count // 2], samples[count * 3 // 4 :]
    faults = []
    rows = []
    if not second or not last:
        faults.append("too few samples to compare quarters")
    for name, (factor, more) in ALLOWED.items() if second and last else ():
        a, b = (statistics.median(s[name] for s in part) for part in (second, last))
        is_flat = b <= a * factor + more
        rows.append([name, f"{a:.1f}", f"{b:.1f}", f"{a * factor + more:.1f}", "yes" if is_flat else "NO"])
        if not is_flat:
            faults.append(f"{name} grew from {a:.1f} to {b:.1f}")
    print("\n" + table(["figure", "second quarter", "last quarter", "allowed", "flat"], rows) + "\n")
    bound = options.retention_bytes
    print(f"folder: {most / 1e6:.1f} MB at most, bound {bound / 1e6:.1f} MB; {questions.asked:,} questions asked")
    if most > bound + FOLDER_MARGIN:
        faults.append(f"the folder took {most - bound:,} bytes more than its bound")
    if not whole:
        faults.append("the server or the load ended early")
    if questions.failures:
        faults.append(f"{len(questions.failures)} questions failed, first {questions.failures[0]}")
    for problem in sorted({p for s in samples for p in s["problems"]}):
        faults.append(f"the status said: {problem}")
    if samples and samples[-1]["refused"]:
        faults.append(f"{samples[-1]['refused']:.0f} requests were refused")
    if samples and not (samples[-1]["removed"] and samples[-1]["thinned"]):
        faults.append("retention had nothing to do: give it more time or less room")
    for fault in faults:
        print(f"- {fault}")
    print(f"\nverdict: {'not flat' if faults else 'flat'}")
    return not faults


def main():
    options = arguments()
    options.work.mkdir(exist_ok=True)
    prepare(options)
    folder = Path(options.data_dir or tempfile.mkdtemp(prefix="soak-", dir=options.work))
    serve = ["--retention", options.retention, "--retention-bytes", f"{options.retention_bytes}B"]
    serve += ["--retention-rules", f'{options.rule_age}: service = "recommendation"', *options.serve]
    server = Server(options.binary, folder / "data", *serve, log=options.work / "soak-server.log")
    say(f"{options.minutes:g} minutes at {options.rate:,} spans/s; the server's log is {server.log_path}")
    try:
        with server:
            samples, questions, most, whole = soak(options, server)
    finally:
        shutil.rmtree(folder / "data", ignore_errors=True)
        if options.data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)
    if options.out:
        options.out.write_text(json.dumps(samples, indent=1) + "\n")
    return 0 if verdict(options, samples, questions, most, whole) else 1


if __name__ == "__main__":
    sys.exit(main())
