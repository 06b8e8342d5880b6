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
    private let minutes = Mutex<[String: Minute]>([:])
    private let history = Mutex(SessionHistory())
    private let clock: any WallClock
    private let counters: Counters?

    /// Roots that a rule saw in a minute.
    private struct Minute {
        var number: UInt64 = 0
        var startedCount = 0
        var keptCount = 0
        /// Of the minute before.
        var startedBefore = 0
    }

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
        }
    }

    /// For sessions that start from now on, and for what is decided from now on.
    package func set(_ policy: SessionPolicy?) { self.policy.withLock { $0 = policy } }

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
        let rate = rule.map { capped($0, start.rootSessionID) } ?? policy.defaultRate
        return verdict(start, rate, rule?.name, under: nil)
    }

    private func isChosen(_ root: String, _ rate: Double) -> Bool {
        SessionRandomness.value(of: root) >= SamplingThreshold.threshold(ofProbability: rate, precision: 4)
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

    /// The rate of a rule for a root session that starts now: with `max_per_minute` as much less as keeps below it, by what the
    /// minute before brought, so that weights stay true; and none when as many have been kept.
    private func capped(_ rule: SessionPolicy.Rule, _ root: String) -> Double {
        guard let most = rule.perMinuteMax else { return rule.rate }
        let number = clock.unixNanos / 60_000_000_000
        return minutes.withLock { minutes in
            var minute = minutes[rule.name] ?? Minute(number: number)
            if minute.number != number {
                minute = Minute(
                    number: number,
                    startedBefore: minute.number &+ 1 == number ? minute.startedCount : 0
                )
            }
            minute.startedCount += 1
            let expected = Double(max(minute.startedBefore, minute.startedCount))
            var rate = min(rule.rate, Double(most) / expected)
            if minute.keptCount >= most {
                rate = 0
            } else if isChosen(root, rate) {
                minute.keptCount += 1
            }
            minutes[rule.name] = minute
            return rate
        }
    }

    package func judge(_ forest: SessionForest) -> SessionJudgement {
        let policy = policy.withLock { $0 } ?? SessionPolicy()
        let threshold = SamplingThreshold.threshold(ofProbability: forest.rate, precision: 4)
        let now = clock.unixNanos
        if let reason = history.withLock({ $0.reason(to: policy.rescue, forest, at: now) }) {
            counters?.rescued.add()
            return SessionJudgement(isKept: true, reason: reason)
        }
        if SessionRandomness.value(of: forest.rootSessionID) >= threshold {
            counters?.keptByChance.add()
            return SessionJudgement(
                isKept: true,
                reason: Self.chance(forest.rate, forest.rule),
                weight: SamplingThreshold.weight(ofThreshold: threshold)
            )
        }
        counters?.reduced.add()
        return SessionJudgement(isKept: false, reason: Self.chance(forest.rate, forest.rule))
    }

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
        labels = start.labels.map { label in
            let text: String
            switch label.value {
            case .string(let value): text = value
            case .int(let value): text = String(value)
            case .bool(let value): text = String(value)
            case .double(let value): text = String(value)
            default: text = ""
            }
            return (label.key, text)
        }
        source = start.source
        depth = start.depth
    }
}
