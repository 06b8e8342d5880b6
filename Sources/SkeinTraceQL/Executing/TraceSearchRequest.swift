// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
package import SkeinStore

/// A search for traces by a query.
package struct TraceSearchRequest: Sendable {
    package var query: Query
    /// A matching span starts in this range.
    package var range: TimeRange
    /// Most traces in a page, 1…10,000.
    package var limit: Int
    /// Spans described of each spanset, 0…100.
    package var spanCountMax: Int
    /// Only traces after this one.
    package var cursor: OrderedCursor?
    /// In the place of the query's own order, newest first when it has none.
    package var order: TraceOrder?

    package init(
        _ query: Query,
        range: TimeRange = .all,
        limit: Int = 20,
        spanCountMax: Int = 3,
        cursor: OrderedCursor? = nil,
        order: TraceOrder? = nil
    ) {
        self.query = query
        self.range = range
        self.limit = limit
        self.spanCountMax = spanCountMax
        self.cursor = cursor
        self.order = order
    }
}

/// A place in an order of traces: what the last one shown was ordered by, ties by ascending trace id.
package struct OrderedCursor: Hashable, Sendable {
    /// Start in nanoseconds since 1970, duration in nanoseconds, or a count.
    package var value: UInt64
    package var traceID: TraceID

    package init(value: UInt64, traceID: TraceID) {
        self.value = value
        self.traceID = traceID
    }
}

/// A page of traces.
package struct TraceSearchPage: Sendable {
    package var traces: [(summary: TraceSummary, match: TraceMatch)]
    /// Where the next page starts; `nil` when this one is the last.
    package var next: OrderedCursor?
    package var inspected: SearchPage.Inspected
}

extension SpanStore {
    /// One page of the traces that satisfy a query of spans, exhaustive and in order.
    ///
    /// Throws ``StoreError/Code/limit`` when the limit is out of bounds. A query of series finds the traces of its
    /// pipeline.
    package func search(_ request: TraceSearchRequest) async throws(StoreError) -> TraceSearchPage {
        let program = SpansetProgram(request.query.pipeline, source: request.query.source)
        let order = request.order ?? program.order
        let evaluator = SpansetEvaluator(
            program: program,
            range: request.range,
            spanCountMax: request.spanCountMax
        )
        let predicate = program.resultPredicate
        if order == .newest {
            let query = TraceQuery(
                range: request.range,
                predicate: predicate,
                requirements: program.requirements,
                columns: program.columns,
                limit: request.limit,
                cursor: request.cursor.map { SearchCursor(startUnixNanos: $0.value, traceID: $0.traceID) }
            )
            let page = try await search(query, evaluatedBy: evaluator)
            return TraceSearchPage(
                traces: page.traces.map { ($0.summary, $0.answer) },
                next: page.next.map { OrderedCursor(value: $0.startUnixNanos, traceID: $0.traceID) },
                inspected: page.inspected
            )
        }
        guard (1...10_000).contains(request.limit) else {
            throw StoreError(.limit, "limit is \(request.limit); a page holds 1 to 10,000 traces")
        }
        let query = TableQuery(
            range: request.range,
            predicate: predicate,
            needsWholeTraces: true,
            columns: program.columns
        )
        let first = FirstTraces(
            evaluator: evaluator,
            order: order,
            limit: request.limit,
            cursor: request.cursor
        )
        return try await fold(query, by: first).page(limit: request.limit, order)
    }
}

/// Keeps the first traces of an order.
private struct FirstTraces: TableFold {
    let evaluator: SpansetEvaluator
    let order: TraceOrder
    let limit: Int
    let cursor: OrderedCursor?

    struct Sum: Sendable {
        var traces: [Entry] = []
        var spanCount = 0
    }

    struct Entry: Sendable {
        var value: UInt64
        var summary: TraceSummary
        var match: TraceMatch
    }

    func zero() -> Sum { Sum() }

