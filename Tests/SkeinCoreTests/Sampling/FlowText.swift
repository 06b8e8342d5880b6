// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline

/// Reads the flow form of YAML, such as `{a: 1, b: [x, y]}`, as far as tests need it. Text ends at a comma, a bracket, a
/// colon or the end of its line, and may stand in single quotes.
struct FlowText {
    private var rest: Substring
    private var line = 1

    static func node(_ text: String) -> ConfigurationNode {
        var flow = FlowText(rest: text[...])
        return flow.node()
    }

    private mutating func skipBlanks() {
        while let first = rest.first, first.isWhitespace {
            if first.isNewline { line += 1 }
            rest.removeFirst()
        }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipBlanks()
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func word() -> String {
        skipBlanks()
        if take("'") {
            let text = rest.prefix { $0 != "'" }
            rest = rest.dropFirst(text.count + 1)
            return String(text)
        }
        let text = rest.prefix { !",:{}[]".contains($0) && !$0.isNewline }
        rest = rest.dropFirst(text.count)
        return String(text.reversed().drop(while: \.isWhitespace).reversed())
    }

    private mutating func node() -> ConfigurationNode {
        skipBlanks()
        let start = line
        if take("{") {
            var pairs: [(key: String, line: Int, value: ConfigurationNode)] = []
            while !take("}"), !rest.isEmpty {
                skipBlanks()
                let (key, line) = (word(), line)
                _ = take(":")
                pairs.append((key, line, node()))
                _ = take(",")
            }
            return ConfigurationNode(.map(pairs), line: start)
        }
        if take("[") {
            var nodes: [ConfigurationNode] = []
            while !take("]"), !rest.isEmpty {
                nodes.append(node())
                _ = take(",")
            }
            return ConfigurationNode(.list(nodes), line: start)
        }
        return ConfigurationNode(.scalar(word()), line: start)
    }
}
