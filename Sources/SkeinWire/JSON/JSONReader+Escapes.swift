// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Strings with escapes (RFC 8259 §7).
extension JSONReader {
    /// Reads on where a string's first escape, or its first error, stands.
    @inline(never)
    mutating func readEscapedString(
        from start: Int,
        special: Int
    ) throws(WireError) -> UnsafeRawBufferPointer {
        unescaped.removeAll()
        var copied = start
        var special = special
        while true {
            at = special
            guard special < bytes.count else { throw error(.malformed, "the text ends inside a string") }
            unescaped.append(UnsafeRawBufferPointer(rebasing: bytes[copied..<special]))
            if bytes[special] == 0x22 {
                at = special &+ 1
                return unescaped.bytes
            }
            guard bytes[special] == 0x5c else { throw unexpected("no control character in a string") }
            try readEscape()
            copied = at
            special = JSONText.indexOfSpecial(bytes, from: at)
        }
    }

    /// Appends what the escape at `at` stands for and passes over it. Half a surrogate pair is U+FFFD.
    private mutating func readEscape() throws(WireError) {
        guard at &+ 1 < bytes.count else { throw error(.malformed, "the text ends inside a string") }
        let sign = bytes[at &+ 1]
        switch sign {
        case 0x22, 0x5c, 0x2f: unescaped.append(sign)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0c)
        case UInt8(ascii: "n"): unescaped.append(0x0a)
        case UInt8(ascii: "r"): unescaped.append(0x0d)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            guard var code = codeUnit(at: at) else { throw unexpected("four hexadecimal digits after \\u") }
            at &+= 6
            if 0xd800..<0xdc00 ~= code, let low = codeUnit(at: at), 0xdc00..<0xe000 ~= low {
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
                at &+= 6
            }
            unescaped.append(utf8: String(Unicode.Scalar(code).map(Character.init) ?? "\u{fffd}"))
            return
        default: throw unexpected("an escape of RFC 8259")
        }
        at &+= 2
    }

    /// The UTF-16 unit that `\uXXXX` at `offset` stands for.
    private func codeUnit(at offset: Int) -> UInt32? {
        guard bytes.count - offset >= 6, bytes[offset] == 0x5c, bytes[offset + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var code: UInt32 = 0
        for digit in offset + 2..<offset + 6 {
            guard let value = Hex.value(of: bytes[digit]) else { return nil }
            code = code << 4 | UInt32(value)
        }
        return code
    }
}
