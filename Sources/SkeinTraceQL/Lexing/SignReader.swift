// SPDX-License-Identifier: Apache-2.0

/// Reads operators, parentheses and the like, the longest that stands there.
enum SignReader {
    /// The sign at `at`, which moves past it.
    static func read(_ source: [UInt8], at: inout Int) throws(QueryError) -> Token.Kind {
        let start = at
        for (wrong, right) in foreign[source[at]] ?? [] where source[at...].starts(with: wrong.utf8) {
            if wrong == "&", continues(source[(at + 1)...]) { break }
            at += wrong.utf8.count
            throw QueryError(
                "\(wrong) is no operator here",
                at: start..<at,
                of: source,
                expected: [right],
                suggestion: right
            )
        }
        for (text, kind) in signs[source[at]] ?? [] where source[at...].starts(with: text.utf8) {
            at += text.utf8.count
            return kind
        }
        // One whole scalar, so that the message shows a character.
        at += 1
        while at < source.count, source[at] & 0xc0 == 0x80 { at += 1 }
        let words = String(decoding: source[start..<at], as: UTF8.self)
        throw QueryError("unexpected character \(words)", at: start..<at, of: source)
    }

    /// Every sign by its first byte, longest first.
    private static let signs: [UInt8: [(String, Token.Kind)]] = {
        let plain: [(String, Token.Kind)] = [
            ("{", .openBrace), ("}", .closeBrace), ("(", .openParen), (")", .closeParen), (",", .comma), ("|", .pipe),
            ("!", .not),
        ]
        let values: [(String, Token.Kind)] = BinaryOperator.allCases.map { ($0.rawValue, .binary($0)) }
        let structural: [(String, Token.Kind)] = SpansetOperator.Relation.allCases.filter(\.isStructural)
            .flatMap { [SpansetOperator($0), SpansetOperator($0, .negated), SpansetOperator($0, .union)] }
            .map { ($0.text, .structural($0)) }
        // `>`, `<` and `!~` are operators between values too; the parser knows which is meant.
        let all = structural.filter { sign in !values.contains { $0.0 == sign.0 } } + values + plain
        return byFirst(all.sorted { $0.0.utf8.count > $1.0.utf8.count })
    }()

    /// What people write from other languages, and what it is here; longest first.
    private static let foreign: [UInt8: [(String, String)]] = byFirst([
        ("===", "="), ("!==", "!="), ("==", "="), ("<>", "!="), ("&", "&&"), (":", "="),
    ])

    private static func byFirst<Meaning>(_ signs: [(String, Meaning)]) -> [UInt8: [(String, Meaning)]] {
        Dictionary(grouping: signs) { $0.0.utf8.first ?? 0 }
    }

    /// Whether `&` is the start of a longer operator, going on with `rest`.
    private static func continues(_ rest: ArraySlice<UInt8>) -> Bool {
        guard let second = rest.first else { return false }
        return [UInt8(ascii: "&"), UInt8(ascii: ">"), UInt8(ascii: "<"), UInt8(ascii: "~")].contains(second)
    }
}
