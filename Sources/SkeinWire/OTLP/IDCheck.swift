// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Reads the ids of one span and remembers what was wrong with them, so that the rest of the span is read before it is
/// judged.
struct IDCheck {
    private var traceIDLength = 0
    private var spanIDLength = 0
    private var parentSpanIDLength = 0
    /// Whether ids are hexadecimal text, as in JSON; then the lengths above count characters.
    private let isText: Bool

    init(text: Bool = false) { isText = text }

    /// The id in 16 big-endian bytes, zero for any other number of bytes.
    mutating func traceID(_ bytes: UnsafeRawBufferPointer) -> TraceID {
        traceIDLength = bytes.count
        guard bytes.count == 16 else { return .zero }
        // Sixteen bytes were just counted.
        return TraceID(
            high: UInt64(bigEndian: bytes.unsafelyLoad(0, as: UInt64.self)),
            low: UInt64(bigEndian: bytes.unsafelyLoad(8, as: UInt64.self))
        )
    }

    /// The id in 8 big-endian bytes, zero for any other number of bytes.
    mutating func spanID(_ bytes: UnsafeRawBufferPointer) -> SpanID {
        spanIDLength = bytes.count
        return Self.id(bytes)
    }

    /// The parent's id; no bytes, or eight zero bytes, stand for none.
    mutating func parentSpanID(_ bytes: UnsafeRawBufferPointer) -> SpanID {
        parentSpanIDLength = bytes.count
        return Self.id(bytes)
    }

    private static func id(_ bytes: UnsafeRawBufferPointer) -> SpanID {
        guard bytes.count == 8 else { return .zero }
        return SpanID(UInt64(bigEndian: bytes.unsafelyLoad(0, as: UInt64.self)))
    }

    /// The id in 32 hexadecimal digits, zero for any other text.
    mutating func traceID(hex: UnsafeRawBufferPointer) -> TraceID {
        traceIDLength = hex.count
        guard hex.count == 32, let id = Hex.parse(hex) else {
            traceIDLength = hex.count == 32 ? -1 : hex.count
            return .zero
        }
        return TraceID(high: id.high, low: id.low)
    }

    /// The id in 16 hexadecimal digits, zero for any other text.
    mutating func spanID(hex: UnsafeRawBufferPointer) -> SpanID { Self.id(hex, &spanIDLength) }

    /// The parent's id; no text, or sixteen zeros, stand for none.
    mutating func parentSpanID(hex: UnsafeRawBufferPointer) -> SpanID { Self.id(hex, &parentSpanIDLength) }

    /// A length of -1 stands for text of the right length that is not hexadecimal.
    private static func id(_ hex: UnsafeRawBufferPointer, _ length: inout Int) -> SpanID {
        length = hex.count
        guard hex.count == 16 else { return .zero }
        guard let id = Hex.parse(hex) else {
            length = -1
            return .zero
        }
        return SpanID(id.low)
    }

    /// Whether trace id and span id had the right length: all that is asked of a link.
    var areComplete: Bool { traceIDLength == (isText ? 32 : 16) && spanIDLength == (isText ? 16 : 8) }

    /// Why the span that has these ids cannot be accepted.
    @inline(__always)
    func fault(_ fields: borrowing SpanBatchBuilder.SpanFields) -> RejectionReason? {
        if !fields.traceID.isValid { return .invalidTraceID }
        if !fields.spanID.isValid { return .invalidSpanID }
        if parentSpanIDLength != 0 && parentSpanIDLength != (isText ? 16 : 8) { return .invalidParentSpanID }
        return nil
    }

    /// Why the log record that has these ids cannot be accepted: it belongs to no trace, or has ids of a wrong length. It
    /// need not belong to a span.
    func fault(_ fields: LogBatch.Fields) -> RejectionReason? {
        if !fields.traceID.isValid {
            return traceIDLength == 0 || traceIDLength == (isText ? 32 : 16) ? .noTraceID : .invalidTraceID
        }
        if spanIDLength != 0 && spanIDLength != (isText ? 16 : 8) { return .invalidSpanID }
        return nil
    }

    /// The fault in words for the client.
    @inline(never)
    func message(_ reason: RejectionReason) -> String {
        switch reason {
        case .invalidTraceID: "trace ids must be \(unit(16)) and not all zero, received \(found(traceIDLength))"
        case .invalidSpanID: "span ids must be \(unit(8)) and not all zero, received \(found(spanIDLength))"
        case .invalidParentSpanID: "parent span ids must be empty or \(unit(8)), received \(found(parentSpanIDLength))"
        case .noTraceID: "log records are kept when they belong to a trace; these have no trace id"
        case .valueTooDeep:
            "attribute values must not nest deeper than \(EncodedValue.maxDepth) arrays and maps; flatten them"
        case .invalidTime: "the start of a span must be a moment"
        }
    }

    private func unit(_ bytes: Int) -> String { isText ? "\(bytes * 2) hexadecimal digits" : "\(bytes) bytes" }

    private func found(_ length: Int) -> String {
        length < 0 ? "other characters" : isText ? "\(length) characters" : "\(length) bytes"
    }
}
