// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// What may be compared and calculated with what.
enum ValueType {
    /// An attribute's: whatever a span put there.
    case any
    case text
    /// Text of hexadecimal digits.
    case id
    case number
    /// Nanoseconds.
    case duration
    case bool
    case status
    case kind
    case `nil`

    /// Whether arithmetic may take it.
    var isNumeric: Bool { self == .any || self == .number || self == .duration }

    /// Whether `<` and its like may take it.
    var hasOrder: Bool { isNumeric || hasText }

    /// Whether a pattern may be held against it.
    var hasText: Bool { self == .any || self == .text || self == .id }

    /// Whether values of both can be equal.
    func compares(with other: ValueType) -> Bool {
        self == other || isNumeric && other.isNumeric || hasText && other.hasText || self == .any || other == .any
    }
}

extension Literal {
    var type: ValueType {
        switch self {
        case .string: .text
        case .int, .double: .number
        case .duration: .duration
        case .bool: .bool
        case .status: .status
        case .kind: .kind
        case .nil: .nil
        }
    }
}

extension Field {
    var type: ValueType {
        switch self {
        case .attribute, .parentAttribute: .any
        case .intrinsic(let intrinsic), .parentIntrinsic(let intrinsic): intrinsic.type
        }
    }

    /// Whether every span has it. What events and links have is had by none where there are none; so it is with parents.
    var isAlwaysThere: Bool {
        switch self {
        case .attribute(.resource, "service.name"): true
        case .attribute, .parentAttribute, .parentIntrinsic: false
        case .intrinsic(.eventName), .intrinsic(.eventTime), .intrinsic(.linkTraceID), .intrinsic(.linkSpanID): false
        case .intrinsic: true
        }
    }
}

extension Intrinsic {
    var type: ValueType {
        switch self {
        case .duration, .traceDuration, .eventTime: .duration
        case .name, .statusMessage, .rootName, .rootServiceName, .eventName, .scopeName, .scopeVersion: .text
        case .spanID, .parentID, .traceID, .linkTraceID, .linkSpanID: .id
        case .childCount, .nestedSetLeft, .nestedSetRight, .nestedSetParent: .number
        case .status: .status
        case .kind: .kind
        case .parent: .nil
        }
    }
}
