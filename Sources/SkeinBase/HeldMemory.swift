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

    /// Holds at least `total` bytes, and waits two seconds at most for others to let go of them; `false`, and no change, when
    /// they do not, or the task was cancelled.
    package func grow(to total: Int, waitingBy clock: any WallClock) async -> Bool {
        for _ in 0..<Self.attemptsMax {
            if grow(to: total) { return true }
            guard (try? await clock.sleep(nanos: Self.waitNanos)) != nil else { return false }
        }
        return grow(to: total)
    }

    private static let attemptsMax = 100
    private static let waitNanos: UInt64 = 20_000_000

    /// Holds `total` bytes, fewer than before or more; `false`, and no change, when the budget has not that much left.
    package func resize(to total: Int) -> Bool { reservation.withLock { $0.resize(to: total) } }

    /// Holds `total` bytes, whatever is left.
    package func resizeAnyway(to total: Int) { reservation.withLock { $0.resizeAnyway(to: total) } }
}
