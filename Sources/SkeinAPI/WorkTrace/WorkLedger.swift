// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel

/// The books of open work: which sessions and steps have begun and not ended, and, of those that have ended, what it takes to
/// tell a repetition from a conflict.
///
/// A value without clock, disk or store: calls go in, answers and ``WorkEffects`` come out. Everything that it knows can be
/// written as records, and ``replay(_:)`` of those in order makes it anew.
struct WorkLedger: Sendable {
    let limits: WorkLimits
    let sampling: any SessionSampling
    /// What calls of models cost where steps do not say.
    let prices: ModelPriceBook
    let options: WorkOptions
    var sessions = WorkSessions()
    /// By session and step: what is open, or not stored yet.
    var open: [String: [String: WorkStep]] = [:]
    /// By session and step: what is stored.
    var ended: [String: [String: EndedStep]] = [:]
    /// By session: steps that others spoke of, and that have not come.
    var awaited: [String: Set<String>] = [:]
    /// What the spans of sessions and open steps belong to.
    var spans: [SpanID: WorkReference] = [:]
    /// The sessions below each root, itself among them.
    var roots: [String: Set<String>] = [:]
    /// Roots with sessions that are held.
    var heldRoots: Set<String> = []
    /// Sessions that were announced by a spawn and have not begun, and by which.
    var spawned: [String: Spawn] = [:]
    /// Of those, by the session that announced them.
    var spawns: [String: Set<String>] = [:]
    /// The last steps that ended, whole, for whoever asks again.
    var recent = RecentSteps()
    var openStepCount = 0
    var openByteCount = 0
    var endedStepCount = 0
    var actions = StepActions()
    /// Who sent a message.
    var sender: @Sendable (String) -> WorkSession.SpanLink? = { _ in nil }

    struct Spawn: Hashable, Sendable {
        var parent: WorkReference
        var linkMode: String
    }

    /// What a call is answered.
    struct Answer<Record: Sendable>: Sendable {
        /// 201 for what is new, 200 for a change or a repetition.
        var status: Int
        var record: Record
    }

    init(
        limits: WorkLimits = WorkLimits(),
        sampling: any SessionSampling = EverySession(),
        prices: ModelPriceBook = ModelPriceBook(),
        options: WorkOptions = WorkOptions()
    ) {
        self.limits = limits
        self.sampling = sampling
        self.prices = prices
        self.options = options
    }

    // MARK: Sessions

    mutating func startSession(
        _ id: String,
        _ fields: WorkFields,
        _ carrier: WorkCarrier,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) throws(APIError) -> Answer<WorkSession> {
        var facts = fields
        for name in ["traceparent", "tracestate", "baggage"] { facts[name] = nil }
        let digest = facts.digest
        if let known = sessions[id], known.isStarted {
            guard known.startDigest == digest, !known.place.contradicts(fields, carrier) else {
                throw .conflict("Session", id, "give the new session another id, or none")
            }
            return Answer(status: 200, record: known)
        }
        try checkParent(of: id, fields)
        try checkRoom(for: id)
        let place = place(of: id, fields, carrier)
        var session = sessions[id] ?? WorkSession(id: id, place: place, startUnixNanos: now, lastUnixNanos: now)
        if session.place.spanID != place.spanID { spans[session.place.spanID] = nil }
        session.fields = facts
        session.startDigest = digest
        session.place = place
        session.startUnixNanos = fields.nanos("startTime") ?? (session.isEnded ? session.startUnixNanos : now)
        session.isStored = false
        session.verdict = decide(session)
        hear(&session, now)
        expect(id, from: nil)
        announce(place.parentSessionID, place.parentStepID, childPlace: place, now, &effects)
        put(session, &effects)
        note(.start, session, now, &effects)
        // It ended before it began: now its span can be made of both.
        if session.isEnded { store(session, at: now, &effects) }
        return Answer(status: 201, record: session)
    }

    mutating func heartbeat(_ id: String, at now: UInt64) throws(APIError) -> WorkSession {
        guard var session = sessions[id] else { throw .unknownSession(id) }
        hear(&session, now)
        sessions[id] = session
        return session
    }

