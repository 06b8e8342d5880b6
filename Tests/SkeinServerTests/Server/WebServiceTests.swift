// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOHTTP1
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinReceivers
import SkeinTestKit
import SkeinWeb
import Testing

@testable import SkeinServer

/// The web listener over a socket, with a store, a clock and limits of the test's own.
struct WebServiceTests {
    private let fixture = Fixture()
    private let clock = SimulatedClock()

    /// Runs the listener on a free port while `body` runs.
    private func withWeb(
        queriesMax: Int = 16,
        timeout: Duration = .seconds(60),
        basePath: String = "",
        budget: ByteBudget? = nil,
        _ body: (Int) async throws -> Void
    ) async throws {
        let api = API(
            store: fixture.store,
            clock: clock,
            serverStatus: { ServerStatus(version: "0", startedUnixNanos: 0) }
        )
        let service = WebService(
            answers: QueryAnswers(
                respond: { await api.respond(to: $0) },
                family: nil,
                queries: QueryGate(limit: queriesMax, timeout: timeout, telemetry: fixture.telemetry),
                tails: TailGate(limit: 1, telemetry: fixture.telemetry),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ),
            assets: .embedded,
            operations: Operations(store: fixture.store, telemetry: fixture.telemetry, readiness: Readiness()),
            basePath: basePath
        )
        var limits = HTTPLimits()
        limits.bodyBytesMax = 1000
        let listener = HTTPListener(
            name: "web",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            limits: limits,
            budget: budget,
            telemetry: fixture.telemetry,
            service: service
        )
        try await fixture.run(listener, body)
    }

    @Test(arguments: ["", "/skeleton"])
    func `a trace that came compressed is not sent again`(_ form: String) async throws {
        let spans = (1...50).map { Request.span($0) }
        try await fixture.store.append(SpanBatch(spans: spans, receivedUnixNanos: clock.unixNanos))
        clock.advance(by: .seconds(11))
        try await withWeb { port in
            let path = "/api/skein/v1/traces/\(Request.traceID)\(form)"
            let first = try await Answer.of(port, path, [("accept-encoding", "gzip")], method: .GET)
            #expect(first.status == 200)
            #expect(first.header("content-encoding") == "gzip")
            let tag = try #require(first.header("etag"))
            #expect(tag.hasPrefix("W/\"") && tag.hasSuffix("\""))
            for codings in [[("accept-encoding", "gzip")], []] {
                let headers = codings + [("if-none-match", tag)]
                try await #expect(Answer.of(port, path, headers, method: .GET).status == 304)
            }
        }
    }

    /// A refusal of the server around the APIs.
    struct Refused: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var status: Int
        var code: String
        var retryAfter: String?
        var queriesMax = 16
        var timeout = Duration.seconds(60)
        /// Bytes of the budget of a thousand that others have.
        var takenBytes = 0
        var bodyBytes = 0
    }

    static let refusals = [
        Refused(testDescription: "too many queries", status: 503, code: "busy", retryAfter: "1", queriesMax: 0),
        Refused(testDescription: "too long a query", status: 504, code: "timeout", timeout: .milliseconds(50)),
        Refused(testDescription: "too large a body", status: 413, code: "too-large", bodyBytes: 2000),
        Refused(
            testDescription: "no memory",
            status: 429,
            code: "busy",
            retryAfter: "1",
            takenBytes: 900,
            bodyBytes: 99
        ),
    ]

    @Test(arguments: refusals, ["", "/mounted"])
    func `what the server refuses is said in the form of the API that was asked`(
        _ refused: Refused,
        _ basePath: String
    ) async throws {
        fixture.store.set(.hold)
        let budget = ByteBudget(limit: 1000)
        budget.takeAnyway(refused.takenBytes)
        try await withWeb(
            queriesMax: refused.queriesMax,
            timeout: refused.timeout,
            basePath: basePath,
            budget: budget
        ) { port in
            let body = [UInt8](repeating: 0x20, count: refused.bodyBytes)
            let native = try await Answer.of(port, basePath + "/api/skein/v1/services", [], method: .GET, body: body)
            let jaeger = try await Answer.of(port, basePath + "/api/services", [], method: .GET, body: body)
            for answer in [native, jaeger] {
                #expect(answer.status == refused.status)
                #expect(answer.header("retry-after") == refused.retryAfter)
                #expect(answer.header("x-content-type-options") == "nosniff")
                #expect(answer.header("content-security-policy") != nil)
            }
            #expect(native.header("content-type") == "application/problem+json")
            #expect(native.text.contains(#""code":"\#(refused.code)""#), "\(native.text)")
            #expect(jaeger.header("content-type") == "application/json")
            let opening = #"{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":\#(refused.status),"msg":""#
            #expect(jaeger.text.hasPrefix(opening), "\(jaeger.text)")
        }
    }

    @Test(arguments: ["http://somebody.example", "HTTPS://a:1", "http://[::1]:16686"], ["", "/mounted"])
    func `a target in absolute form is the same target`(_ origin: String, _ basePath: String) async throws {
        try await withWeb(basePath: basePath) { port in
            for (target, status) in [
                ("/healthz", 200), ("/api/services?x=http://y/", 200), ("/explore", 200), ("/nothing", 404), ("", 200),
                ("?q=1", 200),
            ] where basePath.isEmpty || target.hasPrefix("/") {
                try await RawConnection.with(port) { talk in
                    try await talk.say(
                        "GET \(origin)\(basePath)\(target) HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
                    )
                    #expect(await talk.hearAll().hasPrefix("HTTP/1.1 \(status) "), "\(target)")
                }
            }
        }
    }
}
