# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: a person searches, opens a trace of ten thousand spans, selects, collapses, reads.

Screenshots are left in .build/screenshots for somebody to look at.
"""

import re
from urllib.parse import urlencode

import otlp
import pytest
from page import SHOTS, assert_accessible, query_box, result_link, settle, shot, waterfall
from playwright.sync_api import expect
from server import eventually

SERVICES = ["gateway", "checkout", "payment", "inventory", "orders-db", "mail"]
SPANS = 10_000
PAYMENT = "/explore?" + urlencode({"q": 'service = "payment"'})


@pytest.fixture(scope="module")
def large(server):
    """The id of a trace of ten thousand spans: a hundred calls of ninety-eight statements, some failing."""
    trace, root, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 60 * 10**9
    batches = {name: [] for name in SERVICES}
    batches["gateway"].append(
        otlp.span(
            trace,
            root,
            name="POST /bulk-order",
            kind=2,
            start=start,
            end=start + 20 * 10**9,
            attributes={"user.id": "abc123"},
        )
    )
    made = 1
    for i in range(100):
        call, at = otlp.span_id(), start + i * 190_000_000
        service = SERVICES[1 + i % 3]
        failed = i % 17 == 3
        events = [
            {"name": "exception", "time_unix_nano": at + 10**8, "attributes": {"exception.message": "declined"}}
        ] * failed
        status = {"code": 2, "message": "card declined"} if failed else {}
        batches[service].append(
            otlp.span(
                trace,
                call,
                root,
                name=f"step {i}",
                kind=3,
                start=at,
                end=at + 180_000_000,
                events=events,
                status=status,
            )
        )
        made += 1
        for j in range(99 if i < 99 else SPANS - made):
            begin = at + 1_000_000 + j * 1_700_000
            attributes = {"db.query.text": "SELECT * FROM orders WHERE id = $1", "row": j}
            batches["orders-db" if j % 5 else "mail"].append(
                otlp.span(
                    trace,
                    parent=call,
                    name="SELECT orders",
                    kind=3,
                    start=begin,
                    end=begin + 1_500_000,
                    attributes=attributes,
                )
            )
            made += 1
    for service, spans in batches.items():
        for i in range(0, len(spans), 1000):
            assert server.post(otlp.export(*spans[i : i + 1000], service=service)).status == 200
    assert server.skeleton(trace.hex())["spanCount"] == made == SPANS
    return trace.hex()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_search_from_the_front_page(open_page, large, theme):
    with open_page("/", theme) as rig:
        page = rig.page
        expect(result_link(page, large)).to_be_visible()
        query_box(page).fill('service = "payment" and error = true')
        query_box(page).press("Enter")
        expect(result_link(page, large)).to_be_visible()
        expect(page).to_have_url(re.compile(r"q="))
        shot(rig, f"explore-{theme}")
        assert_accessible(rig)
        query_box(page).fill('service = "nobody"')
        query_box(page).press("Enter")
        expect(result_link(page, large)).to_have_count(0)
        shot(rig, f"explore-none-{theme}")
        assert_accessible(rig)
        page.go_back()
        expect(result_link(page, large)).to_be_visible()


def test_a_mistake_in_the_query_is_explained_where_it_is(open_page, large):
    with open_page("/", complaints_allowed=True) as rig:
        page = rig.page
        query_box(page).fill("duration > 500mz")
        query_box(page).press("Enter")
        expect(page.get_by_text("500mz").first).to_be_visible()
        expect(page.locator('[role="alert"]').filter(has_text=re.compile(r"\w")).first).to_be_attached()
        shot(rig, "explore-error")
        assert_accessible(rig)
        # What is typed on is not what was refused.
        query_box(page).press("End")
        query_box(page).press_sequentially(" and")
        expect(query_box(page)).not_to_have_attribute("aria-invalid", "true")
        expect(page.locator(".query-fault.stale")).to_be_visible()
        query_box(page).fill("duration > 500ms")
        query_box(page).press("Enter")
        expect(page.locator(".query-fault")).to_be_hidden()
        assert rig.result["page_errors"] == []
        assert all("400" in c["text"] for c in rig.result["console"]), rig.result["console"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_trace_of_ten_thousand_spans(open_page, large, theme):
    with open_page("/", theme) as rig:
        page = rig.page
        result_link(page, large).click()
        grid = waterfall(page)
        expect(page).to_have_url(re.compile(f"trace/{large}"))
        total = int(grid.get_attribute("aria-rowcount"))
        assert SPANS <= total <= SPANS + 1, "one row a span, and perhaps the header"
        assert page.get_by_role("row").count() < 400, "rows are recycled, not all in the document"
        expect(page.get_by_text("POST /bulk-order").first).to_be_visible()
        shot(rig, f"trace-{theme}")
        assert_accessible(rig)

        # Select with the keyboard; the address says which span.
        grid.focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        active = grid.get_attribute("aria-activedescendant")
        assert active and page.locator(f"#{active}").count() == 1
        expect(page).to_have_url(re.compile(r"span=[0-9a-f]{16}"))
        page.keyboard.press("Enter")
        expect(page.get_by_text("db.query.text").first).to_be_visible()
        shot(rig, f"trace-details-{theme}")
        assert_accessible(rig)
        chosen = page.url
        page.reload()
        expect(page.get_by_text("db.query.text").first).to_be_visible()
        assert page.url == chosen

        # The last row can be reached, the first collapses the whole trace.
        grid = waterfall(page)
        grid.focus()
        page.keyboard.press("End")
        expect(page.get_by_role("row").filter(has_text=re.compile("SELECT orders|step 99")).last).to_be_visible()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowLeft")
        expect(grid).to_have_attribute("aria-rowcount", str(total - SPANS + 1))
        shot(rig, f"trace-collapsed-{theme}")
        page.keyboard.press("ArrowRight")
        expect(grid).to_have_attribute("aria-rowcount", str(total))
        page.go_back()
        expect(query_box(page)).to_be_visible()


def test_a_click_selects_and_a_chevron_collapses(open_page, large):
    with open_page(f"/trace/{large}") as rig:
        page = rig.page
        grid = waterfall(page)
        row = page.get_by_role("row").filter(has_text="step 0").first
        row.click()
        expect(row).to_have_attribute("aria-selected", "true")
        expect(row).to_have_attribute("aria-expanded", "true")
        total = int(grid.get_attribute("aria-rowcount"))
        page.keyboard.press("ArrowLeft")
        expect(row).to_have_attribute("aria-expanded", "false")
        expect(grid).to_have_attribute("aria-rowcount", str(total - 99))
        expect(page).to_have_url(re.compile(r"[?&]c="))


def test_a_query_that_finds_nothing_says_which_name_no_span_carries(open_page, large):
    with open_page("/explore?" + urlencode({"q": "servce = 1"})) as rig:
        hint = rig.page.get_by_text("No stored span carries servce; did you mean service?")
        expect(hint).to_be_visible()


def test_a_filter_from_the_details_is_written_in_the_form_of_the_query(open_page, large):
    with open_page("/explore?" + urlencode({"q": "{ duration > 10s }"})) as rig:
        page = rig.page
        result_link(page, large).click()
        waterfall(page)
        page.get_by_text("abc123", exact=True).hover()
        page.get_by_role("button", name="Traces with this user.id").click()
        expect(query_box(page)).to_have_value('{ duration > 10s && span.user.id = "abc123" }')
        expect(result_link(page, large)).to_be_visible()


def test_an_error_shows_its_exception(open_page, large):
    with open_page(f"/trace/{large}") as rig:
        page = rig.page
        waterfall(page).focus()
        page.keyboard.press("e")
        page.keyboard.press("Enter")
        expect(page.get_by_text("card declined").first).to_be_visible()
        expect(page.get_by_text("exception.message").first).to_be_visible()
        shot(rig, "trace-error")


def test_spans_of_one_id_show_their_own_details(open_page, server):
    """Zipkin's clients and servers share an id."""
    trace, shared, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 10**9
    for service, kind, begin in [("caller", 3, start), ("callee", 2, start + 10**6)]:
        span = otlp.span(
            trace, shared, name=f"{service} call", kind=kind, start=begin, attributes={"side": f"the {service}"}
        )
        assert server.post(otlp.export(span, service=service)).status == 200
    with open_page(f"/trace/{trace.hex()}") as rig:
        page = rig.page
        waterfall(page)
        for service in ["callee", "caller", "callee"]:
            page.get_by_role("row").filter(has_text=f"{service} call").click()
            expect(page.get_by_role("complementary").get_by_text(f"the {service}", exact=True)).to_be_visible()


