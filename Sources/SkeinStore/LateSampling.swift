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
    /// What is said of single spans; `nil` when all fare alike. With it a trace that is not kept stays in part.
    package var skeleton: LateSkeleton?

    package init(
        isKept: Bool,
        threshold: UInt64 = 0,
        factor: Double = 1,
        reason: String = "",
        policy: Int? = nil,
        skeleton: LateSkeleton? = nil
    ) {
        self.isKept = isKept
        self.threshold = threshold
        self.factor = factor
        self.reason = reason
        self.policy = policy
        self.skeleton = skeleton
    }

    /// The decision without what is said of single spans: all that have one alike are counted together.
    package var outline: LateDecision {
        var outline = self
        if skeleton != nil { outline.skeleton = LateSkeleton() }
        return outline
    }
}

/// What a decision says of single spans. Whoever comes later than the decision is in none of the sets, and stays: it weighs what it
/// did, but for one that comes to a kept trace while the blocks are written anew, which weighs what the others do.
package struct LateSkeleton: Hashable, Sendable {
    /// Of a trace that is not kept the spans that go; all others stay, and stand for themselves alone.
    package var leaving: Set<SpanID> = []
    /// Of a trace that is kept the spans that would have stayed anyway: they stand for themselves alone, too.
    package var alone: Set<SpanID> = []
    /// Attributes that some of the spans get, in the place of those of the same keys.
    package var attributes: [SpanID: [Attribute]] = [:]

    package init() {}

    /// Bytes of memory that it takes, roughly.
    package var byteCount: Int {
        16 * (leaving.count + alone.count) + attributes.values.reduce(128) { $0 + 64 + 96 * $1.count }
    }
}

/// Policies that decide about whole traces. Safe to use from many tasks; a store uses it from one at a time.
package protocol LateSampler: Sendable {
    /// What some span of a trace has to satisfy for the sampler to be asked about the trace; `nil` when it is asked about all.
    var subject: SpanPredicate? { get }

    /// Bytes of memory while it decides, roughly and at most, beside what it keeps of each trace.
    var workByteCount: Int { get }

    /// Begins with traces that are to be decided together.
    func round() -> any LateSamplingRound

    /// Counts traces that were decided so, and their spans, once the decision is safe; with a skeleton the spans that go. Of
    /// decisions comes the ``LateDecision/outline``.
    func count(_ decision: LateDecision, traces: Int, spans: Int)
}

extension LateSampler {
    package var subject: SpanPredicate? { nil }
    package var workByteCount: Int { 0 }
}

/// Traces that are decided together. Of a trace it keeps what policies ask, not the spans.
package protocol LateSamplingRound {
    /// Bytes of memory of what it has decided already, roughly: one that holds much is asked to end.
    var byteCount: Int { get }

    /// Takes in spans: in each range of rows those of one trace. More of a trace may come later.
    mutating func add(_ batch: SpanBatch, rows: [Range<Int>])

    /// Decides about all traces taken in, which were received within these times (nanoseconds since 1970), in the order of
    /// their ends, and forgets them. A trace of which nothing is said stays as it is, and is asked about again when its block
    /// has been merged.
    mutating func decide(received: ClosedRange<UInt64>) -> [TraceID: LateDecision]
}

extension LateSamplingRound {
    package var byteCount: Int { 0 }
}
