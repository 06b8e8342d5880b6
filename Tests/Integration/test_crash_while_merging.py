# SPDX-License-Identifier: Apache-2.0
"""Crashes in the middle of sealing, merging, removing and retention: what was acknowledged stays, once."""

import http.client
import json
import random
import threading
import time
import uuid

import folder as data_folder
import load
from server import request

# The smallest there is: blocks are made of less than 3 MiB of log then, and the oldest go all the time.
QUOTA = 64 << 20
SECONDS = 30
# Text that compresses, so that small blocks come of much log.
TEXT = 6_000


class Remover(threading.Thread):
    """Sends traces that are doomed, and deletes them, until told to stop or until the server is gone."""

    def __init__(self, server, marker):
        super().__init__(daemon=True)
        self.server, self.marker, self.stopping = server, marker, threading.Event()
        self.gone, self.doubtful = [], []  # marks of traces that were deleted, and that perhaps were

    def run(self):
        while not self.stopping.wait(0.4):
            mark = uuid.uuid4().hex
            self.doubtful.append(mark)
            try:
                body, _ = load.trace_request(self.marker, 2, text=TEXT, more={"load.doomed": mark})
                self.server.post(body)
                if delete(self.server, mark):
                    self.doubtful.remove(mark)
                    self.gone.append(mark)
            except (OSError, http.client.HTTPException):
                return

    def stop(self):
        self.stopping.set()
        self.join(60)


def delete(server, mark):
    query = json.dumps({"action": "delete", "q": f'load.doomed = "{mark}"'}).encode()
    answer = request(server.web, "POST", "/api/skein/v1/removals", query, {"Content-Type": "application/json"})
    return answer.status == 200


def unfinished(server):
    return [path.name for path in server.data_dir.rglob("*.new")]


def counted(server):
    samples = server.metrics()
    return {name: samples.get(f"skein_store_{name}_total", 0) for name in ("seals", "merges", "blocks_removed")}


def fill(server):
    """Spans that do not compress, until the oldest have to go. Nobody counts on them."""
    until = time.monotonic() + 60
    while counted(server)["blocks_removed"] == 0:
        assert time.monotonic() < until, "the folder did not fill up"
        body, _ = load.trace_request("ballast", 20, padding=20_000)
        assert server.post(body).status == 200


def await_unfinished(server, seconds):
    """Waits until a block is being written, for so long at most."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not any(name.endswith(".block.new") for name in unfinished(server)):
        time.sleep(0.001)


def test_crashes_while_blocks_are_made_merged_and_removed(serve):
    arguments = ["--retention-bytes", f"{QUOTA}B", "--durability", "always"]
    server = serve("data", *arguments)
    marker = uuid.uuid4().hex
    fill(server)
    everything, in_flight, gone, done = {}, [], [], {}
    rounds, in_the_middle = 0, 0
    with data_folder.Watch(server.data_dir) as watch:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            rounds += 1
            threads = load.senders(server, f"{marker}-{rounds}", 3, text=TEXT)
            remover = Remover(server, marker)
            remover.start()
            time.sleep(random.uniform(0.5, 3))
            now = counted(server)
            if rounds % 2:
                await_unfinished(server, 2)
                time.sleep(random.uniform(0, 0.02))
            server.kill()
            in_the_middle += bool(unfinished(server))
            done = {name: done.get(name, 0) + count for name, count in now.items()}
            for thread in [*threads, remover]:
                thread.stop()
            acknowledged = {trace: spans for t in threads for trace, spans in t.acknowledged.items()}
            unheard = [ids for t in threads for _, ids in t.unheard]
            assert acknowledged, "nothing was acknowledged in this round"
            server.start()
            load.check_stored(server, f"{marker}-{rounds}", acknowledged, unheard, read=list(acknowledged)[-20:])
            for mark in remover.doubtful:
                assert delete(server, mark)
            everything[rounds] = acknowledged
            in_flight += unheard
            gone += remover.gone + remover.doubtful
    print(f"{rounds} rounds, {in_the_middle} in the middle of writing a file, {done}")
    print(f"{sum(map(len, everything.values()))} traces kept, {len(gone)} removals, {watch.most / 1e6:.1f} MB at most")
    assert all(done.values()) and gone and in_the_middle, "something was not at work"
    assert watch.most <= QUOTA + (1 << 20)
    for number, acknowledged in everything.items():
        load.check_stored(server, f"{marker}-{number}", acknowledged, in_flight, read=list(acknowledged)[:20])
    assert server.search_all(f'load.marker = "{marker}"') == []
    status = server.get("/api/skein/v1/status").json
    assert status["health"] == "ok", status
    assert server.stop() == 0
    assert unfinished(server) == []
    assert list((server.data_dir / "quarantine").iterdir()) == []
