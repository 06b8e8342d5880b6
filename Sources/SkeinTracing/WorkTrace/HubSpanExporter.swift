// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording
import SkeinWire

/// Tells sessions and steps to the WorkTrace API of a server, as lines of its batches, while they go on and when they end. Lines
/// may come twice: the API takes the same facts again.
final class HubSpanExporter: SpanExporter {
    private let sender: HTTPSender

    /// Throws what is wrong with the address.
    init(_ url: String) throws {
        guard let endpoint = Endpoint(url + (url.hasSuffix("/") ? "" : "/") + "api/worktrace/v1/batch") else {
            throw AssemblyError("\"\(url.withoutAddressSecrets())\" is no address: name it as http://host:port")
        }
        sender = try HTTPSender(HTTPTarget(url: endpoint.description))
    }

    var typeName: String { "worktrace_http_span_exporter" }

    func shutdown() { sender.shutdown() }

    func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
        let bodies = Self.bodies(of: spans)
        var (failedCount, rejectedCount, reason) = (0, 0, "")
        for body in bodies {
            do throws(HTTPSender.Failure) {
                let answer = try post(body, by: deadline)
                guard let rejected = Self.rejected(of: answer.body), rejected.count > 0 else { continue }
                (rejectedCount, reason) = (rejectedCount + rejected.count, rejected.reason)
            } catch {
                let said = error.answer.map {
                    String(decoding: $0.body.prefix(OTLPAnswer.shownBytesMax), as: UTF8.self)
                }
                (failedCount, reason) = (
                    failedCount + 1, error.reason + (said.map { ": \(OTLPAnswer.shown($0))" } ?? "")
                )
            }
        }
        if failedCount == 0, rejectedCount == 0 { return .done }
        if failedCount == bodies.count { return .failed(reason: reason) }
        let lostCount = rejectedCount + spans.count * failedCount / max(bodies.count, 1)
        return .partlyRejected(count: min(max(lostCount, 1), spans.count), reason: reason)
    }

    private func post(
        _ body: [UInt8],
        by deadline: ContinuousClock.Instant
    ) throws(HTTPSender.Failure) -> HTTPSender.Answer {
        let result = body.withUnsafeBytes { body in
            Result { () throws(HTTPSender.Failure) in
                try sender.post(
                    body,
                    contentType: "application/x-ndjson",
                    userAgent: SDKVersion.userAgent,
                    by: deadline
                )
            }
        }
        return try result.get()
    }

    /// How many lines an answer says were rejected, and why the first of them.
    static func rejected(of body: [UInt8]) -> (count: Int, reason: String)? {
        body.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            var count = 0
            var reason: String?
            do throws(WireError) {
                try reader.openObject()
                while let key = try reader.nextKey() {
                    if "rejected" ~= key {
                        count = Int(try reader.readInteger(Int32.self))
                    } else if "results" ~= key, try reader.peek() == .array {
                        try reader.openArray()
                        while try reader.nextElement() {
                            let problem = try Self.problem(of: &reader)
                            reason = reason ?? problem
                        }
                    } else {
                        try reader.skipValue()
                    }
                }
            } catch {
                return nil
            }
            return (count, OTLPAnswer.shown(reason ?? ""))
        }
    }

    /// Why a line was rejected: the `detail` of the `problem` (RFC 9457) of its result; `nil` for one that was taken.
    private static func problem(of reader: inout JSONReader) throws(WireError) -> String? {
        guard try reader.peek() == .object else {
            try reader.skipValue()
            return nil
        }
        var detail: String?
        try reader.openObject()
        while let key = try reader.nextKey() {
            guard "problem" ~= key, try reader.peek() == .object else {
                try reader.skipValue()
                continue
            }
            try reader.openObject()
            while let key = try reader.nextKey() {
                if "detail" ~= key, try reader.peek() == .string {
                    detail = String(decoding: try reader.readString(), as: UTF8.self)
                } else {
                    try reader.skipValue()
                }
            }
        }
        return detail
    }

    // MARK: Lines

    /// The API takes 16 MiB at once; a span has far less.
    private static let bodyByteCountUsual = 2 << 20

    static func bodies(of spans: [FinishedSpan]) -> [[UInt8]] {
        var bodies: [[UInt8]] = []
        var lines: [UInt8] = []
        var json = JSONWriter(capacity: 4 << 10)
        var told: Set<ObjectIdentifier> = []
        // What was queued at its start and has ended since is told once, as it is now.
        for span in spans where told.insert(ObjectIdentifier(span.recording)).inserted {
            let isRunning = span.state.endUnixNanos == nil
            let span = HubSpan(span.span)
            guard let session = span["worktrace.session.id"] else { continue }
            if lines.count > bodyByteCountUsual {
                bodies.append(lines)
                lines.removeAll(keepingCapacity: true)
            }
            let step = span["worktrace.step.id"]
            func line(_ op: String, _ body: (inout JSONWriter) -> Void) {
                json.removeAll()
                json.object { json in
                    json.member("op", op)
                    json.member("sessionId", session)
                    if let step { json.member("stepId", step) }
                    body(&json)
                }
                lines += json.bytes
                lines.append(0x0a)
            }
            if step == nil {
                line("session.start") { span.writeSessionStart(to: &$0) }
                if isRunning { line("session.heartbeat") { _ in } }
            } else {
                line("step.start") { span.writeStepStart(to: &$0) }
            }
            guard !isRunning else { continue }
            for message in span.messages { line("message") { span.write(message, to: &$0) } }
            if step == nil {
                line("session.end") { span.writeSessionEnd(to: &$0) }
            } else {
                line("step.end") { span.writeStepEnd(to: &$0) }
            }
        }
        return lines.isEmpty ? bodies : bodies + [lines]
    }
}

