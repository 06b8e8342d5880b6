// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// A trace in a row of Jaeger's search page.
struct JaegerTraceSummary {
    /// With the root's names; those of the earliest span while the root has not come.
    var trace: TraceSummary
    /// Spans whose parent is not in the trace.
    var orphanCount: Int

    /// The services by name, as `jaeger.api_v3` asks.
    var services: [TraceSummary.ServiceCount] { trace.services.sorted { $0.name.precedes($1.name) } }

    var endUnixNanos: UInt64 {
        let (end, overflow) = trace.startUnixNanos.addingReportingOverflow(trace.durationNanos)
        return overflow ? .max : end
    }
}

/// What a summary says beside what the store's does.
struct TraceCompleteness: Sendable {
    var orphanCount = 0
    /// Whether there is a span that names no parent.
    var hasRoot = false
    /// Service and name of the earliest span.
    var earliestServiceName = ""
    var earliestSpanName = ""

    /// Puts it beside the store's summary of the same trace.
    func completing(_ summary: TraceSummary) -> JaegerTraceSummary {
        var summary = summary
        if !hasRoot {
            summary.rootServiceName = earliestServiceName
            summary.rootSpanName = earliestSpanName
        }
        if summary.rootServiceName.isEmpty { summary.rootServiceName = JaegerAPI.namelessService }
        for place in summary.services.indices where summary.services[place].name.isEmpty {
            summary.services[place].name = JaegerAPI.namelessService
        }
        return JaegerTraceSummary(trace: summary, orphanCount: orphanCount)
    }
}

/// Looks at the columns of each trace that a search finds for what is missing of it.
struct TraceCompletenessEvaluator: TraceEvaluator {
    let range: TimeRange
    let predicate: CompiledPredicate

    init(_ query: JaegerQuery) {
        range = query.range
        predicate = CompiledPredicate(query.predicate)
    }

    struct Prepared {
        /// Rows that the search looks for.
        var matches: RowSet
        var forest: SpanForest
        var services: FieldColumn
        var names: FieldColumn
    }

    func prepare(_ table: any SpanTable) throws(StoreError) -> Prepared {
        var matches = try table.rows(matching: predicate)
        let starts = try table.starts()
        matches.formIntersection(RowSet(count: starts.count) { range.contains(starts[$0]) })
        return Prepared(
            matches: matches,
            forest: try table.forest(),
            services: try table.column(.serviceName),
            names: try table.column(.name)
        )
    }

    func evaluate(
        _ trace: TableTrace,
        of table: any SpanTable,
        _ prepared: Prepared
    ) throws(StoreError) -> (answer: TraceCompleteness, matchedSpanCount: Int)? {
        let matchedCount = prepared.matches.selectedCount(in: trace.rows)
        guard matchedCount > 0 else { return nil }
        var completeness = TraceCompleteness(hasRoot: trace.rootRow != nil)
        // Rows are in the order of their starts.
        completeness.earliestServiceName = prepared.services[trace.rows.lowerBound]?.text ?? ""
        completeness.earliestSpanName = prepared.names[trace.rows.lowerBound]?.text ?? ""
        // A tree with one top, which names no parent, misses nothing. Of others the ids are looked at.
        let tops = trace.rows.lazy.filter { prepared.forest.parents[$0] < 0 }
        if tops.contains(where: { $0 != trace.rootRow }) {
            var orphans = OrphanCounter()
            orphans.add(try table.batch(rows: trace.rows, columns: .fixed))
            completeness.orphanCount = orphans.count
        }
        return (completeness, matchedCount)
    }
}

/// Counts the spans of a trace whose parent is not in it.
struct OrphanCounter {
    private var spans: Set<SpanID> = []
    private var parents: [SpanID] = []

    /// Adds spans of the trace.
    mutating func add(_ batch: SpanBatch) {
        spans.formUnion(batch.spanIDs)
        parents += batch.parentSpanIDs.lazy.filter(\.isValid)
    }

    /// Whether no span was added.
    var isEmpty: Bool { spans.isEmpty }

    var count: Int { parents.reduce(0) { $0 + (spans.contains($1) ? 0 : 1) } }
}
