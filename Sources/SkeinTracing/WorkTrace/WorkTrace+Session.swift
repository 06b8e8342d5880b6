// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import SkeinRecording
public import Tracing

extension WorkTrace {
    /// A session that runs.
    public final class Session: Sendable {
        public let id: String
        /// The session that the whole orchestration began with.
        public let rootID: String
        public let parentID: String?
        public let task: String?
        public let priority: Priority?
        let work: WorkTrace
        let thread: String?
        let tracer: any Tracer
        let span: any Span
        let context: ServiceContext

        init(
            _ work: WorkTrace,
            _ origin: Origin,
            task: String?,
            priority: Priority?,
            id: String?,
            thread: String?,
            labels: [String: String]
        ) {
            let id = WorkTrace.sane(id) ?? origin.session ?? WorkTrace.newID("ses_")
            (self.work, self.id, self.thread) = (work, id, thread)
            rootID = origin.root ?? id
            parentID = origin.parentSession
            self.task = task ?? origin.task
            self.priority = Priority.effective(priority, inherited: origin.priority)
            tracer = work.tracer
            var parent = origin.context
            parent.baggage["worktrace.session.id"] = id
            parent.baggage["worktrace.root.session.id"] = rootID
            parent.baggage["worktrace.task.id"] = self.task
            parent.baggage["worktrace.task.priority"] = self.priority?.rawValue
            span = tracer.startSpan("invoke_agent \(work.agent.name)", context: parent, ofKind: .internal)
            context = span.context
            var attributes = marks
            attributes["gen_ai.operation.name"] = "invoke_agent"
            attributes["worktrace.session.link_mode"] = origin.link == nil ? "join" : "link"
            if let version = work.agent.version { attributes["gen_ai.agent.version"] = version }
            if let thread { attributes["worktrace.session.thread_id"] = thread }
            if let step = origin.parentStep { attributes["worktrace.session.parent_step_id"] = step }
            for (key, value) in labels.sorted(by: { $0.key < $1.key }).prefix(64) {
                attributes["worktrace.label.\(key)"] = SpanAttribute.string(value)
            }
            span.updateAttributes { $0.merge(attributes) }
            if let link = origin.link {
                span.addLink(SpanLink(context: link, attributes: ["worktrace.link.relation": "spawned_by"]))
            }
        }

        /// What every span of the session carries.
        var marks: SpanAttributes {
            var attributes: SpanAttributes = [:]
            attributes["worktrace.session.id"] = id
            attributes["session.id"] = id
            attributes["worktrace.session.root_id"] = rootID
            attributes["gen_ai.conversation.id"] = thread ?? id
            attributes["gen_ai.agent.id"] = work.agent.id
            attributes["gen_ai.agent.name"] = work.agent.name
            if let parentID { attributes["worktrace.session.parent_id"] = parentID }
            if let task { attributes["worktrace.task.id"] = task }
            if let priority { attributes["worktrace.task.priority"] = priority.rawValue }
            return attributes
        }

        func end(_ outcome: Outcome, error: (any Error)? = nil) {
            span.attributes["worktrace.session.state"] = "ended"
            span.attributes["worktrace.session.outcome"] = outcome.rawValue
            outcome.apply(to: span, error: error)
            span.end()
        }

        /// Runs `body` as a step below the step that is open in this task, else below the session.
        ///
        /// The step ends with `body`: as `success` or what the step was told, as `failure` with `error.type` when it throws,
        /// or as `cancelled`.
        ///
        /// - Parameters:
        ///   - action: `kind[:target]` of few distinct values, at most 256 characters.
        ///   - kind: Without one, what `action` begins with.
        ///   - context: At most 64 values, 4 KiB each and 64 KiB together; what is more is left out and marked.
        /// - Throws: Only what `body` throws.
        public func step<Value>(
            _ action: String,
            kind: Kind? = nil,
            context: [String: SpanAttribute] = [:],
            isolation: isolated (any Actor)? = #isolation,
            _ body: (Step) async throws -> Value
        ) async rethrows -> Value {
            let step = Step(action, kind, context, in: self)
            do {
                let value = try await ServiceContext.withValue(step.span.context) {
                    try await Step.$current.withValue(step) { try await body(step) }
                }
                step.end(.success)
                return value
            } catch {
                step.end(Outcome(of: error), error: error)
                throw error
            }
        }

        /// Opens the step of a child that another process or service is, and gives what the child is to be handed.
        ///
        /// The step is open until `finish(outcome:)`, or until the last reference to the value is gone.
        public func spawn(agent: String, task: String? = nil, context: [String: SpanAttribute] = [:]) -> Spawn {
            Spawn(Step("agent:\(agent)", .agent(agent), context, in: self), agent: agent, task: task)
        }

        /// Notes that a message was sent, as an event of the current step; `text` only where content is recorded.
        ///
        /// - Returns: The message's metadata, `traceparent` among them, by which its receiver links to this step.
        @discardableResult
        public func message(to receiver: String, id: String, text: String? = nil) -> [String: String] {
            let step = Step.current.flatMap { $0.session === self ? $0 : nil }
            var attributes: SpanAttributes = [
                "message.id": .string(id), "direction": "sent", "thread": .string(receiver),
            ]
            if let text {
                attributes["bytes"] = text.utf8.count
                if work.recordsContent { attributes["text"] = text }
            }
            (step?.span ?? span).addEvent(SpanEvent(name: "worktrace.message", attributes: attributes))
            return carriers(of: step?.span ?? span)
        }

        /// `traceparent`, `tracestate` and `baggage` of one of its spans, by any backend.
        func carriers(of span: any Span) -> [String: String] {
            var carrier: [String: String] = [:]
            tracer.inject(span.context, into: &carrier, using: Carrier())
            var baggage = Baggage()
            if let header = carrier["baggage"] { baggage.add(header: header) }
            baggage["worktrace.session.id"] = id
            baggage["worktrace.root.session.id"] = rootID
            baggage["worktrace.task.id"] = task
            baggage["worktrace.task.priority"] = priority?.rawValue
            carrier["baggage"] = baggage.header
            return carrier
        }
    }
}
