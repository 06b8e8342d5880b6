// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// A search for traces by more than a condition on one span.
package struct TraceQuery: Sendable {
    /// A span that makes the trace worth looking at starts in this range.
    package var range: TimeRange
    /// What such a span satisfies.
    package var predicate: SpanPredicate
    /// What some span of the trace satisfies, each of them; it may start at any time. Only saves work.
    package var requirements: [SpanPredicate]
    /// Columns that the evaluator reads, of those that may be left out.
    package var columns: SpanColumns
    /// Most traces in a page, 1…10,000.
    package var limit: Int
    /// Only traces after this one in the order of results.
    package var cursor: SearchCursor?

    package init(
        range: TimeRange = .all,
        predicate: SpanPredicate = .true,
        requirements: [SpanPredicate] = [],
        columns: SpanColumns,
        limit: Int = 20,
        cursor: SearchCursor? = nil
    ) {
        self.range = range
        self.predicate = predicate
        self.requirements = requirements
        self.columns = columns
        self.limit = limit
        self.cursor = cursor
    }
}

/// Says of each trace whether it is an answer, and which.
package protocol TraceEvaluator: Sendable {
    /// What is worked out of a table once for all its traces.
    associatedtype Prepared
    associatedtype Answer: Sendable

    /// Works out what concerns all traces of a table.
    func prepare(_ table: any SpanTable) throws(StoreError) -> Prepared

    /// The answer that a trace is, with the number of its matching spans; `nil` when it is none.
    func evaluate(
        _ trace: TableTrace,
        of table: any SpanTable,
        _ prepared: Prepared
    ) throws(StoreError) -> (answer: Answer, matchedSpanCount: Int)?
}

/// The answer to a ``TraceQuery``.
package struct EvaluatedPage<Answer: Sendable>: Sendable {
    /// Newest first, ties by ascending trace id.
    package var traces: [(summary: TraceSummary, answer: Answer)]
    /// Where the next page starts; `nil` when this one is the last.
    package var next: SearchCursor?
    package var inspected: SearchPage.Inspected

    package init(
        traces: [(summary: TraceSummary, answer: Answer)] = [],
        next: SearchCursor? = nil,
        inspected: SearchPage.Inspected = .init()
    ) {
        self.traces = traces
        self.next = next
        self.inspected = inspected
    }
}

/// Which spans are added up.
package struct TableQuery: Sendable {
    /// Spans that start in this range.
    package var range: TimeRange
    /// Spans that satisfy this.
    package var predicate: SpanPredicate
    /// Whether tables must hold whole traces; scattered spans are quicker to come by.
    package var needsWholeTraces: Bool
    /// Columns that are read, of those that may be left out.
    package var columns: SpanColumns

    package init(
        range: TimeRange = .all,
        predicate: SpanPredicate = .true,
        needsWholeTraces: Bool = false,
        columns: SpanColumns
    ) {
        self.range = range
        self.predicate = predicate
        self.needsWholeTraces = needsWholeTraces
        self.columns = columns
    }
}

/// Adds up spans, a table at a time, in any order and on several threads.
package protocol TableFold: Sendable {
    associatedtype Sum: Sendable

    /// The sum of nothing.
    func zero() -> Sum

    /// Adds the spans of a table that are in `rows`: those that start in the range and satisfy the predicate.
    func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Sum) throws(StoreError)

    /// Memory that a sum takes, about, in bytes. Asked for often.
    func byteCount(of sum: Sum) -> Int

    /// Adds what another thread added up.
    func add(_ other: Sum, to sum: inout Sum) throws(StoreError)
}
