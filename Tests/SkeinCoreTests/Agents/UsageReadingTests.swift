// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite struct UsageReadingTests {
    static func usage(_ attributes: [String: AttributeValue]) -> AgentSpan.Usage? {
        ClientSpan("chat", attributes.merging(["gen_ai.operation.name": "chat"]) { a, _ in a }).read.usage
    }

    @Test func `the convention's input tokens include the cache's`() {
        let usage = Self.usage([
            "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.cache_read.input_tokens": 80, "gen_ai.usage.cache_creation.input_tokens": 5,
        ])
        #expect(usage?.inputTokens == 100 && usage?.cacheReadTokens == 80 && usage?.cacheWriteTokens == 5)
    }

    @Test func `more cached than read says that the cache was left out`() {
        let usage = Self.usage(["gen_ai.usage.input_tokens": 3, "gen_ai.usage.cache_read.input_tokens": 80])
        #expect(usage?.inputTokens == 83)
    }

    @Test func `Langfuse leaves the cache out, unless its total says otherwise`() {
        let type: AttributeValue = "generation"
        func input(_ details: String) -> UInt64? {
            Self.usage(["langfuse.observation.type": type, "langfuse.observation.usage_details": .string(details)])?
                .inputTokens
        }
        #expect(input("{\"input\":100,\"output\":7,\"input_cache_read\":40}") == 140)
        #expect(input("{\"input\":100,\"output\":7,\"input_cache_read\":40,\"total\":147}") == 140)
        #expect(input("{\"input\":100,\"output\":7,\"input_cache_read\":40,\"total\":107}") == 100)
    }

    @Test(arguments: [("anthropic.messages", 140), ("amazon-bedrock", 140), ("openai.chat", 100)])
    func `who serves a model says how Vercel counts`(provider: String, input: UInt64) {
        let usage = Self.usage([
            "ai.model.provider": .string(provider), "ai.usage.inputTokens": 100, "ai.usage.cachedInputTokens": 40,
        ])
        #expect(usage?.inputTokens == input)
    }

    @Test func `sums of other spans are marked, and never mixed with a span's own`() {
        let sum: [String: AttributeValue] = [
            "gen_ai.operation.name": "invoke_agent", "gen_ai.aggregated_usage.input_tokens": 383,
            "gen_ai.aggregated_usage.output_tokens": 60,
        ]
        let summed = ClientSpan("invoke_agent a", sum).read
        #expect(summed.isUsageSummed && summed.usage?.inputTokens == 383 && summed.usage?.outputTokens == 60)
        let own = ClientSpan("invoke_agent a", sum.merging(["gen_ai.usage.input_tokens": 10]) { $1 }).read
        #expect(!own.isUsageSummed && own.usage?.inputTokens == 10 && own.usage?.outputTokens == 0)
    }

    @Test func `an agent's span may carry the usage itself`() {
        let span = ClientSpan(
            "manager.run",
            ["openinference.span.kind": "AGENT", "llm.token_count.prompt": 20, "llm.token_count.completion": 4]
        ).read
        #expect(span.usage?.inputTokens == 20 && !span.isUsageSummed)
    }

    @Test func `tokens beyond 64 bits stay at the most`() {
        let usage = Self.usage([
            "langfuse.observation.usage_details": "{\"input\":9223372036854775807,\"cache_read_input_tokens\":1.8e19}"
        ])
        #expect(usage?.inputTokens == .max)
    }

    @Test func `money that is not known is none`() {
        #expect(Self.usage(["gen_ai.usage.input_tokens": 1])?.usd == nil)
        #expect(Self.usage(["llm.cost.total": -1.0, "gen_ai.usage.input_tokens": 1])?.usd == nil)
        #expect(Self.usage([:]) == nil)
    }
}
