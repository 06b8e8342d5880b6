// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// A trace in Jaeger's JSON.
///
/// The mapping is the OpenTelemetry collector's (OTLP to Jaeger): what Jaeger has no field for becomes a tag, links
/// become references, events become logs. Unless it is asked for raw, the trace is shown as Jaeger would adjust it: tags
/// in the order of their keys, logs in the order of time, empty links left out, and a server span that shares its id
/// with its client (as Zipkin's do) under an id of its own. Clocks are never adjusted, as is Jaeger's default.
struct JaegerTrace {
    private let batch: SpanBatch
    private let isRaw: Bool
    private let names: JaegerTagNames
    private let ids: JaegerSpanIDs
    /// By row of the batch's resources: the number of its process, from 0 on. Equal resources are one process.
    private let processes: [Int]
    /// By number of process: a row of the batch's resources.
    private let processRows: [Int]

    /// The trace whose spans `batch` holds, at least one.
    init(_ batch: SpanBatch, isRaw: Bool) {
        self.batch = batch
        self.isRaw = isRaw
        names = JaegerTagNames(batch)
        ids = JaegerSpanIDs(batch, isRaw: isRaw)
        var processes = [Int](repeating: 0, count: batch.resources.count)
        var known: [[UInt32]: Int] = [:]
        var processRows: [Int] = []
        var isSeen = [Bool](repeating: false, count: batch.resources.count)
        for row in batch.resourceRows.map(Int.init) where !isSeen[row] {
            isSeen[row] = true
            let table = batch.resources.attributes
            let content = table.range(of: row).flatMap { [table.keyRefs[$0], table.valueRefs[$0]] }
            if let process = known[content] {
                processes[row] = process
            } else {
                processes[row] = processRows.count
                known[content] = processRows.count
                processRows.append(row)
            }
        }
        self.processes = processes
        self.processRows = processRows
    }

