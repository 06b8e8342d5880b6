// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Jaeger {
    /// Turns a Thrift `emitBatch` message, which is what a client sends to an agent's UDP port, into columns, in
    /// OpenTelemetry's terms (OpenTelemetry Collector contrib 0.130 `pkg/translator/jaeger`).
    ///
    ///     Batch   { 1 process { 1 serviceName, 2 tags }, 2 spans }
    ///     Span    { 1 traceIdLow, 2 traceIdHigh, 3 spanId, 4 parentSpanId, 5 operationName, 6 references, 7 flags (i32),
    ///               8 startTime (µs), 9 duration (µs), 10 tags, 11 logs }                        ids and times are i64
    ///     SpanRef { 1 refType (i32: 0 child of, 1 follows from), 2 traceIdLow, 3 traceIdHigh, 4 spanId }
    ///     Log     { 1 timestamp (µs), 2 fields }
    ///
    /// Keep a decoder and reuse it. It is not shared between tasks.
    package struct ThriftDecoder: ~Copyable {
        private var builder = SpanBatchBuilder()
        private var rejections = Rejections()

        /// A decoder; it holds memory only while and after it works.
        package init() {}

        /// The spans of one datagram in the compact encoding. Bad spans are left out and counted; a datagram that is no
        /// `emitBatch` throws, and nothing of it is kept.
        package mutating func decodeCompact(
            _ datagram: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            try decodeMessage(ThriftCompactReader(datagram), receivedUnixNanos)
        }

        private mutating func decodeMessage(
            _ reader: some ThriftReader,
            _ receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            rejections = Rejections()
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
                builder.removeAll()
                throw error
            }
            var decoded = DecodedSpans(batch: builder.finish(receivedUnixNanos: receivedUnixNanos))
            decoded.rejected = rejections.counts
            decoded.firstMessage = rejections.firstMessage
            return decoded
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
            if var early { try readSpans(&early, resource ?? builder.addResource(serviceName: 0)) }
        }

        private mutating func readProcess(_ reader: inout some ThriftReader) throws(WireError) -> UInt32 {
            var service = UnsafeRawBufferPointer(start: nil, count: 0)
            var tags: [JaegerTag] = []
            var id: Int16 = 0
            while let field = try reader.nextField(after: id) {
                id = field.id
                switch (field.id, field.type) {
                case (1, .binary): service = try reader.readBinary()
                case (2, .list): tags = try readTags(&reader)
                default: try reader.skip(field.type)
                }
            }
            // This name stands for "none" (Collector contrib 0.130, `pkg/translator/jaeger` constants).
            if service.elementsEqual("OTLPResourceNoServiceName".utf8) {
                service = UnsafeRawBufferPointer(start: nil, count: 0)
            }
            if !service.isEmpty {
                builder.addResourceAttribute(
                    key: builder.intern("service.name"),
                    value: builder.intern(stringValue: service)
                )
            }
            let hasHost = tags.contains { $0.isNamed("host.name") }
            let hasVersion = tags.contains { $0.isNamed("opencensus.exporterversion") }
            for tag in tags {
                if tag.isNamed("hostname"), !hasHost {
                    builder.addResourceAttribute(key: builder.intern("host.name"), value: tag.value(in: &builder))
                } else if tag.isNamed("jaeger.version"), !hasVersion {
                    builder.addResourceAttribute(
                        key: builder.intern("opencensus.exporterversion"),
                        value: builder.intern(.string("Jaeger-" + tag.string))
                    )
                } else {
                    builder.addResourceAttribute(key: builder.intern(text: tag.key), value: tag.value(in: &builder))
                }
            }
            return builder.addResource(serviceName: builder.intern(text: service))
        }

        private mutating func readSpans(_ reader: inout some ThriftReader, _ resource: UInt32) throws(WireError) {
            let count = try structures(&reader)
            let scope = builder.addScope(name: 0)
            for _ in 0..<count { try readSpan(&reader, resource, scope) }
        }

        /// The fields of a span that need each other before they can be told in OpenTelemetry's terms.
        private struct Raw {
            var traceID = TraceID.zero
            var parent: UInt64 = 0
            var start: Int64 = 0
            var duration: Int64 = 0
            var tags: [JaegerTag] = []
            var references: [Reference] = []
        }

        private struct Reference {
            var isChildOf = true
            var traceID = TraceID.zero
            var spanID = SpanID.zero
        }

        private mutating func readSpan(
            _ reader: inout some ThriftReader,
            _ resource: UInt32,
            _ scope: UInt32
        ) throws(WireError) {
            var raw = Raw()
            var fields = SpanBatchBuilder.SpanFields()
            fields.resource = resource
            fields.scope = scope
            var id: Int16 = 0
            while let field = try reader.nextField(after: id) {
                id = field.id
                switch (field.id, field.type) {
                case (1, .i64): raw.traceID.low = UInt64(bitPattern: try reader.readInteger(.i64))
                case (2, .i64): raw.traceID.high = UInt64(bitPattern: try reader.readInteger(.i64))
                case (3, .i64): fields.spanID = SpanID(UInt64(bitPattern: try reader.readInteger(.i64)))
                case (4, .i64): raw.parent = UInt64(bitPattern: try reader.readInteger(.i64))
                case (5, .binary): fields.name = builder.intern(text: try reader.readBinary())
                case (6, .list): raw.references = try readReferences(&reader)
                // Bit 0 says "sampled" in Jaeger as in W3C; debug (bit 1) has no place there.
                case (7, .i32): fields.flags = UInt32(truncatingIfNeeded: try reader.readInteger(.i32)) & 1
                case (8, .i64): raw.start = try reader.readInteger(.i64)
                case (9, .i64): raw.duration = try reader.readInteger(.i64)
                case (10, .list): raw.tags = try readTags(&reader)
                case (11, .list): try readLogs(&reader)
                default: try reader.skip(field.type)
                }
            }
            add(raw, fields)
        }

        private mutating func add(_ raw: Raw, _ given: SpanBatchBuilder.SpanFields) {
            var fields = given
            fields.traceID = raw.traceID
            guard fields.traceID.isValid else { return reject(.invalidTraceID, "trace ids must not be all zero") }
            guard fields.spanID.isValid else { return reject(.invalidSpanID, "span ids must not be all zero") }
            fields.startUnixNanos = Self.nanos(raw.start)
            let (end, overflow) = raw.start.addingReportingOverflow(raw.duration)
            fields.endUnixNanos = Self.nanos(overflow ? (raw.duration < 0 ? .min : .max) : end)
            addReferences(raw, &fields)
            let status = JaegerStatus(raw.tags)
            fields.kind = status.kind.rawValue
            fields.statusCode = status.code.rawValue
            fields.statusMessage = builder.intern(status.message)
            for (index, tag) in raw.tags.enumerated() where !status.consumed.contains(index) {
                builder.addSpanAttribute(key: builder.intern(text: tag.key), value: tag.value(in: &builder))
            }
            builder.addSpan(fields)
        }

        private mutating func reject(_ reason: RejectionReason, _ message: String) {
            builder.discardSpan()
            rejections.add(reason, message)
        }

        /// The parent is `parentSpanId`, else the first "child of", else the first "follows from", in the same trace.
        /// Every other reference is a link.
        private mutating func addReferences(_ raw: Raw, _ fields: inout SpanBatchBuilder.SpanFields) {
            var parent: Int?
            if raw.parent != 0 {
                fields.parentSpanID = SpanID(raw.parent)
                parent = raw.references.firstIndex {
                    $0.isChildOf && $0.traceID == raw.traceID && $0.spanID.rawValue == raw.parent
                }
            } else {
                let own = raw.references.indices.filter {
                    raw.references[$0].traceID == raw.traceID && raw.references[$0].spanID.isValid
                }
                parent = own.first { raw.references[$0].isChildOf } ?? own.first
                if let parent { fields.parentSpanID = raw.references[parent].spanID }
            }
            for (index, reference) in raw.references.enumerated() where index != parent {
                builder.addLinkAttribute(
                    key: builder.intern("opentracing.ref_type"),
                    value: builder.intern(.string(reference.isChildOf ? "child_of" : "follows_from"))
                )
                builder.addLink(traceID: reference.traceID, spanID: reference.spanID)
            }
        }

        private func readReferences(_ reader: inout some ThriftReader) throws(WireError) -> [Reference] {
            var references: [Reference] = []
            for _ in 0..<(try structures(&reader)) {
                var reference = Reference()
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
                references.append(reference)
            }
            return references
        }

        private mutating func readLogs(_ reader: inout some ThriftReader) throws(WireError) {
            for _ in 0..<(try structures(&reader)) {
                var timestamp: Int64 = 0
                var fields: [JaegerTag] = []
                var id: Int16 = 0
                while let field = try reader.nextField(after: id) {
                    id = field.id
                    switch (field.id, field.type) {
                    case (1, .i64): timestamp = try reader.readInteger(.i64)
                    case (2, .list): fields = try readTags(&reader)
                    default: try reader.skip(field.type)
                    }
                }
                let name = fields.lastIndex { $0.isNamed("event") && $0.kind == .string }
                for (index, tag) in fields.enumerated() where index != name {
                    builder.addEventAttribute(key: builder.intern(text: tag.key), value: tag.value(in: &builder))
                }
                builder.addEvent(
                    timeUnixNanos: Self.nanos(timestamp),
                    name: name.map { builder.intern(text: fields[$0].text) } ?? 0
                )
            }
        }

        private func readTags(_ reader: inout some ThriftReader) throws(WireError) -> [JaegerTag] {
            var tags: [JaegerTag] = []
            for _ in 0..<(try structures(&reader)) { tags.append(try JaegerTag(&reader)) }
            return tags
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

        /// Nanoseconds of a time in microseconds: before 1970 is 0, after 2554 the last one there is.
        private static func nanos(_ micros: Int64) -> UInt64 {
            if micros < 0 { return 0 }
            let (nanos, overflow) = UInt64(micros).multipliedReportingOverflow(by: 1000)
            return overflow ? .max : nanos
        }
    }
}
