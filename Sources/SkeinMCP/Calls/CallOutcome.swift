// SPDX-License-Identifier: Apache-2.0

/// How a call of a tool, or one round of it, came to its end.
package enum CallOutcome: Hashable, Sendable {
    case success
    /// The server asks for more; the client calls again with the answers (MCP 2026-07-28, "Multi round-trip requests").
    case inputRequired
    /// The tool said that it failed: `isError`.
    case toolError
    /// An error of JSON-RPC, or a status of HTTP in place of an answer.
    case failure(code: String)
    case cancelled
    /// No answer came, and none can come any more.
    case connectionClosed

    /// `error.type` (OpenTelemetry semantic conventions, MCP); `nil` without an error.
    package var errorType: String? {
        switch self {
        case .success, .inputRequired: nil
        case .toolError: "tool_error"
        case .failure(let code): code
        case .cancelled: "cancelled"
        case .connectionClosed: "connection_closed"
        }
    }

    /// Whether the call's status is an error. To cancel is not to fail.
    package var isFailure: Bool { errorType != nil && self != .cancelled }
}
