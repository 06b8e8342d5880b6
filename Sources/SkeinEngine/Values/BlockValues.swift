// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinStore
import Synchronization

/// The most frequent values of one field in a block, which never change: worked out when somebody asks, by all cores, and
/// kept as long as the cache has room.
final class BlockValues: CachedPart {
    /// How many values of a block are kept, and their bytes.
    private static let countMax = 4_096
    private static let byteCountMax = 256 << 10
    /// How many different values are counted at once, and their bytes; where there are more, rare ones go.
    private static let distinctMax = 65_536
    private static let distinctByteCountMax = 8 << 20
    /// Threads that share the row groups of a block; no more of them run than there are cores.
    private static let threadCount = 8

    private let question: ValueQuestion
    let counts: ByteCounts
    var byteCount: Int { counts.byteCount }

    private init(_ counter: ValueCounter) {
        question = counter.question
        counts = counter.counts
    }

    /// The values of a block.
    static func values(
        of stored: StoredBlock,
        _ question: ValueQuestion,
        _ cancellation: Cancellation
    ) throws(StoreError) -> BlockValues {
        try stored.part(at: question.cacheOffset) { kept in
            kept.question == question
        } make: { () throws(StoreError) in
            // All values, where they are known, say it of those with a prefix.
            let ofAll = question.ofAll
            if !question.prefix.isEmpty,
                let all = stored.keptPart(BlockValues.self, at: ofAll.cacheOffset), all.question == ofAll,
                all.counts.errorMax == 0
            {
                var counter = ValueCounter(question, room)
                counter.add(all.counts)
                return BlockValues(counter)
            }
            var counter = ValueCounter(question, room)
            if try !counter.addTables(of: stored.block) { try add(stored.block, to: &counter, cancellation) }
            counter.keepMostFrequent(countMax, byteCountMax: byteCountMax)
            return BlockValues(counter)
        }
    }

    private static var room: ByteCounts { ByteCounts(distinctMax: distinctMax, byteCountMax: distinctByteCountMax) }

    private static func add(
        _ block: Block,
        to counter: inout ValueCounter,
        _ cancellation: Cancellation
    ) throws(StoreError) {
        let groupCount = block.footer.groups.count
        let source = try ValueSource(block, counter.question)
        let work = Work(counter)
        let question = counter.question
        DispatchQueue.concurrentPerform(iterations: min(threadCount, groupCount)) { _ in
            var part = ValueCounter(question, room)
            do throws(StoreError) {
                while let index = work.next(below: groupCount) {
                    try cancellation.check()
                    try part.add(source, group: index)
                }
                work.finish(part)
            } catch {
                work.fail(error)
            }
        }
        counter = try work.result()
    }

    /// What the threads share.
    private final class Work: Sendable {
        private struct State {
            var counter: ValueCounter
            var failure: StoreError?
        }

        private let nextIndex = Atomic<Int>(0)
        private let state: Mutex<State>

        init(_ counter: ValueCounter) { state = Mutex(State(counter: counter)) }

        /// The next piece of work; `nil` when there is none, or one failed.
        func next(below count: Int) -> Int? {
            let index = nextIndex.add(1, ordering: .relaxed).oldValue
            return index < count ? index : nil
        }

        func finish(_ part: ValueCounter) {
            if !part.counts.counts.isEmpty || part.counts.errorMax > 0 {
                state.withLock { $0.counter.add(part.counts) }
            }
        }

        func fail(_ error: StoreError) {
            nextIndex.store(.max / 2, ordering: .relaxed)
            state.withLock { $0.failure = $0.failure ?? error }
        }

        func result() throws(StoreError) -> ValueCounter {
            try state.withLock { state throws(StoreError) in
                if let failure = state.failure { throw failure }
                return state.counter
            }
        }
    }
}
