// SPDX-License-Identifier: Apache-2.0

/// A fast hash of bytes for tables in memory. Never stored: its values may change with any version.
public enum Hash {
    /// A random number, drawn once for each process. Where a client chooses what is hashed, pass it as the seed: then
    /// nobody outside can choose what collides. Keep a copy of it where it is used often.
    public static let processSeed = UInt64.random(in: 1 << 32 ... .max)

    /// A well-mixed number; equal bytes with one seed give equal numbers within one process.
    ///
    /// The construction is wyhash's: two words folded by a 64 × 64 → 128 bit product, the last ones overlapping, so that
    /// keys of up to 16 bytes cost two products and no loop.
    @inlinable @inline(__always)
    public static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0x9e37_79b9_7f4a_7c15) -> UInt64 {
        let count = bytes.count
        let secret = seed ^ 0xa076_1d64_78bd_642f
        var state = seed
        let a: UInt64
        let b: UInt64
        if count > 16 {
            var offset = 0
            while offset &+ 16 < count {
                state = fold(
                    bytes.unsafelyLoad(offset, as: UInt64.self) ^ secret,
                    bytes.unsafelyLoad(offset &+ 8, as: UInt64.self) ^ state
                )
                offset &+= 16
            }
            a = bytes.unsafelyLoad(count &- 16, as: UInt64.self)
            b = bytes.unsafelyLoad(count &- 8, as: UInt64.self)
        } else if count >= 8 {
            a = bytes.unsafelyLoad(0, as: UInt64.self)
            b = bytes.unsafelyLoad(count &- 8, as: UInt64.self)
        } else if count >= 4 {
            a = UInt64(bytes.unsafelyLoad(0, as: UInt32.self))
            b = UInt64(bytes.unsafelyLoad(count &- 4, as: UInt32.self))
        } else if count > 0 {
            a =
                UInt64(bytes.unsafelyLoad(0, as: UInt8.self)) &<< 16
                | UInt64(bytes.unsafelyLoad(count &>> 1, as: UInt8.self)) &<< 8
                | UInt64(bytes.unsafelyLoad(count &- 1, as: UInt8.self))
            b = 0
        } else {
            a = 0
            b = 0
        }
        return fold(fold(a ^ secret, b ^ state), 0xe703_7ed1_a0b4_28db ^ UInt64(truncatingIfNeeded: count))
    }

    /// A well-mixed number from one word.
    @inlinable
    public static func of(_ word: UInt64, seed: UInt64 = 0xa076_1d64_78bd_642f) -> UInt64 {
        fold(word ^ 0x9e37_79b9_7f4a_7c15, seed)
    }

    /// A well-mixed number from two words.
    @inlinable
    public static func of(_ a: UInt64, _ b: UInt64, seed: UInt64) -> UInt64 { of(b ^ of(a, seed: seed), seed: seed) }

    @inlinable
    public static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
