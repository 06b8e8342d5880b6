# SPDX-License-Identifier: Apache-2.0
"""Explore in a real browser: queries are completed and kept, facets narrow down, results come sorted, as spans and as groups."""

import json
import re
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import otlp
import pytest
from page import assert_accessible, query_box, result_link, settle, shot
from playwright.sync_api import expect
from server import eventually

# Machines that test are busy.
expect.set_options(timeout=20_000)
MILLI = 1_000_000
TRACES = 150
FAILED = 12
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def store(server):
    """150 traces of two spans; the oldest is by far the slowest, each twelfth part of the calls fails."""
    start = otlp.now() - 600 * 10**9
    web, api, ids = [], [], []
    for i in range(TRACES):
        trace, root, at = otlp.trace_id(), otlp.span_id(), start + i * 10**9
        length = (3_000 if i == 0 else 20 + i) * MILLI
        ids.append(trace.hex())
        attributes = {"region": "eu" if i % 3 else "us", "tenant": MARKUP if i == 5 else f"tenant-{i % 9}"}
        web.append(otlp.span(trace, root, name="GET /item", kind=2, start=at, end=at + length))
        api.append(
            otlp.span(
                trace,
                parent=root,
                name="charge" if i % 2 else "look up",
                kind=3,
                start=at + MILLI,
                end=at + length // 2,
                attributes=attributes,
                status={"code": 2, "message": "declined"} if i % 12 == 1 and i // 12 < FAILED else {},
            )
        )
    assert server.post(otlp.export(*web, service="web")).status == 200
    assert server.post(otlp.export(*api, service="api")).status == 200
    eventually(lambda: len(server.search_all("", limit=1000)) >= TRACES)
    return SimpleNamespace(ids=ids, slowest=ids[0], newest=ids[-1])


def explore(**state):
    return "/explore?" + urlencode(state) if state else "/explore"


def state_of(page):
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def grid(page, name="Traces found"):
    return page.get_by_role("grid", name=name)


def facet(page, value):
    return page.locator("#facets").get_by_role("button", name=re.compile(rf"^{re.escape(value)}, "))


def tenants(page):
    return page.locator("#facets").get_by_role("button", name=re.compile(r"^tenant-\d, ")).first


def row(page, text):
    return page.locator(".rows .result-row").filter(has_text=text).first


def test_a_query_is_written_with_the_keyboard_alone(open_page, store):
    with open_page(explore()) as rig:
        page = rig.page
        box = query_box(page)
        expect(grid(page)).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("ser")
        options = page.get_by_role("listbox", name="Completions").get_by_role("option")
        expect(options.first).to_contain_text("service")
        expect(box).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Tab")
        expect(box).to_have_value("service ")
        expect(options.filter(has_text="equals")).to_be_visible()
        page.keyboard.press("Tab")
        expect(box).to_have_value("service = ")
        # Names and values come from the server, with how many spans have them.
        expect(options.filter(has_text='"api"')).to_contain_text("150")
        page.keyboard.press("ArrowDown")
        assert page.locator(f"#{box.get_attribute('aria-activedescendant')}").get_attribute("aria-selected") == "true"
        page.keyboard.press("Enter")
        expect(box).to_have_value(re.compile(r'service = "(api|web)" '))
        page.keyboard.type("and reg")
        expect(options.filter(has_text="region")).to_contain_text("string")
        shot(rig, "explore-completion")
        page.keyboard.press("Escape")
        expect(box).to_have_attribute("aria-expanded", "false")
        # A place in a query is counted in bytes there, in characters here.
        box.fill('name != "é€😀" and ten')
        expect(options.filter(has_text="tenant")).to_be_visible()
        page.keyboard.press("Tab")
        expect(box).to_have_value('name != "é€😀" and tenant ')
        # One line grows to as many as four.
        low = box.bounding_box()["height"]
        box.fill("a = 1\nand b = 2\nand c = 3\nand d = 4\nand e = 5\nand f = 6")
        assert low * 2.5 < page.locator(".query-stack").bounding_box()["height"] <= low * 4


