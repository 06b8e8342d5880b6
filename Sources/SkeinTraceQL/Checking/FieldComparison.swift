// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// A comparison of one field with one value: are they of a kind, and how is the value written?
struct FieldComparison {
    let checker: Checker
    let field: Field
    /// Where the field's name stands in the query.
    let name: Range<Int>
    /// Where the value stands in the query.
    let value: Range<Int>

    /// The comparison, with the value as it is compared.
    func condition(_ sign: BinaryOperator, _ literal: Literal) throws(QueryError) -> Expression.Node {
        if case .intrinsic(.parent) = field { return try parent(sign, literal) }
        if literal == .nil { return try existence(sign) }
        let isPattern = sign == .matches || sign == .notMatches
        return compared(sign, isPattern ? try pattern(literal) : try typed(sign, literal))
    }

    private func compared(_ sign: BinaryOperator, _ literal: Literal, of field: Field? = nil) -> Expression.Node {
        .binary(
            sign,
            Expression(node: .field(field ?? self.field), range: name),
            Expression(node: .literal(literal), range: value)
        )
    }

    private func typed(_ sign: BinaryOperator, _ literal: Literal) throws(QueryError) -> Literal {
        switch field.type {
        case .any, .bool, .nil:
            switch literal {
            case .bool: try checkEquality(sign, of: "true and false")
            case .status, .kind: try checkEquality(sign, of: "status and kind")
            default: break
            }
            return literal
        case .text, .id:
            guard case .string(let text) = literal else {
                let quoted = TraceQL.quoted(checker.text(value))
                throw clash("is text, which stands in double quotes", expected: ["text"], suggestion: quoted)
            }
            return .string(field.type == .id ? id(text, sign) : text)
        case .number:
            guard literal.type.isNumeric else { throw clash("is a number", expected: ["number"]) }
            return literal
        case .duration: return try duration(literal)
        case .status:
            guard let status = word(StatusWord.self, literal) else {
                let words = StatusWord.allCases.map(\.rawValue)
                throw mistakenWord(literal, words, "is error, ok or unset; for a code of HTTP name its attribute")
            }
            try checkEquality(sign, of: subject)
            return .status(status)
        case .kind:
            guard let kind = word(KindWord.self, literal) else {
                let words = KindWord.allCases.map(\.rawValue)
                throw mistakenWord(literal, words, "is \(words.joined(separator: ", "))")
            }
            try checkEquality(sign, of: subject)
            return .kind(kind)
        }
    }

    private var subject: String { checker.text(name) }

    /// Digits in lower case; of a trace all of them, for tools leave leading zeros away.
    private func id(_ text: String, _ sign: BinaryOperator) -> String {
        let digits = text.lowercased()
        guard field == .intrinsic(.traceID) || field == .intrinsic(.linkTraceID), sign == .equal || sign == .notEqual,
            !digits.isEmpty, digits.utf8.count < 32, digits.utf8.allSatisfy(QueryByte.isHexDigit)
        else { return digits }
        return String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }

    // MARK: Existence

    private func existence(_ sign: BinaryOperator) throws(QueryError) -> Expression.Node {
        guard sign == .equal || sign == .notEqual else {
            throw checker.error("nil compares by = and != only", at: value, expected: ["=", "!="])
        }
        // Tempo refuses `= nil` of every intrinsic, and accepts `!= nil`.
        let isOfParent = if case .parentIntrinsic = field { true } else { false }
        let isIntrinsic = if case .intrinsic = field { true } else { field.isAlwaysThere }
        guard isIntrinsic, !isOfParent else { return compared(sign, .nil) }
        if sign == .notEqual, checker.reading != .bare || !field.isAlwaysThere {
            return field.isAlwaysThere ? .literal(.bool(true)) : compared(sign, .nil)
        }
        let isText = field.isAlwaysThere && field.type.hasText
        throw checker.error(
            "\(subject) is never missing\(isText ? ", only empty" : "")",
            at: value,
            suggestion: isText ? "\"\"" : nil
        )
    }

