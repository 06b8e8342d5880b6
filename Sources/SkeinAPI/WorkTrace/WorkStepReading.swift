// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// What a call says of a step (`agents.md` §1.2 "Step").
extension WorkFields {
    /// Reads the members of a step out of `object`. What nobody knows becomes part of its context.
    init(step object: WorkObject, _ content: WorkContent) throws(APIError) {
        var object = object
        for name in ["stepId", "sessionId", "op"] { _ = object.value(name) }
        set("parentStepId", try object.id("parentStepId"))
        set("retryOf", try object.id("retryOf"))
        set("childSessionId", try object.id("childSessionId"))
        if let action = try object.text("stepAction", byteCountMax: .max) {
            guard !action.isEmpty, action.count <= 256 else {
                throw object.invalid("stepAction", "stepAction has \(action.count) characters, it takes 1 to 256.")
            }
            set("stepAction", action)
        }
        if let kind = try object.text("stepKind", byteCountMax: 128) {
            guard WorkKind.all.contains(kind) else {
                let known = WorkKind.all.joined(separator: ", ")
                throw object.invalid("stepKind", "stepKind is \(APICall.shown(kind)): it takes \(known).")
            }
            set("stepKind", kind)
        }
        if let attempt = try object.count("attempt") {
            guard attempt > 0 else {
                throw object.invalid("attempt", "attempt is 0: the first one is 1, or leave it out.")
            }
            values["attempt"] = .int(Int64(clamping: attempt))
        }
        set("startTime", nanos: try object.time("startTime"))
        set("endTime", nanos: try object.time("endTime"))
        if let start = nanos("startTime"), let end = nanos("endTime"), end < start {
            throw .early(end, before: start, of: "step", at: object.pointer("endTime"))
        }
        if let outcome = try object.text("stepOutcome", byteCountMax: 128) {
            guard !outcome.isEmpty else {
                throw object.invalid("stepOutcome", "stepOutcome is empty: state how the step ended.")
            }
            set("stepOutcome", outcome)
        }
        for name in ["childAgentId", "childAgentName", "task", "linkMode", "agentName"] {
            set(name, try object.text(name))
        }
        if let error = try object.object("error") { values["error"] = try Self.error(error).value }
        if let usage = try object.object("usage") { values["usage"] = try Self.usage(usage).value }
        try readTool(&object, content)
        try readModel(&object, content)
        if var wait = try object.object("waitsOn") {
            var fields = WorkFields()
            if let kind = try wait.text("kind", byteCountMax: 128) {
                guard WorkWait.kinds.contains(kind) else {
                    let known = WorkWait.kinds.joined(separator: ", ")
                    throw wait.invalid("kind", "kind is \(APICall.shown(kind)): it takes \(known).")
                }
                fields.set("kind", kind)
            }
            fields.set("id", try wait.text("id", byteCountMax: 256))
            values["waitsOn"] = fields.value
        }
        if let links = try object.objects("links", countMax: 128) {
            var read: [AttributeValue] = []
            for link in links { read.append(try Self.link(link).value) }
            values["links"] = .array(read)
        }
        if let ids = try object.ids("messageIds", countMax: 128), !ids.isEmpty {
            values["messageIds"] = .array(ids.map { .string($0) })
        }
        if let events = try object.objects("events", countMax: 256) {
            var read: [AttributeValue] = []
            for event in events { read.append(try Self.event(event, content).value) }
            values["events"] = .array(read)
        }
        var context = try object.object("stepContext")?.rest ?? []
        context += content.filtered(object.rest, into: &self)
        if !context.isEmpty {
            let merged = WorkContext.merged([], context)
            values["stepContext"] = .map(merged.context)
            if merged.isTruncated { values["contextTruncated"] = true }
        }
    }

    private static func error(_ object: WorkObject) throws(APIError) -> WorkFields {
        var (object, fields) = (object, WorkFields())
        fields.set("type", try object.text("type", byteCountMax: 256))
        fields.set("message", try object.text("message", byteCountMax: 16 << 10))
        return fields
    }

