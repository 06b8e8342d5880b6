// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOHTTP1
import SkeinAPI
import SkeinBase
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import Synchronization
import Testing

@testable import SkeinServer

/// Answers of the query APIs that are streams: what gates them, counts them and ends them.
struct QueryStreamTests {
    private let fixture = Fixture()
    private let budget = ByteBudget(limit: 1 << 20)

    /// Runs a listener that answers everything with one stream on a free port while `body` runs.
    private func withStream(
        _ stream: APIStream,
        queriesMax: Int = 4,
        tailsMax: Int = 2,
        timeout: Duration = .seconds(60),
        _ body: (Int) async throws -> Void
    ) async throws {
        let answers = QueryAnswers(
            respond: { [budget] _ in
                var response = APIResponse(
                    status: 200,
                    headers: [("Content-Type", "application/x-ndjson")],
                    body: .stream(stream)
                )
                response.memory = HeldMemory(budget)
                return response
            },
            family: .native,
            queries: QueryGate(limit: queriesMax, timeout: timeout, telemetry: fixture.telemetry),
            tails: TailGate(limit: tailsMax, telemetry: fixture.telemetry),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let listener = HTTPListener(
            name: "web",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            telemetry: fixture.telemetry,
            service: FamilyService(answers: answers)
        )
        try await fixture.run(listener, body)
    }

    private func metric(_ series: String) -> Double? {
        var text = PrometheusText()
        fixture.telemetry.write(to: &text)
        return text.text.split(separator: "\n").first { $0.hasPrefix("\(series) ") }
            .flatMap { Double($0.dropFirst(series.count + 1)) }
    }

    private static let request = "GET / HTTP/1.1\r\nhost: a\r\naccept-encoding: gzip\r\n\r\n"

    /// Says "begun" and waits until it is cancelled.
    private static func waiting(_ kind: APIStream.Kind) -> APIStream {
        APIStream(kind, lastPiece: { code, detail in Array("\(code): \(detail)\n".utf8) }) { write in
            try await write(Array("begun\n".utf8))
            try await Task.sleep(for: .seconds(600))
        }
    }

    @Test func `the elements of a sequence are the pieces`() async throws {
        let (pieces, feed) = AsyncStream<[UInt8]>.makeStream()
        for piece in ["{}\n", "[]\n"] { feed.yield(Array(piece.utf8)) }
        feed.finish()
        try await withStream(APIStream(.query, pieces)) { port in
            let answer = try await Answer.of(port, "/", [("accept-encoding", "gzip")], method: .GET)
            #expect(answer.text == "{}\n[]\n")
            #expect(answer.header("content-encoding") == nil)
            #expect(answer.header("x-accel-buffering") == "no")
            #expect(answer.header("x-content-type-options") == "nosniff")
        }
        #expect(metric("skein_query_duration_seconds_count") == 1)
    }

    @Test func `a query runs until its stream has ended`() async throws {
        try await withStream(Self.waiting(.query), queriesMax: 1) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(Self.request)
                #expect(try await talk.hear("begun"))
                #expect(metric("skein_running_queries") == 1)
                let refused = try await Answer.of(port, "/", [], method: .GET)
                #expect(refused.status == 503 && refused.text.contains(#""code":"busy""#), "\(refused.text)")
            }
            try await eventually("the query is over with its client") { metric("skein_running_queries") == 0 }
        }
        #expect(metric(#"skein_rejected_queries_total{reason="timeout"}"#) == 0)
    }

    @Test func `a query that takes too long says so in its last piece, and has no end`() async throws {
        try await withStream(Self.waiting(.query), timeout: .milliseconds(300)) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(Self.request)
                let heard = await talk.hearAll()
                #expect(heard.contains("begun\n"))
                #expect(heard.contains("timeout: The query was stopped after 300ms"), "\(heard)")
                #expect(!heard.hasSuffix("0\r\n\r\n"))
            }
        }
        #expect(metric(#"skein_rejected_queries_total{reason="timeout"}"#) == 1)
        #expect(metric("skein_running_queries") == 0)
    }

    @Test(arguments: [APIStream.Kind.query, .tail])
    func `a producer that fails says so in its last piece, and its body has no end`(_ kind: APIStream.Kind) async throws
    {
        let stream = APIStream(kind, lastPiece: { code, detail in Array("\(code): \(detail)\n".utf8) }) { write in
            try await write(Array("begun\n".utf8))
            throw StoreError(.io, "a path of the server's")
        }
        try await withStream(stream) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(Self.request)
                let heard = await talk.hearAll()
                #expect(heard.contains("begun\n") && heard.contains("internal: The rest"), "\(heard)")
                #expect(!heard.hasSuffix("0\r\n\r\n") && !heard.contains("a path"))
            }
        }
    }

    @Test func `a producer that is cancelled breaks its body off`() async throws {
        let stream = APIStream(.query, lastPiece: { _, _ in Array("words".utf8) }) { write in
            try await write(Array("begun\n".utf8))
            throw StoreError(.cancelled, "the test ends it")
        }
        try await withStream(stream) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(Self.request)
                #expect(await talk.hearAll().hasSuffix("6\r\nbegun\n\r\n"))
            }
        }
    }

    @Test func `tails are no queries, and are counted for themselves`() async throws {
        try await withStream(Self.waiting(.tail), queriesMax: 1, tailsMax: 2, timeout: .milliseconds(200)) { port in
            try await RawConnection.with(port) { first in
                try await first.say(Self.request)
                #expect(try await first.hear("begun"))
                try await RawConnection.with(port) { second in
                    try await second.say(Self.request)
                    #expect(try await second.hear("begun"))
                    #expect(metric("skein_open_tails") == 2)
                    #expect(metric("skein_running_queries") == 0)
                    let refused = try await Answer.of(port, "/", [], method: .GET)
                    #expect(refused.status == 503 && refused.header("retry-after") == "1")
                    #expect(refused.text.contains("--tails-max"), "\(refused.text)")
                }
                try await eventually("a tail is over with its client") { metric("skein_open_tails") == 1 }
                try await Task.sleep(for: .milliseconds(400))
                #expect(metric("skein_open_tails") == 1, "the time of queries ended a tail")
            }
            try await eventually("a tail is over with its client") { metric("skein_open_tails") == 0 }
        }
        #expect(metric(#"skein_rejected_tails_total{reason="busy"}"#) == 1)
    }

    @Test func `pieces are counted while they are sent`() async throws {
        let counted = Mutex<[Int]>([])
        let stream = APIStream(.query) { [budget] write in
            for count in [16 << 20, 1] {
                try await write([UInt8](repeating: 0x20, count: count))
                counted.withLock { $0.append(budget.used) }
            }
        }
        try await withStream(stream) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.0\r\n\r\n")
                // More than sockets buffer, so that it cannot leave before somebody reads.
                try await eventually("the piece is counted") { budget.used == 2 * (16 << 20) }
                #expect(await talk.hearAll().utf8.count > 16 << 20)
            }
        }
        #expect(counted.withLock { $0 } == [0, 0])
        #expect(budget.used == 0)
    }
}
