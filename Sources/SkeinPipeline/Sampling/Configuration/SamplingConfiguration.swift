// SPDX-License-Identifier: Apache-2.0
package import SkeinStore

/// A tail sampler's settings and policies as they stand in a file: the block `tail_sampling` of an OpenTelemetry collector, as
/// it is, by itself, below `tail_sampling`, or below `processors` of a whole configuration of a collector.
package struct SamplingConfiguration: Sendable {
    package var settings = TailSamplingSettings()
    package var policies: SamplingPolicySet
    /// Settings that are understood and mean nothing here, in whole sentences.
    package var warnings: [String] = []

    /// The condition that a text of TraceQL describes.
    package typealias Condition = @Sendable (String) throws(ConditionFailure) -> SpanPredicate

    /// Why a text describes no condition.
    package struct ConditionFailure: Error {
        package var message: String
        package init(_ message: String) { self.message = message }
    }

    /// Reads a file, for a stage of sampling; `countsBytes` as ``SamplingPolicySet`` has it. `condition` compiles the text of
    /// a condition.
    package init(
        _ root: ConfigurationNode,
        stage: SamplingStage = .tail,
        countsBytes: Bool = false,
        condition: @escaping Condition
    ) throws(ConfigurationNode.Failure) {
        var map = try ConfigurationMap(try Self.block(of: root), "tail_sampling")
        try settings.read(&map)
        for key in ["expected_new_traces_per_sec", "num_shards", "tail_storage", "sampling_strategy"] {
            guard let node = map.node(key) else { continue }
            warnings.append("\(key) on line \(node.line) means nothing to Skein.")
        }
        let stopsAtFirstMatch = try map.bool("sample_on_first_match") ?? false
        var reader = SamplingPolicyReader(condition: condition)
        let policies = try reader.policies(&map, "policies", in: .top)
        try map.finish()
        guard policies.contains(where: { $0.rule.canKeep }) else {
            throw .init(
                "no policy ever keeps a trace, so that all would be dropped: add one that keeps",
                line: map.line
            )
        }
        if let all = policies.first(where: { $0.rule.dropsAll }) {
            throw .init("the policy \(all.name) drops every trace: narrow it down", line: map.line)
        }
        do throws(SamplingPolicySet.TooManyConditions) {
            self.policies = try SamplingPolicySet(
                policies,
                stopsAtFirstMatch: stopsAtFirstMatch,
                countsBytes: countsBytes || settings.traceByteCountMax != nil,
                stage: stage
            )
        } catch {
            throw .init(error.message, line: map.line)
        }
    }

    /// The block itself, wherever in the file it stands.
    private static func block(of root: ConfigurationNode) throws(ConfigurationNode.Failure) -> ConfigurationNode {
        guard case .map(let pairs) = root.content else {
            throw .init("there is no tail_sampling: start with `tail_sampling:` and its policies", line: root.line)
        }
        if let processors = pairs.first(where: { $0.key == "processors" })?.value {
            guard case .map(let processors) = processors.content else {
                throw .init("processors has to be a map", line: processors.line)
            }
            let blocks = processors.filter { isName($0.key) }
            guard let block = blocks.first else {
                throw .init("processors has no tail_sampling", line: root.line)
            }
            guard blocks.count == 1 else {
                throw .init("there are \(blocks.count) tail_sampling processors: leave one", line: blocks[1].line)
            }
            return block.value
        }
        let blocks = pairs.filter { isName($0.key) }
        guard let block = blocks.first else { return root }
        guard pairs.count == 1 else {
            let other = pairs.first { !isName($0.key) } ?? pairs[1]
            throw .init("\(other.key) stands beside tail_sampling, which has to stand alone", line: other.line)
        }
        return block.value
    }

    /// A component of a collector is named `type` or `type/name`.
    private static func isName(_ key: String) -> Bool { key == "tail_sampling" || key.hasPrefix("tail_sampling/") }
}

extension TailSamplingSettings {
    private static let waitBounds: ClosedRange<UInt64> = 1_000_000...3_600_000_000_000

    fileprivate mutating func read(_ map: inout ConfigurationMap) throws(ConfigurationNode.Failure) {
        decisionWaitNanos = try map.nanos("decision_wait", in: Self.waitBounds) ?? decisionWaitNanos
        decisionWaitAfterRootNanos =
            try map.nanos("decision_wait_after_root_received", in: 0...Self.waitBounds.upperBound) ?? 0
        traceCountMax = Int(try map.int("num_traces", in: 1...10_000_000) ?? Int64(traceCountMax))
        keptCacheSize = traceCountMax
        droppedCacheSize = traceCountMax
        blocksOnOverflow = try map.bool("block_on_overflow") ?? false
        dropsPendingAtShutdown = try map.bool("drop_pending_traces_on_shutdown") ?? false
        let largest = try map.int("maximum_trace_size_bytes") ?? 0
        traceByteCountMax = largest > 0 ? Int(largest) : nil
        guard let node = map.node("decision_cache") else { return }
        var cache = try ConfigurationMap(node, "decision_cache")
        let bounds: ClosedRange<Int64> = 0...10_000_000
        keptCacheSize = Int(try cache.int("sampled_cache_size", in: bounds) ?? Int64(keptCacheSize))
        droppedCacheSize = Int(try cache.int("non_sampled_cache_size", in: bounds) ?? Int64(droppedCacheSize))
        try cache.finish()
    }
}

extension SamplingPolicy.Rule {
    /// Whether there are traces that it keeps, as far as one can see without any.
    fileprivate var canKeep: Bool {
        switch self {
        case .drop, .probabilistic(0, _): false
        case .and(let parts): parts.allSatisfy { $0.rule.canKeep }
        case .composite(let composite): composite.parts.contains { $0.policy.rule.canKeep }
        default: true
        }
    }

    /// Whether it drops whatever comes.
    fileprivate var dropsAll: Bool {
        guard case .drop(let parts) = self else { return false }
        return parts.allSatisfy { [.always, .probabilistic(1)].contains($0.rule) }
    }
}
