// SPDX-License-Identifier: Apache-2.0
import SkeinTracing
import Testing

@Suite struct ConfigurationProblemTests {
    @Test(arguments: [
        ("user:hunter2@localhost:4317", "…@localhost:4317"),
        ("http://user:hunter2@localhost:4317", "http://…@localhost:4317"),
        ("http://user:hunter2@more@localhost", "http://…@localhost"),
        ("user:a://hunter2@localhost", "…@localhost"),
        ("endpoint=http://user:hunter2@localhost", "endpoint=http://…@localhost"),
        ("http://user:\(String(repeating: "x", count: 200))@host", "http://…@host"),
        ("ftp://host/path?api_key=hunter2", "ftp://host/path?…"), ("host?", "host?"), ("otpl", "otpl"),
    ])
    func `a value is shown without what may be a secret in an address`(value: String, shown: String) {
        #expect(ConfigurationProblem(.environment, "NAME", value: value, reason: "").value == shown)
    }

    @Test func `a long value is cut`() {
        let value = ConfigurationProblem(.field, "name", value: String(repeating: "x", count: 121), reason: "").value
        #expect(value == String(repeating: "x", count: 120) + "…")
    }

    @Test func `an address that holds instead is shown without its query`() {
        var code = TracingConfiguration()
        var otlp = OTLPConfiguration()
        otlp.endpoint = "http://host/in?api_key=hunter2"
        code.processors = [SpanProcessorConfiguration(.otlp(otlp))]
        let (_, problems) = resolve(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "nowhere"], code: code)
        #expect(problems.count == 1 && problems[0].hasSuffix("; http://host/in?… is used"))
    }
}
