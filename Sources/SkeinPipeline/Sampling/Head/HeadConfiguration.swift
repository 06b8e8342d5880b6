// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The rules at the door as they stand in a file, in the block `head_sampling`:
///
///     head_sampling:
///       rules:
///         - name: health
///           operation: GET /health*
///           sampler: always_off
///         - service: checkout
///           sampler: probabilistic
///           percent: 25
///         - sampler: rate_limiting
///           traces_per_second: 500
///
/// A rule says what spans it is about with `service` and `operation` (`*` stands for any text), `attributes` (a map),
/// `priority_min` and `priority_max`; without any of them it is about all.
package struct HeadConfiguration: Sendable {
    package var rules: [HeadRule] = []

    /// Reads the value of `head_sampling`. Rules that contradict themselves, or are never reached, are refused.
    package init(_ node: ConfigurationNode) throws(ConfigurationNode.Failure) {
        var map = try ConfigurationMap(node, "head_sampling")
        var lines: [Int] = []
        for node in try map.neededList("rules") {
            let rule = try Self.rule(node, number: rules.count + 1)
            guard !rules.contains(where: { $0.name == rule.name }) else {
                throw .init("two rules have the name \(rule.name)", line: node.line)
            }
            if let earlier = rules.firstIndex(where: { $0.match.covers(rule.match) }) {
                throw .init(
                    "rule \(rule.name) is never reached, since \(rules[earlier].name) on line \(lines[earlier]) is about all "
                        + "its spans: put it before that",
                    line: node.line
                )
            }
            rules.append(rule)
            lines.append(node.line)
        }
        try map.finish()
    }

    private static func rule(_ node: ConfigurationNode, number: Int) throws(ConfigurationNode.Failure)
        -> HeadRule
    {
        var map = try ConfigurationMap(node, "a rule of head_sampling")
        let name = try map.text("name") ?? "rule-\(number)"
        var match = HeadRule.Match()
        match.service = try map.filledText("service").map { Wildcard($0) }
        match.operation = try map.filledText("operation").map { Wildcard($0) }
        match.attributes = try attributes(map.node("attributes"))
        match.priority = try priority(&map)
        let sampler = try sampler(&map)
        try map.finish()
        return HeadRule(name: name, match: match, sampler: sampler)
    }

    private static func attributes(
        _ node: ConfigurationNode?
    ) throws(ConfigurationNode.Failure) -> [HeadRule.Attribute] {
        guard let node else { return [] }
        guard case .map(let pairs) = node.content else {
            throw .init("attributes has to be a map of keys and values", line: node.line)
        }
        var attributes: [HeadRule.Attribute] = []
        for pair in pairs {
            guard case .scalar(let value) = pair.value.content else {
                throw .init(
                    "the value of \(pair.key) has to be a text, a number, true or false",
                    line: pair.line
                )
            }
            guard !attributes.contains(where: { $0.key == pair.key }) else {
                throw .init("\(pair.key) stands twice in attributes", line: pair.line)
            }
            attributes.append(.init(key: pair.key, value: value))
        }
        return attributes
    }

    private static let priorityBounds = -1e9...1e9

    private static func priority(
        _ map: inout ConfigurationMap
    ) throws(ConfigurationNode.Failure) -> ClosedRange<Double>? {
        let low = try map.number("priority_min", in: priorityBounds)
        let high = try map.number("priority_max", in: priorityBounds)
        guard low != nil || high != nil else { return nil }
        let (from, to) = (low ?? -.infinity, high ?? .infinity)
        guard from <= to else {
            throw .init(
                "priority_min \(from) is above priority_max \(to): no span has both",
                line: map.line
            )
        }
        return from...to
    }

    private static func sampler(_ map: inout ConfigurationMap) throws(ConfigurationNode.Failure)
        -> HeadRule.Sampler
    {
        let (name, line) = try (map.neededText("sampler"), map.needed("sampler").line)
        // What another sampler takes is unknown to this one, and refused as such.
        switch name {
        case "always_on": return .alwaysOn
        case "always_off": return .alwaysOff
        case "probabilistic":
            guard let percent = try map.number("percent", in: 0...100) else {
                throw .init("a rule with the sampler probabilistic lacks percent", line: line)
            }
            return try map.filledText("hash_salt").map { .hashed(percent / 100, salt: $0) }
                ?? .probabilistic(percent / 100)
        case "rate_limiting":
            guard let rate = try map.number("traces_per_second", in: 0.001...1e9) else {
                throw .init("a rule with the sampler rate_limiting lacks traces_per_second", line: line)
            }
            return .rateLimiting(rate)
        default:
            throw .init(
                "sampler is \(name): it has to be always_on, always_off, probabilistic or rate_limiting",
                line: line
            )
        }
    }
}
