// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// Gives every word its meaning, holds types against each other and folds constants: makes of an expression as it was
/// parsed one as ``Query`` promises it.
struct Checker {
    let source: [UInt8]
    let reading: Reading
    let dialect: TraceQL.Dialect

    /// An expression and what it is of.
    struct Operand {
        var expression: Expression
        var type: ValueType

        var literal: Literal? { if case .literal(let literal) = expression.node { literal } else { nil } }
    }

    // MARK: What an expression stands for

    /// An expression that stands for true or false.
    func condition(_ expression: Expression) throws(QueryError) -> Expression {
        try condition(try operand(expression))
    }

    private func condition(_ operand: Operand) throws(QueryError) -> Expression {
        let range = operand.expression.range
        switch operand.type {
        case .bool: return operand.expression
        case .any where reading != .bare:
            // `!.a` asks for a value too: a span without one satisfies neither `.a` nor `!.a`.
            if case .unary(.not, let inner) = operand.expression.node {
                return make(.equal, inner, .bool(false), at: range)
            }
            return make(.equal, operand.expression, .bool(true), at: range)
        default: break
        }
        if operand.literal != nil { throw error("a value alone is no condition; compare it with a name", at: range) }
        let name = text(range)
        throw error(
            "a comparison is expected after \(name)",
            at: range.upperBound..<range.upperBound,
            expected: ["=", "!=", "<", "<=", ">", ">=", "=~", "!~"],
            suggestion: Self.comparison(guessedFrom: name)
        )
    }

    /// `service:checkout` is how other tools spell `service = "checkout"`.
    private static func comparison(guessedFrom word: String) -> String? {
        let parts = word.split(separator: ":", maxSplits: 1)
        return parts.count == 2 ? "\(parts[0]) = \(TraceQL.quoted(String(parts[1])))" : nil
    }

    /// An expression that stands for a value of each span, for `by(…)`.
    func value(_ expression: Expression) throws(QueryError) -> Expression {
        let operand = try operand(expression)
        guard operand.expression.namesField else {
            throw error("\(text(expression.range)) is the same for all spans; name a field", at: expression.range)
        }
        return operand.expression
    }

    /// An expression that stands for a number of each span, for what `function` adds up.
    func number(_ expression: Expression, for function: String) throws(QueryError) -> Expression {
        let operand = try operand(expression)
        guard operand.type.isNumeric else {
            throw error("\(function) takes numbers and durations", at: expression.range)
        }
        guard operand.expression.namesField else {
            throw error("\(text(expression.range)) is the same for all spans; name a field", at: expression.range)
        }
        return operand.expression
    }

    /// An expression that has to be a field's name.
    func field(_ expression: Expression) throws(QueryError) -> FieldReference {
        if case .word("error") = expression.node {
            throw error("error is a condition; its field is status", at: expression.range, suggestion: "status")
        }
        guard case .field(let field) = try operand(expression).expression.node else {
            throw error("a field's name is expected here", at: expression.range, expected: ["name"])
        }
        return FieldReference(field, at: expression.range)
    }

    // MARK: Operands

    private func operand(_ expression: Expression) throws(QueryError) -> Operand {
        switch expression.node {
        case .literal(let literal): return Operand(expression: expression, type: literal.type)
        case .field(let field): return try named(field, at: expression.range)
        case .word(let word):
            if let literal = Literal(word: word.lowercased()) { return constant(literal, at: expression.range) }
            return try named(word, at: expression.range)
        case .unary(.not, let inner): return try negation(of: inner, at: expression.range)
        case .unary(.minus, let inner): return try negative(of: inner, at: expression.range)
        case .binary(.and, let left, let right), .binary(.or, let left, let right):
            guard case .binary(let sign, _, _) = expression.node else { break }
            return condition(.binary(sign, try condition(left), try condition(right)), at: expression.range)
        case .binary(let sign, let left, let right) where sign.comparison != nil:
            return try compare(sign, left, right, at: expression.range)
        case .binary(let sign, let left, let right):
            return try arithmetic(sign, try operand(left), try operand(right), at: expression.range)
        }
        return Operand(expression: expression, type: .any)
    }

