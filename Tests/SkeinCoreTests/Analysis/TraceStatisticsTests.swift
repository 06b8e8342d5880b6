// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import Testing

@Suite struct TraceStatisticsTests {
    typealias Span = SkeinModel.Span

    static func span(
        _ id: UInt64,
        _ parent: UInt64,
        _ start: UInt64,
        _ nanos: UInt64,
        _ service: String,
        _ name: String
    )
        -> Span
    {
        var span = TraceTreeTests.span(id, parent: parent, start: start, duration: nanos, service: service)
        span.name = name
        return span
    }

    /// A page that asks a database three times.
    static var spans: [Span] {
        var spans = [span(1, 0, 0, 100, "web", "GET /")]
        for (id, start, nanos) in [(2, 10, 10), (3, 30, 30), (4, 70, 20)] as [(UInt64, UInt64, UInt64)] {
            spans.append(span(id, 1, start, nanos, "db", id == 4 ? "INSERT" : "SELECT"))
        }
        spans[1].attributes = [Attribute("table", "users")]
        spans[2].attributes = [Attribute("table", "items")]
        spans[2].status.code = .error
        spans[3].attributes = [Attribute("table", "users")]
        spans[3].weight = 2.5
        return spans
    }

    @Test func `services have counts, times and errors, most self time first`() throws {
        let table = TraceStatistics(of: SpanBatch(spans: Self.spans), by: .service)
        #expect(table.durationNanos == 100)
        #expect(table.rows.map(\.group) == [.service("db"), .service("web")])
        let db = try #require(table.rows.first)
        #expect([db.totalNanos, db.selfNanos, db.pathNanos, db.averageNanos] == [60, 60, 60, 20])
        #expect([db.minNanos, db.maxNanos] == [10, 30])
        #expect([0, 0.5, 0.95, 1].map(db.quantileNanos(_:)) == [10, 20, 30, 30])
        #expect(db.spanCount == 3 && db.weight == 4.5 && db.errorCount == 1)
        let web = table.rows[1]
        #expect([web.totalNanos, web.selfNanos, web.pathNanos] == [100, 40, 40])
    }

    @Test func `operations of two services are two rows`() {
        let spans = Self.spans + [Self.span(9, 1, 95, 1, "cache", "SELECT")]
        let table = TraceStatistics(of: SpanBatch(spans: spans), by: .operation)
        #expect(
            table.rows.map(\.group) == [
                .operation(OperationName(service: "db", operation: "SELECT")),
                .operation(OperationName(service: "web", operation: "GET /")),
                .operation(OperationName(service: "db", operation: "INSERT")),
                .operation(OperationName(service: "cache", operation: "SELECT")),
            ]
        )
        #expect(table.rows.map(\.spanCount) == [2, 1, 1, 1])
    }

    @Test func `spans are grouped by an attribute, those without it together`() {
        let table = TraceStatistics(of: SpanBatch(spans: Self.spans), by: .attribute("table", .any))
        #expect(table.rows.map(\.group) == [.value(nil), .value("users"), .value("items")])
        #expect(table.rows.map(\.selfNanos) == [40, 30, 30])
        let unknown = TraceStatistics(of: SpanBatch(spans: Self.spans), by: .attribute("nothing", .span))
        #expect(unknown.rows.map(\.group) == [.value(nil)])
    }

    @Test func `an attribute is the span's, else the resource's, or of the one that is named`() {
        var spans = Self.spans
        spans[0].attributes = [Attribute("service.name", .int(7))]
        let batch = SpanBatch(spans: spans)
        func groups(_ scope: TraceStatistics.Grouping.Scope) -> Set<TraceStatistics.Group> {
            Set(TraceStatistics(of: batch, by: .attribute("service.name", scope)).rows.map(\.group))
        }
        #expect(groups(.any) == [.value(.int(7)), .value("db")])
        #expect(groups(.span) == [.value(.int(7)), .value(nil)])
        #expect(groups(.resource) == [.value("web"), .value("db")])
    }

    @Test func `durations without end stay within bounds`() {
        let spans = [Self.span(1, 0, 0, .max, "a", "x"), Self.span(2, 0, 0, .max, "a", "x")]
        let row = TraceStatistics(of: SpanBatch(spans: spans), by: .service).rows[0]
        #expect(row.totalNanos == .max && row.pathNanos == .max)
        #expect(TraceStatistics(of: SpanBatch(), by: .service).rows.isEmpty)
    }
}
