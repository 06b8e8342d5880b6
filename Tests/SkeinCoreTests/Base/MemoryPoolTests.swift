// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Synchronization
import Testing

/// What is taken is counted, given back, and never more than there is.
struct MemoryPoolTests {
    // The macro cannot take a type that is not copied, so what it looks at is copied out first.

    @Test func `a reservation grows within the limit and is given back`() {
        let budget = ByteBudget(limit: 100)
        do {
            var first = budget.reservation()
            var second = budget.reservation()
            let granted = [
                first.grow(to: 60), second.grow(to: 50), second.grow(to: 40), first.grow(to: 61), first.grow(to: 10),
            ]
            #expect(granted == [true, false, true, false, true])
            let held = first.count
            #expect(held == 60)
            #expect(budget.used == 100 && budget.room == 0)
        }
        #expect(budget.used == 0)
    }

    @Test func `a share takes what others leave, but for what is kept for them`() {
        let pool = MemoryPool(byteCount: 100)
        let one = pool.share(atLeast: 20, atMost: 90)
        let other = pool.share(atLeast: 30, atMost: 50)
        #expect(one.room == 70 && other.room == 50)
        #expect(!one.take(71) && one.take(70))
        #expect(one.room == 0 && other.room == 30)
        #expect(!other.take(31) && other.take(30))
        one.giveBack(60)
        #expect(one.room == 60 && other.room == 20)
        #expect(other.take(20) && other.room == 0)
        #expect(one.used == 10 && one.room == 40)
    }

    @Test func `of a pool that is overdrawn each share gets a little still`() {
        let pool = MemoryPool(byteCount: 100)
        let one = pool.share(atLeast: 40, atMost: 60)
        let other = pool.share(atMost: 100)
        other.takeAnyway(200)
        #expect(other.used == 200 && other.room == -140 && !other.take(1))
        #expect(one.room == 10 && !one.take(11) && one.take(10) && !one.take(1))
        other.giveBack(200)
        #expect(one.room == 50 && other.room == 60)
    }

    @Test func `who can let memory go is asked to before others are refused`() {
        let pool = MemoryPool(byteCount: 100)
        let cache = pool.share(atMost: 100)
        let asked = Mutex<[Int]>([])
        cache.onShortage { count in
            asked.withLock { $0.append(count) }
            cache.giveBack(min(count, cache.used))
        }
        let other = pool.share(atMost: 80)
        cache.takeAnyway(90)
        var reservation = other.reservation()
        let granted = [reservation.grow(to: 10), reservation.grow(to: 30), reservation.grow(to: 81)]
        #expect(granted == [true, true, false])
        #expect(asked.withLock { $0 } == [20])
        #expect(cache.used == 70 && other.used == 30)
    }

    @Test func `what is held can be counted against another budget`() {
        let (one, other) = (ByteBudget(limit: 100), ByteBudget(limit: 10))
        do {
            var reservation = one.reservation()
            reservation.resizeAnyway(to: 120)
            #expect(one.used == 120)
            reservation.move(to: other)
            #expect(one.used == 0 && other.used == 120)
        }
        #expect(other.used == 0)
    }

    @Test func `memory that goes through several hands is given back by the last`() {
        let budget = ByteBudget(limit: 100)
        var first: HeldMemory? = HeldMemory(budget)
        var second = first
        let granted = [first?.grow(to: 50), second?.grow(to: 101), second?.resize(to: 30)]
        #expect(granted == [true, false, true])
        first = nil
        #expect(budget.used == 30 && second?.count == 30)
        second = nil
        #expect(budget.used == 0)
    }

    @Test func `many threads give back all that they take`() async {
        let pool = MemoryPool(byteCount: 1_000)
        let shares = [pool.share(atLeast: 100, atMost: 900), pool.share(atLeast: 200, atMost: 900)]
        let granted = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var granted = 0
                    for round in 0..<2_000 {
                        var reservation = shares[task % 2].reservation()
                        if reservation.grow(to: (round * 37 + task) % 400) { granted += 1 }
                    }
                    return granted
                }
            }
            return await group.reduce(0, +)
        }
        #expect(granted > 2_000)
        #expect(shares[0].used == 0 && shares[1].used == 0 && shares[0].room == 800)
    }
}
