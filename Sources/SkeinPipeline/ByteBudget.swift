// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// How many bytes of requests may be in memory at once, over all receivers.
///
/// A request reserves what it is about to hold and gives it back when its answer is on the way. Nobody waits for a
/// budget: when it is spent, the caller refuses the request and the client comes again.
package final class ByteBudget: Sendable {
    /// The most bytes that may be reserved at once.
    package let limit: Int
    private let reserved = Atomic<Int>(0)

    /// A budget of `limit` bytes.
    package init(limit: Int) { self.limit = limit }

    /// Bytes reserved now.
    package var used: Int { reserved.load(ordering: .relaxed) }

    /// Nothing reserved yet.
    package func reservation() -> Reservation { Reservation(self) }

    private func take(_ count: Int) -> Bool {
        let (_, after) = reserved.wrappingAdd(count, ordering: .relaxed)
        if after <= limit { return true }
        giveBack(count)
        return false
    }

    private func giveBack(_ count: Int) { reserved.wrappingSubtract(count, ordering: .relaxed) }

    /// Part of a budget; given back when it goes out of scope.
    package struct Reservation: ~Copyable, Sendable {
        private let budget: ByteBudget
        /// Bytes held.
        package private(set) var count = 0

        fileprivate init(_ budget: ByteBudget) { self.budget = budget }

        deinit { budget.giveBack(count) }

        /// Holds at least `total` bytes; `false`, and no change, when the budget has not that much left.
        package mutating func grow(to total: Int) -> Bool {
            guard total > count else { return true }
            guard budget.take(total - count) else { return false }
            count = total
            return true
        }

        /// Holds `total` bytes, fewer than before or more; `false`, and no change, when the budget has not that much
        /// left.
        package mutating func resize(to total: Int) -> Bool {
            guard total < count else { return grow(to: total) }
            budget.giveBack(count - total)
            count = total
            return true
        }
    }
}
