// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// Base64 (RFC 4648 §4 and §5).
package enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// Appends the standard form with padding.
    package static func append(_ bytes: UnsafeRawBufferPointer, to out: inout ByteWriter) {
        alphabet.withUTF8Buffer { alphabet in
            out.write(atMost: (bytes.count + 2) / 3 * 4) { target in
                var written = 0
                var at = 0
                while at < bytes.count {
                    let left = bytes.count - at
                    let second = left > 1 ? UInt32(bytes[at + 1]) : 0
                    let third = left > 2 ? UInt32(bytes[at + 2]) : 0
                    let word = UInt32(bytes[at]) << 16 | second << 8 | third
                    for digit in 0..<4 {
                        let sextet = Int(word >> UInt32(18 - 6 * digit)) & 63
                        let sign = digit > left ? UInt8(ascii: "=") : alphabet[sextet]
                        target.storeBytes(of: sign, toByteOffset: written, as: UInt8.self)
                        written += 1
                    }
                    at += 3
                }
                return written
            }
        }
    }

    /// Appends the bytes that `text` stands for: standard or URL-safe signs, padding optional. `false`, with `out` as it
    /// was, when `text` is neither.
    package static func decode(_ text: UnsafeRawBufferPointer, to out: inout ByteWriter) -> Bool {
        var signs = text.count
        while signs > 0, text.count - signs < 2, text[signs - 1] == UInt8(ascii: "=") { signs -= 1 }
        let padding = text.count - signs
        guard signs % 4 != 1, padding == 0 || text.count % 4 == 0 else { return false }
        let before = out.count
        var word: UInt32 = 0
        var bits = 0
        for at in 0..<signs {
            guard let sextet = value(of: text[at]) else {
                out.truncate(to: before)
                return false
            }
            word = word << 6 | UInt32(sextet)
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        return true
    }

    private static func value(of sign: UInt8) -> UInt8? {
        switch sign {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): sign - 0x41
        case UInt8(ascii: "a")...UInt8(ascii: "z"): sign - 0x61 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): sign - 0x30 + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
