// SPDX-License-Identifier: Apache-2.0

/// A fast hash of bytes for tables in memory. Never stored: its values may change with any version.
package enum Hash {
    /// A well-mixed number; equal bytes give equal numbers within one process.
    @inlinable
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(truncatingIfNeeded: bytes.count)
        var offset = 0
        let count = bytes.count
        while offset &+ 8 <= count {
            state = fold(state ^ bytes.unsafelyLoad(offset, as: UInt64.self), 0xa076_1d64_78bd_642f)
            offset &+= 8
        }
        if offset < count {
            var tail: UInt64 = 0
            if count >= 8 {
                tail = bytes.unsafelyLoad(count &- 8, as: UInt64.self)
            } else {
                while offset < count {
                    tail = tail &<< 8 | UInt64(bytes.unsafelyLoad(offset, as: UInt8.self))
                    offset &+= 1
                }
            }
            state = fold(state ^ tail, 0xe703_7ed1_a0b4_28db)
        }
        return fold(state, 0x8ebc_6af0_9c88_c6e3)
    }

    /// A well-mixed number from one word.
    @inlinable
    package static func of(_ word: UInt64) -> UInt64 { fold(word ^ 0x9e37_79b9_7f4a_7c15, 0xa076_1d64_78bd_642f) }

    @inlinable
    package static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
