# SPDX-License-Identifier: Apache-2.0
"""The waterfall of a trace and what is around it, in a real browser: critical path, folded repeats, subtrees, search,
spans that arrive late, and traces that nobody would send on purpose."""

import base64
import json
import re
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import otlp
import pytest
from page import assert_accessible, shot, waterfall
from playwright.sync_api import expect
from server import eventually

MS = 1_000_000
REPEATS = 30


def rows(grid, n):
    expect(grid).to_have_attribute("aria-rowcount", str(n))


def chosen(page):
    return page.locator(".wf-row.chosen:visible")


@pytest.fixture(scope="module")
def order(server):
    """An order: thirty statements one after another, of which two failed, a charge that failed, a mail that outlives
    its parent, and a span whose parent never came."""
    trace, start = otlp.trace_id(), otlp.now() - 60_000 * MS
    root, place, charge, mail = (otlp.span_id() for _ in range(4))
    statements = [otlp.span_id() for _ in range(REPEATS)]

    def at(first, last):
        return {"start": start + first * MS, "end": start + last * MS}

    failed = {"status": {"code": 2, "message": "no"}}
    spans = {
        "gateway": [
            otlp.span(trace, root, name="POST /order", kind=2, **at(0, 1000)),
            otlp.span(trace, parent=otlp.span_id(), name="orphan", **at(100, 110)),
        ],
        "checkout": [otlp.span(trace, place, root, name="place order", kind=2, **at(10, 900))],
        "payment": [
            otlp.span(trace, charge, place, name="charge", kind=3, attributes={"card": "visa"}, **at(500, 880), **failed)
        ],
        "orders-db": [
            otlp.span(
                trace, statements[i], place, name="SELECT orders", kind=3, **at(20 + 10 * i, 29 + 10 * i),
                **(failed if i in (4, 9) else {}),
            )
            for i in range(REPEATS)
        ],
        "mail": [otlp.span(trace, mail, place, name="send", kind=4, **at(890, 1500))],
    }
    for service, sent in spans.items():
        assert server.post(otlp.export(*sent, service=service)).status == 200
    hexes = dict(root=root, place=place, charge=charge, mail=mail, statements=[s.hex() for s in statements])
    count = sum(map(len, spans.values()))
    assert server.skeleton(trace.hex())["spanCount"] == count == REPEATS + 5
    return SimpleNamespace(
        id=trace.hex(), count=count, raw=trace, start=start, **{k: v.hex() if isinstance(v, bytes) else v for k, v in hexes.items()}
    )


@pytest.fixture
def matches(server):
    """matches(page, trace, by) answers for the server: `by` gives the ids of the spans that a query or text matches, or
    a problem."""

    def answered(page, trace, by):
        ids = server.skeleton(trace)["spans"]["id"]

        def answer(route):
            wanted = {k: v[0] for k, v in parse_qs(urlsplit(route.request.url).query).items()}
            found = by(**wanted)
            if isinstance(found, str):
                problem = {"status": 400, "code": "invalid-query", "title": "Bad request", "detail": found}
                return route.fulfill(status=400, content_type="application/problem+json", body=json.dumps(problem))
            bits = bytearray((len(ids) + 7) // 8)
            for row, span in enumerate(ids):
                if span in found:
                    bits[row // 8] |= 1 << row % 8
            body = {"matchedSpans": len(found), "spanCount": len(ids), "rows": base64.b64encode(bits).decode()}
            return route.fulfill(content_type="application/json", body=json.dumps(body))

        page.route("**/matches?*", answer)

    return answered


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_critical_path_is_drawn_and_can_be_all_that_shows(open_page, order, theme):
    with open_page(f"/trace/{order.id}", theme) as rig:
        page = rig.page
        grid = waterfall(page)
        lines = page.locator('.bar-path[d^="M"]')
        expect(page.get_by_role("row", name=re.compile("charge.*error, on critical path"))).to_be_visible()
        expect(lines).to_have_count(0)
        page.keyboard.press("p")
        expect(page).to_have_url(re.compile(r"[?&]cp=1"))
        expect(lines.first).to_be_attached()
        shot(rig, f"waterfall-path-{theme}")
        assert_accessible(rig)
        whole = int(grid.get_attribute("aria-rowcount"))
        page.keyboard.press("P")
        expect(grid).not_to_have_attribute("aria-rowcount", str(whole))
        expect(page.get_by_role("row", name=re.compile("charge"))).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("orphan"))).to_have_count(0)
        page.reload()
        expect(page.get_by_role("button", name=re.compile("^Critical path"))).to_have_attribute("aria-pressed", "true")
        expect(waterfall(page)).not_to_have_attribute("aria-rowcount", str(whole))
        page.keyboard.press("P")
        rows(grid, whole)


