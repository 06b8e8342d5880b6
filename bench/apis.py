# SPDX-License-Identifier: Apache-2.0
"""How each query API is asked and read: one class an API, the same questions in each.

A question is a method that gives the path to GET; its `parse_` twin turns the answer into plain comparable data, or
None where the answer says nothing. A question that an API cannot be asked is None.
"""

import json
import random
from urllib.parse import quote, urlencode


def count_otlp_spans(resource_spans):
    return sum(len(scope.get("spans", [])) for r in resource_spans for scope in r.get("scopeSpans", []))


class Api:
    """Start and end (seconds) bound every search; `draw` moves ranges about, so that no cache of results answers."""

    # Answers come newest trace first, so that a limited answer has exactly one right content.
    ordered = False
    # The largest limit that one search takes; what is more comes page by page.
    largest_limit = None
    # Searching for an attribute needs a service beside it.
    needs_service = False

    def __init__(self, start=None, end=None, draw=None):
        self.start, self.end, self.draw = start, end, draw or random.Random(0)

    def next_page(self, path, body):
        """The path of the page after this one, None if this was the last."""
        return None

    def trace(self, trace_id):
        return f"/api/traces/{trace_id}"

    structural = dependencies = rate = p95 = attributes = value_counts = None


class Skein(Api):
    """The native API: plain comparisons, `user.id = "x"`, in and out of braces."""

    base = "/api/skein/v1"
    ordered = True
    largest_limit = 10_000

    def trace(self, trace_id):
        return f"{self.base}/traces/{trace_id}"

    def parse_trace(self, status, body):
        return count_otlp_spans(json.loads(body)["resourceSpans"]) if status == 200 else 0

    def search(self, q, limit):
        bounds = {} if self.start is None else {"start": self.start * 10**9, "end": self.end * 10**9}
        return f"{self.base}/search?" + urlencode({"q": q, "limit": limit, **bounds})

    def parse_search(self, status, body):
        return [t["traceId"] for t in json.loads(body)["traces"]] if status == 200 else None

    def next_page(self, path, body):
        cursor = json.loads(body)["next"]
        return None if cursor is None else path.split("&cursor=")[0] + "&" + urlencode({"cursor": cursor})

    def service(self, name, limit):
        return self.search(f'service = "{name}"', limit)

    def slow(self, _, limit):
        return self.search("duration > 500ms", limit)

    def error(self, _, limit):
        return self.search("error = true", limit)

    def slow_in(self, name, limit):
        return self.search(f'service = "{name}" and duration > 500ms', limit)

    def error_in(self, name, limit):
        return self.search(f'{{ resource.service.name = "{name}" && status = error }}', limit)

    def user(self, user, limit):
        return self.search(f'user.id = "{user}"', limit)

    def order(self, order, limit):
        return self.search(f'{{ span.order.id = "{order}" }}', limit)

    def combination(self, c, limit):
        return self.search(f'service = "{c.service}" and name = "{c.name}" and duration > {c.millis}ms', limit)

    def marker(self, value):
        return self.search(f'fresh.marker = "{value}"', 5)

    def services(self):
        return f"{self.base}/services?limit=1000"

    def parse_services(self, status, body):
        return {s["name"] for s in json.loads(body)["services"]} if status == 200 else None

    def operations(self, service):
        return f"{self.base}/services/{quote(service, safe='')}/operations?limit=1000"

    def parse_operations(self, status, body):
        return {o["name"] for o in json.loads(body)["operations"]} if status == 200 else None

    def attributes(self):
        return f"{self.base}/attributes?prefix=user&limit=1000"

    def parse_attributes(self, status, body):
        return {(a["scope"], a["key"]) for a in json.loads(body)["attributes"]} if status == 200 else None

    def value_counts(self):
        return f"{self.base}/attributes/service/values?limit=1000"

    def parse_value_counts(self, status, body):
        return {v["value"]: v["count"] for v in json.loads(body)["values"]} if status == 200 else None

    def structural(self, limit):
        below = '{ resource.service.name = "payment" && status = error }'
        return self.search('{ resource.service.name = "frontend" } >> ' + below, limit)

    def rate(self, q="{} | count_over_time() by (resource.service.name)"):
        start = self.start - self.draw.randrange(600)
        bounds = {"start": start * 10**9, "end": self.end * 10**9, "step": "10s"}
        return f"{self.base}/metrics?" + urlencode({"q": q, **bounds})

    def parse_rate(self, status, body):
        if status != 200:
            return None
        series = json.loads(body)["series"]
        return {s["labels"][0]["value"]: sum(v for v in s["values"] if v is not None) for s in series}

    def p95(self):
        return self.rate("{} | quantile_over_time(duration, .95) by (resource.service.name)")