/// A span of WorkTrace under the names of its API (`agents.md` §1.2). What starts it says only what never changes.
private struct HubSpan {
    let span: SkeinModel.Span
    private let attributes: [String: AttributeValue]

    init(_ span: SkeinModel.Span) {
        self.span = span
        attributes = Dictionary(span.attributes.map { ($0.key, $0.value) }) { first, _ in first }
    }

    subscript(key: String) -> String? {
        if case .string(let text)? = attributes[key] { text } else { nil }
    }

    func writeSessionStart(to json: inout JSONWriter) {
        write(
            [
                ("taskId", "worktrace.task.id"), ("agentId", "gen_ai.agent.id"),
                ("threadId", "worktrace.session.thread_id"),
            ],
            to: &json,
            asID: true
        )
        write(
            [
                ("title", "worktrace.session.title"), ("agentName", "gen_ai.agent.name"),
                ("agentVersion", "gen_ai.agent.version"), ("agentDescription", "gen_ai.agent.description"),
                ("parentSessionId", "worktrace.session.parent_id"),
                ("parentStepId", "worktrace.session.parent_step_id"),
                ("rootSessionId", "worktrace.session.root_id"), ("taskPriority", "worktrace.task.priority"),
                ("linkMode", "worktrace.session.link_mode"),
            ],
            to: &json
        )
        write("budget", Self.budget, to: &json)
        write("labels", below: "worktrace.label.", to: &json)
        let flags: TraceFlags = span.flags & 1 == 1 ? .sampled : []
        if span.parentSpanID.isValid {
            let parent = SpanContext(traceID: span.traceID, spanID: span.parentSpanID, flags: flags)
            json.member("traceparent", TraceContextPropagator.header(parent))
        } else if self["worktrace.session.link_mode"] == "link", let link = span.links.first {
            let parent = SpanContext(traceID: link.traceID, spanID: link.spanID, flags: flags)
            json.member("traceparent", TraceContextPropagator.header(parent))
        }
        json.member("startTime", "\(span.startUnixNanos)")
    }

    func writeSessionEnd(to json: inout JSONWriter) {
        write(
            [("outcome", "worktrace.session.outcome"), ("summary", "worktrace.session.summary")],
            to: &json
        )
        writeError(to: &json)
        json.member("endTime", "\(span.endUnixNanos)")
    }

    func writeStepStart(to json: inout JSONWriter) {
        let action = self["worktrace.step.action"] ?? ""
        json.member("stepAction", action.isEmpty ? "custom" : action)
        write([("stepKind", "worktrace.step.kind"), ("parentStepId", "worktrace.step.parent_id")], to: &json)
        if self["worktrace.step.kind"] == "tool" { write("tool", [("name", "gen_ai.tool.name")], to: &json) }
        json.member("startTime", "\(span.startUnixNanos)")
    }

    func writeStepEnd(to json: inout JSONWriter) {
        write(
            [
                ("stepOutcome", "worktrace.step.outcome"), ("attempt", "worktrace.step.attempt"),
                ("retryOf", "worktrace.step.retry_of"), ("childSessionId", "worktrace.child.session_id"),
                ("childAgentId", "worktrace.child.agent_id"), ("task", "worktrace.child.task"),
            ],
            to: &json
        )
        write("usage", Self.usage, to: &json)
        write("tool", Self.tool, to: &json)
        write("llm", Self.model, to: &json)
        write("waitsOn", [("kind", "worktrace.wait.kind"), ("id", "worktrace.wait.id")], to: &json)
        write("stepContext", below: "worktrace.context.", to: &json)
        writeError(to: &json)
        writeEvents(to: &json)
        writeLinks(to: &json)
        json.member("endTime", "\(span.endUnixNanos)")
    }

    /// What it sent to others.
    var messages: [SkeinModel.Span.Event] { span.events.filter { $0.name == "worktrace.message" } }

    func write(_ message: SkeinModel.Span.Event, to json: inout JSONWriter) {
        for (name, key) in [("messageId", "message.id"), ("threadId", "thread"), ("text", "text")] {
            guard case .string(let text)? = message.attributes[key] else { continue }
            json.key(text: name)
            json.string(key == "text" ? text : Self.id(text))
        }
        if let agent = self["gen_ai.agent.id"] { json.member("from", "agent:\(Self.id(agent))") }
        json.member("time", "\(message.timeUnixNanos)")
    }

