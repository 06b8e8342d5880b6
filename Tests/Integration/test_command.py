# SPDX-License-Identifier: Apache-2.0
"""The command line against a running server: what a person sees in a terminal, and what a program reads from a pipe."""

import json
import os
import pty
import re
import subprocess

import otlp
import pytest
from server import Server, eventually

ESCAPE = "\x1b["


@pytest.fixture(scope="module")
def trace(server):
    """The id of a trace with an error below its root."""
    trace, root, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 10**9
    spans = [
        otlp.span(trace, root, name="GET /orders", kind=2, start=start, end=start + 80_000_000),
        otlp.span(
            trace,
            parent=root,
            name="SELECT orders",
            kind=3,
            start=start + 10_000_000,
            end=start + 60_000_000,
            status={"code": 2, "message": "lock timeout"},
        ),
    ]
    assert server.post(otlp.export(spans[0], service="orders")).status == 200
    assert server.post(otlp.export(spans[1], service="orders-db")).status == 200
    return trace.hex()


def in_terminal(command, columns=100):
    """What a command writes when standard output is a terminal."""
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [str(w) for w in command], stdin=child, stdout=child, stderr=child, env=environment, close_fds=True
    )
    os.close(child)
    output = b""
    while True:
        try:
            block = os.read(parent, 65536)
        except OSError:
            break
        if not block:
            break
        output += block
    os.close(parent)
    return process.wait(60), output.decode(errors="replace")


def test_version_and_help(run):
    done = run("--version")
    assert done.returncode == 0 and re.match(r"\d+\.\d+\.\d+", done.stdout.strip().split()[-1])
    help = run("--help").stdout
    for command in ("serve", "query", "trace", "compare", "services", "load", "doctor"):
        assert re.search(rf"^\s+{command}\s", help, re.MULTILINE), help
        assert run(command, "--help").returncode == 0


def test_query_prints_a_table(run, server, trace):
    done = run("query", 'service = "orders"', "--server", server.web)
    assert done.returncode == 0, done.stderr
    assert trace in done.stdout and "GET /orders" in done.stdout and "80" in done.stdout
    assert ESCAPE not in done.stdout, "colour in a pipe"


