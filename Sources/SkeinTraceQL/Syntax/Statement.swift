// SPDX-License-Identifier: Apache-2.0

/// What a query asks for.
package indirect enum Statement: Sendable {
    /// Spans, grouped by trace.
    case spans(Pipeline)
    /// Series over time.
    case series(SeriesExpression)
}

/// Stages, each of which works on what the one before leaves. The first is never `coalesce` or `order`.
package struct Pipeline: Sendable {
    package var stages: [Stage]

    package init(_ stages: [Stage]) { self.stages = stages }
}

/// One stage of a pipeline over the spansets of a trace.
package indirect enum Stage: Sendable {
    /// `{ … }` and what is made of such: spans of each spanset that satisfy it.
    case spansets(SpansetExpression)
    /// `count() > 2`: spansets that satisfy it.
    case filter(ScalarComparison)
    /// `by(…)`: a spanset for each value.
    case group(Expression)
    /// `coalesce()`: one spanset again.
    case coalesce
    /// `select(…)`: further fields in the answer.
    case select([FieldReference])
    /// `order by …` (an extension): the order of the traces in the answer; the last stage.
    case order(TraceOrder)
}

/// A field with the place where it is named.
package struct FieldReference: Sendable {
    package var field: Field
    /// UTF-8 offsets into the query.
    package var range: Range<Int>

    package init(_ field: Field, at range: Range<Int>) {
        self.field = field
        self.range = range
    }
}

/// How traces are ordered.
package struct TraceOrder: Hashable, Sendable {
    package enum Key: String, Hashable, Sendable, CaseIterable {
        case start, duration, spans, errors
    }

    package var key: Key
    package var isDescending: Bool

    package init(_ key: Key, isDescending: Bool) {
        self.key = key
        self.isDescending = isDescending
    }

    /// Newest first.
    package static let newest = TraceOrder(.start, isDescending: true)
}

/// What picks spans of a trace.
package indirect enum SpansetExpression: Sendable {
    /// `{ … }`; `nil` for `{ }`.
    case filter(Expression?)
    /// `( … )` with more than one stage in it.
    case pipeline(Pipeline)
    case combined(SpansetOperator, SpansetExpression, SpansetExpression)
}

/// An operator between two spansets.
package struct SpansetOperator: Hashable, Sendable {
    package enum Relation: String, Hashable, Sendable, CaseIterable {
        case and = "&&"
        case or = "||"
        /// Right spans that are a child of a left one.
        case child = ">"
        /// Right spans below a left one.
        case descendant = ">>"
        /// Right spans that are the parent of a left one.
        case parent = "<"
        /// Right spans above a left one.
        case ancestor = "<<"
        /// Right spans with the same parent as another, left one.
        case sibling = "~"

        /// Whether it says how spans stand to each other.
        package var isStructural: Bool { self != .and && self != .or }
    }

    package enum Mode: Hashable, Sendable {
        /// The right spans of the relation.
        case plain
        /// `!>>`: the right spans that are in the relation to no left one.
        case negated
        /// `&>>`: the spans of both sides.
        case union
    }

    package var relation: Relation
    package var mode: Mode

    package init(_ relation: Relation, _ mode: Mode = .plain) {
        self.relation = relation
        self.mode = mode
    }

    /// As a query spells it.
    package var text: String {
        switch mode {
        case .plain: relation.rawValue
        case .negated: "!" + relation.rawValue
        case .union: "&" + relation.rawValue
        }
    }
}

/// `count() > 2`. Folded: the right side is one constant, unless it is an aggregate (an extension).
package struct ScalarComparison: Sendable {
    package var left: ScalarExpression
    package var comparison: BinaryOperator
    package var right: ScalarExpression

    package init(_ left: ScalarExpression, _ comparison: BinaryOperator, _ right: ScalarExpression) {
        self.left = left
        self.comparison = comparison
        self.right = right
    }
}

/// A number made of a spanset.
package indirect enum ScalarExpression: Sendable {
    case constant(Literal)
    case aggregate(Aggregate)
    case arithmetic(BinaryOperator, ScalarExpression, ScalarExpression)
}

/// What the spans of a spanset add up to.
package struct Aggregate: Sendable {
    package enum Function: String, Hashable, Sendable, CaseIterable { case count, min, max, avg, sum }

    package var function: Function
    /// `nil` for `count()`.
    package var operand: Expression?
    /// As written, such as `avg(duration)`: its name in the answer.
    package var text: String

    package init(_ function: Function, _ operand: Expression?, text: String) {
        self.function = function
        self.operand = operand
        self.text = text
    }
}

/// Series, and what is made of several.
package indirect enum SeriesExpression: Sendable {
    case query(SeriesQuery)
    case arithmetic(BinaryOperator, SeriesExpression, SeriesExpression)
    case constant(Double)
    /// A stage behind a parenthesised expression.
    case stage(SeriesStage, SeriesExpression)
}

/// A pipeline, counted over time.
package struct SeriesQuery: Sendable {
    package var pipeline: Pipeline
    package var function: SeriesFunction
    /// At most 5 fields.
    package var groups: [FieldReference]
    package var stages: [SeriesStage]

    package init(_ pipeline: Pipeline, _ function: SeriesFunction, by groups: [FieldReference], stages: [SeriesStage]) {
        self.pipeline = pipeline
        self.function = function
        self.groups = groups
        self.stages = stages
    }
}

/// What is counted of the spans of each step.
package enum SeriesFunction: Sendable {
    /// Spans a second.
    case rate
    case count
    case minimum(FieldReference)
    case maximum(FieldReference)
    case average(FieldReference)
    case sum(FieldReference)
    /// Each of 0…1.
    case quantiles(FieldReference, [Double])
    case histogram(FieldReference)
    case compare(Comparison)

    /// `compare({selection}, topN, startNs, endNs)`.
    package struct Comparison: Sendable {
        package var selection: Expression?
        /// Values shown of each attribute, 1…1000.
        package var countMax: Int
        /// Nanoseconds since 1970 in which the selection lies; `nil` for the whole range.
        package var range: Range<UInt64>?

        package init(selection: Expression?, countMax: Int = 10, range: Range<UInt64>? = nil) {
            self.selection = selection
            self.countMax = countMax
            self.range = range
        }
    }

    /// As a series without groups is named.
    package var name: String {
        switch self {
        case .rate: "rate"
        case .count: "count_over_time"
        case .minimum: "min_over_time"
        case .maximum: "max_over_time"
        case .average: "avg_over_time"
        case .sum: "sum_over_time"
        case .quantiles: "quantile_over_time"
        case .histogram: "histogram_over_time"
        case .compare: "compare"
        }
    }
}

/// What is done with finished series.
package enum SeriesStage: Hashable, Sendable {
    /// The greatest of each moment, at least 1.
    case top(Int)
    /// The least of each moment, at least 1.
    case bottom(Int)
    /// Samples that satisfy it; durations in seconds.
    case filter(BinaryOperator, Double)
}

/// One `key = value` of `with(…)`.
package struct Hint: Hashable, Sendable {
    package var name: String
    package var value: Literal

    package init(_ name: String, _ value: Literal) {
        self.name = name
        self.value = value
    }
}
