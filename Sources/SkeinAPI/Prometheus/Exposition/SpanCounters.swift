// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline
import SkeinStore

/// The counters of a ``SpanMetricsExposition``.
struct SpanCounters: Sendable {
    private var counters: [Counter] = []
    private var places: [RollupRow.Key: Int] = [:]
    /// Where what has no counter of its own is counted, of spans and of calls.
    private var overflows: [Bool: Int] = [:]
    /// Sorts of spans, and of calls, that have no counter of their own.
    private var overflowCount = 0

    /// What is told of one sort of spans or calls, or of those beyond the limit.
    private struct Counter {
        let isServiceGraph: Bool
        /// What stands between the braces.
        let labels: String
        /// What the store said last, and what is told: for each of ``kept`` its ``SpanMetric/width``.
        var last: [Int128]
        var told: [Int128]
        /// By family.
        var exemplars: [SpanMetric.Family: DurationDistribution.Exemplar] = [:]

        init(isServiceGraph: Bool, _ labels: [LabelSet.Label]) {
            self.isServiceGraph = isServiceGraph
            self.labels = labels.map { "\($0.name)=\"\(PrometheusText.escaped($0.value))\"" }.joined(separator: ",")
            last = SpanCounters.zeros(isServiceGraph: isServiceGraph)
            told = last
        }
    }

    /// The metrics that are kept, and where their numbers begin. Counts of histograms are their buckets together, so that they
    /// fit whatever happens.
    private static let kept: [Bool: [(metric: SpanMetric, place: Int)]] = Dictionary(
        uniqueKeysWithValues: [false, true].map { isServiceGraph in
            var places: [(metric: SpanMetric, place: Int)] = []
            var place = 0
            for metric in SpanMetric.all where metric.family.isServiceGraph == isServiceGraph && metric.part != .count {
                places.append((metric, place))
                place += metric.width
            }
            return (isServiceGraph, places)
        }
    )

    private static func zeros(isServiceGraph: Bool) -> [Int128] {
        Array(repeating: 0, count: kept[isServiceGraph, default: []].reduce(0) { $0 + $1.metric.width })
    }

    // MARK: Counting

    /// Takes in what a store says of all time, and what of the latest, for exemplars.
    mutating func add(_ slices: [RollupSlice], _ recent: [RollupSlice], labelSetCountMax: Int) {
        overflowCount = 0
        for isServiceGraph in [false, true] {
            let rows = slices.flatMap { $0.rows(ofServiceGraph: isServiceGraph) }
            admit(rows, labelSetCountMax)
            var sums: [Int: [Int128]] = [:]
            for row in rows {
                let place = places[row.key] ?? overflow(isServiceGraph: isServiceGraph)
                for (metric, start) in Self.kept[isServiceGraph, default: []] where row.has(metric.family) {
                    row.add(
                        metric,
                        to: &sums[place, default: Self.zeros(isServiceGraph: isServiceGraph)],
                        at: start
                    )
                }
            }
            for place in counters.indices where counters[place].isServiceGraph == isServiceGraph {
                let now = sums[place] ?? Self.zeros(isServiceGraph: isServiceGraph)
                for index in now.indices {
                    counters[place].told[index] += max(0, now[index] - counters[place].last[index])
                }
                counters[place].last = now
                counters[place].exemplars = [:]
            }
            for row in recent.flatMap({ $0.rows(ofServiceGraph: isServiceGraph) }) {
                guard let place = places[row.key] else { continue }
                for family in SpanMetric.Family.allCases where family.isHistogram && row.has(family) {
                    counters[place].exemplars[family] = row.exemplar(of: family)
                }
            }
        }
    }

    /// Gives rows that come for the first time counters of their own, those with most spans first, as long as there are any.
    private mutating func admit(_ rows: [RollupRow], _ countMax: Int) {
        var fresh = rows.filter { places[$0.key] == nil }
        guard let isServiceGraph = fresh.first?.key.isServiceGraph else { return }
        let room = max(0, countMax - counters.count { $0.isServiceGraph == isServiceGraph })
        if fresh.count > room {
            fresh.sort { $0.count > $1.count }
            overflowCount += fresh.count - room
        }
        for row in fresh.prefix(room) {
            places[row.key] = counters.count
            counters.append(Counter(isServiceGraph: row.key.isServiceGraph, row.key.labels))
        }
    }

    /// The counter of what has none of its own.
    private mutating func overflow(isServiceGraph: Bool) -> Int {
        if let place = overflows[isServiceGraph] { return place }
        overflows[isServiceGraph] = counters.count
        counters.append(Counter(isServiceGraph: isServiceGraph, [LabelSet.overflow]))
        return counters.count - 1
    }

    // MARK: Writing

    func write(to text: inout PrometheusText) {
        text.family("skein_span_metrics_overflow", .gauge, "Sorts of spans and calls that are told as one series.")
        text.sample("skein_span_metrics_overflow", "", Double(overflowCount))
        for family in SpanMetric.Family.allCases {
            text.family(family.name, family.isHistogram ? .histogram : .counter, family.help)
            let kept = Self.kept[family.isServiceGraph, default: []].filter { $0.metric.family == family }
            for counter in counters where counter.isServiceGraph == family.isServiceGraph {
                if family.isHistogram {
                    write(counter, family, kept, to: &text)
                } else if let (metric, place) = kept.first {
                    text.sample(family.name, counter.labels, metric.value(counter.told[place]))
                }
            }
        }
    }

    private func write(
        _ counter: Counter,
        _ family: SpanMetric.Family,
        _ kept: [(metric: SpanMetric, place: Int)],
        to text: inout PrometheusText
    ) {
        guard let buckets = kept.first(where: { $0.metric.part == .bucket }),
            let sum = kept.first(where: { $0.metric.part == .sum })
        else { return }
        // Calls of which no client says how long they took.
        guard counter.told[buckets.place..<(buckets.place + buckets.metric.width)].contains(where: { $0 > 0 }) else {
            return
        }
        let exemplar = counter.exemplars[family]
        let exemplarPlace = exemplar.map { family.bounds.place(ofNanos: $0.durationNanos) }
        var total: Int128 = 0
        for (bucket, bound) in family.bounds.texts.enumerated() {
            total += counter.told[buckets.place + bucket]
            text.sample(
                "\(family.name)_bucket",
                "\(counter.labels),le=\"\(bound)\"",
                buckets.metric.value(total),
                bucket == exemplarPlace ? exemplar.map { .init($0) } : nil
            )
        }
        text.sample("\(family.name)_sum", counter.labels, sum.metric.value(counter.told[sum.place]))
        text.sample("\(family.name)_count", counter.labels, buckets.metric.value(total))
    }
}

extension PrometheusText.Exemplar {
    fileprivate init(_ exemplar: DurationDistribution.Exemplar) {
        self.init(traceID: exemplar.traceID.description, value: Double(exemplar.durationNanos) / 1e9)
    }
}
