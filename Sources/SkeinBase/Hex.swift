// SPDX-License-Identifier: Apache-2.0

/// Lower-case hexadecimal, most significant digit first.
package enum Hex {
    private static let digits: StaticString = "0123456789abcdef"

    /// Appends the sixteen digits of `value`.
    package static func append(_ value: UInt64, to text: inout [UInt8]) {
        digits.withUTF8Buffer { digits in
            for shift in stride(from: 60, through: 0, by: -4) {
                text.append(digits[Int(truncatingIfNeeded: (value &>> UInt64(shift)) & 15)])
            }
        }
    }

    /// The sixteen digits of `value`.
    package static func string(_ value: UInt64) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(16)
        append(value, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes the sixteen digits of `value` at `pointer`, which must have room for them.
    package static func store(_ value: UInt64, at pointer: UnsafeMutableRawPointer) {
        var rest = value
        digits.withUTF8Buffer { digits in
            for offset in stride(from: 15, through: 0, by: -1) {
                pointer.storeBytes(of: digits[Int(truncatingIfNeeded: rest & 15)], toByteOffset: offset, as: UInt8.self)
                rest &>>= 4
            }
        }
    }

    /// The value of one digit of either case, `nil` for any other byte.
    @inlinable
    package static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit &- 0x30
        case 0x61...0x66: digit &- 0x61 &+ 10
        case 0x41...0x46: digit &- 0x41 &+ 10
        default: nil
        }
    }

    /// Reads 1 to 32 digits of either case as a 128-bit number; `nil` for anything else.
    package static func parse<S: Sequence>(_ text: S) -> (high: UInt64, low: UInt64)? where S.Element == UInt8 {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for byte in text {
            guard count < 32, let digit = value(of: byte) else { return nil }
            high = high &<< 4 | low &>> 60
            low = low &<< 4 | UInt64(digit)
            count += 1
        }
        return count > 0 ? (high, low) : nil
    }
}