    private static func usage(_ object: WorkObject) throws(APIError) -> WorkFields {
        var (object, fields) = (object, WorkFields())
        for name in ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens"] {
            if let count = try object.count(name) { fields[name] = .int(Int64(clamping: count)) }
        }
        fields.set("usd", try object.amount("usd"))
        return fields
    }

    private mutating func readTool(_ object: inout WorkObject, _ content: WorkContent) throws(APIError) {
        guard var tool = try object.object("tool") else { return }
        var fields = WorkFields()
        for name in ["name", "callId", "server", "type", "description"] { fields.set(name, try tool.text(name)) }
        if let bytes = try tool.count("resultBytes") { fields["resultBytes"] = .int(Int64(clamping: bytes)) }
        content.take("arguments", of: &tool, as: "arguments", into: &fields)
        content.take("args", of: &tool, as: "arguments", into: &fields)
        content.take("result", of: &tool, as: "result", into: &fields)
        values["tool"] = fields.value
    }

    private mutating func readModel(_ object: inout WorkObject, _ content: WorkContent) throws(APIError) {
        guard var model = try object.object("llm") else { return }
        var fields = WorkFields()
        for name in ["model", "provider", "responseModel", "responseId"] { fields.set(name, try model.text(name)) }
        if let stream = try model.flag("stream") { fields["stream"] = .bool(stream) }
        if let seconds = try model.amount("timeToFirstChunk") { fields["timeToFirstChunk"] = .double(seconds) }
        if let reasons = try model.list("finishReasons", countMax: 64) {
            fields["finishReasons"] = .array(
                reasons.compactMap {
                    if case .string(let text) = $0 { .string(WorkContent.cut(Array(text.utf8), 128)) } else { nil }
                }
            )
        }
        for (name, target) in Self.contentOfModels { content.take(name, of: &model, as: target, into: &fields) }
        values["llm"] = fields.value
    }

    private static let contentOfModels = [
        ("inputMessages", "input"), ("prompt", "input"), ("input", "input"), ("outputMessages", "output"),
        ("completion", "output"), ("output", "output"), ("systemInstructions", "system"), ("system", "system"),
    ]

    private static func link(_ object: WorkObject) throws(APIError) -> WorkFields {
        var (object, fields) = (object, WorkFields())
        fields.set("sessionId", try object.id("sessionId"))
        fields.set("stepId", try object.id("stepId"))
        fields.set("traceId", try object.hex("traceId", digits: 32))
        fields.set("spanId", try object.hex("spanId", digits: 16))
        fields.set("relation", try object.text("relation", byteCountMax: 128))
        guard fields.text("sessionId") != nil || fields.text("traceId") != nil && fields.text("spanId") != nil else {
            throw .invalid(
                object.path,
                "The link leads nowhere: it takes sessionId (and stepId), or traceId and spanId."
            )
        }
        return fields
    }

    /// An event: `name`, `time` and `attributes`, within the limits of a context, and its `id` where it has one.
    static func event(_ object: WorkObject, _ content: WorkContent) throws(APIError) -> WorkFields {
        var (object, fields) = (object, WorkFields())
        for name in ["op", "sessionId", "stepId"] { _ = object.value(name) }
        fields.set("id", try object.idOrNumber("eventId"))
        guard let name = try object.text("name", byteCountMax: 256), !name.isEmpty else {
            throw object.invalid("name", "name is missing: say what happened.")
        }
        fields.set("name", name)
        fields.set("time", nanos: try object.time("time"))
        let said = (try object.object("attributes")?.rest ?? []) + object.rest
        let attributes = content.filtered(said, ofEvent: name, into: &fields)
        if !attributes.isEmpty { fields["attributes"] = .map(WorkContext.merged([], attributes).context) }
        return fields
    }
}

extension WorkObject {
    /// An id, or the whole number that some count by.
    mutating func idOrNumber(_ name: String) throws(APIError) -> String? {
        guard let value = value(name) else { return nil }
        if case .int(let number) = value { return "\(number)" }
        guard case .string(let text) = value, Self.problem(ofID: text) == nil else {
            throw invalid(name, "\(name) is \(Self.shown(value)), which is no id.")
        }
        return text
    }

    /// An id of a trace or a span.
    mutating func hex(_ name: String, digits: Int) throws(APIError) -> String? {
        guard let text = try text(name, byteCountMax: 256) else { return nil }
        guard text.utf8.count == digits, let parsed = Hex.parse(text.utf8), parsed.high | parsed.low != 0 else {
            throw invalid(name, "\(name) is \(APICall.shown(text)): it takes \(digits) hexadecimal digits, not all 0.")
        }
        return text.lowercased()
    }
}
