// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import SkeinRecording
import Tracing

extension ComposableConfiguration {
    /// The sampler of that description, to be put into a ``CompositeSampler``.
    var sampler: any ComposableSampler {
        switch self {
        case .alwaysOn: ComposableAlwaysOnSampler()
        case .alwaysOff: ComposableAlwaysOffSampler()
        case .probability(let share): ComposableProbabilitySampler(probability: share)
        case .parentThreshold(let root): ComposableParentThresholdSampler(root: root.sampler)
        case .rules(let rules): ConfiguredRules(rules: rules.map { ($0, $0.sampler.sampler) })
        }
    }
}

/// Wants what the sampler of the first of the configured rules wants that a span fits; no span that fits none.
private struct ConfiguredRules: ComposableSampler {
    let rules: [(rule: SamplingRule, sampler: any ComposableSampler)]

    var description: String {
        "ComposableRuleBased{\(rules.map(\.sampler.description).joined(separator: ","))}"
    }

    func intent(_ request: borrowing SamplingRequest) -> SamplingIntent {
        for (rule, sampler) in rules where rule.fits(request) { return sampler.intent(request) }
        return .never
    }
}

extension SamplingRule {
    fileprivate func fits(_ request: borrowing SamplingRequest) -> Bool {
        let parent: Parent = request.parent.map { $0.isRemote ? .remote : .local } ?? .none
        guard kinds.isEmpty || kinds.contains(request.kind), parents.isEmpty || parents.contains(parent) else {
            return false
        }
        if attributes.isEmpty { return true }
        let given = request.attributes
        return attributes.allSatisfy { test in
            given.get(test.key).flatMap { AttributeText.text($0) }.map(test.fits) ?? false
        }
    }
}

/// The text of an attribute that rules compare.
private enum AttributeText {
    /// `nil` for lists.
    static func text(_ attribute: SpanAttribute) -> String? {
        switch attribute {
        case .string(let text): text
        case .bool(let bool): "\(bool)"
        case .int32(let int): "\(int)"
        case .int64(let int): "\(int)"
        case .double(let double): "\(double)"
        case .stringConvertible(let value): value.description
        default: nil
        }
    }
}
