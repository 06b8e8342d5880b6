// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

extension JaegerAPI {
    static func trace(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let id = try APICall.jaegerTraceID(call.pathValues[0])
        // Hints that spare Jaeger's stores a search over all time; ours needs none, and a wrong one hides nothing.
        _ = try call.microseconds("start")
        _ = try call.microseconds("end")
        let isRaw = try call.goBool("raw")
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(id))
        guard let batch = try await api.trace(id, call, room: &room), !batch.isEmpty else { throw notFound() }
        let capacity = min(batch.count * 1024, room.textByteCountMax)
        var response = try envelope(call, capacity: capacity) { json throws(APIError) in
            try json.array { json throws(APIError) in
                try JaegerTrace(batch, isRaw: isRaw).write(to: &json) { count throws(APIError) in try room.hold(count) }
            }
        }
        response.memory = room.memory
        return response
    }

    /// Says whether the trace is there to be found later. Where Jaeger copies it into a store of longer breath, here every trace
    /// is kept for as long as the rules of retention say, and nothing changes.
    static func archive(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let id = try APICall.jaegerTraceID(call.pathValues[0])
        guard try await api.reader(of: id, call) != nil else { throw notFound() }
        return envelope(call) { json in json.array { _ in } }
    }

    /// The text of a trace of thirty spans.
    private static let commonTraceBytes = 32 << 10

    static func traces(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let search = try JaegerSearch(call, now: api.clock.unixNanos)
        let isRaw = try call.goBool("raw")
        let ids =
            switch search {
            case .traces(let asked): asked
            case .spans(let query): try await api.traceIDs(query, call)
            }
        var missing: [APIError] = []
        var written: [[UInt8]] = []
        var byteCount = 0
        // Jaeger has no bound here and dies of it.
        var room = AnswerRoom(api.answers)
        try await room.hold(about: ids.count * commonTraceBytes, api.clock)
        for id in ids {
            let found: SpanBatch?
            do throws(APIError) {
                found = try await api.trace(id, call, room: &room)
            } catch {
                // One trace that is too large for an answer does not hide the others.
                guard error.traceID != nil else { throw error }
                missing.append(error)
                continue
            }
            guard let batch = found, !batch.isEmpty else {
                // A trace that a search found may be gone by now; one that was asked for is missed.
                if case .traces = search { missing.append(notFound(id)) }
                continue
            }
            var json = JSONWriter(capacity: min(batch.count * 1024, room.textByteCountMax))
            try JaegerTrace(batch, isRaw: isRaw).write(to: &json) { count throws(APIError) in
                guard room.couldHold(byteCount + count) else {
                    throw APIError(
                        422,
                        "limit-exceeded",
                        "the first \(written.count + 1) of \(ids.count) traces take more than the \(room.limit) bytes of "
                            + "memory that an answer may; lower 'limit' to \(max(1, written.count))"
                    )
                }
                try room.hold(byteCount + count)
            }
            byteCount += json.count
            written.append(json.array())
        }
        var response = envelope(call, errors: missing, of: written)
        response.memory = room.memory
        return response
    }

    static func notFound(_ id: TraceID? = nil) -> APIError {
        var error = APIError(404, "unknown-trace", "trace not found")
        error.traceID = id.map(JaegerTrace.text(of:))
        return error
    }
}
