#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drive a real Chromium against a page on loopback and report what a user would feel.

Needs:
  Debian   chromium, fonts-dejavu-core        (apt-get install --no-install-recommends)
  PyPI     playwright                         (the driver only; 'playwright install' is not needed)
           axe-playwright-python              (only for --axe: it ships axe.min.js)

Examples:
  browser.py http://127.0.0.1:8080/ --screenshot home.png
  browser.py URL --scroll '#waterfall' --max scroll.frame_ms.p95=25 --max scroll.long_tasks=0
  browser.py URL --actions search_flow.py --axe --theme dark --json result.json
  browser.py URL -c "page.fill('#q', 'service=api'); page.keyboard.press('Enter')"

An actions file (or -c snippet) is plain Python. In scope:
  page      the Playwright page (sync API), already loaded
  rig       rig.measure(name)              context manager: frames, long tasks, CPU, heap
            rig.scroll(selector, ms=, speed=, repeat=)
                                           a measured wheel scroll through the browser's input path
            rig.shot(path)                 PNG of the viewport
            rig.check(ok, message)         recorded; a false one makes the exit status 1
            rig.axe(selector=None)         accessibility violations (list)
            rig.note(key, value)           anything else to put into the result
  args      everything after '--' on the command line

The result is one JSON object on standard output (or in --json FILE).
Exit status: 0 all well; 1 a check, a budget, a page error or a console error failed;
2 the page could not be opened, the actions raised, or the arguments were wrong.

Requests that leave loopback are blocked and reported (network.external), so a page that
leans on a CDN shows up. Frame times come from requestAnimationFrame in a software-rendered
headless browser, in wall time: on a busy machine (load_average) compare cpu_ms_per_frame and,
with --trace, trace.NAME.task_cpu_max_ms instead, which count CPU time only.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1", "[::1]"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE_PACKAGES = (
    ("axe_playwright_python", "axe.min.js"),
    ("axe_selenium_python", "node_modules/axe-core/axe.min.js"),
)
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TRACE_CATEGORIES = [
    "toplevel",
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
    "blink.user_timing",
    "v8.execute",
    "loading",
]

# Installed before any script of the page: long tasks and layout shifts from the first moment,
# and a frame sampler that rig.measure() switches on and off.
PROBE = """
(() => {
  const rig = { longTasks: [], shifts: 0, lcp: 0, frames: null };
  const watch = (type, fn) => {
    try { new PerformanceObserver(l => l.getEntries().forEach(fn)).observe({ type, buffered: true }); }
    catch (e) {}
  };
  watch('longtask', e => rig.longTasks.push([e.startTime, e.duration]));
  watch('layout-shift', e => { if (!e.hadRecentInput) rig.shifts += e.value; });
  watch('largest-contentful-paint', e => { rig.lcp = e.startTime; });
  const sample = frames => {
    const tick = t => { if (rig.frames === frames) { frames.push(t); requestAnimationFrame(tick); } };
    requestAnimationFrame(tick);
  };
  rig.start = name => {
    performance.mark('rig-start:' + name);
    rig.frames = []; rig.t0 = performance.now(); sample(rig.frames);
  };
  rig.stop = name => {
    performance.mark('rig-stop:' + name);
    const out = { frames: rig.frames, t0: rig.t0, t1: performance.now(),
                  longTasks: rig.longTasks.filter(x => x[0] + x[1] >= rig.t0) };
    rig.frames = null;
    return out;
  };
  Object.defineProperty(window, '__rig', { value: rig });
})();
"""

