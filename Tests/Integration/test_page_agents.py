# SPDX-License-Identifier: Apache-2.0
"""The agents' pages in a real browser, over work that the server was told of."""

import json
import re
from types import SimpleNamespace
from urllib.parse import quote

import orchestrations
import otlp
import pytest
from agent_sessions import MINUTE
from page import assert_accessible, calm, shot
from playwright.sync_api import expect
from server import eventually, request

WORK = "/api/worktrace/v1"
SERVER_ARGUMENTS = ("--worktrace-content", "keep")


def tell(server, path, **body):
    answer = request(server.web, "POST", f"{WORK}/{path}", json.dumps(body), {"Content-Type": "application/json"})
    assert answer.status in (200, 201), answer
    return answer.json


@pytest.fixture(scope="module")
def works(server):
    """All of it ended within the last hour."""
    now = otlp.now()
    works = SimpleNamespace(
        trip=orchestrations.trip(now - 40 * MINUTE),
        short=orchestrations.trip(now - 30 * MINUTE, "short trip", searches=1),
        hostile=orchestrations.hostile(now - 5 * MINUTE),
        crowd=orchestrations.crowd(now - 20 * MINUTE),
    )
    for work in vars(works).values():
        work.send(server)
    return works


@pytest.fixture(scope="module")
def live(server):
    """An agent that is at work, and told what it does."""
    tell(server, "sessions", sessionId="live", agentName="lead", title="Fix the flaky test", taskPriority="high")
    plan = dict(stepAction="llm:plan", stepOutcome="success", usage=dict(inputTokens=2200, outputTokens=120, usd=0.02))
    tell(server, "sessions/live/steps", stepId="plan", llm=dict(model="made-up-4"), **plan)
    tell(server, "sessions/live/steps", stepId="grep", stepAction="tool:grep", tool=dict(name="grep"))
    return "live"


def session_path(session, **state):
    parts = "&".join(f"{k}={v}" for k, v in state.items())
    return f"/agents/session/{quote(session if isinstance(session, str) else session.id, safe='')}?{parts}"


def lane(page, name):
    return page.get_by_role("row", name=re.compile(f"^{name}, "))


def lanes(page):
    return page.get_by_role("treegrid", name=re.compile("^Sessions of the orchestration"))


def rows(page):
    return page.locator(".session-grid .rows > .result-row:not([hidden])")


def details(page):
    return page.get_by_role("complementary", name="Span")


def test_a_trace_shows_what_still_runs(open_page, server, live):
    trace = request(server.web, "GET", f"{WORK}/sessions/{live}").json["trace"]["traceId"]
    with open_page(f"/trace/{trace}") as rig:
        page = rig.page
        row = page.get_by_role("row", name=re.compile("execute_tool grep.*still running"))
        expect(row).to_contain_text("still running")
        expect(page.get_by_text("spans are still running")).to_be_visible()
        expect(page.get_by_role("link", name="Agents").last).to_have_attribute("href", re.compile("/agents/session/live"))
        row.click()
        expect(details(page)).to_contain_text("so far, still running")
        expect(details(page)).to_contain_text("worktrace.open")
        assert_accessible(rig)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sessions_and_how_their_tools_do(open_page, works, live, theme):
    with open_page("/agents", theme) as rig:
        page = rig.page
        expect(rows(page).first).to_contain_text("running")
        expect(rows(page).first).to_contain_text("Fix the flaky test")
        tools = page.get_by_role("table", name="Calls by tool")
        expect(tools.get_by_role("row").nth(1)).to_contain_text("fetch")
        shot(rig, f"agents-{theme}", calm)
        assert_accessible(rig, calm)
        assert page.locator("*").count() < 2500, "rows are recycled"

        page.get_by_role("combobox", name="Any outcome").select_option("failure")
        expect(page).to_have_url(re.compile("outcome=failure"))
        expect(page.locator(".agents-facts")).to_contain_text("6 sessions")
        page.get_by_role("button", name="Clear").click()
        page.keyboard.press("/")
        page.keyboard.type("FLAKY")
        expect(page.locator(".agents-facts")).to_contain_text("1 session")
        expect(rows(page).first).to_contain_text("lead")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/agents/session/live"))
        expect(lane(page, "lead")).to_be_visible()
        page.go_back()
        expect(rows(page).first).to_contain_text("lead")
        page.get_by_role("searchbox", name="Search sessions").fill('{ name = "execute_tool flights.hold" }')
        expect(rows(page).first).to_contain_text("booker")


