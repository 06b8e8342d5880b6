# SPDX-License-Identifier: Apache-2.0
"""`skein sessions` and `skein session` against a running server: in a terminal, in a pipe, with wrong words."""

import json
import re

import orchestrations
import otlp
import pytest
from test_command import ESCAPE, in_terminal

HOUR = 3600 * 10**9
SERVER_ARGUMENTS = ["--worktrace-content", "keep"]


@pytest.fixture(scope="module")
def works(server):
    """Two trips of agents that differ in one search, and one with hostile names."""
    now = otlp.now()
    found = [
        orchestrations.trip(now - HOUR, "first trip"),
        orchestrations.trip(now - HOUR // 2, "second trip", searches=1),
        orchestrations.hostile(now - HOUR // 3),
    ]
    for work in found:
        work.send(server)
    return found


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


def test_sessions_are_listed(run, server, works):
    done = run("sessions", "--server", server.web, "--since", "2h")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert ESCAPE not in done.stdout and lines[0].split()[:2] == ["SESSION", "STARTED"], lines
    planner = [line for line in lines if "planner" in line]
    assert len(planner) == 2 and all("high" in line and "$" in line and "7m" in line for line in planner), done.stdout
    done = run("sessions", "--server", server.web, "--agent", "planner", "--task", "first trip-task", "--json")
    assert [s["taskId"] for s in json.loads(done.stdout)["sessions"]] == ["first trip-task"], done.stdout
    assert "No session matches" in run("sessions", "nobody's", "--server", server.web).stderr


@pytest.mark.parametrize("columns", [80, 120])
def test_a_list_fits_the_terminal_and_tells_ids_that_are_found(binary, run, server, works, columns):
    status, output = in_terminal([binary, "sessions", "--server", server.web, "--since", "2h"], columns)
    lines = plain(output).splitlines()
    assert status == 0 and max(map(len, lines)) <= columns, output
    shown = next(line for line in lines if "planner" in line).split()[0]
    (found,) = [w for w in works if any(s.id.endswith(shown) for s in w.sessions)]
    drawn = run("session", shown, "--server", server.web, "--json")
    assert json.loads(drawn.stdout)["traceId"] == found.sessions[0].id.split(":")[0], drawn.stderr
    other = next(w for w in works if w is not found).sessions[0].id
    compared = run("session", shown, "--compare", other, "--server", server.web, "--json")
    assert compared.returncode == 0 and json.loads(compared.stdout)["steps"], compared.stderr
    failed = run("session", ":", "--server", server.web)
    assert failed.returncode == 1 and "No session" in failed.stderr
    failed = run("session", found.sessions[0].id[:10], "--server", server.web)
    assert failed.returncode == 1 and "ids of several sessions" in failed.stderr


@pytest.mark.parametrize("columns", [80, 200])
def test_an_orchestration_is_drawn_within_the_terminal(binary, server, works, columns):
    for work in works:
        status, output = in_terminal([binary, "session", work.sessions[0].id, "--server", server.web], columns)
        assert status == 0 and ESCAPE in output, output
        assert max(map(len, plain(output).splitlines())) <= columns, plain(output)
        assert "\u202e" not in output and "\x1b[31magent" not in output


def test_an_orchestration_in_a_pipe_tells_what_the_api_tells(run, server, works):
    trip = works[0]
    done = run("session", trip.sessions[0].id, "--server", server.web, "--limit", "0", "--messages")
    assert done.returncode == 0 and ESCAPE not in done.stdout, done.stderr
    whole = json.loads(run("session", trip.trace, "--server", server.web, "--json").stdout)
    assert f"{whole['sessionCount']} sessions" in done.stdout.splitlines()[1]
    for heading in ("TIME", "CRITICAL PATH", "CALLER", "TOOL", "LOOK AT"):
        assert heading in done.stdout, done.stdout
    retries = [line.split() for line in done.stdout.splitlines() if line.startswith("flights.hold")]
    assert retries[0][1:4] == ["2", "1", "1"], done.stdout
    assert any(line.startswith("planner") and "booker" in line and "2.4s" in line for line in done.stdout.splitlines())
    assert "Find me a cheaper flight to Oslo in May." in done.stdout


def test_two_orchestrations_are_compared(binary, run, server, works):
    ids = [work.sessions[0].id for work in works[:2]]
    done = run("session", ids[0], "--compare", ids[1], "--server", server.web)
    assert done.returncode == 0, done.stderr
    searches = [line.split() for line in done.stdout.splitlines() if line.startswith("web.search")]
    assert searches[0][1:5] == ["3", "2", "1", "0"] and searches[0][-1].startswith("-"), done.stdout
    assert "in common" in done.stdout and "web.search" in done.stdout.split("in common")[1].splitlines()[1], done.stdout
    same = run("session", ids[0], "--compare", ids[0], "--server", server.web).stdout
    assert "Both take the same steps." in same and "+" not in same, same
    status, output = in_terminal([binary, "session", ids[0], "--compare", ids[1], "--server", server.web], 80)
    assert status == 0 and max(map(len, plain(output).splitlines())) <= 80, plain(output)
    answer = json.loads(run("session", *ids[:1], "--compare", ids[1], "--server", server.web, "--json").stdout)
    assert answer["firstDivergence"]["index"] > 0


@pytest.mark.parametrize(
    "words, says",
    [
        (["session", "nobody"], "nobody"),
        (["session", "%2F..%2F"], "%2F..%2F"),
        (["session", ""], "not empty"),
        (["session", "a", "--limit=-1"], "-1"),
        (["session", "a", "--compare", ""], "--compare"),
        (["session", "a", "--compare", "b", "--messages"], "--messages"),
        (["sessions", "--since", "soon"], "soon"),
        (["sessions", "--limit", "0"], "0"),
        (["sessions", "--min-cost=-1"], "-1"),
        (["sessions", "--priority", "urgent"], "urgent"),
        (["sessions", "{ span.x = }"], "span.x"),
    ],
)
def test_wrong_words_are_named(run, server, words, says):
    done = run(*words, "--server", server.web)
    assert done.returncode != 0 and says in done.stderr, done
    assert len(done.stderr.splitlines()) < 12 and not done.stdout, done