    mutating func endSession(
        _ id: String,
        _ end: WorkFields,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) throws(APIError) -> Answer<WorkSession> {
        guard var session = sessions[id] else { throw .unknownSession(id) }
        let digest = end.digest
        if session.isEnded, !session.isAbandoned {
            let isSame = session.endDigest == digest || end.values.keys.allSatisfy { end[$0] == session.end[$0] }
            guard isSame else { throw .conflict("The end of session", id, "a session ends once") }
            return Answer(status: 200, record: session)
        }
        let time = end.nanos("endTime") ?? max(now, session.startUnixNanos)
        // A start that has not come is ours to guess.
        if !session.isStarted { session.startUnixNanos = min(session.startUnixNanos, time) }
        guard time >= session.startUnixNanos else {
            throw .early(time, before: session.startUnixNanos, of: "session")
        }
        session.isAbandoned = false
        session.end = end
        session.endDigest = digest
        session.endUnixNanos = time
        session.isStored = false
        hear(&session, now)
        put(session, &effects)
        endOpenSteps(of: id, at: time, now, &effects)
        session = sessions[id] ?? session
        // Without its start there is little to tell: that may come yet, and is waited for.
        if session.isStarted { store(session, at: now, &effects) }
        note(.end, session, now, &effects)
        return Answer(status: 200, record: session)
    }

    /// Steps that are open when their session ends were abandoned.
    mutating func endOpenSteps(of id: String, at time: UInt64, _ now: UInt64, _ effects: inout WorkEffects) {
        for step in (open[id] ?? [:]).values.sorted(by: { $0.id < $1.id }) {
            var step = step
            if !step.isEnded {
                step.endUnixNanos = max(time, step.startUnixNanos)
                step.outcome = WorkOutcome.abandoned
            } else if step.startDigest != nil || step.isAbandoned {
                continue
            }
            finish(step, of: id, at: now, &effects)
        }
    }

    // MARK: Steps

    mutating func startStep(
        _ id: String,
        of sessionID: String,
        _ fields: WorkFields,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) throws(APIError) -> Answer<WorkStep> {
        guard var session = sessions[sessionID] else { throw .unknownSession(sessionID) }
        let digest = fields.digest
        if let done = ended[sessionID]?[id], done.startDigest != nil {
            guard done.startDigest == digest else {
                throw .conflict("Step", id, "give the new step another id, or none")
            }
            // The same call says the same facts.
            return Answer(status: 200, record: recent.step(sessionID, id) ?? done.step(id, fields))
        }
        var step = WorkStep(id: id, startUnixNanos: now)
        if let known = open[sessionID]?[id] {
            if known.startDigest != nil {
                guard known.startDigest == digest else {
                    throw .conflict("Step", id, "give the new step another id, or none")
                }
                return Answer(status: 200, record: known)
            }
            step = known
        }
        try checkEnd(fields, isNew: true)
        try checkParent(of: id, in: sessionID, fields)
        try checkEvents(fields, in: step)
        try checkRoom()
        if let child = fields.text("childSessionId") { try checkRoom(forChild: child) }
        let ending = step
        step.fields = WorkFields()
        step.merge(fields, at: now)
        step.merge(ending.fields, at: now)
        step.startDigest = digest
        let end = fields.nanos("endTime") ?? step.endUnixNanos
        step.startUnixNanos = fields.nanos("startTime") ?? min(now, end ?? now)
        if let outcome = fields.text("stepOutcome"), ending.outcome == nil || ending.isAbandoned {
            step.outcome = outcome
        }
        awaited[sessionID]?.remove(id)
        count(step.action, of: session, now, &effects)
        hear(&session, now)
        sessions[sessionID] = session
        awaitStep(fields.text("parentStepId"), of: sessionID)
        if let child = fields.text("childSessionId") {
            expect(
                child,
                from: Spawn(
                    parent: WorkReference(session: sessionID, step: id),
                    linkMode: fields.text("linkMode") ?? "join"
                )
            )
        }
        if let outcome = step.outcome, !WorkOutcome.isOpen(outcome) {
            step.endUnixNanos = end ?? max(now, step.startUnixNanos)
            // It may start otherwise than the stored one, and counts when it ends later.
            if ending.isAbandoned {
                step.change(endingAt: max(end ?? now, step.storedEndUnixNanos.map { $0.addingClamped(1) } ?? 0))
            }
            finish(step, of: sessionID, at: now, &effects)
        } else {
            put(step, of: sessionID, &effects)
            note(.start, step, of: sessionID, now, &effects)
        }
        return Answer(status: 201, record: step)
    }

