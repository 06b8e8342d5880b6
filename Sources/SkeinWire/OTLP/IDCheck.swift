// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Reads the ids of one span and remembers what was wrong with them, so that the rest of the span is read before it is
/// judged. Counts are of bytes, whatever the encoding.
struct IDCheck {
    private var traceIDLength = 0
    private var spanIDLength = 0
    private var parentSpanIDLength = 0

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

    /// Whether trace id and span id had the right length: all that is asked of a link.
    var areComplete: Bool { traceIDLength == 16 && spanIDLength == 8 }

    /// Why the span that has these ids cannot be accepted.
    @inline(__always)
    func fault(_ fields: borrowing SpanBatchBuilder.SpanFields) -> RejectionReason? {
        if !fields.traceID.isValid { return .invalidTraceID }
        if !fields.spanID.isValid { return .invalidSpanID }
        if parentSpanIDLength != 0 && parentSpanIDLength != 8 { return .invalidParentSpanID }
        return nil
    }

    /// The fault in words for the client.
    @inline(never)
    func message(_ reason: RejectionReason) -> String {
        switch reason {
        case .invalidTraceID: "trace ids must be 16 bytes and not all zero, received \(traceIDLength) bytes"
        case .invalidSpanID: "span ids must be 8 bytes and not all zero, received \(spanIDLength) bytes"
        case .invalidParentSpanID: "parent span ids must be empty or 8 bytes, received \(parentSpanIDLength) bytes"
        case .valueTooDeep:
            "attribute values must not nest deeper than \(EncodedValue.maxDepth) arrays and maps; flatten them"
        }
    }
}
