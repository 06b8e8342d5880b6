// SPDX-License-Identifier: Apache-2.0

extension PromQL {
    /// Makes one series of several (PromQL, "Aggregation operators").
    enum AggregationFold {
        /// What groups of series come to, in the order in which they begin.
        static func of(_ aggregation: Aggregation, _ series: [SampleSeries]) -> [SampleSeries] {
            groups(aggregation.grouping, series).map { labels, members in
                var values = series[members[0]].values
                for moment in values.indices {
                    values[moment] = value(aggregation.operation, members.lazy.compactMap { series[$0].values[moment] })
                }
                return SampleSeries(labels: labels, values: values)
            }
        }

        /// What samples come to; `nil` when there are none.
        private static func value(_ operation: Aggregation.Operation, _ samples: some Sequence<Double>) -> Double? {
            var count = 0.0
            var sum = 0.0
            var extreme = Double.nan
            for sample in samples {
                count += 1
                sum += sample
                // What is no number is greater or less than nothing.
                if extreme.isNaN || (operation == .min ? sample < extreme : sample > extreme) { extreme = sample }
            }
            guard count > 0 else { return nil }
            switch operation {
            case .sum: return sum
            case .avg: return sum / count
            case .count: return count
            case .group: return 1
            case .min, .max, .topk, .bottomk: return extreme
            }
        }

        /// The samples that `topk` and `bottomk` keep: of each group as many as `counts` says of the moment. At one moment the
        /// series come in their order, too.
        static func extremes(
            _ aggregation: Aggregation,
            _ series: [SampleSeries],
            _ counts: [Double]
        ) -> [SampleSeries] {
            var kept: [SampleSeries] = []
            for (_, members) in groups(aggregation.grouping, series) {
                var found = members.map { index in
                    SampleSeries(labels: series[index].labels, values: series[index].values.map { _ in nil })
                }
                for moment in counts.indices {
                    let count = counts[moment] >= 1 ? Int(min(counts[moment], Double(members.count))) : 0
                    let samples = members.enumerated().compactMap { place, index in
                        series[index].values[moment].map { (place: place, value: $0) }
                    }
                    let isTop = aggregation.operation == .topk
                    let ordered = samples.sorted { precedes($0.value, $1.value, isTop: isTop) }
                    for sample in ordered.prefix(count) { found[sample.place].values[moment] = sample.value }
                }
                found.removeAll { $0.values.allSatisfy { $0 == nil } }
                if counts.count == 1 {
                    let isTop = aggregation.operation == .topk
                    found.sort { precedes($0.values[0] ?? .nan, $1.values[0] ?? .nan, isTop: isTop) }
                }
                kept += found
            }
            return kept
        }

        /// Whether `a` is kept rather than `b`; what is no number comes last.
        private static func precedes(_ a: Double, _ b: Double, isTop: Bool) -> Bool {
            if a.isNaN || b.isNaN { return !a.isNaN && b.isNaN }
            return isTop ? a > b : a < b
        }

        /// Indices of series by the labels that tell groups apart.
        private static func groups(
            _ grouping: Grouping,
            _ series: [SampleSeries]
        ) -> [(labels: LabelSet, members: [Int])] {
            var places: [LabelSet: Int] = [:]
            var groups: [(labels: LabelSet, members: [Int])] = []
            for (index, one) in series.enumerated() {
                let labels = one.labels.keeping(grouping.keeps)
                if let place = places[labels] {
                    groups[place].members.append(index)
                } else {
                    places[labels] = groups.count
                    groups.append((labels, [index]))
                }
            }
            return groups
        }
    }
}
