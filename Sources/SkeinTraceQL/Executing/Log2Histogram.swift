// SPDX-License-Identifier: Apache-2.0

/// Histograms with a bucket for each power of two, as Tempo's `quantile_over_time` and `histogram_over_time` have them:
/// bucket `i` counts the values above 2^(i-1), up to 2^i.
enum Log2Histogram {
    static let bucketCount = 64

    /// The bucket of a value; `nil` below 2, which is not counted.
    @inline(__always)
    static func bucket(of value: UInt64) -> Int? {
        value < 2 ? nil : min(64 &- (value &- 1).leadingZeroBitCount, bucketCount - 1)
    }

    /// The greatest value of a bucket.
    static func limit(of bucket: Int) -> Double {
        var limit = 1.0
        for _ in 0..<bucket { limit *= 2 }
        return limit
    }

    /// The value that the share `q`, 0…1, of what was counted does not exceed: exponential between the edges of its bucket.
    /// `nil` when nothing was counted.
    static func quantile(_ q: Double, of counts: ArraySlice<Double>) -> Double? {
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        let wanted = (q * total).rounded(.up)
        var seen = 0.0
        var last: Int?
        for (bucket, count) in counts.enumerated() where count > 0 {
            last = bucket
            guard seen + count >= wanted else {
                seen += count
                continue
            }
            let share = max(0, wanted - seen) / count
            return limit(of: bucket - 1) * exponential2(share)
        }
        return last.map(limit)
    }

    /// 2^x for 0…1.
    private static func exponential2(_ x: Double) -> Double {
        // The series of e^(x ln 2): the terms beyond are below the last bit.
        let y = x * 0.693_147_180_559_945_3
        var (sum, term) = (1.0, 1.0)
        for n in 1...20 {
            term *= y / Double(n)
            sum += term
        }
        return sum
    }
}