    /// Changes an open step, or ends it.
    mutating func patchStep(
        _ id: String,
        of sessionID: String,
        _ fields: WorkFields,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) throws(APIError) -> Answer<WorkStep> {
        guard var session = sessions[sessionID] else { throw .unknownSession(sessionID) }
        let isEnd = fields.text("stepOutcome").map { !WorkOutcome.isOpen($0) } ?? false
        let digest = fields.digest
        func repeated(_ step: WorkStep) throws(APIError) -> Answer<WorkStep> {
            let isSame =
                step.endDigest == digest
                || fields.values.allSatisfy { name, value in
                    name == "stepOutcome" ? value == step.outcome.map { .string($0) } : step.fields[name] == value
                }
            guard isEnd, isSame else {
                throw .conflict("The end of step", id, "a step ends once, and what has ended is not changed")
            }
            return Answer(status: 200, record: step)
        }
        if let done = ended[sessionID]?[id] {
            guard done.endDigest != digest else {
                return Answer(status: 200, record: recent.step(sessionID, id) ?? done.step(id, fields))
            }
            return try repeated(recent.step(sessionID, id) ?? done.step(id))
        }
        var step: WorkStep
        if let known = open[sessionID]?[id] {
            if known.isAbandoned {
                return try patchLate(known, of: sessionID, fields, isEnd: isEnd, at: now, &effects)
            }
            if known.isEnded { return try repeated(known) }
            step = known
        } else {
            // Its children came before it; so may its end.
            guard awaited[sessionID]?.contains(id) == true else { throw .unknownStep(id, sessionID) }
            step = WorkStep(id: id, startUnixNanos: fields.nanos("startTime") ?? now)
        }
        try checkEnd(fields, isNew: false)
        try checkParent(of: id, in: sessionID, fields)
        try checkEvents(fields, in: step)
        // What ends makes room.
        if !isEnd {
            try checkRoom()
            try checkRoom(in: step)
        }
        let before = step
        if let end = fields.nanos("endTime"), end < (fields.nanos("startTime") ?? step.startUnixNanos) {
            guard step.startDigest == nil || step.fields.nanos("startTime") == nil else {
                throw .early(end, before: fields.nanos("startTime") ?? step.startUnixNanos, of: "step")
            }
            // The start was ours to guess, and came late.
            step.startUnixNanos = end
        }
        step.merge(fields, at: now)
        if let outcome = fields.text("stepOutcome") { step.outcome = outcome }
        hear(&session, now)
        sessions[sessionID] = session
        if isEnd {
            step.endUnixNanos = fields.nanos("endTime") ?? max(now, step.startUnixNanos)
            step.endDigest = digest
            finish(step, of: sessionID, at: now, &effects)
        } else {
            put(step, of: sessionID, replacing: before, &effects)
            note(.update, step, of: sessionID, now, &effects)
        }
        return Answer(status: 200, record: step)
    }

    /// Adds an event to an open step, or to its session where `step` is empty or over; says whether there was one to add to.
    mutating func addEvent(
        _ event: WorkFields,
        to reference: WorkReference,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) -> Bool {
        guard var session = sessions[reference.session] else { return false }
        hear(&session, now)
        sessions[reference.session] = session
        if var step = open[reference.session]?[reference.step], !step.isEnded {
            guard step.byteCount < limits.stepByteCountMax else { return true }
            let before = step
            var fields = WorkFields()
            fields["events"] = .array([event.value])
            step.merge(fields, at: now)
            put(step, of: reference.session, replacing: before, &effects)
            note(.update, step, of: reference.session, now, &effects)
            return true
        }
        guard !session.isEnded else { return false }
        var event = event
        if event["time"] == nil { event.set("time", nanos: now) }
        guard session.events.count < WorkStep.listCountMax, session.byteCount < limits.stepByteCountMax,
            !session.events.contains(event.value)
        else { return true }
        session.events.append(event.value)
        put(session, &effects)
        note(.update, session, now, &effects)
        return true
    }

    // MARK: Looking

    /// The context of a step or, with an empty one, of a session; a guess where the session was never seen.
    func resolve(_ session: String, _ step: String) -> WorkSession.SpanLink {
        let known = sessions[session]
        if known == nil, let span = SpanSession(session) { return span.link(toStep: step) }
        let traceID = known?.place.traceID ?? WorkID.trace(ofRootSession: session)
        let own = step.isEmpty ? known?.place.spanID : nil
        return WorkSession.SpanLink(traceID: traceID, spanID: own ?? WorkID.span(ofSession: session, step: step))
    }

    /// Whether anything of this step was ever seen.
    func knows(_ step: String, of session: String) -> Bool {
        open[session]?[step] != nil || ended[session]?[step] != nil
    }
}
