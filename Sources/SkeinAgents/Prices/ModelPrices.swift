// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// What calls of models cost where the client does not say.
package struct ModelPrices: Hashable, Sendable {
    /// The first that is about a model counts.
    package var rules: [Rule]

    package init(_ rules: [Rule] = []) { self.rules = rules }

    package struct Rule: Hashable, Sendable {
        /// The name of a model as it was answered or asked for, in lower case.
        package var model: Wildcard
        /// In lower case; `nil` for any.
        package var provider: Wildcard?
        package var price: Price

        package init(model: Wildcard, provider: Wildcard? = nil, price: Price) {
            self.model = model
            self.provider = provider
            self.price = price
        }

        /// Whether every model that `other` is about is one of those that this is about.
        package func covers(_ other: Rule) -> Bool {
            guard model.covers(other.model) else { return false }
            guard let provider else { return true }
            return other.provider.map(provider.covers) ?? false
        }
    }

    /// US dollars for a million tokens.
    package struct Price: Hashable, Sendable {
        package var input: Double
        package var output: Double
        /// Of input tokens that came out of the provider's cache, and that went into it; as all others where nothing is said.
        package var cacheRead: Double?
        package var cacheWrite: Double?

        package init(input: Double, output: Double, cacheRead: Double? = nil, cacheWrite: Double? = nil) {
            self.input = input
            self.output = output
            self.cacheRead = cacheRead
            self.cacheWrite = cacheWrite
        }

        /// US dollars. Cached tokens are some of the input, those of reasoning some of the output.
        package func usd(of usage: AgentSpan.Usage) -> Double {
            let read = min(usage.cacheReadTokens, usage.inputTokens)
            let write = min(usage.cacheWriteTokens, usage.inputTokens - read)
            let fresh = usage.inputTokens - read - write
            let cached = Double(read) * (cacheRead ?? input) + Double(write) * (cacheWrite ?? input)
            return (Double(fresh) * input + cached + Double(usage.outputTokens) * output) / 1e6
        }
    }

    /// The price of a model; `nil` where no rule is about it.
    package func price(of model: AgentSpan.Model) -> Price? {
        let names = [model.answered, model.requested].compactMap { $0?.lowercased() }
        let provider = model.provider?.lowercased()
        return rules.first { rule in
            guard names.contains(where: { rule.model.matches($0[...]) }) else { return false }
            guard let wanted = rule.provider else { return true }
            return provider.map { wanted.matches($0[...]) } ?? false
        }?.price
    }

    /// Adds to spans what their calls of models cost where they do not say so.
    package func fill(_ spans: inout [AgentSpan]) {
        guard !rules.isEmpty else { return }
        var known: [[String?]: Price?] = [:]
        for place in spans.indices {
            guard let model = spans[place].model, !spans[place].isUsageSummed, var usage = spans[place].usage,
                usage.usd == nil
            else { continue }
            let key = [model.provider, model.answered, model.requested]
            let price = known[key] ?? price(of: model)
            known[key] = .some(price)
            guard let price else { continue }
            usage.usd = price.usd(of: usage)
            spans[place].usage = usage
        }
    }
}
