# SPDX-License-Identifier: Apache-2.0
"""The details of a span and the views of a trace beside the waterfall, over names and values that mean harm."""

import base64
import json
import re
from urllib.parse import parse_qs, urlsplit

import otlp
import pytest
from page import assert_accessible, settle, shot, waterfall
from playwright.sync_api import expect

EVIL = '<img src=x onerror="document.title=1">'
STATEMENT = "SELECT id, total FROM orders WHERE user_id = 7 AND state = '<b>' ORDER BY id"
STACK = "CardError: declined\n" + "\n".join(f"    at shop.Card.charge(Card.java:{i})" for i in range(40))
LARGE = "x" * 180_000
JSON_VALUE = json.dumps({"items": [{"sku": "a", "n": 1}], "note": EVIL}).replace('"n": 1', '"n": 12345678901234567890')


@pytest.fixture(scope="module")
def traces(server):
    """A checkout that goes wrong, a job that links to it, and others of its operation to compare it with."""
    trace, job = otlp.trace_id(), otlp.trace_id()
    root, charge, query, work = (otlp.span_id() for _ in range(4))
    start = otlp.now() - 30 * 10**9
    ms = 10**6
    web = [otlp.span(trace, root, name=EVIL, kind=2, start=start, end=start + 100 * ms, attributes={"http.route": "/checkout", "": "no name", "‮rtl": "مرحبا 🧵", "user.id": "abc123"}, events=[{"name": "cart checked", "time_unix_nano": start + 5 * ms, "attributes": {"items": 3}}])]
    attributes = {
        "rpc.system": "grpc", "doc.url": "https://example.com/a?b=<c>", "bad.url": "javascript:alert(1)", "large.value": LARGE, "as.json": JSON_VALUE, "nested": {"a": [1, {"b": True}], "__proto__": "x"},
        "card.scheme": "visa", "http.response.status_code": 402, "error.type": "CardError", "zzz": 1.5,
    }
    declined = {"name": "exception", "time_unix_nano": start + 60 * ms, "attributes": {"exception.type": "CardError", "exception.message": f"declined {EVIL}", "exception.stacktrace": STACK}}
    links = [{"trace_id": job, "span_id": work}, {"trace_id": trace, "span_id": query}, {"trace_id": otlp.trace_id(), "span_id": otlp.span_id()}]
    pay = [otlp.span(trace, charge, root, name="charge", kind=3, start=start + 50 * ms, end=start + 90 * ms, attributes=attributes, events=[declined, {"name": "retry", "time_unix_nano": start + 55 * ms}], links=links, status={"code": 2, "message": "card declined"})]
    for i in range(20):
        pay.append(otlp.span(otlp.trace_id(), name="charge", kind=3, start=start - i * ms, end=start + ms))
    database = [otlp.span(trace, query if i == 0 else None, root, name="SELECT orders", kind=3, start=start + (10 + i) * ms, end=start + (11 + i) * ms, attributes={"db.system": "postgresql", "db.query.text": STATEMENT, "shard": f"s{i % 2}"}) for i in range(6)]
    for spans, service in ((web, "web"), (pay, "payment"), (database, "orders-db")):
        assert server.post(otlp.export(*spans, service=service)).status == 200
    assert server.post(otlp.export(otlp.span(job, work, name="settle", kind=5, links=[{"trace_id": trace, "span_id": charge}]), service="jobs")).status == 200
    record = {"timeUnixNano": str(start + 58 * ms), "severityNumber": 13, "severityText": "WARN", "body": {"stringValue": f"no funds {EVIL}"}, "traceId": trace.hex(), "spanId": charge.hex(), "attributes": [{"key": "log.key", "value": {"stringValue": "v"}}]}
    logs = {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "payment"}}]}, "scopeLogs": [{"logRecords": [record]}]}]}
    assert server.post(logs, path="/v1/logs").status == 200
    return {"trace": trace.hex(), "job": job.hex(), "root": root.hex(), "charge": charge.hex(), "query": query.hex(), "work": work.hex()}


@pytest.fixture
def open_view(open_page, traces):
    """open_view("table", …): the trace in one of its views."""
    return lambda view="", span="charge", **size: open_page(f"/trace/{traces['trace']}?span={traces[span]}&view={view}", **size)