def test_conditions_are_the_address_and_more_comes_as_it_is_reached(open_page, works):
    with open_page("/agents") as rig:
        page = rig.page
        page.get_by_role("button", name="Roots").click()
        expect(page).to_have_url(re.compile("roots=1"))
        expect(page.locator(".rows .is-asked:not([hidden])")).to_have_count(0)
        expect(rows(page).filter(has_text="short trip").locator(".cell-agents")).to_have_text(re.compile("[2-9]"))
        page.get_by_role("button", name="Clear").click()
        expect(page.locator(".rows .is-asked:not([hidden])").first).to_be_visible()
    with open_page("/agents?agent=worker-3&priority=&cost=0&group=1&sort=duration") as rig:
        page = rig.page
        group = rows(page).first
        expect(group).to_contain_text("crowd")
        expect(group).to_have_attribute("aria-expanded", "true")
        group.click()
        expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "2")
        assert_accessible(rig, calm)
        page.goto(page.url.split("?")[0])
        grid = page.get_by_role("grid", name="Sessions")
        grid.focus()
        eventually(lambda: page.keyboard.press("End") or grid.get_attribute("aria-rowcount") not in (None, "-1"))
        assert int(grid.get_attribute("aria-rowcount")) > 300

        # What is sorted by is sorted among all of them, and whoever comes back finds the place again.
        page.goto(page.url.split("?")[0] + "?sort=-duration&sums=off")
        expect(rows(page).first).to_contain_text("dispatcher")
        expect(page.locator(".agents-facts")).not_to_contain_text("more to come")
        assert int(grid.get_attribute("aria-rowcount")) > 300
        grid.focus()
        page.keyboard.press("End")
        page.keyboard.press("k")
        chosen = page.locator('.result-row[aria-selected="true"]:not([hidden])')
        before = chosen.get_attribute("aria-rowindex"), grid.evaluate("e => e.scrollTop")
        page.keyboard.press("Enter")
        expect(lanes(page)).to_be_visible()
        page.go_back()
        expect(chosen).to_be_visible()
        assert (chosen.get_attribute("aria-rowindex"), grid.evaluate("e => e.scrollTop")) == before


