# SPDX-License-Identifier: Apache-2.0
"""Made-up work of agents, and the answers of `/api/worktrace/v1/` about it for a page whose requests end here.

The page's tests show what is hard to bring about with real agents: gaps, loops, hostile names, hundreds of sessions.
"""

import json
import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import otlp
from agent_sessions import MINUTE, Session, Work, digits

API = "/api/worktrace/v1/"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"> \u202eשלום " + "agent" * 60


def trip(start):
    """A trip is planned: two researchers at once, retries, a loop, a person who is waited for, a handoff with a gap,
    a session in the background, one in another trace, messages."""
    work = Work("trip", start, key="task-17", task="task-17", priority="high")
    plan = Session(work, "planner", 0, 470, title="Find me a cheaper flight to Oslo", version="1.4.0")
    asked = [("system", "You plan trips."), ("user", "Find me a cheaper flight to Oslo in May.")]
    plan.llm(
        0.3,
        3.9,
        2400,
        210,
        1800,
        text="I will ask two researchers at once.\n\n- fares\n- trains\n- dates\n- hotels",
        asked=asked,
    )
    one = plan.ask("researcher", 4.3, 57.7)
    two = plan.ask("researcher", 4.4, 43, before=0.9)
    one.llm(4.8, 3.1, text="Let me search.")
    search = {"args": '{"q":"LIS-OSL may","max":20}', "server": "web-mcp"}
    layers = [("agent", "agents", 0.05), ("client", "agents", 0.1), ("server", "web-mcp", 1)]
    failed = one.tool("web.search", 8, 9.2, outcome="failure", error="429", layers=layers, **search)
    one.tool(
        "web.search",
        8.1,
        4,
        result='{"fares":[129,140]}',
        layers=layers,
        server="web-mcp",
        args='{"q":"LIS-OSL train"}',
    )
    one.tool(
        "web.search", 21.2, 8.4, attempt=2, retryOf=failed["span"], result='{"fares":[99]}', layers=layers, **search
    )
    one.llm(29.9, 6, 5200, 420, 3000, text="The cheapest is 99 €.")
    one.llm(54, 7, 6100, 200, 5000, text="I found three fares.")
    two.llm(5.4, 2.2)
    loop = [two.tool("grep", 8 + i * 4, 3.6, args='{"pattern":"OSL"}', result="no match") for i in range(4)]
    work.loop(two, loop)
    two.llm(25, 20)
    plan.llm(62.4, 4)
    plan.wait("human", 66.6, 390)
    plan.llm(
        457, 5, 8000, 90, 6000, text="Thank you. The booker takes over.", asked=[("user", "Yes, book the first one.")]
    )
    book = work.hand_over(plan, "booker", 466, 2.4, 41, service="booking")
    book.llm(469, 3, text="Holding the seat.")
    held = book.tool("flights.hold", 472.3, 6.6, outcome="timeout", error="timeout", args='{"flight":"XY 12"}')
    book.tool(
        "flights.hold", 480, 2, attempt=2, retryOf=held["span"], args='{"flight":"XY 12"}', result='{"held":true}'
    )
    book.llm(507, 2, text="Booked: " + "a long confirmation. " * 40)
    index = Session(work, "indexer", 63, 560, plan, background=True)
    index.tool("index.write", 63.5, 480, result="ok")
    plan.tool("start_indexer", 62.9, 0.02, child=index)
    other = Session(
        work, "reporter", 512, 530, None, trace=digits("trace/trip/report", 16), service="reports", link="link"
    )
    other.llm(513, 12, text=None)
    work.message(book, other, 511, "The seat is booked.", book.activities[-1]["span"])
    work.message(one, plan, 61, "Three fares.", one.activities[-1]["span"])
    return work


def running(start):
    """Agents that are at work now."""
    work = Work("running", start, key="task-18", task="task-18", priority="normal")
    lead = Session(work, "lead", 0, None, id="ses_live", title="Fix the flaky upload test")
    lead.llm(0.5, 4)
    lead.tool("grep", 5, 2.5, args='{"query":"timeout"}', result="12 hits")
    return work


def hostile(start):
    work = Work("hostile", start, key=HOSTILE, task=HOSTILE[:100])
    root = Session(work, HOSTILE, 0, 60, title=HOSTILE, service=HOSTILE)
    root.llm(1, 5, text=HOSTILE * 20, asked=[("user", HOSTILE)])
    for i in range(6):
        root.tool(HOSTILE + str(i), 7 + i / 10, 20, args=HOSTILE, result=HOSTILE, outcome="failure", error=HOSTILE)
    root.ask(HOSTILE, 30, 20)
    work.message(root, root, 31, HOSTILE)
    return work


def crowd(start, size=300):
    """One agent that asks hundreds of others."""
    work = Work("crowd", start, key="crowd", priority="background")
    root = Session(work, "dispatcher", 0, size * 2 + 40, title=f"{size} at once")
    root.llm(0.2, 3)
    for i in range(size - 1):
        worker = root.ask(f"worker-{i % 7}", 4 + i * 2, 20 + i % 9, outcome="failure" if i % 50 == 7 else "success")
        worker.llm(5 + i * 2, 4, usd=None)
        worker.tool("fetch", 9.5 + i * 2, 6, outcome="failure" if i % 50 == 7 else "success")
    return work


def long(start, steps=100_000):
    """One session of very many steps."""
    work = Work("long", start, key="long")
    session = Session(work, "digger", 0, steps * 0.1 + 1, id="ses_long", title=f"{steps} steps")
    for i in range(steps):
        if i % 3:
            session.tool(f"dig_{i % 5}", i * 0.1, 0.09)
        else:
            session.llm(i * 0.1, 0.09)
    return work


