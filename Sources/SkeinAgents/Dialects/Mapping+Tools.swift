// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Mapping {
    /// Tool calls. What they are given and give back is never kept: only a hash and a size of it.
    static let toolRows: [Mapping] = [
        Mapping(.toolName, "gen_ai.tool.name", .genAI, of: [.tool], example: "grep", says: "grep"),
        Mapping(.toolName, "tool.name", .openInference, of: [.tool], example: "grep", says: "grep"),
        Mapping(.toolName, "traceloop.entity.name", .openLLMetry, of: [.tool], example: "grep", says: "grep"),
        Mapping(.toolName, "ai.toolCall.name", .vercel, of: [.tool], example: "grep", says: "grep"),
        Mapping(.toolName, "genkit:name", .genkit, of: [.tool], example: "grep", says: "grep"),
        Mapping(.toolName, "tool_name", .claudeCode, of: [.tool], isOwn: true, example: "Bash", says: "Bash"),
        Mapping(.toolName, "tool_name", .codex, of: [.tool], isOwn: true, example: "shell", says: "shell"),
        Mapping(.toolName, "name", .logfire, of: [.tool], isOwn: true, example: "grep", says: "grep"),

        Mapping(.toolCallID, "gen_ai.tool.call.id", .genAI, of: [.tool], example: "c1", says: "c1"),
        Mapping(.toolCallID, "tool_call.id", .openInference, of: [.tool], example: "c1", says: "c1"),
        Mapping(.toolCallID, "tool.id", .openInference, of: [.tool], example: "c1", says: "c1"),
        Mapping(.toolCallID, "ai.toolCall.id", .vercel, of: [.tool], example: "c1", says: "c1"),
        Mapping(.toolCallID, "call_id", .codex, of: [.tool], isOwn: true, example: "c1", says: "c1"),
        Mapping(.toolCallID, "tool.call_id", .codex, of: [.tool], isOwn: true, example: "c1", says: "c1"),

        Mapping(.toolServer, "worktrace.tool.server", .workTrace, of: [.tool], example: "fs-mcp", says: "fs-mcp"),
        Mapping(.toolServer, "worktrace.mcp.server.name", .workTrace, of: [.tool], example: "fs-mcp", says: "fs-mcp"),
        Mapping(.toolServer, "mcp.server.name", .mcp, of: [.tool], example: "fs-mcp", says: "fs-mcp"),
        Mapping(.toolServer, "anthropic.mcp.server.name", .claudeCode, of: [.tool], example: "fs-mcp", says: "fs-mcp"),
        Mapping(.toolServer, "gen_ai.tool.server.name", .genAI, of: [.tool], example: "fs-mcp", says: "fs-mcp"),

        Mapping(.requestID, "jsonrpc.request.id", .mcp, of: [.tool], example: 4, says: "4"),
        Mapping(
            .requestID,
            "mcp.request.id",
            .openLLMetry,
            .until("jsonrpc.request.id"),
            of: [.tool],
            example: "4",
            says: "4"
        ),

        Mapping(
            .toolArguments,
            "gen_ai.tool.call.arguments",
            .genAI,
            as: .content,
            of: [.tool],
            example: "{\"n\":1}",
            says: "{n:1}"
        ),
        Mapping(
            .toolArguments,
            "tool_arguments",
            .logfire,
            .until("gen_ai.tool.call.arguments"),
            as: .content,
            of: [.tool],
            example: "{\"n\":1}",
            says: "{n:1}"
        ),
        Mapping(
            .toolArguments,
            "langfuse.observation.input",
            .langfuse,
            as: .content,
            of: [.tool],
            example: "{\"n\":1}",
            says: "{n:1}"
        ),
        Mapping(
            .toolArguments,
            "input.value",
            .openInference,
            as: .content,
            of: [.tool],
            example: "{\"n\":1}",
            says: "{n:1}"
        ),
        Mapping(
            .toolArguments,
            "traceloop.entity.input",
            .openLLMetry,
            as: .content,
            of: [.tool],
            example: "{\"n\":1}",
            says: "{n:1}"
        ),
        Mapping(
            .toolArguments,
            "ai.toolCall.args",
            .vercel,
            as: .content,
            of: [.tool],
            example: "{\"n\":1}",
            says: "{n:1}"
        ),
        Mapping(
            .toolArguments,
            "genkit:input",
            .genkit,
            as: .content,
            of: [.tool],
            example: "{\"n\":1}",
            says: "{n:1}"
        ),
        Mapping(
            .toolArguments,
            "tool_input",
            .claudeCode,
            as: .content,
            of: [.tool],
            isOwn: true,
            example: "{\"n\":1}",
            says: "{n:1}"
        ),
        Mapping(
            .toolArguments,
            "input",
            .logfire,
            as: .content,
            of: [.tool],
            isOwn: true,
            example: "{\"n\":1}",
            says: "{n:1}"
        ),

        Mapping(
            .toolResult,
            "gen_ai.tool.call.result",
            .genAI,
            as: .content,
            of: [.tool],
            example: "three",
            says: "5"
        ),
        Mapping(
            .toolResult,
            "tool_response",
            .logfire,
            .until("gen_ai.tool.call.result"),
            as: .content,
            of: [.tool],
            example: "three",
            says: "5"
        ),
        Mapping(
            .toolResult,
            "langfuse.observation.output",
            .langfuse,
            as: .content,
            of: [.tool],
            example: "three",
            says: "5"
        ),
        Mapping(
            .toolResult,
            "output.value",
            .openInference,
            as: .content,
            of: [.tool],
            example: "three",
            says: "5"
        ),
        Mapping(
            .toolResult,
            "traceloop.entity.output",
            .openLLMetry,
            as: .content,
            of: [.tool],
            example: "three",
            says: "5"
        ),
        Mapping(
            .toolResult,
            "ai.toolCall.result",
            .vercel,
            as: .content,
            of: [.tool],
            example: "three",
            says: "5"
        ),
        Mapping(.toolResult, "genkit:output", .genkit, as: .content, of: [.tool], example: "three", says: "5"),
        Mapping(
            .toolResult,
            "output",
            .logfire,
            as: .content,
            of: [.tool],
            isOwn: true,
            example: "three",
            says: "5"
        ),

        // What stands in place of the two where they are dropped or cut.
        Mapping(
            .argumentsHash,
            "worktrace.content.arguments.hash",
            .workTrace,
            of: [.tool],
            example: "00000000000000ff",
            says: "00000000000000ff"
        ),
        Mapping(
            .resultBytes,
            "worktrace.content.result.bytes",
            .workTrace,
            as: .count,
            of: [.tool],
            example: 5,
            says: "5"
        ),
        Mapping(
            .resultBytes,
            "worktrace.tool.result_bytes",
            .workTrace,
            as: .count,
            of: [.tool],
            example: 5,
            says: "5"
        ),
        // The whole message that `skein mcp-proxy` passed on.
        Mapping(
            .resultBytes,
            "worktrace.mcp.response.bytes",
            .mcp,
            as: .count,
            of: [.tool],
            example: 5,
            says: "5"
        ),
    ]
}
