# SPDX-License-Identifier: Apache-2.0
"""Decodes Jaeger's Thrift with Apache's library and Jaeger's generated types: `batch` in the binary protocol, `datagram` with a
message of the agent in the compact one. Bytes on standard input, JSON on standard output."""

import json
import sys

from opentelemetry.exporter.jaeger.thrift.gen.agent import Agent
from opentelemetry.exporter.jaeger.thrift.gen.jaeger import ttypes
from thrift.protocol import TBinaryProtocol, TCompactProtocol
from thrift.transport import TTransport

transport = TTransport.TMemoryBuffer(sys.stdin.buffer.read())
if sys.argv[1] == "batch":
    batch = ttypes.Batch()
    batch.read(TBinaryProtocol.TBinaryProtocol(transport))
else:
    protocol = TCompactProtocol.TCompactProtocol(transport)
    name, _, _ = protocol.readMessageBegin()
    assert name == "emitBatch", name
    arguments = Agent.emitBatch_args()
    arguments.read(protocol)
    protocol.readMessageEnd()
    batch = arguments.batch


def tags(list):
    kinds = ("vStr", "vDouble", "vBool", "vLong", "vBinary")
    return {tag.key: repr(getattr(tag, kinds[tag.vType])) for tag in list or []}


def hexadecimal(number):
    return f"{number & (1 << 64) - 1:016x}"


json.dump(
    {
        "service": batch.process.serviceName,
        "process": tags(batch.process.tags),
        "spans": [
            {
                "traceId": hexadecimal(span.traceIdHigh) + hexadecimal(span.traceIdLow),
                "spanId": hexadecimal(span.spanId),
                "parentSpanId": hexadecimal(span.parentSpanId),
                "name": span.operationName,
                "flags": span.flags,
                "startTime": span.startTime,
                "duration": span.duration,
                "references": [[ref.refType, hexadecimal(ref.spanId)] for ref in span.references or []],
                "tags": tags(span.tags),
                "logs": [tags(log.fields) for log in span.logs or []],
            }
            for span in batch.spans
        ],
    },
    sys.stdout,
)
