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
        return try await answer(TraceDocument(call, at: ["batches"], room(api, call)), reader, api, call)
    }

    /// `{"trace":{"resourceSpans":[…]},"metrics":{}}`, or `tempopb.TraceByIDResponse`; both always have a trace.
    static func traceByID(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let filter = try TempoTraceFilter(call)
        guard let reader = try await reader(api, call) else { return notFound }
        let document = TraceDocument(call, at: ["trace", "resourceSpans"], try room(api, call))
        guard let filter else { return try await answer(document, reader, api, call) }
        return try await answer(document, filter, api, call)
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

    private static func room(_ api: API, _ call: APICall) throws(APIError) -> AnswerRoom {
        AnswerRoom(api.answers, remedy: API.pagesOf(try call.tempoTraceID()))
    }

    /// The whole trace, read in windows.
    private static func answer(
        _ document: consuming TraceDocument,
        _ reader: any TraceReader,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> APIResponse {
        var document = document
        try await api.forEachWindow(of: reader, columns: .all, call) { page throws(APIError) in
            try document.append(page.spans)
        }
        return document.finish()
    }

    /// Some spans of the trace, for which the whole of it is put together.
    private static func answer(
        _ document: consuming TraceDocument,
        _ filter: TempoTraceFilter,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> APIResponse {
        var document = document
        guard let trace = try await api.trace(try call.tempoTraceID(), call, room: &document.room) else {
            return notFound
        }
        try document.room.hold(source: 2 * trace.byteCount)
        let spans = try await api.ask(call) { _ throws(StoreError) in try filter.spans(of: trace) }
        try document.append(spans)
        return document.finish()
    }
}

/// The text of a trace, which is written piece by piece.
private struct TraceDocument: ~Copyable {
    var room: AnswerRoom
    private let form: MessageForm
    private var json: OTLP.JSONDocument
    private var protobuf = ByteWriter()
    private let isWrapped: Bool
    private let start: Int

    /// A document in the form that the client takes; in JSON the resources are at `path`.
    init(_ call: APICall, at path: [StaticString], _ room: AnswerRoom) {
        self.room = room
        form = MessageForm(call)
        json = OTLP.JSONDocument(capacity: 4096, form: .proto3, at: path)
        isWrapped = path.count > 1
        start = isWrapped ? protobuf.openMessage(1) : 0
    }

    mutating func append(_ spans: SpanBatch) throws(APIError) {
        switch form {
        case .json:
            var room = room
            try json.append(spans) { count throws(APIError) in try room.hold(count) }
            self.room = room
        case .protobuf:
            OTLP.ProtobufEncoder.append(spans, to: &protobuf)
            try room.hold(protobuf.count)
        }
    }

    consuming func finish() -> APIResponse {
        var response: APIResponse
        switch form {
        case .json:
            let isWrapped = isWrapped
            response = .json(json.finish { if isWrapped { $0.object("metrics") { _ in } } })
        case .protobuf:
            if isWrapped { protobuf.closeMessage(from: start) }
            response = APIResponse(
                status: 200,
                headers: [("Content-Type", form.contentType)],
                body: .written(APIResponse.WrittenText(protobuf))
            )
        }
        response.memory = room.memory
        return response
    }
}
