// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
import SkeinWire

/// The tool `do-trace`: what an agent writes of its own work, and reads of it (`agents.md` §1.6).
///
/// One tool with many actions, so that a model reads one schema, or a tool for each action. Its calls leave no spans of their own.
enum DoTrace {
    static let name = "do-trace"

    /// By which name it is called.
    enum Tool {
        case whole
        case single(Action)

        /// `nil` for other tools.
        init?(name: String) {
            if name == DoTrace.name {
                self = .whole
            } else if let action = Action.allCases.first(where: { $0.toolName == name }) {
                self = .single(action)
            } else {
                return nil
            }
        }
    }

    /// What a call is answered: a short text for the model, and the same as an object.
    struct Answer {
        var text: String
        var content: [UInt8]
        var isError = false
        var logMessage: String?
    }

    enum Action: String, CaseIterable {
        case startSession = "start_session"
        case startStep = "start_step"
        case endStep = "end_step"
        case logStep = "log_step"
        case endSession = "end_session"
        case spawn
        case postMessage = "post_message"
        case getTrace = "get_trace"
        case getSession = "get_session"
        case findSessions = "find_sessions"
        case toolStats = "tool_stats"
        case bottlenecks

        /// As a tool of its own: `do-trace-log-step`.
        var toolName: String { DoTrace.name + "-" + rawValue.replacing("_", with: "-") }

        var isQuery: Bool {
            switch self {
            case .getTrace, .getSession, .findSessions, .toolStats, .bottlenecks: true
            default: false
            }
        }
    }

    /// Does what `arguments` ask for, on behalf of whom `_meta` names. What is wrong with them is an answer, too.
    static func call(_ tool: Tool, _ api: API, _ call: APICall) async -> Answer {
        do throws(APIError) {
            let input = try Input(call)
            var arguments = input.arguments
            let action = try action(of: tool, &arguments)
            return action.isQuery
                ? try await answer(query: action, arguments, api, call)
                : try await write(action, arguments, input.carrier, api, call)
        } catch {
            var json = JSONWriter()
            json.object { json in NativeAPI.write(error, to: &json) }
            return Answer(
                text: MCPText.text(of: error),
                content: json.array(),
                isError: true,
                logMessage: error.logMessage
            )
        }
    }

    private static func action(of tool: Tool, _ arguments: inout WorkObject) throws(APIError) -> Action {
        if case .single(let action) = tool { return action }
        let word = try arguments.text("action") ?? ""
        guard let action = Action(rawValue: word) else {
            let known = Action.allCases.map(\.rawValue).joined(separator: ", ")
            throw arguments.invalid("action", "action is \(APICall.shown(word)): it takes \(known).")
        }
        return action
    }

    /// What a call brings: its arguments whole, and the context of its sender.
    private struct Input {
        var arguments: WorkObject
        var carrier: WorkCarrier

        init(_ call: APICall) throws(APIError) {
            var message = try WorkObject(body: call.request.body)
            var params = try message.object("params") ?? WorkObject([])
            arguments = WorkObject(try params.object("arguments")?.rest ?? [])
            let meta = WorkFields(try params.object("_meta")?.rest ?? [])
            carrier = WorkCarrier(
                traceparent: meta.text("traceparent"),
                tracestate: meta.text("tracestate"),
                baggage: meta.text("baggage")
            )
            carrier.source = "mcp"
        }
    }

    // MARK: Writing

