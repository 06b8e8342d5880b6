// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// How `do-trace` is listed among the tools.
extension DoTrace {
    private static let description: StaticString = """
        Records what you do as an agent, so that people see sessions, steps, tool calls and messages on one timeline: \
        start_session once, then log_step for every finished step (or start_step and end_step around a long one), end_session at \
        the end. spawn before starting another agent: hand the environment or headers it answers to the child. Actions that \
        read: get_session, get_trace, find_sessions, tool_stats, bottlenecks.
        """

    /// An argument, and which actions take it.
    private struct Property {
        var name: StaticString
        var type: StaticString
        var text: StaticString
        var actions: Set<Action>

        init(_ name: StaticString, _ type: StaticString = "string", of actions: Set<Action>, _ text: StaticString) {
            (self.name, self.type, self.text, self.actions) = (name, type, text, actions)
        }

        /// Of one tool for all actions it says which one it is for, if that is one.
        func text(in tool: Action?) -> String {
            guard tool == nil, actions.count == 1, let action = actions.first else { return "\(text)" }
            return "For \(action.rawValue): \(text)"
        }
    }

    private static let beginnings: Set<Action> = [.startStep, .logStep]
    private static let steps: Set<Action> = [.startStep, .logStep, .endStep]
    private static let inSession: Set<Action> = [
        .startSession, .startStep, .logStep, .endStep, .endSession, .spawn, .postMessage, .getSession,
    ]

    private static let properties: [Property] = [
        Property(
            "sessionId",
            of: inSession,
            "The session, as start_session answered it; your own id for start_session."
        ),
        Property("stepId", of: steps, "The step; your own id, or left out where a step begins."),
        Property("parentStepId", of: [.startStep, .logStep, .spawn], "The step that this one is part of."),
        Property("parentSessionId", of: [.startSession], "The session that started this one."),
        Property("agentId", of: [.startSession], "Who you are."),
        Property("agentName", of: [.startSession], "What people call you."),
        Property("taskId", of: [.startSession], "The task that is worked on."),
        Property("title", of: [.startSession], "The work in a few words."),
        Property("threadId", of: [.startSession, .postMessage], "The conversation or chat group."),
        Property(
            "stepAction",
            of: beginnings,
            "What the step does: tool:grep, llm:plan, wait:human. Few different ones."
        ),
        Property(
            "stepOutcome",
            of: [.logStep, .endStep],
            "success, failure, partial, timeout, cancelled, skipped, blocked or rejected."
        ),
        Property("outcome", of: [.endSession], "success, failure or another word of stepOutcome."),
        Property("childAgentId", of: [.spawn], "The agent that is started."),
        Property("childSessionId", of: [.spawn], "The id of its session, if you choose it."),
        Property("task", of: [.spawn], "What the child is to do."),
        Property("text", of: [.postMessage], "The message."),
        Property("from", of: [.postMessage], "Who sends it."),
        Property("messageId", of: [.postMessage], "Its id in the chat."),
        Property("inReplyTo", of: [.postMessage], "The message that it answers."),
        Property(
            "stepContext",
            "object",
            of: steps,
            "Facts about the step, by names of your own: numbers, short texts."
        ),
        Property("usage", "object", of: steps, "inputTokens, outputTokens, usd."),
        Property("tool", "object", of: steps, "name, callId, server of the tool that was called."),
        Property("llm", "object", of: steps, "model, provider of the model that was called."),
        Property("error", "object", of: [.logStep, .endStep, .endSession], "type and message of what went wrong."),
        Property(
            "query",
            "object",
            of: [.getTrace, .findSessions, .toolStats, .bottlenecks],
            "Filters, such as traceId; bottlenecks takes traceId or sessionId."
        ),
        Property(
            "startedAgoMs",
            "number",
            of: [.logStep],
            "How long ago it began, in milliseconds."
        ),
    ]

    /// One tool, or one for each action.
    static func write(asMany: Bool, to json: inout JSONWriter) {
        guard asMany else { return write(nil, to: &json) }
        for action in Action.allCases { write(action, to: &json) }
    }

    /// The tool of an action, or of all.
    private static func write(_ action: Action?, to json: inout JSONWriter) {
        let title = action?.title ?? "Trace your own work"
        json.object { json in
            json.member("name", action?.toolName ?? name)
            json.member("title", title)
            json.key("description")
            json.string(word: action?.text ?? description)
            json.object("inputSchema") { json in
                json.member("type", "object")
                json.object("properties") { json in writeProperties(of: action, to: &json) }
                json.array("required") { json in
                    for name in action?.required ?? ["action"] { json.string(name) }
                }
                json.member("additionalProperties", true)
            }
            json.object("annotations") { json in
                json.member("title", title)
                json.member("readOnlyHint", action?.isQuery ?? false)
                json.member("destructiveHint", false)
                json.member("idempotentHint", action?.isQuery ?? false)
                json.member("openWorldHint", false)
            }
        }
    }

    private static func writeProperties(of action: Action?, to json: inout JSONWriter) {
        func isTaken(by actions: Set<Action>) -> Bool { action.map(actions.contains) ?? true }
        if action == nil {
            json.object("action") { json in
                json.member("type", "string")
                json.array("enum") { json in
                    for action in Action.allCases { json.string(action.rawValue) }
                }
            }
        }
        if isTaken(by: [.startSession]) {
            json.object("taskPriority") { json in
                json.member("type", "string")
                json.array("enum") { json in
                    for priority in WorkPriority.allCases { json.string(priority.rawValue) }
                }
            }
        }
        for property in properties where isTaken(by: property.actions) {
            json.object(property.name) { json in
                json.key("type")
                json.string(word: property.type)
                json.member("description", property.text(in: action))
            }
        }
        if isTaken(by: [.postMessage]) {
            json.object("to") { json in
                json.member("type", "array")
                json.object("items") { json in json.member("type", "string") }
                json.member("description", action == nil ? "For post_message: who reads it." : "Who reads it.")
            }
        }
    }
}

extension DoTrace.Action {
    fileprivate var title: String {
        let words = rawValue.replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    /// What the action does, where it is a tool of its own.
    fileprivate var text: StaticString {
        switch self {
        case .startSession:
            "Begins a session of your work as an agent, so that people see it on one timeline. Call it once, first."
        case .startStep: "Begins a step of your work that takes long; do-trace-end-step ends it."
        case .endStep: "Ends a step that do-trace-start-step began."
        case .logStep: "Records a step of your work that is over, in one call."
        case .endSession: "Ends your session. Steps that are open end as abandoned."
        case .spawn:
            "Call it before you start another agent: hand the environment, headers or _meta that it answers to the child."
        case .postMessage: "Records that a message was sent to others."
        case .getTrace: "Sums up a trace: its sessions, how long they took and how they ended."
        case .getSession: "Sums up a session: totals, outcome, cost."
        case .findSessions: "Finds sessions by agent, outcome, priority, task, time or TraceQL."
        case .toolStats: "Calls, errors, retries and durations of tools."
        case .bottlenecks: "Where the time of a trace went, greatest first, in sentences."
        }
    }

    /// Arguments without which nothing can be done.
    fileprivate var required: [String] {
        switch self {
        case .getSession: ["sessionId"]
        case .startStep, .logStep: ["stepAction"]
        case .endStep: ["stepId"]
        case .spawn: ["childAgentId"]
        case .getTrace, .bottlenecks: ["query"]
        case .startSession, .endSession, .postMessage, .findSessions, .toolStats: []
        }
    }
}
