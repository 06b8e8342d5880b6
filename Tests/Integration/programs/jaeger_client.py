# SPDX-License-Identifier: Apache-2.0
"""The classic Jaeger program: the shop, exported to a Jaeger agent over UDP. Prints the id of its trace.

jaeger_client.py AGENT_PORT MARKER
"""

import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.jaeger.thrift import JaegerExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import shop  # noqa: E402

port, marker = int(sys.argv[1]), sys.argv[2]
trace.set_tracer_provider(
    TracerProvider(resource=Resource.create({SERVICE_NAME: "classic-shop", "host.name": "box-2"}))
)
exporter = JaegerExporter(agent_host_name="localhost", agent_port=port)
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(exporter))
print(shop.check_out(trace.get_tracer(__name__), marker))
trace.get_tracer_provider().shutdown()
