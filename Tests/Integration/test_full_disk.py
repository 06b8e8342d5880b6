# SPDX-License-Identifier: Apache-2.0
"""A disk that another program fills while spans come, blocks are merged and retention removes the oldest."""

import uuid

import load
import pytest
from server import eventually
from test_crash_while_merging import QUOTA, TEXT, counted, fill, unfinished
from test_data_folder import can_mount, small_disk  # noqa: F401


class Filler:
    """A file of another program beside the data folder."""

    def __init__(self, path):
        self.path = path

    def take_all(self):
        """Takes what is left of the disk."""
        with open(self.path, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65_536)
            except OSError:
                pass

    def let_go(self):
        self.path.unlink()


@pytest.fixture
def crowded(serve, small_disk):  # noqa: F811
    """A server whose retention is at work already, on a disk of which a third is free, and what fills the rest."""
    path = small_disk(QUOTA * 3 // 2 >> 20)
    server = serve("disk/data", "--retention-bytes", f"{QUOTA}B")
    fill(server)
    return server, Filler(path / "filler")


@can_mount
def test_a_disk_filled_by_others_refuses_spans_and_recovers(crowded):
    server, filler = crowded
    marker = uuid.uuid4().hex
    threads = load.senders(server, marker, 2, text=TEXT)
    eventually(lambda: counted(server)["merges"] > 0, timeout=60)
    filler.take_all()

    def refused():
        filler.take_all()
        return threads[0].refused

    eventually(refused, timeout=60)
    body, ids = load.trace_request(marker, 1)
    refusals = []

    def refuses():
        filler.take_all()
        answer = server.post(body)
        refusals.append(ids)
        return answer if answer.status != 200 else None

    answer = eventually(refuses)
    assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1, answer
    for thread in threads:
        thread.stop()
    assert set(threads[0].refused) == {503}
    acknowledged = {trace: spans for t in threads for trace, spans in t.acknowledged.items()}
    maybe = [ids for t in threads for _, ids in t.unheard] + refusals
    # Questions are answered, and nothing acknowledged is missing: now, and after a crash on the full disk.
    load.check_stored(server, marker, acknowledged, maybe, read=list(acknowledged)[-50:])
    assert server.get("/api/skein/v1/status").json["health"] == "degraded"
    server.kill()
    filler.take_all()
    server.start()
    load.check_stored(server, marker, acknowledged, maybe, read=list(acknowledged)[-50:])

    # With room again spans are taken, blocks are merged and the oldest go, by itself.
    filler.let_go()
    eventually(lambda: server.post(body).status == 200, timeout=60)
    before = counted(server)
    threads = load.senders(server, marker, 2, text=TEXT)
    eventually(lambda: counted(server)["merges"] > before["merges"], timeout=60)
    for thread in threads:
        thread.stop()
    acknowledged |= {trace: spans for t in threads for trace, spans in t.acknowledged.items()} | ids
    assert not any(t.refused for t in threads)
    eventually(lambda: server.get("/api/skein/v1/status").json["health"] == "ok", timeout=90)
    server.kill()
    server.start()
    load.check_stored(server, marker, acknowledged, maybe, read=list(acknowledged)[-50:])
    assert server.get("/api/skein/v1/status").json["health"] == "ok"
    assert server.stop() == 0
    assert unfinished(server) == []
