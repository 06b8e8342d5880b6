// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// Open work as it goes on: Server-Sent Events (WHATWG HTML §9.2).
extension WorkTraceAPI {
    /// How often it is looked for what happened.
    private static let pauseNanos: UInt64 = 200_000_000
    /// Pauses between two signs of life when nothing happens: 10 seconds.
    private static let silentPausesMax = 50

    static func stream(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        func parameter(_ name: String) -> String? { call.request.query(name).flatMap { $0.isEmpty ? nil : $0 } }
        let (session, agent) = (parameter("sessionId"), parameter("agent"))
        if let session, let problem = WorkObject.problem(ofID: session) {
            throw .invalid("sessionId", "sessionId \(problem)")
        }
        let clock = api.clock
        let stream = APIStream(.tail) { code, detail in
            event("end") { json in
                json.member("code", code)
                json.member("detail", detail)
            }
        } _: { write in
            let watcher = work.watchers.watch(session: session, agent: agent)
            defer { watcher.stop() }
            // Who listens learns that from now on nothing is missed.
            try await write(Array(": open\n\n".utf8))
            var silentPauses = 0
            while true {
                try await clock.sleep(nanos: pauseNanos)
                let (events, droppedCount) = watcher.events()
                silentPauses += 1
                for happened in events {
                    silentPauses = 0
                    try await write(text(of: happened))
                }
                if droppedCount > 0 {
                    try await write(event("dropped") { json in json.member("events", droppedCount) })
                } else if silentPauses >= silentPausesMax {
                    silentPauses = 0
                    try await write(Array(":\n\n".utf8))
                }
            }
        }
        return APIResponse(
            status: 200,
            headers: [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")],
            body: .stream(stream)
        )
    }

    private static func text(of happened: WorkEvent) -> [UInt8] {
        let span = happened.span
        return event(happened.kind.rawValue) { json in
            json.member("traceId", span.traceID)
            json.member("spanId", span.spanID)
            json.member("parentSpanId", span.parentSpanID.isValid ? span.parentSpanID.description : nil)
            json.member("sessionId", happened.reference.session)
            json.member("stepId", happened.reference.step.isEmpty ? nil : happened.reference.step)
            json.member("name", span.name)
            json.member("startTimeUnixNano", decimal: span.startUnixNanos)
            json.member("durationNanos", decimal: happened.durationNanos)
            json.member("outcome", happened.outcome)
        }
    }

    private static func event(_ name: String, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in members(&json) }
        return Array("event: \(name)\ndata: \(json.text)\n\n".utf8)
    }
}
