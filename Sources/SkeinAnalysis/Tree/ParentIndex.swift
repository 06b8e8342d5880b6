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
    private struct SpanIDTable {
        private let batch: SpanBatch
        private var slots: [Int32]
        private let mask: Int
        /// The next row of the same id, or -1.
        private var following: [Int32]
        var sharedCount = 0

        init(_ batch: SpanBatch) {
            self.batch = batch
            var capacity = 16
            while capacity < batch.count * 2 { capacity *= 2 }
            slots = [Int32](repeating: -1, count: capacity)
            mask = capacity - 1
            following = [Int32](repeating: -1, count: batch.count)
            for row in 0..<batch.count { insert(row) }
        }

        private mutating func insert(_ row: Int) {
            let slot = slot(batch.traceIDs[row], batch.spanIDs[row])
            var last = slots[slot]
            guard last >= 0 else {
                slots[slot] = Int32(row)
                return
            }
            // A chain is as long as an id has rows: two, or what a confused client sends. It is cut off at a length
            // that keeps hostile input linear; the rows beyond stay in the tree and are nobody's parent.
            var length = 1
            while following[Int(last)] >= 0 {
                last = following[Int(last)]
                length += 1
            }
            sharedCount += length == 1 ? 2 : 1
            if length < 8 { following[Int(last)] = Int32(row) }
        }

        /// Where an id is, or where it would go.
        private func slot(_ trace: TraceID, _ span: SpanID) -> Int {
            var at = Int(truncatingIfNeeded: Hash.fold(span.rawValue ^ 0x9e37_79b9_7f4a_7c15, trace.low | 1)) & mask
            while slots[at] >= 0 {
                let row = Int(slots[at])
                if batch.spanIDs[row] == span, batch.traceIDs[row] == trace { break }
                at = (at + 1) & mask
            }
            return at
        }

        /// The calling side that shares its id with `row`, when `row` is the receiving side.
        func callingSide(of row: Int) -> Int? {
            let wanted: UInt8
            switch batch.kinds[row] {
            case ParentIndex.server: wanted = ParentIndex.client
            case ParentIndex.consumer: wanted = ParentIndex.producer
            default: return nil
            }
            var at = slots[slot(batch.traceIDs[row], batch.spanIDs[row])]
            while at >= 0, batch.kinds[Int(at)] != wanted { at = following[Int(at)] }
            return at >= 0 ? Int(at) : nil
        }

        /// The row that `row` names as its parent.
        func parent(of row: Int) -> Int? {
            var at = slots[slot(batch.traceIDs[row], batch.parentSpanIDs[row])]
            guard at >= 0 else { return nil }
            if following[Int(at)] < 0 { return Int(at) }
            let service = batch.serviceRef(at: row)
            var best: (row: Int, rank: Int)?
            while at >= 0 {
                let candidate = Int(at)
                at = following[candidate]
                if candidate == row { continue }
                let kind = batch.kinds[candidate]
                let isReceiving = kind == ParentIndex.server || kind == ParentIndex.consumer
                let rank = (batch.serviceRef(at: candidate) == service ? 2 : 0) + (isReceiving ? 1 : 0)
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
