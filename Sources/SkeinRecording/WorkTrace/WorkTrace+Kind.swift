// SPDX-License-Identifier: Apache-2.0

extension WorkTrace {
    /// What a step does.
    public struct Kind: Sendable, Hashable {
        let name: String
        var target: String?
        /// What a wait is for.
        var waitID: String?

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
        /// A wait for `kind`: `human`, `session`, `message`, `lock`, `rate_limit` or `tool`; `id` says for which of them.
        public static func wait(_ kind: String, id: String? = nil) -> Kind {
            Kind(name: "wait", target: kind, waitID: id)
        }

        private static let names: Set = [
            "agent", "llm", "tool", "plan", "handoff", "wait", "human", "message", "retrieval", "memory", "guardrail",
            "eval", "custom",
        ]

        /// The kind that an action begins with, such as `tool` of `tool:grep`.
        init(action: String) {
            let parts = action.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let word = parts.first.map { $0.lowercased() } ?? ""
            name = Self.names.contains(word) ? word : "custom"
            target = parts.count == 2 && !parts[1].isEmpty ? String(parts[1]) : nil
        }

        init(name: String, target: String? = nil, waitID: String? = nil) {
            (self.name, self.target, self.waitID) = (name, target, waitID)
        }

        var operation: String? {
            switch name {
            case "llm": "chat"
            case "tool", "handoff": "execute_tool"
            case "agent": "invoke_agent"
            case "plan", "retrieval": name
            default: nil
            }
        }

        func spanName(_ action: String, agent: String) -> String {
            switch name {
            case "llm", "tool", "agent":
                let operation = operation ?? name
                return target.map { "\(operation) \($0)" } ?? operation
            case "plan": return "plan \(agent)"
            default: return action
            }
        }

        /// Adds to whom control passes, and whether it comes back (semantic-conventions-genai, draft).
        func describeTransfer(_ action: String, _ attributes: inout [(key: String, value: RecordedValue)]) {
            guard name == "handoff" || name == "agent" else { return }
            let mode = name == "handoff" ? "pass_control" : "return_to_caller"
            attributes.append(("gen_ai.transfer.mode", .string(mode)))
            if let target = target ?? Kind(action: action).target {
                attributes.append(("gen_ai.transfer.target.name", .string(target)))
            }
        }

        /// Adds the attributes that say more of it than its name.
        func describe(_ attributes: inout [(key: String, value: RecordedValue)]) {
            if let operation { attributes.append(("gen_ai.operation.name", .string(operation))) }
            if let target {
                switch name {
                case "llm": attributes.append(("gen_ai.request.model", .string(target)))
                case "tool": attributes.append(("gen_ai.tool.name", .string(target)))
                case "wait": attributes.append(("worktrace.wait.kind", .string(target)))
                default: break
                }
            }
            if let waitID { attributes.append(("worktrace.wait.id", .string(waitID))) }
        }
    }
}
