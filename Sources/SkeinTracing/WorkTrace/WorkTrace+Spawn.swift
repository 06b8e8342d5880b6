// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import Tracing

extension WorkTrace {
    /// A child that was started elsewhere, and what it is handed.
    public final class Spawn: Sendable {
        /// The id of the child's session, which a child takes that reads its environment.
        public let sessionID: String
        /// `traceparent`, `tracestate` and `baggage`.
        public let httpHeaders: [String: String]
        private let step: Step

        init(_ step: Step, agent: String, task: String?) {
            self.step = step
            sessionID = WorkTrace.newID("ses_")
            step.span.attributes["worktrace.child.session_id"] = sessionID
            step.span.attributes["worktrace.child.agent_id"] = agent
            if let task { step.span.attributes["worktrace.child.task"] = task }
            httpHeaders = step.session.carriers(of: step.span)
        }

        /// To be merged into a copy of the environment of the child, which is the only one to have it.
        public var environment: [String: String] {
            var carrier = EnvironmentCarrier()
            for (name, value) in httpHeaders { carrier.set(name, value) }
            carrier.set("WORKTRACE_SESSION_ID", sessionID)
            carrier.set("WORKTRACE_PARENT_SESSION_ID", step.session.id)
            carrier.set("WORKTRACE_PARENT_STEP_ID", step.id)
            if let priority = step.session.priority { carrier.set("WORKTRACE_TASK_PRIORITY", priority.rawValue) }
            return carrier.variables
        }

        /// For `params._meta` of an MCP request.
        public var mcpMeta: [String: String] { httpHeaders }
        /// For `Message.metadata` and `SendMessageRequest.metadata` of A2A, beside the headers.
        public var a2aMetadata: [String: String] { httpHeaders }
        /// For a message of a queue or a chat, whose receiver links.
        public var messageMetadata: [String: String] { httpHeaders }

        /// The child has returned. Calls after the first change nothing.
        public func finish(outcome: Outcome = .success) { step.end(outcome) }

        /// Nobody said how the child ended.
        deinit { step.end(.partial) }
    }
}
