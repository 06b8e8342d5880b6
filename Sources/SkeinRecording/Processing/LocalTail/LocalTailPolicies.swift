// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import Tracing

/// Decides about traces by the policies of a ``LocalTailProcessor``. A value without clock or lock.
struct LocalTailPolicies: Sendable {
    /// Policies, by number, that a trace meets for what it is.
    typealias Met = UInt64

    /// What is asked of a trace.
    struct Digest {
        /// Policies that its spans met as they ended.
        var met: Met = 0
        /// Whether the sampler sampled any of its spans, and by which threshold, where it says one.
        var isSampled = false
        var threshold: UInt64?
        var randomness: UInt64 = 0
        /// For how long a local root has been going on.
        var openNanos: UInt64 = 0
        /// Whether the sampler had every trace recorded.
        var isOfAll = false
    }

    /// The policy that keeps a trace, of several the first, and what that does to the threshold.
    struct Keeping {
        var name: String
        var threshold: TailKeeping.Threshold
    }

    /// More are not asked.
    static let countMax = Met.bitWidth

    private enum Question {
        case errors
        case latency(nanos: UInt64)
        case attribute(AttributeMatch)
        case sampled
        case threshold(UInt64)
        case rate
    }

    let names: [String]
    private let questions: [Question]
    private var buckets: [LeakyBucket?]
    /// Of traces for which there is no room any more.
    private let overflowThreshold: UInt64

    init(_ policies: [LocalTailPolicy], overflowProbability: Double, nanos: UInt64) {
        let policies = policies.prefix(Self.countMax)
        names = policies.map(\.name)
        questions = policies.map { policy in
            switch policy.rule {
            case .errors: .errors
            case .latency(let duration): .latency(nanos: duration.nanos)
            case .attribute(let key, let condition): .attribute(AttributeMatch(key, condition))
            case .sampled: .sampled
            case .probability(let share): .threshold(ProbabilitySampler(probability: share).threshold)
            case .rateLimiting: .rate
            }
        }
        buckets = policies.map { policy in
            guard case .rateLimiting(let rate) = policy.rule else { return nil }
            return LeakyBucket(perSecond: rate, fill: 1, nanos: nanos)
        }
        overflowThreshold = ProbabilitySampler(probability: overflowProbability).threshold
    }

    /// The policies that a trace with this span meets.
    func met(by state: RecordingSpan.State, startUnixNanos: UInt64, isLocalRoot: Bool) -> Met {
        var met: Met = 0
        for (number, question) in questions.enumerated() {
            let isMet =
                switch question {
                case .errors: state.status?.code == .error
                case .latency(let nanos):
                    isLocalRoot && (state.endUnixNanos ?? startUnixNanos) - startUnixNanos >= nanos
                case .attribute(let match):
                    state.attributes.pairs.contains { $0.key == match.key && match.matches($0.value) }
                case .sampled, .threshold, .rate: false
                }
            if isMet { met |= 1 << Met(number) }
        }
        return met
    }

    /// What keeps a trace; `nil` when nothing does. What is decided before its time for want of room is kept by a share beside
    /// the policies.
    mutating func decide(_ digest: Digest, nanos: UInt64, isOverflow: Bool = false) -> Keeping? {
        var first: Int?
        var isMet = false
        // The lowest threshold that the trace passes, and whether one that is not known may be lower.
        var lowest: UInt64?
        var isUnknown = false
        for (number, question) in questions.enumerated() {
            var holds = false
            switch question {
            case .errors, .attribute:
                holds = digest.met & 1 << Met(number) != 0
                isMet = isMet || holds
            case .latency(let nanos):
                holds = digest.met & 1 << Met(number) != 0 || digest.openNanos >= nanos
                isMet = isMet || holds
            case .sampled:
                holds = digest.isSampled
                if holds { lowest = min(lowest ?? .max, digest.threshold ?? .max) }
                isUnknown = isUnknown || holds && digest.threshold == nil
            case .threshold(let threshold):
                holds = threshold <= digest.randomness
                if holds { lowest = min(lowest ?? .max, threshold) }
            case .rate: break
            }
            if holds { first = first ?? number }
        }
        let whole: TailKeeping.Threshold = digest.isOfAll ? .erased : .asItIs
        if let first {
            let byShare: TailKeeping.Threshold? = lowest.map { digest.isOfAll ? .set($0) : .raised($0) }
            return Keeping(name: names[first], threshold: isMet ? whole : isUnknown ? .asItIs : byShare ?? whole)
        }
        for number in buckets.indices where buckets[number]?.take(nanos: nanos) == true {
            return Keeping(name: names[number], threshold: whole)
        }
        guard isOverflow, overflowThreshold <= digest.randomness else { return nil }
        return Keeping(
            name: "probability",
            threshold: digest.isOfAll ? .set(overflowThreshold) : .raised(overflowThreshold)
        )
    }
}
