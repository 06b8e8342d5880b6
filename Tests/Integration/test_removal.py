# SPDX-License-Identifier: Apache-2.0
"""Deleting, redacting, usage and rules of retention through the binary: what is removed is gone from answers and disk."""

import json
import os
import pty
import subprocess

import otlp
import pytest
from server import request

SECRET = "4929-1234-5678-9012"


@pytest.fixture
def shop(serve):
    """A server with three traces, one of them with a secret; also where they are."""
    server = serve()
    ids = {}
    for name, service in (("plain", "web"), ("secret", "payment"), ("other", "payment")):
        ids[name] = otlp.trace_id()
        attributes = {"card": SECRET if name == "secret" else "none", "case": name}
        span = otlp.span(ids[name], name=f"GET /{name}", attributes=attributes)
        assert server.post(otlp.export(span, service=service)).status == 200
    return server, {name: id.hex() for name, id in ids.items()}


def remove(server, **body):
    return post(server, json.dumps(body), "application/json")


def post(server, body, type):
    return request(server.web, "POST", "/api/skein/v1/removals", body.encode(), {"Content-Type": type})


def found(server, query):
    return {trace["traceId"] for trace in server.search(query)["traces"]}


def on_disk(server, text):
    """Whether any file of the data folder holds these bytes, packed blocks read by the program itself aside."""
    return [path for path in server.data_dir.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_delete_takes_whole_traces_for_good(shop, binary, folder):
    server, ids = shop
    answer = remove(server, action="delete", q=f'card = "{SECRET}"', by="Ann, ticket 7")
    assert answer.status == 200 and answer.json == {
        "action": "delete",
        "dryRun": False,
        "traces": 1,
        "spans": 1,
        "logRecords": 0,
        "sampleTraceIds": [],
        "hints": [],
    }
    assert found(server, "") == {ids["plain"], ids["other"]}
    assert server.get(f"/api/skein/v1/traces/{ids['secret']}").status == 404
    assert found(server, f'card = "{SECRET}"') == set()
    record = server.get("/api/skein/v1/removals").json["removals"][0]
    assert record["by"] == "Ann, ticket 7" and record["traces"] == 1 and "finishedUnixNano" in record
    server.kill()
    server.start()
    assert found(server, "") == {ids["plain"], ids["other"]}
    assert server.get("/api/skein/v1/removals").json["removals"][0]["number"] == record["number"]
    # The record quotes the query; no other file may know the value.
    assert [path.name for path in on_disk(server, SECRET)] == ["removals"]


def test_redact_masks_values_and_nothing_else(shop):
    server, ids = shop
    answer = remove(server, action="redact", q='case = "secret"', keys=["card"])
    assert answer.status == 200 and (answer.json["traces"], answer.json["spans"]) == (1, 1)
    assert found(server, 'card = "[redacted]"') == {ids["secret"]}
    assert found(server, 'case = "secret"') == {ids["secret"]}
    assert found(server, 'card = "none"') == {ids["plain"], ids["other"]}
    assert on_disk(server, SECRET) == []


@pytest.mark.parametrize(
    "body, field",
    [
        ({"action": "drop", "q": "error = true"}, "action"),
        ({"action": "delete", "q": " "}, "q"),
        ({"action": "delete"}, "q"),
        ({"action": "delete", "q": "duration >"}, "q"),
        ({"action": "redact", "q": "error = true"}, "keys"),
        ({"action": "delete", "q": "error = true", "keys": ["a"]}, "keys"),
        ({"action": "delete", "q": "error = true", "start": "soon"}, "start"),
        ({"action": "delete", "q": "error = true", "dryrun": True}, "dryrun"),
        ({"action": "delete", "q": "error = true", "start": "5", "end": "4"}, "end"),
    ],
)
def test_a_removal_that_is_not_meant_so_is_refused(shop, body, field):
    server, ids = shop
    answer = remove(server, **body)
    assert answer.status == 400 and answer.json["field"] == field, answer.json
    assert len(found(server, "")) == 3


def test_only_json_removes(shop):
    server, _ = shop
    body = '{"action":"delete","q":"duration >= 0ns"}'
    for type in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = post(server, body, type)
        assert answer.status == 415, answer.body
    answer = remove(server, action="redact", q="duration >= 0ns", keys=["service.name"])
    assert answer.status == 422 and "service.name" in answer.json["detail"]
    assert len(found(server, "")) == 3


def test_the_command_line_asks_before_it_removes(shop, run):
    server, ids = shop
    done = run("usage", "--server", server.web)
    assert done.returncode == 0 and "payment" in done.stdout and "2" in done.stdout, done.stdout
    done = run("remove", "delete", 'case = "plain"', "--server", server.web)
    assert done.returncode == 1 and "--yes" in done.stderr and len(found(server, "")) == 3
    done = run("remove", "delete", 'case = "plain"', "--yes", "--by", "Bob", "--server", server.web)
    assert done.returncode == 0 and done.stdout == "Deleted 1 span in 1 trace.\n", done.stderr
    done = run("remove", "redact", 'case = "other"', "--key", "card", "-y", "--server", server.web)
    assert done.returncode == 0 and done.stdout == "Redacted 1 span in 1 trace.\n", done.stderr
    assert found(server, 'card = "[redacted]"') == {ids["other"]}
    done = run("remove", "--server", server.web)
    assert done.returncode == 0 and "Bob" in done.stdout and 'case = "plain"' in done.stdout, done.stdout
    done = run("remove", "delete", "duration >", "-y", "--server", server.web)
    assert done.returncode == 2 and "^" in done.stderr


def answered(binary, words, answer):
    """Exit status and output of a command at a terminal where somebody types an answer."""
    parent, child = pty.openpty()
    process = subprocess.Popen([str(w) for w in [binary, *words]], stdin=child, stdout=child, stderr=child)
    os.close(child)
    os.write(parent, answer.encode() + b"\n")
    output = b""
    while True:
        try:
            output += os.read(parent, 65536)
        except OSError:
            break
    os.close(parent)
    return process.wait(60), output.decode()


def test_a_person_sees_what_goes_and_where_before_it_does(shop, binary):
    server, ids = shop
    words = ["remove", "delete", 'service = "payment"', "--server", server.web]
    status, output = answered(binary, words, "no")
    assert status == 1 and len(found(server, "")) == 3, output
    assert f"2 spans in 2 traces at {server.web} ({server.data_dir})?" in output, output
    assert server.get("/api/skein/v1/removals").json["removals"] == []
    status, output = answered(binary, words, "yes")
    assert status == 0 and found(server, "") == {ids["plain"]}, output
    status, output = answered(binary, words, "yes")
    assert status == 0 and "Nothing to remove" in output and "cannot be undone" not in output, output


def test_a_dry_run_counts_and_removes_nothing(shop, run):
    server, ids = shop
    done = run("remove", "delete", 'service = "payment"', "--dry-run", "--server", server.web)
    assert done.returncode == 0 and "Would delete 2 spans in 2 traces" in done.stdout, done
    assert ids["secret"] in done.stdout and ids["other"] in done.stdout and ids["plain"] not in done.stdout
    done = run("remove", "redact", 'service = "payment"', "--key", "crad", "--dry-run", "-y", "--server", server.web)
    assert done.returncode == 0 and "Would redact 0 spans in 0 traces" in done.stdout, done
    assert "crad; did you mean card?" in done.stderr, done
    assert server.get("/api/skein/v1/removals").json["removals"] == [] and len(found(server, "")) == 3


def test_a_misspelt_name_is_told(shop, run, binary, folder):
    server, _ = shop
    done = run("query", 'servce = "x"', "--server", server.web)
    assert done.returncode == 0 and "No stored span carries servce; did you mean service?" in done.stderr, done
    done = run("remove", "delete", "servce = 1", "-y", "--server", server.web)
    assert done.returncode == 0 and "did you mean service?" in done.stderr and "Deleted 0 spans" in done.stdout, done
    rules = '1d: servce = "x"; 90d: eror = tru; 2d: span.eror = true'
    done = run("serve", "--data-dir", folder / "none", "--retention-rules", rules, "--print-config")
    assert done.returncode == 0 and done.stderr.count("The retention rule") == 2, done.stderr
    assert "did you mean service?" in done.stderr and "did you mean error?" in done.stderr, done.stderr


def test_the_list_of_removals_says_what_was_asked_and_how_it_went(shop, run):
    server, _ = shop
    words = ("--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z", "--server", server.web)
    assert run("remove", "redact", 'case = "other"', "--key", "card", "--key", "pin", "-y", *words).returncode == 0
    done = run("remove", "list", "--server", server.web)
    assert done.returncode == 0 and "done" in done.stdout and "keys card, pin" in done.stdout, done.stdout
    assert "from 2020-01-01" in done.stdout and "to 2100-01-01" in done.stdout, done.stdout


def test_usage_has_a_total_and_is_of_the_services_asked_for(shop, run):
    server, _ = shop
    rows = run("usage", "--server", server.web).stdout.splitlines()
    assert rows[-1].split()[:2] == ["total", "3"], rows
    rows = run("usage", "payment", "--server", server.web).stdout.splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [["payment", "2"], ["total", "2"]], rows


def test_rules_of_retention_are_read_and_refused(binary, folder, serve, run):
    for text in ("1d", "1d:", "1d: duration >", "1x: error = true", "5s: error = true"):
        command = [binary, "serve", "--data-dir", folder / "none", "--retention-rules", text]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0 and "retention-rules" in done.stderr, done.stderr
    command = [binary, "serve", "--data-dir", folder / "none", "--retention-rules", "1d: duration > 5mz"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines()
    assert lines[-2].index("5mz") == lines[-1].index("^"), done.stderr
    assert "did you mean" in done.stderr, done.stderr
    server = serve("data", "--retention-rules", 'off: error = true; 90d: name = "a;b"; 1d: service = "health"')
    assert server.get("/readyz").status == 200
    status = run("status", "--server", server.web)
    assert status.returncode == 0, status
    for text in ("kept for ever: error = true", 'kept for 90d: name = "a;b"', 'kept for 1d: service = "health"'):
        assert text in status.stdout, status.stdout
    assert str(server.data_dir) in status.stdout
