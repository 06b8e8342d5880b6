// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// How long spans of one sort took: how many, how long together, and a histogram.
///
/// Each span counts by its weight, in units of 1/65,536 span: so sums are whole numbers, exact in any order, and what was
/// added can be taken away again. A weight is rounded to such units and is at most 2^32.
public struct DurationDistribution: Hashable, Sendable {
    /// Spans, in units.
    package var units: Int64 = 0
    /// Nanoseconds times units.
    package var unitNanos: Int128 = 0
    /// In ascending order of ``Bucket/number``.
    package var buckets: [Bucket] = []
    /// The trace of the longest span.
    public var exemplar: Exemplar?

    /// Spans of about the same duration.
    package struct Bucket: Hashable, Sendable {
        /// See ``DurationBucket``.
        package var number: UInt16
        package var units: Int64

        package init(number: UInt16, units: Int64) {
            self.number = number
            self.units = units
        }
    }

    /// A trace that shows what the figures speak of.
    public struct Exemplar: Hashable, Sendable {
        public var traceID: TraceID
        /// Duration of its span, in nanoseconds.
        public var durationNanos: UInt64

        /// An exemplar.
        public init(traceID: TraceID, durationNanos: UInt64) {
            self.traceID = traceID
            self.durationNanos = durationNanos
        }

        /// Whether this one is shown rather than `other`: the longer one, of equal ones the lesser id.
        package func precedes(_ other: Exemplar) -> Bool {
            durationNanos != other.durationNanos ? durationNanos > other.durationNanos : traceID < other.traceID
        }
    }

    /// The distribution of no spans.
    public init() {}

    /// Spans, each by its weight.
    public var count: Double { Double(units) / Self.unitsPerSpan }
    /// Nanoseconds of all spans together, each by its weight.
    public var sumNanos: Double { Double(unitNanos) / Self.unitsPerSpan }

    package static let unitsPerSpan = 65_536.0
    /// The largest weight that counts: of a hundred million spans that claim it the sum still has room.
    package static let weightMax = 1_048_576.0

    /// A span's weight in units. What is no positive number counts nothing.
    package static func units(ofWeight weight: Double) -> Int64 {
        weight > 0 ? Int64((min(weight, weightMax) * unitsPerSpan).rounded()) : 0
    }

    /// The duration that a share `quantile` (0…1) of the spans do not exceed, in nanoseconds, to within 4.5 %; `nil` when
    /// there are none.
    public func quantileNanos(_ quantile: Double) -> Double? {
        let total = buckets.reduce(0.0) { $0 + Double(max($1.units, 0)) }
        guard total > 0 else { return nil }
        let wanted = min(max(quantile, 0), 1) * total
        var seen = 0.0
        for bucket in buckets where bucket.units > 0 {
            seen += Double(bucket.units)
            if seen >= wanted { return DurationBucket.middleNanos(Int(bucket.number)) }
        }
        return buckets.last { $0.units > 0 }.map { DurationBucket.middleNanos(Int($0.number)) }
    }

    /// Adds what `other` speaks of.
    public mutating func add(_ other: DurationDistribution) {
        units &+= other.units
        unitNanos &+= other.unitNanos
        if let theirs = other.exemplar, exemplar.map({ theirs.precedes($0) }) ?? true { exemplar = theirs }
        var merged: [Bucket] = []
        merged.reserveCapacity(buckets.count + other.buckets.count)
        var (mine, their) = (0, 0)
        while mine < buckets.count || their < other.buckets.count {
            if their == other.buckets.count
                || (mine < buckets.count && buckets[mine].number < other.buckets[their].number)
            {
                merged.append(buckets[mine])
                mine += 1
            } else if mine == buckets.count || other.buckets[their].number < buckets[mine].number {
                merged.append(other.buckets[their])
                their += 1
            } else {
                let units = buckets[mine].units &+ other.buckets[their].units
                if units != 0 { merged.append(Bucket(number: buckets[mine].number, units: units)) }
                mine += 1
                their += 1
            }
        }
        buckets = merged
    }

    /// Adds one span.
    package mutating func add(durationNanos: UInt64, weight: Double, traceID: TraceID) {
        var one = DurationDistribution()
        one.units = Self.units(ofWeight: weight)
        guard one.units != 0 else { return }
        one.unitNanos = Int128(one.units) * Int128(durationNanos)
        one.buckets = [Bucket(number: UInt16(DurationBucket.number(of: durationNanos)), units: one.units)]
        one.exemplar = Exemplar(traceID: traceID, durationNanos: durationNanos)
        add(one)
    }
}
