// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Critical path across agents")
struct OrchestrationPathTests {
    private func path(_ orchestration: Orchestration) -> [String] {
        orchestration.criticalPath.map {
            "\($0.agentName) \($0.name) \($0.timeClass.rawValue) \($0.durationNanos / 1_000_000)"
        }
    }

    @Test("It goes through the call and the gaps into the child and back")
    func delegation() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.model(0...10, below: planner)
        let ask = work.tool("ask", 10...90, below: planner)
        let child = work.agent("researcher", 20...70, below: ask)
        work.tool("search", 30...60, below: child)
        let orchestration = work.orchestration
        #expect(
            path(orchestration) == [
                "planner chat m llm 10", "planner execute_tool ask handoffGap 10",
                "researcher invoke_agent researcher own 10", "researcher execute_tool search tool 30",
                "researcher invoke_agent researcher own 10", "planner execute_tool ask returnGap 20",
                "planner invoke_agent planner own 10",
            ]
        )
        #expect(orchestration.toolCalls.map(\.isOnCriticalPath) == [true, true])
        #expect(orchestration.broken == [])
    }

    @Test("A model that still speaks when its tool has begun is on it up to there, any other branch is not")
    func streaming() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.model(10...50, below: planner)
        work.tool("early", 40...90, below: planner)
        #expect(
            path(work.orchestration) == [
                "planner invoke_agent planner own 10", "planner chat m llm 30", "planner execute_tool early tool 50",
                "planner invoke_agent planner own 10",
            ]
        )
        var tools = AgentSpans()
        let other = tools.agent("planner", 0...90)
        tools.tool("a", 10...50, below: other)
        tools.tool("b", 40...90, below: other)
        #expect(path(tools.orchestration) == ["planner invoke_agent planner own 40", "planner execute_tool b tool 50"])
    }

    @Test("Of branches at one time the one that ends last is on it; halving saves no more than the other allows")
    func branches() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.tool("slow", 0...100, below: planner)
        work.tool("fast", 0...90, below: planner)
        let orchestration = work.orchestration
        #expect(path(orchestration) == ["planner execute_tool slow tool 100"])
        #expect(orchestration.criticalPath[0].savedIfHalvedNanos == AgentSpans.nanos(10))
        #expect(orchestration.toolCalls.first { $0.toolName == "fast" }?.isOnCriticalPath == false)
    }

    @Test("Halving saves nothing where another branch takes over, and half where none does")
    func savings() {
        var even = AgentSpans()
        let planner = even.agent("planner", 0...100)
        even.tool("a", 0...80, below: planner)
        even.tool("b", 0...80, below: planner)
        #expect(even.orchestration.criticalPath.map(\.savedIfHalvedNanos) == [0, AgentSpans.nanos(10)])
        var alone = AgentSpans()
        let root = alone.agent("planner", 0...100)
        alone.tool("a", 0...40, below: root)
        alone.tool("b", 40...100, below: root)
        #expect(alone.orchestration.criticalPath.map(\.savedIfHalvedNanos) == [20, 30].map(AgentSpans.nanos))
    }

    @Test("A branch beside holds what runs before and at its side, as far up as it stands")
    func nestedSavings() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.tool("beside", 10...70, below: planner)
        let ask = work.tool("ask", 0...80, below: planner)
        let child = work.agent("researcher", 0...80, below: ask)
        work.model(0...40, below: child)
        work.tool("search", 40...80, below: child)
        let saved = work.orchestration.criticalPath.map(\.savedIfHalvedNanos)
        #expect(saved == [10, 10, 10].map(AgentSpans.nanos))
    }

    @Test("What starts before another part and ends within it counts, too")
    func crossing() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...10)
        work.tool("first", 2...5, below: planner)
        work.tool("crossing", 3...9, below: planner)
        work.tool("last", 8...10, below: planner)
        let orchestration = work.orchestration
        #expect(orchestration.criticalPath.map { $0.durationNanos / 1_000_000 } == [2, 3, 3, 2])
        #expect(orchestration.criticalPath.map(\.savedIfHalvedNanos) == [1_000_000, 1_000_000, 1_000_000, 1_000_000])
    }

    @Test("Time between a failed attempt and the next is retry")
    func retry() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.tool("a", 0...20, below: planner) { $0.fail() }
        work.tool("a", 50...100, below: planner)
        let orchestration = work.orchestration
        #expect(orchestration.criticalPath.map(\.timeClass) == [.tool, .retry, .tool])
        #expect(orchestration.sessions[0].timeClasses[.retry] == AgentSpans.nanos(30))
        #expect(orchestration.broken == [])
    }

    @Test("A stream that stays open as long as its connection is not waited for")
    func listening() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.add(.protocolCall, "subscriptions/listen", 1...99, below: planner, service: "tools")
        work.tool("add", 20...40, below: planner)
        #expect(work.orchestration.criticalPath.map(\.name).contains("subscriptions/listen") == false)
        #expect(work.orchestration.sessions[0].timeClasses[.tool] == AgentSpans.nanos(20))
        #expect(work.orchestration.broken == [])
    }

    @Test("Spans that outlive their parent in its process are not waited for; those of another clock are")
    func outliving() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.add(nil, "flush", 90...150, below: planner)
        work.add(nil, "far", 20...110, below: planner, service: "other")
        #expect(work.orchestration.criticalPath.map(\.name) == ["invoke_agent planner", "far"])
        #expect(work.orchestration.broken == [])
    }
}
