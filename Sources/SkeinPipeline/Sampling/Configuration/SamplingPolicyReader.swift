// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Reads policies as the collector writes them, and the types that Skein adds.
struct SamplingPolicyReader {
    typealias Failure = ConfigurationNode.Failure

    /// What a policy is part of.
    enum Owner { case top, and, not, drop, composite }

    let condition: SamplingConfiguration.Condition
    private var depth = 0
    private var policyCount = 0

    /// Policies within policies.
    private static let depthMax = 8
    /// All policies of a file: each is asked about each trace.
    private static let policyCountMax = 1_000

    static let types = [
        "always_sample", "latency", "numeric_attribute", "probabilistic", "status_code", "string_attribute",
        "trace_state",
        "trace_flags", "rate_limiting", "bytes_limiting", "span_count", "boolean_attribute", "and", "not", "drop",
        "composite", "traceql", "deterministic", "dynamic", "ema_dynamic", "ema_throughput", "windowed_throughput",
        "rules",
    ]

    init(condition: @escaping SamplingConfiguration.Condition) { self.condition = condition }

    /// The list below `key`, in which every name is another.
    mutating func policies(
        _ map: inout ConfigurationMap,
        _ key: String,
        in owner: Owner
    ) throws(Failure) -> [SamplingPolicy] {
        var policies: [SamplingPolicy] = []
        var names: Set<String> = []
        for node in try map.neededList(key) {
            policyCount += 1
            guard policyCount <= Self.policyCountMax else {
                throw .init(
                    "there are more than \(Self.policyCountMax) policies: name several values in one",
                    line: node.line
                )
            }
            let policy = try policy(node, in: owner)
            if !names.insert(policy.name).inserted {
                throw .init("there are two policies called \(policy.name): give one another name", line: node.line)
            }
            policies.append(policy)
        }
        return policies
    }

    private mutating func policy(_ node: ConfigurationNode, in owner: Owner) throws(Failure) -> SamplingPolicy {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else {
            throw .init("policies lie in each other more than \(Self.depthMax) deep", line: node.line)
        }
        var map = try ConfigurationMap(node, "a policy")
        let name = try map.neededText("name")
        let type = try map.needed("type")
        guard case .scalar(let text) = type.content else { throw .init("type has to be a text", line: type.line) }
        if text == "ottl_condition" {
            throw .init(
                "the policy \(name) is an ottl_condition, which Skein does not read: write the condition in TraceQL, as "
                    + "`type: traceql` with `traceql: {query: '{ span.http.route = \"/pay\" }'}`",
                line: type.line
            )
        }
        guard Self.types.contains(text) else {
            let hint =
                Spelling.nearest(to: text, among: Self.types).map { "did you mean \($0)?" }
                ?? "there are \(Self.types.joined(separator: ", "))"
            throw .init("\(text) is no type of policy: \(hint)", line: type.line)
        }
        let policy = SamplingPolicy(name, try rule(text, &map, in: owner))
        try map.finish()
        return policy
    }

    private mutating func rule(
        _ type: String,
        _ map: inout ConfigurationMap,
        in owner: Owner
    ) throws(Failure) -> SamplingPolicy.Rule {
        if type == "drop", owner != .top {
            throw .init("a drop policy has to stand at the top: within another it would drop nothing", line: map.line)
        }
        if type == "composite", owner != .top {
            throw .init("a composite policy has to stand at the top", line: map.line)
        }
        switch type {
        case "always_sample": return .always
        case "trace_flags": return .condition(.sampledFlag)
        case "and": return .and(try parts(type, &map, in: .and))
        case "drop": return .drop(try parts(type, &map, in: .drop))
        case "not": return try not(&map)
        case "composite": return .composite(try composite(&map))
        case "rules": return try rules(&map)
        default:
            var fields = try ConfigurationMap(try map.needed(type), type)
            let rule = try plainRule(type, &fields)
            try fields.finish()
            return rule
        }
    }

    private mutating func parts(
        _ type: String,
        _ map: inout ConfigurationMap,
        in owner: Owner
    ) throws(Failure) -> [SamplingPolicy] {
        var fields = try ConfigurationMap(try map.needed(type), type)
        let parts = try policies(&fields, "\(type)_sub_policy", in: owner)
        try fields.finish()
        return parts
    }

    private mutating func not(_ map: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        var fields = try ConfigurationMap(try map.needed("not"), "not")
        let part = try policy(try fields.needed("not_sub_policy"), in: .not)
        try fields.finish()
        return .not(part)
    }

    private mutating func composite(_ map: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Composite {
        var fields = try ConfigurationMap(try map.needed("composite"), "composite")
        let line = fields.line
        guard let rate = try fields.int("max_total_spans_per_second", in: 1...1_000_000_000) else {
            throw .init("composite lacks max_total_spans_per_second", line: line)
        }
        let policies = try policies(&fields, "composite_sub_policy", in: .composite)
        let shares = try shares(&fields, of: policies)
        var parts: [SamplingPolicy.Composite.Part] = []
        for (name, line) in try order(&fields, of: policies, line: line) {
            guard let policy = policies.first(where: { $0.name == name }) else {
                throw Self.unknown(name, among: policies, line: line)
            }
            if parts.contains(where: { $0.policy.name == name }) {
                throw .init("\(name) stands twice in policy_order", line: line)
            }
            parts.append(.init(policy, share: shares[name]))
        }
        if let left = policies.first(where: { policy in !parts.contains { $0.policy.name == policy.name } }) {
            throw .init(
                "\(left.name) is a sub policy that policy_order leaves out: it would never be asked",
                line: line
            )
        }
        try fields.finish()
        return .init(maxSpansPerSecond: Double(rate), parts: parts)
    }

    private func order(
        _ fields: inout ConfigurationMap,
        of policies: [SamplingPolicy],
        line: Int
    ) throws(Failure) -> [(text: String, line: Int)] {
        guard fields.node("policy_order") != nil else { return policies.map { ($0.name, line) } }
        return try fields.neededTexts("policy_order")
    }

    private func shares(
        _ fields: inout ConfigurationMap,
        of policies: [SamplingPolicy]
    ) throws(Failure) -> [String: Double] {
        guard let list = fields.node("rate_allocation") else { return [:] }
        var shares: [String: Double] = [:]
        var sum: Int64 = 0
        for node in try fields.neededList("rate_allocation") {
            var map = try ConfigurationMap(node, "rate_allocation")
            let name = try map.neededText("policy")
            guard policies.contains(where: { $0.name == name }) else {
                throw Self.unknown(name, among: policies, line: node.line)
            }
            guard shares[name] == nil else { throw .init("\(name) has two rate allocations", line: node.line) }
            guard let percent = try map.int("percent", in: 1...100) else {
                throw .init("rate_allocation lacks percent", line: node.line)
            }
            sum += percent
            shares[name] = Double(percent) / 100
            try map.finish()
        }
        guard sum <= 100 else {
            throw .init(
                "the rate allocations are \(sum) percent together: at most 100 can be shared out",
                line: list.line
            )
        }
        return shares
    }

    private static func unknown(_ name: String, among policies: [SamplingPolicy], line: Int) -> Failure {
        let hint = Spelling.nearest(to: name, among: policies.map(\.name)).map { ": did you mean \($0)?" } ?? ""
        return .init("\(name) is none of the sub policies\(hint)", line: line)
    }
}
