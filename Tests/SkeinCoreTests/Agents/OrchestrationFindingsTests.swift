// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Retries, loops and the graph of an orchestration")
struct OrchestrationFindingsTests {
    @Test("A failed call followed by the same tool is one operation with attempts")
    func retries() throws {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100)
        work.tool("search", 0...10, below: agent) { $0.fail() }
        work.tool("search", 5...8, below: agent)
        work.tool("search", 20...30, below: agent) { $0.fail() }
        work.tool("search", 40...50, below: agent)
        work.tool("search", 60...70, below: agent)
        let orchestration = work.orchestration
        let retry = try #require(orchestration.retries.first)
        #expect(orchestration.retries.count == 1)
        #expect(retry.spanIDs == [2, 4, 5].map { SpanID($0) })
        #expect(retry.attempts == 3)
        #expect(retry.succeeded)
        #expect(retry.wastedNanos == AgentSpans.nanos(40))
        #expect(orchestration.toolCalls.map(\.attempt) == [1, 1, 2, 3, 1])
        #expect(orchestration.toolCalls.map(\.retryOf) == [nil, nil, SpanID(2), SpanID(4), nil])
    }

    @Test("What the client marks as a retry is one; so are failed model calls")
    func marked() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100)
        work.tool("search", 0...10, below: agent)
        work.tool("search", 20...30, below: agent) { $0.attempt = 2 }
        work.model(40...50, below: agent) { $0.fail() }
        work.model(60...70, below: agent)
        #expect(work.orchestration.retries.map(\.kind) == [.tool, .llm])
        #expect(work.orchestration.retries.map(\.name) == ["search", "m"])
    }

    @Test("A model that is asked instead of one that failed is another attempt where the client says so")
    func fallback() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100)
        func ask(
            _ model: String,
            _ times: ClosedRange<Int>,
            _ step: String,
            retryOf: String? = nil,
            attempt: Int? = nil,
            fails: Bool
        ) {
            work.model(times, below: agent) {
                $0.model?.requested = model
                $0.attempt = attempt
                $0.work = .init(sessionID: "s")
                $0.work?.stepID = step
                $0.work?.retryOf = retryOf
                if fails { $0.fail() }
            }
        }
        ask("large", 0...10, "1", fails: true)
        ask("small", 20...30, "2", retryOf: "1", fails: true)
        ask("other", 40...50, "3", attempt: 3, fails: false)
        // Nobody says that this one is.
        ask("large", 60...70, "4", fails: true)
        ask("small", 80...90, "5", fails: false)
        let retries = work.orchestration.retries
        #expect(retries.map(\.attempts) == [3])
        #expect(retries.map(\.name) == ["other"])
        #expect(retries.map(\.wastedNanos) == [AgentSpans.nanos(40)])
    }

    @Test("The same tool with the same arguments three times in a row is a loop; other arguments are none")
    func identical() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100)
        for start in [0, 10, 20, 30] { work.tool("grep", start...start + 5, below: agent, arguments: 7) }
        for start in [40, 50, 60] { work.tool("grep", start...start + 5, below: agent, arguments: UInt64(start)) }
        for start in [70, 80, 90] { work.tool("read", start...start + 5, below: agent) }
        let loops = work.orchestration.loops
        #expect(loops.map(\.kind) == [.identical])
        #expect(loops.map(\.count) == [4])
        #expect(loops.map(\.pattern) == [["grep"]])
        #expect(loops.map(\.durationNanos) == [AgentSpans.nanos(35)])
    }

    @Test("A pattern of two to four calls three times in a row is a loop, once")
    func sequence() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...1000)
        for (place, name) in "xababababyabcabcabcz".enumerated() {
            work.tool(String(name), place * 10...place * 10 + 5, below: agent)
        }
        let loops = work.orchestration.loops
        #expect(loops.map(\.pattern) == [["a", "b"], ["a", "b", "c"]])
        #expect(loops.map(\.count) == [4, 3])
        #expect(loops.map(\.spanIDs.count) == [8, 9])
    }

    @Test("Nodes that are entered again are a cycle; nodes at one time are a fan")
    func cycle() {
        var work = AgentSpans()
        let agent = work.agent("graph", 0...1000)
        for (place, name) in ["agent", "tools", "agent", "tools", "agent", "end"].enumerated() {
            work.add(.node, name, place * 10...place * 10 + 5, below: agent) { $0.node = .init(id: name) }
        }
        for _ in 0..<5 { work.add(.node, "worker", 100...110, below: agent) }
        let orchestration = work.orchestration
        #expect(orchestration.loops.map(\.kind) == [.graph])
        #expect(orchestration.loops.map(\.pattern) == [["agent", "tools"]])
        #expect(orchestration.loops.map(\.count) == [2])
        let next = orchestration.graph.edges.filter { $0.kind == .next }
        #expect(
            next.map { "\($0.from) \($0.to) \($0.count)" } == [
                "node:agent node:end 1", "node:agent node:tools 2", "node:end node:worker 5", "node:tools node:agent 2",
            ]
        )
    }

    @Test("The last run of a cycle counts although nothing closes it")
    func lastRun() {
        var work = AgentSpans()
        let agent = work.agent("graph", 0...1000)
        for (place, name) in "pacpacpacz".enumerated() {
            work.add(.node, String(name), place * 10...place * 10 + 5, below: agent)
        }
        let loops = work.orchestration.loops
        #expect(loops.map(\.pattern) == [["p", "a", "c"]])
        #expect(loops.map(\.count) == [3])
        #expect(loops.map(\.spanIDs.count) == [9])
    }

    @Test("The graph counts agents, tools and edges, and what is known by design with 0")
    func graph() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100) {
            $0.design = [.init(from: "planner", to: "reviewer"), .init(from: "planner", to: "researcher")]
        }
        for start in [10, 50] {
            let ask = work.tool("ask", start...start + 30, below: planner) { if start == 50 { $0.fail() } }
            work.agent("researcher", start + 5...start + 20, below: ask)
        }
        let graph = work.orchestration.graph
        #expect(
            graph.nodes.map { "\($0.id) \($0.count)" } == [
                "agent:planner 1", "agent:researcher 2", "node:reviewer 0", "tool:ask 2",
            ]
        )
        #expect(
            graph.edges.map { "\($0.from) \($0.to) \($0.kind) \($0.count) \($0.errorCount)" } == [
                "agent:planner agent:researcher delegate 2 0", "agent:planner node:reviewer next 0 0",
                "agent:planner tool:ask calls 2 1",
            ]
        )
    }
}
