// SPDX-License-Identifier: Apache-2.0
// How to send a first span, in several languages, to given addresses. Pure but for the ids and the clock of curl's.

/**
 * What each way is called, its text, and what to run; those without an address to send to are left out.
 * @param {string | null} http where OTLP over HTTP is taken @param {string | null} grpc @returns {[string, string][]}
 */
export function samples(http, grpc) {
  const any = [["Any SDK", environment(http, grpc)]];
  if (!http) return grpc ? any : [];
  return [["curl", curl(http)], ["Python", python(http)], ["Swift", swift(http)], ["Go", go(http)], ["Java", java(http)], ["Node", node(http)], ...any];
}

function curl(address) {
  const now = BigInt(Date.now()) * 1_000_000n;
  const hex = (digits) => Array.from(crypto.getRandomValues(new Uint8Array(digits / 2)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const [trace, root, child] = [hex(32), hex(16), hex(16)];
  return `curl http://${address}/v1/traces -H 'Content-Type: application/json' -d '{"resourceSpans":[{
  "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hello"}}]},
  "scopeSpans":[{"spans":[
    {"traceId":"${trace}","spanId":"${root}","name":"GET /","kind":2,
     "startTimeUnixNano":"${now - 120_000_000n}","endTimeUnixNano":"${now}"},
    {"traceId":"${trace}","spanId":"${child}","parentSpanId":"${root}",
     "name":"SELECT users","kind":3,
     "startTimeUnixNano":"${now - 90_000_000n}","endTimeUnixNano":"${now - 20_000_000n}",
     "attributes":[{"key":"db.system.name","value":{"stringValue":"postgresql"}}]}]}]}]}'`;
}

function python(address) {
  return `# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "hello"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter("http://${address}/v1/traces")))
trace.set_tracer_provider(provider)

tracer = trace.get_tracer("hello")
with tracer.start_as_current_span("GET /"):
    with tracer.start_as_current_span("SELECT users") as span:
        span.set_attribute("db.system.name", "postgresql")

provider.shutdown()`;
}

function swift(address) {
  return `// OTEL_EXPORTER_OTLP_ENDPOINT=http://${address} swift run
import SkeinTracing

@main struct Hello {
    static func main() async throws {
        try await Skein.run(service: "hello") {
            try await Skein.withSpan("GET /") { _ in
                try await Skein.withSpan("SELECT users") { span in
                    span.setAttribute("db.system.name", "postgresql")
                }
            }
        }
    }
}`;
}

function go(address) {
  return `// go get go.opentelemetry.io/otel/sdk go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp
// OTEL_SERVICE_NAME=hello go run .
package main

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL("http://${address}/v1/traces"))
	if err != nil {
		panic(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	defer provider.Shutdown(ctx)

	ctx, root := provider.Tracer("hello").Start(ctx, "GET /")
	_, child := provider.Tracer("hello").Start(ctx, "SELECT users")
	child.End()
	root.End()
}`;
}

function java(address) {
  return `# Any program, unchanged, with the OpenTelemetry agent:
curl -LO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar
java -javaagent:opentelemetry-javaagent.jar \\
     -Dotel.service.name=hello \\
     -Dotel.exporter.otlp.protocol=http/protobuf \\
     -Dotel.exporter.otlp.endpoint=http://${address} \\
     -Dotel.metrics.exporter=none -Dotel.logs.exporter=none \\
     -jar app.jar`;
}

function node(address) {
  return `// npm install @opentelemetry/api @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto
// OTEL_SERVICE_NAME=hello node hello.mjs
import { trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter({ url: "http://${address}/v1/traces" }) });
sdk.start();

const tracer = trace.getTracer("hello");
tracer.startActiveSpan("GET /", (root) => {
  tracer.startActiveSpan("SELECT users", (child) => child.end());
  root.end();
});

await sdk.shutdown();`;
}

function environment(http, grpc) {
  const lines = ["export OTEL_SERVICE_NAME=my-service"];
  if (http) lines.push("", "# OTLP over HTTP", "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", `export OTEL_EXPORTER_OTLP_ENDPOINT=http://${http}`);
  if (grpc) lines.push("", `# ${http ? "or " : ""}OTLP over gRPC`, "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc", `export OTEL_EXPORTER_OTLP_ENDPOINT=http://${grpc}`);
  return lines.join("\n");
}
