#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Query bench: latency, server CPU and correctness of tracing queries.

  python3 query.py --api skein  --url http://127.0.0.1:16686 --truth data/shop.truth.jsonl --run run.json --pid PID
  python3 query.py --api jaeger --url http://127.0.0.1:16686 --truth ... --run ... --pid PID
  python3 query.py --api tempo  --url http://127.0.0.1:3200 --truth ... --run ... --pid PID

Parameters are drawn from the truth with a fixed seed, so every server gets the same questions.  "ok" is the share of
answers that held: the trace with all its spans; only matching traces, and as many of them as min(limit, matches);
where the API promises an order, exactly the newest ones in that order.  The recall lines ask for everything, page by
page where the API has pages, and compare whole sets.
"""

import argparse
import json
import random
import sys
import time

from apis import APIS, Api
from lib import Http, proc_cpu, quantile
from truth import COMBINATIONS, Truth


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--api", choices=tuple(APIS), required=True)
    ap.add_argument("--url", required=True, help="base URL; a path prefix is kept")
    ap.add_argument("--truth", required=True)
    ap.add_argument("--run", required=True, help="JSON written by the replayer or by ingest.py")
    ap.add_argument("--pid", type=int, help="server process, for CPU per query")
    ap.add_argument("--runs", type=int, default=50)
    ap.add_argument("--warm", type=int, default=5)
    ap.add_argument("--budget", type=float, default=60, help="most seconds for one kind of query")
    ap.add_argument("--limit", type=int, default=20)
    ap.add_argument("--seed", type=int, default=11)
    ap.add_argument("--only", default="", help="comma-separated kinds")
    ap.add_argument("--no-recall", action="store_true")
    ap.add_argument("--out")
    return ap.parse_args()


class Bench:
    """Asks each kind of question `runs` times over one kept connection, and checks every answer."""

    def __init__(self, options):
        self.options = options
        self.truth = Truth(options.truth, options.run)
        start = int(self.truth.first_ns // 10**9) - 60
        end = int(max(self.truth.last_ns, time.time_ns()) // 10**9) + 60
        self.draw = random.Random(options.seed)
        self.api = APIS[options.api](max(start, end - 3600), end, self.draw)
        self.http = Http(options.url)
        self.only = set(filter(None, options.only.split(",")))
        self.results = {}

    def cpu(self):
        return proc_cpu(self.options.pid) if self.options.pid else 0

    def measure(self, name, ask, check, note=""):
        """ask() -> (path, expected); check(status, body, expected) -> whether the answer held."""
        if self.only and name not in self.only:
            return
        try:
            self.results[name] = self.timed(ask, check) | ({"note": note} if note else {})
        except Exception as error:
            self.results[name] = {"error": repr(error)[:300]}
        print(f"{name:22}", json.dumps(self.results[name]), flush=True)

    def timed(self, ask, check):
        began = time.perf_counter()
        self.http(ask()[0])
        first = time.perf_counter() - began
        for _ in range(self.options.warm - 1):
            self.http(ask()[0])
        latencies, answers = [], []
        cpu, began = self.cpu(), time.time()
        while len(latencies) < self.options.runs and time.time() - began < self.options.budget:
            path, expected = ask()
            asked = time.perf_counter()
            status, body = self.http(path)
            latencies.append((time.perf_counter() - asked) * 1e3)
            answers.append((path, status, body, expected))
        cpu = (self.cpu() - cpu) / len(latencies) * 1e3
        good, bad = 0, None
        for path, status, body, expected in answers:
            try:
                held = check(status, body, expected)
                detail = repr(body[:160])
            except Exception as error:
                held, detail = False, f"{error!r} {body[:100]!r}"
            good += bool(held)
            if not held and bad is None:
                bad = f"{status} {detail} for {path}"
        return {
            "runs": len(latencies),
            "p50_ms": round(quantile(latencies, 0.5), 2),
            "p99_ms": round(quantile(latencies, 0.99), 2),
            "first_ms": round(first * 1e3, 1),
            "server_cpu_ms": round(cpu, 2),
            "bytes": sum(len(a[2]) for a in answers) // len(answers),
            "ok": f"{good}/{len(answers)}",
            **({"bad": bad} if bad else {}),
        }

    def search(self, name, question, parameter, matching):
        """A search for parameter(), whose full answer is the set matching(parameter)."""
        if question is None:
            self.results[name] = {"note": "not offered by this API"}
            return
        limit = self.options.limit

        def ask():
            value = parameter()
            return question(value, limit), value

        def check(status, body, value):
            got, full = self.api.parse_search(status, body), matching(value)
            if got is None:
                return False
            if self.api.ordered:
                return got == self.truth.newest(full, limit)
            return set(got) <= full and len(set(got)) == len(got) == min(limit, len(full))

        self.measure(name, ask, check)

    def recall(self, name, question, value, want):
        """Everything that matches, however many pages it takes."""
        if question is None or self.only:
            return
        path = question(value, self.api.largest_limit or 200_000)
        got, size, status = [], 0, 200
        began, cpu = time.perf_counter(), self.cpu()
        while path is not None and status == 200:
            status, body = self.http(path)
            size += len(body)
            got += self.api.parse_search(status, body) or []
            path = self.api.next_page(path, body) if status == 200 else None
        pages = type(self.api).next_page is not Api.next_page
        result = {
            "s": round(time.perf_counter() - began, 2),
            "server_cpu_ms": round((self.cpu() - cpu) * 1e3),
            "bytes": size,
            "want": len(want) if pages else min(len(want), self.api.largest_limit or len(want)),
            "got": len(got),
            "found": len(set(got) & want),
            "wrong": len(set(got) - want),
            **({} if status == 200 else {"status": status, "body": body[:160].decode(errors="replace")}),
        }
        self.results["recall_" + name] = result
        print(f"recall_{name:15}", json.dumps(result), flush=True)

    def run(self):
        api, truth, pick = self.api, self.truth, lambda xs: xs[self.draw.randrange(len(xs))]
        ids, users, orders = sorted(truth.by_id), sorted(truth.by_user), sorted(truth.by_order)

        def known_trace():
            trace = truth.by_id[pick(ids)]
            return api.trace(trace["id"]), trace["n"]

        def spans_equal(status, body, expected):
            return api.parse_trace(status, body) == expected

        self.measure("trace_by_id", known_trace, spans_equal)
        self.measure("trace_missing", lambda: (api.trace(f"{self.draw.getrandbits(128):032x}"), 0), spans_equal)

        service = lambda: pick(truth.services)
        self.search("search_service", api.service, service, lambda s: truth.in_service[s])
        self.search("search_slow_500ms", api.slow, lambda: None, lambda _: truth.slow)
        self.search("search_slow_svc", api.slow_in, service, lambda s: truth.slow_in[s])
        self.search("search_error", api.error, lambda: None, lambda _: truth.error)
        self.search("search_error_svc", api.error_in, service, lambda s: truth.error_in[s])
        beside = lambda s, ids: ids & truth.in_service[s] if api.needs_service else ids
        self.search("search_user_id", api.user, lambda: pick(users), lambda u: beside("frontend", truth.by_user[u]))
        self.search("search_order_id", api.order, lambda: pick(orders), lambda o: beside("checkout", truth.by_order[o]))
        absent = lambda: f"u-none-{self.draw.randrange(10**6)}"
        self.search("search_user_absent", api.user, absent, lambda _: set())
        self.search("search_combo", api.combination, lambda: pick(COMBINATIONS), lambda c: truth.combined[c])
        if api.structural:
            self.measure(
                "search_structural",
                lambda: (api.structural(self.options.limit), None),
                lambda status, body, _: bool(api.parse_search(status, body)),
            )

        self.measure(
            "services",
            lambda: (api.services(), set(truth.services)),
            lambda status, body, want: api.parse_services(status, body) == want,
        )

        def operations():
            s = service()
            return api.operations(s), {name for owner, name, _ in truth.seen_operations if owner == s}

        self.measure("operations", operations, lambda status, body, want: api.parse_operations(status, body) == want)
        if api.attributes:
            # The corpus has two keys that begin like this, both on spans.
            self.measure(
                "attribute_keys",
                lambda: (api.attributes(), {("span", "user.id"), ("span", "user_agent.original")}),
                lambda status, body, want: api.parse_attributes(status, body) == want,
            )
        if api.value_counts:
            self.measure(
                "attribute_values",
                lambda: (api.value_counts(), truth.spans_by_service),
                lambda status, body, want: api.parse_value_counts(status, body) == want,
            )
        if api.dependencies:
            self.measure(
                "dependencies",
                lambda: (api.dependencies(), truth.edges),
                lambda status, body, want: api.parse_dependencies(status, body) == want,
            )
        if api.rate:
            self.measure(
                "count_by_service",
                lambda: (api.rate(), truth.spans_by_service),
                lambda status, body, want: near(api.parse_rate(status, body), want),
            )
            self.measure(
                "p95_by_service",
                lambda: (api.p95(), truth.services),
                note="not checked against exact values",
                check=lambda status, body, want: len(api.parse_rate(status, body)) >= len(want),
            )

        if not self.options.no_recall:
            self.recall("error", api.error, None, truth.error)
            self.recall("slow", api.slow, None, truth.slow)
            self.recall("error_checkout", api.error_in, "checkout", truth.error_in["checkout"])
            self.recall("slow_payment", api.slow_in, "payment", truth.slow_in["payment"])
            if not api.needs_service:
                self.recall("service_payment", api.service, "payment", truth.in_service["payment"])


def near(got, want):
    """Whether counts agree within a thousandth."""
    off = [f"{s} {got.get(s, 0):.0f} for {n}" for s, n in want.items() if abs(got.get(s, 0) - n) > 0.001 * n]
    if off:
        raise ValueError("counts off: " + ", ".join(off))
    return True


def exact(result):
    """Whether everything about one line of results held."""
    if "ok" in result:
        good, asked = result["ok"].split("/")
        return good == asked
    if "want" in result:
        return result["want"] == result["got"] == result["found"]
    return "error" not in result


def main():
    options = arguments()
    bench = Bench(options)
    bench.run()
    if options.out:
        with open(options.out, "w") as f:
            json.dump(bench.results, f, indent=1)
    wrong = [name for name, result in bench.results.items() if not exact(result)]
    if wrong:
        print("not exact: " + ", ".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
