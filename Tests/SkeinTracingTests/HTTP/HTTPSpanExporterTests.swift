// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1
import SkeinBase
import SkeinModel
import SkeinPropagation
import SkeinWire
import Testing
import Tracing

@testable import SkeinTracing

@Suite struct HTTPSpanExporterTests {
    private func spans(_ count: Int = 1) -> [FinishedSpan] {
        let memory = InMemoryExporter()
        let resource = Resource(attributes: [Attribute("service.name", "shop")])
        let tracer = SkeinTracer(processors: [memory], resource: resource)
        for index in 0..<count { tracer.startSpan("span \(index)").end() }
        return memory.spans
    }

    private func target(_ url: String) -> HTTPTarget {
        var target = HTTPTarget(url: url)
        target.retry.firstDelay = .milliseconds(1)
        return target
    }

    private func export(
        _ spans: [FinishedSpan],
        _ format: HTTPSpanExporter.Format = .otlpProtobuf,
        to target: HTTPTarget,
        within timeout: Duration = .seconds(60)
    ) throws -> ExportResult {
        let exporter = try HTTPSpanExporter(format, to: target)
        defer { exporter.shutdown() }
        return exporter.export(spans, by: .now + timeout)
    }

    @Test(arguments: [
        (HTTPSpanExporter.Format.otlpProtobuf, "application/x-protobuf"), (.otlpJSON, "application/json"),
        (.zipkinJSON, "application/json"), (.jaegerThrift, "application/x-thrift"),
    ])
    func `spans arrive in each format`(format: HTTPSpanExporter.Format, contentType: String) throws {
        let server = try ScriptedServer()
        defer { server.close() }
        var target = target(server.url("/path?k=v"))
        target.headers = [("authorization", "Bearer x")]
        #expect(try export(spans(), format, to: target) == .done)
        let request = try #require(server.requests.first)
        #expect(request.path == "/path?k=v" && request.headers["content-type"] == [contentType])
        #expect(request.headers["authorization"] == ["Bearer x"] && !request.body.isEmpty)
        #expect(request.headers.first(name: "user-agent")?.hasPrefix("Skein-OTLP-Exporter-Swift/") == true)
        #expect(request.headers["traceparent"].isEmpty)
    }

    @Test func `what is compressed unpacks to the same`() throws {
        let server = try ScriptedServer()
        defer { server.close() }
        var target = target(server.url("/"))
        target.isCompressed = true
        let spans = spans(500)
        #expect(try export(spans, to: target) == .done)
        let request = try #require(server.requests.first)
        #expect(request.headers["content-encoding"] == ["gzip"] && request.body.prefix(2) == [0x1f, 0x8b])
        var plain = ByteWriter()
        OTLPProtobuf.append(spans, to: &plain)
        #expect(request.body.count < plain.count)
        // The last four bytes are the length of what was packed (RFC 1952 §2.3.1).
        let size = request.body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(size == plain.count)
    }

    @Test func `a collector that is busy, or hangs up, is asked again`() throws {
        let server = try ScriptedServer([
            .init(status: 503), .init(status: 429, headers: [("retry-after", "0")]), .init(hangsUp: true), .init(),
        ])
        defer { server.close() }
        #expect(try export(spans(), to: target(server.url("/"))) == .done)
        #expect(server.requests.count == 4 && Set(server.requests.map(\.body)).count == 1)
    }

    @Test func `what a collector will never take is not sent again, and its words are passed on`() throws {
        let server = try ScriptedServer([
            .init(status: 400, headers: [("content-type", "text/plain")], body: Array("no\u{1b}pe".utf8))
        ])
        defer { server.close() }
        let url = server.url("/")
        #expect(try export(spans(), to: target(url)) == .failed(reason: "\(url) answered 400: no pe"))
        #expect(server.requests.count == 1)
    }

    @Test func `after so many tries it is over`() throws {
        let server = try ScriptedServer([.init(status: 503)])
        defer { server.close() }
        let url = server.url("/")
        #expect(try export(spans(), to: target(url)) == .failed(reason: "\(url) answered 503 at 5 tries"))
        #expect(server.requests.count == 5)
    }

    @Test func `no time is spent on a try that could not end in time`() throws {
        let server = try ScriptedServer([.init(status: 503, headers: [("retry-after", "3600")])])
        defer { server.close() }
        let url = server.url("/")
        let result = try export(spans(), to: target(url))
        #expect(result == .failed(reason: "\(url) answered 503; no time was left for another"))
    }

    @Test func `a collector that comes up late gets what waits`() async throws {
        let port = try KeptPort()
        let spans = spans(3)
        var target = target("http://127.0.0.1:\(port.number)/")
        target.retry.firstDelay = .milliseconds(300)
        let exporter = try HTTPSpanExporter(.otlpProtobuf, to: target)
        defer { exporter.shutdown() }
        async let result = OwnThread.run { exporter.export(spans, by: .now + .seconds(60)) }
        try await Task.sleep(for: .milliseconds(50))
        let server = try ScriptedServer(port: port)
        #expect(await result == .done && server.requests.count == 1)
        server.close()
    }

