# SPDX-License-Identifier: Apache-2.0
"""The agents' pages in a real browser, over made-up answers about work whose spans are stored."""

import json
import re
from collections import defaultdict
from contextlib import contextmanager
from urllib.parse import quote

import orchestrations
import otlp
import pytest
from page import assert_accessible, settle, shot
from playwright.sync_api import expect
from server import eventually


@pytest.fixture(scope="module")
def answers(server):
    """Made-up work; the spans of its smaller parts are stored, too."""
    answers = orchestrations.made_up()
    for work in answers.works[:3]:
        by_service = defaultdict(list)
        for session in work.sessions:
            by_service[session.service].extend(session.otlp())
        for service, spans in by_service.items():
            assert server.post(otlp.export(*spans, service=service)).status == 200
    return answers


@pytest.fixture
def agents(open_page, answers):
    """with agents("/agents…") as rig: the page, its questions about agents answered here."""

    @contextmanager
    def opened(path, *more, **how):
        answers.asked.clear()
        answers.content, answers.events = "kept", ""
        with open_page("/explore", *more, **how) as rig:
            orchestrations.index(rig.page.context)
            answers.install(rig.page.context)
            rig.page.goto(rig.page.url.split("/explore")[0] + path, wait_until="load")
            yield rig

    return opened


def session_path(session, **state):
    return f"/agents/session/{quote(session.id, safe='')}" + "".join(
        f"{'&' if i else '?'}{k}={v}" for i, (k, v) in enumerate(state.items())
    )


def asked(answers, path, **query):
    return [q for p, q in answers.asked if p == path and query.items() <= q.items()]


def lane(page, name):
    return page.get_by_role("row", name=re.compile(f"^{name}, "))


def rows(page):
    return page.locator(".session-grid .rows > .result-row:not([hidden])")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sessions_and_how_their_tools_do(agents, answers, theme):
    with agents("/agents", theme) as rig:
        page = rig.page
        expect(rows(page).first).to_contain_text("Fix the flaky upload test")
        expect(rows(page).first).to_contain_text("running")
        tools = page.get_by_role("table", name="Calls by tool")
        expect(tools.get_by_role("row").nth(1)).to_contain_text("fetch")
        shot(rig, f"agents-{theme}")
        assert_accessible(rig)
        assert page.locator("*").count() < 1500, "rows are recycled"

        page.get_by_role("combobox", name="Any outcome").select_option("failure")
        expect(page).to_have_url(re.compile("outcome=failure"))
        expect(page.locator(".agents-facts")).to_contain_text("6 sessions")
        page.get_by_role("button", name="Clear").click()
        page.keyboard.press("/")
        page.keyboard.type("flight")
        expect(page.locator(".agents-facts")).to_contain_text("1 session")
        expect(page).to_have_url(re.compile("q=flight"))
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/agents/session/"))
        expect(lane(page, "planner")).to_be_visible()
        page.go_back()
        expect(rows(page).first).to_contain_text("cheaper flight")


def test_conditions_are_the_address_and_more_comes_as_it_is_reached(agents, answers):
    with agents("/agents?agent=worker-3&priority=background&cost=0&group=1&sort=duration") as rig:
        page = rig.page
        expect(page.get_by_role("treegrid")).to_be_visible()
        assert asked(answers, "sessions", agent="worker-3", priority="background")
        group = rows(page).first
        expect(group).to_contain_text("crowd")
        expect(group).to_have_attribute("aria-expanded", "true")
        group.click()
        expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "2")
        assert_accessible(rig)
        page.goto(page.url.split("?")[0])
        grid = page.get_by_role("grid", name="Sessions")
        grid.focus()
        for _ in range(4):
            page.keyboard.press("End")
            settle(rig)
        expect(grid).to_have_attribute("aria-rowcount", "310")
        page.keyboard.press("x")
        expect(page.get_by_role("button", name="Marked A").first).to_be_visible()


