// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Strings of JSON (RFC 8259 §7).
enum JSONText {
    /// Appends valid UTF-8 as a quoted string: escapes for `"`, `\` and control characters, all else as it is.
    static func append(_ bytes: UnsafeRawBufferPointer, to out: inout ByteWriter) {
        out.reserve(bytes.count + 2)
        out.append(0x22)
        var start = 0
        var at = 0
        while true {
            at = indexOfSpecial(bytes, from: at)
            if at == bytes.count { break }
            out.append(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
            appendEscape(of: bytes[at], to: &out)
            at += 1
            start = at
        }
        out.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        out.append(0x22)
    }

    /// The first byte at or after `start` that is `"`, `\` or a control character; `bytes.count` when there is none.
    @inline(__always)
    static func indexOfSpecial(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let count = bytes.count
        var at = start
        while at &+ 8 <= count {
            // A zero byte in a word shows in the high bit of (word - ones) & ~word; the lowest such bit is exact.
            let word = UInt64(littleEndian: bytes.unsafelyLoad(at, as: UInt64.self))
            let quote = word ^ (0x22 &* ones)
            let slash = word ^ (0x5c &* ones)
            let found =
                ((quote &- ones) & ~quote | (slash &- ones) & ~slash | (word &- 0x20 &* ones) & ~word) & highs
            if found != 0 { return at &+ found.trailingZeroBitCount &>> 3 }
            at &+= 8
        }
        while at < count {
            let byte = bytes.unsafelyLoad(at, as: UInt8.self)
            if byte < 0x20 || byte == 0x22 || byte == 0x5c { return at }
            at &+= 1
        }
        return count
    }

    private static func appendEscape(of byte: UInt8, to out: inout ByteWriter) {
        out.append(0x5c)
        switch byte {
        case 0x22, 0x5c: out.append(byte)
        case 0x08: out.append(UInt8(ascii: "b"))
        case 0x09: out.append(UInt8(ascii: "t"))
        case 0x0a: out.append(UInt8(ascii: "n"))
        case 0x0c: out.append(UInt8(ascii: "f"))
        case 0x0d: out.append(UInt8(ascii: "r"))
        default:
            out.append(utf8: "u00")
            for digit in [byte >> 4, byte & 15] { out.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
        }
    }
}
