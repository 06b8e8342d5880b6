// SPDX-License-Identifier: Apache-2.0

extension PromQL {
    /// `histogram_quantile` of classic histograms (PromQL, "histogram_quantile()"): between the bounds of a bucket samples are
    /// taken to lie evenly.
    enum HistogramQuantile {
        /// The value that a share of the samples does not exceed, by moment and group of series that differ in `le` only.
        static func of(_ shares: [Double], _ series: [SampleSeries]) -> [SampleSeries] {
            var places: [LabelSet: Int] = [:]
            var groups: [(labels: LabelSet, buckets: [(bound: Double, index: Int)])] = []
            for (index, one) in series.enumerated() {
                guard let bound = Double(one.labels[LabelSet.bound]) else { continue }
                let labels = one.labels.keeping { $0 != LabelSet.bound && $0 != LabelSet.metricName }
                let place = places[labels] ?? groups.count
                if place == groups.count {
                    groups.append((labels, []))
                    places[labels] = place
                }
                groups[place].buckets.append((bound, index))
            }
            return groups.map { labels, buckets in
                let buckets = buckets.sorted { $0.bound < $1.bound }
                let values = shares.indices.map { moment -> Double? in
                    let counts = buckets.compactMap { bucket in
                        series[bucket.index].values[moment].map { (bound: bucket.bound, count: $0) }
                    }
                    return counts.isEmpty ? nil : quantile(shares[moment], counts)
                }
                return SampleSeries(labels: labels, values: values)
            }
        }

        /// Of buckets with ascending bounds and cumulative counts.
        private static func quantile(_ share: Double, _ buckets: [(bound: Double, count: Double)]) -> Double {
            guard let last = buckets.last, last.bound == .infinity, buckets.count > 1, last.count > 0, !share.isNaN
            else {
                return .nan
            }
            if share < 0 { return -.infinity }
            if share > 1 { return .infinity }
            let rank = share * last.count
            let place = buckets.firstIndex { $0.count >= rank } ?? buckets.count - 1
            // Nobody knows how far the last bucket reaches.
            if place == buckets.count - 1 { return buckets[place - 1].bound }
            let below = place > 0 ? buckets[place - 1] : (bound: 0, count: 0)
            let within = buckets[place].count - below.count
            guard within > 0 else { return buckets[place].bound }
            return below.bound + (buckets[place].bound - below.bound) * (rank - below.count) / within
        }
    }
}
