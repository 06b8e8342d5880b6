// SPDX-License-Identifier: Apache-2.0

/// Lower-case hexadecimal, most significant digit first.
public enum Hex {
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

    /// Reads 1 to 32 digits of either case as a 128-bit number; `nil` for anything else. For hot loops: no branch for a digit.
    @inlinable
    public static func parse(_ digits: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64)? {
        let count = digits.count
        guard count > 0, count <= 32 else { return nil }
        let split = max(0, count &- 16)
        guard let high = number(digits, 0, split), let low = number(digits, split, count) else { return nil }
        return (high, low)
    }

    /// The number that the digits from `start` to `end`, which the caller has checked to be there, stand for.
    @inlinable @inline(__always)
    static func number(_ digits: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UInt64? {
        var value: UInt64 = 0
        var areGood: UInt8 = 1
        var at = start
        while at < end {
            let byte = digits.unsafelyLoad(at, as: UInt8.self)
            let isDecimal: UInt8 = byte &- 0x30 < 10 ? 1 : 0
            let isLetter: UInt8 = (byte | 0x20) &- 0x61 < 6 ? 1 : 0
            areGood &= isDecimal | isLetter
            // The low half of "a" and "A" is 1, which stands for 10.
            value = value &<< 4 | UInt64((byte & 15) &+ 9 &* isLetter)
            at &+= 1
        }
        return areGood == 1 ? value : nil
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
