// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// A key and its value in one call.
extension JSONWriter {
    /// A member that is a string.
    package mutating func member(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
    }

    /// A member that is a string of UTF-8 bytes; malformed parts become U+FFFD.
    package mutating func member(_ name: StaticString, utf8 value: UnsafeRawBufferPointer) {
        key(name)
        string(utf8: value)
    }

    /// A member that is a number without fraction.
    package mutating func member(_ name: StaticString, _ value: some FixedWidthInteger) {
        key(name)
        int(value)
    }

    /// A member that is a whole number as a string of digits, for 64-bit values.
    package mutating func member(_ name: StaticString, decimal value: some FixedWidthInteger) {
        key(name)
        decimal(value)
    }

    /// A member that is a number.
    package mutating func member(_ name: StaticString, _ value: Double) {
        key(name)
        double(value)
    }

    /// A member that is `true` or `false`.
    package mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// A member that is a trace id.
    package mutating func member(_ name: StaticString, _ value: TraceID) {
        key(name)
        id(value)
    }

    /// A member that is a span id.
    package mutating func member(_ name: StaticString, _ value: SpanID) {
        key(name)
        id(value)
    }

    /// A member that is an attribute's value in plain JSON, see ``plain(_:)``.
    package mutating func member(_ name: StaticString, _ value: AttributeValue) {
        key(name)
        plain(value)
    }

    /// An attribute's value as plain JSON: text, number, boolean, list, object; bytes as base64. 64-bit integers are
    /// numbers, and the type is not told otherwise. (OTLP's own form, which tells it, is `OTLP.JSON`.)
    package mutating func plain(_ value: AttributeValue) {
        switch value {
        case .null: null()
        case .string(let value): string(value)
        case .bool(let value): bool(value)
        case .int(let value): int(value)
        case .double(let value): double(value)
        case .bytes(let value): value.withUnsafeBytes { base64($0) }
        case .array(let elements):
            array { json in
                for element in elements { json.plain(element) }
            }
        case .map(let pairs):
            object { json in
                for pair in pairs {
                    json.key(text: pair.key)
                    json.plain(pair.value)
                }
            }
        }
    }
}
