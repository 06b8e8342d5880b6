// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

extension WorkReadingAPI {
    /// The orchestration around one trace or session beside that around another. What is of the first is called `a`.
    static func comparison(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: "read the orchestrations one by one, or raise memory")
        let first = try await forest(call.pathValues[0], api, call, room: &room)
        let second = try await forest(call.pathValues[1], api, call, room: &room)
        let now = api.clock.unixNanos
        let found = OrchestrationComparison(first.orchestration(at: now), second.orchestration(at: now))
        var response = try APIResponse.json(capacity: 2048 + found.steps.count * 512) { json throws(APIError) in
            try json.object { json throws(APIError) in
                json.object("isCut") { json in
                    json.member("a", first.isCut)
                    json.member("b", second.isCut)
                }
                try found.write(to: &json, room: &room)
            }
        }
        response.memory = room.memory
        return response
    }
}

extension OrchestrationComparison {
    func write(to json: inout JSONWriter, room: inout AnswerRoom) throws(APIError) {
        Self.write(decimal: "durationNanos", durationNanos, to: &json)
        Self.write("errorCount", errorCount, to: &json)
        json.object("usage") { json in
            json.object("a") { json in usage.first.write(to: &json) }
            json.object("b") { json in usage.second.write(to: &json) }
        }
        if let divergence = firstDivergence {
            json.object("firstDivergence") { json in
                json.member("index", divergence.index)
                Self.write(divergence.first, "a", to: &json)
                Self.write(divergence.second, "b", to: &json)
            }
        } else {
            json.member("firstDivergence", nil as String?)
        }
        try json.array("steps") { json throws(APIError) in
            for step in steps {
                json.object { json in
                    Self.write(step.first, "a", to: &json)
                    Self.write(step.second, "b", to: &json)
                }
                try room.hold(json.count)
            }
        }
        try Self.write("sessions", sessions, to: &json, room: &room)
        try Self.write("tools", tools, to: &json, room: &room)
        try Self.write("timeClasses", timeClasses, to: &json, room: &room)
    }

    private static func write(
        _ name: StaticString,
        _ found: [Difference],
        to json: inout JSONWriter,
        room: inout AnswerRoom
    ) throws(APIError) {
        try json.array(name) { json throws(APIError) in
            for difference in found {
                json.object { json in
                    json.member("name", difference.name)
                    write("count", difference.count, to: &json)
                    write(decimal: "durationNanos", difference.durationNanos, to: &json)
                    write("errorCount", difference.errorCount, to: &json)
                    json.object("usd") { json in
                        json.member("a", difference.usd.first)
                        json.member("b", difference.usd.second)
                    }
                }
                try room.hold(json.count)
            }
        }
    }

    private static func write(_ step: Step?, _ name: StaticString, to json: inout JSONWriter) {
        guard let step else { return json.member(name, nil as String?) }
        json.object(name) { json in
            json.member("signature", step.signature)
            json.member("sessionId", step.sessionID)
            json.member("traceId", step.traceID.description)
            json.member("spanId", step.spanID.description)
            json.member("startUnixNanos", decimal: step.startUnixNanos)
            json.member("durationNanos", decimal: step.durationNanos)
            json.member("outcome", step.outcome)
        }
    }

    private static func write(_ name: StaticString, _ pair: Pair<Int>, to json: inout JSONWriter) {
        json.object(name) { json in
            json.member("a", pair.first)
            json.member("b", pair.second)
        }
    }

    private static func write(decimal name: StaticString, _ pair: Pair<UInt64>, to json: inout JSONWriter) {
        json.object(name) { json in
            json.member("a", decimal: pair.first)
            json.member("b", decimal: pair.second)
        }
    }
}
