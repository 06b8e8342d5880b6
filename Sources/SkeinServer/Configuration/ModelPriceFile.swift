// SPDX-License-Identifier: Apache-2.0
package import SkeinAgents
import SkeinBase
import SkeinPipeline

/// A file with what models cost; read and checked:
///
///     model_prices:            # US dollars for a million tokens
///       - {model: gpt-5*, input: 1.25, output: 10, cache_read: 0.125}
///       - {model: "*", provider: local, input: 0, output: 0}
package struct ModelPriceFile: Sendable {
    package let path: String
    package let prices: ModelPrices

    /// Reads the file at `path`.
    package init(path: String) throws(ConfigurationError) {
        try self.init(try ConfigurationSources.text(of: path), path: path)
    }

    /// Reads the text of a file, which messages call `path`.
    package init(_ text: String, path: String) throws(ConfigurationError) {
        self.path = path
        do throws(ConfigurationNode.Failure) {
            prices = try Self.prices(try SamplingFile.tree(text))
        } catch {
            throw ConfigurationError("line \(error.line) of \(path): \(error.message)")
        }
    }

    /// Dearer than any model, so that a price for one token in place of a million is found out.
    private static let priceMax = 100_000.0

    private static func prices(_ root: ConfigurationNode) throws(ConfigurationNode.Failure) -> ModelPrices {
        var file = try ConfigurationMap(root, "the file")
        let nodes = try file.neededList("model_prices")
        try file.finish()
        var rules: [ModelPrices.Rule] = []
        for node in nodes {
            var map = try ConfigurationMap(node, "a price of model_prices")
            let model = try map.neededText("model")
            let provider = try map.filledText("provider")
            guard let input = try map.number("input", in: 0...priceMax),
                let output = try map.number("output", in: 0...priceMax)
            else {
                throw .init(
                    "the price of \(model) lacks input or output, US dollars for a million tokens",
                    line: node.line
                )
            }
            let price = ModelPrices.Price(
                input: input,
                output: output,
                cacheRead: try map.number("cache_read", in: 0...priceMax),
                cacheWrite: try map.number("cache_write", in: 0...priceMax)
            )
            try map.finish()
            let rule = ModelPrices.Rule(
                model: Wildcard(model.lowercased()),
                provider: provider.map { Wildcard($0.lowercased()) },
                price: price
            )
            if let earlier = rules.first(where: { $0.covers(rule) }) {
                throw .init(
                    "the price of \(model) is never asked for, since \(earlier.model.text) before it is about all its models: put "
                        + "it before that",
                    line: node.line
                )
            }
            rules.append(rule)
        }
        return ModelPrices(rules)
    }
}
