// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// What is read below `/api/worktrace/v1/`: sessions, their steps, orchestrations and tools.
enum WorkReadingAPI {
    static let routes: [Route] = [
        route("sessions", SessionList.parameters, answer: sessions),
        route("sessions/{id}", [], answer: session),
        route("sessions/{id}/conversation", ["limit", "cursor"], answer: conversation),
        route("orchestrations/{id}", [], answer: orchestration),
        route("orchestrations/{id}/bottlenecks", ["limit"], answer: bottlenecks),
        route("sessions/{a}/compare/{b}", [], answer: comparison),
        route("tools", ToolQuestion.parameters, answer: tools),
    ]

    private static func route(_ path: String, _ parameters: [String], answer: @escaping Route.Answer) -> Route {
        Route("GET", "/api/worktrace/v1/\(path)", parameters: parameters, answer)
    }

    /// One page of the sessions that are asked for, newest first.
    static func sessions(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: "ask for fewer sessions, or raise memory")
        let list = try await SessionList(api, call, room: &room)
        var response = try APIResponse.json(capacity: 256 + list.records.count * 1024) { json throws(APIError) in
            try json.object { json throws(APIError) in try list.write(to: &json, room: &room) }
        }
        response.memory = room.memory
        return response
    }

    /// A session with its steps, and the sessions that it started.
    static func session(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: "read the trace page by page, or raise memory")
        let id = call.pathValues[0]
        let forest = try await forest(ofSession: id, api, call, room: &room)
        let orchestration = forest.orchestration(at: api.clock.unixNanos, listMax: .max)
        guard forest.traces.first?.isOfProxyAlone != true,
            let place = orchestration.sessions.firstIndex(where: { $0.sessionID == id })
        else { throw unknownSession(id, api) }
        let detail = SessionDetail(place, of: orchestration, in: forest)
        var response = try APIResponse.json(capacity: 1024 + detail.stepCount * 512) { json throws(APIError) in
            try detail.write(to: &json, room: &room)
        }
        response.memory = room.memory
        return response
    }

    /// The whole forest that a trace or a session belongs to.
    static func orchestration(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: "read the traces one by one, or raise memory")
        let forest = try await forest(call.pathValues[0], api, call, room: &room)
        let orchestration = forest.orchestration(at: api.clock.unixNanos)
        var response = try APIResponse.json(capacity: 4096 + orchestration.sessions.count * 768) {
            json throws(APIError) in
            try orchestration.write(
                to: &json,
                messageCount: messageCount(of: orchestration, api),
                isCut: forest.isCut,
                room: &room
            )
        }
        response.memory = room.memory
        return response
    }

    // MARK: Who is meant

    /// The forest around what `text` names: a trace, or a session.
    static func forest(
        _ text: String,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) -> WorkForest {
        if text.utf8.count == 32, let id = TraceID(hex: text), id.isValid {
            do throws(APIError) {
                return try await WorkForest(around: id, api, call, room: &room)
            } catch  where error.code == "unknown-trace" {
                // A caller's own id may look like a trace's.
                guard let other = try await workTraceID(ofSession: text, api, call) else { throw error }
                return try await WorkForest(around: other, api, call, room: &room)
            }
        }
        return try await forest(ofSession: text, api, call, room: &room)
    }

    /// The forest around the session `id`.
    static func forest(
        ofSession id: String,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) -> WorkForest {
        do throws(APIError) {
            return try await WorkForest(around: traceID(ofSession: id, api, call), api, call, room: &room)
        } catch  where error.code == "unknown-trace" {
            throw unknownSession(id, api)
        }
    }

    /// The trace in which the session `id` is. Throws `unknown-session` when it was never seen.
    static func traceID(ofSession id: String, _ api: API, _ call: APICall) async throws(APIError) -> TraceID {
        if let found = try await workTraceID(ofSession: id, api, call) { return found }
        if let span = SpanSession(id) { return span.traceID }
        throw unknownSession(id, api)
    }

    /// The trace of one of WorkTrace's own sessions.
    private static func workTraceID(ofSession id: String, _ api: API, _ call: APICall) async throws(APIError)
        -> TraceID?
    {
        if let open = api.work?.traceID(ofSession: id) { return open }
        return try await WorkForest.traceIDs(
            "{ span.worktrace.session.id = \(WorkForest.quoted(id)) }",
            limit: 1,
            api,
            call
        ).first
    }

    /// Messages that are sent, received or caused in the sessions, each once.
    private static func messageCount(of orchestration: Orchestration, _ api: API) -> Int {
        guard let messages = api.work?.messages else { return 0 }
        var found: Set<String> = []
        for (traceID, sessions) in Dictionary(grouping: orchestration.sessions, by: \.traceID) {
            found.formUnion(messages.messages(ofTrace: traceID, sessions: sessions.map(\.sessionID)).map(\.entry.id))
        }
        return found.count
    }

    static func unknownSession(_ id: String, _ api: API) -> APIError {
        let isOnlyNamed = api.work?.isOnlyNamed(session: id) ?? false
        return APIError(
            404,
            "unknown-session",
            isOnlyNamed
                ? "Session \(APICall.shown(id)) was named by others, and nothing of it has come: its start makes it known, and so does a step."
                : "No session \(APICall.shown(id)) is known: GET /api/worktrace/v1/sessions lists those that are."
        )
    }
}

extension APICall {
    /// Where a list goes on that `question` tells from others; `nil` at its beginning.
    func listCursor(of question: String) throws(APIError) -> ListCursor? {
        guard let sent = request.query("cursor"), !sent.isEmpty else { return nil }
        guard let cursor = ListCursor(sent, question: question) else { throw Self.foreignCursor(sent, of: "list") }
        return cursor
    }
}
