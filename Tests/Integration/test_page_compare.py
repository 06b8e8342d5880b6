# SPDX-License-Identifier: Apache-2.0
"""Two traces compared in a real browser, one with what is typical, and the page that asks which."""

import re

import otlp
import pytest
from page import assert_accessible, settle, shot, waterfall
from playwright.sync_api import expect

MS = 10**6


def order(server, length=40, selects=1, failing=False, mail=True, at=0):
    """A trace: gateway → payment and some statements; its id."""
    trace, root, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 600 * 10**9 + at * 10**9
    status = {"status": {"code": 2}} if failing else {}
    payment = otlp.span(
        trace, None, root, name="POST /charge", kind=2, start=start + MS, end=start + (1 + length) * MS, **status
    )
    end = start + (1 + length) * MS
    statements = [
        otlp.span(trace, None, root, name="SELECT", kind=3, start=end + i * 10 * MS, end=end + (i * 10 + 9) * MS)
        for i in range(selects)
    ]
    end += selects * 10 * MS
    attributes = {"user.tier": "gold" if failing else "free", "http.request.method": "POST"}
    gateway = otlp.span(trace, root, name="POST /pay", kind=2, start=start, end=end + 6 * MS, attributes=attributes)
    letter = otlp.span(trace, None, root, name="send", kind=4, start=end, end=end + 5 * MS)
    parts = {"gateway": [gateway], "payment": [payment], "orders-db": statements, "mail": [letter] * mail}
    for service, spans in parts.items():
        assert server.post(otlp.export(*spans, service=service)).status == 200
    return trace.hex()


@pytest.fixture(scope="module")
def pair(server):
    """A usual trace, a slow one that fails, and two dozen more of the usual kind."""
    usual = [order(server, length=40 + i, at=i) for i in range(24)]
    return usual[0], order(server, length=240, selects=4, failing=True, mail=False, at=60)


@pytest.fixture(scope="module")
def wide(server):
    """A trace with as many paths as spans."""
    trace, root, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 60 * 10**9
    spans = [otlp.span(trace, root, name="root", start=start, end=start + 10**9)]
    spans += [otlp.span(trace, None, root, name=f"step {i}", start=start + i, end=start + i + MS) for i in range(10_000)]
    for i in range(0, len(spans), 2500):
        assert server.post(otlp.export(*spans[i : i + 2500], service="wide")).status == 200
    return trace.hex()


def path(page, name):
    return page.get_by_role("row").filter(has_text=name)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_slower_new_gone_and_failing(open_page, pair, theme):
    with open_page("/compare/{}/{}".format(*pair), theme) as rig:
        page = rig.page
        grid = page.get_by_role("treegrid")
        expect(grid).to_have_attribute("aria-rowcount", "5")
        sentence = page.locator(".cmp-sentence")
        expect(sentence).to_have_text(
            re.compile(
                r"B is 230\sms slower: 200\sms in payment POST /charge, 27\.0\sms in 3 more orders-db SELECT.*One path fails"
            )
        )
        expect(path(page, "POST /charge")).to_have_attribute("aria-label", re.compile("slower, new error"))
        expect(path(page, "send")).to_have_attribute("aria-label", re.compile("only in A"))
        expect(path(page, "SELECT")).to_contain_text("×1 → ×4")
        expect(page.get_by_text("attribute of the roots differs")).to_be_visible()
        shot(rig, f"compare-{theme}")
        assert_accessible(rig)
        page.get_by_text("attribute of the roots differs").click()
        expect(page.get_by_role("row").filter(has_text="user.tier")).to_contain_text("free")
        grid.focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowLeft")
        expect(grid).to_have_attribute("aria-rowcount", "2")
        page.reload()
        expect(grid).to_have_attribute("aria-rowcount", "2")
        page.keyboard.press("n")
        expect(grid).to_have_attribute("aria-rowcount", "5")
        expect(page).to_have_url(re.compile(r"span=[0-9a-f]{16}"))
        assert_accessible(rig)
        page.keyboard.press("s")
        expect(page).to_have_url(re.compile("/compare/{1}/{0}".format(*pair)))
        expect(sentence).to_contain_text("faster")
        path(page, "POST /charge").get_by_role("link", name="The span in A").click()
        waterfall(page)
        expect(page).to_have_url(re.compile(f"trace/{pair[1]}" + r"\?span="))
        page.go_back()
        expect(grid).to_be_visible()


