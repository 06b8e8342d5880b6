// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

extension WorkReadingAPI {
    /// Where the time of an orchestration goes, in sentences.
    static func bottlenecks(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit(atMost: 1000)
        var room = AnswerRoom(api.answers, remedy: "read the traces one by one, or raise memory")
        let forest = try await forest(call.pathValues[0], api, call, room: &room)
        let found = forest.orchestration(at: api.clock.unixNanos).bottlenecks(limit: limit)
        var response = APIResponse.json(capacity: 256 + found.count * 256) { json in
            json.object { json in write(found, to: &json) }
        }
        response.memory = room.memory
        return response
    }

    /// The member `bottlenecks` of an answer.
    static func write(_ found: [Bottleneck], to json: inout JSONWriter) {
        json.array("bottlenecks") { json in
            for bottleneck in found {
                json.object { json in
                    json.member("text", bottleneck.text)
                    json.member("sessionId", bottleneck.sessionID)
                    json.member("class", bottleneck.timeClass.rawValue)
                    json.member("durationNanos", decimal: bottleneck.durationNanos)
                    json.member("share", bottleneck.share)
                }
            }
        }
    }

    /// One page of what was said in a session, in the order in which it was said.
    static func conversation(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: "read the session's spans one by one, or raise memory")
        let id = call.pathValues[0]
        let question = "conversation\n\(id)"
        let limit = try call.limit(atMost: 1000, usual: 1000)
        let cursor = try call.listCursor(of: question)
        let traceID = try await traceID(ofSession: id, api, call)
        guard let trace = try await WorkForest.read(traceID, api, call, room: &room) else {
            throw unknownSession(id, api)
        }
        let owners = SpanOwners(trace.spans, nowUnixNanos: api.clock.unixNanos)
        guard !trace.isOfProxyAlone, let place = owners.place(ofSession: id) else { throw unknownSession(id, api) }
        let conversation = SessionConversation(place, of: owners, in: trace)
        var response = try APIResponse.json(capacity: 4096) { json throws(APIError) in
            try json.object { json throws(APIError) in
                json.member("sessionId", id)
                json.member("contentState", conversation.content.rawValue)
                let turns = conversation.turns.dropFirst(conversation.place(after: cursor))
                var count = 0
                try json.array("turns") { json throws(APIError) in
                    for turn in turns.prefix(limit) {
                        if count > 0, json.count >= SessionConversation.byteCountMax { break }
                        turn.write(to: &json, sessionID: id)
                        count += 1
                        try room.hold(json.count)
                    }
                }
                let next = count < turns.count ? conversation.cursor(before: turns.startIndex + count) : nil
                json.member("next", next?.text(question: question))
            }
        }
        response.memory = room.memory
        return response
    }
}
