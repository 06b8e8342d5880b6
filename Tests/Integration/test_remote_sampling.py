# SPDX-License-Identifier: Apache-2.0
"""Jaeger's own client samples by what Skein tells it, and Skein counts each trace for those that were not sampled."""

import json
import subprocess
from pathlib import Path

from server import eventually, request

PROGRAM = Path(__file__).parent / "programs" / "jaeger_remote.py"


def strategies(probability):
    return json.dumps({"service_strategies": [{"service": "asking", "type": "probabilistic", "param": probability}]})


def ask(server, service):
    base = f"http://127.0.0.1:{server.ports['jaeger-sampling']}"
    return request(base, "GET", f"/sampling?service={service}")


def test_a_client_follows_the_file_and_its_changes(serve, folder, jaeger_python):
    file = folder / "strategies.json"
    file.write_text(strategies(0.25))
    server = serve("data", "--sampling-strategies", file)
    assert ask(server, "asking").json["probabilisticSampling"] == {"samplingRate": 0.25}
    words = [jaeger_python, "-W", "ignore", PROGRAM, server.ports["jaeger-compact"], server.ports["jaeger-sampling"]]
    client = subprocess.Popen(
        [*map(str, words), "asking", "2000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert "0.25" in client.stdout.readline()
        file.write_text("{ no strategies")
        eventually(lambda: server.metrics()["skein_sampling_strategies_failed"] == 1)
        assert "line 1" in server.output() and "read before" in server.output()
        assert ask(server, "asking").json["probabilisticSampling"] == {"samplingRate": 0.25}
        file.write_text(strategies(1))
        eventually(lambda: ask(server, "asking").json["probabilisticSampling"] == {"samplingRate": 1.0})
        assert server.metrics()["skein_sampling_strategies_failed"] == 0
        client.stdin.write("again\n")
        client.stdin.flush()
        assert "(1.0)" in client.stdout.readline()
        client.stdin.close()
        assert client.wait(60) == 0
    finally:
        client.kill()

    def weights():
        found = server.search_all('service = "asking"')
        return [server.skeleton(trace["traceId"])["spans"]["weight"] for trace in found]

    found = eventually(lambda: (all_ := weights()) and sum(w == [1, 1] for w in all_) == 2000 and all_, timeout=60)
    sampled = [w for w in found if w != [1, 1]]
    # 500 expected; five standard deviations of a binomial distribution. Roots come first in a skeleton. They carry the
    # tags, and end after their children, of which a few may have been sent in a packet before.
    assert abs(len(sampled) - 500) < 97 and all(w[0] == 4 for w in sampled), len(sampled)
    assert sum(w == [4, 4] for w in sampled) > 0.9 * len(sampled)


def test_a_service_without_a_strategy_is_told_one_in_a_thousand(server):
    assert ask(server, "nobody").json == {
        "strategyType": "PROBABILISTIC",
        "probabilisticSampling": {"samplingRate": 0.001},
    }
    base = f"http://127.0.0.1:{server.ports['jaeger-sampling']}"
    for path in ("/sampling", "/", "/sampling?service=a&service=b"):
        answer = request(base, "GET", path)
        assert answer.status == 400 and b"'service' parameter must be provided once" in answer.body


def test_a_file_that_is_none_stops_the_start(serve, folder):
    file = folder / "strategies.json"
    file.write_text('{\n"default_strategy": {"type": "sometimes", "param": 1}}')
    server = serve("data", "--sampling-strategies", file, launch_only=True)
    assert server.process.wait(30) != 0
    assert "sometimes" in server.output() and "line 2" in server.output()
