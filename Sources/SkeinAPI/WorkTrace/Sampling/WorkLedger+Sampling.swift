// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel

/// Sessions that wait for the decision about their root (`agents.md` §4.2).
extension WorkLedger {
    /// What becomes of a session that starts.
    func decide(_ session: WorkSession) -> SessionVerdict {
        var start = session.start
        start.depth = depth(of: session)
        let root = session.place.rootSessionID
        let known = sessions[root].flatMap { root == session.id || !$0.isStarted ? nil : $0 }
        // Without the root itself, any session below it says what was decided.
        let other = known ?? roots[root]?.lazy.compactMap { sessions[$0] }.first { $0.id != session.id && $0.isStarted }
        return sampling.decide(start, under: other.map { RootSession(start: $0.start, verdict: $0.verdict) })
    }

    private func depth(of session: WorkSession) -> Int {
        var depth = 0
        var seen: Set<String> = [session.id]
        var above = session.place.parentSessionID
        while let id = above, seen.insert(id).inserted, depth < 1_000 {
            depth += 1
            above = sessions[id]?.place.parentSessionID
        }
        return depth
    }

    /// Roots to decide about: none of their sessions goes on, and the last was heard of long enough ago. With `isTight` it need not
    /// be long ago.
    func dueRoots(at now: UInt64, isTight: Bool) -> [String] {
        let hold = sampling.holdNanos
        return heldRoots.filter { root in
            (roots[root] ?? []).allSatisfy { id in
                guard let session = sessions[id] else { return true }
                // One that only others spoke of keeps nobody waiting.
                guard session.isEnded || !session.isStarted else { return false }
                return isTight || now - min(now, session.lastUnixNanos) >= hold
            }
        }
    }

    /// Whether so much waits for decisions that none should wait for longer than it must.
    var isTight: Bool {
        !heldRoots.isEmpty
            && (openByteCount > limits.openByteCountMax / 2 || openStepCount > limits.openStepCountMax / 2)
    }

    /// The root that began first of those that go on, which has to be kept when there is no room to wait for its end.
    var oldestHeldRoot: String? {
        heldRoots.min { a, b in (sessions[a]?.startUnixNanos ?? 0) < (sessions[b]?.startUnixNanos ?? 0) }
    }

    /// Whether a root is as it was when `forest` was looked at, and none of it goes on.
    func isStill(_ forest: SessionForest) -> Bool {
        let members = (roots[forest.rootSessionID] ?? []).compactMap { sessions[$0] }.filter(\.isStarted)
        return members.count == forest.sessions.count && members.allSatisfy(\.isEnded)
    }

    /// All that is held of a root.
    func forest(of root: String, at now: UInt64) -> SessionForest {
        let members = (roots[root] ?? []).compactMap { sessions[$0] }.sorted { $0.id < $1.id }
        var spans: [Span] = []
        for session in members where session.isStarted && session.verdict.phase != .reduced {
            spans.append(WorkSpan.span(of: session, at: now))
            for step in (open[session.id] ?? [:]).values { spans.append(span(of: step, in: session, at: now)) }
        }
        var read = AgentSpan.read(SpanBatch(spans: spans, receivedUnixNanos: now))
        prices.current.fill(&read)
        let orchestration = Orchestration(
            read,
            around: sessions[root]?.place.traceID,
            nowUnixNanos: now,
            listMax: .max
        )
        let costs = Dictionary(
            orchestration.sessions.map { ($0.sessionID, $0.usage.usd) },
            uniquingKeysWith: { first, _ in first }
        )
        let most = members.max { $0.verdict.rate ?? 0 < $1.verdict.rate ?? 0 }
        return SessionForest(
            rootSessionID: root,
            rate: most?.verdict.rate ?? 1,
            rule: most?.verdict.rule,
            sessions: members.filter(\.isStarted).map { session in
                session.member(usd: costs[session.id] ?? nil, steps: open[session.id].map { Array($0.values) } ?? [])
            },
            orchestration: orchestration
        )
    }

