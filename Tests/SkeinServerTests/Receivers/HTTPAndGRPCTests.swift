// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinPipeline
import SkeinReceivers
import Testing

/// HTTP/1.1 and gRPC on one port.
struct HTTPAndGRPCTests {
    private let fixture = Fixture()

    private func withListener(
        _ httpLimits: HTTPLimits = HTTPLimits(),
        _ body: (Int) async throws -> Void
    ) async throws {
        let listener = HTTPAndGRPCListener(
            name: "both",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            httpLimits: httpLimits,
            budget: fixture.pipeline.budget,
            telemetry: fixture.telemetry,
            http: OTLPHTTPService(fixture.exports),
            grpc: OTLPGRPCService(fixture.exports)
        )
        try await fixture.run(listener, body)
    }

    private static let message = Request.protobuf([Request.span(1)])
    private static let request = "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"

    @Test func `each connection is served in what it speaks`() async throws {
        try await withListener { port in
            try await GRPCClient.with(port) { client in
                for _ in 0..<3 {
                    try await #expect(client.call(parts: [GRPCClient.frame(Self.message)]).status == "0")
                    try await #expect(Answer.of(port, body: Self.message).status == 200)
                }
            }
            try await eventually("connections are given back") {
                // The client of the answers keeps one.
                openConnections <= 1
            }
        }
        #expect(fixture.counters.acceptedSpans.value == 6)
    }

    private var openConnections: Double {
        var text = PrometheusText()
        fixture.telemetry.write(to: &text)
        return text.text.split(separator: "\n").first { $0.hasPrefix("skein_open_connections{") }
            .flatMap { Double($0.split(separator: " ").last ?? "") } ?? -1
    }

    @Test(arguments: ["POST", "PRI", "PRI ", "PRI * HTTP/2.", "PRI * HTTP/1.1\r\n"])
    func `the first bytes may come one by one`(_ start: String) async throws {
        try await withListener { port in
            try await RawConnection.with(port) { talk in
                let request = start == "POST" ? "\(Self.request)content-length: 2\r\n\r\n{}" : "\(start)X\r\n\r\n"
                for byte in request.utf8 {
                    // Who writes nonsense may be answered before he has written it all.
                    guard (try? await talk.say([byte])) != nil else { break }
                    await Task.yield()
                }
                let isGood = try await talk.hear("HTTP/1.1 \(start == "POST" ? 200 : 400) ")
                #expect(isGood, "\(talk.heard)")
            }
        }
    }

    @Test func `a preface that comes byte by byte is HTTP 2`() async throws {
        try await withListener { port in
            try await RawConnection.with(port) { talk in
                for byte in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8 {
                    try await talk.say([byte])
                    await Task.yield()
                }
                // Empty SETTINGS.
                try await talk.say([0, 0, 0, 4, 0, 0, 0, 0, 0])
                var bytes: [UInt8] = []
                while bytes.count < 9, let more = try await talk.inbound.next() {
                    bytes += Array(more.readableBytesView)
                }
                #expect(bytes.count >= 9 && bytes[3] == 4, "the server's first frame is SETTINGS")
            }
        }
    }

    @Test func `a connection carries one request after the other`() async throws {
        try await withListener { port in
            try await RawConnection.with(port) { talk in
                for _ in 0..<3 {
                    talk.heard = ""
                    try await talk.say("\(Self.request)content-length: 2\r\n\r\n{}")
                    #expect(try await talk.hear("\r\n\r\n{}"))
                }
            }
        }
    }

    @Test(arguments: ["", "PRI * HT"])
    func `who does not go on is closed in time`(_ start: String) async throws {
        var limits = HTTPLimits()
        limits.idleTime = start.isEmpty ? .milliseconds(200) : .seconds(600)
        limits.headTime = .milliseconds(200)
        try await withListener(limits) { port in
            try await RawConnection.with(port) { talk in
                if !start.isEmpty { try? await talk.say(start) }
                #expect(await talk.hearAll().isEmpty)
            }
            try await eventually("the connection is forgotten") { fixture.hasNoConnection }
        }
    }

    @Test func `who has said nothing yet makes room for another`() async throws {
        var limits = HTTPLimits()
        limits.connectionsMax = 1
        try await withListener(limits) { port in
            try await RawConnection.with(port) { first in
                try await eventually("the first is in") { openConnections == 1 }
                try await RawConnection.with(port) { second in
                    try await second.say("\(Self.request)content-length: 2\r\n\r\n{}")
                    #expect(try await second.hear("200 OK"))
                    #expect(await first.hearAll().isEmpty)
                }
            }
        }
    }
}
