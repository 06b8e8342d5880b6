// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// Which span of a batch is whose parent, for spans of any number of traces.
///
/// A span id may stand for two spans: Zipkin's shared spans give the two sides of a call one id. Then the receiving
/// side is the child of the calling side, and what names that id as its parent hangs on the side of its own service,
/// or else on the receiving one.
package struct ParentIndex {
    /// For each row its parent's row, ``none`` for a root, ``missing`` when the parent is not in the batch.
    package private(set) var parents: [Int32]
    /// Rows that share their trace and span id with another row.
    package private(set) var sharedCount = 0

    package static let none: Int32 = -1
    package static let missing: Int32 = -2

    private static let server = Span.Kind.server.rawValue
    private static let consumer = Span.Kind.consumer.rawValue
    private static let client = Span.Kind.client.rawValue
    private static let producer = Span.Kind.producer.rawValue

    /// The parents of all rows of `batch`, which must have less than 2^31 rows.
    package init(_ batch: SpanBatch) {
        let rows = batch.count
        parents = [Int32](repeating: Self.none, count: rows)
        let table = SpanIDTable(batch)
        for row in 0..<rows {
            if let calling = table.callingSide(of: row) {
                parents[row] = Int32(calling)
            } else if batch.parentSpanIDs[row].isValid {
                parents[row] = table.parent(of: row).map { Int32($0) } ?? Self.missing
            }
        }
        sharedCount = table.sharedCount
    }

    /// Rows by trace and span id: open addressing, at most half full; rows of one id are chained in row order.
    ///
    /// A slot holds half of the hash beside the row, so that a probe seldom looks at the columns.
    private struct SpanIDTable {
        private let traceIDs: [TraceID]
        private let spanIDs: [SpanID]
        private let parentSpanIDs: [SpanID]
        private let kinds: [UInt8]
        private let resourceRows: [UInt32]
        private let serviceRefs: [SpanBatch.Ref]
        /// Upper half: that of the hash. Lower half: row + 1. 0 when empty.
        private var slots: [UInt64]
        private let mask: Int
        private let seed = Hash.processSeed
        /// The next row of the same id, or -1. Empty while no id is shared.
        private var following: [Int32] = []
        var sharedCount = 0

        init(_ batch: SpanBatch) {
            traceIDs = batch.traceIDs
            spanIDs = batch.spanIDs
            parentSpanIDs = batch.parentSpanIDs
            kinds = batch.kinds
            resourceRows = batch.resourceRows
            serviceRefs = batch.resources.serviceNameRefs
            var capacity = 16
            while capacity < batch.count * 2 { capacity *= 2 }
            slots = [UInt64](repeating: 0, count: capacity)
            mask = capacity - 1
            for row in 0..<batch.count { insert(row) }
        }

        private mutating func insert(_ row: Int) {
            let (slot, tag) = find(traceIDs[row], spanIDs[row])
            guard slots[slot] != 0 else {
                slots[slot] = tag | UInt64(row + 1)
                return
            }
            if following.isEmpty { following = [Int32](repeating: -1, count: spanIDs.count) }
            // A chain is as long as an id has rows: two, or what a confused client sends. It is cut off at a length
            // that keeps hostile input linear; the rows beyond stay in the tree and are nobody's parent.
            var last = Self.row(slots[slot])
            var length = 1
            while following[last] >= 0 {
                last = Int(following[last])
                length += 1
            }
            sharedCount += length == 1 ? 2 : 1
            if length < 8 { following[last] = Int32(row) }
        }

        private static func row(_ slot: UInt64) -> Int { Int(slot & 0xffff_ffff) - 1 }

        /// Where an id is, or where it would go; and the upper half of its slot.
        @inline(__always)
        private func find(_ trace: TraceID, _ span: SpanID) -> (slot: Int, tag: UInt64) {
            let hash = Hash.of(trace.low, span.rawValue, seed: seed)
            let tag = hash & 0xffff_ffff_0000_0000
            var at = Int(truncatingIfNeeded: hash) & mask
            while slots[at] != 0 {
                if slots[at] & 0xffff_ffff_0000_0000 == tag {
                    let row = Self.row(slots[at])
                    if spanIDs[row] == span, traceIDs[row] == trace { break }
                }
                at = (at + 1) & mask
            }
            return (at, tag)
        }

        /// The first row of an id.
        private func first(_ trace: TraceID, _ span: SpanID) -> Int? {
            let slot = slots[find(trace, span).slot]
            return slot == 0 ? nil : Self.row(slot)
        }

        /// The row after `row` in the chain of its id.
        private func next(_ row: Int) -> Int? {
            following.isEmpty || following[row] < 0 ? nil : Int(following[row])
        }

        private func service(_ row: Int) -> SpanBatch.Ref { serviceRefs[Int(resourceRows[row])] }

        /// The calling side that shares its id with `row`, when `row` is the receiving side.
        func callingSide(of row: Int) -> Int? {
            // Without shared ids, which is nearly always, there is nothing to look for.
            if following.isEmpty { return nil }
            let wanted: UInt8
            switch kinds[row] {
            case ParentIndex.server: wanted = ParentIndex.client
            case ParentIndex.consumer: wanted = ParentIndex.producer
            default: return nil
            }
            var at = first(traceIDs[row], spanIDs[row])
            while let candidate = at, kinds[candidate] != wanted { at = next(candidate) }
            return at
        }

        /// The row that `row` names as its parent.
        func parent(of row: Int) -> Int? {
            guard let first = first(traceIDs[row], parentSpanIDs[row]) else { return nil }
            if next(first) == nil { return first }
            var best: (row: Int, rank: Int)?
            var at: Int? = first
            while let candidate = at {
                at = next(candidate)
                if candidate == row { continue }
                let kind = kinds[candidate]
                let isReceiving = kind == ParentIndex.server || kind == ParentIndex.consumer
                let rank = (service(candidate) == service(row) ? 2 : 0) + (isReceiving ? 1 : 0)
                if rank > best?.rank ?? -1 { best = (candidate, rank) }
            }
            return best?.row ?? row
        }
    }
}

extension SpanBatch {
    /// The service name of span `row` as a number of the dictionary; 0 for none.
    package func serviceRef(at row: Int) -> Ref { resources.serviceNameRefs[Int(resourceRows[row])] }
}
