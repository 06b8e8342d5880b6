# SPDX-License-Identifier: Apache-2.0
"""Sessions of made-up agents and what they led to: as OTLP spans, and in the shapes of `/api/worktrace/v1/`."""

import hashlib
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime

import otlp

SECOND = 10**9
MINUTE = 60 * SECOND
LISTED_MAX = 10_000
CLASSES = ("humanWait", "messageWait", "llm", "tool", "childAgent", "handoffGap", "returnGap", "retry", "own")
USAGE = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens")


def digits(text, bytes_):
    return hashlib.sha256(text.encode()).hexdigest()[: 2 * bytes_]


def rfc(nanos):
    if nanos is None:
        return None
    return datetime.fromtimestamp(nanos // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{nanos % SECOND:09}Z"


def usage(given=0, back=0, cached=0, usd=None):
    return dict.fromkeys(USAGE, 0) | {"inputTokens": given, "outputTokens": back, "cacheReadTokens": cached, "usd": usd}


def added(usages):
    usages = list(usages)
    paid = [u["usd"] for u in usages if u["usd"] is not None]
    return {key: sum(u[key] for u in usages) for key in USAGE} | {"usd": round(sum(paid), 6) if paid else None}


class Session:
    """One run of one agent. Times are seconds after the orchestration's start, `end` None while it runs."""

    def __init__(self, work, agent, start, end, parent=None, trace=None, service="agents", **facts):
        self.work, self.agent, self.parent, self.service, self.facts = work, agent, parent, service, facts
        self.trace = trace or work.trace
        self.id = (
            facts.pop("id", None) or f"{self.trace}:{digits(f'{work.name}/{agent}/{start}/{len(work.sessions)}', 8)}"
        )
        self.span = self.id[-16:] if re.fullmatch("[0-9a-f]{32}:[0-9a-f]{16}", self.id) else digits(self.id, 8)
        self.start, self.open = work.at(start), end is None
        self.end = work.now if end is None else work.at(end)
        self.activities, self.children = [], []
        work.sessions.append(self)

    def activity(self, kind, name, start, length, **facts):
        start = self.work.at(start)
        found = {
            "kind": kind,
            "name": name,
            "start": start,
            "end": start + int(length * SECOND),
            "session": self,
            "span": digits(f"{self.id}/{len(self.activities)}", 8),
            "outcome": "success",
            "child": None,
            "attempt": 1,
            "retryOf": None,
            "args": None,
            "result": None,
            "usage": usage(),
            "error": None,
            "server": None,
        } | facts
        self.activities.append(found)
        return found

    def llm(self, start, length, given=1200, back=180, cached=0, usd=0.012, text="", **facts):
        more = {"usage": usage(given, back, cached, usd), "model": "made-up-4", "text": text}
        return self.activity("llm", "chat made-up-4", start, length, **(more | facts))

    def tool(self, name, start, length, **facts):
        return self.activity("tool", name, start, length, **({"callId": f"call_{len(self.activities)}"} | facts))

    def wait(self, kind, start, length):
        return self.activity("wait", f"wait:{kind}", start, length, waits=kind)

    def ask(self, agent, start, length, before=0.2, after=0.1, **facts):
        """A sub-agent that this one waits for: the call, and its session."""
        child = Session(self.work, agent, start + before, start + length - after, self, **facts)
        self.tool(f"ask_{agent}"[:80], start, length, child=child)
        self.children.append(child)
        return child

    def classes(self):
        marks = defaultdict(Counter)

        def mark(kind, start, end):
            start, end = max(start, self.start), min(end, self.end)
            if end > start:
                marks[start][kind] += 1
                marks[end][kind] -= 1

        for a in self.activities:
            child = a["child"]
            if a["kind"] == "wait":
                mark("humanWait" if a["waits"] == "human" else "messageWait", a["start"], a["end"])
            elif a["kind"] == "llm":
                mark("llm", a["start"], a["end"])
            elif child:
                mark("childAgent", child.start, child.end)
                mark("handoffGap", a["start"], child.start)
                mark("returnGap", child.end, a["end"])
            else:
                mark("tool", a["start"], a["end"])
            before = a["retryOf"] and next(b for b in self.activities if b["span"] == a["retryOf"])
            if before:
                mark("retry", before["end"], a["start"])
        sums, now, last = dict.fromkeys(CLASSES, 0), Counter(), self.start
        for at in sorted({*marks, self.end}):
            kind = next((c for c in CLASSES if now[c]), "own")
            sums[kind] += at - last
            last = at
            for key, change in marks[at].items():
                now[key] += change
        return {key: str(value) for key, value in sums.items()}

    @property
    def tools(self):
        return [a for a in self.activities if a["kind"] == "tool"]

    @property
    def errors(self):
        return sum(a["outcome"] not in ("success", "cancelled") for a in self.activities)

    def summary(self):
        f = self.facts
        return {
            "sessionId": self.id,
            "parentSessionId": self.parent and self.parent.id,
            "traceId": self.trace,
            "spanId": self.span,
            "agentName": self.agent,
            "agentId": None,
            "agentVersion": f.get("version"),
            "serviceName": self.service,
            "sessionKey": self.work.key,
            "taskId": self.work.task,
            "taskPriority": self.work.priority,
            "linkMode": f.get("link", "join"),
            "background": f.get("background", False),
            "state": f.get("state", "running" if self.open else "ended"),
            "outcome": None if self.open else f.get("outcome", "success"),
            "startTimeUnixNano": str(self.start),
            "durationNanos": str(self.end - self.start),
            "spanCount": 1 + len(self.activities),
            "errorCount": self.errors,
            "llmCallCount": sum(a["kind"] == "llm" for a in self.activities),
            "toolCallCount": len(self.tools),
            "fanOut": 2,
            "usage": added(a["usage"] for a in self.activities),
            "timeClasses": self.classes(),
        }

    def record(self):
        s, f = self.summary(), self.facts
        spent = s["usage"]
        waiting = sum(a["end"] - a["start"] for a in self.activities if a["kind"] == "wait")
        return {
            "sessionId": self.id,
            "taskId": s["taskId"],
            "title": f.get("title"),
            "agentId": None,
            "agentName": self.agent,
            "agentVersion": f.get("version"),
            "parentSessionId": s["parentSessionId"],
            "parentStepId": None,
            "rootSessionId": self.work.sessions[0].id,
            "threadId": None,
            "taskPriority": s["taskPriority"],
            "linkMode": s["linkMode"],
            "startTime": rfc(self.start),
            "endTime": None if self.open else rfc(self.end),
            "state": s["state"],
            "outcome": s["outcome"],
            "budget": None,
            "labels": {},
            "sessionKey": s["sessionKey"],
            "source": "spans",
            "serviceName": self.service,
            "trace": {"traceId": self.trace, "spanId": self.span, "sampled": True, "samplingReason": None, "weight": 1},
            "totals": {
                "steps": len(self.activities),
                "llmCalls": s["llmCallCount"],
                "toolCalls": s["toolCallCount"],
                "toolErrors": self.errors,
                "inputTokens": spent["inputTokens"],
                "outputTokens": spent["outputTokens"],
                "cacheReadTokens": spent["cacheReadTokens"],
                "usd": spent["usd"],
                "activeMs": (self.end - self.start - waiting) // 10**6,
                "waitMs": waiting // 10**6,
            },
        }

    def steps(self):
        return [
            {
                "stepId": a["span"],
                "sessionId": self.id,
                "parentStepId": None,
                "spanId": a["span"],
                "stepAction": a["name"] if ":" in a["name"] else f"{a['kind']}:{a['name']}",
                "stepKind": a["kind"],
                "attempt": a["attempt"],
                "retryOf": a["retryOf"],
                "stepContext": {},
                "startTime": rfc(a["start"]),
                "endTime": rfc(a["end"]),
                "stepOutcome": a["outcome"],
                "error": a["error"] and {"type": a["error"], "message": a["error"]},
                "usage": a["usage"],
                "tool": {"name": a["name"], "callId": a["callId"], "server": a["server"]}
                if a["kind"] == "tool"
                else None,
                "llm": {"model": a["model"], "provider": "made-up"} if a["kind"] == "llm" else None,
                "waitsOn": {"kind": a["waits"], "id": None} if a["kind"] == "wait" else None,
                "links": [],
                "messageIds": [],
            }
            for a in sorted(self.activities, key=lambda a: (a["start"], a["span"]))
        ]

    def turns(self):
        found = []
        for a in sorted(self.activities, key=lambda a: (a["start"], a["span"])):
            turn = {"spanId": a["span"], "sessionId": self.id, "toolName": None, "callId": None, "truncated": False}
            if a["kind"] == "llm" and a["text"]:
                for role, text in a.get("asked", []):
                    found.append(turn | {"timeUnixNano": str(a["start"]), "role": role, "kind": "text", "text": text})
                found.append(
                    turn | {"timeUnixNano": str(a["end"]), "role": "assistant", "kind": "text", "text": a["text"]}
                )
            elif a["kind"] == "tool":
                tool = turn | {"toolName": a["name"], "callId": a["callId"]}
                args, result = a["args"], a["result"] or a["error"]
                found.append(
                    tool | {"timeUnixNano": str(a["start"]), "role": "assistant", "kind": "toolCall", "text": args}
                )
                found.append(
                    tool | {"timeUnixNano": str(a["end"]), "role": "tool", "kind": "toolResult", "text": result}
                )
        return found

    def otlp(self):
        """The session and its steps as spans of the GenAI conventions."""
        name = {"gen_ai.agent.name": self.agent, "gen_ai.conversation.id": self.work.key}
        caller = next((a["span"] for a in self.parent.activities if a["child"] is self), None) if self.parent else None
        parent = bytes.fromhex(caller or (self.parent.span if self.parent and self.parent.trace == self.trace else ""))
        trace, own = bytes.fromhex(self.trace), bytes.fromhex(self.span)
        yield otlp.span(
            trace,
            own,
            parent,
            name=f"invoke_agent {self.agent}",
            start=self.start,
            end=self.end,
            attributes={"gen_ai.operation.name": "invoke_agent"} | name,
        )
        for a in self.activities:
            facts = {"worktrace.step.outcome": a["outcome"]}
            if a["kind"] == "llm":
                facts |= {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "made-up",
                    "gen_ai.request.model": a["model"],
                    "gen_ai.response.model": a["model"],
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.response.time_to_first_chunk": 0.31,
                    "gen_ai.usage.input_tokens": a["usage"]["inputTokens"],
                    "gen_ai.usage.output_tokens": a["usage"]["outputTokens"],
                    "gen_ai.usage.cache_read.input_tokens": a["usage"]["cacheReadTokens"],
                }
            elif a["kind"] == "tool":
                facts |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": a["name"]}
                facts |= {"gen_ai.tool.call.id": a["callId"]}
                facts |= {"gen_ai.tool.call.arguments": a["args"]} if a["args"] else {}
                facts |= {"gen_ai.tool.call.result": a["result"]} if a["result"] else {}
            failed = a["outcome"] not in ("success", "cancelled")
            facts |= {"error.type": a["error"] or a["outcome"]} if failed else {}
            status = {"status": {"code": 2, "message": a["error"] or ""}} if failed else {}
            title = f"execute_tool {a['name']}" if a["kind"] == "tool" else a["name"]
            yield otlp.span(
                trace,
                bytes.fromhex(a["span"]),
                own,
                name=title,
                start=a["start"],
                end=a["end"],
                attributes=facts,
                **status,
            )


class Work:
    """An orchestration: all sessions that one task led to."""

    def __init__(self, name, start, *, key=None, task=None, priority=None):
        self.name, self.start, self.now = name, start, otlp.now()
        self.key, self.task, self.priority = key or name, task, priority
        self.trace = digits(f"trace/{name}", 16)
        self.sessions, self.handoffs, self.messages, self.loops, self.links = [], [], [], [], []

    def at(self, seconds):
        return self.start + int(seconds * SECOND)

    def hand_over(self, session, agent, start, gap, length, **facts):
        """Control passes to another agent, `gap` seconds after it was given away."""
        step = session.activity("handoff", f"handoff to {agent}", start, 0.02)
        target = Session(self, agent, start + gap, start + gap + length, session, **facts)
        self.handoffs.append((session, target, step))
        return target

    def message(self, by, to, at, text, step=None, relation="sent"):
        nanos, number = self.at(at), f"msg_{len(self.messages) + 1}"
        self.messages.append(
            {
                "messageId": number,
                "threadId": f"thread-{self.name}",
                "from": f"agent:{by.agent}",
                "to": [f"agent:{to.agent}"],
                "time": rfc(nanos),
                "inReplyTo": None,
                "role": "agent",
                "bytes": len(text or ""),
                "text": text,
                "trace": {
                    "traceparent": None,
                    "traceId": by.trace,
                    "spanId": step or by.span,
                    "sessionId": by.id,
                    "stepId": step,
                },
                "relation": relation,
            }
        )
        self.links.append((by, to, nanos, step or by.span))

    def edges(self):
        found = []
        for session in self.sessions:
            for a in session.activities:
                child = a["child"]
                if child:
                    found.append(
                        self.edge(session, child, "background" if child.facts.get("background") else "delegate", a)
                    )
        for session, target, step in self.handoffs:
            found.append(self.edge(session, target, "handoff", step))
        for by, to, at, step in self.links:
            found.append(self.edge(by, to, "message", {"span": step, "start": at, "end": at, "name": None}))
        return sorted(found, key=lambda e: (int(e["startTimeUnixNano"]), e["toSessionId"]))

    def edge(self, a, b, kind, step):
        start, end = step["start"], step["end"]
        whole = kind == "delegate"
        return {
            "fromSessionId": a.id,
            "toSessionId": b.id,
            "kind": kind,
            "linkMode": b.facts.get("link", "join"),
            "spanId": step["span"],
            "toolName": step["name"] if whole else None,
            "processBoundary": a.service != b.service,
            "inferredBy": None,
            "startTimeUnixNano": str(start),
            "durationNanos": str(end - start),
            "handoffGapNanos": str(max(0, b.start - start)) if kind != "message" else "0",
            "childNanos": str(b.end - b.start),
            "returnGapNanos": str(end - b.end) if whole else None,
        }

    def walk(self, session, cursor, found):
        """What the end of a session waited for, backwards."""

        def own(start, end, kind="own", span=None, name=None):
            if end > start:
                found.append((session, span or session.span, name or f"invoke_agent {session.agent}", kind, start, end))

        waited = [a for a in session.activities if not (a["child"] and a["child"].facts.get("background"))]
        for a in sorted(waited, key=lambda a: a["end"], reverse=True):
            end = min(a["end"], cursor)
            if a["start"] >= cursor or a["end"] > cursor + SECOND // 100:
                continue
            own(end, cursor)
            child = a["child"]
            if child:
                own(child.end, end, "returnGap", a["span"], a["name"])
                self.walk(child, child.end, found)
                own(a["start"], child.start, "handoffGap", a["span"], a["name"])
            else:
                waits = "humanWait" if a.get("waits") == "human" else "messageWait"
                own(a["start"], end, {"wait": waits, "handoff": "own"}.get(a["kind"], a["kind"]), a["span"], a["name"])
            cursor = a["start"]
        own(session.start, cursor)

    def critical_path(self):
        found = []
        target = self.handoffs[-1] if self.handoffs else None
        if target:
            session, to, step = target
            self.walk(to, to.end, found)
            found.append((session, step["span"], step["name"], "handoffGap", step["start"], to.start))
            self.walk(session, step["start"], found)
        else:
            self.walk(self.sessions[0], self.sessions[0].end, found)
        return [
            {
                "sessionId": s.id,
                "spanId": span,
                "agentName": s.agent,
                "name": name,
                "class": kind,
                "startTimeUnixNano": str(start),
                "durationNanos": str(end - start),
                "savedIfHalvedNanos": str((end - start) // 2),
            }
            for s, span, name, kind, start, end in reversed(found)
        ]

    def tool_calls(self):
        calls = []
        for s in self.sessions:
            for a in s.tools:
                length = a["end"] - a["start"]
                inner = a.get("layers") or [("agent", s.service, 1)]
                rest, layers = length, []
                for place, (layer, service, share) in enumerate(inner):
                    own = rest if place == len(inner) - 1 else int(length * share)
                    rest -= own
                    layers.append(
                        {
                            "layer": layer,
                            "spanId": a["span"],
                            "serviceName": service,
                            "durationNanos": str(own + rest),
                            "selfNanos": str(own),
                        }
                    )
                calls.append(
                    {
                        "spanId": a["span"],
                        "sessionId": s.id,
                        "toolName": a["name"],
                        "server": a["server"],
                        "callId": a["callId"],
                        "outcome": a["outcome"],
                        "errorType": a["error"],
                        "attempt": a["attempt"],
                        "retryOf": a["retryOf"],
                        "startTimeUnixNano": str(a["start"]),
                        "durationNanos": str(length),
                        "resultBytes": len(a["result"]) if a["result"] else None,
                        "childSessionIds": [a["child"].id] if a["child"] else [],
                        "onCriticalPath": False,
                        "layers": layers,
                    }
                )
        return sorted(calls, key=lambda c: (int(c["startTimeUnixNano"]), c["spanId"]))

    def retries(self):
        found = []
        for s in self.sessions:
            for a in s.tools:
                before = a["retryOf"] and next(b for b in s.tools if b["span"] == a["retryOf"])
                if before:
                    found.append(
                        {
                            "sessionId": s.id,
                            "kind": "tool",
                            "name": a["name"],
                            "spanIds": [before["span"], a["span"]],
                            "attempts": 2,
                            "succeeded": a["outcome"] == "success",
                            "wastedNanos": str(a["start"] - before["start"]),
                        }
                    )
        return found

    def loop(self, session, calls, kind="identical"):
        self.loops.append(
            {
                "sessionId": session.id,
                "kind": kind,
                "pattern": sorted({c["name"] for c in calls}),
                "count": len(calls),
                "spanIds": [c["span"] for c in calls],
                "startTimeUnixNano": str(calls[0]["start"]),
                "durationNanos": str(calls[-1]["end"] - calls[0]["start"]),
            }
        )

    def graph(self):
        nodes, edges = {}, Counter()
        failed = Counter()
        for s in self.sessions:
            for key, kind, name, length, bad in [
                (f"agent:{s.agent}", "agent", s.agent, s.end - s.start, 0),
                *(
                    (f"tool:{a['name']}", "tool", a["name"], a["end"] - a["start"], a["outcome"] == "failure")
                    for a in s.tools
                    if not a["child"]
                ),
            ]:
                node = nodes.setdefault(
                    key, {"id": key, "kind": kind, "name": name, "count": 0, "errorCount": 0, "durationNanos": 0}
                )
                node["count"] += 1
                node["errorCount"] += bad
                node["durationNanos"] += length
            for a in s.tools:
                if not a["child"]:
                    edges[f"agent:{s.agent}", f"tool:{a['name']}", "calls"] += 1
                    failed[f"agent:{s.agent}", f"tool:{a['name']}", "calls"] += a["outcome"] == "failure"
        for e in self.edges():
            names = {s.id: s.agent for s in self.sessions}
            edges[f"agent:{names[e['fromSessionId']]}", f"agent:{names[e['toSessionId']]}", e["kind"]] += 1
        return {
            "nodes": [n | {"durationNanos": str(n["durationNanos"])} for n in nodes.values()],
            "edges": [
                {"from": a, "to": b, "kind": kind, "count": n, "errorCount": failed[a, b, kind]}
                for (a, b, kind), n in edges.items()
            ],
        }

    def orchestration(self):
        sessions = sorted(
            (s.summary() for s in self.sessions), key=lambda s: (int(s["startTimeUnixNano"]), s["sessionId"])
        )
        path = self.critical_path()
        calls, on_path = self.tool_calls(), {p["spanId"] for p in path}
        for call in calls:
            call["onCriticalPath"] = call["spanId"] in on_path
        root = self.sessions[0]
        return {
            "traceId": self.trace,
            "rootSessionId": root.id,
            "sessionKey": self.key,
            "taskId": self.task,
            "taskPriority": self.priority,
            "state": "running" if any(s.open for s in self.sessions) else "ended",
            "startTimeUnixNano": str(root.start),
            "durationNanos": str(sum(int(p["durationNanos"]) for p in path)),
            "spanCount": sum(s["spanCount"] for s in sessions),
            "errorCount": sum(s["errorCount"] for s in sessions),
            "truncated": len(calls) > LISTED_MAX,
            "sessions": sessions,
            "edges": self.edges(),
            "toolCalls": calls[:LISTED_MAX],
            "criticalPath": path,
            "retries": self.retries(),
            "loops": self.loops,
            "graph": self.graph(),
            "usage": added(s["usage"] for s in sessions),
            "messageCount": len(self.messages),
        }

    def bottlenecks(self):
        path = self.critical_path()
        whole = sum(int(p["durationNanos"]) for p in path) or 1
        sums = Counter()
        for p in path:
            sums[p["name"], p["sessionId"], p["class"]] += int(p["durationNanos"])
        return [
            {
                "text": f"{name}: {nanos / SECOND:.1f} s of {whole / SECOND:.1f} s ({nanos * 100 // whole} %)",
                "sessionId": session,
                "class": kind,
                "durationNanos": str(nanos),
                "share": nanos / whole,
            }
            for (name, session, kind), nanos in sums.most_common(8)
        ]
