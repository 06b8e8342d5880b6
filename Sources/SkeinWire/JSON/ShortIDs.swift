// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Reads ids in hexadecimal of which leading zeros may be missing, and remembers what was wrong with them.
struct ShortIDs {
    /// Why the span that has these ids cannot be taken; `nil` when its trace and span have good ones.
    var fault: RejectionReason? {
        if !isTraceIDGood { return .invalidTraceID }
        if !isSpanIDGood { return .invalidSpanID }
        return isParentSpanIDGood ? nil : .invalidParentSpanID
    }

    private var isTraceIDGood = false
    private var isSpanIDGood = false
    private var isParentSpanIDGood = true

    /// The id in 1 to 32 digits.
    mutating func traceID(_ text: UnsafeRawBufferPointer) -> TraceID {
        let id = Hex.parse(text).map { TraceID(high: $0.high, low: $0.low) } ?? .zero
        isTraceIDGood = id.isValid
        return id
    }

    /// The id in 1 to 16 digits.
    mutating func spanID(_ text: UnsafeRawBufferPointer) -> SpanID {
        let id = Self.spanID(text) ?? .zero
        isSpanIDGood = id.isValid
        return id
    }

    /// The same; no text, or zeros, stand for none.
    mutating func parentSpanID(_ text: UnsafeRawBufferPointer) -> SpanID {
        let id = Self.spanID(text)
        isParentSpanIDGood = id != nil || text.isEmpty
        return id ?? .zero
    }

    private static func spanID(_ text: UnsafeRawBufferPointer) -> SpanID? {
        guard let id = Hex.parse(text), id.high == 0 else { return nil }
        return SpanID(id.low)
    }

    /// The fault in words for the client.
    func message(_ reason: RejectionReason) -> String {
        switch reason {
        case .invalidSpanID: "span ids must be 1 to 16 hexadecimal digits and not all zero"
        case .invalidParentSpanID: "parent span ids must be empty or 1 to 16 hexadecimal digits"
        default: "trace ids must be 1 to 32 hexadecimal digits and not all zero"
        }
    }
}
