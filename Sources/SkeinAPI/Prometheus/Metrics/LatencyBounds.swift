// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// The buckets of a classic histogram, and which of them the finer buckets of rollups fall into.
///
/// A bucket of a rollup goes where its middle lies, since it is counted as a whole: so a duration within 4.5 % of a bound may
/// be on its other side.
struct LatencyBounds: Sendable {
    /// Values of `le`, ascending: upper bounds in seconds, then `+Inf`.
    let texts: [String]
    private let nanos: [UInt64]
    private let places: [UInt8]

    /// 2 ms to 16.384 s.
    static let spans = LatencyBounds(firstNanos: 2_000_000, count: 14)
    /// 100 ms to 12.8 s.
    static let requests = LatencyBounds(firstNanos: 100_000_000, count: 8)

    /// Bounds that double.
    private init(firstNanos: UInt64, count: Int) {
        let nanos = (0..<count).map { firstNanos << UInt64($0) }
        self.nanos = nanos
        texts = nanos.map { "\(Double($0) / 1e9)" } + ["+Inf"]
        places = (0..<DurationBucket.count).map { number in
            UInt8(nanos.firstIndex { DurationBucket.middleNanos(number) <= Double($0) } ?? count)
        }
    }

    /// The bucket that a rollup's bucket of this ``DurationBucket`` number falls into.
    func place(ofBucket number: UInt16) -> Int { Int(number) < places.count ? Int(places[Int(number)]) : nanos.count }

    /// The bucket of a duration.
    func place(ofNanos duration: UInt64) -> Int { nanos.firstIndex { duration <= $0 } ?? nanos.count }
}
