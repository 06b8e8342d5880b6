// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import Synchronization

/// Sessions that ended so long ago that only the store knows them.
extension WorkTrace {
    /// Makes a session known again that the books have forgotten, if the store has it.
    func recall(_ id: String) async throws(APIError) {
        guard let recaller, !read({ $0.sessions[id] != nil }) else { return }
        guard !unknown.withLock({ $0.contains(id, at: clock.unixNanos) }) else { return }
        let session: WorkSession?
        do throws(StoreError) {
            session = try await recaller(id)
        } catch {
            // Not to know is no answer: a start would be taken for that of a new session, all else for a mistake.
            throw .tooMuchWork(
                "Whether session \(APICall.shown(id)) is stored cannot be said now (\(error.message)): try again later."
            )
        }
        guard let session else { return unknown.withLock { $0.insert(id, at: clock.unixNanos) } }
        try await adopt(session)
    }
}
