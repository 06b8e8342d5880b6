// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1
import SkeinCompression
import SkeinModel
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import Testing

/// What Zipkin's clients are answered, over HTTP and gRPC on one port.
struct ZipkinTests {
    private static let id = TraceID(high: 0, low: 7)
    private static let v2 = Array(
        #"[{"traceId":"7","id":"1","name":"op","timestamp":1700000000000000,"duration":1}]"#.utf8
    )
    private static let v1 = Array(#"[{"traceId":"7","id":"1","name":"op","timestamp":1,"binaryAnnotations":[]}]"#.utf8)
    /// Trace 7, span 1, name `op`.
    private static let proto3: [UInt8] = [0x0a, 10, 0x0a, 1, 7, 0x1a, 1, 1, 0x2a, 2, 0x6f, 0x70]
    private static let thrift: [UInt8] =
        [12, 0, 0, 0, 1] + [10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7] + [11, 0, 3, 0, 0, 0, 2, 0x6f, 0x70]
        + [10, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1] + [0]

    /// Stands for Zipkin's queries, which share the port.
    private struct Queries: HTTPService {
        func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { true }
        func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? { nil }
        func respond(to call: consuming HTTPCall) async -> HTTPAnswer { .text(.ok, "query \(call.head.path)") }
        func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer { .text(.badRequest, "query") }
    }

    private static func with(
        _ fixture: Fixture,
        origins: String = "",
        _ body: (Int) async throws -> Void
    ) async throws {
        var limits = HTTPLimits()
        limits.bodyBytesMax = 1 << 20
        let intake = ZipkinIntake(fixture.intake)
        let listener = HTTPAndGRPCListener(
            name: "zipkin",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            httpLimits: limits,
            budget: fixture.pipeline.budget,
            telemetry: fixture.telemetry,
            http: ZipkinHTTPService(
                intake,
                other: Queries(),
                origins: try #require(CrossOrigins(parsing: origins))
            ),
            grpc: ZipkinGRPCService(intake)
        )
        try await fixture.run(listener, body)
    }

    @Test(arguments: [
        ("/api/v2/spans", "application/json", v2), ("/api/v2/spans", "application/x-protobuf", proto3),
        ("/api/v2/spans", "", v2), ("/api/v2/spans?x=1", "text/plain", v2), ("/zipkin/api/v2/spans", "", proto3),
        ("/api/v2/spans", "application/json", proto3), ("/api/v1/spans", "application/json", v1),
        ("/api/v1/spans", "application/x-thrift", thrift), ("/zipkin/api/v1/spans", "", thrift),
    ])
    func `posted spans are stored`(path: String, type: String, body: [UInt8]) async throws {
        let fixture = Fixture()
        try await Self.with(fixture) { port in
            let answer = try await Answer.of(port, path, type.isEmpty ? [] : [("content-type", type)], body: body)
            #expect(answer.status == 202 && answer.body.isEmpty)
        }
        #expect(try await fixture.names(Self.id) == ["op"])
        #expect(fixture.counters.requests.value == 1 && fixture.counters.acceptedSpans.value == 1)
    }

    @Test(arguments: ContentCoding.allCases)
    func `a body in any coding is unpacked`(coding: ContentCoding) async throws {
        let fixture = Fixture()
        let packed = Self.v2.withUnsafeBytes { coding.encode($0) }
        try await Self.with(fixture) { port in
            let headers = [("content-encoding", coding.rawValue)]
            try await #expect(Answer.of(port, "/api/v2/spans", headers, body: packed).status == 202)
        }
        #expect(try await fixture.names(Self.id) == ["op"])
    }

    @Test(arguments: ["/api/v2/spans", "/api/v1/spans"])
    func `no spans are accepted as well`(path: String) async throws {
        let fixture = Fixture()
        try await Self.with(fixture) { port in
            for body in ["", "[]", " [ ]\n"] {
                let answer = try await Answer.of(port, path, [], body: Array(body.utf8))
                #expect(answer.status == 202 && answer.body.isEmpty)
            }
        }
        #expect(fixture.counters.receivedSpans.value == 0 && fixture.counters.refused(.malformed) == 0)
    }

    @Test(arguments: [
        ("/api/v2/spans", v1, "Expected a JSON_V2 encoded list, but received: JSON_V1"),
        ("/api/v2/spans", thrift, "Expected a JSON_V2 encoded list, but received: THRIFT"),
        ("/api/v1/spans", proto3, "Expected a JSON_V1 encoded list, but received: PROTO3"),
        ("/api/v1/spans", Array(#"[{"tags":{}}]"#.utf8), "Expected a JSON_V1 encoded list, but received: JSON_V2"),
        ("/api/v2/spans", Array("hello".utf8), "the body is no list of spans: its first byte is 104"),
        ("/api/v2/spans", Array("{}".utf8), "found an object where an array is expected, at line 1, column 1"),
        ("/api/v2/spans", Array(proto3.dropLast()), "the bytes end inside a value, at offset 1"),
        ("/api/v2/spans", Array(#"[{"id":"1"},{}]"#.utf8), "none of 2 spans is good: trace ids must be 1 to 32"),
    ])
    func `what is wrong with a body is said in words`(path: String, body: [UInt8], text: String) async throws {
        let fixture = Fixture()
        try await Self.with(fixture) { port in
            let answer = try await Answer.of(port, path, [], body: body)
            #expect(answer.status == 400)
            #expect(answer.header("content-type")?.hasPrefix("text/plain") == true)
            #expect(answer.text.hasPrefix(text), "\(answer.text)")
        }
        #expect(fixture.counters.acceptedSpans.value == 0 && fixture.counters.refused(.malformed) == 1)
    }

    @Test func `a bad span is left out alone and counted`() async throws {
        let fixture = Fixture()
        let body = Array(#"[{"traceId":"7","id":"x"},{"traceId":"7","id":"1","name":"op"}]"#.utf8)
        try await Self.with(fixture) { port in
            try await #expect(Answer.of(port, "/api/v2/spans", [], body: body).status == 202)
        }
        #expect(try await fixture.names(Self.id) == ["op"])
        #expect(fixture.counters.receivedSpans.value == 2 && fixture.counters.rejected(.spanID) == 1)
    }

    @Test func `a client that debugs says so in a header`() async throws {
        let fixture = Fixture()
        try await Self.with(fixture) { port in
            try await #expect(
                Answer.of(port, "/api/v2/spans", [("X-B3-Flags", "1")], body: Self.v2).status == 202
            )
        }
        let spans = try await fixture.store.memory.trace(Self.id)?.spans
        #expect(spans?.map(\.flags) == [1])
    }

    @Test(arguments: ["/api/v2/spans", "/zipkin/api/v1/spans"])
    func `a page sends spans when it is of this server or of an origin that may`(path: String) async throws {
        let fixture = Fixture()
        try await Self.with(fixture, origins: "https://shop.example") { port in
            for (origin, status) in [
                (nil, 202), ("https://shop.example", 202), ("http://127.0.0.1:\(port)", 202),
                ("https://evil.example", 403), ("null", 403),
            ] {
                let headers = [("content-type", "text/plain")] + (origin.map { [("origin", $0)] } ?? [])
                let answer = try await Answer.of(port, path, headers, body: Array("[]".utf8))
                #expect(answer.status == status)
                guard status == 403, let origin else { continue }
                #expect(answer.text.hasPrefix("403 pages of \(origin) may not send spans here"))
            }
            // Questions are no matter of it.
            let question = try await Answer.of(
                port,
                "/api/v2/traces",
                [("origin", "https://evil.example")],
                method: .GET
            )
            #expect(question.status == 200)
        }
        #expect(fixture.counters.refused(.forbidden) == 2)
    }

    @Test func `what cannot be taken is refused as it deserves`() async throws {
        let fixture = Fixture()
        try await Self.with(fixture) { port in
            let big = try await Answer.of(port, "/api/v2/spans", [], body: [UInt8](repeating: 0x20, count: 2 << 20))
            #expect(big.status == 413 && big.text.contains("limit of 1048576 bytes"))
            let bomb = [UInt8](repeating: 0x20, count: 2 << 20).withUnsafeBytes { ContentCoding.gzip.encode($0) }
            let unpacked = try await Answer.of(port, "/api/v2/spans", [("content-encoding", "gzip")], body: bomb)
            #expect(unpacked.status == 413 && unpacked.text.contains("unpacked"))
            let coded = try await Answer.of(port, "/api/v2/spans", [("content-encoding", "br")], body: Self.v2)
            #expect(coded.status == 415 && coded.text.contains("br"))
        }
        #expect(fixture.counters.refused(.tooLarge) == 2 && fixture.counters.refused(.unsupported) == 1)
    }

    @Test func `a store that is full is told as worth another try`() async throws {
        let fixture = Fixture(TestStore(.fail(.full)))
        try await Self.with(fixture) { port in
            let answer = try await Answer.of(port, "/api/v2/spans", [], body: Self.v2)
            #expect(answer.status == 503 && answer.header("retry-after") == "30")
        }
    }

    @Test func `all other requests are queries`() async throws {
        let fixture = Fixture()
        try await Self.with(fixture) { port in
            for (method, path) in [
                (HTTPMethod.GET, "/api/v2/spans"), (.POST, "/api/v2/traces"), (.GET, "/api/v1/spans"),
            ] {
                let answer = try await Answer.of(port, path, [], method: method)
                #expect(answer.status == 200 && answer.text == "query \(path)")
            }
        }
        #expect(fixture.counters.requests.value == 0)
    }

    @Test func `Report stores the spans of its list`() async throws {
        let fixture = Fixture()
        let path = "/zipkin.proto3.SpanService/Report"
        try await Self.with(fixture) { port in
            try await GRPCClient.with(port) { client in
                let reply = try await client.call(path, parts: [GRPCClient.frame(Self.proto3)])
                #expect(reply.status == "0" && reply.data == [0, 0, 0, 0, 0])
                let empty = try await client.call(path, parts: [GRPCClient.frame([])])
                #expect(empty.status == "0")
                let bad = try await client.call(path, parts: [GRPCClient.frame([0x0a, 0x05])])
                #expect(bad.status == "3")
                let unknown = try await client.call(path + "s", parts: [GRPCClient.frame([])])
                #expect(unknown.status == "12")
            }
        }
        #expect(try await fixture.names(Self.id) == ["op"])
    }
}
