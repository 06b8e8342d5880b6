// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// Sessions and steps as callers read them (`agents.md` §1.2).
extension WorkSession {
    /// The Session record, whose members all are there. Without `figures` its totals are the sums over the steps that have ended.
    func write(to json: inout JSONWriter, at now: UInt64, figures: SessionFigures?) {
        json.member("sessionId", id)
        json.member("taskId", taskID)
        json.member("title", fields.text("title"))
        json.member("agentId", fields.text("agentId"))
        json.member("agentName", fields.text("agentName"))
        json.member("agentVersion", fields.text("agentVersion"))
        json.member("parentSessionId", place.parentSessionID)
        json.member("parentStepId", place.parentStepID)
        json.member("rootSessionId", place.rootSessionID)
        json.member("threadId", threadID)
        json.member("sessionKey", id)
        json.member("taskPriority", place.taskPriority)
        json.member("linkMode", place.linkMode)
        json.member("source", "worktrace")
        json.member("startTime", RFC3339.format(startUnixNanos))
        json.member("endTime", endUnixNanos.map(RFC3339.format))
        json.member("state", state)
        json.member("outcome", outcome)
        json.member("summary", end.text("summary"))
        json.key("budget")
        json.plain(fields["budget"] ?? .null)
        json.key("labels")
        json.plain(.map(fields.map("labels")))
        json.object("trace") { json in
            json.member("traceId", place.traceID)
            json.member("spanId", place.spanID)
            json.member("sampled", verdict.isSampled)
            json.member("samplingReason", verdict.reason)
            json.member("weight", verdict.weight)
        }
        json.object("totals") { json in
            json.member("exact", figures != nil)
            if let figures { return figures.write(to: &json) }
            json.member("steps", totals.steps)
            json.member("llmCalls", totals.llmCalls)
            json.member("toolCalls", totals.toolCalls)
            json.member("toolErrors", totals.toolErrors)
            json.member("inputTokens", totals.inputTokens)
            json.member("outputTokens", totals.outputTokens)
            json.key("usd")
            if let usd = totals.usd { json.double(usd) } else { json.null() }
            let end = lastsUntil(now)
            let wall = end - min(end, startUnixNanos)
            json.member("activeMs", (wall - min(wall, totals.waitNanos)) / 1_000_000)
            json.member("waitMs", totals.waitNanos / 1_000_000)
        }
    }
}

extension WorkStep {
    /// The Step record, whose members all are there.
    func write(to json: inout JSONWriter, session: String) {
        func inner(_ json: inout JSONWriter, _ name: StaticString, _ value: AttributeValue?) {
            json.key(name)
            json.plain(value ?? .null)
        }
        json.member("stepId", id)
        json.member("sessionId", session)
        json.member("spanId", WorkID.span(ofSession: session, step: id))
        json.member("parentStepId", fields.text("parentStepId"))
        json.member("stepAction", fields.text("stepAction"))
        json.member("stepKind", kind)
        inner(&json, "attempt", fields["attempt"] ?? 1)
        json.member("retryOf", fields.text("retryOf"))
        inner(&json, "stepContext", .map(fields.map("stepContext")))
        // Of a step of which little is remembered the times are not.
        json.member("startTime", startUnixNanos == 0 ? nil : RFC3339.format(startUnixNanos))
        json.member("endTime", endUnixNanos.flatMap { $0 == 0 ? nil : RFC3339.format($0) })
        json.member("stepOutcome", outcome)
        Self.object(&json, "error", fields["error"], ["type", "message"])
        Self.object(&json, "usage", fields["usage"], ["inputTokens", "outputTokens", "usd"])
        Self.object(&json, "tool", fields["tool"], ["name", "callId", "server"])
        Self.object(&json, "llm", fields["llm"], ["model", "provider"])
        Self.object(&json, "waitsOn", fields["waitsOn"], ["kind", "id"])
        inner(&json, "links", .array(fields.list("links")))
        inner(&json, "messageIds", .array(fields.list("messageIds")))
        json.array("events") { json in
            for value in fields.list("events") {
                guard case .map(let pairs) = value else { continue }
                let event = WorkFields(pairs)
                json.object { json in
                    json.member("eventId", event.text("id"))
                    json.member("name", event.text("name"))
                    json.member("time", event.nanos("time").map(RFC3339.format))
                    json.member("attributes", .map(event.map("attributes")))
                }
            }
        }
    }

    /// An inner object with the members that it always has; `null` when nothing is known of it.
    private static func object(
        _ json: inout JSONWriter,
        _ name: StaticString,
        _ value: AttributeValue?,
        _ always: [String]
    ) {
        json.key(name)
        guard case .map(let pairs)? = value else { return json.null() }
        let missing = always.filter { name in !pairs.contains { $0.key == name } }
        json.plain(.map(pairs + missing.map { Attribute($0, .null) }))
    }
}
