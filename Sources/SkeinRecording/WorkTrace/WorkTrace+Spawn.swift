// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation

extension WorkTrace {
    /// A child that was started elsewhere, and what it is handed.
    public final class Spawn: Sendable {
        /// The id of the child's session, which a child takes that reads its environment, `_meta` or A2A metadata.
        public let sessionID: String
        /// `traceparent`, `tracestate` and `baggage`, in which are the session and the step that start it.
        public let httpHeaders: [String: String]
        private let step: Step

        init(_ step: Step, sessionID: String) {
            (self.step, self.sessionID) = (step, sessionID)
            httpHeaders = step.session.carriers(of: step)
        }

        /// To be merged into a copy of the environment of the child, which is the only one to have it.
        public var environment: [String: String] {
            var carrier = EnvironmentCarrier()
            for (name, value) in httpHeaders { carrier.set(name, value) }
            carrier.set(WorkEnvironment.session, sessionID)
            carrier.set(WorkEnvironment.parentSession, step.session.id)
            carrier.set(WorkEnvironment.parentStep, step.id)
            if let priority = step.session.priority { carrier.set(WorkEnvironment.priority, priority.rawValue) }
            return carrier.variables
        }

        /// For `params._meta` of an MCP request: the headers, with the session of the child.
        public var mcpMeta: [String: String] {
            var meta = httpHeaders
            var baggage = Baggage()
            baggage.add(header: httpHeaders["baggage"] ?? "")
            baggage[WorkBaggage.child] = sessionID
            meta["baggage"] = baggage.header
            return meta
        }

        /// For `Message.metadata` and `SendMessageRequest.metadata` of A2A, beside the headers.
        public var a2aMetadata: [String: String] { mcpMeta }
        /// For a message of a queue or a chat, whose receiver links.
        public var messageMetadata: [String: String] { httpHeaders }

        /// The child has returned. Calls after the first change nothing.
        public func finish(outcome: Outcome = .success) {
            step.outcome(outcome)
            step.end()
        }

        /// Nobody said how the child ended.
        deinit { finish(outcome: .partial) }
    }
}
