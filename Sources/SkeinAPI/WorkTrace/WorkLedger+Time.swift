// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What time does to open work.
extension WorkLedger {
    /// Sessions that were silent for too long are abandoned, those that stay so are closed, and what ended long ago is forgotten.
    /// To be called every few seconds.
    mutating func sweep(at now: UInt64, _ effects: inout WorkEffects) {
        var forgotten: [String] = []
        for (id, session) in sessions {
            let silence = now - min(now, session.lastUnixNanos)
            if session.isEnded {
                if session.isStored, silence > limits.rememberedNanos { forgotten.append(id) }
                // Its start does not come any more.
                if !session.isStored, !session.isStarted, silence > limits.idleNanos {
                    store(session, at: now, &effects)
                }
                guard open[id] != nil else { continue }
                storeAbandoned(of: session, at: now, &effects)
                // Steps that began after the end, or whose start never came.
                if silence > limits.idleNanos {
                    endOpenSteps(of: id, at: session.lastUnixNanos, now, &effects)
                    forgetStored(of: id, &effects)
                }
            } else if silence > limits.idleNanos {
                abandon(session, silence, now, &effects)
            }
        }
        for id in forgotten where open[id] == nil { forget(id, &effects) }
        forgetSurplus(&effects)
    }

    private mutating func abandon(
        _ session: WorkSession,
        _ silence: UInt64,
        _ now: UInt64,
        _ effects: inout WorkEffects
    ) {
        var session = session
        if !session.isAbandoned {
            session.isAbandoned = true
            sessions[session.id] = session
            note(.update, session, now, &effects)
        }
        guard silence > limits.idleNanos.addingClamped(limits.closingNanos) else { return }
        session.endUnixNanos = max(session.startUnixNanos, session.lastUnixNanos)
        session.end.set("outcome", WorkOutcome.abandoned)
        put(session, &effects)
        endOpenSteps(of: session.id, at: session.lastUnixNanos, now, &effects)
        // Of a session that only others spoke of there is nothing to tell.
        if session.isStarted || ended[session.id] != nil || open[session.id] != nil {
            store(sessions[session.id] ?? session, at: now, &effects)
        } else {
            forget(session.id, &effects)
        }
        note(.end, session, now, &effects)
    }

    /// Forgets the sessions that ended first while too many ended steps are remembered.
    private mutating func forgetSurplus(_ effects: inout WorkEffects) {
        guard endedStepCount > limits.endedStepCountMax else { return }
        let over = sessions.values.filter { $0.isEnded && $0.isStored && open[$0.id] == nil }
        for session in over.sorted(by: { $0.lastUnixNanos < $1.lastUnixNanos }) {
            guard endedStepCount > limits.endedStepCountMax else { return }
            forget(session.id, &effects)
        }
    }

    private mutating func forget(_ id: String, _ effects: inout WorkEffects) {
        remove(id)
        effects.records.append(Self.record(gone: id))
    }

    mutating func remove(_ id: String) {
        if let session = sessions.removeValue(forKey: id) {
            spans[session.place.spanID] = nil
            leave(session)
        }
        for step in (open[id] ?? [:]).values { drop(step, of: id) }
        endedStepCount -= ended.removeValue(forKey: id)?.count ?? 0
        awaited[id] = nil
        expect(id, from: nil)
        for child in spawns.removeValue(forKey: id) ?? [] { spawned[child] = nil }
    }

    /// What ended and is not stored yet, for another try; at most `countMax` spans.
    func unstored(at now: UInt64, countMax: Int) -> [WorkEffects.Pending] {
        var pending: [WorkEffects.Pending] = []
        for id in open.keys {
            pending += unstored(of: id, at: now, countMax: countMax - pending.count)
            guard pending.count < countMax else { return pending }
        }
        for session in sessions.values
        where session.isEnded && session.isStarted && !session.isStored && session.verdict.phase != .held {
            guard pending.count < countMax else { return pending }
            pending.append(
                .init(reference: WorkReference(session: session.id), span: WorkSpan.span(of: session, at: now))
            )
        }
        return pending
    }

    /// Steps of the session that have ended and are not stored.
    func unstored(of sessionID: String, at now: UInt64, countMax: Int) -> [WorkEffects.Pending] {
        guard let session = sessions[sessionID], session.verdict.phase != .held,
            let steps = open[sessionID]?.values
        else { return [] }
        return steps.lazy.filter { step in
            guard step.isEnded, !step.isStored, !isAwaitingEnd(step, of: session, at: now) else { return false }
            return step.startDigest != nil || step.outcome == WorkOutcome.abandoned || session.isEnded
        }
        .prefix(max(0, countMax))
        .map { step in
            WorkEffects.Pending(
                reference: WorkReference(session: sessionID, step: step.id),
                span: span(of: step, in: session, at: now),
                revision: step.revision
            )
        }
    }
}

extension UInt64 {
    func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
