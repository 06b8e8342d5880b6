// SPDX-License-Identifier: Apache-2.0

/// Writes metrics as Prometheus reads them.
package struct PrometheusText {
    /// The type of a family.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package let format: Format
    /// What was written so far.
    package private(set) var text = ""

    package init(_ format: Format = .plain) { self.format = format }

    /// Opens a family; its samples follow at once. The name of a counter ends in `_total`.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        // In OpenMetrics the suffix belongs to the sample.
        let isCut = format == .openMetrics && kind == .counter && name.hasSuffix("_total")
        let name = isCut ? String(name.dropLast("_total".count)) : name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One sample. `labels` is what stands between the braces, already escaped.
    package mutating func sample(_ name: String, _ labels: String = "", _ value: Double, _ exemplar: Exemplar? = nil) {
        text += labels.isEmpty ? "\(name) " : "\(name){\(labels)} "
        text += Self.number(value)
        if let exemplar, format == .openMetrics {
            text += " # {trace_id=\"\(exemplar.traceID)\"} \(Self.number(exemplar.value))"
        }
        text += "\n"
    }

    /// The samples of one histogram: cumulative buckets, sum and count.
    package mutating func histogram(_ name: String, _ labels: String, _ histogram: Histogram) {
        let comma = labels.isEmpty ? "" : ","
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total &+= count
            let bound = index < histogram.bounds.count ? bound(histogram.bounds[index]) : "+Inf"
            sample("\(name)_bucket", "\(labels)\(comma)le=\"\(bound)\"", Double(total))
        }
        sample("\(name)_sum", labels, histogram.sum)
        sample("\(name)_count", labels, Double(total))
    }

    /// Says that nothing more comes. To be called once, at the end.
    package mutating func finish() {
        if format == .openMetrics { text += "# EOF\n" }
    }

    /// OpenMetrics wants bounds to look like fractions.
    private func bound(_ value: Double) -> String { format == .openMetrics ? "\(value)" : Self.number(value) }

    /// The value of a label, escaped.
    package static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5c || $0 == 0x22 || $0 == 0x0a }) else { return value }
        return value.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\\", "\"": text += "\\\(scalar)"
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    /// Whole numbers are written without a fraction, as counters are expected.
    package static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return "\(value)"
    }
}

extension PrometheusText {
    /// How the text is to look.
    package enum Format: Hashable, Sendable {
        /// Prometheus' text exposition format 0.0.4.
        case plain
        /// OpenMetrics 1.0, which has exemplars.
        case openMetrics

        /// What whoever sends this `Accept` reads best (RFC 9110 §12.5.1).
        package init(accept: String?) {
            var best: (format: Format, weight: Double) = (.plain, 0)
            for item in (accept ?? "").split(separator: ",") {
                let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
                let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
                guard let type = parts.first, weight > best.weight else { continue }
                if type == "application/openmetrics-text" { best = (.openMetrics, weight) }
                if type == "text/plain" || type == "text/*" || type == "*/*" { best = (.plain, weight) }
            }
            self = best.format
        }

        /// What an answer that carries the text is called.
        package var contentType: String {
            switch self {
            case .plain: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    /// A trace that shows what a bucket speaks of.
    package struct Exemplar {
        /// In hexadecimal digits.
        package var traceID: String
        package var value: Double

        package init(traceID: String, value: Double) {
            self.traceID = traceID
            self.value = value
        }
    }
}
