// SPDX-License-Identifier: Apache-2.0

/// Lets so much through a second, and once in a while more at a time. Full at first.
struct TokenBucket: Sendable {
    /// Tokens that come in a second.
    let perSecond: Double
    /// Tokens that it holds at most: what is larger never passes.
    let capacity: Double
    private var tokens: Double
    private var filledNanos: UInt64?
    /// The weight of what was refused since the last that passed, by what makes traces alike.
    private var refused: [UInt64: Double] = [:]

    /// Kinds of traces that are told apart; further ones count as one.
    private static let kindCountMax = 1_024

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

    /// Notes that something of this weight did not pass.
    mutating func noteRefused(_ weight: Double, of kind: UInt64 = 0) {
        let isKnown = refused.count < Self.kindCountMax || refused[kind] != nil
        refused[isKnown ? kind : Self.otherKinds, default: 0] += weight
    }

    /// The weight of what did not pass since the last that was like this one.
    mutating func takeRefused(of kind: UInt64 = 0) -> Double {
        guard !refused.isEmpty else { return 0 }
        return refused.removeValue(forKey: kind) ?? refused.removeValue(forKey: Self.otherKinds) ?? 0
    }

    private static let otherKinds = UInt64.max
}
