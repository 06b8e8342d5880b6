// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Changes of the books, each with its record.
extension WorkLedger {
    /// A step ended: its span is made and its session counts it.
    mutating func finish(_ ended: WorkStep, of sessionID: String, at now: UInt64, _ effects: inout WorkEffects) {
        guard var session = sessions[sessionID] else { return }
        var step = ended
        let wasCounted = step.isCounted
        let before = open[sessionID]?[step.id]
        // An end that came before the start waits for it.
        let isWhole = step.startDigest != nil || step.outcome == WorkOutcome.abandoned || session.isEnded
        if wasCounted, let before { session.totals.remove(before) }
        session.totals.add(step)
        step.isCounted = true
        // What ends after the decision is stored whichever it was.
        if session.verdict.phase == .kept, session.verdict.weight > 1 { step.fields[WorkSpan.standsAlone] = true }
        if session.verdict.phase == .reduced { step.fields[WorkSpan.isLate] = true }
        if wasCounted { put(session, &effects) } else { sessions[sessionID] = session }
        put(step, of: sessionID, replacing: before, wasCounted: wasCounted, &effects)
        note(.end, step, of: sessionID, now, &effects)
        guard isWhole, !isAwaitingEnd(step, of: session, at: now) else { return }
        store(step, of: session, at: now, &effects)
    }

    /// Asks for the span of an ended step to be stored.
    func store(_ step: WorkStep, of session: WorkSession, at now: UInt64, _ effects: inout WorkEffects) {
        guard session.verdict.phase != .held else { return }
        let reference = WorkReference(session: session.id, step: step.id)
        effects.spans.append(
            .init(reference: reference, span: span(of: step, in: session, at: now), revision: step.revision)
        )
    }

    func store(_ session: WorkSession, at now: UInt64, _ effects: inout WorkEffects) {
        guard session.verdict.phase != .held else { return }
        let reference = WorkReference(session: session.id)
        effects.spans.append(.init(reference: reference, span: WorkSpan.span(of: session, at: now)))
    }

    func span(of step: WorkStep, in session: WorkSession, at now: UInt64) -> Span {
        WorkSpan.span(
            of: step,
            in: session,
            at: now,
            writesDrafts: options.writesDrafts,
            resolve: { resolve($0, $1) },
            sender: sender
        )
    }

    /// Warns of an agent whose actions are too many to be told apart.
    mutating func count(_ action: String, of session: WorkSession, _ now: UInt64, _ effects: inout WorkEffects) {
        let agent = session.agentName ?? "worktrace"
        guard actions.note(action, of: agent, at: now) else { return }
        effects.warnings.append(
            "The steps of agent \(APICall.shown(agent)) have more than \(StepActions.countMax) different actions today, such as "
                + "\(APICall.shown(action)): name few, and put what differs into stepContext."
        )
    }

    /// Notes that the spans of these are stored. Answers the records of it, whose loss costs nothing but storing them again.
    mutating func noteStored(_ pending: [WorkEffects.Pending], at now: UInt64) -> [[UInt8]] {
        var done: [String: [(String, EndedStep)]] = [:]
        var effects = WorkEffects()
        for pending in pending {
            let reference = pending.reference
            guard !reference.step.isEmpty else {
                guard var session = sessions[reference.session], session.isEnded else { continue }
                session.isStored = true
                put(session, &effects)
                continue
            }
            guard let step = open[reference.session]?[reference.step], step.isEnded,
                step.revision == pending.revision
            else { continue }
            if keepAbandoned(step, of: reference.session, at: now, &effects) { continue }
            let entry = EndedStep(step)
            drop(step, of: reference.session)
            remember(entry, reference)
            recent.add(step, of: reference.session)
            done[reference.session, default: []].append((reference.step, entry))
        }
        return effects.records + done.map { Self.record(done: $0.value, of: $0.key) }
    }

    mutating func remember(_ entry: EndedStep, _ reference: WorkReference) {
        if ended[reference.session, default: [:]].updateValue(entry, forKey: reference.step) == nil {
            endedStepCount += 1
        }
    }

