// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// Where sessions hang (`agents.md` §1.2, `agents-api.md` §4).
extension WorkLedger {
    func place(of id: String, _ fields: WorkFields, _ sent: WorkCarrier) -> WorkSession.Place {
        let carrier = sent.overridden(by: fields)
        let baggage = Baggage(header: carrier.baggage)
        let spawn = spawned[id]
        var (parentID, stepID) = parent(of: id, fields, carrier, baggage)
        if parentID == id { (parentID, stepID) = (nil, nil) }
        let parent = parentID.flatMap { sessions[$0] }
        func sane(_ text: String?) -> String? { text.flatMap { WorkObject.problem(ofID: $0) == nil ? $0 : nil } }
        let root =
            fields.text("rootSessionId") ?? parent?.place.rootSessionID
            ?? (carrier.parent == nil ? nil : sane(baggage["worktrace.root.session.id"])) ?? parentID ?? id
        var place = WorkSession.Place(
            traceID: .zero,
            spanID: fields.text("spanId").flatMap { SpanID(hex: $0) } ?? WorkID.span(ofSession: id),
            rootSessionID: root
        )
        place.parentSessionID = parentID
        place.parentStepID = stepID
        place.linkMode = fields.text("linkMode") ?? spawn?.linkMode ?? "join"
        place.traceState = carrier.traceState
        place.baggage = carrier.baggage
        place.source = sent.source
        let carried = baggage["worktrace.task.priority"].flatMap { WorkPriority(word: $0)?.rawValue }
        let inherited = parent?.place.taskPriority ?? carried
        place.taskPriority = WorkPriority.effective(fields.text("taskPriority"), inherited: inherited)
        place.taskID = parent?.taskID ?? sane(baggage["worktrace.task.id"])
        let origin =
            carrier.parent.map { WorkSession.SpanLink(traceID: $0.traceID, spanID: $0.spanID) }
            ?? parentID.map { parentID in
                var link = resolve(parentID, stepID ?? "")
                if parent == nil, SpanSession(parentID) == nil { link.traceID = WorkID.trace(ofRootSession: root) }
                return link
            }
        let given = fields.text("traceId").flatMap { TraceID(hex: $0) }
        if place.linkMode == "link" {
            place.traceID = given ?? WorkID.trace(ofRootSession: id)
            place.origin = origin
            return place
        }
        if let context = carrier.parent {
            place.traceID = context.traceID
            place.parentSpanID = context.spanID
            place.isParentRemote = true
        } else if let origin, given == nil || given == origin.traceID {
            place.traceID = origin.traceID
            place.parentSpanID = origin.spanID
        } else {
            // Children that came before it are in a trace already.
            place.traceID = given ?? sessions[id]?.place.traceID ?? WorkID.trace(ofRootSession: root)
            place.origin = origin
        }
        return place
    }

    /// The session that a spawn announced, of one that says no id and begins with the context of the spawn's step; `nil` when the
    /// context is no such step's, or that session has begun.
    func announced(_ fields: WorkFields, _ sent: WorkCarrier) -> String? {
        let carrier = sent.overridden(by: fields)
        guard let context = carrier.parent else { return nil }
        let known = spans[context.spanID]
        guard let parent = known?.session ?? Baggage(header: carrier.baggage)["worktrace.session.id"],
            sessions[parent]?.place.traceID == context.traceID, let children = spawns[parent],
            children.count <= Self.announcedCountMax
        else { return nil }
        return children.first { child in
            guard let step = spawned[child]?.parent.step else { return false }
            // Of a step that has ended the span alone says which it was.
            return known.map { $0.step == step } ?? (WorkID.span(ofSession: parent, step: step) == context.spanID)
        }
    }

    /// Most children that have not begun among which one is looked for.
    private static let announcedCountMax = 1_000

    /// Who started a session: what it says, else who announced it, else whose span its `traceparent` is, else who says so in
    /// `baggage`.
    private func parent(
        of id: String,
        _ fields: WorkFields,
        _ carrier: WorkCarrier,
        _ baggage: Baggage
    ) -> (session: String?, step: String?) {
        let step = fields.text("parentStepId")
        let spawn = spawned[id]
        if let session = fields.text("parentSessionId") {
            return (session, step ?? (spawn?.parent.session == session ? spawn?.parent.step : nil))
        }
        if let spawn { return (spawn.parent.session, step ?? spawn.parent.step) }
        guard let context = carrier.parent else { return (nil, step) }
        if let known = spans[context.spanID], sessions[known.session]?.place.traceID == context.traceID {
            return (known.session, step ?? (known.step.isEmpty ? nil : known.step))
        }
        func sane(_ id: String?) -> String? { id.flatMap { WorkObject.problem(ofID: $0) == nil ? $0 : nil } }
        guard let session = sane(baggage["worktrace.session.id"]) else { return (nil, step) }
        return (session, step ?? sane(baggage["worktrace.step.id"]))
    }

    /// Notes that others spoke of a session, and of one of its steps: from now on both may end, and start, in any order.
    mutating func announce(
        _ sessionID: String?,
        _ stepID: String?,
        childPlace: WorkSession.Place,
        _ now: UInt64,
        _ effects: inout WorkEffects
    ) {
        // One that spans make is theirs.
        guard let sessionID, sessions[sessionID] != nil || SpanSession(sessionID) == nil else { return }
        if sessions[sessionID] == nil, hasRoomForSession {
            var place = WorkSession.Place(
                traceID: childPlace.linkMode == "join" ? childPlace.traceID : WorkID.trace(ofRootSession: sessionID),
                spanID: WorkID.span(ofSession: sessionID),
                rootSessionID: childPlace.rootSessionID
            )
            place.taskPriority = childPlace.taskPriority
            put(WorkSession(id: sessionID, place: place, startUnixNanos: now, lastUnixNanos: now), &effects)
        }
        awaitStep(stepID, of: sessionID)
    }

    /// Notes that others spoke of a step. Not on record: a restart forgets it.
    mutating func awaitStep(_ stepID: String?, of sessionID: String) {
        guard let stepID, !knows(stepID, of: sessionID) else { return }
        guard (awaited[sessionID]?.count ?? 0) < Self.awaitedCountMax else { return }
        awaited[sessionID, default: []].insert(stepID)
    }

    /// Notes who announced a session, until it begins; or with `nil` that it began.
    mutating func expect(_ child: String, from spawn: Spawn?) {
        if let spawn {
            guard sessions[child]?.isStarted != true else { return }
            spawns[spawn.parent.session, default: []].insert(child)
        }
        if let before = spawned.removeValue(forKey: child), before.parent.session != spawn?.parent.session {
            spawns[before.parent.session]?.remove(child)
            if spawns[before.parent.session]?.isEmpty == true { spawns[before.parent.session] = nil }
        }
        spawned[child] = spawn
    }

    private static let awaitedCountMax = 10_000
}

extension WorkSession {
    /// What is known for the decision whether it is kept.
    var start: SessionStart {
        SessionStart(
            sessionID: id,
            rootSessionID: place.rootSessionID,
            traceID: place.traceID,
            taskID: taskID,
            taskPriority: place.taskPriority,
            agentID: fields.text("agentId"),
            agentName: fields.text("agentName"),
            labels: fields.map("labels"),
            traceState: place.traceState,
            source: place.source
        )
    }
}
