// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Logical tool calls")
struct ToolCallTests {
    @Test("All layers of a call are one call, and their selfs sum to it")
    func layers() throws {
        var work = AgentSpans()
        let host = work.agent("host", 0...100)
        let call = work.tool("add", 0...80, below: host, call: "c1")
        let client = work.tool("add", 10...70, below: call, layer: .client, request: "3")
        let transport = work.tool("add", 15...65, below: client, layer: .transport, request: "3")
        let request = work.add(nil, "POST /mcp", 16...64, below: transport)
        let server = work.tool("add", 30...66, below: request, layer: .server, request: "3", service: "demo") {
            $0.fail("tool_error")
        }
        work.tool("add", 35...60, below: server, service: "demo")
        let orchestration = work.orchestration
        #expect(orchestration.toolCalls.count == 1)
        let only = try #require(orchestration.toolCalls.first)
        #expect(only.spanID == call)
        #expect(only.callID == "c1")
        #expect(only.outcome == "failure")
        #expect(only.errorType == "tool_error")
        #expect(only.layers.map(\.layer) == [.agent, .client, .transport, .server])
        #expect(only.layers.map(\.selfNanos) == [20, 10, 15, 35].map(AgentSpans.nanos))
        #expect(only.layers.map(\.durationNanos) == [80, 60, 50, 36].map(AgentSpans.nanos))
        #expect(orchestration.sessions[0].timeClasses[.tool] == AgentSpans.nanos(80))
    }

    @Test("Another call inside of one stays apart")
    func separate() {
        var work = AgentSpans()
        let host = work.agent("host", 0...100)
        let call = work.tool("research", 0...80, below: host, call: "c1")
        work.tool("fetch", 10...20, below: call, layer: .client, request: "1")
        work.tool("fetch", 30...40, below: call, layer: .client, request: "2")
        #expect(work.orchestration.toolCalls.map(\.toolName) == ["research", "fetch", "fetch"])
    }

    @Test("A second request for the same tool inside of one call stays apart unless its id ties it to the call")
    func sameTool() {
        var work = AgentSpans()
        let host = work.agent("host", 0...100)
        let call = work.tool("fetch", 0...80, below: host)
        work.tool("fetch", 10...20, below: call, layer: .client, request: "1")
        work.tool("fetch", 30...40, below: call, layer: .client, request: "2")
        #expect(work.orchestration.toolCalls.map(\.layers.count) == [2, 1])
        var tied = AgentSpans()
        let outer = tied.tool("fetch", 0...80, call: "c")
        tied.tool("fetch", 10...20, below: outer, layer: .client, call: "c", request: "1")
        tied.tool("fetch", 30...40, below: outer, layer: .client, call: "c", request: "2")
        #expect(tied.orchestration.toolCalls.map(\.layers.count) == [2])
        #expect(tied.orchestration.broken == [])
    }

    @Test("Rounds of a call that asks back are one call, which lasts from the first to the end of the last")
    func rounds() {
        var work = AgentSpans()
        let host = work.agent("host", 0...100)
        let call = work.tool("book", 10...90, below: host)
        let first = work.tool("book", 11...20, below: call, layer: .proxy, request: "1", service: "mcp-proxy")
        work.tool("book", 80...89, below: call, layer: .proxy, request: "2", service: "mcp-proxy") {
            $0.link(first, "continues")
        }
        let orchestration = work.orchestration
        let calls = orchestration.toolCalls
        #expect(calls.map(\.toolName) == ["book"] && calls.map(\.durationNanos) == [AgentSpans.nanos(80)])
        #expect(calls.first?.layers.map(\.layer) == [.agent, .proxy])
        #expect(calls.first?.layers.last?.durationNanos == AgentSpans.nanos(78))
        #expect(orchestration.sessions[0].timeClasses[.humanWait] == AgentSpans.nanos(60))
        #expect(orchestration.sessions[0].timeClasses[.tool] == AgentSpans.nanos(20))
        #expect(orchestration.sessions[0].waitNanos == AgentSpans.nanos(60))
        let waited = orchestration.criticalPath.filter { $0.timeClass == .humanWait }.map(\.durationNanos)
        #expect(waited == [AgentSpans.nanos(60)])
        #expect(orchestration.broken == [])
    }

    @Test("A tool that calls tools takes the name of the one it calls, where an id ties them")
    func metaTool() {
        var work = AgentSpans()
        let call = work.tool("callMcpTool", 0...80, call: "c")
        work.tool("add", 10...20, below: call, layer: .server, call: "c", service: "demo")
        #expect(work.orchestration.toolCalls.map(\.toolName) == ["add"])
    }

    @Test("What a layer says of the outcome goes before failure; cancellation is no error")
    func outcomes() {
        var work = AgentSpans()
        let host = work.agent("host", 0...100)
        work.tool("a", 0...10, below: host) { $0.fail("timeout") }
        work.tool("b", 10...20, below: host) { $0.errorType = "cancelled" }
        work.tool("c", 20...30, below: host) { $0.fail("500") }
        work.tool("d", 30...40, below: host)
        work.tool("e", 40...50, below: host) {
            $0.work = AgentSpan.Work(sessionID: "s")
            $0.work?.stepID = "st"
            $0.work?.outcome = "abandoned"
        }
        let calls = work.orchestration.toolCalls
        #expect(calls.map(\.outcome) == ["timeout", "cancelled", "failure", "success", "abandoned"])
        #expect(calls.map(\.isError) == [true, false, true, false, false])
    }

    @Test("Hidden spans, handoffs and other calls of the protocol are no tool calls")
    func noCalls() {
        var work = AgentSpans()
        let host = work.agent("host", 0...100)
        work.tool("do-trace", 0...10, below: host) { $0.isHidden = true }
        work.add(.handoff, "handoff to x", 10...20, below: host) { $0.tool = .init(name: "transfer", layer: .agent) }
        work.add(.protocolCall, "tools/list", 20...30, below: host)
        let orchestration = work.orchestration
        #expect(orchestration.toolCalls.isEmpty)
        #expect(orchestration.sessions[0].toolCallCount == 0)
        #expect(orchestration.sessions[0].spanCount == 4)
    }

    @Test("A proxy that got the context of its client's start stands below the call of its id, another's below its own")
    func startedProxy() {
        var work = AgentSpans()
        let boss = work.agent("boss", 0...100)
        let coder = work.agent("coder", 10...90, below: boss)
        work.tool("add", 20...60, below: coder, call: "c1")
        let proxy = work.tool("add", 30...50, below: boss, layer: .proxy, call: "c1", service: "proxy")
        work.tool("add", 35...45, below: proxy, layer: .server, service: "server")
        // Another time, another call.
        work.tool("add", 70...80, below: boss, layer: .proxy, call: "c1", service: "proxy")
        let orchestration = work.orchestration
        #expect(orchestration.toolCalls.map { $0.layers.map(\.layer) } == [[.agent, .proxy, .server], [.proxy]])
        #expect(orchestration.sessions.map(\.toolCallCount) == [1, 1])
        #expect(orchestration.broken == [])
    }

    @Test("A call of the same name in another session is another call")
    func otherSession() {
        var work = AgentSpans()
        let host = work.agent("host", 0...100)
        let call = work.tool("solve", 0...80, below: host)
        let child = work.agent("solver", 10...70, below: call)
        work.tool("solve", 20...30, below: child)
        let orchestration = work.orchestration
        #expect(orchestration.toolCalls.map(\.agentName) == ["host", "solver"])
        #expect(orchestration.sessions[0].timeClasses[.tool] == 0)
    }
}
