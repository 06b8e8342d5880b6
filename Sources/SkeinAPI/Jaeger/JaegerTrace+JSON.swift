// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

extension JaegerTrace {
    /// Writes the trace as one value. `check` is told the bytes written so far after each span, and may end the writing.
    func write<E: Error>(to json: inout JSONWriter, check: (Int) throws(E) -> Void) throws(E) {
        try json.object { json throws(E) in
            json.key("traceID")
            writeID(batch.traceIDs[0], to: &json)
            try json.array("spans") { json throws(E) in
                for row in 0..<batch.count {
                    writeSpan(row, to: &json)
                    try check(json.count)
                }
            }
            json.object("processes") { json in
                for process in processRows.indices {
                    json.key(text: "p\(process + 1)")
                    writeProcess(process, to: &json)
                }
            }
            json.key("warnings")
            json.null()
        }
    }

    private func writeSpan(_ row: Int, to json: inout JSONWriter) {
        let parent = ids.parents[row]
        json.object { json in
            json.key("traceID")
            writeID(batch.traceIDs[row], to: &json)
            json.member("spanID", ids.spans[row])
            if parent.isValid { json.member("parentSpanID", parent) }
            let flags = flags(of: row)
            if flags != 0 { json.member("flags", flags) }
            json.key("operationName")
            writeText(batch.nameRefs[row], to: &json)
            json.array("references") { json in
                forEachReference(of: row) { writeReference($0, to: &json) }
            }
            json.member("startTime", batch.startUnixNanos[row] / 1000)
            json.member("duration", batch.durationNanos[row] / 1000)
            json.array("tags") { json in
                for tag in tags(of: row) { writeTag(tag, to: &json) }
            }
            json.array("logs") { json in
                for event in logs(of: row) { writeLog(event, to: &json) }
            }
            json.key("processID")
            json.string("p\(processes[Int(batch.resourceRows[row])] + 1)")
            writeWarnings(row, to: &json)
        }
    }

    private func writeReference(_ reference: Reference, to json: inout JSONWriter) {
        json.object { json in
            json.key("refType")
            json.string(word: reference.isChildOf ? "CHILD_OF" : "FOLLOWS_FROM")
            json.key("traceID")
            writeID(reference.traceID, to: &json)
            json.member("spanID", reference.spanID)
        }
    }

    private func writeLog(_ event: Int, to json: inout JSONWriter) {
        json.object { json in
            json.member("timestamp", batch.events.timeUnixNanos[event] / 1000)
            json.array("fields") { json in
                for field in fields(ofLog: event) { writeTag(field, to: &json) }
            }
        }
    }

    private func writeProcess(_ process: Int, to json: inout JSONWriter) {
        let service = batch.resources.serviceNameRefs[processRows[process]]
        json.object { json in
            json.key("serviceName")
            if service == 0 { json.string(JaegerAPI.namelessService) } else { writeText(service, to: &json) }
            json.array("tags") { json in
                for tag in tags(ofProcess: process) { writeTag(tag, to: &json) }
            }
        }
    }

    // MARK: Tags

    private func writeTag(_ tag: JaegerTagNames.Tag, to json: inout JSONWriter) {
        json.object { json in
            json.key("key")
            names.writeKey(of: tag, batch.dictionary, to: &json)
            switch tag.value {
            case .text(let ref):
                Self.writeType("string", to: &json)
                writeText(ref, to: &json)
            case .word(let word):
                Self.writeType("string", to: &json)
                json.string(word: word)
            case .yes:
                Self.writeType("bool", to: &json)
                json.bool(true)
            case .stored(let ref): batch.dictionary.withBytes(ref) { Self.writeValue($0, to: &json) }
            }
        }
    }

    private static func writeType(_ type: StaticString, to json: inout JSONWriter) {
        json.key("type")
        json.string(word: type)
        json.key("value")
    }

    /// Writes the type and the value of an attribute.
    private static func writeValue(_ encoded: UnsafeRawBufferPointer, to json: inout JSONWriter) {
        if let text = EncodedValue.text(encoded) {
            writeType("string", to: &json)
            return json.string(utf8: text)
        }
        // JavaScript reads greater integers wrongly; Jaeger sends them as text.
        let exact: Int64 = (1 << 53) - 1
        let value = EncodedValue.decode(encoded)
        switch value {
        case .bool: writeType("bool", to: &json)
        case .int: writeType("int64", to: &json)
        case .double: writeType("float64", to: &json)
        case .bytes: writeType("binary", to: &json)
        case .null, .string, .array, .map: writeType("string", to: &json)
        }
        switch value {
        case .null: json.string(word: "")
        case .int(let int) where int > exact || int < -exact: json.decimal(int)
        case .array, .map:
            var text = JSONWriter()
            text.plain(value)
            json.string(utf8: text.bytes)
        default: json.plain(value)
        }
    }

    // MARK: Pieces

    private func writeWarnings(_ row: Int, to json: inout JSONWriter) {
        let warnings = ids.warnings(row, batch)
        json.key("warnings")
        guard !warnings.isEmpty else { return json.null() }
        json.array { json in
            for warning in warnings { json.string(warning) }
        }
    }

    private func writeText(_ ref: SpanBatch.Ref, to json: inout JSONWriter) {
        batch.dictionary.withBytes(ref) { json.string(utf8: $0) }
    }

    private func writeID(_ id: TraceID, to json: inout JSONWriter) {
        if id.high == 0 { json.id(SpanID(id.low)) } else { json.id(id) }
    }
}
