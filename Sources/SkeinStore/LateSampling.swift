// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Decides which traces a store keeps once their spans have left the hot window, and for how many each of them stands.
///
/// A store asks about a trace once, with all spans in hand that it has, and remembers what it was told.
package struct LateSampling: Sendable {
    /// From when the last spans of a trace were received until it is decided.
    package var hotWindow: Duration
    package var sampler: any LateSampler

    package init(hotWindow: Duration, sampler: any LateSampler) {
        self.hotWindow = hotWindow
        self.sampler = sampler
    }
}

/// What becomes of a whole trace.
package struct LateDecision: Hashable, Sendable {
    package var isKept: Bool
    /// The threshold that the trace passed (``SkeinModel/SamplingThreshold``), below its end; 0 when there is none.
    package var threshold: UInt64
    /// Of how many traces this is the one that was kept otherwise, 1 or more.
    package var factor: Double
    /// What its root will say.
    package var reason: String
    /// The number of the policy that decided, for ``LateSampler/count(_:traces:spans:)``; `nil` when none did.
    package var policy: Int?

    package init(
        isKept: Bool,
        threshold: UInt64 = 0,
        factor: Double = 1,
        reason: String = "",
        policy: Int? = nil
    ) {
        self.isKept = isKept
        self.threshold = threshold
        self.factor = factor
        self.reason = reason
        self.policy = policy
    }
}

/// Policies that decide about whole traces. Safe to use from many tasks; a store uses it from one at a time.
package protocol LateSampler: Sendable {
    /// Begins with traces that are to be decided together.
    func round() -> any LateSamplingRound

    /// Counts traces that were decided so, and their spans, once the decision is safe.
    func count(_ decision: LateDecision, traces: Int, spans: Int)
}

/// Traces that are decided together. Of a trace it keeps what policies ask, not the spans.
package protocol LateSamplingRound {
    /// Takes in spans: in each range of rows those of one trace. More of a trace may come later.
    mutating func add(_ batch: SpanBatch, rows: [Range<Int>])

    /// Decides about all traces taken in, which were received within these times (nanoseconds since 1970), in the order of
    /// their ends, and forgets them.
    mutating func decide(received: ClosedRange<UInt64>) -> [TraceID: LateDecision]
}
