// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import Testing

@Suite struct ModelPricesTests {
    private static let prices = ModelPrices([
        .init(model: Wildcard("big-5-mini*"), price: .init(input: 0.25, output: 2)),
        .init(model: Wildcard("big-5*"), price: .init(input: 1.25, output: 10, cacheRead: 0.125, cacheWrite: 1.5)),
        .init(model: Wildcard("*"), provider: Wildcard("local"), price: .init(input: 0, output: 0)),
    ])

    private static func call(_ attributes: [String: AttributeValue]) -> AgentSpan {
        var spans = [
            ClientSpan(
                "chat",
                [
                    "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1_000_000,
                    "gen_ai.usage.output_tokens": 100_000,
                ].merging(attributes) { $1 }
            ).read
        ]
        prices.fill(&spans)
        return spans[0]
    }

    @Test func `the first price that is about a model counts, in any case of letters`() {
        #expect(Self.call(["gen_ai.request.model": "Big-5-2026-08"]).usage?.usd == 2.25)
        #expect(Self.call(["gen_ai.request.model": "big-5-mini"]).usage?.usd == 0.45)
        #expect(Self.call(["gen_ai.request.model": "auto", "gen_ai.response.model": "big-5"]).usage?.usd == 2.25)
        #expect(Self.call(["gen_ai.request.model": "x", "gen_ai.provider.name": "Local"]).usage?.usd == 0)
        #expect(Self.call(["gen_ai.request.model": "x"]).usage?.usd == nil)
        #expect(Self.call([:]).usage?.usd == nil)
    }

    @Test func `cached tokens are some of the input, at prices of their own`() {
        let price = ModelPrices.Price(input: 10, output: 0, cacheRead: 1, cacheWrite: 20)
        var usage = AgentSpan.Usage()
        (usage.inputTokens, usage.cacheReadTokens, usage.cacheWriteTokens) = (1_000_000, 500_000, 100_000)
        #expect(price.usd(of: usage) == 4 + 0.5 + 2)
        #expect(ModelPrices.Price(input: 10, output: 0).usd(of: usage) == 10)
        (usage.cacheReadTokens, usage.cacheWriteTokens) = (.max, .max)
        #expect(price.usd(of: usage) == 1)
        (usage.inputTokens, usage.outputTokens) = (.max, .max)
        #expect(price.usd(of: usage).isFinite)
    }

    @Test func `what the client says is not changed, and sums of calls are no calls`() {
        let told = Self.call(["gen_ai.request.model": "big-5", "worktrace.cost.usd": 0.5])
        #expect(told.usage?.usd == 0.5)
        var sum = Self.call(["gen_ai.request.model": "big-5"])
        sum.usage?.usd = nil
        sum.isUsageSummed = true
        var spans = [sum]
        Self.prices.fill(&spans)
        #expect(spans[0].usage?.usd == nil)
    }
}
