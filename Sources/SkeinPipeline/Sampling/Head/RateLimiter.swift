// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Lets so many traces a second through, each whole as long as it is remembered.
///
/// A trace that passes stands for itself and for those that did not since the last that passed, each by what it weighed when it
/// came, so that the weights of what is kept add up to what came; for a single trace, and for a service among others, that
/// is an estimate.
struct RateLimiter: Sendable {
    private var bucket: TokenBucket
    /// By how much a trace's weight grows; 0 for one that did not pass.
    private var decided = RecentTraces<Double>()

    /// At first and after a pause a second's worth passes at once, at least one trace.
    init(tracesPerSecond: Double) {
        bucket = TokenBucket(perSecond: tracesPerSecond, capacity: max(1, tracesPerSecond))
    }

    /// By how much the weight of a span grows that is of this trace and weighs so much; 0 when it does not pass.
    mutating func factor(of id: TraceID, weighing weight: Double, nanos: UInt64) -> Double {
        if let known = decided[id] { return known }
        var factor = 0.0
        if bucket.admits(1, nanos: nanos) {
            bucket.take(1)
            factor = 1 + bucket.takeRefused() / max(weight, .leastNormalMagnitude)
        } else {
            bucket.noteRefused(weight)
        }
        decided.note(factor, of: id)
        return factor
    }
}
