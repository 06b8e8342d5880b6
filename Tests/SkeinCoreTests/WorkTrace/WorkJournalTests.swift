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
        _ = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
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

    @Test(arguments: [
        "see ses-7 please", "look at ses-7.", "(ses-7)", "http://skein/agents/ses-7?x=1", "trace TRACE",
        "00-TRACE-b7ad6b7169203331-01", "http://skein/trace/TRACE/",
    ])
    func `A message whose text names a session or its trace is found there, after a restart too`(_ text: String)
        async throws
    {
        let first = try WorkUnderTest(content: WorkContent(isKept: true))
        let start = try await first.post("sessions", #"{"sessionId":"ses-7","agentId":"a"}"#)
        let trace = try #require(start["traceId"])
        _ = try await first.post("sessions", #"{"sessionId":"ses-77","agentId":"b"}"#)
        let said = text.replacing("TRACE", with: trace.uppercased())
        let body = #"{"messageId":"m","from":"user:u","sessionId":"ses-77","text":"\#(said)"}"#
        _ = try await first.post("messages", body)
        for test in [first, try first.restarted()] {
            let list = try await test.call("GET", "messages?traceId=\(trace)")
            #expect(list["messages.0.messageId"] == "m" && list["messages.0.relation"] == "mentioned")
            let own = try await test.call("GET", "messages?sessionId=ses-77")
            #expect(own["messages.0.relation"] == "sent")
            guard text.contains("ses-7") else { continue }
            let named = try await test.call("GET", "messages?sessionId=ses-7")
            #expect(named["messages.0.relation"] == "mentioned")
        }
    }

    @Test func `A plain word names no session, and of very many words the first count`() async throws {
        let test = try WorkUnderTest(content: WorkContent(isKept: true))
        for id in ["coder", "ses_coder", "late-1"] {
            _ = try await test.post("sessions", #"{"sessionId":"\#(id)","agentId":"a"}"#)
        }
        let words = (0..<100).map { "w\($0 + 1_000)" }.joined(separator: " ")
        let body = #"{"messageId":"m","from":"user:u","text":"the coder, ses_coder: \#(words) late-1"}"#
        _ = try await test.post("messages", body)
        for (id, isNamed) in [
            ("coder", false), ("ses_coder", true), ("late-1", false), ("w1062", true), ("w1063", false),
        ] {
            let list = try await test.call("GET", "messages?sessionId=\(id)")
            #expect((list["messages.0.messageId"] == "m") == isNamed, "\(id)")
        }
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

    @Test func `In a batch a step has its own end, wherever its start and the end of its session stand`() async throws {
        let test = try WorkUnderTest()
        let lines = [
            #"{"op":"session.start","sessionId":"s","agentName":"a"}"#, "",
            #"{"op":"step.end","sessionId":"s","stepId":"x","stepOutcome":"failure"}"#,
            #"{"op":"step.start","sessionId":"s","stepId":"x","stepAction":"tool:a"}"#, "  \r",
            #"{"op":"session.end","sessionId":"s","outcome":"success"}"#,
            #"{"op":"step.start","sessionId":"s","stepId":"y","stepAction":"tool:b"}"#,
        ]
        let answer = try await test.call("POST", "batch", lines.joined(separator: "\n"), type: "application/x-ndjson")
        #expect(answer["accepted"] == "5" && answer["rejected"] == "0")
        // The places of lines count those without text.
        #expect((0..<5).map { answer["results.\($0).index"] } == ["0", "2", "3", "5", "6"])
        let again = try await test.post("sessions", #"{"sessionId":"s","agentName":"a"}"#)
        let step = try await test.span(again["traceId"], step: "x")
        #expect(step.attributes["worktrace.step.outcome"] == "failure")
    }
}
