// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// What an agent reads by `do-trace`.
extension DoTrace {
    /// The answer to an action that reads; its text stays below ``MCPText/byteCountMax`` bytes.
    static func answer(
        query action: Action,
        _ arguments: WorkObject,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> Answer {
        let work = try api.openWork()
        var object = arguments
        switch action {
        case .getSession:
            guard let id = try object.id("sessionId") else {
                throw object.invalid("sessionId", "sessionId is missing: name the session.")
            }
            try await work.recall(id)
            guard let session = work.read({ $0.sessions[id] }) else { throw .unknownSession(id) }
            let outcome = session.outcome.map { ", \($0)" } ?? ""
            return answer("Session \(id): \(session.state)\(outcome), \(session.totals.steps) steps.") { json in
                session.write(to: &json, at: api.clock.unixNanos)
            }
        default:
            throw APIError(501, "not-implemented", "\(action.rawValue) is not answered by this server.")
        }
    }
}
