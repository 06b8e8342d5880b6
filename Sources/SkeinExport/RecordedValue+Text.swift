// SPDX-License-Identifier: Apache-2.0
import SkeinModel
package import SkeinRecording
import SkeinWire

/// Values where there are only texts (OpenTelemetry common 1.50, "AnyValue representation for non-OTLP protocols").
extension RecordedValue {
    /// A text as it is, numbers and booleans as in JSON, bytes as base64, nothing for null; lists and maps are JSON.
    package var text: String {
        switch self {
        case .string(let text): return text
        case .bool(let bool): return bool ? "true" : "false"
        case .int(let int): return String(int)
        case .double(let double):
            return double.isFinite ? double.description : double.isNaN ? "NaN" : double < 0 ? "-Infinity" : "Infinity"
        case .other(.null): return ""
        case .other(.bytes(let bytes)):
            var json = JSONWriter(capacity: bytes.count * 4 / 3 + 8)
            bytes.withUnsafeBytes { json.base64($0) }
            return String(json.text.dropFirst().dropLast())
        case .strings, .bools, .ints, .doubles, .other:
            var json = JSONWriter(capacity: 64)
            json.plain(self)
            return json.text
        }
    }
}

extension JSONWriter {
    /// The value as plain JSON, without its type.
    mutating func plain(_ value: RecordedValue) {
        switch value {
        case .string(let text): string(text)
        case .bool(let value): bool(value)
        case .int(let value): int(value)
        case .double(let value): double(value)
        case .strings(let texts): array { for text in texts { $0.string(text) } }
        case .bools(let bools): array { for bool in bools { $0.bool(bool) } }
        case .ints(let ints): array { for int in ints { $0.int(int) } }
        case .doubles(let doubles): array { for double in doubles { $0.double(double) } }
        case .other(let value): plain(value)
        }
    }

    /// An object of attributes, and of how many there were beyond the limit.
    mutating func plain(_ attributes: RecordedAttributes) {
        object { json in
            for (key, value) in attributes.pairs {
                json.key(text: key)
                json.plain(value)
            }
            if attributes.droppedCount > 0 { json.member("otel.dropped_attributes_count", attributes.droppedCount) }
        }
    }
}