    func byteCount(of sum: Sum) -> Int { sum.traces.count * 2_048 }

    func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Sum) throws(StoreError) {
        sum.spanCount += table.rowCount
        let prepared = try evaluator.prepare(table)
        for trace in try table.traces() where rows.contains(anyOf: trace.rows) {
            guard let (match, count) = try evaluator.evaluate(trace, of: table, prepared) else { continue }
            let summary = try TraceSummary(of: trace, in: table, matchedSpanCount: count)
            let entry = Entry(value: order.key.value(of: summary), summary: summary, match: match)
            if let cursor {
                let isBehind = order.precedes(cursor.value, cursor.traceID, entry.value, trace.id)
                if !isBehind { continue }
            }
            sum.traces.append(entry)
            if sum.traces.count >= 2 * limit + 256 { trim(&sum) }
        }
    }

    func add(_ other: Sum, to sum: inout Sum) {
        sum.traces += other.traces
        sum.spanCount += other.spanCount
        trim(&sum)
    }

    /// One more than the limit says that there is a next page.
    private func trim(_ sum: inout Sum) {
        sum.traces.sort { order.precedes($0.value, $0.summary.traceID, $1.value, $1.summary.traceID) }
        if sum.traces.count > limit + 1 { sum.traces.removeSubrange((limit + 1)...) }
    }
}

extension FirstTraces.Sum {
    fileprivate func page(limit: Int, _ order: TraceOrder) -> TraceSearchPage {
        let entries = traces.sorted { order.precedes($0.value, $0.summary.traceID, $1.value, $1.summary.traceID) }
        var inspected = SearchPage.Inspected()
        inspected.spanCount = spanCount
        let shown = entries.prefix(limit)
        return TraceSearchPage(
            traces: shown.map { ($0.summary, $0.match) },
            next: entries.count > limit
                ? shown.last.map { OrderedCursor(value: $0.value, traceID: $0.summary.traceID) } : nil,
            inspected: inspected
        )
    }
}

extension TraceOrder {
    /// Whether the first of two traces comes first.
    fileprivate func precedes(_ a: UInt64, _ first: TraceID, _ b: UInt64, _ second: TraceID) -> Bool {
        if a != b { return isDescending ? a > b : a < b }
        return first < second
    }
}

extension TraceOrder.Key {
    fileprivate func value(of summary: TraceSummary) -> UInt64 {
        switch self {
        case .start: summary.startUnixNanos
        case .duration: summary.durationNanos
        case .spans: UInt64(summary.spanCount)
        case .errors: UInt64(summary.errorCount)
        }
    }
}

extension TraceSearchPage {
    /// A page of traces of which nothing more is known.
    package init(_ page: SearchPage) {
        traces = page.traces.map { ($0, TraceMatch(spansets: [])) }
        next = page.next.map { OrderedCursor(value: $0.startUnixNanos, traceID: $0.traceID) }
        inspected = page.inspected
    }
}

extension Query {
    /// The one condition that the query states of spans, when it is no more than that.
    package var plainCondition: SpanPredicate? { try? condition() }

    /// Whether it asks for series.
    package var countsSpans: Bool { if case .series = statement { true } else { false } }

    /// The order that it asks for, newest first when it asks for none.
    package var order: TraceOrder {
        for case .order(let order) in pipeline.stages { return order }
        return .newest
    }

    /// The pipeline that picks spans; of a query of series that of its first part.
    package var pipeline: Pipeline {
        switch statement {
        case .spans(let pipeline): pipeline
        case .series(let series): series.firstPipeline ?? Pipeline([.spansets(.filter(nil))])
        }
    }
}

extension SeriesExpression {
    fileprivate var firstPipeline: Pipeline? {
        switch self {
        case .query(let query): query.pipeline
        case .constant: nil
        case .arithmetic(_, let left, let right): left.firstPipeline ?? right.firstPipeline
        case .stage(_, let inner): inner.firstPipeline
        }
    }
}
