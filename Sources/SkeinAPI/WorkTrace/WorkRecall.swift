// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// A session out of its stored span: enough to know it again, and to hang late steps below it.
enum WorkRecall {
    /// The session, looked for in `trace`, or with `nil` in all of the store, whose spans then need only name it; `nil` when there
    /// is none.
    static func session(
        _ id: String,
        in store: any SpanStore,
        trace: TraceID?,
        at now: UInt64
    ) async throws(StoreError) -> WorkSession? {
        let own: Set = [WorkID.span(ofSession: id)]
        if let trace {
            guard let batch = try await store.traceReader(trace)?.spans(own), !batch.isEmpty else { return nil }
            return session(id, trace, batch.span(at: 0), at: now)
        }
        let predicate = SpanPredicate.compare(.attribute(.span, "worktrace.session.id"), .equal, .string(id))
        let page = try await store.search(SpanQuery(predicate: predicate, limit: 1))
        guard let trace = page.traces.first?.traceID, let reader = try await store.traceReader(trace) else {
            return nil
        }
        let batch = try await reader.spans(own)
        return session(id, trace, batch.isEmpty ? nil : batch.span(at: 0), at: now)
    }

    /// Without a `span`, as of a session that only others' spans name, all that is known is where it lies: it has neither begun nor ended.
    static func session(_ id: String, _ traceID: TraceID, _ span: Span?, at now: UInt64) -> WorkSession {
        func text(_ key: String) -> String? {
            if case .string(let text)? = span?.attributes[key] { text } else { nil }
        }
        var place = WorkSession.Place(
            traceID: traceID,
            spanID: span?.spanID ?? WorkID.span(ofSession: id),
            rootSessionID: text("worktrace.session.root_id") ?? id
        )
        place.parentSpanID = span?.parentSpanID ?? .zero
        place.parentSessionID = text("worktrace.session.parent_id")
        place.parentStepID = text("worktrace.session.parent_step_id")
        place.taskPriority = text("worktrace.task.priority")
        place.linkMode = text("worktrace.session.link_mode") ?? "join"
        guard let span else { return WorkSession(id: id, place: place, startUnixNanos: now, lastUnixNanos: now) }
        let end = span.endUnixNanos
        var session = WorkSession(id: id, place: place, startUnixNanos: span.startUnixNanos, lastUnixNanos: end)
        session.endUnixNanos = end
        session.isStored = true
        session.isAbandoned = text("worktrace.session.state") == "abandoned"
        session.startDigest = text("worktrace.session.digest").flatMap { WorkDigest($0) }
        session.fields.set("taskId", text("worktrace.task.id"))
        session.fields.set("agentId", text("gen_ai.agent.id"))
        session.fields.set("agentName", text("gen_ai.agent.name"))
        session.fields.set("agentVersion", text("gen_ai.agent.version"))
        session.fields.set("title", text("worktrace.session.title"))
        session.fields.set("threadId", text("worktrace.session.thread_id"))
        session.end.set("outcome", text("worktrace.session.outcome"))
        session.endDigest = session.end.digest
        return session
    }
}

/// Sessions that the store did not know a moment ago, so that whoever goes on asking for one costs no search each time.
struct UnknownSessions: Sendable {
    static let countMax = 4_096
    static let nanosMax: UInt64 = 5_000_000_000
    private var times: [String: UInt64] = [:]

    func contains(_ id: String, at now: UInt64) -> Bool {
        guard let time = times[id] else { return false }
        return now >= time && now - time < Self.nanosMax
    }

    mutating func insert(_ id: String, at now: UInt64) {
        if times.count >= Self.countMax {
            times = times.filter { now >= $0.value && now - $0.value < Self.nanosMax }
            if times.count >= Self.countMax { times.removeAll(keepingCapacity: true) }
        }
        times[id] = now
    }
}