def answer_matches(page, rows):
    """The server's answer about the rows of the trace that match what is looked for."""
    bits = base64.b64encode(bytes([sum(1 << row for row in rows)])).decode()
    page.route("**/matches?*", lambda route: route.fulfill(json={"spanCount": 8, "matchedSpans": len(rows), "rows": bits}))


def in_both_themes(rig, name):
    for theme in ("dark", "light"):
        rig.page.emulate_media(color_scheme=theme)
        shot(rig, f"views-{name}-{theme}")
        assert_accessible(rig)


def attribute(page, key):
    return page.locator(f'.attribute[data-key="{key}"]')


def test_details_of_a_span_that_means_harm(open_view):
    with open_view() as rig:
        page = rig.page
        waterfall(page)
        panel = page.get_by_role("complementary", name="Span")
        # Its duration stands among those of its operation, in words too.
        expect(panel.locator(".rank-head")).to_contain_text(re.compile(r"p9\d of 21\sspans, last 24 h"))
        expect(panel.get_by_role("img", name=re.compile(r"21\sspans of this operation, last 24 h: median"))).to_be_visible()
        expect(panel.get_by_text("card declined")).to_be_visible()
        # It still does after another span was looked at.
        page.get_by_role("treegrid").focus()
        page.keyboard.press("Home")
        expect(panel.locator(".rank-head")).to_contain_text("The only span of this operation, last 24 h.")
        page.keyboard.press("End")
        expect(panel.locator(".rank-head")).to_contain_text(re.compile(r"p9\d of 21\sspans, last 24 h"))
        # The critical path: the end waited for the charge.
        expect(panel.locator(".timing")).to_contain_text(re.compile(r"Critical path\s*40.0\sms"))
        # The exception, with all of its stack.
        expect(panel.locator(".exception")).to_contain_text(f"CardError declined {EVIL}")
        expect(panel.locator(".stack")).to_contain_text("Card.java:39")
        # Families, and values as what they are.
        headings = panel.locator("summary h3").all_inner_texts()
        assert [h.split()[0].lower() for h in headings][:6] == ["among", "exception", "error", "http", "rpc", "attributes"], headings
        expect(attribute(page, "doc.url").get_by_role("link")).to_have_attribute("rel", "noopener noreferrer")
        expect(attribute(page, "bad.url").get_by_role("link")).to_have_count(0)
        expect(attribute(page, "nested")).to_contain_text('"__proto__": "x"')
        pretty = attribute(page, "as.json").locator("pre")
        expect(pretty).to_contain_text(re.compile(r'\{\n\s+"items": \[\n'))
        expect(pretty).to_contain_text("12345678901234567890")
        attribute(page, "as.json").get_by_role("button", name="As sent").click()
        expect(pretty).to_have_text(JSON_VALUE)
        in_both_themes(rig, "details")
        # A large value shows its beginning, and the rest when asked.
        large = attribute(page, "large.value")
        assert len(large.inner_text()) < 3000
        large.get_by_role("button", name=re.compile(r"Show all \(176\sKiB\)")).click()
        assert len(large.inner_text()) >= len(LARGE)
        # Events in order, log records of this span, links both ways.
        assert panel.locator("details", has=page.get_by_role("heading", name="Events")).locator(".event-name").all_inner_texts() == ["retry", "exception"]
        expect(panel.locator("details", has=page.get_by_role("heading", name="Logs"))).to_contain_text(f"no funds {EVIL}")
        expect(panel.get_by_role("link", name="jobs settle")).to_have_count(2)
        expect(panel.get_by_role("button", name=re.compile("orders-db SELECT orders"))).to_be_visible()
        expect(panel.get_by_text("not stored here")).to_be_visible()
        panel.get_by_role("button", name="Links to it from any time").click()
        expect(panel.get_by_text("All links to it are shown.")).to_be_visible()
        assert_accessible(rig)
        assert rig.page.locator("img[src=x]").count() == 0 and rig.page.title() != "1"


