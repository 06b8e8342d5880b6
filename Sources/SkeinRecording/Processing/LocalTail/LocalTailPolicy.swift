// SPDX-License-Identifier: Apache-2.0

/// Which traces a ``LocalTailProcessor`` keeps, by what it has seen of them.
public struct LocalTailPolicy: Sendable {
    public enum Rule: Sendable {
        /// Any span has the status error.
        case errors
        /// A local root took at least this long; one that goes on, until now.
        case latency(Duration)
        /// Any span has an attribute that meets the condition.
        case attribute(String, SpanMatch.AttributeCondition)
        /// The sampler has sampled the trace at its start.
        case sampled
        /// This share of all traces, 0 to 1, by the threshold of ``ProbabilitySampler``.
        case probability(Double)
        /// So many traces a second that no other policy keeps.
        case rateLimiting(tracesPerSecond: Double)
    }

    /// What spans of traces that it keeps say in `skein.sampling.reason`.
    public var name: String
    public var rule: Rule

    /// Without a `name` it has that of its rule.
    public init(_ rule: Rule, name: String? = nil) {
        self.rule = rule
        self.name = name ?? rule.name
    }
}

extension LocalTailPolicy.Rule {
    fileprivate var name: String {
        switch self {
        case .errors: "errors"
        case .latency: "latency"
        case .attribute(let key, _): "attribute \(key)"
        case .sampled: "sampled"
        case .probability: "probability"
        case .rateLimiting: "rate_limiting"
        }
    }
}
