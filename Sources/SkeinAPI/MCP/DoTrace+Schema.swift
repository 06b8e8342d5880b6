// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// How `do-trace` is listed among the tools.
extension DoTrace {
    private static let description = """
        Records what you do as an agent, so that people see sessions, steps, tool calls and messages on one timeline: \
        start_session once, then log_step for every finished step (or start_step and end_step around a long one), end_session at \
        the end. spawn before starting another agent: hand the environment or headers it answers to the child. Actions that \
        read: get_session, get_trace, find_sessions, tool_stats, bottlenecks.
        """

    private static let texts: [(StaticString, StaticString)] = [
        ("sessionId", "The session, as start_session answered it; your own id for start_session."),
        ("stepId", "The step; your own id, or left out where a step begins."),
        ("parentStepId", "The step that this one is part of."),
        ("parentSessionId", "For start_session: the session that started this one."),
        ("agentId", "For start_session: who you are."),
        ("agentName", "For start_session: what people call you."),
        ("taskId", "For start_session: the task that is worked on."),
        ("title", "For start_session: the work in a few words."),
        ("threadId", "The conversation or chat group."),
        ("stepAction", "What the step does: tool:grep, llm:plan, wait:human. Few different ones."),
        ("stepOutcome", "success, failure, partial, timeout, cancelled, skipped, blocked or rejected."),
        ("outcome", "For end_session: as stepOutcome."),
        ("childAgentId", "For spawn: the agent that is started."),
        ("childSessionId", "For spawn: the id of its session, if you choose it."),
        ("task", "For spawn: what the child is to do."),
        ("text", "For post_message: the message."),
        ("from", "For post_message: who sends it."),
        ("messageId", "For post_message: its id in the chat."),
        ("inReplyTo", "For post_message: the message that it answers."),
    ]

    private static let objects: [(StaticString, StaticString)] = [
        ("stepContext", "Facts about the step, by names of your own: numbers, short texts."),
        ("usage", "inputTokens, outputTokens, usd."),
        ("tool", "name, callId, server of the tool that was called."),
        ("llm", "model, provider of the model that was called."),
        ("error", "type and message of what went wrong."),
        ("query", "For actions that read: their filters, such as traceId; bottlenecks takes traceId or sessionId."),
    ]

    static func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("name", name)
            json.member("title", "Trace your own work")
            json.member("description", description)
            json.object("inputSchema") { json in
                json.member("type", "object")
                json.object("properties") { json in writeProperties(to: &json) }
                json.array("required") { json in json.string("action") }
                json.member("additionalProperties", true)
            }
            json.object("annotations") { json in
                json.member("title", "Trace your own work")
                json.member("readOnlyHint", false)
                json.member("destructiveHint", false)
                json.member("idempotentHint", false)
                json.member("openWorldHint", false)
            }
        }
    }

    private static func writeProperties(to json: inout JSONWriter) {
        json.object("action") { json in
            json.member("type", "string")
            json.array("enum") { json in
                for action in Action.allCases { json.string(action.rawValue) }
            }
        }
        json.object("taskPriority") { json in
            json.member("type", "string")
            json.array("enum") { json in
                for priority in WorkPriority.allCases { json.string(priority.rawValue) }
            }
        }
        for (name, text) in texts { property(name, "string", text, to: &json) }
        for (name, text) in objects { property(name, "object", text, to: &json) }
        property("startedAgoMs", "number", "For log_step: how long ago it began, in milliseconds.", to: &json)
        json.object("to") { json in
            json.member("type", "array")
            json.object("items") { json in json.member("type", "string") }
            json.member("description", "For post_message: who reads it.")
        }
    }

    private static func property(
        _ name: StaticString,
        _ type: String,
        _ text: StaticString,
        to json: inout JSONWriter
    ) {
        json.object(name) { json in
            json.member("type", type)
            json.key("description")
            json.string(word: text)
        }
    }
}
