#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deterministic agent work: sessions of five priorities that delegate to child sessions, and one session of many steps.

  python3 bench/agents.py write --sessions 10000 --seed 17 --out bench-data/agents
  python3 bench/agents.py write --steps 100000 --out bench-data/long
  python3 bench/agents.py send  --in bench-data/agents --url http://127.0.0.1:16686
  python3 bench/agents.py check --in bench-data/agents --url http://127.0.0.1:16686 [--rate normal=0.5 --rate low=0.1]

`write` makes PREFIX.ndjson, lines for the WorkTrace batch API, and PREFIX.truth.json: what every session holds.
`check` reads the sessions back and compares. With the rates of a sampling policy it also says whether the kept share of
each priority is within the binomial bounds of 99.9 %; only orchestrations without any failure count there, since a
policy may rescue the others. Every comparison of tokens, money and outcomes is exact, sampled or not.

Only the standard library is used. The work depends on --seed, --sessions and --steps, its times on --start as well.
"""
import argparse, json, math, random, time, urllib.parse

from lib import Http

PRIORITIES = ["critical", "high", "normal", "low", "background"]
AGENTS = ["planner", "coder", "reviewer", "tester", "researcher"]
TOOLS = ["grep", "read", "edit", "shell", "web_search"]
MODELS = {"model-s": (1, 4), "model-l": (3, 15)}  # micro-dollars a token: input, output
MILLISECOND = 1_000_000
BODY = 4 << 20  # bytes a batch; the API takes 16 MiB
COUNTS = ["steps", "llmCalls", "toolCalls", "toolErrors", "inputTokens", "outputTokens"]


class Session:
    """One session being written: its lines, and the truth about it."""

    def __init__(self, lines, sid, agent, priority, start, parent=None, step=None, root=None, unit=MILLISECOND):
        self.lines, self.sid, self.now, self.unit = lines, sid, start, unit
        self.truth = dict(parent=parent, root=root or sid, priority=priority, agent=agent, outcome=None, microUsd=0)
        self.truth |= dict.fromkeys(COUNTS, 0) | {"children": []}
        above = dict(parentSessionId=parent, parentStepId=step, rootSessionId=root) if parent else {}
        self.write("session.start", agentId=agent, agentName=agent, taskPriority=priority, startTime=str(start), **above)

    def write(self, op, **fields):
        self.lines.append(json.dumps({"op": op, "sessionId": self.sid, **fields}, separators=(",", ":")))

    def step(self, action, units, outcome="success", parent=None, **fields):
        """A complete step of this length; gives its id."""
        step, begin = f"st_{self.truth['steps']}", self.now
        self.truth["steps"] += 1
        self.now += units * self.unit
        if parent:
            fields["parentStepId"] = parent
        times = dict(startTime=str(begin), endTime=str(self.now))
        self.write("step.start", stepId=step, stepAction=action, stepOutcome=outcome, **times, **fields)
        return step

    def think(self, r, parent=None):
        model = r.choice(list(MODELS))
        i, o = r.randrange(200, 8000), r.randrange(10, 900)
        micros = i * MODELS[model][0] + o * MODELS[model][1]
        usage = dict(inputTokens=i, outputTokens=o, usd=micros / 1e6)
        llm = dict(model=model, provider="synthetic")
        self.step(f"llm:{model}", r.randrange(100, 4000), parent=parent, usage=usage, llm=llm)
        for key, n in (("llmCalls", 1), ("inputTokens", i), ("outputTokens", o), ("microUsd", micros)):
            self.truth[key] += n

    def use(self, r, parent=None):
        """A tool call; one in twenty fails and is tried again."""
        tool = r.choice(TOOLS)
        failed = None
        if r.random() < 0.05:
            error = dict(type="timeout", message="no reply")
            failed = self.step(f"tool:{tool}", 500, "failure", parent, tool=dict(name=tool), error=error)
            self.truth["toolErrors"] += 1
            self.truth["toolCalls"] += 1
        again = dict(attempt=2, retryOf=failed) if failed else {}
        self.step(f"tool:{tool}", r.randrange(5, 900), parent=parent, tool=dict(name=tool), **again)
        self.truth["toolCalls"] += 1

    def end(self, outcome):
        self.truth["outcome"] = outcome
        self.write("session.end", outcome=outcome, endTime=str(self.now))


def outcome(r):
    return r.choices(["success", "failure", "timeout", "cancelled"], [93, 4, 1, 2])[0]


def forest(r, sid, priority, most, start):
    """(lines, truth by session id) of one root session with up to `most` - 1 sessions below it."""
    lines, truth = [], {}

    def run(sid, agent, start, left, **above):
        session = Session(lines, sid, agent, priority, start, **above)
        truth[sid] = session.truth
        for _ in range(r.randrange(1, 4)):
            session.think(r)
            session.use(r)
        while left > 0 and r.random() < 0.6:
            below = r.randrange(1, left + 1)
            left -= below
            # The spawn step is open while its child works, so it is started and ended by lines of its own.
            step, child = f"st_{session.truth['steps']}", f"{sid}.{len(session.truth['children'])}"
            agent = r.choice(AGENTS)
            session.truth["steps"] += 1
            session.truth["children"].append(child)
            session.write("step.start", stepId=step, stepAction=f"agent:{agent}", startTime=str(session.now))
            above = dict(parent=sid, step=step, root=session.truth["root"])
            session.now = run(child, agent, session.now + 40 * MILLISECOND, below - 1, **above)
            session.now += 10 * MILLISECOND
            session.write("step.end", stepId=step, stepOutcome="success", endTime=str(session.now))
        session.think(r)
        session.end(outcome(r))
        return session.now

    run(sid, r.choice(AGENTS), start, most - 1)
    return lines, truth


def corpus(sessions, seed, start):
    """Forests until there are exactly this many sessions; the priorities take turns."""
    r, left, n = random.Random(seed), sessions, 0
    while left:
        sid = f"ses_{seed}_{n}"
        lines, truth = forest(r, sid, PRIORITIES[n % 5], min(left, r.randrange(1, 5)), start + n * 200 * MILLISECOND)
        left -= len(truth)
        n += 1
        yield lines, truth


def long_session(steps, seed, start):
    """One session of this many steps, in groups of a plan and up to 99 steps below it."""
    r, lines = random.Random(seed), []
    session = Session(lines, f"ses_long_{seed}", "marathon", "normal", start, unit=MILLISECOND // 50)
    while session.truth["steps"] < steps:
        plan = session.step("plan:next", 20)
        while session.truth["steps"] % 100 and session.truth["steps"] < steps:
            if r.random() < 0.3:
                session.think(r, parent=plan)
            elif steps - session.truth["steps"] > 1:
                session.use(r, parent=plan)
            else:
                session.think(r, parent=plan)
    session.end("success")
    return lines, {session.sid: session.truth}


def write(options):
    start = options.start or time.time_ns() - 3_600_000_000_000
    if options.steps:
        forests = [long_session(options.steps, options.seed, start)]
    else:
        forests = corpus(options.sessions, options.seed, start)
    truth = {}
    with open(f"{options.out}.ndjson", "w") as f:
        for lines, sessions in forests:
            truth |= sessions
            f.writelines(line + "\n" for line in lines)
    with open(f"{options.out}.truth.json", "w") as f:
        json.dump(truth, f)
    roots = sum(t["parent"] is None for t in truth.values())
    steps = sum(t["steps"] for t in truth.values())
    print(f"{len(truth)} sessions of {roots} orchestrations, {steps} steps, {usd(truth.values()):.6f} USD")


def usd(sessions):
    return sum(t["microUsd"] for t in sessions) / 1e6


def batches(path):
    """The lines as bodies of a few MiB."""
    held, size = [], 0
    with open(path, "rb") as f:
        for line in f:
            if size + len(line) > BODY:
                yield b"".join(held)
                held, size = [], 0
            held.append(line)
            size += len(line)
    if held:
        yield b"".join(held)


def send(options):
    http, accepted, began = Http(options.url), 0, time.time()
    for body in batches(f"{options.into}.ndjson"):
        headers = {"Content-Type": "application/x-ndjson"}
        status, answer = http("/api/worktrace/v1/batch", "POST", body, headers)
        if status != 200:
            raise SystemExit(f"a batch was answered {status}: {answer[:400]!r}")
        answer = json.loads(answer)
        bad = [x for x in answer["results"] if x["status"] >= 300]
        if answer["rejected"] or bad:
            raise SystemExit(f"{answer['rejected']} lines were refused, the first: {bad[:1]}")
        accepted += answer["accepted"]
    print(f"{accepted} lines accepted in {time.time() - began:.1f} s")


def read_back(http, ids):
    """The records of these sessions by id, from the list of all."""
    records, cursor = {}, ""
    while cursor is not None:
        more = f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""
        status, answer = http(f"/api/worktrace/v1/sessions?limit=1000{more}")
        if status != 200:
            raise SystemExit(f"sessions were answered {status}: {answer[:400]!r}")
        page = json.loads(answer)
        records |= {s["sessionId"]: s for s in page["sessions"] if s["sessionId"] in ids}
        cursor = page["next"]
    return records


def differences(truth, records):
    """What is told otherwise than it was, session by session."""
    for sid, t in truth.items():
        if sid not in records:
            yield f"{sid} is missing"
            continue
        s = records[sid]
        told = {"outcome": s["outcome"], "priority": s["taskPriority"], "parent": s["parentSessionId"]}
        told |= {key: s["totals"][key] for key in COUNTS} | {"microUsd": round((s["totals"]["usd"] or 0) * 1e6)}
        for key, value in told.items():
            if value != t[key]:
                yield f"{sid}: {key} is {value!r}, was {t[key]!r}"


def binomial_bounds(n, p, share=0.999):
    """The counts between which a binomial variable stays with at least this probability."""
    if p in (0, 1):
        return int(n * p), int(n * p)
    tail, low, high, below = (1 - share) / 2, 0, n, 0.0
    for k in range(n + 1):
        log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        mass = math.exp(log + k * math.log(p) + (n - k) * math.log1p(-p))
        if below + mass < tail:
            low = k + 1
        if below + mass >= 1 - tail:
            high = k
            break
        below += mass
    return low, high


def sampling(truth, records, rates):
    """What a policy of these rates must not do; prints the kept share of each priority."""
    forests = {}
    for sid, t in truth.items():
        forests.setdefault(t["root"], []).append(sid)
    kept = {sid for sid, s in records.items() if s["trace"]["sampled"]}
    for sids in forests.values():
        if 0 < sum(sid in kept for sid in sids) < len(sids):
            yield f"the orchestration of {sids[0]} was kept in part"
    for sid, t in truth.items():
        if t["outcome"] in ("failure", "timeout") and sid not in kept:
            yield f"{sid} ended with {t['outcome']} and was dropped"
    for priority in PRIORITIES:
        roots = [
            root
            for root, sids in forests.items()
            if truth[root]["priority"] == priority
            and all(truth[sid]["outcome"] == "success" and not truth[sid]["toolErrors"] for sid in sids)
        ]
        n, low, high = sum(root in kept for root in roots), *binomial_bounds(len(roots), rates.get(priority, 1.0))
        print(f"{priority:>10}: kept {n} of {len(roots)} without failures, {low}…{high} expected")
        if not low <= n <= high:
            yield f"{priority}: {n} kept, {low}…{high} expected"


def check(options):
    with open(f"{options.into}.truth.json") as f:
        truth = json.load(f)
    records = read_back(Http(options.url), truth.keys())
    found = list(differences(truth, records))
    told = sum(s["totals"]["usd"] or 0 for s in records.values())
    if round(told * 100) != round(usd(truth.values()) * 100):
        found.append(f"{told:.6f} USD in all, was {usd(truth.values()):.6f}")
    if options.rate:
        found += sampling(truth, records, {p: float(x) for p, x in (rate.split("=") for rate in options.rate)})
    print(f"{len(records)} of {len(truth)} sessions read, {len(found)} differences")
    if found:
        raise SystemExit("\n".join(found[:20]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("write")
    command.add_argument("--sessions", type=int, default=10_000)
    command.add_argument("--steps", type=int, help="one session of this many steps instead")
    command.add_argument("--seed", type=int, default=17)
    command.add_argument("--start", type=int, help="Unix nanoseconds of the first session; an hour ago unless given")
    command.add_argument("--out", required=True)
    command.set_defaults(run=write)
    for name, run in (("send", send), ("check", check)):
        command = commands.add_parser(name)
        command.add_argument("--in", dest="into", required=True)
        command.add_argument("--url", required=True)
        command.set_defaults(run=run)
    command.add_argument("--rate", action="append", default=[], metavar="PRIORITY=RATE")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
