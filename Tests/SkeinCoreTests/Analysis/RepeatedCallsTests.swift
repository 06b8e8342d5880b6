// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@Suite struct RepeatedCallsTests {
    typealias Span = SkeinModel.Span

    /// A call of a database.
    static func query(_ id: UInt64, below parent: UInt64, at start: UInt64, lasting nanos: UInt64 = 10, _ text: String)
        -> Span
    {
        var span = TraceTreeTests.span(
            id,
            parent: parent,
            start: start,
            duration: nanos,
            kind: .client,
            service: "shop"
        )
        span.name = "SELECT"
        span.attributes = [Attribute("db.system", "postgresql"), Attribute("db.query.text", .string(text))]
        return span
    }

    static func root(lasting nanos: UInt64 = 1000) -> Span {
        var root = TraceTreeTests.span(1, start: 0, duration: nanos, kind: .server, service: "shop")
        root.name = "GET /cart"
        return root
    }

    /// The same statement of `count` different values, one after the other.
    static func queries(_ count: UInt64, below parent: UInt64 = 1) -> [Span] {
        (0..<count).map { query(100 + $0, below: parent, at: 10 + $0 * 20, "SELECT * FROM items WHERE id = \($0)") }
    }

    static func findings(
        _ spans: [Span],
        _ change: (inout RepeatedCalls.Thresholds) -> Void = { _ in }
    ) -> [RepeatedCalls.Finding] {
        var thresholds = RepeatedCalls.Thresholds()
        change(&thresholds)
        let batch = SpanBatch(spans: spans)
        return RepeatedCalls(TraceTree(batch), of: batch, thresholds: thresholds).findings
    }

    @Test func `one statement with many values is one call repeated`() throws {
        let found = Self.findings([Self.root()] + Self.queries(10))
        #expect(found.count == 1)
        let finding = try #require(found.first)
        #expect(finding.scope == .parent && finding.caller == 0 && finding.count == 10)
        #expect(finding.call.statement == "SELECT * FROM items WHERE id = ?")
        #expect(finding.call.name == OperationName(service: "shop", operation: "SELECT"))
        #expect(finding.call.peer == "postgresql")
        #expect(finding.totalNanos == 100 && finding.coveredNanos == 100 && finding.share == 0.1)
        #expect(finding.isSequential)
    }

    @Test func `fewer than the threshold, and those that take next to no time, are not told`() {
        #expect(Self.findings([Self.root()] + Self.queries(4)).isEmpty)
        #expect(Self.findings([Self.root()] + Self.queries(4)) { $0.countMin = 4 }.count == 1)
        #expect(Self.findings([Self.root(lasting: 1_000_000)] + Self.queries(10)).isEmpty)
        #expect(Self.findings([Self.root(lasting: 1_000_000)] + Self.queries(10)) { $0.shareMin = 0 }.count == 1)
    }

    @Test func `different statements are different calls`() {
        let spans = (0..<9 as Range<UInt64>).map {
            Self.query(100 + $0, below: 1, at: $0 * 20, "SELECT * FROM t\($0) WHERE id = 1")
        }
        #expect(Self.findings([Self.root()] + spans).isEmpty)
    }

    @Test func `calls at once are no sequence`() throws {
        let spans = (0..<8 as Range<UInt64>).map {
            Self.query(100 + $0, below: 1, at: 10 + $0, lasting: 50, "SELECT 1")
        }
        let finding = try #require(Self.findings([Self.root()] + spans).first)
        #expect(!finding.isSequential)
        #expect(finding.totalNanos == 400 && finding.coveredNanos == 57)
    }

    @Test func `calls of a loop whose rounds are spans stand below the span that entered the service`() throws {
        var spans = [Self.root()]
        for round in 0..<6 as Range<UInt64> {
            var item = TraceTreeTests.span(10 + round, parent: 1, start: round * 100, duration: 90, service: "shop")
            item.name = "load item \(round)"
            spans += [item, Self.query(100 + round, below: 10 + round, at: round * 100 + 5, lasting: 50, "SELECT 1")]
        }
        let found = Self.findings(spans)
        #expect(found.map(\.scope) == [.parent, .service])
        #expect(found[0].call.name.operation == "load item <number>")
        #expect(found[1].caller == 0 && found[1].count == 6 && found[1].call.statement == "SELECT ?")
        #expect(found[1].share == 0.3)
    }

    @Test func `what is told of a parent is not told again of its service`() {
        #expect(Self.findings([Self.root()] + Self.queries(10)).map(\.scope) == [.parent])
    }

    @Test func `a call with a span at either end is told of the calling one`() {
        var spans = [Self.root()]
        for call in 0..<6 as Range<UInt64> {
            var asking = Self.query(100 + call, below: 1, at: 10 + call * 20, "SELECT 1")
            asking.attributes = []
            var answering = TraceTreeTests.span(
                200 + call,
                parent: 100 + call,
                start: 12 + call * 20,
                duration: 5,
                kind: .server,
                service: "stock"
            )
            answering.name = "SELECT"
            spans += [asking, answering]
        }
        #expect(Self.findings(spans).map(\.call.name.service) == ["shop"])
        // Without the calling span the answering one tells.
        for index in spans.indices where spans[index].kind == .client { spans[index].kind = .internal }
        #expect(Self.findings(spans).map(\.scope) == [.parent, .service])
    }

    @Test func `many traces are grouped by caller and call`() throws {
        var groups = RepeatedCallGroups()
        for (trace, count) in [(1, 10), (2, 30), (3, 2)] as [(UInt64, UInt64)] {
            var spans = [Self.root()] + Self.queries(count)
            for index in spans.indices {
                spans[index].traceID = TraceID(high: 0, low: trace)
                spans[index].weight = 2
            }
            groups.add(SpanBatch(spans: spans))
        }
        #expect(groups.traceCount == 3 && groups.sorted.count == 1 && groups.others == nil)
        let group = try #require(groups.sorted.first)
        #expect(group.caller == OperationName(service: "shop", operation: "GET /cart"))
        #expect(group.figures.traceCount == 2 && group.figures.callerCount == 4 && group.figures.callCount == 80)
        #expect(group.figures.callCountMax == 30 && group.figures.exemplar.low == 2)
        #expect(group.figures.sequentialCount == 4)
        #expect(group.figures.share == 0.2)
    }

    @Test func `groups of parts add up to the groups of all`() {
        var generator = TraceGenerator(seed: 8)
        var thresholds = RepeatedCalls.Thresholds()
        thresholds.countMin = 2
        thresholds.shareMin = 0
        let (empty, batches) = (
            RepeatedCallGroups(thresholds: thresholds), (0..<80).map { _ in SpanBatch(spans: generator.trace()) }
        )
        var (whole, first, second) = (empty, empty, empty)
        for (number, batch) in batches.enumerated() {
            whole.add(batch)
            if number % 3 == 0 { first.add(batch) } else { second.add(batch) }
        }
        first.merge(second)
        #expect(!whole.sorted.isEmpty)
        #expect(whole.sorted.map { "\($0)" } == first.sorted.map { "\($0)" })
    }

    @Test func `twenty thousand calls are looked at once`() {
        let found = Self.findings([Self.root(lasting: 420_000)] + Self.queries(20_000))
        #expect(found.map(\.count) == [20_000])
    }

    @Test func `durations without end stay within bounds`() {
        let spans = (0..<6 as Range<UInt64>).map { Self.query(100 + $0, below: 1, at: 0, lasting: .max, "SELECT 1") }
        #expect(Self.findings([Self.root(lasting: .max)] + spans).map(\.coveredNanos) == [.max])
    }
}
