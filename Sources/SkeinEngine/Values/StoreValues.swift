// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import Synchronization

/// The most frequent values of fields in everything that is stored.
///
/// Of each block the most frequent values are kept (``BlockValues``), and what the blocks say together, for the fields that
/// were asked for last. Beyond some thousand different values in a block the counts are lower bounds, and
/// ``ValueList/countErrorMax`` says by how much.
final class StoreValues: Sendable {
    private struct Known {
        var blocksVersion: UInt64
        var ofBlocks: ByteCounts
        var head: [HeadState]
        var answer: ValueList
        /// How many values were asked for.
        var limit: Int
    }

    private struct HeadState: Equatable {
        var firstSegment: UInt64
        var rowCount: Int
    }

    private static let questionCountMax = 4
    /// How many different values of all blocks are kept, and their bytes.
    private static let distinctMax = 32_768
    private static let byteCountMax = 2 << 20
    /// An answer that is kept has this many values at least.
    private static let answerCountMin = 128

    private let known = Mutex(RecentlyUsed<ValueQuestion, Known>(countMax: questionCountMax))

    init() {}

    /// The `limit` most frequent values.
    func values(
        _ question: ValueQuestion,
        limit: Int,
        in snapshot: Contents.Snapshot,
        _ cancellation: Cancellation
    ) throws(StoreError) -> ValueList {
        let limit = max(0, min(limit, ValueList.countMax))
        let head = snapshot.head.map { HeadState(firstSegment: $0.part.firstSegment, rowCount: $0.rowCount) }
        let before = known.withLock { recent in
            recent.value(of: question).flatMap { $0.blocksVersion == snapshot.blocksVersion ? $0 : nil }
        }
        if let before, before.head == head, before.limit >= limit { return before.answer.prefix(limit) }
        let ofBlocks: ByteCounts
        if let before {
            ofBlocks = before.ofBlocks
        } else {
            ofBlocks = try Self.ofBlocks(question, snapshot, cancellation)
        }
        var counter = ValueCounter(question, ofBlocks)
        for part in snapshot.head { counter.add(try part.part.values.counts(question, in: part, cancellation)) }
        let kept = max(limit, Self.answerCountMin)
        let answer = counter.mostFrequent(kept)
        known.withLock { recent in
            let known = Known(
                blocksVersion: snapshot.blocksVersion,
                ofBlocks: ofBlocks,
                head: head,
                answer: answer,
                limit: kept
            )
            recent.keep(known, of: question)
        }
        return answer.prefix(limit)
    }

    private static func ofBlocks(
        _ question: ValueQuestion,
        _ snapshot: Contents.Snapshot,
        _ cancellation: Cancellation
    ) throws(StoreError) -> ByteCounts {
        var counts = ByteCounts(distinctMax: distinctMax, byteCountMax: byteCountMax)
        for block in snapshot.blocks {
            try cancellation.check()
            counts.add(try BlockValues.values(of: block, question, cancellation).counts)
        }
        return counts
    }
}

extension ValueList {
    /// The first values of an answer.
    fileprivate func prefix(_ count: Int) -> ValueList {
        ValueList(Array(values.prefix(count)), isCut: isCut || values.count > count, countErrorMax: countErrorMax)
    }
}
