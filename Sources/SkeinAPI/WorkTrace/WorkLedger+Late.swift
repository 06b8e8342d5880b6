// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Steps that were open when their session ended: abandoned, until somebody says how they ended (`agents.md` §1.2).
///
/// Their spans wait a moment, since calls overtake each other. What comes later is written as another span of the same id; of two
/// such the store shows the one that ends later, so that this one ends no earlier.
extension WorkLedger {
    /// Whether the end of a step may still overtake that of its session.
    func isAwaitingEnd(_ step: WorkStep, of session: WorkSession, at now: UInt64) -> Bool {
        step.isAbandoned && step.storedEndUnixNanos == nil && session.isEnded && !session.isAbandoned
            && now - min(now, session.lastUnixNanos) < limits.graceNanos
    }

    /// Changes a step that its session's end had ended, or ends it as its agent says.
    mutating func patchLate(
        _ known: WorkStep,
        of sessionID: String,
        _ fields: WorkFields,
        isEnd: Bool,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) throws(APIError) -> Answer<WorkStep> {
        guard var session = sessions[sessionID] else { throw .unknownSession(sessionID) }
        try checkEnd(fields, isNew: false)
        try checkParent(of: known.id, in: sessionID, fields)
        try checkEvents(fields, in: known)
        if !isEnd { try checkRoom(in: known) }
        var (step, facts) = (known, fields)
        // They are what tells a span from others.
        if known.storedEndUnixNanos != nil {
            for name in ["stepKind", "stepAction", "startTime"] { facts[name] = nil }
        }
        var end = known.endUnixNanos ?? now
        if isEnd {
            end = fields.nanos("endTime") ?? max(now, step.startUnixNanos)
            if end < step.startUnixNanos {
                guard step.startDigest == nil || step.fields.nanos("startTime") == nil else {
                    throw .early(end, before: step.startUnixNanos, of: "step")
                }
                if known.storedEndUnixNanos == nil { step.startUnixNanos = end }
            }
            step.outcome = fields.text("stepOutcome")
            step.endDigest = fields.digest
        }
        step.merge(facts, at: now)
        step.change(endingAt: end)
        hear(&session, now)
        sessions[sessionID] = session
        finish(step, of: sessionID, at: now, &effects)
        return Answer(status: 200, record: step)
    }

    /// Asks for the spans of abandoned steps to be stored that have waited long enough.
    func storeAbandoned(of session: WorkSession, at now: UInt64, _ effects: inout WorkEffects) {
        for step in (open[session.id] ?? [:]).values
        where step.isAbandoned && !step.isStored && !isAwaitingEnd(step, of: session, at: now) {
            store(step, of: session, at: now, &effects)
        }
    }

    /// Keeps a step whose span is stored as abandoned, while there is room and its session is not silent; says whether it did.
    mutating func keepAbandoned(
        _ step: WorkStep,
        of sessionID: String,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) -> Bool {
        guard step.isAbandoned, openStepCount <= limits.openStepCountMax / 2,
            openByteCount <= limits.openByteCountMax / 2, let session = sessions[sessionID],
            now - min(now, session.lastUnixNanos) <= limits.idleNanos
        else { return false }
        var kept = step
        kept.isStored = true
        kept.storedEndUnixNanos = step.endUnixNanos
        put(kept, of: sessionID, replacing: step, wasCounted: true, &effects)
        return true
    }

    /// Lets go of the stored steps of a session that is silent.
    mutating func forgetStored(of sessionID: String, _ effects: inout WorkEffects) {
        let done = (open[sessionID] ?? [:]).values.filter(\.isStored).map { step in
            let entry = EndedStep(step)
            drop(step, of: sessionID)
            remember(entry, WorkReference(session: sessionID, step: step.id))
            return (step.id, entry)
        }
        for start in stride(from: 0, to: done.count, by: 1_000) {
            let part = Array(done[start..<min(start + 1_000, done.count)])
            effects.records.append(Self.record(done: part, of: sessionID))
        }
    }
}

extension WorkStep {
    /// Notes that more is known, whose span is not stored: it ends no earlier than the one that is.
    mutating func change(endingAt end: UInt64) {
        isStored = false
        revision &+= 1
        endUnixNanos = max(end, storedEndUnixNanos ?? 0)
    }
}
