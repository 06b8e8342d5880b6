// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The policy as it stands in a file:
///
///     session_sampling:
///       hold: 10m
///       spans_after: 1h
///       rules:
///         - {name: urgent, match: {priority: [critical, high]}, rate: 1}
///         - {match: {priority: low, agent: crawler-*, labels: {team: infra}}, rate: 0.1, max_per_minute: 60}
///         - {match: {priority: background}, rate: 0.02}
///       default_rate: 0.5
///       rescue:
///         duration_quantile: off
///         human_wait: 10m
extension SessionPolicy {
    /// Reads the root of a file. Rules that contradict themselves, or are never reached, are refused.
    package init(_ root: ConfigurationNode) throws(ConfigurationNode.Failure) {
        self.init()
        var file = try ConfigurationMap(root, "the file")
        let node = try file.needed("session_sampling")
        try file.finish()
        var map = try ConfigurationMap(node, "session_sampling")
        holdNanos = try map.nanos("hold", in: 0...Self.holdNanosMax) ?? holdNanos
        if let node = map.node("spans_after"), !Self.isOff(node) {
            spansAfterNanos = try map.nanos("spans_after", in: Self.spansAfterNanos)
        }
        defaultRate = try map.number("default_rate", in: 0...1) ?? defaultRate
        var lines: [Int] = []
        for node in try map.node("rules") == nil ? [] : map.neededList("rules") {
            let rule = try Self.rule(node, number: rules.count + 1)
            guard !rules.contains(where: { $0.name == rule.name }) else {
                throw .init("two rules have the name \(rule.name)", line: node.line)
            }
            if let earlier = rules.firstIndex(where: { $0.match.covers(rule.match) }) {
                throw .init(
                    "rule \(rule.name) is never reached, since \(rules[earlier].name) on line \(lines[earlier]) is about all its "
                        + "sessions: put it before that",
                    line: node.line
                )
            }
            rules.append(rule)
            lines.append(node.line)
        }
        if let node = map.node("rescue") { rescue = try Self.rescue(node) }
        try map.finish()
    }

    /// Sessions are held in memory for so long.
    private static let holdNanosMax: UInt64 = 86_400_000_000_000
    private static let priorities = ["critical", "high", "normal", "low", "background"]
    private static let sources = ["api", "batch", "mcp", "spans"]
    private static let spansAfterNanos: ClosedRange<UInt64> = 1_000_000_000...(30 * 86_400_000_000_000)

    private static func rule(_ node: ConfigurationNode, number: Int) throws(ConfigurationNode.Failure) -> Rule {
        var map = try ConfigurationMap(node, "a rule of session_sampling")
        let name = try map.filledText("name") ?? "rule-\(number)"
        let match =
            try map.node("match").map { node throws(ConfigurationNode.Failure) in try self.match(node) } ?? Match()
        guard let rate = try map.number("rate", in: 0...1) else {
            throw .init("rule \(name) lacks rate, the share that is kept, from 0 to 1", line: node.line)
        }
        let most = try map.int("max_per_minute", in: 0...1_000_000_000).map { Int($0) }
        try map.finish()
        return Rule(name: name, match: match, rate: rate, perMinuteMax: most)
    }

    private static func match(_ node: ConfigurationNode) throws(ConfigurationNode.Failure) -> Match {
        var map = try ConfigurationMap(node, "match")
        var match = Match()
        match.priorities = Set(try words("priority", of: priorities, &map))
        match.sources = Set(try words("source", of: sources, &map))
        match.agents = try texts("agent", &map).map { Wildcard($0.text) }
        match.tasks = try texts("task", &map).map { Wildcard($0.text) }
        if let node = map.node("labels") {
            guard case .map(let pairs) = node.content else {
                throw .init("labels has to be a map of keys and values", line: node.line)
            }
            for pair in pairs {
                guard case .scalar(let value) = pair.value.content else {
                    throw .init("the value of label \(pair.key) has to be a text", line: pair.line)
                }
                match.labels.append(.init(key: pair.key, value: Wildcard(value)))
            }
        }
        match.depthMin = try map.int("depth_min", in: 0...1_000_000).map { Int($0) }
        match.depthMax = try map.int("depth_max", in: 0...1_000_000).map { Int($0) }
        if let low = match.depthMin, let high = match.depthMax, low > high {
            throw .init("depth_min \(low) is above depth_max \(high): no session has both", line: map.line)
        }
        try map.finish()
        return match
    }

