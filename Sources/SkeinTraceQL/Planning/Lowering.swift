// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
package import SkeinStore

/// States in the terms of the store what it can find spans by: never less than was asked for, often exactly that.
package enum Lowering {
    /// A condition that every span satisfies which satisfies `expression`, and whether no other span does. Of a checked
    /// expression; `nil` is satisfied by all.
    package static func predicate(_ expression: Expression?) -> (predicate: SpanPredicate, isExact: Bool) {
        guard let expression else { return (.true, true) }
        let condition = Condition(expression)
        return (Planner.simplified(condition.predicate), condition.excess == nil)
    }

    /// The first part of `expression` that a predicate cannot state.
    static func excess(_ expression: Expression?) -> Range<Int>? { expression.flatMap { Condition($0).excess } }

    /// Conditions of which each holds for some span of every trace that `pipeline` leaves something of; at least one.
    package static func requirements(of pipeline: Pipeline) -> [SpanPredicate] {
        var required: [SpanPredicate] = []
        for case .spansets(let spansets) in pipeline.stages { required += requirements(of: spansets) }
        return distinct(required)
    }

    private static func requirements(of spansets: SpansetExpression) -> [SpanPredicate] {
        switch spansets {
        case .filter(let expression): return [predicate(expression).predicate]
        case .pipeline(let pipeline): return requirements(of: pipeline)
        case .combined(let sign, let left, let right):
            // Spans that stand so to no left one may be in traces without any.
            if sign.mode == .negated { return requirements(of: right) }
            let (left, right) = (requirements(of: left), requirements(of: right))
            guard sign.relation == .or else { return distinct(left + right) }
            // A trace satisfies all of one side, so of every pair it satisfies one.
            return distinct(
                (0..<max(left.count, right.count)).map {
                    Planner.simplified(.or([left[min($0, left.count - 1)], right[min($0, right.count - 1)]]))
                }
            )
        }
    }

    private static func distinct(_ predicates: [SpanPredicate]) -> [SpanPredicate] {
        var seen: Set<SpanPredicate> = [.true]
        let telling = predicates.filter { seen.insert($0).inserted }
        return telling.isEmpty ? [.true] : telling
    }
}

/// A condition in the terms of the store.
private struct Condition {
    var predicate: SpanPredicate
    /// The first part that the predicate leaves out, so that it holds for more spans; `nil` when it says all.
    var excess: Range<Int>?
    /// Whether it is of events, and of links: within one `{ … }` such conditions are of one event together.
    private var asksEvents = false
    private var asksLinks = false

    init(_ expression: Expression) {
        switch expression.node {
        case .literal(.bool(let bool)): self.init(bool ? .true : .never)
        case .unary(.not, let inner): self = Condition(inner).negated(at: expression.range)
        case .binary(.and, let left, let right):
            let (left, right) = (Condition(left), Condition(right))
            self = left.joined(right, .and([left.predicate, right.predicate]))
            if left.asksEvents && right.asksEvents || left.asksLinks && right.asksLinks {
                // The predicate does not say that one event has to satisfy both.
                excess = excess ?? expression.range
            }
        case .binary(.or, let left, let right):
            let (left, right) = (Condition(left), Condition(right))
            self = left.joined(right, .or([left.predicate, right.predicate]))
        case .binary(let sign, let left, let right):
            if case .field(let field) = left.node, case .literal(let literal) = right.node {
                self.init(field, sign, literal, at: expression.range)
            } else {
                self.init(unstated: expression)
            }
        case .literal, .field, .word, .unary(.minus, _): self.init(unstated: expression)
        }
    }

    private init(_ predicate: SpanPredicate) {
        self.predicate = predicate
    }

    private init(unstated expression: Expression) {
        predicate = .true
        excess = expression.range
        (asksEvents, asksLinks) = (expression.names(.event), expression.names(.link))
    }

    private func joined(_ other: Condition, _ predicate: SpanPredicate) -> Condition {
        var joined = Condition(predicate)
        joined.excess = excess ?? other.excess
        joined.asksEvents = asksEvents || other.asksEvents
        joined.asksLinks = asksLinks || other.asksLinks
        return joined
    }