def test_a_further_page_that_fails_leaves_the_list(open_page, server):
    spans = [otlp.span(otlp.trace_id(), name=f"many {i}") for i in range(130)]
    assert server.post(otlp.export(*spans, service="many")).status == 200
    with open_page("/", complaints_allowed=True) as rig:
        page = rig.page
        page.route(re.compile("cursor="), lambda route: route.fulfill(status=500, json={"detail": "the disk is on fire"}))
        query_box(page).fill('service = "many"')
        query_box(page).press("Enter")
        expect(page.get_by_text("100+ traces", exact=True)).to_be_visible()
        settle(rig)
        page.get_by_role("grid").focus()
        page.keyboard.press("End")
        expect(page.get_by_text("the disk is on fire").first).to_be_visible()
        expect(page.get_by_text("100+ traces", exact=True)).to_be_visible()
        expect(page.get_by_role("row").filter(has_text="many").last).to_be_visible()
        shot(rig, "explore-more-failed")
        assert_accessible(rig)
        page.unroute(re.compile("cursor="))
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("130 traces", exact=True)).to_be_visible()
        assert rig.result["page_errors"] == []


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(open_page, large):
    with open_page(PAYMENT) as rig:
        page = rig.page
        expect(result_link(page, large)).to_be_visible()
        held = []
        page.route("**/api/skein/v1/status", lambda route: held.append(route))
        query_box(page).fill('service = "nobody"')
        query_box(page).press("Enter")
        eventually(lambda: page.wait_for_timeout(20) or held)
        query_box(page).fill('service = "payment"')
        query_box(page).press("Enter")
        expect(page.get_by_text(re.compile(r"^\d+\+? traces?$"))).to_be_visible()
        with page.expect_response("**/api/skein/v1/status"):
            held[0].continue_()
        page.wait_for_timeout(200)
        expect(result_link(page, large)).to_be_visible()
        expect(page.get_by_text("No traces found")).to_have_count(0)


