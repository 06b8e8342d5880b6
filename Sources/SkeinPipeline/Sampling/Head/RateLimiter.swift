// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Lets so many traces a second through, each whole as long as it is remembered.
///
/// A trace that passes stands for itself and for those that did not since the last that passed, so that the weights of what is
/// kept add up to what came; for a single trace, and for a service among others, that is an estimate.
struct RateLimiter: Sendable {
    private var bucket: TokenBucket
    /// What a trace stands for; 0 for one that did not pass.
    private var decided = RecentTraces<Double>()

    /// At first and after a pause a second's worth passes at once, at least one trace.
    init(tracesPerSecond: Double) {
        bucket = TokenBucket(perSecond: tracesPerSecond, capacity: max(1, tracesPerSecond))
    }

    /// How many traces this one stands for; 0 when it does not pass.
    mutating func weight(of id: TraceID, nanos: UInt64) -> Double {
        if let known = decided[id] { return known }
        var weight = 0.0
        if bucket.admits(1, nanos: nanos) {
            bucket.take(1)
            weight = bucket.takeRefused()
        } else {
            bucket.noteRefused()
        }
        decided.note(weight, of: id)
        return weight
    }
}
