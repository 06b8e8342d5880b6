// SPDX-License-Identifier: Apache-2.0

/// What texts that differ only in values have in common: values become placeholders.
///
/// A number is `<number>`, also with a unit (`<number>ms`) and within a word from four digits on; eight and more
/// hexadecimal digits are `<hex>`, a UUID `<uuid>`, sixteen and more letters and digits mixed `<id>`, what stands in quotes
/// `<value>`, a file or URL path `<path>`, a URL `<url>`, an IPv4 address `<ip>`. Runs of white space are one blank.
/// Deterministic and linear in the text, of which only the beginning is read.
package enum TextShape {
    /// The shape of a message for people: of its first line, at most 500 bytes.
    package static func message(_ text: String) -> String {
        let line = text.utf8.drop { $0 == 0x20 || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 }
            .prefix { $0 != 0x0a && $0 != 0x0d }
        return shape(line, .message, atMost: 500)
    }

    /// The shape of a span's name, of at most 300 bytes. Segments of a path are looked at one by one.
    package static func name(_ text: String) -> String { shape(text.utf8[...], .name, atMost: 300) }

    /// The shape of a statement of a database, of at most 2,000 bytes: every literal is `?`, and so is a list of them.
    package static func statement(_ text: String) -> String { shape(text.utf8[...], .statement, atMost: 2000) }

    private static func shape(
        _ text: Substring.UTF8View,
        _ mode: ShapeScanner.Mode,
        atMost most: Int
    ) -> String {
        var scanner = ShapeScanner(Array(text.prefix(most)), mode)
        return String(decoding: scanner.shape(), as: UTF8.self)
    }
}

/// Reads a text front to back and writes its shape.
private struct ShapeScanner {
    enum Mode { case message, name, statement }

    private let bytes: [UInt8]
    private let mode: Mode
    private var at = 0
    private var out: [UInt8] = []

    init(_ bytes: [UInt8], _ mode: Mode) {
        self.bytes = bytes
        self.mode = mode
    }

    mutating func shape() -> [UInt8] {
        out.reserveCapacity(bytes.count)
        while at < bytes.count {
            if skipQuoted() || skipPath() || skipURL() || skipUUID() { continue }
            if isWord(bytes[at]) {
                readWord()
            } else {
                writeOther(bytes[at])
                at += 1
            }
        }
        while out.last == 0x20 { out.removeLast() }
        return out
    }

    // MARK: Values of several words

