// SPDX-License-Identifier: Apache-2.0

/// Text from spans on its way to a terminal: harmless, and as wide as it says.
enum TerminalText {
    /// `text` without anything that a terminal would obey: control characters become their picture (`␛`, `␊`), marks
    /// that turn the direction of writing become `�`.
    static func harmless(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { !isHarmless($0) }) else { return text }
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20: out.append(Unicode.Scalar(0x2400 + scalar.value) ?? "�")
            case 0x7f: out.append("␡")
            default: out.append(isHarmless(scalar) ? scalar : "�")
            }
        }
        return String(out)
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f...0x9f: false
        // Bidirectional overrides and isolates, line and paragraph separators.
        case 0x200e, 0x200f, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069: false
        default: true
        }
    }

    /// Columns that `text` takes. East Asian wide characters and emoji take two, combining marks none.
    static func width(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width($1) }
    }

    private static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.value {
        case 0..<0x300: return 1
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x20000...0x3fffd:
            return 2
        default:
            switch first.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: return 0
            default: return first.properties.isEmojiPresentation ? 2 : 1
            }
        }
    }

    /// `text` in exactly `width` columns: cut with an ellipsis, or filled with blanks on the side that `alignment` says.
    static func fitted(_ text: String, _ width: Int, alignment: Alignment = .left, ellipsis: String = "…") -> String {
        let cut = shortened(text, width, ellipsis: ellipsis)
        let blanks = String(repeating: " ", count: max(0, width - Self.width(cut)))
        return alignment == .left ? cut + blanks : blanks + cut
    }

    /// `text` in at most `width` columns.
    static func shortened(_ text: String, _ width: Int, ellipsis: String = "…") -> String {
        guard Self.width(text) > width else { return text }
        var out = ""
        var left = width - Self.width(ellipsis)
        for character in text {
            left -= Self.width(character)
            if left < 0 { break }
            out.append(character)
        }
        return width >= Self.width(ellipsis) ? out + ellipsis : ""
    }

    enum Alignment { case left, right }
}
