# SPDX-License-Identifier: Apache-2.0
"""Runs a scenario of `agents/` against a server and reads back what the server makes of it.

Whatever was run, the sums that the orchestration API promises are checked on every orchestration that is read.
"""

import json
import os
import subprocess
import uuid
from collections import Counter
from pathlib import Path

from server import eventually

SCENARIOS = Path(__file__).parent / "agents"
CLASSES = [
    "humanWait",
    "messageWait",
    "llm",
    "tool",
    "childAgent",
    "handoffGap",
    "returnGap",
    "retry",
    "own",
]
TOKENS = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens"]


class Run:
    """Agent work that has ended: its stored spans, and the orchestration that the server makes of them."""

    def __init__(self, server, trace_id):
        self.server, self.trace_id = server, trace_id
        eventually(lambda: server.get(f"/api/skein/v1/traces/{trace_id}").status == 200)
        self.spans = {span["spanId"]: span for span in server.otlp_spans(trace_id)}
        self._whole = None

    @property
    def whole(self):
        """The orchestration; its sums hold."""
        if self._whole is None:
            whole = read(self.server, f"orchestrations/{self.trace_id}")
            check_sums(whole)
            assert whole["spanCount"] == len(self.spans)
            self._whole = whole
            for session in whole["sessions"]:
                told = {name: nanos(n) for name, n in session["timeClasses"].items() if n != "0"}
                known = self.time_classes(session)
                assert told == known, f"{session['agentName']}: {told} is not {known}"
        return self._whole

    def time_classes(self, session):
        """Where a session's time went, by class, of which the first that applies at an instant counts: worked out anew
        from the spans of its model calls, its tool calls and its edges. No scenario waits for a human or a message."""
        whole, sid = self.whole, session["sessionId"]
        sessions = {s["sessionId"]: s for s in whole["sessions"]}
        times = {name: [] for name in CLASSES}
        times["llm"] = [extent(s) for s in self.spans.values() if is_model_call(s) and self.owner(s) == sid]
        for call in whole["toolCalls"]:
            if call["sessionId"] == sid and not call["childSessionIds"]:
                times["tool"].append((start_of(call), end_of(call)))
        for edge in whole["edges"]:
            if edge["fromSessionId"] == sid and edge["kind"] == "delegate":
                child = sessions[edge["toSessionId"]]
                times["childAgent"].append((start_of(child), end_of(child)))
                if edge["toolName"]:
                    times["handoffGap"].append((start_of(edge), start_of(child)))
                    times["returnGap"].append((end_of(child), end_of(edge)))
        for retry in whole["retries"]:
            if retry["sessionId"] == sid:
                attempts = [extent(self.spans[span]) for span in retry["spanIds"]]
                times["retry"] += [(a[1], b[0]) for a, b in zip(attempts, attempts[1:])]
        start, end = start_of(session), end_of(session)
        times["own"] = [(start, end)]
        cuts = sorted({start, end, *(t for spans in times.values() for pair in spans for t in pair if start < t < end)})
        sums = Counter()
        for a, b in zip(cuts, cuts[1:]):
            name = next(name for name in CLASSES if any(s <= a and b <= e for s, e in times[name]))
            sums[name] += b - a
        return dict(sums)

    def owner(self, span):
        """The session that a span belongs to: that of the nearest span above which opens one, else the root's."""
        opened = {s["spanId"]: s["sessionId"] for s in self.whole["sessions"]}
        while span and span["spanId"] not in opened:
            span = self.spans.get(span.get("parentSpanId"))
        return opened[span["spanId"]] if span else self.whole["rootSessionId"]

    def sessions(self):
        """The sessions by agent; no scenario runs an agent twice."""
        sessions = {s["agentName"]: s for s in self.whole["sessions"]}
        assert len(sessions) == len(self.whole["sessions"])
        return sessions

    def agent(self, session_id):
        return next(s["agentName"] for s in self.whole["sessions"] if s["sessionId"] == session_id)

    def parents(self):
        """agent -> the agent above it, in the order of their starts."""
        parents = [(s["agentName"], s["parentSessionId"]) for s in self.whole["sessions"]]
        return {agent: parent and self.agent(parent) for agent, parent in parents}

    def edges(self):
        return [
            (self.agent(e["fromSessionId"]), self.agent(e["toSessionId"]), e["kind"], e["toolName"])
            for e in self.whole["edges"]
        ]

    def calls(self):
        return [(self.agent(c["sessionId"]), c["toolName"], c["outcome"]) for c in self.whole["toolCalls"]]

    def tokens(self):
        return {
            agent: [s["usage"]["inputTokens"], s["usage"]["outputTokens"]] for agent, s in self.sessions().items()
        }

    def model_calls(self):
        return {agent: s["llmCallCount"] for agent, s in self.sessions().items()}

    def path(self):
        """The agents of the critical path, each stay once."""
        agents = [step["agentName"] for step in self.whole["criticalPath"]]
        return [a for i, a in enumerate(agents) if i == 0 or agents[i - 1] != a]

    def on_path(self, agent, **fields):
        """How long the critical path stays in the agent's steps that have these fields, in seconds."""
        steps = [s for s in self.whole["criticalPath"] if s["agentName"] == agent and fields.items() <= s.items()]
        return sum(nanos(s["durationNanos"]) for s in steps) / 1e9

    def seconds(self, agent, name):
        """How much of a session's time is of this class."""
        return nanos(self.sessions()[agent]["timeClasses"][name]) / 1e9

    def in_flight(self, agent):
        """The most tool calls of a session at one instant, by their own times."""
        session = self.sessions()[agent]["sessionId"]
        times = [(start_of(c), end_of(c)) for c in self.whole["toolCalls"] if c["sessionId"] == session]
        return max((sum(s <= at < e for s, e in times) for at, _ in times), default=0)