    /// Keeps or reduces all that is held of a root.
    mutating func settle(
        _ judgement: SessionJudgement,
        _ forest: SessionForest,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) {
        heldRoots.remove(forest.rootSessionID)
        let totals = Dictionary(
            forest.orchestration.sessions.map { ($0.sessionID, SessionTotals($0)) },
            uniquingKeysWith: { first, _ in first }
        )
        let members = (roots[forest.rootSessionID] ?? []).sorted()
        let isPartial = members.contains { sessions[$0]?.verdict.phase == .reduced }
        for id in members {
            guard var session = sessions[id], session.verdict.phase == .held else { continue }
            session.verdict.isSampled = judgement.isKept
            session.verdict.reason = judgement.reason
            session.verdict.weight = judgement.weight
            session.verdict.phase = judgement.isKept ? .kept : .reduced
            session.verdict.traceState = SessionRandomness.traceState(
                session.verdict.traceState,
                of: forest.rootSessionID,
                threshold: judgement.weight > 1
                    ? SamplingThreshold.threshold(ofProbability: 1 / judgement.weight) : 0
            )
            if judgement.isKept { session.verdict.isPartial = isPartial }
            if !judgement.isKept { session.summary = totals[id]?.attributes }
            put(session, &effects)
            let steps = (open[id] ?? [:]).values.filter(\.isEnded)
            let spawns = spawnSteps(of: id)
            for var step in steps where judgement.isKept || spawns.contains(step.id) {
                if judgement.weight > 1, spawns.contains(step.id) {
                    let before = step
                    step.fields[WorkSpan.standsAlone] = true
                    put(step, of: id, replacing: before, wasCounted: step.isCounted, &effects)
                }
                store(step, of: session, at: now, &effects)
            }
            if !judgement.isKept { leaveOut(steps.filter { !spawns.contains($0.id) }, of: id, &effects) }
            if session.isEnded, session.isStarted { store(session, at: now, &effects) }
        }
    }

    /// The steps that started other sessions, and those above them: what a trace hangs together by.
    private func spawnSteps(of sessionID: String) -> Set<String> {
        let steps = open[sessionID] ?? [:]
        let children = Set(
            roots[sessions[sessionID]?.place.rootSessionID ?? ""]?.compactMap { id -> String? in
                let place = sessions[id]?.place
                return place?.parentSessionID == sessionID ? place?.parentStepID : nil
            } ?? []
        )
        var found: Set<String> = []
        for step in steps.values where step.fields["childSessionId"] != nil || children.contains(step.id) {
            var above: WorkStep? = step
            while let step = above, found.insert(step.id).inserted {
                above = step.fields.text("parentStepId").flatMap { steps[$0] }
            }
        }
        return found
    }

    /// Forgets steps but for what it takes to know their repetition.
    private mutating func leaveOut(_ steps: [WorkStep], of sessionID: String, _ effects: inout WorkEffects) {
        guard !steps.isEmpty else { return }
        let done = steps.map { step in
            let entry = EndedStep(step)
            drop(step, of: sessionID)
            remember(entry, WorkReference(session: sessionID, step: step.id))
            return (step.id, entry)
        }
        for start in stride(from: 0, to: done.count, by: 1_000) {
            effects.records.append(
                Self.record(done: Array(done[start..<min(start + 1_000, done.count)]), of: sessionID)
            )
        }
        sampling.noteLeftOut(stepCount: steps.count)
    }

    /// Keeps all of a root session that is not decided about yet.
    mutating func pin(
        _ id: String,
        for reason: String,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) throws(APIError) -> Answer<WorkSession> {
        guard var session = sessions[id] else { throw .unknownSession(id) }
        guard session.verdict.phase != .reduced else {
            throw APIError(
                409,
                "conflict",
                "Session \(APICall.shown(id)) was reduced to its totals: its steps are gone. Keep sessions before their hold is over."
            )
        }
        if session.pinnedFor != reason {
            session.pinnedFor = reason
            put(session, &effects)
        }
        return Answer(status: 200, record: session)
    }
}
