// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// The traces of which rows lie in more than one block, or in a block and the head: the only ones of which a table made of
/// one place alone would not tell the truth.
///
/// What two blocks share never changes, and what a block shares with the rows of the head that were there once neither:
/// both are found out once and remembered, and go over to the block that a part of the head or several blocks become. Only
/// places in the range of a question are held against the others.
final class SharedTraces: Sendable {
    private struct Pair: Hashable {
        /// Numbers of blocks, the lower one first, or of a block and a part of the head.
        var first: UInt64
        var second: UInt64
    }

    /// What two blocks share.
    private struct Share {
        var traces: Set<TraceID> = []
        /// Those of which some span may be there twice; `nil` while nobody asked.
        var copied: Set<TraceID>?
    }

    private struct HeadShare {
        /// Rows of the part that were looked at.
        var rowCount = 0
        var traces: Set<TraceID> = []
    }

    private struct State {
        var ofBlocks: [Pair: Share] = [:]
        var ofHead: [Pair: HeadShare] = [:]
    }

    private let state = Mutex(State())

    init() {}

    /// The traces of spans in `range` that are in more than one place of `snapshot`; some may be named that are not.
    func traces(
        in snapshot: Contents.Snapshot,
        _ range: TimeRange,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        var found = try ofHead(snapshot, range, cancellation)
        try forEachPair(of: snapshot.blocks, range, cancellation) { _, _, share in found.formUnion(share.traces) }
        return found
    }

    /// Those of them of which some span may be there more than once, in one place or in several; of the others the rows of
    /// each place count as they are.
    func copied(
        in snapshot: Contents.Snapshot,
        _ range: TimeRange,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        var found = try ofHead(snapshot, range, cancellation)
        try forEachPair(of: snapshot.blocks, range, cancellation) { first, second, share throws(StoreError) in
            if let known = share.copied {
                found.formUnion(known)
                return
            }
            let copied = try first.traces(amongst: share.traces, withCopiesIn: second, cancellation)
            found.formUnion(copied)
            let learnt = copied
            state.withLock { $0.ofBlocks[Self.pair(first, second)]?.copied = learnt }
        }
        return found
    }

    // MARK: Blocks

    private static func pair(_ one: StoredBlock, _ other: StoredBlock) -> Pair {
        Pair(first: min(one.number, other.number), second: max(one.number, other.number))
    }

    /// Hands over what each two blocks share of which one has spans in `range`.
    private func forEachPair(
        of blocks: [StoredBlock],
        _ range: TimeRange,
        _ cancellation: Cancellation,
        _ body: (StoredBlock, StoredBlock, Share) throws(StoreError) -> Void
    ) throws(StoreError) {
        // Of two the smaller is held in memory.
        let blocks = blocks.sorted { $0.footer.traceCount < $1.footer.traceCount }
        let isInside = blocks.map { range.overlaps($0.footer.start.lowerBound, $0.footer.start.upperBound) }
        for (place, small) in blocks.enumerated() {
            var ids: Set<TraceID>?
            for other in (place + 1)..<max(place + 1, blocks.count) where isInside[place] || isInside[other] {
                let pair = Self.pair(small, blocks[other])
                if let known = state.withLock({ $0.ofBlocks[pair] }) {
                    try body(small, blocks[other], known)
                    continue
                }
                if ids == nil { ids = try small.traceIDs(cancellation) }
                let share = Share(traces: try blocks[other].traces(amongst: ids ?? [], cancellation))
                state.withLock { state in if state.ofBlocks[pair] == nil { state.ofBlocks[pair] = share } }
                try body(small, blocks[other], share)
            }
        }
    }

    // MARK: Head

    private func ofHead(
        _ snapshot: Contents.Snapshot,
        _ range: TimeRange,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        var found: Set<TraceID> = []
        for part in snapshot.head where part.rowCount > 0 {
            let isInside = part.pieces.contains { range.overlaps($0.start.lowerBound, $0.start.upperBound) }
            for block in snapshot.blocks
            where isInside || range.overlaps(block.footer.start.lowerBound, block.footer.start.upperBound) {
                found.formUnion(try of(part, block, cancellation))
            }
        }
        forgetOthers(snapshot)
        return found
    }

    private func of(
        _ part: HeadSnapshot,
        _ block: StoredBlock,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        let pair = Pair(first: part.part.number, second: block.number)
        var share = state.withLock { $0.ofHead[pair] } ?? HeadShare()
        guard share.rowCount < part.rowCount else { return share.traces }
        var asked: Set<TraceID> = []
        for piece in part.pieces where piece.endRow > share.rowCount {
            try cancellation.check()
            for row in max(0, share.rowCount - piece.firstRow)..<piece.batch.count {
                let id = piece.batch.traceIDs[row]
                if asked.insert(id).inserted, block.block.mayContain(id) { share.traces.insert(id) }
            }
        }
        share.rowCount = part.rowCount
        let found = share
        state.withLock { state in
            if state.ofHead[pair]?.rowCount ?? 0 < found.rowCount { state.ofHead[pair] = found }
        }
        return share.traces
    }

