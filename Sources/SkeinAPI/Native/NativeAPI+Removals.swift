// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// Forgetting spans before their time, the record of it, and what services take.
extension NativeAPI {
    /// Deletes or redacts what matches, and answers when it is gone; or only says what would be.
    ///
    /// The body is an object in JSON, and must say so: a form on some other page cannot send that without asking.
    static func remove(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let type = call.request.header("Content-Type") ?? ""
        guard type.split(separator: ";").first.map({ $0.lowercased() == "application/json" }) ?? false else {
            throw APIError(
                415,
                "unsupported-media-type",
                "Content-Type is \(APICall.shown(type)): a removal is asked for as application/json."
            )
        }
        let asked = try RemovalRequest(call.request.body)
        let removal = Removal(
            asked.action,
            range: try asked.range(),
            predicate: try plan(asked.query),
            queryText: asked.query,
            requestedBy: asked.requestedBy
        )
        // Asked before: afterwards no span may be left that carries a name.
        let hints = try await api.ask(call) { store throws(StoreError) in
            try await NameHints(store).hints(for: removal)
        }
        var preview = Removal.Preview()
        if asked.isDryRun {
            preview = try await api.ask(call) { store throws(StoreError) in try await store.preview(removal) }
            try await addLogRecords(ofTracesNamedBy: removal, to: &preview, api, call)
        } else {
            preview.outcome = try await api.ask(call) { store throws(StoreError) in try await store.remove(removal) }
        }
        return .json { json in
            json.object { json in
                json.member("action", asked.action == .delete ? "delete" : "redact")
                json.member("dryRun", asked.isDryRun)
                json.member("traces", preview.outcome.traceCount)
                json.member("spans", preview.outcome.spanCount)
                json.member("logRecords", preview.outcome.logRecordCount)
                json.array("sampleTraceIds") { json in
                    for id in preview.sampleTraceIDs { json.id(id) }
                }
                write(hints, to: &json)
            }
        }
    }

    /// Counts the log records of traces that the condition names by their ids: others are known only once spans were found.
    private static func addLogRecords(
        ofTracesNamedBy removal: Removal,
        to preview: inout Removal.Preview,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) {
        guard let logs = api.logRecords else { return }
        for id in removal.predicate.namedTraceIDs.sorted() {
            let (count, hasSpans) = try await api.ask(call) { store throws(StoreError) in
                let list = try await logs.logRecords(ofTrace: id, span: nil, limit: LogRecordList.countMax)
                let times = list.batch.rows.startUnixNanos
                return (
                    times.contains { removal.range.contains($0) } ? times.count : 0,
                    try await store.traceReader(id) != nil
                )
            }
            guard count > 0 else { continue }
            preview.outcome.logRecordCount += count
            guard !hasSpans else { continue }
            preview.outcome.traceCount += 1
            if preview.sampleTraceIDs.count < Removal.Preview.sampleCountMax { preview.sampleTraceIDs.append(id) }
        }
    }

    /// Every removal that was ever asked for, newest first.
    static func removals(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (limit, cursor) = (try call.limit(atMost: 1000), try call.listCursor())
        let records = try await api.ask(call) { store throws(StoreError) in try await store.removalRecords() }
        let page = ListPage(of: records.reversed(), limit: limit, after: cursor, question: call.listQuestion) {
            ListCursor.Place(rank: .max - UInt64($0.number), "")
        }
        return list("removals", page) { record, json in
            json.member("number", record.number)
            json.member("action", record.action == .delete ? "delete" : "redact")
            if case .redact(let keys) = record.action {
                json.array("keys") { json in for key in keys { json.string(key) } }
            }
            json.member("q", record.queryText)
            json.member("by", record.requestedBy)
            if record.range.start > 0 { json.member("startUnixNano", decimal: record.range.start) }
            if record.range.end < .max { json.member("endUnixNano", decimal: record.range.end) }
            json.member("requestedUnixNano", decimal: record.requestedUnixNanos)
            if let finished = record.finishedUnixNanos { json.member("finishedUnixNano", decimal: finished) }
            json.member("traces", record.outcome.traceCount)
            json.member("spans", record.outcome.spanCount)
            if !record.failure.isEmpty { json.member("failure", record.failure) }
        }
    }

    /// What each service takes, most bytes first.
    static func usage(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (limit, cursor) = (try call.limit(atMost: 1000, usual: 1000), try call.listCursor())
        var usage = try await api.ask(call) { store throws(StoreError) in try await store.usage() }
        let wanted = call.request.queryValues("service")
        if !wanted.isEmpty { usage = usage.filter { used in wanted.contains { used.name?.isExactly($0) ?? false } } }
        let page = ListPage(of: usage, limit: limit, after: cursor, question: call.listQuestion) {
            ListCursor.Place(rank: .max - UInt64(clamping: $0.byteCount), $0.name ?? "")
        }
        return list("services", page) { service, json in
            json.member("name", service.name)
            json.member("spans", service.spanCount)
            json.member("bytes", service.byteCount)
        }
    }
}