def test_a_page_whose_module_does_not_come_can_be_tried_again(open_page, large):
    with open_page(PAYMENT, complaints_allowed=True) as rig:
        page = rig.page
        page.route("**/trace/trace.js", lambda route: route.abort())
        result_link(page, large).click()
        expect(page.get_by_text("Skein does not answer")).to_be_visible()
        expect(result_link(page, large)).to_be_visible()
        page.unroute("**/trace/trace.js")
        page.get_by_role("button", name="Try again").click()
        waterfall(page)
        page.route("**/trace/trace.js", lambda route: route.abort())
        page.reload()
        expect(page.get_by_role("heading", name="The page could not be loaded")).to_be_visible()
        shot(rig, "not-loaded")
        assert_accessible(rig)
        page.unroute("**/trace/trace.js")
        page.get_by_role("button", name="Try again").last.click()
        waterfall(page)
        assert rig.result["page_errors"] == []


def test_scrolling_stays_smooth_in_work_done(open_page, large):
    """CPU time a frame, not wall time: the machine is shared."""
    with open_page(f"/trace/{large}") as rig:
        waterfall(rig.page)
        scroll = rig.scroll('[role="treegrid"]', ms=1500, speed=6000)
        assert scroll["frames"] > 5, scroll
        assert scroll["cpu_ms_per_frame"] < 16, scroll


def test_an_unknown_trace_is_said_kindly(open_page):
    with open_page("/trace/" + "ab" * 16, complaints_allowed=True) as rig:
        expect(
            rig.page.get_by_text(re.compile("not (found|here|stored|known)|no trace|unknown", re.I)).first
        ).to_be_visible()
        shot(rig, "trace-unknown")
        assert_accessible(rig)
        assert rig.result["page_errors"] == []


