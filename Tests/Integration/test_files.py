# SPDX-License-Identifier: Apache-2.0
"""Traces in files: what `skein import` and the import API make of every form, and what `skein export` writes."""

import contextlib
import gzip
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import otlp
import pytest
from server import request

PLAIN = {
    "traceId": "abc1",
    "spanId": "2",
    "operationName": "GET /cart",
    "serviceName": "cart",
    "startTime": "2026-11-22T10:00:00.25Z",
    "duration": 12.5,
    "tags": {"error": True, "user": {"id": 7}},
    "logs": [{"timestamp": "2026-11-22T10:00:00.251Z", "message": "cache miss"}],
}
JAEGER = {
    "data": [
        {
            "traceID": "abc2",
            "spans": [
                {
                    "traceID": "abc2",
                    "spanID": "3",
                    "operationName": "charge",
                    "references": [],
                    "startTime": 1795341600000000,
                    "duration": 2500,
                    "tags": [{"key": "span.kind", "type": "string", "value": "server"}],
                    "logs": [],
                    "processID": "p1",
                    "warnings": None,
                }
            ],
            "processes": {"p1": {"serviceName": "payment", "tags": []}},
        }
    ],
    "total": 0,
}
ZIPKIN = [
    {
        "traceId": "000000000000abc3",
        "id": "0000000000000004",
        "name": "get",
        "kind": "CLIENT",
        "timestamp": 1795341600000000,
        "duration": 900,
        "localEndpoint": {"serviceName": "web"},
        "tags": {"http.method": "GET"},
    }
]


def the_span(server, trace):
    [span] = server.otlp_spans(trace)
    return span


def service(span):
    [name] = [a["value"]["stringValue"] for a in span["resource"]["attributes"] if a["key"] == "service.name"]
    return name


def imported(run, server, *arguments, code=0, **options):
    done = run("import", *arguments, "--server-otlp", server.otlp_http, "--json", **options)
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "form, content, trace, name, owner",
    [
        ("plain", PLAIN, "abc1", "GET /cart", "cart"),
        ("jaeger", JAEGER, "abc2", "charge", "payment"),
        ("zipkin", ZIPKIN, "abc3", "get", "web"),
    ],
)
def test_each_form_is_imported(run, server, folder, form, content, trace, name, owner):
    path = folder / f"{form}.json"
    path.write_text(json.dumps(content, indent=2))
    report = imported(run, server, path)
    assert report["storedSpanCount"] == 1 and report["skipped"] == [] and report["files"][0]["spanCounts"] == {form: 1}
    span = the_span(server, trace)
    assert span["name"] == name and service(span) == owner


def test_otlp_lines_and_gzip_are_imported(run, server, folder):
    traces = [otlp.trace_id() for _ in range(3)]
    lines = []
    for trace in traces:
        answer = {"resourceSpans": [{"scopeSpans": [{"spans": [plain_otlp(trace)]}]}]}
        lines.append(json.dumps(answer))
    path = folder / "spans.jsonl.gz"
    # Two members, as `cat a.gz b.gz` makes.
    path.write_bytes(gzip.compress("\n".join(lines[:1]).encode() + b"\n") + gzip.compress("\n".join(lines[1:]).encode()))
    report = imported(run, server, path, "--service", "given")
    assert report["storedSpanCount"] == 3
    for trace in traces:
        assert service(the_span(server, trace.hex())) == "given"


def plain_otlp(trace):
    return {
        "traceId": trace.hex(),
        "spanId": otlp.span_id().hex(),
        "name": "op",
        "startTimeUnixNano": "1795341600000000000",
        "endTimeUnixNano": "1795341600001000000",
    }


def test_what_cannot_be_read_is_left_out_and_told(run, server, folder):
    good = {**PLAIN, "traceId": "abc5"}
    path = folder / "mixed.jsonl"
    path.write_text(
        "\n".join(
            [json.dumps(good), "not json", json.dumps({**good, "startTime": "soon"}), '{"traceId":"1","spanId":"2",',
             json.dumps({**good, "spanId": "3"}), '{"hello": "world"}']
        )
    )
    report = imported(run, server, path, code=1)
    assert report["storedSpanCount"] == 2
    found = {skip["reason"]: (skip["count"], skip["line"]) for skip in report["skipped"]}
    assert found == {"malformed": (2, 2), "invalid_time": (1, 3), "unknown_form": (1, 6)}
    assert imported(run, server, path, "--lenient")["storedSpanCount"] == 2
    done = run("import", path, "--server-otlp", server.otlp_http)
    assert "2 spans stored from 1 file" in done.stdout
    assert f"1 left out (invalid_time), first {path} line 3: startTime must be RFC 3339" in done.stdout


