// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// What copies of a span have in common.
struct StoredSpan: Hashable {
    var traceID: TraceID
    var spanID: UInt64
    var kind: UInt8

    init(_ traceID: TraceID, _ spanID: UInt64, kind: UInt8) {
        self.traceID = traceID
        self.spanID = spanID
        self.kind = Span.Kind(stored: kind).rawValue
    }
}

extension HeadSnapshot {
    /// The spans of row `first` and those after it.
    func spans(from first: Int) -> [TraceID: Set<StoredSpan>] {
        var spans: [TraceID: Set<StoredSpan>] = [:]
        for piece in pieces where piece.endRow > first {
            let batch = piece.batch
            for row in max(0, first - piece.firstRow)..<batch.count {
                let span = StoredSpan(batch.traceIDs[row], batch.spanIDs[row].rawValue, kind: batch.kinds[row])
                spans[span.traceID, default: []].insert(span)
            }
        }
        return spans
    }
}

extension StoredBlock {
    /// Estimates: a test of a filter costs as much as reading so many ids, for each thousand row groups.
    private static let idsPerTest = 10
    /// And to look for a trace as passing over so many.
    private static let idsPerTrace = 200

    func traceIDs(_ cancellation: Cancellation) throws(StoreError) -> Set<TraceID> {
        var ids: Set<TraceID> = []
        try forEachTraceID(cancellation) { ids.insert($0) }
        return ids
    }

    /// Those of `ids` that are here; some may be named that are not.
    func traces(
        amongst ids: Set<TraceID>,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        var found: Set<TraceID> = []
        if ids.count * (1 + Self.idsPerTest * footer.groups.count / 1000) < footer.traceCount {
            try cancellation.check()
            found.formUnion(block.mayContain(Array(ids)))
        } else {
            try forEachTraceID(cancellation) { if ids.contains($0) { found.insert($0) } }
        }
        return found
    }

    /// Those of `ids` of which one block may hold a span twice, or both a copy of it.
    func traces(
        amongst ids: Set<TraceID>,
        withCopiesIn other: StoredBlock,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        var copied: Set<TraceID> = []
        if ids.count * Self.idsPerTrace < footer.traceCount + other.footer.traceCount {
            for id in ids {
                try cancellation.check()
                guard let here = try spans(of: id), let there = try other.spans(of: id) else { continue }
                if here.mayRepeat || there.mayRepeat || !Set(here.spans).isDisjoint(with: there.spans) {
                    copied.insert(id)
                }
            }
            return copied
        }
        var spans: Set<StoredSpan> = []
        func find() throws(StoreError) {
            try other.forEachSpan(of: ids, cancellation) { group, repeating throws(StoreError) in
                copied.formUnion(repeating)
                for span in group where spans.contains(span) { copied.insert(span.traceID) }
            }
            spans.removeAll(keepingCapacity: true)
        }
        try forEachSpan(of: ids, cancellation) { group, repeating throws(StoreError) in
            copied.formUnion(repeating)
            spans.formUnion(group)
            if spans.count >= Self.spanCountMax { try find() }
        }
        try find()
        return copied
    }

    /// The spans of a trace that the block holds, and whether it may hold one of them twice, in which case they may be left
    /// out; `nil` when it holds none.
    func spans(of id: TraceID) throws(StoreError) -> (spans: [StoredSpan], mayRepeat: Bool)? {
        let entries = try block.find(id)
        guard !entries.isEmpty else { return nil }
        var spans: [StoredSpan] = []
        for entry in entries {
            if entry.hasDuplicates || entry.isPartial { return ([], true) }
            try block.forEachGroup(of: entry.rows) { group, rows throws(StoreError) in
                let directory = try block.directory(ofGroup: group)
                let spanIDs = try block.reader.numbers(directory.spanIDs)
                let kinds = try block.reader.numbers(directory.kinds)
                for row in rows {
                    spans.append(StoredSpan(id, spanIDs[row], kind: UInt8(truncatingIfNeeded: kinds[row])))
                }
                return true
            }
        }
        return (spans, false)
    }

    /// Spans that are held in memory while the copies of them are looked for: 12 MiB.
    private static let spanCountMax = 128 << 10

    /// Hands over the spans of these traces, those of a row group at a time, and the traces of which the block may hold
    /// some span twice.
    private func forEachSpan(
        of ids: Set<TraceID>,
        _ cancellation: Cancellation,
        _ body: ([StoredSpan], _ repeating: Set<TraceID>) throws(StoreError) -> Void
    ) throws(StoreError) {
        let block = block.uncached
        for (index, group) in block.footer.groups.enumerated() {
            try cancellation.check()
            let traces = try block.traces(inGroup: index)
            let wanted = traces.ids.indices.filter { ids.contains(traces.ids[$0]) }
            guard !wanted.isEmpty else { continue }
            let directory = try block.directory(ofGroup: index)
            let spanIDs = try block.reader.numbers(directory.spanIDs)
            let kinds = try block.reader.numbers(directory.kinds)
            var spans: [StoredSpan] = []
            var repeating: Set<TraceID> = []
            for entry in wanted.map({ traces[$0] }) {
                if entry.hasDuplicates || entry.isPartial { repeating.insert(entry.id) }
                for row in entry.rows.clamped(to: group.rows) {
                    let (id, kind) = (spanIDs[row - group.firstRow], kinds[row - group.firstRow])
                    spans.append(StoredSpan(entry.id, id, kind: UInt8(truncatingIfNeeded: kind)))
                }
            }
            try body(spans, repeating)
        }
    }

    /// Reads past the cache: everything is looked at once.
    private func forEachTraceID(
        _ cancellation: Cancellation,
        _ body: (TraceID) -> Void
    ) throws(StoreError) {
        let block = block.uncached
        for index in block.footer.groups.indices {
            try cancellation.check()
            for id in try block.traces(inGroup: index).ids { body(id) }
        }
    }
}
