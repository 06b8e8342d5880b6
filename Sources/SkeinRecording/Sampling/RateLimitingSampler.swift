// SPDX-License-Identifier: Apache-2.0
public import SkeinBase
import SkeinPropagation
import Synchronization
import Tracing

/// Samples so many traces a second, whatever comes, and tags them as Jaeger's clients do: `sampler.type` `ratelimiting` and
/// `sampler.param`. To be used for roots.
///
/// How many traces one of them stands for is not known, so that the `tracestate` says no threshold.
public final class RateLimitingSampler: Sampler {
    public let tracesPerSecond: Double
    private let clock: any WallClock
    private let bucket: Mutex<LeakyBucket>
    private let attributes: SpanAttributes

    /// What is no number above 0 samples none.
    public convenience init(tracesPerSecond: Double, clock: any WallClock = SystemClock()) {
        self.init(tracesPerSecond: tracesPerSecond, clock: clock, fill: .random(in: 0...1))
    }

    /// `fill` is how much of the largest balance there is at first, 0 to 1.
    package init(tracesPerSecond: Double, clock: any WallClock, fill: Double) {
        self.tracesPerSecond = tracesPerSecond
        self.clock = clock
        bucket = Mutex(LeakyBucket(perSecond: tracesPerSecond, fill: fill, nanos: clock.monotonicNanos))
        attributes = .sampler("ratelimiting", tracesPerSecond)
    }

    public var description: String { "RateLimitingSampler{\(tracesPerSecond)}" }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        let nanos = clock.monotonicNanos
        let isSampled = bucket.withLock { $0.take(nanos: nanos) }
        let state = request.traceState(threshold: nil)
        return isSampled
            ? SamplingResult(.recordAndSample, attributes: attributes, traceState: state)
            : SamplingResult(.drop, traceState: state)
    }
}

extension SpanAttributes {
    /// The tags that Jaeger's clients set on a span that they sample.
    static func sampler(_ type: String, _ param: Double) -> SpanAttributes {
        var attributes = SpanAttributes()
        attributes.set("sampler.type", value: .string(type))
        attributes.set("sampler.param", value: .double(param))
        return attributes
    }
}
