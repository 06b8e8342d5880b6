// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// The books as records of a journal: JSON objects, `t` says of what. Each tells all of its session or step, so that the last
/// one counts.
///
///     {"t":"session", …}   a session as it is
///     {"t":"step", …}      a step that is open, or has ended and is not stored
///     {"t":"done", …}      steps whose spans are stored
///     {"t":"gone", …}      a session that is forgotten
extension WorkLedger {
    static func record(_ session: WorkSession) -> [UInt8] {
        var out = WorkFields()
        out.set("t", "session")
        out.set("id", session.id)
        out["fields"] = session.fields.value
        out.set("startDigest", session.startDigest?.description)
        out.set("endDigest", session.endDigest?.description)
        out["end"] = session.end.value
        out.set("start", nanos: session.startUnixNanos)
        out.set("finish", nanos: session.endUnixNanos)
        out.set("last", nanos: session.lastUnixNanos)
        if session.isEnded, session.isAbandoned { out["abandoned"] = true }
        if session.isStored { out["stored"] = true }
        out["events"] = .array(session.events)
        out["place"] = session.place.value
        out["sampled"] = .bool(session.verdict.isSampled)
        out.set("reason", session.verdict.reason)
        out.set("weight", session.verdict.weight)
        out.set("state", session.verdict.traceState)
        out.set("rule", session.verdict.rule)
        out.set("rate", session.verdict.rate)
        if session.verdict.phase != .kept { out.set("phase", session.verdict.phase.rawValue) }
        if session.verdict.isPartial { out["partial"] = true }
        out.set("pinned", session.pinnedFor)
        out["summary"] = session.summary.map { .map($0) }
        let totals = session.totals
        out["totals"] = .array(
            [
                totals.steps, totals.llmCalls, totals.toolCalls, totals.toolErrors, Int(clamping: totals.inputTokens),
                Int(clamping: totals.outputTokens), Int(clamping: totals.waitNanos),
            ].map { .int(Int64($0)) }
        )
        out.set("usd", totals.usd)
        return out.canonical
    }

    static func record(_ step: WorkStep, of session: String, wasCounted: Bool) -> [UInt8] {
        var out = WorkFields()
        out.set("t", "step")
        out.set("session", session)
        out.set("id", step.id)
        out["fields"] = step.fields.value
        out.set("startDigest", step.startDigest?.description)
        out.set("endDigest", step.endDigest?.description)
        out.set("start", nanos: step.startUnixNanos)
        out.set("finish", nanos: step.endUnixNanos)
        out.set("outcome", step.outcome)
        if wasCounted { out["counted"] = true }
        if step.isStored { out["stored"] = true }
        out.set("storedEnd", nanos: step.storedEndUnixNanos)
        return out.canonical
    }

    static func record(done steps: [(String, EndedStep)], of session: String) -> [UInt8] {
        var out = WorkFields()
        out.set("t", "done")
        out.set("session", session)
        out["steps"] = .array(
            steps.map { id, step in
                .array([
                    .string(id), .string(step.startDigest?.description ?? ""),
                    .string(step.endDigest?.description ?? ""), .string(step.outcome),
                ])
            }
        )
        return out.canonical
    }

    static func record(gone id: String) -> [UInt8] {
        var out = WorkFields()
        out.set("t", "gone")
        out.set("id", id)
        return out.canonical
    }

    /// Records of all that is known, in the place of those before.
    func snapshot() -> [[UInt8]] {
        var records = sessions.values.map { Self.record($0) }
        for (session, steps) in open {
            records += steps.values.map { Self.record($0, of: session, wasCounted: $0.isCounted) }
        }
        for (session, steps) in ended {
            let all = steps.map { ($0.key, $0.value) }
            for start in stride(from: 0, to: all.count, by: 1_000) {
                records.append(Self.record(done: Array(all[start..<min(start + 1_000, all.count)]), of: session))
            }
        }
        return records
    }

    /// Takes in a record; `false` for one that says nothing to this version.
    mutating func replay(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var reader = JSONReader(bytes)
        guard let value = try? reader.readValue(), case .map(let pairs) = value else { return false }
        let record = WorkFields(pairs)
        switch record.text("t") {
        case "session": return replay(session: record, byteCount: bytes.count)
        case "step": return replay(step: record, byteCount: bytes.count)
        case "done": return replay(done: record)
        case "gone":
            remove(record.text("id") ?? "")
            return true
        default: return false
        }
    }

    /// Sessions that go on are heard anew when all is read: that the server was away is not their silence.
    mutating func wake(at now: UInt64) {
        for (id, session) in sessions where !session.isEnded {
            sessions[id]?.lastUnixNanos = max(session.lastUnixNanos, now)
        }
    }