def test_a_server_that_is_gone_or_slow(open_page, server, works):
    with open_page("/explore", complaints_allowed=True) as rig:
        page, stream = rig.page, "**/worktrace/v1/stream"
        page.route(stream, lambda route: route.fulfill(content_type="text/event-stream", body=": over\n\n"))
        page.goto(server.web + "/agents?sums=off")
        expect(rows(page).first).to_be_visible()
        page.unroute(stream)
        page.route(stream, lambda route: route.abort())
        expect(page.get_by_text("Skein does not answer.")).to_be_visible()
        page.unroute(stream)
        expect(page.get_by_text("Skein does not answer.")).to_be_hidden()
        page.route("**/worktrace/v1/sessions?*", lambda _: None)
        page.get_by_role("button", name="Read again").click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
        expect(rows(page).first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_session_on_lanes(open_page, works, theme):
    planner, one = works.trip.sessions[:2]
    with open_page(session_path(planner), theme) as rig:
        page = rig.page
        expect(lanes(page)).to_have_attribute("aria-rowcount", "5")
        expect(lane(page, "booker")).to_have_attribute("aria-level", "2")
        expect(page.locator(".lane-break").first).to_contain_text("6 m")
        expect(page.get_by_role("navigation", name="Orchestration path")).to_contain_text("waiting for people")
        expect(page.get_by_role("heading", name="Find me a cheaper flight")).to_be_visible()
        shot(rig, f"session-{theme}")
        assert_accessible(rig)

        # A step that is chosen on the lanes is chosen in the conversation, and its details say what it did.
        lanes(page).focus()
        page.keyboard.press("j")
        expect(lane(page, "researcher").first).to_have_attribute("aria-selected", "true")
        failed = next(a for a in one.activities if a.get("error") == "429")
        page.keyboard.press("e")
        expect(page).to_have_url(re.compile(f"span={failed['span']}"))
        expect(details(page)).to_contain_text("1 of 2")
        expect(details(page)).to_contain_text("gen_ai.tool.name")
        expect(page.locator(".turn.chosen").first).to_contain_text("LIS-OSL may")
        # And the other way round.
        page.locator(".turn").filter(has_text="LIS-OSL train").locator(".turn-head").click()
        expect(page).not_to_have_url(re.compile(failed["span"]))
        expect(details(page)).to_contain_text('"q": "LIS-OSL train"')
        assert_accessible(rig)

        page.reload()
        expect(details(page)).to_contain_text('"q": "LIS-OSL train"')
        page.get_by_role("link", name="Waterfall").click()
        expect(page.get_by_role("treegrid")).to_be_visible()
        page.locator(".agents-way").click()
        expect(lane(page, "planner")).to_be_visible()


def test_lanes_collapse_zoom_and_are_kept_in_the_address(open_page, works):
    with open_page(session_path(works.trip.sessions[0])) as rig:
        page = rig.page
        expect(lanes(page)).to_have_attribute("aria-rowcount", "5")
        lanes(page).focus()
        page.keyboard.press("c")
        expect(lanes(page)).to_have_attribute("aria-rowcount", "1")
        page.keyboard.press("+")
        expect(page).to_have_url(re.compile("z=0.25-0.75"))
        page.reload()
        expect(lanes(page)).to_have_attribute("aria-rowcount", "1")
        page.keyboard.press("*")
        page.keyboard.press("0")
        expect(page).not_to_have_url(re.compile("z="))
        expect(lanes(page)).to_have_attribute("aria-rowcount", "5")


def test_what_stands_below_the_lanes(open_page, works):
    with open_page(session_path(works.trip.sessions[0])) as rig:
        page = rig.page
        tools = page.get_by_role("table", name="Tools")
        expect(tools.get_by_role("row").nth(1)).to_contain_text("index.write")
        tools.get_by_role("button", name="The longest call of web.search").click()
        expect(page.locator(".turn.chosen").first).to_be_visible()
        heat = page.get_by_role("region", name="Latency by time")
        expect(heat).to_contain_text("10 calls")
        heat.get_by_role("combobox", name="Tool").select_option("grep")
        expect(heat).to_contain_text("4 calls")
        heat.get_by_text("As a table").click()
        heat.get_by_role("button", name=re.compile("grep")).click()
        expect(details(page)).to_contain_text("pattern")
        assert_accessible(rig)
        page.keyboard.press("2")
        expect(page.locator(".bottleneck").first).to_contain_text(re.compile("7[67]"))
        page.locator(".bottleneck-text").first.click()
        expect(details(page)).to_contain_text("waits for a person")
        page.keyboard.press("3")
        planner = page.get_by_role("table", name="Time of each session").get_by_role("row").nth(1)
        expect(planner.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"People 83\s%"))
        page.keyboard.press("4")
        page.get_by_role("button", name="By model").click()
        spent = page.get_by_role("table", name="Tokens and cost").get_by_role("row").nth(1)
        expect(spent).to_contain_text("made-up-4")
        expect(spent).to_contain_text("$0.12")
        page.keyboard.press("5")
        calls = page.get_by_role("table", name="Model calls and their context")
        expect(calls.get_by_role("row")).to_have_count(4)
        calls.get_by_role("button", name=re.compile(r"^3\. ")).click()
        expect(details(page)).to_contain_text("8,000 in")
        expect(page.locator(".context-bar.chosen")).to_have_count(1)
        assert_accessible(rig)
        page.keyboard.press("6")
        expect(page.get_by_role("table", name="Who works with whom")).to_contain_text("hands over to")
        assert_accessible(rig)
        page.keyboard.press("7")
        steps = page.get_by_role("grid", name="Steps by time")
        expect(steps.get_by_role("row", name=re.compile("web.search.*failure"))).to_be_visible()
        expect(page).to_have_url(re.compile("view=steps"))
        assert_accessible(rig)


