// SPDX-License-Identifier: Apache-2.0

/// One row of the table of what is content: an attribute that holds what was said to a model or by it, or what a tool was
/// given or gave back.
///
/// Definitions of tools and settings of models are none: they say how a program was written, not what it was used for.
package struct ContentKey: Sendable {
    /// The attribute's key, or of a ``Form/list`` what stands in front of the number.
    package var key: String
    package var dialect: AgentSpan.Dialect
    package var form: Form
    package var holder: Holder

    package enum Form: Sendable {
        case value
        /// A list or an object that came apart into attributes such as `llm.input_messages.0.message.role`.
        case list
        /// An object, or JSON text of one, of which the members ``ContentKey/members`` are content.
        case members
    }

    /// On which spans the key means content.
    package enum Holder: Sendable {
        /// On all: nobody else uses the key.
        case any
        /// On those that an agent's dialect claims.
        case agents
        /// On the dialect's own.
        case own
    }

    private init(_ key: String, _ dialect: AgentSpan.Dialect, _ form: Form, _ holder: Holder) {
        self.key = key
        self.dialect = dialect
        self.form = form
        self.holder = holder
    }

    /// Members of a model's settings that are what it was told.
    static let members: Set<String> = [
        "instructions", "instruction_parts", "system", "system_prompt", "system_instruction", "messages", "prompt",
        "input", "contents",
    ]

    /// All rows; no key stands twice.
    package static let table: [ContentKey] =
        rows(
            .genAI,
            [
                "gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages",
                "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.prompt", "gen_ai.completion",
                "gen_ai.event.content", "gen_ai.retrieval.documents", "gen_ai.retrieval.query.text",
                "gen_ai.memory.records", "gen_ai.memory.query.text",
                // Google's agents and MLflow, which write them beside the convention.
                "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_call_args",
                "gcp.vertex.agent.tool_response", "gcp.vertex.agent.data", "mlflow.spanInputs", "mlflow.spanOutputs",
            ]
        ) + rows(.genAI, ["gen_ai.input.messages", "gen_ai.output.messages"], .list)
        + rows(.genAI, ["system_prompt"], held: .agents)
        + rows(.workTrace, ["worktrace.session.summary"])
        + rows(
            .openInference,
            [
                "llm.prompts", "llm.completions", "llm.prompt_template.template", "llm.prompt_template.variables",
                "llm.function_call", "tool_call.function.arguments", "reranker.query", "embedding.text",
            ]
        )
        + rows(
            .openInference,
            [
                "llm.input_messages", "llm.output_messages", "llm.prompts", "llm.completions", "llm.choices",
                "retrieval.documents", "reranker.input_documents", "reranker.output_documents", "embedding.embeddings",
            ],
            .list
        ) + rows(.openInference, ["input.value", "output.value"], held: .agents)
        + rows(.openInference, ["llm.invocation_parameters"], .members)
        + rows(
            .openLLMetry,
            [
                "traceloop.entity.input", "traceloop.entity.output", "traceloop.prompt.template",
                "traceloop.prompt.template_variables", "mcp.request.argument", "mcp.response.value",
            ]
        ) + rows(.openLLMetry, ["gen_ai.prompt", "gen_ai.completion"], .list)
        + rows(
            .langfuse,
            [
                "langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input",
                "langfuse.trace.output",
            ]
        )
        + rows(
            .vercel,
            [
                "ai.prompt", "ai.prompt.messages", "ai.response.text", "ai.response.object", "ai.response.toolCalls",
                "ai.response.reasoning", "ai.response.files", "ai.result.text", "ai.result.object",
                "ai.result.toolCalls", "ai.toolCall.args", "ai.toolCall.result", "ai.toolCall.input",
                "ai.toolCall.output", "ai.value", "ai.values", "ai.embedding", "ai.embeddings",
            ]
        ) + rows(.genkit, ["genkit:input", "genkit:output"])
        + rows(.logfire, ["pydantic_ai.all_messages"])
        + rows(
            .logfire,
            ["all_messages_events", "all_messages", "final_result", "tool_arguments", "tool_response"],
            held: .agents
        ) + rows(.logfire, ["model_request_parameters"], .members, held: .agents)
        + rows(
            .logfire,
            ["input", "output", "events", "response", "raw_input", "request_data", "response_data", "result"],
            held: .own
        )
        + rows(
            .claudeCode,
            [
                "user_prompt", "new_context", "system_prompt_preview", "user_system_prompt", "system_reminders",
                "response.model_output", "tool_input", "tool_parameters", "full_command", "prompt", "response", "body",
            ],
            held: .own
        ) + rows(.codex, ["prompt", "arguments", "output"], held: .own)

    private static func rows(
        _ dialect: AgentSpan.Dialect,
        _ keys: [String],
        _ form: Form = .value,
        held holder: Holder = .any
    ) -> [ContentKey] {
        keys.map { ContentKey($0, dialect, form, holder) }
    }

    /// The names of events that are messages of the convention's older form, with what of their attributes is none of the words.
    static let messageEvents: Set<String> = [
        "gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message",
        "gen_ai.choice",
    ]
    static let plainMessageKeys: Set<String> = [
        "role", "name", "id", "index", "finish_reason", "tool_call_id", "type", "event.name", "gen_ai.system",
        "gen_ai.provider.name", "session.id",
    ]
    /// Claude Code's event that holds what a tool gave back, in attributes that differ from tool to tool.
    static let outputEvent = "tool.output"
}

/// ``ContentKey/table`` by key.
struct ContentKeys: Sendable {
    /// The rows of a key by its number. A key may be several dialects' own.
    private(set) var rows: [[ContentKey]] = [[], []]
    /// By the first two bytes of a key, a bit for whether any key begins so: most keys are none, and cost no more than this.
    private var starts = [UInt64](repeating: 0, count: 1024)
    private var values: [String: UInt8] = [:]
    private var lists: [String: UInt8] = [:]

    /// The number of keys that are no content.
    static let none: UInt8 = 1

    init() {
        for row in ContentKey.table {
            let known = row.form == .list ? lists[row.key] : values[row.key]
            if let known {
                rows[Int(known)].append(row)
                continue
            }
            let number = UInt8(clamping: rows.count)
            rows.append([row])
            if row.form == .list { lists[row.key] = number } else { values[row.key] = number }
            let start = row.key.utf8.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            starts[start >> 6] |= 1 << UInt64(start & 63)
        }
    }

    /// The number of a key, ``none`` or the place of its rows.
    func number(of key: UnsafeRawBufferPointer) -> UInt8 {
        guard key.count >= 4 else { return Self.none }
        let start = Int(key[0]) << 8 | Int(key[1])
        guard starts[start >> 6] & 1 << UInt64(start & 63) != 0 else { return Self.none }
        if let number = values[String(decoding: key, as: UTF8.self)] { return number }
        var dot = 2
        while dot + 1 < key.count {
            if key[dot] == UInt8(ascii: "."), key[dot + 1] >= UInt8(ascii: "0"), key[dot + 1] <= UInt8(ascii: "9") {
                return lists[String(decoding: key[..<dot], as: UTF8.self)] ?? Self.none
            }
            dot += 1
        }
        return Self.none
    }
}
