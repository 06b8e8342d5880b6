// SPDX-License-Identifier: Apache-2.0
import SkeinMCP
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Tracing

/// One call of a tool, or one round of it, or a request that is made on its behalf, as a span (OpenTelemetry semantic conventions for
/// MCP, as of 2026-07).
///
/// What is called with and what comes back is not kept.
struct ToolCall: Sendable {
    let span: SkeinSpan
    let round: Int
    /// What it was begun below; `nil` where it began a trace.
    let parent: PropagatedContext?

    /// The scope of spans; what stands behind the slash is not part of it.
    private static let scope = "skein-mcp-proxy/ToolCall.swift"

    /// What is known of a call before it is sent.
    struct Start {
        /// `nil` where a body cannot be read and no header names it.
        var tool: String?
        var id: JSONRPCMessage.ID?
        var toolCallID: String?
        /// The conversation in which the model asked.
        var sessionID: String?
        /// `pipe` or `tcp`.
        var transport: String
        var protocolVersion: String?
        var serverName: String?
        var requestBytes: Int
        var round = 1
        /// The round before.
        var continues: SpanContext?
    }

    /// Begins where `policy` says, or else a trace of its own. Other places that the message or its headers name are linked.
    init(
        _ start: Start,
        meta: PropagatedContext,
        ambience: Ambience,
        policy: ContextPolicy,
        tracer: SkeinTracer
    ) {
        parent = policy.parent(meta: meta, ambience)
        var links = Self.links(to: [meta, ambience.header], besides: parent?.spanContext)
        if let previous = start.continues {
            links.append(Self.link(to: previous, ["worktrace.link.relation": "continues"]))
        }
        var attributes: SpanAttributes = [
            "mcp.method.name": "tools/call",
            "gen_ai.operation.name": "execute_tool",
            "network.transport": .string(start.transport),
            "worktrace.mcp.request.bytes": .int64(Int64(start.requestBytes)),
        ]
        func set(_ key: String, _ value: String?) {
            if let value { attributes.set(key, value: .string(value)) }
        }
        set("gen_ai.tool.name", start.tool)
        set("jsonrpc.request.id", start.id?.description)
        set("gen_ai.tool.call.id", start.toolCallID)
        set("gen_ai.conversation.id", start.sessionID)
        set("mcp.protocol.version", start.protocolVersion)
        set("worktrace.mcp.server.name", start.serverName)
        if start.round > 1 { attributes.set("worktrace.mcp.round", value: .int64(Int64(start.round))) }
        span = tracer.startSpan(
            name: start.tool.map { "tools/call \($0)" } ?? "tools/call",
            kind: .client,
            attributes: attributes,
            links: links,
            context: .remote(parent ?? PropagatedContext()),
            file: Self.scope
        )
        round = start.round
    }

    /// What is known of another request before it is sent.
    struct Request {
        var method: String
        var id: JSONRPCMessage.ID?
        var taskID: String?
        /// `pipe` or `tcp`.
        var transport: String
        var byteCount: Int
    }

    /// A request of the client about the task that `call` became, which is its parent. What the client says itself is linked.
    init(_ request: Request, about call: ToolCall, meta: PropagatedContext, tracer: SkeinTracer) {
        round = 1
        parent = call.parent
        span = tracer.startSpan(
            name: request.method,
            kind: .client,
            attributes: Self.attributes(request),
            links: Self.links(to: [meta], besides: call.span.spanContext),
            context: call.span.context,
            file: Self.scope
        )
    }

    /// A request of the server while `calls` wait: below the one that it can only be for, or else below what stands above all of them,
    /// and linked to each.
    init(_ request: Request, onBehalfOf calls: [ToolCall], tracer: SkeinTracer) {
        round = 1
        let common = calls.first?.parent
        let isCommon = calls.allSatisfy { $0.parent?.spanContext == common?.spanContext }
        parent = isCommon ? common : nil
        let only = calls.count == 1 ? calls.first : nil
        span = tracer.startSpan(
            name: request.method,
            kind: .client,
            attributes: Self.attributes(request),
            links: only == nil ? calls.compactMap { $0.span.spanContext.map { Self.link(to: $0, [:]) } } : [],
            context: only?.span.context ?? .remote(parent ?? PropagatedContext()),
            file: Self.scope
        )
    }

    private static func attributes(_ request: Request) -> SpanAttributes {
        var attributes: SpanAttributes = [
            "mcp.method.name": .string(request.method),
            "network.transport": .string(request.transport),
            "worktrace.mcp.request.bytes": .int64(Int64(request.byteCount)),
        ]
        if let id = request.id { attributes.set("jsonrpc.request.id", value: .string(id.description)) }
        if let task = request.taskID { attributes.set("worktrace.mcp.task.id", value: .string(task)) }
        return attributes
    }

    /// To each span that is named, once, but not to `parent`.
    private static func links(to contexts: [PropagatedContext], besides parent: SpanContext?) -> [SpanLink] {
        var seen = parent.map { [$0] } ?? []
        var links: [SpanLink] = []
        for context in contexts {
            guard let target = context.spanContext,
                !seen.contains(where: { $0.traceID == target.traceID && $0.spanID == target.spanID })
            else { continue }
            seen.append(target)
            links.append(link(to: target, [:]))
        }
        return links
    }

    private static func link(to target: SpanContext, _ attributes: SpanAttributes) -> SpanLink {
        var read = PropagatedContext()
        read.spanContext = target
        return SpanLink(context: .remote(read), attributes: attributes)
    }

    /// What `_meta` is to say, so that the server's spans stand below this one.
    func splice(_ filter: BaggageFilter) -> MetaSplice? {
        guard let context = span.spanContext, context.isValid else { return nil }
        return MetaSplice(
            traceparent: TraceContextPropagator.header(context),
            tracestate: context.traceState.header(),
            baggage: filter.passed(span.context.baggage.header)
        )
    }

    /// Ends the span. `serverName` may have come with the answer.
    func end(_ outcome: CallOutcome, responseBytes: Int?, serverName: String? = nil) {
        if let serverName { span.setAttribute("worktrace.mcp.server.name", serverName) }
        if let responseBytes { span.setAttribute("worktrace.mcp.response.bytes", responseBytes) }
        if outcome == .inputRequired { span.setAttribute("worktrace.mcp.round", round) }
        if let type = outcome.errorType { span.setAttribute("error.type", type) }
        if outcome.isFailure { span.setStatus(SpanStatus(code: .error)) }
        span.end()
    }
}
