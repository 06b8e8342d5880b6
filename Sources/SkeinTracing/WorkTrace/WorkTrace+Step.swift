// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Tracing

extension WorkTrace {
    /// How a step or a session ended.
    public enum Outcome: String, Sendable {
        case success, failure, partial, timeout, cancelled, skipped, blocked, rejected

        init(of error: any Error) { self = error is CancellationError || Task.isCancelled ? .cancelled : .failure }

        func apply(to span: any Span, error: (any Error)?) {
            switch self {
            case .success: span.setStatus(SpanStatus(code: .ok))
            case .failure, .timeout, .blocked, .rejected:
                let type = error.map { String(reflecting: Swift.type(of: $0)) }
                span.attributes["error.type"] = type ?? rawValue
                span.setStatus(SpanStatus(code: .error, message: error.map { String("\($0)".prefix(1024)) }))
            // Whoever was told to stop did not fail.
            case .partial, .cancelled, .skipped: break
            }
        }
    }

    /// What a step does.
    public struct Kind: Sendable, Hashable {
        let name: String
        var target: String?

        /// A call of a model.
        public static func llm(_ model: String? = nil) -> Kind { Kind(name: "llm", target: model) }
        public static func tool(_ name: String) -> Kind { Kind(name: "tool", target: name) }
        static func agent(_ name: String) -> Kind { Kind(name: "agent", target: name) }
        public static let plan = Kind(name: "plan")
        public static let handoff = Kind(name: "handoff")
        public static let human = Kind(name: "human")
        public static let message = Kind(name: "message")
        public static let retrieval = Kind(name: "retrieval")
        public static let memory = Kind(name: "memory")
        public static let guardrail = Kind(name: "guardrail")
        public static let eval = Kind(name: "eval")
        public static let custom = Kind(name: "custom")
        /// A wait for `kind`: `human`, `session`, `message`, `lock`, `rate_limit` or `tool`.
        public static func wait(_ kind: String) -> Kind { Kind(name: "wait", target: kind) }

        private static let names: Set = [
            "agent", "llm", "tool", "plan", "handoff", "wait", "human", "message", "retrieval", "memory", "guardrail",
            "eval",
        ]
        private static let operations = [
            "llm": "chat", "tool": "execute_tool", "agent": "invoke_agent", "plan": "plan", "retrieval": "retrieval",
            "handoff": "execute_tool",
        ]

        /// The kind that an action begins with, such as `tool` of `tool:grep`.
        init(action: String) {
            let parts = action.split(separator: ":", maxSplits: 1)
            let word = parts.first.map { $0.lowercased() } ?? ""
            name = Self.names.contains(word) ? word : "custom"
            target = parts.count == 2 ? String(parts[1]) : nil
        }

        init(name: String, target: String? = nil) { (self.name, self.target) = (name, target) }

        var operation: String? { Self.operations[name] }

        func spanName(_ action: String, agent: String) -> String {
            switch name {
            case "llm", "tool", "agent":
                let operation = operation ?? name
                return target.map { "\(operation) \($0)" } ?? operation
            case "plan": return "plan \(agent)"
            default: return action
            }
        }
    }

    /// A step that runs.
    public final class Step: Sendable {
        /// The step that is open in this task; children of `async let` and of task groups inherit it.
        @TaskLocal public static var current: Step?

        public let id: String
        let session: Session
        let span: any Span
        private let state = Mutex(State())

        private struct State {
            var outcome: Outcome?
            var isEnded = false
        }

        init(_ action: String, _ kind: Kind?, _ context: [String: SpanAttribute], in session: Session) {
            let action = String(action.prefix(256))
            let kind = kind ?? Kind(action: action)
            id = WorkTrace.newID("st_")
            self.session = session
            let parent = Step.current.flatMap { $0.session === session ? $0 : nil }
            // A span that other instrumentation opened within the step is nearer than the step.
            let above = parent == nil ? session.context : ServiceContext.current ?? session.context
            span = session.tracer.startSpan(
                kind.spanName(action, agent: session.work.agent.name),
                context: above,
                ofKind: kind.name == "agent" ? .client : .internal
            )
            var attributes = session.marks
            attributes["worktrace.step.id"] = id
            attributes["worktrace.step.kind"] = kind.name
            attributes["worktrace.step.action"] = action
            if let parent { attributes["worktrace.step.parent_id"] = parent.id }
            if let operation = kind.operation { attributes["gen_ai.operation.name"] = operation }
            if let target = kind.target {
                switch kind.name {
                case "llm": attributes["gen_ai.request.model"] = target
                case "tool": attributes["gen_ai.tool.name"] = target
                case "wait": attributes["worktrace.wait.kind"] = target
                default: break
                }
            }
            Self.set(context, on: &attributes)
            let all = attributes
            span.updateAttributes { $0.merge(all) }
        }

        /// What the model used; counts below zero are left out. `cost` is in US dollars. Input includes what a cache gave.
        public func usage(inputTokens: Int? = nil, outputTokens: Int? = nil, cost: Double? = nil) {
            if let inputTokens, inputTokens >= 0 { span.attributes["gen_ai.usage.input_tokens"] = inputTokens }
            if let outputTokens, outputTokens >= 0 { span.attributes["gen_ai.usage.output_tokens"] = outputTokens }
            if let cost, cost.isFinite, cost >= 0 { span.attributes["worktrace.cost.usd"] = cost }
        }

        /// How the step ends when its closure returns; `success` when not told.
        public func outcome(_ outcome: Outcome) { state.withLock { $0.outcome = outcome } }

        /// The how-manieth attempt it is, from 1, and the step that it repeats.
        public func attempt(_ number: Int, of retried: Step? = nil) {
            if number > 0 { span.attributes["worktrace.step.attempt"] = number }
            if let retried { span.attributes["worktrace.step.retry_of"] = retried.id }
        }

        /// What a tool was called with and what it returned: recorded only where the client records content.
        public func toolCall(id: String? = nil, arguments: String? = nil, result: String? = nil) {
            if let id { span.attributes["gen_ai.tool.call.id"] = id }
            guard session.work.recordsContent else { return }
            if let arguments { span.attributes["gen_ai.tool.call.arguments"] = arguments }
            if let result { span.attributes["gen_ai.tool.call.result"] = result }
        }

        private static func set(_ context: [String: SpanAttribute], on attributes: inout SpanAttributes) {
            var (left, isTruncated) = (65_536, context.count > 64)
            for (key, value) in context.sorted(by: { $0.key < $1.key }).prefix(64) {
                var value = value
                var size = 8
                if case .string(let text) = value.toSpanAttribute() {
                    size = min(text.utf8.count, 4096)
                    if text.utf8.count > 4096 {
                        isTruncated = true
                        var end = text.utf8.index(text.startIndex, offsetBy: 4096)
                        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
                        value = .string(String(text[..<end]))
                    }
                }
                guard size <= left else {
                    isTruncated = true
                    continue
                }
                left -= size
                attributes["worktrace.context.\(key)"] = value
            }
            if isTruncated { attributes["worktrace.context_truncated"] = true }
        }

        /// The first end counts.
        func end(_ outcome: Outcome, error: (any Error)? = nil) {
            let told: Outcome?? = state.withLock { state in
                guard !state.isEnded else { return nil }
                state.isEnded = true
                return .some(state.outcome)
            }
            guard let told else { return }
            let final = error == nil ? told ?? outcome : outcome
            span.attributes["worktrace.step.outcome"] = final.rawValue
            final.apply(to: span, error: error)
            span.end()
        }
    }
}
