// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

/// Messages: written, listed, and followed to what they caused.
extension WorkTraceAPI {
    static func postMessage(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let post = try WorkTrace.Post(try body(call), WorkCarrier(call.request), work.content)
        guard let result = try await work.post([post]).first else {
            throw APIError(500, "internal", "Nothing was kept.")
        }
        let answer = try result.get()
        return Self.answer(answer.status) { json in
            json.member("messageId", post.id)
            json.key("trace")
            answer.record.writeTrace(to: &json)
        }
    }

    static func listMessages(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let (limit, cursor) = (try call.limit(atMost: 1000), try call.listCursor())
        let asked = ["traceId", "sessionId", "threadId"].filter { call.request.query($0).map { !$0.isEmpty } ?? false }
        guard let name = asked.first, asked.count == 1, let value = call.request.query(name) else {
            throw .invalid("traceId", "\(asked.count) of traceId, sessionId and threadId are there: give one of them.")
        }
        var found: [WorkMessages.Found]
        switch name {
        case "traceId":
            let id = try APICall.traceID(value, name)
            let sessions = work.read { $0.sessions.sessions(ofTrace: id).map(\.id).sorted() }
            found = work.messages.messages(ofTrace: id, sessions: sessions)
        case "sessionId": found = work.messages.messages(ofSession: value)
        default: found = work.messages.messages(ofThread: value)
        }
        var owners: [String: WorkReference] = [:]
        if name == "sessionId", let trace = SpanSession(value)?.traceID ?? work.traceID(ofSession: value) {
            owners = try await senders(of: work.messages.unowned(inTrace: trace), in: trace, api, call)
                .filter { $1.session == value }
            let others = work.messages.unowned(inTrace: trace).filter { owners[$0.id] != nil }
            let known = Set(others.map(\.id))
            found = (found.filter { !known.contains($0.entry.id) } + others.map { .init(entry: $0, relation: .sent) })
                .sorted { ($0.entry.timeUnixNanos, $0.entry.id) < ($1.entry.timeUnixNanos, $1.entry.id) }
        }
        let page = ListPage(of: found, limit: limit, after: cursor, question: call.listQuestion) { found in
            ListCursor.Place(rank: found.entry.timeUnixNanos, found.entry.id)
        }
        var json = JSONWriter(capacity: 256 + page.elements.count * 512)
        var records: [(WorkFields, WorkMessages.Relation)] = []
        for element in page.elements {
            // What is being written just now comes with the next look.
            guard var record = await work.messages.record(element.entry) else { continue }
            if let owner = owners[element.entry.id] {
                record.set("sessionId", owner.session)
                if !owner.step.isEmpty { record.set("stepId", owner.step) }
            }
            records.append((record, element.relation))
        }
        json.object { json in
            json.array("messages") { json in
                for (record, relation) in records {
                    json.object { json in
                        record.writeMessage(to: &json)
                        json.member("relation", relation.rawValue)
                    }
                }
            }
            json.member("next", page.next)
        }
        return .json(json.finish())
    }

    static func traceOfMessage(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        let id = try pathID(call, 0, "messageId")
        guard let entry = work.messages.entry(id) else {
            throw APIError(404, "unknown-message", "Message \(APICall.shown(id)) was never seen.")
        }
        let causes = work.messages.causes(of: id)
        var sender = entry.sessionID.map { WorkReference(session: $0, step: entry.stepID ?? "") }
        if sender == nil, let trace = entry.traceID {
            sender = try await senders(of: [entry], in: trace, api, call)[id]
        }
        return answer(200) { json in
            json.member("messageId", id)
            json.member("traceId", entry.traceID?.description)
            json.member("spanId", entry.spanID?.description)
            json.member("sessionId", sender?.session)
            json.member("stepId", sender.flatMap { $0.step.isEmpty ? nil : $0.step })
            json.array("causedSteps") { json in
                for cause in causes {
                    json.object { json in
                        json.member("sessionId", cause.reference.session)
                        json.member("stepId", cause.reference.step)
                        json.member("traceId", cause.traceID)
                        json.member("spanId", cause.spanID)
                    }
                }
            }
        }
    }

    /// Whose the spans are that messages came from, by the message; those of a trace that says so, which it may do later.
    private static func senders(
        of entries: [WorkMessages.Entry],
        in trace: TraceID,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [String: WorkReference] {
        guard entries.contains(where: { $0.spanID != nil }) else { return [:] }
        var room = AnswerRoom(api.answers, remedy: "ask for the messages of the trace, or raise memory")
        guard let trace = try await WorkForest.read(trace, api, call, room: &room) else { return [:] }
        let owners = SpanOwners(trace.spans)
        var senders: [String: WorkReference] = [:]
        for entry in entries {
            guard let spanID = entry.spanID, let row = trace.row(of: spanID),
                let owner = owners.owner(of: .init(traceID: trace.id, spanID: spanID))
            else { continue }
            let isSession = SpanSession(owner.sessionID)?.spanID == spanID || trace.spans[row].work?.isSession == true
            senders[entry.id] = WorkReference(
                session: owner.sessionID,
                step: isSession ? "" : StepRecord.id(of: trace.spans[row])
            )
        }
        return senders
    }
}

extension WorkTrace.Post {
    init(_ object: WorkObject, _ carrier: WorkCarrier, _ content: WorkContent) throws(APIError) {
        var object = object
        id = try object.id("messageId") ?? WorkID.fresh("msg_")
        fields = try WorkFields(message: object, content)
        let others = WorkContent.marks.union(["time", "role", "context", "textBytes"])
        guard fields.values.keys.contains(where: { !others.contains($0) }) else {
            throw object.invalid(
                "from",
                "from is missing, and all else that makes a message: say who sends it (from), to whom (to), in which thread "
                    + "(threadId), out of which session (sessionId), or what it says (text)."
            )
        }
        self.carrier = carrier
    }
}
