# SPDX-License-Identifier: Apache-2.0
"""Sessions of made-up agents and what they led to, told as spans of the GenAI conventions."""

import hashlib
import json

import otlp

SECOND = 10**9
MINUTE = 60 * SECOND


def digits(text, bytes_):
    return hashlib.sha256(text.encode()).hexdigest()[: 2 * bytes_]


def message(role, text):
    return {"role": role, "parts": [{"type": "text", "content": text}]}


class Session:
    """One run of one agent. Times are seconds after the orchestration's start."""

    def __init__(self, work, agent, start, end, parent=None, service="agents", **facts):
        self.work, self.agent, self.parent, self.service, self.facts = work, agent, parent, service, facts
        self.span = digits(f"{work.trace}/{agent}/{start}/{len(work.sessions)}", 8)
        self.id = f"{work.trace}:{self.span}"
        self.start, self.end = work.at(start), work.at(end)
        self.activities = []
        work.sessions.append(self)

    def activity(self, kind, name, start, length, outcome="success", **facts):
        start = self.work.at(start)
        found = {"kind": kind, "name": name, "start": start, "end": start + int(length * SECOND), "outcome": outcome}
        found |= {"span": digits(f"{self.id}/{len(self.activities)}", 8)} | facts
        self.activities.append(found)
        return found

    def llm(self, start, length, given=1200, back=180, cached=0, usd=0.012, text="", asked=()):
        facts = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "made-up",
            "gen_ai.request.model": "made-up-4",
            "gen_ai.response.model": "made-up-4",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": 0.31,
            "gen_ai.usage.input_tokens": given,
            "gen_ai.usage.output_tokens": back,
            "gen_ai.usage.cache_read.input_tokens": cached,
        }
        facts |= {"worktrace.cost.usd": usd} if usd else {}
        facts |= {"gen_ai.input.messages": json.dumps([message(*one) for one in asked])} if asked else {}
        facts |= {"gen_ai.output.messages": json.dumps([message("assistant", text)])} if text else {}
        return self.activity("llm", "chat made-up-4", start, length, attributes=facts)

    def tool(self, name, start, length, outcome="success", error=None, args=None, result=None, child=None):
        facts = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        facts |= {"gen_ai.tool.call.id": f"call_{len(self.activities)}_{self.span}"}
        facts |= {"gen_ai.tool.call.arguments": args} if args else {}
        facts |= {"gen_ai.tool.call.result": result} if result else {}
        return self.activity(
            "tool", f"execute_tool {name}", start, length, outcome, error=error, child=child, attributes=facts
        )

    def wait(self, kind, start, length):
        facts = {"worktrace.step.kind": "wait", "worktrace.wait.kind": kind}
        return self.activity("wait", f"wait:{kind}", start, length, attributes=facts)

    def ask(self, agent, start, length, before=0.2, after=0.1, **facts):
        """A sub-agent that this one waits for: the call, and its session."""
        child = Session(self.work, agent, start + before, start + length - after, self, **facts)
        self.tool(f"ask_{agent}"[:80], start, length, child=child)
        return child

    def hand_over(self, agent, start, gap, length, **facts):
        """Control passes to another agent, `gap` seconds after it was given away."""
        self.activity("handoff", f"handoff to {agent}", start, 0.02)
        return Session(self.work, agent, start + gap, start + gap + length, self, **facts)

    def spans(self):
        """The session and its steps."""
        trace, own = bytes.fromhex(self.work.trace), bytes.fromhex(self.span)
        facts = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": self.agent}
        facts |= {"gen_ai.conversation.id": self.work.key}
        known = {"session.title": self.facts.get("title"), "task.id": self.work.task}
        known |= {"task.priority": self.work.priority}
        facts |= {f"worktrace.{name}": value for name, value in known.items() if value}
        caller = next((a for a in self.parent.activities if a.get("child") is self), None) if self.parent else None
        above = caller["span"] if caller else self.parent.span if self.parent else ""
        yield otlp.span(
            trace,
            own,
            bytes.fromhex(above),
            name=f"invoke_agent {self.agent}",
            start=self.start,
            end=self.end,
            attributes=facts,
            **failed(self.facts.get("outcome"), None),
        )
        for a in self.activities:
            facts = {"worktrace.step.outcome": a["outcome"]} | a.get("attributes", {})
            bad = failed(a["outcome"], a.get("error"))
            facts |= {"error.type": a.get("error") or a["outcome"]} if bad else {}
            yield otlp.span(
                trace,
                bytes.fromhex(a["span"]),
                own,
                name=a["name"],
                start=a["start"],
                end=a["end"],
                attributes=facts,
                **bad,
            )


def failed(outcome, error):
    if outcome in (None, "success", "cancelled"):
        return {}
    return {"status": {"code": 2, "message": error or ""}}


class Work:
    """An orchestration: all sessions that one task led to."""

    def __init__(self, name, start, *, key=None, task=None, priority=None):
        self.name, self.start = name, start
        self.key, self.task, self.priority = key or name, task, priority
        self.trace = digits(f"trace/{name}", 16)
        self.sessions = []

    def at(self, seconds):
        return self.start + int(seconds * SECOND)

    def send(self, server):
        """Tells the server, service by service."""
        services = {session.service for session in self.sessions}
        for service in sorted(services):
            spans = [span for s in self.sessions if s.service == service for span in s.spans()]
            for first in range(0, len(spans), 1000):
                assert server.post(otlp.export(*spans[first : first + 1000], service=service)).status == 200
        return self
