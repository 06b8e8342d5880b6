// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension SamplingPolicyReader {
    /// A sampler of Refinery, with its names and defaults, written as the collector writes names.
    func dynamic(_ type: String, _ fields: inout ConfigurationMap) throws(Failure) -> DynamicSampling {
        let names = try fields.neededTexts("field_list").map(\.text)
        let goal: DynamicSampling.Goal
        switch type {
        case "dynamic": goal = .rate(try rate(&fields, "sample_rate"))
        case "ema_dynamic": goal = .rate(try rate(&fields, "goal_sample_rate"))
        case "ema_throughput": goal = .throughput(perSecond: try rate(&fields, "goal_throughput_per_sec"))
        default: goal = .evenThroughput(perSecond: try rate(&fields, "goal_throughput_per_sec"))
        }
        var sampling = DynamicSampling(goal, fields: names.map(Self.field))
        if case .rate(let rate) = goal { sampling.initialRate = rate }
        sampling.usesTraceLength = try fields.bool("use_trace_length") ?? false
        sampling.keyCountMax = Int(try fields.int("max_keys", in: 1...100_000) ?? 500)
        let bounds: ClosedRange<UInt64> = 100_000_000...3_600_000_000_000
        switch type {
        case "dynamic": sampling.intervalNanos = try fields.nanos("clear_frequency", in: bounds) ?? 30_000_000_000
        case "windowed_throughput":
            sampling.intervalNanos = try fields.nanos("update_frequency", in: bounds) ?? 1_000_000_000
            let lookback = try fields.nanos("lookback_frequency", in: bounds) ?? 30 * sampling.intervalNanos
            guard lookback >= sampling.intervalNanos, lookback / sampling.intervalNanos <= 1_000 else {
                throw .init("lookback_frequency has to be 1 to 1000 times update_frequency", line: fields.line)
            }
            sampling.lookbackIntervals = Int(lookback / sampling.intervalNanos)
        default:
            sampling.intervalNanos = try fields.nanos("adjustment_interval", in: bounds) ?? 15_000_000_000
            sampling.weight = try fields.number("weight", in: 0.001...1) ?? 0.5
            sampling.ageOutValue = try fields.number("age_out_value", in: 0...1e9) ?? sampling.weight
            sampling.burstMultiple = try fields.number("burst_multiple", in: 0...1e6) ?? 2
            sampling.burstDetectionDelay = Int(try fields.int("burst_detection_delay", in: 0...1_000_000) ?? 3)
        }
        if type == "ema_throughput" {
            sampling.initialRate = try fields.number("initial_sample_rate", in: 1...1e9) ?? 10
        }
        return sampling
    }

    private func rate(_ fields: inout ConfigurationMap, _ key: String) throws(Failure) -> Double {
        try Self.needed(fields.number(key, in: 1...1e9), key, fields)
    }

    private static func field(_ name: String) -> SpanField {
        switch name {
        case "name", "span:name": .name
        case "kind", "span:kind": .kind
        case "status", "span:status": .status
        case "service.name", "resource.service.name": .serviceName
        case _ where name.hasPrefix("span."): .attribute(.span, String(name.dropFirst(5)))
        case _ where name.hasPrefix("resource."): .attribute(.resource, String(name.dropFirst(9)))
        default: .attribute(.any, name)
        }
    }

    /// Rules of which the first that applies decides.
    mutating func rules(_ map: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        var rules: [SamplingPolicy.ConditionalRule] = []
        for node in try map.neededList("rules") {
            var fields = try ConfigurationMap(node, "a rule")
            let name = try fields.neededText("name")
            if rules.contains(where: { $0.name == name }) {
                throw .init("there are two rules called \(name): give one another name", line: node.line)
            }
            if let last = rules.last, last.condition == nil {
                throw .init("\(name) comes after \(last.name), which applies to every trace", line: node.line)
            }
            let hasQuery = fields.node("query") != nil
            let condition = hasQuery ? try query(&fields, "query") : nil
            rules.append(.init(name, condition, try action(&fields)))
            try fields.finish()
        }
        return .rules(rules)
    }

    private mutating func action(_ fields: inout ConfigurationMap) throws(Failure)
        -> SamplingPolicy.ConditionalRule.Action
    {
        let drops = try fields.bool("drop") ?? false
        let rate = try fields.number("sample_rate", in: 1...1e12)
        let sampler = fields.node("sampler")
        guard (drops ? 1 : 0) + (rate == nil ? 0 : 1) + (sampler == nil ? 0 : 1) == 1 else {
            throw .init("a rule takes one of drop, sample_rate and sampler", line: fields.line)
        }
        if drops { return .drop }
        if let rate { return .keep(.probabilistic(1 / rate)) }
        guard let sampler, case .map(let pairs) = sampler.content, pairs.count == 1, let pair = pairs.first,
            ["deterministic", "dynamic", "ema_dynamic", "ema_throughput", "windowed_throughput"].contains(pair.key)
        else {
            throw .init(
                "a sampler is one of deterministic, dynamic, ema_dynamic, ema_throughput and windowed_throughput, with its "
                    + "settings below",
                line: sampler?.line ?? fields.line
            )
        }
        var settings = try ConfigurationMap(pair.value, pair.key)
        let rule = try plainRule(pair.key, &settings)
        try settings.finish()
        return .keep(rule)
    }
}
