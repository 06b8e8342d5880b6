// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// A comparison of one field with one value: are they of a kind, and what does the store have to ask?
struct FieldComparison {
    let checker: Checker
    let field: SpanField
    let type: FieldType
    /// Where the field's name stands in the query.
    let name: Range<Int>
    /// Where the value stands in the query.
    let value: Range<Int>

    func predicate(_ sign: BinaryOperator, _ literal: Literal) throws(QueryError) -> SpanPredicate {
        guard let comparison = sign.comparison else { throw clash("is compared", expected: []) }
        if literal == .nil { return try existence(sign) }
        if comparison == .matches || comparison == .notMatches { return try pattern(comparison, literal) }
        switch type {
        case .any: return try attribute(comparison, literal)
        case .text, .id:
            guard case .string(let text) = literal else {
                let quoted = TraceQL.quoted(checker.text(value))
                throw clash("is text, which stands in double quotes", expected: ["text"], suggestion: quoted)
            }
            return .compare(field, comparison, .string(isID ? text.lowercased() : text))
        case .duration: return try duration(comparison, literal)
        case .status:
            let words = StatusWord.allCases.map(\.rawValue)
            guard let code = word(StatusWord.self, literal), let status = code.code else {
                throw mistakenWord(literal, words, "is error, ok or unset; for a code of HTTP name its attribute")
            }
            try checkEquality(sign)
            return .compare(field, comparison, .status(status))
        case .kind:
            let words = KindWord.allCases.map(\.rawValue)
            guard let side = word(KindWord.self, literal), let kind = side.kind else {
                throw mistakenWord(literal, words, "is \(words.joined(separator: ", "))")
            }
            try checkEquality(sign)
            return .compare(field, comparison, .kind(kind))
        }
    }

    private var isID: Bool { if case .id = type { true } else { false } }
    private var isAttribute: Bool { if case .any = type { true } else { false } }
    private var subject: String { checker.text(name) }

    // MARK: Existence

    private func existence(_ sign: BinaryOperator) throws(QueryError) -> SpanPredicate {
        guard sign == .equal || sign == .notEqual else {
            throw checker.error("nil compares by = and != only", at: value, expected: ["=", "!="])
        }
        guard isAttribute && field != .serviceName || field == .eventName else {
            let isText = if case .text = type { true } else { field == .serviceName }
            throw checker.error(
                "\(subject) is never missing\(isText ? ", only empty" : "")",
                at: value,
                suggestion: isText ? "\"\"" : nil
            )
        }
        return sign == .equal ? .not(.exists(field)) : .exists(field)
    }

    // MARK: Patterns

    private func pattern(_ comparison: SpanPredicate.Comparison, _ literal: Literal) throws(QueryError) -> SpanPredicate
    {
        switch type {
        case .any, .text, .id: break
        case .duration, .status, .kind: throw clash("has no text to match a pattern with", expected: ["=", "!="])
        }
        guard case .string(let source) = literal else {
            let quoted = TraceQL.quoted(checker.text(value))
            throw checker.error("a pattern stands in double quotes", at: value, expected: ["text"], suggestion: quoted)
        }
        do throws(TextPattern.Failure) {
            return .compare(field, comparison, .pattern(try TextPattern(source)))
        } catch {
            throw checker.error("in the pattern: \(error.message)", at: place(inPattern: error.offset))
        }
    }

    /// Where the scalar at byte `offset` of a pattern stands in the query.
    private func place(inPattern offset: Int) -> Range<Int> {
        let bytes = checker.query.source
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

    private func attribute(_ comparison: SpanPredicate.Comparison, _ literal: Literal) throws(QueryError)
        -> SpanPredicate
    {
        let isEquality = comparison == .equal || comparison == .notEqual
        switch literal {
        case .string(let text): return .compare(field, comparison, .string(text))
        case _ where field == .serviceName: return .never
        case .int(let int), .duration(let int): return .compare(field, comparison, .int(int))
        case .double(let double): return .compare(field, comparison, .double(double))
        case .bool(let bool):
            guard isEquality else { throw unordered("true and false") }
            return .compare(field, comparison, .bool(bool))
        case .status, .kind:
            guard isEquality else { throw unordered("status and kind") }
            // No attribute is a status or a kind, and a comparison across types is false.
            return .never
        case .nil: return .never
        }
    }

    private func duration(_ comparison: SpanPredicate.Comparison, _ literal: Literal) throws(QueryError)
        -> SpanPredicate
    {
        switch literal {
        case .duration(let nanos): return .compare(field, comparison, .int(nanos))
        case .int(0): return .compare(field, comparison, .int(0))
        case .int, .double:
            if checker.query.form == .bare {
                let words = checker.text(value)
                throw checker.error(
                    "\(subject) needs a unit: ns, us, ms, s, m, h or d",
                    at: value,
                    expected: ["duration"],
                    suggestion: words.utf8.allSatisfy { QueryByte.isDigit($0) || $0 == UInt8(ascii: ".") }
                        ? words + "ms" : nil
                )
            }
            if case .double(let nanos) = literal { return .compare(field, comparison, .double(nanos)) }
            if case .int(let nanos) = literal { return .compare(field, comparison, .int(nanos)) }
            return .never
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

    private func checkEquality(_ sign: BinaryOperator) throws(QueryError) {
        if sign != .equal, sign != .notEqual { throw unordered(subject) }
    }

    /// The word a literal is; the bare form does not mind quotes.
    private func word<Word: RawRepresentable<String>>(_ type: Word.Type, _ literal: Literal) -> Word? {
        switch literal {
        case .status(let status): Word(rawValue: status.rawValue)
        case .kind(let kind): Word(rawValue: kind.rawValue)
        case .string(let text) where checker.query.form == .bare: Word(rawValue: text.lowercased())
        default: nil
        }
    }

    private func mistakenWord(_ literal: Literal, _ words: [String], _ message: String) -> QueryError {
        var near: String?
        if case .string(let text) = literal { near = Spelling.nearest(to: text, among: words) }
        return clash(message, expected: words, suggestion: near)
    }

    /// The comparison, whichever side the name stands on.
    private var whole: Range<Int> {
        min(name.lowerBound, value.lowerBound)..<max(name.upperBound, value.upperBound)
    }

    private func unordered(_ what: String) -> QueryError {
        checker.error(
            "\(what) compare by = and != only",
            at: whole,
            expected: ["=", "!="]
        )
    }

    private func clash(_ message: String, expected: [String], suggestion: String? = nil) -> QueryError {
        checker.error("\(subject) \(message)", at: value, expected: expected, suggestion: suggestion)
    }
}

extension StatusWord {
    /// The code it names.
    fileprivate var code: SkeinModel.Span.Status.Code? {
        switch self {
        case .error: .error
        case .ok: .ok
        case .unset: .unset
        }
    }
}

extension KindWord {
    /// The kind it names.
    fileprivate var kind: SkeinModel.Span.Kind? {
        switch self {
        case .unspecified: .unspecified
        case .internal: .internal
        case .server: .server
        case .client: .client
        case .producer: .producer
        case .consumer: .consumer
        }
    }
}