LOAD_REPORT = """
() => {
  const nav = performance.getEntriesByType('navigation')[0] || {};
  const fcp = performance.getEntriesByName('first-contentful-paint')[0];
  const kind = r => {
    const path = new URL(r.name, location).pathname;
    if (r.initiatorType === 'script' || /\\.m?js$/.test(path)) return 'js';
    if (/\\.css$/.test(path)) return 'css';
    if (r.initiatorType === 'fetch' || r.initiatorType === 'xmlhttprequest') return 'data';
    return 'other';
  };
  const kb = { js: 0, css: 0, data: 0, other: 0 }, wire = { js: 0, css: 0, data: 0, other: 0 };
  let count = 1;
  for (const r of performance.getEntriesByType('resource')) {
    count++;
    kb[kind(r)] += (r.decodedBodySize || 0) / 1024;
    wire[kind(r)] += (r.encodedBodySize || 0) / 1024;
  }
  kb.html = (nav.decodedBodySize || 0) / 1024;
  wire.html = (nav.encodedBodySize || 0) / 1024;
  const round = o => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, Math.round(v * 10) / 10]));
  return {
    ttfb_ms: Math.round(nav.responseStart || 0),
    dom_ready_ms: Math.round(nav.domContentLoadedEventEnd || 0),
    load_ms: Math.round(nav.loadEventEnd || 0),
    fcp_ms: fcp ? Math.round(fcp.startTime) : null,
    lcp_ms: Math.round(__rig.lcp) || null,
    layout_shift: Math.round(__rig.shifts * 10000) / 10000,
    long_tasks: __rig.longTasks.length,
    long_task_max_ms: Math.round(Math.max(0, ...__rig.longTasks.map(x => x[1]))),
    requests: count,
    kb: round(kb),
    kb_on_wire: round(wire),
  };
}
"""


def percentile(values, p):
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))], 2)


def find_browser(named):
    for name in [named] if named else BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    sys.exit(
        "browser.py: no browser found (tried %s); install the Debian package chromium" % (named or ", ".join(BROWSERS))
    )


def find_axe(named):
    if named:
        return Path(named)
    for package, inner in AXE_PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            path = Path(spec.origin).parent / inner
            if path.is_file():
                return path
    sys.exit("browser.py: axe.min.js not found; pip install axe-playwright-python, or give --axe-js")