    // MARK: Putting

    /// What is kept of a session from now on.
    mutating func put(_ session: WorkSession, _ effects: inout WorkEffects) {
        var session = session
        let record = Self.record(session)
        session.byteCount = record.count
        keep(session)
        effects.records.append(record)
    }

    /// Notes a session without a record of it.
    mutating func keep(_ session: WorkSession) {
        if let before = sessions[session.id], before.place.rootSessionID != session.place.rootSessionID {
            leave(before)
        }
        sessions[session.id] = session
        spans[session.place.spanID] = WorkReference(session: session.id)
        roots[session.place.rootSessionID, default: []].insert(session.id)
        if session.verdict.phase == .held { heldRoots.insert(session.place.rootSessionID) }
    }

    /// Takes a session out of those of its root.
    mutating func leave(_ session: WorkSession) {
        let root = session.place.rootSessionID
        roots[root]?.remove(session.id)
        if roots[root]?.isEmpty == true {
            roots[root] = nil
            heldRoots.remove(root)
        }
    }

    mutating func put(
        _ step: WorkStep,
        of sessionID: String,
        replacing before: WorkStep? = nil,
        wasCounted: Bool = false,
        _ effects: inout WorkEffects
    ) {
        let record = Self.record(step, of: sessionID, wasCounted: wasCounted)
        var step = step
        step.byteCount = record.count + 256
        place(step, of: sessionID)
        effects.records.append(record)
    }

    /// Puts a step into the books, in place of what was known of it.
    mutating func place(_ step: WorkStep, of sessionID: String) {
        let before = open[sessionID, default: [:]].updateValue(step, forKey: step.id)
        openByteCount += step.byteCount - (before?.byteCount ?? 0)
        if before == nil { openStepCount += 1 }
        count(before, of: sessionID, by: -1)
        count(step, of: sessionID, by: 1)
        spans[WorkID.span(ofSession: sessionID, step: step.id)] = WorkReference(session: sessionID, step: step.id)
    }

    private mutating func count(_ step: WorkStep?, of sessionID: String, by change: Int) {
        guard let step, !step.isEnded else { return }
        sessions[sessionID]?.openCount += change
        if step.isWaiting { sessions[sessionID]?.waitingCount += change }
    }

    /// Takes a step out of what is open.
    mutating func drop(_ step: WorkStep, of sessionID: String) {
        guard let before = open[sessionID]?.removeValue(forKey: step.id) else { return }
        if open[sessionID]?.isEmpty == true { open[sessionID] = nil }
        openStepCount -= 1
        openByteCount -= before.byteCount
        count(before, of: sessionID, by: -1)
        spans[WorkID.span(ofSession: sessionID, step: step.id)] = nil
    }

    /// A session was heard of: it is not abandoned, whatever it was.
    func hear(_ session: inout WorkSession, _ now: UInt64) {
        session.lastUnixNanos = max(session.lastUnixNanos, now)
        if !session.isEnded { session.isAbandoned = false }
    }

    // MARK: Limits

    func checkRoom(for sessionID: String) throws(APIError) {
        guard sessions[sessionID] == nil, !hasRoomForSession else { return }
        throw .tooMuchWork(
            "\(sessions.count) sessions of \(sessions.byteCount) bytes are open or ended within the hour; "
                + "\(limits.sessionCountMax) of \(limits.sessionByteCountMax) bytes may: end sessions that are over."
        )
    }

    var hasRoomForSession: Bool {
        sessions.count < limits.sessionCountMax && sessions.byteCount < limits.sessionByteCountMax
    }

    func checkRoom(forChild id: String) throws(APIError) {
        guard spawned[id] == nil, spawned.count >= limits.spawnedCountMax else { return }
        throw .tooMuchWork(
            "\(spawned.count) sessions were announced by a spawn and have not begun, which is the limit: start them, or end the "
                + "sessions that announced them."
        )
    }

