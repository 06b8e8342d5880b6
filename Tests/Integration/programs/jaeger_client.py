# SPDX-License-Identifier: Apache-2.0
"""The classic Jaeger program: the shop, exported to a Jaeger agent over UDP, or to a collector. Prints the id of its trace.

jaeger_client.py agent|binary|http|grpc PORT MARKER
"""

import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.jaeger.proto.grpc import JaegerExporter as GRPCExporter
from opentelemetry.exporter.jaeger.thrift import JaegerExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from thrift.protocol import TBinaryProtocol

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import shop  # noqa: E402

way, port, marker = sys.argv[1], int(sys.argv[2]), sys.argv[3]
trace.set_tracer_provider(
    TracerProvider(resource=Resource.create({SERVICE_NAME: f"classic-shop-{way}", "host.name": "box-2"}))
)
if way == "agent":
    exporter = JaegerExporter(agent_host_name="localhost", agent_port=port)
elif way == "binary":
    exporter = JaegerExporter(agent_host_name="localhost", agent_port=port)
    agent = exporter._agent_client
    agent.client = type(agent.client)(iprot=TBinaryProtocol.TBinaryProtocol(agent.buffer))
elif way == "http":
    exporter = JaegerExporter(collector_endpoint=f"http://127.0.0.1:{port}/api/traces?format=jaeger.thrift")
else:
    exporter = GRPCExporter(collector_endpoint=f"127.0.0.1:{port}", insecure=True)
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(exporter))
print(shop.check_out(trace.get_tracer(__name__), marker))
trace.get_tracer_provider().shutdown()
