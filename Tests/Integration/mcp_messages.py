# SPDX-License-Identifier: Apache-2.0
"""Messages of the Model Context Protocol, and what a proxy reports of them."""

import json
from collections import namedtuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-03"
UNSET, ERROR, CLIENT = 0, 2, 3


def spans_of(collector):
    """Every span that came, with its attributes as a dictionary."""
    spans = []
    for _, _, body in collector.requests:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    span_attributes = {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}
                    spans.append(Seen(span, span_attributes, scope.scope.name, service))
    return spans


Seen = namedtuple("Seen", "span attributes scope service")


def call(id, tool="t", do=(), meta=None, **members):
    params = {"name": tool, "arguments": {"do": list(do)}, **members}
    if meta is not None:
        params["_meta"] = meta
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}


def line(message):
    return (json.dumps(message) + "\n").encode()


def answer(id, result=None, **members):
    return json.dumps({"jsonrpc": "2.0", "id": id, **({"result": result or {}} if not members else members)}) + "\n"


def traceparent(spans, tool):
    (seen,) = [s for s in spans if s.attributes.get("gen_ai.tool.name") == tool]
    return f"00-{seen.span.trace_id.hex()}-{seen.span.span_id.hex()}-"
