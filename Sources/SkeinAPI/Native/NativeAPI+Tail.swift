// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTraceQL
import SkeinWire

/// Traces as they come: Server-Sent Events (WHATWG HTML §9.2).
extension NativeAPI {
    /// How long spans of a trace are awaited before it is looked at, and looked at again.
    private static let pauseNanos: UInt64 = 500_000_000
    /// Pauses between two signs of life when nothing comes.
    private static let silentPausesMax = 30
    /// Traces looked at after a pause; more are dropped, and the stream says how many.
    private static let traceCountMax = 200

    /// Every trace that satisfies `q` from now on, and again when it grows.
    static func tail(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let query = try selection(call.request.query("q") ?? "")
        let spanCountMax = try call.number("spans", 0...100, usual: 0)
        let probe = TraceProbe(query, spanCountMax: spanCountMax)
        let stream = APIStream(.tail) { code, detail in
            event("end") { json in
                json.member("code", code)
                json.member("detail", detail)
            }
        } _: { write in
            let watcher = api.live.watch(for: probe.predicate)
            defer { watcher.stop() }
            // Who listens learns that from now on nothing is missed.
            try await write(event("start") { _ in })
            var silentPauses = 0
            while true {
                try await api.clock.sleep(nanos: pauseNanos)
                var (ids, droppedCount) = watcher.take()
                if ids.count > traceCountMax {
                    droppedCount += ids.count - traceCountMax
                    ids.removeFirst(ids.count - traceCountMax)
                }
                silentPauses += 1
                for id in ids {
                    guard let batch = try await whole(id, in: api), let found = try probe.match(batch) else { continue }
                    silentPauses = 0
                    let text = event("trace") { json in
                        NativeAPI.write(found.summary, to: &json)
                        if spanCountMax > 0 { NativeAPI.write(found.match, to: &json) }
                    }
                    try await write(text)
                }
                if droppedCount > 0 {
                    try await write(event("dropped") { json in json.member("traces", droppedCount) })
                } else if silentPauses >= silentPausesMax {
                    silentPauses = 0
                    try await write(Array(":\n\n".utf8))
                }
            }
        }
        return APIResponse(
            status: 200,
            headers: [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")],
            body: .stream(stream)
        )
    }

    /// A trace that is not too large to be put together; a store that has no room for it now leaves it out.
    static func whole(_ id: TraceID, in api: API) async throws -> SpanBatch? {
        do throws(StoreError) {
            guard let reader = try await api.store.traceReader(id), reader.storedSpanCount <= api.traceSpanCountMax
            else {
                return nil
            }
            return try await api.store.trace(id)
        } catch {
            if error.code == .cancelled { throw error }
            return nil
        }
    }

    private static func event(_ name: StaticString, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in members(&json) }
        return Array("event: \(name)\ndata: \(json.text)\n\n".utf8)
    }
}
