// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinPipeline

/// What the sessions before were like, as far as reasons to keep one depend on it. In memory: a server that has just started
/// knows nothing, and keeps what it sees for the first time.
struct SessionHistory: Sendable {
    private var costs = Samples()
    private var durations = Samples()
    /// When an agent was last seen to call an agent or a tool.
    private var paths: [String: UInt64] = [:]

    private static let pathCountMax = 10_000

    /// The last values of each kind of session.
    private struct Samples: Sendable {
        private var values: [String: [Double]] = [:]
        private var places: [String: Int] = [:]

        private static let kindCountMax = 1_000
        private static let countMax = 512
        /// With fewer nobody can say what is usual.
        private static let countMin = 50

        /// Whether more than this share of the values before were less.
        mutating func isAbove(_ quantile: Double?, _ value: Double, of kind: String) -> Bool {
            let before = values[kind] ?? []
            add(value, kind)
            guard let quantile, before.count >= Self.countMin else { return false }
            let lower = before.count { $0 < value }
            return Double(lower) > quantile * Double(before.count)
        }

        private mutating func add(_ value: Double, _ kind: String) {
            guard var kept = values[kind] else {
                if values.count < Self.kindCountMax { values[kind] = [value] }
                return
            }
            if kept.count < Self.countMax {
                kept.append(value)
            } else {
                let place = places[kind, default: 0]
                kept[place % Self.countMax] = value
                places[kind] = (place + 1) % Self.countMax
            }
            values[kind] = kept
        }
    }

    /// Why all of a root session is kept; `nil` to leave it to chance. Notes what it was like.
    mutating func reason(to rescue: SessionPolicy.Rescue, _ forest: SessionForest, at now: UInt64) -> String? {
        // All is noted, whatever is found first.
        let isRare = rescue.rarePathNanos.map { note(forest, within: $0, at: now) } ?? nil
        var unusual: String?
        for member in forest.sessions {
            let kind = member.agent + "\u{0}" + member.taskType
            if costs.isAbove(rescue.costQuantile, member.usd ?? 0, of: kind), (member.usd ?? 0) > 0, unusual == nil {
                unusual = "\(Self.name(member)) cost more than \(Self.percent(rescue.costQuantile)) % of its kind"
            }
            if durations.isAbove(rescue.durationQuantile, Double(member.durationNanos), of: kind), unusual == nil {
                unusual = "\(Self.name(member)) took longer than \(Self.percent(rescue.durationQuantile)) % of its kind"
            }
        }
        for member in forest.sessions {
            if let why = member.pinnedFor {
                return why.isEmpty ? "somebody asked to keep it" : "somebody asked to keep it: \(why)"
            }
        }
        for member in forest.sessions {
            if rescue.outcome, member.outcome != "success", member.outcome != "skipped" {
                return "\(Self.name(member)) ended with \(member.outcome)"
            }
            if rescue.overBudget, let usd = member.usd, let budget = member.budgetUSD, usd > budget {
                return "\(Self.name(member)) cost more than its budget"
            }
            if rescue.feedback, member.hasBadFeedback { return "somebody was not content with \(Self.name(member))" }
        }
        return steps(rescue, forest.orchestration) ?? unusual ?? isRare
    }

    private func steps(_ rescue: SessionPolicy.Rescue, _ work: Orchestration) -> String? {
        if let most = rescue.loopCountMin,
            let loop = work.loops.first(where: { $0.kind != .graph && $0.count >= most })
        {
            return "\(loop.pattern.prefix(3).joined(separator: ", ")) came \(loop.count) times in a row"
        }
        if let most = rescue.retryCountMin, let retry = work.retries.first(where: { $0.attempts >= most }) {
            return "\(retry.name) was tried \(retry.attempts) times"
        }
        if let most = rescue.humanWaitNanos,
            let session = work.sessions.first(where: { $0.timeClasses[.humanWait] > most })
        {
            return "\(session.agentName) waited \(session.timeClasses[.humanWait] / 1_000_000_000) s for a person"
        }
        if let most = rescue.handoffGapNanos,
            let edge = Self.calls(of: work).first(where: { $0.handoffGapNanos > most })
        {
            return "\(edge.handoffGapNanos / 1_000_000_000) s went by before a called agent began"
        }
        return nil
    }

    /// The edges whose steps started a session or handed over to it: from the start of a whole session nothing was called late.
    private static func calls(of work: Orchestration) -> [Orchestration.Edge] {
        let own = Set(work.sessions.map { Orchestration.SpanReference(traceID: $0.traceID, spanID: $0.spanID) })
        return work.edges.filter { edge in
            edge.kind != .message && !own.contains(.init(traceID: edge.traceID, spanID: edge.spanID))
        }
    }

    /// Notes who called whom; says what of it was new.
    private mutating func note(_ forest: SessionForest, within nanos: UInt64, at now: UInt64) -> String? {
        var rare: String?
        for edge in forest.orchestration.graph.edges where edge.count > 0 && edge.kind != .next {
            let path = edge.from + "\u{0}" + edge.to
            let last = paths[path]
            if last.map({ now - min(now, $0) > nanos }) ?? true {
                rare = rare ?? "\(edge.from) has not called \(edge.to) for long"
            }
            // They may come in another order than that of their times.
            paths[path] = max(last ?? 0, now)
        }
        if paths.count > Self.pathCountMax {
            for (path, _) in paths.sorted(by: { $0.value < $1.value }).prefix(Self.pathCountMax / 2) {
                paths[path] = nil
            }
        }
        return rare
    }

    private static func name(_ member: SessionForest.Member) -> String {
        member.agent.isEmpty ? "a session" : member.agent
    }

    private static func percent(_ quantile: Double?) -> String { String((quantile ?? 0) * 100) }
}
