// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinAPI

/// What the books of open work find, keep and forget, and what a repeated call is answered.
@Suite struct WorkBooksTests {
    private func session(_ id: String, trace: UInt64, agent: String) -> WorkSession {
        let place = WorkSession.Place(traceID: TraceID(high: 0, low: trace), spanID: SpanID(trace), rootSessionID: id)
        var session = WorkSession(id: id, place: place, startUnixNanos: 1, lastUnixNanos: 1)
        session.fields.set("agentName", agent)
        session.byteCount = 100
        return session
    }

    @Test func `Sessions are found by trace and agent, whatever becomes of them`() {
        var sessions = WorkSessions()
        let trace = TraceID(high: 0, low: 1)
        sessions["a"] = session("a", trace: 1, agent: "coder")
        sessions["b"] = session("b", trace: 1, agent: "coder")
        #expect(sessions.sessions(ofTrace: trace).map(\.id).sorted() == ["a", "b"])
        #expect(sessions.running(ofAgent: "coder").count == 2 && sessions.byteCount == 200)
        sessions["a"]?.endUnixNanos = 2
        #expect(sessions.running(ofAgent: "coder").map(\.id) == ["b"])
        sessions["b"]?.place.traceID = TraceID(high: 0, low: 2)
        #expect(sessions.sessions(ofTrace: trace).map(\.id) == ["a"])
        sessions["b"]?.fields.set("agentName", "planner")
        #expect(sessions.running(ofAgent: "coder").isEmpty && sessions.running(ofAgent: "planner").count == 1)
        #expect(sessions.removeValue(forKey: "b")?.id == "b")
        sessions["a"] = nil
        #expect(sessions.running(ofAgent: "planner").isEmpty && sessions.sessions(ofTrace: trace).isEmpty)
        #expect(sessions.count == 0 && sessions.byteCount == 0)
    }

