// SPDX-License-Identifier: Apache-2.0

/// The buckets of durations: a base-2 exponential histogram of scale 3 (OpenTelemetry metrics data model 1.49,
/// "Exponential buckets"), eight buckets an octave, upper bounds inclusive.
///
/// Bucket 0 holds durations of zero. Bucket `n` above it holds `2^((n-2)/8) < d <= 2^((n-1)/8)` nanoseconds, which is
/// OpenTelemetry's index `n - 2`.
package enum DurationBucket {
    /// Numbers of buckets are below this: the last one ends at 2^64.
    package static let count = 514

    /// `floor(2^(63 + j/8))`. No `2^(63 + j/8)` is whole but the first, so comparing whole numbers with its floor is exact.
    private static let bounds: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (
        9_223_372_036_854_775_808, 10_058_158_527_438_640_870, 10_968_499_650_544_839_023,
        11_961_233_684_655_323_370, 13_043_817_825_332_782_212, 14_224_384_202_002_324_189,
        15_511_800_964_685_064_948, 16_915_738_899_553_466_670
    )

    /// The bucket of a duration.
    @inline(__always)
    static func number(of nanos: UInt64) -> Int {
        guard nanos != 0 else { return 0 }
        let leading = nanos.leadingZeroBitCount
        let scaled = nanos &<< UInt64(leading)
        // Eight comparisons without a branch cost less than one that is guessed wrong.
        var above = scaled > bounds.0 ? 1 : 0
        above &+= scaled > bounds.1 ? 1 : 0
        above &+= scaled > bounds.2 ? 1 : 0
        above &+= scaled > bounds.3 ? 1 : 0
        above &+= scaled > bounds.4 ? 1 : 0
        above &+= scaled > bounds.5 ? 1 : 0
        above &+= scaled > bounds.6 ? 1 : 0
        above &+= scaled > bounds.7 ? 1 : 0
        return (63 &- leading) &* 8 &+ above &+ 1
    }

    /// The longest duration in bucket `number`, in whole nanoseconds.
    package static func upperBoundNanos(_ number: Int) -> UInt64 {
        guard number > 0 else { return 0 }
        let exponent = number - 1
        guard exponent < 512 else { return .max }
        let scaled = withUnsafeBytes(of: bounds) { $0.load(fromByteOffset: exponent % 8 * 8, as: UInt64.self) }
        return scaled >> UInt64(63 - exponent / 8)
    }

    /// The geometric middle of a bucket: no duration in it is further away than 4.5 % (2^(1/16) − 1).
    package static func middleNanos(_ number: Int) -> Double {
        guard number > 0 else { return 0 }
        let octaves = (number - 1) / 8 - ((number - 1) % 8 == 0 ? 1 : 0)
        let eighth = ((number - 1) % 8 + 7) % 8
        let power = octaves < 0 ? 0.5 : Double(sign: .plus, exponent: octaves, significand: 1)
        return power * middles[eighth]
    }

    /// `2^((2j + 1)/16)`.
    private static let middles: [Double] = [
        1.0442737824274138, 1.1387886347566916, 1.2418578120734840, 1.3542555469368927, 1.4768261459394993,
        1.6104903319492543, 1.7562521603732995, 1.9152065613971474,
    ]
}
