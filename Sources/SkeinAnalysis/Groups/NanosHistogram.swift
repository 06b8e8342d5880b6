// SPDX-License-Identifier: Apache-2.0

/// How often durations of about each length came: 32 buckets an octave, so that a quantile is within 1.6 % (1/64).
struct NanosHistogram: Sendable {
    private var weights: [UInt16: Double] = [:]

    /// Adds a duration that counts as much as `weight`.
    mutating func add(_ nanos: UInt64, weight: Double) { weights[Self.bucket(of: nanos), default: 0] += weight }

    /// Adds what `other` counted.
    mutating func add(_ other: NanosHistogram) { weights.merge(other.weights, uniquingKeysWith: +) }

    /// The duration that a share `quantile` (0…1) does not exceed; 0 when nothing was added.
    func quantile(_ quantile: Double) -> UInt64 {
        let wanted = weights.values.reduce(0, +) * quantile
        var seen = 0.0
        for (bucket, weight) in weights.sorted(by: { $0.key < $1.key }) {
            seen += weight
            // What is lost to rounding must not lead beyond the last bucket.
            if seen >= wanted * (1 - 1e-12) { return Self.middle(of: bucket) }
        }
        return 0
    }

    /// Durations below 32 have a bucket each; above, the five bits behind the first one number the bucket of an octave.
    private static func bucket(of nanos: UInt64) -> UInt16 {
        guard nanos >= 32 else { return UInt16(nanos) }
        let octave = 58 - nanos.leadingZeroBitCount
        return UInt16(32 * octave) + UInt16(nanos >> UInt64(octave))
    }

    private static func middle(of bucket: UInt16) -> UInt64 {
        guard bucket >= 64 else { return UInt64(bucket) }
        let octave = UInt64(bucket / 32 - 1)
        return (UInt64(bucket % 32 + 32) << octave) + (1 << octave) / 2
    }
}
