// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension PromQL {
    /// Makes series of slices of rollups: of each sort of spans that a selector means, or of groups of them.
    ///
    /// Keeps one number a slice, sort and bucket, whole units that add and subtract exactly, so that sliding a window over
    /// them costs the same however long it is.
    struct SeriesReader {
        private let reading: Reading
        /// How to sum up before anything else; the metric must be one then.
        private let grouping: Grouping?
        private let metrics: [SpanMetric]
        /// By metric: which of its buckets are meant, and read apart.
        private let bounds: [[Bool]]

        /// First minutes of slices, ascending.
        private var starts: [Int] = []
        /// The minutes behind the last ones of slices.
        private var ends: [Int] = []
        private var columns: [Column] = []
        /// By metric and row, the index of the column, or -1 where it is not meant.
        private var columnOfRow: [[RollupRow.Key: Int]]
        private var columnOfLabels: [LabelSet: Int] = [:]
        /// Numbers kept so far.
        private(set) var valueCount = 0

        /// What was counted of one group.
        private struct Column {
            let labels: LabelSet
            let metric: Int
            /// Indices of slices, ascending.
            var slices: [Int] = []
            /// ``SpanMetric/width`` for each of ``slices``.
            var sums: [Int128] = []
        }

        /// Bytes of memory that a number kept takes, with its part of what tells where it belongs.
        static let valueByteCount = 24

        init(_ reading: Reading, grouping: Grouping? = nil) {
            self.reading = reading
            self.grouping = grouping
            // A selector of `le` means buckets only, and one of `le=""` means all else.
            metrics = reading.selector.metrics.filter { metric in
                metric.part == .bucket || reading.selector.matches(bound: "")
            }
            bounds = metrics.map { metric in
                metric.part == .bucket
                    ? metric.family.bounds.texts.map { reading.selector.matches(bound: $0) } : [true]
            }
            columnOfRow = Array(repeating: [:], count: metrics.count)
        }

        /// Adds slices that come behind those that were added.
        mutating func add(_ slices: [RollupSlice]) {
            for slice in slices {
                let place = starts.count
                starts.append(Int(slice.startUnixNanos / RollupGrid.minuteNanos))
                ends.append(Int(slice.endUnixNanos / RollupGrid.minuteNanos))
                for isServiceGraph in [false, true] {
                    let wanted = metrics.indices.filter { metrics[$0].family.isServiceGraph == isServiceGraph }
                    guard !wanted.isEmpty else { continue }
                    for row in slice.rows(ofServiceGraph: isServiceGraph) {
                        for metric in wanted where row.has(metrics[metric].family) { add(row, of: metric, at: place) }
                    }
                }
            }
        }

        private mutating func add(_ row: RollupRow, of metric: Int, at slice: Int) {
            let index = column(of: row.key, metric)
            guard index >= 0 else { return }
            let width = bounds[metric].count
            if columns[index].slices.last != slice {
                columns[index].slices.append(slice)
                columns[index].sums.append(contentsOf: repeatElement(0, count: width))
                valueCount += width
            }
            let place = columns[index].sums.count - width
            row.add(metrics[metric], to: &columns[index].sums, at: place)
        }

        private mutating func column(of row: RollupRow.Key, _ metric: Int) -> Int {
            if let known = columnOfRow[metric][row] { return known }
            var labels = LabelSet(row.labels + [.init(LabelSet.metricName, metrics[metric].name)])
            var index = -1
            if reading.selector.matches(labels) {
                if let grouping { labels = labels.keeping(grouping.keeps) }
                if let known = columnOfLabels[labels] {
                    index = known
                } else {
                    index = columns.count
                    columns.append(Column(labels: labels, metric: metric))
                    columnOfLabels[labels] = index
                }
            }
            columnOfRow[metric][row] = index
            return index
        }

        // MARK: Series

        /// How many series there are.
        var seriesCount: Int {
            columns.reduce(0) { $0 + (keepsBounds($1.metric) ? bounds[$1.metric].count(where: \.self) : 1) }
        }

        /// The series that have spans in any window, each in order of its bounds.
        func series(_ windows: Windows, _ moments: Moments) -> [SampleSeries] {
            let stretches = Stretches(
                windows,
                starts: starts,
                ends: ends,
                moments,
                offset: reading.selector.offsetMillis
            )
            return columns.flatMap { series($0, stretches) }
        }

        /// Whether buckets are series of their own.
        private func keepsBounds(_ metric: Int) -> Bool {
            metrics[metric].part == .bucket && grouping?.keeps(LabelSet.bound) ?? true
        }

        private func series(_ column: Column, _ stretches: Stretches) -> [SampleSeries] {
            let (metric, isMeant) = (metrics[column.metric], bounds[column.metric])
            let width = isMeant.count
            let keepsBounds = keepsBounds(column.metric)
            // By bucket, which series it is.
            var places = [Int?](repeating: 0, count: width)
            var found: [SampleSeries] = []
            let empty = [Double?](repeating: nil, count: stretches.slices.count)
            var labels = column.labels
            if reading.measure != .total { labels = labels.unnamed }
            if keepsBounds {
                for (bucket, text) in metric.family.bounds.texts.enumerated() {
                    places[bucket] = isMeant[bucket] ? found.count : nil
                    if isMeant[bucket] {
                        found.append(SampleSeries(labels: labels.with(LabelSet.bound, text), values: empty))
                    }
                }
            } else {
                found.append(SampleSeries(labels: labels, values: empty))
                for bucket in 0..<width where !isMeant[bucket] { places[bucket] = nil }
            }
            var window = [Int128](repeating: 0, count: width)
            var (head, tail) = (0, 0)
            var isSeen = false
            for (moment, slices) in stretches.slices.enumerated() {
                while tail < column.slices.count, column.slices[tail] < slices.upperBound {
                    for bucket in 0..<width { window[bucket] += column.sums[tail * width + bucket] }
                    tail += 1
                }
                while head < tail, column.slices[head] < slices.lowerBound {
                    for bucket in 0..<width { window[bucket] -= column.sums[head * width + bucket] }
                    head += 1
                }
                if head < tail { isSeen = true }
                // Before its first span nobody knew of a series; a rate of nothing is a rate.
                if reading.measure == .total, tail == 0 { continue }
                var cumulative: Int128 = 0
                for bucket in 0..<width {
                    cumulative += window[bucket]
                    guard let place = places[bucket] else { continue }
                    let value = measured(metric.value(cumulative), in: stretches.seconds[moment])
                    found[place].values[moment] = (found[place].values[moment] ?? 0) + value
                }
            }
            return isSeen ? found : []
        }

        private func measured(_ value: Double, in seconds: Double) -> Double {
            switch reading.measure {
            case .total: value
            case .rate: value / seconds
            case .increase(let millis): value * (Double(millis) / 1_000 / seconds)
            }
        }
    }
}

extension PromQL.Reading {
    /// How long its windows are; `nil` for all that was before.
    var windowMillis: Int? {
        switch measure {
        case .total: nil
        case .rate(let millis), .increase(let millis): millis
        }
    }
}
