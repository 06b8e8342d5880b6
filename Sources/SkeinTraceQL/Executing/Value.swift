// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What an expression comes to for one span.
package indirect enum Value: Hashable, Sendable {
    /// No value: a missing attribute, or `nil`.
    case none
    case string(String)
    case int(Int64)
    case double(Double)
    /// Nanoseconds.
    case duration(Int64)
    case bool(Bool)
    case status(StatusWord)
    case kind(KindWord)
    case array([Value])
    /// Bytes and maps, which are shown and grouped by and compare to nothing.
    case other(AttributeValue)

    /// An attribute's value.
    package init(_ value: AttributeValue?) {
        switch value {
        case .string(let text): self = .string(text)
        case .bool(let bool): self = .bool(bool)
        case .int(let int): self = .int(int)
        case .double(let double): self = .double(double)
        case .array(let elements): self = .array(elements.map { Value($0) })
        case .bytes?, .map?: self = value.map(Value.other) ?? .none
        case .null, nil: self = .none
        }
    }

    package init(_ literal: Literal) {
        switch literal {
        case .string(let text): self = .string(text)
        case .int(let int): self = .int(int)
        case .double(let double): self = .double(double)
        case .duration(let nanos): self = .duration(nanos)
        case .bool(let bool): self = .bool(bool)
        case .status(let status): self = .status(status)
        case .kind(let kind): self = .kind(kind)
        case .nil: self = .none
        }
    }

    /// The number, a duration's in nanoseconds; `nil` for what is none.
    package var number: Double? {
        switch self {
        case .int(let int), .duration(let int): Double(int)
        case .double(let double): double
        default: nil
        }
    }

    /// The whole number, when it is one.
    var whole: Int64? {
        switch self {
        case .int(let int), .duration(let int): int
        default: nil
        }
    }

    var isDuration: Bool { if case .duration = self { true } else { false } }
}

extension Value {
    /// Whether two values compare so. Types that differ compare to nothing, but for numbers; an array does as any of its
    /// elements does, `!=` and `!~` as all of them do.
    static func holds(_ sign: BinaryOperator, _ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.none, _), (_, .none): return false
        case (.array(let elements), _):
            if sign == .notEqual { return !elements.contains { holds(.equal, $0, b) } }
            return elements.contains { holds(sign, $0, b) }
        case (_, .array(let elements)):
            if sign == .notEqual { return !elements.contains { holds(.equal, a, $0) } }
            return elements.contains { holds(sign, a, $0) }
        case (.string(let x), .string(let y)): return admits(sign, order(x, y))
        case (.bool, .bool), (.status, .status), (.kind, .kind):
            return sign == .equal ? a == b : sign == .notEqual ? a != b : false
        default:
            if let x = a.whole, let y = b.whole { return admits(sign, x < y ? -1 : x == y ? 0 : 1) }
            guard let x = a.number, let y = b.number else { return false }
            // What is no number differs from everything.
            if x.isNaN || y.isNaN { return sign == .notEqual }
            return admits(sign, order(a, b, x, y))
        }
    }

    /// Exact although not every int is a double.
    private static func order(_ a: Value, _ b: Value, _ x: Double, _ y: Double) -> Int {
        if let int = a.whole { return order(int, y) }
        if let int = b.whole { return -order(int, x) }
        return x < y ? -1 : x == y ? 0 : 1
    }

    private static func order(_ int: Int64, _ double: Double) -> Int {
        if double >= 0x1p63 { return -1 }
        if double < -0x1p63 { return 1 }
        let whole = Int64(double)
        if int != whole { return int < whole ? -1 : 1 }
        let rest = double - double.rounded(.towardZero)
        return rest > 0 ? -1 : rest < 0 ? 1 : 0
    }

    private static func order(_ a: String, _ b: String) -> Int {
        if a.utf8.elementsEqual(b.utf8) { return 0 }
        return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
    }

    private static func admits(_ sign: BinaryOperator, _ order: Int) -> Bool {
        switch sign {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        default: false
        }
    }

    /// A number, or the duration of so many nanoseconds, rounded.
    static func number(_ number: Double, isDuration: Bool) -> Value {
        guard isDuration else { return .double(number) }
        return number.magnitude < 9e18 ? .duration(Int64(number.rounded())) : .none
    }

    /// The result of an arithmetic operator; none where there is no number. Ints wrap, `/` and `%` of ints truncate and are
    /// none when divided by zero, as stored data must not make a query fail. Durations are nanoseconds and do not truncate:
    /// a result that is not whole is the number of nanoseconds. What part one is of another is a plain number.
    static func arithmetic(_ sign: BinaryOperator, _ a: Value, _ b: Value) -> Value {
        guard let x = a.number, let y = b.number else { return .none }
        let isDuration = (a.isDuration || b.isDuration) && !(sign == .divide && a.isDuration && b.isDuration)
        let areInts = !a.isDuration && !b.isDuration
        let isExact = areInts || sign == .add || sign == .subtract || sign == .multiply
        if isExact, let i = a.whole, let j = b.whole {
            guard let result = whole(sign, i, j) else { return .none }
            return isDuration ? .duration(result) : .int(result)
        }
        let result: Double
        switch sign {
        case .add: result = x + y
        case .subtract: result = x - y
        case .multiply: result = x * y
        case .divide: result = x / y
        case .remainder: result = x.truncatingRemainder(dividingBy: y)
        case .power: result = Arithmetic.power(x, y)
        default: return .none
        }
        if isDuration, result.magnitude < 9e18, result == result.rounded() { return .duration(Int64(result)) }
        return .double(result)
    }

    private static func whole(_ sign: BinaryOperator, _ x: Int64, _ y: Int64) -> Int64? {
        switch sign {
        case .add: x &+ y
        case .subtract: x &- y
        case .multiply: x &* y
        case .divide: y == 0 ? nil : x.dividedReportingOverflow(by: y).partialValue
        case .remainder: y == 0 ? nil : x.remainderReportingOverflow(dividingBy: y).partialValue
        case .power: y < 0 ? (x == 1 ? 1 : x == -1 ? (y & 1 == 0 ? 1 : -1) : 0) : Arithmetic.power(x, y)
        default: nil
        }
    }

    /// The negative of a number; none for what is none.
    var negated: Value {
        switch self {
        case .int(let int): .int(0 &- int)
        case .duration(let nanos): .duration(0 &- nanos)
        case .double(let double): .double(-double)
        default: .none
        }
    }
}

extension StatusWord {
    /// The word for a status code.
    init(_ code: Span.Status.Code) {
        switch code {
        case .error: self = .error
        case .ok: self = .ok
        case .unset: self = .unset
        }
    }
}
