// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
import SkeinModel
import SkeinPropagation
package import SkeinRecording
import SkeinWire
import Tracing

/// Finished spans as `ExportTraceServiceRequest` of OTLP 1.9, from where they were recorded straight to bytes.
///
///     request       { 1 ResourceSpans { 1 Resource, 2 ScopeSpans { 1 scope { 1 name }, 2 Span }, 3 schema URL } }
///     Span          { 1 trace id, 2 span id, 3 trace state, 4 parent, 5 name, 6 kind, 7 start, 8 end (fixed64),
///                     9 attributes, 10 dropped, 11 events, 12 dropped, 13 links, 14 dropped, 15 status,
///                     16 flags (fixed32) }
///     Event         { 1 time (fixed64), 2 name, 3 attributes, 4 dropped }
///     Link          { 1 trace id, 2 span id, 3 trace state, 4 attributes, 5 dropped, 6 flags (fixed32) }
///     Status        { 2 message, 3 code }
package enum OTLPProtobuf {
    /// Bytes of a usual span, which say how long a length is expected to be.
    private static let usualSpanByteCount = 256

    /// Appends `spans`, grouped by tracer and scope. Nothing is written for none.
    package static func append(_ spans: [FinishedSpan], to out: inout ByteWriter) {
        for group in SpanGroups(spans).resources {
            let count = group.scopes.reduce(0) { $0 + $1.rows.count }
            out.appendMessage(1, expecting: count * usualSpanByteCount) { out in
                append(group.core.resource, to: &out)
                for scope in group.scopes {
                    out.appendMessage(2, expecting: scope.rows.count * usualSpanByteCount) { out in
                        out.appendMessage(1) { $0.appendField(1, text: String(scope.name)) }
                        for row in scope.rows { append(spans[row], to: &out) }
                    }
                }
                out.appendField(3, text: group.core.resource.schemaURL)
            }
        }
    }

    private static func append(_ resource: Resource, to out: inout ByteWriter) {
        out.appendMessage(1) { out in
            for attribute in resource.attributes {
                out.appendMessage(1) { out in
                    out.appendText(0x0a, attribute.key)
                    out.appendMessage(2) { EncodedValue.append(attribute.value, to: &$0) }
                }
            }
            out.appendField(2, varint: UInt64(resource.droppedAttributesCount))
        }
    }

    private static func append(_ span: FinishedSpan, to out: inout ByteWriter) {
        span.withState { append(span, $0, to: &out) }
    }

    private static func append(_ span: FinishedSpan, _ state: borrowing RecordingSpan.State, to out: inout ByteWriter) {
        let recording = span.recording
        let start = out.openMessage(2)
        // Ids, times, kind and flags, each with its tag.
        out.reserve(64)
        out.append(span.spanContext.traceID)
        out.append(0x12, span.spanContext.spanID)
        append(0x1a, span.spanContext.traceState, to: &out)
        if recording.parentSpanID.isValid { out.append(0x22, recording.parentSpanID) }
        if !state.name.isEmpty { out.appendText(0x2a, state.name) }
        out.append(0x30)
        out.append(recording.kind.model.rawValue)
        out.append(0x39)
        out.appendLittleEndian(recording.startUnixNanos)
        out.append(0x41)
        out.appendLittleEndian(state.endUnixNanos ?? recording.startUnixNanos)
        append(0x4a, state.attributes, dropped: 10, to: &out)
        for event in state.events { append(event, to: &out) }
        out.appendField(12, varint: UInt64(UInt32(clamping: state.droppedEventCount)))
        for link in state.links { append(link, to: &out) }
        out.appendField(14, varint: UInt64(UInt32(clamping: state.droppedLinkCount)))
        if let status = state.status {
            out.appendMessage(15) { out in
                if let message = status.message { out.appendField(2, text: message) }
                out.appendField(3, varint: status.code == .ok ? 1 : 2)
            }
        }
        out.appendField(16, fixed32: span.flags)
        out.closeMessage(from: start)
    }

    private static func append(_ event: RecordingSpan.Event, to out: inout ByteWriter) {
        out.appendMessage(11) { out in
            out.appendField(1, fixed64: event.unixNanos)
            out.appendField(2, text: event.name)
            append(0x1a, event.attributes, dropped: 4, to: &out)
        }
    }

    private static func append(_ link: RecordingSpan.Link, to out: inout ByteWriter) {
        out.appendMessage(13) { out in
            out.append(link.spanContext.traceID)
            out.append(0x12, link.spanContext.spanID)
            append(0x1a, link.spanContext.traceState, to: &out)
            append(0x22, link.attributes, dropped: 5, to: &out)
            out.appendField(6, fixed32: FinishedSpan.flags(link.spanContext, isRemote: link.spanContext.isRemote))
        }
    }

    /// The members as a header has them.
    private static func append(_ tag: UInt8, _ state: TraceState, to out: inout ByteWriter) {
        guard !state.members.isEmpty else { return }
        let count = state.members.reduce(state.members.count - 1) { $0 + $1.key.utf8.count + 1 + $1.value.utf8.count }
        out.append(tag)
        out.appendVarint(UInt64(count))
        for (index, member) in state.members.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out.append(utf8: member.key)
            out.append(UInt8(ascii: "="))
            out.append(utf8: member.value)
        }
    }

    private static func append(
        _ tag: UInt8,
        _ attributes: RecordedAttributes,
        dropped: UInt64,
        to out: inout ByteWriter
    ) {
        for (key, value) in attributes.pairs { out.appendAttribute(tag, key, value) }
        out.appendField(dropped, varint: UInt64(UInt32(clamping: attributes.droppedCount)))
    }
}

