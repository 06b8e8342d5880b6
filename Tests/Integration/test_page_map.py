# SPDX-License-Identifier: Apache-2.0
"""The map in a real browser: who calls whom, walked with the keyboard, narrowed down, read as a table."""

import re
from urllib.parse import quote, urlencode

import otlp
import pytest
from page import assert_accessible, settle, shot
from playwright.sync_api import expect

SECOND = 10**9
DAY = 86_400 * SECOND
HOSTILE = ['<img src=x onerror="alert(1)">', "חנות 🛒", "a>b", "n" * 20_000]
LARGE = 90


def call(server, caller, called, start, kind=2, error=False, attributes=None, millis=20):
    """A span of `caller` with the span of `called` below it, or alone when nothing answers."""
    trace, parent = otlp.trace_id(), otlp.span_id()
    status = {"code": 2} if error else {}
    end = start + millis * 10**6
    client = otlp.span(trace, parent, name="call", kind=3, start=start, end=end, attributes=attributes, status=status)
    assert server.post(otlp.export(client, service=caller)).status == 200
    if called is not None:
        below = otlp.span(trace, None, parent, name=f"do {called[:20]}", kind=kind, start=start, end=end, status=status)
        assert server.post(otlp.export(below, service=called)).status == 200
    return trace.hex()


@pytest.fixture(scope="module")
def shop(server):
    """Calls of the last minutes, some failing; hostile names two days ago; a large graph four days ago."""
    now = otlp.now()
    start = now - 120 * SECOND
    failing = None
    for i in range(12):
        call(server, "gateway", "checkout", start + i * SECOND)
        trace = call(server, "checkout", "payment", start + i * SECOND, error=i % 3 == 0, millis=200 + i)
        failing = trace if i == 9 else failing
        call(server, "checkout", None, start + i, attributes={"db.system": "postgresql", "server.address": "orders-db"})
    messages = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
    call(server, "checkout", None, start, attributes=messages)
    call(server, "payment", None, start, attributes={"server.address": "psp.example"})
    for name in HOSTILE:
        call(server, "gateway", name, now - 2 * DAY)
    for i in range(1, LARGE):
        call(server, f"service-{i // 3:02}", f"service-{i:02}", now - 4 * DAY)
    return failing


def node(page, name):
    named = page.locator(".map-name", has_text=re.compile(f"^{re.escape(name)}$"))
    return page.locator(".map-node").filter(has=named)


def ago(days):
    return "/map?" + urlencode({"from": f"-{days * 24 + 1}h", "to": f"-{days * 24 - 1}h"})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_call_is_reached_with_the_keyboard_and_leads_to_its_traces(open_page, shop, theme):
    with open_page("/map", theme) as rig:
        page = rig.page
        expect(page.locator(".map-node")).to_have_count(6)
        expect(page.locator(".map-call")).to_have_count(5)
        assert page.locator(".map-node.database, .map-node.queue, .map-node.peer").count() == 3
        expect(node(page, "payment")).to_have_attribute("aria-label", re.compile(r"service, .*33\s% errors, called by 1"))
        shot(rig, f"map-{theme}")
        assert_accessible(rig)

        page.keyboard.press("ArrowRight")
        page.keyboard.press("Home")
        expect(node(page, "gateway")).to_be_focused()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(node(page, "checkout")).to_be_focused()
        page.keyboard.press("ArrowRight")
        for _ in range(3):
            label = page.evaluate("document.activeElement.getAttribute('aria-label')")
            if "payment" in label:
                break
            page.keyboard.press("ArrowDown")
        assert "checkout calls payment" in label and "33\xa0% errors" in label
        page.keyboard.press("Enter")
        panel = page.get_by_role("complementary", name="Details")
        expect(panel.get_by_text("Failed calls")).to_be_visible()
        expect(page).to_have_url(re.compile(re.escape("edge=" + quote("checkout>payment"))))
        expect(panel.locator(f'a[href*="{shop}"]').first).to_be_visible()
        shot(rig, f"map-call-{theme}")
        assert_accessible(rig)

        page.reload()
        expect(panel.locator(f'a[href*="{shop}"]').first).to_be_visible()
        panel.locator(f'a[href*="{shop}"]').first.click()
        expect(page).to_have_url(re.compile(f"trace/{shop}.*span=[0-9a-f]{{16}}"))
        expect(page.get_by_text("do payment").first).to_be_visible()
        page.go_back()
        page.get_by_role("button", name="Close").click()
        expect(panel).to_be_hidden()


