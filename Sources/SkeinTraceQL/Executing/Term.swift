// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// An expression made ready to be asked of many rows: fields are numbered, patterns compiled.
indirect enum Term: Sendable {
    case literal(Value)
    /// A place in ``Terms/fields``.
    case field(Int)
    case not(Term)
    case negative(Term)
    case and(Term, Term)
    case or(Term, Term)
    case compare(BinaryOperator, Term, Term)
    case matches(Term, TextPattern, isNegated: Bool)
    case isNil(Term, Bool)
    case arithmetic(BinaryOperator, Term, Term)
}

/// Compiles expressions that share a list of fields.
struct Terms: Sendable {
    /// Each once.
    private(set) var fields: [Field] = []

    init() {}

    /// The place of a field, which is added when new.
    mutating func place(of field: Field) -> Int {
        if let place = fields.firstIndex(of: field) { return place }
        fields.append(field)
        return fields.count - 1
    }

    /// Compiles a checked expression.
    mutating func term(_ expression: Expression) -> Term {
        switch expression.node {
        case .literal(let literal): return .literal(Value(literal))
        case .field(let field): return .field(place(of: field))
        case .word: preconditionFailure("a checked expression has no words")
        case .unary(.not, let inner): return .not(term(inner))
        case .unary(.minus, let inner): return .negative(term(inner))
        case .binary(.and, let left, let right): return .and(term(left), term(right))
        case .binary(.or, let left, let right): return .or(term(left), term(right))
        case .binary(let sign, let left, let right):
            if sign.comparison == nil { return .arithmetic(sign, term(left), term(right)) }
            return comparison(sign, left, right)
        }
    }

    private mutating func comparison(_ sign: BinaryOperator, _ left: Expression, _ right: Expression) -> Term {
        switch (sign, left.node, right.node) {
        case (.matches, _, .literal(.string(let source))), (.notMatches, _, .literal(.string(let source))):
            guard let pattern = try? TextPattern(source) else { preconditionFailure("a checked pattern compiles") }
            return .matches(term(left), pattern, isNegated: sign == .notMatches)
        case (_, .literal(.nil), .literal(.nil)): return .literal(.bool(false))
        case (.equal, _, .literal(.nil)), (.notEqual, _, .literal(.nil)):
            return .isNil(term(left), sign == .equal)
        case (.equal, .literal(.nil), _), (.notEqual, .literal(.nil), _):
            return .isNil(term(right), sign == .equal)
        default: return .compare(sign, term(left), term(right))
        }
    }
}

extension Term {
    /// What the term comes to when fields have these values.
    func value(_ field: (Int) throws(StoreError) -> Value) throws(StoreError) -> Value {
        switch self {
        case .literal(let value): return value
        case .field(let place): return try field(place)
        case .not(let inner):
            if case .bool(let bool) = try inner.value(field) { return .bool(!bool) }
            return .none
        case .negative(let inner): return try inner.value(field).negated
        case .and(let left, let right):
            guard try left.isTrue(field) else { return .bool(false) }
            return .bool(try right.isTrue(field))
        case .or(let left, let right):
            if try left.isTrue(field) { return .bool(true) }
            return .bool(try right.isTrue(field))
        case .compare(let sign, let left, let right):
            return .bool(Value.holds(sign, try left.value(field), try right.value(field)))
        case .matches(let inner, let pattern, let isNegated):
            return .bool(Self.matches(try inner.value(field), pattern, isNegated))
        case .isNil(let inner, let isNil): return .bool((try inner.value(field) == .none) == isNil)
        case .arithmetic(let sign, let left, let right):
            return Value.arithmetic(sign, try left.value(field), try right.value(field))
        }
    }

    /// Whether the term is true.
    func isTrue(_ field: (Int) throws(StoreError) -> Value) throws(StoreError) -> Bool {
        if case .bool(true) = try value(field) { true } else { false }
    }

    private static func matches(_ value: Value, _ pattern: TextPattern, _ isNegated: Bool) -> Bool {
        switch value {
        case .string(let text): return pattern.matches(text) != isNegated
        case .array(let elements):
            let any = elements.contains { matches($0, pattern, false) }
            return any != isNegated
        default: return false
        }
    }
}
