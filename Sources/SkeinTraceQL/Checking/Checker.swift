// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Gives every word its meaning, holds types against each other, and states the condition in the terms of the store.
struct Checker {
    let query: Query

    /// The condition of the whole query.
    func check() throws(QueryError) -> SpanPredicate {
        guard let condition = query.condition else { return .true }
        return try self.condition(condition)
    }

    // MARK: Conditions

    private func condition(_ expression: Expression) throws(QueryError) -> SpanPredicate {
        switch try operand(expression) {
        case .condition(let predicate): return predicate
        case .constant(.bool(let bool)): return bool ? .true : .never
        case .field(let field, .any) where query.form == .braces: return .compare(field, .equal, .bool(true))
        case .field:
            let name = text(expression.range)
            throw error(
                "a comparison is expected after \(name)",
                at: expression.range.upperBound..<expression.range.upperBound,
                expected: ["=", "!=", "<", "<=", ">", ">=", "=~", "!~"],
                suggestion: Self.comparison(guessedFrom: name)
            )
        case .constant: throw error("a value alone is no condition; compare it with a name", at: expression.range)
        }
    }

    /// `service:checkout` is how other tools spell `service = "checkout"`.
    private static func comparison(guessedFrom word: String) -> String? {
        let parts = word.split(separator: ":", maxSplits: 1)
        return parts.count == 2 ? "\(parts[0]) = \(TraceQL.quoted(String(parts[1])))" : nil
    }

    private func operand(_ expression: Expression) throws(QueryError) -> Operand {
        switch expression.node {
        case .literal(let literal): return .constant(literal)
        case .field(let field): return try stored(field, at: expression.range)
        case .word(let word):
            if let literal = Literal(word: word.lowercased()) { return .constant(literal) }
            return try named(word, at: expression.range)
        case .unary(.not, let inner):
            if case .field(let field, .any) = try operand(inner), query.form == .braces {
                return .condition(.compare(field, .equal, .bool(false)))
            }
            return .condition(.not(try condition(inner)))
        case .unary(.minus, let inner):
            guard case .constant(let value) = try operand(inner) else { throw fieldArithmetic(expression.range) }
            guard let negative = Arithmetic.negated(value) else {
                throw error("only numbers and durations take a minus", at: expression.range)
            }
            return .constant(negative)
        case .binary(.and, let left, let right):
            return .condition(.and([try condition(left), try condition(right)]))
        case .binary(.or, let left, let right):
            return .condition(.or([try condition(left), try condition(right)]))
        case .binary(let sign, let left, let right) where sign.comparison != nil:
            return .condition(try compare(sign, left, right, at: expression.range))
        case .binary(let sign, let left, let right):
            return .constant(try constant(sign, left, right, at: expression.range))
        }
    }

    private func constant(_ sign: BinaryOperator, _ left: Expression, _ right: Expression, at range: Range<Int>)
        throws(QueryError) -> Literal
    {
        guard case .constant(let a) = try operand(left), case .constant(let b) = try operand(right) else {
            throw fieldArithmetic(range)
        }
        do throws(Arithmetic.Failure) {
            return try Arithmetic.apply(sign, a, b)
        } catch {
            switch error {
            case .division: throw self.error("this has no finite result", at: range)
            case .types: throw self.error("\(sign.rawValue) is for numbers and durations", at: range)
            }
        }
    }

    // MARK: Names

    private func stored(_ field: Field, at range: Range<Int>) throws(QueryError) -> Operand {
        guard let (field, type) = field.stored else {
            throw error("\(text(range)) cannot be asked for yet", at: range)
        }
        return .field(field, type)
    }

    /// A word of the bare form in the place of a name.
    private func named(_ word: String, at range: Range<Int>) throws(QueryError) -> Operand {
        switch word {
        case "service": return .field(.serviceName, .text)
        case "operation": return .field(.name, .text)
        case "error": return .condition(.compare(.status, .equal, .status(.error)))
        default: break
        }
        if let intrinsic = Intrinsic.words[word] { return try stored(.intrinsic(intrinsic), at: range) }
        return .field(.attribute(.any, word), .any)
    }

