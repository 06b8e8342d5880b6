// SPDX-License-Identifier: Apache-2.0
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
        let found: [WorkMessages.Found]
        switch name {
        case "traceId":
            let id = try APICall.traceID(value, name)
            let sessions = work.read { $0.sessions.sessions(ofTrace: id).map(\.id).sorted() }
            found = work.messages.messages(ofTrace: id, sessions: sessions)
        case "sessionId": found = work.messages.messages(ofSession: value)
        default: found = work.messages.messages(ofThread: value)
        }
        let page = ListPage(of: found, limit: limit, after: cursor, question: call.listQuestion) { found in
            ListCursor.Place(rank: found.entry.timeUnixNanos, found.entry.id)
        }
        var json = JSONWriter(capacity: 256 + page.elements.count * 512)
        var records: [(WorkFields, WorkMessages.Relation)] = []
        for element in page.elements {
            // What is being written just now comes with the next look.
            if let record = await work.messages.record(element.entry) { records.append((record, element.relation)) }
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
        return answer(200) { json in
            json.member("messageId", id)
            json.member("traceId", entry.traceID?.description)
            json.member("spanId", entry.spanID?.description)
            json.member("sessionId", entry.sessionID)
            json.member("stepId", entry.stepID)
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
}

extension WorkTrace.Post {
    init(_ object: WorkObject, _ carrier: WorkCarrier, _ content: WorkContent) throws(APIError) {
        var object = object
        id = try object.id("messageId") ?? WorkID.fresh("msg_")
        fields = try WorkFields(message: object, content)
        guard fields.values.keys.contains(where: { $0 != "time" && $0 != "role" && $0 != "context" }) else {
            throw object.invalid(
                "from",
                "from is missing, and all else that makes a message: say who sends it (from), to whom (to), in which thread "
                    + "(threadId), out of which session (sessionId), or what it says (text)."
            )
        }
        self.carrier = carrier
    }
}
