// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What policies remember from trace to trace: room that is left, for whom there was none, and how many were alike.
struct SamplingMemory: Sendable {
    private var buckets: [TokenBucket] = []
    private var rates: [(table: RateTable, fields: [Int], usesLength: Bool)] = []
    /// Buckets that this trace asked for room, and whether their answer spoke for keeping it.
    private var asked: [(bucket: Int, amount: Double, isInFavour: Bool)] = []

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

    /// Begins with another trace.
    mutating func forgetAsked() { asked.removeAll(keepingCapacity: true) }

    /// Notes that a trace of this weight is not kept, since there was no room for it.
    mutating func noteRefused(_ weight: Double, of kind: UInt64) {
        let refusals = asked.filter { !$0.isInFavour }
        // One that never has room for such traces would never give the weight back.
        let refusal = refusals.first { $0.amount <= buckets[$0.bucket].capacity } ?? refusals.first
        if let refusal { buckets[refusal.bucket].noteRefused(weight, of: kind) }
    }

    /// The weight of traces of this kind that are not kept, for which the one stands that found room.
    mutating func takeRefused(of kind: UInt64) -> Double {
        asked.reduce(0) { $0 + ($1.isInFavour ? buckets[$1.bucket].takeRefused(of: kind) : 0) }
    }

    /// How a policy is asked.
    struct Question {
        /// Time of any clock that does not go back, in nanoseconds.
        var nanos: UInt64
        /// Whether the trace is kept if the policy would not keep it.
        var isInverted = false
        /// Whether the answer decides. If not, only the chance of traces like this one is wanted: no room is taken, and nothing
        /// is counted.
        var isInEarnest = true

        var inverted: Question { Question(nanos: nanos, isInverted: !isInverted, isInEarnest: isInEarnest) }
    }

    /// What a policy says of a trace. Room is asked for last in a policy, for traces that satisfy the rest.
    mutating func verdict(_ node: SamplingNode, _ trace: TraceDigest, _ question: Question) -> SamplingVerdict {
        switch node {
        case .always: return .keep(.all)
        case .latency(let millis, let upToMillis):
            let duration = trace.durationNanos / 1_000_000
            return keep(if: upToMillis.map { millis < duration && duration <= $0 } ?? (duration >= millis))
        case .condition(let number): return keep(if: trace.satisfies(number))
        case .inverted(let number): return trace.satisfies(number) ? .invertedDrop : .invertedKeep
        case .threshold(let threshold): return keep(.reaching(threshold, .randomness), of: trace)
        case .salted(let threshold, let seed): return keep(.reaching(threshold, .salt(seed: seed)), of: trace)
        case .spansPerSecond(let bucket): return .keep(room(in: [bucket], Double(trace.spanCount), question))
        case .bytesPerSecond(let bucket): return .keep(room(in: [bucket], Double(trace.byteCount), question))
        case .spanCount(let least, let most):
            return keep(if: trace.spanCount >= least && most.map { trace.spanCount <= $0 } ?? true)
        case .and(let parts): return .keep(all(parts, trace, question))
        case .not(let part): return .keep(!verdict(part, trace, question.inverted).share)
        case .drop(let parts): return .drop(all(parts, trace, question.inverted))
        case .composite(let whole, let parts): return .keep(composite(whole, parts, trace, question))
        case .rates(let number): return keep(.reaching(threshold(number, trace, question), .randomness), of: trace)
        case .rules(let rules):
            for (number, rule) in rules.enumerated() where rule.condition.map(trace.satisfies) ?? true {
                guard let action = rule.action else { return .drop(.all) }
                var share = verdict(action, trace, question).share
                share.part = number
                return .keep(share)
            }
            return .keep(.all)
        }
    }

    private func keep(if holds: Bool) -> SamplingVerdict { .keep(holds ? .all : .none) }

    private func keep(_ chance: Chance, of trace: TraceDigest) -> SamplingVerdict {
        .keep(SamplingShare(chance: chance, holds: chance.holds(for: trace)))
    }

    /// The threshold that traces alike have to reach now.
    private mutating func threshold(_ number: Int, _ trace: TraceDigest, _ question: Question) -> UInt64 {
        let key = trace.key(of: rates[number].fields, usingLength: rates[number].usesLength)
        let rate =
            question.isInEarnest
            ? rates[number].table.count(key, nanos: question.nanos) : rates[number].table.rate(of: key)
        return SamplingThreshold.threshold(ofProbability: 1 / rate)
    }

    /// What is kept of traces like this one when each part has to keep it.
    private mutating func all(_ parts: [SamplingNode], _ trace: TraceDigest, _ question: Question) -> SamplingShare {
        var question = question
        var share = SamplingShare.all
        for part in parts where share.chance != .never {
            share = share && verdict(part, trace, question).share
            question.isInEarnest = question.isInEarnest && share.holds
        }
        return share
    }

    /// The first part that keeps the trace decides, by whether there is room for it in that part and in the whole.
    private mutating func composite(
        _ whole: Int,
        _ parts: [(node: SamplingNode, bucket: Int)],
        _ trace: TraceDigest,
        _ question: Question
    ) -> SamplingShare {
        var question = question
        var found = SamplingShare.none
        for (number, part) in parts.enumerated() where found.chance != .always {
            let share = verdict(part.node, trace, question).share
            found.chance = found.chance || share.chance
            guard share.holds, question.isInEarnest else { continue }
            found.holds = room(in: [part.bucket, whole], Double(trace.spanCount), question).holds
            found.part = number
            question.isInEarnest = false
        }
        return found
    }

    /// Takes room for `amount` in each of these buckets, or in none when one has it not. As a chance there is room always:
    /// those that find it stand for those that do not.
    private mutating func room(in needed: [Int], _ amount: Double, _ question: Question) -> SamplingShare {
        let chance: Chance = question.isInverted ? .never : .always
        guard question.isInEarnest, let first = needed.first else { return SamplingShare(chance: chance, holds: false) }
        var hasRoom = true
        for number in needed where !buckets[number].admits(amount, nanos: question.nanos) { hasRoom = false }
        if hasRoom { for number in needed { buckets[number].take(amount) } }
        asked.append((first, amount, hasRoom != question.isInverted))
        return SamplingShare(chance: chance, holds: hasRoom)
    }
}
