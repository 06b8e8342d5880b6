// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Makes the points of a ``JaegerMetricsRequest`` of slices of sums, which come in order of time.
///
/// A window of slices moves over time; what enters it is added to the sums of its series and what leaves is taken away,
/// which is exact since sums are whole numbers.
struct JaegerMetrics {
    /// The figures of one service, or of one of its operations.
    struct Series {
        /// Place among the services asked for.
        var service: Int
        /// `nil` when operations are not told apart.
        var operation: String?
        /// From point ``firstPoint`` on; before, there were no calls.
        var points: [Double] = []
        var firstPoint: Int
        fileprivate var sums = Sums()
    }

    private struct Key: Hashable {
        var service: Int
        var operation: ExactText?
    }

    /// What the slices in the window add up to.
    fileprivate struct Sums {
        /// In units, see ``DurationDistribution``.
        var units: Int64 = 0
        var errorUnits: Int64 = 0
        /// By number of bucket; empty where no quantile is asked for.
        var buckets: [Int64] = []
    }

    private struct Part {
        var series: Int
        var isError: Bool
        var durations: DurationDistribution
    }

    private struct Slice {
        var range: TimeRange
        var parts: [Part]
    }

    private let request: JaegerMetricsRequest
    private let now: UInt64
    private var slices: [Slice] = []
    /// Slices before this one have left the window.
    private var firstSlice = 0
    private var nextPoint = 0
    private var places: [Key: Int] = [:]
    private(set) var series: [Series] = []

    /// No points yet. What lies behind `now` has not happened, and is no part of a window.
    init(_ request: JaegerMetricsRequest, now: UInt64) {
        self.request = request
        self.now = now
    }

    /// Memory held, roughly.
    var byteCount: Int { series.count * (8 * request.pointCount + 8 * DurationBucket.count) }

    /// Takes the next slice.
    mutating func add(_ slice: RollupSlice) {
        while nextPoint < request.pointCount, request.window(ofPoint: nextPoint).end <= slice.startUnixNanos {
            makePoints()
        }
        var parts: [Part] = []
        for operation in slice.operations where request.kinds.contains(operation.kind) {
            guard let name = operation.service,
                let service = request.services.firstIndex(where: { $0.isExactly(name) })
            else { continue }
            let part = Part(
                series: place(of: operation, service),
                isError: operation.status == .error,
                durations: operation.durations
            )
            series[part.series].sums.add(part.durations, isError: part.isError, sign: 1, request.figure)
            parts.append(part)
        }
        let range = TimeRange(start: slice.startUnixNanos, end: slice.endUnixNanos)
        if !parts.isEmpty { slices.append(Slice(range: range, parts: parts)) }
    }

    /// Makes the points that are left, and puts the series in order: by service as asked for, then by operation.
    mutating func finish() {
        while nextPoint < request.pointCount { makePoints() }
        series.sort { a, b in
            a.service != b.service ? a.service < b.service : (a.operation ?? "").precedes(b.operation ?? "")
        }
    }

    /// What operations beyond those that are counted apart go by.
    private static let otherOperations = "(other operations)"

    private mutating func place(of operation: OperationRollup, _ service: Int) -> Int {
        let name = request.groupsByOperation ? operation.operation ?? Self.otherOperations : nil
        let key = Key(service: service, operation: name.map { ExactText($0) })
        if let place = places[key] { return place }
        places[key] = series.count
        series.append(Series(service: service, operation: name, firstPoint: nextPoint))
        return series.count - 1
    }

    /// Makes the next point of every series.
    private mutating func makePoints() {
        let window = request.window(ofPoint: nextPoint)
        while firstSlice < slices.count, slices[firstSlice].range.end <= window.start {
            for part in slices[firstSlice].parts {
                series[part.series].sums.add(part.durations, isError: part.isError, sign: -1, request.figure)
            }
            firstSlice += 1
        }
        if firstSlice > 64, firstSlice * 2 > slices.count {
            slices.removeFirst(firstSlice)
            firstSlice = 0
        }
        // Slices may be longer than minutes and reach over the ends of the window.
        let start = min(window.start, firstSlice < slices.count ? slices[firstSlice].range.start : .max)
        let end = min(max(window.end, slices.last?.range.end ?? 0), max(now, window.start + 1))
        let seconds = Double(max(end, start + 1) - start) / 1e9
        for index in series.indices {
            series[index].points.append(series[index].sums.value(of: request.figure, seconds: seconds))
        }
        nextPoint += 1
    }
}

extension JaegerMetrics.Sums {
    fileprivate mutating func add(
        _ durations: DurationDistribution,
        isError: Bool,
        sign: Int64,
        _ figure: JaegerMetricsRequest.Figure
    ) {
        units &+= sign &* durations.units
        if isError { errorUnits &+= sign &* durations.units }
        guard case .latency = figure else { return }
        if buckets.isEmpty { buckets = [Int64](repeating: 0, count: DurationBucket.count) }
        for bucket in durations.buckets where Int(bucket.number) < buckets.count {
            buckets[Int(bucket.number)] &+= sign &* bucket.units
        }
    }

    /// Not a number where there is nothing to divide.
    fileprivate func value(of figure: JaegerMetricsRequest.Figure, seconds: Double) -> Double {
        switch figure {
        case .calls: Double(units) / DurationDistribution.unitsPerSpan / seconds
        case .errors: units > 0 ? Double(errorUnits) / Double(units) : .nan
        case .latency(let quantile): (nanos(quantile) ?? .nan) / 1e6
        }
    }

    private func nanos(_ quantile: Double) -> Double? {
        guard units > 0 else { return nil }
        var durations = DurationDistribution()
        durations.buckets = buckets.indices.compactMap {
            buckets[$0] > 0 ? .init(number: UInt16($0), units: buckets[$0]) : nil
        }
        return durations.quantileNanos(quantile)
    }
}
