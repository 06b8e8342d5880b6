// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Usage of an orchestration")
struct OrchestrationUsageTests {
    @Test("An ancestor that carries usage sums up its model calls and is not counted")
    func rollUp() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100) { $0.usage = .of(383) }
        let outer = work.model(0...50, below: agent, tokens: 200)
        work.model(1...49, below: outer, tokens: 200)
        work.model(60...90, below: agent, tokens: 183)
        let orchestration = work.orchestration
        #expect(orchestration.usage.inputTokens == 383)
        #expect(orchestration.sessions[0].llmCallCount == 2)
    }

    @Test("Aggregated usage is never added")
    func aggregated() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100) {
            $0.usage = .of(383)
            $0.isUsageSummed = true
        }
        work.model(0...50, below: agent)
        #expect(work.orchestration.usage.inputTokens == 0)
    }

    @Test("Agents whose models have no spans count each, also one inside the other")
    func agentsOnly() {
        var work = AgentSpans()
        let manager = work.agent("manager", 0...100) { $0.usage = .of(20) }
        let step = work.add(.custom, "Step 1", 1...99, below: manager) { $0.usage = .of(20) }
        work.agent("searcher", 10...90, below: step) { $0.usage = .of(20) }
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.usage.inputTokens) == [20, 20])
        #expect(orchestration.usage.inputTokens == 40)
    }

    @Test("A gateway's view of a call is dropped; an id that a server uses again is not")
    func mirrors() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100)
        let call = work.model(0...20, below: agent, tokens: 10, answer: "r1")
        work.model(1...19, below: call, tokens: 10, answer: "r1", service: "gateway")
        work.model(2...18, trace: 1, tokens: 10, answer: "r1", service: "gateway2")
        work.model(30...40, below: agent, tokens: 10, answer: "r1", service: "gateway")
        work.model(50...60, below: agent, tokens: 10, answer: "r1")
        let orchestration = work.orchestration
        #expect(orchestration.usage.inputTokens == 30)
        #expect(orchestration.sessions[0].llmCallCount == 3)
    }

    @Test("Money sums to the cent, and is unknown where nobody knows it")
    func money() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100)
        for start in 0..<1000 { work.model(start...start, below: agent, tokens: 1, usd: 0.1) }
        #expect(work.orchestration.usage.usd == 100)
        var unknown = AgentSpans()
        unknown.model(0...10, tokens: 5)
        #expect(unknown.orchestration.usage.usd == nil)
        var odd = AgentSpans()
        odd.model(0...10, tokens: .max, usd: .infinity)
        odd.model(0...10, tokens: .max, usd: 1e300)
        #expect(odd.orchestration.usage.inputTokens == .max)
    }
}
