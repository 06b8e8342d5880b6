# SPDX-License-Identifier: Apache-2.0
"""The list of services and the page of one, in a real browser: figures, order, deploys, failures, ways to traces."""

import re
from urllib.parse import quote, urlencode

import otlp
import pytest
from page import assert_accessible, query_box, settle, shot
from playwright.sync_api import expect

MINUTE = 60 * 10**9
NASTY = "<img src=x onerror=\"document.title='owned'\"> \u202eשלום"
CROWD = 1200
CROWD_RANGE = {"from": "-4d", "to": "-2d"}


@pytest.fixture(scope="module")
def shop(server):
    """Two hours of a shop. Half an hour ago checkout v2-new came, slower and failing; before that all was well."""
    now, batches = otlp.now(), {}

    def add(service, version, *spans):
        batches.setdefault((service, version), []).extend(spans)

    for i in range(240):
        start = now - 118 * MINUTE + i * 117 * MINUTE // 240
        version = "v2-new" if start > now - 30 * MINUTE else "1.9"
        bad, length = version == "v2-new" and i % 4 == 0, (80 if version == "v2-new" else 20) * 10**6
        trace, root, order, call = otlp.trace_id(), *(otlp.span_id() for _ in range(3))
        status = {"status": {"code": 2, "message": "card declined"}} if bad else {}
        code = {"http.response.status_code": 502 if bad else 200}
        error = {
            "name": "exception",
            "time_unix_nano": start,
            "attributes": {"exception.type": "CardError", "exception.message": f"card {i} declined"},
        }
        add("gateway", "7", otlp.span(trace, root, name="POST /pay", kind=2, start=start, end=start + 2 * length))
        times = {"start": start + 10**6, "end": start + 10**6 + length}
        add(
            "checkout",
            version,
            otlp.span(trace, order, root, name="place order", kind=2, attributes=code, **times, **status),
            otlp.span(trace, call, order, name="charge", kind=3, **times, **status),
        )
        add(
            "payment",
            "3",
            otlp.span(trace, None, call, name="POST /charge", kind=2, events=[error] * bad, **times, **status),
        )
    add(NASTY, NASTY, otlp.span(otlp.trace_id(), name=NASTY, kind=2, start=now - MINUTE))
    for (service, version), spans in batches.items():
        resource = {"service.version": version, "service.instance.id": f"{service}-1", "host.name": "node-1"}
        assert server.post(otlp.export(*spans, service=service, resource=resource)).status == 200
    ticks = (otlp.span(otlp.trace_id(), name="tick", kind=2, start=now - 3 * 1440 * MINUTE + i) for i in range(CROWD))
    # Requests one after the other are one request in protobuf.
    crowd = b"".join(otlp.export(tick, service=f"crowd-{i:04}") for i, tick in enumerate(ticks))
    assert server.post(crowd).status == 200


def row(page, name):
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_services_with_what_they_do(open_page, shop, theme):
    with open_page("/services", theme) as rig:
        page = rig.page
        expect(row(page, "checkout")).to_contain_text("%")
        expect(row(page, "checkout").locator(".cell-p95")).to_contain_text("ms")
        shot(rig, f"services-{theme}")
        assert_accessible(rig)
        assert page.get_by_role("row").count() < 120, "rows are recycled"

        page.get_by_role("button", name="Errors").click()
        expect(page).to_have_url(re.compile("sort=-errors"))
        expect(page.get_by_role("columnheader", name="Errors", exact=True)).to_have_attribute("aria-sort", "descending")
        page.keyboard.press("/")
        page.keyboard.type("CHECK")
        expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "2")
        expect(page).to_have_url(re.compile("q=CHECK"))
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/service/checkout"))
        expect(page.get_by_role("heading", name="checkout")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "2")
        expect(row(page, "checkout")).to_have_attribute("aria-selected", "true")
        page.get_by_label("Filter services by name").fill("nobody")
        expect(page.get_by_role("heading", name="No service has such a name")).to_be_visible()
        assert_accessible(rig)


def test_a_crowd_of_services_is_a_list_like_any_other(open_page, shop):
    with open_page("/services?" + urlencode(CROWD_RANGE | {"sort": "name"})) as rig:
        page = rig.page
        grid = page.get_by_role("grid")
        expect(grid).to_have_attribute("aria-rowcount", str(CROWD + 4 + 1))
        expect(page.locator(".cell-p95").filter(has_text="≈").first).to_be_visible()
        assert page.locator("*").count() < 3000
        grid.focus()
        page.keyboard.press("End")
        expect(row(page, "payment")).to_be_visible()
        page.keyboard.press("Home")
        expect(page.get_by_role("row").nth(1)).to_be_visible()
        settle(rig)


def test_a_list_that_does_not_come_can_be_asked_for_again(open_page, shop):
    with open_page("/explore", complaints_allowed=True) as rig:
        page = rig.page
        refusal = {"status": 503, "json": {"detail": "too many queries run"}, "headers": {"X-Request-Id": "abc-1"}}
        page.route("**/metrics?*", lambda route: route.fulfill(**refusal))
        page.get_by_role("link", name="Services").click()
        expect(page.get_by_text("too many queries run").first).to_be_visible()
        expect(page.get_by_text("abc-1")).to_be_visible()
        assert_accessible(rig)
        page.unroute("**/metrics?*")
        page.get_by_role("button", name="Try again").click()
        expect(row(page, "checkout")).to_be_visible()
        assert rig.result["page_errors"] == []


