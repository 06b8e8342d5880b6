// SPDX-License-Identifier: Apache-2.0

/// Lets so much through a second, and once in a while more at a time. Full at first.
struct TokenBucket: Sendable {
    /// Tokens that come in a second.
    let perSecond: Double
    /// Tokens that it holds at most: what is larger never passes.
    let capacity: Double
    private var tokens: Double
    private var filledNanos: UInt64?
    /// Traces refused since the last that passed.
    private var refusedCount = 0

    init(perSecond: Double, capacity: Double) {
        self.perSecond = perSecond
        self.capacity = capacity
        tokens = capacity
    }

    /// Whether `amount` may pass at this time; takes nothing.
    mutating func admits(_ amount: Double, nanos: UInt64) -> Bool {
        if let filledNanos, nanos > filledNanos {
            tokens = min(capacity, tokens + Double(nanos - filledNanos) * 1e-9 * perSecond)
        }
        filledNanos = max(nanos, filledNanos ?? nanos)
        return amount <= tokens
    }

    /// Lets `amount` pass.
    mutating func take(_ amount: Double) { tokens -= amount }

    /// Notes a trace that did not pass.
    mutating func noteRefused() { refusedCount += 1 }

    /// How many traces one that passed stands for: itself and those that did not since the last.
    mutating func takeRefused() -> Double {
        defer { refusedCount = 0 }
        return Double(1 + refusedCount)
    }
}
