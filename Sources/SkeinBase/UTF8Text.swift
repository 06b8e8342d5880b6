// SPDX-License-Identifier: Apache-2.0

/// Whether bytes from outside are text (Unicode 16 §3.9, table 3-7: no surrogates, no overlong forms).
public enum UTF8Text {
    /// Whether all of `bytes` is well-formed UTF-8.
    @inlinable
    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        var at = 0
        while at &+ 8 <= count {
            if bytes.unsafelyLoad(at, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { return isValid(bytes, from: at) }
            at &+= 8
        }
        while at < count {
            if bytes.unsafelyLoad(at, as: UInt8.self) >= 0x80 { return isValid(bytes, from: at) }
            at &+= 1
        }
        return true
    }

    @usableFromInline @inline(never)
    static func isValid(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Bool {
        var at = start
        while at < bytes.count {
            let length = scalarLength(bytes, at)
            if length == 0 { return false }
            at += length
        }
        return true
    }

    /// Bytes of the well-formed scalar at `at`, which must be below `bytes.count`; 0 when there is none.
    public static func scalarLength(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
        let first = bytes[at]
        if first < 0x80 { return 1 }
        let left = bytes.count - at
        func follows(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
            offset < left && range.contains(bytes[at + offset])
        }
        switch first {
        case 0xc2...0xdf: return follows(1) ? 2 : 0
        case 0xe0: return follows(1, 0xa0...0xbf) && follows(2) ? 3 : 0
        case 0xe1...0xec, 0xee, 0xef: return follows(1) && follows(2) ? 3 : 0
        case 0xed: return follows(1, 0x80...0x9f) && follows(2) ? 3 : 0
        case 0xf0: return follows(1, 0x90...0xbf) && follows(2) && follows(3) ? 4 : 0
        case 0xf1...0xf3: return follows(1) && follows(2) && follows(3) ? 4 : 0
        case 0xf4: return follows(1, 0x80...0x8f) && follows(2) && follows(3) ? 4 : 0
        default: return 0
        }
    }

    /// The beginning of `text` that takes at most `byteCountMax` bytes, no scalar cut in two.
    public static func prefix(_ text: String, byteCountMax: Int) -> Substring {
        guard text.utf8.count > byteCountMax else { return text[...] }
        var end = text.utf8.index(text.startIndex, offsetBy: max(0, byteCountMax))
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return text[..<end]
    }

    /// The text in `bytes`, each malformed part replaced by U+FFFD.
    public static func repaired(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
}
