// SPDX-License-Identifier: Apache-2.0
package import SkeinAgents
import SkeinModel
import SkeinPipeline
package import SkeinStore
import SkeinTraceQL
import Synchronization

/// Keeps sessions that came as spans, whatever instrumentation sent them, as the policy for sessions says (`agents.md` §4.2):
/// late, when they have left the hot window, since only then it is known how they ended.
///
/// What is decided about is a trace in which agents run, with all of its sessions. Traces that only a link or a conversation joins
/// have the same chance, and are rescued apart.
package final class StoredSessionSampler: LateSampler {
    private let sampling: PrioritySampling
    /// Decides about traces without agents.
    private let others: (any LateSampler)?
    private let prices: ModelPriceBook
    private let agentic: CompiledPredicate
    package let subject: SpanPredicate?
    private let state = Mutex(State())

    /// What depends on the sessions before. These are of another time than those that are held.
    private struct State {
        var history = SessionHistory()
        var minutes = RuleMinutes()
    }

    /// Asks `others`, where there are any, about traces without agents.
    package init(_ sampling: PrioritySampling, others: (any LateSampler)?, prices: ModelPriceBook) throws {
        let predicate = TraceProbe(try NativeAPI.selection(SessionFilter.agentic), spanCountMax: 0).predicate
        self.sampling = sampling
        self.others = others
        self.prices = prices
        agentic = CompiledPredicate(predicate)
        subject = others == nil ? predicate : nil
    }

    /// All spans of a row group, or of the longest trace that is put together, as they are read, and what is said of them.
    package var workByteCount: Int { 128 << 20 }

    package func round() -> any LateSamplingRound { Round(sampler: self, others: others?.round()) }

    package func count(_ decision: LateDecision, traces: Int, spans: Int) {
        guard decision.skeleton != nil else {
            others?.count(decision, traces: traces, spans: spans)
            return
        }
        let isByChance = !decision.isKept || decision.threshold > 0 || decision.factor > 1
        let judgement = SessionJudgement(isKept: decision.isKept, reason: decision.reason, isByChance: isByChance)
        for _ in 0..<traces { sampling.count(judgement) }
        if !decision.isKept { sampling.noteLeftOut(stepCount: spans) }
    }

    private struct Round: LateSamplingRound {
        let sampler: StoredSessionSampler
        var others: (any LateSamplingRound)?
        private(set) var byteCount = 0
        private var decisions: [TraceID: LateDecision] = [:]
        /// Traces in which agents run: nobody else decides about them.
        private var sessions: Set<TraceID> = []
        /// The trace of the last rows.
        private var last: TraceID?

        init(sampler: StoredSessionSampler, others: (any LateSamplingRound)?) {
            self.sampler = sampler
            self.others = others
        }

        mutating func add(_ batch: SpanBatch, rows: [Range<Int>]) {
            let agentic = try? BatchScan.rows(of: batch, in: .all, matching: sampler.agentic)
            var left: [Range<Int>] = []
            var taken: [Range<Int>] = []
            for range in rows {
                guard let first = range.first else { continue }
                let id = batch.traceIDs[first]
                defer { last = id }
                let isAgentic = agentic.map { $0.selectedCount(in: range) > 0 } ?? false
                if id == last {
                    // It comes in pieces, since it is too long to be put together: sessions stay as they are.
                    byteCount -= decisions.removeValue(forKey: id)?.skeleton?.byteCount ?? 0
                    if isAgentic { sessions.insert(id) }
                    if !sessions.contains(id) { left.append(range) }
                } else if isAgentic {
                    taken.append(range)
                } else {
                    left.append(range)
                }
            }
            left += look(at: batch, taken)
            if !left.isEmpty { others?.add(batch, rows: left) }
        }

        /// Decides about traces in which agents run; returns the rows of the others.
        private mutating func look(at batch: SpanBatch, _ ranges: [Range<Int>]) -> [Range<Int>] {
            guard !ranges.isEmpty else { return [] }
            var isTaken = [Bool](repeating: false, count: batch.count)
            for row in ranges.joined() { isTaken[row] = true }
            let part = batch.selecting { isTaken[$0] }
            let spans = AgentSpan.read(part)
            var left: [Range<Int>] = []
            var found: [StoredSessions] = []
            var start = 0
            for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
                let rows = start..<(start + range.count)
                start = rows.upperBound
                guard let trace = StoredSessions(part, rows, spans[rows], sampler.prices.current) else {
                    left.append(range)
                    continue
                }
                sessions.insert(trace.traceID)
                found.append(trace)
            }
            for trace in found.sorted(by: { ($0.endUnixNanos, $0.traceID) < ($1.endUnixNanos, $1.traceID) }) {
                guard let decision = sampler.decide(trace) else { continue }
                decisions[trace.traceID] = decision
                byteCount += decision.skeleton?.byteCount ?? 0
            }
            return left
        }

        mutating func decide(received: ClosedRange<UInt64>) -> [TraceID: LateDecision] {
            defer { (decisions, sessions, last, byteCount) = ([:], [], nil, 0) }
            guard let rest = others?.decide(received: received) else { return decisions }
            // Others may have been asked about the first piece of a trace.
            return decisions.merging(rest.filter { !sessions.contains($0.key) }) { own, _ in own }
        }
    }

    /// `nil` for a trace that stays as it is.
    private func decide(_ trace: StoredSessions) -> LateDecision? {
        guard let policy = sampling.current, policy.spansAfterNanos != nil, !trace.isLeftAlone else { return nil }
        if trace.isUnfinished {
            sampling.countUnfinished()
            return nil
        }
        return state.withLock { state in
            let facts = trace.facts(of: trace.root)
            var rule = policy.rule(for: facts)
            var rate =
                rule.map { state.minutes.rate(of: $0, trace.randomness, at: trace.endUnixNanos) } ?? policy.defaultRate
            // A child that raises the priority raises the rate of the whole.
            for priority in Set(trace.sessions.compactMap(\.taskPriority)).sorted() where priority != facts.priority {
                var raised = facts
                raised.priority = priority
                let other = policy.rule(for: raised)
                if (other?.rate ?? policy.defaultRate) > rate {
                    (rule, rate) = (other, other?.rate ?? policy.defaultRate)
                }
            }
            guard rate < 1 else { return nil }
            let forest = trace.forest(rate: rate, rule: rule?.name)
            let reason = state.history.reason(to: policy.rescue, forest, at: trace.endUnixNanos)
            let judgement =
                reason.map { SessionJudgement(isKept: true, reason: $0) }
                ?? PrioritySampling.chance(forest, trace.randomness)
            var decision = LateDecision(
                isKept: judgement.isKept,
                reason: "session: " + judgement.reason,
                skeleton: trace.skeleton(judgement, rate: rate)
            )
            // Where no stage before can know by what was chosen, none may take the threshold for its own.
            if judgement.weight > 1, trace.isRandomnessTold {
                decision.threshold = SamplingThreshold.threshold(ofProbability: rate, precision: 4)
            } else {
                decision.factor = judgement.weight
            }
            return decision
        }
    }
}
