// SPDX-License-Identifier: Apache-2.0

/// How long things took, in a fixed number of buckets: as many notes as there are take the same memory.
///
/// Buckets are exact up to 32 ns, then 32 to each doubling, so that a quantile is at most 1/32 above the true one.
struct LatencyHistogram: Sendable {
    private static let bucketsPerDoubling = 32
    /// Bits that choose among the buckets of a doubling.
    private static let fineBits = 5

    private var counts = [Int](repeating: 0, count: (64 - fineBits + 1) * bucketsPerDoubling)
    private(set) var count = 0
    /// Exact; 0 without any.
    private(set) var max: UInt64 = 0

    /// Notes one.
    mutating func add(_ nanos: UInt64) {
        counts[Self.bucket(of: nanos)] += 1
        count += 1
        max = Swift.max(max, nanos)
    }

    /// The latency below which `share` of them lie; 0 without any.
    func quantile(_ share: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let rank = min(Int(Double(count) * share), count - 1)
        var seen = 0
        for (bucket, inBucket) in counts.enumerated() {
            seen += inBucket
            if seen > rank { return min(Self.end(of: bucket), max) }
        }
        return max
    }

    private static func bucket(of nanos: UInt64) -> Int {
        guard nanos >= UInt64(bucketsPerDoubling) else { return Int(nanos) }
        let shift = 63 - nanos.leadingZeroBitCount - fineBits
        return (shift + 1) * bucketsPerDoubling + Int(nanos >> UInt64(shift)) - bucketsPerDoubling
    }

    /// The greatest value of a bucket.
    private static func end(of bucket: Int) -> UInt64 {
        let (doubling, fine) = bucket.quotientAndRemainder(dividingBy: bucketsPerDoubling)
        guard doubling > 0 else { return UInt64(fine) }
        let first = UInt64(fine + bucketsPerDoubling) << UInt64(doubling - 1)
        return first + ((UInt64(1) << UInt64(doubling - 1)) - 1)
    }
}