def test_attributes_are_filtered_pinned_and_folded_and_stay_so(open_view):
    with open_view() as rig:
        page = rig.page
        waterfall(page)
        attribute(page, "card.scheme").hover()
        attribute(page, "card.scheme").get_by_role("button", name="Show card.scheme first").click()
        expect(page.locator("summary", has_text="Pinned")).to_be_visible()
        expect(attribute(page, "card.scheme").get_by_role("button", name="Show card.scheme in its place")).to_be_focused()
        page.locator("summary", has_text="HTTP").click()
        field = page.get_by_label("Filter attributes")
        field.fill("visa")
        expect(page.locator(".attribute-region .attribute")).to_have_count(1)
        field.fill("nothing like it")
        expect(page.get_by_text("No attribute has “nothing like it”.")).to_be_visible()
        assert_accessible(rig)
        field.press("Escape")
        page.reload()
        waterfall(page)
        expect(page.locator(".attribute-region summary").first).to_contain_text(re.compile("pinned", re.I))
        expect(attribute(page, "http.response.status_code")).to_be_hidden()
        expect(attribute(page, "rpc.system")).to_be_visible()


def test_a_value_is_looked_for_here_and_everywhere(open_view):
    with open_view(span="query") as rig:
        page = rig.page
        answer_matches(page, [1, 3, 5])
        waterfall(page)
        attribute(page, "shard").hover()
        attribute(page, "shard").get_by_role("button", name="Spans of this trace with this shard").click()
        expect(page.get_by_role("tab", name="Waterfall")).to_have_attribute("aria-selected", "true")
        expect(page).to_have_url(re.compile("f=shard"))
        page.go_back()
        attribute(page, "shard").hover()
        attribute(page, "shard").get_by_role("button", name="Traces with another shard").click()
        expect(page).to_have_url(re.compile("explore.*q=shard"))


def test_links_lead_there_and_back(open_view, traces):
    with open_view() as rig:
        page = rig.page
        waterfall(page)
        page.locator("details", has_text="Linked from").get_by_role("link", name="jobs settle").click()
        expect(page).to_have_url(re.compile(f"trace/{traces['job']}.*span={traces['work']}|trace/{traces['job']}"))
        expect(page.get_by_role("complementary", name="Span")).to_contain_text("settle")
        page.locator("details", has_text="Links to").get_by_role("link", name="payment charge").click()
        expect(page).to_have_url(re.compile(f"trace/{traces['trace']}.*span={traces['charge']}"))
        expect(page.get_by_role("complementary", name="Span")).to_contain_text("charge")


def test_the_table_groups_sorts_and_finds(open_view):
    with open_view("table") as rig:
        page = rig.page
        answer_matches(page, range(1, 7))
        rows = page.locator(".stats tbody tr")
        expect(rows).to_have_count(3)
        expect(rows.nth(0)).to_contain_text(EVIL)
        expect(rows.filter(has_text="SELECT orders")).to_contain_text(re.compile(r"6\s*0\s*6.00\sms\s*6.00\sms"))
        expect(rows.nth(0)).not_to_contain_text("…")
        page.get_by_role("button", name="Spans", exact=True).click()
        expect(page.get_by_role("columnheader", name="Spans")).to_have_attribute("aria-sort", "descending")
        expect(rows.nth(0)).to_contain_text("SELECT orders")
        expect(page).to_have_url(re.compile("sort=count"))
        in_both_themes(rig, "table")
        page.get_by_role("button", name="Kind").click()
        expect(rows.nth(0)).to_contain_text("client")
        # Any attribute, and its groups are known to the server.
        page.get_by_label("Group by an attribute").fill("shard")
        page.get_by_label("Group by an attribute").press("Enter")
        expect(rows).to_have_count(3)
        expect(rows.filter(has_text="without it")).to_contain_text("2")
        expect(page).to_have_url(re.compile("by=shard"))
        with page.expect_download() as download:
            page.get_by_role("button", name="CSV").click()
        text = download.value.path().read_text()
        assert text.startswith("shard,count,") and "\ns0,3,3,0,3,3," in text, text
        page.reload()
        expect(rows).to_have_count(3)
        page.get_by_role("button", name="Service").click()
        rows.filter(has_text="orders-db").get_by_role("cell").nth(2).click()
        waterfall(page)
        assert parse_qs(urlsplit(page.url).query)["f"] == ['service = "orders-db"']
        expect(page.locator(".found")).to_contain_text("6")


