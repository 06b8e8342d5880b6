// SPDX-License-Identifier: Apache-2.0
import SkeinCompression
import SkeinModel
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import Testing

/// What Jaeger clients are answered by a collector, over HTTP and gRPC.
struct JaegerCollectorTests {
    private static let id = TraceID(high: 0, low: 7)

    private static func withHTTP(_ fixture: Fixture, _ body: (Int) async throws -> Void) async throws {
        var limits = HTTPLimits()
        limits.bodyBytesMax = 1 << 20
        let listener = HTTPListener(
            name: "jaeger-http",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            limits: limits,
            budget: fixture.pipeline.budget,
            telemetry: fixture.telemetry,
            service: JaegerHTTPService(fixture.intake)
        )
        try await fixture.run(listener, body)
    }

    private static func headers(_ type: String) -> [(String, String)] { [("content-type", type)] }

    @Test(arguments: [
        "application/x-thrift", "application/vnd.apache.thrift.binary", "Application/X-Thrift; charset=utf-8",
    ])
    func `a posted batch is stored`(type: String) async throws {
        let fixture = Fixture()
        try await Self.withHTTP(fixture) { port in
            let answer = try await Answer.of(
                port,
                "/api/traces?format=jaeger.thrift",
                Self.headers(type),
                body: JaegerBatch.binary
            )
            #expect(answer.status == 202 && answer.body.isEmpty)
        }
        #expect(try await fixture.names(Self.id) == ["op"])
        #expect(fixture.counters.acceptedSpans.value == 1)
    }

    @Test(arguments: ContentCoding.allCases)
    func `a body in any coding is unpacked`(coding: ContentCoding) async throws {
        let fixture = Fixture()
        let packed = JaegerBatch.binary.withUnsafeBytes { coding.encode($0) }
        try await Self.withHTTP(fixture) { port in
            let headers = Self.headers("application/x-thrift") + [("content-encoding", coding.rawValue)]
            try await #expect(Answer.of(port, "/api/traces", headers, body: packed).status == 202)
        }
        #expect(try await fixture.names(Self.id) == ["op"])
    }

    @Test func `what is wrong with a request is said in words`() async throws {
        let fixture = Fixture()
        try await Self.withHTTP(fixture) { port in
            let json = try await Answer.of(port, "/api/traces", Self.headers("application/json"), body: [0])
            #expect(json.status == 400)
            #expect(json.text.hasPrefix("Unsupported content type: application/json, supported: application/x-thrift"))
            let none = try await Answer.of(port, "/api/traces", [], body: [0])
            #expect(none.status == 400 && none.text.hasPrefix("Cannot parse content type"))
            let thrift = Self.headers("application/x-thrift")
            let cut = try await Answer.of(port, "/api/traces", thrift, body: Array(JaegerBatch.binary.dropLast()))
            #expect(cut.status == 400 && cut.text.contains("the bytes end inside a value, at offset"))
            let big = try await Answer.of(port, "/api/traces", thrift, body: [UInt8](repeating: 0, count: 2 << 20))
            #expect(big.status == 413)
            let path = try await Answer.of(port, "/v1/traces", thrift, body: JaegerBatch.binary)
            #expect(path.status == 404 && path.text.contains("POST /api/traces"))
        }
        #expect(fixture.counters.acceptedSpans.value == 0)
        #expect(fixture.counters.refused(.malformed) == 1)
    }

    @Test func `a store that is full is told as worth another try`() async throws {
        let fixture = Fixture(TestStore(.fail(.full)))
        try await Self.withHTTP(fixture) { port in
            let answer = try await Answer.of(
                port,
                "/api/traces",
                Self.headers("application/x-thrift"),
                body: JaegerBatch.binary
            )
            #expect(answer.status == 503 && answer.header("retry-after") == "30")
        }
    }

    @Test func `PostSpans stores the spans of its batch`() async throws {
        let fixture = Fixture()
        let listener = GRPCListener(
            name: "jaeger-grpc",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            limits: GRPCLimits(),
            budget: fixture.pipeline.budget,
            telemetry: fixture.telemetry,
            service: JaegerGRPCService(fixture.intake)
        )
        let path = "/jaeger.api_v2.CollectorService/PostSpans"
        try await fixture.run(listener) { port in
            try await GRPCClient.with(port) { client in
                let reply = try await client.call(path, parts: [GRPCClient.frame(JaegerBatch.protobuf)])
                #expect(reply.status == "0" && reply.data == [0, 0, 0, 0, 0])
                let bad = try await client.call(path, parts: [GRPCClient.frame([0x0a, 0x05])])
                #expect(bad.status == "3")
                let unknown = try await client.call(path + "s", parts: [GRPCClient.frame([])])
                #expect(unknown.status == "12")
            }
        }
        #expect(try await fixture.names(Self.id) == ["op"])
    }
}
