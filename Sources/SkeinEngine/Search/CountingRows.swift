// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Which stored rows of a trace count: of the copies of a span one.
///
/// Found out from ids, times and kinds alone. Where the rows are many they are taken in several passes, each over the
/// spans whose ids hash to it, so that memory is a bit for each row and at most 24 MiB beside.
///
/// Measured: 110 ms for a million rows in eight blocks.
struct CountingRows {
    /// Rows of a pass, about. With a sixteenth more, for uneven hashes, a million slots are just enough.
    private static let passRowCount = 480 << 10

    /// The memory that finding out takes.
    static func byteCount(in trace: StoredTrace) -> Int {
        trace.whole != nil ? 0 : min(64 * trace.spanCount, 24 << 20) + trace.spanCount / 8
    }

    /// The rows that count, by place.
    static func find(
        in trace: StoredTrace,
        _ cancellation: Cancellation,
        passRowCount: Int = Self.passRowCount
    ) throws(StoreError) -> RowSet {
        let count = trace.spanCount
        var rows = RowSet(count: count, all: true)
        if trace.whole != nil { return rows }
        let seed = Hash.processSeed
        let passCount = UInt64(max(1, (count + passRowCount - 1) / passRowCount))
        for pass in 0..<passCount {
            var copies = Copies(capacity: min(count, passRowCount + passRowCount / 16))
            try trace.forEachKeys { keys throws(StoreError) in
                try cancellation.check()
                for key in keys {
                    let hash = Hash.of(key.spanID ^ UInt64(key.kind) << 56, seed: seed)
                    // The upper half tells the passes apart, the lower one the slots.
                    if passCount > 1, (hash >> 32) % passCount != pass { continue }
                    if let loser = copies.add(key, hash) { rows[loser] = false }
                }
            }
        }
        return rows
    }

    /// The rows that count among those with these keys, whose places are 0 and on.
    static func find(among keys: some Collection<RowKey>) -> RowSet {
        var rows = RowSet(count: keys.count, all: true)
        var copies = Copies(capacity: keys.count)
        let seed = Hash.processSeed
        for key in keys {
            if let loser = copies.add(key, Hash.of(key.spanID ^ UInt64(key.kind) << 56, seed: seed)) {
                rows[loser] = false
            }
        }
        return rows
    }

    /// Of each span the copy that counts so far: open addressing, at most half full.
    private struct Copies: ~Copyable {
        private var keys: ColumnBuffer<RowKey>
        /// Number of the key + 1, or 0.
        private var slots: ColumnBuffer<UInt32>

        init(capacity: Int) {
            keys = ColumnBuffer(capacity: capacity)
            var size = 16
            while size < capacity * 2 { size *= 2 }
            slots = ColumnBuffer(repeating: 0, count: size)
        }

        /// Adds a row. Returns the place of the one that does not count, it or one before, when there is a copy.
        mutating func add(_ key: RowKey, _ hash: UInt64) -> Int? {
            let mask = slots.count - 1
            var at = Int(truncatingIfNeeded: hash) & mask
            while slots[at] != 0 {
                let number = Int(slots[at]) - 1
                let known = keys[number]
                if known.isCopy(of: key) {
                    guard key.counts(before: known) else { return key.place }
                    keys[number] = key
                    return known.place
                }
                at = (at + 1) & mask
            }
            keys.append(key)
            slots[at] = UInt32(truncatingIfNeeded: keys.count)
            if keys.count * 2 > slots.count { grow() }
            return nil
        }

        private mutating func grow() {
            slots.reset(repeating: 0, count: slots.count * 2)
            let mask = slots.count - 1
            let seed = Hash.processSeed
            for number in 0..<keys.count {
                let key = keys[number]
                var at = Int(truncatingIfNeeded: Hash.of(key.spanID ^ UInt64(key.kind) << 56, seed: seed)) & mask
                while slots[at] != 0 { at = (at + 1) & mask }
                slots[at] = UInt32(truncatingIfNeeded: number + 1)
            }
        }
    }
}

/// The rows that count of traces looked at lately: who reads a large trace window by window asks again and again.
final class CountingRowsCache: Sendable {
    /// Where the rows of a trace lay: as long as that is the same, so is what counts. A piece of the head does not change,
    /// and a number names it for good: another that comes when it is gone has another.
    private struct Key: Hashable {
        var id: TraceID
        var pieces: [Piece]
        var headPieces: [UInt64]

        struct Piece: Hashable {
            var block: BlockID
            var rows: Range<Int>
        }

        init(_ trace: StoredTrace) {
            id = trace.id
            pieces = trace.blockPieces.map { Piece(block: $0.block.id, rows: $0.entry.rows) }
            headPieces = trace.headPieces.map(\.piece.number)
        }
    }

    /// A smaller trace is as quickly looked at anew.
    private static let spanCountMin = 16 << 10
    /// A larger one would take more than a megabyte.
    private static let spanCountMax = 8 << 20

    private let known = Mutex(RecentlyUsed<Key, RowSet>(countMax: 16))

    init() {}

    /// The rows of `trace` that count.
    func rows(of trace: StoredTrace, _ cancellation: Cancellation) throws(StoreError) -> RowSet {
        guard trace.whole == nil, (Self.spanCountMin...Self.spanCountMax).contains(trace.spanCount) else {
            return try CountingRows.find(in: trace, cancellation)
        }
        let key = Key(trace)
        if let rows = known.withLock({ $0.value(of: key) }) { return rows }
        let rows = try CountingRows.find(in: trace, cancellation)
        known.withLock { known in
            if known.value(of: key) == nil { known.keep(rows, of: key) }
        }
        return rows
    }
}
