// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
import Tracing

/// The value of an attribute while its span is recorded: no allocation for what is no list.
package enum RecordedValue: Hashable, Sendable {
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case strings([String])
    case bools([Bool])
    case ints([Int64])
    case doubles([Double])
    /// Bytes, maps, and lists of unlike values.
    case other(AttributeValue)

    /// The value of an attribute of swift-distributed-tracing. What says only how it is to be described is described now.
    init(_ attribute: SpanAttribute) {
        switch attribute {
        case .string(let text): self = .string(text)
        case .bool(let bool): self = .bool(bool)
        case .int32(let int): self = .int(Int64(int))
        case .int64(let int): self = .int(int)
        case .double(let double): self = .double(double)
        case .stringArray(let texts): self = .strings(texts)
        case .boolArray(let bools): self = .bools(bools)
        case .int32Array(let ints): self = .ints(ints.map(Int64.init))
        case .int64Array(let ints): self = .ints(ints)
        case .doubleArray(let doubles): self = .doubles(doubles)
        case .stringConvertible(let value): self = .string(value.description)
        case .stringConvertibleArray(let values):
            // A list of `Int` set by subscript comes like this (swift-distributed-tracing 1.7.3).
            self = (values as? [Int]).map { .ints($0.map(Int64.init)) } ?? .strings(values.map(\.description))
        default: self = .other(.null)
        }
    }

    package init(_ value: AttributeValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .bool(let bool): self = .bool(bool)
        case .int(let int): self = .int(int)
        case .double(let double): self = .double(double)
        case .null, .bytes, .array, .map: self = .other(value)
        }
    }

    /// The value as swift-distributed-tracing has it.
    var spanAttribute: SpanAttribute {
        switch self {
        case .string(let text): .string(text)
        case .bool(let bool): .bool(bool)
        case .int(let int): .int64(int)
        case .double(let double): .double(double)
        case .strings(let texts): .stringArray(texts)
        case .bools(let bools): .boolArray(bools)
        case .ints(let ints): .int64Array(ints)
        case .doubles(let doubles): .doubleArray(doubles)
        case .other(let value): .string("\(value)")
        }
    }

    /// The value as exporters and tests have it.
    package var attributeValue: AttributeValue {
        switch self {
        case .string(let text): .string(text)
        case .bool(let bool): .bool(bool)
        case .int(let int): .int(int)
        case .double(let double): .double(double)
        case .strings(let texts): .array(texts.map { .string($0) })
        case .bools(let bools): .array(bools.map { .bool($0) })
        case .ints(let ints): .array(ints.map { .int($0) })
        case .doubles(let doubles): .array(doubles.map { .double($0) })
        case .other(let value): value
        }
    }

    /// The value with texts, and bytes, of at most `limit` characters each (OpenTelemetry common, "Attribute Limits").
    func shortened(to limit: Int) -> RecordedValue {
        switch self {
        case .string(let text) where text.utf8.count > limit: .string(String(text.prefix(limit)))
        case .strings(let texts): .strings(texts.map { $0.utf8.count > limit ? String($0.prefix(limit)) : $0 })
        case .other(let value): .other(Self.shortened(value, to: limit))
        case .string, .bool, .int, .double, .bools, .ints, .doubles: self
        }
    }

    private static func shortened(_ value: AttributeValue, to limit: Int) -> AttributeValue {
        switch value {
        case .string(let text): .string(String(text.prefix(limit)))
        case .bytes(let bytes): .bytes(Array(bytes.prefix(limit)))
        case .array(let values): .array(values.map { shortened($0, to: limit) })
        case .map(let pairs): .map(pairs.map { Attribute($0.key, shortened($0.value, to: limit)) })
        case .null, .bool, .int, .double: value
        }
    }
}

/// Attributes of one owner in the order in which they were set, within a limit.
package struct RecordedAttributes: Sendable {
    package private(set) var pairs: [(key: String, value: RecordedValue)] = []
    /// Those that were set beyond the limit.
    package private(set) var droppedCount = 0

    /// Room that is made for the first attribute.
    private static let usualCount = 8

    /// Sets a value in place of one with that key, otherwise behind the others if there is room for `limit`.
    mutating func set(_ key: String, _ value: RecordedValue, limit: Int, valueLengthMax: Int) {
        guard !key.isEmpty else { return }
        let value = valueLengthMax == .max ? value : value.shortened(to: valueLengthMax)
        if let index = pairs.firstIndex(where: { $0.key == key }) {
            pairs[index].value = value
        } else if pairs.count < limit {
            if pairs.isEmpty { pairs.reserveCapacity(Self.usualCount) }
            pairs.append((key, value))
        } else {
            droppedCount += 1
        }
    }

    /// Sets the first attributes, each key once, without looking for one among the others.
    mutating func begin(with attributes: [(key: String, value: RecordedValue)], limit: Int, valueLengthMax: Int) {
        guard attributes.count <= limit, valueLengthMax == .max else {
            for (key, value) in attributes { set(key, value, limit: limit, valueLengthMax: valueLengthMax) }
            return
        }
        pairs = attributes
    }

    mutating func remove(_ key: String) { pairs.removeAll { $0.key == key } }

    mutating func set(_ attributes: SpanAttributes, limit: Int, valueLengthMax: Int) {
        attributes.forEach { set($0, RecordedValue($1), limit: limit, valueLengthMax: valueLengthMax) }
    }

    /// As exporters and tests have them.
    package var attributes: [Attribute] { pairs.map { Attribute($0.key, $0.value.attributeValue) } }
}
