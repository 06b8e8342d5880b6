// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@Suite struct ErrorGroupsTests {
    typealias Span = SkeinModel.Span

    /// A failed span, with an exception where one is given.
    static func failed(
        _ id: UInt64,
        parent: UInt64 = 0,
        trace: UInt64 = 1,
        service: String = "shop",
        message: String = "",
        exception: [Attribute]? = nil
    ) -> Span {
        var span = TraceTreeTests.span(id, parent: parent, start: trace * 1000 + id, service: service, trace: trace)
        span.status = .init(.error, message: message)
        span.name = "pay"
        if let exception {
            span.events = [.init(timeUnixNanos: trace * 1000 + 500, name: "exception", attributes: exception)]
        }
        return span
    }

    static func groups(_ traces: [[Span]]) -> ErrorGroups {
        var groups = ErrorGroups()
        for trace in traces { groups.add(SpanBatch(spans: trace)) }
        return groups
    }

    static func exception(_ type: String, _ message: String, _ stack: String = "") -> [Attribute] {
        [
            Attribute("exception.type", .string(type)), Attribute("exception.message", .string(message)),
            Attribute("exception.stacktrace", .string(stack)),
        ]
    }

    @Test func `exceptions are grouped by type and shape of the message`() throws {
        let groups = Self.groups([
            [Self.failed(1, exception: Self.exception("CardError", "card 4711 declined"))],
            [Self.failed(1, trace: 2, service: "till", exception: Self.exception("CardError", "card 12 declined"))],
            [Self.failed(1, trace: 3, exception: Self.exception("IOError", "card 12 declined"))],
            [TraceTreeTests.span(1, start: 4000, trace: 4)],
        ])
        #expect(groups.traceCount == 4 && groups.failedTraceCount == 3)
        #expect(groups.sorted.map(\.type) == ["CardError", "IOError"])
        let card = try #require(groups.sorted.first)
        #expect(card.shape == "card <number> declined" && card.message == "card 12 declined")
        #expect(card.count == 2 && card.traceCount == 2)
        #expect(card.services.map(\.name) == ["shop", "till"])
        #expect(card.operations.map(\.name) == ["pay"] && card.operations[0].count == 2)
        #expect(card.firstUnixNanos == 1500 && card.lastUnixNanos == 2500)
        #expect(card.exemplars.map(\.low) == [2, 1])
    }

    @Test func `a failed span without an exception is an error by its status and error type`() throws {
        var span = Self.failed(1, message: "no stock for 7 items")
        span.attributes = [Attribute("error.type", "OutOfStock"), Attribute("exception.type", "ignored")]
        let group = try #require(Self.groups([[span]]).sorted.first)
        #expect(group.type == "OutOfStock" && group.shape == "no stock for <number> items")
        #expect(group.lastUnixNanos == span.endUnixNanos)

        let silent = try #require(Self.groups([[Self.failed(1)]]).sorted.first)
        #expect(silent.type == "" && silent.shape == "")
    }

    @Test func `an exception counts even where its span did not fail, and its span's status does not count again`() {
        var handled = Self.failed(1, exception: Self.exception("Retry", "once"))
        handled.status.code = .unset
        #expect(Self.groups([[handled]]).sorted.map(\.count) == [1])
        let both = Self.failed(1, message: "failed", exception: Self.exception("E", "m"))
        #expect(Self.groups([[both]]).sorted.map(\.type) == ["E"])
    }

    @Test func `an error began where no span below failed`() throws {
        let trace = [Self.failed(1, message: "m"), Self.failed(2, parent: 1, message: "m")]
        let group = try #require(Self.groups([trace]).sorted.first)
        #expect(group.count == 2 && group.originCount == 1 && group.traceCount == 1)
        // What stands between may not say so.
        var between = Self.failed(2, parent: 1)
        between.status.code = .unset
        let caught = [Self.failed(1, message: "m"), between, Self.failed(3, parent: 2, message: "m")]
        #expect(Self.groups([caught]).sorted.first?.originCount == 1)
    }

    @Test func `errors count by the weight of their span`() throws {
        var span = Self.failed(1, message: "m")
        span.weight = 8
        #expect(Self.groups([[span]]).sorted[0].count == 8)
        span.weight = .nan
        #expect(Self.groups([[span]]).sorted[0].count == 0)
    }

    @Test(
        arguments: [
            (
                "java.lang.Error: x\n\tat shop.Card.charge(Card.java:42)\n\tat shop.Main.main(Main.java:7)",
                "at shop.Card.charge(Card.java:42)"
            ),
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\n  File \"b.py\", line 9, in g\nE: x",
                "File \"b.py\", line 9, in g"
            ),
            ("goroutine 1 [running]:\nmain.charge()\n\t/src/main.go:42 +0x1d", "/src/main.go:42 +0x1d"),
            ("TypeError: x\n    at f (/app/i.js:1:2)\n", "at f (/app/i.js:1:2)"),
            (
                "at Orders.place(_:) (/app/Orders.swift:20)\nat closure #1 in serve() (Orders)",
                "at Orders.place(_:) (/app/Orders.swift:20)"
            ),
            ("no frames: here", ""), ("", ""),
        ]
    )
    func `the innermost frame of a stack trace is found`(trace: String, frame: String) {
        let span = Self.failed(1, exception: Self.exception("E", "m", trace))
        #expect(Self.groups([[span]]).sorted[0].frame == frame)
    }

    @Test func `groups of parts add up to the groups of all`() {
        var generator = TraceGenerator(seed: 3)
        let traces = (0..<60).map { _ in generator.trace() }
        let whole = Self.groups(traces)
        var parts = Self.groups(Array(traces[..<20]))
        parts.merge(Self.groups(Array(traces[20...])))
        #expect(parts.traceCount == 60 && parts.failedTraceCount == whole.failedTraceCount)
        #expect(Self.text(parts) == Self.text(whole))
        #expect(!whole.sorted.isEmpty)
    }

    static func text(_ groups: ErrorGroups) -> [String] { groups.sorted.map { "\($0)" } }

    @Test func `groups and names beyond the limit are one`() {
        let count = UInt64(ErrorGroups.groupCountMax + 7)
        let spans = (1...count).map { Self.failed($0, service: "s\($0)", message: "m", exception: nil) }
            .enumerated().map { number, span in
                var span = span
                span.attributes = [Attribute("error.type", .string("E\(number)"))]
                return span
            }
        let groups = Self.groups([spans]).sorted
        #expect(groups.count == ErrorGroups.groupCountMax + 1)
        #expect(groups.last?.type == nil && groups.last?.count == 7)
        let one = Self.groups([(1...99 as ClosedRange<UInt64>).map { Self.failed($0, service: "s\($0)", message: "m") }]
        )
        #expect(one.sorted[0].services.count == 50 && one.sorted[0].count == 99)
    }
}
