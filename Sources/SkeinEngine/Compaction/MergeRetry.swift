// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// When blocks that could not be written anew are tried again.
///
/// After a full disk everything rests, after a failing device the blocks that it was about; each time twice as long as the
/// time before. A block that does not check is left alone as long as it is there. Times are the monotonic clock's.
struct MergeRetry: Sendable {
    private struct Rest {
        /// Failures without a success in between.
        var failureCount: Int
        /// `UInt64.max` for as long as the block is there.
        var untilNanos: UInt64
        var lengthNanos: UInt64
        var error: StoreError
        /// Greater is later.
        var order: Int
    }

    private static let fullNanos: UInt64 = 1_000_000_000
    private static let fullNanosMax: UInt64 = 60_000_000_000
    private static let failingNanos: UInt64 = 10_000_000_000
    private static let failingNanosMax: UInt64 = 3_600_000_000_000
    /// How long after its rest something is forgotten that nobody tried again, on top of as long as it rested.
    private static let patienceNanos: UInt64 = 5_000_000_000

    /// Of everything.
    private var rest: Rest?
    private var blocks: [BlockID: Rest] = [:]
    private var nextOrder = 0

    /// Why something rests; of several reasons the latest. `nil` when nothing does.
    var failure: StoreError? {
        ([rest].compactMap(\.self) + blocks.values).max { $0.order < $1.order }?.error
    }

    /// Whether nothing may be tried yet.
    func isResting(_ now: UInt64) -> Bool { rest.map { now < $0.untilNanos } ?? false }

    /// Whether a block may not be tried yet.
    func isResting(_ id: BlockID, _ now: UInt64) -> Bool { blocks[id].map { now < $0.untilNanos } ?? false }

    /// Whether a block rests for another reason than its damage.
    func isFailing(_ id: BlockID, _ now: UInt64) -> Bool { isResting(id, now) && blocks[id]?.error.code != .corrupt }

    /// Notes that `inputs` could not be written anew. `path` is where a block lies: an error that names one of them is about
    /// that one alone.
    mutating func note(_ error: StoreError, of inputs: [BlockID], at now: UInt64, path: (BlockID) -> String) {
        nextOrder += 1
        if error.code == .full {
            rest = next(rest, error, now, Self.fullNanos, Self.fullNanosMax)
            return
        }
        let named = inputs.filter { path($0) == error.place }
        for id in named.isEmpty ? inputs : named {
            blocks[id] = next(blocks[id], error, now, Self.failingNanos, Self.failingNanosMax)
            if error.code == .corrupt { blocks[id]?.untilNanos = .max }
        }
    }

    /// Notes that `inputs` were written anew.
    mutating func noteSuccess(of inputs: [BlockID]) {
        rest = nil
        for id in inputs { blocks[id] = nil }
    }

    /// Forgets blocks that are gone, and what there was no reason to try again.
    mutating func keep(_ present: Set<BlockID>, at now: UInt64) {
        func isOver(_ rest: Rest) -> Bool {
            now > rest.untilNanos && now - rest.untilNanos > rest.lengthNanos + Self.patienceNanos
        }
        if let rest, isOver(rest) { self.rest = nil }
        if !blocks.isEmpty { blocks = blocks.filter { present.contains($0.key) && !isOver($0.value) } }
    }

    /// Ends the rest of everything that may ever be tried again.
    mutating func wake(at now: UInt64) {
        if let rest { self.rest?.untilNanos = min(rest.untilNanos, now) }
        for (id, rest) in blocks where rest.untilNanos != .max { blocks[id]?.untilNanos = min(rest.untilNanos, now) }
    }

    private func next(
        _ last: Rest?,
        _ error: StoreError,
        _ now: UInt64,
        _ shortest: UInt64,
        _ longest: UInt64
    ) -> Rest {
        let count = (last?.failureCount ?? 0) + 1
        let nanos = min(longest, shortest << UInt64(min(count - 1, 20)))
        return Rest(
            failureCount: count,
            untilNanos: now &+ nanos,
            lengthNanos: nanos,
            error: error,
            order: nextOrder
        )
    }
}
