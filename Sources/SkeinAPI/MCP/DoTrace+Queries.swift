// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

/// What an agent reads by `do-trace`.
extension DoTrace {
    /// The answer to an action that reads; its text stays below ``MCPText/byteCountMax`` bytes.
    static func answer(
        query action: Action,
        _ arguments: WorkObject,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        do throws(APIError) {
            return try await answer(action, arguments, api, call)
        } catch {
            // Parameters of other calls are members of `query` here.
            guard let field = error.field, !field.hasPrefix("/") else { throw error }
            var error = error
            error.field = "/query/\(field)"
            throw error
        }
    }

    private static func answer(
        _ action: Action,
        _ arguments: WorkObject,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        var object = arguments
        switch action {
        case .getTrace: return try await trace(&object, api, call)
        case .getSession: return try await session(&object, api, call)
        case .findSessions: return try await sessions(&object, api, call)
        case .toolStats: return try await tools(&object, api, call)
        default: return try await bottlenecks(&object, api, call)
        }
    }

    // MARK: Actions

    private static func session(
        _ object: inout WorkObject,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        guard let id = try object.id("sessionId") else {
            throw object.invalid("sessionId", "sessionId is missing: name the session.")
        }
        var room = AnswerRoom(api.answers)
        let traceID = try await WorkReadingAPI.traceID(ofSession: id, api, call)
        guard let trace = try await WorkForest.read(traceID, api, call, room: &room) else { throw .unknownSession(id) }
        let records = SessionList.records(of: trace, nowUnixNanos: api.clock.unixNanos)
        guard let record = records.first(where: { $0.session.sessionID == id }) else { throw .unknownSession(id) }
        return answer("Session \(id) of \(line(record.session)), \(record.stepCount) steps.") { json in
            record.write(to: &json)
        }
    }

    private static func trace(
        _ object: inout WorkObject,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        let asking = try asking(&object, call, ["traceId"])
        guard let named = asking.request.query("traceId") else {
            throw object.invalid("query", "query.traceId is missing: name the trace.")
        }
        let id = try APICall.traceID(named, "/query/traceId")
        var room = roomOfForest(api)
        let forest = try await WorkForest(around: id, api, call, room: &room)
        let orchestration = forest.orchestration(at: api.clock.unixNanos)
        let nanos = MCPText.duration(orchestration.durationNanos)
        var text = MCPText()
        text.line(
            "Trace \(id): \(nanos), \(orchestration.spanCount) spans, \(orchestration.errorCount) errors, "
                + "\(orchestration.sessionCount) sessions."
        )
        let shown = text.lines(orchestration.sessions.map { "- \($0.sessionID): \(line($0))" })
        if shown < orchestration.sessionCount { text.note("\(orchestration.sessionCount - shown) more sessions.") }
        let url = url(ofTrace: id, call, api)
        return answer(text.finish()) { json in
            json.member("traceId", id)
            json.member("spanCount", orchestration.spanCount)
            json.member("errorCount", orchestration.errorCount)
            json.member("durationNanos", decimal: orchestration.durationNanos)
            json.array("sessions") { json in
                for session in orchestration.sessions {
                    json.object { json in
                        json.member("sessionId", session.sessionID)
                        json.member("agentName", session.agentName)
                        json.member("outcome", session.outcome)
                        json.member("durationNanos", decimal: session.durationNanos)
                    }
                }
            }
            json.member("url", url)
        }
    }

    private static func sessions(
        _ object: inout WorkObject,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        var room = AnswerRoom(api.answers, remedy: "ask for fewer sessions, or raise memory")
        let asking = try asking(&object, call, SessionList.parameters)
        let list = try await SessionList(api, asking, room: &room)
        var text = MCPText()
        text.line(list.records.isEmpty ? "No such session." : "\(list.records.count) sessions, newest first:")
        let shown = text.lines(
            list.records.map { "- \($0.session.sessionID): \(line($0.session)), \($0.stepCount) steps" }
        )
        if shown < list.records.count { text.note("\(list.records.count - shown) more in structuredContent.") }
        if list.next != nil { text.note("There are older ones: repeat the query with cursor as next says.") }
        var json = JSONWriter()
        try json.object { json throws(APIError) in try list.write(to: &json, room: &room) }
        return Answer(text: text.finish(), content: json.array())
    }

