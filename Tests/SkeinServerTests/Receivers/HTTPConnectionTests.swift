// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinBase
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import Testing

/// How connections behave below the meaning of requests: slow, broken, impatient and many.
struct HTTPConnectionTests {
    private static let request = "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"

    @Test func `a connection carries one request after the other`() async throws {
        try await Fixture().withHTTP { port in
            try await RawConnection.with(port) { talk in
                for _ in 0..<3 {
                    talk.heard = ""
                    try await talk.say("\(Self.request)content-length: 2\r\n\r\n{}")
                    #expect(try await talk.hear("200 OK"))
                    #expect(try await talk.hear("\r\n\r\n{}"))
                }
            }
        }
    }

    @Test func `requests sent together are answered in order`() async throws {
        try await Fixture().withHTTP { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(
                    "\(Self.request)content-length: 2\r\n\r\n{}" + "GET /v1/traces HTTP/1.1\r\nhost: a\r\n\r\n"
                        + "POST /nowhere HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                )
                let all = await talk.hearAll()
                let answers = all.split(separator: "HTTP/1.1 ").map { String($0.prefix(3)) }
                #expect(answers == ["200", "405", "404"])
            }
        }
    }

    @Test func `a client that asks is told to go on`() async throws {
        try await Fixture().withHTTP { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("\(Self.request)content-length: 2\r\nexpect: 100-continue\r\n\r\n")
                #expect(try await talk.hear("100 Continue"))
                try await talk.say("{}")
                #expect(try await talk.hear("200 OK"))
            }
        }
    }

    @Test func `a client that asks is told not to go on`() async throws {
        try await Fixture().withHTTP { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(
                    "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: text/csv\r\ncontent-length: 99\r\n"
                        + "expect: 100-continue\r\n\r\n"
                )
                let all = await talk.hearAll()
                #expect(all.hasPrefix("HTTP/1.1 415 "))
                #expect(all.contains("connection: close"))
            }
        }
    }

    @Test(arguments: ["nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}"])
    func `what is not HTTP is answered 400 and closed`(_ text: String) async throws {
        let fixture = Fixture()
        try await fixture.withHTTP { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(text)
                #expect(await talk.hearAll().hasPrefix("HTTP/1.1 400 "))
            }
            try await #expect(Answer.of(port).status == 200)
        }
        #expect(fixture.counters.refused(.malformed) == 1)
    }

    @Test func `headers above the limit are refused`() async throws {
        try await Fixture().withHTTP { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("GET / HTTP/1.1\r\nx: \(String(repeating: "y", count: 100_000))\r\n\r\n")
                #expect(await talk.hearAll().hasPrefix("HTTP/1.1 4"))
            }
        }
    }

    @Test func `headers that do not end in time close the connection`() async throws {
        var limits = HTTPLimits()
        limits.headTime = .milliseconds(200)
        try await Fixture().withHTTP(limits) { port in
            try await RawConnection.with(port) { talk in
                let start = ContinuousClock.now
                try await talk.say("POST /v1/traces HTTP/1.1\r\nhos")
                #expect(await talk.hearAll().isEmpty)
                #expect(start.duration(to: .now) < .seconds(30))
            }
        }
    }

    @Test func `a body that does not keep up is answered 408`() async throws {
        let fixture = Fixture()
        var limits = HTTPLimits()
        limits.bodyTime = .milliseconds(200)
        try await fixture.withHTTP(limits) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("\(Self.request)content-length: 100\r\n\r\n{")
                #expect(await talk.hearAll().hasPrefix("HTTP/1.1 408 "))
            }
        }
        #expect(fixture.counters.refused(.incomplete) == 1)
        #expect(fixture.pipeline.budget.used == 0)
    }

    @Test func `a request keeps its memory until it is stored, though its client has gone`() async throws {
        let fixture = Fixture(TestStore(.hold))
        let body = Request.protobuf([Request.span(1)])
        try await fixture.withHTTP { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(
                    "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n"
                        + "content-length: \(body.count)\r\n\r\n"
                )
                try await talk.say(body)
                try await eventually("the request reaches the store") { fixture.store.waitingCount == 1 }
            }
            try await eventually("the connection is gone") { fixture.hasNoConnection }
            #expect(fixture.pipeline.budget.used >= body.count)
            fixture.store.release()
            try await eventually("the memory is given back") { fixture.pipeline.budget.used == 0 }
        }
    }

    @Test func `memory is held for what has come of a body, not for what is announced`() async throws {
        let fixture = Fixture(bytesMax: 60_000, budget: 100_000)
        try await fixture.withHTTP { port in
            try await RawConnection.with(port) { first in
                try await first.say("\(Self.request)content-length: 90000\r\n\r\n{")
                try await RawConnection.with(port) { second in
                    try await second.say("\(Self.request)content-length: 90000\r\n\r\n{")
                    try await eventually("both have begun") { fixture.pipeline.budget.used == 2 * 2 }
                    let body = Request.protobuf([Request.span(1)])
                    try await #expect(Answer.of(port, body: body).status == 200)
                }
            }
        }
    }

    @Test func `a body that keeps up but does not end in time is answered 408`() async throws {
        let fixture = Fixture()
        var limits = HTTPLimits()
        limits.bodyTime = .milliseconds(100)
        limits.bodyBytesPerSecondMin = 1
        limits.bodyTimeMax = .milliseconds(500)
        try await fixture.withHTTP(limits) { port in
            try await RawConnection.with(port) { talk in
                try await talk.say("\(Self.request)content-length: 100000\r\n\r\n{")
                try await talk.say(String(repeating: " ", count: 5000))
                let answer = await talk.hearAll()
                #expect(answer.hasPrefix("HTTP/1.1 408 "))
                #expect(answer.contains("was not complete"))
            }
        }
        #expect(fixture.counters.refused(.incomplete) == 1)
    }

    @Test func `an idle connection is closed`() async throws {
        var limits = HTTPLimits()
        limits.idleTime = .seconds(1)
        try await Fixture().withHTTP(limits) { port in
            // On a busy machine the connection may be idle for too long before its first request.
            try await eventually("an answered connection is closed") {
                try await RawConnection.with(port) { talk in
                    try? await talk.say("\(Self.request)content-length: 2\r\n\r\n{}")
                    return await talk.hearAll().hasPrefix("HTTP/1.1 200 OK")
                }
            }
        }
    }

    @Test func `the connection idle longest makes room for a new one`() async throws {
        var limits = HTTPLimits()
        limits.connectionsMax = 2
        try await Fixture().withHTTP(limits) { port in
            try await RawConnection.with(port) { first in
                try await first.say("\(Self.request)content-length: 2\r\n\r\n{}")
                #expect(try await first.hear("200 OK"))
                try await RawConnection.with(port) { second in
                    try await second.say("\(Self.request)content-length: 2\r\n\r\n{}")
                    #expect(try await second.hear("200 OK"))
                    try await #expect(Answer.of(port).status == 200)
                    _ = await first.hearAll()
                }
            }
        }
    }

    @Test func `work in hand is finished when the listener goes down`() async throws {
        let fixture = Fixture(TestStore(.hold))
        var pending: Task<Answer, any Error>?
        try await fixture.withHTTP { port in
            let body = Request.protobuf([Request.span(1)])
            pending = Task { try await Answer.of(port, body: body) }
            try await eventually("the request reaches the store") { fixture.store.waitingCount == 1 }
            Task {
                try await Task.sleep(for: .milliseconds(100))
                fixture.store.release()
            }
        }
        try await #expect(pending?.value.status == 200)
        #expect(try await fixture.names(Request.traceID) == ["work"])
    }
}
