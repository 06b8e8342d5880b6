// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
public import Tracing

/// Wants every span.
public struct ComposableAlwaysOnSampler: ComposableSampler {
    public init() {}
    public var description: String { "ComposableAlwaysOn" }
    public func intent(_ request: borrowing SamplingRequest) -> SamplingIntent {
        SamplingIntent(threshold: 0, isAdjustedCountReliable: true)
    }
}

/// Wants no span.
public struct ComposableAlwaysOffSampler: ComposableSampler {
    public init() {}
    public var description: String { "ComposableAlwaysOff" }
    public func intent(_ request: borrowing SamplingRequest) -> SamplingIntent { .never }
}

/// Wants a share of all traces.
public struct ComposableProbabilitySampler: ComposableSampler {
    /// 0 to 1; what lies outside is taken as the nearer of the two.
    public let probability: Double
    private let wanted: SamplingIntent

    /// `precision` is the number of hex digits of the threshold behind leading digits `f`, 1 to 14.
    public init(probability: Double, precision: Int = 4) {
        self.probability = min(max(probability.isNaN ? 0 : probability, 0), 1)
        let threshold = SamplingThreshold.threshold(ofProbability: self.probability, precision: precision)
        wanted =
            threshold < SamplingThreshold.end
            ? SamplingIntent(threshold: threshold, isAdjustedCountReliable: true) : .never
    }

    public var description: String { "ComposableProbability{\(probability)}" }
    public func intent(_ request: borrowing SamplingRequest) -> SamplingIntent { wanted }
}

/// Wants what was decided for the parent, by the parent's threshold where it says one; asks `root` where there is no parent, or
/// nothing was decided about it.
///
/// A threshold that contradicts the parent's flag does not count: the flag decides, and the threshold is erased.
public struct ComposableParentThresholdSampler: ComposableSampler {
    private let root: any ComposableSampler

    public init(root: any ComposableSampler) { self.root = root }

    public var description: String { "ComposableParentThreshold{root:\(root.description)}" }

    public func intent(_ request: borrowing SamplingRequest) -> SamplingIntent {
        // Sampled as the parent is, which stands for nobody knows how many.
        let sampled = SamplingIntent(threshold: 0, isAdjustedCountReliable: false)
        guard let parent = request.parent else {
            // Somebody may want a trace without naming one.
            switch request.parentDecision {
            case .sampled, .debug: return sampled
            case .notSampled: return .never
            case .deferred: return root.intent(request)
            }
        }
        if parent.isRemote, request.parentDecision == .deferred { return root.intent(request) }
        guard parent.flags.contains(.sampled) else { return .never }
        guard let threshold = parent.traceState.samplingThreshold, threshold <= request.randomness else {
            return sampled
        }
        return SamplingIntent(threshold: threshold, isAdjustedCountReliable: true)
    }
}

/// Asks the sampler of the first rule that a span matches, and wants no span that matches none.
public struct ComposableRuleBasedSampler: ComposableSampler {
    public struct Rule: Sendable {
        public var match: SpanMatch
        public var sampler: any ComposableSampler

        public init(_ match: SpanMatch, _ sampler: any ComposableSampler) {
            self.match = match
            self.sampler = sampler
        }
    }

    private let rules: [Rule]

    public init(_ rules: [Rule]) { self.rules = rules }

    public var description: String {
        "ComposableRuleBased{\(rules.map { "(\($0.match)):\($0.sampler.description)" }.joined(separator: ","))}"
    }

    public func intent(_ request: borrowing SamplingRequest) -> SamplingIntent {
        for rule in rules where rule.match.matches(request) { return rule.sampler.intent(request) }
        return .never
    }
}

/// Sets attributes on the spans that another sampler wants, if they are sampled.
public struct ComposableAnnotatingSampler: ComposableSampler {
    private let sampler: any ComposableSampler
    private let attributes: SpanAttributes

    public init(_ sampler: any ComposableSampler, attributes: SpanAttributes) {
        self.sampler = sampler
        self.attributes = attributes
    }

    public var description: String { "ComposableAnnotating{\(sampler.description)}" }

    public func intent(_ request: borrowing SamplingRequest) -> SamplingIntent {
        var intent = sampler.intent(request)
        if intent.attributes.isEmpty {
            intent.attributes = attributes
        } else {
            intent.attributes.merge(attributes)
        }
        return intent
    }
}
