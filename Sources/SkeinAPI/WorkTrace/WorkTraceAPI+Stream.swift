// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

/// Work of agents as it goes on: Server-Sent Events (WHATWG HTML §9.2).
extension WorkTraceAPI {
    /// How often it is looked for what happened.
    private static let pauseNanos: UInt64 = 200_000_000
    /// Pauses between two signs of life when nothing happens: 10 seconds.
    private static let silentPausesMax = 50
    /// The longest pause, whatever was looked at.
    private static let pauseNanosMax: UInt64 = 5_000_000_000
    /// How many times as long as a look at what was stored the next pause is, at least: a watcher of large traces takes a part
    /// of one core.
    private static let pausePerLook: UInt64 = 4

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
            var stored = try StoredAgentSpans(session: session, agent: agent, in: api.live)
            defer { stored.stop() }
            // Who listens learns that from now on nothing is missed.
            try await write(Array(": open\n\n".utf8))
            var silentPauses = 0
            var lookNanos: UInt64 = 0
            while true {
                try await clock.sleep(nanos: min(max(pauseNanos, pausePerLook &* lookNanos), pauseNanosMax))
                var (events, droppedCount) = watcher.events()
                silentPauses += 1
                for happened in events {
                    silentPauses = 0
                    try await write(text(of: happened))
                }
                let start = clock.monotonicNanos
                let (found, leftOutCount) = try await stored.next(in: api)
                lookNanos = clock.monotonicNanos &- start
                droppedCount += leftOutCount
                for span in found {
                    silentPauses = 0
                    try await write(text(of: span))
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

    private static func text(of found: StoredAgentSpans.Found) -> [UInt8] {
        let span = found.span
        return event(WorkEvent.Kind.end.rawValue) { json in
            json.member("traceId", span.traceID)
            json.member("spanId", span.spanID)
            json.member("parentSpanId", span.parentSpanID.isValid ? span.parentSpanID.description : nil)
            json.member("sessionId", found.sessionID)
            json.member("stepId", StepRecord.id(of: span))
            json.member("name", span.name)
            json.member("startTimeUnixNano", decimal: span.startUnixNanos)
            json.member("durationNanos", decimal: span.durationNanos)
            json.member("outcome", StepRecord.outcome(of: span))
        }
    }

    private static func event(_ name: String, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in members(&json) }
        return Array("event: \(name)\ndata: \(json.text)\n\n".utf8)
    }
}