def test_repeats_are_one_row_that_opens_in_place(open_page, order):
    shown = order.count + 1 - (REPEATS - 1)
    with open_page(f"/trace/{order.id}") as rig:
        page = rig.page
        grid = waterfall(page)
        rows(grid, shown)
        fold = page.get_by_role("row", name=re.compile("SELECT orders, 30 times, 270 milliseconds in all.*2 errors, one after another, folded"))
        expect(fold).to_contain_text("×30")
        expect(fold).to_contain_text("N+1?")
        expect(fold).to_contain_text("total 270 ms · max 9.00 ms")
        expect(fold).to_have_attribute("aria-expanded", "false")
        fold.click()
        page.keyboard.press("ArrowRight")
        rows(grid, order.count + 1)
        expect(page).to_have_url(re.compile(f"fold={order.statements[0][:8]}"))
        # From any of them back into the fold.
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowLeft")
        rows(grid, shown)
        expect(chosen(page)).to_contain_text("×30")
        page.keyboard.press("f")
        rows(grid, order.count + 1)
        expect(page).to_have_url(re.compile("fold=off"))
        page.keyboard.press("f")
        rows(grid, shown)
        # The first error is within; going to it opens the fold.
        page.keyboard.press("Home")
        page.keyboard.press("e")
        rows(grid, order.count + 1)
        expect(page).to_have_url(re.compile(f"span={order.statements[4]}"))
    with open_page(f"/trace/{order.id}?span={order.statements[20]}") as rig:
        rows(waterfall(rig.page), order.count + 1)
        expect(chosen(rig.page)).to_have_attribute("data-row", re.compile(r"\d"))
    with open_page(f"/trace/{order.id}") as rig:
        # Who never wants them folded says so once.
        rig.page.get_by_role("button", name="More").click()
        rig.page.get_by_label("Fold repeats in every trace").uncheck()
        rows(waterfall(rig.page), order.count + 1)
        rig.page.reload()
        rows(waterfall(rig.page), order.count + 1)


def test_more_than_an_address_holds_stays_while_the_page_does(server, open_page):
    trace, root, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 60_000 * MS
    spans = [otlp.span(trace, root, name="root", start=start, end=start + 1000 * MS)]
    for i in range(42):
        call = otlp.span_id()
        spans.append(otlp.span(trace, call, root, name=f"step {i}", start=start + i * MS, end=start + (i + 1) * MS))
        for j in range(5):
            failed = {"status": {"code": 2}} if j == 1 else {}
            spans.append(otlp.span(trace, parent=call, name="SELECT", start=start + i * MS + j, end=start + i * MS + j + 1, **failed))
    assert server.post(otlp.export(*spans, service="shop")).status == 200
    with open_page(f"/trace/{trace.hex()}") as rig:
        page = rig.page
        grid = waterfall(page)
        rows(grid, 1 + 42 * 2)
        grid.focus()
        # Each failed span opens the fold that it is in.
        for _ in range(42):
            page.keyboard.press("e")
        rows(grid, 1 + 42 * 6)
        page.keyboard.press("2")
        expect(page.get_by_role("tab", name="Flame")).to_have_attribute("aria-selected", "true")
        page.keyboard.press("1")
        rows(grid, 1 + 42 * 6)
        page.go_back()
        page.go_back()
        expect(page.get_by_role("tab", name="Waterfall")).to_have_attribute("aria-selected", "true")
        rows(grid, 1 + 42 * 6)