def test_bad_files_have_clear_messages(run, server, folder):
    def message(*arguments):
        done = run("import", *arguments, "--server-otlp", server.otlp_http)
        assert done.returncode == 1, (done.stdout, done.stderr)
        return done.stdout + done.stderr

    assert "No such file" in message(folder / "missing.json")
    assert "is a folder" in message(folder)
    cut = folder / "cut.json.gz"
    cut.write_bytes(gzip.compress(json.dumps([PLAIN] * 2000).encode())[:-20])
    assert "the gzip data is cut off" in message(cut)
    noise = folder / "noise.gz"
    noise.write_bytes(b"\x1f\x8b\x08" + os.urandom(500))
    assert "gzip" in message(noise)
    binary = folder / "binary"
    binary.write_bytes(os.urandom(5000))
    assert "left out (malformed)" in message(binary)
    done = run("import", folder / "cut.json.gz", "--server-otlp", "http://127.0.0.1:1")
    assert done.returncode == 1 and "--server-otlp" in done.stdout + done.stderr


def test_a_dry_run_sends_nothing(run, server, folder):
    path = folder / "dry.json"
    path.write_text(json.dumps({**PLAIN, "traceId": "abc6"}))
    done = run("import", path, "--dry-run", "--server-otlp", "http://127.0.0.1:1")
    assert done.returncode == 0 and "1 span read and not sent" in done.stdout
    assert server.get("/api/skein/v1/traces/abc6").status == 404


def test_the_page_can_import(server):
    def post(body, content_type="application/json"):
        return request(server.web, "POST", "/api/skein/v1/import", body, {"Content-Type": content_type})

    answer = post(json.dumps({**PLAIN, "traceId": "abc7"}) + "\nbad\n")
    assert answer.status == 200, answer
    assert answer.json["format"] == "plain" and answer.json["acceptedSpanCount"] == 1
    assert answer.json["traceIds"] == ["0000000000000000000000000000abc7"]
    assert [(s["reason"], s["count"], s["line"]) for s in answer.json["skipped"]] == [("malformed", 1, 2)]
    assert post("{}", "text/plain").status == 415
    assert 'protocol="import"' in server.get("/metrics").body.decode()


def lines_of_spans(path, bytes_max):
    """A file of JSON lines of that many bytes, and how many spans it holds."""
    count = 0
    with open(path, "w") as file:
        while file.tell() < bytes_max:
            for _ in range(2000):
                count += 1
                file.write(
                    f'{{"traceId":"{count // 10 + 1:032x}","spanId":"{count:016x}","operationName":"op {count % 50}",'
                    f'"serviceName":"s{count % 7}","startTime":{1795341600000 + count},"duration":{count % 100},'
                    f'"tags":{{"user.id":"user-{count % 1000}","n":{count},"text":"{"x" * 60}"}}}}\n'
                )
    return count


def peak_bytes(command):
    """What a command prints, and the most memory that it held.

    Asked of the running process: what is told of one that has ended counts the memory of the test's own process, too, of
    which it was a copy for a moment.
    """
    peak = 0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([str(w) for w in command], stdout=output)
        while process.poll() is None:
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        peak = max(peak, int(line.split()[1]) * 1024)
            time.sleep(0.02)
        output.seek(0)
        printed = output.read()
    assert process.returncode == 0, printed
    assert peak > 0
    return printed, peak