def test_the_flame_graph_is_walked_by_keys_and_told_in_words(open_view):
    with open_view("flame", span="root") as rig:
        page = rig.page
        tree = page.get_by_role("tree")
        chosen = tree.locator("[aria-selected=true]")
        expect(chosen).to_contain_text(f"web {EVIL}, total 100 ms · self 54.0 ms")
        tree.focus()
        page.keyboard.press("ArrowDown")
        expect(chosen).to_contain_text("payment charge, total 40.0 ms · self 40.0 ms · 40 % of all self time · 1 error")
        expect(chosen).to_have_attribute("aria-level", "2")
        page.keyboard.press("ArrowLeft")
        expect(chosen).to_contain_text("orders-db SELECT orders, ×6 · total 6.00 ms")
        page.keyboard.press("Enter")
        expect(page.get_by_role("navigation", name="Zoomed into")).to_contain_text("Whole trace")
        expect(page).to_have_url(re.compile("at="))
        in_both_themes(rig, "flame")
        page.keyboard.press("Escape")
        expect(page.get_by_role("navigation", name="Zoomed into")).to_be_hidden()
        page.get_by_role("button", name="By time").click()
        expect(chosen).to_contain_text("SELECT orders, total 1.00 ms")
        # A click on the frame of the charge, which lies right of the middle, chooses its span.
        box = tree.bounding_box()
        page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + 30)
        expect(page.get_by_role("complementary", name="Span")).to_contain_text("card declined")
        assert_accessible(rig)


def test_the_graph_shows_who_called_what(open_view):
    with open_view("graph", span="root") as rig:
        page = rig.page
        nodes = page.get_by_role("treeitem")
        expect(nodes).to_have_count(3)
        expect(page.get_by_role("treeitem", name=re.compile(r"orders-db SELECT orders, ×6 · self 6.00\sms · 6\s%"))).to_be_visible()
        page.get_by_role("tree").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("treeitem", selected=True)).to_have_attribute("aria-label", re.compile(r"payment charge.*1\serror"))
        expect(page.get_by_role("complementary", name="Span")).to_contain_text("card declined")
        in_both_themes(rig, "graph")
        page.get_by_role("treeitem", name=re.compile("SELECT orders")).click()
        expect(page.get_by_role("complementary", name="Span")).to_contain_text("SELECT orders")


def test_logs_and_events_stand_in_one_order(open_view):
    with open_view("logs", span="root") as rig:
        page = rig.page
        rows = page.locator(".log-row:visible")
        expect(rows).to_have_count(4)
        assert [re.sub(r"\s+", " ", row) for row in rows.all_inner_texts()] == [
            "+5.00 ms EVENT web cart checked", "+55.0 ms EVENT payment retry", f"+58.0 ms WARN payment no funds {EVIL}", f"+60.0 ms ERROR payment exception · CardError: declined {EVIL}",
        ]
        rows.nth(2).click()
        expect(page.get_by_role("complementary", name="Span")).to_contain_text("card declined")
        expect(page.get_by_role("region", name="The chosen entry")).to_contain_text("log.key")
        in_both_themes(rig, "logs")
        page.get_by_label("Severity").select_option("error")
        expect(rows).to_have_count(1)
        page.get_by_label("Severity").select_option("")
        page.get_by_label("Filter texts").fill("retry")
        expect(rows).to_have_count(1)
        expect(page).to_have_url(re.compile("words=retry"))
        page.get_by_label("Filter texts").fill("nobody says this")
        expect(page.get_by_text("No event or log record is like that.")).to_be_visible()


def test_raw_is_the_trace_or_one_span(open_view, traces):
    with open_view("raw") as rig:
        page = rig.page
        text = page.locator(".raw-text")
        expect(text).to_contain_text('"resourceSpans"')
        page.get_by_role("button", name="Selected span").click()
        expect(text).to_contain_text(f'"spanId": "{traces["charge"]}"')
        assert json.loads(text.text_content())["span"]["name"] == "charge"
        for name, member in (("OTLP JSON", "resourceSpans"), ("Jaeger JSON", "data")):
            with page.expect_download() as download:
                page.get_by_role("link", name=name).click()
            assert member in json.loads(download.value.path().read_text())
        assert_accessible(rig)


def test_a_narrow_window_does_not_scroll_sideways(open_view):
    with open_view(width=390, height=844) as rig:
        waterfall(rig.page)
        for view in ("Waterfall", "Flame", "Graph", "Table", "Logs", "Raw"):
            rig.page.get_by_role("tab", name=view).click()
            expect(rig.page.locator(".trace-stage > :first-child > *").first).to_be_visible()
            settle(rig)
            assert rig.page.evaluate("document.scrollingElement.scrollWidth") <= 390, view
            shot(rig, f"views-narrow-{view.lower()}")