def test_what_shows_survives_a_reload_a_menu_and_a_look_at_another_view(open_page, order, matches):
    with open_page(f"/trace/{order.id}?f=visa&only=1") as rig:
        page = rig.page
        grid = waterfall(page)
        # Found by the server alone, and chosen: before its answer is here the filter leaves nothing.
        matches(page, order.id, lambda text: {order.charge} if text == "visa" else set())
        page.reload()
        rows(grid, 3)
        grid.focus()
        page.keyboard.press("n")
        expect(page).to_have_url(re.compile(f"span={order.charge}.*only=1"))
        page.reload()
        rows(grid, 3)
        expect(chosen(page)).to_contain_text("charge")
        expect(page.get_by_role("button", name="Filter", exact=True)).to_have_attribute("aria-pressed", "true")
        # The focus goes along from view to view.
        grid.focus()
        page.keyboard.press("3")
        expect(page.get_by_role("tabpanel")).to_be_focused()
        page.keyboard.press("1")
        expect(grid).to_be_focused()
        # Escape closes a menu and leaves the search.
        page.get_by_role("button", name="More", exact=True).click()
        expect(page.get_by_role("link", name="Compare with what is typical")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Compare with what is typical")).to_be_hidden()
        rows(grid, 3)


def test_text_is_found_in_names_here_and_in_attributes_by_the_server(open_page, order, matches):
    with open_page(f"/trace/{order.id}") as rig:
        page = rig.page
        matches(page, order.id, lambda text: {order.charge} if text in "visa" else set())
        grid = waterfall(page)
        found = page.locator(".found")
        page.keyboard.press("_")
        rows(grid, 2)
        # What is collapsed still says that something below failed.
        expect(page.get_by_role("row", name=re.compile("POST .order.*3 errors below"))).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("SELECT")
        expect(found).to_have_text(f"30 of {order.count}")
        page.get_by_label("Find spans").fill("visa")
        expect(found).to_have_text(f"1 of {order.count}")
        # The next match opens what is collapsed above it.
        page.keyboard.press("Enter")
        expect(chosen(page)).to_contain_text("charge")
        expect(found).to_have_text(f"1 / 1 of {order.count}")
        expect(page.get_by_role("row", name=re.compile("place order"))).to_have_class(re.compile("unmatched"))
        page.get_by_role("button", name="Filter", exact=True).click()
        rows(grid, 3)
        expect(page).to_have_url(re.compile("f=visa&only=1"))
        shot(rig, "waterfall-filter")
        assert_accessible(rig)
        page.get_by_label("Find spans").fill("nowhere")
        expect(page.get_by_text("No span matches.")).to_be_visible()
        page.get_by_role("button", name="Show all rows").click()
        expect(found).to_have_text("")
        # Pills alone, and with text.
        page.get_by_role("button", name="Errors 3").click()
        expect(found).to_have_text(re.compile(f"3 of {order.count}"))
        page.get_by_label("Find spans").fill("charge")
        expect(found).to_have_text(re.compile(f"1 of {order.count}"))
        page.keyboard.press("Escape")
        expect(found).to_have_text("")
        # The orphan's placeholder stayed collapsed.
        rows(grid, order.count - (REPEATS - 1))


def test_a_query_within_a_trace_and_a_mistake_in_it(open_page, order, matches):
    def by(q):
        return "expected a duration after >" if q.endswith("lots") else {order.mail, order.charge}

    with open_page(f"/trace/{order.id}", complaints_allowed=True) as rig:
        page = rig.page
        matches(page, order.id, by)
        waterfall(page)
        field = page.get_by_label("Find spans")
        field.fill("duration > 300ms")
        expect(page.locator(".found")).to_have_text(f"2 of {order.count}")
        field.fill("duration > lots")
        expect(page.get_by_role("alert").filter(has_text="expected a duration")).to_be_visible()
        expect(field).to_have_attribute("aria-invalid", "true")
        shot(rig, "waterfall-query-mistake")
        assert_accessible(rig)
        field.fill("duration > 300ms")
        expect(field).not_to_have_attribute("aria-invalid", "true")
        page.keyboard.press("Enter")
        expect(chosen(page)).to_contain_text("charge")
        page.keyboard.press("Enter")
        expect(chosen(page)).to_contain_text("send")


def test_slow_for_its_kind_is_measured_against_the_day(open_page, server, order):
    trace, begin = otlp.trace_id(), otlp.now() - 30_000 * MS
    usual = [otlp.span(otlp.trace_id(), name="poll", kind=2, start=begin, end=begin + 2 * MS) for _ in range(40)]
    slow = [otlp.span(trace, name="poll", kind=2, start=begin, end=begin + 90 * MS), otlp.span(trace, name="poll", kind=2, start=begin, end=begin + MS)]
    assert server.post(otlp.export(*usual, *slow, service="poller")).status == 200
    with open_page(f"/trace/{trace.hex()}") as rig:
        waterfall(rig.page)
        rig.page.get_by_role("button", name="Slow for its kind").click()
        expect(rig.page.locator(".found")).to_have_text(re.compile("1 of 2"))


def test_a_subtree_becomes_the_whole_and_back(open_page, order):
    with open_page(f"/trace/{order.id}") as rig:
        page = rig.page
        grid = waterfall(page)
        whole = grid.get_attribute("aria-rowcount")
        page.get_by_role("row", name=re.compile("place order")).click()
        page.keyboard.press(".")
        rows(grid, 4)
        expect(page).to_have_url(re.compile(f"z=0.0\\d+-.*focus={order.place}"))
        expect(page.get_by_role("row").first).to_have_attribute("aria-level", "1")
        path = page.get_by_role("navigation", name="Path to the selected span")
        expect(path.get_by_role("button")).to_contain_text(["Whole trace", "POST /order", "place order"])
        shot(rig, "waterfall-subtree")
        assert_accessible(rig)
        page.reload()
        rows(waterfall(page), 4)
        page.keyboard.press("End")
        page.keyboard.press(".")
        rows(grid, 1)
        page.keyboard.press(",")
        rows(grid, 4)
        page.keyboard.press(",")
        rows(grid, int(whole))
        expect(page).not_to_have_url(re.compile("focus=|z="))
        page.keyboard.press(".")
        path.get_by_role("button", name="POST /order").click()
        rows(grid, int(whole))


def test_spans_that_arrive_late_wait_to_be_shown(open_page, server, matches):
    trace, root, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 60_000 * MS
    sent = [otlp.span(trace, root, name="batch", start=start, end=start + 1000 * MS)]
    sent += [otlp.span(trace, parent=root, name=f"item {i}", start=start + i * MS, end=start + 500 * MS) for i in range(99)]
    assert server.post(otlp.export(*sent)).status == 200
    with open_page() as rig:
        page = rig.page
        page.clock.install()
        page.goto(f"{server.web}/trace/{trace.hex()}")
        grid = waterfall(page)
        rows(grid, 100)
        expect(page.get_by_text("Spans of this trace came within the last seconds")).to_be_visible()
        page.get_by_role("row", name=re.compile("item 3,")).click()
        page.evaluate("document.querySelector('#waterfall').scrollTop = 480")
        assert server.post(otlp.export(otlp.span(trace, parent=root, name="early bird", start=start, end=start + MS))).status == 200
        page.clock.run_for(6000)
        expect(page.get_by_text("1 new span")).to_be_visible()
        rows(grid, 100)
        page.get_by_role("button", name="Show", exact=True).click()
        rows(grid, 101)
        matches(page, trace.hex(), lambda text: set())
        assert page.evaluate("document.querySelector('#waterfall').scrollTop") == 504, "what was in view stays there"
        expect(page).to_have_url(re.compile(f"span={sent[4]['span_id'].hex()}"))
        # And what is looked for is looked for in all of them.
        page.get_by_label("Find spans").fill("item 4")
        expect(page.locator(".found")).to_have_text("11 of 101")


def test_a_trace_can_be_kept_compared_and_taken_elsewhere(open_page, server, order):
    with open_page(f"/trace/{order.id}") as rig:
        page = rig.page
        waterfall(page)
        page.get_by_role("button", name="Keep this trace").click()
        expect(page.get_by_role("button", name="Keep this trace")).to_have_attribute("aria-pressed", "true")
        assert server.skeleton(order.id)["pinned"] is True
        page.get_by_role("button", name="Keep this trace").click()
        expect(page.get_by_role("button", name="Keep this trace")).to_have_attribute("aria-pressed", "false")
        assert server.skeleton(order.id)["pinned"] is False
        page.keyboard.press("x")
        expect(page.get_by_role("button", name="Mark for compare")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="More").click()
        assert_accessible(rig)
        shot(rig, "waterfall-menu")
        for name in ("OTLP", "Jaeger"):
            with page.expect_download() as download:
                page.get_by_role("link", name=f"Download {name} JSON").click()
            assert order.id in download.value.path().read_text()
            page.get_by_role("button", name="More").click()


def test_the_overview_zooms_by_keys_and_pointer(open_page, order):
    with open_page(f"/trace/{order.id}") as rig:
        page = rig.page
        waterfall(page)
        first, last = page.get_by_role("slider", name="Start of the time"), page.get_by_role("slider", name="End of the time")
        first.focus()
        page.keyboard.press("PageUp")
        expect(first).to_have_attribute("aria-valuenow", "10")
        last.focus()
        page.keyboard.press("Shift+ArrowLeft")
        expect(last).to_have_attribute("aria-valuenow", "90")
        expect(page).to_have_url(re.compile("z=0.1-0.9"))
        box = page.locator(".map-canvas").bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.5, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.55, y, steps=3)
        page.mouse.up()
        expect(first).to_have_attribute("aria-valuenow", re.compile("^15"))
        page.mouse.wheel(0, 300)
        expect(first).not_to_have_attribute("aria-valuenow", re.compile("^15"))
        page.locator("#waterfall").focus()
        page.keyboard.press("0")
        expect(first).to_have_attribute("aria-valuenow", "0")


