// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Memory of something that goes through several hands, such as a request or an answer: counted against a budget until
/// the last of them lets go.
package final class HeldMemory: Sendable {
    /// What the memory is part of.
    package let budget: ByteBudget
    private let reservation: Mutex<ByteBudget.Reservation>

    /// Nothing held yet of `budget`.
    package init(_ budget: ByteBudget) {
        self.budget = budget
        reservation = Mutex(budget.reservation())
    }

    /// Bytes held.
    package var count: Int { reservation.withLock { $0.count } }

    /// Holds at least `total` bytes; `false`, and no change, when the budget has not that much left.
    package func grow(to total: Int) -> Bool { reservation.withLock { $0.grow(to: total) } }

    /// Holds `total` bytes, fewer than before or more; `false`, and no change, when the budget has not that much left.
    package func resize(to total: Int) -> Bool { reservation.withLock { $0.resize(to: total) } }

    /// Holds `total` bytes, whatever is left.
    package func resizeAnyway(to total: Int) { reservation.withLock { $0.resizeAnyway(to: total) } }
}
