// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// Forgetting spans before their time, the record of it, and what services take.
extension NativeAPI {
    /// Deletes or redacts what matches, and answers when it is gone.
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
        let outcome = try await api.ask(call) { store throws(StoreError) in try await store.remove(removal) }
        return .json { json in
            json.object { json in
                json.member("action", asked.action == .delete ? "delete" : "redact")
                json.member("traces", outcome.traceCount)
                json.member("spans", outcome.spanCount)
            }
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
        let usage = try await api.ask(call) { store throws(StoreError) in try await store.usage() }
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

/// The body of a request to remove something.
private struct RemovalRequest {
    var query = ""
    var requestedBy = ""
    private var actionName = ""
    private var keys: [String]?
    private var start = ""
    private var end = ""

    init(_ body: [UInt8]) throws(APIError) {
        do throws(WireError) {
            self = try body.withUnsafeBufferPointer { bytes throws(WireError) in
                try RemovalRequest(parsing: UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw APIError(400, "invalid-json", "the body is no removal: \(error)")
        }
        guard ["delete", "redact"].contains(actionName) else {
            throw .invalid("action", "\(APICall.shown(actionName)) is no action: expected delete or redact.")
        }
        guard query.utf8.contains(where: { $0 > 0x20 }) else {
            throw .invalid("q", "a removal needs a condition, so that it cannot mean everything by mistake.")
        }
        if actionName == "redact", keys?.isEmpty ?? true {
            throw .invalid("keys", "redact needs the attribute keys whose values are to be masked.")
        }
        if actionName == "delete", keys != nil {
            throw .invalid("keys", "delete takes whole traces: leave keys out, or redact.")
        }
    }

    var action: Removal.Action { actionName == "delete" ? .delete : .redact(keys: keys ?? []) }

    func range() throws(APIError) -> TimeRange {
        let range = TimeRange(
            start: try APICall.time(start, "start") ?? 0,
            end: try APICall.time(end, "end") ?? .max
        )
        guard range.start <= range.end else { throw .invalid("end", "end lies before start.") }
        return range
    }

    private init(parsing bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = JSONReader(bytes)
        try reader.openObject()
        while let key = try reader.nextKey() {
            switch key {
            case "action": actionName = String(decoding: try reader.readString(), as: UTF8.self)
            case "q": query = String(decoding: try reader.readString(), as: UTF8.self)
            case "by": requestedBy = String(decoding: try reader.readString(), as: UTF8.self)
            case "start": start = String(decoding: try reader.readString(), as: UTF8.self)
            case "end": end = String(decoding: try reader.readString(), as: UTF8.self)
            case "keys":
                var names: [String] = []
                try reader.openArray()
                while try reader.nextElement() {
                    names.append(String(decoding: try reader.readString(), as: UTF8.self))
                }
                keys = names
            default: try reader.skipValue()
            }
        }
        try reader.finish()
    }
}
