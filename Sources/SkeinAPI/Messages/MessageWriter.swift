// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// Takes the fields of a message of Protocol Buffers, so that what a message holds is said once for both of its encodings:
/// bytes, and JSON as proto3 maps it ("JSON Mapping"). In both a field that has its default is left out.
protocol MessageWriter: ~Copyable {
    /// Bytes written so far.
    var count: Int { get }

    /// A `string`.
    mutating func field(_ number: UInt64, _ name: StaticString, text: String)
    /// A `uint32`, which JSON has as a number. Larger values are the largest.
    mutating func field(_ number: UInt64, _ name: StaticString, uint32 value: UInt64)
    /// A `uint64` or `int64` that is not negative, which JSON has as a string.
    mutating func field(_ number: UInt64, _ name: StaticString, uint64 value: UInt64)
    /// A `double`.
    mutating func field(_ number: UInt64, _ name: StaticString, double value: Double)
    /// An enum's value, with its word in JSON.
    mutating func field(_ number: UInt64, _ name: StaticString, word: String, number value: UInt64)
    /// An `AnyValue` (OTLP), there even when it says nothing.
    mutating func field(_ number: UInt64, _ name: StaticString, value: AttributeValue)
    /// A message, there even when it is empty.
    mutating func field<E: Error>(
        _ number: UInt64,
        _ name: StaticString,
        _ body: (inout Self) throws(E) -> Void
    ) throws(E)
    /// Several strings; JSON has an empty list for none.
    mutating func list(_ number: UInt64, _ name: StaticString, texts: [String])
    /// Several messages; JSON has an empty list for none when it is `required`.
    mutating func list<Element, E: Error>(
        _ number: UInt64,
        _ name: StaticString,
        required: Bool,
        _ elements: [Element],
        _ body: (Element, inout Self) throws(E) -> Void
    ) throws(E)
    /// A map from strings to messages.
    mutating func map<Element>(
        _ number: UInt64,
        _ name: StaticString,
        _ elements: [(key: String, value: Element)],
        _ body: (Element, inout Self) -> Void
    )
}

extension JSONWriter: MessageWriter {
    mutating func field(_ number: UInt64, _ name: StaticString, text: String) {
        if !text.isEmpty { member(name, text) }
    }

    mutating func field(_ number: UInt64, _ name: StaticString, uint32 value: UInt64) {
        if value != 0 { member(name, UInt32(clamping: value)) }
    }

    mutating func field(_ number: UInt64, _ name: StaticString, uint64 value: UInt64) {
        if value != 0 { member(name, decimal: value) }
    }

    mutating func field(_ number: UInt64, _ name: StaticString, double value: Double) {
        // Minus zero is no default.
        if value.bitPattern != 0 { member(name, value) }
    }

    mutating func field(_ number: UInt64, _ name: StaticString, word: String, number value: UInt64) {
        if value != 0 { member(name, word) }
    }

    mutating func field(_ number: UInt64, _ name: StaticString, value: AttributeValue) {
        key(name)
        var encoded = ByteWriter(capacity: 64)
        EncodedValue.append(value, to: &encoded)
        anyValue(encoded.bytes)
    }

    mutating func field<E: Error>(
        _ number: UInt64,
        _ name: StaticString,
        _ body: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        try object(name, body)
    }

    mutating func list(_ number: UInt64, _ name: StaticString, texts: [String]) {
        array(name) { json in
            for text in texts { json.string(text) }
        }
    }

    mutating func list<Element, E: Error>(
        _ number: UInt64,
        _ name: StaticString,
        required: Bool,
        _ elements: [Element],
        _ body: (Element, inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        guard required || !elements.isEmpty else { return }
        try array(name) { json throws(E) in
            for element in elements {
                try json.object { json throws(E) in try body(element, &json) }
            }
        }
    }

    mutating func map<Element>(
        _ number: UInt64,
        _ name: StaticString,
        _ elements: [(key: String, value: Element)],
        _ body: (Element, inout JSONWriter) -> Void
    ) {
        guard !elements.isEmpty else { return }
        object(name) { json in
            for element in elements {
                json.key(text: element.key)
                json.object { body(element.value, &$0) }
            }
        }
    }
}

extension ByteWriter: MessageWriter {
    mutating func field(_ number: UInt64, _ name: StaticString, text: String) { appendField(number, text: text) }

    mutating func field(_ number: UInt64, _ name: StaticString, uint32 value: UInt64) {
        appendField(number, varint: UInt64(UInt32(clamping: value)))
    }

    mutating func field(_ number: UInt64, _ name: StaticString, uint64 value: UInt64) {
        appendField(number, varint: value)
    }

    mutating func field(_ number: UInt64, _ name: StaticString, double value: Double) {
        appendField(number, fixed64: value.bitPattern)
    }

    mutating func field(_ number: UInt64, _ name: StaticString, word: String, number value: UInt64) {
        appendField(number, varint: value)
    }

    mutating func field(_ number: UInt64, _ name: StaticString, value: AttributeValue) {
        appendMessage(number) { EncodedValue.append(value, to: &$0) }
    }

    mutating func field<E: Error>(
        _ number: UInt64,
        _ name: StaticString,
        _ body: (inout ByteWriter) throws(E) -> Void
    ) throws(E) {
        let start = openMessage(number)
        try body(&self)
        closeMessage(from: start)
    }

    mutating func list(_ number: UInt64, _ name: StaticString, texts: [String]) {
        for text in texts { appendMessage(number) { $0.append(utf8: text) } }
    }

    mutating func list<Element, E: Error>(
        _ number: UInt64,
        _ name: StaticString,
        required: Bool,
        _ elements: [Element],
        _ body: (Element, inout ByteWriter) throws(E) -> Void
    ) throws(E) {
        for element in elements {
            try field(number, name) { out throws(E) in try body(element, &out) }
        }
    }

    mutating func map<Element>(
        _ number: UInt64,
        _ name: StaticString,
        _ elements: [(key: String, value: Element)],
        _ body: (Element, inout ByteWriter) -> Void
    ) {
        for element in elements {
            appendMessage(number) { entry in
                entry.appendField(1, text: element.key)
                entry.appendMessage(2) { body(element.value, &$0) }
            }
        }
    }
}
