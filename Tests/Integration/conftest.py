# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the binary under test, a server shared by the tests of a file, servers of a test's own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import browser
import pytest
from calls import CallService, Catcher
from playwright.sync_api import sync_playwright
from server import Server

root = Path(__file__).resolve().parents[2]


def built(name):
    """A program to test: beside $SKEIN_BINARY, else the debug build."""
    skein = Path(os.environ.get("SKEIN_BINARY") or root / ".build" / "debug" / "skein")
    path = skein if name == "skein" else skein.parent / name
    assert path.exists(), f"{path} is not there: `swift build` first, or set SKEIN_BINARY"
    return path.resolve()


@pytest.fixture(scope="session")
def binary():
    """The `skein` to test."""
    return built("skein")


@pytest.fixture(scope="module")
def calling():
    """calling(**environment) is a service with this environment, shared by the tests of a file. It must survive them
    all, and end well when asked to."""
    binary, catcher, services = built("trace-context-service"), Catcher(), {}

    def service(**environment):
        key = tuple(sorted(environment.items()))
        if key not in services:
            services[key] = CallService(binary, catcher, environment)
        return services[key]

    try:
        yield service
        assert [s.stop() for s in services.values()] == [0] * len(services)
    finally:
        for service in services.values():
            service.kill()
        catcher.stop()


@pytest.fixture(scope="session")
def jaeger_python():
    """The Python whose packages still know the Jaeger agent's protocol."""
    path = Path(os.environ.get("SKEIN_JAEGER_PYTHON") or root / ".venv-test-jaeger" / "bin" / "python")
    assert path.exists(), f"{path} is not there: `make test` makes it"
    return path


@pytest.fixture(scope="session")
def zipkin_python():
    """The Python whose packages speak to Zipkin."""
    path = Path(os.environ.get("SKEIN_ZIPKIN_PYTHON") or root / ".venv-test-zipkin" / "bin" / "python")
    assert path.exists(), f"{path} is not there: `make test` makes it"
    return path


@pytest.fixture(scope="session")
def agents_python():
    """The Python whose packages are agent frameworks."""
    path = Path(os.environ.get("SKEIN_AGENTS_PYTHON") or root / ".venv-test-agents" / "bin" / "python")
    assert path.exists(), f"{path} is not there: `make test` makes it"
    return path


@pytest.fixture(scope="session")
def browser_path():
    """Chromium or Chrome: $SKEIN_BROWSER, else the first found."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("SKEIN_BROWSER") or next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium here: `make test` installs it"
    return found


@pytest.fixture
def folder():
    """A folder of this test's own, gone afterwards; short, and outside of what pytest keeps."""
    with tempfile.TemporaryDirectory(prefix="skein-") as path:
        yield Path(path)


@pytest.fixture
def serve(binary, folder):
    """serve(name="data", *arguments) starts a server on a folder of this test's own; all end with the test."""
    servers = []

    def start(name="data", *arguments, launch_only=False, **options):
        server = Server(binary, folder / name, *arguments, log=folder / f"server-{len(servers)}.log", **options)
        servers.append(server)
        return server.launch() if launch_only else server.start()

    yield start
    for server in servers:
        if server.running():
            server.kill()


@pytest.fixture(scope="module")
def server(binary, request):
    """One server for all tests of a file, which says in SERVER_ARGUMENTS how it is set up. It must survive them all, and end
    well when asked to."""
    arguments = getattr(request.module, "SERVER_ARGUMENTS", ())
    with tempfile.TemporaryDirectory(prefix="skein-") as path:
        server = Server(binary, Path(path) / "data", *arguments, log=Path(path) / "log").start()
        first = server.pid
        try:
            yield server
            assert server.running() and server.pid == first, f"the server died:\n{server.output()[-4000:]}"
            assert server.stop() == 0, server.output()[-4000:]
        finally:
            if server.running():
                server.kill()


@pytest.fixture(scope="module")
def chromium(browser_path):
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(chromium, server):
    """with open_page("/path", theme) as rig: … Afterwards the page must have had nothing to complain about."""

    @contextlib.contextmanager
    def opened(path="/", theme="light", width=1440, height=900, complaints_allowed=False):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        context.add_init_script(browser.PROBE)
        page = context.new_page()
        rig = browser.Rig(page, SimpleNamespace(axe_js=None, allow_external=False))
        context.route("**/*", rig.guard)
        page.goto(server.web + path, wait_until="load")
        yield rig
        said = rig.result
        context.close()
        assert said["network"]["external"] == [], "the page left this machine"
        if not complaints_allowed:
            # A request that the page itself gave up, since its answer was no longer wanted, is no failure.
            failed = [f for f in said["network"]["failed"] if f["why"] != "net::ERR_ABORTED"]
            assert said["page_errors"] == [] and said["console"] == [] and failed == [], said

    return opened


@pytest.fixture
def run(binary, folder):
    """run("query", "…") runs a subcommand and gives the finished process, its output as text."""

    def command(*words, timeout=90, **options):
        return subprocess.run(
            [binary, *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=folder,
            **options,
        )

    return command
