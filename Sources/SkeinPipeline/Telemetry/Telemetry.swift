// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// All metrics of one server, and their Prometheus text.
///
/// A metric is made once, at start-up, and then held by whoever counts. Label names and values are static strings, or stand
/// in the configuration, so that nothing a client sends can ever become one.
package final class Telemetry: Sendable {
    /// Labels of one series, in the order they are written.
    package typealias Labels = KeyValuePairs<StaticString, StaticString>

    private enum Source: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case reading(@Sendable () -> Double)
        case histogram(Histogram)
    }

    private struct Family: Sendable {
        var name: String
        var help: String
        var kind: PrometheusText.Kind
        var series: [(labels: String, source: Source)] = []
    }

    private let families = Mutex<[Family]>([])

    /// A registry without metrics.
    package init() {}

    /// A new counter. Families are written in the order of their first series; `name` ends in `_total`.
    package func counter(_ name: StaticString, _ help: StaticString, _ labels: Labels = [:]) -> Counter {
        let counter = Counter()
        add(.counter(counter), .counter, name, help, labels)
        return counter
    }

    /// A new counter with a label whose value stands in the configuration.
    package func counter(
        _ name: StaticString,
        _ help: StaticString,
        configured label: (name: StaticString, value: String),
        _ labels: Labels = [:]
    ) -> Counter {
        let counter = Counter()
        let first = "\(label.name)=\"\(PrometheusText.escaped(label.value))\""
        add(.counter(counter), .counter, name, help, labels, first: first)
        return counter
    }

    /// A new gauge.
    package func gauge(_ name: StaticString, _ help: StaticString, _ labels: Labels = [:]) -> Gauge {
        let gauge = Gauge()
        add(.gauge(gauge), .gauge, name, help, labels)
        return gauge
    }

    /// A gauge whose level is asked for at each rendering.
    package func gauge(
        _ name: StaticString,
        _ help: StaticString,
        _ labels: Labels = [:],
        reading: @escaping @Sendable () -> Double
    ) {
        add(.reading(reading), .gauge, name, help, labels)
    }

    /// A counter that somebody else keeps and that is asked for at each rendering.
    package func counter(
        _ name: StaticString,
        _ help: StaticString,
        _ labels: Labels = [:],
        reading: @escaping @Sendable () -> Double
    ) {
        add(.reading(reading), .counter, name, help, labels)
    }

    /// A new histogram; `name` ends in its unit.
    package func histogram(
        _ name: StaticString,
        _ help: StaticString,
        _ labels: Labels = [:],
        bounds: [Double] = Histogram.requestSeconds
    ) -> Histogram {
        let histogram = Histogram(bounds: bounds)
        add(.histogram(histogram), .histogram, name, help, labels)
        return histogram
    }

    /// Writes every metric.
    package func write(to text: inout PrometheusText) {
        for family in families.withLock({ $0 }) {
            text.family(family.name, family.kind, family.help)
            for (labels, source) in family.series {
                switch source {
                case .counter(let counter): text.sample(family.name, labels, Double(counter.value))
                case .gauge(let gauge): text.sample(family.name, labels, Double(gauge.value))
                case .reading(let reading): text.sample(family.name, labels, reading())
                case .histogram(let histogram): text.histogram(family.name, labels, histogram)
                }
            }
        }
    }

    private func add(
        _ source: Source,
        _ kind: PrometheusText.Kind,
        _ name: StaticString,
        _ help: StaticString,
        _ labels: Labels,
        first: String? = nil
    ) {
        let rest = labels.map { "\($0.key)=\"\($0.value)\"" }
        let text = ((first.map { [$0] } ?? []) + rest).joined(separator: ",")
        let name = name.description
        families.withLock { families in
            if let index = families.firstIndex(where: { $0.name == name }) {
                families[index].series.append((text, source))
            } else {
                families.append(Family(name: name, help: help.description, kind: kind, series: [(text, source)]))
            }
        }
    }
}