    /// A name of the bare form is an attribute when it is nothing else, so a slip of the pen cannot be told from one;
    /// unless the value gives away what was meant.
    private func checkSpelling(_ name: Expression, against value: Expression) throws(QueryError) {
        guard case .word(let word) = name.node, Intrinsic.words[word] == nil else { return }
        let meant: String
        switch value.node {
        case .literal(.duration): meant = "duration"
        case .word(let value) where StatusWord(rawValue: value.lowercased()) != nil: meant = "status"
        case .word(let value) where KindWord(rawValue: value.lowercased()) != nil: meant = "kind"
        default: return
        }
        guard Spelling.nearest(to: word, among: [meant]) != nil else { return }
        throw error(
            "unknown name \(word); for an attribute of that name write .\(word)",
            at: name.range,
            expected: [meant],
            suggestion: meant
        )
    }

    // MARK: Comparisons

    private func compare(_ sign: BinaryOperator, _ left: Expression, _ right: Expression, at range: Range<Int>)
        throws(QueryError) -> SpanPredicate
    {
        if Self.isValue(left.node, besides: right.node) {
            guard let mirrored = sign.mirrored else {
                throw error("a pattern stands on the right of \(sign.rawValue)", at: left.range)
            }
            return try compare(mirrored, right, left, at: range)
        }
        try checkSpelling(left, against: right)
        let subject = try operand(left)
        switch (subject, try value(right, for: subject)) {
        case (.field(let field, let type), .constant(let literal)):
            return try FieldComparison(checker: self, field: field, type: type, name: left.range, value: right.range)
                .predicate(sign, literal)
        case (.condition(let predicate), .constant(.bool(let bool))) where sign == .equal || sign == .notEqual:
            return bool == (sign == .equal) ? predicate : .not(predicate)
        case (.condition, _):
            let hint = text(left.range) == "error" ? "; for an attribute of that name write .error" : ""
            throw error("\(text(left.range)) is true or false\(hint)", at: right.range, expected: ["true", "false"])
        case (.constant(let a), .constant(let b)):
            guard let holds = Arithmetic.holds(sign, a, b) else {
                throw error("these two do not compare by \(sign.rawValue)", at: range)
            }
            return holds ? .true : .never
        case (_, .field): throw error("comparing two fields is not supported yet", at: range)
        case (_, .condition): throw error("a value is expected here, not a condition", at: right.range)
        }
    }

    /// Whether the left side of a comparison is its value: a constant beside a name, or `error = status`.
    private static func isValue(_ left: Expression.Node, besides right: Expression.Node) -> Bool {
        switch (left, right) {
        case (.word(let value), .word("status")): StatusWord(rawValue: value.lowercased()) != nil
        case (.word(let value), .word("kind")): KindWord(rawValue: value.lowercased()) != nil
        case (.word(let value), .word), (.word(let value), .field): Literal(word: value.lowercased()) != nil
        case (_, .word), (_, .field): isConstant(left)
        default: false
        }
    }

    private static func isConstant(_ node: Expression.Node) -> Bool {
        switch node {
        case .literal: true
        case .unary(.minus, let inner): isConstant(inner.node)
        case .binary(let sign, let left, let right):
            sign.comparison == nil && isConstant(left.node) && isConstant(right.node)
        default: false
        }
    }

    /// The right side of a comparison, where a word of the bare form is a value.
    private func value(_ expression: Expression, for subject: Operand) throws(QueryError) -> Operand {
        guard case .word(let word) = expression.node else { return try operand(expression) }
        if case .constant = subject { return try operand(expression) }
        let lower = word.lowercased()
        if let literal = Literal(word: lower) ?? Literal(word: word) { return .constant(literal) }
        guard case .field(_, let type) = subject else { return .constant(.string(word)) }
        switch type {
        case .status:
            if let status = StatusWord(rawValue: lower) { return .constant(.status(status)) }
        case .kind:
            if let kind = KindWord(rawValue: lower) { return .constant(.kind(kind)) }
        default: break
        }
        return .constant(.string(word))
    }

    // MARK: Errors

    private func fieldArithmetic(_ range: Range<Int>) -> QueryError {
        error("arithmetic on fields is not supported yet", at: range)
    }

    func text(_ range: Range<Int>) -> String { String(decoding: query.source[range], as: UTF8.self) }

    func error(
        _ message: String,
        at range: Range<Int>,
        expected: [String] = [],
        suggestion: String? = nil
    ) -> QueryError {
        QueryError(message, at: range, of: query.source, expected: expected, suggestion: suggestion)
    }
}
