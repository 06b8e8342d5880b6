// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// The work of agents, below `/api/worktrace/v1/`: what they write.
enum WorkTraceAPI {
    /// Most bytes of a body.
    static let bodyByteCountMax = 16 << 20

    static let routes: [Route] = [
        route("POST", "sessions", startSession),
        route("POST", "sessions/{id}/steps", startStep),
        route("PATCH", "sessions/{id}/steps/{stepId}", patchStep),
        route("POST", "sessions/{id}/spawn", spawn),
        route("POST", "sessions/{id}/heartbeat", heartbeat),
        route("POST", "sessions/{id}/end", endSession),
        route("POST", "sessions/{id}/keep", keepSession),
        route("POST", "messages", postMessage),
        route("POST", "batch", batch),
        Route(
            "GET",
            "/api/worktrace/v1/messages",
            parameters: ["traceId", "sessionId", "threadId", "limit", "cursor"],
            listMessages
        ),
        Route("GET", "/api/worktrace/v1/messages/{id}/trace", parameters: [], traceOfMessage),
        Route("GET", "/api/worktrace/v1/stream", parameters: ["sessionId", "agent"], stream),
    ]

    private static func route(_ method: String, _ path: String, _ answer: @escaping Route.Answer) -> Route {
        Route(method, "/api/worktrace/v1/\(path)", answer)
    }

    // MARK: Sessions

    static func startSession(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let done = try await work.startSession(try body(call), WorkCarrier(call.request))
        let session = done.value.record
        return answer(done.value.status, isBehind: done.isBehind) { json in writeStart(session, to: &json) }
    }

    /// What whoever starts a session is told.
    static func writeStart(_ session: WorkSession, to json: inout JSONWriter) {
        json.member("sessionId", session.id)
        json.member("traceId", session.place.traceID)
        json.member("spanId", session.place.spanID)
        json.member("traceparent", session.traceParent(session.place.spanID))
        json.member("tracestate", session.verdict.traceState)
        json.member("baggage", session.baggage())
        json.member("sampled", session.verdict.isSampled)
        json.member("samplingReason", session.verdict.reason)
        json.object("env") { json in
            writeEnvironment(session, session.place.spanID, sessionID: session.id, to: &json)
            // Whoever starts steps in another process hangs them here.
            json.member("WORKTRACE_PARENT_STEP_ID", "")
        }
    }

    /// The environment of a process that goes on below `span`, which is that of `step` unless it is the session's.
    static func writeEnvironment(
        _ session: WorkSession,
        _ span: SpanID,
        step: String? = nil,
        sessionID: String,
        to json: inout JSONWriter
    ) {
        json.member("TRACEPARENT", session.traceParent(span))
        json.member("TRACESTATE", session.verdict.traceState)
        json.member("BAGGAGE", session.baggage(step: step))
        json.member("WORKTRACE_SESSION_ID", sessionID)
        json.member("WORKTRACE_TASK_PRIORITY", session.place.taskPriority ?? "")
    }

    static func heartbeat(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let id = try pathID(call, 0, "sessionId")
        // It says nothing but that it is alive, so that its body may be missing.
        if !call.request.body.isEmpty { _ = try body(call, of: ["sessionId": id]) }
        let session = try await work.heartbeat(id)
        return answer(200) { json in
            json.member("sessionId", session.id)
            json.member("state", session.state)
        }
    }

    static func endSession(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let id = try pathID(call, 0, "sessionId")
        let done = try await work.endSession(id, try body(call, of: ["sessionId": id]))
        return await answer(done.value.record, isBehind: done.isBehind, api, call)
    }

    static func keepSession(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let id = try pathID(call, 0, "sessionId")
        let object = call.request.body.isEmpty ? WorkObject([]) : try body(call, of: ["sessionId": id])
        let done = try await work.keep(id, object)
        return await answer(done.value.record, isBehind: done.isBehind, api, call)
    }

    private static func answer(
        _ session: WorkSession,
        isBehind: Bool,
        _ api: API,
        _ call: APICall
    ) async -> APIResponse {
        let figures = await SessionFigures(of: session, api, call)
        let now = api.clock.unixNanos
        return answer(200, isBehind: isBehind) { json in session.write(to: &json, at: now, figures: figures) }
    }

    // MARK: Steps

    static func startStep(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let id = try pathID(call, 0, "sessionId")
        let done = try await work.startStep(of: id, try body(call, of: ["sessionId": id]))
        let (step, session) = (done.value.record.step, done.value.record.session)
        return answer(done.value.status, isBehind: done.isBehind) { json in
            let span = WorkID.span(ofSession: session.id, step: step.id)
            json.member("stepId", step.id)
            json.member("sessionId", session.id)
            json.member("spanId", span)
            json.member("traceId", session.place.traceID)
            json.member("traceparent", session.traceParent(span))
            json.object("env") { json in
                writeEnvironment(session, span, step: step.id, sessionID: session.id, to: &json)
                json.member("WORKTRACE_PARENT_STEP_ID", step.id)
            }
        }
    }

