// SPDX-License-Identifier: Apache-2.0

/// Keys that are no row of ``Mapping/table`` and yet say something.
enum Marker {
    /// Makes a span Logfire's own.
    static let logfireMessage = "logfire.msg"
    static let logfireSpanType = "logfire.span_type"
    /// Who ended a wait of Claude Code.
    static let source = "source"
    static let langGraphNodes = [
        "langfuse.observation.metadata.langgraph_node",
        "traceloop.association.properties.langgraph_node", "langsmith.metadata.langgraph_node",
    ]

    static let extraKeys = [logfireMessage, logfireSpanType, source] + langGraphNodes
}

extension AgentSpan {
    /// The attributes of which one at least stands on some span of every trace that agents work in: a store is searched for
    /// them. `gen_ai.agent.name` and `session.id` are none of them, since they go with baggage to spans of plain services.
    package static let markers = [
        "worktrace.session.id", "langfuse.observation.type", "openinference.span.kind", "gen_ai.operation.name",
        "traceloop.span.kind", "llm.request.type", "sdk_span_type", "genkit:metadata:subtype", "ai.operationId",
        "mcp.method.name", "gen_ai.tool.name", "gen_ai.request.model", "gen_ai.response.model", "agent_name",
        "agent_trace_id", "query_source_safe", "codex.turn.token_usage.input_tokens",
    ]

    /// The names of spans, with one `*` for any text, that say the same as ``markers`` do.
    package static let markerNames = [
        "claude_code.*", "MCP send *", "tools/call *", "session_task.turn", "Agent run: *", "Handoff: *", "agent run",
    ]
}
