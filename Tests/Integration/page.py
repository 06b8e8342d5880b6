# SPDX-License-Identifier: Apache-2.0
"""What the tests of the page share: waiting, looking, and finding the parts that every page has."""

import re
from pathlib import Path

from playwright.sync_api import expect
from server import eventually

# A debug build on a busy machine takes its time; what is there already is seen at once.
expect.set_options(timeout=20_000)

SHOTS = Path(__file__).resolve().parents[2] / ".build" / "screenshots"


def settle(rig):
    """Nothing is on its way any more, and what was dimmed while waiting is back."""
    rig.page.wait_for_load_state("networkidle")
    calm(rig)


def calm(rig):
    """What was dimmed while waiting is back; a stream may go on."""
    expect(rig.page.locator(".waiting, [aria-busy=true]")).to_have_count(0)
    eventually(lambda: rig.page.evaluate("document.getAnimations().every(a => a.playState !== 'running')"))


def assert_accessible(rig, wait=settle):
    wait(rig)
    assert [(v["id"], v["help"], v["nodes"]) for v in rig.axe()] == []


def shot(rig, name, wait=settle):
    wait(rig)
    rig.shot(SHOTS / f"{name}.png")


def query_box(page):
    return page.get_by_role("combobox").first


def result_link(page, trace):
    return page.locator(f'a[href*="trace/{trace}"]').first


def waterfall(page):
    """The grid of spans, once it is drawn."""
    grid = page.get_by_role("treegrid")
    expect(grid).to_have_attribute("aria-rowcount", re.compile(r"\d"))
    expect(page.get_by_role("row").first).to_be_visible()
    return grid
