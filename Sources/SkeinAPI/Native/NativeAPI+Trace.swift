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
        let id = try call.traceID()
        let reader = try await reader(of: id, api, call)
        try api.checkWhole(reader, id)
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(id))
        var document = OTLP.JSONDocument(capacity: min(reader.storedSpanCount * 768, room.textByteCountMax))
        try await api.forEachWindow(of: reader, columns: .all, call) { page throws(APIError) in
            try document.append(page.spans) { count throws(APIError) in try room.hold(count) }
        }
        let isPinned = api.pins.isPinned(id)
        let response = APIResponse.json(
            document.finish { json in
                if isPinned { json.member("pinned", true) }
                if !reader.openIDs.isEmpty { json.member("open", true) }
            }
        )
        return settled(response, reader, room, api, call)
    }

    /// What a page needs to draw a trace, in columns; the details of a span it asks for with ``spans(_:_:)``.
    static func skeleton(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let id = try call.traceID()
        let reader = try await reader(of: id, api, call)
        var room = AnswerRoom(api.answers)
        try hold(&room, forSkeletonOf: reader, id)
        let gathered = try await rows(of: reader, api, call)
        let tree = TraceTree(gathered.batch)
        let ordinals = try await api.ask(call) { store throws(StoreError) in
            try await store.ordinals(ofServices: tree.services.map(\.name))
        }
        var skeleton = TraceSkeleton(tree, of: gathered, open: reader.openIDs, ordinals: ordinals)
        skeleton.isPinned = api.pins.isPinned(id)
        if reader.openIDs.isEmpty, reader.isOpen || !isQuiet(reader, at: api.clock.unixNanos) {
            skeleton.warnings.append(.stillArriving)
        }
        return settled(APIResponse.json((consume skeleton).json().finish()), reader, room, api, call)
    }

    /// What a skeleton shows of the spans of a trace. Whether agents work in it, the attributes of the first
    /// ``TraceSkeleton/agentRowCountMax`` spans say, and the names of all.
    private static func rows(
        of reader: OpenTraceReader,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> TraceSkeleton.Rows.Gathered {
        let probe = try AgentProbe()
        var rows = TraceSkeleton.Rows(holdsAgents: reader.isOpen)
        var cursor: SpanCursor?
        repeat {
            let isAsked = !rows.holdsAgents && rows.count < TraceSkeleton.agentRowCountMax
            let window = SpanWindow(after: cursor, columns: isAsked ? .attributes : .fixed)
            let page = try await api.ask(call) { _ throws(StoreError) in try await reader.window(window) }
            if !rows.holdsAgents {
                rows.holdsAgents = try await api.ask(call) { _ throws(StoreError) in try probe.holds(of: page.spans) }
            }
            rows.append(page)
            cursor = page.next
        } while cursor != nil
        return rows.finish(receivedUnixNanos: reader.receivedUnixNanos)
    }

    /// Some spans with all they have: those of some ids, or page by page all there are.
    static func spans(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        guard let ids = call.request.query("ids") else { return try await page(api, call) }
        guard call.request.query("limit") == nil, call.request.query("cursor") == nil else {
            throw .invalid("ids", "ids names the spans that are wanted: leave out limit and cursor, or ids.")
        }
        let wanted = try spanIDs(ids)
        let id = try call.traceID()
        let reader = try await reader(of: id, api, call)
        let batch = try await api.ask(call) { _ throws(StoreError) in try await reader.spans(Set(wanted)) }
        let selection = SpanSelection(of: wanted, in: batch, traceID: id)
        return try answer(api, wanted.count) { json, check throws(APIError) in
            try selection.write(to: &json, check: check)
        }
    }

    /// One page of all spans of a trace, in the order of the trace.
    private static func page(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit(atMost: SpanWindow.limitMax, usual: 1000)
        let id = try call.traceID()
        var window = SpanWindow(limit: limit)
        if let sent = call.request.query("cursor"), !sent.isEmpty {
            guard let cursor = SpanCursorText.decode(sent, of: id) else {
                throw APICall.foreignCursor(sent, of: "trace")
            }
            window.cursor = cursor
        }
        let (asked, reader) = (window, try await reader(of: id, api, call))
        let page = try await api.ask(call) { _ throws(StoreError) in try await reader.window(asked) }
        let selection = SpanSelection(of: page, traceID: id)
        return try answer(api, page.spans.count) { json, check throws(APIError) in
            try selection.write(to: &json, check: check)
        }
    }

    // MARK: Pieces

    /// The answer that `write` makes of about `spanCount` spans, as long as it has room.
    private static func answer(
        _ api: API,
        _ spanCount: Int,
        _ write: (inout JSONWriter, (Int) throws(APIError) -> Void) throws(APIError) -> Void
    ) throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: "ask for fewer spans at once")
        let capacity = min(1024 + spanCount * 1024, room.textByteCountMax)
        var response = try APIResponse.json(capacity: capacity) { json throws(APIError) in
            try write(&json) { count throws(APIError) in try room.hold(count) }
        }
        response.memory = room.memory
        return response
    }

    /// Holds room for a skeleton and all that is made on the way.
    static func hold(
        _ room: inout AnswerRoom,
        forSkeletonOf reader: any TraceReader,
        _ id: TraceID
    ) throws(APIError) {
        let count = reader.storedSpanCount
        let most = min(room.limit / TraceSkeleton.makingByteCount, TraceSkeleton.spanCountMax)
        guard count <= most else {
            throw APIError(
                422,
                "limit-exceeded",
                "Trace \(id) has \(count) stored spans, and there is memory for a skeleton of at most \(most): "
                    + "\(API.pagesOf(id)), or raise memory."
            )
        }
        try room.hold(source: count * TraceSkeleton.makingByteCount)
    }

    /// The ids asked for, each once, in the order they came.
    private static func spanIDs(_ list: String) throws(APIError) -> [SpanID] {
        let most = 200
        let texts = list.split(separator: ",", omittingEmptySubsequences: false)
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

    static func reader(
        of id: TraceID,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> OpenTraceReader {
        guard let reader = try await api.openReader(of: id, call) else { throw WorkForest.unknown(id) }
        return reader
    }

    /// Whether no span came for a while. A clock that was set back says no.
    private static func isQuiet(_ reader: any TraceReader, at now: UInt64) -> Bool {
        let (age, isFuture) = now.subtractingReportingOverflow(reader.receivedUnixNanos)
        return !isFuture && age >= quietNanos
    }

    /// The answer as it stands while `room` is held; what will hardly change has its entity tag.
    private static func settled(
        _ response: APIResponse,
        _ reader: OpenTraceReader,
        _ room: AnswerRoom,
        _ api: API,
        _ call: APICall
    ) -> APIResponse {
        var response = response
        response.memory = room.memory
        return !reader.isOpen && isQuiet(reader, at: api.clock.unixNanos) ? tagged(response, call) : response
    }

    /// The answer with its entity tag, or 304 when the client has it already (RFC 9110 §13.1.2). The tag is weak, since
    /// the bytes change when the server compresses them.
    private static func tagged(_ response: APIResponse, _ call: APICall) -> APIResponse {
        var hash: UInt64 = 0
        response.forEachPiece { hash = hash &* 31 &+ Hash.of($0) }
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
