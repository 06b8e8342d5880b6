# SPDX-License-Identifier: Apache-2.0
"""A program with Jaeger's own client that asks an agent how to sample, and then starts traces.

jaeger_remote.py AGENT_PORT SAMPLING_PORT SERVICE COUNT

Prints what it was told, then starts COUNT traces of a root and a child. For each line on standard input it asks again,
prints what it is told now, and starts as many.
"""

import logging
import sys
import time

# A program beside this one has the name of the package.
sys.path.pop(0)
from jaeger_client import Config  # noqa: E402

agent_port, sampling_port, service, count = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
logging.disable(logging.CRITICAL)
tracer = Config(
    config={
        "local_agent": {
            "reporting_host": "127.0.0.1", "reporting_port": agent_port, "sampling_port": sampling_port,
        },
        "sampling_refresh_interval": 0.2,
        "reporter_queue_size": 10_000,
        "reporter_batch_size": 100,
    },
    service_name=service,
    validate=False,
).initialize_tracer()


def told():
    """The sampler that stands for what the client was told last."""
    time.sleep(1.5)
    return str(tracer.sampler.sampler)


def start_traces():
    for _ in range(count):
        with tracer.start_span("root") as root, tracer.start_span("child", child_of=root):
            pass


print(told(), flush=True)
start_traces()
for _ in sys.stdin:
    print(told(), flush=True)
    start_traces()
tracer.close()
time.sleep(2)
