// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

extension SpanPredicate {
    /// Whether `span` satisfies the condition: the plain reading that every store's faster one is tested against.
    ///
    /// Of attributes with equal keys in one owner the first counts. A value `null` compares false and does not exist,
    /// but hides a resource's attribute from ``AttributeScope/any`` like any other. A condition on events or links
    /// asks for one event or link that satisfies it. Kinds, status codes and bools have no order; bytes and maps
    /// compare false.
    public func matches(_ span: Span) -> Bool {
        switch self {
        case .true: true
        case .compare(let field, let comparison, let literal):
            field.holds(in: span, ValueTest(comparison, literal))
        case .exists(.attribute(let scope, let key)):
            SpanField.attributes(scope, key, of: span).contains { $0 != .null }
        case .exists(.eventName): !span.events.isEmpty
        case .exists(.linkTraceID): !span.links.isEmpty
        case .exists: true
        case .and(let parts): parts.allSatisfy { $0.matches(span) }
        case .or(let parts): parts.contains { $0.matches(span) }
        case .not(let part): !part.matches(span)
        }
    }
}

extension SpanField {
    fileprivate func holds(in span: Span, _ test: ValueTest) -> Bool {
        switch self {
        case .duration: test.holds(nanos: span.durationNanos)
        case .kind: test.holds(kind: span.kind)
        case .status: test.holds(status: span.status.code)
        default: values(in: span).contains(where: test.holds)
        }
    }

    /// What the span says of the field: one value for a field of its own, none or one for an attribute, any number for
    /// what events or links say. Kinds and status codes are their lower-case names.
    package func values(in span: Span) -> [AttributeValue] {
        switch self {
        case .duration: [.int(Int64(clamping: span.durationNanos))]
        case .name: [.string(span.name)]
        case .kind: [.string("\(span.kind)")]
        case .status: [.string("\(span.status.code)")]
        case .statusMessage: [.string(span.status.message)]
        case .serviceName: [.string(span.resource.serviceName)]
        case .traceID: [.string(span.traceID.description)]
        case .spanID: [.string(span.spanID.description)]
        case .parentSpanID: [.string(span.parentSpanID.isValid ? span.parentSpanID.description : "")]
        case .scopeName: [.string(span.scope.name)]
        case .scopeVersion: [.string(span.scope.version)]
        case .eventName: span.events.map { .string($0.name) }
        case .linkTraceID: span.links.map { .string($0.traceID.description) }
        case .attribute(let scope, let key): Self.attributes(scope, key, of: span)
        }
    }

    fileprivate static func attributes(_ scope: AttributeScope, _ key: String, of span: Span) -> [AttributeValue] {
        switch scope {
        case .any: [first(span.attributes, key) ?? first(span.resource.attributes, key)].compactMap(\.self)
        case .span: [first(span.attributes, key)].compactMap(\.self)
        case .resource: [first(span.resource.attributes, key)].compactMap(\.self)
        case .instrumentation: [first(span.scope.attributes, key)].compactMap(\.self)
        case .event: span.events.compactMap { first($0.attributes, key) }
        case .link: span.links.compactMap { first($0.attributes, key) }
        }
    }

    private static func first(_ attributes: [Attribute], _ key: String) -> AttributeValue? {
        attributes[key]
    }
}
