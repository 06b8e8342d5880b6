// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinPipeline
import SkeinStore
import Synchronization
import Testing

/// Steps, how they end, and what their spans say (`agents.md` §1.3).
@Suite struct WorkStepTests {
    private func started(_ test: WorkUnderTest) async throws -> String? {
        try await test.post("sessions", #"{"sessionId":"s","agentName":"coder"}"#)["traceId"]
    }

    @Test func `An end before a start that was said is refused, one before a start that was stamped moves a step's`()
        async throws
    {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        let early = #""endTime":"2026-11-22T09:59:59Z""#
        let said = #"{"stepId":"said","stepAction":"plan","startTime":"2026-11-22T10:00:00Z"}"#
        for body in [said, #"{"stepId":"stamped","stepAction":"plan"}"#] {
            #expect(try await test.post("sessions/s/steps", body).status == 201)
        }
        let refused = try await test.patch("sessions/s/steps/said", #"{"stepOutcome":"success",\#(early)}"#)
        #expect(refused.status == 400 && refused["field"] == "/endTime")
        #expect(refused["detail"]?.hasPrefix("endTime is 2026-11-22T09:59:59.000000000Z, and the step starts") == true)
        #expect(try await test.patch("sessions/s/steps/stamped", #"{"stepOutcome":"success",\#(early)}"#).status == 200)
        let span = try await test.span(trace, step: "stamped")
        #expect(span.durationNanos == 0 && span.startUnixNanos < test.clock.unixNanos)
        // Its steps hang on the start of a session.
        let end = try await test.post("sessions/s/end", #"{"outcome":"success",\#(early)}"#)
        #expect(end.status == 400 && end["field"] == "/endTime")
    }

    @Test func `Content that was cut says so turn by turn`() async throws {
        let test = try WorkUnderTest(content: WorkContent(isKept: true, byteCountMax: 1 << 10))
        _ = try await started(test)
        let long = String(repeating: "é", count: 2000)
        let messages = #"[{"role":"user","content":"\#(long)"},{"role":"assistant","content":"Go on."}]"#
        let body = #"{"stepAction":"llm:plan","stepOutcome":"success","llm":{"inputMessages":\#(messages)}}"#
        #expect(try await test.post("sessions/s/steps", body).status == 201)
        let said = try await test.call("GET", "sessions/s/conversation", "")
        #expect(said["turns.0.truncated"] == "1" && said["turns.1.truncated"] == "0")
        #expect(said["turns.0.text"]?.hasSuffix("bytes]") == true && said["turns.1.text"] == "Go on.")
    }

    @Test func `A step with an outcome is complete in one call`() async throws {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        let answer = try await test.post(
            "sessions/s/steps",
            #"""
            {"stepId":"st_12","stepAction":"tool:grep","attempt":2,"retryOf":"st_11","stepContext":{"file":"a.swift","n":3},
             "startTime":"2026-11-22T10:00:00Z","endTime":"2026-11-22T10:00:01Z","stepOutcome":"timeout",
             "error":{"message":"no reply"},"usage":{"inputTokens":5,"usd":0.25},"tool":{"callId":"toolu_01","server":"fs"}}
            """#
        )
        #expect(answer.status == 201 && answer["stepId"] == "st_12")
        let span = try await test.span(trace, step: "st_12")
        #expect(span.name == "execute_tool grep" && span.durationNanos == 1_000_000_000)
        #expect(span.spanID == answer["spanId"].flatMap { SpanID(hex: $0) })
        #expect(span.status == SkeinModel.Span.Status(.error, message: "no reply"))
        #expect(span.attributes["error.type"] == "timeout")
        #expect(span.attributes["worktrace.step.kind"] == "tool")
        #expect(span.attributes["worktrace.step.action"] == "tool:grep")
        #expect(span.attributes["worktrace.step.attempt"] == 2)
        #expect(span.attributes["worktrace.context.file"] == "a.swift")
        #expect(span.attributes["gen_ai.tool.name"] == "grep")
        #expect(span.attributes["gen_ai.tool.call.id"] == "toolu_01")
        #expect(span.attributes["gen_ai.usage.input_tokens"] == 5)
        #expect(span.attributes["worktrace.cost.usd"] == 0.25)
        #expect(span.attributes["worktrace.session.id"] == "s" && span.attributes["session.id"] == "s")
    }

    @Test(
        arguments: [
            ("success", SkeinModel.Span.Status.Code.ok, nil), ("failure", .error, "failure"),
            ("rejected", .error, "rejected"), ("blocked", .error, "blocked"), ("cancelled", .unset, nil),
            ("partial", .unset, nil), ("skipped", .unset, nil), ("odd word", .unset, nil),
        ] as [(String, SkeinModel.Span.Status.Code, String?)]
    )
    func `An outcome is a status`(outcome: String, code: SkeinModel.Span.Status.Code, type: String?) async throws {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        _ = try await test.post("sessions/s/steps", #"{"stepId":"x","stepAction":"llm","stepOutcome":"\#(outcome)"}"#)
        let span = try await test.span(trace, step: "x")
        #expect(span.status.code == code)
        #expect(span.attributes["worktrace.step.outcome"] == .string(outcome))
        #expect(span.attributes["error.type"] == type.map { .string($0) })
    }

    @Test func `Only outcomes that are errors count as errors of tools, in the answer and in what is read`()
        async throws
    {
        let test = try WorkUnderTest()
        _ = try await started(test)
        for outcome in ["success", "partial", "odd word", "skipped", "cancelled", "failure", "timeout"] {
            _ = try await test.post("sessions/s/steps", #"{"stepAction":"tool:a","stepOutcome":"\#(outcome)"}"#)
        }
        let ended = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
        #expect(ended["totals.toolCalls"] == "7" && ended["totals.toolErrors"] == "2")
        let read = try await test.call("GET", "sessions/s", "")
        #expect(read["totals.toolErrors"] == "2")
    }

    @Test func `Changes are merged until the step ends, and a step ends once`() async throws {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        _ = try await test.post("sessions/s/steps", #"{"stepId":"x","stepAction":"llm:plan","stepContext":{"a":1}}"#)
        let open = try await test.patch(
            "sessions/s/steps/x",
            #"{"stepContext":{"b":2},"events":[{"name":"first token"}],"llm":{"model":"m-1"}}"#
        )
        #expect(open.status == 200 && open["stepContext.a"] == "1" && open["stepContext.b"] == "2")
        #expect(open["stepOutcome"] == nil && open["endTime"] == nil)
        let ended = try await test.patch("sessions/s/steps/x", #"{"stepOutcome":"success","usage":{"outputTokens":9}}"#)
        #expect(ended.status == 200 && ended["stepOutcome"] == "success" && ended["usage.outputTokens"] == "9")
        #expect(
            try await test.patch("sessions/s/steps/x", #"{"stepOutcome":"success","usage":{"outputTokens":9}}"#).status
                == 200
        )
        #expect(try await test.patch("sessions/s/steps/x", #"{"stepOutcome":"success"}"#).status == 200)
        #expect(try await test.patch("sessions/s/steps/x", #"{"stepOutcome":"failure"}"#).status == 409)
        #expect(try await test.patch("sessions/s/steps/x", #"{"stepContext":{"c":1}}"#).status == 409)
        let span = try await test.span(trace, step: "x")
        #expect(span.name == "chat m-1" && span.events.first?.name == "first token")
        #expect(try await test.spans(trace).count == 1)
    }

    @Test func `The same step again is 200, with other facts 409, open or ended`() async throws {
        let test = try WorkUnderTest()
        _ = try await started(test)
        for outcome in ["", #","stepOutcome":"success""#] {
            let id = outcome.isEmpty ? "open" : "done"
            let body = #"{"stepId":"\#(id)","stepAction":"plan"\#(outcome)}"#
            #expect(try await test.post("sessions/s/steps", body).status == 201)
            #expect(try await test.post("sessions/s/steps", body).status == 200)
            #expect(
                try await test.post("sessions/s/steps", #"{"stepId":"\#(id)","stepAction":"tool:x"}"#).status == 409
            )
        }
    }

    @Test func `A start may come after its children and its end`() async throws {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        let child = #"{"stepId":"child","parentStepId":"parent","stepAction":"tool:x","stepOutcome":"success"}"#
        #expect(try await test.post("sessions/s/steps", child).status == 201)
        #expect(try await test.patch("sessions/s/steps/parent", #"{"stepOutcome":"failure"}"#).status == 200)
        #expect(try await test.spans(trace).count == 1)
        let start = #"{"stepId":"parent","stepAction":"plan","startTime":"2026-11-22T09:59:00Z"}"#
        #expect(try await test.post("sessions/s/steps", start).status == 201)
        let parent = try await test.span(trace, step: "parent")
        #expect(parent.status.code == .error && parent.durationNanos == 60_000_000_000)
        #expect(try await test.span(trace, step: "child").parentSpanID == parent.spanID)
    }

    @Test func `Answered messages and other steps become links`() async throws {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        let sent = try await test.post(
            "messages",
            #"{"messageId":"m","from":"agent:coder","to":["agent:b"],"text":"hi"}"#
        )
        #expect(sent.status == 201 && sent["trace.sessionId"] == "s")
        _ = try await test.post(
            "sessions/s/steps",
            #"""
            {"stepId":"x","stepAction":"plan","messageIds":["m"],"stepOutcome":"success",
             "links":[{"sessionId":"s","stepId":"before","relation":"causedBy"}]}
            """#
        )
        let links = try await test.span(trace, step: "x").links
        #expect(links.map { $0.attributes["worktrace.link.relation"] } == ["caused_by", "message"])
        #expect(links.last?.attributes["messaging.message.id"] == "m")
    }

    @Test func `An agent with too many different actions in a day is warned of, once`() async throws {
        let test = try WorkUnderTest()
        for agent in ["busy", "calm"] {
            _ = try await test.post("sessions", #"{"sessionId":"\#(agent)","agentName":"\#(agent)"}"#)
        }
        func work(_ count: Int, _ agent: String) async throws {
            let lines = (0..<count).map {
                #"{"op":"step.start","sessionId":"\#(agent)","stepAction":"tool:look-\#($0)","stepOutcome":"success"}"#
            }
            _ = try await test.call("POST", "batch", lines.joined(separator: "\n"), type: "application/x-ndjson")
        }
        try await work(500, "busy")
        try await work(500, "busy")
        try await work(20, "calm")
        #expect(test.door.warnings.withLock(\.self) == [])
        try await work(510, "busy")
        let warnings = test.door.warnings.withLock(\.self)
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("busy") == true && warnings.first?.contains("tool:look-500") == true)
        test.clock.turn(seconds: 86_400)
        try await work(400, "busy")
        #expect(test.door.warnings.withLock(\.count) == 1)
        try await work(501, "busy")
        #expect(test.door.warnings.withLock(\.count) == 2)
    }

    @Test(arguments: [false, true])
    func `What conventions only propose is written where that is asked for`(isAsked: Bool) async throws {
        var options = WorkOptions()
        options.writesDrafts = isAsked
        let test = try WorkUnderTest(options: options)
        let trace = try await started(test)
        for body in [
            #"{"stepId":"pass","stepAction":"handoff:coder","stepOutcome":"success"}"#,
            #"{"stepId":"tool","stepAction":"tool:grep","stepOutcome":"success"}"#,
        ] { _ = try await test.post("sessions/s/steps", body) }
        for (id, mode) in [("ask", "join"), ("forget", "link")] {
            let spawn = #"{"stepId":"\#(id)","childAgentId":"reviewer","mode":"\#(mode)","stepOutcome":"success"}"#
            _ = try await test.post("sessions/s/spawn", spawn)
        }
        func transfer(_ step: String) async throws -> [AttributeValue?] {
            let span = try await test.span(trace, step: step)
            return ["mode", "target.name"].map { span.attributes["gen_ai.transfer.\($0)"] }
        }
        #expect(try await transfer("pass") == (isAsked ? ["pass_control", "coder"] : [nil, nil]))
        #expect(try await transfer("ask") == (isAsked ? ["return_to_caller", "reviewer"] : [nil, nil]))
        #expect(try await transfer("forget") == [nil, nil])
        #expect(try await transfer("tool") == [nil, nil])
    }

    @Test func `A context has limits, and says when it is over them`() async throws {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        let many = (0..<80).map { "\"k\($0)\":1" }.joined(separator: ",")
        _ = try await test.post(
            "sessions/s/steps",
            #"{"stepId":"x","stepAction":"plan","stepOutcome":"success","stepContext":{\#(many)}}"#
        )
        let span = try await test.span(trace, step: "x")
        #expect(span.attributes.count { $0.key.hasPrefix("worktrace.context.k") } == 64)
        #expect(span.attributes["worktrace.context_truncated"] == true)
        let long = String(repeating: "é", count: 3000)
        // A caller's own name is none of ours.
        _ = try await test.post(
            "sessions/s/steps",
            #"{"stepId":"own","stepAction":"plan","stepOutcome":"success","stepContext":{"truncated":"no"}}"#
        )
        let detail = try await test.call("GET", "sessions/s", "")
        let steps = detail.json["steps"] as? [[String: Any]] ?? []
        let said = steps.map { ($0["stepId"] as? String ?? "", $0["contextTruncated"] as? Bool) }
        #expect(Dictionary(uniqueKeysWithValues: said) == ["x": true, "own": false])
        _ = try await test.post(
            "sessions/s/steps",
            #"{"stepId":"y","stepAction":"plan","stepOutcome":"success","stepContext":{"v":"\#(long)"}}"#
        )
        #expect(
            try await test.span(trace, step: "y").attributes["worktrace.context.v"]
                == .string(String(long.prefix(2048)))
        )
    }

    @Test func `Content is dropped unless it is to be kept`() async throws {
        let body =
            #"{"stepId":"x","stepAction":"tool:sh","stepOutcome":"success","tool":{"arguments":{"cmd":"ls"},"result":"a b"}}"#
        for isKept in [false, true] {
            let test = try WorkUnderTest(content: WorkContent(isKept: isKept))
            let trace = try await started(test)
            _ = try await test.post("sessions/s/steps", body)
            let span = try await test.span(trace, step: "x")
            #expect(span.attributes["gen_ai.tool.call.arguments"] == (isKept ? #"{"cmd":"ls"}"# : nil))
            #expect(span.attributes["gen_ai.tool.call.result"] == (isKept ? "a b" : nil))
            #expect(span.attributes["worktrace.content.dropped"] == (isKept ? nil : true))
            #expect(span.attributes["worktrace.content.result.bytes"] == 3)
            let text = test.journal.records.map { String(decoding: $0, as: UTF8.self) }.joined()
            #expect(text.contains("a b") == isKept)
        }
    }

    @Test func `While the store refuses, steps are taken with 202 and stored later`() async throws {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        test.door.refusal.withLock { $0 = Refusal(.busy, "busy") }
        let body = #"{"stepId":"x","stepAction":"plan","stepOutcome":"success"}"#
        let answer = try await test.post("sessions/s/steps", body)
        #expect(answer.status == 202 && answer["stepId"] == "x")
        #expect(answer.headers.contains { $0.name == "Retry-After" })
        #expect(try await test.spans(trace).isEmpty)
        #expect(try await test.post("sessions/s/steps", body).status == 200)
        test.door.refusal.withLock { $0 = nil }
        await test.work.storeWhatWaits()
        #expect(try await test.spans(trace).count == 1)
    }

    @Test func `Thousands of steps in one session are all stored`() async throws {
        let test = try WorkUnderTest()
        let trace = try await started(test)
        for part in 0..<4 {
            let lines = (0..<1000).map { index in
                #"{"op":"step.start","sessionId":"s","stepId":"st\#(part)-\#(index)","stepAction":"tool:x","stepOutcome":"success"}"#
            }
            let answer = try await test.call(
                "POST",
                "batch",
                lines.joined(separator: "\n"),
                type: "application/x-ndjson"
            )
            #expect(answer["accepted"] == "1000")
        }
        #expect(try await test.spans(trace).count == 4_000)
    }
}