class Answers:
    """`/api/worktrace/v1/` of made-up work, for a page whose requests are answered here."""

    def __init__(self, works):
        self.works = works
        self.of = {s.id: (work, s) for work in works for s in work.sessions}
        self.by_trace = {s.trace: work for work in works for s in work.sessions}
        self.asked, self.kept, self.content, self.events = [], {}, "kept", ""

    def install(self, context):
        context.route(re.compile(re.escape(API)), self.answer)

    def answer(self, route):
        url = urlsplit(route.request.url)
        path, query = url.path.split(API, 1)[1], {k: v[0] for k, v in parse_qs(url.query).items()}
        self.asked.append((path, query))
        if path == "stream":
            return route.fulfill(status=200, content_type="text/event-stream", body=self.events or ": \n\n")
        found = self.find([unquote(part) for part in path.split("/")], query)
        if found is None:
            problem = {
                "status": 404,
                "code": "unknown-session",
                "title": "Not found",
                "detail": "No such session.",
                "field": None,
            }
            return route.fulfill(status=404, content_type="application/problem+json", body=json.dumps(problem))
        return route.fulfill(
            status=200, content_type="application/json", body=found if isinstance(found, str) else json.dumps(found)
        )

    def find(self, path, query):
        if path == ["sessions"]:
            return self.list(query)
        if path == ["tools"]:
            return {"tools": self.tools(query), "next": None}
        if path == ["messages"]:
            work = self.by_trace.get(query.get("traceId")) or self.of.get(query.get("sessionId"), (None,))[0]
            return {"messages": work.messages if work else [], "next": None}
        work, session = self.of.get(path[1], (self.by_trace.get(path[1]), None))
        if not work:
            return None
        if path[0] == "orchestrations":
            if path[2:] == ["bottlenecks"]:
                return {"bottlenecks": work.bottlenecks()}
            return self.once(work.name, lambda: json.dumps(work.orchestration()))
        if path[2:] == ["conversation"]:
            turns = [] if self.content != "kept" else session.turns()
            start = int(query.get("cursor") or 0)
            more = start + 1000 if start + 1000 < len(turns) else None
            return {"turns": turns[start : start + 1000], "next": more and str(more), "contentState": self.content}
        children = [s.id for s in work.sessions if s.parent is session]
        return self.once(
            session.id, lambda: json.dumps(session.record() | {"steps": session.steps(), "childSessionIds": children})
        )

    def once(self, key, made):
        if key not in self.kept:
            self.kept[key] = made()
        return self.kept[key]

    def list(self, query):
        records = sorted(
            (s.record() for w in self.works for s in w.sessions), key=lambda r: r["startTime"], reverse=True
        )

        def fits(r):
            text = " ".join(str(r[key]) for key in ("title", "agentName", "sessionId")).lower()
            return (
                query.get("agent", r["agentName"]) == r["agentName"]
                and query.get("outcome", r["outcome"]) == r["outcome"]
                and query.get("priority", r["taskPriority"]) == r["taskPriority"]
                and query.get("task", r["taskId"]) == r["taskId"]
                and query.get("sessionKey", r["sessionKey"]) == r["sessionKey"]
                and query.get("traceId", r["trace"]["traceId"]) == r["trace"]["traceId"]
                and float(query.get("minCost", 0)) <= (r["totals"]["usd"] or 0)
                and query.get("q", "").lower() in text
            )

        found = [r for r in records if fits(r)]
        start, limit = int(query.get("cursor") or 0), int(query.get("limit") or 20)
        more = start + limit if start + limit < len(found) else None
        return {"sessions": found[start : start + limit], "next": more and str(more)}

    def tools(self, query):
        by = query.get("groupBy", "tool")
        groups = defaultdict(list)
        for work in self.works:
            for s in work.sessions:
                for a in s.tools:
                    groups[s.agent if by == "agent" else a["name"]].append(a)
        rows = []
        for name, calls in groups.items():
            lengths = sorted(c["end"] - c["start"] for c in calls)
            at = {f"p{p}": str(lengths[max(0, -(-len(lengths) * p // 100) - 1)]) for p in (50, 90, 95, 99)}
            errors = sum(c["outcome"] not in ("success", "cancelled") for c in calls)
            rows.append(
                {
                    "toolName": None if by == "agent" else name,
                    "server": None,
                    "layer": None,
                    "agentName": name if by == "agent" else None,
                    "callCount": len(calls),
                    "errorCount": errors,
                    "cancelledCount": 0,
                    "retryCount": sum(c["attempt"] > 1 for c in calls),
                    "errorRate": errors / len(calls),
                    "resultBytes": None,
                    "sparkline": [len(calls) * (i * 7 % 5) // 9 for i in range(24)],
                    "durationNanos": at | {"max": str(lengths[-1]), "total": str(sum(lengths))},
                }
            )
        return sorted(rows, key=lambda r: -r["callCount"])


def index(context):
    """The page at the agents' addresses, for a server that does not know them yet."""

    def page(route):
        answer = route.fetch()
        if answer.status != 404:
            return route.fulfill(response=answer)
        depth = urlsplit(route.request.url).path.strip("/").count("/")
        text = Path(__file__).resolve().parents[2].joinpath("web/index.html").read_text()
        return route.fulfill(content_type="text/html", body=text.replace('"assets/', '"' + "../" * depth + "assets/"))

    context.route(re.compile(r"^[^?]*:\d+/agents"), page)


def made_up(now=None):
    """A bit of everything, of the last half hour."""
    now = now or otlp.now()
    return Answers(
        [trip(now - 25 * MINUTE), running(now - 2 * MINUTE), hostile(now - 10 * MINUTE), crowd(now - 20 * MINUTE)]
    )
