#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the page in a real Chromium: what it loads, how soon traces of 10 to 100,000 spans and a session of 100,000
steps stand, what scrolling and keys cost, what it takes in memory. Prints the table of docs/benchmarks.md.

Needs the packages of the integration tests: `make test` leaves them in .venv-test.

    .venv-test/bin/python bench/page.py --binary .build/release/skein

CPU figures are the renderer's main thread; wall figures are upper bounds on a machine that others use.
"""

import argparse
import contextlib
import gzip
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Integration"))

import browser  # noqa: E402
import orchestrations  # noqa: E402
import otlp  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from server import Server  # noqa: E402

SERVICES = ["gateway", "checkout", "payment", "inventory", "orders-db", "mail"]
ROWS = '[role="treegrid"] [role="row"][aria-rowindex]:not([hidden])'
LANES = ".lanes-scroller [role=row]"
# Moves time along by a wheel's turn in each frame, there and back, and answers when all frames are drawn.
PAN = """([frames, pixels]) => new Promise(done => {
    const scroller = document.querySelector('.lanes-scroller');
    const box = scroller.getBoundingClientRect();
    const where = { clientX: box.left + box.width / 2, clientY: box.top + 30, bubbles: true, cancelable: true };
    let frame = 0;
    const turn = () => {
        if (frame === frames) return done();
        scroller.dispatchEvent(new WheelEvent('wheel', { ...where, deltaX: frame++ < frames / 2 ? pixels : -pixels }));
        requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
})"""


def send_trace(server, count):
    """A trace of `count` spans: calls of some ninety statements each, some of them failing. Its id."""
    trace, root, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 60 * 10**9
    batches = {name: [] for name in SERVICES}
    batches["gateway"].append(otlp.span(trace, root, name="POST /bulk-order", kind=2, start=start, end=start + 20 * 10**9))
    made, call, at, index = 1, root, start, 0
    step = 19 * 10**9 // max(1, count)
    while made < count:
        if index % 90 == 0:
            call, at = otlp.span_id(), start + made * step
            failed = {"status": {"code": 2, "message": "card declined"}} if index % 1530 == 0 else {}
            span = otlp.span(trace, call, root, name=f"step {index // 90 % 40}", kind=3, start=at, end=at + 90 * step, **failed)
            batches[SERVICES[1 + index // 90 % 3]].append(span)
        else:
            begin = start + made * step
            name = ["SELECT orders", "UPDATE stock", "GET /price", "publish mail"][index % 4]
            attributes = {"db.query.text": "SELECT * FROM orders WHERE id = $1", "row": index}
            service = "mail" if index % 7 == 0 else "orders-db"
            batches[service].append(otlp.span(trace, parent=call, name=name, kind=3, start=begin, end=begin + step, attributes=attributes))
        made, index = made + 1, index + 1
    for service, spans in batches.items():
        for i in range(0, len(spans), 1000):
            answer = server.post(otlp.export(*spans[i : i + 1000], service=service))
            assert answer.status == 200, answer
    return trace.hex()


class Bench:
    def __init__(self, chromium, server):
        self.chromium = chromium
        self.server = server
        self.lines = []

    def tell(self, what, budget, measured):
        self.lines.append((what, budget, measured))
        print(f"| {what} | {budget} | {measured} |", flush=True)

    @contextlib.contextmanager
    def page(self, path=None):
        context = self.chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        context.set_default_timeout(60_000)
        context.add_init_script(browser.PROBE)
        page = context.new_page()
        rig = browser.Rig(page, SimpleNamespace(axe_js=None, allow_external=False))
        # Watched, not routed: what passes through this program would be measured too.
        page.on("request", lambda request: urlsplit(request.url).hostname in browser.LOOPBACK or rig.result["network"]["external"].append(request.url))
        if path is not None:
            page.goto(self.server.web + path, wait_until="load")
        yield rig
        said = rig.result
        context.close()
        assert said["network"]["external"] == [] and said["page_errors"] == [], said

    def explore(self):
        rounds = []
        for _ in range(5):
            with self.page() as rig:
                began = time.perf_counter()
                rig.page.goto(self.server.web + "/explore", wait_until="load")
                rig.page.locator('a[href*="trace/"]').first.wait_for()
                ready = (time.perf_counter() - began) * 1000
                early = rig.page.evaluate(browser.LOAD_REPORT)
                rig.page.wait_for_load_state("networkidle")
                rounds.append((ready, rig.page.evaluate(browser.LOAD_REPORT)))
        ready = statistics.median(r for r, _ in rounds)
        load = rounds[-1][1]
        fcp = statistics.median(r["fcp_ms"] for _, r in rounds)
        self.tell("Explore: first paint / results (wall, median of 5)", "400 / 900 ms", f"{fcp:.0f} / {ready:.0f} ms")
        for at, when, budget in [(early, "before the results", "120 KB (40); 20"), (load, "with all that comes after them", "")]:
            js = f"{at['kb']['js']:.0f} KB ({at['kb_on_wire']['js']:.0f}); {at['requests']}"
            self.tell(f"Explore: JS, plain (on the wire); requests, {when}", budget, js)
        self.tell("Explore: CSS; layout shift", "45 KB; 0.02", f"{load['kb']['css']:.0f} KB; {load['layout_shift']}")
        files = [p for p in (ROOT / "web").rglob("*.js") if "tests" not in p.parts]
        plain = sum(p.stat().st_size for p in files) / 1024
        packed = sum(len(gzip.compress(p.read_bytes(), 6)) for p in files) / 1024
        self.tell("All routes: JS, plain (gzip)", "350 KB (110)", f"{plain:.0f} KB ({packed:.0f})")

    def open_trace(self, rig, trace):
        """Milliseconds of wall time to the first rows, and until nothing is on its way."""
        began = time.perf_counter()
        rig.page.evaluate("path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", f"/trace/{trace}")
        rig.page.locator(ROWS).first.wait_for()
        first = (time.perf_counter() - began) * 1000
        rig.page.locator('.trace-page:not([aria-busy="true"])').first.wait_for()
        rig.page.wait_for_load_state("networkidle")
        # Playwright calls the network idle after half a second of silence.
        return first, (time.perf_counter() - began) * 1000 - 500

    def traces(self, small, medium, large):
        for trace, name, budget in [(medium, "10,000", "500 ms"), (large, "100,000", "1,500 / 2,500 ms")]:
            rounds = []
            for _ in range(3):
                with self.page("/explore") as rig:
                    rig.page.locator('a[href*="trace/"]').first.wait_for()
                    rounds.append(self.open_trace(rig, trace))
            first, done = min(rounds)
            self.tell(f"Trace of {name}: first rows / all done (wall, best of 3)", budget, f"{first:.0f} / {done:.0f} ms")
        answer = self.server.get(f"/api/skein/v1/traces/{large}/skeleton")
        with self.page("/explore") as rig:
            parse = rig.page.evaluate(
                """async (path) => { const text = await (await fetch(path)).text(); let best = Infinity;
                for (let i = 0; i < 5; i++) { const t = performance.now(); JSON.parse(text); best = Math.min(best, performance.now() - t); }
                return best; }""",
                f"/api/skein/v1/traces/{large}/skeleton",
            )
        packed = len(gzip.compress(answer.body, 6)) / 2**20
        self.tell("Skeleton of 100,000: raw (gzip); parse", "6 MB (2.5); 80 ms", f"{len(answer.body) / 2**20:.1f} MB ({packed:.1f}); {parse:.0f} ms")
        self.large(large)
        rss = {}
        for trace in (small, large):
            with self.page(f"/trace/{trace}") as rig:
                rig.page.locator(ROWS).first.wait_for()
                rig.page.wait_for_load_state("networkidle")
                rss[trace] = rig.memory()
        grown = rss[large].get("renderer_rss_mb", 0) - rss[small].get("renderer_rss_mb", 0)
        self.tell("Memory: 100,000 spans against 10; DOM nodes", "+60 MB; 1,500", f"+{grown:.0f} MB; {rss[large]['dom_nodes']:,}")
        with self.page("/explore") as rig:
            self.open_trace(rig, medium)
            before = rig.memory()["heap_mb"]
            for _ in range(10):
                self.open_trace(rig, small)
                self.open_trace(rig, medium)
            grown = rig.memory()["heap_mb"] - before
            self.tell("Leak: ten traces of 10,000 opened and left", "5 MB", f"{grown:+.1f} MB")

    def large(self, trace):
        with self.page(f"/trace/{trace}") as rig:
            page = rig.page
            page.locator(ROWS).first.wait_for()
            page.wait_for_load_state("networkidle")
            with tempfile.NamedTemporaryFile(suffix=".json") as file:
                with rig.trace(file.name):
                    scroll = rig.scroll('[role="treegrid"]', ms=2500, speed=4000, repeat=3)
            tasks = rig.result["trace"].get("scroll", {})
            self.tell("Scroll at 4,000 px/s: CPU a frame; longest task", "6; 16 CPU-ms",
                      f"{scroll['cpu_ms_per_frame']}; {tasks.get('task_cpu_max_ms', '?')} CPU-ms ({scroll['fps']} fps)")
            grid = page.get_by_role("treegrid")
            grid.focus()
            page.keyboard.press("Home")
            self.keys(rig, "Select the next span", "ArrowDown", 20, "50 ms")
            self.keys(rig, "Zoom in", "+", 5, "50 ms")
            self.keys(rig, "Whole trace", "0", 1, "50 ms")
            self.keys(rig, "Collapse all", "_", 1, "50 CPU-ms")
            self.keys(rig, "Expand all", "*", 1, "50 ms")
            self.keys(rig, "Fold repeats on or off", "f", 2, "50 ms")
            page.keyboard.press("/")
            page.wait_for_timeout(100)
            self.keys(rig, "A letter of a search in names", ["s", "e", "l"], 1, "50 ms")
            page.keyboard.press("Escape")

    def keys(self, rig, what, keys, times, budget):
        keys = keys if isinstance(keys, list) else [keys]
        with rig.measure("key") as out:
            for _ in range(times):
                for key in keys:
                    rig.page.keyboard.press(key)
                    rig.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.tell(f"{what}: CPU to paint", budget, f"{out['cpu_ms'] / times / len(keys):.1f} CPU-ms")

    def session(self, session):
        """A session of 100,000 steps, opened from another page: its lanes, and moving along them."""
        path = f"/agents/session/{session}"
        rounds = []
        for _ in range(3):
            with self.page("/explore") as rig:
                rig.page.wait_for_load_state("networkidle")
                began = time.perf_counter()
                rig.page.evaluate("path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path)
                rig.page.locator(LANES).first.wait_for()
                rig.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
                rounds.append((time.perf_counter() - began) * 1000)
        self.tell("Session of 100,000 steps: first lanes (wall, best of 3)", "1,500 ms", f"{min(rounds):.0f} ms")
        with self.page(path) as rig:
            page = rig.page
            page.locator(LANES).first.wait_for()
            page.wait_for_load_state("networkidle")
            rss = rig.memory()
            for window in ("0.1-0.9", "0.4-0.5", "0.4995-0.5005"):
                page.evaluate("path => { history.replaceState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", f"{path}?z={window}")
                page.wait_for_timeout(500)
                runs = []
                for _ in range(3):
                    with rig.measure("pan") as out:
                        page.evaluate(PAN, [120, 24])
                    runs.append(out)
                best = min(runs, key=lambda run: run["cpu_ms_per_frame"])
                self.tell(f"Lanes of 100,000, window {window}: CPU a frame of panning; of it script", "16 CPU-ms",
                          f"{best['cpu_ms_per_frame']}; {best['script_ms'] / best['frames']:.1f} CPU-ms ({best['fps']} fps)")
            self.tell("Lanes of 100,000: renderer; DOM nodes", "", f"{rss.get('renderer_rss_mb', 0):.0f} MB; {rss['dom_nodes']:,}")

    def live(self):
        with self.page("/live") as rig:
            rig.page.wait_for_timeout(1000)
            sender = self.server
            with rig.measure("live") as out:
                ends = time.monotonic() + 20
                while time.monotonic() < ends:
                    sender.post(otlp.export(*[otlp.span(otlp.trace_id(), name=f"GET /{i}") for i in range(10)], service="live"))
                    rig.page.wait_for_timeout(500)
            self.tell("Live, 20 rows/s for 20 s: share of a core", "8 %", f"{100 * out['cpu_ms'] / out['wall_ms']:.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=ROOT / ".build" / "release" / "skein")
    parser.add_argument("--web", type=Path, help="read the page from this folder instead of the binary")
    parser.add_argument("--browser", help="path or name of Chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skein-page-") as folder, sync_playwright() as playwright:
        more = ["--web-dir", str(options.web.resolve())] if options.web else []
        server = Server(options.binary.resolve(), Path(folder) / "data", *more, log=Path(folder) / "log").start()
        chromium = playwright.chromium.launch(
            executable_path=browser.find_browser(options.browser), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            small, medium, large = (send_trace(server, count) for count in (10, 10_000, 100_000))
            for i in range(40):
                spans = [otlp.span(otlp.trace_id(), name=f"GET /{j}", kind=2, start=otlp.now() - (i * 50 + j) * 10**9) for j in range(50)]
                server.post(otlp.export(*spans, service=SERVICES[i % 6]))
            print("| What | Budget | Measured |\n|---|---|---|")
            bench = Bench(chromium, server)
            bench.explore()
            bench.traces(small, medium, large)
            bench.session(orchestrations.long(otlp.now() - 3 * 3600 * 10**9, 100_000).send(server).sessions[0].id)
            bench.live()
        finally:
            chromium.close()
            server.stop()


if __name__ == "__main__":
    main()
