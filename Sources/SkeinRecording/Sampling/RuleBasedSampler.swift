// SPDX-License-Identifier: Apache-2.0

/// Asks the sampler of the first rule that is about a span, and `otherwise` where none is.
///
/// It is asked for children too, and decides about them alone: inside of ``ParentBasedSampler`` it decides about roots, and about
/// spans whose parent it is put in for.
public struct RuleBasedSampler: Sampler {
    public struct Rule: Sendable {
        public var match: SpanMatch
        public var sampler: any Sampler

        public init(_ match: SpanMatch, _ sampler: any Sampler) {
            self.match = match
            self.sampler = sampler
        }
    }

    private let rules: [Rule]
    private let otherwise: any Sampler

    public init(_ rules: [Rule], otherwise: any Sampler) {
        self.rules = rules
        self.otherwise = otherwise
    }

    public var description: String {
        let rules = rules.map { "(\($0.match)):\($0.sampler.description)" } + ["otherwise:\(otherwise.description)"]
        return "RuleBased{\(rules.joined(separator: ","))}"
    }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        for rule in rules where rule.match.matches(request) { return rule.sampler.sample(request) }
        return otherwise.sample(request)
    }
}
