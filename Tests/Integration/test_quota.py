# SPDX-License-Identifier: Apache-2.0
"""`retention-bytes` holds while spans come as fast as they are taken."""

import http.client
import random
import threading
import time
from urllib.parse import urlsplit

import folder as data_folder
import otlp
from server import eventually

QUOTA = 64 << 20
# One request, and the pages of the folders.
MARGIN = 1 << 20
SPANS = 400


class Pusher(threading.Thread):
    """Sends requests of spans that do not compress, one after the other, and remembers the newest trace."""

    def __init__(self, server, seconds):
        super().__init__(daemon=True)
        self.address, self.seconds = urlsplit(server.otlp_http).netloc, seconds
        self.sent, self.refused, self.newest = 0, 0, None

    def run(self):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            trace = otlp.trace_id()
            noise = random.randbytes(600 * SPANS)
            spans = [
                otlp.raw_span(
                    trace,
                    otlp.span_id(),
                    more=otlp.field(9, otlp.field(1, b"noise") + otlp.field(2, otlp.field(7, noise[i : i + 600]))),
                )
                for i in range(0, len(noise), 600)
            ]
            body = otlp.raw_export(*spans)
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                self.sent += len(body)
                self.newest = trace.hex()
            else:
                self.refused += 1
        connection.close()


def test_the_folder_never_takes_more_than_its_quota(serve):
    server = serve("data", "--retention-bytes", f"{QUOTA}B")
    pushers = [Pusher(server, 15) for _ in range(3)]
    with data_folder.Watch(server.data_dir) as watch:
        for pusher in pushers:
            pusher.start()
        for pusher in pushers:
            pusher.join()
    sent = sum(p.sent for p in pushers)
    print(f"{sent / 1e6:.0f} MB sent, folder {watch.most / 1e6:.1f} MB at most in {watch.looks} looks")
    assert watch.looks > 50
    assert sent > 1.5 * QUOTA, "too little was sent to fill the folder"
    assert watch.most <= QUOTA + MARGIN
    assert watch.most > QUOTA // 2, "the quota is not used"
    assert sum(p.refused for p in pushers) == 0
    # What came last is there; what came first made room for it.
    for pusher in pushers:
        assert len(server.otlp_spans(pusher.newest)) == SPANS
    status = server.get("/api/skein/v1/status").json
    assert status["health"] == "ok", status
    assert server.counted("skein_store_blocks_removed_total") > 0
    # A smaller folder keeps to it after a restart, too.
    assert server.stop() == 0
    server.start()
    assert len(server.otlp_spans(pushers[0].newest)) == SPANS
    eventually(lambda: data_folder.taken(server.data_dir) <= QUOTA)
    assert server.stop() == 0
