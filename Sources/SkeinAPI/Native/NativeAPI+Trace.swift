// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// One trace: whole, as a skeleton, span by span.
extension NativeAPI {
    /// Nothing has come for so long that a trace counts as complete.
    static let quietNanos: UInt64 = 10_000_000_000

    /// The whole trace as OTLP JSON.
    static func trace(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let batch = try await stored(api, call)
        var room = AnswerRoom(api.answers)
        let response = try APIResponse.json(capacity: min(batch.count * 768, room.limit)) { json throws(APIError) in
            try OTLP.JSONEncoder(batch).write(to: &json) { count throws(APIError) in try room.hold(count) }
        }
        return isQuiet(batch, at: api.clock.unixNanos) ? tagged(response, call) : response
    }

    /// What a page needs to draw a trace, in columns; the details of a span it asks for with ``spans(_:_:)``.
    static func skeleton(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let batch = try await stored(api, call)
        let tree = TraceTree(batch)
        let ordinals = try await api.ask(call) { store throws(StoreError) in
            try await store.ordinals(ofServices: tree.services.map(\.name))
        }
        let isQuiet = isQuiet(batch, at: api.clock.unixNanos)
        var skeleton = TraceSkeleton(tree, of: batch, ordinals: ordinals)
        if !isQuiet { skeleton.warnings.append(.stillArriving) }
        // Rows of a common trace take about 45 bytes.
        let response = APIResponse.json(capacity: 4096 + batch.count * 56) { json in skeleton.write(to: &json) }
        return isQuiet ? tagged(response, call) : response
    }

    /// Some spans with all they have.
    static func spans(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let ids = try spanIDs(call)
        let batch = try await stored(api, call)
        let selection = SpanSelection(of: ids, in: batch)
        return .json(capacity: 1024 + ids.count * 1024) { json in selection.write(to: &json) }
    }

    // MARK: Pieces

    /// The ids asked for, each once, in the order they came.
    private static func spanIDs(_ call: APICall) throws(APIError) -> [SpanID] {
        let most = 200
        let texts = (call.request.query("ids") ?? "").split(separator: ",", omittingEmptySubsequences: false)
        guard texts.count <= most else {
            throw .invalid("ids", "\(texts.count) ids were given, at most \(most) are answered at once.")
        }
        var ids: [SpanID] = []
        for text in texts {
            guard let id = SpanID(hex: text), id.isValid else {
                throw .invalid(
                    "ids",
                    "\(APICall.shown(String(text))) is no span id: expected 1 to 16 hexadecimal digits, joined by commas."
                )
            }
            if !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    private static func stored(_ api: API, _ call: APICall) async throws(APIError) -> SpanBatch {
        let id = try call.traceID()
        let batch = try await api.ask(call) { store throws(StoreError) in try await store.trace(id) }
        guard let batch, !batch.isEmpty else {
            throw APIError(404, "unknown-trace", "No span of trace \(id) is stored.")
        }
        return batch
    }

    /// Whether no span came for a while. A clock that was set back says no.
    private static func isQuiet(_ batch: SpanBatch, at now: UInt64) -> Bool {
        let (age, isFuture) = now.subtractingReportingOverflow(batch.receivedUnixNanos)
        return !isFuture && age >= quietNanos
    }

    /// The answer with its entity tag, or 304 when the client has it already (RFC 9110 §13.1.2). The tag is weak, since
    /// the bytes change when the server compresses them.
    private static func tagged(_ response: APIResponse, _ call: APICall) -> APIResponse {
        let hash = response.bytes.withUnsafeBytes { Hash.of($0) }
        let tag = "W/\"\(Hex.string(hash))\""
        let headers = [(name: "ETag", value: tag), (name: "Cache-Control", value: "no-cache")]
        let isKnown =
            call.request.header("If-None-Match").map { sent in
                sent.split(separator: ",").contains { candidate in
                    let candidate = candidate.drop { $0 == " " }.prefix { $0 != " " }
                    return candidate == "*" || candidate == tag || "W/\(candidate)" == tag
                }
            } ?? false
        if isKnown { return APIResponse(status: 304, headers: headers) }
        var response = response
        response.headers += headers
        return response
    }
}