    // MARK: Changes

    /// What is known of a part of the head, all of which lies in `block` now, goes over to the block.
    func note(_ part: HeadPart, rowCount: Int, became block: StoredBlock) {
        state.withLock { state in
            for (pair, share) in state.ofHead where pair.first == part.number && share.rowCount == rowCount {
                let known = Pair(first: min(pair.second, block.number), second: max(pair.second, block.number))
                state.ofBlocks[known] = Share(traces: share.traces, copied: share.traces.isEmpty ? [] : nil)
            }
        }
    }

    /// What is known of blocks goes over to the one that they became.
    func note(_ inputs: [StoredBlock], became block: StoredBlock) {
        let numbers = Set(inputs.map(\.number))
        state.withLock { state in
            var ofOthers: [UInt64: [Share]] = [:]
            for (pair, share) in state.ofBlocks where numbers.contains(pair.first) != numbers.contains(pair.second) {
                ofOthers[numbers.contains(pair.first) ? pair.second : pair.first, default: []].append(share)
            }
            for (other, shares) in ofOthers where shares.count == inputs.count {
                var sum = Share(copied: [])
                for share in shares {
                    sum.traces.formUnion(share.traces)
                    if let copied = share.copied { sum.copied?.formUnion(copied) } else { sum.copied = nil }
                }
                state.ofBlocks[Pair(first: min(other, block.number), second: max(other, block.number))] = sum
            }
            var ofParts: [UInt64: [HeadShare]] = [:]
            for (pair, share) in state.ofHead where numbers.contains(pair.second) {
                ofParts[pair.first, default: []].append(share)
            }
            for (part, shares) in ofParts where shares.count == inputs.count {
                // Rows that were not held against each of the blocks are looked at again.
                let rowCount = shares.reduce(Int.max) { min($0, $1.rowCount) }
                let traces = shares.reduce(into: Set<TraceID>()) { $0.formUnion($1.traces) }
                state.ofHead[Pair(first: part, second: block.number)] = HeadShare(rowCount: rowCount, traces: traces)
            }
        }
    }

    /// Forgets what is known of blocks and parts that are gone.
    private func forgetOthers(_ snapshot: Contents.Snapshot) {
        let blocks = Set(snapshot.blocks.map(\.number))
        let parts = Set(snapshot.head.map(\.part.number))
        state.withLock { state in
            if state.ofBlocks.count > 2 * blocks.count * blocks.count {
                state.ofBlocks = state.ofBlocks.filter {
                    blocks.contains($0.key.first) && blocks.contains($0.key.second)
                }
            }
            if state.ofHead.count > 2 * blocks.count * parts.count {
                state.ofHead = state.ofHead.filter { parts.contains($0.key.first) && blocks.contains($0.key.second) }
            }
        }
    }
}

extension StoredBlock {
    /// A test of a filter costs as much as reading so many ids, for each thousand row groups.
    private static let idsPerTest = 25

    fileprivate func traceIDs(_ cancellation: Cancellation) throws(StoreError) -> Set<TraceID> {
        var ids: Set<TraceID> = []
        try forEachTraceID(cancellation) { ids.insert($0) }
        return ids
    }

    /// Those of `ids` that are here; some may be named that are not.
    fileprivate func traces(
        amongst ids: Set<TraceID>,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        var found: Set<TraceID> = []
        if ids.count * (1 + Self.idsPerTest * footer.groups.count / 1000) < footer.traceCount {
            try cancellation.check()
            for id in ids where block.mayContain(id) { found.insert(id) }
        } else {
            try forEachTraceID(cancellation) { if ids.contains($0) { found.insert($0) } }
        }
        return found
    }

    /// Those of `ids` of which one block may hold a span twice, or both a copy of it.
    fileprivate func traces(
        amongst ids: Set<TraceID>,
        withCopiesIn other: StoredBlock,
        _ cancellation: Cancellation
    ) throws(StoreError) -> Set<TraceID> {
        var copied: Set<TraceID> = []
        var spans: Set<StoredSpan> = []
        func find() throws(StoreError) {
            try other.forEachSpan(of: ids, cancellation) { group, repeating throws(StoreError) in
                copied.formUnion(repeating)
                for span in group where spans.contains(span) { copied.insert(span.traceID) }
            }
            spans.removeAll(keepingCapacity: true)
        }
        guard !ids.isEmpty else { return [] }
        try forEachSpan(of: ids, cancellation) { group, repeating throws(StoreError) in
            copied.formUnion(repeating)
            spans.formUnion(group)
            if spans.count >= Self.spanCountMax { try find() }
        }
        try find()
        return copied
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
                    spans.append(StoredSpan(traceID: entry.id, spanID: id, kind: UInt8(truncatingIfNeeded: kind)))
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

/// What copies of a span have in common.
private struct StoredSpan: Hashable {
    var traceID: TraceID
    var spanID: UInt64
    var kind: UInt8
}
