// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension OTLP {
    /// Turns OTLP JSON (OTLP 1.9 "JSON Protobuf Encoding") into columns, in one pass over the text.
    ///
    /// Strict where the specification is (ids in hexadecimal, lowerCamelCase) and lenient where clients differ: 64-bit
    /// integers as strings or numbers, enums as numbers or names, base64 of either alphabet, members in any order,
    /// unknown ones ignored, `null` as absent. Of a member given twice the last counts; lists given twice are joined.
    ///
    /// Keep a decoder and reuse it: its tables stay warm. It is not shared between tasks.
    package struct JSONDecoder: ~Copyable {
        private var builder = SpanBatchBuilder()
        private var rejections = Rejections()
        private var intake: Intake
        private var signal = Signal.spans
        private var value = ByteWriter()
        /// Keys in snake_case: other systems ignore them without a word, and so lose data.
        private var snakeCaseKeys = 0
        private var firstSnakeCaseKey = ""

        /// A decoder; it holds memory only while and after it works.
        package init(limits: DecodingLimits = DecodingLimits()) { intake = Intake(limits) }

        /// The spans of one request. Bad spans are left out and counted; text that is not JSON of this shape throws, and
        /// nothing of it is kept.
        package mutating func decode(
            _ text: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            signal = .spans
            return try decodeRequest(text, receivedUnixNanos: receivedUnixNanos)
        }

        /// The log records of one request that belong to a trace; of the others it is counted that they do not.
        package mutating func decodeLogs(
            _ text: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedLogs {
            signal = .logs
            return DecodedLogs(try decodeRequest(text, receivedUnixNanos: receivedUnixNanos))
        }

        private mutating func decodeRequest(
            _ text: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            rejections = Rejections()
            intake = Intake(intake.limits)
            snakeCaseKeys = 0
            firstSnakeCaseKey = ""
            do throws(WireError) {
                var json = JSONReader(text)
                try readRequest(&json)
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
            if snakeCaseKeys > 0 {
                if !decoded.warning.isEmpty { decoded.warning += "; " }
                decoded.warning +=
                    "\(snakeCaseKeys) keys in snake_case were ignored, the first is \"\(firstSnakeCaseKey)\"; "
                    + "OTLP JSON keys are lowerCamelCase"
            }
            return decoded
        }

        private mutating func readRequest(_ json: inout JSONReader) throws(WireError) {
            try json.openObject()
            while let key = try json.nextMember() {
                switch (key, signal) {
                case ("resourceSpans", .spans), ("resourceLogs", .logs):
                    try json.openArray()
                    while try json.nextElement() { try readResourceSpans(&json) }
                default: try skip(key, &json)
                }
            }
        }

        private mutating func readResourceSpans(_ json: inout JSONReader) throws(WireError) {
            // The resource may stand behind the spans, and the schema usually does: rows learn theirs at the end.
            let first = builder.count
            var serviceName: SpanBatch.Ref = 0
            var schemaURL: SpanBatch.Ref = 0
            var dropped: UInt32 = 0
            var isTooDeep = false
            try json.openObject()
            while let key = try json.nextMember() {
                switch (key, signal) {
                case ("resource", _): try readResource(&json, &serviceName, &dropped, &isTooDeep)
                case ("scopeSpans", .spans), ("scopeLogs", .logs):
                    try json.openArray()
                    while try json.nextElement() { try readScopeSpans(&json) }
                case ("schemaUrl", _): schemaURL = builder.intern(text: try json.readString())
                default: try skip(key, &json)
                }
            }
            let resource = builder.addResource(
                serviceName: serviceName,
                schemaURL: schemaURL,
                droppedAttributesCount: dropped
            )
            if isTooDeep { rejectSpans(from: first) } else { builder.assign(resource: resource, from: first) }
        }

        private mutating func readResource(
            _ json: inout JSONReader,
            _ serviceName: inout SpanBatch.Ref,
            _ dropped: inout UInt32,
            _ isTooDeep: inout Bool
        ) throws(WireError) {
            var attributes = intake.quota()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "attributes":
                    let serviceNameKey = builder.intern("service.name")
                    try json.openArray()
                    while try json.nextElement() {
                        guard attributes.take() else {
                            try json.skipValue()
                            continue
                        }
                        let pair = try readAttribute(&json, &isTooDeep)
                        builder.addResourceAttribute(key: pair.key, value: pair.value)
                        if serviceName == 0, pair.key == serviceNameKey {
                            serviceName = builder.intern(textOfValue: pair.value)
                        }
                    }
                case "droppedAttributesCount": dropped = try json.readInteger(UInt32.self)
                default: try skip(key, &json)
                }
            }
            dropped &+= attributes.refused
            try intake.add(0, attributes: attributes, at: json.offset)
        }

        private mutating func readScopeSpans(_ json: inout JSONReader) throws(WireError) {
            let first = builder.count
            var name: SpanBatch.Ref = 0
            var version: SpanBatch.Ref = 0
            var schemaURL: SpanBatch.Ref = 0
            var dropped: UInt32 = 0
            var isTooDeep = false
            try json.openObject()
            while let key = try json.nextMember() {
                switch (key, signal) {
                case ("scope", _): try readScope(&json, &name, &version, &dropped, &isTooDeep)
                case ("spans", .spans):
                    try json.openArray()
                    while try json.nextElement() { try readSpan(&json) }
                case ("logRecords", .logs):
                    try json.openArray()
                    while try json.nextElement() { try readLogRecord(&json) }
                case ("schemaUrl", _): schemaURL = builder.intern(text: try json.readString())
                default: try skip(key, &json)
                }
            }
            let scope = builder.addScope(
                name: name,
                version: version,
                schemaURL: schemaURL,
                droppedAttributesCount: dropped
            )
            if isTooDeep { rejectSpans(from: first) } else { builder.assign(scope: scope, from: first) }
        }

        private mutating func readScope(
            _ json: inout JSONReader,
            _ name: inout SpanBatch.Ref,
            _ version: inout SpanBatch.Ref,
            _ dropped: inout UInt32,
            _ isTooDeep: inout Bool
        ) throws(WireError) {
            var attributes = intake.quota()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "name": name = builder.intern(text: try json.readString())
                case "version": version = builder.intern(text: try json.readString())
                case "attributes":
                    try json.openArray()
                    while try json.nextElement() {
                        guard attributes.take() else {
                            try json.skipValue()
                            continue
                        }
                        let pair = try readAttribute(&json, &isTooDeep)
                        builder.addScopeAttribute(key: pair.key, value: pair.value)
                    }
                case "droppedAttributesCount": dropped = try json.readInteger(UInt32.self)
                default: try skip(key, &json)
                }
            }
            dropped &+= attributes.refused
            try intake.add(0, attributes: attributes, at: json.offset)
        }

        private mutating func readSpan(_ json: inout JSONReader) throws(WireError) {
            var fields = SpanBatchBuilder.SpanFields()
            var ids = IDCheck(text: true)
            var isTooDeep = false
            var refusedLinks: UInt32 = 0
            var (attributes, events, links) = (intake.quota(), intake.quota(), intake.quota())
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "traceId": fields.traceID = ids.traceID(hex: try json.readString())
                case "spanId": fields.spanID = ids.spanID(hex: try json.readString())
                case "parentSpanId": fields.parentSpanID = ids.parentSpanID(hex: try json.readString())
                case "traceState":
                    let state = try json.readString()
                    fields.traceState = builder.intern(text: state)
                    fields.weight = SamplingThreshold.weight(ofTraceState: state)
                case "name": fields.name = builder.intern(text: try json.readString())
                case "kind": fields.kind = try readEnum(&json, prefix: "SPAN_KIND_", Self.kinds)
                case "startTimeUnixNano": fields.startUnixNanos = try json.readInteger(UInt64.self)
                case "endTimeUnixNano": fields.endUnixNanos = try json.readInteger(UInt64.self)
                case "attributes":
                    try json.openArray()
                    while try json.nextElement() {
                        guard attributes.take() else {
                            try json.skipValue()
                            continue
                        }
                        let pair = try readAttribute(&json, &isTooDeep)
                        builder.addSpanAttribute(key: pair.key, value: pair.value)
                    }
                case "events":
                    try json.openArray()
                    while try json.nextElement() {
                        if events.take() { try readEvent(&json, &isTooDeep) } else { try json.skipValue() }
                    }
                case "links":
                    try json.openArray()
                    while try json.nextElement() {
                        guard links.take() else {
                            try json.skipValue()
                            continue
                        }
                        if try !readLink(&json, &isTooDeep) { refusedLinks &+= 1 }
                    }
                case "status": try readStatus(&json, &fields)
                case "flags": fields.flags = try json.readInteger(UInt32.self)
                case "droppedAttributesCount": fields.droppedAttributesCount = try json.readInteger(UInt32.self)
                case "droppedEventsCount": fields.droppedEventsCount = try json.readInteger(UInt32.self)
                case "droppedLinksCount": fields.droppedLinksCount = try json.readInteger(UInt32.self)
                default: try skip(key, &json)
                }
            }
            fields.droppedAttributesCount &+= attributes.refused
            fields.droppedEventsCount &+= events.refused
            fields.droppedLinksCount &+= refusedLinks &+ links.refused
            intake.drop(events: events, links: links)
            try intake.add(Intake.Size.span, attributes: attributes, at: json.offset)
            if let reason = ids.fault(fields) ?? (isTooDeep ? .valueTooDeep : nil) {
                builder.discardSpan()
                rejections.add(reason, ids.message(reason))
            } else {
                builder.addSpan(fields)
            }
        }

        private mutating func readLogRecord(_ json: inout JSONReader) throws(WireError) {
            var fields = LogBatch.Fields()
            var ids = IDCheck(text: true)
            var isTooDeep = false
            var attributes = intake.quota()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "timeUnixNano": fields.timeUnixNanos = try json.readInteger(UInt64.self)
                case "observedTimeUnixNano": fields.observedTimeUnixNanos = try json.readInteger(UInt64.self)
                case "severityNumber":
                    fields.severityNumber = UInt64(try readEnum(&json, prefix: "SEVERITY_NUMBER_", Self.severities))
                case "severityText": fields.severityText = builder.intern(text: try json.readString())
                case "eventName": fields.eventName = builder.intern(text: try json.readString())
                case "body":
                    value.removeAll()
                    try json.readAnyValue(into: &value, &isTooDeep)
                    fields.body = builder.intern(value: value.bytes) ?? 0
                case "attributes":
                    try json.openArray()
                    while try json.nextElement() {
                        guard attributes.take() else {
                            try json.skipValue()
                            continue
                        }
                        let pair = try readAttribute(&json, &isTooDeep)
                        builder.addSpanAttribute(key: pair.key, value: pair.value)
                    }
                case "droppedAttributesCount": fields.droppedAttributesCount = try json.readInteger(UInt32.self)
                case "flags": fields.flags = try json.readInteger(UInt32.self)
                case "traceId": fields.traceID = ids.traceID(hex: try json.readString())
                case "spanId": fields.spanID = ids.spanID(hex: try json.readString())
                default: try skip(key, &json)
                }
            }
            fields.droppedAttributesCount &+= attributes.refused
            try intake.add(Intake.Size.span, attributes: attributes, at: json.offset)
            if let reason = ids.fault(fields) ?? (isTooDeep ? .valueTooDeep : nil) {
                builder.discardSpan()
                rejections.add(reason, ids.message(reason))
            } else {
                fields.add(to: &builder)
            }
        }

        private mutating func readEvent(_ json: inout JSONReader, _ isTooDeep: inout Bool) throws(WireError) {
            var time: UInt64 = 0
            var name: SpanBatch.Ref = 0
            var dropped: UInt32 = 0
            var attributes = intake.quota()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "timeUnixNano": time = try json.readInteger(UInt64.self)
                case "name": name = builder.intern(text: try json.readString())
                case "attributes":
                    try json.openArray()
                    while try json.nextElement() {
                        guard attributes.take() else {
                            try json.skipValue()
                            continue
                        }
                        let pair = try readAttribute(&json, &isTooDeep)
                        builder.addEventAttribute(key: pair.key, value: pair.value)
                    }
                case "droppedAttributesCount": dropped = try json.readInteger(UInt32.self)
                default: try skip(key, &json)
                }
            }
            try intake.add(Intake.Size.event, attributes: attributes, at: json.offset)
            builder.addEvent(
                timeUnixNanos: time,
                name: name,
                droppedAttributesCount: dropped &+ attributes.refused
            )
        }

        /// `false` when the link has ids of the wrong length: it cannot be kept, and counts as dropped.
        private mutating func readLink(_ json: inout JSONReader, _ isTooDeep: inout Bool) throws(WireError) -> Bool {
            var ids = IDCheck(text: true)
            var traceID = TraceID.zero
            var spanID = SpanID.zero
            var traceState: SpanBatch.Ref = 0
            var flags: UInt32 = 0
            var dropped: UInt32 = 0
            var attributes = intake.quota()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "traceId": traceID = ids.traceID(hex: try json.readString())
                case "spanId": spanID = ids.spanID(hex: try json.readString())
                case "traceState": traceState = builder.intern(text: try json.readString())
                case "attributes":
                    try json.openArray()
                    while try json.nextElement() {
                        guard attributes.take() else {
                            try json.skipValue()
                            continue
                        }
                        let pair = try readAttribute(&json, &isTooDeep)
                        builder.addLinkAttribute(key: pair.key, value: pair.value)
                    }
                case "droppedAttributesCount": dropped = try json.readInteger(UInt32.self)
                case "flags": flags = try json.readInteger(UInt32.self)
                default: try skip(key, &json)
                }
            }
            guard ids.areComplete else {
                builder.discardLink()
                return false
            }
            try intake.add(Intake.Size.link, attributes: attributes, at: json.offset)
            builder.addLink(
                traceID: traceID,
                spanID: spanID,
                traceState: traceState,
                flags: flags,
                droppedAttributesCount: dropped &+ attributes.refused
            )
            return true
        }

        private mutating func readStatus(
            _ json: inout JSONReader,
            _ fields: inout SpanBatchBuilder.SpanFields
        ) throws(WireError) {
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "message": fields.statusMessage = builder.intern(text: try json.readString())
                case "code": fields.statusCode = try readEnum(&json, prefix: "STATUS_CODE_", Self.statusCodes)
                default: try skip(key, &json)
                }
            }
        }

        private mutating func readAttribute(
            _ json: inout JSONReader,
            _ isTooDeep: inout Bool
        ) throws(WireError) -> (key: SpanBatch.Ref, value: SpanBatch.Ref) {
            var pair: (key: SpanBatch.Ref, value: SpanBatch.Ref) = (0, 0)
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "key": pair.key = builder.intern(text: try json.readString())
                case "value":
                    value.removeAll()
                    try json.readAnyValue(into: &value, &isTooDeep)
                    // What is too deep to be canonical is dropped with its span.
                    pair.value = builder.intern(value: value.bytes) ?? 0
                default: try skip(key, &json)
                }
            }
            return pair
        }

        private static let kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
        /// Four of each, from 1 on.
        private static let severities =
            ["UNSPECIFIED"]
            + ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap { [$0, $0 + "2", $0 + "3", $0 + "4"] }
        private static let statusCodes = ["UNSET", "OK", "ERROR"]

        /// An enum's number: given as it is, or as the name that proto3 JSON would give it. Unknown ones read as 0.
        private func readEnum(
            _ json: inout JSONReader,
            prefix: String,
            _ names: [String]
        ) throws(WireError) -> UInt8 {
            guard try json.peek() == .string else {
                let number = try json.readInteger(Int64.self)
                return names.indices.contains(Int(number)) ? UInt8(number) : 0
            }
            let text = UTF8Text.repaired(try json.readString())
            if let number = Int(text), names.indices.contains(number) { return UInt8(number) }
            return names.firstIndex { text == prefix + $0 }.map { UInt8($0) } ?? 0
        }

        /// Passes over a member that the message does not have.
        private mutating func skip(_ key: JSONKey, _ json: inout JSONReader) throws(WireError) {
            if key.bytes.contains(UInt8(ascii: "_")) {
                if snakeCaseKeys == 0 { firstSnakeCaseKey = String(key.text.prefix(40)) }
                snakeCaseKeys += 1
            }
            try json.skipValue()
        }

        private mutating func rejectSpans(from first: Int) {
            for _ in first..<builder.count { rejections.add(.valueTooDeep, IDCheck().message(.valueTooDeep)) }
            builder.discardSpans(from: first)
        }
    }
}
