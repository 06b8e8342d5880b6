// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinPipeline
import SkeinStore
import Synchronization
import Testing

/// What was accepted is not lost, however unlucky the order of things.
struct WorkLossTests {
    private static let ndjson = "application/x-ndjson"

    @Test func `A start that comes after the end still says who worked`() async throws {
        let test = try WorkUnderTest()
        let child = try await test.post("sessions", #"{"sessionId":"child","parentSessionId":"late"}"#)
        let end = #"{"outcome":"failure","endTime":"2026-11-22T09:59:00Z"}"#
        #expect(try await test.post("sessions/late/end", end).status == 200)
        #expect(try await test.spans(child["traceId"]).isEmpty)
        let start = #"{"sessionId":"late","agentName":"planner","startTime":"2026-11-22T09:58:00Z"}"#
        #expect(try await test.post("sessions", start).status == 201)
        let span = try #require(try await test.spans(child["traceId"]).first)
        #expect(span.attributes["gen_ai.agent.name"] == "planner")
        #expect(span.durationNanos == 60_000_000_000 && span.status.code == .error)
    }

    @Test func `An end whose start never comes is stored all the same`() async throws {
        let test = try WorkUnderTest()
        let child = try await test.post("sessions", #"{"sessionId":"child","parentSessionId":"late"}"#)
        _ = try await test.post("sessions/late/end", #"{"outcome":"success"}"#)
        _ = try await test.post("sessions/child/end", #"{"outcome":"success"}"#)
        test.clock.turn(seconds: 16 * 60)
        await test.work.sweep()
        #expect(try await test.spans(child["traceId"]).count == 2)
    }

    @Test func `That the server was away is not the silence of a session`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"long"}"#)
        _ = try await test.post("sessions/long/steps", #"{"stepId":"a","stepAction":"tool:grep"}"#)
        test.clock.turn(seconds: 26 * 3600)
        let next = try test.restarted()
        await next.work.sweep()
        #expect(next.work.state(ofSession: "long") == "running")
        #expect(try await next.patch("sessions/long/steps/a", #"{"stepOutcome":"success"}"#).status == 200)
    }

    @Test func `A session that others named first begins and ends as any other`() async throws {
        let test = try WorkUnderTest()
        var span = SkeinModel.Span(
            traceID: TraceID(high: 1, low: 2),
            spanID: SpanID(3),
            name: "of another process",
            startUnixNanos: test.clock.unixNanos,
            durationNanos: 5
        )
        span.attributes = [Attribute("worktrace.session.id", "shared")]
        try await test.store.append(SpanBatch(spans: [span]))
        let start = try await test.post("sessions", #"{"sessionId":"shared","agentName":"coder"}"#)
        #expect(start.status == 201)
        #expect(test.work.state(ofSession: "shared") == "running")
        #expect(try await test.post("sessions/shared/end", #"{"outcome":"failure"}"#).status == 200)
        let stored = try await test.spans(start["traceId"])
        #expect(stored.contains { $0.attributes["gen_ai.agent.name"] == "coder" })
    }

    @Test func `Spans that are too much together are stored apart`() async throws {
        let store = MemoryStore()
        let isAway = Mutex(true)
        let work = try WorkTrace(
            journal: MemoryRecordLog(),
            messageLog: MemoryRecordLog(),
            intake: WorkIntake { batch throws(Refusal) in
                if isAway.withLock(\.self) { throw Refusal(.busy, "not now") }
                if batch.count > 3 { throw Refusal(.tooLarge, "\(batch.count) spans") }
                do { try await store.append(batch) } catch { throw Refusal(.storeUnavailable, "\(error)") }
            },
            clock: TurnedClock(),
            store: store
        )
        let api = APIUnderTest.work(work, over: store)
        let lines =
            [#"{"op":"session.start","sessionId":"s"}"#]
            + (0..<20).map {
                #"{"op":"step.start","sessionId":"s","stepId":"\#($0)","stepAction":"tool:x","stepOutcome":"success"}"#
            }
        let request = APIRequest(
            method: "POST",
            target: "/api/worktrace/v1/batch",
            headers: [("Content-Type", Self.ndjson)],
            body: Array(lines.joined(separator: "\n").utf8)
        )
        #expect(await api.respond(to: request)?.status == 200)
        isAway.withLock { $0 = false }
        await work.storeWhatWaits()
        let id = try #require(work.traceID(ofSession: "s"))
        #expect(try await store.trace(id)?.count == 20)
    }

    @Test func `A step takes no more than fits on record, and can still end`() async throws {
        let test = try WorkUnderTest()
        let text = String(repeating: "x", count: 4_000)
        var lines = [
            #"{"op":"session.start","sessionId":"s"}"#,
            #"{"op":"step.start","sessionId":"s","stepId":"a","stepAction":"tool:x"}"#,
        ]
        for number in 0..<500 {
            lines.append(
                #"{"op":"step.event","sessionId":"s","stepId":"a","name":"e\#(number)","attributes":{"text":"\#(text)"}}"#
            )
        }
        let answer = try await test.call("POST", "batch", lines.joined(separator: "\n"), type: Self.ndjson)
        #expect(answer["results.50.status"] == "201")
        #expect(answer["results.501.status"] == "413")
        #expect(answer["results.501.problem.code"] == "too-large")
        #expect(try await test.patch("sessions/s/steps/a", #"{"stepContext":{"k":1}}"#).status == 413)
        #expect(try await test.patch("sessions/s/steps/a", #"{"stepOutcome":"success"}"#).status == 200)
    }

    @Test func `Two messages of one id in one batch are one, or a conflict`() async throws {
        let test = try WorkUnderTest()
        let lines = [
            #"{"op":"message","messageId":"m","threadId":"t","from":"a"}"#,
            #"{"op":"message","messageId":"m","threadId":"t","from":"a"}"#,
            #"{"op":"message","messageId":"m","threadId":"t","from":"b"}"#,
        ]
        let answer = try await test.call("POST", "batch", lines.joined(separator: "\n"), type: Self.ndjson)
        #expect((0..<3).map { answer["results.\($0).status"] } == ["201", "200", "409"])
    }

    @Test func `At the limit of open steps one can end`() async throws {
        var limits = WorkLimits()
        limits.openStepCountMax = 1
        let test = try WorkUnderTest(limits: limits)
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        let step = #"{"stepId":"a","stepAction":"tool:x"}"#
        #expect(try await test.post("sessions/s/steps", step).status == 201)
        #expect(try await test.post("sessions/s/steps", #"{"stepId":"b","stepAction":"tool:x"}"#).status == 503)
        #expect(try await test.patch("sessions/s/steps/a", #"{"stepOutcome":"success"}"#).status == 200)
        #expect(try await test.post("sessions/s/steps", #"{"stepId":"b","stepAction":"tool:x"}"#).status == 201)
    }
}

extension APIUnderTest {
    /// The API over a ledger of the test's own.
    static func work(_ work: WorkTrace, over store: any SpanStore) -> API {
        API(store: store, work: work) { ServerStatus(version: "0", startedUnixNanos: 0) }
    }
}