    static func patchStep(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let (id, stepID) = (try pathID(call, 0, "sessionId"), try pathID(call, 1, "stepId"))
        let object = try body(call, of: ["sessionId": id, "stepId": stepID])
        let done = try await work.patchStep(stepID, of: id, object)
        return answer(200, isBehind: done.isBehind) { json in done.value.record.write(to: &json, session: id) }
    }

    static func spawn(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let id = try pathID(call, 0, "sessionId")
        let done = try await work.spawn(of: id, try body(call, of: ["sessionId": id]))
        return answer(done.value.status, isBehind: done.isBehind) { json in
            writeSpawn(done.value.record, to: &json)
        }
    }

    /// What whoever starts a child is told: the context of the step, in every form in which it may travel.
    static func writeSpawn(_ spawned: WorkTrace.StepOfSession, to json: inout JSONWriter) {
        let (step, session) = (spawned.step, spawned.session)
        let span = WorkID.span(ofSession: session.id, step: step.id)
        let child = step.fields.text("childSessionId") ?? ""
        json.member("stepId", step.id)
        json.member("sessionId", session.id)
        json.member("traceId", session.place.traceID)
        json.member("spanId", span)
        json.member("childSessionId", child)
        json.member("traceparent", session.traceParent(span))
        json.member("tracestate", session.verdict.traceState)
        let baggage = session.baggage(step: step.id)
        json.member("baggage", baggage)
        json.object("env") { json in
            writeEnvironment(session, span, step: step.id, sessionID: child, to: &json)
            json.member("WORKTRACE_PARENT_SESSION_ID", session.id)
            json.member("WORKTRACE_PARENT_STEP_ID", step.id)
        }
        for name in ["headers", "_meta", "a2aMetadata"] {
            json.key(text: name)
            json.object { json in
                json.member("traceparent", session.traceParent(span))
                // An empty value is none in these forms.
                if !session.verdict.traceState.isEmpty { json.member("tracestate", session.verdict.traceState) }
                json.member("baggage", baggage)
            }
        }
    }

    // MARK: Pieces

    /// The body as an object, when the request says that it is JSON, as a form on some other page cannot.
    static func body(_ call: APICall) throws(APIError) -> WorkObject {
        try checkType(call, ["application/json"])
        return try WorkObject(body: call.request.body)
    }

    /// The same of a call whose path names `ids`: what the body says of them again is the same.
    static func body(_ call: APICall, of ids: KeyValuePairs<String, String>) throws(APIError) -> WorkObject {
        let object = try body(call)
        var said = object
        for (name, id) in ids {
            guard let other = try said.id(name), other != id else { continue }
            throw object.invalid(
                name,
                "\(name) is \(APICall.shown(other)), and the path names \(APICall.shown(id)): leave it out of the body."
            )
        }
        return object
    }

    static func checkType(_ call: APICall, _ names: [String]) throws(APIError) {
        let type = call.request.header("Content-Type") ?? ""
        let name = type.split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() } ?? ""
        guard names.contains(name) else {
            throw APIError(
                415,
                "unsupported-media-type",
                "Content-Type is \(APICall.shown(type)): it takes \(names.joined(separator: " or "))."
            )
        }
        let coding = call.request.header("Content-Encoding") ?? ""
        guard ["", "identity"].contains(coding.lowercased()) else {
            var error = APIError(
                415,
                "unsupported-media-type",
                "Content-Encoding is \(APICall.shown(coding)): these calls take bodies that are not packed, without the header."
            )
            error.headers = [("Accept-Encoding", "identity")]
            throw error
        }
        guard call.request.body.count <= bodyByteCountMax else {
            throw APIError(
                413,
                "too-large",
                "The body has \(call.request.body.count) bytes, at most \(bodyByteCountMax) are read: send less at a time."
            )
        }
    }

    static func pathID(_ call: APICall, _ place: Int, _ name: String) throws(APIError) -> String {
        let id = call.pathValues[place]
        if let problem = WorkObject.problem(ofID: id) { throw .invalid("/\(name)", "\(name) \(problem)") }
        return id
    }

    /// An answer; what was taken although the store is behind is 202, and says when to come again.
    static func answer(
        _ status: Int,
        isBehind: Bool = false,
        _ body: (inout JSONWriter) -> Void
    ) -> APIResponse {
        var response = APIResponse.json(status: isBehind ? 202 : status) { json in json.object(body) }
        if isBehind { response.headers.append(("Retry-After", "1")) }
        return response
    }
}

extension API {
    func openWork() throws(APIError) -> WorkTrace {
        guard let work else { throw APIError(503, "unavailable", "This server takes no work of agents.") }
        return work
    }
}
