// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

/// The names in a head part, as far as somebody asked: when more rows have come, only those are looked at.
final class HeadNames: Sendable {
    /// What is known of the part.
    struct Known: Sendable {
        var names = PartNames()
        /// Unlike that of any other part, and another when a name is new.
        var version: UInt64 = 0
        fileprivate(set) var rowCount = 0
    }

    private let known = Mutex(Known())
    private static let nextVersion = Atomic<UInt64>(1)

    init() {}

    /// The names in the rows of `snapshot`; perhaps a little more when another thread asked for more meanwhile.
    func names(in snapshot: HeadSnapshot, _ cancellation: Cancellation) throws(StoreError) -> Known {
        try known.withLock { known throws(StoreError) in
            guard known.rowCount < snapshot.rowCount else { return known }
            for piece in snapshot.pieces where piece.endRow > known.rowCount {
                try cancellation.check()
                let first = max(known.rowCount - piece.firstRow, 0)
                if known.names.add(piece.batch, first..<piece.batch.count) {
                    known.version = Self.nextVersion.add(1, ordering: .relaxed).oldValue
                }
                known.rowCount = piece.endRow
            }
            return known
        }
    }
}
