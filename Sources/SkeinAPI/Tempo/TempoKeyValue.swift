// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinTraceQL

extension MessageWriter where Self: ~Copyable {
    /// The fields of OTLP's `KeyValue { 1 key, 2 value }`.
    mutating func keyValue(_ key: String, _ value: Value) {
        field(1, "key", text: key)
        field(2, "value", value: value.attributeValue)
    }
}

extension Value {
    /// As Tempo tells it: durations, kinds, statuses and `nil` are text.
    var attributeValue: AttributeValue {
        switch self {
        case .int(let int): .int(int)
        case .double(let double): .double(double)
        case .bool(let bool): .bool(bool)
        case .array(let elements): .array(elements.map(\.attributeValue))
        case .other(let value): value
        case .none, .string, .duration, .status, .kind: .string(text)
        }
    }
}
