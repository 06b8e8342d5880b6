// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// What a call says of a message (`agents.md` §3.4).
extension WorkFields {
    init(message object: WorkObject, _ content: WorkContent) throws(APIError) {
        var object = object
        for name in ["messageId", "op", "relation"] { _ = object.value(name) }
        // Of a text that stays with its sender.
        if let bytes = try object.count("bytes") { values["textBytes"] = .int(Int64(clamping: bytes)) }
        set("threadId", try object.id("threadId"))
        set("inReplyTo", try object.id("inReplyTo"))
        set("from", try object.text("from", byteCountMax: 256))
        set("role", try object.text("role", byteCountMax: 128))
        set("time", nanos: try object.time("time"))
        if let value = object.value("to") {
            let elements: [AttributeValue] = if case .array(let elements) = value { elements } else { [value] }
            var to: [AttributeValue] = []
            for element in elements {
                guard case .string(let text) = element, text.utf8.count <= 256, to.count < 1_000 else {
                    throw object.invalid("to", "to holds \(WorkObject.shown(element)): it takes at most 1000 names.")
                }
                to.append(.string(text))
            }
            values["to"] = .array(to)
        }
        content.take("text", of: &object, as: "text", into: &self)
        set("sessionId", try object.id("sessionId"))
        set("stepId", try object.id("stepId"))
        if var trace = try object.object("trace") {
            set("sessionId", try trace.id("sessionId"))
            set("stepId", try trace.id("stepId"))
            set("traceId", try trace.hex("traceId", digits: 32))
            set("spanId", try trace.hex("spanId", digits: 16))
            set("traceparent", try trace.text("traceparent"))
        }
        set("traceparent", try object.text("traceparent"))
        let rest = content.filtered(object.rest, into: &self)
        if !rest.isEmpty { values["context"] = .map(WorkContext.merged([], rest).context) }
    }

    /// The Message record of what is kept of a message, whose members all are there.
    func writeMessage(to json: inout JSONWriter) {
        json.member("messageId", text("messageId"))
        json.member("threadId", text("threadId"))
        json.member("from", text("from"))
        json.array("to") { json in
            for name in texts("to") { json.string(name) }
        }
        json.member("time", nanos("time").map(RFC3339.format))
        json.member("inReplyTo", text("inReplyTo"))
        json.member("role", text("role"))
        json.key("bytes")
        json.plain(self["textBytes"] ?? .null)
        json.member("textHash", text("textHash"))
        json.member("text", text("text"))
        json.key("trace")
        writeTrace(to: &json)
    }

    /// Where a message was sent from; `null` where nobody knows.
    func writeTrace(to json: inout JSONWriter) {
        guard let trace = text("traceId") else {
            guard text("sessionId") != nil else { return json.null() }
            return writeTraceMembers(to: &json, traceparent: nil, trace: nil)
        }
        let parent = text("spanId").map { "00-\(trace)-\($0)-01" }
        writeTraceMembers(to: &json, traceparent: parent, trace: trace)
    }

    private func writeTraceMembers(to json: inout JSONWriter, traceparent: String?, trace: String?) {
        json.object { json in
            json.member("traceparent", traceparent)
            json.member("traceId", trace)
            json.member("spanId", text("spanId"))
            json.member("sessionId", text("sessionId"))
            json.member("stepId", text("stepId"))
        }
    }
}
