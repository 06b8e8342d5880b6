# SPDX-License-Identifier: Apache-2.0
"""A program that sends to Zipkin: the shop under OpenTelemetry's exporters, or a shop of py-zipkin's. Prints the id of its trace.

zipkin_client.py otel-v1-json|otel-v2-json|otel-v2-proto3|py-v1-thrift|py-v1-json|py-v2-json|py-v2-proto3 PORT MARKER
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

way, port, marker = sys.argv[1], int(sys.argv[2]), sys.argv[3]
library, version, encoding = way.split("-")
service = f"Zipkin-Shop-{way}"


def run_opentelemetry():
    import shop
    from opentelemetry import trace
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    endpoint = f"http://127.0.0.1:{port}/api/{version}/spans"
    if encoding == "json":
        from opentelemetry.exporter.zipkin.encoder import Protocol
        from opentelemetry.exporter.zipkin.json import ZipkinExporter

        exporter = ZipkinExporter(
            Protocol(version), endpoint, local_node_ipv4="10.1.2.3", local_node_port=8080, max_tag_value_length=1000
        )
    else:
        from opentelemetry.exporter.zipkin.proto.http import ZipkinExporter

        exporter = ZipkinExporter(endpoint, local_node_ipv4="10.1.2.3", local_node_port=8080)
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service, "host.name": "box-3"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    print(shop.check_out(provider.get_tracer("shop", "1.2"), marker))
    provider.shutdown()


def run_py_zipkin():
    from py_zipkin import Encoding, Kind
    from py_zipkin.transport import SimpleHTTPTransport
    from py_zipkin.zipkin import zipkin_span

    class Transport(SimpleHTTPTransport):
        def send(self, payload):
            # It makes JSON as text, which today's urllib does not send.
            super().send(payload.encode() if isinstance(payload, str) else payload)

    with zipkin_span(
        service_name=service,
        span_name="POST /checkout",
        kind=Kind.SERVER,
        transport_handler=Transport("127.0.0.1", port),
        encoding=Encoding[f"{version}_{encoding}".upper()],
        host="10.1.2.3",
        port=8080,
        sample_rate=100,
        use_128bit_trace_id=True,
        binary_annotations={"test.marker": marker, "user.id": "abc123"},
    ) as root:
        root.add_annotation("cart checked")
        with zipkin_span(service_name=service, span_name="charge card", kind=Kind.CLIENT) as charge:
            charge.add_sa_binary_annotation(port=443, service_name="Bank", host="10.9.9.9")
            charge.update_binary_annotations({"error": "no funds on card"})
        with zipkin_span(service_name=service, span_name="send parcel"):
            pass
        print(root.zipkin_attrs.trace_id)


run_opentelemetry() if library == "otel" else run_py_zipkin()