def test_news_reach_who_looks_at_the_newest_and_disturb_nobody_else(agents, answers):
    with agents("/agents?q=&sums=off") as rig:
        page = rig.page
        expect(rows(page).first).to_contain_text("running")
        work = orchestrations.Work("news", otlp.now(), key="news")
        fresh = orchestrations.Session(work, "newcomer", 0, None, title="Just begun")
        answers.works.append(work)
        event = {"traceId": work.trace, "spanId": fresh.span, "sessionId": fresh.id, "name": "invoke_agent newcomer"}
        page.keyboard.press("Home")
        answers.events = f"event: span.start\ndata: {json.dumps(event)}\n\n"
        expect(rows(page).first).to_contain_text("Just begun", timeout=20_000)
        expect(page.get_by_role("grid")).to_be_focused()
        expect(page.locator('.result-row[aria-selected="true"]')).to_contain_text("Fix the flaky upload test")
        answers.works.pop()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_session_on_lanes(agents, answers, theme):
    trip = answers.works[0]
    planner, one = trip.sessions[0], trip.sessions[1]
    with agents(session_path(planner), theme) as rig:
        page = rig.page
        lanes = page.get_by_role("treegrid", name=re.compile("^Sessions of the orchestration"))
        expect(lanes).to_have_attribute("aria-rowcount", "6")
        expect(lane(page, "booker")).to_have_attribute("aria-level", "2")
        expect(page.locator(".lane-break")).to_contain_text("6 m")
        expect(page.get_by_role("navigation", name="Orchestration path")).to_contain_text("waiting for people")
        shot(rig, f"session-{theme}")
        assert_accessible(rig)

        # A step that is chosen on the lanes is chosen in the conversation, and its details say what it did.
        lanes.focus()
        page.keyboard.press("j")
        page.keyboard.press("l")
        page.keyboard.press("l")
        failed = next(a for a in one.activities if a["error"] == "429")
        expect(page).to_have_url(re.compile(f"span={failed['span']}"))
        details = page.get_by_role("complementary", name="Span")
        expect(details).to_contain_text("1 of 2")
        expect(details).to_contain_text("gen_ai.tool.name")
        expect(page.locator(".turn.chosen")).to_have_count(2)
        # And the other way round.
        page.locator(".turn").filter(has_text="LIS-OSL train").locator(".turn-head").click()
        expect(page).not_to_have_url(re.compile(failed["span"]))
        expect(details).to_contain_text('"q": "LIS-OSL train"')
        page.keyboard.press("e")
        page.keyboard.press("c")
        settle(rig)
        assert_accessible(rig)

        page.reload()
        expect(page.locator('.lane[aria-selected="true"]')).to_be_visible()
        page.get_by_role("link", name="Waterfall").click()
        expect(page.get_by_role("treegrid")).to_be_visible()
        page.locator(".agents-way").click()
        expect(lane(page, "planner")).to_be_visible()


def test_lanes_collapse_zoom_and_are_kept_in_the_address(agents, answers):
    with agents(session_path(answers.works[0].sessions[0])) as rig:
        page = rig.page
        lanes = page.get_by_role("treegrid", name=re.compile("^Sessions"))
        expect(lanes).to_have_attribute("aria-rowcount", "6")
        lanes.focus()
        page.keyboard.press("c")
        expect(lanes).to_have_attribute("aria-rowcount", "2")
        page.keyboard.press("+")
        expect(page).to_have_url(re.compile("z=0.25-0.75"))
        page.reload()
        expect(lanes).to_have_attribute("aria-rowcount", "2")
        page.keyboard.press("*")
        page.keyboard.press("0")
        expect(page).not_to_have_url(re.compile("z="))
        expect(lanes).to_have_attribute("aria-rowcount", "6")


def test_what_stands_below_the_lanes(agents, answers):
    with agents(session_path(answers.works[0].sessions[0])) as rig:
        page = rig.page
        tools = page.get_by_role("table", name="Tools")
        expect(tools.get_by_role("row").nth(1)).to_contain_text("index.write")
        tools.get_by_role("button", name="The longest call of web.search").click()
        expect(page.locator(".turn.chosen").first).to_be_visible()
        page.keyboard.press("2")
        expect(page.locator(".bottleneck").first).to_contain_text("77")
        page.locator(".bottleneck-text").first.click()
        expect(page.get_by_role("complementary", name="Span")).to_contain_text("waits for a person")
        page.keyboard.press("3")
        planner = page.get_by_role("table", name="Time of each session").get_by_role("row").nth(1)
        expect(planner.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"People 83\s%"))
        assert_accessible(rig)
        page.keyboard.press("4")
        page.get_by_role("button", name="By model").click()
        expect(page.get_by_role("table", name="Tokens and cost").get_by_role("row").nth(1)).to_contain_text("made-up-4")
        page.keyboard.press("5")
        expect(page.get_by_role("table", name="Who works with whom")).to_contain_text("hands over to")
        assert_accessible(rig)
        page.keyboard.press("6")
        steps = page.get_by_role("grid", name="Steps by time")
        steps.focus()
        page.keyboard.press("Home")
        for _ in range(8):
            page.keyboard.press("ArrowDown")
        expect(steps.get_by_role("row", name=re.compile("web.search.*failure"))).to_be_visible()
        steps.evaluate("(e) => { e.scrollTop = 300; }")
        expect(
            steps.get_by_role("row", name=re.compile("agent:researcher → agent:planner: Three fares"))
        ).to_be_visible()
        expect(page).to_have_url(re.compile("view=steps"))
        assert_accessible(rig)
        box = page.locator(".lanes-scroller").bounding_box()
        page.mouse.click(box["x"] + 400, box["y"] + 4 * 52 - 20)
        expect(page).to_have_url(re.compile("lane="))