    /// `parent = nil` is how a root is asked for.
    private func parent(_ sign: BinaryOperator, _ literal: Literal) throws(QueryError) -> Expression.Node {
        guard checker.dialect == .skein else {
            throw checker.error("Tempo cannot be asked for the parent", at: name)
        }
        guard literal == .nil, sign == .equal || sign == .notEqual else {
            throw clash("is a span; ask for one of its fields, such as parent:name", expected: ["nil"])
        }
        return compared(sign, .string(""), of: .intrinsic(.parentID))
    }

    // MARK: Patterns

    private func pattern(_ literal: Literal) throws(QueryError) -> Literal {
        guard field.type.hasText else { throw clash("has no text to match a pattern with", expected: ["=", "!="]) }
        guard case .string(let source) = literal else {
            let quoted = TraceQL.quoted(checker.text(value))
            throw checker.error("a pattern stands in double quotes", at: value, expected: ["text"], suggestion: quoted)
        }
        do throws(TextPattern.Failure) {
            _ = try TextPattern(source)
            return literal
        } catch {
            throw checker.error("in the pattern: \(error.message)", at: place(inPattern: error.offset))
        }
    }

    /// Where the scalar at byte `offset` of a pattern stands in the query.
    private func place(inPattern offset: Int) -> Range<Int> {
        let bytes = checker.source
        let first = bytes[value.lowerBound]
        let start: Int
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "`") {
            start = StringReader.origin(ofByte: offset, in: bytes, from: value.lowerBound)
        } else if QueryByte.isWordStart(first) {
            start = value.lowerBound + offset
        } else {
            return value
        }
        var end = start + 1
        while end < bytes.count, bytes[end] & 0xc0 == 0x80 { end += 1 }
        return start..<end
    }

    // MARK: Types

    private func duration(_ literal: Literal) throws(QueryError) -> Literal {
        switch literal {
        case .duration, .int(0): return literal
        case .int, .double:
            if checker.reading == .bare {
                let words = checker.text(value)
                throw checker.error(
                    "\(subject) needs a unit: ns, us, ms, s, m, h or d",
                    at: value,
                    expected: ["duration"],
                    suggestion: words.utf8.allSatisfy { QueryByte.isDigit($0) || $0 == UInt8(ascii: ".") }
                        ? words + "ms" : nil
                )
            }
            return literal
        case .string(let text):
            var at = 0
            let bytes = Array(text.utf8)
            let meant = (try? NumberReader.read(bytes, at: &at))?.isDuration == true && at == bytes.count
            throw clash(
                "is a duration, such as 500ms, without quotes",
                expected: ["duration"],
                suggestion: meant ? text : nil
            )
        default: throw clash("is a duration, such as 500ms", expected: ["duration"])
        }
    }

    private func checkEquality(_ sign: BinaryOperator, of what: String) throws(QueryError) {
        if sign == .equal || sign == .notEqual { return }
        // The comparison, whichever side the name stands on.
        let whole = min(name.lowerBound, value.lowerBound)..<max(name.upperBound, value.upperBound)
        throw checker.error("\(what) compare by = and != only", at: whole, expected: ["=", "!="])
    }

    /// The word a literal is; the bare form does not mind quotes.
    private func word<Word: RawRepresentable<String>>(_ type: Word.Type, _ literal: Literal) -> Word? {
        switch literal {
        case .status(let status): Word(rawValue: status.rawValue)
        case .kind(let kind): Word(rawValue: kind.rawValue)
        case .string(let text) where checker.reading == .bare: Word(rawValue: text.lowercased())
        default: nil
        }
    }

    private func mistakenWord(_ literal: Literal, _ words: [String], _ message: String) -> QueryError {
        var near: String?
        if case .string(let text) = literal { near = Spelling.nearest(to: text, among: words) }
        return clash(message, expected: words, suggestion: near)
    }

    private func clash(_ message: String, expected: [String], suggestion: String? = nil) -> QueryError {
        checker.error("\(subject) \(message)", at: value, expected: expected, suggestion: suggestion)
    }
}
