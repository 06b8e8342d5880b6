# SPDX-License-Identifier: Apache-2.0
"""Made-up work of agents for the tests of the page: what is hard to bring about with real agents, such as gaps, loops,
hostile names, hundreds of sessions."""

from agent_sessions import Session, Work

HOSTILE = "<img src=x onerror=\"document.title='owned'\"> \u202eשלום " + "agent" * 60


def trip(start, name="trip", searches=2):
    """A trip is planned: two researchers at once, retries, a loop, a person who is waited for, a handoff with a gap, and
    a session in the background. `searches`: how often the first researcher tries."""
    work = Work(name, start, key=f"{name}-key", task=f"{name}-task", priority="high")
    plan = Session(work, "planner", 0, 470, title="Find me a cheaper flight to Oslo")
    asked = [("system", "You plan trips."), ("user", "Find me a cheaper flight to Oslo in May.")]
    said = "I will ask two researchers at once.\n\n- fares\n- trains\n- dates\n- hotels"
    plan.llm(0.3, 3.9, 2400, 210, 1800, text=said, asked=asked)
    one = plan.ask("researcher", 4.3, 57.7)
    two = plan.ask("researcher", 4.4, 43, before=0.9)
    one.llm(4.8, 3.1, text="Let me search.")
    search = '{"q":"LIS-OSL may","max":20}'
    if searches > 1:
        one.tool("web.search", 8, 9.2, "failure", "429", args=search)
    one.tool("web.search", 8.1, 4, result='{"fares":[129,140]}', args='{"q":"LIS-OSL train"}')
    one.tool("web.search", 21.2, 8.4, result='{"fares":[99]}', args=search)
    one.llm(29.9, 6, 5200, 420, 3000, text="The cheapest is 99 €.")
    one.llm(54, 7, 6100, 200, 5000, text="I found three fares.")
    two.llm(5.4, 2.2)
    for i in range(4):
        two.tool("grep", 8 + i * 4, 3.6, args='{"pattern":"OSL"}', result="no match")
    two.llm(25, 20)
    plan.llm(62.4, 4)
    plan.wait("human", 66.6, 390)
    asked.append(("assistant", said))
    plan.llm(457, 5, 8000, 90, 6000, text="The booker takes over.", asked=[*asked, ("user", "Yes, book it.")])
    book = plan.hand_over("booker", 466, 2.4, 41, service="booking")
    book.llm(469, 3, text="Holding the seat.")
    book.tool("flights.hold", 472.3, 6.6, "timeout", "timeout", args='{"flight":"XY 12"}')
    book.tool("flights.hold", 480, 2, args='{"flight":"XY 12"}', result='{"held":true}')
    book.llm(507, 2, text="Booked: " + "a long confirmation. " * 40)
    index = Session(work, "indexer", 63, 560, plan)
    index.tool("index.write", 63.5, 480, result="ok")
    plan.tool("start_indexer", 62.9, 0.02, child=index)
    return work


def hostile(start):
    work = Work("hostile", start, key=HOSTILE, task=HOSTILE[:100])
    root = Session(work, HOSTILE, 0, 60, title=HOSTILE, service=HOSTILE)
    root.llm(1, 5, text=HOSTILE * 20, asked=[("user", HOSTILE)])
    for i in range(6):
        root.tool(HOSTILE + str(i), 7 + i / 10, 20, "failure", HOSTILE, args=HOSTILE, result=HOSTILE)
    root.ask(HOSTILE, 30, 20)
    return work


def crowd(start, size=300):
    """One agent that asks hundreds of others."""
    work = Work("crowd", start, key="crowd", priority="background")
    root = Session(work, "dispatcher", 0, size * 2 + 40, title=f"{size} at once")
    root.llm(0.2, 3)
    for i in range(size - 1):
        outcome = "failure" if i % 50 == 7 else "success"
        worker = root.ask(f"worker-{i % 7}", 4 + i * 2, 20 + i % 9, outcome=outcome)
        worker.llm(5 + i * 2, 4, usd=None)
        worker.tool("fetch", 9.5 + i * 2, 6, outcome)
    return work


def long(start, steps):
    """One session of very many steps."""
    work = Work("long", start, key="long")
    session = Session(work, "digger", 0, steps * 0.1 + 1, title=f"{steps} steps")
    for i in range(steps):
        if i % 3:
            session.tool(f"dig_{i % 5}", i * 0.1, 0.09)
        else:
            session.llm(i * 0.1, 0.09, given=1000 + i)
    return work
