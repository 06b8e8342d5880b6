// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

extension NativeAPI {
    /// Most ids of traces that an answer to an import names.
    private static let importedTraceCountMax = 100
    /// Bytes of a body that are read at a time.
    private static let importPartBytes = 256 << 10

    /// Stores the spans of a file: OTLP, Jaeger, Zipkin or plain JSON, a document or JSON lines. What cannot be read of it
    /// is left out and told; what was sent before is not stored twice.
    ///
    /// The body must say that it is JSON: a form on some other page cannot send that without asking.
    static func importSpans(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        guard let intake = api.importing else {
            throw APIError(503, "unavailable", "This server takes no spans.")
        }
        try checkImportType(call)
        let format = try importFormat(call)
        let service = call.request.query("service") ?? ""
        let body = call.request.body
        intake.begin(byteCount: body.count)
        var reader = TraceFileReader(format: format, objectBytesMax: max(1, body.count), limits: intake.limits)
        var progress = ImportIntake.Progress()
        var traces = ImportedTraces(countMax: importedTraceCountMax)
        var at = 0
        while true {
            while let batch = reader.nextBatch(receivedUnixNanos: api.clock.unixNanos) {
                let batch = service.isEmpty ? batch : batch.givingService(service)
                try await intake.store(batch, &progress)
                traces.note(batch)
            }
            guard at < body.count else { break }
            let end = min(at + importPartBytes, body.count)
            body.withUnsafeBufferPointer {
                reader.append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: $0[at..<end])))
            }
            at = end
            if at == body.count { reader.finish() }
        }
        let report = reader.report
        intake.end(report)
        return .json { json in
            json.object { json in
                json.member(
                    "format",
                    report.spanCounts.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key.rawValue
                )
                json.member("acceptedSpanCount", report.spanCount - progress.overflowCount)
                json.array("skipped") { json in
                    for skip in report.skips { json.object { json in write(skip, to: &json) } }
                    if progress.overflowCount > 0 {
                        json.object { json in
                            json.member("reason", "trace_full")
                            json.member("count", progress.overflowCount)
                            json.member("example", intake.overflowMessage(progress))
                        }
                    }
                }
                json.member("droppedItemCount", report.dropped.count)
                json.array("traceIds") { json in
                    for id in traces.ids { json.id(id) }
                }
            }
        }
    }

    private static func write(_ skip: TraceFileReport.Skip, to json: inout JSONWriter) {
        json.member("reason", skip.reason.label)
        json.member("count", skip.count)
        json.member("line", skip.place.line)
        if let item = skip.place.item { json.member("item", item) }
        json.member("example", skip.message)
    }

    private static func checkImportType(_ call: APICall) throws(APIError) {
        let type = call.request.header("Content-Type") ?? ""
        let name = type.split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() } ?? ""
        guard ["application/json", "application/x-ndjson", "application/jsonl"].contains(name) else {
            throw APIError(
                415,
                "unsupported-media-type",
                "Content-Type is \(APICall.shown(type)): spans are imported as application/json, or application/x-ndjson."
            )
        }
    }

    private static func importFormat(_ call: APICall) throws(APIError) -> TraceFileFormat? {
        guard let name = call.request.query("format"), !name.isEmpty, name != "auto" else { return nil }
        guard let format = TraceFileFormat(rawValue: name) else {
            let names = TraceFileFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid("format", "format is \(APICall.shown(name)): it takes auto, \(names).")
        }
        return format
    }

    /// The first traces of an import, in the order in which they came.
    private struct ImportedTraces {
        let countMax: Int
        private(set) var ids: [TraceID] = []
        private var known: Set<TraceID> = []

        init(countMax: Int) { self.countMax = countMax }

        mutating func note(_ batch: SpanBatch) {
            for id in batch.traceIDs where ids.count < countMax && known.insert(id).inserted { ids.append(id) }
        }
    }
}
