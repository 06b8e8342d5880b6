// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// What is said late, twice or in the wrong place is neither lost nor kept where it should not be.
@Suite struct WorkFactsTests {
    private static let ndjson = "application/x-ndjson"

    private func batch(_ test: WorkUnderTest, _ lines: [String]) async throws -> [String?] {
        let answer = try await test.call("POST", "batch", lines.joined(separator: "\n"), type: Self.ndjson)
        return lines.indices.map { answer["results.\($0).status"] }
    }

    @Test func `Content under names of the sender's own obeys the switch before anything is journaled`() async throws {
        for isKept in [false, true] {
            let test = try WorkUnderTest(content: WorkContent(isKept: isKept, byteCountMax: 32))
            let start = #"{"sessionId":"s","prompt":"SECRET0","sender":"me"}"#
            let trace = try await test.post("sessions", start)["traceId"]
            let step = #"""
                {"stepId":"a","stepAction":"llm","prompt":"SECRET1","request":{"messages":["SECRET2"],"model":"m"},
                 "stepContext":{"prompt":"mine"}}
                """#
            #expect(try await test.post("sessions/s/steps", step).status == 201)
            let events = #"""
                {"events":[{"name":"gen_ai.user.message","attributes":{"role":"user","content":"SECRET3"}},
                 {"name":"done","gen_ai.output.messages":"SECRET4 \#(String(repeating: "x", count: 100))","n":2}]}
                """#
            let answer = try await test.patch("sessions/s/steps/a", events)
            #expect((answer["events.0.attributes.content"] == "SECRET3") == isKept)
            #expect(answer["events.0.attributes.role"] == "user" && answer["events.1.attributes.n"] == "2")
            let line = #"{"op":"step.event","sessionId":"s","stepId":"a","name":"e","attributes":{"result":"SECRET5"}}"#
            #expect(try await batch(test, [line]) == ["201"])
            let told = try await test.call("GET", "sessions/s", "").json.description
            #expect(told.contains("SECRET") == isKept && told.contains("mine") != isKept)
            let journal = test.journal.records.map { String(decoding: $0, as: UTF8.self) }.joined()
            #expect((0..<6).map { journal.contains("SECRET\($0)") } == .init(repeating: isKept, count: 6))
            #expect(!journal.contains(String(repeating: "x", count: 40)))
            _ = try await test.patch("sessions/s/steps/a", #"{"stepOutcome":"success"}"#)
            let span = try await test.span(trace, step: "a")
            #expect(isKept || span.attributes["worktrace.context.request.model"] == "m")
            #expect(span.attributes["worktrace.context.prompt"] == (isKept ? "SECRET1" : "mine"))
            #expect(span.attributes["worktrace.content.\(isKept ? "truncated" : "dropped")"] == true)
        }
    }

    @Test func `Each event is kept once, at the time of its call unless it says its own`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        _ = try await test.post("sessions/s/steps", #"{"stepId":"a","stepAction":"llm"}"#)
        func line(_ facts: String) -> String {
            #"{"op":"step.event","sessionId":"s","stepId":"a","name":"token"\#(facts)}"#
        }
        let first = [#","eventId":1"#, #","eventId":"2""#, "", "", "", #","time":"2026-11-22T10:00:01.5Z""#].map(line)
        #expect(try await batch(test, first) == .init(repeating: "201", count: 6))
        test.clock.turn(seconds: 1)
        let again = [#","eventId":"1""#, #","eventId":1,"n":1"#, #","time":"2026-11-22T10:00:01.5Z""#, ""].map(line)
        #expect(try await batch(test, again) == ["200", "409", "200", "201"])
        let twice = #"{"events":[{"name":"x"},{"name":"x"},{"eventId":"3","name":"x","z":1,"a":2}]}"#
        let answer = try await test.patch("sessions/s/steps/a", twice)
        #expect(answer["events.7.time"]?.isEmpty == false && answer["events.9.eventId"] == "3")
        let other = #"{"events":[{"eventId":"3","name":"y"}]}"#
        #expect(try await test.patch("sessions/s/steps/a", other).status == 409)
        let next = try test.restarted()
        let known = #"{"events":[{"eventId":"3","name":"x","z":1,"a":2}],"stepOutcome":"success"}"#
        #expect(try await next.patch("sessions/s/steps/a", known).status == 200)
        let trace = try await next.post("sessions", #"{"sessionId":"s"}"#)["traceId"]
        let events = try await next.span(trace, step: "a").events
        #expect(events.count == 10 && events.allSatisfy { $0.timeUnixNanos > 1_700_000_000_000_000_000 })
        #expect(try await batch(next, [line(#","eventId":2"#), line(#","eventId":2,"n":1"#)]) == ["200", "409"])
    }

    @Test func `A step that its session's end found open still says how it ended`() async throws {
        let test = try WorkUnderTest()
        let trace = try await test.post("sessions", #"{"sessionId":"s"}"#)["traceId"]
        for id in ["soon", "late", "never"] {
            let step = #"{"stepId":"\#(id)","stepAction":"tool:x","startTime":"2026-11-22T09:00:00Z"}"#
            _ = try await test.post("sessions/s/steps", step)
        }
        #expect(try await test.post("sessions/s/end", #"{"outcome":"success"}"#)["totals.toolErrors"] == "0")
        let seen = try await test.call("GET", "sessions/s", "")
        #expect((0..<3).map { seen["steps.\($0).stepOutcome"] } == .init(repeating: "abandoned", count: 3))
        // What is overtaken by the end of its session ends when it says so.
        let end = #""stepOutcome":"failure","error":{"type":"io"},"usage":{"inputTokens":7}"#
        let early = #"{\#(end),"endTime":"2026-11-22T09:00:05Z"}"#
        #expect(try await test.patch("sessions/s/steps/soon", early).status == 200)
        #expect(try await test.span(trace, step: "soon").durationNanos == 5_000_000_000)
        test.clock.turn(seconds: 6)
        await test.work.sweep()
        let abandoned = try await test.span(trace, step: "late")
        #expect(abandoned.attributes["worktrace.step.outcome"] == "abandoned")
        let next = try test.restarted()
        for span in try await test.spans(trace) { try await next.store.append(SpanBatch(spans: [span])) }
        #expect(next.work.openSpanCount(ofSession: "s") == 0)
        #expect(try await next.patch("sessions/s/steps/late", #"{"events":[{"name":"more"}]}"#).status == 200)
        #expect(try await next.patch("sessions/s/steps/late", "{\(end)}").status == 200)
        #expect(try await next.patch("sessions/s/steps/late", "{\(end)}").status == 200)
        #expect(try await next.patch("sessions/s/steps/late", #"{"stepOutcome":"success"}"#).status == 409)
        let span = try await next.span(trace, step: "late")
        #expect(span.spanID == abandoned.spanID && span.status.code == .error && span.events.count == 1)
        #expect(span.attributes["error.type"] == "io" && span.endUnixNanos > abandoned.endUnixNanos)
        for test in [next, try next.restarted()] {
            let totals = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
            #expect(totals["totals.steps"] == "3" && totals["totals.toolErrors"] == "2")
            #expect(totals["totals.inputTokens"] == "14")
        }
        // In the end nothing is waited for.
        next.clock.turn(seconds: 16 * 60)
        await next.work.sweep()
        #expect(try await next.patch("sessions/s/steps/never", #"{"stepOutcome":"success"}"#).status == 409)
    }

    @Test func `A message is where its session is, whoever records that and whichever comes first`() async throws {
        let test = try WorkUnderTest()
        let traceID = TraceID(high: 7, low: 7)
        var agent = SkeinModel.Span(
            traceID: traceID,
            spanID: SpanID(1),
            name: "invoke_agent a",
            startUnixNanos: 1,
            durationNanos: 9
        )
        agent.attributes = [Attribute("gen_ai.operation.name", "invoke_agent"), Attribute("gen_ai.agent.name", "a")]
        var tool = agent
        (tool.spanID, tool.parentSpanID, tool.name) = (SpanID(2), SpanID(1), "execute_tool x")
        tool.attributes = [Attribute("gen_ai.operation.name", "execute_tool"), Attribute("gen_ai.tool.name", "x")]
        try await test.store.append(SpanBatch(spans: [agent, tool]))
        let id = "\(traceID):\(SpanID(1))"
        let named = try await test.post("messages", #"{"messageId":"named","sessionId":"\#(id)","bytes":512}"#)
        #expect(named["trace.traceId"] == traceID.description && named["trace.spanId"] == SpanID(1).description)
        let carried = #"{"messageId":"carried","from":"a","traceparent":"00-\#(traceID)-\#(SpanID(2))-01"}"#
        _ = try await test.post("messages", carried)
        for query in ["traceId=\(traceID)", "sessionId=\(id)"] {
            let list = try await test.call("GET", "messages?\(query)", "")
            #expect(list["messages.0.messageId"] == "named" || list["messages.1.messageId"] == "named")
            #expect((list.json["messages"] as? [Any])?.count == 2 && list.json.description.contains("512"))
        }
        let sender = try await test.call("GET", "messages/carried/trace", "")
        #expect(sender["sessionId"] == id && sender["stepId"] == SpanID(2).description)

        _ = try await test.post("messages", #"{"messageId":"early","sessionId":"kid"}"#)
        _ = try await test.post("sessions", #"{"sessionId":"t"}"#)
        let answer = #"{"stepId":"r","stepAction":"plan","messageIds":["early"]}"#
        _ = try await test.post("sessions/t/steps", answer)
        let kid = try await test.post("sessions", #"{"sessionId":"kid","parentSessionId":"par"}"#)
        for test in [test, try test.restarted()] {
            let trace = try await test.call("GET", "messages/early/trace", "")
            #expect(trace["traceId"] == kid["traceId"] && trace["spanId"] == kid["spanId"])
            #expect(trace["causedSteps.0.stepId"] == "r")
            let list = try await test.call("GET", "messages?traceId=\(kid["traceId"] ?? "")", "")
            #expect(list["messages.0.trace.traceId"] == kid["traceId"])
        }
    }

    @Test func `In a batch a step links to the message that it answers, wherever that stands`() async throws {
        let test = try WorkUnderTest()
        let lines = [
            #"{"op":"session.start","sessionId":"s","agentName":"a"}"#,
            #"{"op":"step.start","sessionId":"s","stepId":"r","stepAction":"plan","messageIds":["m"]}"#,
            #"{"op":"step.end","sessionId":"s","stepId":"r"}"#,
            #"{"op":"message","messageId":"m","from":"agent:a"}"#,
        ]
        #expect(try await batch(test, lines) == ["201", "201", "200", "201"])
        let trace = try await test.post("sessions", #"{"sessionId":"s","agentName":"a"}"#)["traceId"]
        let links = try await test.span(trace, step: "r").links
        #expect(links.first?.attributes["messaging.message.id"] == "m")
    }

    @Test func `The task comes with baggage, and goes on to children and whoever is called`() async throws {
        let test = try WorkUnderTest()
        let headers = [
            (name: "traceparent", value: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            (name: "baggage", value: "worktrace.task.id=task-99,worktrace.task.priority=high,foo=bar"),
        ]
        let start = try await test.post("sessions", #"{"sessionId":"s"}"#, headers: headers)
        for part in ["worktrace.task.id=task-99", "worktrace.task.priority=high", "foo=bar"] {
            #expect(start["baggage"]?.contains(part) == true)
        }
        let spawn = try await test.post("sessions/s/spawn", #"{"childAgentId":"b"}"#)
        let child = [(name: "traceparent", value: spawn["traceparent"] ?? "")]
        let id = try await test.post("sessions", "{}", headers: child)["sessionId"] ?? ""
        for test in [test, try test.restarted()] {
            #expect(try await test.post("sessions/\(id)/end", #"{"outcome":"success"}"#)["taskId"] == "task-99")
        }
        let span = try await test.spans(start["traceId"]).first { $0.attributes["worktrace.session.id"] == .string(id) }
        #expect(span?.attributes["worktrace.task.id"] == "task-99")
    }

    @Test func `Nothing is below itself`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        func step(_ id: String, below parent: String) async throws -> WorkUnderTest.Answer {
            let body = #"{"stepId":"\#(id)","parentStepId":"\#(parent)","stepAction":"plan","stepOutcome":"success"}"#
            return try await test.post("sessions/s/steps", body)
        }
        #expect(try await step("a", below: "b").status == 201)
        #expect(try await step("b", below: "c").status == 201)
        for (id, parent) in [("c", "a"), ("d", "d")] {
            let refused = try await step(id, below: parent)
            #expect(refused.status == 400 && refused["field"] == "/parentStepId")
            #expect(refused["detail"]?.contains("\"\(parent)\"") == true)
        }
        #expect(try await test.post("sessions", #"{"sessionId":"x","parentSessionId":"y"}"#).status == 201)
        for (id, parent) in [("y", "x"), ("z", "z")] {
            let body = #"{"sessionId":"\#(id)","parentSessionId":"\#(parent)"}"#
            let refused = try await test.post("sessions", body)
            #expect(refused.status == 400 && refused["field"] == "/parentSessionId")
        }
    }

    @Test func `A start that comes again in another trace is another session's`() async throws {
        let test = try WorkUnderTest()
        func start(_ parent: String?) async throws -> Int {
            let headers = parent.map { [(name: "traceparent", value: "00-\($0)-01")] } ?? []
            return try await test.post("sessions", #"{"sessionId":"s"}"#, headers: headers).status
        }
        let trace = "0af7651916cd43dd8448eb211c80319c"
        #expect(try await start("\(trace)-b7ad6b7169203331") == 201)
        // A client that traces its calls has a span for each try.
        #expect(try await start("\(trace)-b7ad6b7169203332") == 200)
        #expect(try await start(nil) == 200)
        #expect(try await start("1\(trace.dropFirst())-b7ad6b7169203331") == 409)
    }
}
