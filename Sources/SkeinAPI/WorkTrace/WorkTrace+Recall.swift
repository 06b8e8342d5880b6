// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Sessions that ended so long ago that only the store knows them.
extension WorkTrace {
    /// Makes a session known again that the books have forgotten, if the store has it: the one that a call means which does not
    /// begin it. Throws when the store cannot say.
    func recall(_ id: String) async throws(APIError) {
        guard let recaller, !read({ $0.sessions[id] != nil }) else { return }
        guard !unknown.withLock({ $0.contains(id, at: clock.unixNanos) }) else { return }
        guard let session = try await find(id, nil, by: recaller) else {
            return unknown.withLock { $0.insert(id, at: clock.unixNanos) }
        }
        try await adopt(session)
    }

    /// The same for a call that writes to the session, which one that spans make does not take.
    func recallToWrite(_ id: String) async throws(APIError) {
        try await recall(id)
        guard let isStored, let span = SpanSession(id), !knows(session: id) else { return }
        do throws(StoreError) {
            guard try await isStored(span.traceID, span.spanID) else { return }
        } catch {
            throw APIError(error, requestID: "worktrace")
        }
        throw .sessionOfSpans(id, span)
    }

    /// The same for a session that begins, which is new as a rule: it is looked for in the trace where it would be, which costs
    /// next to nothing where that is new, too.
    func recall(_ id: String, startedBy fields: WorkFields, _ carrier: WorkCarrier) async throws(APIError) {
        guard let recaller else { return }
        let trace = read { $0.sessions[id] == nil ? $0.place(of: id, fields, carrier).traceID : nil }
        guard let trace, let session = try await find(id, trace, by: recaller) else { return }
        try await adopt(session)
    }

    private func find(_ id: String, _ trace: TraceID?, by recaller: Recaller) async throws(APIError) -> WorkSession? {
        do throws(StoreError) {
            return try await recaller(id, trace)
        } catch {
            // Not to know is no answer: a start would be taken for that of a new session, all else for a mistake.
            throw .tooMuchWork(
                "Whether session \(APICall.shown(id)) is stored cannot be said now (\(error.message)): try again later."
            )
        }
    }
}
