# SPDX-License-Identifier: Apache-2.0
"""Live, the palette, files that are dropped, and the page below a prefix, in a real browser."""

import gzip
import json
import re

import otlp
import pytest
from page import SHOTS, assert_accessible, query_box, settle, shot
from playwright.sync_api import expect
from server import eventually, request


def send(server, *, trace=None, parent=b"", name="GET /", service="gateway", error=False):
    trace = trace or otlp.trace_id()
    span = otlp.span_id()
    made = otlp.span(trace, span, parent, name=name, kind=2, status={"code": 2} if error else {})
    assert server.post(otlp.export(made, service=service)).status == 200
    return trace, span


def rows(page):
    return page.locator(".live-row:visible")


def assert_live_accessible(rig):
    """While the stream is open the network is never idle."""
    assert [(v["id"], v["help"], v["nodes"]) for v in rig.axe()] == []


def live(page):
    expect(page.locator(".live-state")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_traces_come_up_and_wait_while_somebody_reads(open_page, server, theme):
    with open_page("/live", theme) as rig:
        page = rig.page
        page.mouse.move(700, 10)
        live(page)
        expect(page.get_by_text("Waiting for traces")).to_be_visible()
        trace, root = send(server, name="POST /pay", error=True)
        first = page.locator(f'a[href*="{trace.hex()}"]')
        expect(first).to_contain_text("POST /pay")
        expect(first).to_contain_text("1 span")
        send(server, trace=trace, parent=root, name="charge", service="payment")
        expect(first).to_contain_text("2 spans")
        expect(rows(page)).to_have_count(1)

        first.hover()
        expect(page.get_by_text("Paused while you look")).to_be_visible()
        for i in range(3):
            send(server, name=f"GET /{i}")
        expect(page.get_by_role("button", name="Resume (3 new)")).to_be_visible()
        expect(rows(page)).to_have_count(1)
        rig.shot(SHOTS / f"live-{theme}.png")
        assert_live_accessible(rig)
        page.keyboard.press("p")
        expect(rows(page)).to_have_count(4)

        page.mouse.move(700, 10)
        page.keyboard.press("p")
        expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
        send(server, name="held")
        expect(page.get_by_role("button", name="Resume (1 new)")).to_be_visible()
        page.keyboard.press("p")
        expect(rows(page)).to_have_count(5)
        page.keyboard.press("j")
        expect(rows(page).filter(has_text="held")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/trace/"))
        expect(page.get_by_role("treegrid")).to_be_visible()
        # Whoever comes back finds the list as it was, and what comes goes on top.
        page.go_back()
        expect(rows(page)).to_have_count(5)
        live(page)
        send(server, name="afterwards")
        expect(rows(page)).to_have_count(6)


def test_live_shows_no_more_than_eyes_can_follow(open_page, server):
    with open_page("/live", height=400) as rig:
        page = rig.page
        page.mouse.move(700, 10)
        live(page)
        for _ in range(4):
            spans = [otlp.span(otlp.trace_id(), name="burst", kind=2) for _ in range(120)]
            assert server.post(otlp.export(*spans, service="gateway")).status == 200
        expect(page.get_by_text(re.compile(r"\+\d+.*/s not shown"))).to_be_visible()
        assert page.evaluate("document.querySelectorAll('*').length") < 1500
        # Scrolled down, nothing moves under the reader.
        page.locator(".live-scroller").evaluate("list => list.scrollTop = 56")
        expect(page.get_by_text("Paused while you read")).to_be_visible()
        top = rows(page).nth(5).get_attribute("href")
        send(server, name="later")
        expect(page.get_by_role("button", name=re.compile(r"Resume \(\d+ new\)"))).to_be_visible()
        assert rows(page).nth(5).get_attribute("href") == top
        assert page.locator(".live-scroller").evaluate("list => list.scrollTop") == 56


def test_a_refused_tail_says_why_and_is_asked_for_again(open_page, server):
    with open_page("/explore", complaints_allowed=True) as rig:
        page = rig.page
        problem = '{"status":503,"code":"busy","detail":"As many tails run as tails-max allows."}'
        page.route("**/tail*", lambda route: route.fulfill(status=503, body=problem))
        page.keyboard.press("g")
        page.keyboard.press("l")
        expect(page.get_by_text("As many tails run as tails-max allows.")).to_be_visible()
        expect(page.get_by_role("button", name="Now")).to_be_visible()
        assert_live_accessible(rig)
        page.unroute("**/tail*")
        # Perhaps it has asked again by itself meanwhile.
        page.evaluate("document.querySelector('.live-state button')?.click()")
        live(page)
        query_box(page).fill("error = ")
        query_box(page).press("Enter")
        expect(page.get_by_text("The query is not understood")).to_be_visible()
        query_box(page).fill("error = true")
        query_box(page).press("Enter")
        live(page)
        send(server, name="fine")
        send(server, name="broken", error=True)
        expect(rows(page)).to_have_count(1)
        expect(rows(page)).to_contain_text("broken")


def test_the_palette_goes_anywhere_by_keyboard(open_page, server):
    trace, _ = send(server, service="checkout-api")
    with open_page("/explore") as rig:
        page = rig.page
        query_box(page).focus()
        page.keyboard.press("Control+k")
        palette = page.get_by_role("dialog", name="Palette")
        box = palette.get_by_role("combobox")
        expect(box).to_be_focused()
        expect(palette.get_by_role("option").first).to_contain_text("Explore")
        shot(rig, "palette")
        assert_accessible(rig)
        page.keyboard.type("checkout-a")
        expect(palette.get_by_role("option")).to_have_count(3)
        page.keyboard.press("ArrowDown")
        active = box.get_attribute("aria-activedescendant")
        expect(page.locator(f"#{active}")).to_contain_text("Explore service = checkout-api")
        page.keyboard.press("Enter")
        expect(palette).to_have_count(0)
        expect(query_box(page)).to_have_value('service = "checkout-api"')
        page.keyboard.press("Control+k")
        expect(box).to_be_focused()
        page.keyboard.type("map checkout-api")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/map.*focus=checkout-api"))
        settle(rig)
        page.keyboard.press("Control+k")
        expect(box).to_be_focused()
        page.keyboard.type(trace.hex())
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/trace/{trace.hex()}"))
        page.keyboard.press("Control+k")
        expect(box).to_be_focused()
        page.keyboard.type("no such thing")
        expect(palette.get_by_text("Nothing has this name.")).to_be_visible()
        page.keyboard.press("Escape")
        expect(palette).to_have_count(0)


def zipkin(trace, name):
    span = {"traceId": trace, "id": "1" * 16, "name": name, "timestamp": otlp.now() // 1000, "duration": 900}
    return span | {"localEndpoint": {"serviceName": "from-a-file"}}


def drop(page, files):
    """Files as a hand drops them: name and text."""
    data = page.evaluate_handle(
        """files => {
          const data = new DataTransfer();
          for (const [name, text] of files) data.items.add(new File([text], name));
          return data;
        }""",
        files,
    )
    page.dispatch_event("main", "dragover", {"dataTransfer": data})
    assert "dropping" in page.locator("body").get_attribute("class")
    page.dispatch_event("main", "drop", {"dataTransfer": data})


def test_dropped_files_are_imported_and_lead_to_their_trace(open_page, server):
    trace = otlp.trace_id().hex()
    lines = [json.dumps(zipkin(trace, "whole")), json.dumps(zipkin("xyz", "bad")), "this is no JSON"]
    with open_page("/explore") as rig:
        page = rig.page
        settle(rig)
        url = page.url
        drop(page, [["spans.jsonl", "\n".join(lines)], ["notes.txt", "buy milk"]])
        dialog = page.get_by_role("dialog", name="Import")
        expect(dialog.get_by_text("imported")).to_be_visible()
        expect(dialog).to_contain_text("Zipkin")
        expect(dialog).to_contain_text("First in line 2")
        expect(dialog).to_contain_text("0 spans of 0 traces")
        assert page.url == url
        shot(rig, "import")
        assert_accessible(rig)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/trace/{trace}"))
        expect(page.get_by_text("from-a-file").first).to_be_visible()


def test_an_import_that_breaks_off_says_so(open_page):
    with open_page("/", complaints_allowed=True) as rig:
        page = rig.page
        page.route("**/api/skein/v1/import", lambda route: route.abort())
        settle(rig)
        drop(page, [["lost.json", "[]"]])
        expect(page.get_by_role("dialog", name="Import").get_by_text("Skein does not answer")).to_be_visible()
        assert rig.result["page_errors"] == []



def test_a_packed_file_that_was_chosen_leads_to_its_traces(open_page, server):
    traces = [otlp.trace_id().hex() for _ in range(2)]
    packed = gzip.compress(json.dumps([zipkin(t, "packed") for t in traces]).encode())
    with open_page("/explore") as rig:
        page = rig.page
        page.get_by_role("button", name="About and health").click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Import a trace file…").click()
        chooser.value.set_files([{"name": "old.json.gz", "mimeType": "application/gzip", "buffer": packed}])
        page.get_by_role("button", name="Show these traces").click()
        for trace in traces:
            expect(page.locator(f'a[href*="trace/{trace}"]')).to_be_visible()


def test_pinned_traces_are_listed_and_let_go(open_page, server):
    trace, _ = send(server, name="keep me")
    pin = f"/api/skein/v1/traces/{trace.hex()}/pin"
    headers = {"Content-Type": "application/json"}
    eventually(lambda: request(server.web, "POST", pin, b"", headers).status == 200)
    with open_page("/explore") as rig:
        page = rig.page
        page.get_by_role("button", name="About and health").click()
        page.get_by_role("button", name="Pinned traces").click()
        dialog = page.get_by_role("dialog", name="Pinned traces")
        expect(dialog.get_by_role("link", name="gateway keep me")).to_be_visible()
        assert_accessible(rig)
        dialog.get_by_role("button", name=re.compile("Let .* go")).click()
        expect(dialog.get_by_text("No trace is pinned")).to_be_visible()
        assert server.get("/api/skein/v1/pins").json["pins"] == []


PAGES = ["", "explore", "services", "service/shop", "map", "live", "compare"]


def test_every_page_works_below_a_prefix(open_page, serve):
    other = serve("data", "--base-path", "/skein")
    trace, _ = send(other, service="shop")
    with open_page("/explore") as rig:
        page = rig.page
        for path in [*PAGES, f"trace/{trace.hex()}"]:
            page.goto(f"{other.web}/skein/{path}")
            expect(page.locator(".rail [aria-current=page]")).to_be_visible()
            assert page.evaluate("location.pathname").startswith(f"/skein/{path}"), page.url
            links = page.locator(".rail a").evaluate_all("links => links.map(link => link.pathname)")
            assert all(link.startswith("/skein/") for link in links), links
            page.wait_for_load_state("load")
        page.goto(f"{other.web}/skein/live")
        live(page)


@pytest.mark.parametrize("path", ["/live", "/explore"])
def test_narrow_windows_hold_the_rail(open_page, path):
    with open_page(path, width=390, height=844) as rig:
        page = rig.page
        expect(page.get_by_role("link", name="Compare")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("document.querySelector('.rail').scrollWidth") <= 390
        for item in page.locator(".rail-item:visible").all():
            assert item.bounding_box()["width"] >= 24
        assert_live_accessible(rig)
