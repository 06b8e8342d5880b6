// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Jaeger {
    /// Turns the JSON of Jaeger's query API and page into columns, in the terms that Jaeger's other encodings are told in.
    ///
    /// A text holds a trace, a list of traces, or the object around such a list; a lone span stands for a trace of one:
    ///
    ///     {"data": [trace…]}
    ///     trace     {"traceID", "spans": [span…], "processes": {name: process}}
    ///     span      {"traceID", "spanID", "parentSpanID", "operationName", "references": [{"refType", "traceID", "spanID"}],
    ///                "flags", "startTime", "duration", "tags": [tag…], "logs": [{"timestamp", "fields": [tag…]}],
    ///                "processID" or "process": process}
    ///     process   {"serviceName", "tags": [tag…]}
    ///
    /// Ids are 1 to 32 and 1 to 16 hexadecimal digits, since leading zeros may be left out. Times are in microseconds.
    /// Members in any order, unknown ones ignored, `null` as absent. Keep a decoder and reuse it. It is not shared between
    /// tasks.
    package struct JSONDecoder: ~Copyable {
        private var spans: JaegerTranslator
        private var texts = KeptTexts()

        /// A decoder; it holds memory only while and after it works.
        package init(limits: DecodingLimits = DecodingLimits()) { spans = JaegerTranslator(limits) }

        /// The spans of one text. Bad spans are left out and counted; what is not JSON of this shape throws, and nothing of
        /// it is kept.
        package mutating func decode(
            _ text: UnsafeRawBufferPointer,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            spans.begin()
            defer { texts.removeAll() }
            do throws(WireError) {
                var json = JSONReader(text)
                if try json.peek() == .array {
                    try readTraces(&json, text)
                } else {
                    try readObject(&json, text)
                }
                try json.finish()
            } catch {
                spans.begin()
                throw error
            }
            return spans.finish(receivedUnixNanos: receivedUnixNanos)
        }

        private mutating func readTraces(
            _ json: inout JSONReader,
            _ text: UnsafeRawBufferPointer
        ) throws(WireError) {
            try json.openArray()
            while try json.nextElement() { try readObject(&json, text) }
        }

        /// Reads a trace, an object around traces, or a lone span. What spans share usually stands behind them: they are
        /// passed over and come back to.
        private mutating func readObject(
            _ json: inout JSONReader,
            _ text: UnsafeRawBufferPointer
        ) throws(WireError) {
            var processes: [String: UInt32] = [:]
            var spanList: Int?
            var isSpan = false
            let start = json.offset
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "data":
                    try readTraces(&json, text)
                case "spans":
                    spanList = json.offset
                    try json.skipValue()
                case "processes": try readProcesses(&json, into: &processes)
                case "spanID":
                    isSpan = true
                    try json.skipValue()
                default: try json.skipValue()
                }
            }
            if let spanList {
                var list = JSONReader(text, from: spanList)
                try list.openArray()
                while try list.nextElement() { try readSpan(&list, processes) }
            } else if isSpan {
                var span = JSONReader(text, from: start)
                try readSpan(&span, processes)
            }
        }

        private mutating func readProcesses(
            _ json: inout JSONReader,
            into processes: inout [String: UInt32]
        ) throws(WireError) {
            try json.openObject()
            while let key = try json.nextMember() {
                let name = key.text
                processes[name] = try readProcess(&json)
            }
        }

        private mutating func readProcess(_ json: inout JSONReader) throws(WireError) -> UInt32 {
            var service = UnsafeRawBufferPointer(start: nil, count: 0)
            var tags = spans.tags()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "serviceName": service = texts.keep(try json.readString(), of: json)
                case "tags": try readTags(&json, &tags)
                default: try json.skipValue()
                }
            }
            return try spans.addProcess(service: service, tags, at: json.offset)
        }

        private mutating func readSpan(
            _ json: inout JSONReader,
            _ processes: [String: UInt32]
        ) throws(WireError) {
            var raw = spans.span()
            var ids = ShortIDs()
            var process: UInt32?
            var start: Int64 = 0
            var duration: Int64 = 0
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "traceID": raw.fields.traceID = ids.traceID(try json.readString())
                case "spanID": raw.fields.spanID = ids.spanID(try json.readString())
                case "parentSpanID": raw.parent = ids.parentSpanID(try json.readString())
                case "operationName": raw.fields.name = spans.intern(text: try json.readString())
                case "references":
                    try json.openArray()
                    while try json.nextElement() { try readReference(&json, &raw) }
                // Bit 0 says "sampled" in Jaeger as in W3C; debug (bit 1) has no place there.
                case "flags": raw.fields.flags = UInt32(truncatingIfNeeded: try json.readNumber().rounded) & 1
                case "startTime": start = try json.readNumber().rounded
                case "duration": duration = try json.readNumber().rounded
                case "tags": try readTags(&json, &raw.tags)
                case "logs":
                    try json.openArray()
                    while try json.nextElement() { try readLog(&json, &raw) }
                case "processID":
                    let name = UTF8Text.repaired(try json.readString())
                    process = process ?? processes[name]
                case "process": process = try readProcess(&json)
                default: try json.skipValue()
                }
            }
            if let fault = ids.fault { return spans.reject(fault, ids.message(fault)) }
            if process == nil { process = try namelessProcess(at: json.offset) }
            raw.fields.resource = process ?? 0
            raw.fields.startUnixNanos = UnixTime.nanos(ofMicros: start)
            let (end, overflow) = start.addingReportingOverflow(duration)
            raw.fields.endUnixNanos = UnixTime.nanos(ofMicros: overflow ? (duration < 0 ? .min : .max) : end)
            try spans.add(consume raw, hasOpenTelemetryTags: true, at: json.offset)
        }

        /// The resource of spans that name no process which is there.
        private mutating func namelessProcess(at offset: Int) throws(WireError) -> UInt32 {
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            return try spans.addProcess(service: none, spans.tags(), at: offset)
        }

        private func readReference(
            _ json: inout JSONReader,
            _ raw: inout JaegerTranslator.Raw
        ) throws(WireError) {
            var reference = JaegerTranslator.Reference()
            var ids = ShortIDs()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "refType": reference.isChildOf = "CHILD_OF" ~= JSONKey(bytes: try json.readString())
                case "traceID": reference.traceID = ids.traceID(try json.readString())
                case "spanID": reference.spanID = ids.spanID(try json.readString())
                default: try json.skipValue()
                }
            }
            if ids.fault == nil { raw.append(reference) } else { raw.dropReference() }
        }

        private mutating func readLog(
            _ json: inout JSONReader,
            _ raw: inout JaegerTranslator.Raw
        ) throws(WireError) {
            var time: Int64 = 0
            var fields = spans.tags()
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "timestamp": time = try json.readNumber().rounded
                case "fields": try readTags(&json, &fields)
                default: try json.skipValue()
                }
            }
            try spans.addLog(timeUnixNanos: UnixTime.nanos(ofMicros: time), consume fields, of: &raw, at: json.offset)
        }

        private mutating func readTags(
            _ json: inout JSONReader,
            _ tags: inout JaegerTranslator.Tags
        ) throws(WireError) {
            try json.openArray()
            while try json.nextElement() { tags.append(try JaegerTag(&json, &texts)) }
        }
    }
}
