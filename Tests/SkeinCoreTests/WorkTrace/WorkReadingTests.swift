// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// Sessions, tools and orchestrations as they are read out of spans (`agents-api.md` §5).
struct WorkReadingTests {
    private static let base = "/api/worktrace/v1"
    private static let start = APIUnderTest.now - 3_600_000_000_000
    private static let second: UInt64 = 1_000_000_000

    /// A span of trace `trace`, some seconds after the start.
    private static func span(
        _ trace: UInt64,
        _ id: UInt64,
        below parent: UInt64 = 0,
        _ name: String,
        from first: UInt64,
        seconds: UInt64,
        _ attributes: [Attribute]
    ) -> SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 7, low: trace),
            spanID: SpanID(id),
            parentSpanID: SpanID(parent),
            name: name,
            startUnixNanos: start + first * second,
            durationNanos: seconds * second
        )
        span.attributes = attributes
        span.resource = Resource(attributes: [Attribute("service.name", "desk")])
        return span
    }

    /// An agent in a trace of its own, with a model call and a tool call.
    private static func run(_ trace: UInt64, _ agent: String, at first: UInt64, more: [Attribute] = []) -> [SkeinModel
        .Span]
    {
        let chat: [Attribute] = [
            Attribute("gen_ai.operation.name", "chat"), Attribute("gen_ai.request.model", "m"),
            Attribute("gen_ai.usage.input_tokens", 10), Attribute("gen_ai.usage.output_tokens", 2),
            Attribute("gen_ai.input.messages", #"[{"role":"user","parts":[{"type":"text","content":"hello"}]}]"#),
            Attribute("gen_ai.output.messages", #"[{"role":"assistant","parts":[{"type":"text","content":"hi"}]}]"#),
        ]
        let tool: [Attribute] = [
            Attribute("gen_ai.operation.name", "execute_tool"), Attribute("gen_ai.tool.name", "grep"),
        ]
        let agentFacts = [
            Attribute("gen_ai.operation.name", "invoke_agent"), Attribute("gen_ai.agent.name", .string(agent)),
        ]
        return [
            span(trace, trace << 8 | 1, "invoke_agent \(agent)", from: first, seconds: 10, agentFacts + more),
            span(trace, trace << 8 | 2, below: trace << 8 | 1, "chat m", from: first + 1, seconds: 2, chat),
            span(trace, trace << 8 | 3, below: trace << 8 | 1, "execute_tool grep", from: first + 4, seconds: 3, tool),
        ]
    }

    private static func session(_ trace: UInt64) -> String {
        "\(TraceID(high: 7, low: trace)):\(SpanID(trace << 8 | 1))"
    }

    @Test func `two orchestrations stand side by side up to where they differ`() async throws {
        let api = try await APIUnderTest(Self.run(1, "a", at: 0) + Self.run(2, "a", at: 60) + Self.run(3, "b", at: 90))
        let base = "\(Self.base)/sessions/\(Self.session(1))/compare"
        let same = try await api.json("\(base)/\(Self.session(2))")
        #expect(same["firstDivergence"] == .null)
        #expect(same["steps"].array.count == 2)
        #expect(same["durationNanos"]["a"] == "10000000000" && same["isCut"]["b"] == .bool(false))
        #expect(same["tools"][0]["name"] == "grep" && same["tools"][0]["count"]["b"].int == 1)
        #expect(same["usage"]["b"]["inputTokens"].int == 10)
        let other = try await api.json("\(base)/\(TraceID(high: 7, low: 3))")
        #expect(other["firstDivergence"]["index"].int == 0)
        #expect(other["firstDivergence"]["b"]["signature"] == "b")
        #expect(other["steps"].array.count == 4)
        #expect(try await api.json("\(base)/nobody", status: 404)["code"] == "unknown-session")
    }

    @Test func `sessions are listed newest first, page by page, each once`() async throws {
        let api = try await APIUnderTest((1...7).flatMap { Self.run($0, "a\($0)", at: $0 * 20) })
        var seen: [String?] = []
        var cursor = ""
        repeat {
            let page = try await api.json("\(Self.base)/sessions?limit=3\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
            #expect(page["sessions"].array.count <= 3)
            seen += page["sessions"].array.map { $0["agentName"].string }
            cursor = page["next"].string ?? ""
        } while !cursor.isEmpty
        #expect(seen == ["a7", "a6", "a5", "a4", "a3", "a2", "a1"])
    }

    @Test func `a session that began late in an old trace stands before newer traces`() async throws {
        var old = Self.run(1, "old", at: 0)
        old[0].durationNanos = 500 * Self.second
        let late = Self.span(
            1,
            0x199,
            below: 0x101,
            "invoke_agent late",
            from: 300,
            seconds: 5,
            [Attribute("gen_ai.operation.name", "invoke_agent"), Attribute("gen_ai.agent.name", "late")]
        )
        let api = try await APIUnderTest(old + [late] + Self.run(2, "new", at: 100))
        let first = try await api.json("\(Self.base)/sessions?limit=1")
        #expect(first["sessions"][0]["agentName"] == "late")
        let all = try await api.json("\(Self.base)/sessions")
        #expect(all["sessions"].array.map { $0["agentName"] } == ["late", "new", "old"])
        #expect(all["sessions"][0]["parentSessionId"] == .string(Self.session(1)))
    }

    @Test func `a cursor serves its own list only`() async throws {
        let api = try await APIUnderTest((1...3).flatMap { Self.run($0, "a", at: $0 * 20) })
        let page = try await api.json("\(Self.base)/sessions?limit=1")
        let cursor = try #require(page["next"].string)
        let refused = try await api.json("\(Self.base)/sessions?limit=1&agent=a&cursor=\(cursor)", status: 400)
        #expect(refused["field"] == "cursor")
    }

    @Test(arguments: [
        ("agent=a2", ["a2"]), ("outcome=failure", ["a3"]), ("minCost=0.5", ["a1"]), ("sessionKey=talk-2", ["a2"]),
        ("q=gen_ai.agent.name%20%3D%20%22a1%22", ["a1"]), ("from=1795338050000000000", ["a3"]),
        ("to=1795338030000000000", ["a1"]), ("priority=high", []), ("traceId=00000000000000070000000000000002", ["a2"]),
        ("text=A2", ["a2"]), ("text=TALK-", ["a2", "a1"]), ("text=nobody", []),
    ])
    func `filters leave what is asked for`(query: String, expected: [String]) async throws {
        var failed = Self.run(3, "a3", at: 60)
        failed[0].status = Span.Status(.error, message: "gave up")
        let dear = [Attribute("gen_ai.conversation.id", "talk-1"), Attribute("worktrace.cost.usd", 0.75)]
        var first = Self.run(1, "a1", at: 20, more: [dear[0]])
        first[1].attributes.append(dear[1])
        let talk = [Attribute("gen_ai.conversation.id", "talk-2")]
        let api = try await APIUnderTest(first + Self.run(2, "a2", at: 40, more: talk) + failed)
        let found = try await api.json("\(Self.base)/sessions?\(query)")
        #expect(found["sessions"].array.compactMap { $0["agentName"].string } == expected)
    }

    @Test func `a list tells how often users spoke and how many agents worked, and leaves out whom others started`()
        async throws
    {
        func spoken(_ texts: String...) -> Attribute {
            let messages = texts.enumerated().map { place, text in
                #"{"role":"\#(place == 1 ? "assistant" : "user")","content":"\#(text)"}"#
            }
            return Attribute("gen_ai.input.messages", .string("[\(messages.joined(separator: ","))]"))
        }
        var spans = Self.run(1, "lead", at: 0)
        spans[1].attributes.removeAll { $0.key == "gen_ai.input.messages" }
        var last = spans[1]
        last.spanID = SpanID(0x109)
        last.startUnixNanos += 3 * Self.second
        // Two parts of one message are one turn.
        last.attributes.append(spoken("Fix it.", "How?", "Like", "this."))
        spans[1].attributes.append(spoken("Fix it."))
        spans.append(last)
        for (id, name): (UInt64, String) in [(0x120, "helper"), (0x121, "helper"), (0x122, "critic")] {
            let agent = [
                Attribute("gen_ai.operation.name", "invoke_agent"), Attribute("gen_ai.agent.name", .string(name)),
            ]
            spans.append(Self.span(1, id, below: 0x101, "invoke_agent", from: id - 0x118, seconds: 1, agent))
        }
        let api = try await APIUnderTest(spans)
        let roots = try await api.json("\(Self.base)/sessions?parent=none")["sessions"]
        #expect(roots.array.map { $0["agentName"] } == ["lead"])
        #expect(roots[0]["agents"] == 3 && roots[0]["turns"] == 2 && roots[0]["firstMessage"] == "Fix it.")
        let below = try await api.json("\(Self.base)/sessions?parent=\(Self.session(1))")["sessions"].array
        #expect(below.map { $0["agentName"] } == ["critic", "helper", "helper"])
        #expect(below.map { $0["agents"] } == [1, 1, 1] && below.map { $0["turns"] } == [.null, .null, .null])
    }

    @Test func `plain traces of services hold no sessions`() async throws {
        let api = try await APIUnderTest(Shop.order)
        #expect(try await api.json("\(Self.base)/sessions")["sessions"].array.isEmpty)
        let id = Shop.order[0].traceID
        let whole = try await api.json("\(Self.base)/orchestrations/\(id)")
        #expect(whole["sessions"].array.count == 1)
        #expect(whole["toolCalls"].array.isEmpty)
    }

    @Test func `a session comes with its steps by start, and what was said`() async throws {
        let api = try await APIUnderTest(Self.run(1, "a", at: 0))
        let session = try await api.json("\(Self.base)/sessions/\(Self.session(1))")
        #expect(session["source"] == "spans")
        #expect(session["steps"].array.map { $0["stepKind"] } == ["llm", "tool"])
        #expect(session["steps"][1]["tool"]["name"] == "grep")
        #expect(session["totals"]["inputTokens"] == 10)
        #expect(session["totals"]["durationMs"] == 10_000)
        let said = try await api.json("\(Self.base)/sessions/\(Self.session(1))/conversation")
        #expect(said["contentState"] == "kept")
        #expect(said["turns"].array.map { $0["text"] } == ["hello", "hi"])
    }

    @Test func `a session is found by its id, however many its trace holds`() async throws {
        let spans = (0...10_000 as ClosedRange<UInt64>).map { number in
            let agent: [Attribute] = [
                Attribute("gen_ai.operation.name", "invoke_agent"),
                Attribute("gen_ai.agent.name", number == 0 ? "lead" : "worker"),
            ]
            let parent: UInt64 = number == 0 ? 0 : 1
            return Self.span(1, number + 1, below: parent, "invoke_agent", from: number, seconds: 5, agent)
        }
        let api = try await APIUnderTest(spans)
        let last = "\(TraceID(high: 7, low: 1)):\(SpanID(10_001))"
        #expect(try await api.json("\(Self.base)/sessions/\(last)")["sessionId"] == .string(last))
    }

    @Test(arguments: [
        ("sessions/nobody", "unknown-session"), ("sessions/nobody/conversation", "unknown-session"),
        ("orchestrations/00000000000000070000000000000009", "unknown-trace"),
        ("orchestrations/nobody", "unknown-session"), ("orchestrations/nobody/bottlenecks", "unknown-session"),
    ])
    func `what was never seen is 404`(path: String, code: String) async throws {
        let api = try await APIUnderTest(Self.run(1, "a", at: 0))
        #expect(try await api.json("\(Self.base)/\(path)", status: 404)["code"] == .string(code))
    }

    @Test(arguments: [
        ("sessions?limit=0", "limit"), ("sessions?minCost=dear", "minCost"), ("sessions?from=x", "from"),
        ("sessions?from=2&to=1", "to"), ("sessions?who=me", "who"), ("tools?groupBy=color", "groupBy"),
        ("tools?traceId=xyz", "traceId"), ("sessions?priority=urgent", "priority"),
        ("sessions?from=1969-12-31T23:59:59Z", "from"), ("tools?to=1970-01-01T00:00:00%2B01:00", "to"),
    ])
    func `what is out of its grammar is named`(path: String, field: String) async throws {
        let api = try await APIUnderTest([])
        let problem = try await api.json("\(Self.base)/\(path)", status: 400)
        #expect(problem["field"] == .string(field))
    }

    @Test func `tool calls are counted in groups`() async throws {
        let api = try await APIUnderTest((1...4).flatMap { Self.run($0, $0 < 4 ? "a" : "b", at: $0 * 20) })
        let tools = try await api.json("\(Self.base)/tools")["tools"]
        #expect(tools.array.count == 1)
        #expect(tools[0]["callCount"] == 4)
        #expect(tools[0]["durationNanos"]["p50"] == "3000000000")
        let agents = try await api.json("\(Self.base)/tools?groupBy=tool,agent")["tools"].array
        #expect(agents.map { $0["agentName"] } == ["a", "b"])
        #expect(agents.map { $0["callCount"] } == [3, 1])
        let page = try await api.json("\(Self.base)/tools?groupBy=agent&limit=1")
        let next = try #require(page["next"].string)
        let rest = try await api.json("\(Self.base)/tools?groupBy=agent&limit=1&cursor=\(next)")
        #expect(rest["tools"][0]["agentName"] == "b")
        #expect(rest["next"] == .null)
    }

    @Test func `sessions that only link are one forest, from either side`() async throws {
        var second = Self.run(2, "b", at: 5)
        second[0].links = [Span.Link(traceID: TraceID(high: 7, low: 1), spanID: SpanID(0x103))]
        let api = try await APIUnderTest(Self.run(1, "a", at: 0) + second)
        for trace: UInt64 in 1...2 {
            let whole = try await api.json("\(Self.base)/orchestrations/\(TraceID(high: 7, low: trace))")
            #expect(whole["sessions"].array.map { $0["agentName"] } == ["a", "b"])
            #expect(whole["edges"][0]["linkMode"] == "link")
            #expect(whole["rootSessionId"] == .string(Self.session(1)))
        }
    }

    @Test func `layers of one call that report to different traces are one row, from either side`() async throws {
        var agent = Self.run(1, "a", at: 0)
        agent[2].attributes.append(Attribute("gen_ai.tool.call.id", "toolu_1"))
        var proxy = Self.span(
            2,
            0x201,
            "tools/call grep",
            from: 5,
            seconds: 1,
            [
                Attribute("mcp.method.name", "tools/call"), Attribute("gen_ai.tool.name", "grep"),
                Attribute("worktrace.mcp.response.bytes", 70), Attribute("gen_ai.tool.call.id", "toolu_1"),
            ]
        )
        proxy.scope = InstrumentationScope(name: "skein-mcp-proxy")
        let api = try await APIUnderTest(agent + [proxy])
        for trace: UInt64 in 1...2 {
            let whole = try await api.json("\(Self.base)/orchestrations/\(TraceID(high: 7, low: trace))")
            #expect(whole["sessions"].array.map { $0["agentName"] } == ["a"])
            #expect(whole["toolCallCount"] == 1)
            #expect(whole["toolCalls"][0]["layers"].array.map { $0["layer"] } == ["agent", "proxy"])
        }
        let own = try await api.json("\(Self.base)/sessions/\(Self.session(1))")
        #expect(own["steps"].array.count == 2 && own["totals"]["steps"] == 2)
        // The proxy alone is no agent. What it tells is counted once, and by layers as its own.
        #expect(try await api.json("\(Self.base)/sessions")["sessions"].array.map { $0["agentName"] } == ["a"])
        let tools = try await api.json("\(Self.base)/tools")["tools"].array
        #expect(tools.map { $0["callCount"] } == [1] && tools[0]["resultBytes"] == 70)
        let layers = try await api.json("\(Self.base)/tools?groupBy=layer")["tools"].array
        #expect(layers.map { $0["callCount"] } == [1, 1])
        // What the tool's server tells of it stands behind the proxy, and makes neither a session nor a second call.
        var server = Self.span(2, 0x202, below: 0x201, "tools/call grep", from: 5, seconds: 1, proxy.attributes)
        server.kind = .server
        let served = try await APIUnderTest(agent + [proxy, server])
        #expect(try await served.json("\(Self.base)/sessions")["sessions"].array.map { $0["agentName"] } == ["a"])
        _ = try await served.json("\(Self.base)/sessions/\(proxy.traceID):\(proxy.spanID)", status: 404)
        #expect(try await served.json("\(Self.base)/tools")["tools"].array.map { $0["callCount"] } == [1])
        proxy.attributes.removeLast()
        let unnamed = try await APIUnderTest([proxy])
        #expect(try await unnamed.json("\(Self.base)/sessions")["sessions"].array.isEmpty)
        #expect(try await unnamed.json("\(Self.base)/tools")["tools"][0]["callCount"] == 1)
        #expect(try await unnamed.json("/api/skein/v1/search")["traces"].array.count == 1)
        // Below an agent it is a part of the work.
        proxy.traceID = agent[0].traceID
        proxy.parentSpanID = agent[2].spanID
        let joined = try await APIUnderTest(agent + [proxy])
        let session = try await joined.json("\(Self.base)/sessions/\(Self.session(1))")
        #expect(session["steps"].array.count == 3)
        #expect(try await joined.json("\(Self.base)/sessions")["sessions"].array.count == 1)
    }

    @Test
    func `turns of one agent in traces of their own are sessions of their own, and the one asked for is the root`()
        async throws
    {
        var second = Self.run(2, "a", at: 20)
        second[0].links = [Span.Link(traceID: TraceID(high: 7, low: 1), spanID: SpanID(0x101))]
        let api = try await APIUnderTest(Self.run(1, "a", at: 0) + second)
        for trace: UInt64 in 1...2 {
            let id = Self.session(trace)
            #expect(try await api.json("\(Self.base)/sessions/\(id)")["sessionId"] == .string(id))
        }
    }

    @Test func `what only a message joins keeps its own root`() async throws {
        var second = Self.run(2, "b", at: 20)
        second[0].links = [
            Span.Link(
                traceID: TraceID(high: 7, low: 1),
                spanID: SpanID(0x103),
                attributes: [Attribute("worktrace.link.relation", "message")]
            )
        ]
        let api = try await APIUnderTest(Self.run(1, "a", at: 0) + second)
        let whole = try await api.json("\(Self.base)/orchestrations/\(TraceID(high: 7, low: 2))")
        #expect(whole["rootSessionId"] == .string(Self.session(2)))
        #expect(whole["durationNanos"] == "10000000000")
    }

    @Test func `a running step is open, and a history that is told again is told once`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s","threadId":"t"}"#)
        _ = try await test.post("sessions/s/steps", #"{"stepId":"a","stepAction":"tool:grep","tool":{"server":"fs"}}"#)
        let api = APIUnderTest.work(test.work, over: test.store)
        func get(_ path: String) async throws -> JSONValue {
            let response = try #require(await api.respond(to: APIRequest(target: "\(Self.base)/\(path)")))
            return try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))
        }
        let session = try await get("sessions/s")
        #expect(session["state"] == "running" && session["threadId"] == "t")
        #expect(session["steps"][0]["stepOutcome"] == "running" && session["steps"][0]["endTime"] == .null)
        let call = try await get("orchestrations/s")["toolCalls"][0]
        #expect(call["outcome"] == .null && call["server"] == "fs")

        var other = Self.run(9, "a", at: 0)
        other.append(other[1])
        other[3].spanID = SpanID(0x909)
        other[3].startUnixNanos += Self.second
        let said = try await APIUnderTest(other).json("\(Self.base)/sessions/\(Self.session(9))/conversation")
        #expect(said["turns"].array.map { $0["text"] } == ["hello", "hi"])
    }

    @Test func `what was said comes page by page, each turn once`() async throws {
        var spans = Self.run(1, "a", at: 0)
        let turns = (0..<7).map { #"{"role":"user","parts":[{"type":"text","content":"\#($0)"}]}"# }
        spans[1].attributes.removeAll { $0.key == "gen_ai.input.messages" }
        spans[1].attributes.append(Attribute("gen_ai.input.messages", .string("[\(turns.joined(separator: ","))]")))
        let api = try await APIUnderTest(spans)
        let path = "\(Self.base)/sessions/\(Self.session(1))/conversation?limit=3"
        var seen: [String?] = []
        var cursor = ""
        repeat {
            let page = try await api.json(path + (cursor.isEmpty ? "" : "&cursor=\(cursor)"))
            #expect(page["turns"].array.count <= 3 && page["contentState"] == "kept")
            seen += page["turns"].array.map { $0["text"].string }
            cursor = page["next"].string ?? ""
        } while !cursor.isEmpty && seen.count < 20
        #expect(seen == ["0", "1", "2", "3", "4", "5", "6", "hi"])
        #expect(try await api.json(path + "&cursor=00", status: 400)["field"] == "cursor")
    }

    @Test func `the context of a step comes back as it was sent`() async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        let context =
            #"{"a.b":1,"file":{"path.x":"p","line":3},"deep":{"x":{"y":[{"z":true}]}},"list":[1,2],"empty":{}}"#
        _ = try await test.post(
            "sessions/s/steps",
            #"{"stepId":"a","stepAction":"tool:grep","stepOutcome":"success","stepContext":\#(context)}"#
        )
        let api = APIUnderTest.work(test.work, over: test.store)
        let response = try #require(await api.respond(to: APIRequest(target: "\(Self.base)/sessions/s")))
        let session = try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))
        let sent = try JSONDecoder().decode(JSONValue.self, from: Data(context.utf8))
        #expect(session["steps"][0]["stepContext"] == sent)
    }

    @Test func `lone notifications are found by a condition only, and nothing is missing from a page`() async throws {
        var spans: [SkeinModel.Span] = []
        for number: UInt64 in 1...6 {
            spans += Self.run(number * 2, "a", at: number * 20)
            let method = Attribute("mcp.method.name", "notifications/initialized")
            spans.append(
                Self.span(
                    number * 2 + 1,
                    number,
                    "notifications/initialized",
                    from: number * 20 + 1,
                    seconds: 0,
                    [method]
                )
            )
        }
        let api = try await APIUnderTest(spans)
        let page = try await api.json("/api/skein/v1/search?limit=4")
        #expect(page["traces"].array.map { $0["rootSpanName"] } == Array(repeating: "invoke_agent a", count: 4))
        let next = try #require(page["next"].string)
        let rest = try await api.json("/api/skein/v1/search?limit=4&cursor=\(next)")
        #expect(rest["traces"].array.count == 2)
        let query = "name%20%3D%20%22notifications%2Finitialized%22"
        #expect(try await api.json("/api/skein/v1/search?q=\(query)")["traces"].array.count == 6)
    }

    @Test func `do-trace says where the time of a session goes, be it named by itself or by its trace`() async throws {
        let test = try WorkUnderTest()
        try await test.store.append(SpanBatch(spans: Self.run(1, "a", at: 0)))
        func text(_ arguments: String, isError: Bool = false) async throws -> String? {
            let call = #""name":"do-trace","arguments":{"action":"bottlenecks"\#(arguments)}"#
            let request = APIRequest(
                method: "POST",
                target: "/mcp",
                headers: [("Content-Type", "application/json"), ("MCP-Protocol-Version", "2025-11-25")],
                body: Array(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{\#(call)}}"#.utf8)
            )
            let response = try #require(await test.api.respond(to: request))
            let answer = try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))["result"]
            #expect(answer["isError"] == .bool(isError))
            return answer["content"][0]["text"].string
        }
        let id = #""sessionId":"\#(Self.session(1))""#
        let byTrace = try await text(#","query":{"traceId":"\#(TraceID(high: 7, low: 1))"}"#)
        #expect(byTrace?.hasPrefix("Where the time goes") == true)
        #expect(try await text(",\(id)") == byTrace)
        #expect(try await text(",\"query\":{\(id)}") == byTrace)
        #expect(try await text("", isError: true)?.contains("traceId or a sessionId") == true)
    }
}
