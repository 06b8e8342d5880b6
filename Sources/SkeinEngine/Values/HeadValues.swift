// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

/// The values in a head part of the fields that were asked for last: when more rows have come, only those are counted.
final class HeadValues: Sendable {
    private struct Known {
        var counter: ValueCounter
        var rowCount = 0
    }

    private static let questionCountMax = 4
    /// How many different values of a field are kept, and their bytes.
    private static let distinctMax = 16_384
    private static let byteCountMax = 1 << 20

    private let known = Mutex(RecentlyUsed<ValueQuestion, Known>(countMax: questionCountMax))

    init() {}

    /// The values in the rows of `snapshot`; perhaps a little more when another thread asked for more meanwhile.
    func counts(
        _ question: ValueQuestion,
        in snapshot: HeadSnapshot,
        _ cancellation: Cancellation
    ) throws(StoreError) -> ByteCounts {
        try known.withLock { recent throws(StoreError) in
            let room = ByteCounts(distinctMax: Self.distinctMax, byteCountMax: Self.byteCountMax)
            var known = recent.take(question) ?? Known(counter: ValueCounter(question, room))
            for piece in snapshot.pieces where piece.endRow > known.rowCount {
                try cancellation.check()
                known.counter.add(piece.batch, max(known.rowCount - piece.firstRow, 0)..<piece.batch.count)
                known.rowCount = piece.endRow
            }
            recent.keep(known, of: question)
            return known.counter.counts
        }
    }
}