    /// Messages are told by themselves, and the API makes their events.
    private func writeEvents(to json: inout JSONWriter) {
        let events = span.events.filter { $0.name != "worktrace.message" }.prefix(256)
        guard !events.isEmpty else { return }
        json.array("events") { json in
            for event in events {
                json.object { json in
                    json.member("name", event.name.isEmpty ? "event" : event.name)
                    json.member("time", "\(event.timeUnixNanos)")
                    json.object("attributes") { json in
                        for attribute in event.attributes {
                            json.key(text: attribute.key)
                            json.plain(attribute.value)
                        }
                    }
                }
            }
        }
    }

    /// A link to the sender of a message is the API's to make.
    private func writeLinks(to json: inout JSONWriter) {
        var (messages, links): ([String], [SkeinModel.Span.Link]) = ([], [])
        for link in span.links {
            if case .string(let id)? = link.attributes["messaging.message.id"] {
                messages.append(Self.id(id))
            } else {
                links.append(link)
            }
        }
        if !messages.isEmpty {
            json.array("messageIds") { json in for id in messages.prefix(128) { json.string(id) } }
        }
        guard !links.isEmpty else { return }
        json.array("links") { json in
            for link in links.prefix(128) {
                json.object { json in
                    json.member("traceId", link.traceID)
                    json.member("spanId", link.spanID)
                    if case .string(let relation)? = link.attributes["worktrace.link.relation"] {
                        json.member("relation", relation)
                    }
                }
            }
        }
    }

    // MARK: Pieces

    typealias Names = [(name: String, key: String)]

    private static let budget: Names = [
        ("usd", "worktrace.budget.usd"), ("tokens", "worktrace.budget.tokens"),
        ("seconds", "worktrace.budget.seconds"),
    ]
    private static let usage: Names = [
        ("inputTokens", "gen_ai.usage.input_tokens"), ("outputTokens", "gen_ai.usage.output_tokens"),
        ("cacheReadTokens", "gen_ai.usage.cache_read.input_tokens"),
        ("cacheWriteTokens", "gen_ai.usage.cache_creation.input_tokens"),
        ("reasoningTokens", "gen_ai.usage.reasoning.output_tokens"), ("usd", "worktrace.cost.usd"),
    ]
    private static let tool: Names = [
        ("name", "gen_ai.tool.name"), ("callId", "gen_ai.tool.call.id"), ("type", "gen_ai.tool.type"),
        ("server", "worktrace.tool.server"), ("resultBytes", "worktrace.tool.result_bytes"),
        ("arguments", "gen_ai.tool.call.arguments"), ("result", "gen_ai.tool.call.result"),
    ]
    private static let model: Names = [
        ("model", "gen_ai.request.model"), ("provider", "gen_ai.provider.name"),
        ("responseModel", "gen_ai.response.model"), ("responseId", "gen_ai.response.id"),
        ("finishReasons", "gen_ai.response.finish_reasons"),
        ("timeToFirstChunk", "gen_ai.response.time_to_first_chunk"), ("stream", "gen_ai.request.stream"),
        ("input", "gen_ai.input.messages"), ("output", "gen_ai.output.messages"),
        ("system", "gen_ai.system_instructions"),
    ]

    private func write(_ names: Names, to json: inout JSONWriter, asID: Bool = false) {
        for (name, key) in names {
            guard let value = attributes[key] else { continue }
            json.key(text: name)
            if asID, case .string(let text) = value { json.string(Self.id(text)) } else { json.plain(value) }
        }
    }

    private func write(_ name: String, _ names: Names, to json: inout JSONWriter) {
        guard names.contains(where: { attributes[$0.key] != nil }) else { return }
        json.key(text: name)
        json.object { write(names, to: &$0) }
    }

    private func write(_ name: String, below prefix: String, to json: inout JSONWriter) {
        let own = span.attributes.filter { $0.key.hasPrefix(prefix) }
        guard !own.isEmpty else { return }
        json.key(text: name)
        json.object { json in
            for attribute in own {
                json.key(text: String(attribute.key.dropFirst(prefix.count)))
                json.plain(attribute.value)
            }
        }
    }

    private func writeError(to json: inout JSONWriter) {
        guard let type = self["error.type"] else { return }
        json.object("error") { json in
            json.member("type", type)
            if !span.status.message.isEmpty { json.member("message", span.status.message) }
        }
    }

    /// A text as an id that the API takes: with `_` for what an id cannot hold.
    private static func id(_ text: String) -> String {
        let bytes = text.utf8.prefix(128).map { byte in
            let isAllowed =
                (0x2d...0x3a).contains(byte) || (0x40...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == 0x5f
            return isAllowed ? byte : 0x5f
        }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }
}
