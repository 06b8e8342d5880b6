// SPDX-License-Identifier: Apache-2.0

/// Lets so many spans a second through, and after a pause a second's worth at once, at least one (the rule of Jaeger's clients).
struct LeakyBucket: Sendable {
    /// 0 lets none through.
    let perSecond: Double
    private let balanceMax: Double
    private var balance: Double
    private var filledNanos: UInt64

    /// `fill` is how full it is at first, 0 to 1. Jaeger's clients begin at random, so that a fleet that starts at once does not
    /// sample its first spans all together.
    init(perSecond: Double, fill: Double, nanos: UInt64) {
        self.perSecond = perSecond.isFinite ? max(perSecond, 0) : 0
        balanceMax = self.perSecond > 0 ? max(self.perSecond, 1) : 0
        balance = balanceMax * fill
        filledNanos = nanos
    }

    /// Whether a span passes at this time.
    mutating func take(nanos: UInt64) -> Bool {
        if nanos > filledNanos {
            balance = min(balanceMax, balance + Double(nanos - filledNanos) * 1e-9 * perSecond)
            filledNanos = nanos
        }
        guard balance >= 1 else { return false }
        balance -= 1
        return true
    }
}
