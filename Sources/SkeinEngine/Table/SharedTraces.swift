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
        /// Those of which a span may be in the block and in the part, or twice in the block.
        var copied: Set<TraceID> = []
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
        var found: Set<TraceID> = []
        try forEachShare(ofHead: snapshot, range, cancellation) { found.formUnion($0.traces) }
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
        var found: Set<TraceID> = []
        try forEachShare(ofHead: snapshot, range, cancellation) { found.formUnion($0.copied) }
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

    /// Hands over what each part of the head shares with each block, when one of them has spans in `range`.
    private func forEachShare(
        ofHead snapshot: Contents.Snapshot,
        _ range: TimeRange,
        _ cancellation: Cancellation,
        _ body: (HeadShare) -> Void
    ) throws(StoreError) {
        for part in snapshot.head where part.rowCount > 0 {
            let isInside = part.pieces.contains { range.overlaps($0.start.lowerBound, $0.start.upperBound) }
            // Rows that came since are the same for most blocks.
            var later: (rowCount: Int, spans: [TraceID: Set<StoredSpan>]) = (part.rowCount, [:])
            for block in snapshot.blocks
            where isInside || range.overlaps(block.footer.start.lowerBound, block.footer.start.upperBound) {
                let pair = Pair(first: part.part.number, second: block.number)
                var share = state.withLock { $0.ofHead[pair] } ?? HeadShare()
                if share.rowCount < part.rowCount {
                    if share.rowCount != later.rowCount { later = (share.rowCount, part.spans(from: share.rowCount)) }
                    try add(later.spans, of: block, to: &share, cancellation)
                    share.rowCount = part.rowCount
                    let found = share
                    state.withLock { state in
                        if state.ofHead[pair]?.rowCount ?? 0 < found.rowCount { state.ofHead[pair] = found }
                    }
                }
                body(share)
            }
        }
        forgetOthers(snapshot)
    }

    private func add(
        _ spans: [TraceID: Set<StoredSpan>],
        of block: StoredBlock,
        to share: inout HeadShare,
        _ cancellation: Cancellation
    ) throws(StoreError) {
        for id in block.block.mayContain(Array(spans.keys)) where !share.copied.contains(id) {
            try cancellation.check()
            guard let stored = try block.spans(of: id) else { continue }
            share.traces.insert(id)
            if stored.mayRepeat || stored.spans.contains(where: { spans[id]?.contains($0) ?? false }) {
                share.copied.insert(id)
            }
        }
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
                var sum = HeadShare(rowCount: .max)
                for share in shares {
                    sum.rowCount = min(sum.rowCount, share.rowCount)
                    sum.traces.formUnion(share.traces)
                    sum.copied.formUnion(share.copied)
                }
                state.ofHead[Pair(first: part, second: block.number)] = sum
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
