// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import Testing

@Suite("What holds of every orchestration")
struct OrchestrationPropertyTests {
    @Test("Sums are exact and each span has one session, in whatever order the spans come", arguments: 0..<400)
    func sums(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let spans = RandomAgents.spans(&random)
        let orchestration = Orchestration(spans)
        #expect(orchestration.broken == [])
        let references = Set(spans.map { Orchestration.SpanReference(traceID: $0.traceID, spanID: $0.spanID) })
        #expect(Set(orchestration.sessionIndexBySpan.keys) == references)
        #expect(orchestration.sessionIndexBySpan.values.allSatisfy { $0 < orchestration.sessions.count })
        let shuffled = Orchestration(spans.shuffled(using: &random))
        #expect(String(describing: shuffled.comparable) == String(describing: orchestration.comparable))
    }

    @Test("Doubled spans change nothing", arguments: 0..<50)
    func doubled(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let spans = RandomAgents.spans(&random)
        let orchestration = Orchestration(spans + spans.shuffled(using: &random))
        #expect(String(describing: orchestration.comparable) == String(describing: Orchestration(spans).comparable))
    }
}

extension Orchestration {
    /// All of it, less what has no order.
    fileprivate var comparable: Orchestration {
        var copy = self
        copy.forgetSpans()
        return copy
    }
}

/// Forests as no client would send them: parents anywhere, clocks apart, ids again, all kinds and dialects.
enum RandomAgents {
    static func spans(_ random: inout SeededRandom) -> [AgentSpan] {
        let count = Int.random(in: 1...60, using: &random)
        let traces = UInt64.random(in: 1...3, using: &random)
        return (1...count).map { number in span(number, count, traces, &random) }
    }

    private static func span(
        _ number: Int,
        _ count: Int,
        _ traces: UInt64,
        _ random: inout SeededRandom
    ) -> AgentSpan {
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        func reference() -> (trace: TraceID, span: SpanID) {
            let other = UInt64.random(in: 1...UInt64(count), using: &random)
            return (TraceID(high: 0, low: other % traces + 1), SpanID(other))
        }
        let number = UInt64(number)
        let start = UInt64.random(in: 0...1000, using: &random)
        var span = AgentSpan(
            traceID: TraceID(high: 0, low: number % traces + 1),
            spanID: SpanID(number),
            name: "span \(number)",
            startUnixNanos: chance(1) ? .max - start : start,
            durationNanos: chance(1) ? .max : UInt64.random(in: 0...(chance(50) ? 20 : 500), using: &random),
            serviceName: ["app", "gateway", "demo"].randomElement(using: &random) ?? ""
        )
        if chance(90) { span.parentSpanID = reference().span }
        span.kind = chance(80) ? AgentSpan.Kind.allCases.randomElement(using: &random) : nil
        span.isOpen = chance(5)
        span.isHidden = chance(5)
        span.isParentRemote = chance(20)
        if chance(20) { span.status = Span.Status(.error) }
        if chance(5) { span.errorType = ["timeout", "cancelled", "500"].randomElement(using: &random) }
        let names = ["planner", "coder", "reviewer"]
        if span.kind == .agent, chance(80) { span.agent.name = names.randomElement(using: &random) }
        if chance(5) { span.subAgent = .init(name: "sub", id: "\(UInt8.random(in: 0...3, using: &random))") }
        if span.kind == .handoff { span.handoff = .init(to: chance(70) ? names.randomElement(using: &random) : nil) }
        if span.kind == .wait, chance(80) {
            let kind = ["human", "session", "message", "rate_limit", "tool"].randomElement(using: &random) ?? ""
            span.wait = .init(kind: kind, id: "s\(UInt8.random(in: 0...4, using: &random))")
        }
        if chance(15) {
            let target = reference()
            let relation = ["", "message", "spawned_by", "continues", "retry_of"].randomElement(using: &random) ?? ""
            span.links = [.init(traceID: target.trace, spanID: target.span, relation: relation)]
        }
        if chance(30) { span.usage = .of(UInt64.random(in: 0...9, using: &random), usd: chance(50) ? 0.01 : nil) }
        if span.kind == .llm {
            var model = AgentSpan.Model()
            model.responseID = chance(50) ? "r\(UInt8.random(in: 0...5, using: &random))" : nil
            span.model = model
        }
        if span.kind == .tool || chance(5) {
            let layer = AgentSpan.ToolLayer.allCases.randomElement(using: &random) ?? .agent
            var tool = AgentSpan.Tool(name: ["add", "grep"].randomElement(using: &random) ?? "", layer: layer)
            if chance(40) { tool.callID = "c\(UInt8.random(in: 0...5, using: &random))" }
            if chance(40) { tool.requestID = "\(UInt8.random(in: 0...5, using: &random))" }
            if chance(30) { tool.argumentsHash = UInt64.random(in: 0...1, using: &random) }
            span.tool = tool
        }
        if span.kind == .node { span.node = .init(id: chance(50) ? "n1" : "n2", parentID: chance(10) ? "n0" : nil) }
        if chance(25) {
            var work = AgentSpan.Work(sessionID: "s\(UInt8.random(in: 0...4, using: &random))")
            if chance(60) { work.stepID = "t\(UInt8.random(in: 0...9, using: &random))" }
            if chance(60) { work.parentSessionID = "s\(UInt8.random(in: 0...4, using: &random))" }
            if chance(60) { work.parentStepID = "t\(UInt8.random(in: 0...9, using: &random))" }
            if chance(20) { work.retryOf = "t\(UInt8.random(in: 0...9, using: &random))" }
            work.stepAction = chance(30) ? "agent:coder" : nil
            work.isLinked = chance(20)
            work.state = chance(30) ? "running" : "ended"
            span.work = work
        }
        return span
    }
}
