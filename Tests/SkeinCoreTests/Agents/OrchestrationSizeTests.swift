// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Large and odd session forests")
struct OrchestrationSizeTests {
    @Test("Without spans there is nothing")
    func empty() {
        let orchestration = Orchestration([])
        #expect(orchestration.sessions.isEmpty)
        #expect(orchestration.rootSessionID == nil)
        #expect(orchestration.broken == [])
    }

    @Test("Errors of tool calls that are not listed count")
    func errorsBeyondTheList() {
        var work = AgentSpans()
        let count = Orchestration.listMax + 50
        let root = work.agent("a", 0...(count + 1))
        for number in 0..<count { work.tool("t", number...(number + 1), below: root) { $0.errorType = "refused" } }
        let orchestration = work.orchestration
        #expect(orchestration.truncated && orchestration.toolCalls.count == Orchestration.listMax)
        #expect(orchestration.sessions[0].toolErrorCount == count)
    }

    @Test("All waits count, once where they overlap")
    func waits() {
        var work = AgentSpans()
        let root = work.agent("a", 0...100)
        for (place, kind) in ["human", "session", "tool", "rate_limit", "lock"].enumerated() {
            work.add(.wait, "wait", (place * 10)...(place * 10 + 15), below: root) {
                $0.wait = .init(kind: kind, id: nil)
            }
        }
        #expect(work.orchestration.sessions[0].waitNanos == AgentSpans.nanos(55))
    }

    @Test("Parents in a circle, missing ones and a span that is its own parent")
    func circles() {
        var work = AgentSpans()
        work.agent("a", 0...10, below: SpanID(3))
        work.tool("t", 1...9, below: SpanID(1))
        work.agent("b", 2...8, below: SpanID(2))
        work.model(3...4, below: SpanID(4))
        work.model(5...6, below: SpanID(99))
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.agentName) == ["a", "b"])
        #expect(orchestration.sessions.map(\.spanCount) == [4, 1])
        #expect(orchestration.broken == [])
    }

    @Test("Sessions that name each other as parents")
    func circleOfSessions() {
        var work = AgentSpans()
        work.session("a", agent: "a", 0...10, parentSession: "b")
        work.session("b", agent: "b", 5...8, trace: 2, parentSession: "a")
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.parentSessionID) == [nil, "a"])
        #expect(orchestration.broken == [])
    }

    @Test("Times at the ends of what a number holds")
    func extremes() {
        var work = AgentSpans()
        let root = work.agent("a", 0...10) { ($0.startUnixNanos, $0.durationNanos) = (0, .max) }
        work.tool("t", 0...10, below: root) { ($0.startUnixNanos, $0.durationNanos) = (.max, .max) }
        work.tool("t", 0...10, below: root) { ($0.startUnixNanos, $0.durationNanos) = (.max, 0) }
        work.agent("b", 0...10, below: root) { ($0.startUnixNanos, $0.durationNanos) = (.max - 1, .max) }
        #expect(work.orchestration.broken == [])
    }

    @Test("An ended report of a span goes before an open one")
    func openAndEnded() {
        var work = AgentSpans()
        work.agent("a", 0...10)
        var open = work.spans[0]
        open.isOpen = true
        open.durationNanos *= 3
        for spans in [work.spans + [open], [open] + work.spans] {
            #expect(Orchestration(spans).durationNanos == AgentSpans.nanos(10))
            #expect(Orchestration(spans).spanCount == 1)
        }
    }

    @Test("A chain of 100,000 spans, and 20,000 side by side")
    func large() {
        for isDeep in [true, false] {
            let count = isDeep ? 100_000 : 20_000
            var work = AgentSpans()
            var parent = work.agent("a", 0...400_000)
            for number in 1..<count {
                let times = isDeep ? number...(400_000 - number) : number...(number + number % 7)
                let span =
                    number % 3 == 0
                    ? work.tool("t\(number % 5)", times, below: parent, call: "c", arguments: 1) {
                        if number % 2 == 0 { $0.fail() }
                    }
                    : number % 3 == 1
                        ? work.model(times, below: parent, tokens: 1, answer: "r")
                        : work.add(.node, "n", times, below: parent)
                if isDeep { parent = span }
            }
            let orchestration = work.orchestration
            #expect(orchestration.spanCount == count)
            #expect(orchestration.broken == [])
        }
    }

    @Test("Beyond 10,000 sessions and calls the lists end and the totals do not")
    func truncated() {
        var work = AgentSpans()
        let root = work.agent("lead", 0...20_000)
        for number in 1...10_500 {
            let call = work.tool("ask", number...number + 5, below: root)
            let child = work.agent("worker", number...number + 4, below: call)
            work.model(number...number + 1, below: child, tokens: 1)
        }
        let orchestration = work.orchestration
        #expect(orchestration.truncated)
        #expect(orchestration.sessions.count == 10_000)
        #expect(orchestration.edges.count <= 10_000)
        #expect(orchestration.toolCalls.count == 10_000)
        #expect(orchestration.sessionCount == 10_501)
        #expect(orchestration.toolCallCount == 10_500)
        #expect(orchestration.usage.inputTokens == 10_500)
        #expect(orchestration.spanCount == 31_501)
    }
}
