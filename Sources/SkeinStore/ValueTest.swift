// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// One comparison with a literal, made ready to be asked often: the leaf of a ``SpanPredicate``.
///
/// This is the one place that says when a value satisfies a comparison; stores may find faster ways to the same answer
/// and test themselves against it. Texts are compared byte by byte, numbers exactly across int and double.
package struct ValueTest: Sendable {
    package let comparison: SpanPredicate.Comparison
    package let literal: SpanPredicate.Literal
    /// The UTF-8 of a string literal, otherwise empty.
    package let literalBytes: [UInt8]

    /// The test `value comparison literal`.
    package init(_ comparison: SpanPredicate.Comparison, _ literal: SpanPredicate.Literal) {
        self.comparison = comparison
        self.literal = literal
        literalBytes = if case .string(let text) = literal { Array(text.utf8) } else { [] }
    }

    /// Whether an attribute's value satisfies the comparison.
    package func holds(_ value: AttributeValue) -> Bool {
        switch value {
        case .string(var text): text.withUTF8 { holds(text: UnsafeRawBufferPointer($0)) }
        case .bool(let bool): if case .bool(let wanted) = literal { equality(bool == wanted) } else { false }
        case .int(let int): holds(int: int)
        case .double(let double): holds(double: double)
        case .array(let elements):
            switch comparison {
            case .notEqual: !elements.contains(where: ValueTest(.equal, literal).holds)
            case .notMatches:
                if case .pattern = literal {
                    !elements.contains(where: ValueTest(.matches, literal).holds)
                } else {
                    false
                }
            default: elements.contains(where: holds)
            }
        case .null, .bytes, .map: false
        }
    }

    /// Whether an int attribute satisfies the comparison.
    package func holds(int: Int64) -> Bool {
        switch literal {
        case .int(let wanted): admits(Order(int, wanted))
        case .double(let wanted): admits(Order(int, wanted))
        default: false
        }
    }

    /// Whether a double attribute satisfies the comparison.
    package func holds(double: Double) -> Bool {
        switch literal {
        case .int(let wanted): admits(Order(wanted, double)?.reversed)
        case .double(let wanted): admits(Order(double, wanted))
        default: false
        }
    }

    /// Whether a text, given as UTF-8, satisfies the comparison.
    package func holds(text: UnsafeRawBufferPointer) -> Bool {
        switch literal {
        case .string: admits(literalBytes.withUnsafeBytes { Order(text, $0) })
        case .pattern(let pattern):
            switch comparison {
            case .matches: pattern.matches(text)
            case .notMatches: !pattern.matches(text)
            default: false
            }
        default: false
        }
    }

    /// Whether a number of nanoseconds satisfies the comparison.
    package func holds(nanos: UInt64) -> Bool {
        switch literal {
        case .int(let wanted): admits(wanted < 0 ? .greater : Order(nanos, UInt64(wanted)))
        case .double(let wanted):
            if nanos <= UInt64(Int64.max) {
                admits(Order(Int64(nanos), wanted))
            } else {
                // Above 2^63 a double is a whole number, so it fits an integer unless it is beyond 2^64.
                admits(
                    wanted.isNaN
                        ? nil : wanted < 0x1p63 ? .greater : wanted >= 0x1p64 ? .less : Order(nanos, UInt64(wanted))
                )
            }
        default: false
        }
    }

    /// Whether a span kind satisfies the comparison.
    package func holds(kind: Span.Kind) -> Bool {
        if case .kind(let wanted) = literal { equality(kind == wanted) } else { false }
    }

    /// Whether a status code satisfies the comparison.
    package func holds(status: Span.Status.Code) -> Bool {
        if case .status(let wanted) = literal { equality(status == wanted) } else { false }
    }

    /// For what has no order.
    private func equality(_ equal: Bool) -> Bool {
        switch comparison {
        case .equal: equal
        case .notEqual: !equal
        default: false
        }
    }

    /// Whether a value that stands so to the literal satisfies the comparison; `nil` when NaN is one of the two.
    private func admits(_ order: Order?) -> Bool {
        switch comparison {
        case .equal: order == .equal
        case .notEqual: order != .equal
        case .less: order == .less
        case .lessOrEqual: order == .less || order == .equal
        case .greater: order == .greater
        case .greaterOrEqual: order == .greater || order == .equal
        case .matches, .notMatches: false
        }
    }

    /// How the first of two stands to the second.
    private enum Order {
        case less, equal, greater

        init<T: Comparable>(_ a: T, _ b: T) { self = a < b ? .less : a == b ? .equal : .greater }

        init?(_ a: Double, _ b: Double) {
            guard !a.isNaN, !b.isNaN else { return nil }
            self = a < b ? .less : a == b ? .equal : .greater
        }

        /// Exact although not every int is a double: the double's whole part is compared as an int, then its fraction.
        init?(_ a: Int64, _ b: Double) {
            guard !b.isNaN else { return nil }
            if b >= 0x1p63 {
                self = .less
            } else if b < -0x1p63 {
                self = .greater
            } else {
                let whole = Int64(b)
                self = a == whole ? Order(b.rounded(.towardZero), b) ?? .equal : Order(a, whole)
            }
        }

        /// Byte order, which for UTF-8 is the order of code points.
        init(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) {
            for (x, y) in zip(a, b) where x != y {
                self = x < y ? .less : .greater
                return
            }
            self = Order(a.count, b.count)
        }

        var reversed: Order {
            switch self {
            case .less: .greater
            case .equal: .equal
            case .greater: .less
            }
        }
    }
}
