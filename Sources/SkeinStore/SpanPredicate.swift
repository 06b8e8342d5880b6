// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// A condition on one span, in the terms of the stored data.
///
/// Semantics are TraceQL's: a comparison with a missing attribute is false, `!=` and `!~` included; numbers compare
/// across int and double; other types that differ compare false; an array satisfies `=`, `<`, `<=`, `>`, `>=` and `=~`
/// when any element does, `!=` and `!~` when no element equals or matches. `not` is plain negation.
public indirect enum SpanPredicate: Hashable, Sendable {
    case `true`
    case compare(SpanField, Comparison, Literal)
    /// Whether the field has a value at all.
    case exists(SpanField)
    case and([SpanPredicate])
    case or([SpanPredicate])
    case not(SpanPredicate)

    /// How a field is compared with a literal.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        /// The pattern matches the whole text.
        case matches = "=~"
        case notMatches = "!~"
    }

    /// What a field is compared with.
    public enum Literal: Hashable, Sendable {
        case string(String)
        case int(Int64)
        case double(Double)
        case bool(Bool)
        case kind(Span.Kind)
        case status(Span.Status.Code)
        /// For `=~` and `!~`: matches in time linear in the text.
        case pattern(TextPattern)
    }
}

extension SpanPredicate {
    /// The attributes that it asks for, in the order they stand, each once.
    public var attributes: [(scope: AttributeScope, key: String)] {
        var found: [(scope: AttributeScope, key: String)] = []
        addAttributes(to: &found)
        return found
    }

    private func addAttributes(to found: inout [(scope: AttributeScope, key: String)]) {
        switch self {
        case .compare(.attribute(let scope, let key), _, _), .exists(.attribute(let scope, let key)):
            if !found.contains(where: { $0.scope == scope && $0.key.isExactly(key) }) { found.append((scope, key)) }
        case .and(let parts), .or(let parts): for part in parts { part.addAttributes(to: &found) }
        case .not(let part): part.addAttributes(to: &found)
        case .true, .compare, .exists: break
        }
    }
}

extension SpanPredicate {
    /// Traces whose spans satisfy this whatever else they are: those that it names by their ids.
    package var namedTraceIDs: Set<TraceID> {
        switch self {
        case .compare(.traceID, .equal, .string(let text)):
            guard let id = TraceID(hex: text), id.description == text else { return [] }
            return [id]
        case .or(let parts): return parts.reduce(into: []) { $0.formUnion($1.namedTraceIDs) }
        case .and(let parts) where parts.count == 1: return parts[0].namedTraceIDs
        default: return []
        }
    }
}

/// What a condition can ask of a span.
public enum SpanField: Hashable, Sendable {
    /// Nanoseconds, as an int.
    case duration
    case name
    case kind
    case status
    case statusMessage
    /// `service.name` of the resource; the empty string when missing, never absent.
    case serviceName
    /// Lower-case hexadecimal text.
    case traceID
    case spanID
    /// Empty text for a root.
    case parentSpanID
    case scopeName
    case scopeVersion
    /// Any event's; a span without events has none.
    case eventName
    /// Lower-case hexadecimal text, of any link; a span without links has none.
    case linkTraceID
    case attribute(AttributeScope, String)
}

/// Whose attribute is meant.
public enum AttributeScope: String, Hashable, Sendable, CaseIterable {
    /// The span's, or if it has none of that name the resource's (TraceQL `.name`).
    case any
    case span
    case resource
    case instrumentation
    /// Any event's.
    case event
    /// Any link's.
    case link
}
