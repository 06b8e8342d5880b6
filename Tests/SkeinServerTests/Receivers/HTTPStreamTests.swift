// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import SkeinBase
import SkeinPipeline
import SkeinReceivers
import Synchronization
import Testing

/// Answers that are made while they are sent.
struct HTTPStreamTests {
    private let fixture = Fixture()

    /// Answers everything with one stream, and counts how its producers end.
    private final class StreamService: HTTPService {
        let stream: HTTPStream
        func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { false }

        init(endsWithListener: Bool = false, _ produce: @escaping HTTPStream.Producer) {
            stream = HTTPStream(endsWithListener: endsWithListener, produce)
        }

        func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? { nil }

        func respond(to call: consuming HTTPCall) async -> HTTPAnswer {
            var answer = HTTPAnswer(.ok, HTTPHeaders([("content-type", "text/plain")]))
            answer.stream = stream
            return answer
        }

        func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer { .text(.badRequest, refusal.message) }
    }

    /// What a producer went through.
    private final class Progress: Sendable {
        private let state = Mutex((pieces: 0, failure: (any Error)?.none, isOver: false))

        var pieceCount: Int { state.withLock { $0.pieces } }
        var isOver: Bool { state.withLock { $0.isOver } }
        var failed: Bool { state.withLock { $0.failure != nil } }

        /// Writes `piece` until `count` are written or it fails.
        func write(_ piece: String, count: Int, _ writer: HTTPStreamWriter) async throws {
            do {
                for _ in 0..<count {
                    try await writer.write(ByteBuffer(string: piece))
                    state.withLock { $0.pieces += 1 }
                }
                state.withLock { $0.isOver = true }
            } catch {
                state.withLock { $0 = ($0.pieces, error, true) }
                throw error
            }
        }

