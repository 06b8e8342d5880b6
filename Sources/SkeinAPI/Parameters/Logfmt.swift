// SPDX-License-Identifier: Apache-2.0

/// Pairs as logfmt writes them: `service.name=web http.url="a b" flag`.
enum Logfmt {
    /// Why a text is none, in the words of the reader that Tempo uses.
    struct Failure: Error, Hashable {
        var message: String
        /// Bytes before what is wrong, plus 1.
        var position: Int
    }

    /// The pairs, in order. A key without `=` has the empty value.
    static func parse(_ text: String) throws(Failure) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        let bytes = Array(text.utf8)
        var at = 0
        while true {
            while at < bytes.count, isSpace(bytes[at]) { at += 1 }
            if at == bytes.count { return pairs }
            let key = try word(bytes, &at, endsAtEquals: true)
            var value = ""
            if at < bytes.count, bytes[at] == UInt8(ascii: "=") {
                at += 1
                let isQuoted = at < bytes.count && bytes[at] == UInt8(ascii: "\"")
                value = isQuoted ? try quoted(bytes, &at) : try word(bytes, &at, endsAtEquals: false)
            }
            pairs.append((key, value))
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 }

    /// What stands up to the next space, and to the next `=` where that ends it; a key has a byte at least.
    private static func word(_ bytes: [UInt8], _ at: inout Int, endsAtEquals: Bool) throws(Failure) -> String {
        let start = at
        while at < bytes.count, !isSpace(bytes[at]) {
            let byte = bytes[at]
            if byte == UInt8(ascii: "="), endsAtEquals, at > start { break }
            if byte == UInt8(ascii: "=") || byte == UInt8(ascii: "\"") {
                throw Failure(message: "unexpected '\(Unicode.Scalar(byte))'", position: at + 1)
            }
            at += 1
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    /// A value in double quotes, escaped as in JSON.
    private static func quoted(_ bytes: [UInt8], _ at: inout Int) throws(Failure) -> String {
        let start = at
        at += 1
        var value: [UInt8] = []
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count {
                at += 1
                switch bytes[at] {
                case UInt8(ascii: "n"): value.append(0x0a)
                case UInt8(ascii: "r"): value.append(0x0d)
                case UInt8(ascii: "t"): value.append(0x09)
                default: value.append(bytes[at])
                }
            } else {
                value.append(bytes[at])
            }
            at += 1
        }
        guard at < bytes.count else { throw Failure(message: "unterminated quoted value", position: start + 1) }
        at += 1
        return String(decoding: value, as: UTF8.self)
    }
}
