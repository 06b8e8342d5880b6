// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What constants say together. Ints wrap, and `/` and `%` of ints truncate, as in Tempo; of an int by zero there is no
/// result, a float becomes infinite.
enum Arithmetic {
    /// Why two constants have no result.
    enum Failure: Error { case types, division }

    /// The negative of a number.
    static func negated(_ value: Literal) -> Literal? {
        switch value {
        case .int(let int): .int(0 &- int)
        case .duration(let nanos): .duration(0 &- nanos)
        case .double(let double): .double(-double)
        default: nil
        }
    }

    /// The result of an arithmetic operator; a duration when either side is one.
    static func apply(_ sign: BinaryOperator, _ a: Literal, _ b: Literal) throws(Failure) -> Literal {
        guard let left = number(a), let right = number(b) else { throw .types }
        let isDuration = a.isDuration || b.isDuration
        if case .int(let x) = left, case .int(let y) = right {
            let value = try whole(sign, x, y)
            return isDuration ? .duration(value) : .int(value)
        }
        let value = try real(sign, left.double, right.double)
        if isDuration, abs(value) < 9e18 { return .duration(Int64(value.rounded())) }
        return .double(value)
    }

    /// Whether a comparison of constants holds; `nil` when their types do not compare.
    static func holds(_ sign: BinaryOperator, _ a: Literal, _ b: Literal) -> Bool? {
        if a == .nil || b == .nil { return sign == .equal || sign == .notEqual ? false : nil }
        if let left = number(a), let right = number(b) {
            if case .int(let x) = left, case .int(let y) = right { return ordered(sign, x, y) }
            return ordered(sign, left.double, right.double)
        }
        switch (a, b) {
        case (.string(let x), .string(let y)):
            // Byte by byte, as stored texts are compared.
            if x.utf8.elementsEqual(y.utf8) { return ordered(sign, 0, 0) }
            return ordered(sign, x.utf8.lexicographicallyPrecedes(y.utf8) ? -1 : 1, 0)
        case (.bool, .bool), (.status, .status), (.kind, .kind):
            return sign == .equal ? a == b : sign == .notEqual ? a != b : nil
        default: return nil
        }
    }

    private static func ordered<T: Comparable>(_ sign: BinaryOperator, _ a: T, _ b: T) -> Bool? {
        switch sign {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        default: nil
        }
    }

    private enum Number {
        case int(Int64), double(Double)

        var double: Double {
            switch self {
            case .int(let int): Double(int)
            case .double(let double): double
            }
        }
    }

    private static func number(_ value: Literal) -> Number? {
        switch value {
        case .int(let int), .duration(let int): .int(int)
        case .double(let double): .double(double)
        default: nil
        }
    }

    private static func whole(_ sign: BinaryOperator, _ x: Int64, _ y: Int64) throws(Failure) -> Int64 {
        switch sign {
        case .add: return x &+ y
        case .subtract: return x &- y
        case .multiply: return x &* y
        case .divide, .remainder:
            guard y != 0 else { throw .division }
            // Int64.min / -1 wraps to itself.
            return sign == .divide
                ? x.dividedReportingOverflow(by: y).partialValue
                : x.remainderReportingOverflow(dividingBy: y).partialValue
        case .power:
            guard y >= 0 else { return x == 1 ? 1 : x == -1 ? (y & 1 == 0 ? 1 : -1) : 0 }
            return power(x, y)
        default: throw .types
        }
    }

    /// By squaring, so that any power takes at most 64 steps.
    static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
        var result: Int64 = 1
        var base = base
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result = result &* base }
            base = base &* base
            rest >>= 1
        }
        return result
    }

    private static func real(_ sign: BinaryOperator, _ x: Double, _ y: Double) throws(Failure) -> Double {
        switch sign {
        case .add: return x + y
        case .subtract: return x - y
        case .multiply: return x * y
        case .divide: return x / y
        case .remainder: return x.truncatingRemainder(dividingBy: y)
        case .power: return power(x, y)
        default: throw .types
        }
    }

    /// NaN for the root of what is negative.
    static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
}

extension Literal {
    /// Whether the value was written with a unit of time.
    var isDuration: Bool { if case .duration = self { true } else { false } }
}
