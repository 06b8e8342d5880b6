// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension MemoryStore {
    package func search<Evaluator: TraceEvaluator>(
        _ query: TraceQuery,
        evaluatedBy evaluator: Evaluator
    ) async throws(StoreError) -> EvaluatedPage<Evaluator.Answer> {
        try query.check()
        var page = EvaluatedPage<Evaluator.Answer>()
        for trace in wholeTraces {
            try Self.checkCancelled()
            page.inspected.spanCount += trace.count
            let isWorthLooking = trace.spans.contains {
                query.range.contains($0.startUnixNanos) && query.predicate.matches($0)
            }
            guard isWorthLooking else { continue }
            let table = BatchTable(trace: trace)
            let prepared = try evaluator.prepare(table)
            for facts in table.traces() {
                guard let (answer, count) = try evaluator.evaluate(facts, of: table, prepared) else { continue }
                let summary = TraceSummary(of: trace, rows: facts.rows, matchedSpanCount: count)
                if query.cursor?.precedes(startUnixNanos: summary.startUnixNanos, traceID: summary.traceID) ?? true {
                    page.traces.append((summary, answer))
                }
            }
        }
        page.traces.sort { a, b in
            a.summary.startUnixNanos != b.summary.startUnixNanos
                ? a.summary.startUnixNanos > b.summary.startUnixNanos : a.summary.traceID < b.summary.traceID
        }
        if page.traces.count > query.limit {
            page.traces.removeSubrange(query.limit...)
            page.next = page.traces.last.map {
                SearchCursor(startUnixNanos: $0.summary.startUnixNanos, traceID: $0.summary.traceID)
            }
        }
        return page
    }

    package func fold<Fold: TableFold>(_ query: TableQuery, by fold: Fold) async throws(StoreError) -> Fold.Sum {
        var sum = fold.zero()
        for trace in wholeTraces {
            try Self.checkCancelled()
            let spans = trace.spans
            let rows = RowSet(count: spans.count) {
                query.range.contains(spans[$0].startUnixNanos) && query.predicate.matches(spans[$0])
            }
            if !rows.isEmpty { try fold.add(rows, of: BatchTable(trace: trace), to: &sum) }
        }
        return sum
    }
}

extension TraceQuery {
    /// Throws ``StoreError/Code/limit`` when the limit is out of bounds.
    package func check() throws(StoreError) {
        guard (1...10_000).contains(limit) else {
            throw StoreError(.limit, "limit is \(limit); a page holds 1 to 10,000 traces")
        }
    }
}
