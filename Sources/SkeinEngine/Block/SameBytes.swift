// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes: eight at a time, the last ones perhaps twice.
    ///
    /// `elementsEqual` looks at one byte after the other and took a tenth of the encoder's time.
    @inline(__always)
    func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8 else { return elementsEqual(other) }
        var offset = 0
        // Each load ends at or before `count`.
        while offset &+ 8 <= count {
            if unsafelyLoad(offset, as: UInt64.self) != other.unsafelyLoad(offset, as: UInt64.self) { return false }
            offset &+= 8
        }
        return unsafelyLoad(count &- 8, as: UInt64.self) == other.unsafelyLoad(count &- 8, as: UInt64.self)
    }
}
