// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import Synchronization
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
        let tracer: any Tracer
        /// The tracer where it is our own.
        let own: SkeinTracer?
        let span: WorkSpan
        /// What every span of the session carries.
        let marks: [(key: String, value: RecordedValue)]
        private let told = Mutex<Outcome?>(nil)

        init(
            _ work: WorkTrace,
            _ origin: Origin,
            _ tracer: any Tracer,
            task: String?,
            priority: Priority?,
            id: String?,
            thread: String?,
            title: String?,
            labels: [String: String],
            budget: Budget?
        ) {
            let own = tracer as? SkeinTracer
            let id = WorkIDs.sane(id) ?? origin.session ?? WorkIDs.fresh("ses_", own)
            (self.work, self.id, self.tracer, self.own) = (work, id, tracer, own)
            let rootID = origin.root ?? id
            self.rootID = rootID
            parentID = origin.parentSession
            self.task = task ?? origin.task
            self.priority = Priority.effective(priority, inherited: origin.priority)
            var marks: [(key: String, value: RecordedValue)] = [
                ("worktrace.session.id", .string(id)), ("session.id", .string(id)),
                ("worktrace.session.root_id", .string(rootID)), ("gen_ai.conversation.id", .string(thread ?? id)),
                ("gen_ai.agent.id", .string(work.agent.id)), ("gen_ai.agent.name", .string(work.agent.name)),
            ]
            func mark(_ key: String, _ text: String?) { if let text { marks.append((key, .string(text))) } }
            mark("worktrace.session.parent_id", parentID)
            mark("worktrace.task.id", self.task)
            mark("worktrace.task.priority", self.priority?.rawValue)
            self.marks = marks
            mark("gen_ai.operation.name", "invoke_agent")
            mark("gen_ai.agent.version", work.agent.version)
            mark("gen_ai.agent.description", work.agent.description)
            mark("worktrace.session.title", title.map { WorkText.cut($0, to: WorkText.valueByteCountMax) })
            mark("worktrace.session.thread_id", thread)
            mark("worktrace.session.parent_step_id", origin.parentStep)
            mark("worktrace.session.link_mode", origin.link == nil ? "join" : "link")
            var limits = WorkContextLimits()
            marks += limits.attributes(of: labels.mapValues { .string($0) }, below: "worktrace.label.")
            if let usd = budget?.usd, usd.isFinite { marks.append(("worktrace.budget.usd", .double(usd))) }
            if let tokens = budget?.tokens { marks.append(("worktrace.budget.tokens", .double(Double(tokens)))) }
            if let seconds = budget?.seconds, seconds.isFinite {
                marks.append(("worktrace.budget.seconds", .double(seconds)))
            }
            var context = origin.context
            context.baggage.name(id, root: rootID, task: self.task, self.priority)
            // Who only links has a trace of its own, whatever its orchestration began with.
            let trace = own.map { _ in WorkIDs.trace(ofRootSession: origin.link == nil ? rootID : id) }
            span = WorkSpan(
                "invoke_agent \(work.agent.name)",
                kind: .internal,
                context: context,
                plan: SpanPlan(traceID: trace, spanID: WorkIDs.span(ofSession: id), attributes: marks),
                links: origin.link.map {
                    [SpanLink(context: $0, attributes: ["worktrace.link.relation": "spawned_by"])]
                } ?? [],
                tracer: tracer,
                own: own
            )
        }

        /// How the session ends when its closure returns; `success` when not told.
        public func outcome(_ outcome: Outcome) { told.withLock { $0 = outcome } }

        /// Says that it is alive, as whoever is silent for long counts as abandoned: of interest to a receiver that shows what goes on,
        /// nothing to others.
        public func heartbeat() {
            guard let own, let span = span.span as? SkeinSpan else { return }
            for case let live as LiveSpanProcessor in own.core.processor.processors { live.tell(span) }
        }

        /// What came of it, in words: content.
        public func summary(_ text: String) { work.set(text, "worktrace.session.summary", "summary", on: span) }

        func end(error: (any Error)? = nil) {
            let outcome = Outcome.final(told: told.withLock { $0 }, error: error)
            span["worktrace.session.state"] = .string("ended")
            span["worktrace.session.outcome"] = .string(outcome.rawValue)
            outcome.apply(to: span, error: error)
            span.span.end()
        }

        /// Runs `body` as a step below the step that is open in this task, else below the session.
        ///
        /// The step ends with `body`: as `success` or what the step was told, as `failure` with `error.type` when it throws, or as
        /// what it was told of `timeout`, `blocked` and `rejected`, or as `cancelled`.
        ///
        /// - Parameters:
        ///   - action: `kind[:target]` of few distinct values, at most 256 characters.
        ///   - kind: Without one, what `action` begins with.
        ///   - id: Of this step alone within the session, up to 128 bytes of `[A-Za-z0-9._:/@-]`; made when absent or not so.
        ///   - context: At most 64 values, 4 KiB each and 64 KiB together; what is more is left out and marked.
        /// - Throws: Only what `body` throws.
        public func step<Value>(
            _ action: String,
            kind: Kind? = nil,
            id: String? = nil,
            context: [String: SpanAttribute] = [:],
            isolation: isolated (any Actor)? = #isolation,
            _ body: (Step) async throws -> Value
        ) async rethrows -> Value {
            let step = Step(action, kind, id, context, in: self)
            do {
                let value = try await ServiceContext.withValue(step.span.context) {
                    try await Step.$current.withValue(step) { try await body(step) }
                }
                step.end()
                return value
            } catch {
                step.end(error: error)
                throw error
            }
        }

        /// Opens the step of a child that another process or service is, and gives what the child is to be handed.
        ///
        /// The step is open until `finish(outcome:)`, or until the last reference to the value is gone. `id` is that of the step,
        /// `sessionID` the one that the child is to have; both are made when absent.
        public func spawn(
            agent: String,
            task: String? = nil,
            id: String? = nil,
            sessionID: String? = nil,
            context: [String: SpanAttribute] = [:]
        ) -> Spawn {
            let step = Step("agent:\(agent)", .agent(agent), id, context, in: self)
            let child = WorkIDs.sane(sessionID) ?? WorkIDs.child(ofSession: self.id, step: step.id)
            step.span["worktrace.child.session_id"] = .string(child)
            step.span["worktrace.child.agent_id"] = .string(agent)
            if let task {
                step.span["worktrace.child.task"] = .string(WorkText.cut(task, to: WorkText.valueByteCountMax))
            }
            return Spawn(step, sessionID: child)
        }

        /// Notes that a message was sent, as an event of the current step; `text` is content.
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
                if work.recordsContent { attributes["text"] = WorkText.cut(text, to: work.contentByteCountMax) }
            }
            (step?.span ?? span).span.addEvent(SpanEvent(name: "worktrace.message", attributes: attributes))
            return carriers(of: step)
        }

        /// `traceparent`, `tracestate` and `baggage` of one of its steps, or of itself, by any backend.
        func carriers(of step: Step?) -> [String: String] {
            var carrier: [String: String] = [:]
            tracer.inject((step?.span ?? span).context, into: &carrier, using: WorkCarrier())
            var baggage = Baggage()
            if let header = carrier["baggage"] { baggage.add(header: header) }
            baggage.name(id, root: rootID, task: task, priority)
            baggage[WorkBaggage.step] = step?.id
            carrier["baggage"] = baggage.header
            return carrier
        }
    }
}

extension Baggage {
    /// Names the session that is the sender from now on.
    fileprivate mutating func name(_ id: String, root: String, task: String?, _ priority: WorkTrace.Priority?) {
        self[WorkBaggage.session] = id
        self[WorkBaggage.root] = root
        self[WorkBaggage.step] = nil
        self[WorkBaggage.child] = nil
        self[WorkBaggage.task] = task
        self[WorkBaggage.priority] = priority?.rawValue
    }
}
