// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// Traces as OTLP JSON in the envelope `{"result":{"resourceSpans":[…]}}`.
extension JaegerV3API {
    private static let path: [StaticString] = ["result", "resourceSpans"]
    /// The text of a trace of thirty spans.
    private static let commonTraceBytes = 24 << 10

    static func trace(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let id = try call.v3TraceID()
        // Hints that spare Jaeger's stores a search over all time; ours needs none, and a wrong one hides nothing.
        _ = try call.v3Time("startTime", "start_time")
        _ = try call.v3Time("endTime", "end_time")
        let isRaw = try call.v3Bool("rawTraces", "raw_traces")
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(id))
        guard let batch = try await api.trace(id, call, room: &room), !batch.isEmpty else { throw JaegerAPI.notFound() }
        var document = OTLP.JSONDocument(capacity: min(batch.count * 768, room.textByteCountMax), at: path)
        try document.append(isRaw ? batch : batch.adjustedAsJaegerDoes()) { count throws(APIError) in
            try room.hold(count)
        }
        var response = APIResponse.json(document.finish())
        response.memory = room.memory
        return response
    }

    /// The traces found, newest first, all in one document. None is 404 here, where version 1 answers an empty list.
    static func traces(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let query = try call.v3Query()
        let ids = try await api.traceIDs(query, call)
        var room = AnswerRoom(api.answers)
        try await room.hold(about: ids.count * commonTraceBytes, api.clock)
        var document = OTLP.JSONDocument(capacity: min(ids.count * commonTraceBytes, room.textByteCountMax), at: path)
        var shownCount = 0
        var tooLarge: APIError?
        for id in ids {
            let found: SpanBatch?
            do throws(APIError) {
                found = try await api.trace(id, call, room: &room)
            } catch {
                // One trace that is too large for an answer does not hide the others.
                guard error.traceID != nil else { throw error }
                tooLarge = error
                continue
            }
            // A trace that the search found may be gone by now.
            guard let batch = found, !batch.isEmpty else { continue }
            try document.append(query.isRaw ? batch : batch.adjustedAsJaegerDoes()) { count throws(APIError) in
                guard room.couldHold(count) else {
                    throw APIError(
                        422,
                        "limit-exceeded",
                        "the first \(shownCount + 1) of \(ids.count) traces take more than the \(room.limit) bytes of memory "
                            + "that an answer may; lower query.searchDepth to \(max(1, shownCount))"
                    )
                }
                try room.hold(count)
            }
            shownCount += 1
        }
        guard shownCount > 0 else { throw tooLarge ?? APIError(404, "unknown-trace", "No traces found") }
        var response = APIResponse.json(document.finish())
        response.memory = room.memory
        return response
    }
}

extension APICall {
    /// The trace that the path names: 1 to 32 hexadecimal digits, or base64 of 8 or 16 bytes.
    fileprivate func v3TraceID() throws(APIError) -> TraceID {
        let text = pathValues[0]
        if let id = TraceID(hex: text) ?? TraceID(base64: text), id.isValid { return id }
        throw Self.malformed("trace_id", "\(Self.shown(text)) is no trace id, expected 16 or 32 hexadecimal digits")
    }
}
