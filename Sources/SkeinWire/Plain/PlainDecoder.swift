// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Plain {
    /// Turns spans in plain JSON, one object or a list of them, into columns.
    ///
    ///     {"traceId", "spanId", "parentSpanId", "operationName" or "name", "serviceName" or "service", "kind",
    ///      "startTime": RFC 3339 or a Unix time, "duration": milliseconds, or "endTime" like "startTime",
    ///      "tags" or "attributes": {key: any JSON}, or a list of {"key", "value"},
    ///      "logs" or "events": [{"timestamp", "message"}]}
    ///
    /// Ids are hexadecimal of any length up to their own, or any text, of which an id is made (see ``PlainID``); the text
    /// then stays in the attributes `original.trace_id` and `original.span_id`. A log is an event that its `message`
    /// names, unless it has an `event` or a `name`; the rest of it are attributes, and so are all members of a span that are
    /// not named above. Tags tell kind and status as Jaeger's do: `error`, `span.kind` and others. Of two that say the same the last
    /// counts.
    package struct JSONDecoder: ~Copyable {
        private var builder = SpanBatchBuilder()
        private var rejections = Rejections()
        private var intake: Intake
        private var texts = KeptTexts()
        private var value = ByteWriter()

        /// A decoder; it holds memory only while and after it works.
        package init(limits: DecodingLimits = DecodingLimits()) { intake = Intake(limits) }

        /// The spans of one text. Bad spans are left out and counted; what is not JSON of this shape throws, and nothing of
        /// it is kept.
        package mutating func decode(
            _ text: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            rejections = Rejections()
            intake = Intake(intake.limits)
            do throws(WireError) {
                var json = JSONReader(text)
                if try json.peek() == .array {
                    try json.openArray()
                    while try json.nextElement() { try readSpan(&json, text) }
                } else {
                    try readSpan(&json, text)
                }
                try json.finish()
            } catch {
                builder.removeAll()
                throw error
            }
            var decoded = DecodedSpans(batch: builder.finish(receivedUnixNanos: receivedUnixNanos))
            decoded.rejected = rejections.counts
            decoded.firstMessage = rejections.firstMessage
            decoded.dropped = intake.dropped
            decoded.warning = intake.warning
            return decoded
        }

        /// What of a span is not in the builder yet.
        private struct Raw {
            var fields = SpanBatchBuilder.SpanFields()
            /// The text that it is read from.
            let text: UnsafeRawBufferPointer
            var attributes: Quota
            /// Those that tell the kind or the status.
            var telling: [JaegerTag] = []
            var start: UInt64?
            var end: UInt64?
            var duration: Int64 = 0
            var service: SpanBatch.Ref = 0
            var serviceValue: SpanBatch.Ref = 0
            var logs: Int?
            var isTooDeep = false
        }

        private mutating func readSpan(
            _ json: inout JSONReader,
            _ text: UnsafeRawBufferPointer
        ) throws(WireError) {
            defer { texts.removeAll() }
            var raw = Raw(text: text, attributes: intake.quota())
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "traceId", "traceID": raw.fields.traceID = try readTraceID(&json, &raw)
                case "spanId", "spanID": raw.fields.spanID = try readSpanID(&json, &raw)
                case "parentSpanId", "parentSpanID": raw.fields.parentSpanID = PlainID.span(try readIDText(&json)).id
                case "operationName", "name": raw.fields.name = builder.intern(text: try json.readString())
                case "serviceName", "service":
                    let name = try json.readString()
                    raw.service = builder.intern(text: name)
                    raw.serviceValue = builder.intern(stringValue: name)
                case "startTime": raw.start = try PlainTime.moment(&json)
                case "endTime": raw.end = try PlainTime.moment(&json)
                case "duration": raw.duration = try PlainTime.duration(&json)
                case "tags", "attributes": try readTags(&json, &raw)
                case "logs", "events":
                    // Those without a time of their own need the start, which may come behind them.
                    raw.logs = json.offset
                    try json.skipValue()
                case "kind": raw.telling.append(try readKind(&json))
                default: try readTag(texts.keep(key.bytes, of: json), &json, &raw)
                }
            }
            try add(&raw, at: json.offset)
        }

        private mutating func add(_ raw: inout Raw, at offset: Int) throws(WireError) {
            if let reason = fault(of: raw) { return reject(reason) }
            raw.fields.startUnixNanos = raw.start ?? 0
            raw.fields.endUnixNanos = raw.end ?? Self.end(raw.fields.startUnixNanos, raw.duration)
            let events = try readLogs(&raw)
            if raw.isTooDeep { return reject(.valueTooDeep) }
            addProcess(&raw)
            let status = JaegerStatus(&raw.telling)
            raw.fields.kind = status.kind.rawValue
            raw.fields.statusCode = status.code.rawValue
            raw.fields.statusMessage = status.message.isEmpty ? 0 : builder.intern(status.message)
            for tag in raw.telling where !tag.isTold {
                builder.addSpanAttribute(key: builder.intern(text: tag.key), value: tag.value(in: &builder))
            }
            raw.fields.droppedAttributesCount = raw.attributes.refused
            raw.fields.droppedEventsCount = events.refused
            intake.drop(events: events, links: intake.quota())
            try intake.add(Intake.Size.span, attributes: raw.attributes, at: offset)
            builder.addSpan(raw.fields)
        }

        private func fault(of raw: Raw) -> RejectionReason? {
            if !raw.fields.traceID.isValid { return .invalidTraceID }
            if !raw.fields.spanID.isValid { return .invalidSpanID }
            return raw.start == nil ? .invalidTime : nil
        }

        private mutating func reject(_ reason: RejectionReason) {
            builder.discardSpan()
            rejections.add(reason, Self.message(reason))
        }

        private static func message(_ reason: RejectionReason) -> String {
            switch reason {
            case .invalidTraceID: "traceId must be there, and not all zero"
            case .invalidSpanID: "spanId must be there, and not all zero"
            case .invalidTime:
                "startTime must be RFC 3339, such as 2026-11-22T10:00:00Z with its offset, or a Unix time"
            case .invalidParentSpanID, .valueTooDeep, .noTraceID: IDCheck().message(reason)
            }
        }

        private mutating func addProcess(_ raw: inout Raw) {
            if raw.service != 0 {
                builder.addResourceAttribute(key: builder.intern("service.name"), value: raw.serviceValue)
            }
            raw.fields.resource = builder.addResource(serviceName: raw.service)
            raw.fields.scope = builder.addScope(name: 0)
        }

        private static func end(_ start: UInt64, _ duration: Int64) -> UInt64 {
            let (end, overflow) = start.addingReportingOverflow(duration.magnitude)
            if duration >= 0 { return overflow ? .max : end }
            return start > duration.magnitude ? start - duration.magnitude : 0
        }

        // MARK: Ids

        private func readIDText(_ json: inout JSONReader) throws(WireError) -> UnsafeRawBufferPointer {
            try json.peek() == .number ? try json.readRaw() : try json.readString()
        }

        private mutating func readTraceID(_ json: inout JSONReader, _ raw: inout Raw) throws(WireError) -> TraceID {
            let text = try readIDText(&json)
            let (id, isMade) = PlainID.trace(text)
            if isMade { addOriginal("original.trace_id", text, &raw) }
            return id
        }

        private mutating func readSpanID(_ json: inout JSONReader, _ raw: inout Raw) throws(WireError) -> SpanID {
            let text = try readIDText(&json)
            let (id, isMade) = PlainID.span(text)
            if isMade { addOriginal("original.span_id", text, &raw) }
            return id
        }

        private mutating func addOriginal(_ key: String, _ text: UnsafeRawBufferPointer, _ raw: inout Raw) {
            guard raw.attributes.take() else { return }
            builder.addSpanAttribute(key: builder.intern(key), value: builder.intern(stringValue: text))
        }

        // MARK: Tags

        private mutating func readTags(_ json: inout JSONReader, _ raw: inout Raw) throws(WireError) {
            guard try json.peek() == .array else {
                try json.openObject()
                while let key = try json.nextKey() { try readTag(texts.keep(key.bytes, of: json), &json, &raw) }
                return
            }
            try json.openArray()
            while try json.nextElement() {
                var key = UnsafeRawBufferPointer(start: nil, count: 0)
                var value: Int?
                try json.openObject()
                while let member = try json.nextKey() {
                    switch member {
                    case "key": key = texts.keep(try json.readString(), of: json)
                    case "value":
                        value = json.offset
                        try json.skipValue()
                    default: try json.skipValue()
                    }
                }
                guard let value else { continue }
                var reader = JSONReader(raw.text, from: value)
                try readTag(key, &reader, &raw)
            }
        }

        private mutating func readTag(
            _ key: UnsafeRawBufferPointer,
            _ json: inout JSONReader,
            _ raw: inout Raw
        ) throws(WireError) {
            guard raw.attributes.take() else { return try json.skipValue() }
            if JaegerStatus.reads(key) {
                var tag = JaegerTag(key: key)
                try tag.readValue(&json, &texts)
                // What people write for true.
                if tag.isNamed("error"), tag.kind == .string, "true" ~= JSONKey(bytes: tag.text) {
                    (tag.kind, tag.bool) = (.bool, true)
                }
                return raw.telling.append(tag)
            }
            builder.addSpanAttribute(key: builder.intern(text: key), value: try readValue(&json, &raw))
        }

        /// The member `kind`, such as `SERVER`, as the tag that says the same.
        private mutating func readKind(_ json: inout JSONReader) throws(WireError) -> JaegerTag {
            let key: StaticString = "span.kind"
            var tag = JaegerTag(key: UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
            try tag.readValue(&json, &texts)
            let name = Array(tag.string.lowercased().utf8)
            tag.text = name.withUnsafeBytes { texts.copy($0) }
            return tag
        }

        /// The ref of a value of any kind.
        private mutating func readValue(
            _ json: inout JSONReader,
            _ raw: inout Raw
        ) throws(WireError) -> SpanBatch.Ref {
            value.removeAll()
            try json.readPlainValue(into: &value, &raw.isTooDeep)
            // What is too deep to be canonical is dropped with its span.
            return builder.intern(value: value.bytes) ?? 0
        }

        // MARK: Logs

        private mutating func readLogs(_ raw: inout Raw) throws(WireError) -> Quota {
            var events = intake.quota()
            guard let offset = raw.logs else { return events }
            var json = JSONReader(raw.text, from: offset)
            try json.openArray()
            while try json.nextElement() {
                guard events.take() else {
                    try json.skipValue()
                    continue
                }
                if try json.peek() == .string {
                    builder.addEvent(
                        timeUnixNanos: raw.fields.startUnixNanos,
                        name: builder.intern(text: try json.readString())
                    )
                } else {
                    try readLog(&json, &raw)
                }
            }
            return events
        }

        private mutating func readLog(_ json: inout JSONReader, _ raw: inout Raw) throws(WireError) {
            var time: UInt64?
            var name: SpanBatch.Ref = 0
            var message: (text: SpanBatch.Ref, value: SpanBatch.Ref)?
            var attributes = intake.quota()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "timestamp", "time": time = try PlainTime.moment(&json)
                case "event", "name": name = builder.intern(text: try json.readString())
                case "message":
                    let text = try json.readString()
                    message = (builder.intern(text: text), builder.intern(stringValue: text))
                default:
                    guard attributes.take() else {
                        try json.skipValue()
                        continue
                    }
                    let ref = builder.intern(text: key.bytes)
                    builder.addEventAttribute(key: ref, value: try readValue(&json, &raw))
                }
            }
            if name == 0 {
                name = message?.text ?? 0
            } else if let message, attributes.take() {
                builder.addEventAttribute(key: builder.intern("message"), value: message.value)
            }
            try intake.add(Intake.Size.event, attributes: attributes, at: json.offset)
            builder.addEvent(
                timeUnixNanos: time ?? raw.fields.startUnixNanos,
                name: name,
                droppedAttributesCount: attributes.refused
            )
        }
    }
}