    @Test func `spans that a collector rejects are counted`() throws {
        var answer = ByteWriter()
        OTLP.ExportResponse(rejectedCount: 2, errorMessage: "too old").appendProtobuf(to: &answer)
        let json = Array(#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"},"more":[1]}"#.utf8)
        for (format, type, body) in [
            (HTTPSpanExporter.Format.otlpProtobuf, "application/x-protobuf", answer.array()),
            (.otlpJSON, "application/json", json),
        ] {
            let server = try ScriptedServer([.init(headers: [("content-type", type)], body: body)])
            defer { server.close() }
            let result = try export(spans(3), format, to: target(server.url("/")))
            #expect(result == .partlyRejected(count: 2, reason: "too old"))
        }
    }

    @Test func `an answer with success that cannot be read is a success`() throws {
        for (type, body) in [
            ("application/x-protobuf", [0xff, 0xff, 1]), ("application/json", Array("{".utf8)), ("", [1, 2]),
        ] {
            let server = try ScriptedServer([.init(headers: [("content-type", type)], body: body)])
            defer { server.close() }
            #expect(try export(spans(), to: target(server.url("/"))) == .done)
        }
    }

    @Test func `an address that is none is told`() throws {
        guard case .failed(let reason) = try export(spans(), to: target("nonsense")) else {
            Issue.record("it was sent")
            return
        }
        #expect(reason.hasPrefix("nonsense: no address that could be sent to"))
    }

    @Test(arguments: [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "certificate"), ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "certificate"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "private key"),
    ])
    func `a file of TLS that is missing, or no PEM, is told with its variable and path`(
        variable: String,
        content: String
    ) {
        func message(_ path: String) -> String? {
            var target = target("https://localhost:1/")
            switch variable {
            case "OTEL_EXPORTER_OTLP_CERTIFICATE": target.certificateFile = path
            case "OTEL_EXPORTER_OTLP_CLIENT_KEY": target.clientKeyFile = path
            default: target.clientCertificateFile = path
            }
            return #expect(throws: AssemblyError.self) { try HTTPSender(target) }?.description
        }
        #expect(
            message("/nowhere/a.pem")
                == "the file \"/nowhere/a.pem\" of \(variable) cannot be read: No such file or directory"
        )
        // Some file that is there.
        #expect(message(#filePath) == "the file \"\(#filePath)\" of \(variable) holds no \(content) in PEM")
    }

    @Test(arguments: [
        ("http://host:80/a@b?api_key=topsecret", "http://host:80/a@b"), ("http://me:pw@host/p#part", "http://host/p"),
        ("host:4317?a@b", "host:4317"), ("me:p/w@x@host", "host"),
    ])
    func `an address is named without user and query`(url: String, name: String) {
        #expect(HTTPTarget(url: url).name == name)
    }

    @Test func `what goes wrong is told without the query, and gRPC's address has none`() throws {
        let server = try ScriptedServer([.init(status: 503)])
        defer { server.close() }
        let result = try export(spans(), to: target(server.url("/in?api_key=topsecret")))
        #expect(result == .failed(reason: "\(server.url("/in")) answered 503 at 5 tries"))
        #expect(Endpoint("http://h:1/p?api_key=topsecret")?.name == "http://h:1/p")
    }

    @Test func `a shutdown ends the waiting for another try`() async throws {
        let server = try ScriptedServer([.init(status: 503)])
        defer { server.close() }
        var target = HTTPTarget(url: server.url("/"))
        target.timeout = .seconds(100)
        target.retry.firstDelay = .seconds(50)
        target.retry.delayMax = .seconds(50)
        let exporter = try HTTPSpanExporter(.otlpProtobuf, to: target)
        let spans = spans()
        async let result = OwnThread.run { exporter.export(spans, by: .now + .seconds(100)) }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        exporter.shutdown()
        guard case .failed(let reason) = await result else {
            Issue.record("it was done")
            return
        }
        #expect(reason.hasSuffix("the exporter was stopped"))
    }

    @Test func `delays grow to their bound, by chance somewhat less or more, and never before the server's time`() {
        let policy = RetryPolicy()
        let middle = (1...6).map { policy.delay(afterFailures: $0, chance: 0.5) }
        #expect(middle == [1, 1.5, 2.25, 3.375, 5, 5].map { .seconds($0) })
        #expect(policy.delay(afterFailures: 1, chance: 0) == .milliseconds(800))
        #expect(policy.delay(afterFailures: 1, chance: 1) == .milliseconds(1_200))
        #expect(policy.delay(afterFailures: 1, chance: 1, retryAfter: .seconds(7)) == .seconds(7))
    }

    @Test(
        arguments: [
            ("120", 120), (" 7 ", 7), ("99999999999999999999", Int64(Int32.max)), ("Sun, 06 Nov 1994 08:49:47 GMT", 10),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0), ("Tue, 29 Feb 2028 00:00:00 GMT", 1_835_395_200 - 784_111_777),
            ("-1", nil), ("", nil), ("soon", nil), ("Sun, 06 Foo 1994 08:49:37 GMT", nil),
            ("Sun, 06 Nov 1994 08:49 GMT", nil),
            ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", nil),
        ] as [(String, Int64?)]
    )
    func `Retry-After is seconds or a date`(header: String, seconds: Int64?) {
        #expect(RetryAfter.duration(header, nowUnixSeconds: 784_111_777) == seconds.map { .seconds($0) })
    }
}
