// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What is known of the spans of each series and moment while they are added up.
struct SeriesCells: Sendable {
    /// Numbers that are kept for a series and moment.
    enum Kind: Sendable {
        /// How many spans.
        case counts
        /// How many values, and their sum.
        case sums
        case least
        case greatest
        case histograms
    }

    /// Cells that all series have together, at most: 64 MiB of numbers.
    static let countMax = 8 << 20
    /// Cells with a histogram, at most: 128 MiB of numbers.
    static let histogramCountMax = 256 << 10

    /// Bytes of the values that all series are grouped by, at most.
    static let keyByteCountMax = 64 << 20

    let kind: Kind
    let momentCount: Int
    private var keyByteCount = 0
    private(set) var keys: [[Value]] = []
    private var places: [[Value]: Int] = [:]
    /// By series and moment.
    private(set) var counts: [Double] = []
    /// By series and moment: sums, least or greatest values.
    private(set) var numbers: [Double] = []
    /// By series and moment, the place of the histogram, or -1.
    private var histogramPlaces: [Int32] = []
    private var histograms: [Double] = []

    init(_ kind: Kind, momentCount: Int) {
        self.kind = kind
        self.momentCount = momentCount
    }

    /// Memory that it takes, about.
    var byteCount: Int {
        8 * (counts.count + numbers.count + histograms.count) + 4 * histogramPlaces.count + 128 * keys.count
            + keyByteCount
    }

    /// The number of the series with these groups, which is made when new.
    mutating func series(_ key: [Value]) throws(StoreError) -> Int {
        if let place = places[key] { return place }
        let count = (keys.count + 1) * momentCount
        guard count <= Self.countMax else {
            throw StoreError(
                .limit,
                "the query has more than \(keys.count) series of \(momentCount) moments, together at most "
                    + "\(Self.countMax) samples: group by less, filter, or take a longer step"
            )
        }
        keyByteCount += key.reduce(0) { $0 + $1.byteCount }
        guard keyByteCount <= Self.keyByteCountMax else {
            throw StoreError(
                .limit,
                "the labels of the query's series have more than \(Self.keyByteCountMax >> 20) MiB together: group by what "
                    + "has shorter values, or filter"
            )
        }
        places[key] = keys.count
        keys.append(key)
        switch kind {
        case .counts: counts.append(contentsOf: repeatElement(0, count: momentCount))
        case .sums, .least, .greatest:
            counts.append(contentsOf: repeatElement(0, count: momentCount))
            numbers.append(contentsOf: repeatElement(0, count: momentCount))
        case .histograms: histogramPlaces.append(contentsOf: repeatElement(-1, count: momentCount))
        }
        return keys.count - 1
    }

    /// Adds a span that stands for `weight`.
    @inline(__always)
    mutating func add(weight: Double, to cell: Int) { counts[cell] += weight }

    /// Adds a value that stands for `weight`.
    @inline(__always)
    mutating func add(_ value: Double, weight: Double, to cell: Int) {
        switch kind {
        case .sums: numbers[cell] += value * weight
        case .least: if counts[cell] == 0 || value < numbers[cell] { numbers[cell] = value }
        default: if counts[cell] == 0 || value > numbers[cell] { numbers[cell] = value }
        }
        counts[cell] += weight
    }

    /// Adds a value to the bucket of a histogram.
    @inline(__always)
    mutating func add(bucket: Int, weight: Double, to cell: Int) throws(StoreError) {
        var place = Int(histogramPlaces[cell])
        if place < 0 {
            place = histograms.count / Log2Histogram.bucketCount
            guard place < Self.histogramCountMax else {
                throw StoreError(
                    .limit,
                    "the query makes more than \(Self.histogramCountMax) histograms: group by less, filter, or take "
                        + "a longer step"
                )
            }
            histogramPlaces[cell] = Int32(place)
            histograms.append(contentsOf: repeatElement(0, count: Log2Histogram.bucketCount))
        }
        histograms[place * Log2Histogram.bucketCount + bucket] += weight
    }

    /// The counts of a histogram; empty when nothing was counted.
    func histogram(_ cell: Int) -> ArraySlice<Double> {
        let place = Int(histogramPlaces[cell])
        return place < 0 ? [] : histograms[(place * Log2Histogram.bucketCount)...].prefix(Log2Histogram.bucketCount)
    }

    /// Adds what others counted.
    mutating func add(_ other: SeriesCells) throws(StoreError) {
        for (number, key) in other.keys.enumerated() {
            let (from, to) = (number * momentCount, try series(key) * momentCount)
            for moment in 0..<momentCount {
                switch kind {
                case .counts: counts[to + moment] += other.counts[from + moment]
                case .sums, .least, .greatest:
                    guard other.counts[from + moment] > 0 else { continue }
                    let value = other.numbers[from + moment]
                    switch kind {
                    case .sums: numbers[to + moment] += value
                    case .least:
                        if counts[to + moment] == 0 || value < numbers[to + moment] { numbers[to + moment] = value }
                    default:
                        if counts[to + moment] == 0 || value > numbers[to + moment] { numbers[to + moment] = value }
                    }
                    counts[to + moment] += other.counts[from + moment]
                case .histograms:
                    for (bucket, count) in other.histogram(from + moment).enumerated() where count > 0 {
                        try add(bucket: bucket, weight: count, to: to + moment)
                    }
                }
            }
        }
    }
}

/// Some spans of each moment, which ones depends on their ids alone: any order and any number of threads picks the same.
struct ExemplarPicks: Sendable {
    struct Pick: Sendable {
        var rank: UInt64
        var series: Int
        var exemplar: Series.Exemplar
    }

    /// Of a moment.
    static let countMax = 2
    private(set) var picks: [[Pick]]

    init(momentCount: Int) { picks = [[Pick]](repeating: [], count: momentCount) }

    /// Whether a span is worth describing.
    @inline(__always)
    func isWanted(_ spanID: UInt64, _ moment: Int) -> Bool {
        let known = picks[moment]
        return known.count < Self.countMax || Self.rank(spanID) < known[known.count - 1].rank
    }

    mutating func add(_ exemplar: Series.Exemplar, series: Int, _ moment: Int) {
        add(Pick(rank: Self.rank(exemplar.spanID.rawValue), series: series, exemplar: exemplar), moment)
    }

    mutating func add(_ pick: Pick, _ moment: Int) {
        let place = picks[moment].firstIndex { pick.rank < $0.rank } ?? picks[moment].count
        picks[moment].insert(pick, at: place)
        if picks[moment].count > Self.countMax { picks[moment].removeLast() }
    }

    /// The first `count` of all, by rank.
    func first(_ count: Int) -> [(moment: Int, pick: Pick)] {
        var all: [(moment: Int, pick: Pick)] = []
        for (moment, picks) in picks.enumerated() { for pick in picks { all.append((moment, pick)) } }
        all.sort { $0.pick.rank < $1.pick.rank }
        return Array(all.prefix(count))
    }

    private static func rank(_ spanID: UInt64) -> UInt64 { spanID &* 0x9e37_79b9_7f4a_7c15 ^ spanID >> 29 }
}
