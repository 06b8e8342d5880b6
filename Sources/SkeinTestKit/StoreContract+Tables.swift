// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension StoreContract {
    /// What tables of spans say, compared with what ``MemoryStore``'s say.
    static let tables: [Case] = (100..<110 as Range<UInt64>).map { seed in
        Case("tables of random spans say what those of the plain reading say, seed \(seed)") { store in
            let model = MemoryStore()
            var nasty = NastySpans(seed: seed, traceCount: 1 + (seed - 100) * 4)
            var sent: [Span] = []
            for round in 0..<8 as Range<UInt64> {
                var spans = nasty.spans(Int(nasty.below(14)))
                if let again = nasty.pick(sent) { spans.append(again) }
                sent += spans
                let batch = SpanBatch(spans: spans, receivedUnixNanos: round + 1)
                try await store.append(batch)
                try await model.append(batch)
                for _ in 0..<3 { try await compareFolds(store, model, &nasty) }
                for _ in 0..<3 { try await compareEvaluations(store, model, &nasty) }
            }
        }
    }

    private static func compareFolds(
        _ store: any SpanStore,
        _ model: MemoryStore,
        _ nasty: inout NastySpans
    ) async throws {
        let query = TableQuery(
            range: nasty.range(),
            predicate: nasty.predicate(),
            needsWholeTraces: nasty.below(2) == 0,
            columns: .all
        )
        let fold = TableListing(fields: (0..<4).map { _ in nasty.field() }, isWhole: query.needsWholeTraces)
        let (found, wanted) = (try await store.fold(query, by: fold), try await model.fold(query, by: fold))
        try expectEqual(found.sorted(), wanted.sorted(), "rows of \(query) with \(fold.fields)")
    }

    private static func compareEvaluations(
        _ store: any SpanStore,
        _ model: MemoryStore,
        _ nasty: inout NastySpans
    ) async throws {
        let required = nasty.predicate()
        let evaluator = TraceListing(required: required, fields: (0..<3).map { _ in nasty.field() })
        var query = TraceQuery(
            range: nasty.range(),
            predicate: nasty.predicate(),
            requirements: [required],
            columns: .all,
            limit: 1 + Int(nasty.below(4))
        )
        while true {
            let found = try await store.search(query, evaluatedBy: evaluator)
            let wanted = try await model.search(query, evaluatedBy: evaluator)
            try expectEqual(found.traces.map(\.summary), wanted.traces.map(\.summary), "traces of \(query)")
            try expectEqual(found.traces.map(\.answer), wanted.traces.map(\.answer), "answers to \(query)")
            try expectEqual(found.next, wanted.next, "cursor of \(query)")
            guard let next = wanted.next else { return }
            query.cursor = next
        }
    }
}

/// Every row of a table as text.
private struct TableListing: TableFold {
    var fields: [SpanField]
    /// Whether tables hold whole traces.
    var isWhole: Bool

    func zero() -> [String] { [] }
    func byteCount(of sum: [String]) -> Int { sum.count * 64 }
    func add(_ other: [String], to sum: inout [String]) { sum += other }

    func add(_ rows: RowSet, of table: any SpanTable, to sum: inout [String]) throws(StoreError) {
        let (starts, durations, ids) = (try table.starts(), try table.durations(), try table.spanIDs())
        let (weights, errors, traces) = (try table.weights(), try table.errors(), try table.column(.traceID))
        var columns: [FieldColumn] = []
        for field in fields { columns.append(try table.column(field)) }
        let parents = isWhole ? try table.forest().parents : []
        for row in rows.rows {
            let weight = weights.isEmpty ? 1 : weights[row]
            let fixed = "\(traces[row]!.text) \(ids[row]) \(starts[row]) \(durations[row]) \(weight) \(errors[row])"
            let values = columns.map { $0[row].map { "\($0.typePlace):\($0.text)" } ?? "-" }.joined(separator: " ")
            let parent = isWhole ? (parents[row] < 0 ? "root" : "\(ids[Int(parents[row])])") : ""
            sum.append("\(fixed) \(values) \(parent)")
        }
    }
}

/// Every trace that has a span satisfying something, as text.
private struct TraceListing: TraceEvaluator {
    var required: SpanPredicate
    var fields: [SpanField]

    func prepare(_ table: any SpanTable) throws(StoreError) -> RowSet {
        try table.rows(matching: CompiledPredicate(required))
    }

    func evaluate(
        _ trace: TableTrace,
        of table: any SpanTable,
        _ rows: RowSet
    ) throws(StoreError) -> (answer: [String], matchedSpanCount: Int)? {
        let count = rows.selectedCount(in: trace.rows)
        guard count > 0 else { return nil }
        let (forest, ids) = (try table.forest(), try table.spanIDs())
        var lines = ["\(trace.id) \(trace.startUnixNanos) \(trace.endUnixNanos) \(trace.rootRow.map { ids[$0] } ?? 0)"]
        let depths = forest.depths()
        for row in trace.rows {
            var line = "\(ids[row]) \(depths[row]) \(forest.descendantCounts[row]) \(rows[row])"
            for field in fields { line += " " + (try table.column(field)[row].map(\.text) ?? "-") }
            lines.append(line)
        }
        return (lines, count)
    }
}
