// SPDX-License-Identifier: Apache-2.0
import SkeinMCP
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Tracing

/// One call of a tool, or one round of it, as a span (OpenTelemetry semantic conventions for MCP, as of 2026-07).
///
/// What is called with and what comes back is not kept.
struct ToolCall: Sendable {
    let span: SkeinSpan
    let round: Int

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

    /// Begins where `meta` says, or else the headers, or else the environment, or else a trace of its own. Headers that name another
    /// place than `meta` are linked.
    init(_ start: Start, meta: PropagatedContext, ambience: Ambience, tracer: SkeinTracer) {
        var links: [SpanLink] = []
        func link(_ target: SpanContext, _ attributes: SpanAttributes) {
            var read = PropagatedContext()
            read.spanContext = target
            links.append(SpanLink(context: .remote(read), attributes: attributes))
        }
        if let header = ambience.header.spanContext, let parent = meta.spanContext,
            header.traceID != parent.traceID || header.spanID != parent.spanID
        {
            link(header, [:])
        }
        if let previous = start.continues { link(previous, ["worktrace.link.relation": "continues"]) }
        let parent = [meta, ambience.header, ambience.environment].first { $0.spanContext != nil }
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

    /// What `_meta` is to say, so that the server's spans stand below this one.
    var splice: MetaSplice? {
        guard let context = span.spanContext, context.isValid else { return nil }
        return MetaSplice(
            traceparent: TraceContextPropagator.header(context),
            tracestate: context.traceState.header(),
            baggage: span.context.baggage.header
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