@pytest.mark.parametrize("path", ["/", "/trace"])
def test_narrow_windows_do_not_scroll_sideways(open_page, large, path):
    with open_page(path if path == "/" else f"/trace/{large}", width=390, height=780) as rig:
        rig.page.wait_for_timeout(500)
        assert_fits(rig.page)
        shot(rig, f"narrow-{'explore' if path == '/' else 'trace'}")


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("path", ["explore", "services", "service/gateway", "map"])
def test_a_long_range_has_room_in_a_narrow_window(open_page, large, path, width):
    """Whatever the time of day: both ends with date and time, the page's own things beside them."""
    with open_page(f"/{path}?from=2026-09-26T23:00:05Z&to=2026-11-28T23:45:05Z", width=width, height=780) as rig:
        page = rig.page
        button = page.get_by_role("button", name="Time range: 2026-09-27 01:00:05 – 2026-11-29 00:45:05")
        expect(button).to_have_attribute("title", "2026-09-27 01:00:05 – 2026-11-29 00:45:05")
        settle(rig)
        assert_fits(page)
        boxes = page.evaluate("""() => [...document.querySelectorAll(".bar :is(h1, input, .query, button, a)")]
            .filter((e) => !e.closest(".query") || e.matches(".query")).map((e) => e.getBoundingClientRect().toJSON())
            .filter(({ width }) => width)""")
        over = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if overlap(a, b)]
        assert over == [], "two things of the bar lie on each other"


def assert_fits(page):
    wide = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > innerWidth)
            .map((e) => `${e.tagName}.${e.className} to ${e.getBoundingClientRect().right}`)"""
    )
    assert wide == [], "the page scrolls sideways"


def overlap(a, b):
    return (
        min(a["right"], b["right"]) - max(a["left"], b["left"]) > 1
        and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 1
    )


def test_what_spans_say_is_text_never_markup(open_page, server):
    trace, nasty = (
        otlp.trace_id(),
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>",
    )
    event = {"name": nasty, "time_unix_nano": otlp.now(), "attributes": {nasty: nasty}}
    span = otlp.span(trace, name=nasty, attributes={nasty: nasty, "url.full": "javascript:alert(1)"}, events=[event])
    assert server.post(otlp.export(span, service=nasty)).status == 200
    with open_page("/") as rig:
        page = rig.page
        result_link(page, trace.hex()).click()
        waterfall(page).focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_text("url.full").first).to_be_visible()
        assert "owned" not in page.title().split("<")[0]
        assert page.locator('img[src="x"]').count() == 0 and page.locator('a[href^="javascript:"]').count() == 0


def test_the_page_may_run_only_its_own_code(server):
    for path in ("/", "/explore", "/trace/" + "ab" * 16):
        answer = server.get(path)
        assert answer.status == 200 and answer.type == "text/html", answer
        policy = answer.headers["content-security-policy"]
        assert (
            "default-src 'self'" in policy
            and "frame-ancestors 'none'" in policy
            and "unsafe" not in policy.split("style-src")[0]
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_an_empty_store_says_how_to_send_a_first_span(chromium, serve):
    server = serve()
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(server.web)
    expect(page.get_by_text(re.compile(str(server.ports["otlp-http"]))).first).to_be_visible()
    page.screenshot(path=SHOTS / "empty.png")

    # It looks out for spans, and no longer once the page is left, be an answer still on its way.
    held, asked = [], []
    page.route("**/api/skein/v1/status", lambda route: route.continue_() if held else held.append(route))
    eventually(lambda: page.wait_for_timeout(50) or held)
    page.evaluate("history.pushState(null, '', '/trace/" + "ab" * 16 + "'); dispatchEvent(new PopStateEvent('popstate'))")
    expect(page.get_by_text("Trace not found")).to_be_visible()
    page.on("request", lambda request: asked.append(request.url))
    held[0].abort()
    page.wait_for_timeout(2500)
    assert asked == []
    page.go_back()
    expect(page.get_by_text("Waiting for spans")).to_be_visible()
    assert server.post(otlp.export(otlp.span(otlp.trace_id(), name="the first"))).status == 200
    expect(page.get_by_text("the first").first).to_be_visible(timeout=20_000)
    context.close()
