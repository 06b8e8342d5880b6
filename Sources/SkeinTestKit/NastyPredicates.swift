// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
package import SkeinStore

extension NastySpans {
    /// A random condition over the keys and values that these spans have, up to four levels deep.
    package mutating func predicate(depth: Int = 0) -> SpanPredicate {
        switch below(depth < 3 ? 10 : 6) {
        case 0: .exists(field())
        case 6, 7: .and((0..<below(4)).map { _ in predicate(depth: depth + 1) })
        case 8: .or((0..<below(4)).map { _ in predicate(depth: depth + 1) })
        case 9: .not(predicate(depth: depth + 1))
        default: .compare(field(), pick(SpanPredicate.Comparison.allCases) ?? .equal, literal())
        }
    }

    /// Any field.
    package mutating func field() -> SpanField {
        switch below(21) {
        case 0: .duration
        case 1: .name
        case 2: .kind
        case 3: .status
        case 4: .statusMessage
        case 5: .serviceName
        case 6: .traceID
        case 7: .spanID
        case 8: .parentSpanID
        case 9: .scopeName
        case 10: .scopeVersion
        case 11: .eventName
        case 12: .linkTraceID
        default: .attribute(pick(AttributeScope.allCases) ?? .any, key())
        }
    }

    /// A literal that some span may have.
    package mutating func literal() -> SpanPredicate.Literal {
        switch below(10) {
        case 0, 1, 2: return .string(text())
        case 3: return .string(SpanID(1 + below(40)).description)
        case 4: return .string(TraceID(high: 0, low: 1 + below(traceCount)).description)
        case 5:
            return .int(pick([0, 1, -1, 7, .max, .min, 1 << 53, 1 << 53 + 1, 1_050, 1_100]) ?? 0)
        case 6:
            return .double(pick([0, 1, 1.5, 7, 0x1p53, 0x1p63, 0x1p64, -1, 1_050.5, .infinity, .nan]) ?? 0)
        case 7: return .bool(below(2) == 0)
        case 8:
            return below(2) == 0 ? .kind(pick(Span.Kind.allCases) ?? .server) : .status(pick([.ok, .error]) ?? .ok)
        default:
            guard let pattern = try? TextPattern(pick(["a", "abc", "", "true"]) ?? "a") else { return .string("a") }
            return .pattern(pattern)
        }
    }

    /// A range of time in which some spans start.
    package mutating func range() -> TimeRange {
        switch below(4) {
        case 0: .all
        case 1: TimeRange(start: 1_000 + below(200), end: 1_000 + below(200))
        case 2: TimeRange(start: 1_000 + below(200), end: .max)
        default: TimeRange(start: 0, end: 1_000 + below(200))
        }
    }
}