def test_queries_are_kept_for_everybody_and_for_oneself(open_page, store):
    with open_page(explore(q="region = us")) as rig:
        page = rig.page
        expect(grid(page)).to_be_visible()
        page.keyboard.press("q")
        panel = page.get_by_role("dialog", name="Saved and past queries")
        expect(panel.get_by_text("None yet")).to_be_visible()
        panel.get_by_label("Name").fill(f"americas {MARKUP}")
        panel.get_by_label("What it is for").fill("what goes west")
        page.keyboard.press("Enter")
        kept = panel.get_by_role("button", name=re.compile("^americas"))
        expect(kept).to_contain_text("what goes west")
        shot(rig, "explore-saved")
        assert_accessible(rig)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Clear the query").click()
        expect(query_box(page)).to_have_value("")
        page.get_by_role("button", name="Saved and past queries").click()
        expect(kept).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(panel.locator(".saved-past button").first).to_be_focused()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(query_box(page)).to_have_value("region = us")
        page.get_by_role("button", name="Saved and past queries").click()
        panel.get_by_role("button", name=re.compile("^Remove americas")).click()
        panel.get_by_role("button", name="Undo").click()
        expect(kept).to_be_visible()
        panel.get_by_role("button", name=re.compile("^Remove americas")).click()
        expect(panel.get_by_role("button", name="Undo")).to_be_focused()
        star = page.get_by_role("button", name="Saved and past queries")
        star.evaluate("star => { document.activeElement.closest('[popover]').hidePopover(); star.click(); }")
        expect(panel).to_be_visible()
        star.click()
        expect(panel).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_facets_count_and_narrow_down(open_page, store, theme):
    with open_page(explore(), theme) as rig:
        page = rig.page
        expect(facet(page, "web")).to_contain_text("150")
        # One distribution, told once: the heatmap's percentiles are these.
        for label in ["p50", "p90", "p95", "p99"]:
            expect(page.locator(".heat-field")).to_have_attribute("aria-label", re.compile(rf"{label} \S+"))
            about = page.locator(".heat-field").get_attribute("aria-label")
            said = re.search(rf"{label} ([\d.]+\s\S+?)[,.] ", about).group(1)
            expect(page.get_by_role("button", name=f"{label}, {said}: slower spans", exact=True)).to_be_visible()
        facet(page, "api").click()
        expect(query_box(page)).to_have_value('service = "api"')
        expect(facet(page, "api")).to_have_attribute("aria-pressed", "true")
        # Another value can be chosen instead; what else there is, is counted in what was chosen.
        expect(facet(page, "web")).to_contain_text("150")
        expect(facet(page, "error")).to_contain_text(str(FAILED))
        expect(facet(page, "charge")).to_contain_text("75")
        facet(page, "error").click(modifiers=["Alt"])
        expect(query_box(page)).to_have_value('service = "api" and status != error')
        expect(facet(page, "charge")).to_contain_text(str(75 - FAILED))
        page.get_by_role("button", name="Facets of an attribute").click()
        page.keyboard.type("tena")
        page.keyboard.press("Enter")
        expect(tenants(page)).to_be_visible()
        assert state_of(page)["facets"] == "span.tenant"
        page.locator("#facets").get_by_role("button", name=re.compile(r"^\d+ more")).first.click()
        expect(facet(page, MARKUP)).to_be_visible()
        shot(rig, f"explore-facets-{theme}")
        assert_accessible(rig)
        page.reload()
        expect(tenants(page)).to_be_visible()
        expect(facet(page, "error")).to_have_attribute("aria-label", re.compile("ruled out"))
        # Arrows go from value to value, and to what rules one out.
        facet(page, "unset").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("button", name="Without error")).to_be_focused()
        page.keyboard.press("Enter")
        expect(query_box(page)).to_have_value('service = "api"')
        page.get_by_role("button", name=re.compile("^p99, .*slower spans")).click()
        expect(query_box(page)).to_have_value(re.compile(r'^service = "api" and duration >= [\d.]+(ms|s)$'))
        expect(page.locator("#facets").get_by_text("slower than p99")).to_be_visible()


