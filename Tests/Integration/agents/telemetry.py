# SPDX-License-Identifier: Apache-2.0
"""OpenTelemetry as an agent process sets it up: spans over OTLP/HTTP to `OTEL_EXPORTER_OTLP_ENDPOINT`."""

import json
import os
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

CARRIERS = ("TRACEPARENT", "TRACESTATE", "BAGGAGE")


@contextmanager
def telemetry(service):
    """The tracer provider of a process of this service; what it recorded has left when the block ends."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=200))
    trace.set_tracer_provider(provider)
    try:
        yield provider
    finally:
        provider.shutdown()


def environment():
    """This process's environment with the present span in it, for a child process."""
    carrier = {}
    inject(carrier)
    return {**os.environ, **{name.upper(): value for name, value in carrier.items()}}


def inherited():
    """The context that the parent process left in the environment."""
    return extract({name.lower(): os.environ[name] for name in CARRIERS if name in os.environ})


def tell(**truth):
    """Prints what really happened, for the test to compare with what the server says."""
    print(json.dumps(truth), flush=True)
