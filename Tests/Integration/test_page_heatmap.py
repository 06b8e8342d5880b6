# SPDX-License-Identifier: Apache-2.0
"""The pictures of Explore in a real browser: the heatmap with what can be done to a part of it, its other forms, and the
strip of services.

An hour of quick spans, of which ten minutes have slow ones of another service, half of them failed; before it a quieter hour.
"""

import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import otlp
import pytest
from page import assert_accessible, query_box, settle, shot
from playwright.sync_api import expect
from server import eventually

HOUR = 3600 * 10**9
FROM = (otlp.now() // HOUR - 3) * HOUR
QUICK, SLOW, BEFORE = 600, 40, 300
HOSTILE = "<img src=x onerror=alert(1)>\u202eabc"


PICTURE = "document.querySelector('.heat-canvas').toDataURL()"


def iso(nanos):
    return datetime.fromtimestamp(nanos // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def explore(**state):
    return "/explore?" + urlencode({"from": iso(FROM), "to": iso(FROM + HOUR), **state})


@pytest.fixture(scope="module", autouse=True)
def shop(server):
    def root(at, millis, **more):
        return otlp.span(otlp.trace_id(), start=at, end=at + millis * 10**6, kind=2, **more)

    quick = [
        root(FROM + i * HOUR // QUICK + 1, 5 + i % 13, name="GET /", attributes={"region": ["us", "asia"][i % 2]})
        for i in range(QUICK)
    ]
    before = [root(FROM - HOUR + i * HOUR // BEFORE + 1, 5 + i % 13, name="GET /") for i in range(BEFORE)]
    slow = [
        root(
            FROM + HOUR // 2 + i * HOUR // 6 // SLOW + 1,
            2000,
            name=f"charge {HOSTILE}",
            attributes={"region": "eu", "note": HOSTILE, "big": "x" * 100_000},
            status={"code": 2, "message": "declined"} if i % 2 else {},
        )
        for i in range(SLOW)
    ]
    odd = [root(FROM + HOUR // 4, 8, name="")]
    for service, spans in {"web": quick + before, "payment": slow, HOSTILE: odd}.items():
        assert server.post(otlp.export(*spans, service=service)).status == 200
    eventually(lambda: len(server.search_all("")) == QUICK + BEFORE + SLOW + 1)


def heatmap(page):
    field = page.get_by_role("application")
    expect(field).to_have_attribute("aria-label", re.compile(r"\d[\d,]*\sspan"))
    return field


def at_the_top(page):
    """The slowest row over all the time, chosen by keyboard: what it holds is the slow spans."""
    field = heatmap(page)
    field.focus()
    for key in ["Home", *["PageUp"] * 9, "Home", "Shift+End"]:
        page.keyboard.press(key)
    return page.get_by_role("group", name="Selected spans")


def drag(page, left, right, top, bottom):
    """Selects a part of the field with the pointer, all four as shares of it."""
    box = heatmap(page).bounding_box()
    page.mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + right * box["width"], box["y"] + bottom * box["height"], steps=4)
    page.mouse.up()
    return page.get_by_role("group", name="Selected spans")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_heatmap_counts_what_matches(open_page, theme):
    with open_page(explore(), theme) as rig:
        page = rig.page
        expect(heatmap(page)).to_have_attribute("aria-label", re.compile(r"641\sspans, 20\serrors"))
        drawn = page.evaluate(PICTURE)
        page.get_by_role("button", name=re.compile("^Theme")).click()
        if theme == "light":
            page.get_by_role("button", name=re.compile("^Theme")).click()
        eventually(lambda: page.evaluate(PICTURE) != drawn)
        actions = at_the_top(page)
        expect(actions).to_contain_text(re.compile(r"40\sspans"))
        shot(rig, f"heatmap-{theme}")
        assert_accessible(rig)
        page.keyboard.press("Escape")
        expect(actions).to_be_hidden()


def test_the_heatmap_reads_as_a_table_and_folds(open_page):
    with open_page(explore()) as rig:
        page = rig.page
        heatmap(page)
        page.get_by_role("button", name="Table", exact=True).click()
        expect(page).to_have_url(re.compile("heat=table"))
        table = page.get_by_role("table")
        expect(table.get_by_role("row").last).to_contain_text(re.compile(r"641 20\serrors$"))
        shot(rig, "heatmap-table")
        assert_accessible(rig)
        page.get_by_role("button", name="Fold the latency heatmap").click()
        expect(page).to_have_url(re.compile("heat=off"))
        expect(table).to_be_hidden()
        page.reload()
        page.get_by_role("button", name="Show the latency heatmap").click()
        heatmap(page)


def test_a_selection_narrows_the_query_and_zooms(open_page):
    with open_page(explore(q='{ resource.service.name != "nobody" }')) as rig:
        page = rig.page
        at_the_top(page)
        page.keyboard.press("Enter")
        show = page.get_by_role("button", name="Show these traces")
        expect(show).to_be_focused()
        page.keyboard.press("Enter")
        expect(query_box(page)).to_have_value(re.compile(r'^\{ resource.service.name != "nobody" && duration >= [\d.]+s \}$'))
        expect(heatmap(page)).to_have_attribute("aria-label", re.compile(r"40\sspans"))
        expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(SLOW + 1))

        page.go_back()
        expect(heatmap(page)).to_have_attribute("aria-label", re.compile(r"641\sspans"))
        settle(rig)
        drag(page, 0.51, 0.6, 0.01, 0.99).get_by_role("button", name="Zoom").click()
        expect(page).to_have_url(re.compile(f"from={iso(FROM)[:13]}:30:30.000000001Z"))
        expect(query_box(page)).to_have_value('{ resource.service.name != "nobody" }')
        expect(heatmap(page)).not_to_have_attribute("aria-label", re.compile(r"641\sspans"))


def test_what_sets_a_selection_apart(open_page):
    with open_page(explore()) as rig:
        page = rig.page
        at_the_top(page).get_by_role("button", name="Explain").click()
        panel = page.get_by_role("region", name="What sets the selection apart")
        expect(panel.get_by_role("button", name=re.compile(r"Only eu: 100\s%"))).to_be_visible()
        shot(rig, "heatmap-explain")
        assert_accessible(rig)
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)

        # A part of the time over all durations: there the two are told apart by time alone.
        drag(page, 0.51, 0.65, 0.01, 0.99).get_by_role("button", name="Explain").click()
        expect(panel.get_by_role("button", name=re.compile(r"Only eu: 29\s% of the selected, 1.1\s% of the others"))).to_be_visible()
        panel.get_by_role("button", name="Exclude eu").click()
        expect(query_box(page)).to_have_value('region != "eu"')
        expect(panel).to_have_count(0)


def test_examples_open_their_trace(open_page):
    with open_page(explore()) as rig:
        page = rig.page
        actions = drag(page, 0.5, 0.66, 0.001, 0.06)
        actions.get_by_role("button", name="Open an example").click()
        expect(page).to_have_url(re.compile(r"/trace/[0-9a-f]{32}\?.*span=[0-9a-f]{16}"))
        expect(page.get_by_text("charge").first).to_be_visible()
        page.go_back()
        heatmap(page)
        page.get_by_role("button", name="Scatter", exact=True).click()
        points = page.get_by_role("application")
        expect(points).to_have_attribute("aria-label", re.compile(r"examples?, 20\serrors"))
        shot(rig, "heatmap-scatter")
        assert_accessible(rig)
        points.focus()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"/trace/[0-9a-f]{32}\?.*span=[0-9a-f]{16}"))


@pytest.mark.parametrize("width", [1440, 390])
def test_the_strip_of_services(open_page, width):
    with open_page(explore(), "dark", width=width, height=844) as rig:
        page = rig.page
        strip = page.get_by_role("region", name="Services: rate, errors and p95")
        expect(strip.get_by_role("button")).to_have_count(3)
        names = strip.get_by_role("button")
        expect(names.nth(0)).to_have_accessible_name(re.compile(r"^payment. 40\sspans, .*20\serrors, 50\s%. p95 [12]\.\d+\ss"))
        expect(names.nth(1)).to_have_accessible_name(re.compile(r"^web. 600\sspans, 0.17/s, up 100\s% from 5.0\d/min. 0\serrors"))
        expect(names.nth(2)).to_contain_text(HOSTILE)
        heatmap(page)
        shot(rig, f"heatmap-{width}")
        assert_accessible(rig)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        names.nth(0).click()
        expect(query_box(page)).to_have_value('service = "payment"')
        expect(strip.get_by_role("button", pressed=True)).to_have_count(1)
        # What is drawn anew keeps the focus, and a chip that goes hands it on.
        expect(strip.get_by_role("button", pressed=True)).to_be_focused()
        page.get_by_role("button", name='Remove service = "payment"').press("Enter")
        expect(query_box(page)).to_be_focused()
        expect(query_box(page)).to_have_value("")


def test_the_results_do_not_wait_and_a_failure_can_be_tried_again(open_page):
    with open_page("/explore", complaints_allowed=True) as rig:
        page = rig.page
        held = []
        # Not the one for the facets' percentiles, which asks for a single moment.
        drawn = re.compile(r"/api/skein/v1/heatmap\?(?!.*step=\d+ns)")
        page.route(drawn, lambda route: held.append(route))
        with page.expect_request(drawn):
            page.goto(page.url.split("/explore")[0] + explore())
        expect(page.get_by_role("grid").get_by_role("row").nth(1)).to_be_visible()
        held.pop().fulfill(status=500, json={"detail": "The disk is tired.", "code": "internal"}, headers={"X-Request-Id": "abc123"})
        problem = page.get_by_role("alert").filter(has_text="The disk is tired.")
        expect(problem).to_contain_text("abc123")
        assert_accessible(rig)
        page.unroute(drawn)
        problem.get_by_role("button", name="Try again").click()
        heatmap(page)
        expect(problem).to_have_count(0)
