// SPDX-License-Identifier: Apache-2.0
import SkeinModel
package import SkeinStore

/// The spans that a pipeline leaves, for whoever adds them up.
package struct SelectedSpans: Sendable {
    private let program: SpansetProgram

    /// The spans that `query` leaves; of a query of series those that it counts.
    package init(_ query: Query) { program = SpansetProgram(query.pipeline, source: query.source) }

    /// Whether tables must hold whole traces.
    package var needsWholeTraces: Bool { program.needsWholeTraces }
    /// Every span that is left satisfies this.
    package var predicate: SpanPredicate { program.resultPredicate }
    /// The columns that it is asked of.
    package var columns: SpanColumns { program.columns }

    /// Those of `rows` that are left; `rows` are those that satisfy ``predicate``.
    package func rows(_ rows: RowSet, of table: any SpanTable) throws(StoreError) -> RowSet {
        try program.rows(rows, of: table)
    }
}

extension SpansetProgram {
    /// Those of `rows`, which satisfy ``resultPredicate``, that are in a spanset at the end, however many it is in.
    func rows(_ rows: RowSet, of table: any SpanTable) throws(StoreError) -> RowSet {
        if let filter = onlyFilter { return try filter.refined(rows, of: table) }
        let prepared = try prepare(table)
        var left = RowSet(count: table.rowCount)
        for trace in try table.traces() where rows.contains(anyOf: trace.rows) {
            for set in try run(trace, prepared) { for row in set.rows { left[row] = true } }
        }
        left.formIntersection(rows)
        return left
    }
}
