// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// The traces of a block that hold a span satisfying a condition, wherever that span lies.
struct MatchingTraces {
    private let snapshot: Contents.Snapshot
    private let range: TimeRange
    private let predicate: CompiledPredicate
    private let columns: SpanColumns
    /// What was found out of traces that do not lie whole in one place.
    private var scattered: [TraceID: Bool] = [:]

    init(_ predicate: SpanPredicate, range: TimeRange, in snapshot: Contents.Snapshot) {
        self.snapshot = snapshot
        self.range = range
        self.predicate = CompiledPredicate(predicate)
        columns = predicate.columns
    }

    /// Those of which `stored`, one of the snapshot's blocks, holds a span: a matching one, or any if `elsewhereToo`.
    mutating func traces(
        of stored: StoredBlock,
        elsewhereToo: Bool,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        var found: Set<TraceID> = []
        var scan = BlockScan(stored.block, range: range, predicate: predicate)
        for (index, group) in stored.footer.groups.enumerated() {
            try cancellation.check()
            let rows = try scan.rows(inGroup: index)
            let traces = try stored.block.traces(inGroup: index)
            for number in 0..<traces.count {
                let entry = traces[number]
                if found.contains(entry.id) { continue }
                let here = entry.rows.clamped(to: group.rows)
                let local = (here.lowerBound - group.firstRow)..<(here.upperBound - group.firstRow)
                let isMatching = rows.selectedCount(in: local) > 0
                guard isMatching || elsewhereToo else { continue }
                // The row that matches may be a copy that does not count.
                let isWhole =
                    here == entry.rows && !entry.hasDuplicates && !entry.isPartial
                    && !snapshot.mayHold(entry.id, elsewhereThan: stored)
                if try isWhole ? isMatching : matches(entry.id, cancellation) { found.insert(entry.id) }
            }
        }
        return found
    }

    /// Whether a trace, wherever it lies, holds a matching span.
    mutating func matches(_ id: TraceID, _ cancellation: Cancellation) throws(StoreError) -> Bool {
        if let known = scattered[id] { return known }
        let trace = try StoredTrace(id, in: snapshot)
        let matches: Bool
        if trace.spanCount >= LargeTrace.spanCountMin {
            let large = try LargeTrace(trace, cancellation)
            matches = try large.summary(range: range, matching: predicate, cancellation) != nil
        } else {
            let batch = try trace.assembled(columns, cancellation)
            matches = try !BatchScan.rows(of: batch, in: range, matching: predicate).isEmpty
        }
        scattered[id] = matches
        return matches
    }
}
