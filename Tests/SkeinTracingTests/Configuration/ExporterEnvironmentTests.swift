// SPDX-License-Identifier: Apache-2.0
import SkeinRecording
import SkeinTracing
import Testing

@Suite struct ExporterEnvironmentTests {
    @Test func `exporters are a list, and only a terminal gets spans one by one`() {
        let (configuration, problems) = resolve(["OTEL_TRACES_EXPORTER": "otlp, Console,zipkin,jaeger,otlp"])
        #expect(problems.isEmpty)
        #expect(configuration.processors.map(\.exporter.name) == ["otlp", "console", "zipkin", "jaeger"])
        #expect(configuration.processors.map { $0.batch != nil } == [true, false, true, true])
        #expect(resolve(["OTEL_TRACES_EXPORTER": "none"]).configuration.processors.isEmpty)
    }

    @Test func `an exporter that nobody knows leaves what was there`() {
        let (configuration, problems) = resolve(["OTEL_TRACES_EXPORTER": "otpl"])
        #expect(configuration == TracingConfiguration())
        #expect(
            problems == [
                "OTEL_TRACES_EXPORTER is ignored: \"otpl\" is not one of otlp, zipkin, jaeger, console: did you mean otlp?, "
                    + "none; otlp is used"
            ]
        )
    }

    @Test func `what code says of an exporter holds on when the environment names that exporter`() {
        var code = TracingConfiguration()
        var zipkin = ZipkinConfiguration()
        zipkin.endpoint = "http://zipkin:9411/api/v2/spans"
        code.processors = [SpanProcessorConfiguration(.zipkin(zipkin), batch: nil)]
        let (configuration, _) = resolve(
            ["OTEL_TRACES_EXPORTER": "console,zipkin", "OTEL_EXPORTER_ZIPKIN_TIMEOUT": "3000"],
            code: code
        )
        zipkin.timeout = .seconds(3)
        #expect(
            configuration.processors == [
                SpanProcessorConfiguration(.console), SpanProcessorConfiguration(.zipkin(zipkin), batch: nil),
            ]
        )
    }

    @Test(arguments: [
        ([:], "http://localhost:4318/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"], "http://collector:4318/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector/otlp/"], "https://collector:443/otlp/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/in?a=b/"], "http://collector:4318/in/v1/traces?a=b/"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318?a=b"], "http://collector:4318/v1/traces?a=b"),
        (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318"], "http://collector:4318/"),
        (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://[::1]:80/in?a=b"], "http://[::1]:80/in?a=b"),
        (
            [
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4318",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:4318/v1/traces",
            ], "http://traces:4318/v1/traces"
        ),
        (["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"], "http://localhost:4317/"),
        (
            ["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4317"],
            "https://collector:4317/"
        ),
        (
            ["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"],
            "https://collector:4317/"
        ),
        (
            [
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317",
                "OTEL_EXPORTER_OTLP_INSECURE": "true",
            ], "http://collector:4317/"
        ),
        (
            [
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317",
                "OTEL_EXPORTER_OTLP_INSECURE": "false",
            ], "http://collector:4317/"
        ),
    ])
    func `OTLP goes to the base and a path, or to the address for traces`(
        environment: [String: String],
        address: String
    ) {
        let (configuration, problems) = resolve(environment)
        #expect(configuration.otlp?.target?.description == address && problems.isEmpty)
    }

    @Test(arguments: [
        "collector:4318", "ftp://collector", "http://", "http://collector:0", "http://collector:65536", "http://a b",
        "http://user:secret@collector", "http://[::1", "http://collector:", "http://collector:+80",
    ])
    func `an address that is none leaves the default`(text: String) {
        let (configuration, problems) = resolve(["OTEL_EXPORTER_OTLP_ENDPOINT": text])
        #expect(configuration == TracingConfiguration())
        #expect(problems.count == 1 && problems[0].hasPrefix("OTEL_EXPORTER_OTLP_ENDPOINT is ignored"))
        #expect(!problems[0].contains("secret"))
    }

    @Test func `each setting of OTLP has its variable, and one for traces that wins`() {
        let (configuration, problems) = resolve([
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "HTTP/JSON",
            "OTEL_EXPORTER_OTLP_INSECURE": "false", "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "true",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "a", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": "/ca.pem",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/key.pem", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE": "/client.pem",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_TIMEOUT": "1000",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "2000", "OTEL_EXPORTER_OTLP_HEADERS": "a=1",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "Authorization=Basic%20dXNlcjpwdw==,x-b = 2 ,",
        ])
        var expected = OTLPConfiguration()
        expected.transport = .httpJSON
        expected.isInsecure = true
        expected.certificateFile = "/ca.pem"
        expected.clientKeyFile = "/key.pem"
        expected.clientCertificateFile = "/client.pem"
        expected.compression = .gzip
        expected.timeout = .seconds(2)
        expected.headers = ["authorization": "Basic dXNlcjpwdw==", "x-b": "2"]
        #expect(configuration.otlp == expected && problems.isEmpty)
    }

    @Test(arguments: [
        ("a=1,secret", "member 2 has no =: write key=value,key=value"),
        ("a=1,b=secret%", "member 2 has a % without two hexadecimal digits of UTF-8 after it: write % as %25"),
        ("a=1,b=%ff", "member 2 has a % without two hexadecimal digits of UTF-8 after it: write % as %25"),
        ("a=1,=secret", "member 2 has no key before its ="),
        ("a=1,b b=secret", "member 2 has a name with characters that no header may have"),
        ("a=1,b=secret%0d%0aX: y", "member 2 has control characters in its value"),
    ])
    func `a header that cannot be sent is left out, and never shown`(text: String, reason: String) {
        let (configuration, problems) = resolve(["OTEL_EXPORTER_OTLP_HEADERS": text])
        #expect(configuration.otlp?.headers == ["a": "1"])
        #expect(problems == ["OTEL_EXPORTER_OTLP_HEADERS is ignored: \(reason); the other headers are sent"])
    }

    @Test func `a description holds neither headers nor passwords nor queries`() {
        let (configuration, _) = resolve([
            "OTEL_TRACES_EXPORTER": "otlp,jaeger", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret",
            "OTEL_EXPORTER_JAEGER_ENDPOINT": "http://jaeger:14268/api/traces?key=secret",
            "OTEL_EXPORTER_JAEGER_USER": "me", "OTEL_EXPORTER_JAEGER_PASSWORD": "secret",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318?key=secret",
        ])
        #expect(configuration.otlp?.headers == ["authorization": "secret"])
        #expect(!"\(configuration)".contains("secret"))
    }

    @Test func `Zipkin and both ways to Jaeger have their variables`() {
        let shared = ["OTEL_TRACES_EXPORTER": "jaeger,zipkin", "OTEL_EXPORTER_JAEGER_AGENT_HOST": "agent"]
        let (agent, _) = resolve(
            shared.merging([
                "OTEL_EXPORTER_JAEGER_AGENT_PORT": "6832",
                "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "http://zipkin/api/v2/spans",
            ]) { $1 }
        )
        var udp = JaegerUDPConfiguration()
        udp.host = "agent"
        udp.port = 6832
        var zipkin = ZipkinConfiguration()
        zipkin.endpoint = "http://zipkin/api/v2/spans"
        #expect(agent.processors.map(\.exporter) == [.jaegerUDP(udp), .zipkin(zipkin)])

        let (collector, _) = resolve(
            shared.merging([
                "OTEL_EXPORTER_JAEGER_ENDPOINT": "http://jaeger:14268/api/traces",
                "OTEL_EXPORTER_JAEGER_TIMEOUT": "0", "OTEL_EXPORTER_JAEGER_USER": "me",
                "OTEL_EXPORTER_JAEGER_PASSWORD": "pw",
            ]) { $1 }
        )
        var http = JaegerHTTPConfiguration()
        http.endpoint = "http://jaeger:14268/api/traces"
        http.timeout = .zero
        http.user = "me"
        http.password = "pw"
        #expect(collector.processors[0].exporter == .jaegerHTTP(http))
    }

    @Test func `batches have their variables, in milliseconds`() {
        let (configuration, problems) = resolve([
            "OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_SCHEDULE_DELAY": "0", "OTEL_BSP_EXPORT_TIMEOUT": "1500",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
        ])
        var expected = BatchConfiguration()
        expected.queueSizeMax = 100
        expected.scheduledDelay = .zero
        expected.exportTimeout = .milliseconds(1500)
        expected.exportBatchSizeMax = 10
        #expect(configuration.batch == expected && problems.isEmpty)
    }

    @Test func `a batch is never larger than its queue`() {
        let small = resolve(["OTEL_BSP_MAX_QUEUE_SIZE": "100"])
        #expect(small.configuration.batch?.exportBatchSizeMax == 100 && small.problems.isEmpty)
        let (configuration, problems) = resolve([
            "OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "101",
        ])
        #expect(configuration.batch?.exportBatchSizeMax == 100)
        #expect(
            problems == [
                "processors[0].exportBatchSizeMax of the configuration is ignored: \"101\" is not a whole number from 1 to the "
                    + "size of the queue, 100; 100 is used"
            ]
        )
    }

    @Test func `a time without end in code is no trap`() {
        var code = TracingConfiguration()
        code.processors[0].batch?.exportTimeout = .seconds(Int64.max)
        let (configuration, problems) = resolve(["OTEL_BSP_EXPORT_TIMEOUT": "never"], code: code)
        #expect(configuration.batch == BatchConfiguration() && problems.count == 2)
    }

    @Test func `what is wrong for all exporters is told once`() {
        let (_, problems) = resolve(["OTEL_TRACES_EXPORTER": "otlp,zipkin", "OTEL_BSP_SCHEDULE_DELAY": "5s"])
        #expect(problems.count == 1)
    }

    @Test func `what code says and makes no sense is mended too`() {
        var code = TracingConfiguration()
        var otlp = OTLPConfiguration()
        otlp.endpoint = "nowhere"
        otlp.timeout = .seconds(-1)
        otlp.clientKeyFile = "/key.pem"
        otlp.headers = ["a b": "1", "c": "2"]
        var batch = BatchConfiguration()
        batch.queueSizeMax = 0
        batch.exportBatchSizeMax = 0
        batch.scheduledDelay = .seconds(-1)
        var udp = JaegerUDPConfiguration()
        udp.port = 0
        code.processors = [
            SpanProcessorConfiguration(.otlp(otlp), batch: batch), SpanProcessorConfiguration(.jaegerUDP(udp)),
        ]
        code.limits.eventCount = -1
        code.propagators = [.b3, .b3]
        let (configuration, problems) = resolve(code: code)
        var expected = OTLPConfiguration()
        expected.headers = ["c": "2"]
        #expect(configuration.otlp == expected)
        #expect(configuration.batch == BatchConfiguration())
        #expect(configuration.processors[1].exporter == .jaegerUDP(JaegerUDPConfiguration()))
        #expect(configuration.limits == SpanLimits() && configuration.propagators == [.b3])
        #expect(problems.count == 9)
    }
}
