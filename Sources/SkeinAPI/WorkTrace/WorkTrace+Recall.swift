// SPDX-License-Identifier: Apache-2.0

/// Sessions that ended so long ago that only the store knows them.
extension WorkTrace {
    /// Makes a session known again that the books have forgotten, if the store has it.
    func recall(_ id: String) async throws(APIError) {
        guard let recaller, !read({ $0.sessions[id] != nil }), let session = await recaller(id) else { return }
        try await adopt(session)
    }
}
