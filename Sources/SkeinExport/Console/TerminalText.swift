// SPDX-License-Identifier: Apache-2.0

/// What a terminal may be shown of names and messages that came from anywhere.
enum TerminalText {
    /// One line of at most `count` characters, in which nothing moves the cursor, changes colours or the direction of text:
    /// controls are shown as their pictures (U+2400 and on), what else has no face as U+FFFD.
    static func harmless(_ text: String, count: Int) -> String {
        var shown = ""
        for (index, character) in text.enumerated() {
            if index == count { return shown + "…" }
            for scalar in character.unicodeScalars { shown.unicodeScalars.append(harmless(scalar)) }
        }
        return shown
    }

    private static func harmless(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar.value < 0x20 { return Unicode.Scalar(0x2400 + scalar.value) ?? "\u{fffd}" }
        if scalar.value < 0x7f { return scalar }
        if scalar.value == 0x7f { return "\u{2421}" }
        switch scalar.properties.generalCategory {
        // Emoji are put together with this one.
        case .format where scalar == "\u{200d}": return scalar
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: return "\u{fffd}"
        default: return scalar
        }
    }

    /// The same for JSON, in which such scalars can only stand in strings: each becomes its escape.
    static func harmless(json bytes: UnsafeRawBufferPointer) -> [UInt8] {
        guard bytes.contains(where: { $0 >= 0x7f }) else { return [UInt8](bytes) }
        var shown: [UInt8] = []
        shown.reserveCapacity(bytes.count)
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x7f || harmless(scalar) == scalar {
                shown += UTF8.encode(scalar).map(Array.init) ?? []
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    shown +=
                        Array("\\u".utf8) + Array(repeating: 0x30, count: 4 - digits.utf8.count) + Array(digits.utf8)
                }
            }
        }
        return shown
    }

    /// Such as `512 ns`, `1.2 ms` and `75.3 s`.
    static func duration(_ nanos: UInt64) -> String {
        func tenths(_ unit: UInt64, _ name: String) -> String {
            "\(nanos / unit).\(nanos % unit * 10 / unit) \(name)"
        }
        switch nanos {
        case ..<1000: return "\(nanos) ns"
        case ..<1_000_000: return tenths(1000, "µs")
        case ..<1_000_000_000: return tenths(1_000_000, "ms")
        default: return tenths(1_000_000_000, "s")
        }
    }
}
