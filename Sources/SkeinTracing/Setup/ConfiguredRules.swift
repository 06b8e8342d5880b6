// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import SkeinRecording
import Tracing

/// Samples by the first of the configured rules that a span fits; a span that fits none is dropped.
struct ConfiguredRules: Sampler {
    let rules: [(rule: SamplingRule, sampler: any Sampler)]

    var description: String {
        "Rules{\(rules.map(\.sampler.description).joined(separator: ","))}"
    }

    func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        for (rule, sampler) in rules where rule.fits(request) { return sampler.sample(request) }
        return .drop
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
