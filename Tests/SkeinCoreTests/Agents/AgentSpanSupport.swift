// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import Testing

/// A span as a client sends it, and what is read from it.
struct ClientSpan {
    var name = "span"
    var attributes: [Attribute] = []
    var kind = SkeinModel.Span.Kind.internal
    var scope = "client"
    var service = "agent-host"
    var id: UInt64 = 1
    var parent: UInt64 = 0

    init(_ name: String = "span", _ attributes: [String: AttributeValue] = [:]) {
        self.name = name
        self.attributes = attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
    }

    /// The same with another field.
    func with<T>(_ path: WritableKeyPath<ClientSpan, T>, _ value: T) -> ClientSpan {
        var copy = self
        copy[keyPath: path] = value
        return copy
    }

    var span: SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 7, low: 9),
            spanID: SpanID(id),
            parentSpanID: parent == 0 ? .zero : SpanID(parent),
            name: name,
            kind: kind,
            startUnixNanos: 1000 + id,
            durationNanos: 10
        )
        span.attributes = attributes
        span.scope.name = scope
        span.resource.attributes = [Attribute("service.name", .string(service))]
        return span
    }

    /// What the span says.
    var read: AgentSpan { [self].read[0] }
}

extension [ClientSpan] {
    /// What the spans of one batch say.
    var read: [AgentSpan] { AgentSpan.read(SpanBatch(spans: map(\.span))) }
}

extension AgentSpan {
    /// A field as text, for tables.
    func text(_ field: Mapping.Field) -> String? {
        switch field {
        case .kind: kind?.rawValue
        case .agentName: agent.name
        case .agentID: agent.id
        case .agentVersion: agent.version
        case .subAgentID: subAgent?.id
        case .subAgentName: subAgent?.name
        case .sessionKey: sessionKey
        case .provider: model?.provider
        case .requestedModel: model?.requested
        case .answeredModel: model?.answered
        case .responseID: model?.responseID
        case .finishReasons: model?.finishReasons.joined(separator: ",")
        case .firstChunk: model?.firstChunkNanos?.description
        case .inputTokens: usage?.inputTokens.description
        case .outputTokens: usage?.outputTokens.description
        case .cacheReadTokens: usage?.cacheReadTokens.description
        case .cacheWriteTokens: usage?.cacheWriteTokens.description
        case .reasoningTokens: usage?.reasoningTokens.description
        case .usd: usage?.usd?.description
        case .toolName: tool?.name
        case .toolCallID: tool?.callID
        case .toolServer: tool?.server
        case .requestID: tool?.requestID
        case .toolResult, .resultBytes: tool?.resultBytes?.description
        case .argumentsHash: tool?.argumentsHash.map { Hex.string($0) }
        case .handoffMode: kind?.rawValue
        case .handoffFrom: handoff?.from
        case .handoffTo: handoff?.to
        case .waitKind: wait?.kind
        case .waitID: wait?.id
        case .nodeID: node?.id
        case .nodeParentID: node?.parentID
        case .designNodes: designNodes.joined(separator: ",")
        case .designEdges: design.map { "\($0.from)→\($0.to)" }.joined(separator: ",")
        case .errorType: errorType
        case .attempt: attempt?.description
        case .workSession: work?.sessionID
        case .workParentSession: work?.parentSessionID
        case .workRootSession: work?.rootSessionID
        case .workStep: work?.stepID
        case .workParentStep: work?.parentStepID
        case .workStepKind: work?.stepKind
        case .workAction: work?.stepAction
        case .workOutcome: work?.outcome
        case .workTask: taskID
        case .workPriority: taskPriority
        case .workThread: work?.threadID
        case .workRetryOf: work?.retryOf
        case .workLinkMode: work.map { $0.isLinked ? "link" : "join" }
        case .workState: work?.state
        case .totalSteps: total { $0.stepCount }
        case .totalErrors: total { $0.errorCount }
        case .totalModelCalls: total { $0.llmCallCount }
        case .totalToolCalls: total { $0.toolCallCount }
        case .totalToolErrors: total { $0.toolErrorCount }
        case .totalWait: total { $0.waitNanos }
        case .totalInputTokens: total { $0.usage.inputTokens }
        case .totalOutputTokens: total { $0.usage.outputTokens }
        case .totalCacheReadTokens: total { $0.usage.cacheReadTokens }
        case .totalCacheWriteTokens: total { $0.usage.cacheWriteTokens }
        case .totalReasoningTokens: total { $0.usage.reasoningTokens }
        case .totalUSD: total { $0.usage.usd ?? 0 }
        case .totalTimes:
            total { totals in
                Orchestration.TimeClass.allCases.filter { totals.timeClasses[$0] > 0 }
                    .map { "\($0.rawValue)=\(totals.timeClasses[$0])" }.joined(separator: ",")
            }
        case .workSelf: isHidden.description
        case .workLate: isLate.description
        // Only seen through others.
        case .totalTokens, .toolArguments: nil
        }
    }

    private func total<Value>(_ read: (SessionTotals) -> Value) -> String? { totals.map { "\(read($0))" } }
}
