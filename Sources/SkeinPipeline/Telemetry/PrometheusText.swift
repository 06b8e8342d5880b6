// SPDX-License-Identifier: Apache-2.0

/// Writes metrics in the Prometheus text exposition format 0.0.4.
package struct PrometheusText {
    /// The type of a family.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// What an answer that carries this text is called.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// What was written so far.
    package private(set) var text = ""

    package init() {}

    /// Opens a family; its samples follow at once.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One sample. `labels` is what stands between the braces, already escaped.
    package mutating func sample(_ name: String, _ labels: String = "", _ value: Double) {
        text += labels.isEmpty ? "\(name) " : "\(name){\(labels)} "
        text += Self.number(value)
        text += "\n"
    }

    /// The samples of one histogram: cumulative buckets, sum and count.
    package mutating func histogram(_ name: String, _ labels: String, _ histogram: Histogram) {
        let comma = labels.isEmpty ? "" : ","
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total &+= count
            let bound = index < histogram.bounds.count ? Self.number(histogram.bounds[index]) : "+Inf"
            sample("\(name)_bucket", "\(labels)\(comma)le=\"\(bound)\"", Double(total))
        }
        sample("\(name)_sum", labels, histogram.sum)
        sample("\(name)_count", labels, Double(total))
    }

    /// Whole numbers are written without a fraction, as counters are expected.
    static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return "\(value)"
    }
}
