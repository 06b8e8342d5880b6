// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Which span of a trace is whose parent. Reused from trace to trace.
///
/// A span id may stand for two spans: Zipkin's shared spans (B3) give the two sides of a call one id. Then the receiving
/// side is the child of the calling side, and what names that id as its parent hangs on the side of its own service,
/// or else on the receiving one.
package struct ParentIndex: ~Copyable {
    package static let none: Int32 = -1
    package static let missing: Int32 = -2

    private static let server = Span.Kind.server.rawValue
    private static let consumer = Span.Kind.consumer.rawValue
    private static let client = Span.Kind.client.rawValue
    private static let producer = Span.Kind.producer.rawValue

    /// For each row its parent's row, ``none`` for a root, ``missing`` when the parent is not there.
    private(set) var parents = Column<Int32>()
    /// Rows that share their span id with another row.
    package private(set) var sharedCount = 0
    /// Whether two rows share id and kind.
    package private(set) var hasCopies = false
    /// Rows by span id: open addressing, at most half full. Upper half: that of the hash, so that a probe seldom looks at
    /// the ids. Lower half: row + 1. 0 when empty.
    private var slots = Column<UInt64>()
    /// The next row of the same id, in row order, or -1. Empty while no id is shared.
    private var following = Column<Int32>()
    private let seed = Hash.processSeed

    /// An index of no spans.
    package init() {}

    /// The index of the spans of `batch`, which are of one trace and less than 2^31.
    package init(_ batch: SpanBatch) { batch.withParentRows { build($0) } }

    /// What the index and the calls look at: columns of equal length, of one trace.
    package struct Rows {
        /// 0 is no id.
        package var spanIDs: UnsafeBufferPointer<UInt64>
        package var parentIDs: UnsafeBufferPointer<UInt64>
        package var kinds: UnsafeBufferPointer<UInt8>
        /// Equal numbers for equal service names; 0 for none.
        package var services: UnsafeBufferPointer<UInt32>

        package init(
            spanIDs: UnsafeBufferPointer<UInt64>,
            parentIDs: UnsafeBufferPointer<UInt64>,
            kinds: UnsafeBufferPointer<UInt8>,
            services: UnsafeBufferPointer<UInt32>
        ) {
            precondition(parentIDs.count == spanIDs.count && kinds.count == spanIDs.count)
            precondition(services.count == spanIDs.count && spanIDs.count < Int(Int32.max))
            self.spanIDs = spanIDs
            self.parentIDs = parentIDs
            self.kinds = kinds
            self.services = services
        }
    }

    /// The parents as an array.
    package var parentRows: [Int32] { (0..<parents.count).map { parents[$0] } }

    /// Finds the parents of `rows`.
    package mutating func build(_ rows: Rows) {
        let count = rows.spanIDs.count
        sharedCount = 0
        hasCopies = false
        parents.removeAll()
        following.removeAll()
        slots.removeAll()
        if count == 1 {
            let (id, parent) = (rows.spanIDs[0], rows.parentIDs[0])
            parents.append(parent == 0 ? Self.none : parent == id ? 0 : Self.missing)
            return
        }
        var capacity = 16
        while capacity < count * 2 { capacity *= 2 }
        slots.append(0, copies: capacity)
        for row in 0..<count { insert(row, rows) }
        for row in 0..<count {
            if let calling = callingSide(of: row, rows) {
                parents.append(calling)
            } else if rows.parentIDs[row] != 0 {
                parents.append(parent(of: row, rows) ?? Self.missing)
            } else {
                parents.append(Self.none)
            }
        }
    }

    @inline(__always)
    private mutating func insert(_ row: Int, _ rows: Rows) {
        let (slot, tag) = find(rows.spanIDs[row], rows.spanIDs)
        guard slots[slot] != 0 else {
            slots[slot] = tag | UInt64(row + 1)
            return
        }
        chain(row, behind: Self.row(slots[slot]), rows)
    }

    /// A chain is as long as an id has rows: two, or what a confused client sends. It is cut off at a length that keeps
    /// hostile input linear; the rows beyond stay in the tree and are nobody's parent.
    private mutating func chain(_ row: Int, behind first: Int32, _ rows: Rows) {
        if following.isEmpty { following.append(-1, copies: rows.spanIDs.count) }
        var last = Int(first)
        var length = 1
        if rows.kinds[last] == rows.kinds[row] { hasCopies = true }
        while following[last] >= 0 {
            last = Int(following[last])
            length += 1
            if rows.kinds[last] == rows.kinds[row] { hasCopies = true }
        }
        sharedCount += length == 1 ? 2 : 1
        if length < 8 { following[last] = Int32(row) }
    }

    private static func row(_ slot: UInt64) -> Int32 { Int32(truncatingIfNeeded: slot & 0xffff_ffff) - 1 }

    /// Where an id is, or where it would go; and the upper half of its slot.
    @inline(__always)
    private func find(_ span: UInt64, _ spanIDs: UnsafeBufferPointer<UInt64>) -> (slot: Int, tag: UInt64) {
        let hash = Hash.of(span, seed: seed)
        let tag = hash & 0xffff_ffff_0000_0000
        let mask = slots.count &- 1
        var at = Int(truncatingIfNeeded: hash) & mask
        while slots[at] != 0 {
            if slots[at] & 0xffff_ffff_0000_0000 == tag, spanIDs[Int(Self.row(slots[at]))] == span { break }
            at = (at &+ 1) & mask
        }
        return (at, tag)
    }

    /// The row after `row` in the chain of its id, or -1.
    private func next(_ row: Int32) -> Int32 { following.isEmpty ? -1 : following[Int(row)] }

    /// The calling side that shares its id with `row`, when `row` is the receiving side.
    @inline(__always)
    private func callingSide(of row: Int, _ rows: Rows) -> Int32? {
        // Without shared ids, which is nearly always, there is nothing to look for.
        if following.isEmpty { return nil }
        let wanted: UInt8
        switch rows.kinds[row] {
        case Self.server: wanted = Self.client
        case Self.consumer: wanted = Self.producer
        default: return nil
        }
        var at = Self.row(slots[find(rows.spanIDs[row], rows.spanIDs).slot])
        while at >= 0, rows.kinds[Int(at)] != wanted { at = next(at) }
        return at >= 0 ? at : nil
    }

    /// The row that `row` names as its parent.
    @inline(__always)
    private func parent(of row: Int, _ rows: Rows) -> Int32? {
        let slot = slots[find(rows.parentIDs[row], rows.spanIDs).slot]
        guard slot != 0 else { return nil }
        let first = Self.row(slot)
        return next(first) < 0 ? first : parent(of: row, among: first, rows)
    }

    private func parent(of row: Int, among first: Int32, _ rows: Rows) -> Int32 {
        var best: (row: Int32, rank: Int)?
        var at = first
        while at >= 0 {
            let candidate = Int(at)
            at = next(at)
            if candidate == row { continue }
            let kind = rows.kinds[candidate]
            let isReceiving = kind == Self.server || kind == Self.consumer
            let rank = (rows.services[candidate] == rows.services[row] ? 2 : 0) + (isReceiving ? 1 : 0)
            if rank > best?.rank ?? -1 { best = (Int32(candidate), rank) }
        }
        return best?.row ?? Int32(row)
    }
}

extension SpanBatch {
    /// The service name of span `row` as a number of the dictionary; 0 for none.
    package func serviceRef(at row: Int) -> Ref { resources.serviceNameRefs[Int(resourceRows[row])] }

    /// Lends the columns that say who is whose parent.
    func withParentRows(_ body: (ParentIndex.Rows) -> Void) {
        let spanIDs = spanIDs.map(\.rawValue)
        let parentIDs = parentSpanIDs.map(\.rawValue)
        let services = (0..<count).map(serviceRef(at:))
        spanIDs.withUnsafeBufferPointer { spanIDs in
            parentIDs.withUnsafeBufferPointer { parentIDs in
                services.withUnsafeBufferPointer { services in
                    kinds.withUnsafeBufferPointer { kinds in
                        body(.init(spanIDs: spanIDs, parentIDs: parentIDs, kinds: kinds, services: services))
                    }
                }
            }
        }
    }
}