def test_two_sessions_are_marked_and_compared(open_page, server, works):
    asked = f"{WORK}/sessions/{quote(works.trip.sessions[0].id)}/compare/{quote(works.short.sessions[0].id)}"
    if server.get(asked).status == 404:
        pytest.skip("the server compares no orchestrations yet")
    with open_page("/agents?agent=planner") as rig:
        page = rig.page
        expect(rows(page)).to_have_count(2)
        page.get_by_role("button", name="Mark to compare").nth(1).click()
        page.get_by_role("button", name="Mark to compare").first.click()
        page.get_by_role("link", name="Compare A with B").click()
        expect(page).to_have_url(re.compile("/agents/compare/"))
        expect(page.locator(".pair-sentence")).to_contain_text("common steps")
        grid = page.get_by_role("grid", name="Steps of both")
        expect(grid.get_by_role("row", name=re.compile("only in A"))).to_be_visible()
        assert_accessible(rig)
        page.keyboard.press("f")
        expect(page).to_have_url(re.compile("only=1"))
        page.keyboard.press("3")
        expect(page.get_by_role("table", name="Tools")).to_contain_text("web.search")
        assert_accessible(rig)
        page.keyboard.press("1")
        page.keyboard.press("Home")
        page.keyboard.press("a")
        expect(lane(page, "planner")).to_be_visible()


def test_hostile_names_are_text(open_page, works):
    for path in ["/agents?q=img", session_path(works.hostile.sessions[0], view="steps")]:
        with open_page(path) as rig:
            expect(rig.page.get_by_text("<img src=x").first).to_be_visible()
            assert_accessible(rig, calm)
            assert not rig.page.title().startswith("owned")
            assert rig.page.locator("img").count() == 0


def test_what_was_not_recorded_says_how_it_would_be(open_page, works):
    with open_page(session_path(works.crowd.sessions[1])) as rig:
        expect(rig.page.get_by_text("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true")).to_be_visible()
        assert_accessible(rig)


def test_hundreds_of_sessions_and_steps_without_number(open_page, server, works):
    with open_page("/explore") as rig:
        page, read = rig.page, []
        page.on("request", lambda r: read.append(r.url) if re.search(r"/sessions/[^/]*$", r.url) else None)
        page.goto(server.web + session_path(works.crowd.sessions[0]))
        expect(lanes(page)).to_have_attribute("aria-rowcount", "300")
        lanes(page).focus()
        page.keyboard.press("End")
        expect(page.locator('.lane[aria-selected="true"]:not([hidden])')).to_contain_text("worker-")
        page.wait_for_load_state("networkidle", timeout=60_000)
        calm(rig)
        assert page.locator("*").count() < 1700
        assert len(set(read)) < 60, "only lanes that were seen ask for their steps"
    long = orchestrations.long(otlp.now() - 59 * MINUTE, 900).send(server)
    with open_page(session_path(long.sessions[0], view="steps")) as rig:
        page = rig.page
        expect(page.get_by_role("grid", name="Steps by time")).to_have_attribute("aria-rowcount", "901")
        page.keyboard.press("5")
        expect(page.locator(".context-bar")).to_have_count(150)
        assert page.locator("*").count() < 2600


