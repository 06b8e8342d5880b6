// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Mapping {
    /// Tokens and money. The reading of a row of input tokens says whether they include those of the cache: by convention they
    /// do (`gen_ai.usage.input_tokens`), and ``Usage`` adds them where they do not.
    static let usageRows: [Mapping] =
        [
            Mapping(
                .inputTokens,
                "langfuse.observation.usage_details",
                member: "input",
                .langfuse,
                as: .countWithoutCache,
                example: "{\"input\":120,\"output\":7}",
                says: "120"
            ),
            Mapping(
                .inputTokens,
                "langfuse.observation.usage_details",
                member: "prompt_tokens",
                .langfuse,
                as: .count,
                example: "{\"prompt_tokens\":120,\"completion_tokens\":7}",
                says: "120"
            ),
            Mapping(
                .inputTokens,
                "langfuse.observation.usage_details",
                member: "input_tokens",
                .langfuse,
                as: .countByProvider,
                example: "{\"input_tokens\":120,\"output_tokens\":7}",
                says: "120"
            ),
            Mapping(.inputTokens, "llm.token_count.prompt", .openInference, as: .count, example: 120, says: "120"),
            Mapping(.inputTokens, "ai.usage.inputTokens", .vercel, as: .countByProvider, example: 120, says: "120"),
            Mapping(
                .inputTokens,
                "ai.usage.promptTokens",
                .vercel,
                .until("5.0, ai.usage.inputTokens"),
                as: .countByProvider,
                example: 120,
                says: "120"
            ),
            Mapping(.inputTokens, "gen_ai.usage.input_tokens", .genAI, as: .count, example: 120, says: "120"),
            Mapping(
                .inputTokens,
                "gen_ai.usage.prompt_tokens",
                .genAI,
                .until("gen_ai.usage.input_tokens"),
                as: .count,
                example: 120,
                says: "120"
            ),
            Mapping(
                .inputTokens,
                "llm.usage.prompt_tokens",
                .openLLMetry,
                .until("0.20"),
                as: .count,
                example: 120,
                says: "120"
            ),
            Mapping(
                .inputTokens,
                "input_tokens",
                .claudeCode,
                as: .countWithoutCache,
                isOwn: true,
                example: 120,
                says: "120"
            ),
            Mapping(
                .inputTokens,
                "codex.turn.token_usage.input_tokens",
                .codex,
                as: .count,
                isOwn: true,
                example: 120,
                says: "120"
            ),
            Mapping(
                .inputTokens,
                "gen_ai.aggregated_usage.input_tokens",
                .logfire,
                as: .sum,
                example: 383,
                says: "383"
            ),

            Mapping(
                .outputTokens,
                "langfuse.observation.usage_details",
                member: "output",
                .langfuse,
                as: .count,
                example: "{\"input\":120,\"output\":7}",
                says: "7"
            ),
            Mapping(
                .outputTokens,
                "langfuse.observation.usage_details",
                member: "completion_tokens",
                .langfuse,
                as: .count,
                example: "{\"prompt_tokens\":120,\"completion_tokens\":7}",
                says: "7"
            ),
            Mapping(
                .outputTokens,
                "langfuse.observation.usage_details",
                member: "output_tokens",
                .langfuse,
                as: .count,
                example: "{\"input_tokens\":120,\"output_tokens\":7}",
                says: "7"
            ),
            Mapping(.outputTokens, "llm.token_count.completion", .openInference, as: .count, example: 7, says: "7"),
            Mapping(.outputTokens, "ai.usage.outputTokens", .vercel, as: .count, example: 7, says: "7"),
            Mapping(
                .outputTokens,
                "ai.usage.completionTokens",
                .vercel,
                .until("5.0, ai.usage.outputTokens"),
                as: .count,
                example: 7,
                says: "7"
            ),
            Mapping(.outputTokens, "gen_ai.usage.output_tokens", .genAI, as: .count, example: 7, says: "7"),
            Mapping(
                .outputTokens,
                "gen_ai.usage.completion_tokens",
                .genAI,
                .until("gen_ai.usage.output_tokens"),
                as: .count,
                example: 7,
                says: "7"
            ),
            Mapping(
                .outputTokens,
                "llm.usage.completion_tokens",
                .openLLMetry,
                .until("0.20"),
                as: .count,
                example: 7,
                says: "7"
            ),
            Mapping(.outputTokens, "output_tokens", .claudeCode, as: .count, isOwn: true, example: 7, says: "7"),
            Mapping(
                .outputTokens,
                "codex.turn.token_usage.output_tokens",
                .codex,
                as: .count,
                isOwn: true,
                example: 7,
                says: "7"
            ),
            Mapping(
                .outputTokens,
                "gen_ai.aggregated_usage.output_tokens",
                .logfire,
                as: .sum,
                example: 60,
                says: "60"
            ),

            Mapping(
                .totalTokens,
                "langfuse.observation.usage_details",
                member: "total",
                .langfuse,
                as: .count,
                example: "{\"input\":120,\"total\":127}",
                says: "127"
            ),
        ]
        + cacheRows(
            .cacheReadTokens,
            langfuse: [
                "cache_read_input_tokens", "input_cached_tokens", "input_cache_read", "cached_tokens",
            ],
            openInference: [
                "llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input",
            ],
            genAI: [
                ("gen_ai.usage.cache_read.input_tokens", .current),
                ("gen_ai.usage.cache_read_tokens", .until("gen_ai.usage.cache_read.input_tokens")),
                ("gen_ai.usage.cache_read_input_tokens", .until("gen_ai.usage.cache_read.input_tokens")),
                ("gen_ai.usage.details.cache_read_tokens", .until("gen_ai.usage.cache_read.input_tokens")),
            ],
            vercel: ["ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"],
            claudeCode: "cache_read_tokens",
            codex: "codex.turn.token_usage.cached_input_tokens",
            sum: "gen_ai.aggregated_usage.cache_read.input_tokens"
        )
        + cacheRows(
            .cacheWriteTokens,
            langfuse: ["cache_creation_input_tokens", "input_cache_creation", "input_cache_write"],
            openInference: ["llm.token_count.prompt_details.cache_write"],
            genAI: [
                ("gen_ai.usage.cache_write.input_tokens", .current),
                ("gen_ai.usage.cache_creation.input_tokens", .until("gen_ai.usage.cache_write.input_tokens")),
                ("gen_ai.usage.cache_creation_input_tokens", .until("gen_ai.usage.cache_creation.input_tokens")),
                ("gen_ai.usage.details.cache_write_tokens", .until("gen_ai.usage.cache_write.input_tokens")),
            ],
            vercel: ["ai.usage.inputTokenDetails.cacheWriteTokens"],
            claudeCode: "cache_creation_tokens",
            codex: "codex.turn.token_usage.cache_write_input_tokens",
            sum: "gen_ai.aggregated_usage.cache_creation.input_tokens"
        )
        + cacheRows(
            .reasoningTokens,
            langfuse: ["output_reasoning_tokens", "output_reasoning", "reasoning_tokens"],
            openInference: ["llm.token_count.completion_details.reasoning"],
            genAI: [
                ("gen_ai.usage.reasoning.output_tokens", .current),
                ("gen_ai.usage.reasoning_tokens", .until("gen_ai.usage.reasoning.output_tokens")),
                ("gen_ai.usage.details.reasoning_tokens", .until("gen_ai.usage.reasoning.output_tokens")),
            ],
            vercel: ["ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"],
            claudeCode: "reasoning_tokens",
            codex: "codex.turn.token_usage.reasoning_output_tokens",
            sum: "gen_ai.aggregated_usage.reasoning.output_tokens"
        ) + costRows

    /// Tokens of one sort in all dialects.
    private static func cacheRows(
        _ field: Field,
        langfuse: [String],
        openInference: [String],
        genAI: [(String, Era)],
        vercel: [String],
        claudeCode: String,
        codex: String,
        sum: String
    ) -> [Mapping] {
        langfuse.map {
            Mapping(
                field,
                "langfuse.observation.usage_details",
                member: $0,
                .langfuse,
                as: .count,
                example: .string("{\"\($0)\":3}"),
                says: "3"
            )
        } + openInference.map { Mapping(field, $0, .openInference, as: .count, example: 3, says: "3") }
            + vercel.map { Mapping(field, $0, .vercel, as: .count, example: 3, says: "3") }
            + genAI.map { Mapping(field, $0.0, .genAI, $0.1, as: .count, example: 3, says: "3") }
            + [
                Mapping(field, claudeCode, .claudeCode, as: .count, isOwn: true, example: 3, says: "3"),
                Mapping(field, codex, .codex, as: .count, isOwn: true, example: 3, says: "3"),
                Mapping(field, sum, .logfire, as: .sum, example: 3, says: "3"),
            ]
    }

    private static let costRows: [Mapping] = [
        Mapping(.usd, "worktrace.cost.usd", .workTrace, as: .dollars, example: 0.25, says: "0.25"),
        Mapping(
            .usd,
            "langfuse.observation.cost_details",
            member: "total",
            .langfuse,
            as: .dollars,
            example: "{\"input\":0.125,\"output\":0.125,\"total\":0.25}",
            says: "0.25"
        ),
        Mapping(
            .usd,
            "langfuse.observation.cost_details",
            .langfuse,
            as: .dollarsInParts,
            example: "{\"input\":0.125,\"output\":0.5}",
            says: "0.625"
        ),
        Mapping(.usd, "llm.cost.total", .openInference, as: .dollars, example: 0.25, says: "0.25"),
        Mapping(.usd, "operation.cost", .logfire, as: .dollars, example: 0.25, says: "0.25"),
        Mapping(.usd, "gen_ai.usage.cost", .genAI, as: .dollars, example: 0.25, says: "0.25"),
        Mapping(.usd, "cost_usd", .claudeCode, as: .dollars, isOwn: true, example: 0.25, says: "0.25"),
    ]
}