@pytest.fixture(scope="module")
def hostile(server):
    """A trace of everything: a circle, two roots, a missing parent, ends before starts, no duration at all, a child
    before its parent, a chain of five thousand, ten thousand children, names of markup, of nothing, and of a megabyte."""
    trace, start = otlp.trace_id(), otlp.now() - 60_000 * MS
    ids = [otlp.span_id() for _ in range(12)]
    spans = [
        otlp.span(trace, ids[0], name="<b>root</b><img src=x onerror=alert(1)>", start=start, end=start + 100 * MS),
        otlp.span(trace, ids[1], name="", start=start + MS, end=start + MS),
        otlp.span(trace, ids[2], ids[3], name="circle a", start=start + MS, end=start + 2 * MS),
        otlp.span(trace, ids[3], ids[2], name="circle b", start=start + MS, end=start + 2 * MS),
        otlp.span(trace, parent=otlp.span_id(), name="orphan", start=start + MS, end=start + 3 * MS),
        otlp.span(trace, ids[4], ids[0], name="ends first", start=start + 50 * MS, end=start + 10 * MS),
        otlp.span(trace, ids[5], ids[4], name="starts first", start=start + 5 * MS, end=start + 60 * MS),
        otlp.span(trace, ids[6], ids[0], name="مرحبا 🧵 " + "long " * 200_000, start=start, end=start + 300 * MS),
        otlp.span(trace, ids[7], ids[7], name="its own parent", start=start + MS, end=start + 2 * MS),
    ]
    above = ids[0]
    for depth in range(5000):
        below = otlp.span_id()
        spans.append(otlp.span(trace, below, above, name=f"deep {depth}", start=start + MS + depth * 1000, end=start + 90 * MS))
        above = below
    for i in range(10_000):
        spans.append(otlp.span(trace, parent=ids[1], name=f"child {i % 7000}", start=start + MS, end=start + MS + i))
    for i in range(0, len(spans), 3000):
        assert server.post(otlp.export(*spans[i : i + 3000], service="a\u202eb")).status == 200
    return SimpleNamespace(id=trace.hex(), count=len(spans), last=above.hex())