    private static func write(
        _ action: Action,
        _ arguments: WorkObject,
        _ carrier: WorkCarrier,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        let work = try api.openWork()
        var object = arguments
        // What belongs to other actions is no context of this one.
        _ = object.value("query")
        switch action {
        case .startSession:
            var parent = carrier
            // What the arguments say wins.
            if object.contains("parentSessionId") { parent.parent = nil }
            let session = try await work.startSession(object, parent).value.record
            return answer("Session \(session.id) is open in trace \(session.place.traceID).") { json in
                json.member("sessionId", session.id)
                writeSpan(session.place.spanID, of: session, call, api, to: &json)
            }
        case .endSession:
            let id = try session(&object, carrier, work)
            object.completeOutcome("outcome")
            let session = try await work.endSession(id, object).value.record
            return answer("Session \(id) ended: \(session.outcome ?? "").") { json in
                json.member("sessionId", id)
                json.member("stepId", nil as String?)
                json.member("outcome", session.outcome)
            }
        case .startStep, .logStep:
            let id = try session(&object, carrier, work)
            if action == .logStep { try complete(&object, at: api.clock.unixNanos) }
            inherit(&object, id, carrier, work)
            let done = try await work.startStep(of: id, object).value.record
            let span = WorkID.span(ofSession: id, step: done.step.id)
            let text = done.step.isEnded ? "is kept: \(done.step.outcome ?? "")" : "has begun"
            return answer("Step \(done.step.id) of session \(id) \(text).") { json in
                json.member("sessionId", id)
                json.member("stepId", done.step.id)
                writeSpan(span, of: done.session, call, api, to: &json)
            }
        case .endStep:
            let id = try session(&object, carrier, work)
            guard let stepID = try object.id("stepId") else {
                throw object.invalid("stepId", "stepId is missing: name the step that has ended.")
            }
            if !object.contains("stepOutcome") { object.set("stepOutcome", "success") }
            let step = try await work.patchStep(stepID, of: id, object).value.record
            return answer("Step \(stepID) of session \(id): \(step.outcome ?? "").") { json in
                json.member("sessionId", id)
                json.member("stepId", stepID)
                json.member("outcome", step.outcome)
            }
        case .spawn:
            let id = try session(&object, carrier, work)
            inherit(&object, id, carrier, work)
            let spawned = try await work.spawn(of: id, object).value.record
            let url = url(ofTrace: spawned.session.place.traceID, call, api)
            return answer("Start the child with the environment, headers or _meta given here.") { json in
                WorkTraceAPI.writeSpawn(spawned, to: &json)
                json.member("url", url)
            }
        default:
            var post = carrier
            if object.contains("sessionId") { post.parent = nil }
            let message = try WorkTrace.Post(object, post, work.content)
            guard let result = try await work.post([message]).first else {
                throw APIError(500, "internal", "Nothing was kept.")
            }
            let record = try result.get().record
            return answer("Message \(message.id) is kept.") { json in
                json.member("messageId", message.id)
                json.member("traceId", record.text("traceId"))
                json.member("spanId", record.text("spanId"))
            }
        }
    }

    /// The session that a call speaks of: which it names, else the one whose context it carries.
    private static func session(_ object: inout WorkObject, _ carrier: WorkCarrier, _ work: WorkTrace) throws(APIError)
        -> String
    {
        if let id = try object.id("sessionId") { return id }
        if let parent = carrier.parent, let known = work.read({ $0.spans[parent.spanID] }) { return known.session }
        throw object.invalid("sessionId", "sessionId is missing: name the session, as start_session answered it.")
    }

    /// A step below whose context the call carries, where the arguments say nothing.
    private static func inherit(_ object: inout WorkObject, _ id: String, _ carrier: WorkCarrier, _ work: WorkTrace) {
        guard !object.contains("parentStepId"), let parent = carrier.parent,
            let known = work.read({ $0.spans[parent.spanID] }), known.session == id, !known.step.isEmpty
        else { return }
        object.set("parentStepId", known.step)
    }

    /// A step that is told when it is over: it began `startedAgoMs` ago.
    private static func complete(_ object: inout WorkObject, at now: UInt64) throws(APIError) {
        if let millis = try object.amount("startedAgoMs") {
            let nanos = UInt64(min(millis * 1_000_000, 9e18))
            object.set("startTime", "\(now - min(now, nanos))")
            if !object.contains("endTime") { object.set("endTime", "\(now)") }
        }
        if !object.contains("stepOutcome") { object.set("stepOutcome", "success") }
    }

    // MARK: Answers

    static func answer(_ text: String, _ members: (inout JSONWriter) -> Void) -> Answer {
        var json = JSONWriter()
        json.object { json in members(&json) }
        return Answer(text: text, content: json.array())
    }

    private static func writeSpan(
        _ span: SpanID,
        of session: WorkSession,
        _ call: APICall,
        _ api: API,
        to json: inout JSONWriter
    ) {
        json.member("traceId", session.place.traceID)
        json.member("spanId", span)
        json.member("traceparent", session.traceParent(span))
        json.member("url", url(ofTrace: session.place.traceID, call, api))
    }

    /// The page of a trace, as whoever sent `call` reaches it.
    static func url(ofTrace id: TraceID, _ call: APICall, _ api: API) -> String {
        func isPlain(_ text: String) -> Bool {
            !text.isEmpty && text.utf8.count <= 255
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                    default: ".-_:[]".utf8.contains(byte)
                    }
                }
        }
        let host = call.request.header("Host").flatMap { isPlain($0) ? $0 : nil } ?? "localhost"
        let scheme = call.request.header("X-Forwarded-Proto") == "https" ? "https" : "http"
        return "\(scheme)://\(host)\(api.basePath)/trace/\(id)"
    }
}