    private func negation(of inner: Expression, at range: Range<Int>) throws(QueryError) -> Operand {
        let operand = try operand(inner)
        if reading != .bare, operand.type == .any {
            return Operand(expression: Expression(node: .unary(.not, operand.expression), range: range), type: .any)
        }
        let inner = try condition(operand)
        if case .literal(.bool(let bool)) = inner.node { return constant(.bool(!bool), at: range) }
        return condition(.unary(.not, inner), at: range)
    }

    private func negative(of inner: Expression, at range: Range<Int>) throws(QueryError) -> Operand {
        let operand = try operand(inner)
        if let literal = operand.literal, let negative = Arithmetic.negated(literal) {
            return constant(negative, at: range)
        }
        guard operand.literal == nil, operand.type.isNumeric else {
            throw error("only numbers and durations take a minus", at: range)
        }
        return Operand(
            expression: Expression(node: .unary(.minus, operand.expression), range: range),
            type: operand.type
        )
    }

    private func arithmetic(_ sign: BinaryOperator, _ left: Operand, _ right: Operand, at range: Range<Int>)
        throws(QueryError) -> Operand
    {
        if let a = left.literal, let b = right.literal { return constant(try fold(sign, a, b, at: range), at: range) }
        for side in [left, right] where !side.type.isNumeric {
            let words = text(side.expression.range)
            throw error("\(sign.rawValue) is for numbers and durations; \(words) is neither", at: range)
        }
        let isShare = sign == .divide && left.type == .duration && right.type == .duration
        let type: ValueType =
            isShare
            ? .number
            : left.type == .duration || right.type == .duration
                ? .duration : left.type == .any || right.type == .any ? .any : .number
        return Operand(
            expression: Expression(node: .binary(sign, left.expression, right.expression), range: range),
            type: type
        )
    }

