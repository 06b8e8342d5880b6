// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP2
import SkeinBase
import SkeinCompression
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import Testing

/// What OTLP/gRPC answers, case by case.
struct GRPCTests {
    private static let message = Request.protobuf([Request.span(1)])

    @Test func `spans that are acknowledged are stored`() async throws {
        let fixture = Fixture()
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                for _ in 0..<3 {
                    let reply = try await client.call(parts: [GRPCClient.frame(Self.message)])
                    #expect(reply.value(":status") == "200")
                    #expect(reply.value("content-type") == "application/grpc")
                    #expect(reply.status == "0")
                    #expect(reply.data == [0, 0, 0, 0, 0])
                    #expect(reply.headers.count == 2)
                }
            }
        }
        #expect(try await fixture.names(Request.traceID) == ["work"])
        #expect(fixture.counters.acceptedSpans.value == 3)
    }

    @Test func `a message may come in any pieces`() async throws {
        let fixture = Fixture()
        let bytes = GRPCClient.frame(Self.message)
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                try await #expect(client.call(parts: bytes.map { [$0] } + [[]]).status == "0")
                try await #expect(
                    client.call(parts: [Array(bytes.prefix(7)), Array(bytes.dropFirst(7))]).status == "0"
                )
                let type = "application/grpc+proto"
                try await #expect(client.call(contentType: type, parts: [bytes]).status == "0")
            }
        }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .zstd])
    func `compressed messages are unpacked`(_ coding: ContentCoding) async throws {
        let fixture = Fixture()
        let packed = Self.message.withUnsafeBytes { coding.encode($0) }
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                let headers = [("grpc-encoding", coding.rawValue)]
                try await #expect(
                    client.call(GRPCClient.export, headers, parts: [GRPCClient.frame(packed, flag: 1)]).status
                        == "0"
                )
                // The coding allows compression of each message; this one is plain.
                try await #expect(
                    client.call(GRPCClient.export, headers, parts: [GRPCClient.frame(Self.message)]).status
                        == "0"
                )
            }
        }
        #expect(fixture.counters.acceptedSpans.value == 2)
    }

    @Test func `only bad spans are left out and said so`() async throws {
        let fixture = Fixture()
        let message = Request.protobuf([Request.span(1), Request.span(0)])
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                let reply = try await client.call(parts: [GRPCClient.frame(message)])
                #expect(reply.status == "0")
                #expect(reply.data.dropFirst(5).first == 0x0a)
            }
        }
        #expect(fixture.counters.rejected(.spanID) == 1)
    }

    /// What is sent, the gRPC status it gives, and whether the client may try again.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var headers: [(String, String)] = []
        var path = GRPCClient.export
        var parts: [[UInt8]]
        var status: String
    }

    static let cases = [
        Case(testDescription: "garbage", parts: [GRPCClient.frame([0xff, 0xff])], status: "3"),
        Case(testDescription: "no message", parts: [], status: "12"),
        Case(testDescription: "half a message", parts: [GRPCClient.frame([1, 2], length: 9)], status: "3"),
        Case(testDescription: "half a prefix", parts: [[0, 0]], status: "3"),
        Case(
            testDescription: "two messages",
            parts: [GRPCClient.frame(message), GRPCClient.frame(message)],
            status: "12"
        ),
        Case(testDescription: "a flag of two", parts: [GRPCClient.frame(message, flag: 2)], status: "13"),
        Case(testDescription: "compressed by nothing", parts: [GRPCClient.frame(message, flag: 1)], status: "13"),
        Case(
            testDescription: "compressed and broken",
            headers: [("grpc-encoding", "gzip")],
            parts: [GRPCClient.frame([1, 2, 3], flag: 1)],
            status: "3"
        ),
        Case(
            testDescription: "an unknown coding",
            headers: [("grpc-encoding", "snappy")],
            parts: [GRPCClient.frame(message)],
            status: "12"
        ),
        Case(testDescription: "an unknown method", path: "/a.B/C", parts: [GRPCClient.frame(message)], status: "12"),
        Case(testDescription: "too large", parts: [GRPCClient.frame([1], length: 2 << 20)], status: "8"),
    ]

    @Test(arguments: cases)
    func `what is wrong has its status and a message`(_ wrong: Case) async throws {
        let fixture = Fixture()
        var limits = GRPCLimits()
        limits.messageBytesMax = 1 << 20
        try await fixture.withGRPC(limits) { port in
            try await GRPCClient.with(port) { client in
                let reply = try await client.call(wrong.path, wrong.headers, parts: wrong.parts)
                #expect(reply.value(":status") == "200")
                #expect(reply.status == wrong.status)
                #expect(reply.value("grpc-message")?.isEmpty == false)
                #expect(reply.value("grpc-status-details-bin") == nil)
                #expect(reply.resetCode == nil)
                try await #expect(client.call(parts: [GRPCClient.frame(Self.message)]).status == "0")
            }
        }
        let refused = [.malformed, .tooLarge, .unsupported].map { fixture.counters.refused($0) }.reduce(0, +)
        #expect(refused == 1)
        #expect(fixture.pipeline.budget.used == 0)
    }

    @Test func `a bomb is refused without a delay`() async throws {
        let bomb = [UInt8](repeating: 0, count: 32 << 20).withUnsafeBytes { ContentCoding.gzip.encode($0) }
        try await Fixture(bytesMax: 1 << 20).withGRPC { port in
            try await GRPCClient.with(port) { client in
                let reply = try await client.call(
                    GRPCClient.export,
                    [("grpc-encoding", "gzip")],
                    parts: [GRPCClient.frame(bomb, flag: 1)]
                )
                #expect(reply.status == "8")
                #expect(reply.value("grpc-status-details-bin") == nil)
            }
        }
    }

    @Test func `a store that cannot keep spans is unavailable, with a delay`() async throws {
        let fixture = Fixture(TestStore(.fail(.unavailable)))
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                let reply = try await client.call(parts: [GRPCClient.frame(Self.message)])
                #expect(reply.status == "14")
                // google.rpc.Status { 14, …, RetryInfo }: base64 of 08 0e begins with CA4.
                #expect(reply.value("grpc-status-details-bin")?.hasPrefix("CA4S") == true)
                #expect(reply.value("grpc-status-details-bin")?.hasSuffix("=") == false)
            }
        }
        #expect(fixture.counters.refused(.storeUnavailable) == 1)
    }

    @Test func `what is not gRPC has an HTTP status too`() async throws {
        try await Fixture().withGRPC { port in
            try await GRPCClient.with(port) { client in
                let wrongType = try await client.call(contentType: "application/json", parts: [[1]])
                #expect(wrongType.value(":status") == "415")
                let wrongMethod = try await client.call(method: "PUT", parts: [[1]])
                #expect(wrongMethod.value(":status") == "405")
            }
        }
    }

    @Test func `HTTP 1 on the gRPC port is closed`() async throws {
        try await Fixture().withGRPC { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n")
                _ = await talk.hearAll()
            }
        }
    }

    @Test func `a connection without a preface is closed in time`() async throws {
        var limits = GRPCLimits()
        limits.prefaceTime = .milliseconds(200)
        try await Fixture().withGRPC(limits) { port in
            try await RawConnection.with(port) { talk in
                // On a slow machine the connection is closed before this is said, which is in time too.
                try? await talk.say("PRI * HT")
                _ = await talk.hearAll()
            }
        }
    }

    @Test func `a call that does not come to its end in time is refused`() async throws {
        let fixture = Fixture()
        var limits = GRPCLimits()
        limits.requestTime = .milliseconds(200)
        try await fixture.withGRPC(limits) { port in
            try await GRPCClient.with(port) { client in
                let reply = try await client.call(parts: [GRPCClient.frame([1], length: 100)], ends: false)
                #expect(reply.status == "4")
            }
        }
        #expect(fixture.counters.refused(.incomplete) == 1)
    }

    @Test func `a call keeps its memory until it is stored, though its client has gone`() async throws {
        let fixture = Fixture(TestStore(.hold))
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                let call = Task { try await client.call(parts: [GRPCClient.frame(Self.message)]) }
                try await eventually("the call reaches the store") { fixture.store.waitingCount == 1 }
                try await client.channel.close()
                _ = try? await call.value
            }
            try await eventually("the connection is gone") { fixture.hasNoConnection }
            #expect(fixture.pipeline.budget.used >= Self.message.count)
            fixture.store.release()
            try await eventually("the memory is given back") { fixture.pipeline.budget.used == 0 }
        }
    }

    @Test func `memory is held for what has come of a message, not for what is announced`() async throws {
        let fixture = Fixture(budget: 100_000)
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                let begun = Task { try await client.call(parts: [GRPCClient.frame([1], length: 90_000)], ends: false) }
                try await eventually("it has begun") { fixture.pipeline.budget.used == 2 * 6 }
                try await #expect(client.call(parts: [GRPCClient.frame([1], length: 90_000)]).status == "3")
                try await #expect(client.call(parts: [GRPCClient.frame(Self.message)]).status == "0")
                try await client.channel.close()
                _ = try? await begun.value
            }
        }
    }

    @Test func `a message beyond the memory budget is told to come again`() async throws {
        let fixture = Fixture(bytesMax: 1 << 20, budget: 12_000)
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                // What never fits need not come again.
                let large = try await client.call(parts: [GRPCClient.frame([UInt8](repeating: 0, count: 7_000))])
                #expect(large.status == "8")
                fixture.pipeline.budget.takeAnyway(5_000)
                let reply = try await client.call(parts: [GRPCClient.frame([UInt8](repeating: 0, count: 5_000))])
                #expect(reply.status == "14")
            }
        }
        #expect(fixture.counters.refused(.busy) == 1 && fixture.counters.refused(.tooLarge) == 1)
        #expect(fixture.pipeline.budget.used == 5_000)
    }

    @Test func `calls in hand are finished when the listener goes down`() async throws {
        let fixture = Fixture(TestStore(.hold))
        let finished = Task {
            try await eventually("the call reaches the store") { fixture.store.waitingCount == 1 }
            try await Task.sleep(for: .milliseconds(300))
            fixture.store.release()
        }
        var reply: Task<GRPCClient.Reply, any Error>?
        var connection: Task<Void, any Error>?
        try await fixture.withGRPC { port in
            let (replies, continuation) = AsyncStream.makeStream(
                of: GRPCClient.Reply.self,
                bufferingPolicy: .bufferingNewest(1)
            )
            connection = Task {
                try await GRPCClient.with(port) { client in
                    continuation.yield(try await client.call(parts: [GRPCClient.frame(Self.message)]))
                    continuation.finish()
                }
            }
            reply = Task {
                for await reply in replies { return reply }
                throw CancellationError()
            }
            try await eventually("the call reaches the store") { fixture.store.waitingCount == 1 }
        }
        try await #expect(reply?.value.status == "0")
        try await connection?.value
        try await finished.value
    }

    @Test func `many calls share a connection`() async throws {
        let fixture = Fixture()
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                try await withThrowingTaskGroup(of: String?.self) { group in
                    for number in 1...200 {
                        group.addTask {
                            let message = Request.protobuf([Request.span(UInt64(number))])
                            return try await client.call(parts: [GRPCClient.frame(message)]).status
                        }
                    }
                    for try await status in group { #expect(status == "0") }
                }
            }
        }
        #expect(try await fixture.names(Request.traceID).count == 200)
    }

}
