// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// What was written is what is read (`agents-api.md` §1, §5).
@Suite struct WorkAnswerTests {
    /// The run of an agent that OTLP spans tell of, and the session that it is.
    private static func recorded(_ test: WorkUnderTest) async throws -> (trace: String, session: String) {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 7, low: 7),
            spanID: SpanID(0x70),
            name: "invoke_agent op",
            startUnixNanos: test.clock.unixNanos,
            durationNanos: 60_000_000_000
        )
        span.attributes = [Attribute("gen_ai.operation.name", "invoke_agent"), Attribute("gen_ai.agent.name", "op")]
        try await test.store.append(SpanBatch(spans: [span]))
        return ("\(span.traceID)", "\(span.traceID):\(span.spanID)")
    }

    @Test(arguments: ["join", "link"])
    func `A session of OTLP spans is a parent like any other, and stays what it is`(mode: String) async throws {
        let test = try WorkUnderTest()
        let (trace, parent) = try await Self.recorded(test)
        let facts = #""parentSessionId":"\#(parent)","linkMode":"\#(mode)""#
        let child = try await test.post("sessions", #"{"sessionId":"x",\#(facts)}"#)
        #expect((child["traceId"] == trace) == (mode == "join"))
        let steps = try await test.post("sessions/\(parent)/steps", #"{"stepAction":"plan"}"#)
        #expect(steps.status == 404 && steps["detail"]?.contains("is recorded by OTLP spans") == true)
        if mode == "join" { _ = try await test.post("sessions/x/end", #"{"outcome":"success"}"#) }
        let read = try await test.call("GET", "sessions/\(parent)", "")
        #expect(read["agentName"] == "op" && read["childSessionIds.0"] == "x")
        #expect(try await test.call("GET", "sessions/\(parent)/conversation", "").status == 200)
        for id in [parent, "x"] {
            let whole = try await test.call("GET", "orchestrations/\(id)", "")
            #expect(whole["sessions.0.sessionId"] == parent && whole["sessions.1.parentSessionId"] == parent)
            #expect(whole["sessions.2.sessionId"] == nil)
        }
    }

    @Test func `A session without a start is shown with what is known of it, once that is more than its name`()
        async throws
    {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"c","parentSessionId":"ghost"}"#)
        let named = try await test.call("GET", "sessions/ghost", "")
        #expect(named.status == 404 && named["detail"]?.contains("named by others") == true)
        _ = try await test.post("sessions/ghost/steps", #"{"stepId":"a","stepAction":"plan"}"#)
        let shown = try await test.call("GET", "sessions/ghost", "")
        #expect(shown["state"] == "running" && shown["agentName"] == nil && shown["steps.0.stepId"] == "a")
        #expect(shown["childSessionIds.0"] == "c")
        _ = try await test.post("sessions/ghost/end", #"{"outcome":"success"}"#)
        let list = try await test.call("GET", "sessions?outcome=success", "")
        #expect(list["sessions.0.sessionId"] == "ghost" && list["sessions.1.sessionId"] == nil)
    }

    @Test func `The end answers the totals that are read afterwards`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s","agentName":"a"}"#)
        func step(_ facts: String, _ from: UInt64, _ to: UInt64) async throws {
            let (from, to) = (from * 1_000_000_000 + test.clock.unixNanos, to * 1_000_000_000 + test.clock.unixNanos)
            let times = #""startTime":"\#(from)","endTime":"\#(to)""#
            _ = try await test.post("sessions/s/steps", #"{\#(facts),"stepOutcome":"success",\#(times)}"#)
        }
        let usage = #""usage":{"inputTokens":100,"outputTokens":10,"usd":1}"#
        try await step(#""stepId":"p","stepAction":"plan",\#(usage)"#, 0, 60)
        try await step(#""parentStepId":"p","stepAction":"llm:m",\#(usage)"#, 0, 30)
        try await step(#""stepId":"t","stepAction":"tool:grep","tool":{"callId":"c"}"#, 60, 80)
        try await step(#""parentStepId":"t","stepAction":"tool:grep","tool":{"callId":"c"}"#, 60, 70)
        try await step(#""stepAction":"wait:session""#, 100, 250)
        try await step(#""stepAction":"wait:human""#, 220, 340)
        test.clock.turn(seconds: 600)
        let end = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
        let read = try await test.call("GET", "sessions/s", "")
        let names = ["inputTokens", "usd", "toolCalls", "llmCalls", "steps", "waitMs", "activeMs", "durationMs"]
        #expect(names.map { end["totals.\($0)"] } == ["100", "1.0", "1", "1", "6", "240000", "360000", "600000"])
        #expect(names.map { read["totals.\($0)"] } == names.map { end["totals.\($0)"] })
        #expect(end["totals.exact"] == "1" && end["agentName"] == read["agentName"])
        // Without waitsOn the action says for whom it waits.
        let whole = try await test.call("GET", "orchestrations/s", "")
        #expect(whole["sessions.0.timeClasses.humanWait"] == "120000000000")
        #expect(whole["sessions.0.timeClasses.messageWait"] == "0")
    }

    @Test func `Sessions are found in the time in which they are at work`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"gone"}"#)
        _ = try await test.post("sessions/gone/end", #"{"outcome":"success"}"#)
        _ = try await test.post("sessions", #"{"sessionId":"old"}"#)
        _ = try await test.post("sessions", #"{"sessionId":"over"}"#)
        test.clock.turn(seconds: 3_000)
        _ = try await test.post("sessions/over/end", #"{"outcome":"success"}"#)
        let middle = test.clock.unixNanos
        test.clock.turn(seconds: 60)
        _ = try await test.post("sessions", #"{"sessionId":"new"}"#)
        func found(_ query: String) async throws -> [String] {
            let page = try await test.call("GET", "sessions?\(query)", "")
            let next = page["next"].map { "\(query)&cursor=\($0)" }
            let ids = (0..<5).compactMap { page["sessions.\($0).sessionId"] }
            return try await next == nil ? ids : ids + found(next ?? "")
        }
        #expect(try await found("from=\(middle)") == ["new", "old"])
        #expect(try await found("limit=1&from=\(middle)") == ["new", "old"])
        #expect(try await found("from=\(middle - 1)") == ["new", "old", "over"])
        #expect(try await found("from=\(middle)&to=\(middle + 1)") == ["old"])
    }

    @Test func `An abandoned session lasts until it was last heard of, and so do its open steps`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        test.clock.turn(seconds: 10)
        _ = try await test.post("sessions/s/steps", #"{"stepId":"a","stepAction":"tool:grep"}"#)
        test.clock.turn(seconds: 5)
        _ = try await test.post("sessions/s/heartbeat")
        test.clock.turn(seconds: 16 * 60)
        await test.work.sweep()
        for _ in 0..<2 {
            let read = try await test.call("GET", "sessions/s", "")
            #expect(read["state"] == "abandoned" && read["endTime"] == "2026-11-22T10:00:15.000000000Z")
            #expect(read["totals.durationMs"] == "15000" && read["steps.0.stepOutcome"] == "abandoned")
            #expect(read["steps.0.endTime"] == read["endTime"])
            let whole = try await test.call("GET", "orchestrations/s", "")
            #expect(whole["durationNanos"] == "15000000000" && whole["toolCalls.0.outcome"] == "abandoned")
            test.clock.turn(seconds: 100)
        }
        _ = try await test.post("sessions/s/heartbeat")
        let alive = try await test.call("GET", "sessions/s", "")
        #expect(alive["state"] == "running" && alive["endTime"] == nil && alive["steps.0.stepOutcome"] == "running")
    }

    @Test func `Links come back as they were written, and names that nobody gave are null`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"l","agentId":"coder-2"}"#)
        let links = #"[{"sessionId":"t"},{"sessionId":"t","stepId":"future"},{"sessionId":"l","stepId":"a"}]"#
        _ = try await test.post("sessions/l/steps", #"{"stepId":"a","stepAction":"plan","links":\#(links)}"#)
        for _ in 0..<2 {
            let read = try await test.call("GET", "sessions/l", "")
            #expect((0..<3).map { read["steps.0.links.\($0).sessionId"] } == ["t", "t", "l"])
            #expect((0..<3).map { read["steps.0.links.\($0).stepId"] } == [nil, "future", "a"])
            #expect(read["agentName"] == nil && read["agentId"] == "coder-2")
            test.clock.turn(seconds: 1)
            _ = try await test.post("sessions", #"{"sessionId":"t"}"#)
        }
        let end = try await test.post("sessions/l/end", #"{"outcome":"success"}"#)
        #expect(end["agentName"] == nil)
        #expect(try await test.call("GET", "orchestrations/l", "")["sessions.0.agentName"] == "coder-2")
    }

    @Test func `Who asks for one of several pieces of work that links join gets the facts of that one`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"w","taskId":"t1","taskPriority":"high"}"#)
        test.clock.turn(seconds: 1)
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        let link = #"{"sessionId":"w","relation":"caused_by"}"#
        _ = try await test.post(
            "sessions/s/steps",
            #"{"stepAction":"plan","stepOutcome":"success","links":[\#(link)]}"#
        )
        _ = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
        let own = try await test.call("GET", "orchestrations/s", "")
        #expect(own["rootSessionId"] == "s" && own["state"] == "ended" && own["sessions.1.sessionId"] == "s")
        #expect(own["taskId"] == nil && own["taskPriority"] == nil)
        let other = try await test.call("GET", "orchestrations/w", "")
        #expect(other["rootSessionId"] == "w" && other["state"] == "running" && other["taskId"] == "t1")
    }

    @Test func `Errors of do-trace point into its query, and its name is among the tools`() async throws {
        let test = try WorkUnderTest()
        func call(_ name: String, _ arguments: String) async throws -> String {
            let params = #"{"name":"\#(name)","arguments":{\#(arguments)}}"#
            let request = APIRequest(
                method: "POST",
                target: "/mcp",
                headers: [("Content-Type", "application/json"), ("MCP-Protocol-Version", "2025-11-25")],
                body: Array(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#.utf8)
            )
            return String(decoding: try #require(await test.api.respond(to: request)).bytes, as: UTF8.self)
        }
        for (query, field) in [(#""zz":1"#, "zz"), (#""limit":[]"#, "limit"), (#""from":"x""#, "from")] {
            let answer = try await call("do-trace", #""action":"find_sessions","query":{\#(query)}"#)
            #expect(answer.contains(#""field":"/query/\#(field)""#), "\(answer)")
        }
        #expect(try await call("dotrace", "").contains("did you mean do-trace?"))
    }
}
