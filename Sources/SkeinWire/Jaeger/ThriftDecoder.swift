// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Jaeger {
    /// Turns Thrift batches into columns: `emitBatch` messages, which clients send to an agent's UDP ports, and bare
    /// batches, which they post to a collector.
    ///
    ///     Batch   { 1 process { 1 serviceName, 2 tags }, 2 spans, 3 seqNo, 4 stats }
    ///     Span    { 1 traceIdLow, 2 traceIdHigh, 3 spanId, 4 parentSpanId, 5 operationName, 6 references, 7 flags (i32),
    ///               8 startTime (µs), 9 duration (µs), 10 tags, 11 logs }                        ids and times are i64
    ///     SpanRef { 1 refType (i32: 0 child of, 1 follows from), 2 traceIdLow, 3 traceIdHigh, 4 spanId }
    ///     Log     { 1 timestamp (µs), 2 fields }
    ///
    /// Keep a decoder and reuse it. It is not shared between tasks.
    package struct ThriftDecoder: ~Copyable {
        private var spans: JaegerTranslator

        /// A decoder; it holds memory only while and after it works.
        package init(limits: DecodingLimits = DecodingLimits()) { spans = JaegerTranslator(limits) }

        /// The spans of one datagram in the compact encoding. Bad spans are left out and counted; a datagram that is no
        /// `emitBatch` throws, and nothing of it is kept.
        package mutating func decodeCompact(
            _ datagram: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            try decodeMessage(ThriftCompactReader(datagram), receivedUnixNanos)
        }

        /// The spans of one datagram in the binary encoding, strict or not.
        package mutating func decodeBinary(
            _ datagram: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            try decodeMessage(ThriftBinaryReader(datagram), receivedUnixNanos)
        }

        /// The spans of a `Batch` in the binary encoding, without a message around it.
        package mutating func decodeBatch(
            _ body: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            spans.begin()
            do throws(WireError) {
                var reader = ThriftBinaryReader(body)
                try readBatch(&reader)
                guard reader.remaining == 0 else {
                    throw WireError(.malformed, "\(reader.remaining) bytes follow the batch", at: reader.offset)
                }
            } catch {
                spans.begin()
                throw error
            }
            return spans.finish(receivedUnixNanos: receivedUnixNanos)
        }

        private mutating func decodeMessage(
            _ reader: some ThriftReader,
            _ receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            spans.begin()
            do throws(WireError) {
                var reader = reader
                let header = try reader.readMessageHeader()
                guard header.kind == .oneway || header.kind == .call, header.name.elementsEqual("emitBatch".utf8) else {
                    throw WireError(.unsupported, "a Thrift message other than a call of emitBatch", at: 0)
                }
                var id: Int16 = 0
                while let field = try reader.nextField(after: id) {
                    id = field.id
                    if field.id == 1, field.type == .structure {
                        try readBatch(&reader)
                    } else {
                        try reader.skip(field.type)
                    }
                }
            } catch {
                spans.begin()
                throw error
            }
            return spans.finish(receivedUnixNanos: receivedUnixNanos)
        }

        private mutating func readBatch<Reader: ThriftReader>(_ reader: inout Reader) throws(WireError) {
            var resource: UInt32?
            var early: Reader?
            var id: Int16 = 0
            while let field = try reader.nextField(after: id) {
                id = field.id
                switch (field.id, field.type) {
                case (1, .structure): resource = try readProcess(&reader)
                case (2, .list):
                    if let resource {
                        try readSpans(&reader, resource)
                    } else {
                        // The spans came before what they share: come back to them.
                        early = reader
                        try reader.skip(.list)
                    }
                default: try reader.skip(field.type)
                }
            }
            guard var early else { return }
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            if resource == nil { resource = try spans.addProcess(service: none, spans.tags(), at: early.offset) }
            try readSpans(&early, resource ?? 0)
        }

        private mutating func readProcess(_ reader: inout some ThriftReader) throws(WireError) -> UInt32 {
            var service = UnsafeRawBufferPointer(start: nil, count: 0)
            var tags = spans.tags()
            var id: Int16 = 0
            while let field = try reader.nextField(after: id) {
                id = field.id
                switch (field.id, field.type) {
                case (1, .binary): service = try reader.readBinary()
                case (2, .list): try readTags(&reader, &tags)
                default: try reader.skip(field.type)
                }
            }
            return try spans.addProcess(service: service, tags, at: reader.offset)
        }

        private mutating func readSpans(_ reader: inout some ThriftReader, _ resource: UInt32) throws(WireError) {
            let count = try structures(&reader)
            let scope = spans.unnamedScope()
            for _ in 0..<count { try readSpan(&reader, resource, scope) }
        }

        private mutating func readSpan(
            _ reader: inout some ThriftReader,
            _ resource: UInt32,
            _ scope: UInt32
        ) throws(WireError) {
            var raw = spans.span()
            raw.fields.resource = resource
            raw.fields.scope = scope
            var start: Int64 = 0
            var duration: Int64 = 0
            var id: Int16 = 0
            while let field = try reader.nextField(after: id) {
                id = field.id
                switch (field.id, field.type) {
                case (1, .i64): raw.fields.traceID.low = UInt64(bitPattern: try reader.readInteger(.i64))
                case (2, .i64): raw.fields.traceID.high = UInt64(bitPattern: try reader.readInteger(.i64))
                case (3, .i64): raw.fields.spanID = SpanID(UInt64(bitPattern: try reader.readInteger(.i64)))
                case (4, .i64): raw.parent = SpanID(UInt64(bitPattern: try reader.readInteger(.i64)))
                case (5, .binary): raw.fields.name = spans.intern(text: try reader.readBinary())
                case (6, .list): try readReferences(&reader, &raw)
                // Bit 0 says "sampled" in Jaeger as in W3C; debug (bit 1) has no place there.
                case (7, .i32): raw.fields.flags = UInt32(truncatingIfNeeded: try reader.readInteger(.i32)) & 1
                case (8, .i64): start = try reader.readInteger(.i64)
                case (9, .i64): duration = try reader.readInteger(.i64)
                case (10, .list): try readTags(&reader, &raw.tags)
                case (11, .list): try readLogs(&reader, &raw)
                default: try reader.skip(field.type)
                }
            }
            raw.fields.startUnixNanos = UnixTime.nanos(ofMicros: start)
            let (end, overflow) = start.addingReportingOverflow(duration)
            raw.fields.endUnixNanos = UnixTime.nanos(ofMicros: overflow ? (duration < 0 ? .min : .max) : end)
            // Some clients end a batch with a span that says nothing.
            if raw.isBlank, start == 0, duration == 0 { return spans.discardSpan() }
            try spans.add(consume raw, hasOpenTelemetryTags: false, at: reader.offset)
        }

        private func readReferences(
            _ reader: inout some ThriftReader,
            _ raw: inout JaegerTranslator.Raw
        ) throws(WireError) {
            for _ in 0..<(try structures(&reader)) {
                var reference = JaegerTranslator.Reference()
                var id: Int16 = 0
                while let field = try reader.nextField(after: id) {
                    id = field.id
                    switch (field.id, field.type) {
                    case (1, .i32): reference.isChildOf = try reader.readInteger(.i32) == 0
                    case (2, .i64): reference.traceID.low = UInt64(bitPattern: try reader.readInteger(.i64))
                    case (3, .i64): reference.traceID.high = UInt64(bitPattern: try reader.readInteger(.i64))
                    case (4, .i64): reference.spanID = SpanID(UInt64(bitPattern: try reader.readInteger(.i64)))
                    default: try reader.skip(field.type)
                    }
                }
                raw.append(reference)
            }
        }

        private mutating func readLogs(
            _ reader: inout some ThriftReader,
            _ raw: inout JaegerTranslator.Raw
        ) throws(WireError) {
            for _ in 0..<(try structures(&reader)) {
                var timestamp: Int64 = 0
                var fields = spans.tags()
                var id: Int16 = 0
                while let field = try reader.nextField(after: id) {
                    id = field.id
                    switch (field.id, field.type) {
                    case (1, .i64): timestamp = try reader.readInteger(.i64)
                    case (2, .list): try readTags(&reader, &fields)
                    default: try reader.skip(field.type)
                    }
                }
                try spans.addLog(
                    timeUnixNanos: UnixTime.nanos(ofMicros: timestamp),
                    consume fields,
                    of: &raw,
                    at: reader.offset
                )
            }
        }

        private func readTags(
            _ reader: inout some ThriftReader,
            _ tags: inout JaegerTranslator.Tags
        ) throws(WireError) {
            for _ in 0..<(try structures(&reader)) { tags.append(try JaegerTag(&reader)) }
        }

        /// The header of a list of structs: how many follow.
        private func structures(_ reader: inout some ThriftReader) throws(WireError) -> Int {
            let start = reader.offset
            let (element, count) = try reader.readListHeader()
            guard element == .structure || count == 0 else {
                throw WireError(.malformed, "a list of \(element) where structs are expected", at: start)
            }
            return count
        }
    }
}
