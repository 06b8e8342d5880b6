// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Zipkin {
    /// The ids of one span, which may be shorter than OpenTelemetry's, and what is wrong with them; judged once the span is read.
    struct SpanIDs {
        private(set) var traceID = TraceID.zero
        private(set) var spanID = SpanID.zero
        private(set) var parentSpanID = SpanID.zero
        /// Lengths in digits; -1 for text that is not hexadecimal.
        private var traceIDLength = 0
        private var spanIDLength = 0
        private var parentSpanIDLength = 0

        // MARK: Hexadecimal text

        mutating func setTraceID(hex: UnsafeRawBufferPointer) {
            let id = Self.parse(hex, &traceIDLength)
            traceID = TraceID(high: id.high, low: id.low)
        }

        mutating func setSpanID(hex: UnsafeRawBufferPointer) {
            spanID = SpanID(Self.parse(hex, &spanIDLength).low)
        }

        /// No text stands for no parent.
        mutating func setParentSpanID(hex: UnsafeRawBufferPointer) {
            parentSpanID = SpanID(Self.parse(hex, &parentSpanIDLength).low)
        }

        private static func parse(_ hex: UnsafeRawBufferPointer, _ length: inout Int) -> (high: UInt64, low: UInt64) {
            length = hex.count
            guard (1...32).contains(hex.count) else { return (0, 0) }
            guard let id = Hex.parse(hex) else {
                length = -1
                return (0, 0)
            }
            return id
        }

        // MARK: Bytes

        mutating func setTraceID(bytes: UnsafeRawBufferPointer) {
            let id = Self.read(bytes, &traceIDLength)
            traceID = TraceID(high: id.high, low: id.low)
        }

        mutating func setSpanID(bytes: UnsafeRawBufferPointer) {
            spanID = SpanID(Self.read(bytes, &spanIDLength).low)
        }

        /// No bytes stand for no parent.
        mutating func setParentSpanID(bytes: UnsafeRawBufferPointer) {
            parentSpanID = SpanID(Self.read(bytes, &parentSpanIDLength).low)
        }

        private static func read(_ bytes: UnsafeRawBufferPointer, _ length: inout Int) -> (high: UInt64, low: UInt64) {
            length = 2 * bytes.count
            guard bytes.count <= 16 else { return (0, 0) }
            var id: (high: UInt64, low: UInt64) = (0, 0)
            for byte in bytes {
                id.high = id.high &<< 8 | id.low &>> 56
                id.low = id.low &<< 8 | UInt64(byte)
            }
            return id
        }

        // MARK: Numbers

        /// The ids as Thrift has them; zero for a parent stands for none.
        init(traceID: TraceID, spanID: SpanID, parentSpanID: SpanID) {
            (self.traceID, self.spanID, self.parentSpanID) = (traceID, spanID, parentSpanID)
            (traceIDLength, spanIDLength) = (32, 16)
        }

        init() {}

        // MARK: Judging

        /// Why the span that has these ids cannot be accepted.
        @inline(__always)
        var fault: RejectionReason? {
            if !traceID.isValid { return .invalidTraceID }
            if !spanID.isValid || spanIDLength > 16 { return .invalidSpanID }
            if parentSpanIDLength < 0 || parentSpanIDLength > 16 { return .invalidParentSpanID }
            return nil
        }

        /// The fault in words for the client.
        @inline(never)
        func message(_ reason: RejectionReason) -> String {
            switch reason {
            case .invalidTraceID:
                "trace ids must be 1 to 32 hexadecimal digits and not all zero, received \(found(traceIDLength))"
            case .invalidSpanID:
                "span ids must be 1 to 16 hexadecimal digits and not all zero, received \(found(spanIDLength))"
            case .invalidParentSpanID:
                "parent ids must be at most 16 hexadecimal digits, received \(found(parentSpanIDLength))"
            case .valueTooDeep, .noTraceID, .invalidTime: ""
            }
        }

        private func found(_ length: Int) -> String { length < 0 ? "other characters" : "\(length) of them" }
    }
}
