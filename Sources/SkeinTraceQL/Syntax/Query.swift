// SPDX-License-Identifier: Apache-2.0
package import SkeinStore

/// A query that makes sense: every word has its meaning, types are held against each other, constants are folded, and
/// parentheses are gone.
///
/// Of a tree of expressions it promises besides: there is no ``Expression/Node/word(_:)``; of a comparison with a literal
/// the literal is the right side; what stands for a condition is one, so that `{ .a }` is `.a = true`; the right side of
/// `=~` and `!~` is a string that compiles as a pattern; statuses, kinds and ids (lower case) are as they are compared.
package struct Query: Sendable {
    package var statement: Statement
    /// What `with(…)` says, in its order.
    package var hints: [Hint]
    /// The text, for the places of errors.
    let source: [UInt8]
}

extension TraceQL {
    /// Whose verdict on a query counts.
    package enum Dialect: Sendable {
        /// All that can be given a meaning: TraceQL, the bare form, `parent.`, aggregates against aggregates, `order by`.
        case skein
        /// What Tempo accepts and nothing else.
        case tempo
    }
}

/// A node of the tree, with the bytes of the text that it came from.
package struct Expression: Sendable {
    package var node: Node
    /// UTF-8 offsets into the query.
    package var range: Range<Int>

    package indirect enum Node: Sendable {
        case literal(Literal)
        case field(Field)
        /// A word whose meaning depends on what stands beside it; in no checked tree.
        case word(String)
        case unary(UnaryOperator, Expression)
        case binary(BinaryOperator, Expression, Expression)
    }
}

/// A value as written.
package enum Literal: Hashable, Sendable {
    case string(String)
    case int(Int64)
    case double(Double)
    /// Nanoseconds.
    case duration(Int64)
    case bool(Bool)
    case status(StatusWord)
    case kind(KindWord)
    case `nil`
}

/// What a status is called.
package enum StatusWord: String, Hashable, Sendable, CaseIterable { case error, ok, unset }

/// What a kind is called.
package enum KindWord: String, Hashable, Sendable, CaseIterable {
    case unspecified, `internal`, server, client, producer, consumer
}

/// What a condition speaks of.
package enum Field: Hashable, Sendable {
    case intrinsic(Intrinsic)
    case attribute(AttributeScope, String)
    /// `parent.name` (an extension): of the span above.
    case parentAttribute(AttributeScope, String)
    /// `parent:duration` (an extension): of the span above.
    case parentIntrinsic(Intrinsic)
}

/// A fact that every span has and that is no attribute. Raw values are the full names; see ``init(word:)`` for others.
package enum Intrinsic: String, Hashable, Sendable, CaseIterable {
    case duration = "span:duration"
    case name = "span:name"
    case status = "span:status"
    case statusMessage = "span:statusMessage"
    case kind = "span:kind"
    case spanID = "span:id"
    case parentID = "span:parentID"
    case childCount = "span:childCount"
    case traceDuration = "trace:duration"
    case rootName = "trace:rootName"
    case rootServiceName = "trace:rootService"
    case traceID = "trace:id"
    case eventName = "event:name"
    case eventTime = "event:timeSinceStart"
    case linkTraceID = "link:traceID"
    case linkSpanID = "link:spanID"
    case scopeName = "instrumentation:name"
    case scopeVersion = "instrumentation:version"
    case nestedSetLeft
    case nestedSetRight
    case nestedSetParent
    case parent

    /// The names without a scope.
    package static let words: [String: Intrinsic] = [
        "duration": .duration, "name": .name, "status": .status, "statusMessage": .statusMessage, "kind": .kind,
        "traceDuration": .traceDuration, "rootName": .rootName, "rootServiceName": .rootServiceName,
        "nestedSetLeft": .nestedSetLeft, "nestedSetRight": .nestedSetRight, "nestedSetParent": .nestedSetParent,
        "parent": .parent,
    ]

    /// Whether it is compared with durations.
    var isDuration: Bool { self == .duration || self == .traceDuration || self == .eventTime }
}

/// An operator with one operand.
package enum UnaryOperator: String, Hashable, Sendable { case not = "!", minus = "-" }

/// An operator between two operands.
package enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
    case and = "&&"
    case or = "||"
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case matches = "=~"
    case notMatches = "!~"
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
    case power = "^"

    /// The comparison, when it is one.
    var comparison: SpanPredicate.Comparison? { SpanPredicate.Comparison(rawValue: rawValue) }

    /// The comparison with its sides exchanged; `=~` has none.
    var mirrored: BinaryOperator? {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        case .equal, .notEqual: self
        default: nil
        }
    }
}