@pytest.mark.parametrize("width", [390, 1024])
def test_narrow_windows(open_page, works, width):
    for path in ["/agents", session_path(works.trip.sessions[0], view="conversation")]:
        with open_page(path, width=width, height=844) as rig:
            page = rig.page
            expect(page.locator(".result-row, .turn").first).to_be_attached()
            calm(rig)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            shot(rig, f"agents-{'list' if path == '/agents' else 'session'}-{width}", calm)
            assert_accessible(rig, calm)


def test_a_session_that_nobody_knows(open_page, works):
    with open_page("/agents/session/nobody", complaints_allowed=True) as rig:
        expect(rig.page.get_by_role("heading", name="No such session is stored")).to_be_visible()
        assert_accessible(rig)
        rig.page.get_by_role("button", name="All sessions").click()
        expect(rows(rig.page).first).to_be_visible()


def test_what_was_said_in_a_trace(open_page, works):
    with open_page(f"/trace/{works.trip.trace}?view=conversation") as rig:
        page = rig.page
        expect(page.get_by_role("tab", name="Conversation")).to_have_attribute("aria-selected", "true")
        expect(page.get_by_text("You plan trips.")).to_be_visible()
        page.locator(".turn-head").nth(3).click()
        expect(page).to_have_url(re.compile("span="))
        expect(page.locator(".turn.chosen").first).to_be_visible()
        assert_accessible(rig)
        page.get_by_role("combobox", name="Session").select_option(label="booker")
        expect(page.get_by_text("Holding the seat.")).to_be_visible()


def test_who_looks_at_work_sees_it_go_on(open_page, server, live):
    """The list and a session hear of a new session, of what it does, and of its end."""
    with open_page("/agents?q=&sums=off") as rig:
        page = rig.page
        expect(rows(page).first).to_be_visible()
        page.get_by_role("grid").focus()
        tell(server, "sessions", sessionId="fresh", agentName="newcomer", title="Just begun")
        expect(rows(page).first).to_contain_text("Just begun")
        expect(page.get_by_role("grid")).to_be_focused()
    with open_page(session_path(live)) as rig:
        page = rig.page
        expect(lane(page, "lead")).to_contain_text("1 tool")
        length = page.locator(".session-head strong")
        before = length.text_content()
        eventually(lambda: length.text_content() != before)
        # Nobody who reads is disturbed: what is chosen and what has focus stay.
        lanes(page).focus()
        page.keyboard.press("l")
        expect(details(page)).to_contain_text("made-up-4")
        shown = page.get_by_role("button", name="The longest call of grep")
        shown.focus()
        said = dict(kind="tool", name="read")
        tell(server, "sessions/live/steps", stepId="read", stepAction="tool:read", tool=said, stepOutcome="failure")
        expect(lane(page, "lead")).to_contain_text("2 tools")
        expect(shown).to_be_focused()
        expect(details(page)).to_contain_text("made-up-4")
        # From a message to the step that sent it, and back.
        sent = {"from": "agent:lead", "to": ["user:ann"], "text": "It was the clock.", "threadId": "flaky"}
        tell(server, "messages", messageId="found", sessionId="live", stepId="read", **sent)
        tell(server, "sessions/live/steps", stepId="grep-2", stepAction="tool:grep", stepOutcome="success", tool=said)
        page.keyboard.press("7")
        page.get_by_role("row", name=re.compile("message.*It was the clock")).click()
        expect(page).to_have_url(re.compile("span="))
        expect(page.locator(".turn.chosen")).to_contain_text("to user:ann")
        details(page).get_by_role("button", name="to user:ann It was the clock.").click()
        expect(details(page)).to_contain_text("read")
        tell(server, "sessions/live/end", outcome="success")
        expect(page.locator(".session-head .standing")).to_contain_text("ok")
        page.keyboard.press("e")
        expect(details(page)).to_contain_text("read")
        expect(page).to_have_url(re.compile("span="))