    func checkRoom() throws(APIError) {
        guard openStepCount >= limits.openStepCountMax || openByteCount >= limits.openByteCountMax else { return }
        throw .tooMuchWork(
            "\(openStepCount) steps of \(openByteCount) bytes are open or wait to be stored; \(limits.openStepCountMax) of "
                + "\(limits.openByteCountMax) bytes may: end steps that are over, or try again later."
        )
    }

    /// Each change of a step is put on record with all of it.
    func checkRoom(in step: WorkStep) throws(APIError) {
        guard step.byteCount >= limits.stepByteCountMax else { return }
        throw APIError(
            413,
            "too-large",
            "Step \(APICall.shown(step.id)) has \(step.byteCount) bytes of facts and events, at most \(limits.stepByteCountMax) are kept: "
                + "end it, and begin another."
        )
    }

    func checkEnd(_ fields: WorkFields, isNew: Bool) throws(APIError) {
        guard fields["endTime"] != nil else { return }
        guard let outcome = fields.text("stepOutcome") else {
            throw .invalid("/stepOutcome", "endTime is there and stepOutcome is not: say how the step ended.")
        }
        guard WorkOutcome.isOpen(outcome) else { return }
        throw .invalid("/endTime", "stepOutcome is \(outcome), with which a step goes on: leave out endTime.")
    }

    // MARK: Watching

    func note(_ kind: WorkEvent.Kind, _ session: WorkSession, _ now: UInt64, _ effects: inout WorkEffects) {
        guard effects.wantsEvents else { return }
        effects.events.append(
            WorkEvent(
                kind: kind,
                reference: WorkReference(session: session.id),
                agents: [session.fields.text("agentName"), session.fields.text("agentId")].compactMap(\.self),
                span: WorkSpan.span(of: session, at: now),
                durationNanos: session.endUnixNanos.map { $0 - min($0, session.startUnixNanos) },
                outcome: session.outcome
            )
        )
    }

    func note(
        _ kind: WorkEvent.Kind,
        _ step: WorkStep,
        of sessionID: String,
        _ now: UInt64,
        _ effects: inout WorkEffects
    ) {
        guard effects.wantsEvents, let session = sessions[sessionID] else { return }
        effects.events.append(
            WorkEvent(
                kind: kind,
                reference: WorkReference(session: sessionID, step: step.id),
                agents: [session.fields.text("agentName"), session.fields.text("agentId")].compactMap(\.self),
                span: span(of: step, in: session, at: now),
                durationNanos: step.endUnixNanos.map { $0 - min($0, step.startUnixNanos) },
                outcome: step.outcome
            )
        )
    }
}

/// The last steps that ended, as they were.
struct RecentSteps: Sendable {
    static let countMax = 4_096
    private var steps: [WorkReference: WorkStep] = [:]
    private var order: [WorkReference] = []

    func step(_ session: String, _ step: String) -> WorkStep? { steps[WorkReference(session: session, step: step)] }

    mutating func add(_ step: WorkStep, of session: String) {
        guard step.byteCount <= 16 << 10 else { return }
        let reference = WorkReference(session: session, step: step.id)
        if steps.updateValue(step, forKey: reference) == nil { order.append(reference) }
        guard order.count >= 2 * Self.countMax else { return }
        for old in order.prefix(Self.countMax) { steps[old] = nil }
        order.removeFirst(Self.countMax)
    }
}

extension EndedStep {
    init(_ step: WorkStep) {
        startDigest = step.startDigest
        endDigest = step.endDigest
        outcome = step.outcome ?? WorkOutcome.abandoned
    }

    /// What is left to tell of the step, and what a repeated call says of it.
    func step(_ id: String, _ facts: WorkFields = WorkFields()) -> WorkStep {
        var step = WorkStep(id: id, startUnixNanos: facts.nanos("startTime") ?? 0)
        step.merge(facts, at: facts.nanos("endTime"))
        step.startDigest = startDigest
        step.endDigest = endDigest
        step.outcome = outcome
        step.endUnixNanos = facts.nanos("endTime") ?? 0
        return step
    }
}
