// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension PromQL {
    /// Splits a query into tokens. Never looks back, so its time is linear.
    struct Lexer {
        let source: [UInt8]
        private var at = 0

        init(_ source: [UInt8]) { self.source = source }

        /// The next token; ``Token/Kind/end`` for ever after the last.
        mutating func next() throws(Failure) -> Token {
            skipBlanks()
            let start = at
            guard let byte = peek() else { return Token(kind: .end, range: at..<at) }
            let kind: Token.Kind =
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): .string(try string(quote: byte))
                case _ where Self.isDigit(byte), UInt8(ascii: ".") where peek(1).map(Self.isDigit) ?? false:
                    try number()
                case _ where Self.isWordStart(byte): .word(word())
                default: .sign(try sign(byte))
                }
            return Token(kind: kind, range: start..<at)
        }

        private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < source.count ? source[at + ahead] : nil }

        private mutating func skipBlanks() {
            while let byte = peek() {
                if byte == 0x20 || (0x09...0x0d).contains(byte) {
                    at += 1
                } else if byte == UInt8(ascii: "#") {
                    while let byte = peek(), byte != 0x0a { at += 1 }
                } else {
                    return
                }
            }
        }

        private mutating func word() -> String {
            let start = at
            while let byte = peek(), Self.isWordStart(byte) || Self.isDigit(byte) || byte == UInt8(ascii: ":") {
                at += 1
            }
            return text(start..<at)
        }

        private mutating func sign(_ byte: UInt8) throws(Failure) -> String {
            let start = at
            if let second = peek(1), Self.doubleSigns.contains(String(decoding: [byte, second], as: UTF8.self)) {
                at += 2
            } else if Self.signs.utf8.contains(byte) {
                at += 1
            } else {
                var end = at + 1
                while end < source.count, source[end] & 0xc0 == 0x80 { end += 1 }
                throw failure("\(GoText.quote(text(at..<end))) has no meaning here", at: start)
            }
            return text(start..<at)
        }

        private static let signs = "(){}[],=<>+-*/%^@:"
        private static let doubleSigns: Set<String> = ["==", "!=", "=~", "!~", "<=", ">="]

        private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        private static func isWordStart(_ byte: UInt8) -> Bool {
            (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || byte == UInt8(ascii: "_")
        }

        private func text(_ range: Range<Int>) -> String { String(decoding: source[range], as: UTF8.self) }

        private func failure(_ message: String, at offset: Int) -> Failure {
            Failure(message, at: offset, of: source)
        }

        // MARK: Numbers

        /// `1`, `.5`, `1e-3`, `0x1f`, or a duration such as `1h30m`.
        private mutating func number() throws(Failure) -> Token.Kind {
            let start = at
            while let byte = peek() {
                let isExponentSign =
                    at > start && (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"))
                    && source[at - 1] | 0x20 == UInt8(ascii: "e")
                    && source[start..<(at - 1)].allSatisfy { Self.isDigit($0) || $0 == UInt8(ascii: ".") }
                guard Self.isDigit(byte) || Self.isWordStart(byte) || byte == UInt8(ascii: ".") || isExponentSign else {
                    break
                }
                at += 1
            }
            let text = text(start..<at)
            if text.hasPrefix("0x") || text.hasPrefix("0X") {
                if let value = UInt64(text.dropFirst(2), radix: 16) { return .number(Double(value)) }
            } else if let value = Double(text) {
                return .number(value)
            } else if let millis = PromQL.millis(text) {
                return .duration(millis)
            }
            throw failure("\(GoText.quote(text)) is no number and no duration, as 1.5, 1e-3 and 1h30m are", at: start)
        }

        // MARK: Strings

        /// A string in `"`, `'` or `` ` ``, the first two with Go's escapes.
        private mutating func string(quote: UInt8) throws(Failure) -> String {
            let start = at
            at += 1
            var bytes: [UInt8] = []
            while let byte = peek(), byte != quote {
                at += 1
                if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") {
                    bytes += try escape()
                } else if byte == 0x0a, quote != UInt8(ascii: "`") {
                    throw failure("this string has no end on its line", at: start)
                } else {
                    bytes.append(byte)
                }
            }
            guard peek() != nil else { throw failure("this string has no end", at: start) }
            at += 1
            return String(decoding: bytes, as: UTF8.self)
        }

        private mutating func escape() throws(Failure) -> [UInt8] {
            let start = at - 1
            let letter = peek() ?? 0
            at += 1
            switch letter {
            case UInt8(ascii: "n"): return [0x0a]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "r"): return [0x0d]
            case UInt8(ascii: "a"): return [0x07]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0c]
            case UInt8(ascii: "v"): return [0x0b]
            case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): return [letter]
            case UInt8(ascii: "x"): return [UInt8(truncatingIfNeeded: try digits(2, from: start))]
            case UInt8(ascii: "u"): return try scalar(digits(4, from: start), from: start)
            case UInt8(ascii: "U"): return try scalar(digits(8, from: start), from: start)
            default: throw failure("this escape is unknown; a backslash is written as \\\\", at: start)
            }
        }

        private mutating func digits(_ count: Int, from start: Int) throws(Failure) -> UInt32 {
            var value: UInt32 = 0
            for _ in 0..<count {
                guard let digit = peek().flatMap({ Hex.value(of: $0) }) else {
                    throw failure("this escape takes \(count) hexadecimal digits", at: start)
                }
                value = value << 4 | UInt32(digit)
                at += 1
            }
            return value
        }

        private func scalar(_ value: UInt32, from start: Int) throws(Failure) -> [UInt8] {
            guard let scalar = Unicode.Scalar(value) else { throw failure("this escape is no character", at: start) }
            return Array(String(scalar).utf8)
        }
    }

    /// A duration as in `1h30m`, units from the greatest to the least, in milliseconds; `nil` for anything else.
    static func millis(_ text: String) -> Int? {
        let units: [(name: String, millis: Int)] = [
            ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
            ("ms", 1),
        ]
        var rest = text[...]
        var total = 0
        var nextUnit = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let name = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let count = Int(digits), let unit = units[nextUnit...].firstIndex(where: { $0.name == name }) else {
                return nil
            }
            let (part, isTooLong) = count.multipliedReportingOverflow(by: units[unit].millis)
            let (sum, isTooLongToo) = total.addingReportingOverflow(part)
            // A hundred years and more are a slip.
            guard !isTooLong, !isTooLongToo, sum <= 100 * 31_536_000_000 else { return nil }
            total = sum
            nextUnit = unit + 1
            rest = rest[name.endIndex...]
        }
        return text.isEmpty ? nil : total
    }
}
