// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import Synchronization
public import Tracing

extension WorkTrace {
    /// A step that runs.
    public final class Step: Sendable {
        /// The step that is open in this task; children of `async let` and of task groups inherit it.
        @TaskLocal public static var current: Step?

        public let id: String
        let session: Session
        let span: WorkSpan
        private let state: Mutex<State>

        private struct State {
            var outcome: Outcome?
            var isEnded = false
            var limits: WorkContextLimits
        }

        init(_ action: String, _ kind: Kind?, _ id: String?, _ context: [String: SpanAttribute], in session: Session) {
            let action = action.utf8.count > 256 ? String(action.prefix(256)) : action
            let kind = kind ?? Kind(action: action)
            let id = WorkIDs.sane(id) ?? WorkIDs.fresh("st_", session.own)
            (self.id, self.session) = (id, session)
            let parent = Step.current.flatMap { $0.session === session ? $0 : nil }
            // A span that other instrumentation opened within the step is nearer than the step.
            var above = parent == nil ? session.span.context : ServiceContext.current ?? session.span.context
            above.baggage[WorkBaggage.step] = id
            var attributes: [(key: String, value: RecordedValue)] = []
            attributes.reserveCapacity(session.marks.count + context.count + 12)
            attributes += session.marks
            attributes.append(("worktrace.step.id", .string(id)))
            attributes.append(("worktrace.step.kind", .string(kind.name)))
            attributes.append(("worktrace.step.action", .string(action)))
            if let parent { attributes.append(("worktrace.step.parent_id", .string(parent.id))) }
            kind.describe(&attributes)
            if session.work.writesDraftConventions { kind.describeTransfer(action, &attributes) }
            var limits = WorkContextLimits()
            attributes += limits.attributes(of: context, below: "worktrace.context.")
            if limits.isTruncated { attributes.append(("worktrace.context_truncated", .bool(true))) }
            state = Mutex(State(limits: limits))
            span = WorkSpan(
                kind.spanName(action, agent: session.work.agent.name),
                kind: kind.name == "agent" ? .client : .internal,
                context: above,
                plan: SpanPlan(
                    spanID: session.own == nil ? .zero : WorkIDs.span(ofSession: session.id, step: id),
                    attributes: attributes
                ),
                tracer: session.tracer,
                own: session.own
            )
        }

        /// How the step ends when its closure returns; `success` when not told.
        public func outcome(_ outcome: Outcome) { state.withLock { $0.outcome = outcome } }

        /// Adds to its context, within the limits of all of it.
        public func context(_ values: [String: SpanAttribute]) {
            let (attributes, isTruncated) = state.withLock { state in
                (state.limits.attributes(of: values, below: "worktrace.context."), state.limits.isTruncated)
            }
            span.set(attributes)
            if isTruncated { span["worktrace.context_truncated"] = .bool(true) }
        }

        /// Something that happened at this moment.
        public func event(_ name: String, _ attributes: SpanAttributes = [:]) {
            span.span.addEvent(SpanEvent(name: name, attributes: attributes))
        }

        /// The how-manieth attempt it is, from 1, and the step that it repeats.
        public func attempt(_ number: Int, of retried: Step? = nil) { attempt(number, ofStep: retried?.id) }

        /// The how-manieth attempt it is, from 1, and the id of the step that it repeats.
        public func attempt(_ number: Int, ofStep id: String?) {
            if number > 0 { span["worktrace.step.attempt"] = .int(Int64(number)) }
            if let id = WorkIDs.sane(id) { span["worktrace.step.retry_of"] = .string(id) }
        }

        /// Whom it waits for: `human`, `session`, `message`, `lock`, `rate_limit` or `tool`, and which of them.
        public func waits(on kind: String, id: String? = nil) {
            span["worktrace.wait.kind"] = .string(kind)
            if let id { span["worktrace.wait.id"] = .string(WorkText.cut(id, to: WorkText.keyByteCountMax)) }
        }

        /// How a step came about that no parent started: the relation of a link.
        public enum Relation: String, Sendable {
            case causedBy = "caused_by"
            case retryOf = "retry_of"
            case continues
            case spawnedBy = "spawned_by"
        }

        /// Links the step to that whose metadata it was handed: `traceparent`, in any case. Without one nothing is linked.
        public func link(_ relation: Relation, to metadata: [String: String]) {
            link(metadata, ["worktrace.link.relation": .string(relation.rawValue)])
        }

        /// The step was caused by a message: it links to the step that sent it.
        public func received(message id: String, _ metadata: [String: String]) {
            link(metadata, ["worktrace.link.relation": "message", "messaging.message.id": .string(id)])
        }

        private func link(_ metadata: [String: String], _ attributes: SpanAttributes) {
            let carrier = Dictionary(metadata.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
            guard carrier["traceparent"] != nil else { return }
            var context = ServiceContext.topLevel
            session.tracer.extract(carrier, into: &context, using: WorkCarrier())
            span.span.addLink(SpanLink(context: context, attributes: attributes))
        }

        /// The first end counts.
        func end(error: (any Error)? = nil) {
            let told: Outcome?? = state.withLock { state in
                guard !state.isEnded else { return nil }
                state.isEnded = true
                return .some(state.outcome)
            }
            guard let told else { return }
            let outcome = Outcome.final(told: told, error: error)
            span["worktrace.step.outcome"] = .string(outcome.rawValue)
            outcome.apply(to: span, error: error)
            span.span.end()
        }
    }
}
