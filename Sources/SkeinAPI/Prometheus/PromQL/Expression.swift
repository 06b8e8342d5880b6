// SPDX-License-Identifier: Apache-2.0

extension PromQL {
    /// What a query asks for, checked for sense.
    indirect enum Expression: Hashable, Sendable {
        case number(Double)
        case string(String)
        case reading(Reading)
        /// A range on its own, which only functions over time take: no part of what ``PromQL/parse(_:)`` gives.
        case range(Selector, millis: Int)
        /// One sample without labels.
        case vector(Expression)
        /// `histogram_quantile` of a scalar and a vector.
        case quantile(Expression, of: Expression)
        case aggregation(Aggregation)
        case operation(Operation)
        case negation(Expression)
    }

    /// What is read of the store.
    struct Reading: Hashable, Sendable {
        var selector: Selector
        var measure: Measure

        enum Measure: Hashable, Sendable {
            /// All that was counted up to the moment.
            case total
            /// What was counted a second, in so many milliseconds.
            case rate(millis: Int)
            /// What was counted in so many milliseconds.
            case increase(millis: Int)
        }
    }

    /// One series of several.
    struct Aggregation: Hashable, Sendable {
        var operation: Operation
        /// How many `topk` and `bottomk` keep.
        var parameter: Expression?
        var operand: Expression
        var grouping = Grouping()

        enum Operation: String, Hashable, Sendable, CaseIterable {
            case sum, avg, min, max, count, group, topk, bottomk

            var hasParameter: Bool { self == .topk || self == .bottomk }
        }
    }

    /// Which labels tell groups apart.
    struct Grouping: Hashable, Sendable {
        /// In order of name, none twice.
        var names: [String] = []
        /// Whether it is all other labels.
        var isWithout = false

        func keeps(_ name: String) -> Bool {
            isWithout ? !names.contains(name) && name != LabelSet.metricName : names.contains(name)
        }
    }

    /// Two operands, of which each sample finds the one of equal labels.
    struct Operation: Hashable, Sendable {
        var sign: Sign
        var left: Expression
        var right: Expression
        /// Which labels must be equal; all but the metric's name when `nil`.
        var matching: Matching?
        /// Whether a comparison says 0 or 1 rather than filter.
        var isBool = false

        enum Sign: String, Hashable, Sendable, CaseIterable {
            case add = "+", subtract = "-", multiply = "*", divide = "/"
            case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
            case and, or, unless

            /// The greater one binds tighter.
            var rank: Int {
                switch self {
                case .or: 1
                case .and, .unless: 2
                case .add, .subtract: 4
                case .multiply, .divide: 5
                default: 3
                }
            }

            var isComparison: Bool { rank == 3 }
            var isOfSets: Bool { rank < 3 }
        }

        struct Matching: Hashable, Sendable {
            var names: [String]
            /// Whether it is all other labels that must be equal.
            var isIgnoring: Bool

            func keeps(_ name: String) -> Bool {
                isIgnoring ? !names.contains(name) && name != LabelSet.metricName : names.contains(name)
            }
        }
    }
}

extension PromQL.Expression {
    /// What an expression gives, in the words of errors.
    enum Kind: String {
        case scalar = "a number"
        case string = "a text"
        case vector = "an instant vector"
        case range = "a range vector"
    }

    var kind: Kind {
        switch self {
        case .number: .scalar
        case .string: .string
        case .range: .range
        case .reading, .vector, .quantile, .aggregation: .vector
        case .negation(let operand): operand.kind
        case .operation(let operation):
            operation.left.kind == .scalar && operation.right.kind == .scalar ? .scalar : .vector
        }
    }

    /// Everything that is read for it.
    var readings: [PromQL.Reading] {
        switch self {
        case .number, .string, .range: []
        case .reading(let reading): [reading]
        case .vector(let operand), .negation(let operand): operand.readings
        case .quantile(let share, let operand): share.readings + operand.readings
        case .aggregation(let aggregation): (aggregation.parameter?.readings ?? []) + aggregation.operand.readings
        case .operation(let operation): operation.left.readings + operation.right.readings
        }
    }
}
