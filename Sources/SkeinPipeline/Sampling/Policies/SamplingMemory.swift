// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What policies remember from trace to trace: room that is left, and how many were alike.
struct SamplingMemory: Sendable {
    private var buckets: [TokenBucket] = []
    private var rates: [(table: RateTable, fields: [Int], usesLength: Bool)] = []

    /// The number of a new bucket.
    mutating func add(_ bucket: TokenBucket) -> Int {
        buckets.append(bucket)
        return buckets.count - 1
    }

    /// The number of a new table of rates by key.
    mutating func add(_ sampling: DynamicSampling, fields: [Int]) -> Int {
        rates.append((RateTable(sampling), fields, sampling.usesTraceLength))
        return rates.count - 1
    }

    /// What a policy says of a trace. Room is asked for last in a policy, and taken although another keeps the trace
    /// anyway, which is what `isKeptAnyway` says: then the trace stands for no other.
    mutating func verdict(
        _ node: SamplingNode,
        _ trace: TraceDigest,
        _ nanos: UInt64,
        _ isKeptAnyway: Bool
    ) -> SamplingVerdict {
        switch node {
        case .always: return .keep(.all)
        case .latency(let millis, let upToMillis):
            let duration = trace.durationNanos / 1_000_000
            return keep(if: upToMillis.map { millis < duration && duration <= $0 } ?? (duration >= millis))
        case .condition(let number): return keep(if: trace.satisfies(number))
        case .inverted(let number): return trace.satisfies(number) ? .invertedDrop : .invertedKeep
        case .threshold(let threshold):
            return threshold <= trace.randomness ? .keep(SamplingShare(threshold: threshold)) : .pass
        case .salted(let threshold, let seed):
            guard threshold <= SaltedHash.number(trace.traceID, seed: seed) else { return .pass }
            return .keep(SamplingShare(factor: SamplingThreshold.weight(ofThreshold: threshold)))
        case .spansPerSecond(let bucket):
            return room(in: [bucket], Double(trace.spanCount), nanos, isKeptAnyway)
        case .bytesPerSecond(let bucket):
            return room(in: [bucket], Double(trace.byteCount), nanos, isKeptAnyway)
        case .spanCount(let least, let most):
            return keep(if: trace.spanCount >= least && most.map { trace.spanCount <= $0 } ?? true)
        case .and(let parts): return all(parts, trace, nanos, isKeptAnyway).map { .keep($0) } ?? .pass
        case .not(let part): return inverse(of: part, verdict(part, trace, nanos, isKeptAnyway))
        case .drop(let parts): return all(parts, trace, nanos, isKeptAnyway) == nil ? .pass : .drop
        case .composite(let whole, let parts):
            return composite(whole, parts, trace, nanos, isKeptAnyway)
        case .rates(let number):
            let key = trace.key(of: rates[number].fields, usingLength: rates[number].usesLength)
            let rate = rates[number].table.rate(of: key, nanos: nanos)
            return verdict(.threshold(SamplingThreshold.threshold(ofProbability: 1 / rate)), trace, nanos, isKeptAnyway)
        case .rules(let rules):
            for (number, rule) in rules.enumerated() where rule.condition.map(trace.satisfies) ?? true {
                guard let action = rule.action else { return .drop }
                guard var share = verdict(action, trace, nanos, isKeptAnyway).share else { return .pass }
                share.part = number
                return .keep(share)
            }
            return .keep(.all)
        }
    }

    private func keep(if holds: Bool) -> SamplingVerdict { holds ? .keep(.all) : .pass }

    /// What is kept of traces like this one when each part has to keep it; `nil` when one does not.
    private mutating func all(
        _ parts: [SamplingNode],
        _ trace: TraceDigest,
        _ nanos: UInt64,
        _ isKeptAnyway: Bool
    ) -> SamplingShare? {
        var share = SamplingShare.all
        for part in parts {
            guard let other = verdict(part, trace, nanos, isKeptAnyway).share else { return nil }
            share = share.and(other)
        }
        return share
    }

    /// The contrary. What a threshold leaves is a share that no threshold says, so it is kept by weight alone.
    private func inverse(of node: SamplingNode, _ verdict: SamplingVerdict) -> SamplingVerdict {
        guard verdict.share == nil else { return .pass }
        switch node {
        case .threshold(let threshold), .salted(let threshold, _):
            return .keep(SamplingShare(factor: Double(SamplingThreshold.end) / Double(max(threshold, 1))))
        default: return .keep(.all)
        }
    }

    /// The first part that keeps the trace and has room for it, with room in the whole.
    private mutating func composite(
        _ whole: Int,
        _ parts: [(node: SamplingNode, bucket: Int?)],
        _ trace: TraceDigest,
        _ nanos: UInt64,
        _ isKeptAnyway: Bool
    ) -> SamplingVerdict {
        for (number, part) in parts.enumerated() {
            guard let share = verdict(part.node, trace, nanos, isKeptAnyway).share else { continue }
            let needed = [part.bucket ?? whole, whole]
            guard case .keep(let room) = room(in: needed, Double(trace.spanCount), nanos, isKeptAnyway) else {
                continue
            }
            var both = share.and(room)
            both.part = number
            return .keep(both)
        }
        return .pass
    }

    /// Takes room for `amount` in each of these buckets, or in none when one has it not.
    private mutating func room(
        in needed: [Int],
        _ amount: Double,
        _ nanos: UInt64,
        _ isKeptAnyway: Bool
    ) -> SamplingVerdict {
        guard let first = needed.first else { return .pass }
        for number in needed where !buckets[number].admits(amount, nanos: nanos) {
            if !isKeptAnyway { buckets[first].noteRefused() }
            return .pass
        }
        for number in Set(needed) { buckets[number].take(amount) }
        return .keep(isKeptAnyway ? .all : SamplingShare(factor: buckets[first].takeRefused()))
    }
}
