// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
import SkeinStore

/// Policies made ready to decide about whole traces.
///
/// A value: what it decides follows from what it was asked before, in which order and at which times, and from nothing else.
/// Only policies that limit a rate or look at how many traces are alike remember anything. A copy starts with the same
/// memory, so that the same policies can be tried on stored traces.
package struct SamplingPolicySet: Sendable {
    package let policies: [SamplingPolicy]
    private let stopsAtFirstMatch: Bool
    private let conditions: SpanConditions
    private let fields: [SpanField]
    private let countsBytes: Bool
    private let nodes: [SamplingNode]
    /// Numbers of nodes: those that ask for room come last, when it is known whether another keeps the trace.
    private let order: [Int]
    /// The number of the field that tells traces apart for which there was no room; `nil` when none asks for room.
    private let kindField: Int?
    private var memory: SamplingMemory

    /// The set of these policies, for one stage of sampling. `stopsAtFirstMatch` leaves out those that limit a rate once another keeps the trace. With
    /// `countsBytes` a digest has its bytes although no policy asks.
    package init(
        _ policies: [SamplingPolicy],
        stopsAtFirstMatch: Bool = false,
        countsBytes: Bool = false,
        stage: SamplingStage = .tail
    ) throws(TooManyConditions) {
        self.policies = policies
        self.stopsAtFirstMatch = stopsAtFirstMatch
        var compiler = SamplingCompiler(stage: stage)
        let nodes = policies.map { compiler.node($0.rule) }
        guard compiler.conditions.count <= TraceDigest.conditionCountMax else {
            throw TooManyConditions(count: compiler.conditions.count)
        }
        self.nodes = nodes
        kindField = nodes.contains(where: \.asksForRoom) ? compiler.number(of: .serviceName) : nil
        conditions = compiler.conditions
        fields = compiler.fields
        self.countsBytes = countsBytes || compiler.countsBytes
        memory = compiler.memory
        order = nodes.indices.filter { !nodes[$0].asksForRoom } + nodes.indices.filter { nodes[$0].asksForRoom }
    }

    /// More distinct conditions than a digest tells apart.
    package struct TooManyConditions: Error {
        package var count: Int
        package var message: String {
            "the policies ask \(count) different conditions, \(TraceDigest.conditionCountMax) are allowed: "
                + "name several values in one condition"
        }
    }

    /// What the policies need to know of the spans in `batch`.
    package func read(_ batch: SpanBatch) -> BatchReading {
        BatchReading(
            batch: batch,
            satisfied: conditions.rows(of: batch),
            fields: fields.map { FieldHashes($0, of: batch) },
            countsBytes: countsBytes
        )
    }

    /// Decides about a trace at a time of any clock that does not go back, in nanoseconds.
    package mutating func decide(_ trace: TraceDigest, nanos: UInt64) -> SamplingDecision {
        decide(trace, nanos: nanos) { _ in }
    }

    /// What is noted of a trace while it is decided.
    package enum Note: Hashable, Sendable {
        /// The policy of this number would keep the trace, or drop it, if it stood alone.
        case matched(policy: Int)
        /// The share of traces like it that is kept where there is room; 0 where none ever is.
        case probability(Double)
    }

    /// Decides so, and tells `noting` how it came to it.
    package mutating func decide(
        _ trace: TraceDigest,
        nanos: UInt64,
        noting: (Note) -> Void
    ) -> SamplingDecision {
        memory.forgetAsked()
        var outcome = SamplingOutcome()
        for number in order {
            let asksForRoom = nodes[number].asksForRoom
            // Those that are left out would have kept others like it.
            let isInEarnest = !(stopsAtFirstMatch && outcome.kept != nil && asksForRoom)
            let question = SamplingMemory.Question(nanos: nanos, isInEarnest: isInEarnest)
            let verdict = memory.verdict(nodes[number], trace, question)
            if verdict.holds { noting(.matched(policy: number)) }
            outcome.add(verdict, of: number, asksForRoom: asksForRoom)
        }
        let chance = outcome.keeps && !outcome.drops
        let probability = chance.probability(after: trace.threshold)
        noting(.probability(probability))
        let weight = trace.weight / (probability > 0 ? probability : 1)
        guard outcome.droppedBy == nil, let kept = outcome.kept else {
            if outcome.droppedBy == nil, let inverted = outcome.inverted, !outcome.isPassed {
                return SamplingDecision(isKept: true, policy: inverted)
            }
            if chance.holds(for: trace) { memory.noteRefused(weight, of: kind(of: trace)) }
            return SamplingDecision(isKept: false, policy: outcome.droppedBy)
        }
        var decision = SamplingDecision(isKept: true, policy: kept.policy, part: kept.part)
        if case .passes(let threshold, .randomness) = chance {
            decision.threshold = threshold
        } else {
            decision.factor = weight / trace.weight
        }
        // One that found room stands for those that did not, one that needs none for itself.
        if kept.neededRoom || outcome.dropsAskedForRoom {
            decision.factor *= 1 + memory.takeRefused(of: kind(of: trace)) / weight
        }
        return decision
    }

    /// A number that traces of the same services have in common: the weight of one that finds no room goes to one like it.
    private func kind(of trace: TraceDigest) -> UInt64 {
        kindField.map { trace.key(of: [$0], usingLength: false) } ?? 0
    }

    /// What decided, in words: the name of the policy, and behind a slash that of its part.
    package func reason(of decision: SamplingDecision) -> String {
        guard let number = decision.policy, policies.indices.contains(number) else { return "no policy" }
        let policy = policies[number]
        guard let part = decision.part else { return policy.name }
        switch policy.rule {
        case .composite(let composite) where composite.parts.indices.contains(part):
            return "\(policy.name)/\(composite.parts[part].policy.name)"
        case .rules(let rules) where rules.indices.contains(part): return "\(policy.name)/\(rules[part].name)"
        default: return policy.name
        }
    }
}
