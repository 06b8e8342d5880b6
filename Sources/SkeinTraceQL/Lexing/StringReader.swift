// SPDX-License-Identifier: Apache-2.0

/// Reads text in double quotes, with Go's escapes, and in backquotes, without any.
enum StringReader {
    /// The text whose opening quote is at `at`, which moves past the closing one.
    static func read(_ source: [UInt8], at: inout Int) throws(QueryError) -> String {
        let start = at
        let quote = source[at]
        at += 1
        var text: [UInt8] = []
        while at < source.count, source[at] != quote {
            let byte = source[at]
            if quote == UInt8(ascii: "\""), byte == UInt8(ascii: "\\") {
                try readEscape(source, at: &at, into: &text)
            } else if quote == UInt8(ascii: "\""), byte == 0x0a {
                break
            } else {
                text.append(byte)
                at += 1
            }
        }
        guard at < source.count, source[at] == quote else {
            let sign = quote == UInt8(ascii: "`") ? "`" : "\""
            throw QueryError("this text has no closing quote", at: start..<at, of: source, expected: [sign])
        }
        at += 1
        return String(decoding: text, as: UTF8.self)
    }

    /// Where in the query byte `offset` of a text comes from, when the text's opening quote is at `start`.
    static func origin(ofByte offset: Int, in source: [UInt8], from start: Int) -> Int {
        var at = start + 1
        var text: [UInt8] = []
        while text.count < offset, at < source.count {
            if source[start] == UInt8(ascii: "\""), source[at] == UInt8(ascii: "\\") {
                guard (try? readEscape(source, at: &at, into: &text)) != nil else { break }
            } else {
                text.append(source[at])
                at += 1
            }
        }
        return at
    }

    /// Go specification, "String literals": `\a \b \f \n \r \t \v \\ \" \ooo \xhh \uhhhh \Uhhhhhhhh`.
    private static func readEscape(_ source: [UInt8], at: inout Int, into text: inout [UInt8]) throws(QueryError) {
        let start = at
        at += 1
        guard at < source.count else { return }
        let sign = source[at]
        at += 1
        switch sign {
        case UInt8(ascii: "a"): text.append(0x07)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "v"): text.append(0x0b)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): text.append(sign)
        case UInt8(ascii: "x"):
            text.append(UInt8(truncatingIfNeeded: try digits(2, radix: 16, source, at: &at, from: start)))
        case UInt8(ascii: "u"):
            try append(try digits(4, radix: 16, source, at: &at, from: start), to: &text, source, start..<at)
        case UInt8(ascii: "U"):
            try append(try digits(8, radix: 16, source, at: &at, from: start), to: &text, source, start..<at)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            at -= 1
            let value = try digits(3, radix: 8, source, at: &at, from: start)
            guard value <= 0xff else {
                throw QueryError("an octal escape is at most \\377", at: start..<at, of: source)
            }
            text.append(UInt8(value))
        default:
            while at < source.count, source[at] & 0xc0 == 0x80 { at += 1 }
            let found = String(decoding: source[start..<at], as: UTF8.self)
            // Patterns are where backslashes abound.
            throw QueryError(
                "unknown escape; write \\\\ for a backslash, or put the text in backquotes",
                at: start..<at,
                of: source,
                suggestion: "\\" + found
            )
        }
    }

    private static func digits(_ count: Int, radix: UInt32, _ source: [UInt8], at: inout Int, from start: Int)
        throws(QueryError) -> UInt32
    {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard at < source.count,
                let digit = UInt32(String(decoding: [source[at]], as: UTF8.self), radix: Int(radix))
            else {
                throw QueryError(
                    "expected \(count) \(radix == 8 ? "octal" : "hexadecimal") digits after the backslash",
                    at: start..<at,
                    of: source
                )
            }
            value = value &* radix | digit
            at += 1
        }
        return value
    }

    private static func append(_ value: UInt32, to text: inout [UInt8], _ source: [UInt8], _ range: Range<Int>)
        throws(QueryError)
    {
        guard let scalar = Unicode.Scalar(value) else {
            throw QueryError("no Unicode scalar has this number", at: range, of: source)
        }
        text.append(contentsOf: UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
    }
}
