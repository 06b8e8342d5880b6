// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Mapping {
    /// Which model was asked, and which one answered.
    static let modelRows: [Mapping] = [
        Mapping(.provider, "gen_ai.provider.name", .genAI, example: "openai", says: "openai"),
        Mapping(.provider, "gen_ai.system", .genAI, .until("gen_ai.provider.name"), example: "openai", says: "openai"),
        Mapping(.provider, "llm.provider", .openInference, example: "openai", says: "openai"),
        Mapping(.provider, "llm.system", .openInference, example: "openai", says: "openai"),
        Mapping(.provider, "ai.model.provider", .vercel, example: "anthropic.messages", says: "anthropic.messages"),

        Mapping(.requestedModel, "gen_ai.request.model", .genAI, example: "gpt-5", says: "gpt-5"),
        Mapping(.requestedModel, "langfuse.observation.model.name", .langfuse, example: "gpt-5", says: "gpt-5"),
        Mapping(.requestedModel, "langfuse.observation.model", .langfuse, example: "gpt-5", says: "gpt-5"),
        Mapping(.requestedModel, "llm.request.model_name", .openInference, example: "gpt-5", says: "gpt-5"),
        Mapping(.requestedModel, "llm.model_name", .openInference, example: "gpt-5", says: "gpt-5"),
        Mapping(.requestedModel, "embedding.model_name", .openInference, example: "e-3", says: "e-3"),
        Mapping(.requestedModel, "llm.request.model", .openLLMetry, .until("0.20"), example: "gpt-4", says: "gpt-4"),
        Mapping(.requestedModel, "ai.model.id", .vercel, example: "gpt-5", says: "gpt-5"),
        Mapping(.requestedModel, "genkit:model", .genkit, example: "gemini-3", says: "gemini-3"),
        Mapping(
            .requestedModel,
            "genkit:name",
            .genkit,
            of: [.llm],
            example: "googleai/gemini-3",
            says: "googleai/gemini-3"
        ),
        Mapping(.requestedModel, "model", .claudeCode, isOwn: true, example: "claude-5", says: "claude-5"),
        Mapping(.requestedModel, "model", .codex, isOwn: true, example: "gpt-5-codex", says: "gpt-5-codex"),
        Mapping(.requestedModel, "model_name", .logfire, of: [.llm], isOwn: true, example: "gpt-5", says: "gpt-5"),

        Mapping(.answeredModel, "gen_ai.response.model", .genAI, example: "gpt-5-2026", says: "gpt-5-2026"),
        Mapping(.answeredModel, "llm.response.model_name", .openInference, example: "gpt-5-2026", says: "gpt-5-2026"),
        Mapping(
            .answeredModel,
            "llm.response.model",
            .openLLMetry,
            .until("0.20"),
            example: "gpt-4-0613",
            says: "gpt-4-0613"
        ),
        Mapping(.answeredModel, "ai.response.model", .vercel, example: "gpt-5-2026", says: "gpt-5-2026"),

        Mapping(.responseID, "gen_ai.response.id", .genAI, example: "chatcmpl-1", says: "chatcmpl-1"),
        Mapping(.responseID, "ai.response.id", .vercel, example: "chatcmpl-1", says: "chatcmpl-1"),

        Mapping(
            .finishReasons,
            "gen_ai.response.finish_reasons",
            .genAI,
            as: .texts,
            example: ["stop"],
            says: "stop"
        ),
        Mapping(
            .finishReasons,
            "gen_ai.response.finish_reason",
            .openLLMetry,
            .until("gen_ai.response.finish_reasons"),
            as: .texts,
            example: "stop",
            says: "stop"
        ),
        Mapping(.finishReasons, "llm.finish_reason", .openInference, as: .texts, example: "stop", says: "stop"),
        Mapping(.finishReasons, "ai.response.finishReason", .vercel, as: .texts, example: "stop", says: "stop"),
        Mapping(
            .finishReasons,
            "stop_reason",
            .claudeCode,
            as: .texts,
            isOwn: true,
            example: "end_turn",
            says: "end_turn"
        ),

        Mapping(
            .firstChunk,
            "gen_ai.response.time_to_first_chunk",
            .genAI,
            as: .seconds,
            example: 0.25,
            says: "250000000"
        ),
        Mapping(
            .firstChunk,
            "gen_ai.client.operation.time_to_first_chunk",
            .logfire,
            as: .seconds,
            example: 0.25,
            says: "250000000"
        ),
        Mapping(
            .firstChunk,
            "ai.response.msToFirstChunk",
            .vercel,
            as: .milliseconds,
            example: 250.0,
            says: "250000000"
        ),
        Mapping(.firstChunk, "ttft_ms", .claudeCode, as: .milliseconds, isOwn: true, example: 250, says: "250000000"),
    ]
}
