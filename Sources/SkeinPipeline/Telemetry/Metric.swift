// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A number that only grows. Adding costs one relaxed atomic operation and may happen on any thread.
package final class Counter: Sendable {
    private let total = Atomic<UInt64>(0)

    package init() {}

    /// The sum of all additions.
    package var value: UInt64 { total.load(ordering: .relaxed) }

    /// Adds `count`, which must not be negative.
    package func add(_ count: Int = 1) {
        total.wrappingAdd(UInt64(count), ordering: .relaxed)
    }
}

/// A number that goes up and down, such as the length of a queue.
package final class Gauge: Sendable {
    private let level = Atomic<Int>(0)

    package init() {}

    /// The present level.
    package var value: Int { level.load(ordering: .relaxed) }

    /// Moves the level by `difference`.
    package func add(_ difference: Int) { level.wrappingAdd(difference, ordering: .relaxed) }

    /// Raises the level by one if it is below `limit`; says whether it was.
    package func enter(below limit: Int) -> Bool {
        if level.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
        level.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// Puts the level at `value`.
    package func set(_ value: Int) { level.store(value, ordering: .relaxed) }
}

/// How often an observation fell at or under each of some fixed bounds.
package final class Histogram: Sendable {
    /// Upper bounds in seconds that suit requests: 1 ms to 60 s.
    package static let requestSeconds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    /// Ascending upper bounds; one more bucket holds what is above the last.
    package let bounds: [Double]
    private let buckets: [Counter]
    /// Bit pattern of the sum, a `Double`.
    private let sumBits = Atomic<UInt64>(0)

    /// An empty histogram with ascending upper bounds.
    package init(bounds: [Double] = Histogram.requestSeconds) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    /// Counts one observation.
    package func observe(_ value: Double) {
        buckets[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
        var seen = sumBits.load(ordering: .relaxed)
        while true {
            let wanted = (Double(bitPattern: seen) + value).bitPattern
            let (exchanged, original) = sumBits.weakCompareExchange(
                expected: seen,
                desired: wanted,
                ordering: .relaxed
            )
            if exchanged { return }
            seen = original
        }
    }

    /// Counts the time of one piece of work.
    package func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// Observations so far in each bucket, the one above all bounds last.
    package var counts: [UInt64] { buckets.map(\.value) }
    /// The sum of all observations.
    package var sum: Double { Double(bitPattern: sumBits.load(ordering: .relaxed)) }
}