def play(server, python, script, *words):
    """Runs a scenario to its end; what it told about itself is the `truth` of the run."""
    marker = uuid.uuid4().hex
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.otlp_http,
        "OTEL_RESOURCE_ATTRIBUTES": f"test.run={marker}",
        "LANGFUSE_HOST": server.otlp_http,
    }
    done = subprocess.run(
        [python, SCENARIOS / script, *map(str, words)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    truth = json.loads(done.stdout)
    if "traceId" not in truth:  # the instrumentation made the root, so that the script never saw it
        [trace] = eventually(lambda: server.search(f'{{ resource.test.run = "{marker}" }}')["traces"])
        truth["traceId"] = trace["traceId"]
    run = Run(server, truth["traceId"])
    run.truth = truth
    return run


def read(server, path, **parameters):
    answer = server.get(f"/api/worktrace/v1/{path}", parameters)
    assert answer.status == 200, answer
    return answer.json


def attributes(span):
    return {a["key"]: next(iter(a["value"].values()), None) for a in span.get("attributes", [])}


def is_model_call(span):
    """In the words of whichever instrumentation reported it."""
    told = attributes(span)
    words = (told.get(k) for k in ("gen_ai.operation.name", "openinference.span.kind", "langfuse.observation.type"))
    return any(word in ("chat", "LLM", "generation") for word in words)


def extent(span):
    """(start, end) of a stored span."""
    return int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])


def nanos(text):
    """A time or duration of an analysis: a decimal string, never negative."""
    assert isinstance(text, str) and text.isdecimal(), text
    return int(text)


def start_of(record):
    return nanos(record["startTimeUnixNano"])


def end_of(record):
    return start_of(record) + nanos(record["durationNanos"])


def check_sums(whole):
    """Everything in an orchestration that has to add up does, and every list is in its order."""
    sessions = {s["sessionId"]: s for s in whole["sessions"]}
    calls_of = Counter(c["sessionId"] for c in whole["toolCalls"])
    assert sum(s["spanCount"] for s in sessions.values()) == whole["spanCount"]
    assert sum(s["errorCount"] for s in sessions.values()) == whole["errorCount"]
    for session in sessions.values():
        assert sorted(session["timeClasses"]) == sorted(CLASSES)
        assert sum(map(nanos, session["timeClasses"].values())) == nanos(session["durationNanos"]), session
        assert session["toolCallCount"] == calls_of[session["sessionId"]], session
    for name in TOKENS:
        assert sum(s["usage"][name] for s in sessions.values()) == whole["usage"][name]
    for edge in whole["edges"]:
        parts = [edge["handoffGapNanos"], edge["childNanos"], edge["returnGapNanos"]]
        if edge["kind"] == "delegate":
            assert sum(map(nanos, parts)) == nanos(edge["durationNanos"]), edge
        if edge["kind"] == "handoff":
            assert edge["returnGapNanos"] is None, edge
    for call in whole["toolCalls"]:
        assert call["layers"][0]["spanId"] == call["spanId"]
        assert sum(nanos(layer["selfNanos"]) for layer in call["layers"]) == nanos(call["durationNanos"]), call
    check_path(whole, sessions)
    children = [start_of(sessions[e["toSessionId"]]) for e in whole["edges"]]
    for starts in (children, *(list(map(start_of, whole[name])) for name in ("sessions", "toolCalls"))):
        assert starts == sorted(starts)


def check_path(whole, sessions):
    """The critical path fills the orchestration's time without a hole."""
    cursor = start_of(whole)
    assert cursor == start_of(sessions[whole["rootSessionId"]])
    for step in whole["criticalPath"]:
        assert start_of(step) == cursor, step
        assert step["class"] in CLASSES and step["agentName"] == sessions[step["sessionId"]]["agentName"]
        assert 2 * nanos(step["savedIfHalvedNanos"]) <= nanos(step["durationNanos"]), step
        cursor = end_of(step)
    assert cursor == end_of(whole)
