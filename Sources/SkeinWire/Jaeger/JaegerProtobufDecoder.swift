// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Jaeger {
    /// Turns a `jaeger.api_v2.PostSpansRequest` into columns (jaeger-idl 0.6 `proto/api_v2/model.proto`).
    ///
    ///     PostSpansRequest { 1 batch { 1 spans*, 2 process } }
    ///     Process  { 1 service_name, 2 tags* }
    ///     Span     { 1 trace_id, 2 span_id, 3 operation_name, 4 references*, 5 flags, 6 start_time, 7 duration, 8 tags*,
    ///                9 logs*, 10 process, 11 process_id, 12 warnings* }
    ///     SpanRef  { 1 trace_id, 2 span_id, 3 ref_type: 0 child of, 1 follows from }
    ///     Log      { 1 timestamp, 2 fields* }
    ///
    /// Ids are big-endian bytes: 16 or 8 of a trace, 8 of a span. There is no field for the parent: it is a reference. Times
    /// and durations are `{ 1 seconds, 2 nanos }`. Keep a decoder and reuse it. It is not shared between tasks.
    package struct ProtobufDecoder: ~Copyable {
        private var spans: JaegerTranslator

        /// A decoder; it holds memory only while and after it works.
        package init(limits: DecodingLimits = DecodingLimits()) { spans = JaegerTranslator(limits) }

        /// The spans of one request. Bad spans are left out and counted; a request that is no message of this kind throws,
        /// and nothing of it is kept.
        package mutating func decode(
            _ bytes: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            spans.begin()
            do throws(WireError) {
                var request = ProtobufReader(bytes)
                while let tag = try request.nextTag() {
                    guard tag == 0x0a else {
                        try request.skip(tag, known: 0b10)
                        continue
                    }
                    try readBatch(try request.readMessage())
                }
            } catch {
                spans.begin()
                throw error
            }
            return spans.finish(receivedUnixNanos: receivedUnixNanos)
        }

        private mutating func readBatch(_ message: ProtobufReader) throws(WireError) {
            // The process usually comes last, and every span needs it.
            var resource: UInt32?
            var first = message
            while let tag = try first.nextTag() {
                if tag == 0x12 {
                    resource = try readProcess(try first.readMessage())
                } else {
                    try first.skip(tag)
                }
            }
            var message = message
            while let tag = try message.nextTag() {
                switch tag {
                case 0x0a: try readSpan(try message.readMessage(), &resource)
                case 0x12: try message.skip(tag)
                default: try message.skip(tag, known: 0b110)
                }
            }
        }

        private mutating func readProcess(_ message: ProtobufReader) throws(WireError) -> UInt32 {
            var service = UnsafeRawBufferPointer(start: nil, count: 0)
            var tags = spans.tags()
            var message = message
            while let tag = try message.nextTag() {
                switch tag {
                case 0x0a: service = try message.readBytes()
                case 0x12: tags.append(try JaegerTag(try message.readMessage()))
                default: try message.skip(tag, known: 0b110)
                }
            }
            return try spans.addProcess(service: service, tags, at: message.offset)
        }

        private mutating func readSpan(_ message: ProtobufReader, _ shared: inout UInt32?) throws(WireError) {
            var raw = spans.span()
            var own: UInt32?
            var start: Moment = (0, 0)
            var duration: Moment = (0, 0)
            var hasTraceID = true
            var hasSpanID = true
            var message = message
            while let tag = try message.nextTag() {
                switch tag {
                case 0x0a: hasTraceID = Self.read(try message.readBytes(), &raw.fields.traceID)
                case 0x12: hasSpanID = Self.read(try message.readBytes(), &raw.fields.spanID)
                case 0x1a: raw.fields.name = spans.intern(text: try message.readBytes())
                case 0x22: try readReference(try message.readMessage(), &raw)
                // Bit 0 says "sampled" in Jaeger as in W3C; debug (bit 1) has no place there.
                case 0x28: raw.fields.flags = UInt32(truncatingIfNeeded: try message.readVarint()) & 1
                case 0x32: start = try Self.moment(try message.readMessage())
                case 0x3a: duration = try Self.moment(try message.readMessage())
                case 0x42: raw.tags.append(try JaegerTag(try message.readMessage()))
                case 0x4a: try readLog(try message.readMessage(), &raw)
                case 0x52: own = try readProcess(try message.readMessage())
                default: try message.skip(tag, known: 0b111_1111_1110)
                }
            }
            guard hasTraceID else { return spans.reject(.invalidTraceID, "trace ids must be 16 or 8 bytes") }
            guard hasSpanID else { return spans.reject(.invalidSpanID, "span ids must be 8 bytes") }
            if let own {
                raw.fields.resource = own
            } else {
                let none = UnsafeRawBufferPointer(start: nil, count: 0)
                if shared == nil { shared = try spans.addProcess(service: none, spans.tags(), at: message.offset) }
                raw.fields.resource = shared ?? 0
            }
            raw.fields.startUnixNanos = Self.nanos(start)
            let end = start.seconds.addingReportingOverflow(duration.seconds)
            raw.fields.endUnixNanos = Self.nanos(
                (end.overflow ? (duration.seconds < 0 ? .min : .max) : end.partialValue, start.nanos &+ duration.nanos)
            )
            try spans.add(consume raw, hasOpenTelemetryTags: true, at: message.offset)
        }

        private func readReference(
            _ message: ProtobufReader,
            _ raw: inout JaegerTranslator.Raw
        ) throws(WireError) {
            var reference = JaegerTranslator.Reference()
            var isComplete = true
            var message = message
            while let tag = try message.nextTag() {
                switch tag {
                case 0x0a: isComplete = Self.read(try message.readBytes(), &reference.traceID) && isComplete
                case 0x12: isComplete = Self.read(try message.readBytes(), &reference.spanID) && isComplete
                case 0x18: reference.isChildOf = try message.readVarint() == 0
                default: try message.skip(tag, known: 0b1110)
                }
            }
            if isComplete { raw.append(reference) } else { raw.dropReference() }
        }

        private mutating func readLog(
            _ message: ProtobufReader,
            _ raw: inout JaegerTranslator.Raw
        ) throws(WireError) {
            var time: Moment = (0, 0)
            var fields = spans.tags()
            var message = message
            while let tag = try message.nextTag() {
                switch tag {
                case 0x0a: time = try Self.moment(try message.readMessage())
                case 0x12: fields.append(try JaegerTag(try message.readMessage()))
                default: try message.skip(tag, known: 0b110)
                }
            }
            try spans.addLog(timeUnixNanos: Self.nanos(time), consume fields, of: &raw, at: message.offset)
        }

        // MARK: Ids and times

        private static func read(_ bytes: UnsafeRawBufferPointer, _ id: inout TraceID) -> Bool {
            guard bytes.count == 16 || bytes.count == 8 else { return false }
            let low = bytes.count &- 8
            id.high = low == 0 ? 0 : UInt64(bigEndian: bytes.unsafelyLoad(0, as: UInt64.self))
            id.low = UInt64(bigEndian: bytes.unsafelyLoad(low, as: UInt64.self))
            return true
        }

        private static func read(_ bytes: UnsafeRawBufferPointer, _ id: inout SpanID) -> Bool {
            guard bytes.count == 8 else { return false }
            id = SpanID(UInt64(bigEndian: bytes.unsafelyLoad(0, as: UInt64.self)))
            return true
        }

        private typealias Moment = (seconds: Int64, nanos: Int64)

        /// `Timestamp` or `Duration { 1 seconds, 2 nanos (int32) }`
        private static func moment(_ message: ProtobufReader) throws(WireError) -> Moment {
            var moment: Moment = (0, 0)
            var message = message
            while let tag = try message.nextTag() {
                switch tag {
                case 0x08: moment.seconds = Int64(bitPattern: try message.readVarint())
                case 0x10: moment.nanos = Int64(Int32(truncatingIfNeeded: try message.readVarint()))
                default: try message.skip(tag, known: 0b110)
                }
            }
            return moment
        }

        /// Nanoseconds since 1970: before that 0, after 2554 the last one there is.
        private static func nanos(_ moment: Moment) -> UInt64 {
            let (whole, overflow) = moment.seconds.multipliedReportingOverflow(by: 1_000_000_000)
            if !overflow {
                let (sum, overflow) = whole.addingReportingOverflow(moment.nanos)
                if !overflow { return UInt64(max(sum, 0)) }
            }
            guard moment.seconds > 0 else { return 0 }
            let (late, lateOverflow) = UInt64(moment.seconds).multipliedReportingOverflow(by: 1_000_000_000)
            let (sum, sumOverflow) = late.addingReportingOverflow(UInt64(max(moment.nanos, 0)))
            return lateOverflow || sumOverflow ? .max : sum
        }
    }
}
