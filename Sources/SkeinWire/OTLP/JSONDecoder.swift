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
        var builder = SpanBatchBuilder()
        var rejections = Rejections()
        var intake: Intake
        private var signal = Signal.spans
        var value = ByteWriter()
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
                    try readAttributes(&json, &attributes, &isTooDeep) { builder, key, value in
                        builder.addResourceAttribute(key: key, value: value)
                        if serviceName == 0, key == serviceNameKey { serviceName = builder.intern(textOfValue: value) }
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
                    try readAttributes(&json, &attributes, &isTooDeep) { $0.addScopeAttribute(key: $1, value: $2) }
                case "droppedAttributesCount": dropped = try json.readInteger(UInt32.self)
                default: try skip(key, &json)
                }
            }
            dropped &+= attributes.refused
            try intake.add(0, attributes: attributes, at: json.offset)
        }

        /// Reads a list of attributes and hands each to `add`, as many as there is room for.
        @inline(__always)
        mutating func readAttributes(
            _ json: inout JSONReader,
            _ room: inout Quota,
            _ isTooDeep: inout Bool,
            _ add: (inout SpanBatchBuilder, SpanBatch.Ref, SpanBatch.Ref) -> Void
        ) throws(WireError) {
            try json.openArray()
            while try json.nextElement() {
                guard room.take() else {
                    try json.skipValue()
                    continue
                }
                let pair = try readAttribute(&json, &isTooDeep)
                add(&builder, pair.key, pair.value)
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

        /// An enum's number: given as it is, or as the name that proto3 JSON would give it. Unknown ones read as 0.
        func readEnum(
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
        mutating func skip(_ key: JSONKey, _ json: inout JSONReader) throws(WireError) {
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
