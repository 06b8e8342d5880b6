// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Mapping {
    /// Who works.
    static let identityRows: [Mapping] = [
        Mapping(.agentName, "gen_ai.agent.name", .genAI, example: "planner", says: "planner"),
        Mapping(.agentName, "agent.name", .openInference, example: "planner", says: "planner"),
        Mapping(.agentName, "graph.node.id", .openInference, of: [.agent], example: "planner", says: "planner"),
        Mapping(.agentName, "agent_name", .logfire, .until("gen_ai.agent.name"), example: "planner", says: "planner"),
        Mapping(.agentName, "name", .logfire, of: [.agent], isOwn: true, example: "planner", says: "planner"),
        Mapping(
            .agentName,
            "traceloop.entity.name",
            .openLLMetry,
            of: [.agent],
            example: "planner",
            says: "planner"
        ),
        Mapping(.agentName, "ai.agent.name", .vercel, example: "planner", says: "planner"),
        Mapping(.agentName, "genkit:metadata:agent", .genkit, example: "planner", says: "planner"),
        Mapping(.agentID, "gen_ai.agent.id", .genAI, example: "agent-1", says: "agent-1"),
        Mapping(.agentID, "agent.id", .openInference, example: "agent-1", says: "agent-1"),
        Mapping(.agentVersion, "gen_ai.agent.version", .genAI, example: "1.4.0", says: "1.4.0"),
        Mapping(
            .agentVersion,
            "traceloop.entity.version",
            .openLLMetry,
            of: [.agent],
            example: 2,
            says: "2"
        ),
        Mapping(.subAgentID, "agent_id", .claudeCode, isOwn: true, example: "a1b2", says: "a1b2"),
        Mapping(
            .subAgentName,
            "query_source_safe",
            .claudeCode,
            as: .lastPart,
            isOwn: true,
            example: "agent.builtin.general-purpose",
            says: "general-purpose"
        ),
    ]

    /// Which work belongs together. `mcp.session.id` is a connection and never counts.
    static let sessionRows: [Mapping] = [
        Mapping(.sessionKey, "worktrace.session.id", .workTrace, example: "ses_7f3", says: "ses_7f3"),
        Mapping(.sessionKey, "langfuse.session.id", .langfuse, example: "chat-9", says: "chat-9"),
        Mapping(.sessionKey, "session.id", .openInference, example: "chat-9", says: "chat-9"),
        // Of Codex's two ids the conversation's is the turn's. A number is that of a thread of the operating system.
        Mapping(.sessionKey, "thread.id", .codex, as: .word, isOwn: true, example: "th-1", says: "th-1"),
        Mapping(.sessionKey, "conversation.id", .codex, isOwn: true, example: "th-1", says: "th-1"),
        Mapping(.sessionKey, "gen_ai.conversation.id", .genAI, example: "conv-5", says: "conv-5"),
        Mapping(
            .sessionKey,
            "traceloop.association.properties.session_id",
            .openLLMetry,
            example: "s-1",
            says: "s-1"
        ),
        Mapping(
            .sessionKey,
            "traceloop.association.properties.thread_id",
            .openLLMetry,
            example: "t-1",
            says: "t-1"
        ),
        Mapping(
            .sessionKey,
            "metadata",
            member: "thread_id",
            .openInference,
            example: "{\"thread_id\":\"t-1\"}",
            says: "t-1"
        ),
        Mapping(
            .sessionKey,
            "metadata",
            member: "session_id",
            .openInference,
            example: "{\"session_id\":\"s-1\"}",
            says: "s-1"
        ),
        Mapping(
            .sessionKey,
            "langfuse.trace.metadata.thread_id",
            .langfuse,
            example: "t-1",
            says: "t-1"
        ),
        Mapping(
            .sessionKey,
            "langfuse.trace.metadata.session_id",
            .langfuse,
            example: "s-1",
            says: "s-1"
        ),
        Mapping(
            .sessionKey,
            "langfuse.trace.metadata",
            member: "thread_id",
            .langfuse,
            example: "{\"thread_id\":\"t-1\"}",
            says: "t-1"
        ),
        Mapping(
            .sessionKey,
            "langfuse.observation.metadata.thread_id",
            .langfuse,
            example: "t-1",
            says: "t-1"
        ),
        Mapping(.sessionKey, "group_id", .logfire, isOwn: true, example: "task-17", says: "task-17"),
        Mapping(.sessionKey, "agent_trace_id", .logfire, isOwn: true, example: "trace_01", says: "trace_01"),
        Mapping(.sessionKey, "genkit:sessionId", .genkit, example: "s-1", says: "s-1"),
        Mapping(.sessionKey, "ai.telemetry.metadata.sessionId", .vercel, example: "s-1", says: "s-1"),
    ]
}