def test_a_trace_of_everything_renders(open_page, hostile):
    with open_page(f"/trace/{hostile.id}", "dark") as rig:
        page = rig.page
        grid = waterfall(page)
        rows(grid, hostile.count + 1)
        for chip in ("the parent is not stored", "run in a circle", "clocks may differ"):
            expect(page.locator(".warning-chip").filter(has_text=chip)).to_be_visible()
        assert page.locator("main b, main img").count() == 0
        page.locator(".warning-chip").filter(has_text="not stored").get_by_role("button", name="Next").click()
        expect(chosen(page)).to_have_class(re.compile("absent"))
        page.keyboard.press("End")
        expect(chosen(page)).to_be_visible()
        shot(rig, "waterfall-hostile")
        assert_accessible(rig)
        page.get_by_role("button", name="Explain").click()
        expect(page.get_by_role("dialog").get_by_role("table")).to_be_visible()
        assert_accessible(rig)
        page.keyboard.press("Escape")
        page.goto(re.sub(r"[?].*", "", page.url) + f"?span={hostile.last}")
        expect(chosen(page).locator(".wf-level")).to_have_text("5001")
        expect(chosen(page)).to_have_attribute("aria-level", "5001")
        page.keyboard.press(".")
        rows(grid, 1)
        page.keyboard.press(",")
        page.keyboard.press("Home")
        page.keyboard.press("p")
        expect(page.locator('.bar-path[d^="M"]').first).to_be_attached(timeout=20_000)
        assert page.evaluate("document.querySelectorAll('*').length") < 1600, "as many elements as fit on the screen"


def test_narrow_windows_hold_all_of_it(open_page, order):
    with open_page(f"/trace/{order.id}?cp=1&pills=errors&focus={order.place}", width=390, height=844) as rig:
        waterfall(rig.page)
        shot(rig, "waterfall-narrow")
        assert_accessible(rig)
        eventually(lambda: rig.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
