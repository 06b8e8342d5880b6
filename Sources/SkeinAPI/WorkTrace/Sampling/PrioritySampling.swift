// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
package import SkeinBase
import SkeinModel
package import SkeinPipeline
import Synchronization

/// Keeps sessions as a policy says, by the priority of their task above all (`agents.md` §4.2).
///
/// A session whose rate is 1 is kept at once. Any other is held until all that its root session started has ended, and then kept
/// or reduced as a whole: kept for a reason, in which case it stands for itself alone, or by chance, in which case its steps stand
/// for those of all like it.
package final class PrioritySampling: SessionSampling {
    private let policy: Mutex<SessionPolicy?>
    private let minutes = Mutex(RuleMinutes())
    private let history = Mutex(SessionHistory())
    private let clock: any WallClock
    private let counters: Counters?

    /// Without a policy all sessions are kept, until one is set.
    package init(_ policy: SessionPolicy?, clock: any WallClock, telemetry: Telemetry? = nil) {
        self.policy = Mutex(policy)
        self.clock = clock
        counters = telemetry.map { Counters(in: $0) }
    }

    private struct Counters: Sendable {
        let rescued: Counter
        let keptByChance: Counter
        let reduced: Counter
        let leftOutSteps: Counter
        let unfinished: Counter

        init(in telemetry: Telemetry) {
            func decided(_ decision: StaticString) -> Counter {
                telemetry.counter(
                    "skein_session_sampling_decisions_total",
                    "Root sessions of agents that were decided about, with all that they started.",
                    ["decision": decision]
                )
            }
            rescued = decided("rescued")
            keptByChance = decided("kept_by_chance")
            reduced = decided("reduced")
            leftOutSteps = telemetry.counter(
                "skein_session_sampling_left_out_steps_total",
                "Steps of sessions that were reduced to their totals."
            )
            unfinished = telemetry.counter(
                "skein_session_sampling_unfinished_total",
                "Looks at stored sessions that were not decided about, since a span is missing above them."
            )
        }
    }

    /// For sessions that start from now on, and for what is decided from now on.
    package func set(_ policy: SessionPolicy?) { self.policy.withLock { $0 = policy } }

    /// What is followed now.
    package var current: SessionPolicy? { policy.withLock { $0 } }

    package var holdNanos: UInt64 { policy.withLock { $0?.holdNanos } ?? 0 }

    package func decide(_ start: SessionStart, under root: RootSession?) -> SessionVerdict {
        guard let policy = policy.withLock({ $0 }) else { return EverySession().decide(start, under: root) }
        if let root {
            // What began before there was a policy goes on without.
            guard let rate = root.verdict.rate else { return EverySession().decide(start, under: root) }
            var facts = SessionPolicy.Facts(root.start)
            facts.priority = start.taskPriority
            let raised = facts.priority == root.start.taskPriority ? nil : policy.rule(for: facts)
            let own = raised?.rate ?? (facts.priority == root.start.taskPriority ? rate : policy.defaultRate)
            guard own > rate else { return verdict(start, rate, root.verdict.rule, under: root.verdict) }
            return verdict(start, own, raised?.name, under: root.verdict)
        }
        let rule = policy.rule(for: SessionPolicy.Facts(start))
        let randomness = SessionRandomness.value(of: start.rootSessionID)
        let rate =
            rule.map { rule in minutes.withLock { $0.rate(of: rule, randomness, at: clock.unixNanos) } }
            ?? policy.defaultRate
        return verdict(start, rate, rule?.name, under: nil)
    }

    private func verdict(
        _ start: SessionStart,
        _ rate: Double,
        _ rule: String?,
        under root: SessionVerdict?
    ) -> SessionVerdict {
        let threshold = SamplingThreshold.threshold(ofProbability: rate, precision: 4)
        let isChosen = SessionRandomness.value(of: start.rootSessionID) >= threshold
        var verdict = SessionVerdict(
            isSampled: isChosen,
            reason: Self.chance(rate, rule),
            rule: rule,
            rate: rate,
            weight: isChosen ? SamplingThreshold.weight(ofThreshold: threshold) : 1,
            traceState: SessionRandomness.traceState(
                start.traceState,
                of: start.rootSessionID,
                threshold: threshold < SamplingThreshold.end ? threshold : nil
            ),
            phase: rate >= 1 ? .kept : .held
        )
        if let root, verdict.phase == .kept, root.phase == .reduced { verdict.isPartial = true }
        return verdict
    }

    package func judge(_ forest: SessionForest) -> SessionJudgement {
        let policy = policy.withLock { $0 } ?? SessionPolicy()
        let now = clock.unixNanos
        let judgement: SessionJudgement
        if let reason = history.withLock({ $0.reason(to: policy.rescue, forest, at: now) }) {
            judgement = SessionJudgement(isKept: true, reason: reason)
        } else {
            judgement = Self.chance(forest, SessionRandomness.value(of: forest.rootSessionID))
        }
        count(judgement)
        return judgement
    }

    /// What chance makes of a root session with this randomness, 56 bits, that nothing else keeps.
    static func chance(_ forest: SessionForest, _ randomness: UInt64) -> SessionJudgement {
        let threshold = SamplingThreshold.threshold(ofProbability: forest.rate, precision: 4)
        let isKept = randomness >= threshold
        return SessionJudgement(
            isKept: isKept,
            reason: chance(forest.rate, forest.rule),
            weight: isKept ? SamplingThreshold.weight(ofThreshold: threshold) : 1,
            isByChance: true
        )
    }

    /// Counts what was decided about a root session.
    func count(_ judgement: SessionJudgement) {
        guard let counters else { return }
        if !judgement.isKept {
            counters.reduced.add()
        } else if judgement.isByChance {
            counters.keptByChance.add()
        } else {
            counters.rescued.add()
        }
    }

    /// Counts a trace of stored sessions that waits for a span.
    func countUnfinished() { counters?.unfinished.add() }

    package func noteLeftOut(stepCount: Int) { counters?.leftOutSteps.add(stepCount) }

    private static func chance(_ rate: Double, _ rule: String?) -> String {
        "\(rule.map { "rule \($0)" } ?? "default rate") keeps \(percent(rate)) %"
    }

    /// Without digits that say nothing.
    private static func percent(_ rate: Double) -> String {
        let percent = (rate * 1_000_000).rounded() / 10_000
        return percent == percent.rounded() ? String(Int(percent)) : String(percent)
    }
}

extension SessionPolicy.Facts {
    init(_ start: SessionStart) {
        self.init()
        priority = start.taskPriority
        agentName = start.agentName
        agentID = start.agentID
        taskID = start.taskID
        labels = start.labels.map { ($0.key, $0.value.labelText) }
        source = start.source
        depth = start.depth
    }
}

extension AttributeValue {
    /// What a label says, for rules; empty where it is no scalar.
    var labelText: String {
        switch self {
        case .string(let value): value
        case .int(let value): String(value)
        case .bool(let value): String(value)
        case .double(let value): String(value)
        default: ""
        }
    }
}
