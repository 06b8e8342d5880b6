// SPDX-License-Identifier: Apache-2.0
// An empty store: how to send the first span, to the very addresses this server listens on, and a look-out for it.
import * as api from "../api.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { fill, h } from "../lib/view.js";

const LOOK_EVERY_MILLIS = 2000;

export class FirstSpan {
  /** @param {any} status @param {() => void} show called once, when something has arrived */
  constructor(status, show) {
    this.show = show;
    this.life = new AbortController();
    const http = addressOf(status, "otlp-http");
    const grpc = addressOf(status, "otlp-grpc");
    const ways = [
      http ? ["curl", curl(http)] : null,
      http ? ["Python", python(http)] : null,
      http || grpc ? ["Any OpenTelemetry SDK", environment(http, grpc)] : null,
    ].filter(Boolean);
    this.count = h("p.waiting-line", { role: "status" });
    this.code = h("pre.sample", { tabindex: "0", role: "group", "aria-label": "Sample" });
    this.copy = h("button.icon-button", { type: "button", "aria-label": "Copy the sample", title: "Copy", onclick: () => this.copySample() }, icon("copy"));
    this.tabs = ways.map(([name], index) => h("button.tab", { type: "button", role: "tab", id: `way-${index}`, "aria-controls": "way", onclick: () => this.pick(index) }, name));
    this.ways = ways;
    const tablist = h("div.tabs", { role: "tablist", "aria-label": "Ways to send" }, this.tabs);
    tablist.addEventListener("keydown", (event) => this.turn(event));
    this.panel = h("div.sample-box", { role: "tabpanel", id: "way" }, this.code, this.copy);
    this.element = h("section.state.first-span", {}, h("h2", {}, "Send the first span"),
      h("p", {}, "Skein is running and its store is empty. Point any OpenTelemetry exporter here, or try one of these."),
      ways.length ? [tablist, this.panel] : h("p.problem", {}, "No OTLP listener is on. Start skein serve with --listen otlp-http=127.0.0.1:4318."),
      this.count, listeners(status));
    if (ways.length) this.pick(0);
    this.look(status);
  }

  pick(index) {
    this.index = index;
    this.tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    this.panel.setAttribute("aria-labelledby", `way-${index}`);
    this.code.textContent = this.ways[index][1];
  }

  turn(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.pick((this.index + step + this.tabs.length) % this.tabs.length);
    this.tabs[this.index].focus();
  }

  async copySample() {
    try {
      await navigator.clipboard.writeText(this.code.textContent);
    } catch {
      getSelection().selectAllChildren(this.code);
    }
  }

  look(status) {
    const received = status.receivedSpans;
    if (received > 0 || status.spans > 0) {
      fill(this.count, icon("check"), `${plural(Math.max(received, status.spans), "span")} received`);
      this.show();
      return;
    }
    if (!this.count.firstChild) fill(this.count, h("span.pulse", { "aria-hidden": "true" }), "Waiting for spans… received 0");
    this.timer = setTimeout(async () => {
      const next = await api.status(this.life.signal).catch(() => status);
      if (!this.life.signal.aborted) this.look(next);
    }, LOOK_EVERY_MILLIS);
  }

  close() {
    this.life.abort();
    clearTimeout(this.timer);
  }
}

/** Where a program on this machine reaches a listener; a wildcard address is reached by the name in the address bar. */
function addressOf(status, name) {
  const address = status.listeners?.find((listener) => listener.name === name)?.address;
  if (!address) return null;
  const host = location.hostname || "127.0.0.1";
  return address.replace(/^(0\.0\.0\.0|\[::\]|::|\*)(?=:\d+$)/, host);
}

function listeners(status) {
  const all = status.listeners ?? [];
  return h("details.listeners", {}, h("summary", {}, "All listeners"), h("dl.facts", {}, all.map(({ name, address }) => [h("dt", {}, name), h("dd", {}, h("code", {}, address))])));
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
     "attributes":[{"key":"db.system","value":{"stringValue":"postgresql"}}]}]}]}]}'`;
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
        span.set_attribute("db.system", "postgresql")

provider.shutdown()`;
}

function environment(http, grpc) {
  const lines = ["export OTEL_SERVICE_NAME=my-service"];
  if (http) lines.push("", "# OTLP over HTTP", "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", `export OTEL_EXPORTER_OTLP_ENDPOINT=http://${http}`);
  if (grpc) lines.push("", `# ${http ? "or " : ""}OTLP over gRPC`, "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc", `export OTEL_EXPORTER_OTLP_ENDPOINT=http://${grpc}`);
  return lines.join("\n");
}