    /// 16 digits for an id of 64 bits, else 32.
    static func text(of id: TraceID) -> String { id.high == 0 ? SpanID(id.low).description : id.description }

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
                for (process, row) in processRows.enumerated() {
                    json.key(text: "p\(process + 1)")
                    writeProcess(row, to: &json)
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
            let flags = SpanBatch.value(batch.flags, row, default: 0) & 0xff
            if flags != 0 { json.member("flags", flags) }
            json.key("operationName")
            writeText(batch.nameRefs[row], to: &json)
            json.array("references") { json in
                if parent.isValid { writeReference("CHILD_OF", batch.traceIDs[row], parent, to: &json) }
                for link in batch.links.range(of: row) {
                    let (traceID, spanID) = (batch.links.traceIDs[link], batch.links.spanIDs[link])
                    if !isRaw, !traceID.isValid || !spanID.isValid { continue }
                    writeReference(isChildOf(link) ? "CHILD_OF" : "FOLLOWS_FROM", traceID, spanID, to: &json)
                }
            }
            json.member("startTime", batch.startUnixNanos[row] / 1000)
            json.member("duration", batch.durationNanos[row] / 1000)
            json.array("tags") { json in
                writeTags(spanTags(row), to: &json)
            }
            json.array("logs") { json in
                let events = Array(batch.events.range(of: row))
                // A stable sort: what happened at one moment stays in its order.
                for event in isRaw ? events : events.sorted(by: isEarlier) { writeLog(event, to: &json) }
            }
            json.key("processID")
            json.string("p\(processes[Int(batch.resourceRows[row])] + 1)")
            writeWarnings(row, to: &json)
        }
    }

    private func isEarlier(_ a: Int, _ b: Int) -> Bool {
        let times = batch.events.timeUnixNanos
        return times[a] != times[b] ? times[a] < times[b] : a < b
    }

    private func writeReference(_ type: StaticString, _ traceID: TraceID, _ spanID: SpanID, to json: inout JSONWriter) {
        json.object { json in
            json.key("refType")
            json.string(word: type)
            json.key("traceID")
            writeID(traceID, to: &json)
            json.member("spanID", spanID)
        }
    }

    /// Receivers of Jaeger spans keep what kind a reference was in this attribute of the link.
    private func isChildOf(_ link: Int) -> Bool {
        let table = batch.links.attributes
        return table.range(of: link).contains { pair in
            table.keyRefs[pair] == names.refType && batch.dictionary.value(table.valueRefs[pair]) == "child_of"
        }
    }

    // MARK: Tags

    private func spanTags(_ row: Int) -> [JaegerTagNames.Tag] {
        let table = batch.attributes
        let pairs = table.range(of: row)
        var tags: [JaegerTagNames.Tag] = []
        tags.reserveCapacity(pairs.count + JaegerTagNames.Derived.allCases.count)
        for pair in pairs { tags.append(names.tag(table.keyRefs[pair], table.valueRefs[pair])) }
        /// A client may have sent the tag as an attribute too; two that say the same are one.
        func add(_ name: JaegerTagNames.Derived, _ value: JaegerTagNames.Tag.Value) {
            if let ref = names.ref(of: name),
                pairs.contains(where: { table.keyRefs[$0] == ref && says(table.valueRefs[$0], value) })
            {
                return
            }
            tags.append(names.tag(name, value))
        }
        func addText(_ name: JaegerTagNames.Derived, _ ref: SpanBatch.Ref) {
            if ref != 0 { add(name, .text(ref)) }
        }
        switch Span.Kind(rawValue: batch.kinds[row]) ?? .unspecified {
        case .unspecified: break
        case .internal: add(.spanKind, .word("internal"))
        case .server: add(.spanKind, .word("server"))
        case .client: add(.spanKind, .word("client"))
        case .producer: add(.spanKind, .word("producer"))
        case .consumer: add(.spanKind, .word("consumer"))
        }
        switch Span.Status.Code(rawValue: batch.statusCodes[row]) ?? .unset {
        case .unset: break
        case .ok: add(.statusCode, .word("OK"))
        case .error:
            add(.error, .yes)
            add(.statusCode, .word("ERROR"))
        }
        addText(.statusDescription, SpanBatch.value(batch.statusMessageRefs, row, default: 0))
        addText(.traceState, SpanBatch.value(batch.traceStateRefs, row, default: 0))
        let scope = Int(batch.scopeRows[row])
        addText(.scopeName, batch.scopes.nameRefs[scope])
        addText(.scopeVersion, batch.scopes.versionRefs[scope])
        return tags
    }

    /// Whether a stored value is the derived one.
    private func says(_ stored: SpanBatch.Ref, _ derived: JaegerTagNames.Tag.Value) -> Bool {
        switch (batch.dictionary.value(stored), derived) {
        case (.string(let text), .word(let word)): text == "\(word)"
        case (.string(let text), .text(let ref)): text == batch.dictionary.string(ref)
        case (.bool(let bool), .yes): bool
        default: false
        }
    }

    private func writeLog(_ event: Int, to json: inout JSONWriter) {
        let table = batch.events.attributes
        let pairs = table.range(of: event)
        let hasOwn = pairs.contains { table.keyRefs[$0] == names.ref(of: .event) }
        json.object { json in
            json.member("timestamp", batch.events.timeUnixNanos[event] / 1000)
            json.array("fields") { json in
                let name = batch.events.nameRefs[event]
                if name != 0, !hasOwn { writeTag(names.tag(.event, .text(name)), to: &json) }
                writeTags(pairs.map { names.tag(table.keyRefs[$0], table.valueRefs[$0]) }, to: &json)
            }
        }
    }

    private func writeProcess(_ row: Int, to json: inout JSONWriter) {
        let table = batch.resources.attributes
        let service = batch.resources.serviceNameRefs[row]
        json.object { json in
            json.key("serviceName")
            if service == 0 { json.string(JaegerAPI.namelessService) } else { writeText(service, to: &json) }
            json.array("tags") { json in
                let pairs = table.range(of: row).filter { service == 0 || table.keyRefs[$0] != names.serviceName }
                writeTags(pairs.map { names.tag(table.keyRefs[$0], table.valueRefs[$0]) }, to: &json)
            }
        }
    }

    private func writeTags(_ tags: [JaegerTagNames.Tag], to json: inout JSONWriter) {
        var tags = tags
        if !isRaw { JaegerTagNames.sort(&tags) }
        for tag in tags { writeTag(tag, to: &json) }
    }

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
        if let text = text(of: encoded) {
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

    /// The UTF-8 of a value that is a string, which most are: copied as it is, without becoming a `String`.
    private static func text(of encoded: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard EncodedValue.kind(of: encoded) == .string else { return nil }
        var reader = ByteReader(encoded)
        do throws(ByteError) {
            try reader.skip(1)
            return try reader.readLengthPrefixed()
        } catch {
            return nil
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