def test_only_what_differs_and_the_order_of_differences(open_page, pair, server):
    with open_page(f"/compare/{pair[0]}/{order(server, length=40, at=3)}?f=diff") as rig:
        page = rig.page
        expect(page.locator(".cmp-sentence")).to_have_text("B takes as long as A.")
        expect(page.get_by_text("No path differs.")).to_be_visible()
        assert_accessible(rig)
        page.keyboard.press("f")
        expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "5")
        expect(page).not_to_have_url(re.compile("f="))
        page.goto(page.url.split("/compare")[0] + "/compare/{}/{}?sort=self".format(*pair))
        expect(page.get_by_role("row").nth(1)).to_contain_text("POST /charge")
        page.get_by_role("button", name="Absolute times").click()
        expect(page).to_have_url(re.compile("align=absolute"))
        settle(rig)


def test_one_trace_with_what_is_typical(open_page, pair):
    with open_page(f"/compare/{pair[1]}/typical") as rig:
        page = rig.page
        expect(page.get_by_text(re.compile(r"the average of 20\straces"))).to_be_visible()
        expect(page.locator(".cmp-sentence")).to_have_text(re.compile(r"A is \d+\sms slower than is typical: \d+\sms in payment POST /charge"))
        expect(path(page, "POST /charge")).to_have_attribute("aria-label", re.compile("slower, new error"))
        expect(page.get_by_role("button", name="Swap")).to_have_count(0)
        shot(rig, "compare-typical")
        assert_accessible(rig)


def test_ten_thousand_paths(open_page, wide, pair):
    with open_page(f"/compare/{wide}/{pair[0]}") as rig:
        page = rig.page
        grid = page.get_by_role("treegrid")
        expect(grid).to_have_attribute("aria-rowcount", str(10_000 + 1 + 4 + 1))
        assert page.get_by_role("row").count() < 120
        grid.focus()
        page.keyboard.press("End")
        expect(page.get_by_role("row", selected=True)).to_be_visible()
        scroll = rig.scroll('[role="treegrid"]', ms=800, speed=5000)
        assert scroll["cpu_ms_per_frame"] < 16, scroll


def test_which_traces_is_asked_for(open_page, pair):
    with open_page("/compare") as rig:
        page = rig.page
        first, second = page.get_by_label("A", exact=True), page.get_by_label("B", exact=True)
        first.fill("nonsense!")
        second.fill(f"http://elsewhere/trace/{pair[1]}?span=1")
        second.press("Enter")
        expect(page.get_by_text("A is no trace id")).to_be_visible()
        shot(rig, "compare-ask")
        assert_accessible(rig)
        first.fill(pair[0])
        first.press("Enter")
        expect(page).to_have_url(re.compile("/compare/{}/{}".format(*pair)))
        expect(page.get_by_role("treegrid")).to_be_visible()
    with open_page(f"/compare/{pair[1]}") as rig:
        page = rig.page
        expect(page.get_by_label("A", exact=True)).to_have_value(pair[1])
        page.get_by_role("button", name="A with what is typical").click()
        expect(page).to_have_url(re.compile("/typical"))
        expect(page.get_by_role("treegrid")).to_be_visible()


def test_a_trace_that_is_not_stored(open_page, pair):
    with open_page(f"/compare/{pair[0]}/{'ab' * 16}", complaints_allowed=True) as rig:
        page = rig.page
        expect(page.get_by_role("heading", name="Trace B is not stored")).to_be_visible()
        assert_accessible(rig)
        page.get_by_role("link", name="Choose another trace").click()
        expect(page.get_by_label("A", exact=True)).to_have_value(pair[0])
        assert rig.result["page_errors"] == []


def test_narrow_windows_do_not_scroll_sideways(open_page, pair):
    with open_page("/compare/{}/{}".format(*pair), width=390, height=780) as rig:
        expect(rig.page.get_by_role("treegrid")).to_be_visible()
        assert rig.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shot(rig, "narrow-compare")
        assert_accessible(rig)
