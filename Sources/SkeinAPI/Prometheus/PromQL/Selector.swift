// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension PromQL {
    /// Which series are meant.
    struct Selector: Hashable, Sendable {
        /// All hold. The name of a metric is the value of ``LabelSet/metricName``.
        var matchers: [LabelMatcher]
        /// How long before the moment that is asked for, in milliseconds.
        var offsetMillis = 0

        /// The metrics that can be meant.
        var metrics: [SpanMetric] {
            let names = matchers.filter { $0.name == LabelSet.metricName }
            return SpanMetric.all.filter { metric in names.allSatisfy { $0.matches(metric.name) } }
        }

        /// Whether a series of these labels is meant, whatever their `le`.
        func matches(_ labels: LabelSet) -> Bool {
            matchers.allSatisfy { $0.name == LabelSet.bound || $0.matches(labels[$0.name]) }
        }

        /// Whether buckets of this `le` are meant; empty is that of what is no bucket.
        func matches(bound: String) -> Bool { matchers.allSatisfy { $0.name != LabelSet.bound || $0.matches(bound) } }
    }

    /// What a label must be.
    struct LabelMatcher: Hashable, Sendable {
        var name: String
        var relation: Relation
        /// As written, without its quotes and escapes.
        var value: String
        /// Of ``value``, where it is a regular expression: anchored at both ends.
        private let pattern: TextPattern?

        enum Relation: String, Hashable, Sendable {
            case equal = "="
            case notEqual = "!="
            case matching = "=~"
            case notMatching = "!~"
        }

        init(_ name: String, _ relation: Relation, _ value: String) throws(TextPattern.Failure) {
            self.name = name
            self.relation = relation
            self.value = value
            pattern = relation == .matching || relation == .notMatching ? try TextPattern(value) : nil
        }

        /// Whether a label may have this value; empty is that of no label.
        func matches(_ text: String) -> Bool {
            switch relation {
            case .equal: text.isExactly(value)
            case .notEqual: !text.isExactly(value)
            case .matching: pattern?.matches(text) ?? false
            case .notMatching: !(pattern?.matches(text) ?? true)
            }
        }
    }
}