def test_query_prints_json(run, server, trace):
    done = run("query", "error = true", "--server", server.web, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert trace in json.dumps(answer)


def test_query_that_finds_nothing_and_one_that_is_wrong(run, server, trace):
    done = run("query", 'service = "nobody"', "--server", server.web)
    assert done.returncode == 0 and trace not in done.stdout
    done = run("query", "duration >", "--server", server.web)
    assert done.returncode != 0 and "duration >" in done.stderr and "^" in done.stderr, done.stderr


def test_trace_is_a_waterfall_in_a_pipe(run, server, trace):
    done = run("trace", trace, "--server", server.web)
    assert done.returncode == 0, done.stderr
    assert ESCAPE not in done.stdout
    lines = done.stdout.splitlines()
    root = next(i for i, line in enumerate(lines) if "GET /orders" in line and "80ms" in line)
    child = next(i for i, line in enumerate(lines) if "SELECT orders" in line and "50ms" in line)
    assert root < child and lines[child].index("SELECT") > lines[root].index("GET"), (
        "the child is not indented below its parent"
    )
    assert all(len(line) <= 200 for line in lines)


@pytest.mark.parametrize("columns", [60, 100, 160])
def test_trace_is_in_colour_in_a_terminal(binary, server, trace, columns):
    status, output = in_terminal([binary, "trace", trace, "--server", server.web], columns)
    assert status == 0, output
    assert ESCAPE in output and "GET /orders" in output
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r", "")
    rows = [line for line in plain.splitlines() if "━" in line]
    assert len(rows) == 2 and max(map(len, rows)) <= columns, plain


def test_trace_that_is_not_there(run, server):
    done = run("trace", "ab" * 16, "--server", server.web)
    assert done.returncode != 0 and "ab" * 16 in done.stderr
    done = run("trace", "nonsense", "--server", server.web)
    assert done.returncode != 0 and "nonsense" in done.stderr


def test_compare_says_what_differs(binary, run, server, trace):
    other, root, start = otlp.trace_id(), otlp.span_id(), otlp.now() - 10**9
    spans = [
        otlp.span(other, root, name="GET /orders", kind=2, start=start, end=start + 20_000_000),
        otlp.span(other, parent=root, name="read cache", start=start + 1_000_000, end=start + 2_000_000),
    ]
    assert server.post(otlp.export(*spans, service="orders")).status == 200
    done = run("compare", trace, other.hex(), "--server", server.web)
    assert done.returncode == 0, done.stderr
    assert ESCAPE not in done.stdout
    lines = done.stdout.splitlines()
    assert [line[0] for line in lines if "orders" in line and "ms" in line and line[0] in "~+-"] == ["~", "-", "+"], lines
    assert any(line.startswith("- ") and "SELECT orders" in line and "50ms" in line for line in lines), lines
    answer = json.loads(run("compare", trace, other.hex(), trace, "--server", server.web, "--json").stdout)
    assert len(answer["b"]["traceIds"]) == 2 and answer["changes"]["onlyA"] == 0
    status, output = in_terminal([binary, "compare", trace, other.hex(), "--server", server.web], 80)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r", "")
    assert status == 0 and ESCAPE in output and max(map(len, plain.splitlines())) <= 80, plain
    done = run("compare", trace, "ab" * 16, "--server", server.web)
    assert done.returncode == 1 and "ab" * 16 in done.stderr


def test_services(run, server, trace):
    done = run("services", "--server", server.web)
    assert done.returncode == 0 and "orders" in done.stdout.split() and "orders-db" in done.stdout.split(), done
    assert "orders" in json.dumps(json.loads(run("services", "--server", server.web, "--json").stdout))


def test_no_server(run, serve):
    server = serve()
    server.kill()
    for words in (("query", "error = true"), ("services",), ("trace", "ab" * 16)):
        done = run(*words, "--server", server.web)
        assert done.returncode != 0 and str(server.ports["web"]) in done.stderr, done


def test_load_sends_what_it_says(run, serve):
    server = serve()
    done = run("load", "--endpoint", server.otlp_http, "--traces", 50)
    assert done.returncode == 0, done.stderr
    assert "50" in done.stdout + done.stderr
    traces = server.search_all("")
    assert len(traces) == 50
    assert len({s["name"] for t in traces for s in t["services"]}) >= 3, "not a shop"
    assert run("load", "--endpoint", server.otlp_http, "--seconds", 2, "--rate", 500).returncode == 0
    spans = sum(t["spanCount"] for t in server.search_all("")) - sum(t["spanCount"] for t in traces)
    assert 300 <= spans <= 2000, f"{spans} spans in 2 s at 500 a second"


def test_load_without_a_server(run, serve):
    server = serve()
    server.kill()
    done = run("load", "--endpoint", server.otlp_http, "--traces", 5)
    assert done.returncode != 0 and str(server.ports["otlp-http"]) in done.stderr


def test_doctor(run, serve, trace):
    server = serve()
    assert server.post(otlp.export(otlp.span(otlp.trace_id()))).status == 200
    done = run("doctor", "--server", server.web, "--data-dir", server.data_dir)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("skein 0.", "web", "otlp-http", "disk", "log", "block"):
        assert word in done.stdout.lower(), done.stdout


def test_doctor_tells_when_the_server_serves_another_folder(run, serve, folder):
    server = serve()
    (folder / "other").mkdir()
    done = run("doctor", "--server", server.web, "--data-dir", folder / "other")
    assert f"keeps its traces in {server.data_dir}, not in {folder / 'other'}" in done.stdout, done.stdout
    same = folder / "link"
    same.symlink_to(server.data_dir)
    assert "keeps its traces" not in run("doctor", "--server", server.web, "--data-dir", same).stdout


def test_folders_are_named_as_people_try_to(run, serve, folder):
    server = serve()
    assert server.post(otlp.export(otlp.span(otlp.trace_id()))).status == 200
    assert run("backup", "--data-dir", server.data_dir, "--to", "bk1").returncode == 0
    done = run("verify", "bk1")
    assert done.returncode == 0 and "No damage" in done.stdout, done
    done = run("verify", "bk1", "--data-dir", "bk1")
    assert done.returncode != 0 and "name one folder" in done.stderr, done
    done = run("blocks", "bk1")
    assert done.returncode == 1 and "bk1 is a folder; write skein blocks --data-dir bk1" in done.stderr, done
    # A path keeps its letters, also at the beginning of a message.
    done = run("backup", "--data-dir", server.data_dir, "--to", "bk1")
    assert done.returncode == 1 and done.stderr.startswith("skein backup: bk1 is there already;"), done
    assert done.stderr.count("bk1") == 1, done
    done = run("backup", "--data-dir", server.data_dir, "--to", "bk1/bk2")
    assert done.returncode == 1 and "bk1/bk2 lies in the backup bk1" in done.stderr, done
    for words in (("verify",), ("doctor",), ("serve",), ("backup", "--to", "bk3")):
        done = run(*words, "--data", server.data_dir)
        assert done.returncode != 0 and "Did you mean '--data-dir'?" in done.stderr, done


def test_a_service_that_is_not_there(run, server, trace):
    done = run("services", "order", "--server", server.web)
    assert done.returncode == 1 and "order is stored; did you mean orders?" in done.stderr, done


def test_status(run, serve):
    server = serve("data", "--retention", "14d", "--retention-bytes", "10GiB")
    done = run("status", "--server", server.web)
    assert done.returncode == 0, done.stderr
    for text in (server.web, str(server.data_dir), "0 spans stored", "kept for 14d", "at most 10 GiB", "health      ok"):
        assert text in done.stdout, done.stdout
    assert json.loads(run("status", "--json", "--server", server.web).stdout)["retention"]["rules"] == []


def test_print_config(run):
    done = run("serve", "--print-config")
    assert done.returncode == 0 and "16686" in done.stdout and "durability" in done.stdout.lower()


@pytest.mark.parametrize(
    "words",
    [
        ("--listen", "nothing=127.0.0.1:1"),
        ("--listen", "web"),
        ("--listen", "web=127.0.0.1:99999"),
        ("--listen", "web=127.0.0.1"),
        ("--durability", "sometimes"),
        ("--durability", "interval=-1s"),
        ("--retention", "soon"),
        ("--retention-bytes=-5",),
        ("--nothing",),
    ],
    ids=" ".join,
)
def test_settings_out_of_their_bounds(run, folder, words):
    done = run("serve", "--data-dir", folder / "data", *words, timeout=30)
    assert done.returncode > 0, done
    assert words[0].split("=")[0] in done.stderr + done.stdout or words[-1].split("=")[0] in done.stderr + done.stdout


def test_a_configuration_file_and_environment(run, folder):
    (folder / "skein.yaml").write_text("durability: os\n")
    assert "os" in run("serve", "--config", folder / "skein.yaml", "--print-config").stdout
    (folder / "skein.yaml").write_text("durabilty: os\n")
    done = run("serve", "--config", folder / "skein.yaml", "--print-config")
    assert done.returncode != 0 and "durability" in done.stdout + done.stderr, "no suggestion for the misspelt key"
    done = run("serve", "--config", folder / "nope.yaml")
    assert done.returncode != 0 and f"{folder}/nope.yaml cannot be read: No such file" in done.stderr, done.stderr


@pytest.mark.parametrize("end", ["full disk", "closed pipe"])
def test_a_server_outlives_whoever_read_its_output(binary, folder, end):
    arguments = ("--insecure-no-auth", "--log-level", "trace")
    server = Server(binary, folder / "data", *arguments, environment={"SKEIN_WEB_DIRR": "a slip that is warned of"})
    if end == "full disk":
        output = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, output = os.pipe()
        os.close(reader)
    try:
        server.launch(output={"stdout": output, "stderr": output})
        eventually(lambda: is_ready(server))
        assert server.post(otlp.export(otlp.span(otlp.trace_id()))).status == 200
        assert server.stop() == 0
    finally:
        os.close(output)
        if server.running():
            server.kill()


def is_ready(server):
    if not server.running():
        pytest.fail(f"the server ended with {server.process.returncode}")
    try:
        return server.get("/readyz").status == 200
    except ConnectionError:
        return False
