// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The labels that tell a series from others, ordered by name. A label without a value is none (Prometheus data model).
struct LabelSet: Hashable, Sendable {
    private(set) var labels: [Label]

    /// A name and its value.
    struct Label: Hashable, Sendable {
        var name: String
        @ExactText var value: String

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The label that holds the name of the metric.
    static let metricName = "__name__"
    /// The label of an upper bound.
    static let bound = "le"
    /// The label of what stands for several, since there are more than are told apart (OpenTelemetry metrics SDK 1.49,
    /// "Overflow attribute").
    static let overflow = Label("otel_metric_overflow", "true")

    /// The labels that have a value; no name may come twice.
    init(_ labels: [Label] = []) {
        self.labels = labels.filter { !$0.value.isEmpty }.sorted { $0.name < $1.name }
    }

    /// The value of the label; empty when there is none.
    subscript(name: String) -> String { labels.first { $0.name == name }?.value ?? "" }

    /// Those whose name satisfies a condition.
    func keeping(_ isKept: (String) -> Bool) -> LabelSet {
        var kept = self
        kept.labels.removeAll { !isKept($0.name) }
        return kept
    }

    /// Without the name of the metric, which what is calculated has no more.
    var unnamed: LabelSet { keeping { $0 != Self.metricName } }

    /// With one more, or another value of one.
    func with(_ name: String, _ value: String) -> LabelSet {
        LabelSet(labels.filter { $0.name != name } + [Label(name, value)])
    }
}