/// Fields with a tag of one byte. Sizes of what is short are known beforehand, so that nothing moves.
extension ByteWriter {
    fileprivate mutating func append(_ id: TraceID) {
        append(0x0a)
        append(16)
        appendLittleEndian(id.high.byteSwapped)
        appendLittleEndian(id.low.byteSwapped)
    }

    fileprivate mutating func append(_ tag: UInt8, _ id: SpanID) {
        append(tag)
        append(8)
        appendLittleEndian(id.rawValue.byteSwapped)
    }

    /// A text, written even when it is empty.
    @inline(__always)
    fileprivate mutating func appendText(_ tag: UInt8, _ text: String) {
        text.withUTF8Bytes { appendText(tag, $0) }
    }

    @inline(__always)
    private mutating func appendText(_ tag: UInt8, _ text: UnsafeBufferPointer<UInt8>) {
        reserve(text.count + 11)
        append(tag)
        appendVarint(UInt64(text.count))
        append(UnsafeRawBufferPointer(text))
    }

    /// A `KeyValue { 1 key, 2 AnyValue }`.
    fileprivate mutating func appendAttribute(_ tag: UInt8, _ key: String, _ value: RecordedValue) {
        switch value {
        case .string(let text):
            text.withUTF8Bytes { text in
                appendAttribute(tag, key, valueByteCount: Self.sizeWithLength(text.count)) {
                    $0.appendText(0x0a, text)
                }
            }
        case .bool(let bool):
            appendAttribute(tag, key, valueByteCount: 2) { out in
                out.append(0x10)
                out.append(bool ? 1 : 0)
            }
        case .int(let int):
            let bits = UInt64(bitPattern: int)
            appendAttribute(tag, key, valueByteCount: 1 + Self.varintLength(bits)) { out in
                out.append(0x18)
                out.appendVarint(bits)
            }
        case .double(let double):
            appendAttribute(tag, key, valueByteCount: 9) { out in
                out.append(0x21)
                out.appendLittleEndian(double.bitPattern)
            }
        case .strings, .bools, .ints, .doubles, .other:
            appendMessage(UInt64(tag >> 3)) { out in
                out.appendText(0x0a, key)
                out.appendMessage(2) { $0.appendList(value) }
            }
        }
    }

    @inline(__always)
    private mutating func appendAttribute(
        _ tag: UInt8,
        _ key: String,
        valueByteCount: Int,
        _ value: (inout ByteWriter) -> Void
    ) {
        key.withUTF8Bytes { key in
            let byteCount = Self.sizeWithLength(key.count) + Self.sizeWithLength(valueByteCount)
            reserve(byteCount + 16)
            append(tag)
            appendVarint(UInt64(byteCount))
            appendText(0x0a, key)
            append(0x12)
            appendVarint(UInt64(valueByteCount))
            value(&self)
        }
    }

    /// The `AnyValue` of what is a list or nests.
    private mutating func appendList(_ value: RecordedValue) {
        switch value {
        case .strings(let texts): appendElements(texts) { $0.appendText(0x0a, $1) }
        case .bools(let bools):
            appendElements(bools) { out, bool in
                out.append(0x10)
                out.append(bool ? 1 : 0)
            }
        case .ints(let ints):
            appendElements(ints) { out, int in
                out.append(0x18)
                out.appendVarint(UInt64(bitPattern: int))
            }
        case .doubles(let doubles):
            appendElements(doubles) { out, double in
                out.append(0x21)
                out.appendLittleEndian(double.bitPattern)
            }
        case .string, .bool, .int, .double: EncodedValue.append(value.attributeValue, to: &self)
        case .other(let value): EncodedValue.append(value, to: &self)
        }
    }

    private mutating func appendElements<Element>(
        _ elements: [Element],
        _ append: (inout ByteWriter, Element) -> Void
    ) {
        appendMessage(5) { out in
            for element in elements { out.appendMessage(1) { append(&$0, element) } }
        }
    }

    /// Bytes of a field with a tag of one byte, its length and `count` bytes.
    @inline(__always)
    private static func sizeWithLength(_ count: Int) -> Int { 1 + varintLength(UInt64(count)) + count }
}

extension String {
    /// Lends the UTF-8 of the text, without taking a share of it where it is contiguous, which it nearly always is.
    @inline(__always)
    fileprivate func withUTF8Bytes(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        if utf8.withContiguousStorageIfAvailable(body) == nil {
            var text = self
            text.withUTF8(body)
        }
    }
}