        /// Waits until it is cancelled.
        func waitForEver() async throws {
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                state.withLock { $0 = ($0.pieces, error, true) }
                throw error
            }
        }
    }

    private func withStream(
        _ produce: @escaping HTTPStream.Producer,
        limits: HTTPLimits = HTTPLimits(),
        endsWithListener: Bool = false,
        _ body: (Int) async throws -> Void
    ) async throws {
        let listener = HTTPListener(
            name: "web",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            limits: limits,
            telemetry: fixture.telemetry,
            service: StreamService(endsWithListener: endsWithListener, produce)
        )
        try await fixture.run(listener, body)
    }

    @Test func `pieces come as chunks, and the connection serves the next request`() async throws {
        let produce: HTTPStream.Producer = { writer in
            try await writer.write(ByteBuffer(string: "one"))
            try await writer.write(ByteBuffer())
            try await writer.write(ByteBuffer(string: "three"))
        }
        try await withStream(produce) { port in
            try await RawConnection.with(port) { talk in
                for _ in 0..<3 {
                    talk.heard = ""
                    try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    #expect(try await talk.hear("\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"), "\(talk.heard)")
                    #expect(talk.heard.contains("transfer-encoding: chunked"))
                    #expect(!talk.heard.contains("content-length"))
                }
            }
        }
    }

    @Test func `requests that were sent together are answered one stream after the other`() async throws {
        let produce: HTTPStream.Producer = { writer in
            try await Task.sleep(for: .milliseconds(20))
            try await writer.write(ByteBuffer(string: "x"))
        }
        try await withStream(produce) { port in
            try await RawConnection.with(port) { talk in
                let request = "GET / HTTP/1.1\r\nhost: a\r\n"
                try await talk.say("\(request)\r\n\(request)\r\n\(request)connection: close\r\n\r\n")
                let heard = await talk.hearAll()
                #expect(heard.split(separator: "1\r\nx\r\n0\r\n\r\n").count == 3, "\(heard)")
                #expect(heard.hasSuffix("0\r\n\r\n"))
            }
        }
    }

    @Test func `a piece is there before the next one is made`() async throws {
        let produce: HTTPStream.Producer = { writer in
            try await writer.write(ByteBuffer(string: "first"))
            try await Task.sleep(for: .seconds(600))
        }
        try await withStream(produce) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                #expect(try await talk.hear("5\r\nfirst\r\n"))
            }
            try await eventually("the producer is cancelled") { fixture.hasNoConnection }
        }
    }

    @Test func `the head comes before there is a piece`() async throws {
        let progress = Progress()
        try await withStream({ _ in try await progress.waitForEver() }) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                #expect(try await talk.hear("200 OK"))
            }
            try await eventually("the producer is cancelled") { progress.failed }
        }
    }

    @Test func `HEAD is answered without a body, and the producer is not asked`() async throws {
        let progress = Progress()
        try await withStream({ try await progress.write("x", count: 1, $0) }) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n")
                #expect(try await talk.hear("\r\n\r\n"))
                #expect(!talk.heard.contains("content-length"))
                #expect(progress.pieceCount == 0)
                try await talk.say("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                let all = await talk.hearAll()
                #expect(all.hasSuffix("\r\n\r\n1\r\nx\r\n0\r\n\r\n"), "\(all)")
                #expect(all.split(separator: "HTTP/1.1 200").count == 2, "\(all)")
            }
        }
    }

    @Test(arguments: ["", "connection: keep-alive\r\n"])
    func `a client of HTTP 1 point 0 gets the body up to the end of the connection`(_ header: String) async throws {
        try await withStream({ try await Progress().write("ab", count: 3, $0) }) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.0\r\n\(header)\r\n")
                let heard = await talk.hearAll()
                #expect(heard.hasSuffix("\r\n\r\nababab"), "\(heard)")
                #expect(heard.contains("connection: close") && !heard.contains("transfer-encoding"))
            }
        }
    }

    @Test func `a body that breaks off has no end`() async throws {
        let produce: HTTPStream.Producer = { writer in
            try await writer.write(ByteBuffer(string: "half"))
            throw CancellationError()
        }
        try await withStream(produce) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                let heard = await talk.hearAll()
                #expect(heard.hasSuffix("4\r\nhalf\r\n"), "\(heard)")
            }
        }
    }

    @Test func `a client that reads slowly is written for slowly, and gets everything`() async throws {
        let progress = Progress()
        let piece = String(repeating: "x", count: 64 << 10)
        try await withStream({ try await progress.write(piece, count: 300, $0) }) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.0\r\n\r\n")
                try await eventually("the stream has begun") { progress.pieceCount > 0 }
                var seen = -1
                // What both ends of the socket buffer is a few megabytes.
                try await eventually("nothing more is written while nothing is read") {
                    defer { seen = progress.pieceCount }
                    try await Task.sleep(for: .milliseconds(100))
                    return seen == progress.pieceCount
                }
                #expect(progress.pieceCount < 290)
                #expect(!progress.isOver)
                #expect(await talk.hearAll().utf8.count > 300 * (64 << 10))
                #expect(progress.isOver && !progress.failed)
            }
        }
    }

    @Test func `a client that takes nothing for too long is cut off`() async throws {
        let progress = Progress()
        var limits = HTTPLimits()
        limits.writeTime = .milliseconds(200)
        limits.bodyBytesPerSecondMin = 1 << 20
        let piece = String(repeating: "x", count: 64 << 10)
        try await withStream({ try await progress.write(piece, count: 1000, $0) }, limits: limits) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                try await eventually("the producer fails") { progress.failed }
                try await eventually("the connection is gone") { fixture.hasNoConnection }
            }
        }
    }

    @Test func `a stream that says nothing for long is not slow`() async throws {
        var limits = HTTPLimits()
        limits.writeTime = .milliseconds(100)
        let produce: HTTPStream.Producer = { writer in
            for word in ["a", "b", "c"] {
                try await writer.write(ByteBuffer(string: word))
                try await Task.sleep(for: .milliseconds(300))
            }
        }
        try await withStream(produce, limits: limits) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                #expect(try await talk.hear("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"), "\(talk.heard)")
            }
        }
    }

    @Test func `a producer is cancelled when its client goes away in the middle of a piece`() async throws {
        let progress = Progress()
        let piece = String(repeating: "x", count: 8 << 20)
        try await withStream({ try await progress.write(piece, count: 1000, $0) }) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                #expect(try await talk.hear("200 OK"))
            }
            try await eventually("the producer fails") { progress.failed }
        }
    }

    @Test func `a cancelled producer may finish its piece and write no other`() async throws {
        let produce: HTTPStream.Producer = { writer in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while true { try await writer.write(ByteBuffer(string: "inner")) }
                }
                try await Task.sleep(for: .milliseconds(50))
                group.cancelAll()
            }
            try await writer.write(ByteBuffer(string: "the last words"))
        }
        try await withStream(produce) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                let heard = await talk.hearAll()
                #expect(heard.hasSuffix("\r\ne\r\nthe last words\r\n0\r\n\r\n"), "\(heard.suffix(100))")
            }
        }
    }

    @Test func `an endless stream ends well with its listener`() async throws {
        let progress = Progress()
        let produce: HTTPStream.Producer = { writer in
            try await writer.write(ByteBuffer(string: "live"))
            try await progress.waitForEver()
        }
        var hearing: Task<String, any Error>?
        try await withStream(produce, endsWithListener: true) { port in
            let (heard, hear) = AsyncStream<Void>.makeStream()
            hearing = Task {
                try await RawConnection.with(port) { talk in
                    try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    #expect(try await talk.hear("live"))
                    hear.finish()
                    return await talk.hearAll()
                }
            }
            for await _ in heard {}
        }
        #expect(try await hearing?.value.hasSuffix("4\r\nlive\r\n0\r\n\r\n") == true)
        #expect(progress.failed)
    }

    @Test func `other streams are finished when the listener goes down`() async throws {
        let produce: HTTPStream.Producer = { writer in
            try await writer.write(ByteBuffer(string: "begun"))
            try await Task.sleep(for: .milliseconds(500))
            try await writer.write(ByteBuffer(string: "done"))
        }
        var hearing: Task<String, any Error>?
        try await withStream(produce) { port in
            let (heard, hear) = AsyncStream<Void>.makeStream()
            hearing = Task {
                try await RawConnection.with(port) { talk in
                    try await talk.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    #expect(try await talk.hear("begun"))
                    hear.finish()
                    return await talk.hearAll()
                }
            }
            for await _ in heard {}
        }
        #expect(try await hearing?.value.hasSuffix("4\r\ndone\r\n0\r\n\r\n") == true)
    }
}
