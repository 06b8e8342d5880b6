# SPDX-License-Identifier: Apache-2.0
"""What a server must hold after a run: every trace that was sent, and the sets of traces that questions ask for."""

import json
from typing import NamedTuple

from lib import load_truth


class Combination(NamedTuple):
    """A question with three conditions on one span."""

    service: str
    name: str
    millis: int


COMBINATIONS = [
    Combination("checkout", "shop.CheckoutService/PlaceOrder", 300),
    Combination("payment", "POST /v1/charges", 200),
    Combination("frontend", "GET /product/{id}", 100),
    Combination("inventory", "UPDATE stock", 8),
]


class Truth:
    """Traces by id, and sets of trace ids. An operation of a trace reads [index, spans, longest ns, errors]."""

    def __init__(self, truth_path, run_path):
        with open(run_path) as f:
            run = json.load(f)
        meta, traces = load_truth(truth_path, run)
        seen = {index for t in traces for index, *_ in t["ops"]}
        self.operations = meta["ops"]
        self.seen_operations = [op for index, op in enumerate(self.operations) if index in seen]
        self.services = sorted({service for service, _, _ in self.seen_operations})
        self.edges = {edge: calls * len(run["passes"]) for edge, calls in meta["edges"].items()}
        self.by_id = {t["id"]: t for t in traces}
        self.first_ns = min(t["t"] for t in traces)
        self.last_ns = max(t["t"] + t["d"] for t in traces)
        self.by_user, self.by_order, self.spans_by_service = {}, {}, {}
        everywhere = {s: set() for s in self.services}
        self.in_service, self.slow_in, self.error_in = ({s: set() for s in everywhere} for _ in range(3))
        self.combined = {c: set() for c in COMBINATIONS}
        for t in traces:
            if t["user"]:
                self.by_user.setdefault(t["user"], set()).add(t["id"])
            if t["order"]:
                self.by_order.setdefault(t["order"], set()).add(t["id"])
            for index, spans, longest, errors in t["ops"]:
                service, name, _ = self.operations[index]
                self.spans_by_service[service] = self.spans_by_service.get(service, 0) + spans
                self.in_service[service].add(t["id"])
                if longest > 500e6:
                    self.slow_in[service].add(t["id"])
                if errors:
                    self.error_in[service].add(t["id"])
                for c in COMBINATIONS:
                    if (c.service, c.name) == (service, name) and longest > c.millis * 1e6:
                        self.combined[c].add(t["id"])
        self.slow = set().union(*self.slow_in.values())
        self.error = set().union(*self.error_in.values())

    def newest(self, ids, limit):
        """The first `limit` of these traces as an ordered answer lists them, newest first."""
        return sorted(ids, key=lambda i: -self.by_id[i]["t"])[:limit]