    /// The opposite; all that is known of it is nothing, when the condition holds for more spans than it should or asks
    /// for some event: one that has not what is asked for may stand beside another that has.
    private func negated(at range: Range<Int>) -> Condition {
        var negated = self
        if excess == nil, !asksEvents, !asksLinks {
            negated.predicate = .not(predicate)
        } else {
            negated.predicate = .true
            negated.excess = excess ?? range
        }
        return negated
    }

    private init(_ field: Field, _ sign: BinaryOperator, _ literal: Literal, at range: Range<Int>) {
        (asksEvents, asksLinks) = (field.owner == .event, field.owner == .link)
        guard let stored = field.stored, let comparison = sign.comparison else {
            predicate = .true
            excess = range
            return
        }
        switch literal {
        case .nil where sign == .notEqual: predicate = .exists(stored)
        case .nil where asksEvents || asksLinks:
            // Some event lacks it, which takes an event.
            predicate = asksEvents ? .exists(.eventName) : .exists(.linkTraceID)
            excess = range
        case .nil: predicate = .not(.exists(stored))
        default: predicate = Condition.comparison(stored, comparison, literal)
        }
    }

    private static func comparison(_ field: SpanField, _ comparison: SpanPredicate.Comparison, _ literal: Literal)
        -> SpanPredicate
    {
        switch literal {
        case .string(let text):
            guard comparison == .matches || comparison == .notMatches else {
                return .compare(field, comparison, .string(text))
            }
            // The checker has compiled it once.
            return (try? TextPattern(text)).map { .compare(field, comparison, .pattern($0)) } ?? .true
        case _ where field == .serviceName: return .never
        case .int(let int), .duration(let int): return .compare(field, comparison, .int(int))
        case .double(let double): return .compare(field, comparison, .double(double))
        case .bool(let bool): return .compare(field, comparison, .bool(bool))
        case .status(let status) where field == .status: return .compare(field, comparison, .status(status.code))
        case .kind(let kind) where field == .kind: return .compare(field, comparison, .kind(kind.kind))
        // No attribute is a status or a kind, and a comparison across types is false.
        case .status, .kind, .nil: return .never
        }
    }
}

extension Expression {
    /// Whether a field of such an owner stands in it.
    fileprivate func names(_ owner: AttributeScope) -> Bool {
        switch node {
        case .literal, .word: false
        case .field(let field): field.owner == owner
        case .unary(_, let inner): inner.names(owner)
        case .binary(_, let left, let right): left.names(owner) || right.names(owner)
        }
    }
}

extension Field {
    /// Whose it is, as far as spans have several of those.
    fileprivate var owner: AttributeScope {
        switch self {
        case .attribute(let scope, _): scope
        case .intrinsic(.eventName), .intrinsic(.eventTime): .event
        case .intrinsic(.linkTraceID), .intrinsic(.linkSpanID): .link
        case .intrinsic, .parentAttribute, .parentIntrinsic: .span
        }
    }

    /// The field of the store, when it has one of that meaning.
    var stored: SpanField? {
        switch self {
        case .attribute(.resource, "service.name"): .serviceName
        case .attribute(let scope, let key): .attribute(scope, key)
        case .parentAttribute, .parentIntrinsic: nil
        case .intrinsic(let intrinsic): intrinsic.stored
        }
    }
}

extension Intrinsic {
    fileprivate var stored: SpanField? {
        switch self {
        case .duration: .duration
        case .name: .name
        case .status: .status
        case .statusMessage: .statusMessage
        case .kind: .kind
        case .spanID: .spanID
        case .parentID: .parentSpanID
        case .traceID: .traceID
        case .scopeName: .scopeName
        case .scopeVersion: .scopeVersion
        case .eventName: .eventName
        case .linkTraceID: .linkTraceID
        case .childCount, .traceDuration, .rootName, .rootServiceName, .eventTime, .linkSpanID, .nestedSetLeft,
            .nestedSetRight, .nestedSetParent, .parent:
            nil
        }
    }
}

extension StatusWord {
    /// The code it names.
    fileprivate var code: SkeinModel.Span.Status.Code {
        switch self {
        case .error: .error
        case .ok: .ok
        case .unset: .unset
        }
    }
}

extension KindWord {
    /// The kind it names.
    fileprivate var kind: SkeinModel.Span.Kind {
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