    @Test func `Sessions of too many bytes are refused, and those that are known go on`() async throws {
        var limits = WorkLimits()
        limits.sessionByteCountMax = 100
        let test = try WorkUnderTest(limits: limits)
        #expect(try await test.post("sessions", #"{"sessionId":"a"}"#).status == 201)
        let refused = try await test.post("sessions", #"{"sessionId":"b"}"#)
        #expect(refused.status == 503 && refused.headers.contains { $0.name == "Retry-After" })
        #expect(try await test.post("sessions", #"{"sessionId":"a"}"#).status == 200)
        #expect(try await test.post("sessions/a/end", #"{"outcome":"success"}"#).status == 200)
    }

    @Test func `Announced sessions have a limit until they begin or their parent is forgotten`() async throws {
        var limits = WorkLimits()
        limits.spawnedCountMax = 1
        let test = try WorkUnderTest(limits: limits)
        _ = try await test.post("sessions", #"{"sessionId":"p"}"#)
        func spawn(_ name: String) async throws -> Int {
            try await test.post(
                "sessions/p/spawn",
                #"{"childAgentId":"x","stepId":"st-\#(name)","childSessionId":"\#(name)"}"#
            ).status
        }
        #expect(try await spawn("a") == 201)
        #expect(try await spawn("a") == 200)
        #expect(try await spawn("b") == 503)
        let child = try await test.post("sessions", #"{"sessionId":"a"}"#)
        #expect(child.status == 201)
        #expect(try await spawn("b") == 201)
        #expect(test.work.read { $0.spawned.count } == 1)
        _ = try await test.post("sessions/p/end", #"{"outcome":"success"}"#)
        for seconds: UInt64 in [5, 2 * 3600] {
            test.clock.turn(seconds: seconds)
            await test.work.sweep()
        }
        #expect(test.work.read { $0.spawned.isEmpty && $0.spawns.isEmpty })
    }

    /// A store that cannot be asked, and counts who does.
    final class DeafStore: StoreWrapper {
        let wrapped: any SpanStore = MemoryStore()
        let isDeaf = Mutex(true)
        let searches = Mutex(0)

        func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage {
            searches.withLock { $0 += 1 }
            if isDeaf.withLock(\.self) { throw StoreError(.unavailable, "the disk is away") }
            return try await wrapped.search(query)
        }
    }

    @Test func `A store that cannot be asked is no session that was never seen`() async throws {
        let store = DeafStore()
        let work = try WorkTrace(
            journal: MemoryRecordLog(),
            messageLog: MemoryRecordLog(),
            intake: WorkIntake { _ in },
            clock: TurnedClock(),
            store: store
        )
        let error = await #expect(throws: APIError.self) { try await work.heartbeat("old") }
        #expect(error?.status == 503 && error?.detail.contains("the disk is away") == true)
        #expect(error?.headers.contains { $0.name == "Retry-After" } == true)
        store.isDeaf.withLock { $0 = false }
        for _ in 0..<10 {
            let error = await #expect(throws: APIError.self) { try await work.heartbeat("old") }
            #expect(error?.status == 404)
        }
        #expect(store.searches.withLock(\.self) == 2)
    }

    @Test func `What the store did not know is bounded and asked again in time`() {
        var unknown = UnknownSessions()
        for number in 0..<10_000 { unknown.insert("\(number)", at: 1) }
        #expect(unknown.contains("9999", at: 2) && !unknown.contains("0", at: 2))
        #expect(!unknown.contains("9999", at: 1 + UnknownSessions.nanosMax))
    }

    @Test func `A repeated call is answered alike after a restart`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        let spawn = #"{"childAgentId":"x","stepId":"a"}"#
        let first = try await test.post("sessions/s/spawn", spawn)
        let end = #"{"stepOutcome":"success","endTime":"2027-01-01T00:00:00Z","usage":{"inputTokens":7}}"#
        #expect(try await test.patch("sessions/s/steps/a", end).status == 200)
        let next = try test.restarted()
        let again = try await next.post("sessions/s/spawn", spawn)
        #expect(first.status == 201 && again.status == 200)
        #expect(again["childSessionId"] == first["childSessionId"] && again["childSessionId"]?.isEmpty == false)
        let ended = try await next.patch("sessions/s/steps/a", end)
        #expect(ended.status == 200 && ended["usage.inputTokens"] == "7" && ended["endTime"] != nil)
        let other = #"{"stepOutcome":"failure","endTime":"2027-01-01T00:00:00Z"}"#
        #expect(try await next.patch("sessions/s/steps/a", other).status == 409)
        let invented = #"{"stepOutcome":"success","usage":{"inputTokens":8}}"#
        #expect(try await next.patch("sessions/s/steps/a", invented).status == 409)
    }

    @Test func `The pointer of a bad message id is one`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        let step = #"{"stepAction":"tool:x","messageIds":["good","b d"]}"#
        #expect(try await test.post("sessions/s/steps", step)["field"] == "/messageIds/1")
    }

    @Test func `A message of a session that only the store knows is in its trace`() async throws {
        let test = try WorkUnderTest()
        var span = SkeinModel.Span(
            traceID: TraceID(high: 1, low: 2),
            spanID: SpanID(3),
            name: "old",
            startUnixNanos: test.clock.unixNanos,
            durationNanos: 5
        )
        span.attributes = [Attribute("worktrace.session.id", "old")]
        try await test.store.append(SpanBatch(spans: [span]))
        let answer = try await test.post("messages", #"{"messageId":"m","from":"a","sessionId":"old"}"#)
        #expect(answer["trace.traceId"] == TraceID(high: 1, low: 2).description)
    }

    @Test func `Messages and what they caused go together, the others stay`() async throws {
        let messages = try WorkMessages(MemoryRecordLog())
        var records: [(id: String, record: WorkFields)] = []
        for number in 0..<100 {
            var record = WorkFields()
            record.set("t", "message")
            record.set("messageId", "m\(number)")
            record.set("digest", record.digest.description)
            record.set("time", nanos: UInt64(number))
            record.set("threadId", "t")
            records.append(("m\(number)", record))
        }
        _ = messages.reserve(records.compactMap { WorkMessages.Entry($0.record) })
        try await messages.write(records)
        try await messages.write(
            ["m10", "m90"].map {
                WorkMessages.Cause(
                    message: $0,
                    reference: WorkReference(session: "s", step: $0),
                    traceID: TraceID(high: 0, low: 1),
                    spanID: SpanID(1)
                )
            }
        )
        messages.expire(before: 50)
        #expect(messages.messages(ofThread: "t").map(\.entry.id) == (50..<100).map { "m\($0)" })
        #expect(messages.messages(ofSession: "s").map(\.entry.id) == ["m90"])
        #expect(messages.causes(of: "m10").isEmpty && messages.causes(of: "m90").count == 1)
    }

    @Test func `One message is not known to have caused any number of steps`() async throws {
        let messages = try WorkMessages(MemoryRecordLog())
        let causes = (0..<1_500).map {
            WorkMessages.Cause(
                message: "m",
                reference: WorkReference(session: "s", step: "\($0)"),
                traceID: TraceID(high: 0, low: 1),
                spanID: SpanID(1)
            )
        }
        try await messages.write(causes)
        #expect(messages.causes(of: "m").count == WorkMessages.causesOfMessageMax)
    }
}