    private mutating func replay(session record: WorkFields, byteCount: Int) -> Bool {
        guard let id = record.text("id"), let place = WorkSession.Place(record.fields("place")),
            let start = record.nanos("start")
        else { return false }
        var session = WorkSession(
            id: id,
            place: place,
            startUnixNanos: start,
            lastUnixNanos: record.nanos("last") ?? start
        )
        session.fields = record.fields("fields")
        session.startDigest = record.text("startDigest").flatMap { WorkDigest($0) }
        session.endDigest = record.text("endDigest").flatMap { WorkDigest($0) }
        session.end = record.fields("end")
        session.endUnixNanos = record.nanos("finish")
        session.isAbandoned = record.flag("abandoned")
        session.isStored = record.flag("stored")
        session.events = record.list("events")
        session.verdict = SessionVerdict(
            isSampled: record.flag("sampled"),
            reason: record.text("reason"),
            rule: record.text("rule"),
            rate: record.number("rate"),
            weight: record.number("weight") ?? 1,
            traceState: record.text("state") ?? "",
            phase: record.text("phase").flatMap { SessionVerdict.Phase(rawValue: $0) } ?? .kept
        )
        session.verdict.isPartial = record.flag("partial")
        session.pinnedFor = record.text("pinned")
        if record["summary"] != nil { session.summary = record.map("summary") }
        let counts = record.list("totals").map { if case .int(let count) = $0 { max(0, count) } else { Int64(0) } }
        if counts.count == 7 {
            session.totals.steps = Int(counts[0])
            session.totals.llmCalls = Int(counts[1])
            session.totals.toolCalls = Int(counts[2])
            session.totals.toolErrors = Int(counts[3])
            session.totals.inputTokens = UInt64(counts[4])
            session.totals.outputTokens = UInt64(counts[5])
            session.totals.waitNanos = UInt64(counts[6])
        }
        session.totals.usd = record.number("usd")
        session.byteCount = byteCount
        if session.isStarted { expect(id, from: nil) }
        if let before = sessions[id] {
            (session.openCount, session.waitingCount) = (before.openCount, before.waitingCount)
            spans[before.place.spanID] = nil
        }
        keep(session)
        return true
    }

    private mutating func replay(step record: WorkFields, byteCount: Int) -> Bool {
        guard let id = record.text("id"), let sessionID = record.text("session"), sessions[sessionID] != nil,
            let start = record.nanos("start")
        else { return false }
        var step = WorkStep(id: id, startUnixNanos: start)
        step.fields = record.fields("fields")
        step.startDigest = record.text("startDigest").flatMap { WorkDigest($0) }
        step.endDigest = record.text("endDigest").flatMap { WorkDigest($0) }
        step.endUnixNanos = record.nanos("finish")
        step.outcome = record.text("outcome")
        step.byteCount = byteCount + 256
        step.isStored = record.flag("stored")
        step.storedEndUnixNanos = record.nanos("storedEnd")
        if step.isEnded {
            if !record.flag("counted") { sessions[sessionID]?.totals.add(step) }
            step.isCounted = true
        }
        if let child = step.fields.text("childSessionId") {
            expect(
                child,
                from: Spawn(
                    parent: WorkReference(session: sessionID, step: id),
                    linkMode: step.fields.text("linkMode") ?? "join"
                )
            )
        }
        place(step, of: sessionID)
        return true
    }

    private mutating func replay(done record: WorkFields) -> Bool {
        guard let sessionID = record.text("session"), sessions[sessionID] != nil else { return false }
        for value in record.list("steps") {
            guard case .array(let parts) = value, parts.count == 4, case .string(let id) = parts[0],
                case .string(let start) = parts[1], case .string(let end) = parts[2],
                case .string(let outcome) = parts[3]
            else { continue }
            if let step = open[sessionID]?[id] { drop(step, of: sessionID) }
            remember(
                EndedStep(startDigest: WorkDigest(start), endDigest: WorkDigest(end), outcome: outcome),
                WorkReference(session: sessionID, step: id)
            )
        }
        return true
    }
}

extension WorkSession.Place {
    var value: AttributeValue {
        var out = WorkFields()
        out.set("trace", traceID.description)
        out.set("span", spanID.description)
        out.set("parentSpan", parentSpanID.description)
        if isParentRemote { out["remote"] = true }
        out.set("originTrace", origin?.traceID.description)
        out.set("originSpan", origin?.spanID.description)
        out.set("parent", parentSessionID)
        out.set("parentStep", parentStepID)
        out.set("root", rootSessionID)
        out.set("task", taskID)
        out.set("priority", taskPriority)
        out.set("mode", linkMode)
        out.set("state", traceState)
        out.set("baggage", baggage)
        if source != "api" { out.set("source", source) }
        return out.value
    }

    init?(_ fields: WorkFields) {
        guard let trace = fields.text("trace").flatMap({ TraceID(hex: $0) }),
            let span = fields.text("span").flatMap({ SpanID(hex: $0) }), let root = fields.text("root")
        else { return nil }
        self.init(traceID: trace, spanID: span, rootSessionID: root)
        parentSpanID = fields.text("parentSpan").flatMap { SpanID(hex: $0) } ?? .zero
        isParentRemote = fields.flag("remote")
        if let trace = fields.text("originTrace").flatMap({ TraceID(hex: $0) }),
            let span = fields.text("originSpan").flatMap({ SpanID(hex: $0) })
        {
            origin = WorkSession.SpanLink(traceID: trace, spanID: span)
        }
        parentSessionID = fields.text("parent")
        parentStepID = fields.text("parentStep")
        taskID = fields.text("task")
        taskPriority = fields.text("priority")
        linkMode = fields.text("mode") ?? "join"
        traceState = fields.text("state") ?? ""
        baggage = fields.text("baggage") ?? ""
        source = fields.text("source") ?? "api"
    }
}
