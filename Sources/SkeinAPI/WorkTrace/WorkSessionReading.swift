// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What a call says of a session (`agents.md` §1.2 "Session").
extension WorkFields {
    /// Reads the members of a session out of `object`. What the server makes itself is passed over; what nobody knows becomes
    /// part of its context.
    init(session object: WorkObject, _ content: WorkContent) throws(APIError) {
        var object = object
        for name in ["sessionId", "op", "endTime", "state", "outcome", "totals", "source", "sessionKey"] {
            _ = object.value(name)
        }
        for name in ["taskId", "agentId", "parentSessionId", "parentStepId", "rootSessionId", "threadId"] {
            set(name, try object.id(name))
        }
        for name in ["title", "agentName", "agentVersion", "agentDescription", "traceparent"] {
            set(name, try object.text(name))
        }
        for name in ["tracestate", "baggage"] { set(name, try object.text(name, byteCountMax: 16 << 10)) }
        if let value = object.value("taskPriority") {
            let word: String? =
                switch value {
                case .string(let text): text
                case .int(let rank): "\(rank)"
                default: nil
                }
            guard let priority = word.flatMap({ WorkPriority(word: $0) }) else {
                throw object.invalid(
                    "taskPriority",
                    "taskPriority is \(WorkObject.shown(value)): it takes \(WorkPriority.words)."
                )
            }
            set("taskPriority", priority.rawValue)
        }
        set("linkMode", try object.linkMode("linkMode"))
        set("startTime", nanos: try object.time("startTime"))
        if var budget = try object.object("budget") {
            var fields = WorkFields()
            for name in ["usd", "tokens", "seconds"] { fields.set(name, try budget.amount(name)) }
            values["budget"] = fields.value
        }
        if let labels = try object.object("labels") {
            let merged = WorkContext.merged([], labels.rest)
            values["labels"] = .map(merged.context)
        }
        if var trace = try object.object("trace") {
            set("traceId", try trace.hex("traceId", digits: 32))
            set("spanId", try trace.hex("spanId", digits: 16))
        }
        var context = try object.object("stepContext")?.rest ?? []
        context += content.filtered(object.rest, into: &self)
        if !context.isEmpty {
            let merged = WorkContext.merged([], context)
            values["context"] = .map(merged.context)
            if merged.isTruncated { values["contextTruncated"] = true }
        }
    }

    /// Reads how a session ended.
    init(sessionEnd object: WorkObject, _ content: WorkContent) throws(APIError) {
        var object = object
        for name in ["sessionId", "op"] { _ = object.value(name) }
        for name in ["outcome", "stepOutcome"] { set("outcome", try object.text(name, byteCountMax: 128)) }
        guard let outcome = text("outcome"), !outcome.isEmpty else {
            throw object.invalid(
                "outcome",
                "outcome is missing: say how the session ended, as in success, failure, partial, timeout or cancelled."
            )
        }
        guard !WorkOutcome.isOpen(outcome) else {
            throw object.invalid(
                "outcome",
                "outcome is \(APICall.shown(outcome)), with which work goes on: say how the session ended, as in success, failure, "
                    + "partial, timeout or cancelled."
            )
        }
        set("endTime", nanos: try object.time("endTime"))
        content.take("summary", of: &object, as: "summary", into: &self)
        if var error = try object.object("error") {
            var fields = WorkFields()
            fields.set("type", try error.text("type", byteCountMax: 256))
            fields.set("message", try error.text("message", byteCountMax: 16 << 10))
            values["error"] = fields.value
        }
        let rest = content.filtered(object.rest, into: &self)
        if !rest.isEmpty { values["context"] = .map(WorkContext.merged([], rest).context) }
    }
}

extension WorkObject {
    mutating func linkMode(_ name: String) throws(APIError) -> String? {
        guard let mode = try text(name, byteCountMax: 128) else { return nil }
        guard mode == "join" || mode == "link" else {
            throw invalid(name, "\(name) is \(APICall.shown(mode)): it takes join or link.")
        }
        return mode
    }
}