def section(page, title):
    return page.locator("section").filter(has=page.get_by_role("heading", name=title, exact=True)).last


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_service_from_all_sides(open_page, shop, theme):
    with open_page("/service/checkout", theme) as rig:
        page = rig.page
        expect(page.locator(".chart-mark-label").filter(has_text="v2-new")).to_have_count(1)
        expect(section(page, "Operations").get_by_role("button", name="place order")).to_be_visible()
        expect(section(page, "Errors")).to_contain_text("card declined")
        expect(section(page, "Errors")).to_contain_text("HTTP 502")
        expect(section(page, "Callers").get_by_role("link", name="gateway")).to_be_visible()
        expect(section(page, "Callees").get_by_role("row").filter(has_text="payment")).to_contain_text("100 %")
        expect(section(page, "Versions").get_by_role("row").filter(has_text="1.9")).to_contain_text("ms")
        expect(section(page, "Versions").get_by_role("row").filter(has_text="v2-new")).to_contain_text("%")
        expect(section(page, "Instances")).to_contain_text("checkout-1 node-1")
        expect(section(page, "Slowest traces").get_by_role("link").first).to_be_visible()
        expect(section(page, "Latest failing traces").get_by_role("link").first).to_be_visible()
        shot(rig, f"service-{theme}")
        assert_accessible(rig)

        # The text equivalent has a row for each point.
        page.get_by_text("The same as a table").click()
        rows = page.get_by_role("table", name="Rate, errors and durations over time").get_by_role("row")
        expect(rows.filter(has_text="v2-new")).to_have_count(1)
        assert rows.count() >= 60
        assert_accessible(rig)


def test_a_moment_leads_to_its_traces_and_a_drag_zooms(open_page, shop):
    with open_page("/service/checkout") as rig:
        page = rig.page
        slider = page.get_by_role("slider", name="Rate: moment")
        expect(slider).to_have_attribute("aria-valuetext", re.compile(r"\d{4}-"))
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        reading = page.locator(".reading")
        expect(reading.get_by_role("link", name="Slowest:")).to_have_attribute("href", re.compile(r"/trace/\w{32}\?span="))
        shot(rig, "service-moment")
        assert_accessible(rig)
        box = page.locator(".chart-stage").first.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 50, steps=4)
        page.mouse.up()
        expect(page).to_have_url(re.compile(r"from=20.*to=20"))
        expect(page.locator(".summary")).to_contain_text("requests")
        page.go_back()
        expect(page).not_to_have_url(re.compile("from="))
        slider.click(position={"x": 200, "y": 60})
        expect(page.get_by_role("link", name="Traces then")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Traces then")).to_be_hidden()
        slider.click(position={"x": 200, "y": 60})
        page.get_by_role("link", name="Traces then").click()
        expect(query_box(page)).to_have_value(re.compile('resource.service.name = "checkout"'))
        expect(page).to_have_url(re.compile(r"from=20.*to=20"))


def test_one_operation_alone(open_page, shop):
    with open_page("/service/checkout") as rig:
        page = rig.page
        section(page, "Operations").get_by_role("button", name="charge").click()
        expect(page).to_have_url(re.compile("op=charge"))
        expect(page.locator(".summary")).to_contain_text("spans")
        expect(page.get_by_role("button", name="All operations")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page).not_to_have_url(re.compile("op="))


def test_a_part_that_fails_leaves_the_others(open_page, shop):
    with open_page("/services", complaints_allowed=True) as rig:
        page = rig.page
        page.route("**/analysis/errors*", lambda route: route.fulfill(status=500, json={"detail": "the disk is on fire"}))
        row(page, "checkout").get_by_role("link", name="checkout", exact=True).click()
        expect(section(page, "Errors")).to_contain_text("the disk is on fire")
        expect(section(page, "Callers").get_by_role("link", name="gateway")).to_be_visible()
        assert_accessible(rig)
        page.unroute("**/analysis/errors*")
        section(page, "Errors").get_by_role("button", name="Try again").click()
        expect(section(page, "Errors")).to_contain_text("card declined")
        assert rig.result["page_errors"] == []


@pytest.mark.parametrize("path", ["/services", "/service/checkout", "/service/" + quote(NASTY, safe="")])
def test_narrow_windows_and_names_of_any_kind(open_page, shop, path):
    with open_page(path, width=390, height=780) as rig:
        page = rig.page
        settle(rig)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
        assert page.locator('img[src="x"]').count() == 0 and not page.title().startswith("owned")
        if "img" in path:
            expect(page.get_by_role("heading", name="<img src=x")).to_be_visible()
        assert_accessible(rig)


def test_a_service_that_never_was(open_page, shop):
    with open_page("/service/nobody") as rig:
        page = rig.page
        expect(page.get_by_text("“Last hour” has no span of nobody.")).to_be_visible()
        settle(rig)
        expect(page.get_by_role("heading", name="Operations")).to_be_hidden()
        assert_accessible(rig)
        page.get_by_role("button", name="All time").click()
        expect(page.get_by_text("“All time” has no span of nobody.")).to_be_visible()
        page.get_by_role("button", name="All services").click()
        expect(row(page, "checkout")).to_be_visible()


def test_a_page_looks_the_same_whatever_was_open_before(open_page, shop):
    with open_page("/services?sort=name") as rig:
        page = rig.page
        look = """() => [...document.querySelectorAll('.service-row.head *')].map((e) => {
            const { left, top, width } = e.getBoundingClientRect();
            return [e.className, Math.round(left), Math.round(top), Math.round(width), getComputedStyle(e).textAlign];
        })"""
        expect(row(page, "checkout")).to_be_visible()
        settle(rig)
        before = page.evaluate(look)
        for name in ["Map", "Explore", "Live", "Services"]:
            page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
            expect(page.get_by_role("navigation").locator("[aria-current=page]")).to_have_attribute("aria-label", name)
            settle(rig)
        page.get_by_role("button", name="Service", exact=True).click()
        assert page.evaluate(look) == before
