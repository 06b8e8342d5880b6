// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Mapping {
    /// What kind of work a span is, in the order of "Normalisation rules": WorkTrace, Langfuse, OpenInference, GenAI,
    /// OpenLLMetry, Logfire, Genkit, Vercel's AI SDK, MCP. Names of spans come behind, see ``NameRule``.
    static let kindRows: [Mapping] = [
        Mapping(
            .kind,
            "worktrace.step.kind",
            .workTrace,
            as: .kind(AgentSpan.Kind.allCases.map { KindWord($0.rawValue, $0) }),
            example: "tool",
            says: "tool"
        ),
        Mapping(
            .kind,
            "langfuse.observation.type",
            .langfuse,
            as: .kind([
                KindWord("agent", .agent), KindWord("generation", .llm), KindWord("tool", .tool),
                KindWord("embedding", .embedding), KindWord("retriever", .retrieval), KindWord("guardrail", .guardrail),
                KindWord("evaluator", .eval), KindWord("chain", .workflow), KindWord("span", nil),
                KindWord("event", nil),
            ]),
            example: "generation",
            says: "llm"
        ),
        Mapping(
            .kind,
            "openinference.span.kind",
            .openInference,
            as: .kind([
                KindWord("agent", .agent), KindWord("llm", .llm), KindWord("tool", .tool), KindWord("chain", .workflow),
                KindWord("retriever", .retrieval), KindWord("reranker", .retrieval), KindWord("embedding", .embedding),
                KindWord("guardrail", .guardrail), KindWord("evaluator", .eval), KindWord("prompt", .custom),
                KindWord("unknown", nil),
            ]),
            example: "LLM",
            says: "llm"
        ),
        Mapping(
            .kind,
            "gen_ai.operation.name",
            .genAI,
            as: .kind([
                KindWord("chat", .llm), KindWord("generate_content", .llm), KindWord("text_completion", .llm),
                KindWord("realtime_inference", .llm), KindWord("embeddings", .embedding),
                KindWord("retrieval", .retrieval), KindWord("create_agent", .custom), KindWord("invoke_agent", .agent),
                KindWord("invoke_workflow", .workflow), KindWord("execute_task", .workflow),
                KindWord("execute_tool", .tool), KindWord("plan", .plan), KindWord("handoff", .handoff),
                KindWord("create_memory_store", .memory), KindWord("search_memory", .memory),
                KindWord("create_memory", .memory), KindWord("update_memory", .memory),
                KindWord("upsert_memory", .memory), KindWord("delete_memory", .memory),
                KindWord("delete_memory_store", .memory),
            ]),
            example: "execute_tool",
            says: "tool"
        ),
        Mapping(
            .kind,
            "traceloop.span.kind",
            .openLLMetry,
            as: .kind([
                KindWord("agent", .agent), KindWord("tool", .tool), KindWord("workflow", .workflow),
                KindWord("task", .workflow), KindWord("handoff", .handoff), KindWord("unknown", nil),
            ]),
            example: "workflow",
            says: "workflow"
        ),
        Mapping(
            .kind,
            "llm.request.type",
            .openLLMetry,
            .until("gen_ai.operation.name"),
            as: .kind([
                KindWord("chat", .llm), KindWord("completion", .llm), KindWord("embedding", .embedding),
                KindWord("rerank", .retrieval), KindWord("unknown", nil),
            ]),
            example: "chat",
            says: "llm"
        ),
        Mapping(
            .kind,
            "sdk_span_type",
            .logfire,
            as: .kind([
                KindWord("agent", .agent), KindWord("generation", .llm), KindWord("response", .llm),
                KindWord("function", .tool), KindWord("handoff", .handoff), KindWord("guardrail", .guardrail),
                KindWord("mcp_tools", .protocolCall), KindWord("task", .workflow), KindWord("turn", .workflow),
                KindWord("trace", .workflow), KindWord("custom", nil),
            ]),
            example: "function",
            says: "tool"
        ),
        Mapping(
            .kind,
            "logfire.msg_template",
            .logfire,
            as: .kind([
                KindWord("Agent run: ", .agent, isPrefix: true), KindWord("agent run", .agent, isPrefix: true),
                KindWord("{agent_name} run", .agent, isPrefix: true), KindWord("Handoff: ", .handoff, isPrefix: true),
                KindWord("Function: ", .tool, isPrefix: true), KindWord("Responses API", .llm, isPrefix: true),
                KindWord("Chat Completion with ", .llm, isPrefix: true),
                KindWord("Chat completion with ", .llm, isPrefix: true),
                KindWord("Message with ", .llm, isPrefix: true),
                KindWord("Guardrail ", .guardrail, isPrefix: true),
                KindWord("OpenAI Agents trace: ", .workflow, isPrefix: true),
                KindWord("MCP: ", .protocolCall, isPrefix: true),
            ]),
            example: "Agent run: {name!r}",
            says: "agent"
        ),
        Mapping(
            .kind,
            "genkit:metadata:subtype",
            .genkit,
            as: .kind([
                KindWord("model", .llm), KindWord("background-model", .llm), KindWord("tool", .tool),
                KindWord("tool.v2", .tool), KindWord("flow", .workflow), KindWord("embedder", .embedding),
                KindWord("retriever", .retrieval), KindWord("reranker", .retrieval), KindWord("evaluator", .eval),
                KindWord("prompt", .custom), KindWord("executable-prompt", .custom), KindWord("agent", .agent),
            ]),
            example: "model",
            says: "llm"
        ),
        Mapping(
            .kind,
            "ai.operationId",
            .vercel,
            as: .kind([
                KindWord("ai.generatetext", .workflow), KindWord("ai.streamtext", .workflow),
                KindWord("ai.generateobject", .workflow), KindWord("ai.streamobject", .workflow),
                KindWord("ai.embed", .workflow), KindWord("ai.embedmany", .workflow),
                KindWord("ai.generatetext.dogenerate", .llm), KindWord("ai.streamtext.dostream", .llm),
                KindWord("ai.generateobject.dogenerate", .llm), KindWord("ai.streamobject.dostream", .llm),
                KindWord("ai.embed.doembed", .embedding), KindWord("ai.embedmany.doembed", .embedding),
                KindWord("ai.toolcall", .tool),
            ]),
            example: "ai.generateText.doGenerate",
            says: "llm"
        ),
        // Codex names the span of a call after the tool, which may have any name.
        Mapping(
            .kind,
            "call_id",
            .codex,
            as: .kind([KindWord("", .tool, isPrefix: true)]),
            isOwn: true,
            example: "call_3",
            says: "tool"
        ),
        Mapping(
            .kind,
            "mcp.method.name",
            .mcp,
            as: .kind([
                KindWord("tools/call", .tool), KindWord("", .protocolCall, isPrefix: true),
            ]),
            example: "tools/list",
            says: "protocol"
        ),
    ]
}