    private static func tools(
        _ object: inout WorkObject,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        var room = AnswerRoom(api.answers, remedy: "ask for a shorter time, or raise memory")
        let list = try await ToolList(api, try asking(&object, call, ToolQuestion.parameters), room: &room)
        var text = MCPText()
        text.line(list.rows.isEmpty ? "No such tool call." : "Tool calls, most first:")
        text.table(
            ["tool", "server", "layer", "agent", "calls", "errors", "retries", "p50", "p95", "max"],
            list.rows.map { row in
                let times = [row.durationNanos?.p50, row.durationNanos?.p95, row.durationNanos?.max]
                return [row.toolName, row.server, row.layer?.rawValue, row.agentName].map { MCPText.word($0 ?? "") }
                    + ["\(row.callCount)", "\(row.errorCount)", "\(row.retryCount)"]
                    + times.map { $0.map(MCPText.duration) ?? "" }
            }
        )
        return answer(text.finish()) { json in list.write(to: &json) }
    }

    private static func bottlenecks(
        _ object: inout WorkObject,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        let session = try object.id("sessionId")
        let query = try asking(&object, call, ["traceId", "sessionId"]).request
        var room = roomOfForest(api)
        let forest: WorkForest
        if let text = query.query("traceId") {
            let id = try APICall.traceID(text, "/query/traceId")
            forest = try await WorkForest(around: id, api, call, room: &room)
        } else if let id = query.query("sessionId") ?? session {
            forest = try await WorkReadingAPI.forest(ofSession: id, api, call, room: &room)
        } else {
            throw object.invalid("query", "query names no work: give it a traceId or a sessionId.")
        }
        let found = forest.orchestration(at: api.clock.unixNanos).bottlenecks()
        var text = MCPText()
        text.line(found.isEmpty ? "Nothing takes a hundredth of the time." : "Where the time goes, greatest first:")
        let shown = text.lines(found.map { "- \(MCPText.word($0.text, 1_000))" })
        if shown < found.count { text.note("\(found.count - shown) more in structuredContent.") }
        return answer(text.finish()) { json in WorkReadingAPI.write(found, to: &json) }
    }

    // MARK: Pieces

    private static func roomOfForest(_ api: API) -> AnswerRoom {
        AnswerRoom(api.answers, remedy: "read the trace page by page, or raise memory")
    }

    /// What a session is, in a few words.
    private static func line(_ session: Orchestration.Session) -> String {
        let outcome = session.outcome.map { ", \(MCPText.word($0))" } ?? ""
        return "\(MCPText.word(session.agentName)), \(session.state.rawValue)\(outcome), "
            + "\(MCPText.duration(session.durationNanos)), \(session.llmCallCount) model calls, "
            + "\(session.toolCallCount) tool calls, \(session.errorCount) errors"
    }

    /// The call with the members of `query` as its parameters, which are some of `known`.
    private static func asking(
        _ object: inout WorkObject,
        _ call: APICall,
        _ known: [String]
    ) throws(APIError) -> APICall {
        var asking = call
        asking.request.queryItems = []
        for member in try object.object("query")?.rest ?? [] {
            guard known.contains(member.key) else { throw APICall.unknown(member.key, "member of query", known: known) }
            let text: String? =
                switch member.value {
                case .string(let text): text
                case .int(let number): "\(number)"
                case .double(let number): "\(number)"
                case .bool(let bool): "\(bool)"
                default: nil
                }
            guard let text else {
                throw .invalid(member.key, "query.\(member.key) is no text and no number, as it has to be.")
            }
            asking.request.queryItems.append(.init(member.key, text))
        }
        return asking
    }
}
