// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Memory that the parts of a program share, in bytes: some is kept for each, and it may take more while the others leave
/// theirs.
///
/// A pool counts and holds nothing. Who needs memory asks before, where he can be told to come again, and says so
/// afterwards, where he cannot. When the latter have taken more than there is, each of the others still gets a quarter of
/// what is kept for it, so that everything goes on, slowly. Nobody waits in here.
package final class MemoryPool: Sendable {
    fileprivate struct Share {
        /// What nobody else may take.
        let least: Int
        let most: Int
        var used = 0

        /// What is kept for this share and not taken.
        var promised: Int { max(0, least - used) }
    }

    fileprivate struct State {
        var shares: [Share] = []
        var used = 0
        /// Of all shares.
        var promised = 0

        mutating func change(_ share: Int, by difference: Int) {
            promised -= shares[share].promised
            shares[share].used += difference
            used += difference
            promised += shares[share].promised
        }

        /// What a share may take beside what it has; negative when it has more than it may.
        func room(_ number: Int, of byteCount: Int) -> Int {
            let share = shares[number]
            let left = byteCount - used - (promised - share.promised)
            return max(share.least / 4 - share.used, min(share.most - share.used, left))
        }
    }

    /// What all shares may take together.
    package let byteCount: Int
    fileprivate let state = Mutex(State())
    /// Who can let memory go, and is asked to when somebody else finds none.
    fileprivate let givers = Mutex<[@Sendable (Int) -> Void]>([])

    /// A pool without shares.
    package init(byteCount: Int) { self.byteCount = byteCount }

    /// A new share for which `least` bytes are kept and that never gets more than `most`.
    package func share(atLeast least: Int = 0, atMost most: Int) -> ByteBudget {
        precondition(least >= 0 && least <= most)
        let number = state.withLock { state in
            state.shares.append(Share(least: least, most: most))
            state.promised += least
            return state.shares.count - 1
        }
        return ByteBudget(pool: self, share: number, least: least, limit: most)
    }

    fileprivate func askGivers(for count: Int) {
        for give in givers.withLock({ $0 }) { give(count) }
    }
}

/// How many bytes of memory one part of a program may hold at once: a share of a ``MemoryPool``, or a limit of its own.
package final class ByteBudget: Sendable {
    /// The most bytes that may be held at once.
    package let limit: Int
    /// Bytes that are kept from others.
    package let least: Int
    private let pool: MemoryPool
    private let share: Int

    fileprivate init(pool: MemoryPool, share: Int, least: Int, limit: Int) {
        self.least = least
        self.pool = pool
        self.share = share
        self.limit = limit
    }

    /// A budget of `limit` bytes that is shared with nobody.
    package init(limit: Int) {
        self.limit = limit
        least = limit
        pool = MemoryPool(byteCount: limit)
        share = 0
        pool.state.withLock { $0.shares.append(.init(least: 0, most: limit)) }
    }

    /// Bytes held now; more than ``limit`` where memory was taken that could not be refused.
    package var used: Int { pool.state.withLock { $0.shares[share].used } }

    /// Bytes that could be taken now.
    package var room: Int { pool.state.withLock { $0.room(share, of: pool.byteCount) } }

    /// Nothing held yet.
    package func reservation() -> Reservation { Reservation(self) }

    /// Takes `count` bytes, or nothing when there are not that many left.
    package func take(_ count: Int) -> Bool {
        pool.state.withLock { state in
            guard count <= state.room(share, of: pool.byteCount) else { return false }
            state.change(share, by: count)
            return true
        }
    }

    /// Takes `count` bytes whatever is left: the memory is held already, or nobody is there to be refused.
    package func takeAnyway(_ count: Int) { pool.state.withLock { $0.change(share, by: count) } }

    /// Gives back `count` bytes that were taken.
    package func giveBack(_ count: Int) { pool.state.withLock { $0.change(share, by: -count) } }

    /// Names somebody who lets go of about as many bytes of this share as he is asked for, if he can. Called on any thread,
    /// when another share of the pool finds no room; with no lock of the pool's held.
    package func onShortage(_ give: @escaping @Sendable (Int) -> Void) { pool.givers.withLock { $0.append(give) } }

    /// The room for `count` bytes, or as much of it as there is once others have let go of what they can.
    package func makeRoom(for count: Int) -> Int {
        let found = room
        guard found < count, used + count <= limit else { return found }
        pool.askGivers(for: count - found)
        return room
    }

    /// Part of a budget; given back when it goes out of scope.
    package struct Reservation: ~Copyable, Sendable {
        private var budget: ByteBudget
        /// Bytes held.
        package private(set) var count = 0

        fileprivate init(_ budget: ByteBudget) { self.budget = budget }

        deinit { budget.giveBack(count) }

        /// Holds at least `total` bytes; `false`, and no change, when the budget has not that much left.
        package mutating func grow(to total: Int) -> Bool {
            guard total > count else { return true }
            let missing = total - count
            guard budget.take(missing) || budget.makeRoom(for: missing) >= missing && budget.take(missing) else {
                return false
            }
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

        /// Holds `total` bytes, whatever is left.
        package mutating func resizeAnyway(to total: Int) {
            budget.takeAnyway(total - count)
            count = total
        }

        /// Counts what is held against `other` from now on, whatever is left there.
        package mutating func move(to other: ByteBudget) {
            other.takeAnyway(count)
            budget.giveBack(count)
            budget = other
        }
    }
}
