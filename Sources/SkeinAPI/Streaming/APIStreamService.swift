// SPDX-License-Identifier: Apache-2.0

/// A gRPC service whose methods answer one message with a stream of messages, or with one, as the API sees it: nothing of
/// sockets, frames or compression.
package protocol APIStreamService: Sendable {
    /// What the method at `path` (`/package.Service/Method`) answers to `message`; `nil` when the service has no such method.
    /// Nothing happens before the answer is asked for its messages.
    func call(_ path: String, _ message: [UInt8]) -> APIStreamAnswer?
}

/// The answer of a method: messages, then a status.
package struct APIStreamAnswer: Sendable {
    /// Takes a message on its way, and returns when there is room for the next one; throws when nobody wants it any more.
    package typealias Send = @Sendable ([UInt8]) async throws -> Void

    private let produce: @Sendable (Send) async throws -> Void

    /// An answer whose messages `produce` makes and hands over one after the other.
    package init(_ produce: @escaping @Sendable (Send) async throws -> Void) { self.produce = produce }

    /// Hands every message to `send`, in order, each when the one before is taken, so that who reads slowly is answered
    /// slowly; for one caller, once.
    ///
    /// When it returns, the call ended well. Throws ``APIStreamStatus`` when it failed, and what `send` throws as it is.
    /// Cancelling the task ends the work soon.
    package func run(_ send: Send) async throws { try await produce(send) }
}

/// How a call failed.
package struct APIStreamStatus: Error, Hashable, Sendable {
    /// The codes of gRPC that are given (gRPC "Status codes and their use").
    package enum Code: Int, Hashable, Sendable {
        case cancelled = 1
        case invalidArgument = 3
        case notFound = 5
        case resourceExhausted = 8
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
    }

    package var code: Code
    /// For people; any Unicode.
    package var message: String
    /// When the same call may succeed; `nil` when trying again is of no use or nothing is known.
    package var retryAfterSeconds: Int?
    /// For the server's own log when the fault is on this side; never sent.
    package var logMessage: String?

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension APIStreamStatus {
    /// What an error means to a gRPC client.
    init(_ error: APIError) {
        let code: Code =
            switch error.status {
            case 404: .notFound
            case 413, 422: .resourceExhausted
            case 499: .cancelled
            case 501: .unimplemented
            case 429, 503, 504: .unavailable
            case 400..<499: .invalidArgument
            default: .internal
            }
        self.init(code, error.detail)
        retryAfterSeconds = error.headers.first { $0.name == "Retry-After" }.flatMap { Int($0.value) }
        logMessage = error.logMessage
    }
}
