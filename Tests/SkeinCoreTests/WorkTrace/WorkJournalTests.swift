// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinPipeline
import SkeinStore
import Synchronization
import Testing

/// What outlives the process.
@Suite struct WorkJournalTests {
    @Test func `Open work is there after a restart, and ends as if nothing had been`() async throws {
        let first = try WorkUnderTest()
        let start = try await first.post("sessions", #"{"sessionId":"s","agentName":"coder","labels":{"a":"b"}}"#)
        _ = try await first.post("sessions/s/steps", #"{"stepId":"x","stepAction":"tool:grep","stepContext":{"q":1}}"#)
        _ = try await first.patch("sessions/s/steps/x", #"{"stepContext":{"r":2}}"#)
        let second = try first.restarted()
        #expect(second.work.openSpanCount(ofSession: "s") == 2)
        #expect(
            try await second.post("sessions", #"{"sessionId":"s","agentName":"coder","labels":{"a":"b"}}"#).status
                == 200
        )
        let ended = try await second.patch("sessions/s/steps/x", #"{"stepOutcome":"success"}"#)
        #expect(ended["stepContext.q"] == "1" && ended["stepContext.r"] == "2")
        let end = try await second.post("sessions/s/end", #"{"outcome":"success"}"#)
        #expect(end["totals.steps"] == "1" && end["trace.traceId"] == start["traceId"])
        #expect(try await second.spans(start["traceId"]).count == 2)
        let third = try second.restarted()
        #expect(third.work.openSpanCount(ofSession: "s") == 0)
        #expect(try await third.patch("sessions/s/steps/x", #"{"stepOutcome":"success"}"#).status == 200)
        #expect(try await third.patch("sessions/s/steps/x", #"{"stepOutcome":"failure"}"#).status == 409)
        #expect(try await third.post("sessions/s/end", #"{"outcome":"success"}"#).status == 200)
    }

    @Test func `What had ended and was not stored is stored after a restart`() async throws {
        let first = try WorkUnderTest()
        let start = try await first.post("sessions", #"{"sessionId":"s"}"#)
        first.door.refusal.withLock { $0 = Refusal(.storeUnavailable, "away") }
        _ = try await first.post("sessions/s/steps", #"{"stepId":"x","stepAction":"plan","stepOutcome":"success"}"#)
        _ = try await first.post("sessions/s/end", #"{"outcome":"success"}"#)
        let second = try first.restarted()
        await second.work.storeWhatWaits()
        #expect(try await second.spans(start["traceId"]).count == 2)
        #expect(try await second.post("sessions/s/end", #"{"outcome":"success"}"#)["totals.steps"] == "1")
    }

    @Test func `Any number of the first records makes a ledger`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        for id in 0..<5 {
            _ = try await test.post("sessions/s/steps", #"{"stepId":"x\#(id)","stepAction":"plan"}"#)
            _ = try await test.patch("sessions/s/steps/x\(id)", #"{"stepOutcome":"success"}"#)
        }
        _ = try await test.post("sessions/s/end")
        let records = test.journal.records
        for count in 0...records.count {
            let cut = try WorkUnderTest(journal: MemoryRecordLog(Array(records.prefix(count)) + [Array("{torn".utf8)]))
            #expect(cut.work.problems.count == 1)
            await cut.work.storeWhatWaits()
        }
    }

    @Test func `Messages outlive the process, with what they caused`() async throws {
        let first = try WorkUnderTest()
        let start = try await first.post("sessions", #"{"sessionId":"s","agentId":"a"}"#)
        _ = try await first.post(
            "messages",
            #"{"messageId":"m","threadId":"g","from":"agent:a","to":["agent:b"],"text":"hé"}"#
        )
        _ = try await first.post("sessions", #"{"sessionId":"t","agentId":"b"}"#)
        _ = try await first.post("sessions/t/steps", #"{"stepId":"r","stepAction":"plan","messageIds":["m"]}"#)
        let second = try first.restarted()
        for (query, relation) in [
            ("traceId=\(start["traceId"] ?? "")", "sent"), ("sessionId=s", "sent"), ("sessionId=t", "triggered"),
            ("threadId=g", "sent"),
        ] {
            let list = try await second.call("GET", "messages?\(query)")
            #expect(list["messages.0.messageId"] == "m" && list["messages.0.relation"] == relation)
            #expect(list["messages.0.bytes"] == "3" && list["messages.0.text"] == nil)
        }
        let trace = try await second.call("GET", "messages/m/trace")
        #expect(trace["sessionId"] == "s" && trace["causedSteps.0.stepId"] == "r")
        #expect(trace["traceId"] == start["traceId"])
        #expect(try await second.post("messages", #"{"messageId":"m","from":"agent:x"}"#).status == 409)
    }

    @Test func `The sender's step has the message as an event`() async throws {
        let test = try WorkUnderTest()
        let start = try await test.post("sessions", #"{"sessionId":"s","agentId":"a"}"#)
        _ = try await test.post("sessions/s/steps", #"{"stepId":"x","stepAction":"llm"}"#)
        let body = #"{"messageId":"m","from":"agent:a","threadId":"g"}"#
        let sent = try await test.post("messages", body)
        #expect(sent["trace.stepId"] == "x")
        #expect(try await test.post("messages", body).status == 200)
        _ = try await test.patch("sessions/s/steps/x", #"{"stepOutcome":"success"}"#)
        let events = try await test.span(start["traceId"], step: "x").events
        #expect(events.map(\.name) == ["worktrace.message"])
        #expect(events.first?.attributes["message.id"] == "m" && events.first?.attributes["direction"] == "sent")
    }

    @Test func `A batch may come in any order, and a bad line stops nothing`() async throws {
        let test = try WorkUnderTest()
        let lines = [
            #"{"op":"session.end","sessionId":"s","outcome":"success","endTime":"2026-11-22T12:00:00Z"}"#,
            #"{"op":"step.end","sessionId":"s","stepId":"x","stepOutcome":"success"}"#,
            #"{"op":"step.start","sessionId":"s","stepId":"x","stepAction":"tool:a"}"#,
            "nonsense",
            #"{"op":"session.start","sessionId":"s","agentName":"a"}"#,
            #"{"op":"dance"}"#,
            #"{"op":"message","messageId":"m","from":"agent:a"}"#,
            #"{"op":"session.heartbeat","sessionId":"s"}"#,
        ]
        let body = lines.joined(separator: "\n")
        let answer = try await test.call("POST", "batch", body, type: "application/x-ndjson")
        #expect(answer.status == 200 && answer["accepted"] == "6" && answer["rejected"] == "2")
        #expect((0..<7).map { answer["results.\($0).status"] } == ["200", "200", "201", "400", "201", "400", "201"])
        #expect(answer["results.7.status"] == "200")
        #expect(answer["results.3.problem.code"] == "invalid-json")
        let again = try await test.call("POST", "batch", body, type: "application/x-ndjson")
        #expect((0..<7).map { again["results.\($0).status"] } == ["200", "200", "200", "400", "200", "400", "200"])
    }
}