def test_a_focus_shows_the_neighbours_as_far_as_asked(open_page, shop):
    with open_page("/map") as rig:
        page = rig.page
        node(page, "payment").click()
        expect(page.get_by_role("heading", name="payment")).to_be_visible()
        page.keyboard.press("f")
        expect(page).to_have_url(re.compile("focus=payment"))
        expect(page.locator(".map-node")).to_have_count(3)
        expect(node(page, "checkout").locator(".map-more")).to_have_text("+3")
        page.get_by_role("button", name="2 hops").click()
        expect(page.locator(".map-node")).to_have_count(4)
        expect(page).to_have_url(re.compile("hops=2"))
        assert_accessible(rig)
        page.go_back()
        page.go_back()
        expect(page.locator(".map-node")).to_have_count(6)
        page.get_by_role("combobox", name="Errors").select_option("5")
        expect(page.locator(".map-node")).to_have_count(2)
        page.get_by_role("combobox", name="Rate").select_option("100")
        expect(page.get_by_text("No call passes the filters")).to_be_visible()
        page.get_by_role("button", name="Without filters").click()
        expect(page.locator(".map-node")).to_have_count(6)


def test_nodes_stay_where_they_are_when_the_range_changes(open_page, shop):
    with open_page("/map") as rig:
        page = rig.page
        places = "nodes => nodes.map(n => n.dataset.id + n.getAttribute('transform'))"
        expect(page.locator(".map-node")).to_have_count(6)
        settle(rig)
        before = page.locator(".map-node").evaluate_all(places)
        page.mouse.move(700, 400)
        page.mouse.wheel(0, -300)
        view = page.locator(".map-canvas > g").get_attribute("transform")
        page.get_by_role("button", name=re.compile("Time range")).click()
        page.get_by_role("button", name="3 hours", exact=True).click()
        expect(page).to_have_url(re.compile("from=-3h"))
        settle(rig)
        assert page.locator(".map-node").evaluate_all(places) == before
        assert page.locator(".map-canvas > g").get_attribute("transform") == view


def test_the_table_has_the_same_calls(open_page, shop):
    with open_page("/map") as rig:
        page = rig.page
        page.get_by_role("tab", name="Table").click()
        table = page.get_by_role("grid", name="Calls")
        expect(table).to_have_attribute("aria-rowcount", "6")
        page.get_by_role("button", name="Errors").click()
        expect(page.get_by_role("columnheader", name="Errors")).to_have_attribute("aria-sort", "descending")
        expect(page.locator(".call-row[data-index='0']")).to_contain_text("payment")
        shot(rig, "map-table")
        assert_accessible(rig)
        table.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("complementary")).to_contain_text("Failed calls")
        page.get_by_role("searchbox").fill("psp")
        expect(table).to_have_attribute("aria-rowcount", "2")


def test_names_are_text_whatever_they_hold(open_page, shop):
    with open_page(ago(2)) as rig:
        page = rig.page
        expect(page.locator(".map-node")).to_have_count(1 + len(HOSTILE))
        assert page.locator("img").count() == 0
        for name in HOSTILE:
            expect(page.locator(".map-node").filter(has_text=name[:12]).first).to_be_visible()
        page.locator(".map-node").filter(has_text=HOSTILE[0][:12]).click()
        expect(page.get_by_role("complementary")).to_contain_text(HOSTILE[0])
        shot(rig, "map-hostile")
        assert_accessible(rig)


def test_a_large_graph_begins_with_the_neighbours_of_the_busiest(open_page, shop):
    with open_page(ago(4)) as rig:
        page = rig.page
        expect(page.get_by_text("shown is what is around the busiest")).to_be_visible()
        assert page.locator(".map-node").count() < 10
        page.get_by_role("button", name="Show all", exact=True).click()
        expect(page.locator(".map-node")).to_have_count(LARGE)
        shot(rig, "map-large")
        page.keyboard.press("/")
        page.keyboard.type("service-77")
        expect(page.locator(".map-node.found")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="service-77")).to_be_visible()
        assert_accessible(rig)


def test_a_map_that_does_not_come_says_why(open_page, shop):
    with open_page("/explore", complaints_allowed=True) as rig:
        page = rig.page
        problem = '{"title":"Busy","status":503,"code":"busy","detail":"As many queries run as may."}'
        refusal = {"status": 503, "body": problem, "headers": {"X-Request-Id": "r-17"}}
        page.route("**/service-graph*", lambda route: route.fulfill(**refusal))
        page.keyboard.press("g")
        page.keyboard.press("m")
        expect(page.get_by_text("As many queries run as may.").last).to_be_visible()
        expect(page.get_by_text("r-17")).to_be_visible()
        assert_accessible(rig)
        page.unroute("**/service-graph*")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".map-node")).to_have_count(6)
        # A server that stopped: what is drawn stays, and is said to be old.
        page.route("**/api/**", lambda route: route.abort())
        page.keyboard.press("r")
        expect(page.get_by_text("What you see may be old.")).to_be_visible()
        expect(page.locator(".map-node")).to_have_count(6)
        expect(page.locator(".waiting")).to_have_count(0)
        page.unroute("**/api/**")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("What you see may be old.")).to_be_hidden()


def test_a_narrow_window_holds_the_map(open_page, shop):
    with open_page("/map?node=payment&focus=checkout", width=390, height=844) as rig:
        page = rig.page
        expect(page.get_by_role("heading", name="payment")).to_be_visible()
        shot(rig, "map-narrow")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert_accessible(rig)
        page.get_by_role("tab", name="Table").click()
        shot(rig, "map-table-narrow")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert_accessible(rig)
