// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

extension OTLP {
    /// How JSON says what has several forms.
    package enum JSONForm: Sendable {
        /// OTLP's own: ids in lower-case hexadecimal, enums as numbers.
        case otlp
        /// That of all other messages of Protocol Buffers (proto3, "JSON Mapping"): ids are base64, enums are words.
        case proto3
    }

    /// Writes a batch, or parts of it, as OTLP JSON (OTLP 1.9 "JSON Protobuf Encoding"), or in its ``JSONForm``: 64-bit
    /// integers as strings, bytes as base64, keys in lowerCamelCase. Fields that have their default are left out;
    /// `resource` and `scope` are always there.
    package struct JSONEncoder {
        private let batch: SpanBatch
        private let form: JSONForm

        /// An encoder of the rows of `batch`.
        package init(_ batch: SpanBatch, form: JSONForm = .otlp) {
            self.batch = batch
            self.form = form
        }

        /// Writes `{"resourceSpans":[…]}` with all spans, grouped by resource and scope.
        package func write(to json: inout JSONWriter) { write(to: &json) { _ in } }

        /// The same; `check` is told the bytes written so far after each span, and may end the writing.
        package func write<E: Error>(to json: inout JSONWriter, check: (Int) throws(E) -> Void) throws(E) {
            try json.object { json throws(E) in
                try json.array("resourceSpans") { json throws(E) in try writeGroups(to: &json, check: check) }
            }
        }

        /// Writes all spans, grouped by resource and scope, as elements of an array of `ResourceSpans`.
        func writeGroups<E: Error>(to json: inout JSONWriter, check: (Int) throws(E) -> Void) throws(E) {
            for group in SpanGroups(batch).resources {
                try json.object { json throws(E) in try writeResourceSpans(group, to: &json, check) }
            }
        }

        private func writeResourceSpans<E: Error>(
            _ group: SpanGroups.Resource,
            to json: inout JSONWriter,
            _ check: (Int) throws(E) -> Void
        ) throws(E) {
            json.key("resource")
            writeResource(group.resource, to: &json)
            try json.array("scopeSpans") { json throws(E) in
                for scope in group.scopes {
                    try json.object { json throws(E) in
                        json.key("scope")
                        writeScope(scope.scope, to: &json)
                        try json.array("spans") { json throws(E) in
                            for row in scope.rows {
                                writeSpan(row, to: &json)
                                try check(json.count)
                            }
                        }
                        text("schemaUrl", batch.scopes.schemaURLRefs[scope.scope], to: &json)
                    }
                }
            }
            text("schemaUrl", batch.resources.schemaURLRefs[group.resource], to: &json)
        }

        /// Writes row `row` of the batch's resources as a `Resource` object; `withSchemaURL` with the member `schemaUrl`,
        /// which OTLP has beside it.
        package func writeResource(_ row: Int, withSchemaURL: Bool = false, to json: inout JSONWriter) {
            json.object { json in
                if withSchemaURL { schemaURL(batch.resources.schemaURLRefs[row], to: &json) }
                attributes(batch.resources.attributes, row, to: &json)
                count("droppedAttributesCount", batch.resources.droppedAttributesCounts[row], to: &json)
            }
        }

        /// Writes row `row` of the batch's scopes as an `InstrumentationScope` object; `withSchemaURL` with the member
        /// `schemaUrl`, which OTLP has beside it.
        package func writeScope(_ row: Int, withSchemaURL: Bool = false, to json: inout JSONWriter) {
            json.object { json in
                if withSchemaURL { schemaURL(batch.scopes.schemaURLRefs[row], to: &json) }
                text("name", batch.scopes.nameRefs[row], to: &json)
                text("version", batch.scopes.versionRefs[row], to: &json)
                attributes(batch.scopes.attributes, row, to: &json)
                count("droppedAttributesCount", batch.scopes.droppedAttributesCounts[row], to: &json)
            }
        }

        /// Writes span `row` as a `Span` object.
        package func writeSpan(_ row: Int, to json: inout JSONWriter) {
            json.object { json in
                id("traceId", batch.traceIDs[row], to: &json)
                id("spanId", batch.spanIDs[row], to: &json)
                text("traceState", SpanBatch.value(batch.traceStateRefs, row, default: 0), to: &json)
                if batch.parentSpanIDs[row].isValid { id("parentSpanId", batch.parentSpanIDs[row], to: &json) }
                text("name", batch.nameRefs[row], to: &json)
                if batch.kinds[row] != 0 { enumeration("kind", batch.kinds[row], Self.kindWords, to: &json) }
                json.member("startTimeUnixNano", decimal: batch.startUnixNanos[row])
                json.member("endTimeUnixNano", decimal: batch.reportedEndUnixNanos(at: row))
                attributes(batch.attributes, row, to: &json)
                count(
                    "droppedAttributesCount",
                    SpanBatch.value(batch.droppedAttributesCounts, row, default: 0),
                    to: &json
                )
                writeEvents(row, to: &json)
                count("droppedEventsCount", SpanBatch.value(batch.droppedEventsCounts, row, default: 0), to: &json)
                writeLinks(row, to: &json)
                count("droppedLinksCount", SpanBatch.value(batch.droppedLinksCounts, row, default: 0), to: &json)
                let message = SpanBatch.value(batch.statusMessageRefs, row, default: 0)
                if batch.statusCodes[row] != 0 || message != 0 {
                    json.object("status") { json in
                        text("message", message, to: &json)
                        if batch.statusCodes[row] != 0 {
                            enumeration("code", batch.statusCodes[row], Self.codeWords, to: &json)
                        }
                    }
                }
                count("flags", SpanBatch.value(batch.flags, row, default: 0), to: &json)
            }
        }

        /// Writes row `row`, which is a log record that poses as a span (see ``LogBatch``), as a `LogRecord` object.
        package func writeLogRecord(_ row: Int, to json: inout JSONWriter) {
            let event = batch.events.range(of: row).first
            let flags = SpanBatch.value(batch.flags, row, default: 0)
            json.object { json in
                id("traceId", batch.traceIDs[row], to: &json)
                if batch.parentSpanIDs[row].isValid { id("spanId", batch.parentSpanIDs[row], to: &json) }
                json.member("timeUnixNano", decimal: batch.startUnixNanos[row])
                if let event, batch.events.timeUnixNanos[event] > 0 {
                    json.member("observedTimeUnixNano", decimal: batch.events.timeUnixNanos[event])
                }
                count("severityNumber", flags >> 8, to: &json)
                text("severityText", SpanBatch.value(batch.statusMessageRefs, row, default: 0), to: &json)
                text("eventName", batch.nameRefs[row], to: &json)
                if let body = event.flatMap({ batch.events.attributes.range(of: $0).first }) {
                    json.key("body")
                    batch.dictionary.withBytes(batch.events.attributes.valueRefs[body]) { json.anyValue($0) }
                }
                attributes(batch.attributes, row, to: &json)
                let dropped = SpanBatch.value(batch.droppedAttributesCounts, row, default: 0)
                count("droppedAttributesCount", dropped, to: &json)
                count("flags", flags & 0xff, to: &json)
            }
        }

        private func writeEvents(_ row: Int, to json: inout JSONWriter) {
            let table = batch.events
            let events = table.range(of: row)
            if events.isEmpty { return }
            json.array("events") { json in
                for event in events {
                    json.object { json in
                        json.member("timeUnixNano", decimal: table.timeUnixNanos[event])
                        text("name", table.nameRefs[event], to: &json)
                        attributes(table.attributes, event, to: &json)
                        let dropped = SpanBatch.value(table.droppedAttributesCounts, event, default: 0)
                        count("droppedAttributesCount", dropped, to: &json)
                    }
                }
            }
        }

        private func writeLinks(_ row: Int, to json: inout JSONWriter) {
            let table = batch.links
            let links = table.range(of: row)
            if links.isEmpty { return }
            json.array("links") { json in
                for link in links {
                    json.object { json in
                        id("traceId", table.traceIDs[link], to: &json)
                        id("spanId", table.spanIDs[link], to: &json)
                        text("traceState", SpanBatch.value(table.traceStateRefs, link, default: 0), to: &json)
                        attributes(table.attributes, link, to: &json)
                        let dropped = SpanBatch.value(table.droppedAttributesCounts, link, default: 0)
                        count("droppedAttributesCount", dropped, to: &json)
                        count("flags", SpanBatch.value(table.flags, link, default: 0), to: &json)
                    }
                }
            }
        }

        private func attributes(_ table: SpanBatch.AttributeTable, _ owner: Int, to json: inout JSONWriter) {
            let pairs = table.range(of: owner)
            if pairs.isEmpty { return }
            json.array("attributes") { json in
                for pair in pairs {
                    json.object { json in
                        json.key("key")
                        batch.dictionary.withBytes(table.keyRefs[pair]) { json.string(utf8: $0) }
                        json.key("value")
                        batch.dictionary.withBytes(table.valueRefs[pair]) { json.anyValue($0) }
                    }
                }
            }
        }

        private func id(_ name: StaticString, _ id: TraceID, to json: inout JSONWriter) {
            if form == .otlp { return json.member(name, id) }
            json.key(name)
            json.base64(id)
        }

        private func id(_ name: StaticString, _ id: SpanID, to json: inout JSONWriter) {
            if form == .otlp { return json.member(name, id) }
            json.key(name)
            json.base64(id)
        }

        private static let kindWords = [
            "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER",
            "SPAN_KIND_CONSUMER",
        ]
        private static let codeWords = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"]

        /// Numbers that have no word stay numbers, as proto3 has it.
        private func enumeration(_ name: StaticString, _ number: UInt8, _ words: [String], to json: inout JSONWriter) {
            guard form == .proto3, Int(number) < words.count else { return json.member(name, number) }
            json.member(name, words[Int(number)])
        }

        private func schemaURL(_ ref: SpanBatch.Ref, to json: inout JSONWriter) {
            batch.dictionary.withBytes(ref) { json.member("schemaUrl", utf8: $0) }
        }

        private func text(_ name: StaticString, _ ref: SpanBatch.Ref, to json: inout JSONWriter) {
            if ref == 0 { return }
            batch.dictionary.withBytes(ref) { json.member(name, utf8: $0) }
        }

        private func count(_ name: StaticString, _ value: UInt32, to json: inout JSONWriter) {
            if value != 0 { json.member(name, value) }
        }
    }
}

