// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel

/// Spans of agents in a few words. Times are milliseconds since a fixed moment; ids count up.
struct AgentSpans {
    private(set) var spans: [AgentSpan] = []

    static let epoch: UInt64 = 1_700_000_000_000_000_000

    static func nanos(_ milliseconds: Int) -> UInt64 { UInt64(milliseconds) * 1_000_000 }

    /// Adds a span that runs for the times of `times`, below the one of id `parent`.
    @discardableResult
    mutating func add(
        _ kind: AgentSpan.Kind?,
        _ name: String,
        _ times: ClosedRange<Int>,
        below parent: SpanID = .zero,
        trace: UInt64 = 1,
        service: String = "app",
        _ change: (inout AgentSpan) -> Void = { _ in }
    ) -> SpanID {
        var span = AgentSpan(
            traceID: TraceID(high: 0, low: trace),
            spanID: SpanID(UInt64(spans.count + 1)),
            parentSpanID: parent,
            name: name,
            startUnixNanos: Self.epoch + Self.nanos(times.lowerBound),
            durationNanos: Self.nanos(times.upperBound - times.lowerBound),
            serviceName: service
        )
        span.kind = kind
        change(&span)
        spans.append(span)
        return span.spanID
    }

    @discardableResult
    mutating func agent(
        _ name: String,
        _ times: ClosedRange<Int>,
        below parent: SpanID = .zero,
        trace: UInt64 = 1,
        service: String = "app",
        _ change: (inout AgentSpan) -> Void = { _ in }
    ) -> SpanID {
        add(.agent, "invoke_agent \(name)", times, below: parent, trace: trace, service: service) { span in
            span.agent.name = name
            change(&span)
        }
    }

    @discardableResult
    mutating func tool(
        _ name: String,
        _ times: ClosedRange<Int>,
        below parent: SpanID = .zero,
        trace: UInt64 = 1,
        layer: AgentSpan.ToolLayer = .agent,
        call: String? = nil,
        request: String? = nil,
        arguments: UInt64? = nil,
        service: String = "app",
        _ change: (inout AgentSpan) -> Void = { _ in }
    ) -> SpanID {
        add(.tool, "execute_tool \(name)", times, below: parent, trace: trace, service: service) { span in
            var tool = AgentSpan.Tool(name: name, layer: layer)
            tool.callID = call
            tool.requestID = request
            tool.argumentsHash = arguments
            span.tool = tool
            change(&span)
        }
    }

    @discardableResult
    mutating func model(
        _ times: ClosedRange<Int>,
        below parent: SpanID = .zero,
        trace: UInt64 = 1,
        tokens: UInt64 = 0,
        usd: Double? = nil,
        answer: String? = nil,
        service: String = "app",
        _ change: (inout AgentSpan) -> Void = { _ in }
    ) -> SpanID {
        add(.llm, "chat m", times, below: parent, trace: trace, service: service) { span in
            var model = AgentSpan.Model()
            model.requested = "m"
            model.responseID = answer
            span.model = model
            if tokens > 0 || usd != nil { span.usage = .of(tokens, usd: usd) }
            change(&span)
        }
    }

    /// The own span of a session of WorkTrace.
    @discardableResult
    mutating func session(
        _ id: String,
        agent name: String,
        _ times: ClosedRange<Int>,
        below parent: SpanID = .zero,
        trace: UInt64 = 1,
        parentSession: String? = nil,
        parentStep: String? = nil,
        _ change: (inout AgentSpan) -> Void = { _ in }
    ) -> SpanID {
        agent(name, times, below: parent, trace: trace, service: name) { span in
            var work = AgentSpan.Work(sessionID: id)
            work.parentSessionID = parentSession
            work.parentStepID = parentStep
            work.state = "ended"
            span.work = work
            span.sessionKey = id
            change(&span)
        }
    }

    /// A step of a session of WorkTrace.
    @discardableResult
    mutating func step(
        _ id: String,
        of session: String,
        _ kind: AgentSpan.Kind,
        _ action: String,
        _ times: ClosedRange<Int>,
        below parent: SpanID,
        trace: UInt64 = 1,
        service: String = "app",
        _ change: (inout AgentSpan) -> Void = { _ in }
    ) -> SpanID {
        add(kind, action, times, below: parent, trace: trace, service: service) { span in
            var work = AgentSpan.Work(sessionID: session)
            work.stepID = id
            work.stepKind = kind.rawValue
            work.stepAction = action
            span.work = work
            if kind == .tool { span.tool = AgentSpan.Tool(name: action, layer: .agent) }
            change(&span)
        }
    }

    var orchestration: Orchestration { Orchestration(spans) }
}

extension AgentSpan.Usage {
    static func of(_ inputTokens: UInt64, usd: Double? = nil) -> Self {
        var usage = Self()
        usage.inputTokens = inputTokens
        usage.usd = usd
        return usage
    }
}

extension AgentSpan {
    mutating func fail(_ type: String? = nil) {
        status = Span.Status(.error)
        errorType = type
    }

    mutating func link(_ spanID: SpanID, trace: UInt64 = 1, _ relation: String = "") {
        links.append(.init(traceID: TraceID(high: 0, low: trace), spanID: spanID, relation: relation))
    }
}

extension Orchestration {
    func session(_ agent: String) -> Session? { sessions.first { $0.agentName == agent } }

    func edge(to agent: String) -> Edge? { edges.first { $0.toSessionID == session(agent)?.sessionID } }

    /// What holds of every orchestration, named where it does not.
    var broken: [String] {
        var broken: [String] = []
        for session in sessions where session.timeClasses.totalNanos != session.durationNanos {
            broken.append("time classes of \(session.agentName)")
        }
        for call in toolCalls where call.layers.reduce(0, { $0 + $1.selfNanos }) != call.durationNanos {
            broken.append("layers of \(call.toolName)")
        }
        for edge in edges where edge.kind == .delegate {
            let sum = edge.handoffGapNanos + edge.childNanos + (edge.returnGapNanos ?? 0)
            if sum != edge.durationNanos { broken.append("gaps of \(edge.toSessionID)") }
        }
        var moment = startUnixNanos
        for segment in criticalPath {
            if segment.startUnixNanos != moment { broken.append("path at \(moment)") }
            if segment.savedIfHalvedNanos > segment.durationNanos / 2 { broken.append("saving of \(segment.name)") }
            moment = segment.startUnixNanos + segment.durationNanos
        }
        if moment != startUnixNanos + durationNanos { broken.append("end of the path") }
        if spanCount != sessions.reduce(0, { $0 + $1.spanCount }) { broken.append("span count") }
        if toolCallCount != sessions.reduce(0, { $0 + $1.toolCallCount }) { broken.append("tool call count") }
        if usage.inputTokens != sessions.reduce(0, { $0 + $1.usage.inputTokens }) { broken.append("tokens") }
        let nanoDollars = sessions.reduce(0) { $0 + Int((($1.usage.usd ?? 0) * 1e9).rounded()) }
        if Int(((usage.usd ?? 0) * 1e9).rounded()) != nanoDollars { broken.append("dollars") }
        return broken
    }
}
