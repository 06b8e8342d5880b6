// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Percent-encoding of URLs (RFC 3986 §2.1).
enum PercentEncoding {
    /// Decodes `%41` and, where a form wrote it, `+`. Never fails: a `%` without two hexadecimal digits stands for
    /// itself, and bytes that are not UTF-8 are repaired.
    static func decode(_ text: some Collection<UInt8>, plusIsSpace: Bool = false) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let first = rest.first, let high = Hex.value(of: first),
                let second = rest.dropFirst().first, let low = Hex.value(of: second)
            {
                bytes.append(high &<< 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first `%` without two hexadecimal digits, with what stands there in their place; `nil` when there is none.
    static func brokenEscape(in text: some Collection<UInt8>) -> String? {
        var rest = text[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "%")) {
            let escape = rest[start...].prefix(3)
            guard escape.count == 3, escape.dropFirst().allSatisfy({ Hex.value(of: $0) != nil }) else {
                return String(decoding: escape, as: UTF8.self)
            }
            rest = rest[escape.endIndex...]
        }
        return nil
    }
}