    private mutating func skipQuoted() -> Bool {
        let quote = bytes[at]
        let isLiteral = quote == UInt8(ascii: "'")
        // In a statement other quotes are those of names.
        guard isLiteral || (mode != .statement && (quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "`"))) else {
            return false
        }
        // The one in "can't" opens nothing.
        if isLiteral, at > 0, isWord(bytes[at - 1]) { return false }
        // A statement may have been cut off within a literal.
        guard var end = bytes[(at + 1)...].firstIndex(of: quote) ?? (mode == .statement ? bytes.count - 1 : nil) else {
            return false
        }
        // A quote within a literal is written twice.
        while mode == .statement, end + 1 < bytes.count, bytes[end + 1] == quote {
            end = bytes[(end + 2)...].firstIndex(of: quote) ?? bytes.count - 1
        }
        at = end + 1
        write("<value>")
        return true
    }

    private mutating func skipPath() -> Bool {
        guard mode == .message, bytes[at] == UInt8(ascii: "/"), at + 1 < bytes.count, isWord(bytes[at + 1]) else {
            return false
        }
        if at > 0, isWord(bytes[at - 1]) || bytes[at - 1] == UInt8(ascii: "/") { return false }
        skipToBlank()
        write("<path>")
        return true
    }

    private mutating func skipURL() -> Bool {
        guard mode == .message, isWord(bytes[at]), at == 0 || !isWord(bytes[at - 1]) else { return false }
        let end = bytes[at...].firstIndex { !isWord($0) } ?? bytes.count
        guard bytes[end...].starts(with: "://".utf8) else { return false }
        skipToBlank()
        write("<url>")
        return true
    }

    private mutating func skipToBlank() {
        let ends = Set(" \t\"'`,;)]}>".utf8)
        at = bytes[at...].firstIndex { ends.contains($0) } ?? bytes.count
        // A full stop or colon behind it is the sentence's.
        while at > 0, bytes[at - 1] == UInt8(ascii: ".") || bytes[at - 1] == UInt8(ascii: ":") { at -= 1 }
    }

    private mutating func skipUUID() -> Bool {
        guard at + 36 <= bytes.count, at == 0 || !isWord(bytes[at - 1]) else { return false }
        for offset in 0..<36 {
            let isDash = offset == 8 || offset == 13 || offset == 18 || offset == 23
            let byte = bytes[at + offset]
            guard isDash ? byte == UInt8(ascii: "-") : Self.isHex(byte) else { return false }
        }
        if at + 36 < bytes.count, isWord(bytes[at + 36]) { return false }
        at += 36
        write("<uuid>")
        return true
    }

    // MARK: Words

    private mutating func readWord() {
        let start = at
        at = bytes[at...].firstIndex { !isWord($0) } ?? bytes.count
        let word = bytes[start..<at]
        let digitCount = word.count(where: Self.isDigit)
        if digitCount == 0 {
            out += word
        } else if digitCount == word.count {
            readFraction()
        } else if word.count > 2, word.starts(with: "0x".utf8), word.dropFirst(2).allSatisfy(Self.isHex) {
            write("<hex>")
        } else if let unit = Self.unit(of: word) {
            write("<number>")
            if mode != .statement { out += unit }
        } else if mode == .statement {
            out += word
        } else if word.count >= 8, word.allSatisfy(Self.isHex) {
            write("<hex>")
        } else if word.count >= 16, digitCount >= 4 {
            write("<id>")
        } else {
            writeNumbers(in: word)
        }
    }

    /// Goes on behind digits: `.5` belongs to them, and four such groups are an address.
    private mutating func readFraction() {
        var groupCount = 1
        while at + 1 < bytes.count, bytes[at] == UInt8(ascii: "."), Self.isDigit(bytes[at + 1]) {
            at = bytes[(at + 1)...].firstIndex { !Self.isDigit($0) } ?? bytes.count
            groupCount += 1
        }
        // Letters behind a fraction are its unit.
        let end = bytes[at...].firstIndex { !isWord($0) } ?? bytes.count
        let unit = bytes[at..<end]
        at = end
        write(groupCount == 4 ? "<ip>" : "<number>")
        if mode != .statement { out += unit }
    }

    /// The letters behind digits, where they are few enough for a unit.
    private static func unit(of word: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let unit = word.drop(while: isDigit)
        return unit.count < word.count && unit.count <= 3 && !unit.contains(where: isDigit) ? unit : nil
    }

    private mutating func writeNumbers(in word: ArraySlice<UInt8>) {
        var rest = word
        while !rest.isEmpty {
            let letters = rest.prefix { !Self.isDigit($0) }
            out += letters
            let digits = rest.dropFirst(letters.count).prefix(while: Self.isDigit)
            if digits.count >= 4 { write("<number>") } else { out += digits }
            rest = rest.dropFirst(letters.count + digits.count)
        }
    }

    // MARK: Writing

    private mutating func write(_ placeholder: StaticString) {
        guard mode == .statement else {
            out += UnsafeBufferPointer(start: placeholder.utf8Start, count: placeholder.utf8CodeUnitCount)
            return
        }
        // Of a list of literals one is left.
        var end = out.count
        if end > 0, out[end - 1] == 0x20 { end -= 1 }
        if end > 1, out[end - 1] == UInt8(ascii: ","), out[end - 2] == UInt8(ascii: "?") {
            out.removeSubrange((end - 1)...)
        } else {
            out.append(UInt8(ascii: "?"))
        }
    }

    private mutating func writeOther(_ byte: UInt8) {
        guard byte > 0x20 else {
            if let last = out.last, last != 0x20 { out.append(0x20) }
            return
        }
        out.append(byte)
        guard mode == .statement, byte == UInt8(ascii: ")") else { return }
        // Of a list of rows one is left.
        for repeated in ["(?), (?)", "(?),(?)"] where out.suffix(repeated.utf8.count).elementsEqual(repeated.utf8) {
            out.removeLast(repeated.utf8.count - 3)
        }
    }

    // MARK: Bytes

    /// Letters, digits and all beyond ASCII. In a statement an underscore belongs to a name.
    private func isWord(_ byte: UInt8) -> Bool {
        Self.isDigit(byte) || (0x41...0x5a).contains(byte & 0xdf) || byte >= 0x80
            || (mode == .statement && byte == UInt8(ascii: "_"))
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (0x41...0x46).contains(byte & 0xdf) }
}
