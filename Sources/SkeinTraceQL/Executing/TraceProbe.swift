// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
package import SkeinStore

/// Asks single traces whether they satisfy a query, as they come.
package struct TraceProbe: Sendable {
    private let evaluator: SpansetEvaluator

    /// A probe for `query` that describes at most `spanCountMax` spans of each spanset.
    package init(_ query: Query, spanCountMax: Int = 3) {
        evaluator = SpansetEvaluator(
            program: SpansetProgram(query.pipeline, source: query.source),
            range: .all,
            spanCountMax: spanCountMax
        )
    }

    /// What some span of a trace satisfies that satisfies the query.
    package var predicate: SpanPredicate { evaluator.program.resultPredicate }

    /// The trace in one row and what of it matched; `nil` when it does not satisfy the query. `batch` is the whole trace in
    /// its order, with all columns.
    package func match(_ batch: SpanBatch) throws(StoreError) -> (summary: TraceSummary, match: TraceMatch)? {
        let table = BatchTable(trace: batch)
        for trace in table.traces() {
            let prepared = try evaluator.prepare(table)
            guard let (match, count) = try evaluator.evaluate(trace, of: table, prepared) else { continue }
            return (TraceSummary(of: batch, rows: trace.rows, matchedSpanCount: count), match)
        }
        return nil
    }
}