def test_facets_give_way_where_there_is_no_room(open_page, store):
    with open_page(explore(), width=390, height=844) as rig:
        page = rig.page
        expect(grid(page)).to_be_visible()
        expect(page.locator("#facets")).to_be_hidden()
        page.get_by_role("button", name="Facets", exact=True).click()
        expect(facet(page, "web")).to_be_visible()
        assert_accessible(rig)
        page.keyboard.press("Escape")
        expect(page.locator("#facets")).to_be_hidden()
        # By its key from wherever the focus is: what lies over the results has it, and gives it back.
        page.get_by_role("button", name="Run again").focus()
        page.keyboard.press("f")
        expect(page.locator("#facets")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Facets", exact=True)).to_be_focused()
        for tab, name in {"Spans": "Spans found", "Group by": "Groups", "Traces": "Traces found"}.items():
            page.get_by_role("tab", name=tab).click()
            expect(grid(page, name).locator(".rows .result-row").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert_accessible(rig)


def test_the_server_sorts_what_is_not_loaded_yet(open_page, store):
    with open_page(explore()) as rig:
        page = rig.page
        expect(result_link(page, store.newest)).to_be_visible()
        expect(result_link(page, store.slowest)).to_have_count(0)
        page.get_by_role("button", name="Duration").click()
        expect(result_link(page, store.slowest)).to_be_visible()
        expect(grid(page).get_by_role("columnheader", name="Duration")).to_have_attribute("aria-sort", "descending")
        assert state_of(page) == {"sort": "-duration"}
        # The second page goes on in that order.
        grid(page).focus()
        page.keyboard.press("End")
        page.keyboard.press("End")
        eventually(lambda: page.keyboard.press("End") or grid(page).get_attribute("aria-rowcount") == str(TRACES + 1))
        expect(page.locator(".summary")).to_contain_text(f"{TRACES} traces")
        page.reload()
        expect(result_link(page, store.slowest)).to_be_visible()
        page.get_by_role("button", name="Trace", exact=True).click()
        expect(page.locator(".summary")).to_contain_text("sorted among those loaded")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_results_as_spans_and_as_groups(open_page, store, theme):
    with open_page(explore(q="service = api"), theme) as rig:
        page = rig.page
        expect(grid(page)).to_be_visible()
        page.keyboard.press("2")
        expect(grid(page, "Spans found")).to_be_visible()
        expect(row(page, "charge")).to_contain_text("client")
        expect(page.locator(".summary")).to_contain_text("spans in")
        shot(rig, f"explore-spans-{theme}")
        assert_accessible(rig)
        row(page, "charge").get_by_role("link").click()
        expect(page).to_have_url(re.compile(r"trace/[0-9a-f]{32}\?span=[0-9a-f]{16}"))
        page.go_back()
        page.get_by_role("tab", name="Group by").click()
        charge = row(page, "charge")
        expect(charge.locator(".cell-count")).to_have_text("75")
        expect(charge.locator(".cell-errors")).to_have_text("16\u00a0%")
        expect(charge.locator(".cell-p95")).to_have_text(re.compile(r"ms$"))
        expect(row(page, "look up").locator(".cell-errors")).to_have_text("–")
        page.get_by_role("button", name="Group by", exact=True).click()
        page.keyboard.type("tenant")
        page.keyboard.press("Enter")
        expect(row(page, MARKUP)).to_be_visible()
        assert state_of(page) == {"q": "service = api", "tab": "groups", "by": "span.tenant"}
        page.get_by_role("button", name="Group", exact=True).click()
        expect(page.locator(".rows .result-row").first).to_contain_text(MARKUP)
        shot(rig, f"explore-groups-{theme}")
        assert_accessible(rig)
        # A click narrows down, whatever is in the name.
        row(page, MARKUP).click()
        expect(query_box(page)).to_have_value(f'service = api and tenant = "{MARKUP}"')
        expect(result_link(page, store.ids[5])).to_be_visible()
        expect(grid(page)).to_have_attribute("aria-rowcount", "2")


def test_two_marks_light_the_comparison(open_page, store):
    with open_page(explore()) as rig:
        page = rig.page
        expect(result_link(page, store.newest)).to_be_visible()
        grid(page).focus()
        page.keyboard.press("x")
        marks = page.get_by_role("group", name="Marked to be compared")
        expect(marks.get_by_role("button", name="Compare")).to_be_disabled()
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(page.get_by_role("button", name="Marked A")).to_have_text("A")
        expect(page.get_by_role("button", name="Marked B")).to_have_text("B")
        assert_accessible(rig)
        expect(marks.get_by_role("link", name="Compare")).to_have_attribute("href", re.compile(f"compare/{store.ids[-1]}/{store.ids[-2]}"))
        page.keyboard.press("x")
        expect(marks.get_by_role("link")).to_have_count(0)
        marks.get_by_role("button", name="Take the marks away").click()
        expect(marks).to_be_hidden()
        assert "compare" not in page.url, "a mark is no step"


def test_results_that_break_off_are_partial(open_page, store):
    """Lines as a server sends them that says how far it is, and fails on the way."""
    with open_page(explore(), complaints_allowed=True) as rig:
        page = rig.page
        expect(result_link(page, store.newest)).to_be_visible()
        trace = dict(
            traceId="ab" * 16, rootServiceName="web", rootSpanName="GET /half", startTimeUnixNano=str(otlp.now()), durationNanos="5",
            spanCount=1, errorCount=0, matchedSpans=1, services=[],
        )
        lines = [{"progress": {"blocksDone": 1, "blockCount": 3, "spans": 10}}, trace, {"error": {"code": "timeout", "detail": "It took longer than 10 s."}}]
        body = "".join(json.dumps(line) + "\n" for line in lines)
        page.route("**/api/skein/v1/search?*", lambda route: route.fulfill(body=body, content_type="application/x-ndjson"))
        page.keyboard.press("r")
        expect(page.get_by_text("GET /half")).to_be_visible()
        expect(page.locator(".summary")).to_contain_text("partial")
        expect(page.get_by_text("No more came: It took longer than 10 s.")).to_be_visible()
        shot(rig, "explore-partial")
        assert_accessible(rig)
        page.unroute("**/api/skein/v1/search?*")
        page.get_by_role("button", name="Try again").click()
        expect(result_link(page, store.newest)).to_be_visible()
        # One that takes long can be stopped; what was there stays.
        held = []
        page.route("**/api/skein/v1/search?*", lambda route: held.append(route))
        page.keyboard.press("r")
        page.get_by_role("button", name="Cancel").click()
        expect(result_link(page, store.newest)).to_be_visible()
        expect(page.locator(".summary")).to_contain_text("partial")
        expect(page.locator(".summary")).not_to_contain_text("coming")
        assert rig.result["page_errors"] == []


def test_results_stay_when_the_server_stops(open_page, store):
    with open_page(explore(), complaints_allowed=True) as rig:
        page = rig.page
        expect(result_link(page, store.newest)).to_be_visible()
        page.route("**/api/**", lambda route: route.abort())
        page.keyboard.press("r")
        expect(page.get_by_text("What you see may be old.")).to_be_visible()
        expect(result_link(page, store.newest)).to_be_visible()
        assert_accessible(rig)
        # To another question they are no answer.
        query_box(page).fill("error = true")
        query_box(page).press("Enter")
        expect(page.get_by_role("heading", name="The search failed")).to_be_visible()
        page.unroute("**/api/**")
        page.locator(".offline").get_by_role("button", name="Try again").click()
        expect(grid(page).get_by_role("row").nth(1)).to_be_visible()
        expect(page.get_by_text("What you see may be old.")).to_be_hidden()


def test_where_nothing_is_found_the_nearest_is_a_click_away(open_page, store):
    later = {"from": "2031-01-01T00:00:00Z", "to": "2031-01-01T01:00:00Z"}
    with open_page(explore(q="service = api and region = us", **later)) as rig:
        page = rig.page
        expect(page.get_by_role("heading", name="No traces found")).to_be_visible()
        expect(page.get_by_text("Nearest before")).to_be_visible()
        expect(page.get_by_role("button", name="Without region = us")).to_be_visible()
        shot(rig, "explore-nothing")
        assert_accessible(rig)
        page.get_by_role("button", name="Show that hour").click()
        expect(grid(page)).to_be_visible()
        assert state_of(page)["q"] == "service = api and region = us"
        page.go_back()
        page.get_by_role("button", name="All time").click()
        expect(grid(page)).to_be_visible()


def test_the_first_span_leads_into_its_trace(chromium, serve):
    server = serve()
    context = chromium.new_context(viewport={"width": 1024, "height": 768})
    page = context.new_page()
    page.goto(server.web)
    page.get_by_role("tab", name="Go").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(f"127.0.0.1:{server.ports['otlp-http']}/v1/traces")
    page.reload()
    expect(page.get_by_role("tab", name="Go")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#facets")).to_be_hidden()
    trace = otlp.trace_id()
    assert server.post(otlp.export(otlp.span(trace, name="the first"), service="hello")).status == 200
    link = page.get_by_role("link", name="Open the first trace: hello the first")
    expect(link).to_be_visible(timeout=20_000)
    link.click()
    expect(page).to_have_url(re.compile(trace.hex()))
    context.close()


def test_coming_back_shows_the_same_list_at_the_same_place(open_page, store):
    with open_page(explore(sort="-duration")) as rig:
        page = rig.page
        expect(result_link(page, store.slowest)).to_be_visible()
        grid(page).focus()
        page.keyboard.press("PageDown")
        page.keyboard.press("PageDown")
        chosen = page.locator(f"#{grid(page).get_attribute('aria-activedescendant')}").inner_text()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("trace/"))
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.go_back()
        expect(grid(page)).to_be_visible()
        settle(rig)
        assert [url for url in asked if "/search" in url] == []
        assert page.locator(f"#{grid(page).get_attribute('aria-activedescendant')}").inner_text() == chosen