extension JSONWriter {
    /// Writes an encoded value (see `EncodedValue`) as an OTLP `AnyValue` object, such as `{"intValue":"5"}`. What is no
    /// such value, which no dictionary holds, is written as far as it could be read.
    package mutating func anyValue(_ encoded: UnsafeRawBufferPointer) {
        object { json in
            do throws(ByteError) { try json.anyValueMembers(encoded, depth: 0) } catch {}
        }
    }

    private mutating func anyValueMembers(_ encoded: UnsafeRawBufferPointer, depth: Int) throws(ByteError) {
        guard let kind = EncodedValue.kind(of: encoded), kind != .null, depth <= EncodedValue.maxDepth else { return }
        var reader = ByteReader(encoded)
        try reader.skip(1)
        switch kind {
        case .null: break
        case .string: member("stringValue", utf8: try reader.readLengthPrefixed())
        case .bool: member("boolValue", try reader.readVarint() != 0)
        case .int: member("intValue", decimal: Int64(bitPattern: try reader.readVarint()))
        case .double: member("doubleValue", Double(bitPattern: try reader.readLittleEndian(UInt64.self)))
        case .bytes:
            let bytes = try reader.readLengthPrefixed()
            key("bytesValue")
            base64(bytes)
        case .array:
            var body = ByteReader(try reader.readLengthPrefixed())
            try object("arrayValue") { (json) throws(ByteError) in
                try json.array("values") { (json) throws(ByteError) in
                    while !body.isAtEnd {
                        try body.skip(1)
                        let element = try body.readLengthPrefixed()
                        try json.object { (json) throws(ByteError) in
                            try json.anyValueMembers(element, depth: depth + 1)
                        }
                    }
                }
            }
        case .map:
            var body = ByteReader(try reader.readLengthPrefixed())
            try object("kvlistValue") { (json) throws(ByteError) in
                try json.array("values") { (json) throws(ByteError) in
                    while !body.isAtEnd {
                        try body.skip(1)
                        var entry = ByteReader(try body.readLengthPrefixed())
                        try entry.skip(1)
                        let key = try entry.readLengthPrefixed()
                        try entry.skip(1)
                        let value = try entry.readLengthPrefixed()
                        try json.object { (json) throws(ByteError) in
                            json.member("key", utf8: key)
                            try json.object("value") { (json) throws(ByteError) in
                                try json.anyValueMembers(value, depth: depth + 1)
                            }
                        }
                    }
                }
            }
        }
    }
}
