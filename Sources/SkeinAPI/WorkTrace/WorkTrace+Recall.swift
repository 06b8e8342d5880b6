// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Sessions that ended so long ago that only the store knows them.
extension WorkTrace {
    /// Makes a session known again that the books have forgotten, if the store has it: the one that a call means which does not
    /// begin it. Throws when the store cannot say.
    func recall(_ id: String) async throws(APIError) {
        guard let recaller, !read({ $0.sessions[id] != nil }) else { return }
        guard let session = try await recaller(id, nil) else { return }
        try await adopt(session)
    }

    /// The same for a session that begins, which is new as a rule: it is looked for in the trace where it would be, which costs
    /// next to nothing where that is new, too.
    func recall(_ id: String, startedBy fields: WorkFields, _ carrier: WorkCarrier) async throws(APIError) {
        guard let recaller else { return }
        let trace = read { $0.sessions[id] == nil ? $0.place(of: id, fields, carrier).traceID : nil }
        guard let trace, let session = try await recaller(id, trace) else { return }
        try await adopt(session)
    }
}
