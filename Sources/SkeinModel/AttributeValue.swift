// SPDX-License-Identifier: Apache-2.0

/// The value of an attribute (OTLP 1.5 `AnyValue`; OpenTelemetry common specification, "Attribute").
public indirect enum AttributeValue: Sendable {
    /// No value: an `AnyValue` without any field set.
    case null
    case string(String)
    case bool(Bool)
    case int(Int64)
    /// IEEE 754 binary64. Equal and hashed by `Double`'s rules, so NaN differs from itself.
    case double(Double)
    case bytes([UInt8])
    case array([AttributeValue])
    case map([Attribute])
}

/// One key with its value. Keys are unique within one owner by specification; we keep what arrives.
public struct Attribute: Hashable, Sendable {
    /// The name, such as `http.response.status_code`. Never empty in valid data.
    @ExactText public var key: String
    /// What it says.
    public var value: AttributeValue

    /// The pair of `key` and `value`.
    public init(_ key: String, _ value: AttributeValue) {
        self.key = key
        self.value = value
    }
}

/// Texts are equal when their bytes are.
extension AttributeValue: Hashable {
    public static func == (a: AttributeValue, b: AttributeValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.string(let a), .string(let b)): a.isExactly(b)
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.double(let a), .double(let b)): a == b
        case (.bytes(let a), .bytes(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.map(let a), .map(let b)): a == b
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .string(let text):
            hasher.combine(1)
            hasher.combine(ExactText(text))
        case .bool(let bool): hasher.combine(bool)
        case .int(let int): hasher.combine(int)
        case .double(let double): hasher.combine(double)
        case .bytes(let bytes): hasher.combine(bytes)
        case .array(let elements): hasher.combine(elements)
        case .map(let pairs): hasher.combine(pairs)
        }
    }
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(arrayLiteral elements: AttributeValue...) { self = .array(elements) }
}

extension [Attribute] {
    /// The value of the first attribute named `key`.
    public subscript(key: String) -> AttributeValue? { first { $0.key.isExactly(key) }?.value }
}
