// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// What an expression turns out to be.
enum Operand {
    case constant(Literal)
    case field(SpanField, FieldType)
    case condition(SpanPredicate)
}

/// What may be compared with a field.
enum FieldType {
    /// An attribute: whatever a span put there.
    case any
    case text
    /// Text of hexadecimal digits.
    case id
    /// Nanoseconds.
    case duration
    case status
    case kind
}

extension SpanPredicate {
    /// No span.
    static let never = SpanPredicate.not(.true)
}

extension Field {
    /// The stored field, or `nil` when it cannot be asked for yet.
    var stored: (SpanField, FieldType)? {
        switch self {
        case .attribute(.resource, "service.name"): (.serviceName, .any)
        case .attribute(let scope, let key): (.attribute(scope, key), .any)
        case .parentAttribute, .parentIntrinsic: nil
        case .intrinsic(let intrinsic): intrinsic.stored
        }
    }
}

extension Intrinsic {
    fileprivate var stored: (SpanField, FieldType)? {
        switch self {
        case .duration: (.duration, .duration)
        case .name: (.name, .text)
        case .status: (.status, .status)
        case .statusMessage: (.statusMessage, .text)
        case .kind: (.kind, .kind)
        case .spanID: (.spanID, .id)
        case .parentID: (.parentSpanID, .id)
        case .traceID: (.traceID, .id)
        case .scopeName: (.scopeName, .text)
        case .scopeVersion: (.scopeVersion, .text)
        case .eventName: (.eventName, .text)
        case .childCount, .traceDuration, .rootName, .rootServiceName, .eventTime, .linkTraceID, .linkSpanID,
            .nestedSetLeft, .nestedSetRight, .nestedSetParent, .parent:
            nil
        }
    }
}
