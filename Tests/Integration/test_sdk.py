# SPDX-License-Identifier: Apache-2.0
"""The SDK from outside: a program instrumented with it, configured by its environment alone. What it sends is decoded by others'
decoders; collectors are missing, late, slow and refuse."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import pytest
from collector import Collector, DatagramCollector, free_port
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

programs = Path(__file__).resolve().parent / "programs"


@pytest.fixture(scope="session")
def emitter(binary):
    path = binary.parent / "SpanEmitter"
    assert path.exists(), f"{path} is not there: `swift build` first"
    return path


@pytest.fixture
def emit(emitter):
    """emit(*arguments, **variables) runs the program to its end: (exit code, output, seconds)."""

    def run(*arguments, **variables):
        started = time.monotonic()
        done = subprocess.run(
            [emitter, *arguments], env=environment(variables), capture_output=True, text=True, timeout=120
        )
        return done.returncode, done.stdout + done.stderr, time.monotonic() - started

    return run


def environment(variables):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    return clean | {"OTEL_SERVICE_NAME": "shop"} | {k: str(v) for k, v in variables.items()}


def otlp(collector, **more):
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} | more


def spans_of(collector):
    """All spans that came as protobuf, in order."""
    spans = []
    for _, _, body in list(collector.requests):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                spans += scope.spans
    return spans


def check_every_shape(request):
    """The whole of the program's trace, as OpenTelemetry's own types have it."""
    [resource] = request.resource_spans
    attributes = {a.key: a.value for a in resource.resource.attributes}
    assert attributes["service.name"].string_value == "shop"
    assert attributes["telemetry.sdk.name"].string_value == "skein"
    assert attributes["telemetry.sdk.language"].string_value == "swift"
    assert attributes["process.pid"].int_value > 0
    [scope] = resource.scope_spans
    assert scope.scope.name == "SpanEmitter"
    spans = {span.name: span for span in scope.spans}
    assert set(spans) == {"GET /orders/{id}", "GET", "orders publish"}
    server, client, producer = spans["GET /orders/{id}"], spans["GET"], spans["orders publish"]
    assert len(server.trace_id) == 16 and len(server.span_id) == 8 and server.parent_span_id == b""
    assert {s.trace_id for s in spans.values()} == {server.trace_id}
    assert client.parent_span_id == producer.parent_span_id == server.span_id
    assert (server.kind, client.kind, producer.kind) == (2, 3, 4)
    assert {s.flags for s in spans.values()} == {0x103}
    assert server.start_time_unix_nano <= client.start_time_unix_nano < client.end_time_unix_nano
    assert client.end_time_unix_nano <= server.end_time_unix_nano
    values = {a.key: a.value for a in server.attributes}
    assert values["text"].string_value == "grün \U0001f33f" and values["int"].int_value == 42
    assert values["double"].double_value == 1.5 and values["bool"].bool_value is True
    assert [v.string_value for v in values["texts"].array_value.values] == ["a", "b"]
    assert values["bytes"].bytes_value == b"\x00\xff"
    [event] = server.events
    assert event.name == "looked up" and event.attributes[0].value.int_value == 3
    [link] = server.links
    assert link.span_id.hex() == "0000000000000003" and link.flags == 0x301
    assert (client.status.code, producer.status.code, server.status.code) == (2, 1, 0)
    [exception] = client.events
    exception = {a.key: a.value.string_value for a in exception.attributes}
    assert exception["exception.message"] == "no widgets left" and "OutOfStock" in exception["exception.type"]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_otlp_protobuf_is_read_by_opentelemetrys_own_types(emit, compression):
    with Collector() as collector:
        code, output, _ = emit("every-shape", **otlp(collector, OTEL_EXPORTER_OTLP_COMPRESSION=compression))
        assert code == 0, output
        [(path, headers, body)] = collector.requests
    assert path == "/v1/traces" and headers["content-type"] == "application/x-protobuf"
    assert headers.get("content-encoding", "none") == compression
    check_every_shape(ExportTraceServiceRequest.FromString(body))


def test_otlp_json_is_read_by_opentelemetrys_own_types(emit):
    with Collector() as collector:
        variables = otlp(collector, OTEL_EXPORTER_OTLP_PROTOCOL="http/json", OTEL_EXPORTER_OTLP_HEADERS="x-tenant=a%20b")
        code, output, _ = emit("every-shape", **variables)
        assert code == 0, output
        [(_, headers, body)] = collector.requests
    assert headers["content-type"] == "application/json" and headers["x-tenant"] == "a b"
    # Ids are hex in OTLP's JSON and base64 in that of Protocol Buffers (OTLP 1.9 "JSON Protobuf Encoding").
    check_every_shape(Parse(with_base64_ids(body), ExportTraceServiceRequest()))


def with_base64_ids(body):
    import base64

    def convert(value):
        if isinstance(value, dict):
            return {k: id(v) if k in ("traceId", "spanId", "parentSpanId") else convert(v) for k, v in value.items()}
        return [convert(v) for v in value] if isinstance(value, list) else value

    def id(text):
        return base64.b64encode(bytes.fromhex(text)).decode()

    return json.dumps(convert(json.loads(body)))


# After the description of Zipkin's API, version 2: what its servers check.
endpoint = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "serviceName": {"type": "string"},
        "ipv4": {"type": "string", "format": "ipv4"},
        "ipv6": {"type": "string", "format": "ipv6"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65_535},
    },
}
zipkin_spans = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["traceId", "id"],
        "additionalProperties": False,
        "properties": {
            "traceId": {"type": "string", "pattern": "^([0-9a-f]{16}|[0-9a-f]{32})$"},
            "parentId": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
            "id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
            "kind": {"enum": ["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]},
            "name": {"type": "string"},
            "timestamp": {"type": "integer", "minimum": 1},
            "duration": {"type": "integer", "minimum": 1},
            "debug": {"type": "boolean"},
            "shared": {"type": "boolean"},
            "localEndpoint": endpoint,
            "remoteEndpoint": endpoint,
            "annotations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["timestamp", "value"],
                    "additionalProperties": False,
                    "properties": {"timestamp": {"type": "integer"}, "value": {"type": "string"}},
                },
            },
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
}


def test_zipkin_keeps_to_its_schema(emit):
    with Collector() as collector:
        variables = {
            "OTEL_TRACES_EXPORTER": "zipkin",
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT": collector.url + "/api/v2/spans",
        }
        code, output, _ = emit("every-shape", **variables)
        assert code == 0, output
        [(path, headers, body)] = collector.requests
    assert path == "/api/v2/spans" and headers["content-type"] == "application/json"
    made = json.loads(body)
    jsonschema.validate(made, zipkin_spans)
    spans = {span["name"]: span for span in made}
    server, client, producer = spans["GET /orders/{id}"], spans["GET"], spans["orders publish"]
    assert client["parentId"] == server["id"] and "parentId" not in server
    assert server["localEndpoint"]["serviceName"] == "shop"
    assert client["remoteEndpoint"]["serviceName"] == "inventory" and producer["remoteEndpoint"]["serviceName"] == "queue"
    assert client["tags"]["otel.status_code"] == "ERROR" and "error" in client["tags"]
    assert producer["tags"]["otel.status_code"] == "OK" and "error" not in producer["tags"]
    assert server["tags"]["int"] == "42" and server["tags"]["otel.scope.name"] == "SpanEmitter"
    assert server["annotations"][0]["value"].startswith('"looked up"')


def check_jaeger(batch):
    assert batch["service"] == "shop" and batch["process"]["telemetry.sdk.language"] == "'swift'"
    spans = {span["name"]: span for span in batch["spans"]}
    server, client, producer = spans["GET /orders/{id}"], spans["GET"], spans["orders publish"]
    assert client["parentSpanId"] == server["spanId"] and server["parentSpanId"] == "0" * 16
    assert client["traceId"] == server["traceId"] and server["flags"] == 1 and client["duration"] >= 0
    assert server["tags"]["int"] == "42" and server["tags"]["double"] == "1.5" and server["tags"]["bool"] == "True"
    assert server["tags"]["span.kind"] == "'server'" and client["tags"]["error"] == "True"
    assert client["tags"]["otel.status_code"] == "'ERROR'" and producer["tags"]["otel.status_code"] == "'OK'"
    assert server["logs"][0]["event"] == "'looked up'" and server["logs"][0]["rows"] == "3"
    assert [1, "0000000000000003"] in server["references"]


def decode_jaeger(python, form, body):
    done = subprocess.run([python, programs / "jaeger_decode.py", form], input=body, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_jaegers_batches_are_read_by_apaches_thrift(emit, jaeger_python):
    with Collector() as collector:
        variables = {
            "OTEL_TRACES_EXPORTER": "jaeger",
            "OTEL_EXPORTER_JAEGER_ENDPOINT": collector.url + "/api/traces",
            "OTEL_EXPORTER_JAEGER_USER": "u",
            "OTEL_EXPORTER_JAEGER_PASSWORD": "p",
        }
        code, output, _ = emit("every-shape", **variables)
        assert code == 0, output
        [(_, headers, body)] = collector.requests
    assert headers["content-type"] == "application/x-thrift" and headers["authorization"] == "Basic dTpw"
    check_jaeger(decode_jaeger(jaeger_python, "batch", body))


def test_jaegers_datagrams_are_read_by_apaches_thrift(emit, jaeger_python):
    with DatagramCollector() as collector:
        variables = {
            "OTEL_TRACES_EXPORTER": "jaeger",
            "OTEL_EXPORTER_JAEGER_AGENT_HOST": "127.0.0.1",
            "OTEL_EXPORTER_JAEGER_AGENT_PORT": collector.port,
        }
        code, output, _ = emit("every-shape", **variables)
        assert code == 0, output
        check_jaeger(decode_jaeger(jaeger_python, "datagram", collector.receive()))


def test_a_console_that_is_no_terminal_gets_a_line_of_json_for_each_span(emit):
    code, output, _ = emit("every-shape", OTEL_TRACES_EXPORTER="console")
    assert code == 0
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert {line["name"] for line in lines} == {"GET /orders/{id}", "GET", "orders publish"}


def test_a_burst_is_exported_or_counted(emit):
    with Collector(seconds=0.2) as collector:
        code, output, _ = emit("burst", "10000", **otlp(collector))
        names = [span.name for span in spans_of(collector)]
    assert code == 0, output
    assert len(names) == len(set(names)) and 2_048 <= len(names) < 10_000
    [line] = [line for line in output.splitlines() if "dropped " in line][:1]
    assert "OTEL_BSP_MAX_QUEUE_SIZE" in line


def test_a_large_enough_queue_loses_nothing_and_repeats_nothing(emit):
    with Collector() as collector:
        code, output, _ = emit("burst", "20000", **otlp(collector, OTEL_BSP_MAX_QUEUE_SIZE=32_768))
        names = [span.name for span in spans_of(collector)]
    assert code == 0 and len(names) == 20_000 == len(set(names)), output


def test_a_collector_that_comes_up_late_gets_all_that_waits(emitter):
    port = free_port()
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": 100}
    process = subprocess.Popen([emitter, "wait"], env=environment(variables), stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(3)
        with Collector(port=port) as collector:
            wait_for(lambda: collector.requests)
            assert [span.name for span in spans_of(collector)] == ["before signal"]
    finally:
        process.kill()
        process.wait()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_loses_nothing_and_ends_the_program_by_it(emitter, number):
    with Collector() as collector:
        process = subprocess.Popen([emitter, "wait"], env=environment(otlp(collector)), stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(timeout=30) == -number
        assert [span.name for span in spans_of(collector)] == ["before signal"]


def test_the_end_of_a_program_loses_nothing(emit):
    with Collector() as collector:
        code, output, _ = emit("start", **otlp(collector))
        assert code == 0 and [span.name for span in spans_of(collector)] == ["before exit"], output


def test_a_dead_collector_holds_the_end_no_longer_than_its_timeout(emit):
    code, output, seconds = emit("start", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    assert code == 0 and seconds < 20
    assert "could not export 1 span" in output and "at 5 tries" in output, output


def test_a_flush_repeats_nothing_and_a_second_start_warns(emit):
    with Collector() as collector:
        code, output, _ = emit("twice", **otlp(collector))
        names = [span.name for span in spans_of(collector)]
    assert code == 0 and names == ["first", "second"], output
    assert "flushed: done" in output and "shut down: done" in output
    assert "Skein was started again" in output


def test_the_functions_of_swift_distributed_tracing_record_too(emit):
    with Collector() as collector:
        code, output, _ = emit("global", **otlp(collector, OTEL_SERVICE_NAME=""))
        outer, inner = sorted(spans_of(collector), key=lambda span: span.start_time_unix_nano)
    assert code == 0 and (outer.name, inner.name) == ("outer", "inner") and inner.parent_span_id == outer.span_id
    assert f"trace_id={outer.trace_id.hex()}" in output and f"span_id={inner.span_id.hex()}" in output
    assert "trace_flags=03" in output


@pytest.mark.parametrize(
    "variable, value, word",
    [
        ("OTEL_TRACES_SAMPLER", "sometimes", "sometimes"),
        ("OTEL_TRACES_EXPORTER", "carrier-pigeon", "carrier-pigeon"),
        ("OTEL_PROPAGATORS", "morse", "morse"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-3", "-3"),
        ("OTEL_CONFIG_FILE", "/nowhere.yaml", "/nowhere.yaml"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem", "/nowhere.pem"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nonsense", "nonsense"),
    ],
)
def test_what_makes_no_sense_is_told_and_stops_nothing(emit, variable, value, word):
    with Collector() as collector:
        code, output, _ = emit("start", **(otlp(collector) | {variable: value}))
    assert code == 0 and word in output and "skein.sdk" in output, output


def test_sdk_disabled_sends_nothing(emit):
    with Collector() as collector:
        code, output, _ = emit("every-shape", **otlp(collector, OTEL_SDK_DISABLED="true"))
        assert code == 0 and not collector.requests, output


@pytest.mark.parametrize(
    "route",
    ["otlp-protobuf", "otlp-json", "otlp-gzip", "otlp-grpc", "zipkin", "jaeger-http", "jaeger-udp"],
)
def test_skein_takes_what_its_own_sdk_sends(emit, server, route):
    service = f"sdk over {route}"
    base = {"OTEL_SERVICE_NAME": service, "OTEL_EXPORTER_OTLP_ENDPOINT": server.otlp_http}
    more = {
        "otlp-protobuf": {},
        "otlp-json": {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
        "otlp-gzip": {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
        "otlp-grpc": {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.ports['otlp-grpc']}",
        },
        "zipkin": {
            "OTEL_TRACES_EXPORTER": "zipkin",
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"http://127.0.0.1:{server.ports['zipkin']}/api/v2/spans",
        },
        "jaeger-http": {
            "OTEL_TRACES_EXPORTER": "jaeger",
            "OTEL_EXPORTER_JAEGER_ENDPOINT": f"http://127.0.0.1:{server.ports['jaeger-http']}/api/traces",
        },
        "jaeger-udp": {
            "OTEL_TRACES_EXPORTER": "jaeger",
            "OTEL_EXPORTER_JAEGER_AGENT_HOST": "127.0.0.1",
            "OTEL_EXPORTER_JAEGER_AGENT_PORT": server.ports["jaeger-compact"],
        },
    }[route]
    code, output, _ = emit("every-shape", **(base | more))
    assert code == 0 and "could not" not in output, output

    def found():
        return server.search(f'service = "{service}"')["traces"]

    wait_for(lambda: found() and found()[0]["spanCount"] == 3)
    [trace] = found()
    assert trace["rootSpanName"] == "GET /orders/{id}" and trace["errorCount"] == 1