def test_a_large_file_takes_no_more_memory_than_a_small_one(binary, folder):
    peaks = []
    large = int(os.environ.get("SKEIN_LARGE_FILE_BYTES", 48 << 20))
    for size in (large // 8, large):
        path = folder / "large.jsonl"
        count = lines_of_spans(path, size)
        output, peak = peak_bytes([binary, "import", path, "--dry-run", "--json"])
        report = json.loads(output)
        print(f"{size >> 20} MiB, {count} spans, {report['elapsedSeconds']:.1f} s, {peak >> 20} MiB at most")
        assert report["readSpanCount"] == count and report["skipped"] == []
        peaks.append(peak)
    assert peaks[1] < 150 << 20 and peaks[1] < peaks[0] + (16 << 20), f"{peaks} bytes"


def test_a_list_is_imported_in_bounded_memory(binary, folder, serve):
    lines, path = folder / "lines", folder / "list.json.gz"
    count = lines_of_spans(lines, 12 << 20)
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write("[")
        with open(lines) as source:
            for index, line in enumerate(source):
                file.write(("," if index else "") + line.rstrip())
        file.write("]")
    server = serve()
    output, peak = peak_bytes([binary, "import", path, "--json", "--server-otlp", server.otlp_http])
    report = json.loads(output)
    assert report["storedSpanCount"] == count
    assert peak < 150 << 20, f"{peak >> 20} MiB"


def normal(spans):
    """Spans without what a form has no room for."""
    return sorted(json.dumps(span, sort_keys=True) for span in spans)


@pytest.fixture(scope="module")
def shop(binary, tmp_path_factory):
    """A server full of traffic, and the ids of its traces."""
    from server import Server

    path = tmp_path_factory.mktemp("shop")
    with Server(binary, path / "data", log=path / "log") as server:
        done = subprocess.run(
            [binary, "load", "--traces", "60", "--rate", "0", "--seed", "5", "--endpoint", server.otlp_http], capture_output=True
        )
        assert done.returncode == 0, done.stderr
        yield server, [trace["traceId"] for trace in server.search_all("")]


def test_otlp_comes_back_as_it_went(run, serve, shop, folder):
    source, traces = shop
    done = run("export", "--server", source.web, "-o", folder / "all.jsonl")
    assert done.returncode == 0 and f"Wrote {len(traces)} traces" in done.stderr, done.stderr
    for line in (folder / "all.jsonl").read_text().splitlines():
        assert list(json.loads(line)) == ["resourceSpans"]
    target = serve()
    report = imported(run, target, folder / "all.jsonl")
    assert report["skipped"] == []
    for trace in traces:
        assert normal(target.otlp_spans(trace)) == normal(source.otlp_spans(trace))


@pytest.mark.parametrize("form", ["jaeger", "zipkin"])
def test_other_forms_come_back_as_far_as_they_go(run, serve, shop, folder, form):
    source, traces = shop
    path = folder / "all.json"
    done = run("export", "--server", source.web, "--format", form, "-o", path)
    assert done.returncode == 0, done.stderr
    json.loads(path.read_text())
    target = serve()
    report = imported(run, target, path)
    assert report["skipped"] == [] and report["files"][0]["spanCounts"].keys() == {form}

    def carried(server, trace):
        found = []
        for span in server.otlp_spans(trace):
            start, end = int(span["startTimeUnixNano"]) // 1000, int(span["endTimeUnixNano"]) // 1000
            name = span["name"].lower() if form == "zipkin" else span["name"]
            owner = service(span).lower() if form == "zipkin" else service(span)
            kind = span.get("kind", 0)
            # Zipkin has no kind for what stays inside.
            kind = 0 if form == "zipkin" and kind == 1 else kind
            found.append((span["spanId"], span.get("parentSpanId", ""), name, owner, kind, start, abs(end - start) > 0))
        return sorted(found)

    for trace in traces:
        assert carried(target, trace) == carried(source, trace)


def test_one_trace_is_exported(run, shop):
    source, traces = shop
    done = run("export", "--trace", traces[0], "--server", source.web, "--format", "jaeger")
    assert done.returncode == 0, done.stderr
    [trace] = json.loads(done.stdout)["data"]
    assert trace["traceID"].zfill(32) == traces[0]
    done = run("export", "--trace", "f" * 32, "--server", source.web)
    assert done.returncode == 1 and "is stored" in done.stderr and done.stdout == ""
    done = run("export", "error = = 1", "--server", source.web)
    assert done.returncode == 2, done.stderr
    done = run("export", "--limit", "3", "--server", source.web)
    assert len(done.stdout.splitlines()) == 3