def test_hostile_names_are_text(agents, answers):
    for path in ["/agents?q=img", session_path(answers.works[2].sessions[0], view="steps")]:
        with agents(path) as rig:
            expect(rig.page.get_by_text("<img src=x").first).to_be_visible()
            settle(rig)
            assert "owned" not in rig.page.title() or "<img" in rig.page.title()
            assert rig.page.locator("img").count() == 0
            assert_accessible(rig)


def test_what_was_not_recorded_says_how_it_would_be(agents, answers):
    with agents(session_path(answers.works[0].sessions[0])) as rig:
        answers.content = "absent"
        rig.page.reload()
        expect(rig.page.get_by_text("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true")).to_be_visible()
        assert_accessible(rig)


def test_hundreds_of_sessions_and_steps_without_number(agents, answers):
    with agents(session_path(answers.works[3].sessions[0]), complaints_allowed=True) as rig:
        page = rig.page
        lanes = page.get_by_role("treegrid", name=re.compile("^Sessions"))
        expect(lanes).to_have_attribute("aria-rowcount", "300")
        lanes.focus()
        page.keyboard.press("End")
        expect(page.locator('.lane[aria-selected="true"]:not([hidden])')).to_contain_text("worker-4")
        settle(rig)
        assert page.locator("*").count() < 1600
        read = [path for path, _ in answers.asked if path.startswith("sessions/") and not path.endswith("conversation")]
        assert len(read) < 60, "only lanes that were seen ask for their steps"
    many = orchestrations.Answers([orchestrations.long(otlp.now() - 10**13, 12_000)])
    with agents("/agents", complaints_allowed=True) as rig:
        rig.page.context.unroute(re.compile(re.escape(orchestrations.API)))
        many.install(rig.page.context)
        rig.page.goto(rig.page.url.split("/agents")[0] + session_path(many.works[0].sessions[0], view="steps"))
        expect(rig.page.get_by_role("grid", name="Steps by time")).to_have_attribute("aria-rowcount", "12001")
        assert rig.page.locator("*").count() < 1600


@pytest.mark.parametrize("width", [390, 1024])
def test_narrow_windows(agents, answers, width):
    for path in ["/agents", session_path(answers.works[0].sessions[0], view="conversation")]:
        with agents(path, width=width, height=844) as rig:
            page = rig.page
            expect(page.locator(".result-row, .turn").first).to_be_attached()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            shot(rig, f"agents-{'list' if path == '/agents' else 'session'}-{width}")
            assert_accessible(rig)


def test_a_session_that_nobody_knows(agents, answers):
    with agents("/agents/session/nobody", complaints_allowed=True) as rig:
        expect(rig.page.get_by_role("heading", name="No such session is stored")).to_be_visible()
        assert_accessible(rig)
        rig.page.get_by_role("button", name="All sessions").click()
        expect(rows(rig.page).first).to_be_visible()


def test_what_was_said_in_a_trace(agents, answers):
    trip = answers.works[0]
    with agents(f"/trace/{trip.trace}?view=conversation") as rig:
        page = rig.page
        expect(page.get_by_role("tab", name="Conversation")).to_have_attribute("aria-selected", "true")
        expect(page.get_by_text("You plan trips.")).to_be_visible()
        page.locator(".turn-head").nth(3).click()
        expect(page).to_have_url(re.compile("span="))
        expect(page.locator(".turn.chosen").first).to_be_visible()
        assert_accessible(rig)
        page.get_by_role("combobox", name="Session").select_option(label="booker")
        expect(page.get_by_text("Holding the seat.")).to_be_visible()


def test_a_running_session_grows(agents, answers):
    with agents(session_path(answers.works[1].sessions[0])) as rig:
        page = rig.page
        expect(lane(page, "lead")).to_contain_text("running")
        length = page.locator(".session-head strong")
        before = length.text_content()
        eventually(lambda: length.text_content() != before)
        expect(page).to_have_url(re.compile("ses_live$"))
