// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import Testing

/// Sessions and where they hang (`agents.md` §1.2, `agents-api.md` §4).
@Suite struct WorkSessionTests {
    @Test func `A session has the ids that everybody computes alike`() async throws {
        let test = try WorkUnderTest()
        let answer = try await test.post("sessions", #"{"sessionId":"ses_1","agentId":"coder-2","agentName":"coder"}"#)
        #expect(answer.status == 201)
        // SHA-256 of "wt:t:ses_1" and "wt:s:ses_1/", cut.
        #expect(answer["traceId"] == "dc2ad0ca2ba1fb5cc6b7f8fbb8d0bc27" || answer["traceId"]?.count == 32)
        #expect(answer["traceparent"] == "00-\(answer["traceId"] ?? "")-\(answer["spanId"] ?? "")-01")
        #expect(answer["env.TRACEPARENT"] == answer["traceparent"])
        #expect(answer["env.WORKTRACE_SESSION_ID"] == "ses_1")
        #expect(answer["sampled"] == "1")
        #expect(answer["baggage"]?.contains("worktrace.session.id=ses_1") == true)
        let again = try await WorkUnderTest().post("sessions", #"{"sessionId":"ses_1"}"#)
        #expect(again["traceId"] == answer["traceId"] && again["spanId"] == answer["spanId"])
    }

    @Test func `The same start again is 200 and the first answer, other facts are 409`() async throws {
        let test = try WorkUnderTest()
        let body = #"{"sessionId":"s","agentName":"a","startTime":"2026-11-22T10:00:00Z"}"#
        let first = try await test.post("sessions", body)
        let second = try await test.post(
            "sessions",
            #"{"startTime":"1795341600000000000","agentName":"a","sessionId":"s","title":null}"#
        )
        #expect((first.status, second.status) == (201, 200))
        #expect(second["spanId"] == first["spanId"])
        let other = try await test.post("sessions", #"{"sessionId":"s","agentName":"b"}"#)
        #expect(other.status == 409 && other["code"] == "conflict")
        #expect(other["type"] == "urn:skein:problem:conflict")
    }

    @Test func `A valid traceparent wins, an invalid one is ignored`() async throws {
        let test = try WorkUnderTest()
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
        let child = try await test.post("sessions", #"{"sessionId":"s"}"#, headers: [("traceparent", parent)])
        #expect(child["traceId"] == "0af7651916cd43dd8448eb211c80319c")
        _ = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
        let span = try #require(try await test.spans(child["traceId"]).first)
        #expect(span.parentSpanID == SpanID(hex: "b7ad6b7169203331"))
        #expect(span.flags & 0x300 == 0x300)
        let other = try await test.post("sessions", #"{"sessionId":"t"}"#, headers: [("traceparent", "00-zz")])
        #expect(other.status == 201 && other["traceId"] != child["traceId"])
    }

    @Test func `A child joins the trace of its parent, whichever of them comes first`() async throws {
        for isChildFirst in [false, true] {
            let test = try WorkUnderTest()
            let bodies = [#"{"sessionId":"p"}"#, #"{"sessionId":"c","parentSessionId":"p","parentStepId":"st"}"#]
            var traces: [String?] = []
            for body in isChildFirst ? bodies.reversed() : bodies {
                let answer = try await test.post("sessions", body)
                #expect(answer.status == 201)
                traces.append(answer["traceId"])
            }
            #expect(traces[0] == traces[1])
            _ = try await test.post(
                "sessions/p/steps",
                #"{"stepId":"st","stepAction":"agent:c","stepOutcome":"success"}"#
            )
            _ = try await test.post("sessions/c/end", #"{"outcome":"success"}"#)
            let spans = try await test.spans(traces[0])
            let step = try #require(spans.first { $0.attributes["worktrace.step.id"] == "st" })
            let child = try #require(spans.first { $0.attributes["worktrace.session.id"] == "c" })
            #expect(child.parentSpanID == step.spanID)
            #expect(child.attributes["worktrace.session.parent_id"] == "p")
            #expect(child.attributes["worktrace.session.root_id"] == "p")
        }
    }

    @Test func `A linked session has a trace of its own and a link to what started it`() async throws {
        let test = try WorkUnderTest()
        let parent = try await test.post("sessions", #"{"sessionId":"p"}"#)
        let child = try await test.post("sessions", #"{"sessionId":"c","parentSessionId":"p","linkMode":"link"}"#)
        #expect(child["traceId"] != parent["traceId"])
        _ = try await test.post("sessions/c/end", #"{"outcome":"success"}"#)
        let span = try #require(try await test.spans(child["traceId"]).first)
        #expect(span.parentSpanID == .zero)
        #expect(span.links.first?.spanID == parent["spanId"].flatMap { SpanID(hex: $0) })
        #expect(span.links.first?.attributes["worktrace.link.relation"] == "spawned_by")
        #expect(span.attributes["worktrace.session.link_mode"] == "link")
    }

    @Test func `Baggage names the session and the step of a sender that the server never saw`() async throws {
        let test = try WorkUnderTest()
        let headers = [
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("baggage", "worktrace.session.id=elsewhere,worktrace.step.id=st_4,worktrace.child.session.id=other"),
        ]
        let child = try await test.post("sessions", #"{"sessionId":"c","agentName":"reviewer"}"#, headers: headers)
        // What it hands on names itself, and no step of others.
        #expect(child["baggage"]?.contains("worktrace.session.id=c") == true)
        #expect(child["baggage"]?.contains("worktrace.step.id") == false)
        #expect(child["baggage"]?.contains("worktrace.child") == false)
        let own = try await test.post("sessions/c/steps", #"{"stepId":"s1","stepAction":"plan"}"#)
        #expect(own["env.BAGGAGE"]?.contains("worktrace.step.id=s1") == true)
        let end = try await test.post("sessions/c/end", #"{"outcome":"success"}"#)
        #expect(end["parentSessionId"] == "elsewhere" && end["parentStepId"] == "st_4")
    }

    @Test func `A spawned child hangs below the spawn step by its traceparent or its ids`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"p","taskPriority":"P1"}"#)
        let spawn = try await test.post(
            "sessions/p/spawn",
            #"{"childAgentId":"reviewer","task":"review it","stepId":"sp"}"#
        )
        #expect(spawn.status == 201)
        #expect(spawn["env.WORKTRACE_PARENT_SESSION_ID"] == "p" && spawn["env.WORKTRACE_PARENT_STEP_ID"] == "sp")
        #expect(spawn["env.WORKTRACE_SESSION_ID"] == spawn["childSessionId"])
        #expect(spawn["env.WORKTRACE_TASK_PRIORITY"] == "high")
        #expect(spawn["headers.traceparent"] == spawn["traceparent"])
        #expect(spawn["_meta.traceparent"] == spawn["traceparent"])
        #expect(spawn["a2aMetadata.traceparent"] == spawn["traceparent"])
        let again = try await test.post(
            "sessions/p/spawn",
            #"{"childAgentId":"reviewer","task":"review it","stepId":"sp"}"#
        )
        #expect(again.status == 200 && again["childSessionId"] == spawn["childSessionId"])
        let child = try await test.post(
            "sessions",
            #"{"sessionId":"other","agentId":"reviewer"}"#,
            headers: [("traceparent", spawn["traceparent"] ?? "")]
        )
        #expect(child["traceId"] == spawn["traceId"])
        let end = try await test.post("sessions/other/end", #"{"outcome":"success"}"#)
        #expect(end["parentSessionId"] == "p" && end["parentStepId"] == "sp" && end["taskPriority"] == "high")
        // Without an id of its own it is the one that was announced, which begins once.
        let headers = [(name: "traceparent", value: spawn["traceparent"] ?? "")]
        let unnamed = try await test.post("sessions", #"{"agentId":"reviewer"}"#, headers: headers)
        #expect(unnamed["sessionId"] == spawn["childSessionId"] && unnamed["traceId"] == spawn["traceId"])
        let second = try await test.post("sessions", #"{"agentId":"reviewer"}"#, headers: headers)
        #expect(second.status == 201 && second["sessionId"] != spawn["childSessionId"])
    }

    @Test func `A child may raise the priority and never lowers it`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"p","taskPriority":1}"#)
        for (id, sent, expected) in [("a", "critical", "critical"), ("b", "background", "high")] {
            _ = try await test.post(
                "sessions",
                #"{"sessionId":"\#(id)","parentSessionId":"p","taskPriority":"\#(sent)"}"#
            )
            #expect(try await test.post("sessions/\(id)/end", #"{"outcome":"success"}"#)["taskPriority"] == expected)
        }
    }

    @Test func `The end writes the session's span, and ends what is open as abandoned`() async throws {
        let test = try WorkUnderTest()
        let start = try await test.post(
            "sessions",
            #"{"sessionId":"s","agentName":"coder","threadId":"grp","labels":{"team":"infra"},"taskId":"t17","extra":7}"#
        )
        _ = try await test.post("sessions/s/steps", #"{"stepId":"open","stepAction":"tool:grep"}"#)
        #expect(try await test.spans(start["traceId"]).isEmpty)
        let end = try await test.post("sessions/s/end", #"{"outcome":"failure","error":{"message":"no"}}"#)
        #expect(end.status == 200 && end["state"] == "ended" && end["outcome"] == "failure")
        #expect(end["totals.toolCalls"] == "1")
        // Its own end may be on its way.
        #expect(try await test.spans(start["traceId"]).count == 1)
        test.clock.turn(seconds: 5)
        await test.work.sweep()
        let spans = try await test.spans(start["traceId"])
        #expect(spans.count == 2)
        let root = try #require(spans.first { $0.name == "invoke_agent coder" })
        #expect(root.status == SkeinModel.Span.Status(.error, message: "no"))
        #expect(root.resource.serviceName == "coder" && root.scope.name == "worktrace")
        #expect(root.attributes["gen_ai.conversation.id"] == "grp")
        #expect(root.attributes["session.id"] == "s")
        #expect(root.attributes["worktrace.label.team"] == "infra")
        #expect(root.attributes["worktrace.context.extra"] == 7)
        #expect(root.attributes["worktrace.task.id"] == "t17")
        #expect(root.attributes["error.type"] == "failure")
        let step = try await test.span(start["traceId"], step: "open")
        #expect(step.attributes["worktrace.step.outcome"] == "abandoned")
        #expect(step.status.code == .unset)
        #expect(try await test.post("sessions/s/end", #"{"outcome":"failure"}"#).status == 200)
        #expect(try await test.post("sessions/s/end", #"{"outcome":"success"}"#).status == 409)
    }

    @Test func `A silent session is abandoned, and comes back with the next sign of life`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        _ = try await test.post("sessions/s/steps", #"{"stepId":"w","stepAction":"wait:human"}"#)
        #expect(try await test.post("sessions/s/heartbeat")["state"] == "waiting")
        test.clock.turn(seconds: 16 * 60)
        await test.work.sweep()
        #expect(test.work.openSpanCount(ofSession: "s") == 2)
        #expect(test.work.state(ofSession: "s") == "abandoned")
        #expect(try await test.post("sessions/s/heartbeat")["state"] == "waiting")
    }

    @Test func `What stays silent for a day is written as abandoned`() async throws {
        let test = try WorkUnderTest()
        let start = try await test.post("sessions", #"{"sessionId":"s"}"#)
        _ = try await test.post("sessions/s/steps", #"{"stepId":"a","stepAction":"plan"}"#)
        test.clock.turn(seconds: 25 * 3600)
        await test.work.sweep()
        let spans = try await test.spans(start["traceId"])
        #expect(spans.count == 2)
        #expect(spans.contains { $0.attributes["worktrace.session.state"] == "abandoned" })
    }

    @Test func `A session that was forgotten is known again by its stored span`() async throws {
        let test = try WorkUnderTest()
        let start = try await test.post("sessions", #"{"sessionId":"s","agentName":"a"}"#)
        _ = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
        test.clock.turn(seconds: 2 * 3600)
        await test.work.sweep()
        #expect(test.work.state(ofSession: "s") == nil)
        #expect(try await test.post("sessions", #"{"sessionId":"s","agentName":"a"}"#).status == 200)
        #expect(try await test.post("sessions", #"{"sessionId":"s","agentName":"b"}"#).status == 409)
        let late = try await test.post(
            "sessions/s/steps",
            #"{"stepId":"l","stepAction":"tool:x","stepOutcome":"success"}"#
        )
        #expect(late.status == 201 && late["traceId"] == start["traceId"])
    }
}
