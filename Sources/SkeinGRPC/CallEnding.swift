// SPDX-License-Identifier: Apache-2.0
#if GRPC
    import GRPCCore
    import SkeinRecording
    import Tracing

    /// Ends the span of a call, at the latest when nobody has it any more (OpenTelemetry semantic conventions 1.45, "gRPC").
    final class CallEnding: Sendable {
        /// Which status of a call is an error of whom the span belongs to.
        enum Side {
            case client, server
        }

        private let span: SkeinSpan
        private let side: Side

        init(_ span: SkeinSpan, _ side: Side) {
            self.span = span
            self.side = side
        }

        deinit { span.end() }

        /// The call went well.
        func end() {
            span.setAttribute("rpc.response.status_code", "OK")
            span.end()
        }

        func end(_ error: any Error) {
            defer { span.end() }
            guard span.isRecording else { return }
            let status = Self.status(of: error)
            let name = Self.name(status.code)
            span.setAttribute("rpc.response.status_code", name)
            guard side == .client || Self.serverErrors.contains(status.code) else { return }
            span.setAttribute("error.type", name)
            if let cause = status.cause { span.recordError(cause) }
            span.setStatus(SpanStatus(code: .error, message: status.message))
        }

        /// Those that are the server's fault; the others tell a client that it asked for something else.
        private static let serverErrors: Set<RPCError.Code> = [
            .unknown, .deadlineExceeded, .unimplemented, .internalError, .unavailable, .dataLoss,
        ]

        /// What the other side is told of an error. What is no status is the unknown one, and recorded itself.
        private static func status(of error: any Error) -> (code: RPCError.Code, message: String, cause: (any Error)?) {
            switch error {
            case let error as RPCError: (error.code, error.message, error.cause)
            case let error as any RPCErrorConvertible: (error.rpcErrorCode, error.rpcErrorMessage, error.rpcErrorCause)
            case is CancellationError: (.cancelled, "", nil)
            default: (.unknown, "", error)
            }
        }

        /// The name of a status in the protocol, `NOT_FOUND`.
        static func name(_ code: RPCError.Code) -> String {
            names.indices.contains(code.rawValue) ? names[code.rawValue] : "UNKNOWN"
        }

        /// By number (gRPC, "Status codes and their use in gRPC").
        private static let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
    }

    /// A sequence whose end is that of a call.
    struct TracedSequence<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable
    where Base.Element: Sendable, Base.Failure == any Error {
        typealias Element = Base.Element
        typealias Failure = any Error

        let base: Base
        let ending: CallEnding

        struct AsyncIterator: AsyncIteratorProtocol {
            var base: Base.AsyncIterator
            let ending: CallEnding

            mutating func next() async throws -> Element? { try await next(isolation: nil) }

            mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Element? {
                do {
                    let element = try await base.next(isolation: actor)
                    if element == nil { ending.end() }
                    return element
                } catch {
                    ending.end(error)
                    throw error
                }
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: base.makeAsyncIterator(), ending: ending) }
    }
#endif