class Tempo(Api):
    """TraceQL over Tempo's HTTP API."""

    def parse_trace(self, status, body):
        if status == 404 or not body:
            return 0
        trace = json.loads(body)
        trace = trace.get("trace", trace)
        return count_otlp_spans(trace.get("batches") or trace.get("resourceSpans") or [])

    def search(self, q, limit):
        return "/api/search?" + urlencode({"q": q, "limit": limit, "start": self.start, "end": self.end})

    def parse_search(self, status, body):
        return [t["traceID"].rjust(32, "0") for t in json.loads(body).get("traces") or []] if status == 200 else None

    def service(self, name, limit):
        return self.search(f'{{ resource.service.name = "{name}" }}', limit)

    def slow(self, _, limit):
        return self.search("{ duration > 500ms }", limit)

    def error(self, _, limit):
        return self.search("{ status = error }", limit)

    def slow_in(self, name, limit):
        return self.search(f'{{ resource.service.name = "{name}" && duration > 500ms }}', limit)

    def error_in(self, name, limit):
        return self.search(f'{{ resource.service.name = "{name}" && status = error }}', limit)

    def user(self, user, limit):
        return self.search(f'{{ span.user.id = "{user}" }}', limit)

    def order(self, order, limit):
        return self.search(f'{{ span.order.id = "{order}" }}', limit)

    def combination(self, c, limit):
        where = f'resource.service.name = "{c.service}" && name = "{c.name}" && duration > {c.millis}ms'
        return self.search("{ " + where + " }", limit)

    def structural(self, limit):
        below = '{ resource.service.name = "payment" && status = error }'
        return self.search('{ resource.service.name = "frontend" } >> ' + below, limit)

    def marker(self, value):
        return self.search(f'{{ span.fresh.marker = "{value}" }}', 5)

    def services(self):
        return "/api/v2/search/tag/resource.service.name/values?" + urlencode({"start": self.start, "end": self.end})

    def parse_services(self, status, body):
        return {v["value"] for v in json.loads(body).get("tagValues") or []} if status == 200 else None

    def operations(self, service):
        q = f'{{resource.service.name="{service}"}}'
        return "/api/v2/search/tag/name/values?" + urlencode({"q": q, "start": self.start, "end": self.end})

    parse_operations = parse_services

    def rate(self, q="{} | count_over_time() by (resource.service.name)"):
        start = self.start - self.draw.randrange(600)
        return "/api/metrics/query_range?" + urlencode({"q": q, "start": start, "end": self.end, "step": "10s"})

    def parse_rate(self, status, body):
        if status != 200:
            return None
        counts = {}
        for series in json.loads(body).get("series", []):
            names = (
                x["value"].get("stringValue", "") for x in series.get("labels", []) if x["key"].endswith("service.name")
            )
            name = next(names, "")
            counts[name] = counts.get(name, 0) + sum(p.get("value", 0) for p in series.get("samples", []))
        return counts

    def p95(self):
        return self.rate("{} | quantile_over_time(duration, .95) by (resource.service.name)")


class Jaeger(Api):
    """Jaeger's classic query API; a search needs a service."""

    largest_limit = 1000
    needs_service = True

    def parse_trace(self, status, body):
        if status == 404 or not body:
            return 0
        return sum(len(t["spans"]) for t in json.loads(body).get("data") or [])

    def search(self, limit, **parameters):
        bounds = {"start": self.start * 10**6, "end": self.end * 10**6}
        return "/api/traces?" + urlencode({**parameters, "limit": limit, **bounds})

    def parse_search(self, status, body):
        return [t["traceID"].rjust(32, "0") for t in json.loads(body).get("data") or []] if status == 200 else None

    slow = error = None

    def service(self, name, limit):
        return self.search(limit, service=name)

    def slow_in(self, name, limit):
        return self.search(limit, service=name, minDuration="500ms")

    def error_in(self, name, limit):
        return self.search(limit, service=name, tags='{"error":"true"}')

    def user(self, user, limit):
        return self.search(limit, service="frontend", tags=json.dumps({"user.id": user}))

    def order(self, order, limit):
        return self.search(limit, service="checkout", tags=json.dumps({"order.id": order}))

    def combination(self, c, limit):
        return self.search(limit, service=c.service, operation=c.name, minDuration=f"{c.millis}ms")

    def marker(self, value):
        return self.search(5, service="frontend", tags=json.dumps({"fresh.marker": value}))

    def services(self):
        return "/api/services"

    def parse_services(self, status, body):
        return set(json.loads(body).get("data") or []) if status == 200 else None

    def operations(self, service):
        return f"/api/services/{quote(service, safe='')}/operations"

    def parse_operations(self, status, body):
        data = json.loads(body).get("data") if status == 200 else None
        return None if data is None else {x["name"] if isinstance(x, dict) else x for x in data}

    def dependencies(self):
        return "/api/dependencies?" + urlencode({"endTs": self.end * 1000, "lookback": (self.end - self.start) * 1000})

    def parse_dependencies(self, status, body):
        if status != 200:
            return None
        return {f"{d['parent']}>{d['child']}": d["callCount"] for d in json.loads(body).get("data") or []}


APIS = {"skein": Skein, "tempo": Tempo, "jaeger": Jaeger}
