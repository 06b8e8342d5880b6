// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// One trace.
extension TempoAPI {
    /// `{"batches":[…]}`, or `tempopb.Trace`.
    static func trace(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        guard let reader = try await reader(api, call) else { return notFound }
        switch MessageForm(call) {
        case .json: return try await json(reader, at: ["batches"], api, call)
        case .protobuf: return try await protobuf(reader, within: nil, api, call)
        }
    }

    /// `{"trace":{"resourceSpans":[…]},"metrics":{}}`, or `tempopb.TraceByIDResponse`; both always have a trace.
    static func traceByID(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        guard let reader = try await reader(api, call) else { return notFound }
        switch MessageForm(call) {
        case .json:
            return try await json(reader, at: ["trace", "resourceSpans"], api, call) { $0.object("metrics") { _ in } }
        case .protobuf: return try await protobuf(reader, within: 1, api, call)
        }
    }

    private static var notFound: APIResponse { APIResponse(status: 404) }

    /// The reader of the trace that the path names; `nil` when no span of it is stored.
    private static func reader(_ api: API, _ call: APICall) async throws(APIError) -> (any TraceReader)? {
        let id = try call.tempoTraceID()
        // Hints that spare Tempo's stores a search over all time; ours needs none, and a wrong one hides nothing.
        _ = try call.secondsRange()
        let mode = call.request.query("mode") ?? ""
        guard ["", "all", "ingesters", "blocks", "external"].contains(mode) else {
            throw .invalid("mode", "invalid value for mode \(APICall.shown(mode))")
        }
        guard let reader = try await api.reader(of: id, call) else { return nil }
        try api.checkWhole(reader, id)
        return reader
    }

    /// The trace as JSON, its resources at `path`; `rest` writes what stands beside.
    private static func json(
        _ reader: any TraceReader,
        at path: [StaticString],
        _ api: API,
        _ call: APICall,
        _ rest: (inout JSONWriter) -> Void = { _ in }
    ) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(try call.tempoTraceID()))
        let capacity = min(reader.storedSpanCount * 768, room.textByteCountMax)
        var document = OTLP.JSONDocument(capacity: capacity, form: .proto3, at: path)
        try await api.forEachWindow(of: reader, columns: .all, call) { page throws(APIError) in
            try document.append(page.spans) { count throws(APIError) in try room.hold(count) }
        }
        var response = APIResponse.json(document.finish(rest))
        response.memory = room.memory
        return response
    }

    /// The trace as a message `Trace`, or one that has it as field `number`.
    private static func protobuf(
        _ reader: any TraceReader,
        within number: UInt64?,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(try call.tempoTraceID()))
        var out = ByteWriter(capacity: min(reader.storedSpanCount * 384, room.textByteCountMax))
        let start = number.map { out.openMessage($0) }
        try await api.forEachWindow(of: reader, columns: .all, call) { page throws(APIError) in
            OTLP.ProtobufEncoder.append(page.spans, to: &out)
            try room.hold(out.count)
        }
        if let start { out.closeMessage(from: start) }
        var response = APIResponse(
            status: 200,
            headers: [("Content-Type", MessageForm.protobuf.contentType)],
            body: .written(APIResponse.WrittenText(out))
        )
        response.memory = room.memory
        return response
    }
}
