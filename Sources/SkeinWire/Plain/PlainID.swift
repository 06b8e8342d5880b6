// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Ids as someone may write them: hexadecimal of any length up to that of the id, or else any text, of which an id is made.
enum PlainID {
    /// The id that `text` stands for, which may be a UUID too, and whether it was made of text that is none. Zero for no
    /// text and for zeros alone.
    static func trace(_ text: UnsafeRawBufferPointer) -> (id: TraceID, isMade: Bool) {
        if let digits = Hex.parse(text) ?? uuid(text) { return (TraceID(high: digits.high, low: digits.low), false) }
        guard !text.isEmpty else { return (.zero, false) }
        let made = hash(text)
        return (TraceID(high: UInt64(truncatingIfNeeded: made >> 64), low: UInt64(truncatingIfNeeded: made)), true)
    }

    /// The same of a span.
    static func span(_ text: UnsafeRawBufferPointer) -> (id: SpanID, isMade: Bool) {
        if let digits = Hex.parse(text), digits.high == 0 { return (SpanID(digits.low), false) }
        guard !text.isEmpty else { return (.zero, false) }
        let made = hash(text)
        return (SpanID(UInt64(truncatingIfNeeded: made >> 64) ^ UInt64(truncatingIfNeeded: made)), true)
    }

    /// The number that a UUID (RFC 9562 §4) stands for.
    private static func uuid(_ text: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64)? {
        let hyphens = [8, 13, 18, 23]
        guard text.count == 36, hyphens.allSatisfy({ text[$0] == UInt8(ascii: "-") }) else { return nil }
        return Hex.parse(text.enumerated().lazy.filter { !hyphens.contains($0.offset) }.map(\.element))
    }

    /// FNV-1a with 128 bits: the same on every machine and for ever, so that spans of one trace meet whatever files they
    /// come in.
    private static func hash(_ text: UnsafeRawBufferPointer) -> UInt128 {
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        for byte in text { hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013b }
        return hash
    }
}
