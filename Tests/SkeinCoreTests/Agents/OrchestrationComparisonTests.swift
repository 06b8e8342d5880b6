// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Comparison of two orchestrations")
struct OrchestrationComparisonTests {
    private func run(trace: UInt64, _ tools: [String], slow: Int = 1) -> Orchestration {
        var work = AgentSpans()
        let agent = work.agent("planner", 0...1000 * slow, trace: trace)
        for (place, tool) in tools.enumerated() {
            work.tool(tool, place * 100...place * 100 + 50 * slow, below: agent, trace: trace)
        }
        work.model(900...950, below: agent, trace: trace, tokens: 1, usd: Double(slow))
        return work.orchestration
    }

    @Test("The same steps do not diverge, whatever their ids and times")
    func same() {
        let comparison = OrchestrationComparison(run(trace: 1, ["a", "b"]), run(trace: 2, ["a", "b"], slow: 3))
        #expect(comparison.firstDivergence == nil)
        #expect(comparison.steps.count == 3)
        #expect(comparison.steps.allSatisfy { $0.first?.signature == $0.second?.signature })
        #expect(comparison.durationNanos.second == 3 * comparison.durationNanos.first)
        #expect(comparison.usage.second.usd == 3)
        #expect(comparison.sessions.map(\.usd.first) == [1])
    }

    @Test("The first step that differs is told, and what only one side has stands in its place")
    func divergence() {
        let comparison = OrchestrationComparison(run(trace: 1, ["a", "b", "d"]), run(trace: 2, ["a", "c", "b"]))
        #expect(comparison.firstDivergence?.index == 2)
        #expect(comparison.firstDivergence?.first?.signature == "planner › `b`")
        #expect(comparison.firstDivergence?.second?.signature == "planner › `c`")
        let names = comparison.steps.map { ($0.first ?? $0.second)?.signature.last(where: { $0 != "`" }) }
        #expect(names == ["r", "a", "c", "b", "d"])
        #expect(comparison.tools.map(\.name) == ["a", "b", "c", "d"])
        #expect(comparison.tools.map(\.count.first) == [1, 1, 0, 1])
        #expect(comparison.tools.map(\.count.second) == [1, 1, 1, 0])
        #expect(comparison.timeClasses.map(\.name) == ["llm", "tool", "own"])
    }

    @Test(
        "A session that timed out is an error, one that was cancelled is none",
        arguments: [
            ("timeout", 1), ("abandoned", 1), ("failure", 1), ("cancelled", 0), ("partial", 0), ("success", 0),
            ("a word of its own", 0),
        ]
    )
    func errors(outcome: String, count: Int) {
        var work = AgentSpans()
        work.agent("planner", 0...1000) { span in
            span.work = AgentSpan.Work(sessionID: "s")
            span.work?.outcome = outcome
        }
        let comparison = OrchestrationComparison(work.orchestration, run(trace: 2, []))
        #expect(comparison.sessions.map(\.errorCount.first) == [count])
    }
}