    /// What two constants make.
    func fold(_ sign: BinaryOperator, _ a: Literal, _ b: Literal, at range: Range<Int>) throws(QueryError) -> Literal {
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

    private func named(_ field: Field, at range: Range<Int>) throws(QueryError) -> Operand {
        switch field {
        case .parentAttribute, .parentIntrinsic:
            if dialect == .tempo {
                throw error("Tempo has no parent. and parent: fields, Skein's search has", at: range)
            }
        case .attribute, .intrinsic: break
        }
        return Operand(expression: Expression(node: .field(field), range: range), type: field.type)
    }

    /// A word in the place of a name.
    private func named(_ word: String, at range: Range<Int>) throws(QueryError) -> Operand {
        switch word {
        case "service": return try named(.attribute(.resource, "service.name"), at: range)
        case "operation": return try named(.intrinsic(.name), at: range)
        case "error":
            let status = Expression(node: .field(.intrinsic(.status)), range: range)
            return condition(make(.equal, status, .status(.error), at: range).node, at: range)
        default: return try named(Intrinsic.words[word].map { .intrinsic($0) } ?? .attribute(.any, word), at: range)
        }
    }

    /// A word is an attribute when it is nothing else, so a slip of the pen cannot be told from one; unless the value
    /// gives away what was meant.
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
        throws(QueryError) -> Operand
    {
        if Self.isValue(left.node, besides: right.node) {
            return try compare(try mirrored(sign, at: left.range), right, left, at: range)
        }
        try checkSpelling(left, against: right)
        let subject = try operand(left)
        let value = try value(right, for: subject)
        switch (subject.literal, value.literal) {
        case (let a?, let b?):
            guard let holds = Arithmetic.holds(sign, a, b) else {
                throw error("these two do not compare by \(sign.rawValue)", at: range)
            }
            return constant(.bool(holds), at: range)
        case (nil, let literal?): return try compare(sign, subject, literal, at: right.range, in: range)
        case (let literal?, nil):
            return try compare(try mirrored(sign, at: left.range), value, literal, at: left.range, in: range)
        case (nil, nil): break
        }
        guard sign != .matches, sign != .notMatches else {
            throw error("a pattern stands in double quotes", at: right.range, expected: ["text"])
        }
        try checkTypes(sign, subject.type, value.type, at: range)
        return condition(.binary(sign, subject.expression, value.expression), at: range)
    }

    /// The comparison for when the value at `place` stands on its left.
    private func mirrored(_ sign: BinaryOperator, at place: Range<Int>) throws(QueryError) -> BinaryOperator {
        guard let mirrored = sign.mirrored else {
            throw error("a pattern stands on the right of \(sign.rawValue)", at: place)
        }
        return mirrored
    }

    /// A comparison of what differs from span to span with a constant, which stands at `place`.
    private func compare(
        _ sign: BinaryOperator,
        _ subject: Operand,
        _ literal: Literal,
        at place: Range<Int>,
        in range: Range<Int>
    ) throws(QueryError) -> Operand {
        if case .field(let field) = subject.expression.node {
            let name = subject.expression.range
            let comparison = FieldComparison(checker: self, field: field, name: name, value: place)
            return condition(try comparison.condition(sign, literal), at: range)
        }
        let name = text(subject.expression.range)
        switch (subject.type, literal) {
        case (.bool, .bool(let bool)) where sign == .equal || sign == .notEqual:
            if bool == (sign == .equal) { return Operand(expression: subject.expression, type: .bool) }
            return condition(.unary(.not, subject.expression), at: range)
        case (.bool, _):
            let hint = name == "error" ? "; for an attribute of that name write .error" : ""
            throw error("\(name) is true or false\(hint)", at: place, expected: ["true", "false"])
        case (_, .nil):
            guard sign == .equal || sign == .notEqual else {
                throw error("nil compares by = and != only", at: place, expected: ["=", "!="])
            }
        case _ where sign == .matches || sign == .notMatches:
            throw error("\(name) has no text to match a pattern with", at: range)
        default: try checkTypes(sign, subject.type, literal.type, at: range)
        }
        return condition(make(sign, subject.expression, literal, at: place).node, at: range)
    }

    private func checkTypes(_ sign: BinaryOperator, _ left: ValueType, _ right: ValueType, at range: Range<Int>)
        throws(QueryError)
    {
        let isEquality = sign == .equal || sign == .notEqual
        guard left.compares(with: right), isEquality || left.hasOrder && right.hasOrder else {
            throw error("these two do not compare by \(sign.rawValue)", at: range)
        }
    }

    /// Whether the left side of a comparison is its value: a constant beside a name, or `error = status`.
    private static func isValue(_ left: Expression.Node, besides right: Expression.Node) -> Bool {
        if case .word(let word) = right, Literal(word: word.lowercased()) != nil { return false }
        return switch (left, right) {
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

    /// The right side of a comparison, where a word is a value.
    private func value(_ expression: Expression, for subject: Operand) throws(QueryError) -> Operand {
        guard case .word(let word) = expression.node, subject.literal == nil else { return try operand(expression) }
        let lower = word.lowercased()
        if let literal = Literal(word: lower) ?? Literal(word: word) { return constant(literal, at: expression.range) }
        if reading == .arguments {
            // What is a word of TraceQL's is one here too.
            if Intrinsic.words[word] != nil { return try operand(expression) }
            if let literal = Literal(keyword: word) { return constant(literal, at: expression.range) }
        }
        switch subject.type {
        case .status:
            if let status = StatusWord(rawValue: lower) { return constant(.status(status), at: expression.range) }
        case .kind:
            if let kind = KindWord(rawValue: lower) { return constant(.kind(kind), at: expression.range) }
        default: break
        }
        return constant(.string(word), at: expression.range)
    }

    // MARK: Making

    private func constant(_ literal: Literal, at range: Range<Int>) -> Operand {
        Operand(expression: Expression(node: .literal(literal), range: range), type: literal.type)
    }

    private func condition(_ node: Expression.Node, at range: Range<Int>) -> Operand {
        Operand(expression: Expression(node: node, range: range), type: .bool)
    }

    private func make(_ sign: BinaryOperator, _ left: Expression, _ literal: Literal, at range: Range<Int>)
        -> Expression
    {
        Expression(node: .binary(sign, left, Expression(node: .literal(literal), range: range)), range: range)
    }

    // MARK: Errors

    func text(_ range: Range<Int>) -> String { String(decoding: source[range], as: UTF8.self) }

    func error(
        _ message: String,
        at range: Range<Int>,
        expected: [String] = [],
        suggestion: String? = nil
    ) -> QueryError {
        QueryError(message, at: range, of: source, expected: expected, suggestion: suggestion)
    }
}

extension Expression {
    /// Whether a field stands somewhere in it.
    var namesField: Bool {
        switch node {
        case .literal: false
        case .field, .word: true
        case .unary(_, let inner): inner.namesField
        case .binary(_, let left, let right): left.namesField || right.namesField
        }
    }
}
