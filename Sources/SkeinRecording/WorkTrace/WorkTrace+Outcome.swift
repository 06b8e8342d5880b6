// SPDX-License-Identifier: Apache-2.0
import Tracing

extension WorkTrace {
    /// How a step or a session ended.
    public enum Outcome: String, Sendable {
        case success, failure, partial, timeout, cancelled, skipped, blocked, rejected

        init(of error: any Error) { self = error is CancellationError || Task.isCancelled ? .cancelled : .failure }

        private var isError: Bool {
            switch self {
            case .failure, .timeout, .blocked, .rejected: true
            // Whoever was told to stop did not fail.
            case .success, .partial, .cancelled, .skipped: false
            }
        }

        /// What counts of what the owner was told and how its closure ended: an error is none of success, whatever was said before.
        static func final(told: Outcome?, error: (any Error)?) -> Outcome {
            guard let error else { return told ?? .success }
            let ended = Outcome(of: error)
            return ended == .failure && told?.isError == true ? told ?? ended : ended
        }

        func apply(to span: WorkSpan, error: (any Error)?) {
            if self == .success {
                span.span.setStatus(SpanStatus(code: .ok))
            } else if isError {
                span["error.type"] = .string(error.map { ErrorType.name(of: $0) } ?? rawValue)
                let message = error.map { String("\($0)".prefix(1024)) }
                span.span.setStatus(SpanStatus(code: .error, message: message))
            }
        }
    }
}