    /// One text or a list of them; empty where nothing is said.
    private static func texts(
        _ key: String,
        _ map: inout ConfigurationMap
    ) throws(ConfigurationNode.Failure) -> [(text: String, line: Int)] {
        guard let node = map.node(key) else { return [] }
        if case .scalar(let text) = node.content { return [(text, node.line)] }
        return try map.neededTexts(key)
    }

    private static func words(
        _ key: String,
        of known: [String],
        _ map: inout ConfigurationMap
    ) throws(ConfigurationNode.Failure) -> [String] {
        let found = try texts(key, &map)
        for (text, line) in found where !known.contains(text) {
            let hint = Spelling.nearest(to: text, among: known).map { "did you mean \($0)?" }
            throw .init("\(key) is \(text): \(hint ?? "it is one of " + known.joined(separator: ", "))", line: line)
        }
        return found.map(\.text)
    }

    private static func isOff(_ node: ConfigurationNode) -> Bool {
        guard case .scalar(let text) = node.content else { return false }
        return ["off", "false", "no"].contains(text.lowercased())
    }

    private static func rescue(_ node: ConfigurationNode) throws(ConfigurationNode.Failure) -> Rescue {
        // `rescue: off` leaves all to the rates.
        if isOff(node) { return .none }
        var map = try ConfigurationMap(node, "rescue")
        var rescue = Rescue()
        /// The value of a key that may also be off; `known` reads it.
        func value<Value>(
            _ key: String,
            _ given: Value?,
            _ read: (inout ConfigurationMap) throws(ConfigurationNode.Failure) -> Value?
        ) throws(ConfigurationNode.Failure) -> Value? {
            guard let node = map.node(key) else { return given }
            if isOff(node) { return nil }
            return try read(&map)
        }
        rescue.outcome = try map.bool("outcome") ?? rescue.outcome
        rescue.overBudget = try map.bool("over_budget") ?? rescue.overBudget
        rescue.feedback = try map.bool("feedback") ?? rescue.feedback
        rescue.costQuantile = try value("cost_quantile", rescue.costQuantile) { map throws(ConfigurationNode.Failure) in
            try map.number("cost_quantile", in: 0.5...0.9999)
        }
        rescue.durationQuantile = try value("duration_quantile", rescue.durationQuantile) {
            map throws(ConfigurationNode.Failure) in try map.number("duration_quantile", in: 0.5...0.9999)
        }
        rescue.loopCountMin = try value("loops", rescue.loopCountMin) { map throws(ConfigurationNode.Failure) in
            try map.int("loops", in: 3...1_000_000).map { Int($0) }
        }
        rescue.retryCountMin = try value("retries", rescue.retryCountMin) { map throws(ConfigurationNode.Failure) in
            try map.int("retries", in: 2...1_000_000).map { Int($0) }
        }
        rescue.humanWaitNanos = try value("human_wait", rescue.humanWaitNanos) {
            map throws(ConfigurationNode.Failure) in try map.nanos("human_wait", in: 1...spanNanosMax)
        }
        rescue.handoffGapNanos = try value("handoff_gap", rescue.handoffGapNanos) {
            map throws(ConfigurationNode.Failure) in try map.nanos("handoff_gap", in: 1...spanNanosMax)
        }
        rescue.rarePathNanos = try value("rare_path", rescue.rarePathNanos) {
            map throws(ConfigurationNode.Failure) in try map.nanos("rare_path", in: 1_000_000_000...spanNanosMax)
        }
        try map.finish()
        return rescue
    }

    private static let spanNanosMax: UInt64 = 30 * 86_400_000_000_000
}

extension SessionPolicy.Rescue {
    /// Nothing is kept but what the rates keep.
    package static var none: Self {
        var none = Self()
        (none.outcome, none.overBudget, none.feedback) = (false, false, false)
        (none.costQuantile, none.durationQuantile, none.loopCountMin, none.retryCountMin) = (nil, nil, nil, nil)
        (none.humanWaitNanos, none.handoffGapNanos, none.rarePathNanos) = (nil, nil, nil)
        return none
    }
}