class Rig:
    """One page, its CDP session, and everything measured on it."""

    def __init__(self, page, options):
        self.page = page
        self.options = options
        self.cdp = page.context.new_cdp_session(page)
        self.result = {"checks": [], "console": [], "page_errors": [], "network": {"external": [], "failed": []}}
        self.cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.on("console", self._console)
        page.on("pageerror", lambda e: self.result["page_errors"].append(str(e)))
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def _console(self, message):
        if message.type in ("error", "warning"):
            where = message.location or {}
            self.result["console"].append(
                {
                    "type": message.type,
                    "text": message.text[:500],
                    "at": "%s:%s" % (where.get("url", ""), where.get("lineNumber", "")),
                }
            )

    def _failed(self, request):
        if urlsplit(request.url).hostname in LOOPBACK:
            self.result["network"]["failed"].append({"url": request.url, "why": request.failure})

    def _response(self, response):
        if response.status >= 400:
            self.result["network"]["failed"].append({"url": response.url, "why": "HTTP %d" % response.status})

    def guard(self, route):
        url = urlsplit(route.request.url)
        if url.scheme in ("data", "blob") or url.hostname in LOOPBACK or self.options.allow_external:
            return route.continue_()
        self.result["network"]["external"].append(route.request.url)
        return route.abort()

    def note(self, key, value):
        self.result[key] = value

    def check(self, ok, message):
        self.result["checks"].append({"ok": bool(ok), "message": message})
        return bool(ok)

    def shot(self, path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(path))

    def counters(self):
        metrics = {m["name"]: m["value"] for m in self.cdp.send("Performance.getMetrics")["metrics"]}
        keep = (
            "TaskDuration",
            "ScriptDuration",
            "LayoutDuration",
            "RecalcStyleDuration",
            "LayoutCount",
            "RecalcStyleCount",
            "JSHeapUsedSize",
            "Nodes",
            "JSEventListeners",
        )
        return {k: metrics.get(k, 0) for k in keep}

    def memory(self):
        """Heap after a collection, DOM size, and the renderer's resident memory."""
        self.cdp.send("HeapProfiler.collectGarbage")
        counters = self.counters()
        out = {"heap_mb": round(counters["JSHeapUsedSize"] / 2**20, 1), "dom_nodes": int(counters["Nodes"])}
        rss = self._renderer_rss()
        if rss:
            out["renderer_rss_mb"] = round(rss / 2**20, 1)
        return out

    def _renderer_rss(self):
        try:
            browser = self.page.context.browser.new_browser_cdp_session()
            infos = browser.send("SystemInfo.getProcessInfo")["processInfo"]
            browser.detach()
            sizes = []
            for info in infos:
                if info["type"] == "renderer":
                    pages = int(Path("/proc/%d/statm" % info["id"]).read_text().split()[1])
                    sizes.append(pages * os.sysconf("SC_PAGE_SIZE"))
            return max(sizes, default=0)
        except Exception:
            return 0

    @contextlib.contextmanager
    def measure(self, name):
        """Frames, long tasks and main-thread CPU of whatever happens inside the block."""
        before = self.counters()
        self.page.evaluate("n => __rig.start(n)", name)
        out = self.result[name] = {}
        try:
            yield out
        finally:
            got = self.page.evaluate("n => __rig.stop(n)", name)
            after = self.counters()
            frames = got["frames"]
            gaps = [b - a for a, b in zip(frames, frames[1:])]
            wall = got["t1"] - got["t0"]
            cpu = (after["TaskDuration"] - before["TaskDuration"]) * 1000
            out.update(
                {
                    "wall_ms": round(wall),
                    "frames": len(frames),
                    "fps": round(1000 * len(gaps) / sum(gaps), 1) if gaps and sum(gaps) else None,
                    "frame_ms": {
                        "p50": percentile(gaps, 50),
                        "p95": percentile(gaps, 95),
                        "p99": percentile(gaps, 99),
                        "max": round(max(gaps), 2) if gaps else None,
                    },
                    "slow_frames": sum(g > 25 for g in gaps),
                    "long_tasks": len(got["longTasks"]),
                    "long_task_max_ms": round(max((d for _, d in got["longTasks"]), default=0)),
                    "cpu_ms": round(cpu, 1),
                    "cpu_ms_per_frame": round(cpu / len(frames), 2) if frames else None,
                    "script_ms": round((after["ScriptDuration"] - before["ScriptDuration"]) * 1000, 1),
                    "layout_ms": round(
                        (
                            after["LayoutDuration"]
                            + after["RecalcStyleDuration"]
                            - before["LayoutDuration"]
                            - before["RecalcStyleDuration"]
                        )
                        * 1000,
                        1,
                    ),
                    "layouts": int(after["LayoutCount"] - before["LayoutCount"]),
                    "heap_growth_mb": round((after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 2**20, 2),
                }
            )

    def scroll(self, selector="window", ms=3000, speed=4000, name="scroll", repeat=1):
        """Scroll down for ms at speed px/s with wheel events over the element, and measure it.

        With repeat, the run with the lowest 95th percentile frame is kept: the others met more noise.
        """
        if selector in ("window", "body", ""):
            size = self.page.viewport_size
            x, y = size["width"] / 2, size["height"] / 2
        else:
            box = self.page.locator(selector).first.bounding_box()
            if not box:
                raise ValueError("nothing visible matches %r" % selector)
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        runs = []
        for _ in range(max(1, repeat)):
            with self.measure(name) as out:
                self.cdp.send(
                    "Input.synthesizeScrollGesture",
                    {
                        "x": x,
                        "y": y,
                        "yDistance": -speed * ms / 1000,
                        "speed": speed,
                        "gestureSourceType": "mouse",
                        "preventFling": True,
                    },
                )
            runs.append(out)
        best = min(runs, key=lambda r: r["frame_ms"]["p95"] or float("inf"))
        best["runs"] = len(runs)
        self.result[name] = best
        return best

    def axe(self, selector=None, tags=None):
        if not self.page.evaluate("!!window.axe"):
            self.page.evaluate(find_axe(self.options.axe_js).read_text(encoding="utf-8"))
        found = self.page.evaluate(
            "([sel, tags]) => axe.run(sel || document, { runOnly: { type: 'tag', values: tags },"
            " resultTypes: ['violations', 'incomplete'] })",
            [selector, tags or WCAG_AA],
        )
        violations = [
            {
                "id": v["id"],
                "impact": v["impact"],
                "help": v["help"],
                "count": len(v["nodes"]),
                "nodes": [
                    {"target": n["target"], "why": (n.get("failureSummary") or "")[:300]} for n in v["nodes"][:5]
                ],
            }
            for v in found["violations"]
        ]
        self.result.setdefault(
            "axe", {"version": found["testEngine"]["version"], "violations": [], "incomplete": 0, "passes": 0}
        )
        self.result["axe"]["violations"] += violations
        self.result["axe"]["incomplete"] += len(found["incomplete"])
        self.result["axe"]["passes"] += len(found["passes"])
        return violations

    @contextlib.contextmanager
    def trace(self, path):
        if not path:
            yield
            return
        browser = self.page.context.browser
        browser.start_tracing(page=self.page, path=path, categories=TRACE_CATEGORIES)
        try:
            yield
        finally:
            browser.stop_tracing()
        self.result["trace"] = summarise_trace(path)


def summarise_trace(path):
    """For each name, over all its measured blocks: main-thread tasks by CPU time, and frames drawn and dropped.

    A task's wall time grows when other programs hold the processor; its CPU time does not.
    """
    events = json.loads(Path(path).read_text(encoding="utf-8"))["traceEvents"]
    marks = sorted(
        (e for e in events if e.get("name", "").startswith(("rig-start:", "rig-stop:"))), key=lambda e: e["ts"]
    )
    begun, blocks = {}, {}
    for e in marks:
        kind, _, name = e["name"].partition(":")
        if kind == "rig-start":
            begun[name] = e
        elif name in begun:
            start = begun.pop(name)
            blocks.setdefault(name, []).append((start["ts"], e["ts"], start["pid"], start["tid"]))
    out = {}
    for name, spans in blocks.items():
        tasks, drawn, dropped = [], 0, 0
        for begin, end, pid, tid in spans:
            for e in events:
                if e.get("pid") != pid or not begin <= e.get("ts", 0) <= end:
                    continue
                drawn += e["name"] == "DrawFrame"
                dropped += e["name"] == "DroppedFrame"
                if (
                    e.get("tid") == tid
                    and e.get("ph") == "X"
                    and "tdur" in e
                    and e["name"] in ("RunTask", "ThreadControllerImpl::RunTask")
                ):
                    tasks.append(e["tdur"] / 1000)
        out[name] = {
            "blocks": len(spans),
            "task_cpu_max_ms": round(max(tasks, default=0), 1),
            "tasks_over_16ms_cpu": sum(t > 16 for t in tasks),
            "tasks_over_50ms_cpu": sum(t > 50 for t in tasks),
            "frames_drawn": drawn,
            "frames_dropped": dropped,
        }
    return out


def lookup(result, dotted):
    value = result
    for part in dotted.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def apply_budgets(rig, options):
    for flag, budgets in (("max", options.max), ("min", options.min)):
        for text in budgets:
            key, _, limit = text.partition("=")
            try:
                value, limit = float(lookup(rig.result, key)), float(limit)
            except (KeyError, IndexError, TypeError, ValueError):
                rig.check(False, "--%s %s: no such number in the result" % (flag, text))
                continue
            ok = value <= limit if flag == "max" else value >= limit
            rig.check(ok, "%s is %g (%s %g)" % (key, value, "at most" if flag == "max" else "at least", limit))


def parse(argv):
    extra = []
    if "--" in argv:
        cut = argv.index("--")
        argv, extra = argv[:cut], argv[cut + 1 :]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("url")
    p.add_argument("--actions", metavar="FILE", help="Python run once the page is loaded ('-': standard input)")
    p.add_argument("-c", "--code", help="the same, given on the command line")
    p.add_argument("--wait-for", metavar="SELECTOR", help="the page counts as ready when this is visible")
    p.add_argument("--ready-js", metavar="EXPR", help="... and when this JavaScript expression is true")
    p.add_argument("--screenshot", metavar="PNG", help="taken at the end")
    p.add_argument("--scroll", metavar="SELECTOR", help="measure a wheel scroll over this ('window': the page)")
    p.add_argument("--scroll-ms", type=int, default=3000)
    p.add_argument("--repeat", type=int, default=1, help="scroll this many times and keep the least disturbed")
    p.add_argument("--scroll-speed", type=int, default=4000, help="pixels a second")
    p.add_argument("--axe", action="store_true", help="run axe-core (WCAG 2.x A and AA) at the end")
    p.add_argument("--axe-js", metavar="FILE", help="an axe.min.js of your own")
    p.add_argument(
        "--trace", metavar="FILE", help="write a Chrome performance trace (opens in Perfetto); adds tasks by CPU time"
    )
    p.add_argument("--viewport", default="1440x900")
    p.add_argument("--scale", type=float, default=1, help="device pixel ratio")
    p.add_argument("--theme", choices=("light", "dark"), default="light", help="prefers-color-scheme")
    p.add_argument("--reduced-motion", action="store_true")
    p.add_argument("--timezone", help="IANA name, for example Asia/Kolkata")
    p.add_argument("--cpu-slowdown", type=float, default=1, help="emulate a CPU this many times slower")
    p.add_argument("--timeout", type=float, default=30, help="seconds for each step")
    p.add_argument("--max", action="append", default=[], metavar="KEY=N", help="fail if the result's KEY is above N")
    p.add_argument("--min", action="append", default=[], metavar="KEY=N", help="fail if the result's KEY is below N")
    p.add_argument("--allow-console-errors", action="store_true")
    p.add_argument("--allow-external", action="store_true", help="let requests leave loopback")
    p.add_argument("--browser", help="name or path of the browser")
    p.add_argument("--json", metavar="FILE", help="write the result here instead of standard output")
    options = p.parse_args(argv)
    options.extra = extra
    try:
        options.width, options.height = map(int, options.viewport.lower().split("x"))
    except ValueError:
        p.error("--viewport takes WIDTHxHEIGHT")
    if not options.allow_external and urlsplit(options.url).hostname not in LOOPBACK:
        p.error("the URL is not on loopback (see --allow-external)")
    return options


def run(options):
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        sys.exit("browser.py: pip install playwright")
    with sync_playwright() as pw:
        browser = pw.chromium.launch(
            executable_path=find_browser(options.browser),
            headless=True,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--enable-precise-memory-info",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE ::1"
                if not options.allow_external
                else "--no-first-run",
            ],
        )
        context = browser.new_context(
            viewport={"width": options.width, "height": options.height},
            device_scale_factor=options.scale,
            color_scheme=options.theme,
            reduced_motion="reduce" if options.reduced_motion else "no-preference",
            timezone_id=options.timezone,
        )
        context.set_default_timeout(options.timeout * 1000)
        context.add_init_script(PROBE)
        page = context.new_page()
        rig = Rig(page, options)
        rig.result["browser"] = browser.version
        rig.result["load_average"] = round(os.getloadavg()[0], 1)
        context.route("**/*", rig.guard)
        if options.cpu_slowdown != 1:
            rig.cdp.send("Emulation.setCPUThrottlingRate", {"rate": options.cpu_slowdown})
        status = 0
        try:
            with rig.trace(options.trace):
                started = time.monotonic()
                page.goto(options.url, wait_until="load")
                if options.wait_for:
                    page.locator(options.wait_for).first.wait_for(state="visible")
                if options.ready_js:
                    page.wait_for_function(options.ready_js)
                rig.result["ready_ms"] = round((time.monotonic() - started) * 1000)
                page.wait_for_timeout(100)
                rig.result["load"] = page.evaluate(LOAD_REPORT)
                if options.actions or options.code:
                    if options.code:
                        name, source = "<code>", options.code
                    elif options.actions == "-":
                        name, source = "<stdin>", sys.stdin.read()
                    else:
                        name, source = options.actions, Path(options.actions).read_text(encoding="utf-8")
                    exec(compile(source, name, "exec"), {"page": page, "rig": rig, "args": options.extra})
                if options.scroll:
                    rig.scroll(options.scroll, options.scroll_ms, options.scroll_speed, repeat=options.repeat)
            rig.result["memory"] = rig.memory()
            if options.axe:
                rig.axe()
            if options.screenshot:
                rig.shot(options.screenshot)
        except (Error, Exception) as e:
            rig.result["failed"] = "%s: %s" % (type(e).__name__, str(e)[:1000])
            traceback.print_exc(file=sys.stderr)
            with contextlib.suppress(Exception):
                if options.screenshot:
                    rig.shot(options.screenshot)
            status = 2
        apply_budgets(rig, options)
        with contextlib.suppress(Exception):
            browser.close()
        return status, rig.result


def main():
    options = parse(sys.argv[1:])
    status, result = run(options)
    bad = [c["message"] for c in result["checks"] if not c["ok"]] + result["page_errors"]
    if not options.allow_console_errors:
        bad += [c["text"] for c in result["console"] if c["type"] == "error"]
    bad += ["left loopback: " + u for u in result["network"]["external"]]
    bad += ["axe %s (%s) x%d" % (v["id"], v["impact"], v["count"]) for v in result.get("axe", {}).get("violations", [])]
    result["ok"] = not bad and status == 0
    text = json.dumps(result, indent=1)
    if options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    for line in bad:
        print("FAIL", line, file=sys.stderr)
    return status or (1 if bad else 0)


if __name__ == "__main__":
    sys.exit(main())
