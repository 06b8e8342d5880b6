// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// A policy whose conditions, buckets and rates are numbers.
indirect enum SamplingNode: Sendable {
    case always
    case latency(millis: UInt64, upToMillis: UInt64?)
    case condition(Int)
    case inverted(Int)
    case threshold(UInt64)
    case salted(UInt64, seed: UInt64)
    case spansPerSecond(Int)
    case bytesPerSecond(Int)
    case spanCount(min: Int, max: Int?)
    case and([SamplingNode])
    case not(SamplingNode)
    case drop([SamplingNode])
    case composite(whole: Int, [(node: SamplingNode, bucket: Int)])
    case rates(Int)
    case rules([(condition: Int?, action: SamplingNode?)])

    /// Whether a trace that it keeps takes room from others.
    var asksForRoom: Bool {
        switch self {
        case .spansPerSecond, .bytesPerSecond, .composite: true
        case .and(let parts), .drop(let parts): parts.contains(where: \.asksForRoom)
        case .not(let part): part.asksForRoom
        case .rules(let rules): rules.contains { $0.action?.asksForRoom ?? false }
        case .always, .latency, .condition, .inverted, .threshold, .salted, .spanCount, .rates: false
        }
    }
}

/// Numbers what policies ask and remember.
struct SamplingCompiler {
    let stage: SamplingStage
    var conditions = SpanConditions()
    var fields: [SpanField] = []
    var countsBytes = false
    var memory = SamplingMemory()

    mutating func node(_ rule: SamplingPolicy.Rule) -> SamplingNode {
        switch rule {
        case .always: return .always
        case .latency(let millis, let upToMillis): return .latency(millis: millis, upToMillis: upToMillis)
        case .condition(let condition): return .condition(conditions.number(of: condition))
        case .inverted(let condition): return .inverted(conditions.number(of: condition))
        case .probabilistic(let probability, let salt):
            let threshold = SamplingThreshold.threshold(ofProbability: probability)
            return salt.map { .salted(threshold, seed: SaltedHash.seed($0, stage)) } ?? .threshold(threshold)
        case .rateLimiting(let spansPerSecond, let burst):
            return .spansPerSecond(memory.add(TokenBucket(perSecond: spansPerSecond, capacity: burst)))
        case .bytesLimiting(let bytesPerSecond, let burst):
            countsBytes = true
            return .bytesPerSecond(memory.add(TokenBucket(perSecond: bytesPerSecond, capacity: burst)))
        case .spanCount(let min, let max): return .spanCount(min: min, max: max)
        case .and(let parts): return .and(nodes(parts))
        case .not(let part): return .not(node(part.rule))
        case .drop(let parts): return .drop(nodes(parts))
        case .composite(let composite):
            let rate = composite.maxSpansPerSecond
            let whole = memory.add(TokenBucket(perSecond: rate, capacity: rate))
            // Parts without a share of their own have what the others leave in common.
            let left = 1 - composite.parts.reduce(0) { $0 + ($1.share ?? 0) }
            let rest = memory.add(TokenBucket(perSecond: left * rate, capacity: left * rate))
            var parts: [(node: SamplingNode, bucket: Int)] = []
            for part in composite.parts {
                let bucket = part.share.map {
                    memory.add(TokenBucket(perSecond: $0 * rate, capacity: $0 * rate))
                }
                parts.append((node(part.policy.rule), bucket ?? rest))
            }
            return .composite(whole: whole, parts)
        case .dynamic(let dynamic):
            return .rates(memory.add(dynamic, fields: dynamic.fields.map { number(of: $0) }))
        case .rules(let rules):
            var compiled: [(condition: Int?, action: SamplingNode?)] = []
            for rule in rules {
                let condition = rule.condition.map { conditions.number(of: $0) }
                switch rule.action {
                case .drop: compiled.append((condition, nil))
                case .keep(let action): compiled.append((condition, node(action)))
                }
            }
            return .rules(compiled)
        }
    }

    /// What takes room comes last, so that it is taken for traces only that satisfy the rest.
    private mutating func nodes(_ policies: [SamplingPolicy]) -> [SamplingNode] {
        var nodes: [SamplingNode] = []
        for policy in policies { nodes.append(node(policy.rule)) }
        return nodes.filter { !$0.asksForRoom } + nodes.filter(\.asksForRoom)
    }

    mutating func number(of field: SpanField) -> Int {
        if let number = fields.firstIndex(of: field) { return number }
        fields.append(field)
        return fields.count - 1
    }
}

/// Where on its way a trace is sampled.
package enum SamplingStage: String, Sendable {
    /// Span by span, as they come.
    case head
    /// As a whole, before it is stored.
    case tail
    /// As a whole, out of the store.
    case late
}

/// Numbers below 2^56 that depend on an id and a salt: the same on every machine and in every version.
enum SaltedHash {
    /// FNV-1a over the salt and the stage: one salt in two stages decides independently, as the weights take it.
    static func seed(_ salt: String, _ stage: SamplingStage) -> UInt64 {
        (salt + "/" + stage.rawValue).utf8.reduce(0xcbf2_9ce4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
        }
    }

    /// SplitMix64's mixing of both halves of the id.
    static func number(_ id: TraceID, seed: UInt64) -> UInt64 {
        mix(mix(seed ^ id.high) ^ id.low) >> 8
    }

    private static func mix(_ word: UInt64) -> UInt64 {
        var mixed = word &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed &>> 31)
    }
}
